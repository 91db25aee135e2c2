//! A person's place in a conversation, and what it lets them do.

use super::{
    Conversation, ConversationId, MembershipId, Policy, Position, Timestamp, UserId, page::Key,
};

/// What a member is; each may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// May read, and write where the policy lets members write.
    Member,
    /// May change the conversation, add and remove members.
    Admin,
    /// The one that it belongs to.
    Owner,
}

/// One joining of one person in one conversation. When it ends it is kept; coming back is another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    /// Which.
    pub id: MembershipId,
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// What they may do.
    pub role: Role,
    /// When they joined.
    pub joined_at: Timestamp,
    /// Position of the joining.
    pub joined_position: Position,
    /// Number of the newest message that they have read.
    pub read_seq: i32,
    /// Position of the newest move of that mark.
    pub read_position: Position,
}

impl Membership {
    /// A membership that is about to begin: when, where in the log and from which message on is for the log to say.
    pub fn beginning(
        id: MembershipId,
        conversation: ConversationId,
        user: UserId,
        role: Role,
    ) -> Self {
        let joined_at = Timestamp::from_millis(0);
        Self {
            id,
            conversation,
            user,
            role,
            joined_at,
            joined_position: 0,
            read_seq: 0,
            read_position: 0,
        }
    }
}

/// What somebody wants to do in a conversation that they may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send a message.
    Send,
    /// Move one's read mark.
    MarkRead,
    /// Add members.
    AddMembers,
    /// Leave.
    Leave,
    /// Remove a member with this role.
    Remove(Role),
    /// Change title, topic or policies.
    Update,
    /// Archive, and take out of the archive.
    Archive,
    /// Give others another role, and hand over.
    ChangeRoles,
    /// Delete it for everybody.
    Delete,
}

/// Why a member may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// Their role does not reach.
    Role,
    /// An owner who is not alone gives the role away first.
    OwnerStays,
    /// What is archived is not written to.
    Archived,
}

/// Who may do what: the one place that decides it, for every way in.
pub fn may(role: Role, action: Action, conversation: &Conversation) -> Result<(), Denial> {
    let under = |policy| policy == Policy::Everyone || role >= Role::Admin;
    let allowed = match action {
        Action::Send | Action::AddMembers if conversation.archived_at.is_some() => {
            return Err(Denial::Archived);
        }
        Action::Send => under(conversation.posting_policy),
        Action::AddMembers => under(conversation.invite_policy),
        Action::Leave if role == Role::Owner && conversation.member_count > 1 => {
            return Err(Denial::OwnerStays);
        }
        Action::Leave | Action::MarkRead => true,
        Action::Remove(target) => role >= Role::Admin && target < role,
        Action::Update | Action::Archive => role >= Role::Admin,
        Action::ChangeRoles | Action::Delete => role == Role::Owner,
    };
    if allowed { Ok(()) } else { Err(Denial::Role) }
}

/// Place of a member in a list: by when they joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MembershipKey(pub Position);

impl Key for MembershipKey {
    const LIST: u8 = b'p';
    fn to_bytes(&self) -> Vec<u8> {
        self.0.to_be_bytes().to_vec()
    }
    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(Position::from_be_bytes(bytes.try_into().ok()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{ConversationKind, Id},
        *,
    };

    fn group(policy: Policy, member_count: i32) -> Conversation {
        let nobody = uuid::Uuid::nil();
        Conversation {
            id: ConversationId::from_uuid(nobody),
            kind: ConversationKind::Group,
            title: None,
            topic: None,
            posting_policy: policy,
            invite_policy: policy,
            created_at: Timestamp::from_millis(0),
            creation: (UserId::from_uuid(nobody), None),
            member_count,
            last_seq: 0,
            active_at: Timestamp::from_millis(0),
            head_position: 0,
            archived_at: None,
            deleted_position: None,
        }
    }

    /// The table of ARCHITECTURE.md, cell by cell: role, action, policy EVERYONE, policy ADMINS.
    #[test]
    fn who_may_do_what_is_the_published_table() {
        use Action::{
            AddMembers, Archive, ChangeRoles, Delete, Leave, MarkRead, Remove, Send, Update,
        };
        use Role::{Admin, Member, Owner};
        let table = [
            (Owner, Send, true, true),
            (Owner, MarkRead, true, true),
            (Owner, AddMembers, true, true),
            (Owner, Leave, false, false),
            (Owner, Remove(Owner), false, false),
            (Owner, Remove(Admin), true, true),
            (Owner, Remove(Member), true, true),
            (Owner, Update, true, true),
            (Owner, Archive, true, true),
            (Owner, ChangeRoles, true, true),
            (Owner, Delete, true, true),
            (Admin, Send, true, true),
            (Admin, MarkRead, true, true),
            (Admin, AddMembers, true, true),
            (Admin, Leave, true, true),
            (Admin, Remove(Owner), false, false),
            (Admin, Remove(Admin), false, false),
            (Admin, Remove(Member), true, true),
            (Admin, Update, true, true),
            (Admin, Archive, true, true),
            (Admin, ChangeRoles, false, false),
            (Admin, Delete, false, false),
            (Member, Send, true, false),
            (Member, MarkRead, true, true),
            (Member, AddMembers, true, false),
            (Member, Leave, true, true),
            (Member, Remove(Owner), false, false),
            (Member, Remove(Admin), false, false),
            (Member, Remove(Member), false, false),
            (Member, Update, false, false),
            (Member, Archive, false, false),
            (Member, ChangeRoles, false, false),
            (Member, Delete, false, false),
        ];
        for (role, action, everyone, admins) in table {
            for (policy, allowed) in [(Policy::Everyone, everyone), (Policy::Admins, admins)] {
                let open = group(policy, 2);
                assert_eq!(
                    may(role, action, &open).is_ok(),
                    allowed,
                    "{role:?} {action:?} {policy:?}"
                );
                let archived = Conversation {
                    archived_at: Some(open.created_at),
                    ..open
                };
                let expected = match action {
                    Send | AddMembers => Err(Denial::Archived),
                    MarkRead | Leave | Remove(_) | Update | Archive | ChangeRoles | Delete => {
                        may(role, action, &group(policy, 2))
                    }
                };
                assert_eq!(
                    may(role, action, &archived),
                    expected,
                    "archived: {role:?} {action:?}"
                );
            }
        }
        assert_eq!(
            may(Owner, Leave, &group(Policy::Everyone, 1)),
            Ok(()),
            "who is alone may leave"
        );
    }
}
