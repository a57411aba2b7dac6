//! Rate limits (CONTRACT §9), counted in a real Redis and, where that is gone, in the table.

use std::{collections::BTreeSet, time::Duration};

use reqwest::Method;
use serde_json::json;
use support::{App, Client, Redis, Reply, at_once, eventually};

async fn limited(redis: &Redis, limit: &str) -> App {
    let app = App::with(&[("REDIS_URL", &redis.url()), ("PUBLIC_API_MAX_ATTEMPTS", limit)]).await;
    app.settle().await;
    app
}

/// A call of a limited route that gets no further than its body.
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
async fn of_fifty_calls_at_once_ten_pass_and_the_table_hears_of_none() {
    let redis = Redis::start().await;
    let app = limited(&redis, "10").await;
    let before = app.table_calls();
    let replies = at_once((0..50).map(|number| call(&app.client, number))).await;
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
    let other_address = call(&app.client.from_address([127, 0, 0, 2].into()), 0).await;
    assert_eq!((other_address.status, number(&other_address, "x-ratelimit-remaining")), (422, 9));
}

#[tokio::test]
async fn who_waits_as_long_as_told_may_call_again() {
    let redis = Redis::start().await;
    let app = limited(&redis, "30").await;
    let refused = eventually("a refusal", async || {
        let reply = call(&app.client, 0).await;
        (reply.status == 429).then_some(reply)
    });
    let wait = number(&refused.await, "retry-after");
    assert!((1..=2).contains(&wait), "one of thirty calls a minute is free every two seconds");
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(call(&app.client, 0).await.status, 422);
}

#[tokio::test]
async fn without_its_redis_a_limit_is_the_table_s_and_with_it_again_redis() {
    let mut redis = Redis::start().await;
    let app = limited(&redis, "10").await;
    assert_eq!(call(&app.client, 0).await.status, 422);
    redis.kill();
    let minute = || shared::now().seconds() / 60;
    let (started, replies) = (minute(), at_once((0..50).map(|n| call(&app.client, n))).await);
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
