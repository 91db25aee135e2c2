//! Friends: who they are, and ending it.

use std::collections::HashMap;

use super::{Chat, Error, Reason, Rejection, Viewer, input::id, user::account_is_gone};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Friendship, FriendshipId, Page, PageRequest, Pair, Relationship, User, UserId,
        page::PageArguments, user::UserKey,
    },
};

impl Chat {
    /// Ends a friendship.
    pub async fn remove_friend(
        &self,
        viewer: Viewer,
        user_id: &str,
    ) -> Result<(FriendshipId, UserId), Error> {
        let pair = pair_with(viewer, user_id)?;
        let ended = self.log.write(RemovingFriend { pair }).await?;
        Ok((ended, pair.other(viewer.user)))
    }

    /// All that lies between the viewer and these people, without what they hold against the viewer.
    pub async fn relationships(
        &self,
        viewer: Viewer,
        people: &[UserId],
    ) -> Result<HashMap<UserId, Relationship>, Error> {
        Ok(self.store.find_relationships(viewer.user, people).await?)
    }

    /// A friendship of the viewer.
    pub async fn friendship(
        &self,
        viewer: Viewer,
        id: FriendshipId,
    ) -> Result<Option<Friendship>, Error> {
        let found = self.store.find_friendships(&[id]).await?.pop();
        let theirs = found.filter(|found| [found.pair.low, found.pair.high].contains(&viewer.user));
        let Some(found) = theirs else { return Ok(None) };
        let friend = self.users_by_id(&[found.pair.other(viewer.user)]).await?;
        Ok((!friend.is_empty()).then_some(found))
    }

    /// The viewer's friends, by handle.
    pub async fn friends(
        &self,
        viewer: Viewer,
        page: &PageArguments,
    ) -> Result<Page<(Friendship, User)>, Error> {
        let request: PageRequest<UserKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self.store.list_friendships(viewer.user, &request).await?)
    }

    /// How many friends the viewer has.
    pub async fn friend_count(&self, viewer: Viewer) -> Result<u64, Error> {
        Ok(self.store.count_friendships(viewer.user).await?)
    }

    /// Friends whom the viewer and somebody else have in common, by handle.
    pub async fn mutual_friends(
        &self,
        viewer: Viewer,
        user: UserId,
        page: &PageArguments,
    ) -> Result<Option<Page<User>>, Error> {
        let request: PageRequest<UserKey> = PageRequest::parse(page, &self.limits)?;
        if user == viewer.user {
            return Ok(None);
        }
        let pair = Pair::new(viewer.user, user);
        Ok(Some(self.store.list_mutual_friends(pair, &request).await?))
    }
}

/// The other of two people, if both have an account.
pub(super) fn other_of(batch: &Batch, viewer: UserId, pair: Pair) -> Result<UserId, Rejection> {
    batch.user(viewer).ok_or_else(account_is_gone)?;
    let other = pair.other(viewer);
    let is_there = batch.user(other).map(|_| other);
    is_there.ok_or_else(|| Rejection::at("userId", Reason::NotFound, "there is no such user"))
}

pub(super) fn pair_with(viewer: Viewer, user_id: &str) -> Result<Pair, Rejection> {
    let user: UserId = id("userId", user_id)?;
    if user == viewer.user {
        return Err(Rejection::at(
            "userId",
            Reason::InvalidInput,
            "`userId` must name somebody else",
        ));
    }
    Ok(Pair::new(viewer.user, user))
}

struct RemovingFriend {
    pair: Pair,
}

impl Write for RemovingFriend {
    type Outcome = FriendshipId;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.pair.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.pair(self.pair);
    }

    fn decide(&self, batch: &mut Batch) -> Result<FriendshipId, Rejection> {
        let friendship = batch.between(self.pair).friendship.as_ref();
        let ended = friendship
            .ok_or_else(|| Rejection::at("userId", Reason::NotFound, "there is no such friend"))?
            .id;
        batch.end_friendship(self.pair);
        Ok(ended)
    }
}
