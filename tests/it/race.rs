//! Two things at once: whichever comes first, everybody is told what became of theirs, and what is stored makes sense.
//!
//! Each race is run a few rounds here, first in either order, and 1,000 by `make races`.

use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};

use crate::support::{Client, Reply, Socket, TestApp, ledger::setting};

/// Rounds of one race, with chance to decide which side goes first by how much.
struct Race {
    name: &'static str,
    rounds: u64,
    random: StdRng,
    run: u64,
    /// How often which came first.
    orders: [u64; 2],
}

impl Race {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            rounds: setting("RACES", 10),
            random: StdRng::seed_from_u64(7),
            run: 0,
            orders: [0, 0],
        }
    }

    /// Both at once, one of them up to a millisecond and a half later.
    async fn run<A, B>(
        &mut self,
        one: impl Future<Output = A>,
        other: impl Future<Output = B>,
    ) -> (A, B) {
        self.run += 1;
        match self.run {
            // Each order once for certain, the rest by chance.
            1 => {
                let first = one.await;
                return (first, other.await);
            }
            2 => {
                let first = other.await;
                return (one.await, first);
            }
            _ => {}
        }
        let micros = self.random.random_range(-1_500_i64..1_500);
        let later = |micros: i64| Duration::from_micros(u64::try_from(micros).unwrap_or(0));
        let (one_waits, other_waits) = (later(micros), later(-micros));
        tokio::join!(
            async {
                tokio::time::sleep(one_waits).await;
                one.await
            },
            async {
                tokio::time::sleep(other_waits).await;
                other.await
            }
        )
    }

    fn saw(&mut self, first: usize) {
        self.orders[first] += 1;
    }

    fn finish(self) {
        println!(
            "race: {}: {} rounds, orders {:?}",
            self.name, self.rounds, self.orders
        );
        assert!(
            self.orders.iter().all(|seen| *seen > 0),
            "{}: {:?}",
            self.name,
            self.orders
        );
    }
}

async fn with_user(who: &Client, field: &str, selection: &str, whom: &Client) -> Reply {
    who.mutate(field, selection, json!({"userId": whom.id}))
        .await
}

async fn in_place(who: &Client, field: &str, selection: &str, conversation: &str) -> Reply {
    let input = json!({"conversationId": conversation});
    who.mutate(field, selection, input).await
}

