mod periods;

use serde_json::{Value, json};

use super::*;
use crate::{Editable, Entity, Error, entities};
use schema::{Document, FromJson, Limits};

/// Returns a plan of the members in `given`, in this state.
pub(crate) fn plan(given: &Value, state: PlanState) -> Plan {
    let by = UserId::from("operator");
    let plan = Plan::create(details(given).unwrap(), Timestamp::from_millis(0), &by);
    plan.in_state(state, Timestamp::from_millis(0), &by)
}

fn details(given: &Value) -> Result<PlanDetails, Error> {
    let mut body = json!({
        "name": "Standard", "tier": "STANDARD", "price": 30, "currencyCode": "EUR",
        "billingCycle": { "duration": 1, "durationUnit": "month" },
    });
    body.as_object_mut().unwrap().extend(given.as_object().unwrap().clone());
    let document = Document::parse(body.to_string(), Limits::BODY).unwrap();
    Ok(document.read()?)
}

fn edited(plan: &Plan, given: &Value) -> u32 {
    let details = details(given).unwrap();
    plan.clone().edited(details, Timestamp::from_millis(1), &UserId::from("operator")).revision
}

#[test]
fn a_price_counts_per_month() {
    for (duration, unit, monthly) in [
        (1, "month", 3000),
        (3, "month", 1000),
        (7, "month", 429),
        (1, "year", 250),
        (1, "week", 13_000),
        (30, "day", 3042),
    ] {
        let cycle = json!({ "duration": duration, "durationUnit": unit });
        let plan = details(&json!({ "billingCycle": cycle })).unwrap();
        assert_eq!(plan.billing_cycle.monthly(3000), monthly, "{cycle}");
    }
}

#[test]
fn other_terms_of_a_plan_that_was_active_are_a_new_revision() {
    let draft = plan(&json!({}), PlanState::Draft);
    assert_eq!(edited(&draft, &json!({ "price": 40 })), 1, "a draft has no subscribers");
    for state in [PlanState::Active, PlanState::Archived] {
        let plan = plan(&json!({}), state);
        for terms in [
            json!({ "price": 40 }),
            json!({ "tier": "BASIC" }),
            json!({ "isolation": "silo" }),
            json!({ "trialDays": 14 }),
            json!({ "graceDays": 3 }),
            json!({ "features": { "seats": 5 } }),
            json!({ "effectOfNonPayment": "none" }),
            json!({ "billingCycle": { "duration": 1, "durationUnit": "year" } }),
        ] {
            assert_eq!(edited(&plan, &terms), 2, "{terms}");
        }
        let presentation = json!({
            "name": "S", "description": "For teams", "public": true, "metaData": { "color": 1 },
        });
        assert_eq!(edited(&plan, &presentation), 1);
    }
}

#[test]
fn a_plan_has_the_defaults_of_what_is_not_given() {
    let plan = plan(&json!({ "metaData": { "erp": "A-1" } }), PlanState::Active);
    let members = plan.wire().unwrap();
    let defaults = ["isolation", "trialDays", "public", "features", "graceDays"];
    let shown: Vec<_> = defaults.iter().map(|name| members[*name].clone()).collect();
    assert_eq!(shown, [json!(null), json!(0), json!(false), json!({}), json!(7)]);
    assert_eq!(members["effectOfNonPayment"], "suspend");
    let given = json!({ "trialDays": 0, "graceDays": 7, "effectOfNonPayment": "suspend" });
    assert_eq!(edited(&plan, &given), 1, "the same terms, spelled out");
    let names = entities::PLAN.properties.iter().map(|(name, _)| *name);
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    let mut written: Vec<_> = members.keys().map(String::as_str).collect();
    written.sort_unstable();
    assert_eq!(written, names);
}

#[test]
fn customers_see_plans_on_offer_without_the_data_of_other_programs() {
    let given = json!({ "public": true, "metaData": { "erp": "A-1" } });
    let shown = plan(&given, PlanState::Active).for_customers().unwrap();
    assert_eq!(shown.details.meta_data, None);
    for state in [PlanState::Draft, PlanState::Archived] {
        assert_eq!(plan(&given, state).for_customers(), None);
    }
    assert_eq!(plan(&json!({}), PlanState::Active).for_customers(), None);
}

