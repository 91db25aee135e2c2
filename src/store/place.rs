//! Conversations as somebody finds them: with their membership, and what else decides what they may do.

use std::collections::HashMap;

use entity::{ban, conversation, membership};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, ExprTrait, JoinType, QueryFilter, QuerySelect,
    sea_query::IntoCondition,
};

use super::{
    Error, Store, conversation::from_row, membership::from_row as membership_from_row,
    memory::Moment,
};
use crate::model::{
    Conversation, ConversationId, ConversationKind, Id, Membership, Pair, Place, Standing, UserId,
};

impl Store {
    /// A conversation as `user` finds it, whether or not they may see it; nothing when it is not there.
    pub async fn find_place(
        &self,
        user: UserId,
        id: ConversationId,
    ) -> Result<Option<Place>, Error> {
        Ok(self.find_places(user, &[id]).await?.pop())
    }

    /// The same, if it is in memory and nothing else decides.
    pub fn known_place(&self, user: UserId, id: ConversationId) -> Option<Place> {
        let (conversation, membership) = self.memory.place(id, user).ok()?;
        let is_between_two = conversation.pair.is_some();
        (!is_between_two).then(|| place(conversation, Some(membership), false, false))
    }

    /// The same for many. A conversation and the membership are of one moment; a ban and a friendship, where they count,
    /// are read after it: what is shown was allowed then or later.
    pub async fn find_places(
        &self,
        user: UserId,
        ids: &[ConversationId],
    ) -> Result<Vec<Place>, Error> {
        let mut places = Vec::with_capacity(ids.len());
        let mut unknown = HashMap::new();
        for id in ids {
            match self.memory.place(*id, user) {
                // What lies between two people is kept nowhere.
                Ok((conversation, membership)) if conversation.pair.is_none() => {
                    places.push(place(conversation, Some(membership), false, false));
                }
                Ok(_) => drop(unknown.insert(*id, None)),
                Err(moment) => drop(unknown.insert(*id, Some(moment))),
            }
        }
        if !unknown.is_empty() {
            // In a box, as in all that is rarely read: whoever may read has room for it.
            places.extend(Box::pin(self.read_places(user, &unknown)).await?);
        }
        Ok(places)
    }

    async fn read_places(
        &self,
        user: UserId,
        unknown: &HashMap<ConversationId, Option<Moment>>,
    ) -> Result<Vec<Place>, Error> {
        let rows = conversation::Entity::find()
            .filter(conversation::Column::Id.is_in(unknown.keys().map(|id| id.uuid())))
            .filter(conversation::Column::DeletedPosition.is_null())
            .join(JoinType::LeftJoin, current_membership_of(user))
            .select_also(membership::Entity)
            .all(&self.db)
            .await?;
        let mut found: Vec<(Conversation, Option<Membership>)> = Vec::with_capacity(rows.len());
        for (row, membership) in rows {
            let membership = membership.as_ref().map(membership_from_row).transpose()?;
            found.push((from_row(row)?, membership));
        }
        let outside: Vec<_> = found
            .iter()
            .filter(|(at, membership)| membership.is_none() && at.kind == ConversationKind::Channel)
            .map(|(at, _)| at.id)
            .collect();
        let banned = self.bans_of(user, &outside).await?;
        let pairs: Vec<Pair> = found
            .iter()
            .filter(|(_, membership)| membership.is_some())
            .filter_map(|(at, _)| at.pair)
            .collect();
        let friends = self
            .friends_among(user, pairs.iter().map(|pair| pair.other(user)))
            .await?;
        let stand = |(conversation, membership): (Conversation, Option<Membership>)| {
            if let (Some(Some(moment)), Some(membership)) =
                (unknown.get(&conversation.id), &membership)
            {
                self.memory.keep_place(*moment, &conversation, membership);
            }
            let is_banned = banned.contains(&conversation.id);
            let are_friends = conversation
                .pair
                .is_some_and(|pair| friends.contains(&pair.other(user)));
            place(conversation, membership, is_banned, are_friends)
        };
        Ok(found.into_iter().map(stand).collect())
    }

    /// From which of these conversations somebody is banned.
    async fn bans_of(
        &self,
        user: UserId,
        ids: &[ConversationId],
    ) -> Result<Vec<ConversationId>, Error> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows = ban::Entity::find()
            .filter(ban::Column::UserId.eq(user.uuid()))
            .filter(ban::Column::ConversationId.is_in(ids.iter().map(|id| id.uuid())))
            .all(&self.db)
            .await?;
        let id = |row: &ban::Model| ConversationId::from_uuid(row.conversation_id);
        Ok(rows.iter().map(id).collect())
    }
}

fn place(
    conversation: Conversation,
    membership: Option<Membership>,
    is_banned: bool,
    are_friends: bool,
) -> Place {
    let standing = Standing::new(&conversation, membership.as_ref(), is_banned, are_friends);
    Place {
        conversation,
        membership,
        standing,
    }
}

/// From a conversation to the one membership that somebody may have in it now.
fn current_membership_of(user: UserId) -> sea_orm::RelationDef {
    let relation: sea_orm::RelationDef = conversation::Entity::belongs_to(membership::Entity)
        .from(conversation::Column::Id)
        .to(membership::Column::ConversationId)
        .into();
    relation.on_condition(move |_, _| {
        let theirs = membership::Column::UserId.eq(user.uuid());
        Condition::all()
            .add(theirs.and(membership::Column::LeftPosition.is_null()))
            .into_condition()
    })
}
