//! One read of the log for a group of people who missed much the same.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::{HashMap, HashSet};

use super::{Hub, Item, followers::Follower, rows::Rows};
use crate::{
    fault::Point,
    model::{
        Change, ConversationId, Id, News, Position, Reach, Span, UserId, change::MARKS_TOLD_MAX,
    },
    store::{Error, Moved, Run, Store},
};

/// Conversations that moved, looked for at once; when there are more each person's own are.
const MOVED_MAX: Position = 2_000;

/// So few people, if they were away for long, are in fewer conversations than moved.
const FEW_PEOPLE: usize = 4;

/// What somebody wants to hear who is behind.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Who.
    pub(super) user: UserId,
    /// What lies between their place and where the hub has taken over.
    pub(super) span: Span,
    /// How many positions to read at once.
    pub(super) width: Position,
}

/// What somebody missed.
#[derive(Debug)]
pub(super) struct Window {
    /// By position.
    pub(super) items: Vec<Arc<Item>>,
    /// That is all up to here.
    pub(super) until: Position,
    /// How many positions the next read should cover.
    pub(super) width: Position,
}

/// The read.
pub(super) struct JointRead<'a> {
    store: &'a Store,
    hub: &'a Hub,
    group: &'a [Wanted],
    span: Span,
}

impl<'a> JointRead<'a> {
    /// A read for a group whose places in one shard lie near each other, the first the farthest back; up to `end`.
    pub(super) fn new(store: &'a Store, hub: &'a Hub, group: &'a [Wanted], end: Position) -> Self {
        let spans = || group.iter().map(|wanted| wanted.span);
        let latest = spans().map(|span| span.until).max().unwrap_or(end);
        let after = spans().map(|span| span.after).min().unwrap_or(end);
        let span = Span {
            shard: spans().next().map_or(0, |span| span.shard),
            after,
            until: latest.min(end),
        };
        Self {
            store,
            hub,
            group,
            span,
        }
    }

    fn rows_max(&self) -> u64 {
        u64::from(self.hub.limits.catch_up_rows)
    }

    /// What each of the group missed; nothing for those of whom it is not known what they follow.
    pub(super) async fn windows(&self) -> Result<Vec<Option<Window>>, Error> {
        let moved = self.find_moved().await?;
        self.hub.faults.reach(Point::BetweenReads).await?;
        // Of one that is deleted only that is told.
        let there = moved
            .iter()
            .filter(|moved| moved.deleted_position.is_none());
        let ids: HashSet<_> = there.map(|moved| moved.conversation).collect();
        let of = |wanted: &Wanted| self.hub.audience().followed(wanted.user, &ids);
        let followed: Vec<_> = self.group.iter().map(of).collect();
        let rows = self.read_rows(&followed, &moved).await?;
        let window = |(wanted, followed): (&Wanted, Option<HashMap<_, _>>)| {
            self.window(wanted, &followed?, &rows)
        };
        Ok(self.group.iter().zip(followed).map(window).collect())
    }

    async fn find_moved(&self) -> Result<Vec<Moved>, Error> {
        let people: HashSet<_> = self.group.iter().map(|wanted| wanted.user).collect();
        let head = self.hub.audience().head(self.span.shard);
        let by_person = people.len() <= FEW_PEOPLE && head - self.span.after > MOVED_MAX;
        let all = if by_person {
            None
        } else {
            let most = MOVED_MAX.unsigned_abs();
            self.store.find_moved(self.span.after, most).await?
        };
        let mut moved = if let Some(all) = all {
            all
        } else {
            let people: Vec<_> = people.into_iter().collect();
            let mut theirs = self.store.find_moved_of(&people, self.span.after).await?;
            theirs.sort_unstable_by_key(|moved| moved.conversation);
            theirs.dedup_by_key(|moved| moved.conversation);
            theirs
        };
        let shards = self.store.shards();
        moved.retain(|moved| moved.conversation.shard(shards) == self.span.shard);
        Ok(moved)
    }

    async fn read_rows(
        &self,
        followed: &[Option<HashMap<ConversationId, Follower>>],
        moved: &[Moved],
    ) -> Result<Rows, Error> {
        let span = self.span;
        let mut after: BTreeMap<ConversationId, Position> = BTreeMap::new();
        for (wanted, followed) in self.group.iter().zip(followed) {
            for (conversation, follower) in followed.iter().flatten() {
                let from = follower.since.max(wanted.span.after);
                let known = after.entry(*conversation).or_insert(from);
                *known = from.min(*known);
            }
        }
        let runs: Vec<_> = after
            .into_iter()
            .map(|(conversation, after)| Run {
                conversation,
                after,
            })
            .collect();
        // Positions are dense: so few of them have no more rows than that, wherever they lie.
        let each = if span.until - span.after <= Position::from(self.hub.limits.catch_up_rows) {
            self.rows_max()
        } else {
            (self.rows_max() / (runs.len() as u64).max(1)).max(1)
        } + 1;
        let messages = self.store.messages_since(&runs, span.until, each).await?;
        self.hub.faults.reach(Point::BetweenReads).await?;
        let changes = self.store.changes_since(&runs, span.until, each).await?;
        let mut rows = Rows::new(span.until);
        for (run, (messages, changes)) in runs.iter().zip(messages.into_iter().zip(changes)) {
            let messages = messages.into_iter().map(|message| Change {
                shard: span.shard,
                position: message.position,
                at: message.sent_at,
                news: News::MessageSent(Arc::new(message)),
            });
            rows.add(run.conversation, messages.collect(), each);
            rows.add(run.conversation, changes, each);
        }
        self.add_marks(&mut rows, &runs, moved).await?;
        self.add_deleted(&mut rows, moved).await?;
        let people: HashSet<_> = self.group.iter().map(|wanted| wanted.user).collect();
        let people: Vec<_> = people.into_iter().collect();
        let most = self.rows_max();
        let (about, until) = self.store.changes_about(&people, span, most).await?;
        rows.add_about(about, until);
        let (profiles, until) = self.read_profiles(&people).await?;
        rows.add_profiles(profiles, until);
        Ok(rows)
    }

