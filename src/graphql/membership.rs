//! Who is in which conversation.

use async_graphql::{ComplexObject, Context, Enum, ID, InputObject, Object, SimpleObject};

use super::{
    context::{chat, signed_in},
    conversation::Conversation,
    error::{Fault, UserError, payload, payloads},
    friend::person,
    page::connection,
    scalar::DateTime,
    user::User,
};
use crate::model::{self, Role, membership::MembershipKey, page::cursor};

/// What a member may do. Each role may do all that the ones below it may: OWNER, ADMIN, MEMBER.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum MemberRole {
    /// May change the conversation, archive it, add and remove members.
    Admin,
    /// May read, and may write where the posting policy lets members write.
    Member,
    /// May also change roles and delete the conversation; there is exactly one.
    Owner,
}

impl From<Role> for MemberRole {
    fn from(role: Role) -> Self {
        match role {
            Role::Owner => Self::Owner,
            Role::Admin => Self::Admin,
            Role::Member => Self::Member,
        }
    }
}

impl From<MemberRole> for Role {
    fn from(role: MemberRole) -> Self {
        match role {
            MemberRole::Owner => Self::Owner,
            MemberRole::Admin => Self::Admin,
            MemberRole::Member => Self::Member,
        }
    }
}

/// One person's place in one conversation.
pub(super) struct Membership(pub(super) model::Membership);

/// One person's place in one conversation.
#[Object]
impl Membership {
    /// The conversation.
    async fn conversation(&self, ctx: &Context<'_>) -> Result<Conversation, Fault> {
        Conversation::seen(ctx, self.0.conversation).await
    }

    /// Global identifier.
    pub(super) async fn id(&self) -> ID {
        self.0.id.to_string().into()
    }

    /// When the person joined, last time.
    async fn joined_at(&self) -> DateTime {
        self.0.joined_at.into()
    }

    /// Number of the newest message that the person has read. Sending counts as reading; joining starts it at the newest message.
    async fn read_seq(&self) -> i32 {
        self.0.read_seq
    }

    /// What the person may do.
    async fn role(&self) -> MemberRole {
        self.0.role.into()
    }

    /// The person.
    async fn user(&self, ctx: &Context<'_>) -> Result<User, Fault> {
        person(ctx, self.0.user).await
    }
}

connection! {
    "Page of members." MembershipConnection { "Members with their cursors." Vec<MembershipEdge> }
    "A member in a page." MembershipEdge { "Position of this member." "The member." Membership }
}

impl From<model::Membership> for MembershipEdge {
    fn from(membership: model::Membership) -> Self {
        Self {
            cursor: cursor(&MembershipKey(membership.joined_position)),
            node: Membership(membership),
        }
    }
}

/// Input of `addMembers`.
#[derive(InputObject)]
pub(super) struct AddMembersInput {
    /// Conversation to add to.
    conversation_id: ID,
    /// 1 to 100 people to add.
    user_ids: Vec<ID>,
}

/// Result of `addMembers`. Either all people are added or none.
#[derive(Default, SimpleObject)]
#[graphql(complex)]
pub(super) struct AddMembersPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    #[graphql(skip)]
    edges: Vec<MembershipEdge>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

#[ComplexObject]
impl AddMembersPayload {
    /// The people named, as members ready for a list; empty on failure.
    #[graphql(complexity = "crate::graphql::page::cost([Some(100), None], child_complexity)")]
    async fn membership_edges(&self) -> &[MembershipEdge] {
        &self.edges
    }
}

/// Input of `removeMember`.
#[derive(InputObject)]
pub(super) struct RemoveMemberInput {
    /// Whether to keep them from coming back.
    #[graphql(default = false)]
    ban: bool,
    /// Conversation to remove from.
    conversation_id: ID,
    /// Member to remove.
    user_id: ID,
}

