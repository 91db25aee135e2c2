//! Conversations: making, changing, listing.

use sha2::{Digest, Sha256};

use super::{
    Chat, Error, Patch, Reason, Rejection, Viewer,
    input::{Checks, id, ids, no_such_item, not_a_friend},
    place::{allowed, seen},
    user::account_is_gone,
};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Action, Conversation, ConversationId, ConversationKind, Id, Membership, MembershipId, Page,
        PageRequest, Pair, Policy, Role, Timestamp, UserId,
        conversation::{ConversationFilter, ConversationKey},
        page::PageArguments,
        text,
    },
};

/// What somebody gives to make a conversation.
#[derive(Debug)]
pub struct CreateConversation {
    /// What sort.
    pub kind: ConversationKind,
    /// Title.
    pub title: String,
    /// What it is about.
    pub topic: Option<String>,
    /// Who is in it from the start, besides the one who makes it.
    pub member_ids: Vec<String>,
    /// By which a second call finds the first one's result.
    pub idempotency_key: Option<String>,
}

/// What somebody changes of a conversation.
#[derive(Debug)]
pub struct UpdateConversation {
    /// Which.
    pub conversation_id: String,
    /// Title.
    pub title: Patch<String>,
    /// What it is about.
    pub topic: Patch<String>,
    /// Who may send.
    pub posting_policy: Patch<Policy>,
    /// Who may add members.
    pub invite_policy: Patch<Policy>,
}

impl Chat {
    /// Makes a group or channel with the viewer as its owner.
    pub async fn create_conversation(
        &self,
        viewer: Viewer,
        input: CreateConversation,
    ) -> Result<Conversation, Error> {
        let mut checks = Checks::default();
        let title = checks.value("title", text::title(&input.title));
        let topic = checks.optional("topic", input.topic.as_deref(), text::topic);
        let key = checks.optional(
            "idempotencyKey",
            input.idempotency_key.as_deref(),
            text::idempotency_key,
        );
        let added_max = self.limits.members_added_max;
        if input.member_ids.len() > added_max {
            checks.reject(
                "memberIds",
                format!("`memberIds` must have at most {added_max} items"),
            );
        }
        if input.kind != ConversationKind::Group && !input.member_ids.is_empty() {
            let message = "`memberIds` must be empty: channels are joined, not added to";
            checks.reject("memberIds", message.to_owned());
        }
        let title = checks.done(title)?;
        let people: Vec<UserId> = ids("memberIds", &input.member_ids)?;
        // With a key the shard follows from it, so that a second call meets the first one's result there.
        let last_byte = key.as_ref().map_or_else(
            || self.random.bytes::<1>()[0],
            |key| byte_of(viewer.user, key),
        );
        let members = people
            .into_iter()
            .map(|user| (user, self.new_id(last_byte)))
            .collect();
        let write = CreatingConversation {
            id: self.new_id(last_byte),
            kind: input.kind,
            creator: (viewer.user, self.new_id(last_byte)),
            members,
            title,
            topic,
            key,
        };
        Ok(self.log.write(write).await?)
    }

    /// Changes title, topic or policies.
    pub async fn update_conversation(
        &self,
        viewer: Viewer,
        input: UpdateConversation,
    ) -> Result<Conversation, Error> {
        let mut checks = Checks::default();
        let title = checks.patch("title", input.title.as_deref(), text::title);
        let topic = checks.nullable_patch("topic", input.topic.as_deref(), text::topic);
        let mut policy = |field, patch| match patch {
            Patch::Keep => None,
            Patch::Set(policy) => Some(policy),
            Patch::Clear => {
                checks.reject(
                    field,
                    format!("`{field}` cannot be null; leave it out to keep it"),
                );
                None
            }
        };
        let posting_policy = policy("postingPolicy", input.posting_policy);
        let invite_policy = policy("invitePolicy", input.invite_policy);
        checks.done(Some(()))?;
        let conversation = id("conversationId", &input.conversation_id)?;
        let user = viewer.user;
        let write = UpdatingConversation {
            conversation,
            user,
            title,
            topic,
            posting_policy,
            invite_policy,
        };
        Ok(self.log.write(write).await?)
    }

