//! Changes that have no other row to carry their position.

use entity::change::{ActiveModel, Entity};
use sea_orm::{ActiveValue::Set, EntityTrait};

use super::{Error, ROWS_PER_STATEMENT, Transaction};
use crate::model::{Change, Id, News};

/// The row of a change; none for a message and a read mark, whose own rows carry the position.
fn to_row(change: &Change) -> Option<ActiveModel> {
    let (kind, conversation, user, subject) = match &change.news {
        News::MessageSent(_) | News::ReadMarkMoved { .. } => return None,
        News::MemberJoined {
            conversation,
            user,
            membership,
        } => (
            "MEMBER_JOINED",
            Some(*conversation),
            Some(*user),
            Some(membership.uuid()),
        ),
        News::MemberLeft {
            conversation,
            user,
            membership,
            ..
        } => (
            "MEMBER_LEFT",
            Some(*conversation),
            Some(*user),
            Some(membership.uuid()),
        ),
        News::MemberChanged {
            conversation,
            user,
            membership,
        } => (
            "MEMBER_CHANGED",
            Some(*conversation),
            Some(*user),
            Some(membership.uuid()),
        ),
        News::ConversationUpdated { conversation } => {
            ("CONVERSATION_UPDATED", Some(*conversation), None, None)
        }
        News::ConversationDeleted { conversation } => {
            ("CONVERSATION_DELETED", Some(*conversation), None, None)
        }
        News::ProfileUpdated { user } => ("PROFILE_UPDATED", None, Some(*user), None),
        News::SessionEnded { user, session } => {
            ("SESSION_ENDED", None, Some(*user), Some(session.uuid()))
        }
    };
    Some(ActiveModel {
        shard: Set(i32::from(change.shard)),
        position: Set(change.position),
        at: Set(change.at.millis()),
        kind: Set(kind.to_owned()),
        conversation_id: Set(conversation.map(Id::uuid)),
        user_id: Set(user.map(Id::uuid)),
        subject_id: Set(subject),
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
