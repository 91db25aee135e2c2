//! How somebody stands to a conversation: the one door to its rules, for what is read and for what is written.

use std::collections::HashMap;

use super::{Chat, Error, Rejection, Viewer};
use crate::{
    log::Batch,
    model::{
        Action, Conversation, ConversationId, Membership, Place, Standing, UserId, standing::may,
    },
};

impl Chat {
    /// A conversation as the viewer finds it; nothing when they may not see it.
    pub async fn place(&self, viewer: Viewer, id: ConversationId) -> Result<Option<Place>, Error> {
        let place = self.store.find_place(viewer.user, id).await?;
        Ok(place.filter(|place| place.may(Action::Read).is_ok()))
    }

    /// The same, if it is in memory. That of two people never is: what lies between them decides as well.
    pub fn known_place(&self, viewer: Viewer, id: ConversationId) -> Option<Place> {
        let place = self.store.known_place(viewer.user, id)?;
        place.may(Action::Read).is_ok().then_some(place)
    }

    /// The same for many.
    pub async fn places(
        &self,
        viewer: Viewer,
        ids: &[ConversationId],
    ) -> Result<HashMap<ConversationId, Place>, Error> {
        let mut places = self.store.find_places(viewer.user, ids).await?;
        places.retain(|place| place.may(Action::Read).is_ok());
        let by_id = |place: Place| (place.conversation.id, place);
        Ok(places.into_iter().map(by_id).collect())
    }
}

/// A conversation as somebody finds it in a batch.
pub(super) struct Found<'a> {
    pub(super) conversation: &'a Conversation,
    pub(super) membership: Option<&'a Membership>,
    standing: Standing,
}

impl Found<'_> {
    /// Whether they may do this here.
    pub(super) fn may(&self, action: Action) -> Result<(), Rejection> {
        Ok(may(self.standing, action, self.conversation)?)
    }
}

/// A conversation, whether or not somebody may know of it: what they may do says that too.
pub(super) fn found(
    batch: &Batch,
    conversation: ConversationId,
    user: UserId,
) -> Result<Found<'_>, Rejection> {
    let conversation = batch
        .conversation(conversation)
        .ok_or_else(Rejection::no_conversation)?;
    // Somebody whose account was closed a moment ago may still have memberships.
    batch.user(user).ok_or_else(Rejection::no_conversation)?;
    let membership = batch.membership(conversation.id, user);
    let is_banned = batch.is_banned(conversation.id, user);
    let are_friends = conversation
        .pair
        .is_some_and(|pair| batch.are_friends(pair));
    let standing = Standing::new(conversation, membership, is_banned, are_friends);
    Ok(Found {
        conversation,
        membership,
        standing,
    })
}

/// A conversation that somebody may see; for everybody else it is not there.
pub(super) fn seen(
    batch: &Batch,
    conversation: ConversationId,
    user: UserId,
) -> Result<Found<'_>, Rejection> {
    let found = found(batch, conversation, user)?;
    found.may(Action::Read)?;
    Ok(found)
}

/// The conversation and somebody's membership, if they may do this there as a member.
pub(super) fn allowed(
    batch: &Batch,
    conversation: ConversationId,
    user: UserId,
    action: Action,
) -> Result<(&Conversation, &Membership), Rejection> {
    let found = found(batch, conversation, user)?;
    found.may(action)?;
    let membership = found.membership.ok_or_else(Rejection::no_conversation)?;
    Ok((found.conversation, membership))
}
