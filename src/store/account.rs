//! Accounts that are closed, and what is left of them.

use entity::{
    block, closing_account, conversation, friend_request, friendship, membership,
    user::{Column, Entity},
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, JoinType, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Error, Store, Transaction,
    membership::{of_user, role_text},
    user::is_here,
};
use crate::model::{ConversationId, Id, Role, Timestamp, UserId};

/// Remains that are read at once.
const REMAINS: u64 = 100;

/// What ties a person to others.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Conversations that they are in, and whether they own it.
    pub conversations: Vec<(ConversationId, bool)>,
    /// People with whom there is a friendship, a pending request or a block.
    pub people: Vec<UserId>,
}

impl Store {
    /// Closed accounts of which something is left.
    pub async fn find_closing_accounts(&self) -> Result<Vec<UserId>, Error> {
        let rows = closing_account::Entity::find().all(&self.db).await?;
        let user = |row: &closing_account::Model| UserId::from_uuid(row.user_id);
        Ok(rows.iter().map(user).collect())
    }

    /// Some of what is left of somebody; nothing when nothing is.
    pub async fn find_remains(&self, user: UserId) -> Result<Remains, Error> {
        let id = user.uuid();
        let of_conversation = membership::Entity::belongs_to(conversation::Entity)
            .from(membership::Column::ConversationId)
            .to(conversation::Column::Id);
        let memberships = membership::Entity::find()
            .filter(membership::Column::UserId.eq(id))
            .filter(membership::Column::LeftPosition.is_null())
            .filter(conversation::Column::DeletedPosition.is_null())
            .join(JoinType::InnerJoin, of_conversation.into())
            .limit(REMAINS)
            .all(&self.db)
            .await?;
        let friendships = friendship::Entity::find()
            .filter(friendship::Column::UserId.eq(id))
            .limit(REMAINS)
            .all(&self.db)
            .await?;
        let asked = Condition::any()
            .add(friend_request::Column::SenderId.eq(id))
            .add(friend_request::Column::RecipientId.eq(id));
        let requests = friend_request::Entity::find()
            .filter(asked)
            .filter(friend_request::Column::Status.eq("PENDING"))
            .limit(REMAINS)
            .all(&self.db)
            .await?;
        let either = Condition::any()
            .add(block::Column::BlockerId.eq(id))
            .add(block::Column::BlockedId.eq(id));
        let blocks = block::Entity::find()
            .filter(either)
            .limit(REMAINS)
            .all(&self.db)
            .await?;
        let other = |one, two| UserId::from_uuid(if one == id { two } else { one });
        let mut people: Vec<_> = friendships
            .iter()
            .map(|row| UserId::from_uuid(row.friend_id))
            .chain(
                requests
                    .iter()
                    .map(|row| other(row.sender_id, row.recipient_id)),
            )
            .chain(
                blocks
                    .iter()
                    .map(|row| other(row.blocker_id, row.blocked_id)),
            )
            .collect();
        people.sort_unstable();
        people.dedup();
        let conversation = |row: &membership::Model| {
            let owns = row.role == role_text(Role::Owner);
            (ConversationId::from_uuid(row.conversation_id), owns)
        };
        Ok(Remains {
            conversations: memberships.iter().map(conversation).collect(),
            people,
        })
    }

    /// Who is next to own a conversation: the oldest admin, else the oldest member, else the oldest whose account is
    /// closed too; nobody when nobody else is there.
    pub async fn find_heir(
        &self,
        conversation: ConversationId,
        owner: UserId,
    ) -> Result<Option<UserId>, Error> {
        let others = membership::Entity::find()
            .filter(membership::Column::ConversationId.eq(conversation.uuid()))
            .filter(membership::Column::LeftPosition.is_null())
            .filter(membership::Column::UserId.ne(owner.uuid()))
            .order_by_asc(membership::Column::JoinedPosition);
        let here = |role| {
            others
                .clone()
                .filter(membership::Column::Role.eq(role_text(role)))
                .filter(is_here())
                .join(JoinType::InnerJoin, of_user())
        };
        for heirs in [here(Role::Admin), here(Role::Member), others.clone()] {
            if let Some(row) = heirs.one(&self.db).await? {
                return Ok(Some(UserId::from_uuid(row.user_id)));
            }
        }
        Ok(None)
    }
}

impl Transaction {
    /// Closes accounts: names and passwords go, and what is left of them is written down to be ended.
    pub fn close_accounts(&mut self, users: &[UserId], at: Timestamp) {
        for user in users {
            self.add(
                &Entity::update_many()
                    // No handle that anybody could want: this one is free again.
                    .col_expr(Column::Handle, Expr::value(format!("closed {user}")))
                    .col_expr(Column::DisplayName, Expr::value(""))
                    .col_expr(Column::SearchName, Expr::value(""))
                    .col_expr(Column::AvatarUrl, Expr::value(None::<String>))
                    .col_expr(Column::PasswordHash, Expr::value(""))
                    .col_expr(Column::ClosedAt, Expr::value(at.millis()))
                    .filter(Column::Id.eq(user.uuid())),
            );
            let row = closing_account::ActiveModel {
                user_id: Set(user.uuid()),
            };
            let once = OnConflict::column(closing_account::Column::UserId)
                .do_nothing()
                .to_owned();
            self.add(&closing_account::Entity::insert(row).on_conflict(once));
        }
    }

    /// Says that nothing is left of an account.
    pub fn forget_closing_account(&mut self, user: UserId) {
        self.add(&closing_account::Entity::delete_by_id(user.uuid()));
    }
}
