//! Changes that have no other row to carry their position.

use entity::change::{ActiveModel, Entity, Model};
use sea_orm::{ActiveValue::Set, EntityTrait, prelude::Uuid};

use super::{
    Error, ROWS_PER_STATEMENT, Transaction,
    membership::{role, role_text},
};
use crate::model::{
    Change, ConversationId, Id, MembershipId, News, Pair, Reach, RemovalReason, Timestamp, UserId,
};

/// What a change is about, in its row's columns.
#[derive(Default)]
struct About {
    kind: &'static str,
    conversation: Option<ConversationId>,
    user: Option<UserId>,
    other: Option<UserId>,
    subject: Option<Uuid>,
    detail: Option<&'static str>,
    is_narrow: bool,
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
            ..Self::default()
        }
    }

    fn detailed(self, detail: &'static str, reach: Reach) -> Self {
        Self {
            detail: Some(detail),
            is_narrow: reach == Reach::Few,
            ..self
        }
    }

    fn conversation(kind: &'static str, conversation: ConversationId) -> Self {
        Self {
            kind,
            conversation: Some(conversation),
            ..Self::default()
        }
    }

    fn user(kind: &'static str, user: UserId) -> Self {
        Self {
            kind,
            user: Some(user),
            ..Self::default()
        }
    }

    fn two(kind: &'static str, user: UserId, other: UserId, subject: Uuid) -> Self {
        Self {
            kind,
            user: Some(user),
            other: Some(other),
            subject: Some(subject),
            ..Self::default()
        }
    }
}

fn leaving_text(reason: RemovalReason, reads_on: bool) -> &'static str {
    match (reason, reads_on) {
        (RemovalReason::Left, true) => "LEFT READS ON",
        (RemovalReason::Left, false) => "LEFT",
        (RemovalReason::Removed, true) => "REMOVED READS ON",
        (RemovalReason::Removed, false) => "REMOVED",
        (RemovalReason::Banned, _) => "BANNED",
    }
}

fn leaving(text: &str) -> Result<(RemovalReason, bool), Error> {
    Ok(match text {
        "LEFT READS ON" => (RemovalReason::Left, true),
        "LEFT" => (RemovalReason::Left, false),
        "REMOVED READS ON" => (RemovalReason::Removed, true),
        "REMOVED" => (RemovalReason::Removed, false),
        "BANNED" => (RemovalReason::Banned, false),
        _ => return Err(Error::Corrupt("leaving")),
    })
}

/// The row of a change; none for a message and a read mark, whose own rows carry the position.
fn about(news: &News) -> Option<About> {
    Some(match *news {
        News::MessageSent(_) | News::ReadMarkMoved { .. } => return None,
        News::MemberJoined {
            conversation,
            user,
            membership,
            role,
            reach,
        } => About::member("MEMBER_JOINED", conversation, user, membership)
            .detailed(role_text(role), reach),
        News::MemberLeft {
            conversation,
            user,
            membership,
            reason,
            reads_on,
            reach,
        } => About::member("MEMBER_LEFT", conversation, user, membership)
            .detailed(leaving_text(reason, reads_on), reach),
        News::MemberChanged {
            conversation,
            user,
            membership,
            role,
            reach,
        } => About::member("MEMBER_CHANGED", conversation, user, membership)
            .detailed(role_text(role), reach),
        News::ConversationUpdated {
            conversation,
            reach,
        } => About {
            is_narrow: reach == Reach::Few,
            ..About::conversation("CONVERSATION_UPDATED", conversation)
        },
        News::ConversationDeleted { conversation } => {
            About::conversation("CONVERSATION_DELETED", conversation)
        }
        News::ProfileUpdated { user } => About::user("PROFILE_UPDATED", user),
        News::AccountClosed { user } => About::user("ACCOUNT_CLOSED", user),
        News::SessionEnded { user, session } => About {
            subject: Some(session.uuid()),
            ..About::user("SESSION_ENDED", user)
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
        detail: Set(about.detail.map(str::to_owned)),
        is_narrow: Set(about.is_narrow),
    })
}

fn there<I: Id>(id: Option<Uuid>) -> Result<I, Error> {
    id.map(I::from_uuid).ok_or(Error::Corrupt("change"))
}

fn news(row: &Model) -> Result<News, Error> {
    let reach = if row.is_narrow {
        Reach::Few
    } else {
        Reach::Everyone
    };
    let detail = row.detail.as_deref();
    Ok(match row.kind.as_str() {
        "MEMBER_JOINED" => News::MemberJoined {
            conversation: there(row.conversation_id)?,
            user: there(row.user_id)?,
            membership: there(row.subject_id)?,
            role: role(detail.unwrap_or("MEMBER"))?,
            reach,
        },
        "MEMBER_LEFT" => {
            let (reason, reads_on) = leaving(detail.unwrap_or_default())?;
            News::MemberLeft {
                conversation: there(row.conversation_id)?,
                user: there(row.user_id)?,
                membership: there(row.subject_id)?,
                reason,
                reads_on,
                reach,
            }
        }
        "MEMBER_CHANGED" => News::MemberChanged {
            conversation: there(row.conversation_id)?,
            user: there(row.user_id)?,
            membership: there(row.subject_id)?,
            role: role(detail.unwrap_or("MEMBER"))?,
            reach,
        },
        "CONVERSATION_UPDATED" => News::ConversationUpdated {
            conversation: there(row.conversation_id)?,
            reach,
        },
        "CONVERSATION_DELETED" => News::ConversationDeleted {
            conversation: there(row.conversation_id)?,
        },
        _ => news_of_people(row)?,
    })
}

fn news_of_people(row: &Model) -> Result<News, Error> {
    let user: UserId = there(row.user_id)?;
    let pair = || Ok::<_, Error>(Pair::new(user, there(row.other_user_id)?));
    Ok(match row.kind.as_str() {
        "PROFILE_UPDATED" => News::ProfileUpdated { user },
        "ACCOUNT_CLOSED" => News::AccountClosed { user },
        "SESSION_ENDED" => News::SessionEnded {
            user,
            session: there(row.subject_id)?,
        },
        "FRIEND_REQUEST_CHANGED" => News::FriendRequestChanged {
            pair: pair()?,
            request: there(row.subject_id)?,
        },
        "FRIENDSHIP_BEGAN" => News::FriendshipBegan {
            pair: pair()?,
            friendship: there(row.subject_id)?,
        },
        "FRIENDSHIP_ENDED" => News::FriendshipEnded {
            pair: pair()?,
            friendship: there(row.subject_id)?,
        },
        "BLOCK_CHANGED" => News::BlockChanged {
            blocker: user,
            blocked: there(row.other_user_id)?,
            block: there(row.subject_id)?,
        },
        _ => return Err(Error::Corrupt("kind of change")),
    })
}

pub(super) fn from_row(row: &Model) -> Result<Change, Error> {
    Ok(Change {
        shard: u16::try_from(row.shard).map_err(|_| Error::Corrupt("shard"))?,
        position: row.position,
        at: Timestamp::from_millis(row.at),
        news: news(row)?,
    })
}

impl Transaction {
    /// Stores those changes that no other row tells.
    pub fn insert_changes(&mut self, changes: &[Change]) {
        let rows: Vec<_> = changes.iter().filter_map(to_row).collect();
        for rows in rows.chunks(ROWS_PER_STATEMENT) {
            self.add(&Entity::insert_many(rows.iter().cloned()));
        }
    }
}
