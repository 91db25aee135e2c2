//! Signed-in devices.

use std::collections::{HashMap, HashSet};

use entity::{
    session::{ActiveModel, Column, Entity, Model},
    user,
};
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    prelude::Uuid,
    sea_query::{OnConflict, SimpleExpr},
};

use super::{Error, ROWS_PER_STATEMENT, Store, Transaction, memory::Moment};
use crate::model::{Id, Session, SessionId, Timestamp, TokenHash, UserId};

fn from_row(row: Model) -> Result<Session, Error> {
    let token_hash = row
        .token_hash
        .try_into()
        .map_err(|_| Error::Corrupt("token hash"))?;
    Ok(Session {
        id: SessionId::from_uuid(row.id),
        user: UserId::from_uuid(row.user_id),
        token_hash: TokenHash(token_hash),
        device_name: row.device_name,
        created_at: Timestamp::from_millis(row.created_at),
        last_used_at: Timestamp::from_millis(row.last_used_at),
    })
}

fn to_row(session: &Session) -> ActiveModel {
    ActiveModel {
        id: Set(session.id.uuid()),
        user_id: Set(session.user.uuid()),
        token_hash: Set(session.token_hash.0.to_vec()),
        device_name: Set(session.device_name.clone()),
        created_at: Set(session.created_at.millis()),
        last_used_at: Set(session.last_used_at.millis()),
    }
}

impl Store {
    /// Which of these sessions are there still.
    pub async fn sessions_among(&self, ids: &[SessionId]) -> Result<HashSet<SessionId>, Error> {
        let mut there = HashSet::new();
        for ids in ids.chunks(ROWS_PER_STATEMENT) {
            let found: Vec<Uuid> = Entity::find()
                .select_only()
                .column(Column::Id)
                .filter(Column::Id.is_in(ids.iter().map(|id| id.uuid())))
                .into_tuple()
                .all(&self.db)
                .await?;
            there.extend(found.into_iter().map(SessionId::from_uuid));
        }
        Ok(there)
    }

    /// The session with this secret.
    pub async fn find_session_by_token(&self, token: TokenHash) -> Result<Option<Session>, Error> {
        let moment = match self.memory.session_by_token(token) {
            Ok(session) => return Ok(Some(session)),
            Err(moment) => moment,
        };
        let which = Column::TokenHash.eq(token.0.to_vec());
        Box::pin(self.read_session(moment, which)).await
    }

    /// The session with this identifier.
    pub async fn find_session(&self, id: SessionId) -> Result<Option<Session>, Error> {
        let moment = match self.memory.session(id) {
            Ok(session) => return Ok(Some(session)),
            Err(moment) => moment,
        };
        Box::pin(self.read_session(moment, Column::Id.eq(id.uuid()))).await
    }

    async fn read_session(
        &self,
        moment: Moment,
        which: SimpleExpr,
    ) -> Result<Option<Session>, Error> {
        let row = Entity::find().filter(which).one(&self.db).await?;
        let session = row.map(from_row).transpose()?;
        if let Some(session) = &session {
            self.memory.keep_session(moment, session);
        }
        Ok(session)
    }

    /// A person's sessions, the one used last first.
    pub async fn list_sessions(&self, user: UserId) -> Result<Vec<Session>, Error> {
        let rows = Entity::find()
            .filter(Column::UserId.eq(user.uuid()))
            .order_by_desc(Column::LastUsedAt)
            .order_by_desc(Column::Id)
            .all(&self.db)
            .await?;
        rows.into_iter().map(from_row).collect()
    }
}

impl Store {
    /// When these people last used a session, whether or not it is there still.
    pub async fn find_last_seen(
        &self,
        people: &[UserId],
    ) -> Result<HashMap<UserId, Timestamp>, Error> {
        let ids: Vec<_> = people.iter().map(|id| id.uuid()).collect();
        let ended: Vec<(Uuid, Option<i64>)> = user::Entity::find()
            .select_only()
            .columns([user::Column::Id, user::Column::LastSeenAt])
            .filter(user::Column::Id.is_in(ids.iter().copied()))
            .into_tuple()
            .all(&self.db)
            .await?;
        let living: Vec<(Uuid, Option<i64>)> = Entity::find()
            .select_only()
            .column(Column::UserId)
            .column_as(Column::LastUsedAt.max(), "last_used_at")
            .filter(Column::UserId.is_in(ids))
            .group_by(Column::UserId)
            .into_tuple()
            .all(&self.db)
            .await?;
        let mut seen = HashMap::new();
        for (user, at) in ended.into_iter().chain(living) {
            if let Some(at) = at.map(Timestamp::from_millis) {
                let newest = seen.entry(UserId::from_uuid(user)).or_insert(at);
                *newest = at.max(*newest);
            }
        }
        Ok(seen)
    }
}

impl Transaction {
    /// All sessions of these people.
    pub async fn find_sessions_of(&self, users: &[UserId]) -> Result<Vec<Session>, Error> {
        let rows = Entity::find()
            .filter(Column::UserId.is_in(users.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        rows.into_iter().map(from_row).collect()
    }

    /// Writes sessions, new ones or used again.
    pub fn put_sessions(&mut self, sessions: &[&Session]) {
        let changed = sessions.iter().copied().cloned();
        self.changed.sessions.extend(changed);
        for rows in sessions.chunks(ROWS_PER_STATEMENT) {
            let on_conflict = OnConflict::column(Column::Id)
                .update_column(Column::LastUsedAt)
                .to_owned();
            let rows = rows.iter().map(|session| to_row(session));
            self.add(&Entity::insert_many(rows).on_conflict(on_conflict));
        }
    }

    /// Takes ended sessions away.
    pub fn delete_sessions(&mut self, ids: &[SessionId]) {
        self.changed.ended_sessions.extend(ids);
        for ids in ids.chunks(ROWS_PER_STATEMENT) {
            self.add(
                &Entity::delete_many().filter(Column::Id.is_in(ids.iter().map(|id| id.uuid()))),
            );
        }
    }
}