    /// The viewer's conversations, the one with the newest message first.
    pub async fn conversations(
        &self,
        viewer: Viewer,
        filter: &ConversationFilter,
        page: &PageArguments,
    ) -> Result<Page<(Conversation, Membership)>, Error> {
        let request: PageRequest<ConversationKey> = PageRequest::parse(page, &self.limits)?;
        Ok(self
            .store
            .list_conversations(viewer.user, filter, &request)
            .await?)
    }

    /// Unread messages over all of the viewer's conversations.
    pub async fn unread_count(&self, viewer: Viewer) -> Result<i64, Error> {
        Ok(self.store.unread_count(viewer.user).await?)
    }
}

fn byte_of(creator: UserId, key: &str) -> u8 {
    Sha256::new()
        .chain_update(creator.uuid().as_bytes())
        .chain_update(key)
        .finalize()[0]
}

struct CreatingConversation {
    id: ConversationId,
    kind: ConversationKind,
    creator: (UserId, MembershipId),
    members: Vec<(UserId, MembershipId)>,
    title: String,
    topic: Option<String>,
    key: Option<String>,
}

impl CreatingConversation {
    fn begun_at(&self, at: Timestamp) -> Conversation {
        Conversation {
            id: self.id,
            kind: self.kind,
            pair: None,
            title: Some(self.title.clone()),
            topic: self.topic.clone(),
            posting_policy: Policy::Everyone,
            invite_policy: Policy::Everyone,
            created_at: at,
            creation: (self.creator.0, self.key.clone()),
            member_count: 0,
            last_seq: 0,
            keyed_seq: 0,
            active_at: at,
            head_position: 0,
            archived_at: None,
            deleted_position: None,
        }
    }
}

impl Write for CreatingConversation {
    type Outcome = Conversation;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.id.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        if let Some(key) = &self.key {
            needs.creation(self.creator.0, key);
        }
        needs.user(self.creator.0);
        for (user, _) in &self.members {
            needs.user(*user);
            needs.friendship(Pair::new(self.creator.0, *user));
        }
    }

    fn decide(&self, batch: &mut Batch) -> Result<Conversation, Rejection> {
        if let Some(made) = self
            .key
            .as_ref()
            .and_then(|key| batch.created(self.creator.0, key))
        {
            return seen(batch, made, self.creator.0)
                .map(|found| found.conversation.clone())
                .map_err(|_| {
                    let message = "the conversation that was made with this key is gone";
                    Rejection::new(Reason::NotFound, message)
                });
        }
        if batch.user(self.creator.0).is_none() {
            return Err(account_is_gone());
        }
        for (index, (user, _)) in self.members.iter().enumerate() {
            let pair = Pair::new(self.creator.0, *user);
            if batch.user(*user).is_none() {
                return Err(no_such_item("memberIds", index));
            }
            if *user != self.creator.0 && !batch.are_friends(pair) {
                return Err(not_a_friend("memberIds", index));
            }
        }
        batch.add_conversation(self.begun_at(batch.at()));
        let (creator, membership) = self.creator;
        batch.join(Membership::beginning(
            membership,
            self.id,
            creator,
            Role::Owner,
        ));
        for (user, membership) in &self.members {
            if batch.membership(self.id, *user).is_none() {
                batch.join(Membership::beginning(
                    *membership,
                    self.id,
                    *user,
                    Role::Member,
                ));
            }
        }
        batch
            .conversation(self.id)
            .cloned()
            .ok_or_else(Rejection::no_conversation)
    }
}

struct UpdatingConversation {
    conversation: ConversationId,
    user: UserId,
    title: Option<String>,
    topic: Patch<String>,
    posting_policy: Option<Policy>,
    invite_policy: Option<Policy>,
}

impl Write for UpdatingConversation {
    type Outcome = Conversation;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.user);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Conversation, Rejection> {
        let (before, _) = allowed(batch, self.conversation, self.user, Action::Update)?;
        let mut after = before.clone();
        if self.title.is_some() {
            after.title.clone_from(&self.title);
        }
        self.topic.apply(&mut after.topic);
        after.posting_policy = self.posting_policy.unwrap_or(after.posting_policy);
        after.invite_policy = self.invite_policy.unwrap_or(after.invite_policy);
        if after != *before {
            batch.update_conversation(after);
        }
        batch
            .conversation(self.conversation)
            .cloned()
            .ok_or_else(Rejection::no_conversation)
    }
}
