//! Look-ups of one sort that a request needs at one moment, gathered into one.
//!
//! There is no timer. A request's resolvers run side by side in one task: whoever asks steps aside until nobody asks any
//! more and nobody was found something for and may ask next; then the first to go on looks everything up. Nothing is
//! kept afterwards: who asks later asks anew.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_graphql::Context;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::sync::OnceCell;

use super::{
    context::{chat, loaders, signed_in},
    error::Fault,
};
use crate::{
    chat::Error,
    model::{
        ConversationId, Membership, Message, MessageId, Page, Place, Relationship, Timestamp, User,
        UserId, membership::MembersWanted, message::MessagesWanted,
    },
};

type Found<K, V> = Result<HashMap<K, V>, Error>;

/// What is asked for together.
struct Round<K, V> {
    keys: Mutex<HashSet<K>>,
    /// How many have asked and not gone away.
    askers: AtomicUsize,
    found: OnceCell<Found<K, V>>,
}

impl<K, V> Round<K, V> {
    fn asked(&self) -> usize {
        self.keys
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }
}

/// The place of one who has asked in a round. Going away, served or not, is noticed.
struct Seat<'a, K, V> {
    round: Arc<Round<K, V>>,
    unserved: &'a AtomicUsize,
}

impl<K, V> Drop for Seat<'_, K, V> {
    fn drop(&mut self) {
        let among = if self.round.found.initialized() {
            self.unserved
        } else {
            &self.round.askers
        };
        among.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Gathers look-ups of one sort. Of most sorts an execution needs none.
struct Loader<K, V>(Mutex<Option<Arc<Round<K, V>>>>);

impl<K, V> Default for Loader<K, V> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K, V> Default for Round<K, V> {
    fn default() -> Self {
        Self {
            keys: Mutex::default(),
            askers: AtomicUsize::new(0),
            found: OnceCell::new(),
        }
    }
}

impl<K, V> Loader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync,
    V: Clone + Send + Sync,
{
    fn ask<'a>(&self, key: &K, unserved: &'a AtomicUsize) -> Seat<'a, K, V> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let open = open.get_or_insert_default();
        let mut keys = open.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone());
        open.askers.fetch_add(1, Ordering::Relaxed);
        let round = Arc::clone(open);
        Seat { round, unserved }
    }

    /// What was asked for; from here on others ask in the next round.
    fn close(&self, round: &Arc<Round<K, V>>) -> Vec<K> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.as_ref().is_some_and(|open| Arc::ptr_eq(open, round)) {
            *open = None;
        }
        let keys = round.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().cloned().collect()
    }

    /// What a key leads to, looked up together with all that is asked for now.
    ///
    /// In a box: each field has room for the largest future of its type, and is moved about with it.
    fn load<'a, L: Future<Output = Found<K, V>> + Send + 'a>(
        &'a self,
        unserved: &'a AtomicUsize,
        key: K,
        look_up: impl FnOnce(Vec<K>) -> L + Send + 'a,
    ) -> BoxFuture<'a, Result<Option<V>, Error>> {
        self.look_up(unserved, key, look_up).boxed()
    }

    async fn look_up<L: Future<Output = Found<K, V>> + Send>(
        &self,
        unserved: &AtomicUsize,
        key: K,
        look_up: impl FnOnce(Vec<K>) -> L + Send,
    ) -> Result<Option<V>, Error> {
        let seat = self.ask(&key, unserved);
        let round = &seat.round;
        let mut gathered = 0;
        // Whoever was found something for and has not gone on with it may ask next.
        while !round.found.initialized()
            && (gathered < round.asked() || unserved.load(Ordering::Relaxed) > 0)
        {
            gathered = round.asked();
            tokio::task::yield_now().await;
        }
        let found = round
            .found
            .get_or_init(async || {
                let found = look_up(self.close(round)).await;
                unserved.fetch_add(round.askers.load(Ordering::Relaxed), Ordering::Relaxed);
                found
            })
            .await;
        match found {
            Ok(found) => Ok(found.get(&key).cloned()),
            Err(error) => Err(error.clone()),
        }
    }
}

