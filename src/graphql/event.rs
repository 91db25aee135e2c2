//! What can happen to the viewer: one type for each sort.

use std::sync::Arc;

use async_graphql::{Context, Enum, ID, Interface, Object};

use super::{
    conversation::{Conversation, ConversationEdge},
    error::Fault,
    friend::FriendshipEdge,
    friend_request::FriendRequest,
    loader,
    membership::{Membership, MembershipEdge},
    message::MessageEdge,
    plain::AtOnce,
    scalar::DateTime,
    user::User,
};
use crate::{
    chat::{self, Happening, Removal},
    model::{self, ConversationId, FriendshipId, MembershipId, RemovalReason as Ended, UserId},
};

/// Why a conversation left the viewer's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum RemovalReason {
    /// The viewer was removed and banned.
    Banned,
    /// The conversation was deleted.
    Deleted,
    /// The viewer left.
    Left,
    /// The viewer was removed.
    Removed,
}

impl From<Removal> for RemovalReason {
    fn from(removal: Removal) -> Self {
        match removal {
            Removal::Deleted => Self::Deleted,
            Removal::Membership(Ended::Left) => Self::Left,
            Removal::Membership(Ended::Removed) => Self::Removed,
            Removal::Membership(Ended::Banned) => Self::Banned,
        }
    }
}

/// Something that happened and was stored. Objects in it are as they are when it is delivered, never older than what happened.
#[derive(Interface)]
#[graphql(
    field(
        name = "id",
        ty = "ID",
        desc = "Identifier of the event; the same when it is delivered again."
    ),
    field(name = "occurred_at", ty = "DateTime", desc = "When it happened.")
)]
pub(super) enum Event {
    BlockChanged(BlockChangedEvent),
    ConversationAdded(ConversationAddedEvent),
    ConversationRemoved(ConversationRemovedEvent),
    ConversationUpdated(ConversationUpdatedEvent),
    FriendAdded(FriendAddedEvent),
    FriendRemoved(FriendRemovedEvent),
    FriendRequestChanged(FriendRequestChangedEvent),
    MemberChanged(MemberChangedEvent),
    MemberRemoved(MemberRemovedEvent),
    MessageSent(MessageSentEvent),
    ReadStatusChanged(ReadStatusChangedEvent),
    UserUpdated(UserUpdatedEvent),
}

/// What every event has.
struct Head {
    id: model::EventId,
    at: model::Timestamp,
}

impl Head {
    fn id(&self) -> ID {
        self.id.to_string().into()
    }
}

impl From<chat::Event> for Event {
    fn from(event: chat::Event) -> Self {
        let head = Head {
            id: event.id,
            at: event.at,
        };
        match event.what {
            Happening::MessageSent(message) => {
                Self::MessageSent(MessageSentEvent { head, message })
            }
            Happening::ConversationAdded(conversation) => {
                Self::ConversationAdded(ConversationAddedEvent { head, conversation })
            }
            Happening::ConversationUpdated(conversation) => {
                Self::ConversationUpdated(ConversationUpdatedEvent { head, conversation })
            }
            Happening::ConversationRemoved {
                conversation,
                reason,
                channel,
            } => Self::ConversationRemoved(ConversationRemovedEvent {
                head,
                conversation,
                reason,
                channel,
            }),
            Happening::MemberChanged(membership) => {
                Self::MemberChanged(MemberChangedEvent { head, membership })
            }
            Happening::MemberRemoved(conversation, membership) => {
                Self::MemberRemoved(MemberRemovedEvent {
                    head,
                    conversation,
                    membership,
                })
            }
            Happening::ReadStatusChanged(membership) => {
                Self::ReadStatusChanged(ReadStatusChangedEvent { head, membership })
            }
            Happening::UserUpdated(user) => Self::UserUpdated(UserUpdatedEvent { head, user }),
            Happening::FriendRequestChanged(request) => {
                Self::FriendRequestChanged(FriendRequestChangedEvent { head, request })
            }
            Happening::FriendAdded(friendship, friend) => Self::FriendAdded(FriendAddedEvent {
                head,
                friendship,
                friend,
            }),
            Happening::FriendRemoved(friendship, former) => {
                Self::FriendRemoved(FriendRemovedEvent {
                    head,
                    friendship,
                    former,
                })
            }
            Happening::BlockChanged(user) => Self::BlockChanged(BlockChangedEvent { head, user }),
        }
    }
}

macro_rules! event {
    ($doc:literal $name:ident { $($field:ident: $ty:ty),* $(,)? } $($resolvers:tt)*) => {
        #[doc = $doc]
        pub(super) struct $name {
            head: Head,
            $($field: $ty),*
        }

        #[doc = $doc]
        #[Object]
        impl $name {
            /// Identifier of the event; the same when it is delivered again.
            async fn id(&self) -> ID {
                self.head.id()
            }

            /// When it happened.
            async fn occurred_at(&self) -> DateTime {
                self.head.at.into()
            }

            $($resolvers)*
        }
    };
}

