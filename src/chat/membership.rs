//! Who is in a conversation: adding, removing, leaving, listing.

use std::collections::HashMap;

use super::{
    Chat, Error, Reason, Rejection, Viewer,
    input::{Checks, id, ids, no_such_item, not_a_friend},
    place::{allowed, seen},
};
use crate::{
    log::{Batch, Needs, Write},
    model::{
        Action, Conversation, ConversationId, ConversationKind, Id, Membership, MembershipId, Page,
        PageRequest, Pair, RemovalReason, Role, UserId, membership::MembersWanted,
        page::PageArguments,
    },
};

/// The people who were named, as members, and the conversation they are in.
#[derive(Debug)]
pub struct AddedMembers {
    /// After the change.
    pub conversation: Conversation,
    /// In the order of the input, each person once.
    pub memberships: Vec<Membership>,
}

impl Chat {
    /// Adds people to a group: all of them, or nobody.
    pub async fn add_members(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        user_ids: &[String],
    ) -> Result<AddedMembers, Error> {
        let mut checks = Checks::default();
        let added_max = self.limits.members_added_max;
        if !(1..=added_max).contains(&user_ids.len()) {
            checks.reject(
                "userIds",
                format!("`userIds` must have 1 to {added_max} items"),
            );
        }
        checks.done(Some(()))?;
        let conversation: ConversationId = id("conversationId", conversation_id)?;
        let people: Vec<UserId> = ids("userIds", user_ids)?;
        let new = |user| (user, self.new_id::<MembershipId>(conversation.last_byte()));
        let write = AddingMembers {
            conversation,
            viewer: viewer.user,
            people: people.into_iter().map(new).collect(),
            members_max: self.limits.group_members_max,
        };
        Ok(self.log.write(write).await?)
    }

    /// Removes a member whose role is below the viewer's, and keeps them from coming back if asked.
    pub async fn remove_member(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        user_id: &str,
        ban: bool,
    ) -> Result<(Conversation, MembershipId), Error> {
        let conversation = id("conversationId", conversation_id)?;
        let member = id("userId", user_id)?;
        Ok(self
            .log
            .write(RemovingMember {
                conversation,
                viewer: viewer.user,
                member,
                ban,
            })
            .await?)
    }

    /// Gives a member another role. Giving OWNER away makes the giver an ADMIN.
    pub async fn change_member_role(
        &self,
        viewer: Viewer,
        conversation_id: &str,
        user_id: &str,
        role: Role,
    ) -> Result<Membership, Error> {
        let conversation = id("conversationId", conversation_id)?;
        let member = id("userId", user_id)?;
        let viewer = viewer.user;
        let write = ChangingMemberRole {
            conversation,
            viewer,
            member,
            role,
        };
        Ok(self.log.write(write).await?)
    }

    /// Leaves a conversation; with the last member it is gone. A channel that is still there can be read on.
    pub async fn leave_conversation(
        &self,
        viewer: Viewer,
        conversation_id: &str,
    ) -> Result<(ConversationId, Option<Conversation>), Error> {
        let conversation = id("conversationId", conversation_id)?;
        Ok(self
            .log
            .write(LeavingConversation {
                conversation,
                viewer: viewer.user,
            })
            .await?)
    }

    /// What a page of the members of a conversation is, by when they joined.
    pub fn members_wanted(
        &self,
        conversation: ConversationId,
        roles: Vec<Role>,
        page: &PageArguments,
    ) -> Result<MembersWanted, Error> {
        let mut named = std::collections::HashSet::new();
        let roles = roles.into_iter().filter(|role| named.insert(*role));
        Ok(MembersWanted {
            conversation,
            roles: roles.collect(),
            readers_of: None,
            page: PageRequest::parse(page, &self.limits)?,
        })
    }

    /// Pages of members of conversations that the viewer may see.
    pub async fn members(
        &self,
        wanted: &[MembersWanted],
    ) -> Result<HashMap<MembersWanted, Page<Membership>>, Error> {
        let pages = self.store.list_memberships(wanted).await?;
        Ok(wanted.iter().cloned().zip(pages).collect())
    }

    /// A membership, by its identifier, in a conversation that the viewer may see.
    pub async fn membership(
        &self,
        viewer: Viewer,
        id: MembershipId,
    ) -> Result<Option<Membership>, Error> {
        let Some(membership) = self.store.find_memberships_by_id(&[id]).await?.pop() else {
            return Ok(None);
        };
        let place = self.place(viewer, membership.conversation).await?;
        Ok(place.map(|_| membership))
    }
}

struct AddingMembers {
    conversation: ConversationId,
    viewer: UserId,
    people: Vec<(UserId, MembershipId)>,
    members_max: i32,
}

