//! What a resolver finds in its context: the chat, and who asks.

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use async_graphql::{Context, SchemaEnv};

use super::{error::Fault, loader::Loaders};
use crate::{
    chat::{Chat, Error, Viewer},
    model::Heads,
};

/// Who asks, in one execution.
pub struct Asker {
    viewer: Mutex<Option<Viewer>>,
    /// Rises when a resolver looks at who asks: from then on the result is theirs alone.
    was_looked_at: AtomicBool,
    /// Of a request that was good enough to be executed: in which schema.
    schema: OnceLock<SchemaEnv>,
    /// What the library says that it costs.
    cost: OnceLock<usize>,
    /// Whether a password was tried already: one request is one try, however many aliases it has.
    tried: AtomicBool,
    heads: Heads,
    /// From where; unknown for who asks from within.
    address: Option<IpAddr>,
    /// Behind what a stream goes on, as its client had it from [`super::Subscription::place`].
    place: Option<String>,
    loaders: Loaders,
}

impl Asker {
    /// Somebody, or nobody, who asks when the log stands at `heads`.
    pub fn new(viewer: Option<Viewer>, heads: Heads) -> Self {
        Self {
            viewer: Mutex::new(viewer),
            was_looked_at: AtomicBool::new(false),
            schema: OnceLock::new(),
            cost: OnceLock::new(),
            tried: AtomicBool::new(false),
            heads,
            address: None,
            place: None,
            loaders: Loaders::default(),
        }
    }

    /// Who asks from an address.
    #[must_use]
    pub fn at(self, address: IpAddr) -> Self {
        let address = Some(address);
        Self { address, ..self }
    }

    /// Who comes back: a stream goes on behind this place, whatever its arguments say.
    #[must_use]
    pub fn behind(self, place: Option<String>) -> Self {
        Self { place, ..self }
    }

    /// Another execution for the same person.
    pub(super) fn again(&self) -> Self {
        Self::new(
            *self.viewer.lock().unwrap_or_else(PoisonError::into_inner),
            Arc::clone(&self.heads),
        )
    }

    /// Who it is; the result is theirs alone then.
    pub(super) fn look(&self) -> Option<Viewer> {
        self.was_looked_at.store(true, Ordering::Relaxed);
        *self.viewer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says what the execution costs.
    pub(super) fn count(&self, cost: usize) {
        self.cost.get_or_init(|| cost);
    }

    /// What it costs, if it was counted.
    pub(super) fn cost(&self) -> Option<usize> {
        self.cost.get().copied()
    }

    /// Says that the execution begins.
    pub(super) fn begin(&self, schema: &SchemaEnv) {
        self.schema.get_or_init(|| schema.clone());
    }

    /// In which schema it has begun; none if the request itself was at fault.
    pub(super) fn schema(&self) -> Option<&SchemaEnv> {
        self.schema.get()
    }

    /// Whether the result depends on who asked.
    pub(super) fn was_looked_at(&self) -> bool {
        self.was_looked_at.load(Ordering::Relaxed)
    }
}

/// The chat.
pub(super) fn chat<'a>(ctx: &Context<'a>) -> Result<&'a Chat, Fault> {
    Ok(ctx
        .data::<Arc<Chat>>()
        .map_err(|error| Fault::from_graphql(&error))?)
}

fn asker<'a>(ctx: &Context<'a>) -> Result<&'a Asker, Fault> {
    Ok(ctx
        .data::<Arc<Asker>>()
        .map_err(|error| Fault::from_graphql(&error))?)
}

/// Who asks, if anybody is signed in.
pub(super) fn viewer(ctx: &Context<'_>) -> Result<Option<Viewer>, Fault> {
    Ok(asker(ctx)?.look())
}

/// Who asks; an error when nobody is signed in.
pub(super) fn signed_in(ctx: &Context<'_>) -> Result<Viewer, Fault> {
    Ok(viewer(ctx)?.ok_or(Error::Unauthenticated)?)
}

/// Says that a password is about to be tried or made; an error when this request has done so already.
pub(super) fn one_password(ctx: &Context<'_>) -> Result<(), Fault> {
    if asker(ctx)?.tried.swap(true, Ordering::Relaxed) {
        let message = "a request may have one signUp, logIn, changePassword or deleteAccount";
        return Err(Error::BadInput(message.to_owned()).into());
    }
    Ok(())
}

/// From here on the rest of the request is asked by whoever has just signed in.
pub(super) fn sign_in(ctx: &Context<'_>, viewer: Viewer) -> Result<(), Fault> {
    let mut asking = asker(ctx)?
        .viewer
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    *asking = Some(viewer);
    Ok(())
}

/// From where the request came.
pub(super) fn address(ctx: &Context<'_>) -> Result<Option<IpAddr>, Fault> {
    Ok(asker(ctx)?.address)
}

/// Behind what a stream goes on, when its client has come back.
pub(super) fn place<'a>(ctx: &Context<'a>) -> Result<Option<&'a str>, Fault> {
    Ok(asker(ctx)?.place.as_deref())
}

/// Where the log stood when the request began.
pub(super) fn heads<'a>(ctx: &Context<'a>) -> Result<&'a Heads, Fault> {
    Ok(&asker(ctx)?.heads)
}

/// Where this execution's look-ups are gathered.
pub(super) fn loaders<'a>(ctx: &Context<'a>) -> Result<&'a Loaders, Fault> {
    Ok(&asker(ctx)?.loaders)
}
