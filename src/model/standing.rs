//! How somebody stands to a conversation, and what that lets them do.

use super::{
    Conversation, ConversationId, ConversationKind, Membership, Policy, Role, Timestamp, UserId,
};

/// How somebody stands to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// In a group or channel, with this role.
    Member(Role),
    /// One of the two of a direct conversation.
    Peer {
        /// Whether the two are friends now.
        are_friends: bool,
    },
    /// Not in it.
    Outside {
        /// Whether they may not come back.
        is_banned: bool,
    },
}

impl Standing {
    /// How somebody stands who has this membership, or none. Whether they are banned counts only outside, and whether
    /// the two are friends only in a direct conversation.
    pub fn new(
        conversation: &Conversation,
        membership: Option<&Membership>,
        is_banned: bool,
        are_friends: bool,
    ) -> Self {
        match (membership, conversation.kind) {
            (None, _) => Self::Outside { is_banned },
            (Some(_), ConversationKind::Direct) => Self::Peer { are_friends },
            (Some(membership), ConversationKind::Group | ConversationKind::Channel) => {
                Self::Member(membership.role)
            }
        }
    }
}

/// A conversation as somebody finds it: read at one moment with how they stand to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Which.
    pub conversation: Conversation,
    /// Their membership, if they are in it.
    pub membership: Option<Membership>,
    /// How they stand to it.
    pub standing: Standing,
}

impl Place {
    /// Whether they may do this here.
    pub fn may(&self, action: Action) -> Result<(), Denial> {
        may(self.standing, action, &self.conversation)
    }
}

/// Somebody who may not come back to a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ban {
    /// Where.
    pub conversation: ConversationId,
    /// Who.
    pub user: UserId,
    /// Since when.
    pub banned_at: Timestamp,
}

/// What somebody wants to do in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Read and follow it.
    Read,
    /// Send a message, and say that one is typing.
    Send,
    /// Move one's read mark.
    MarkRead,
    /// Add members.
    AddMembers,
    /// Join.
    Join,
    /// Leave.
    Leave,
    /// Remove a member with this role, and ban them.
    Remove(Role),
    /// See who is banned, and let them come back.
    Unban,
    /// Change title, topic or policies.
    Update,
    /// Archive, and take out of the archive.
    Archive,
    /// Give others another role, and hand over.
    ChangeRoles,
    /// Delete it for everybody.
    Delete,
}

/// Why somebody may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// They may not know that it is there.
    Hidden,
    /// Their role does not reach.
    Role,
    /// They are not in it.
    NotThere,
    /// They may not come back.
    Banned,
    /// Friends only.
    NotFriends,
    /// An owner who is not alone gives the role away first.
    OwnerStays,
    /// What is archived is not written to.
    Archived,
}

/// Who may do what: the one place that decides it, for every way in.
pub fn may(standing: Standing, action: Action, conversation: &Conversation) -> Result<(), Denial> {
    match standing {
        Standing::Member(role) => may_member(role, action, conversation),
        Standing::Peer { are_friends } => may_peer(are_friends, action),
        Standing::Outside { is_banned } => may_outside(is_banned, action, conversation),
    }
}

fn may_member(role: Role, action: Action, conversation: &Conversation) -> Result<(), Denial> {
    let is_archived = conversation.archived_at.is_some();
    let under = |policy| policy == Policy::Everyone || role >= Role::Admin;
    let allowed = match action {
        Action::AddMembers if conversation.kind == ConversationKind::Channel => false,
        Action::Send | Action::AddMembers if is_archived => return Err(Denial::Archived),
        Action::Send => under(conversation.posting_policy),
        Action::AddMembers => under(conversation.invite_policy),
        Action::Leave if role == Role::Owner && conversation.member_count > 1 => {
            return Err(Denial::OwnerStays);
        }
        Action::Read | Action::MarkRead | Action::Leave => true,
        // Whoever is in it has joined.
        Action::Join => false,
        Action::Remove(target) => role >= Role::Admin && target < role,
        Action::Unban | Action::Update | Action::Archive => role >= Role::Admin,
        Action::ChangeRoles | Action::Delete => role == Role::Owner,
    };
    if allowed { Ok(()) } else { Err(Denial::Role) }
}

