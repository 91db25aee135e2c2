//! Many people in many conversations at once: one order, nothing lost, nothing twice.
//! `LOAD_SECONDS` makes the runs longer.

use std::time::Duration;

use tokio::sync::watch;

use crate::support::{
    TestApp,
    ledger::{Ledger, Totals, setting},
};

async fn talk(cut: f64) -> Totals {
    let app = TestApp::start().await;
    let mut ledger = Ledger::prepare(&app.url, 64, 16).await;
    let (_server, whereabouts) = watch::channel(Some(app.url.clone()));
    ledger.begin(&whereabouts, cut);
    tokio::time::sleep(Duration::from_secs(setting("LOAD_SECONDS", 2))).await;
    let totals = ledger.settle(&app.url).await;
    println!("{totals:?}");
    assert_eq!(
        totals.stored, totals.acknowledged,
        "everything that is stored was acknowledged in the end"
    );
    assert_eq!(
        totals.heard,
        4 * totals.stored,
        "everybody heard everything"
    );
    totals
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_people_in_sixteen_groups_hear_one_order() {
    let totals = talk(0.0).await;
    assert!(totals.stored > 500, "{totals:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_whose_connections_are_cut_miss_nothing_and_repeat_nothing() {
    let totals = talk(0.05).await;
    assert!(
        totals.cuts > 20 && totals.retries > 10 && totals.stored > 100,
        "{totals:?}"
    );
}
