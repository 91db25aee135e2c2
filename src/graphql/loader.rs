//! Look-ups of one sort that a request needs at one moment, gathered into one.
//!
//! There is no timer. A request's resolvers run side by side in one task: whoever asks steps aside once, so that its
//! siblings ask too, and the first to go on looks everything up. Nothing is kept afterwards: who asks later asks anew.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use async_graphql::Context;
use tokio::sync::OnceCell;

use super::{
    context::{chat, loaders, signed_in},
    error::Fault,
};
use crate::{
    chat::Error,
    model::{
        ConversationId, Membership, Message, MessageId, Page, Place, Relationship, User, UserId,
        membership::MembersWanted, message::MessagesWanted,
    },
};

type Found<K, V> = Result<HashMap<K, V>, Error>;

/// What is asked for together.
struct Round<K, V> {
    keys: Mutex<HashSet<K>>,
    found: OnceCell<Found<K, V>>,
}

/// Gathers look-ups of one sort.
pub(super) struct Loader<K, V>(Mutex<Arc<Round<K, V>>>);

impl<K, V> Default for Loader<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Self::round()))
    }
}

impl<K, V> Loader<K, V> {
    fn round() -> Arc<Round<K, V>> {
        Arc::new(Round {
            keys: Mutex::default(),
            found: OnceCell::new(),
        })
    }
}

impl<K, V> Loader<K, V>
where
    K: Clone + Eq + Hash + Send + Sync,
    V: Clone + Send + Sync,
{
    fn ask(&self, key: &K) -> Arc<Round<K, V>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut keys = open.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.insert(key.clone());
        Arc::clone(&open)
    }

    /// What was asked for; from here on others ask in the next round.
    fn close(&self, round: &Arc<Round<K, V>>) -> Vec<K> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if Arc::ptr_eq(&open, round) {
            *open = Self::round();
        }
        let keys = round.keys.lock().unwrap_or_else(PoisonError::into_inner);
        keys.iter().cloned().collect()
    }

    /// What a key leads to, looked up together with all that is asked for now.
    async fn load<L: Future<Output = Found<K, V>> + Send>(
        &self,
        key: K,
        look_up: impl FnOnce(Vec<K>) -> L + Send,
    ) -> Result<Option<V>, Error> {
        let round = self.ask(&key);
        tokio::task::yield_now().await;
        let found = round
            .found
            .get_or_init(async || look_up(self.close(&round)).await)
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
    users: Loader<UserId, Arc<User>>,
    places: Loader<ConversationId, Place>,
    memberships: Loader<(ConversationId, UserId), Membership>,
    members: Loader<MembersWanted, Page<Membership>>,
    messages: Loader<MessagesWanted, Page<Message>>,
    messages_by_id: Loader<MessageId, Arc<Message>>,
    relationships: Loader<UserId, Relationship>,
}

/// A person; nobody when the account is gone.
pub(super) async fn user(ctx: &Context<'_>, id: UserId) -> Result<Option<Arc<User>>, Fault> {
    let chat = chat(ctx)?;
    if let Some(known) = chat.known_user(id) {
        return Ok(Some(known));
    }
    let users = &loaders(ctx)?.users;
    Ok(users
        .load(id, |ids| async move { chat.users_by_id(&ids).await })
        .await?)
}

/// A conversation as the viewer finds it; nothing when they may not see it.
pub(super) async fn place(ctx: &Context<'_>, id: ConversationId) -> Result<Option<Place>, Fault> {
    let (chat, viewer) = (chat(ctx)?, signed_in(ctx)?);
    let places = &loaders(ctx)?.places;
    Ok(places
        .load(id, |ids| async move { chat.places(viewer, &ids).await })
        .await?)
}

/// Somebody's membership of a conversation that the viewer may see.
pub(super) async fn membership(
    ctx: &Context<'_>,
    conversation: ConversationId,
    user: UserId,
) -> Result<Option<Membership>, Fault> {
    let chat = chat(ctx)?;
    let memberships = &loaders(ctx)?.memberships;
    Ok(memberships
        .load((conversation, user), async |places| {
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
    let members = &loaders(ctx)?.members;
    Ok(members
        .load(wanted, |wanted| async move { chat.members(&wanted).await })
        .await?)
}

/// A page of messages of a conversation that the viewer may see.
pub(super) async fn messages(
    ctx: &Context<'_>,
    wanted: MessagesWanted,
) -> Result<Option<Page<Message>>, Fault> {
    let chat = chat(ctx)?;
    let messages = &loaders(ctx)?.messages;
    Ok(messages
        .load(wanted, |wanted| async move { chat.messages(&wanted).await })
        .await?)
}

/// A message of a conversation that the viewer may see.
pub(super) async fn message(
    ctx: &Context<'_>,
    id: MessageId,
) -> Result<Option<Arc<Message>>, Fault> {
    let chat = chat(ctx)?;
    let messages = &loaders(ctx)?.messages_by_id;
    Ok(messages
        .load(id, |ids| async move { chat.messages_by_id(&ids).await })
        .await?)
}

/// What lies between the viewer and somebody.
pub(super) async fn relationship(ctx: &Context<'_>, user: UserId) -> Result<Relationship, Fault> {
    let (chat, viewer) = (chat(ctx)?, signed_in(ctx)?);
    let relationships = &loaders(ctx)?.relationships;
    Ok(relationships
        .load(user, async |people| {
            chat.relationships(viewer, &people).await
        })
        .await?
        .unwrap_or_default())
}
