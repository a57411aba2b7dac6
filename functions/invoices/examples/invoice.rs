//! Writes an example invoice: `cargo run -p invoices --example invoice -- invoice.pdf [0|1|2]`.
//!
//! `pdftoppm -png -r 110 invoice.pdf invoice` converts it to an image.

use std::{env, error::Error, fs};

use domain::{Invoice, Tenant};
use invoices::{Issuer, pdf};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = env::args().skip(1);
    let path = args.next().unwrap_or_else(|| "invoice.pdf".to_owned());
    let status = args.next().map_or(Ok(0), |status| status.parse::<u8>())?;
    let (invoice, tenant) = example(status)?;
    fs::write(path, pdf::render(&invoice, &tenant, &issuer())?.pdf)?;
    Ok(())
}

fn issuer() -> Issuer {
    Issuer {
        name: "Tenantry".to_owned(),
        address: vec!["1 Example Street".to_owned(), "London EC1A 1BB".to_owned()],
        tax_id: Some("GB 123 4567 89".to_owned()),
        payment_terms: Some("Payable within 14 days by bank transfer.".to_owned()),
    }
}

fn example(status: u8) -> Result<(Invoice, Tenant), serde_json::Error> {
    let audit = json!({
        "createdOn": "2026-02-01T08:00:00.000Z", "createdBy": "system",
        "modifiedOn": "2026-02-01T08:00:00.000Z", "modifiedBy": "system",
    });
    let with_audit = |mut value: Value| {
        if let (Some(members), Some(audit)) = (value.as_object_mut(), audit.as_object()) {
            members.extend(audit.clone());
        }
        value
    };
    let invoice = serde_json::from_value(with_audit(json!({
        "id": "019c1820-5c00-7a3e-9b1f-4d2c8e6f7a10",
        "startDate": "2026-01-01T00:00:00.000Z", "endDate": "2026-01-31T00:00:00.000Z",
        "amount": "12480.5", "currencyCode": "EUR", "status": status,
        "dueDate": "2026-02-15T00:00:00.000Z", "tenantId": "019b7a10-0000-7000-8000-000000000001",
    })))?;
    let tenant = serde_json::from_value(with_audit(json!({
        "id": "019b7a10-0000-7000-8000-000000000001", "name": "Žofie & Søn Analytik s.r.o.",
        "status": 0, "key": "zofie", "domains": ["zofie.test"],
        "address": {
            "id": "019b7a10-0000-7000-8000-000000000002", "address": "Karlovo náměstí 13",
            "city": "Praha", "zip": "120 00", "country": "Česko",
        },
    })))?;
    Ok((invoice, tenant))
}
