//! The rows: of every field, who sees it of an object that they may see.

use super::cast::{MEMBERS, Who};

/// Who sees a field.
pub(super) enum Shown {
    /// All who see the object, and all the same.
    ToAllAlike,
    /// All who see the object, each in their own way.
    ToEachTheirOwn,
    /// Of all who see the object only these; null for the others.
    Only(fn(&str) -> &'static [Who]),
    /// It has no object that can be had by an identifier; this file of tests asks for it.
    Elsewhere(&'static str),
}

use Shown::{Elsewhere, Only, ToAllAlike, ToEachTheirOwn};
use Who::{Admin, Banned, Blocked, Member, Owner, Removed, Stranger};

/// The owner, and who is their friend.
pub(super) fn friends_of_owner(_: &str) -> &'static [Who] {
    &[Member, Removed, Banned, Admin, Owner]
}

fn presence(of: &str) -> &'static [Who] {
    match of {
        "the owner" => friends_of_owner(of),
        _ => &[Blocked],
    }
}

fn relationship(of: &str) -> &'static [Who] {
    match of {
        "the owner" => &[Stranger, Member, Removed, Banned, Blocked, Admin],
        _ => &[Stranger, Member, Removed, Banned, Admin, Owner],
    }
}

fn members(of: &str) -> &'static [Who] {
    match of {
        "read-only direct" => &[Blocked, Owner],
        "direct" => &[Member, Owner],
        _ => MEMBERS,
    }
}

fn admins(of: &str) -> &'static [Who] {
    match of {
        "group" | "channel" => &[Admin, Owner],
        _ => &[],
    }
}

fn peers(of: &str) -> &'static [Who] {
    match of {
        "group" | "channel" => &[],
        _ => members(of),
    }
}

const WAYS: &str = "access/mod.rs";
const CHANGES: &str = "access/changes.rs";
const RELATIONSHIP: &str = "access/mod.rs";
const STREAMS: &str = "access/mod.rs";
const STANDING: &str = "access/mod.rs";
const SESSIONS: &str = "support/client.rs";
const EVENTS: &str = "support/events.rs";
const USERS: &str = "user.rs";

