use serde_json::json;
use support::{App, lead};

#[tokio::test]
async fn a_lead_verifies_its_email_and_can_read_itself() {
    let app = App::start().await;
    let created = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let id = created.text("/id");
    assert_eq!(created.body, json!({ "id": id }), "the key is only in the email");

    let key = app.key_from_email("ada@acme.test").await;
    let path = format!("/leads/{id}/verify");
    let verified = app.client.post(&key, &path, &json!(null)).await.expect(200);
    assert_eq!(verified.text("/id"), id);
    let again = app.client.post(&key, &path, &json!(null)).await.expect(200);

    let seen = app.client.get(&again.text("/token"), &format!("/leads/{id}")).await.expect(200);
    let changing = ["/id", "/createdOn", "/modifiedOn", "/addressId"];
    insta::assert_json_snapshot!(seen.masked(&changing), @r#"
    {
      "addressId": "…",
      "companyName": "Acme",
      "createdBy": "00000000-0000-0000-0000-000000000000",
      "createdOn": "…",
      "deleted": false,
      "deletedBy": null,
      "deletedOn": null,
      "email": "ada@acme.test",
      "firstName": "Ada",
      "id": "…",
      "isValidated": true,
      "lastName": "Lovelace",
      "modifiedBy": "00000000-0000-0000-0000-000000000000",
      "modifiedOn": "…"
    }
    "#);
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_succeeds() {
    let app = App::start_silent().await;
    let lose_answers = || app.local().calls().fail("PutItem", local::Fault::LoseAnswers(1));
    lose_answers();
    app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    app.settle().await;
    assert_eq!((app.count("/leads").await, app.emails_to("ada@acme.test").len()), (1, 1));
    lose_answers();
    let again = json!({ "email": "ada@acme.test" });
    app.client.post_without_token("/leads/resend", &again).await.expect(204);
    app.settle().await;
    lose_answers();
    app.read("/audit/export").await;
    app.settle().await;
    assert_eq!(app.items_of("audit-note").len(), 1);
    assert_eq!(app.dead_letters(), 0);
}

#[tokio::test]
async fn only_one_of_two_leads_with_the_same_email_can_be_verified() {
    let app = App::start().await;
    let mut leads = Vec::new();
    for email in ["ada@acme.test", "ADA@Acme.test"] {
        let id =
            app.client.post_without_token("/leads", &lead(email)).await.expect(200).text("/id");
        let key = app.verification_key(&id);
        leads.push((format!("/leads/{id}/verify"), key));
    }
    let verify = |(path, key): (String, String)| {
        let client = app.client.clone();
        async move { client.post(&key, &path, &json!(null)).await.status }
    };
    let mut statuses = support::join_all(leads.into_iter().map(verify)).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409]);

    let third = app.client.post_without_token("/leads", &lead("aDa@acme.test")).await.expect(409);
    assert_eq!(third.text("/error/name"), "ConflictError");
}

#[tokio::test]
async fn a_key_of_another_lead_or_an_expired_key_is_refused() {
    let app = App::with_variables(&[("VALIDATION_TOKEN_EXPIRY", "300")]).await;
    let created = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let other = app.client.post_without_token("/leads", &lead("bob@acme.test")).await.expect(200);
    let (id, other) = (created.text("/id"), other.text("/id"));
    let path = format!("/leads/{id}/verify");
    app.client.post(&app.verification_key(&other), &path, &json!(null)).await.expect(401);
    app.client.post("", &path, &json!(null)).await.expect(401);
    tokio::time::sleep(std::time::Duration::from_millis(400)).await;
    app.client.post(&app.verification_key(&id), &path, &json!(null)).await.expect(401);
}

#[tokio::test]
async fn the_response_can_contain_the_key_instead_of_an_email() {
    let app = App::with_variables(&[("LEAD_KEY_IN_RESPONSE", "true")]).await;
    let created = app.client.post_without_token("/leads", &lead("ada@acme.test")).await.expect(200);
    let path = format!("/leads/{}/verify", created.text("/id"));
    app.client.post(&created.text("/key"), &path, &json!(null)).await.expect(200);
    app.settle().await;
    assert_eq!(app.emails_to("ada@acme.test").len(), 0);
}

#[tokio::test]
async fn public_routes_are_rate_limited_by_source_address() {
    let app = App::with_variables(&[("PUBLIC_API_MAX_ATTEMPTS", "3")]).await;
    let minute = || lambda::now().seconds() / 60;
    let (started, mut passed) = (minute(), 0);
    for call in 0..10 {
        let path = format!("/leads?call={call}");
        let forwarded = format!("10.0.0.{call}");
        let reply = app
            .client
            .send(reqwest::Method::POST, &path, |request| {
                request.header("x-forwarded-for", forwarded).json(&json!({}))
            })
            .await;
        if reply.status == 429 {
            assert_eq!(reply.text("/error/name"), "TooManyRequestsError");
        } else {
            reply.expect(422);
            passed += 1;
        }
    }
    // Each minute that begins during the test has a limit of its own.
    let most = 3 * (1 + minute() - started);
    assert!((3..=most).contains(&passed), "{passed} of 10 calls passed, at most {most} may");
}