#[test]
fn a_plan_never_becomes_a_draft_again_and_an_archived_one_can_return() {
    let mut ways = Vec::new();
    for from in [PlanState::Draft, PlanState::Active, PlanState::Archived] {
        for to in [PlanState::Draft, PlanState::Active, PlanState::Archived] {
            let plan = plan(&json!({}), from);
            let after = plan.in_state(to, Timestamp::from_millis(9), &UserId::from("operator"));
            ways.push(format!("{from} to {to}: {}", after.state));
        }
    }
    insta::assert_debug_snapshot!(ways, @r#"
    [
        "draft to draft: draft",
        "draft to active: active",
        "draft to archived: archived",
        "active to draft: active",
        "active to active: active",
        "active to archived: archived",
        "archived to draft: archived",
        "archived to active: active",
        "archived to archived: archived",
    ]
    "#);
}

#[test]
fn a_plan_that_had_a_subscriber_is_not_deleted() {
    let plan = plan(&json!({}), PlanState::Active);
    assert_eq!(plan.check_deletable(), Ok(()));
    let used = Plan { subscribed: true, ..plan };
    assert_eq!(used.check_deletable(), Err(Refusal::PlanInUse));
}

#[test]
fn the_tier_decides_about_isolation_unless_the_plan_does() {
    let tiers = Tiers::default();
    for (given, tier, isolation) in [
        (json!({ "tier": "premium" }), "PREMIUM", Isolation::Silo),
        (json!({ "tier": "premium", "isolation": "pool" }), "PREMIUM", Isolation::Pool),
        (json!({ "tier": "Basic", "isolation": "silo" }), "BASIC", Isolation::Silo),
        (json!({ "tier": "basic" }), "BASIC", Isolation::Pool),
    ] {
        let terms = plan(&given, PlanState::Active).terms(&tiers);
        assert_eq!((terms.tier.as_str(), terms.isolation), (tier, isolation), "{given}");
        assert!(terms.is_placed(&tier.to_lowercase(), isolation));
        assert!(!terms.is_placed("STANDARD", isolation));
        for other in [Isolation::Silo, Isolation::Pool].into_iter().filter(|one| *one != isolation)
        {
            assert!(!terms.is_placed(tier, other), "{given}");
        }
    }
}

#[test]
fn every_value_of_a_plan_is_bounded() {
    let many: Value =
        (0..101).map(|n| (format!("f{n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    for (given, path, code) in [
        (json!({ "price": 0.005 }), "/price", "price"),
        (json!({ "price": 1e15 }), "/price", "price"),
        (json!({ "price": 9.5, "currencyCode": "JPY" }), "/price", "price"),
        (json!({ "price": -1 }), "/price", "minimum"),
        (json!({ "trialDays": 731 }), "/trialDays", "range"),
        (json!({ "trialDays": 1.5 }), "/trialDays", "range"),
        (json!({ "graceDays": -1 }), "/graceDays", "range"),
        (
            json!({ "billingCycle": { "duration": 11, "durationUnit": "year" } }),
            "/billingCycle/duration",
            "maximum",
        ),
        (
            json!({ "billingCycle": { "duration": 0, "durationUnit": "day" } }),
            "/billingCycle/duration",
            "range",
        ),
        (
            json!({ "billingCycle": { "duration": 1, "durationUnit": "hour" } }),
            "/billingCycle/durationUnit",
            "enum",
        ),
        (json!({ "effectOfNonPayment": "delete" }), "/effectOfNonPayment", "enum"),
        (json!({ "features": { "1st": true } }), "/features/1st", "pattern"),
        (json!({ "features": { "seats": null } }), "/features/seats", "type"),
        (
            json!({ "features": { "bytes": 1_234_567_890_123_456_u64 } }),
            "/features/bytes",
            "digits",
        ),
        (json!({ "features": { "ratio": 12_345_678.123_456_78 } }), "/features/ratio", "digits"),
        (json!({ "features": many }), "/features", "maxProperties"),
        (json!({ "tier": "A;B" }), "/tier", "pattern"),
        (json!({ "state": "active" }), "", "additionalProperties"),
    ] {
        let Err(Error::Invalid(violations)) = details(&given) else { panic!("{given}") };
        let found: Vec<_> = violations.iter().map(|one| (one.path.as_str(), one.code)).collect();
        assert_eq!(found, [(path, code)], "{given}");
    }
}

#[test]
fn a_price_has_up_to_15_digits_before_the_point() {
    for code in ["EUR", "JPY"] {
        let highest = json!({ "price": 999_999_999_999_999_u64, "currencyCode": code });
        assert!(details(&highest).is_ok(), "{code}");
    }
}

#[test]
fn features_are_stored_as_they_are_sent() {
    let sent = json!({ "seats": 25, "gb": 0.1, "debt": -3, "sso": true, "region": "eu", "big": 123_456_789_012_345_u64 });
    let features = details(&json!({ "features": sent })).unwrap().features.unwrap();
    let stored = serde_json::to_string(&features).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&stored).unwrap(), sent);
    assert_eq!(serde_json::from_str::<Features>(&stored).unwrap(), features);
    assert_eq!(Features::schema()["maxProperties"], 100);
}

#[test]
fn who_may_choose_which_plan() {
    let on_offer = json!({ "public": true });
    let plans = [
        ("free form", None),
        ("public", Some(plan(&on_offer, PlanState::Active))),
        ("private", Some(plan(&json!({}), PlanState::Active))),
        ("draft", Some(plan(&on_offer, PlanState::Draft))),
        ("archived", Some(plan(&on_offer, PlanState::Archived))),
    ];
    let mut rows = Vec::new();
    for (name, plan) in &plans {
        let choice = plan.as_ref().map_or(PlanChoice::FreeForm, PlanChoice::Named);
        let said = |mode: &str, catalog, namer| {
            let mode: LeadPlans = mode.parse().unwrap();
            mode.check(catalog, namer, choice).map_or_else(Refusal::code, |()| "yes")
        };
        let (early, opened) = (Catalog::Unopened, Catalog::Opened);
        let lead = [
            said("auto", early, Namer::Lead),
            said("auto", opened, Namer::Lead),
            said("catalog", early, Namer::Lead),
            said("free", opened, Namer::Lead),
        ];
        let operator = said("catalog", opened, Namer::Operator);
        rows.push(format!("{name}: lead {}; operator {operator}", lead.join(" ")));
    }
    insta::assert_debug_snapshot!(rows, @r#"
    [
        "free form: lead yes PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC yes; operator yes",
        "public: lead yes yes yes yes; operator yes",
        "private: lead PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC; operator yes",
        "draft: lead PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC; operator PLAN_NOT_ACTIVE",
        "archived: lead PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC PLAN_NOT_PUBLIC; operator PLAN_NOT_ACTIVE",
    ]
    "#);
}
