//! Redis outages: killed, suspended, refusing, unreachable. No request fails with 5xx, and no read
//! is stale.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

use domain::TenantId;
use lambda::aws::Aws;
use serde_json::json;
use store::Store;
use support::{App, Redis, eventually, join_all, lead};

use crate::cache::{made, open_job, read, rename, report, silent, twice};

/// Runs eight readers while a tenant is repeatedly provisioned and fails. A read between two writes
/// must return the state after the first.
async fn hammer(app: &App, id: TenantId, rounds: usize) {
    let (writes, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    // `writes` is odd during a write. The status is 1 at first, then alternates between 2 and 3.
    let expected = |writes: usize| match writes / 2 {
        0 => 1,
        write if write % 2 == 1 => 2,
        _ => 3,
    };
    let reader = async || {
        let mut compared = 0;
        while !done.load(SeqCst) {
            let before = writes.load(SeqCst);
            let reply = read(app, id).await.expect(200);
            if before.is_multiple_of(2) && writes.load(SeqCst) == before {
                assert_eq!(reply.body["status"], expected(before), "a read after write {before}");
                compared += 1;
            }
        }
        compared
    };
    let writer = async {
        for _ in 0..rounds {
            writes.fetch_add(1, SeqCst);
            open_job(app, id, "provision").await;
            writes.fetch_add(1, SeqCst);
            tokio::time::sleep(Duration::from_millis(60)).await;
            writes.fetch_add(1, SeqCst);
            report(app, id, 0, "failure").await;
            writes.fetch_add(1, SeqCst);
            tokio::time::sleep(Duration::from_millis(60)).await;
        }
        done.store(true, SeqCst);
    };
    let (compared, ()) = tokio::join!(join_all((0..8).map(|_| reader())), writer);
    assert!(compared.iter().sum::<usize>() > rounds, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    hammer(&app, id, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_are_never_stale_while_redis_restarts() {
    let mut redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    let restarts = async {
        loop {
            redis.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            redis.restart().await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
    };
    tokio::select! {
        () = restarts => {}
        () = hammer(&app, id, 40) => {}
    }
}

#[tokio::test]
async fn entries_of_a_restarted_redis_that_missed_a_write_are_ignored() {
    let mut redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    assert_eq!(twice(&app, id, "/name").await, [(json!("Acme"), 1), (json!("Acme"), 0)]);
    redis.kill();
    rename(&app, id, "Renamed").await;
    redis.restart().await;
    let entry = redis.command(&["GET", &redis.command(&["KEYS", "*:tenant:*"]).unwrap()]).unwrap();
    assert!(entry.contains("\"Acme\""), "no old entry: {entry}");
    // A second process does not know that the invalidation failed.
    let env = app.local().env();
    let stranger = Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap();
    let seen = stranger.tenant_for_display(id).await.unwrap();
    assert_eq!(serde_json::to_value(seen.item.name).unwrap(), "Renamed");
    assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
    eventually("a read from Redis", async || {
        let before = app.table_calls();
        read(&app, id).await.expect(200);
        (app.table_calls() == before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_suspended_redis_delays_no_request_and_is_not_stale_when_resumed() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    twice(&app, id, "/name").await;
    redis.set_suspended(true);
    let started = Instant::now();
    rename(&app, id, "Renamed").await;
    for _ in 0..20 {
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    redis.set_suspended(false);
    for _ in 0..20 {
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn an_unreachable_redis_changes_nothing() {
    let redis = Redis::start().await;
    for url in ["redis://127.0.0.1:1".to_owned(), redis.url().replace("redis:", "rediss:")] {
        let app = App::with_variables(&[("REDIS_URL", &url)]).await;
        let id = made(&app, "acme").await;
        assert_eq!(read(&app, id).await.expect(200).body["status"], 1);
        let lead = app.client.post_without_token("/leads", &lead("ada@acme.test")).await;
        assert_eq!(lead.expect(200).header("x-ratelimit-limit"), "100000");
    }
}

#[tokio::test]
async fn a_failed_invalidation_is_repeated_before_the_next_cached_read() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    assert_eq!(twice(&app, id, "/name").await[1], (json!("Acme"), 0));
    redis.command(&["CONFIG", "SET", "requirepass", "pw"]).unwrap();
    redis.command(&["-a", "pw", "CLIENT", "KILL", "TYPE", "normal"]).unwrap();
    rename(&app, id, "Renamed").await;
    assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
    redis.command(&["-a", "pw", "CONFIG", "SET", "requirepass", ""]).unwrap();
    let entry = redis.command(&["GET", &redis.command(&["KEYS", "*:tenant:*"]).unwrap()]).unwrap();
    assert!(entry.contains("\"Acme\""), "no old entry: {entry}");
    eventually("a read from Redis", async || {
        let before = app.table_calls();
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
        (app.table_calls() == before).then_some(())
    })
    .await;
}