    /// Whose profiles changed: of few positions everybody's, of many those that the group follows.
    async fn read_profiles(&self, people: &[UserId]) -> Result<(Vec<Change>, Position), Error> {
        let most = self.rows_max();
        if self.span.until - self.span.after <= Position::from(self.hub.limits.catch_up_rows) {
            return self.store.profiles_since(self.span, None, most + 1).await;
        }
        let mut followed: HashSet<_> = people.iter().copied().collect();
        for user in people {
            followed.extend(self.hub.audience().profiles_of(*user));
        }
        let followed: Vec<_> = followed.into_iter().collect();
        let followed = Some(followed.as_slice());
        self.store.profiles_since(self.span, followed, most).await
    }

    /// Read marks have no rows of their own: the newest is in the membership.
    async fn add_marks(&self, rows: &mut Rows, runs: &[Run], moved: &[Moved]) -> Result<(), Error> {
        let span = self.span;
        let few = |moved: &&Moved| moved.member_count <= MARKS_TOLD_MAX;
        let few: HashSet<_> = moved
            .iter()
            .filter(few)
            .map(|moved| moved.conversation)
            .collect();
        let (small, large): (Vec<_>, Vec<_>) = runs
            .iter()
            .map(|run| run.conversation)
            .partition(|id| few.contains(id));
        let people: Vec<_> = self.group.iter().map(|wanted| wanted.user).collect();
        for (conversations, people, reach) in [
            (small, None, Reach::Everyone),
            (large, Some(people.as_slice()), Reach::Few),
        ] {
            for mark in self.store.marks_since(&conversations, people, span).await? {
                let news = News::ReadMarkMoved {
                    conversation: mark.conversation,
                    user: mark.user,
                    reach,
                };
                rows.add_mark(Change {
                    shard: span.shard,
                    position: mark.read_position,
                    at: mark.read_at,
                    news,
                });
            }
        }
        Ok(())
    }

    /// Who was a member of a conversation when it was deleted is one still, of something that is nowhere.
    async fn add_deleted(&self, rows: &mut Rows, moved: &[Moved]) -> Result<(), Error> {
        let span = self.span;
        let within = |at: &Position| (span.after + 1..=span.until).contains(at);
        let deleted: Vec<_> = moved
            .iter()
            .filter(|moved| moved.deleted_position.is_some_and(|at| within(&at)))
            .map(|moved| moved.conversation)
            .collect();
        if deleted.is_empty() {
            return Ok(());
        }
        let people: Vec<_> = self.group.iter().map(|wanted| wanted.user).collect();
        let runs: Vec<_> = moved
            .iter()
            .filter_map(|moved| Some((moved.conversation, moved.deleted_position?)))
            .filter(|(_, at)| within(at))
            .map(|(conversation, at)| Run {
                conversation,
                after: at - 1,
            })
            .collect();
        let members = self.store.find_members_among(&deleted, &people).await?;
        let changes = self.store.changes_since(&runs, span.until, 1).await?;
        for change in changes.into_iter().flatten() {
            let conversation = change.news.conversation();
            let item = Arc::new(Item::new(change));
            for member in members
                .iter()
                .filter(|at| Some(at.conversation) == conversation)
            {
                rows.deleted
                    .entry(member.user)
                    .or_default()
                    .push(Arc::clone(&item));
            }
        }
        Ok(())
    }

    /// What one of the group missed; nothing when it is not known any more what they follow.
    fn window(
        &self,
        wanted: &Wanted,
        followed: &HashMap<ConversationId, Follower>,
        rows: &Rows,
    ) -> Option<Window> {
        let (user, span) = (wanted.user, wanted.span);
        let mut found: BTreeMap<Position, &Arc<Item>> = BTreeMap::new();
        for (conversation, follower) in followed {
            for item in rows.conversations.get(conversation).into_iter().flatten() {
                if follower.hears(user, &item.change) {
                    found.insert(item.change.position, item);
                }
            }
        }
        let about = rows.about.get(&user).into_iter().flatten();
        let deleted = rows.deleted.get(&user).into_iter().flatten();
        for item in about.chain(deleted) {
            found.insert(item.change.position, item);
        }
        let audience = self.hub.audience();
        for (of, item) in &rows.profiles {
            if *of == user || audience.follows_profile(user, *of)? {
                found.insert(item.change.position, item);
            }
        }
        drop(audience);
        let mut until = rows.until.min(span.until).max(span.after);
        let (mut items, mut bytes) = (Vec::new(), 0);
        let wanted_ones = found
            .into_iter()
            .filter(|(position, _)| *position > span.after && *position <= until);
        for (position, item) in wanted_ones {
            items.push(Arc::clone(item));
            bytes += item.bytes();
            if bytes > self.hub.limits.tail_bytes_max {
                until = position;
                break;
            }
        }
        let rows_max = Position::from(self.hub.limits.catch_up_rows);
        let is_few = (items.len() as u64) < self.rows_max() / 4;
        let width = if until < span.until.min(self.span.until) {
            // Cut short: there is much in it.
            rows_max
        } else if is_few && until == span.after.saturating_add(wanted.width) {
            wanted.width.saturating_mul(2)
        } else {
            wanted.width
        };
        Some(Window {
            items,
            until,
            width,
        })
    }
}