/// The loaders of one execution.
#[derive(Default)]
pub(super) struct Loaders {
    /// Those for whom something was found, and who have not gone on with it.
    unserved: AtomicUsize,
    users: Loader<UserId, Arc<User>>,
    places: Loader<ConversationId, Place>,
    memberships: Loader<(ConversationId, UserId), Membership>,
    members: Loader<MembersWanted, Page<Membership>>,
    messages: Loader<MessagesWanted, Page<Arc<Message>>>,
    messages_by_id: Loader<MessageId, Arc<Message>>,
    relationships: Loader<UserId, Relationship>,
    last_seen: Loader<UserId, Timestamp>,
}

/// A person; nobody when the account is gone.
pub(super) async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<Arc<User>>, Fault> {
    let chat = chat(ctx)?;
    if let Some(known) = chat.known_user(id) {
        return Ok(Some(known));
    }
    let loaders = loaders(ctx)?;
    Ok(loaders
        .users
        .load(&loaders.unserved, id, |ids| async move {
            chat.users_by_id(&ids).await
        })
        .await?)
}

/// A conversation as the viewer finds it; nothing when they may not see it.
pub(super) async fn place(ctx: &Context<'_>, id: ConversationId) -> Result<Option<Place>, Fault> {
    let (chat, viewer) = (chat(ctx)?, signed_in(ctx)?);
    let loaders = loaders(ctx)?;
    Ok(loaders
        .places
        .load(&loaders.unserved, id, |ids| async move {
            chat.places(viewer, &ids).await
        })
        .await?)
}

/// Somebody's membership of a conversation that the viewer may see.
pub(super) async fn membership(
    ctx: &Context<'_>,
    conversation: ConversationId,
    user: UserId,
) -> Result<Option<Membership>, Fault> {
    let chat = chat(ctx)?;
    let loaders = loaders(ctx)?;
    Ok(loaders
        .memberships
        .load(&loaders.unserved, (conversation, user), async |places| {
            chat.memberships(&places).await
        })
        .await?)
}

/// A page of members of a conversation that the viewer may see.
pub(super) async fn members(
    ctx: &Context<'_>,
    wanted: MembersWanted,
) -> Result<Option<Page<Membership>>, Fault> {
    let chat = chat(ctx)?;
    let loaders = loaders(ctx)?;
    Ok(loaders
        .members
        .load(&loaders.unserved, wanted, |wanted| async move {
            chat.members(&wanted).await
        })
        .await?)
}

/// A page of messages of a conversation that the viewer may see.
pub(super) async fn messages(
    ctx: &Context<'_>,
    wanted: MessagesWanted,
) -> Result<Option<Page<Arc<Message>>>, Fault> {
    let chat = chat(ctx)?;
    let loaders = loaders(ctx)?;
    Ok(loaders
        .messages
        .load(&loaders.unserved, wanted, |wanted| async move {
            chat.messages(&wanted).await
        })
        .await?)
}

/// A message of a conversation that the viewer may see.
pub(super) async fn message(
    ctx: &Context<'_>,
    id: MessageId,
) -> Result<Option<Arc<Message>>, Fault> {
    let chat = chat(ctx)?;
    let loaders = loaders(ctx)?;
    Ok(loaders
        .messages_by_id
        .load(&loaders.unserved, id, |ids| async move {
            chat.messages_by_id(&ids).await
        })
        .await?)
}

/// What lies between the viewer and somebody.
pub(super) async fn relationship(ctx: &Context<'_>, user: UserId) -> Result<Relationship, Fault> {
    let (chat, viewer) = (chat(ctx)?, signed_in(ctx)?);
    let loaders = loaders(ctx)?;
    Ok(loaders
        .relationships
        .load(&loaders.unserved, user, async |people| {
            chat.relationships(viewer, &people).await
        })
        .await?
        .unwrap_or_default())
}

/// When somebody was last connected.
pub(super) async fn last_seen(ctx: &Context<'_>, user: UserId) -> Result<Option<Timestamp>, Fault> {
    let chat = chat(ctx)?;
    let loaders = loaders(ctx)?;
    Ok(loaders
        .last_seen
        .load(&loaders.unserved, user, |people| async move {
            chat.last_seen(&people).await
        })
        .await?)
}
