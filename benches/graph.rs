//! What friends cost: 100,000 people, 1,000,000 friendships, on SQLite, through the verbs that the API calls.
//!
//! Some people are popular: the friends of each are spread so that the first has some 3,000, half of all have under 20.
//! `cargo bench --bench graph` prints median and 99th percentile of each, over people picked at random and over the most
//! popular one.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use entity::{friendship, user};
use parlor::{
    chat::{Chat, Viewer},
    model::{Id, Limits, Random, SessionId, UserId, page::PageArguments},
    server::{Server, Settings},
    store,
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use sea_orm::{
    ActiveValue::Set, ConnectionTrait, Database, DatabaseConnection, EntityTrait, TransactionTrait,
    prelude::Uuid,
};

const PEOPLE: usize = 100_000;
const FRIENDSHIPS: usize = 1_000_000;
const CALLS: usize = 2_000;

type Failure = Box<dyn std::error::Error>;

/// Two syllables and more, as names are.
fn name(random: &mut StdRng) -> String {
    const SYLLABLES: [&str; 20] = [
        "an", "be", "ca", "do", "el", "fi", "ga", "ho", "in", "jo", "ka", "li", "ma", "ni", "ol",
        "pe", "ro", "sa", "ti", "wu",
    ];
    let count = random.random_range(2..4);
    (0..count)
        .map(|_| SYLLABLES[random.random_range(0..SYLLABLES.len())])
        .collect()
}

async fn people(
    db: &DatabaseConnection,
    random: &mut StdRng,
) -> Result<(Vec<Uuid>, Vec<String>), Failure> {
    let ids: Vec<_> = (0..PEOPLE)
        .map(|_| Uuid::from_u128(random.random()))
        .collect();
    let handles: Vec<_> = (0..PEOPLE)
        .map(|n| format!("{}_{n}", name(random)))
        .collect();
    let tx = db.begin().await?;
    for (ids, handles) in ids.chunks(2_000).zip(handles.chunks(2_000)) {
        let rows = ids.iter().zip(handles).map(|(id, handle)| {
            let name = name(random);
            user::ActiveModel {
                id: Set(*id),
                handle: Set(handle.clone()),
                display_name: Set(name.clone()),
                search_name: Set(name),
                avatar_url: Set(None),
                password_hash: Set(String::new()),
                created_at: Set(0),
                last_seen_at: Set(None),
                closed_at: Set(None),
            }
        });
        let rows: Vec<_> = rows.collect();
        user::Entity::insert_many(rows)
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok((ids, handles))
}

async fn friendships(
    db: &DatabaseConnection,
    (ids, handles): &(Vec<Uuid>, Vec<String>),
    random: &mut StdRng,
) -> Result<Vec<(usize, usize)>, Failure> {
    let mut pairs = HashSet::with_capacity(FRIENDSHIPS);
    while pairs.len() < FRIENDSHIPS {
        let popular = random.random::<f64>().powi(2);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            clippy::cast_precision_loss,
            reason = "a place among the people"
        )]
        let one = (popular * PEOPLE as f64) as usize % PEOPLE;
        let other = random.random_range(0..PEOPLE);
        if one != other {
            pairs.insert((one.min(other), one.max(other)));
        }
    }
    let pairs: Vec<_> = pairs.into_iter().collect();
    let tx = db.begin().await?;
    for pairs in pairs.chunks(2_000) {
        let mut rows = Vec::with_capacity(pairs.len() * 2);
        for (one, other) in pairs {
            let id = Uuid::from_u128(random.random());
            for (user, friend) in [(one, other), (other, one)] {
                rows.push(friendship::ActiveModel {
                    user_id: Set(ids[*user]),
                    friend_id: Set(ids[*friend]),
                    friend_handle: Set(handles[*friend].clone()),
                    id: Set(id),
                    created_at: Set(0),
                });
            }
        }
        friendship::Entity::insert_many(rows)
            .exec_without_returning(&tx)
            .await?;
    }
    tx.commit().await?;
    Ok(pairs)
}

