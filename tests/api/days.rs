//! Invoices have days, not points in time, and the calendar ends with the year 9999.

use serde_json::{Value, json};
use support::{App, invoice, with_query};

/// Creates an invoice with these members.
async fn create(app: &App, tenant: &str, members: &Value) -> support::Reply {
    let mut body = invoice(tenant);
    body.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    app.client.post(&app.operator, "/invoices", &body).await.expect(200)
}

fn days(invoice: &Value) -> [&str; 3] {
    ["startDate", "endDate", "dueDate"].map(|name| invoice[name].as_str().unwrap())
}

#[tokio::test]
async fn the_day_as_written_is_stored_answered_and_printed() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    for (start, end, due) in [
        ("2026-01-01", "2026-01-31", "2026-02-15"),
        ("2026-01-01T00:00:00+05:30", "2026-01-31T23:59:59.999-08:00", "2026-02-15T00:00:00+14:00"),
        ("2026-01-01T18:30:00Z", "2026-01-31T23:59:59.999Z", "2026-02-15T23:00:00-12:00"),
    ] {
        let members = json!({ "startDate": start, "endDate": end, "dueDate": due });
        let made = create(&app, &tenant, &members).await;
        let expected =
            ["2026-01-01T00:00:00.000Z", "2026-01-31T00:00:00.000Z", "2026-02-15T00:00:00.000Z"];
        assert_eq!(days(&made.body), expected, "{start}");
        let own = format!("/invoices/{}", made.text("/id"));
        assert_eq!(days(&app.read(&own).await.body), expected, "{start}");
        let (_, bytes) = app.client.download(&app.operator, &format!("{own}/download")).await;
        let page = pdf_extract::extract_text_from_mem(&bytes).unwrap();
        for printed in ["1 January 2026 – 31 January 2026", "15 February 2026"] {
            assert!(page.contains(printed), "{start}: {page}");
        }
        let read = app.read(&own).await.body;
        app.client.put(&app.operator, &own, &read).await.expect(204);
        assert_eq!(days(&app.read(&own).await.body), expected, "{start}");
    }
}

#[tokio::test]
async fn filters_and_order_compare_days() {
    let app = App::start().await;
    let tenant = app.tenant("acme").await;
    let due = |due| json!({ "dueDate": due });
    let early = create(&app, &tenant, &due("2026-02-14T23:59:00-08:00")).await.text("/id");
    let late = create(&app, &tenant, &due("2026-02-15T00:00:00+05:30")).await.text("/id");
    for (conditions, found) in [
        (json!({ "dueDate": "2026-02-14" }), vec![&early]),
        (json!({ "dueDate": "2026-02-14T00:00:00+14:00" }), vec![&early]),
        (json!({ "dueDate": "2026-02-15T12:00:00.000Z" }), vec![&late]),
        (json!({ "dueDate": { "lte": "2026-02-14T00:00:00-12:00" } }), vec![&early]),
        (json!({ "dueDate": { "gt": "2026-02-14T00:00:00Z" } }), vec![&late]),
        (json!({ "dueDate": { "between": ["2026-02-14", "2026-02-15"] } }), vec![&early, &late]),
        (json!({ "dueDate": { "inq": ["2026-02-15", "2026-03-01"] } }), vec![&late]),
        (json!({ "dueDate": { "neq": "2026-02-15T23:00:00Z" } }), vec![&early]),
        (json!({ "dueDate": { "lt": "9999-12-31" } }), vec![&early, &late]),
    ] {
        let filter = json!({ "where": conditions, "order": "dueDate ASC" });
        let read = app.read(&with_query("/invoices", "filter", &filter)).await;
        let found: Vec<Value> = found.into_iter().map(|id| json!(id)).collect();
        assert_eq!(read.each("id"), found, "{conditions}");
    }
    let filter = json!({ "where": { "dueDate": "soon" } });
    let path = with_query("/invoices", "filter", &filter);
    app.client.get(&app.operator, &path).await.expect(400);
}

#[tokio::test]
async fn the_last_day_of_the_calendar_works_everywhere() {
    let app = App::start_silent().await;
    let tenant = app.tenant("acme").await;
    let spellings = [
        "9999-12-31",
        "9999-12-31T00:00:00Z",
        "9999-12-31T23:59:59.999Z",
        "9999-12-31T23:59:59-12:00",
        "9999-12-31T00:00:00+14:00",
    ];
    for (position, last) in spellings.into_iter().enumerate() {
        let made = create(&app, &tenant, &json!({ "endDate": last, "dueDate": last })).await;
        assert_eq!(made.body["endDate"], "9999-12-31T00:00:00.000Z", "{last}");
        let id = made.text("/id");
        let (reply, _) =
            app.client.download(&app.operator, &format!("/invoices/{id}/download")).await;
        assert_eq!(reply.status, 200, "{last}");
        for (list, conditions) in [
            ("/invoices", json!({ "endDate": last, "id": id })),
            ("/invoices", json!({ "createdOn": { "lt": last }, "id": id })),
            (
                "/tenants",
                json!({ "createdOn": { "between": ["2000-01-01", last] }, "key": "acme" }),
            ),
        ] {
            let filter = json!({ "where": conditions });
            let found = app.read(&with_query(list, "filter", &filter)).await;
            assert_eq!(found.items().len(), 1, "{conditions}");
        }
        let key = format!("k{position}");
        let tenant = app.tenant(&key).await;
        let subscription =
            json!({ "id": "s1", "startDate": last, "endDate": last, "plan": { "tier": "BASIC" } });
        let path = format!("/tenants/{tenant}/provision");
        app.client.post(&app.operator, &path, &subscription).await.expect(204);
    }
}