event! {
    "The viewer blocked or unblocked a user, on this or another device."
    BlockChangedEvent { user: Arc<model::User> }

    /// The user, with the relationship after the change.
    async fn user(&self) -> User {
        User(Arc::clone(&self.user))
    }
}

event! {
    "A conversation appeared in the viewer's list: made, opened, joined or added to."
    ConversationAddedEvent { conversation: model::Conversation }

    /// The conversation, ready for a list.
    async fn conversation_edge(&self) -> ConversationEdge {
        self.conversation.clone().into()
    }
}

event! {
    "The viewer is no longer a member, or the conversation is gone. Nothing more comes from it."
    ConversationRemovedEvent {
        conversation: ConversationId,
        reason: Removal,
        channel: Option<model::Conversation>,
    }

    /// The channel as the viewer sees it now, since it can still be read; null when it is gone and for a group.
    async fn channel(&self) -> Option<Conversation> {
        self.channel.clone().map(Conversation)
    }

    /// Identifier of the conversation.
    async fn conversation_id(&self) -> ID {
        self.conversation.to_string().into()
    }

    /// Why.
    async fn reason(&self) -> RemovalReason {
        self.reason.into()
    }
}

event! {
    "Title, topic, policies or archive of a conversation changed, or what the viewer may do in it (`viewerCan`), by whatever cause."
    ConversationUpdatedEvent { conversation: model::Conversation }

    /// The conversation after the change.
    async fn conversation(&self) -> Conversation {
        Conversation(self.conversation.clone())
    }
}

event! {
    "A friendship began."
    FriendAddedEvent { friendship: model::Friendship, friend: Arc<model::User> }

    /// The friendship, ready for a list.
    async fn friendship_edge(&self) -> FriendshipEdge {
        FriendshipEdge::new(self.friendship.clone(), &self.friend)
    }
}

event! {
    "A friendship ended."
    FriendRemovedEvent { friendship: FriendshipId, former: UserId }

    /// The former friend; null when the account is gone.
    async fn former_friend(&self, ctx: &Context<'_>) -> Result<Option<User>, Fault> {
        Ok(loader::user(ctx, self.former).await?.map(User))
    }

    /// Identifier of the friendship.
    async fn friendship_id(&self) -> ID {
        self.friendship.to_string().into()
    }
}

event! {
    "A friend request of the viewer was made, answered or withdrawn."
    FriendRequestChangedEvent { request: model::FriendRequest }

    /// The request after the change.
    async fn friend_request(&self) -> FriendRequest {
        FriendRequest(self.request.clone())
    }
}

event! {
    "Somebody else joined, or anybody's role changed."
    MemberChangedEvent { membership: model::Membership }

    /// The membership after the change.
    async fn membership_edge(&self) -> MembershipEdge {
        self.membership.clone().into()
    }
}

event! {
    "Another member left or was removed."
    MemberRemovedEvent { conversation: model::Conversation, membership: MembershipId }

    /// The conversation after the change.
    async fn conversation(&self) -> Conversation {
        Conversation(self.conversation.clone())
    }

    /// Identifier of the membership that ended.
    async fn membership_id(&self) -> ID {
        self.membership.to_string().into()
    }
}

event! {
    "A message was sent in one of the viewer's conversations, by anybody."
    MessageSentEvent { message: Arc<model::Message> }

    /// The message, ready for a list.
    async fn message_edge(&self) -> AtOnce<MessageEdge> {
        AtOnce(Arc::clone(&self.message).into())
    }

    /// The sender's membership, whose `readSeq` moved with the sending; no other event tells that. Null when they have left since.
    async fn sender_membership(&self, ctx: &Context<'_>) -> Result<Option<Membership>, Fault> {
        let sender = self.message.sender;
        if loader::user(ctx, sender).await?.is_none() {
            return Ok(None);
        }
        let membership = loader::membership(ctx, self.message.conversation, sender).await?;
        // Nothing of what was said later: the viewer may be there no longer.
        Ok(membership.map(|membership| {
            Membership(model::Membership {
                read_seq: membership.read_seq.min(self.message.seq),
                ..membership
            })
        }))
    }
}

event! {
    "How far a member has read changed by `markRead` or `markUnread`: the viewer themself, on any device, always; others in conversations of up to 100 members. In larger ones `Message.readBy` answers when asked."
    ReadStatusChangedEvent { membership: model::Membership }

    /// The membership after the change.
    async fn membership(&self) -> Membership {
        Membership(self.membership.clone())
    }
}

event! {
    "The viewer, a friend of theirs, or the other person of a direct conversation changed their profile; after a break only the newest state is told."
    UserUpdatedEvent { user: Arc<model::User> }

    /// The user after the change.
    async fn user(&self) -> User {
        User(Arc::clone(&self.user))
    }
}