/// Result of `removeMember`.
#[derive(Default, SimpleObject)]
pub(super) struct RemoveMemberPayload {
    /// The conversation after the change; null on failure.
    conversation: Option<Conversation>,
    /// Identifier of the membership that ended; null on failure.
    removed_membership_id: Option<ID>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `changeMemberRole`.
#[derive(InputObject)]
pub(super) struct ChangeMemberRoleInput {
    /// Conversation of the member.
    conversation_id: ID,
    /// New role.
    role: MemberRole,
    /// The member.
    user_id: ID,
}

/// Result of `changeMemberRole`.
#[derive(Default, SimpleObject)]
pub(super) struct ChangeMemberRolePayload {
    /// The membership after the change; null on failure.
    membership: Option<Membership>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

/// Input of `leaveConversation`.
#[derive(InputObject)]
pub(super) struct LeaveConversationInput {
    /// Conversation to leave.
    conversation_id: ID,
}

/// Result of `leaveConversation`.
#[derive(Default, SimpleObject)]
pub(super) struct LeaveConversationPayload {
    /// The channel that was left, as the viewer sees it now; null for a group and on failure.
    channel: Option<Conversation>,
    /// Identifier of the conversation that was left; null on failure.
    left_conversation_id: Option<ID>,
    /// Why it failed; empty on success.
    user_errors: Vec<UserError>,
}

payloads!(
    AddMembersPayload,
    ChangeMemberRolePayload,
    RemoveMemberPayload,
    LeaveConversationPayload
);

#[derive(Default)]
pub(super) struct MembershipMutation;

#[Object]
impl MembershipMutation {
    /// Add friends of the viewer to a group.
    async fn add_members(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: AddMembersInput,
    ) -> Result<Option<AddMembersPayload>, Fault> {
        let people: Vec<String> = input.user_ids.into_iter().map(|id| id.0).collect();
        let outcome = chat(ctx)?
            .add_members(signed_in(ctx)?, &input.conversation_id, &people)
            .await;
        payload(outcome, |added| AddMembersPayload {
            conversation: Some(Conversation(added.conversation)),
            edges: added.memberships.into_iter().map(Into::into).collect(),
            ..Default::default()
        })
    }

    /// Give a member another role. Needs OWNER; giving OWNER away makes the giver an ADMIN.
    async fn change_member_role(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: ChangeMemberRoleInput,
    ) -> Result<Option<ChangeMemberRolePayload>, Fault> {
        let ChangeMemberRoleInput {
            conversation_id,
            role,
            user_id,
        } = input;
        let viewer = signed_in(ctx)?;
        let outcome = chat(ctx)?
            .change_member_role(viewer, &conversation_id, &user_id, role.into())
            .await;
        payload(outcome, |membership| ChangeMemberRolePayload {
            membership: Some(Membership(membership)),
            ..Default::default()
        })
    }

    /// Leave a group or channel. An owner who is not alone gives the role away first.
    async fn leave_conversation(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: LeaveConversationInput,
    ) -> Result<Option<LeaveConversationPayload>, Fault> {
        let outcome = chat(ctx)?
            .leave_conversation(signed_in(ctx)?, &input.conversation_id)
            .await;
        payload(outcome, |(left, channel)| LeaveConversationPayload {
            channel: channel.map(Conversation),
            left_conversation_id: Some(left.to_string().into()),
            ..Default::default()
        })
    }

    /// Remove a member with a lower role than the viewer's, and ban them if asked. Needs ADMIN.
    async fn remove_member(
        &self,
        ctx: &Context<'_>,
        #[graphql(desc = "What to do.")] input: RemoveMemberInput,
    ) -> Result<Option<RemoveMemberPayload>, Fault> {
        let outcome = chat(ctx)?
            .remove_member(
                signed_in(ctx)?,
                &input.conversation_id,
                &input.user_id,
                input.ban,
            )
            .await;
        payload(outcome, |(conversation, membership)| RemoveMemberPayload {
            conversation: Some(Conversation(conversation)),
            removed_membership_id: Some(membership.to_string().into()),
            ..Default::default()
        })
    }
}
