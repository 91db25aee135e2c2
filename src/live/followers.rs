//! Who follows what.

use foldhash::HashMap;

use crate::model::{Change, ConversationId, News, Position, Reach, Role, UserId};

/// Something that is followed by many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Topic {
    Conversation(ConversationId),
    /// How somebody is shown. Who may hear it is asked when it is told; this says only who might.
    Profile(UserId),
}

/// How somebody follows a topic.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follower {
    /// Position of their joining.
    pub(super) since: Position,
    pub(super) role: Role,
}

impl Follower {
    /// Whether a change in the conversation is told to this member.
    pub(super) fn hears(&self, user: UserId, change: &Change) -> bool {
        change.position > self.since && is_told(self.role, user, &change.news)
    }
}

fn is_told(role: Role, user: UserId, news: &News) -> bool {
    if news.reach() == Reach::Everyone || news.concerns().0 == Some(user) {
        return true;
    }
    let is_mark = matches!(news, News::ReadMarkMoved { .. });
    !is_mark && role >= Role::Admin
}

/// Of every topic those who follow it.
#[derive(Default)]
pub(super) struct Followers(HashMap<Topic, HashMap<UserId, Follower>>);

impl Followers {
    /// Somebody follows it, at the latest since then.
    pub(super) fn add(&mut self, topic: Topic, user: UserId, follower: Follower) {
        let known = self.0.entry(topic).or_default();
        let known = known.entry(user).or_insert(follower);
        if known.since < follower.since {
            *known = follower;
        }
    }

    pub(super) fn remove(&mut self, topic: Topic, user: UserId) {
        if let Some(followers) = self.0.get_mut(&topic) {
            followers.remove(&user);
            if followers.is_empty() {
                self.0.remove(&topic);
            }
        }
    }

    /// Nobody follows it any more; who did.
    pub(super) fn end(&mut self, topic: Topic) -> Vec<UserId> {
        let followers = self.0.remove(&topic).unwrap_or_default();
        followers.into_keys().collect()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    pub(super) fn of(&self, topic: Topic) -> impl Iterator<Item = (UserId, Follower)> {
        let followers = self.0.get(&topic).into_iter().flatten();
        followers.map(|(user, follower)| (*user, *follower))
    }

    pub(super) fn get(&self, topic: Topic, user: UserId) -> Option<Follower> {
        self.0.get(&topic)?.get(&user).copied()
    }

    /// Somebody's role is another from a position on, unless that is of an earlier membership.
    pub(super) fn change_role(&mut self, topic: Topic, user: UserId, role: Role, at: Position) {
        let followers = self.0.get_mut(&topic);
        if let Some(known) = followers.and_then(|followers| followers.get_mut(&user))
            && known.since < at
        {
            known.role = role;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Id, MembershipId, Timestamp};

    fn id<I: Id>(n: u128) -> I {
        I::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn change(position: Position, news: News) -> Change {
        Change {
            shard: 0,
            position,
            at: Timestamp::from_millis(0),
            news,
        }
    }

    fn follower(since: Position, role: Role) -> Follower {
        Follower { since, role }
    }

    #[test]
    fn in_a_crowd_only_admins_and_those_concerned_are_told_who_comes() {
        let joined = |reach| {
            let news = News::MemberJoined {
                conversation: id(1),
                user: id(7),
                membership: id::<MembershipId>(2),
                role: Role::Member,
                reach,
            };
            change(10, news)
        };
        for (role, who, reach, told) in [
            (Role::Member, 8, Reach::Everyone, true),
            (Role::Member, 8, Reach::Few, false),
            (Role::Admin, 8, Reach::Few, true),
            (Role::Owner, 8, Reach::Few, true),
            (Role::Member, 7, Reach::Few, true),
        ] {
            let hears = follower(3, role).hears(id(who), &joined(reach));
            assert_eq!(hears, told, "{role:?} {who} {reach:?}");
        }
        let before = follower(10, Role::Owner).hears(id(8), &joined(Reach::Everyone));
        assert!(!before, "nothing from before one's own joining");
    }

    #[test]
    fn in_a_crowd_a_read_mark_is_its_reader_s_alone() {
        let news = News::ReadMarkMoved {
            conversation: id(1),
            user: id(7),
            reach: Reach::Few,
        };
        let moved = change(10, news);
        assert!(!follower(3, Role::Owner).hears(id(8), &moved));
        assert!(follower(3, Role::Member).hears(id(7), &moved));
    }

    #[test]
    fn a_role_of_an_earlier_membership_does_not_touch_a_later_one() {
        let (topic, user) = (Topic::Conversation(id(1)), id(7));
        let mut followers = Followers::default();
        followers.add(topic, user, follower(12, Role::Member));
        followers.change_role(topic, user, Role::Admin, 7);
        followers.add(topic, user, follower(4, Role::Owner));
        let known = followers.get(topic, user).expect("a follower");
        assert_eq!((known.since, known.role), (12, Role::Member));
        followers.change_role(topic, user, Role::Admin, 13);
        assert_eq!(
            followers.get(topic, user).map(|known| known.role),
            Some(Role::Admin)
        );
        followers.remove(topic, user);
        assert_eq!(followers.of(topic).count(), 0);
    }
}
