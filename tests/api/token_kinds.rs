//! Kinds of tokens: the header's `typ` marks a lead's token, and all others are operators' tokens.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use domain::{LeadId, Permission, TenantId};
use serde_json::{Value, json};
use support::{
    App, VerifiedLead, invoice, subscription, tenant,
    token::{LEAD, OPERATOR, claims, token, with, without},
};

fn all() -> Value {
    let all: Vec<_> = Permission::ALL.iter().map(ToString::to_string).collect();
    with(claims(&[]), "permissions", all)
}

/// Decodes the part of a token at `position`.
fn part(token: &str, position: usize) -> Value {
    let part = token.split('.').nth(position).unwrap();
    serde_json::from_slice(&BASE64.decode(part).unwrap()).unwrap()
}

/// Creates an active tenant of the lead and returns its ID.
async fn active(app: &App, lead: &VerifiedLead, key: &str) -> String {
    let body = json!({ "key": key, "domains": ["acme.test"] });
    let path = format!("/leads/{}/tenants", lead.id);
    let id = app.client.post(&lead.token, &path, &body).await.expect(200).text("/id");
    let path = format!("/tenants/{id}/provision");
    app.client.post(&lead.token, &path, &subscription("BASIC")).await.expect(204);
    app.wait_for_status(&id, 0).await;
    id
}

/// ARC SaaS facades sign such tokens for their users.
#[tokio::test]
async fn an_operator_token_with_equal_ids_has_its_permissions() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let acme = app.tenant("acme").await;
    for id in [
        TenantId::generate().to_string(),
        LeadId::generate().to_string(),
        ada.id.clone(),
        acme.clone(),
    ] {
        let claims = with(with(all(), "id", id.as_str()), "userTenantId", id.as_str());
        let facade = token(OPERATOR, &claims.to_string());
        let listed = app.client.get(&facade, "/tenants").await.expect(200);
        assert!(listed.each("id").contains(&json!(acme)), "{id}");
        let count = app.client.get(&facade, "/tenants/count").await.expect(200);
        assert_eq!(count.body["count"], listed.items().len());
        app.client.get(&facade, &format!("/leads/{}", ada.id)).await.expect(200);
        app.client.get(&facade, "/overview").await.expect(200);
        let made = app.client.post(&facade, "/invoices", &invoice(&acme)).await.expect(200);
        assert_eq!(made.text("/createdBy"), id);
        let key = format!("t{}", &id.replace('-', "")[26..32]);
        let made = app.client.post(&facade, "/tenants", &tenant(&key)).await.expect(200);
        assert_eq!(made.text("/createdBy"), id);
        let path = format!("/tenants/{}/provision", made.text("/id"));
        app.client.post(&facade, &path, &subscription("BASIC")).await.expect(204);
        // Only a lead's own token can convert the lead.
        let path = format!("/leads/{}/tenants", ada.id);
        let body = json!({ "key": "own", "domains": ["acme.test"] });
        app.client.post(&facade, &path, &body).await.expect(401);
    }
}

#[tokio::test]
async fn a_token_without_an_id_acts_as_the_system_user() {
    let app = App::with_variables(&[("SYSTEM_USER_ID", "system-7f")]).await;
    let acme = app.tenant("acme").await;
    for claims in [
        without(all(), "id"),
        without(without(all(), "id"), "userTenantId"),
        with(all(), "id", Value::Null),
        with(all(), "id", ""),
    ] {
        let facade = token(OPERATOR, &claims.to_string());
        let made = app.client.post(&facade, "/invoices", &invoice(&acme)).await.expect(200);
        assert_eq!(made.text("/createdBy"), "system-7f");
        let path = format!("/invoices/{}", made.text("/id"));
        app.client.patch(&facade, &path, &json!({ "amount": 5 })).await.expect(204);
        assert_eq!(app.read(&path).await.text("/modifiedBy"), "system-7f");
    }
}

#[tokio::test]
async fn only_the_typ_header_marks_a_lead_token() {
    let app = App::start().await;
    let (ada, bob) =
        (app.verified_lead("ada@acme.test").await, app.verified_lead("bob@acme.test").await);
    let acme = active(&app, &ada, "acme").await;
    assert_eq!(part(&ada.token, 0)["typ"], "lead+jwt");
    let signed = part(&ada.token, 1);
    assert_eq!((&signed["id"], &signed["userTenantId"]), (&json!(ada.id), &json!(ada.id)));
    for typ in ["lead+jwt", "LEAD+JWT", "application/lead+jwt"] {
        let header = LEAD.replace("lead+jwt", typ);
        // Another `userTenantId` and every permission do not extend the token beyond this lead.
        let claims = with(with(all(), "id", bob.id.as_str()), "userTenantId", "ops");
        let bearer = token(&header, &claims.to_string());
        app.client.get(&bearer, &format!("/tenants/{acme}")).await.expect(403);
        app.client.get(&bearer, "/overview").await.expect(403);
        app.client.post(&bearer, "/tenants", &tenant("evil")).await.expect(403);
        assert_eq!(app.client.get(&bearer, "/tenants").await.expect(200).body, json!([]));
    }
}

/// Earlier versions signed the tokens of leads without their type.
#[tokio::test]
async fn a_lead_token_without_its_type_gains_no_rights() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let mut codes = Permission::LEAD.to_vec();
    let untyped = |codes: &[&str]| {
        let claims = with(with(claims(codes), "id", &*ada.id), "userTenantId", &*ada.id);
        token(OPERATOR, &claims.to_string())
    };
    codes.reverse();
    app.client.get(&untyped(&codes), "/leads").await.expect(401);
    app.client.get(&untyped(&codes), &format!("/leads/{}", ada.id)).await.expect(401);
    // A facade's token has other permissions.
    codes.push("10207");
    app.client.get(&untyped(&codes), "/leads").await.expect(200);
    app.client.get(&untyped(&["10203"]), "/leads").await.expect(200);
}

#[tokio::test]
async fn a_lead_cannot_deprovision_its_tenant() {
    let app = App::start().await;
    let ada = app.verified_lead("ada@acme.test").await;
    let acme = active(&app, &ada, "acme").await;
    assert!(!part(&ada.token, 1)["permissions"].as_array().unwrap().contains(&json!("10217")));
    let path = format!("/tenants/{acme}/deprovision");
    app.client.post(&ada.token, &path, &json!({})).await.expect(403);
    let every_other: Vec<_> =
        Permission::ALL.iter().filter(|code| **code != 10217).map(ToString::to_string).collect();
    let claims_without = with(claims(&[]), "permissions", every_other).to_string();
    app.client.post(&token(OPERATOR, &claims_without), &path, &json!({})).await.expect(403);
    assert_eq!(app.read(&format!("/tenants/{acme}")).await.body["status"], 0);
    let may = token(OPERATOR, &claims(&["10217"]).to_string());
    app.client.post(&may, &path, &json!({})).await.expect(204);
    app.wait_for_status(&acme, 5).await;
}
