//! What may be told of changes now: their objects as the viewer finds them, and nothing that is gone or hidden since.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use super::{Chat, Error, Happening, Removal, Viewer};
use crate::model::{
    Change, ConversationId, ConversationKind, FriendRequest, FriendRequestId, Friendship,
    FriendshipId, Membership, MembershipId, News, Pair, Place, Position, RemovalReason, Shard,
    Span, User, UserId,
};

impl Chat {
    /// Looks up all that changes are about.
    pub(super) async fn look_up(
        &self,
        viewer: Viewer,
        wanted: Wanted,
        (shard, first): (Shard, Position),
    ) -> Result<Found, Error> {
        let span = Span {
            shard,
            after: first - 1,
            until: Position::MAX,
        };
        let mut found = Found {
            looks_at_messages: wanted.looks_at_messages,
            ..Found::default()
        };
        let pairs: Vec<_> = wanted.pairs.into_iter().collect();
        let mut conversations = wanted.conversations;
        if !pairs.is_empty() {
            for direct in self.store.find_direct_conversations(&pairs).await? {
                conversations.insert(direct.id);
                found.directs.extend(direct.pair.zip(Some(direct.id)));
            }
            let others = pairs.iter().map(|pair| pair.other(viewer.user));
            found.friends = self.store.friends_among(viewer.user, others).await?;
        }
        let conversations: Vec<_> = conversations.into_iter().collect();
        if !conversations.is_empty() {
            found.places = self.places(viewer, &conversations).await?;
        }
        let left: Vec<_> = wanted.left.into_iter().collect();
        if !left.is_empty() {
            let leavings = self.store.last_leavings(viewer.user, &left, span).await?;
            found.last_leavings = leavings.into_iter().collect();
            let back_until_deleted = self.store.find_members_among(&left, &[viewer.user]).await?;
            let of = |membership: Membership| membership.conversation;
            found.deleted_since = back_until_deleted.into_iter().map(of).collect();
        }
        let ids: Vec<_> = wanted.memberships.into_iter().collect();
        if !ids.is_empty() {
            let memberships = self.store.find_memberships_by_id(&ids).await?;
            found.memberships = memberships.into_iter().map(|m| (m.id, m)).collect();
        }
        let marks: Vec<_> = wanted.marks.into_iter().collect();
        if !marks.is_empty() {
            found.marks = self.memberships(&marks).await?;
        }
        let requests: Vec<_> = wanted.requests.into_iter().collect();
        if !requests.is_empty() {
            let requests = self.store.find_friend_requests(&requests).await?;
            found.requests = requests.into_iter().map(|r| (r.id, r)).collect();
        }
        let friendships: Vec<_> = wanted.friendships.into_iter().collect();
        if !friendships.is_empty() {
            let friendships = self.store.find_friendships(&friendships).await?;
            found.friendships = friendships.into_iter().map(|f| (f.id, f)).collect();
        }
        let profiles: Vec<_> = wanted.profiles.into_iter().collect();
        if !profiles.is_empty() {
            let last = self.store.last_profiles(&profiles, span).await?;
            found.last_profiles = last.into_iter().collect();
        }
        let people: Vec<_> = wanted.people.into_iter().collect();
        if !people.is_empty() {
            found.people = self.users_by_id(&people).await?;
        }
        Ok(found)
    }
}

/// What changes are about.
#[derive(Default)]
pub(super) struct Wanted {
    looks_at_messages: bool,
    conversations: HashSet<ConversationId>,
    /// Those that the viewer left.
    left: HashSet<ConversationId>,
    memberships: HashSet<MembershipId>,
    marks: HashSet<(ConversationId, UserId)>,
    requests: HashSet<FriendRequestId>,
    friendships: HashSet<FriendshipId>,
    pairs: HashSet<Pair>,
    profiles: HashSet<UserId>,
    people: HashSet<UserId>,
}

