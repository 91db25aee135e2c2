//! Who is there: friends see each other.

use std::collections::HashMap;

use super::{Chat, Error, Viewer, input::each_once};
use crate::{
    live::PresenceFeed,
    model::{Timestamp, UserId, friend::sees_presence},
};

impl Chat {
    /// Whether a device of somebody is connected, or was just now.
    pub fn is_present(&self, user: UserId) -> bool {
        self.hub.is_present(user)
    }

    /// When these people were last connected; nothing for those who never were.
    pub async fn last_seen(&self, people: &[UserId]) -> Result<HashMap<UserId, Timestamp>, Error> {
        Ok(self.store.find_last_seen(people).await?)
    }

    /// Who of these people is there, those whom the viewer may not see left out.
    pub async fn follow_presence(
        &self,
        viewer: Viewer,
        user_ids: &[String],
    ) -> Result<PresenceFeed, Error> {
        let max = self.limits.presence_users_max;
        if user_ids.len() > max {
            let message = format!("`userIds` must have at most {max} items");
            return Err(Error::BadInput(message));
        }
        let named: Vec<UserId> = each_once(user_ids);
        // It watches first and reads afterwards, so that nothing falls between the two.
        let mut feed = self.hub.watch_presence(viewer.user, &named);
        let friends = self
            .store
            .friends_among(viewer.user, named.iter().copied())
            .await?;
        let seen = |of: &UserId| sees_presence(viewer.user, *of, friends.contains(of));
        feed.admit(&named.into_iter().filter(seen).collect());
        Ok(feed)
    }
}
