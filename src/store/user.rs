//! People.

use entity::user::{ActiveModel, Column, Entity, Model};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Alias, Asterisk, OnConflict, Query, SimpleExpr, UnionType},
};

use super::{Error, ROWS_PER_STATEMENT, Store, Transaction, begins_with};
use crate::model::{Id, Page, PageRequest, Timestamp, User, UserId, text, user::UserKey};

pub(super) fn from_row(row: Model) -> User {
    User {
        id: UserId::from_uuid(row.id),
        handle: row.handle,
        display_name: row.display_name,
        avatar_url: row.avatar_url,
        created_at: Timestamp::from_millis(row.created_at),
        password_hash: row.password_hash,
        last_seen_at: row.last_seen_at.map(Timestamp::from_millis),
    }
}

fn to_row(user: &User) -> ActiveModel {
    ActiveModel {
        id: Set(user.id.uuid()),
        handle: Set(user.handle.clone()),
        display_name: Set(user.display_name.clone()),
        search_name: Set(text::folded(&user.display_name)),
        avatar_url: Set(user.avatar_url.clone()),
        password_hash: Set(user.password_hash.clone()),
        created_at: Set(user.created_at.millis()),
        last_seen_at: Set(user.last_seen_at.map(Timestamp::millis)),
        closed_at: Set(None),
    }
}

/// Whether somebody still has their account.
pub(super) fn is_here() -> SimpleExpr {
    Column::ClosedAt.is_null()
}

impl Store {
    /// The person with this identifier.
    pub async fn find_user(&self, id: UserId) -> Result<Option<User>, Error> {
        Ok(self.find_users(&[id]).await?.pop())
    }

    /// The people with these identifiers, in no order.
    pub async fn find_users(&self, ids: &[UserId]) -> Result<Vec<User>, Error> {
        let rows = Entity::find()
            .filter(Column::Id.is_in(ids.iter().map(|id| id.uuid())))
            .filter(is_here())
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// The person with this handle.
    pub async fn find_user_by_handle(&self, handle: &str) -> Result<Option<User>, Error> {
        Ok(Entity::find()
            .filter(Column::Handle.eq(handle))
            .filter(is_here())
            .one(&self.db)
            .await?
            .map(from_row))
    }

    /// People whose handle or display name begins with `search`, by handle.
    pub async fn search_users(
        &self,
        search: &str,
        request: &PageRequest<UserKey>,
    ) -> Result<Page<User>, Error> {
        let folded = text::folded(search);
        let items = u64::from(request.items) + 1;
        // Each half is read from an index alone, and only as many rows are fetched as are shown.
        let first = |column: Column, is_here: SimpleExpr| {
            let mut handles = Query::select()
                .column(Column::Handle)
                .from(Entity)
                .cond_where(begins_with(column, &folded))
                .and_where(is_here)
                .order_by(Column::Handle, Order::Asc)
                .limit(items)
                .to_owned();
            if let Some(UserKey(after)) = &request.after {
                handles.and_where(Column::Handle.gt(after));
            }
            Query::select()
                .column(Asterisk)
                .from_subquery(handles, Alias::new("found"))
                .to_owned()
        };
        // The names of closed accounts are empty; their handles are not.
        let mut handles = first(Column::Handle, is_here());
        handles.union(
            UnionType::Distinct,
            first(Column::SearchName, Column::SearchName.ne("")),
        );
        let select = Entity::find()
            .filter(Column::Handle.in_subquery(handles))
            .filter(is_here())
            .order_by_asc(Column::Handle)
            .limit(items);
        let rows = select.all(&self.db).await?;
        Ok(Page::from_rows(
            rows.into_iter().map(from_row).collect(),
            request,
        ))
    }

    /// Whether anybody has an account.
    pub async fn has_users(&self) -> Result<bool, Error> {
        Ok(Entity::find().one(&self.db).await?.is_some())
    }
}

impl Transaction {
    /// The people with these identifiers or handles.
    pub async fn find_users(&self, ids: &[UserId], handles: &[String]) -> Result<Vec<User>, Error> {
        // A half that names nobody is left out: with it the whole would be no look-up in any index.
        let mut named = Condition::any();
        if !ids.is_empty() {
            named = named.add(Column::Id.is_in(ids.iter().map(|id| id.uuid())));
        }
        if !handles.is_empty() {
            named = named.add(Column::Handle.is_in(handles));
        }
        let rows = Entity::find()
            .filter(named)
            .filter(is_here())
            .all(&self.db)
            .await?;
        Ok(rows.into_iter().map(from_row).collect())
    }

    /// Writes people, new ones or changed.
    pub fn put_users(&mut self, users: &[&User]) {
        let changed = [
            Column::DisplayName,
            Column::SearchName,
            Column::AvatarUrl,
            Column::PasswordHash,
            Column::LastSeenAt,
        ];
        for rows in users.chunks(ROWS_PER_STATEMENT) {
            let on_conflict = OnConflict::column(Column::Id)
                .update_columns(changed)
                .to_owned();
            let rows = rows.iter().map(|user| to_row(user));
            self.add(&Entity::insert_many(rows).on_conflict(on_conflict));
        }
    }
}
