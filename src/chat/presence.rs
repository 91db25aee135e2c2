//! Who is there: friends see each other.

use std::collections::{HashMap, HashSet};

use super::{Chat, Error, Viewer};
use crate::{
    live::PresenceFeed,
    model::{Timestamp, UserId},
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
        let named: HashSet<UserId> = user_ids.iter().flat_map(|id| id.parse()).collect();
        let named: Vec<_> = named.into_iter().collect();
        // It watches first and reads afterwards, so that nothing falls between the two.
        let feed = self.hub.watch_presence(viewer.user, &named);
        let mut seen = self.store.friends_among(viewer.user, named).await?;
        seen.insert(viewer.user);
        feed.admit(&seen);
        Ok(feed)
    }
}
