use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn between(entity: &str, old: &Value, new: &Value) -> String {
    let kind = AuditedKind::of_entity(entity).unwrap();
    let action = AuditAction::between(kind, old.as_object(), new.as_object());
    action.map_or("none".to_owned(), |action| action.to_string())
}

#[test]
fn a_change_has_the_name_of_what_happened() {
    let none = Value::Null;
    let (at, live, gone) = (
        |state| json!({ "state": state }),
        json!({ "deleted": false }),
        json!({ "deleted": true }),
    );
    let status = |number: u8| json!({ "status": number, "deleted": false });
    let phase = |phase, start| json!({ "phase": phase, "currentPeriod": { "start": start } });
    for (entity, old, new, action) in [
        ("lead", &none, &live, "lead.created"),
        ("lead", &none, &json!({ "origin": "x" }), "lead.renewed"),
        ("lead", &live, &json!({ "isValidated": true }), "lead.verified"),
        (
            "lead",
            &json!({ "isValidated": true }),
            &json!({ "isValidated": false }),
            "lead.superseded",
        ),
        ("lead", &live, &json!({ "tenantId": "t" }), "lead.converted"),
        ("lead", &live, &json!({ "link": {} }), "lead.link_requested"),
        ("lead", &live, &json!({}), "lead.updated"),
        ("lead", &live, &gone, "lead.deleted"),
        ("lead", &live, &none, "lead.expired"),
        ("tenant", &none, &status(1), "tenant.created"),
        ("tenant", &status(1), &status(1), "tenant.updated"),
        ("tenant", &status(1), &status(2), "tenant.provisioning_started"),
        ("tenant", &status(2), &status(0), "tenant.activated"),
        ("tenant", &status(2), &status(3), "tenant.provisioning_failed"),
        ("tenant", &status(0), &status(4), "tenant.deprovisioning_started"),
        ("tenant", &status(4), &status(5), "tenant.deactivated"),
        ("tenant", &status(4), &status(0), "tenant.deprovisioning_failed"),
        ("tenant", &status(0), &status(6), "tenant.suspended"),
        ("tenant", &status(6), &status(6), "tenant.updated"),
        ("tenant", &status(6), &json!({ "status": 6, "suspension": {} }), "tenant.suspended"),
        ("tenant", &status(6), &status(0), "tenant.reactivated"),
        ("tenant", &status(4), &status(6), "tenant.deprovisioning_failed"),
        ("tenant", &status(5), &json!({ "status": 5, "deleted": true }), "tenant.deleted"),
        ("contact", &none, &live, "contact.created"),
        ("config", &live, &live, "configuration.updated"),
        ("invoice", &live, &gone, "invoice.deleted"),
        ("entitlements", &none, &json!({}), "entitlements.updated"),
        ("job", &none, &at("queued"), "job.opened"),
        ("job", &at("queued"), &at("running"), "job.started"),
        ("job", &at("running"), &at("running"), "none"),
        ("job", &at("running"), &at("setting_up_identity"), "job.identity_setup_started"),
        ("job", &at("running"), &at("succeeded"), "job.succeeded"),
        ("job", &at("running"), &at("failed"), "job.failed"),
        ("job", &at("running"), &at("timed_out"), "job.timed_out"),
        ("plan", &none, &at("draft"), "plan.created"),
        ("plan", &at("draft"), &at("draft"), "plan.updated"),
        ("plan", &at("draft"), &at("active"), "plan.activated"),
        ("plan", &at("active"), &at("active"), "plan.updated"),
        ("plan", &at("active"), &at("archived"), "plan.archived"),
        ("plan", &at("archived"), &at("archived"), "plan.updated"),
        ("plan", &live, &json!({ "subscribed": true }), "none"),
        ("plan", &live, &gone, "plan.deleted"),
        ("subscription", &none, &phase("pending", 0), "subscription.created"),
        ("subscription", &phase("pending", 0), &phase("trialing", 1), "subscription.activated"),
        ("subscription", &phase("active", 1), &phase("active", 2), "subscription.renewed"),
        ("subscription", &phase("active", 1), &phase("active", 1), "subscription.updated"),
        ("subscription", &phase("active", 1), &phase("past_due", 1), "subscription.past_due"),
        ("subscription", &phase("past_due", 1), &phase("suspended", 1), "subscription.suspended"),
        ("subscription", &phase("active", 1), &phase("cancelled", 1), "subscription.cancelled"),
        ("subscription", &phase("trialing", 1), &phase("expired", 1), "subscription.expired"),
        ("subscription", &phase("past_due", 1), &phase("past_due", 1), "subscription.updated"),
        ("subscription", &phase("suspended", 1), &phase("suspended", 1), "subscription.updated"),
        ("subscription", &phase("cancelled", 1), &phase("cancelled", 1), "subscription.updated"),
        ("subscription", &phase("expired", 1), &phase("expired", 1), "subscription.updated"),
        ("subscription", &phase("expired", 1), &gone, "subscription.deleted"),
        ("operator", &none, &json!({}), "operator.created"),
        ("operator", &json!({}), &json!({ "disabled": true }), "operator.disabled"),
        ("operator", &json!({ "disabled": true }), &json!({}), "operator.enabled"),
        ("operator", &json!({}), &json!({}), "operator.updated"),
        ("session", &none, &json!({}), "session.started"),
        ("session", &json!({}), &json!({}), "none"),
        ("session", &json!({}), &none, "session.ended"),
        ("session", &json!({}), &json!({ "endedOn": "2026-01-01" }), "session.ended"),
        ("session", &json!({ "endedOn": "2026-01-01" }), &none, "none"),
        ("session", &json!({}), &json!({ "seenOn": "2026-01-01" }), "none"),
        ("audit-note", &none, &json!({ "action": "audit.exported" }), "audit.exported"),
        (
            "audit-note",
            &none,
            &json!({ "action": "operator.sign_in_refused" }),
            "operator.sign_in_refused",
        ),
        ("audit-note", &none, &json!({ "action": "unknown" }), "none"),
    ] {
        assert_eq!(between(entity, old, new), action, "{entity} {old} {new}");
    }
}

#[test]
fn an_action_is_a_noun_and_a_past_and_has_one_name() {
    let names: BTreeSet<_> = AuditAction::ALL.iter().map(|action| action.name()).collect();
    assert_eq!(names.len(), AuditAction::ALL.len());
    assert!(names.iter().all(|name| name.split('.').count() == 2));
}
