use serde_json::{Value, json};
use support::{App, join_all, lead};

/// Delivers every event to its consumers again, newest first.
async fn deliver_all_again(app: &App) {
    for event in app.events() {
        let kind = event["detail-type"].as_str().unwrap();
        if matches!(
            kind,
            "LEAD_CREATED" | "TENANT_PROVISIONING_SUCCESS" | "TENANT_PROVISIONING_FAILURE"
        ) {
            app.invoke("mailer", event.clone()).await.unwrap();
        }
        if kind.starts_with("TENANT_") {
            app.invoke("pipelines", event.clone()).await.unwrap();
        }
    }
}

#[tokio::test]
async fn events_delivered_repeatedly_in_reverse_order_change_nothing() {
    let app = App::start().await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let (tenant, _) = app.provisioning("acme", "PREMIUM").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    app.settle().await;
    let counts = |app: &App| (app.emails().len(), app.executions(), app.job_secrets().len());
    let before = (counts(&app), app.items());
    assert_eq!(before.0, (2, 1, 0));

    for _ in 0..2 {
        deliver_all_again(&app).await;
    }
    app.settle().await;
    assert_eq!((counts(&app), app.items()), before);
}

#[tokio::test]
async fn six_concurrent_deliveries_of_one_event_send_one_email() {
    let app = App::start().await;
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    let mut event = app.events_of("LEAD_CREATED").remove(0);
    event["detail"]["id"] = json!("another#1");
    event["detail"]["lead"]["email"] = json!("twin@acme.test");
    let deliveries = (0..6).map(|_| app.invoke("mailer", event.clone()));
    assert!(join_all(deliveries).await.into_iter().all(|delivered| delivered.is_ok()));
    assert_eq!(app.emails_to("twin@acme.test").len(), 1);
}

#[tokio::test]
async fn a_late_start_event_does_not_start_a_second_build() {
    let app = App::start().await;
    let (tenant, _) = app.provisioning("acme", "BASIC").await;
    app.wait_for_status(&tenant.to_string(), 0).await;
    app.settle().await;
    let start = app.events_of("TENANT_PROVISIONING").remove(0);
    app.invoke("pipelines", start).await.unwrap();
    assert_eq!((app.executions(), app.job_secrets().len()), (1, 0));
}

#[tokio::test]
async fn a_temporary_failure_of_the_bus_loses_no_event() {
    let app = App::start().await;
    app.set_failing("PutEvents", true);
    let lead = app.verified_lead("ada@acme.test").await;
    let body = json!({ "key": "acme", "domains": ["acme.test"] });
    let made = app.client.post(&lead.token, &format!("/leads/{}/tenants", lead.id), &body).await;
    let tenant = made.expect(200).text("/id");
    let path = format!("/tenants/{tenant}/provision");
    app.client.post(&lead.token, &path, &support::subscription("BASIC")).await.expect(204);
    app.wait_for_calls("PutEvents", 3).await;
    assert_eq!(app.events(), Vec::<Value>::new());

    app.set_failing("PutEvents", false);
    app.wait_for_status(&tenant, 0).await;
    app.settle().await;
    assert_eq!((app.emails().len(), app.executions(), app.dead_letters()), (2, 1, 0));
}

#[tokio::test]
async fn a_temporary_failure_of_a_service_duplicates_no_effect() {
    for action in ["SendEmail", "CreateSecret", "StartPipelineExecution", "UpdateItem", "Query"] {
        let app = App::start().await;
        let lead = app.verified_lead("ada@acme.test").await;
        let body = json!({ "key": "acme", "domains": ["acme.test"] });
        let path = format!("/leads/{}/tenants", lead.id);
        let tenant = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
        let path = format!("/tenants/{tenant}/provision");
        app.client.post(&lead.token, &path, &support::subscription("BASIC")).await.expect(204);
        app.set_failing(action, true);
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        app.set_failing(action, false);
        app.wait_for_status(&tenant, 0).await;
        app.settle().await;
        assert_eq!((app.emails().len(), app.executions()), (2, 1), "{action}");
    }
}

#[tokio::test]
async fn an_entry_without_an_answer_is_published_again_with_one_effect() {
    let app = App::start().await;
    app.local().calls().fail("PutEvents", local::Fault::LoseAnswers(2));
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    assert_eq!(
        app.events_of("LEAD_CREATED").len(),
        1,
        "one event, even if it was published repeatedly"
    );
    assert_eq!(app.emails_to("ada@acme.test").len(), 1, "one email");
}
