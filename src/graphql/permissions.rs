//! What the viewer may do in a conversation: the answer of the one function that decides it, in words.

use async_graphql::{Enum, SimpleObject};

use super::error::UserErrorCode;
use crate::{
    chat::{Reason, Rejection},
    model::{Action, Place, Policy, Role},
};

/// Which members may do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Enum)]
pub(super) enum MemberPolicy {
    /// Owners and admins only.
    Admins,
    /// Every member.
    Everyone,
}

impl From<Policy> for MemberPolicy {
    fn from(policy: Policy) -> Self {
        match policy {
            Policy::Admins => Self::Admins,
            Policy::Everyone => Self::Everyone,
        }
    }
}

impl From<MemberPolicy> for Policy {
    fn from(policy: MemberPolicy) -> Self {
        match policy {
            MemberPolicy::Admins => Self::Admins,
            MemberPolicy::Everyone => Self::Everyone,
        }
    }
}

/// What the viewer may do in a conversation: role, policies, friendship, blocks and archive taken together.
#[derive(Debug, SimpleObject)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "one for each thing that a client may offer"
)]
pub(super) struct ConversationPermissions {
    /// Add members.
    add_members: bool,
    /// Archive and unarchive.
    archive: bool,
    /// Change members' roles.
    change_roles: bool,
    /// Delete it for everybody.
    delete: bool,
    /// Join it.
    join: bool,
    /// Leave it.
    leave: bool,
    /// Remove and ban members.
    remove_members: bool,
    /// Send messages.
    send: bool,
    /// Why `send` is false; null when it is true.
    send_refusal: Option<UserErrorCode>,
    /// Change title, topic and policies.
    update: bool,
}

impl ConversationPermissions {
    /// Of somebody who finds the conversation so, or not at all.
    pub(super) fn new(place: Option<&Place>) -> Self {
        let denial = |action| match place {
            Some(place) => place
                .may(action)
                .map_err(|denial| Rejection::from(denial).reason),
            None => Err(Reason::Forbidden),
        };
        let allows = |action| denial(action).is_ok();
        Self {
            add_members: allows(Action::AddMembers),
            archive: allows(Action::Archive),
            change_roles: allows(Action::ChangeRoles),
            delete: allows(Action::Delete),
            join: allows(Action::Join),
            leave: allows(Action::Leave),
            remove_members: allows(Action::Remove(Role::Member)),
            send: allows(Action::Send),
            send_refusal: denial(Action::Send).err().map(UserErrorCode::from),
            update: allows(Action::Update),
        }
    }
}
