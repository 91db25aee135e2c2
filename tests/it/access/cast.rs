//! Who is who, and what there is to see.

use serde_json::json;

use crate::support::{Client, TestApp};

/// Everybody who may ask. The order is that of the columns of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Anonymous,
    Stranger,
    Member,
    Removed,
    Banned,
    Blocked,
    Admin,
    Owner,
}

use Who::{Admin, Anonymous, Banned, Blocked, Member, Owner, Removed, Stranger};

pub(super) const EVERYBODY: [Who; 8] = [
    Anonymous, Stranger, Member, Removed, Banned, Blocked, Admin, Owner,
];

/// Something private, and who may see it.
pub(super) struct Thing {
    /// Its type.
    pub(super) of: &'static str,
    /// Which of them.
    pub(super) name: &'static str,
    pub(super) id: String,
    pub(super) seen_by: &'static [Who],
}

/// The people and what lies between them.
pub(super) struct Cast {
    people: Vec<Client>,
    /// One of every sort that can be had by an identifier.
    pub(super) things: Vec<Thing>,
    pub(super) group: String,
    pub(super) channel: String,
    /// Of the owner and the member.
    pub(super) direct: String,
    /// From the stranger to the owner.
    pub(super) request: String,
    /// Of the owner.
    pub(super) session: String,
}

pub(super) const MEMBERS: &[Who] = &[Member, Admin, Owner];
pub(super) const READERS: &[Who] = &[Stranger, Member, Removed, Blocked, Admin, Owner];
const ALL: &[Who] = &EVERYBODY;

impl Cast {
    pub(super) fn client(&self, who: Who) -> &Client {
        &self.people[who as usize]
    }

    pub(super) fn id(&self, who: Who) -> &str {
        &self.client(who).id
    }

    pub(super) async fn assemble(app: &TestApp) -> Self {
        let mut people = vec![app.anonymous()];
        for who in &EVERYBODY[1..] {
            people.push(app.sign_up(&format!("{who:?}").to_lowercase()).await);
        }
        let [_, stranger, member, removed, banned, blocked, admin, owner] = &people[..] else {
            panic!("eight people");
        };
        let group = owner
            .group("Walks", &[member, removed, banned, admin])
            .await;
        let channel = owner.channel("Cats").await;
        for person in [member, removed, banned, admin] {
            person.join(&channel).await;
        }
        owner.befriend(blocked).await;
        let direct = owner.direct(member).await;
        let read_only = owner.direct(blocked).await;
        for conversation in [&group, &channel, &direct, &read_only] {
            owner.send(conversation, "hello", Some("key")).await;
        }
        give_roles(&people, [&group, &channel]).await;
        let whom = |person: &Client| json!({"userId": person.id});
        let block = owner
            .mutate("blockUser", "block{id}", whom(blocked))
            .await
            .text("/block/id");
        let request = stranger
            .mutate("sendFriendRequest", "friendRequest{id}", whom(owner))
            .await
            .text("/friendRequest/id");
        let own = owner.query("{viewer{id sessions{id}}}", json!({})).await;
        let session = own.text("/viewer/sessions/0/id");
        let friend = "query($by:UserByInput!){user(by:$by){viewerRelationship{friendship{id}}}}";
        let friendship = owner
            .query(friend, json!({"by": {"id": member.id}}))
            .await
            .text("/user/viewerRelationship/friendship/id");
        let mut things = vec![
            thing("Block", "the owner's", block, &[Owner]),
            thing(
                "FriendRequest",
                "from the stranger",
                request.clone(),
                &[Stranger, Owner],
            ),
            thing(
                "Friendship",
                "with the member",
                friendship,
                &[Member, Owner],
            ),
            thing("Session", "the owner's", session.clone(), &[Owner]),
            thing("Viewer", "the owner's", own.text("/viewer/id"), &[Owner]),
            thing("User", "the owner", owner.id.clone(), ALL),
            thing("User", "the blocked one", blocked.id.clone(), ALL),
        ];
        things.extend(things_inside(owner, [&group, &channel, &direct, &read_only]).await);
        Self {
            people,
            things,
            group,
            channel,
            direct,
            request,
            session,
        }
    }
}

fn thing(of: &'static str, name: &'static str, id: String, seen_by: &'static [Who]) -> Thing {
    Thing {
        of,
        name,
        id,
        seen_by,
    }
}

/// An admin, somebody who was removed, and somebody who was banned.
async fn give_roles(people: &[Client], conversations: [&String; 2]) {
    let who = |who: Who| &people[who as usize];
    let (owner, admin, removed, banned) = (who(Owner), who(Admin), who(Removed), who(Banned));
    for conversation in conversations {
        let there = |person: &Client| json!({"conversationId": conversation, "userId": person.id});
        let mut role = there(admin);
        role["role"] = json!("ADMIN");
        owner.mutate("changeMemberRole", "__typename", role).await;
        let removing = there(removed);
        owner.mutate("removeMember", "__typename", removing).await;
        let mut ban = there(banned);
        ban["ban"] = json!(true);
        owner.mutate("removeMember", "__typename", ban).await;
    }
}

/// Each conversation, a message in it and the owner's membership.
async fn things_inside(owner: &Client, conversations: [&String; 4]) -> Vec<Thing> {
    let [group, channel, direct, read_only] = conversations;
    let mut things = Vec::new();
    let places: [(&str, &String, &[Who]); 4] = [
        ("group", group, MEMBERS),
        ("channel", channel, READERS),
        ("direct", direct, &[Member, Owner]),
        ("read-only direct", read_only, &[Blocked, Owner]),
    ];
    for (name, conversation, seen_by) in places {
        let inside = "query($c:ID!){conversation(id:$c){lastMessage{id} viewerMembership{id}}}";
        let inside = owner.query(inside, json!({ "c": conversation })).await;
        let message = inside.text("/conversation/lastMessage/id");
        let membership = inside.text("/conversation/viewerMembership/id");
        things.push(thing("Conversation", name, conversation.clone(), seen_by));
        things.push(thing("Message", name, message, seen_by));
        things.push(thing("Membership", name, membership, seen_by));
    }
    things
}
