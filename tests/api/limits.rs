//! Rate limits, counted in a real Redis or, if Redis is down, in the table.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::json;
use support::{App, Client, Redis, Reply, eventually, join_all};

async fn limited(redis: &Redis, limit: &str) -> App {
    let app =
        App::with_variables(&[("REDIS_URL", &redis.url()), ("PUBLIC_API_MAX_ATTEMPTS", limit)])
            .await;
    app.settle().await;
    app
}

/// Calls a rate-limited route with an invalid body. The `x-forwarded-for` header must be ignored.
async fn call(client: &Client, number: usize) -> Reply {
    let path = format!("/leads?number={number}");
    let from = format!("198.51.100.{number}");
    let call = client.send(Method::POST, &path, |request| {
        request.header("x-forwarded-for", from).json(&json!({}))
    });
    call.await
}

fn passed(replies: &[Reply]) -> Vec<&Reply> {
    assert!(replies.iter().all(|reply| [422, 429].contains(&reply.status)), "{replies:?}");
    replies.iter().filter(|reply| reply.status == 422).collect()
}

fn number(reply: &Reply, header: &str) -> u64 {
    reply.header(header).parse().unwrap_or_else(|_| panic!("{header} of {reply:?}"))
}

#[tokio::test]
async fn ten_of_fifty_concurrent_calls_pass_without_a_call_to_the_table() {
    let redis = Redis::start().await;
    let app = limited(&redis, "10").await;
    let before = app.table_calls();
    let replies = join_all((0..50).map(|number| call(&app.client, number))).await;
    assert_eq!(app.table_calls(), before);

    let passed = passed(&replies);
    let left: BTreeSet<_> = passed.iter().map(|r| number(r, "x-ratelimit-remaining")).collect();
    assert_eq!((passed.len(), left), (10, (0..10).collect()));
    for reply in &replies {
        assert_eq!(number(reply, "x-ratelimit-limit"), 10);
        assert!((1..=60).contains(&number(reply, "x-ratelimit-reset")), "{reply:?}");
        match reply.status {
            429 => assert!((1..=6).contains(&number(reply, "retry-after")), "{reply:?}"),
            _ => assert_eq!(reply.header("retry-after"), ""),
        }
    }

    let other_route = app.send(Method::POST, "/leads/x/tenants").await;
    assert_eq!((other_route.status, number(&other_route, "x-ratelimit-remaining")), (401, 9));
    let other_address = call(&app.client.with_source_address([127, 0, 0, 2].into()), 0).await;
    assert_eq!((other_address.status, number(&other_address, "x-ratelimit-remaining")), (422, 9));
}

#[tokio::test]
async fn a_call_after_the_retry_after_time_passes() {
    let redis = Redis::start().await;
    let app = limited(&redis, "30").await;
    let refused = eventually("a refusal", async || {
        let reply = call(&app.client, 0).await;
        (reply.status == 429).then_some(reply)
    });
    let wait = number(&refused.await, "retry-after");
    assert!((1..=2).contains(&wait), "at 30 calls per minute, one is allowed every two seconds");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(call(&app.client, 0).await.status, 422);
}

#[tokio::test]
async fn the_limit_falls_back_to_the_table_while_redis_is_down() {
    let mut redis = Redis::start().await;
    let app = limited(&redis, "10").await;
    assert_eq!(call(&app.client, 0).await.status, 422);
    redis.kill();
    let minute = || lambda::now().seconds() / 60;
    let (started, replies) = (minute(), join_all((0..50).map(|n| call(&app.client, n))).await);
    let most = if started == minute() { 10..=10 } else { 10..=20 };
    assert!(most.contains(&passed(&replies).len()), "{}", passed(&replies).len());
    assert!(replies.iter().all(|reply| number(reply, "x-ratelimit-limit") == 10));

    redis.restart().await;
    eventually("a call that Redis counts", async || {
        let before = app.table_calls();
        call(&app.client, 0).await;
        (app.table_calls() == before).then_some(())
    })
    .await;
}
