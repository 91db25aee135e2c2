//! Changes that have no other row to carry their position.

use entity::change::{ActiveModel, Entity};
use sea_orm::{ActiveValue::Set, EntityTrait, prelude::Uuid};

use super::{Error, ROWS_PER_STATEMENT, Transaction};
use crate::model::{Change, ConversationId, Id, MembershipId, News, UserId};

/// What a change is about, in its row's columns.
#[derive(Default)]
struct About {
    kind: &'static str,
    conversation: Option<ConversationId>,
    user: Option<UserId>,
    other: Option<UserId>,
    subject: Option<Uuid>,
}

impl About {
    fn member(
        kind: &'static str,
        conversation: ConversationId,
        user: UserId,
        membership: MembershipId,
    ) -> Self {
        Self {
            kind,
            conversation: Some(conversation),
            user: Some(user),
            subject: Some(membership.uuid()),
            other: None,
        }
    }

    fn conversation(kind: &'static str, conversation: ConversationId) -> Self {
        Self {
            kind,
            conversation: Some(conversation),
            ..Self::default()
        }
    }

    fn two(kind: &'static str, user: UserId, other: UserId, subject: Uuid) -> Self {
        Self {
            kind,
            user: Some(user),
            other: Some(other),
            subject: Some(subject),
            conversation: None,
        }
    }
}

/// The row of a change; none for a message and a read mark, whose own rows carry the position.
fn about(news: &News) -> Option<About> {
    Some(match *news {
        News::MessageSent(_) | News::ReadMarkMoved { .. } => return None,
        News::MemberJoined {
            conversation,
            user,
            membership,
        } => About::member("MEMBER_JOINED", conversation, user, membership),
        News::MemberLeft {
            conversation,
            user,
            membership,
            ..
        } => About::member("MEMBER_LEFT", conversation, user, membership),
        News::MemberChanged {
            conversation,
            user,
            membership,
        } => About::member("MEMBER_CHANGED", conversation, user, membership),
        News::ConversationUpdated { conversation } => {
            About::conversation("CONVERSATION_UPDATED", conversation)
        }
        News::ConversationDeleted { conversation } => {
            About::conversation("CONVERSATION_DELETED", conversation)
        }
        News::ProfileUpdated { user } => About {
            kind: "PROFILE_UPDATED",
            user: Some(user),
            ..About::default()
        },
        News::AccountClosed { user } => About {
            kind: "ACCOUNT_CLOSED",
            user: Some(user),
            ..About::default()
        },
        News::SessionEnded { user, session } => About {
            kind: "SESSION_ENDED",
            user: Some(user),
            subject: Some(session.uuid()),
            ..About::default()
        },
        News::FriendRequestChanged { pair, request } => About::two(
            "FRIEND_REQUEST_CHANGED",
            pair.low,
            pair.high,
            request.uuid(),
        ),
        News::FriendshipBegan { pair, friendship } => {
            About::two("FRIENDSHIP_BEGAN", pair.low, pair.high, friendship.uuid())
        }
        News::FriendshipEnded { pair, friendship } => {
            About::two("FRIENDSHIP_ENDED", pair.low, pair.high, friendship.uuid())
        }
        News::BlockChanged {
            blocker,
            blocked,
            block,
        } => About::two("BLOCK_CHANGED", blocker, blocked, block.uuid()),
    })
}

fn to_row(change: &Change) -> Option<ActiveModel> {
    let about = about(&change.news)?;
    Some(ActiveModel {
        shard: Set(i32::from(change.shard)),
        position: Set(change.position),
        at: Set(change.at.millis()),
        kind: Set(about.kind.to_owned()),
        conversation_id: Set(about.conversation.map(Id::uuid)),
        user_id: Set(about.user.map(Id::uuid)),
        other_user_id: Set(about.other.map(Id::uuid)),
        subject_id: Set(about.subject),
    })
}

impl Transaction {
    /// Stores those changes that no other row tells.
    pub async fn insert_changes(&self, changes: &[Change]) -> Result<(), Error> {
        let rows: Vec<_> = changes.iter().filter_map(to_row).collect();
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            Entity::insert_many(rows.iter().cloned())
                .exec_without_returning(&self.tx)
                .await?;
        }
        Ok(())
    }
}