impl Write for AddingMembers {
    type Outcome = AddedMembers;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
        for (user, _) in &self.people {
            needs.membership(self.conversation, *user);
            needs.friendship(Pair::new(self.viewer, *user));
        }
    }

    fn decide(&self, batch: &mut Batch) -> Result<AddedMembers, Rejection> {
        let (conversation, _) = allowed(batch, self.conversation, self.viewer, Action::AddMembers)?;
        for (index, (user, _)) in self.people.iter().enumerate() {
            if batch.user(*user).is_none() {
                return Err(no_such_item("userIds", index));
            }
            if batch.membership(self.conversation, *user).is_some() {
                continue;
            }
            if !batch.are_friends(Pair::new(self.viewer, *user)) {
                return Err(not_a_friend("userIds", index));
            }
            if batch.is_banned(self.conversation, *user) {
                let message = format!("you have no right to add item {index} of `userIds`");
                return Err(Rejection::at_item(
                    "userIds",
                    index,
                    Reason::Forbidden,
                    message,
                ));
            }
        }
        let mut people = self.people.clone();
        let mut named = std::collections::HashSet::new();
        people.retain(|(user, _)| named.insert(*user));
        let joining = people
            .iter()
            .filter(|(user, _)| batch.membership(self.conversation, *user).is_none())
            .count();
        let room = usize::try_from(self.members_max - conversation.member_count).unwrap_or(0);
        if joining > room {
            let message = format!(
                "a group has at most {} members; there is room for {room} more",
                self.members_max
            );
            return Err(Rejection::at("userIds", Reason::LimitReached, message));
        }
        let memberships = people
            .into_iter()
            .map(
                |(user, id)| match batch.membership(self.conversation, user) {
                    Some(there) => there.clone(),
                    None => batch.join(Membership::beginning(
                        id,
                        self.conversation,
                        user,
                        Role::Member,
                    )),
                },
            )
            .collect();
        let conversation = batch
            .conversation(self.conversation)
            .cloned()
            .ok_or_else(Rejection::no_conversation)?;
        Ok(AddedMembers {
            conversation,
            memberships,
        })
    }
}

struct RemovingMember {
    conversation: ConversationId,
    viewer: UserId,
    member: UserId,
    ban: bool,
}

impl Write for RemovingMember {
    type Outcome = (Conversation, MembershipId);
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
        needs.membership(self.conversation, self.member);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Self::Outcome, Rejection> {
        let here = seen(batch, self.conversation, self.viewer)?;
        // Who may remove nobody learns nothing of who is there.
        here.may(Action::Remove(Role::Member))?;
        let member = batch
            .membership(self.conversation, self.member)
            .ok_or_else(|| Rejection::at("userId", Reason::NotFound, "there is no such member"))?;
        here.may(Action::Remove(member.role))?;
        let membership = member.id;
        if self.ban {
            batch.ban(self.conversation, self.member);
        } else {
            batch.leave(self.conversation, self.member, RemovalReason::Removed);
        }
        let conversation = batch
            .conversation(self.conversation)
            .cloned()
            .ok_or_else(Rejection::no_conversation)?;
        Ok((conversation, membership))
    }
}

struct ChangingMemberRole {
    conversation: ConversationId,
    viewer: UserId,
    member: UserId,
    role: Role,
}

impl ChangingMemberRole {
    /// Whoever gave OWNER away is an ADMIN since, and may have missed the answer: asking again succeeds again.
    fn handed_over(&self, batch: &Batch) -> Option<Membership> {
        batch.conversation(self.conversation)?;
        let asker = batch.membership(self.conversation, self.viewer)?;
        let owner = batch.membership(self.conversation, self.member)?;
        let is_done =
            (self.role, owner.role, asker.role) == (Role::Owner, Role::Owner, Role::Admin);
        is_done.then(|| owner.clone())
    }
}

impl Write for ChangingMemberRole {
    type Outcome = Membership;
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
        needs.membership(self.conversation, self.member);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Membership, Rejection> {
        if let Some(done) = self.handed_over(batch) {
            return Ok(done);
        }
        allowed(batch, self.conversation, self.viewer, Action::ChangeRoles)?;
        let no_member = || Rejection::at("userId", Reason::NotFound, "there is no such member");
        let before = batch
            .membership(self.conversation, self.member)
            .filter(|_| batch.user(self.member).is_some())
            .ok_or_else(no_member)?
            .role;
        if before == Role::Owner && self.role != Role::Owner {
            let message = "there is exactly one owner; give the role to somebody else instead";
            return Err(Rejection::at("role", Reason::WrongState, message));
        }
        if before != self.role {
            if self.role == Role::Owner {
                batch.change_role(self.conversation, self.viewer, Role::Admin);
            }
            batch.change_role(self.conversation, self.member, self.role);
        }
        batch
            .membership(self.conversation, self.member)
            .cloned()
            .ok_or_else(no_member)
    }
}

struct LeavingConversation {
    conversation: ConversationId,
    viewer: UserId,
}

impl Write for LeavingConversation {
    type Outcome = (ConversationId, Option<Conversation>);
    type Refusal = Rejection;

    fn last_byte(&self) -> u8 {
        self.conversation.last_byte()
    }

    fn needs(&self, needs: &mut Needs) {
        needs.membership(self.conversation, self.viewer);
    }

    fn decide(&self, batch: &mut Batch) -> Result<Self::Outcome, Rejection> {
        allowed(batch, self.conversation, self.viewer, Action::Leave)?;
        batch.leave(self.conversation, self.viewer, RemovalReason::Left);
        let channel = batch
            .conversation(self.conversation)
            .filter(|left| left.kind == ConversationKind::Channel);
        Ok((self.conversation, channel.cloned()))
    }
}
