//! A Redis that is killed, hangs, refuses and comes back: nobody is answered 5xx, and no read is older
//! than a write.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    time::{Duration, Instant},
};

use serde_json::json;
use shared::{aws::Aws, domain::TenantId, store::Store};
use support::{App, Redis, at_once, eventually, lead};

use crate::cache::{made, open_job, read, rename, report, silent, twice};

/// Eight readers all the while that a tenant is provisioned, in vain, again and again. Whatever is
/// read between two writes is what the first of them wrote.
async fn hammer(app: &App, id: TenantId, rounds: usize) {
    let (writes, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    // Odd while a write is under way. The statuses: 1, then 2 and 3 by turns.
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
    let (compared, ()) = tokio::join!(at_once((0..8).map(|_| reader())), writer);
    assert!(compared.iter().sum::<usize>() > rounds, "{compared:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_reader_sees_what_was_before_a_write_that_is_done() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    hammer(&app, id, 20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nor_where_redis_is_killed_and_started_again_all_the_while() {
    let mut redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    let unrest = async {
        loop {
            redis.kill();
            tokio::time::sleep(Duration::from_millis(300)).await;
            redis.restart().await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
        }
    };
    tokio::select! {
        () = unrest => {}
        () = hammer(&app, id, 40) => {}
    }
}

#[tokio::test]
async fn what_comes_back_with_a_redis_that_missed_a_write_is_not_believed() {
    let mut redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    assert_eq!(twice(&app, id, "/name").await, [(json!("Acme"), 1), (json!("Acme"), 0)]);
    redis.kill();
    rename(&app, id, "Renamed").await;
    redis.restart().await;
    let held = redis.ask(&["GET", &redis.ask(&["KEYS", "*:tenant:*"]).unwrap()]).unwrap();
    assert!(held.contains("\"Acme\""), "the old entry is back: {held}");
    // Another process, which knows of no write that failed.
    let env = app.local().env();
    let stranger = Store::from_env(&env, &Aws::from_env(&env).unwrap()).unwrap();
    let seen = stranger.tenant_to_show(id).await.unwrap();
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
async fn a_redis_that_hangs_holds_nobody_up_and_has_forgotten_when_it_goes_on() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    twice(&app, id, "/name").await;
    redis.hang(true);
    let started = Instant::now();
    rename(&app, id, "Renamed").await;
    for _ in 0..20 {
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
    }
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    redis.hang(false);
    for _ in 0..20 {
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn a_redis_that_is_not_there_or_speaks_otherwise_changes_nothing() {
    let redis = Redis::start().await;
    for url in ["redis://127.0.0.1:1".to_owned(), redis.url().replace("redis:", "rediss:")] {
        let app = App::with(&[("REDIS_URL", &url)]).await;
        let id = made(&app, "acme").await;
        assert_eq!(read(&app, id).await.expect(200).body["status"], 1);
        let lead = app.client.post_openly("/leads", &lead("ada@acme.test")).await;
        assert_eq!(lead.expect(200).header("x-ratelimit-limit"), "100000");
    }
}

#[tokio::test]
async fn who_could_not_tell_redis_of_a_write_tells_it_before_the_next_read() {
    let redis = Redis::start().await;
    let app = silent(&redis).await;
    let id = made(&app, "acme").await;
    assert_eq!(twice(&app, id, "/name").await[1], (json!("Acme"), 0));
    redis.ask(&["CONFIG", "SET", "requirepass", "pw"]).unwrap();
    redis.ask(&["-a", "pw", "CLIENT", "KILL", "TYPE", "normal"]).unwrap();
    rename(&app, id, "Renamed").await;
    assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
    redis.ask(&["-a", "pw", "CONFIG", "SET", "requirepass", ""]).unwrap();
    let held = redis.ask(&["GET", &redis.ask(&["KEYS", "*:tenant:*"]).unwrap()]).unwrap();
    assert!(held.contains("\"Acme\""), "the old entry is still there: {held}");
    eventually("a read from Redis", async || {
        let before = app.table_calls();
        assert_eq!(read(&app, id).await.expect(200).body["name"], "Renamed");
        (app.table_calls() == before).then_some(())
    })
    .await;
}