/// Prints what calls cost that are made one after another.
async fn measure(
    what: &str,
    calls: usize,
    mut call: impl AsyncFnMut(usize) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut times = Vec::with_capacity(calls);
    for n in 0..calls {
        let began = Instant::now();
        call(n).await?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let micros = |time: Duration| time.as_micros();
    let (median, late) = (times[calls / 2], times[calls * 99 / 100]);
    println!(
        "{what:<58} median {:>6} µs   p99 {:>6} µs",
        micros(median),
        micros(late)
    );
    Ok(())
}

fn viewer(user: Uuid) -> Viewer {
    Viewer {
        user: UserId::from_uuid(user),
        session: SessionId::from_uuid(Uuid::nil()),
    }
}

async fn measure_all(
    chat: &Chat,
    store: &store::Store,
    ids: &[Uuid],
    pairs: &[(usize, usize)],
    random: &mut StdRng,
) -> Result<(), Failure> {
    let anybody = |random: &mut StdRng| random.random_range(0..PEOPLE);
    let first_page = PageArguments::default();
    measure("friends, first page, anybody", CALLS, async |_| {
        chat.friends(viewer(ids[anybody(random)]), &first_page)
            .await?;
        Ok(())
    })
    .await?;
    measure("friends, first page, the most popular", 200, async |_| {
        chat.friends(viewer(ids[0]), &first_page).await?;
        Ok(())
    })
    .await?;
    measure("mutualFriends of two who are friends", CALLS, async |_| {
        let (one, other) = pairs[random.random_range(0..pairs.len())];
        chat.mutual_friends(viewer(ids[one]), UserId::from_uuid(ids[other]), &first_page)
            .await?;
        Ok(())
    })
    .await?;
    measure("mutualFriends of the two most popular", 200, async |_| {
        chat.mutual_friends(viewer(ids[0]), UserId::from_uuid(ids[1]), &first_page)
            .await?;
        Ok(())
    })
    .await?;
    measure_gate(store, ids, pairs, random).await?;
    let mut opened = Vec::new();
    measure("openDirectConversation, made", CALLS, async |n| {
        let (one, other) = pairs[n];
        let friend = UserId::from_uuid(ids[other]).to_string();
        let direct = chat
            .open_direct_conversation(viewer(ids[one]), &friend)
            .await?;
        opened.push((one, direct.conversation.id.to_string()));
        Ok(())
    })
    .await?;
    measure(
        "sendMessage between two, gate and commit",
        CALLS,
        async |n| {
            let (one, direct) = &opened[n];
            chat.send_message(viewer(ids[*one]), direct, "hello", None)
                .await?;
            Ok(())
        },
    )
    .await?;
    for search in ["anbe", "an", "wu"] {
        measure(&format!("users(search: \"{search}\")"), 500, async |n| {
            chat.users(viewer(ids[n]), search, &first_page).await?;
            Ok(())
        })
        .await?;
    }
    Ok(())
}

async fn measure_gate(
    store: &store::Store,
    ids: &[Uuid],
    pairs: &[(usize, usize)],
    random: &mut StdRng,
) -> Result<(), Failure> {
    let anybody = |random: &mut StdRng| random.random_range(0..PEOPLE);
    measure("the gate: two who are friends", CALLS, async |n| {
        let (one, other) = pairs[n];
        let friend = [UserId::from_uuid(ids[other])];
        store
            .friends_among(UserId::from_uuid(ids[one]), friend)
            .await?;
        Ok(())
    })
    .await?;
    measure("the gate: two who are not", CALLS, async |_| {
        let (one, other) = (ids[anybody(random)], ids[anybody(random)]);
        store
            .friends_among(UserId::from_uuid(one), [UserId::from_uuid(other)])
            .await?;
        Ok(())
    })
    .await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let directory = tempfile::tempdir()?;
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("graph.db").display()
    );
    let opened = store::open(&url, &Random::from_os()).await?;
    opened.store.close().await;
    opened.writer.close().await;
    let mut random = StdRng::seed_from_u64(1);
    let db = Database::connect(&url).await?;
    db.execute_unprepared("PRAGMA synchronous = OFF").await?;
    let began = Instant::now();
    let people = people(&db, &mut random).await?;
    let pairs = friendships(&db, &people, &mut random).await?;
    let (ids, _) = people;
    db.execute_unprepared("ANALYZE").await?;
    db.close().await?;
    println!(
        "{PEOPLE} people and {FRIENDSHIPS} friendships, made in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let limits = Limits {
        rate_limits: false,
        ..Limits::default()
    };
    let settings = Settings::new(([127, 0, 0, 1], 0).into(), url, limits);
    let server = Server::start(settings).await?;
    let chat = Arc::clone(server.api().chat());
    let store = server.store().clone();
    measure_all(&chat, &store, &ids, &pairs, &mut random).await?;
    server.run_until(std::future::ready(())).await?;
    Ok(())
}