async fn change_role(who: &Client, group: &str, whom: &Client, role: &str) -> Reply {
    let input = json!({"conversationId": group, "userId": whom.id, "role": role});
    who.mutate("changeMemberRole", "membership{role}", input)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_ask_each_other_are_friends_by_one_request() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut race = Race::new("two ask each other");
    let asked = "friendRequest{id status} friendship{id}";
    for _ in 0..race.rounds {
        let (hers, his) = race
            .run(
                with_user(&alice, "sendFriendRequest", asked, &bob),
                with_user(&bob, "sendFriendRequest", asked, &alice),
            )
            .await;
        assert_eq!((hers.refusals(), his.refusals()), (vec![], vec![]));
        assert_eq!(
            hers.at("/friendRequest/id"),
            his.at("/friendRequest/id"),
            "one request"
        );
        let made = [&hers, &his].map(|reply| reply.at("/friendship").is_object());
        assert_ne!(made[0], made[1], "the second to come makes the friendship");
        race.saw(usize::from(made[0]));
        let ended = with_user(&alice, "removeFriend", "removedFriendshipId", &bob).await;
        assert_eq!(ended.refusals(), []);
    }
    let count =
        "{viewer{friends{totalCount} friendRequests(direction:SENT,status:ACCEPTED){totalCount}}}";
    let hers = alice.query(count, json!({})).await;
    let his = bob.query(count, json!({})).await;
    let requests = |of: &Reply| of.number("/viewer/friendRequests/totalCount");
    assert_eq!(requests(&hers) + requests(&his), race.rounds as i64);
    assert_eq!(hers.number("/viewer/friends/totalCount"), 0);
    race.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn accepting_against_withdrawing_has_one_winner() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let mut race = Race::new("accept against cancel");
    for _ in 0..race.rounds {
        let asked = with_user(&alice, "sendFriendRequest", "friendRequest{id}", &bob).await;
        let input = json!({"friendRequestId": asked.text("/friendRequest/id")});
        let (accepted, cancelled) = race
            .run(
                bob.mutate(
                    "acceptFriendRequest",
                    "friendRequest{status}",
                    input.clone(),
                ),
                alice.mutate("cancelFriendRequest", "friendRequest{status}", input),
            )
            .await;
        let won = [&accepted, &cancelled].map(|reply| reply.refusals().is_empty());
        assert_ne!(won[0], won[1], "{accepted:?} {cancelled:?}");
        race.saw(usize::from(won[1]));
        let loser = if won[0] { &cancelled } else { &accepted };
        loser.is_refused("WRONG_STATE", "friendRequestId");
        let ended = with_user(&alice, "removeFriend", "removedFriendshipId", &bob).await;
        assert_eq!(
            ended.refusals().is_empty(),
            won[0],
            "friends if he accepted"
        );
    }
    race.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_open_a_direct_conversation_at_once_open_the_same() {
    let app = TestApp::start().await;
    let alice = app.sign_up("alice").await;
    let mut race = Race::new("two open the same direct conversation");
    for n in 0..race.rounds {
        let bob = app.sign_up(&format!("bob_{n}")).await;
        alice.befriend(&bob).await;
        let (hers, his) = race
            .run(alice.open_direct(&bob), bob.open_direct(&alice))
            .await;
        assert_eq!(hers.at("/conversation/id"), his.at("/conversation/id"));
        let made = [&hers, &his].map(|reply| reply.at("/wasCreated") == &json!(true));
        assert_ne!(made[0], made[1], "one of them made it");
        race.saw(usize::from(made[1]));
        assert_eq!(hers.number("/conversation/memberCount"), 2);
    }
    race.finish();
}

/// What a listener heard until the stream ended.
async fn heard_to_the_end(socket: &mut Socket, id: &str) -> Vec<String> {
    let mut texts = Vec::new();
    loop {
        let heard = socket.hear().await;
        if heard["id"] != id {
            continue;
        }
        if heard["type"] == "complete" {
            return texts;
        }
        let text = &heard["payload"]["data"]["messageSent"]["text"];
        texts.push(
            text.as_str()
                .unwrap_or_else(|| panic!("{heard}"))
                .to_owned(),
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_acknowledged_to_the_removed_and_nothing_heard_after_it() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let group = alice.group("Walks", &[&bob]).await;
    let there = json!({"conversationId": group, "userId": bob.id});
    let back = json!({"conversationId": group, "userIds": [bob.id]});
    let mut race = Race::new("removal against sending");
    let mut his = bob.socket().await;
    for n in 0..race.rounds {
        let id = n.to_string();
        his.follow(&id, &group, None).await;
        let (before, after) = (format!("before {n}"), format!("after {n}"));
        let (sent, removed) = race
            .run(
                bob.send(&group, &before, Some(&id)),
                alice.mutate("removeMember", "removedMembershipId", there.clone()),
            )
            .await;
        assert_eq!(removed.refusals(), []);
        let last = alice.say(&group, &after).await;
        let came_before = sent.refusals().is_empty();
        race.saw(usize::from(!came_before));
        if came_before {
            assert_eq!(sent.number("/messageEdge/node/seq"), last - 1);
        } else {
            sent.is_refused("NOT_FOUND", "conversationId");
        }
        let heard = heard_to_the_end(&mut his, &id).await;
        let expected = if came_before { vec![before] } else { vec![] };
        assert_eq!(
            heard, expected,
            "all that was said before his removal and nothing after"
        );
        alice
            .mutate("addMembers", "conversation{id}", back.clone())
            .await;
    }
    let texts = alice.texts(&group).await;
    let his = texts
        .iter()
        .filter(|text| text.starts_with("before"))
        .count();
    assert_eq!(
        his as u64, race.orders[0],
        "what was not acknowledged is not there"
    );
    race.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_keeps_an_owner_when_the_last_one_leaves_while_another_is_made() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let carol = app.sign_up("carol").await;
    let mut race = Race::new("last owner leaving against promotion");
    let roles = "query($c:ID!){conversation(id:$c){members{edges{node{role}}}}}";
    for _ in 0..race.rounds {
        let group = alice.group("Walks", &[&bob, &carol]).await;
        let (promoted, left) = race
            .run(
                change_role(&alice, &group, &bob, "OWNER"),
                in_place(&alice, "leaveConversation", "leftConversationId", &group),
            )
            .await;
        assert_eq!(promoted.refusals(), [], "she could not have left before");
        let came_first = left.refusals().is_empty();
        if !came_first {
            left.is_refused("WRONG_STATE", "");
        }
        race.saw(usize::from(!came_first));
        let members = bob.query(roles, json!({ "c": group })).await;
        let edges = members.at("/conversation/members/edges").as_array();
        let owners = edges
            .expect("edges")
            .iter()
            .filter(|edge| edge["node"]["role"] == "OWNER");
        assert_eq!(owners.count(), 1, "{members:?}");
        let given_twice = tokio::join!(
            change_role(&bob, &group, &carol, "OWNER"),
            change_role(&bob, &group, &carol, "MEMBER"),
        );
        let now = change_role(&bob, &group, &carol, "ADMIN").await;
        assert!(
            given_twice.0.refusals().is_empty()
                && now.refusals() == [("FORBIDDEN".into(), String::new())],
            "who has given it away gives nothing any more: {given_twice:?} {now:?}"
        );
    }
    race.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn one_person_who_joins_from_two_devices_is_one_member() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    let channel = alice.channel("Cats").await;
    let mut race = Race::new("two joins of one user");
    let selection = "membership{id joinedAt conversation{memberCount}}";
    // Another device of his has a connection of its own.
    let his_other = Client::new(&app.url, bob.token.as_deref());
    let joining = async |device: &Client| {
        let joined = in_place(device, "joinChannel", selection, &channel).await;
        (joined, Instant::now())
    };
    for _ in 0..race.rounds {
        let ((one, at), (other, other_at)) = race.run(joining(&bob), joining(&his_other)).await;
        let answered = [at, other_at];
        assert_eq!((one.refusals(), other.refusals()), (vec![], vec![]));
        assert_eq!(
            one.at("/membership"),
            other.at("/membership"),
            "one membership"
        );
        assert_eq!(
            one.at("/membership/conversation/memberCount"),
            &Value::from(2)
        );
        race.saw(usize::from(answered[1] < answered[0]));
        let left = in_place(&bob, "leaveConversation", "leftConversationId", &channel).await;
        assert_eq!(left.refusals(), []);
    }
    race.finish();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_between_two_after_their_friendship_ended() {
    let app = TestApp::start().await;
    let (alice, bob) = app.alice_and_bob().await;
    alice.befriend(&bob).await;
    let direct = alice.direct(&bob).await;
    let mut race = Race::new("unfriending against sending");
    for n in 0..race.rounds {
        let (sent, ended) = race
            .run(
                bob.send(&direct, &n.to_string(), None),
                with_user(&alice, "removeFriend", "removedFriendshipId", &bob),
            )
            .await;
        assert_eq!(ended.refusals(), []);
        let came_before = sent.refusals().is_empty();
        race.saw(usize::from(!came_before));
        if !came_before {
            sent.is_refused("NOT_FRIENDS", "");
        }
        bob.send(&direct, "after", None)
            .await
            .is_refused("NOT_FRIENDS", "");
        alice.befriend(&bob).await;
    }
    let stored = alice.history(&direct).await.len() as u64;
    assert_eq!(
        stored, race.orders[0],
        "what was not acknowledged is not there"
    );
    race.finish();
}