fn may_peer(are_friends: bool, action: Action) -> Result<(), Denial> {
    match action {
        Action::Read | Action::MarkRead => Ok(()),
        Action::Send if are_friends => Ok(()),
        Action::Send => Err(Denial::NotFriends),
        Action::AddMembers
        | Action::Join
        | Action::Leave
        | Action::Remove(_)
        | Action::Unban
        | Action::Update
        | Action::Archive
        | Action::ChangeRoles
        | Action::Delete => Err(Denial::Role),
    }
}

fn may_outside(is_banned: bool, action: Action, conversation: &Conversation) -> Result<(), Denial> {
    if conversation.kind != ConversationKind::Channel {
        return Err(Denial::Hidden);
    }
    match action {
        // They were told that they are banned when it happened; why else the door is shut is no secret to them.
        Action::Join if is_banned => Err(Denial::Banned),
        _ if is_banned => Err(Denial::Hidden),
        Action::Join if conversation.archived_at.is_some() => Err(Denial::Archived),
        Action::Read | Action::Join => Ok(()),
        // Whoever tries again has left already.
        Action::Leave => Err(Denial::NotThere),
        Action::Send
        | Action::MarkRead
        | Action::AddMembers
        | Action::Remove(_)
        | Action::Unban
        | Action::Update
        | Action::Archive
        | Action::ChangeRoles
        | Action::Delete => Err(Denial::Role),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Id, *};
    use Action::{
        AddMembers, Archive, ChangeRoles, Delete, Join, Leave, MarkRead, Read, Remove, Send, Unban,
        Update,
    };
    use ConversationKind::{Channel, Direct, Group};
    use Role::{Admin, Member, Owner};

    const EVERYONE: Standing = Standing::Outside { is_banned: false };
    const BANNED: Standing = Standing::Outside { is_banned: true };
    const FRIEND: Standing = Standing::Peer { are_friends: true };
    const STRANGER: Standing = Standing::Peer { are_friends: false };

    fn conversation(kind: ConversationKind, policy: Policy, is_archived: bool) -> Conversation {
        let nobody = uuid::Uuid::nil();
        let at = Timestamp::from_millis(0);
        Conversation {
            id: ConversationId::from_uuid(nobody),
            kind,
            pair: None,
            title: None,
            topic: None,
            posting_policy: policy,
            invite_policy: policy,
            created_at: at,
            creation: (UserId::from_uuid(nobody), None),
            member_count: 2,
            last_seq: 0,
            keyed_seq: 0,
            active_at: at,
            head_position: 0,
            archived_at: is_archived.then_some(at),
            deleted_position: None,
        }
    }

    /// What a cell of the published table says.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Cell {
        Yes,
        No(Denial),
        /// If the policy is EVERYONE.
        Policy,
    }
    const YES: Cell = Cell::Yes;
    const NO: Cell = Cell::No(Denial::Role);
    const HIDDEN: Cell = Cell::No(Denial::Hidden);

    /// The table of ARCHITECTURE.md. A row is an action with what it gives owner, admin, member, and those outside:
    /// of a group, of a channel, banned from a channel.
    const TABLE: [(Action, [Cell; 6]); 14] = [
        (Read, [YES, YES, YES, HIDDEN, YES, HIDDEN]),
        (Send, [YES, YES, Cell::Policy, HIDDEN, NO, HIDDEN]),
        (MarkRead, [YES, YES, YES, HIDDEN, NO, HIDDEN]),
        (AddMembers, [YES, YES, Cell::Policy, HIDDEN, NO, HIDDEN]),
        (Join, [NO, NO, NO, HIDDEN, YES, Cell::No(Denial::Banned)]),
        (
            Leave,
            [
                Cell::No(Denial::OwnerStays),
                YES,
                YES,
                HIDDEN,
                Cell::No(Denial::NotThere),
                HIDDEN,
            ],
        ),
        (Remove(Owner), [NO, NO, NO, HIDDEN, NO, HIDDEN]),
        (Remove(Admin), [YES, NO, NO, HIDDEN, NO, HIDDEN]),
        (Remove(Member), [YES, YES, NO, HIDDEN, NO, HIDDEN]),
        (Unban, [YES, YES, NO, HIDDEN, NO, HIDDEN]),
        (Update, [YES, YES, NO, HIDDEN, NO, HIDDEN]),
        (Archive, [YES, YES, NO, HIDDEN, NO, HIDDEN]),
        (ChangeRoles, [YES, NO, NO, HIDDEN, NO, HIDDEN]),
        (Delete, [YES, NO, NO, HIDDEN, NO, HIDDEN]),
    ];

    /// What the table says of one of its columns, with the policy, the kind and the archive taken in.
    fn expected(
        column: usize,
        action: Action,
        cell: Cell,
        at: &Conversation,
    ) -> Result<(), Denial> {
        let is_archived = at.archived_at.is_some();
        // Channels are joined, not added to.
        if column < 3 && action == AddMembers && at.kind == Channel {
            return Err(Denial::Role);
        }
        let writes = matches!(action, Send | AddMembers);
        if is_archived && (column < 3 && writes || column == 4 && action == Join) {
            return Err(Denial::Archived);
        }
        match cell {
            Cell::Yes => Ok(()),
            Cell::No(denial) => Err(denial),
            Cell::Policy if at.posting_policy == Policy::Everyone => Ok(()),
            Cell::Policy => Err(Denial::Role),
        }
    }

    #[test]
    fn who_may_do_what_is_the_published_table_cell_by_cell() {
        let mut cells = 0;
        for (action, row) in TABLE {
            for policy in [Policy::Everyone, Policy::Admins] {
                for is_archived in [false, true] {
                    let group = conversation(Group, policy, is_archived);
                    let channel = conversation(Channel, policy, is_archived);
                    let columns = [
                        (0, Standing::Member(Owner), &group),
                        (1, Standing::Member(Admin), &group),
                        (2, Standing::Member(Member), &group),
                        (0, Standing::Member(Owner), &channel),
                        (1, Standing::Member(Admin), &channel),
                        (2, Standing::Member(Member), &channel),
                        (3, EVERYONE, &group),
                        (3, BANNED, &group),
                        (4, EVERYONE, &channel),
                        (5, BANNED, &channel),
                    ];
                    for (column, standing, at) in columns {
                        assert_eq!(
                            may(standing, action, at),
                            expected(column, action, row[column], at),
                            "{standing:?} {action:?} {:?} {policy:?}, archived: {is_archived}",
                            at.kind
                        );
                        cells += 1;
                    }
                }
            }
        }
        assert_eq!(cells, 14 * 4 * 10);
    }

    #[test]
    fn two_people_read_always_and_write_while_they_are_friends() {
        let direct = conversation(Direct, Policy::Everyone, false);
        for (action, _) in TABLE {
            let (friends, strangers) = match action {
                Read | MarkRead => (Ok(()), Ok(())),
                Send => (Ok(()), Err(Denial::NotFriends)),
                AddMembers | Join | Leave | Remove(_) | Unban | Update | Archive | ChangeRoles
                | Delete => (Err(Denial::Role), Err(Denial::Role)),
            };
            assert_eq!(may(FRIEND, action, &direct), friends, "{action:?}");
            assert_eq!(may(STRANGER, action, &direct), strangers, "{action:?}");
            for outside in [EVERYONE, BANNED] {
                assert_eq!(
                    may(outside, action, &direct),
                    Err(Denial::Hidden),
                    "{action:?}"
                );
            }
        }
    }

    #[test]
    fn an_owner_who_is_alone_may_leave() {
        let alone = Conversation {
            member_count: 1,
            ..conversation(Group, Policy::Everyone, false)
        };
        assert_eq!(may(Standing::Member(Owner), Leave, &alone), Ok(()));
    }
}