impl Wanted {
    /// Nothing yet; messages are looked at as well, or taken as they are.
    pub(super) fn new(looks_at_messages: bool) -> Self {
        Self {
            looks_at_messages,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, viewer: UserId, news: &News) {
        match *news {
            News::MemberJoined {
                conversation,
                membership,
                ..
            }
            | News::MemberChanged {
                conversation,
                membership,
                ..
            } => {
                self.conversations.insert(conversation);
                self.memberships.insert(membership);
            }
            News::MemberLeft {
                conversation, user, ..
            } => {
                self.conversations.insert(conversation);
                if user == viewer {
                    self.left.insert(conversation);
                }
            }
            News::ConversationUpdated { conversation, .. } => {
                self.conversations.insert(conversation);
            }
            News::ReadMarkMoved {
                conversation, user, ..
            } => {
                self.conversations.insert(conversation);
                self.marks.insert((conversation, user));
                self.people.insert(user);
            }
            News::ProfileUpdated { user } => {
                self.people.insert(user);
                self.profiles.insert(user);
                if user != viewer {
                    self.pairs.insert(Pair::new(viewer, user));
                }
            }
            News::FriendRequestChanged { request, .. } => {
                self.requests.insert(request);
            }
            News::FriendshipBegan { pair, friendship } => {
                self.pairs.insert(pair);
                self.friendships.insert(friendship);
                self.people.insert(pair.other(viewer));
            }
            News::FriendshipEnded { pair, .. } => {
                self.pairs.insert(pair);
            }
            News::BlockChanged { blocked, .. } => {
                self.people.insert(blocked);
            }
            News::MessageSent(ref message) => {
                if self.looks_at_messages {
                    self.conversations.insert(message.conversation);
                }
            }
            News::ConversationDeleted { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => {}
        }
    }
}

/// All that changes are about, as the viewer finds it now.
#[derive(Default)]
pub(super) struct Found {
    looks_at_messages: bool,
    places: HashMap<ConversationId, Place>,
    last_leavings: HashMap<ConversationId, Position>,
    /// Those that the viewer left, came back to and was in when they were deleted.
    deleted_since: HashSet<ConversationId>,
    last_profiles: HashMap<UserId, Position>,
    memberships: HashMap<MembershipId, Membership>,
    marks: HashMap<(ConversationId, UserId), Membership>,
    requests: HashMap<FriendRequestId, FriendRequest>,
    friendships: HashMap<FriendshipId, Friendship>,
    directs: HashMap<Pair, ConversationId>,
    friends: HashSet<UserId>,
    people: HashMap<UserId, Arc<User>>,
}

/// One change is at most two things to one person.
pub(super) type Parts = [Option<Happening>; 2];

fn only(what: Option<Happening>) -> Parts {
    [what, None]
}

impl Found {
    /// A conversation that the viewer is in.
    fn joined(&self, conversation: ConversationId) -> Option<&Place> {
        let place = self.places.get(&conversation)?;
        place.membership.is_some().then_some(place)
    }

    fn updated(&self, conversation: ConversationId) -> Option<Happening> {
        let place = self.joined(conversation)?;
        Some(Happening::ConversationUpdated(place.conversation.clone()))
    }

    fn member(&self, conversation: ConversationId, id: MembershipId) -> Option<Membership> {
        self.joined(conversation)?;
        self.memberships.get(&id).cloned()
    }

    /// What a change is to the viewer.
    pub(super) fn admit(&self, viewer: UserId, change: &Change) -> Parts {
        match &change.news {
            News::MessageSent(message) => {
                let is_told =
                    !self.looks_at_messages || self.joined(message.conversation).is_some();
                only(is_told.then(|| Happening::MessageSent(Arc::clone(message))))
            }
            News::MemberJoined {
                conversation,
                user,
                membership,
                ..
            } => only(if *user == viewer {
                self.added(*conversation, *membership)
            } else {
                self.member(*conversation, *membership)
                    .map(Happening::MemberChanged)
            }),
            News::MemberLeft {
                conversation,
                user,
                membership,
                reason,
                ..
            } => only(if *user == viewer {
                self.removed(*conversation, change.position, *reason)
            } else {
                let place = self.joined(*conversation);
                place.map(|at| Happening::MemberRemoved(at.conversation.clone(), *membership))
            }),
            News::MemberChanged {
                conversation,
                user,
                membership,
                ..
            } => {
                let member = self.member(*conversation, *membership);
                // What one may do in it changed with one's role, not with that of an earlier membership.
                let own = member.as_ref().filter(|_| *user == viewer);
                let updated = own.and_then(|_| self.updated(*conversation));
                [member.map(Happening::MemberChanged), updated]
            }
            News::ConversationUpdated { conversation, .. } => only(self.updated(*conversation)),
            News::ConversationDeleted { conversation } => {
                only(Some(Happening::ConversationRemoved {
                    conversation: *conversation,
                    reason: Removal::Deleted,
                    channel: None,
                }))
            }
            News::ReadMarkMoved {
                conversation, user, ..
            } => only(self.mark(*conversation, *user, change.position)),
            News::ProfileUpdated { user } => only(self.profile(viewer, *user, change.position)),
            News::FriendRequestChanged { .. }
            | News::FriendshipBegan { .. }
            | News::FriendshipEnded { .. }
            | News::BlockChanged { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => self.admit_of_people(viewer, change),
        }
    }

    fn admit_of_people(&self, viewer: UserId, change: &Change) -> Parts {
        match &change.news {
            News::FriendRequestChanged { request, .. } => {
                let request = self.requests.get(request).cloned();
                only(request.map(Happening::FriendRequestChanged))
            }
            News::FriendshipBegan { pair, friendship } => {
                let began = self.friendships.get(friendship).cloned();
                let friend = self.people.get(&pair.other(viewer)).cloned();
                let added = began.zip(friend);
                [
                    added.map(|(began, friend)| Happening::FriendAdded(began, friend)),
                    self.direct(*pair, change.position),
                ]
            }
            News::FriendshipEnded { pair, friendship } => [
                Some(Happening::FriendRemoved(*friendship, pair.other(viewer))),
                self.direct(*pair, change.position),
            ],
            News::BlockChanged { blocked, .. } => only(
                self.people
                    .get(blocked)
                    .cloned()
                    .map(Happening::BlockChanged),
            ),
            News::MessageSent(_)
            | News::MemberJoined { .. }
            | News::MemberLeft { .. }
            | News::MemberChanged { .. }
            | News::ConversationUpdated { .. }
            | News::ConversationDeleted { .. }
            | News::ReadMarkMoved { .. }
            | News::ProfileUpdated { .. }
            | News::AccountClosed { .. }
            | News::SessionEnded { .. } => only(None),
        }
    }

    /// One's own joining, while that membership lasts.
    fn added(&self, conversation: ConversationId, id: MembershipId) -> Option<Happening> {
        let place = self.joined(conversation)?;
        let lasts = place.membership.as_ref().is_some_and(|own| own.id == id);
        lasts.then(|| Happening::ConversationAdded(place.conversation.clone()))
    }

    /// One's own leaving, unless it is not the last.
    fn removed(
        &self,
        conversation: ConversationId,
        position: Position,
        reason: RemovalReason,
    ) -> Option<Happening> {
        let last = self.last_leavings.get(&conversation);
        let is_last = last.is_none_or(|last| *last <= position);
        if !is_last || self.deleted_since.contains(&conversation) {
            return None;
        }
        let place = self.places.get(&conversation);
        let channel = place.map(|place| &place.conversation);
        let channel = channel.filter(|at| at.kind == ConversationKind::Channel);
        Some(Happening::ConversationRemoved {
            conversation,
            reason: Removal::Membership(reason),
            channel: channel.cloned(),
        })
    }

    /// A read mark, unless it has moved on: then that is told.
    fn mark(
        &self,
        conversation: ConversationId,
        user: UserId,
        position: Position,
    ) -> Option<Happening> {
        self.joined(conversation)?;
        self.people.get(&user)?;
        let mark = self.marks.get(&(conversation, user))?;
        let is_newest = mark.read_position <= position;
        is_newest.then(|| Happening::ReadStatusChanged(mark.clone()))
    }

    /// How somebody is shown, unless that changed again: then the later change is told.
    fn profile(&self, viewer: UserId, user: UserId, position: Position) -> Option<Happening> {
        let person = self.people.get(&user)?;
        let last = self.last_profiles.get(&user);
        if last.is_some_and(|last| *last > position) {
            return None;
        }
        let is_peer = || self.directs.contains_key(&Pair::new(viewer, user));
        let may_hear = user == viewer || self.friends.contains(&user) || is_peer();
        may_hear.then(|| Happening::UserUpdated(Arc::clone(person)))
    }

    /// The direct conversation of two: what one may do in it hangs on their friendship. One that was opened since is told
    /// of when it appears. Both positions are of one shard: that of the two.
    fn direct(&self, pair: Pair, position: Position) -> Option<Happening> {
        let id = *self.directs.get(&pair)?;
        let own = self.joined(id)?.membership.as_ref()?;
        (own.joined_position < position)
            .then(|| self.updated(id))
            .flatten()
    }
}
