//! Renewals at the same time as changes, cancellations, payments, suspensions and deprovisionings.

use std::{collections::BTreeSet, time::Duration};

use schema::Timestamp;
use serde_json::{Value, json};
use support::{App, join_all, run_alone};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// A tenant whose subscription has missed three periods of a week.
struct Subscriber {
    tenant: String,
    subscription: String,
    large: String,
    silo: String,
}

impl Subscriber {
    async fn new(app: &mut App, is_late: bool) -> Self {
        let tenant = app.tenant_in_use("acme").await;
        let week = json!({ "duration": 1, "durationUnit": "week" });
        let terms = |name: &str, tier: &str| {
            json!({ "name": name, "tier": tier, "price": 70,
            "billingCycle": week, "graceDays": 3 })
        };
        let plan = app.active_plan(&terms("Small", "BASIC")).await;
        let large = app.active_plan(&terms("Large", "BASIC")).await;
        let silo = app.active_plan(&terms("Own", "PREMIUM")).await;
        let subscription = app.subscribe(&tenant, &plan).await.expect(200).text("/id");
        let one = Self { tenant, subscription, large, silo };
        if is_late {
            assert_eq!(one.act(app, "failed", 0).await, 200);
        }
        app.settle().await;
        app.skip(22 * DAY).await;
        one
    }

    /// Does one of the actions, and returns the status of its answer.
    async fn act(&self, app: &App, action: &str, n: usize) -> u16 {
        let of_tenant = async |action: &str| {
            let path = format!("/tenants/{}/{action}", self.tenant);
            app.client.post(&app.operator, &path, &json!({})).await
        };
        let own =
            async |action: &str, body: Value| app.act_on(&self.subscription, action, &body).await;
        let signal = |outcome: &str| json!({ "outcome": outcome, "reference": n.to_string() });
        let answer = match action {
            "run" => {
                app.reconcile().await;
                return 200;
            }
            "change" => own("change", json!({ "planId": self.large })).await,
            "change later" => {
                own("change", json!({ "planId": self.large, "when": "period_end" })).await
            }
            "move" => own("change", json!({ "planId": self.silo })).await,
            "cancel" => own("cancel", json!({ "when": "now" })).await,
            "cancel later" => own("cancel", json!({})).await,
            "failed" | "succeeded" => own("payments", signal(action)).await,
            _ => of_tenant(action).await,
        };
        answer.status
    }

    /// Checks what holds after any actions in any order.
    async fn check(&self, app: &App, about: &str) {
        let subscription = app.subscription(&self.subscription).await;
        let tenant = app.read(&format!("/tenants/{}", self.tenant)).await.body;
        let phase = subscription["phase"].as_str().unwrap();
        let (status, reason) = (&tenant["status"], &tenant["suspension"]["reason"]);
        let about = format!("{about}: {phase}, {status} {reason}");

        let starts = self.check_periods(app, &about).await;
        let renewed = app.events_of("SUBSCRIPTION_RENEWED").len();
        assert_eq!(renewed, starts - 1, "each renewal has an invoice, {about}");
        let is_current = !["cancelled", "expired"].contains(&phase);
        assert_eq!(app.items_of("current-subscription").len(), usize::from(is_current), "{about}");
        assert_eq!(
            app.events_of("SUBSCRIPTION_CANCELLED").len(),
            usize::from(!is_current),
            "{about}"
        );
        let (of_subscription, end) = (app.items_of("timer"), &subscription["currentPeriodEnd"]);
        let timed = of_subscription.iter().any(|timer| timer["action"]["S"] == "period_end");
        assert_eq!(timed, is_current, "{about}");
        let end: Timestamp = end.as_str().unwrap().parse().unwrap();
        assert_eq!(end > lambda::now(), is_current, "everything due was renewed, {about}");

        let is_overdue = subscription["overdue"] != json!([]);
        assert!(phase != "active" || !is_overdue, "{about}");
        assert!(!["past_due", "suspended"].contains(&phase) || is_overdue, "{about}");
        assert!(reason != "non_payment" || phase == "suspended", "{about}");
        assert!(reason != "cancelled" || phase == "cancelled", "{about}");
        assert_eq!(*status == 6, tenant["suspension"].is_object(), "{about}");
        match status.as_u64().unwrap() {
            0 => assert!(["active", "past_due"].contains(&phase), "{about}"),
            5 => assert_eq!(phase, "cancelled", "{about}"),
            6 => {}
            _ => panic!("{about}"),
        }
    }

    /// Checks that periods with an invoice touch, and returns their number.
    async fn check_periods(&self, app: &App, about: &str) -> usize {
        let path =
            format!("/invoices?filter[where][tenantId]={}&filter[order]=startDate", self.tenant);
        let invoices = app.read(&path).await;
        let time = |day: &Value| day.as_str().unwrap().parse::<Timestamp>().unwrap();
        let days: Vec<_> = invoices
            .items()
            .iter()
            .map(|invoice| (time(&invoice["startDate"]), time(&invoice["endDate"])))
            .collect();
        for both in days.windows(2) {
            assert_eq!(both[0].1 + DAY, both[1].0, "{about}: {days:?}");
        }
        let ids: BTreeSet<_> = invoices.each("id").iter().map(Value::to_string).collect();
        assert_eq!(ids.len(), days.len(), "{about}");
        days.len()
    }
}

/// Runs actions at once, on tenants whose payment is late and on others.
async fn race(actions: [&str; 8]) {
    for is_late in [false, true] {
        let mut app = App::start().await;
        let one = Subscriber::new(&mut app, is_late).await;
        let sent = actions.iter().enumerate();
        let answers =
            join_all(sent.map(async |(n, action)| one.act(&app, action, n + 1).await)).await;
        let known = [200, 202, 204, 409, 503];
        assert!(answers.iter().all(|status| known.contains(status)), "{actions:?} {answers:?}");
        // A job may have prevented an action, which follows when the job has closed.
        for _ in 0..2 {
            app.settle().await;
            app.local().skip(DAY / 24).unwrap();
            app.reconcile().await;
        }
        app.settle().await;
        one.check(&app, &format!("{actions:?} {answers:?}")).await;
        assert_eq!(app.dead_letters(), 0);
    }
}

#[tokio::test]
async fn renewals_and_changes_at_once_leave_no_gap() {
    run_alone!(renewals_and_changes_at_once_leave_no_gap);
    race(["run", "change", "run", "change later", "run", "change", "failed", "succeeded"]).await;
}

#[tokio::test]
async fn renewals_and_cancellations_at_once_end_at_most_once() {
    run_alone!(renewals_and_cancellations_at_once_end_at_most_once);
    race(["run", "cancel", "run", "cancel later", "run", "cancel", "change", "failed"]).await;
}

#[tokio::test]
async fn renewals_and_suspensions_at_once_are_consistent() {
    run_alone!(renewals_and_suspensions_at_once_are_consistent);
    race(["run", "suspend", "run", "failed", "reactivate", "run", "succeeded", "suspend"]).await;
}

#[tokio::test]
async fn renewals_and_deprovisionings_at_once_are_consistent() {
    run_alone!(renewals_and_deprovisionings_at_once_are_consistent);
    race(["run", "deprovision", "run", "cancel", "suspend", "run", "failed", "deprovision"]).await;
}

#[tokio::test]
async fn renewals_and_moves_at_once_are_consistent() {
    run_alone!(renewals_and_moves_at_once_are_consistent);
    race(["run", "move", "run", "change later", "succeeded", "run", "suspend", "move"]).await;
}