/// Every field of every object, but for pages, edges and payloads, which carry objects that have rows.
pub(super) const FIELDS: &[(&str, Shown)] = &[
    ("Block.createdAt", ToAllAlike),
    ("Block.id", ToAllAlike),
    ("Block.user", ToAllAlike),
    ("BlockChangedEvent.id", Elsewhere(EVENTS)),
    ("BlockChangedEvent.occurredAt", Elsewhere(EVENTS)),
    ("BlockChangedEvent.user", Elsewhere(EVENTS)),
    ("Conversation.archivedAt", ToAllAlike),
    ("Conversation.bans", Only(admins)),
    ("Conversation.createdAt", ToAllAlike),
    ("Conversation.id", ToAllAlike),
    ("Conversation.invitePolicy", ToAllAlike),
    ("Conversation.kind", ToAllAlike),
    ("Conversation.lastMessage", ToAllAlike),
    ("Conversation.lastSeq", ToAllAlike),
    ("Conversation.memberCount", ToAllAlike),
    ("Conversation.members", ToAllAlike),
    ("Conversation.message", ToAllAlike),
    ("Conversation.messages", ToAllAlike),
    ("Conversation.peer", Only(peers)),
    ("Conversation.postingPolicy", ToAllAlike),
    ("Conversation.title", ToAllAlike),
    ("Conversation.topic", ToAllAlike),
    ("Conversation.viewerCan", ToEachTheirOwn),
    ("Conversation.viewerMembership", Only(members)),
    ("Conversation.viewerUnreadCount", ToEachTheirOwn),
    ("ConversationAddedEvent.conversationEdge", Elsewhere(EVENTS)),
    ("ConversationAddedEvent.id", Elsewhere(EVENTS)),
    ("ConversationAddedEvent.occurredAt", Elsewhere(EVENTS)),
    ("ConversationPermissions.addMembers", Elsewhere(STANDING)),
    ("ConversationPermissions.archive", Elsewhere(STANDING)),
    ("ConversationPermissions.changeRoles", Elsewhere(STANDING)),
    ("ConversationPermissions.delete", Elsewhere(STANDING)),
    ("ConversationPermissions.join", Elsewhere(STANDING)),
    ("ConversationPermissions.leave", Elsewhere(STANDING)),
    ("ConversationPermissions.removeMembers", Elsewhere(STANDING)),
    ("ConversationPermissions.send", Elsewhere(STANDING)),
    ("ConversationPermissions.sendRefusal", Elsewhere(STANDING)),
    ("ConversationPermissions.update", Elsewhere(STANDING)),
    ("ConversationRemovedEvent.channel", Elsewhere(EVENTS)),
    ("ConversationRemovedEvent.conversationId", Elsewhere(EVENTS)),
    ("ConversationRemovedEvent.id", Elsewhere(EVENTS)),
    ("ConversationRemovedEvent.occurredAt", Elsewhere(EVENTS)),
    ("ConversationRemovedEvent.reason", Elsewhere(EVENTS)),
    ("ConversationUpdatedEvent.conversation", Elsewhere(EVENTS)),
    ("ConversationUpdatedEvent.id", Elsewhere(EVENTS)),
    ("ConversationUpdatedEvent.occurredAt", Elsewhere(EVENTS)),
    ("EventFrame.cursor", Elsewhere(EVENTS)),
    ("EventFrame.events", Elsewhere(EVENTS)),
    ("EventFrame.isCaughtUp", Elsewhere(EVENTS)),
    ("EventFrame.resync", Elsewhere(EVENTS)),
    ("FriendAddedEvent.friendshipEdge", Elsewhere(EVENTS)),
    ("FriendAddedEvent.id", Elsewhere(EVENTS)),
    ("FriendAddedEvent.occurredAt", Elsewhere(EVENTS)),
    ("FriendRemovedEvent.formerFriend", Elsewhere(EVENTS)),
    ("FriendRemovedEvent.friendshipId", Elsewhere(EVENTS)),
    ("FriendRemovedEvent.id", Elsewhere(EVENTS)),
    ("FriendRemovedEvent.occurredAt", Elsewhere(EVENTS)),
    ("FriendRequest.closedAt", ToAllAlike),
    ("FriendRequest.createdAt", ToAllAlike),
    ("FriendRequest.id", ToAllAlike),
    ("FriendRequest.recipient", ToAllAlike),
    ("FriendRequest.sender", ToAllAlike),
    ("FriendRequest.status", ToAllAlike),
    ("FriendRequestChangedEvent.friendRequest", Elsewhere(EVENTS)),
    ("FriendRequestChangedEvent.id", Elsewhere(EVENTS)),
    ("FriendRequestChangedEvent.occurredAt", Elsewhere(EVENTS)),
    ("Friendship.createdAt", ToAllAlike),
    ("Friendship.friend", ToEachTheirOwn),
    ("Friendship.id", ToAllAlike),
    ("MemberChangedEvent.id", Elsewhere(EVENTS)),
    ("MemberChangedEvent.membershipEdge", Elsewhere(EVENTS)),
    ("MemberChangedEvent.occurredAt", Elsewhere(EVENTS)),
    ("MemberRemovedEvent.conversation", Elsewhere(EVENTS)),
    ("MemberRemovedEvent.id", Elsewhere(EVENTS)),
    ("MemberRemovedEvent.membershipId", Elsewhere(EVENTS)),
    ("MemberRemovedEvent.occurredAt", Elsewhere(EVENTS)),
    ("Membership.conversation", ToAllAlike),
    ("Membership.id", ToAllAlike),
    ("Membership.joinedAt", ToAllAlike),
    ("Membership.readSeq", ToAllAlike),
    ("Membership.role", ToAllAlike),
    ("Membership.user", ToAllAlike),
    ("Message.conversation", ToAllAlike),
    ("Message.id", ToAllAlike),
    ("Message.idempotencyKey", ToAllAlike),
    ("Message.readBy", ToAllAlike),
    ("Message.readStatus", ToAllAlike),
    ("Message.sender", ToAllAlike),
    ("Message.sentAt", ToAllAlike),
    ("Message.seq", ToAllAlike),
    ("Message.text", ToAllAlike),
    ("Message.viewerReadStatus", Only(members)),
    ("MessageSentEvent.id", Elsewhere(EVENTS)),
    ("MessageSentEvent.messageEdge", Elsewhere(EVENTS)),
    ("MessageSentEvent.occurredAt", Elsewhere(EVENTS)),
    ("MessageSentEvent.senderMembership", Elsewhere(EVENTS)),
    ("PageInfo.endCursor", Elsewhere(WAYS)),
    ("PageInfo.hasNextPage", Elsewhere(WAYS)),
    ("PageInfo.hasPreviousPage", Elsewhere(WAYS)),
    ("PageInfo.startCursor", Elsewhere(WAYS)),
    ("Presence.id", Elsewhere(STREAMS)),
    ("Presence.lastSeenAt", Elsewhere(STREAMS)),
    ("Presence.status", Elsewhere(STREAMS)),
    ("Presence.user", Elsewhere(STREAMS)),
    ("Query.channels", Elsewhere(WAYS)),
    ("Query.conversation", Elsewhere(WAYS)),
    ("Query.node", Elsewhere(WAYS)),
    ("Query.nodes", Elsewhere(WAYS)),
    ("Query.user", Elsewhere(RELATIONSHIP)),
    ("Query.users", Elsewhere(USERS)),
    ("Query.viewer", Elsewhere(WAYS)),
    ("ReadStatusChangedEvent.id", Elsewhere(EVENTS)),
    ("ReadStatusChangedEvent.membership", Elsewhere(EVENTS)),
    ("ReadStatusChangedEvent.occurredAt", Elsewhere(EVENTS)),
    ("Relationship.block", Elsewhere(RELATIONSHIP)),
    ("Relationship.friendship", Elsewhere(RELATIONSHIP)),
    ("Relationship.pendingRequest", Elsewhere(RELATIONSHIP)),
    ("Relationship.requestHistory", Elsewhere(RELATIONSHIP)),
    ("Relationship.status", Elsewhere(RELATIONSHIP)),
    ("Session.createdAt", ToAllAlike),
    ("Session.deviceName", ToAllAlike),
    ("Session.expiresAt", ToAllAlike),
    ("Session.id", ToAllAlike),
    ("Session.isCurrent", ToAllAlike),
    ("Session.lastUsedAt", ToAllAlike),
    ("SessionToken.session", Elsewhere("session.rs")),
    ("SessionToken.value", Elsewhere(SESSIONS)),
    ("Subscription.events", Elsewhere(EVENTS)),
    ("Subscription.messageSent", Elsewhere(STREAMS)),
    ("Subscription.presence", Elsewhere(STREAMS)),
    ("Subscription.typing", Elsewhere(STREAMS)),
    ("TypingState.conversation", Elsewhere(STREAMS)),
    ("TypingState.count", Elsewhere(STREAMS)),
    ("TypingState.expiresInMs", Elsewhere(STREAMS)),
    ("TypingState.users", Elsewhere(STREAMS)),
    ("User.avatarUrl", ToAllAlike),
    ("User.createdAt", ToAllAlike),
    ("User.displayName", ToAllAlike),
    ("User.handle", ToAllAlike),
    ("User.id", ToAllAlike),
    ("User.mutualFriends", Only(relationship)),
    ("User.presence", Only(presence)),
    ("User.viewerRelationship", Only(relationship)),
    ("UserError.code", Elsewhere(CHANGES)),
    ("UserError.inputPath", Elsewhere(CHANGES)),
    ("UserError.message", Elsewhere(CHANGES)),
    ("UserUpdatedEvent.id", Elsewhere(EVENTS)),
    ("UserUpdatedEvent.occurredAt", Elsewhere(EVENTS)),
    ("UserUpdatedEvent.user", Elsewhere(EVENTS)),
    ("Viewer.blocks", ToAllAlike),
    ("Viewer.conversations", ToAllAlike),
    ("Viewer.eventCursor", ToEachTheirOwn),
    ("Viewer.friendRequests", ToAllAlike),
    ("Viewer.friends", ToAllAlike),
    ("Viewer.id", ToAllAlike),
    ("Viewer.sessions", ToAllAlike),
    ("Viewer.unreadCount", ToAllAlike),
    ("Viewer.user", ToAllAlike),
];
