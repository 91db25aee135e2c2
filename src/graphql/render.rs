//! How an execution meets a stream. A subscription is executed once to open its stream: the resolver leaves the feed in
//! [`Opening`]. Then it is executed for a piece of news with [`Told`] in its context: the resolver gives exactly that.

use std::sync::{Arc, Mutex, PoisonError};

use async_graphql::{Context, SchemaEnv};

use crate::{
    live::{Feed, Heard},
    model::ConversationId,
};

/// Where a resolver leaves the feed that it opened.
#[derive(Clone, Default)]
pub(super) struct Opening(Arc<Mutex<Option<Opened>>>);

/// A feed, and the schema that it is told in.
pub(super) struct Opened {
    pub(super) feed: Feed,
    pub(super) schema: SchemaEnv,
}

impl Opening {
    pub(super) fn put(&self, ctx: &Context<'_>, feed: Feed) {
        let schema = ctx.schema_env.clone();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Opened { feed, schema });
    }

    pub(super) fn take(&self) -> Option<Opened> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The news that an execution is about.
pub(super) struct Told {
    pub(super) heard: Heard,
    /// Whether it could not be told just now: something in it went while it was told, so all of it is looked at.
    pub(super) is_again: bool,
    pub(super) unheard: Unheard,
}

/// Where a resolver leaves the conversations of which nothing more is to be told.
#[derive(Clone, Default)]
pub(super) struct Unheard(Arc<Mutex<Vec<ConversationId>>>);

impl Unheard {
    pub(super) fn put(&self, conversations: Vec<ConversationId>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = conversations;
    }

    pub(super) fn take(&self) -> Vec<ConversationId> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
