use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use serde_repr::{Deserialize_repr, Serialize_repr};
use strum::{Display, VariantArray};

use crate::entities;
use crate::refusal::{Refusal, allow_if};
use crate::{
    Amount, Child, ChildKind, Currency, Details, InvoiceId, InvoiceLine, NewChild, Result,
    SubscriptionId, Text, permit,
};
use filter::Schema;
use schema::{Day, FromJson, Reader, body};

/// An invoice of a tenant for a period.
pub type Invoice = Child<InvoiceDetails>;

/// The body of `POST /invoices`.
pub type NewInvoice = NewChild<InvoiceDetails>;

body! {
    /// The properties of an invoice.
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    pub struct InvoiceDetails {
        /// The first day of the period.
        pub start_date: Day,
        /// The last day of the period, not before the first.
        pub end_date: Day,
        /// The amount to pay.
        pub amount: Amount,
        /// Currency of the amount.
        pub currency_code: Currency,
        /// The last day on which the invoice can be paid in time.
        pub due_date: Day,
        /// Whether the invoice is pending, paid or cancelled.
        pub status: InvoiceStatus,
        /// A reference to an invoice file that was created elsewhere.
        pub invoice_file: Option<Text<0, 2048>>,
    }
    fn check(members) {
        if let (Some(start), Some(end)) = (start_date, end_date)
            && end < start
            && let Some(mut at) = members.place(Some("endDate"))
        {
            let info = json!({ "comparison": ">=", "limit": start });
            at.violate("formatMinimum", format!("must be >= \"{start}\""), info);
        }
    }
}

/// The status of an invoice, a number on the wire.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize_repr, Deserialize_repr, Display, VariantArray,
)]
#[repr(u8)]
pub enum InvoiceStatus {
    /// Not paid yet.
    Pending = 0,
    /// Paid.
    Paid = 1,
    /// No longer payable.
    Cancelled = 2,
}

impl Details for InvoiceDetails {
    type Id = InvoiceId;
    type Origin = InvoiceOrigin;
    const KIND: ChildKind = ChildKind::Invoice;
    const SCHEMA: &'static Schema = &entities::INVOICE;
    type Create = permit::CreateInvoice;
    type View = permit::ViewInvoice;
    type Update = permit::UpdateInvoice;
    type Delete = permit::DeleteInvoice;

    const READ_ONLY: &'static [&'static str] = &[
        "id",
        "tenantId",
        "subscriptionId",
        "lines",
        "createdOn",
        "modifiedOn",
        "createdBy",
        "modifiedBy",
        "deleted",
        "deletedOn",
        "deletedBy",
    ];

    fn show_origin(origin: &InvoiceOrigin, members: &mut Map<String, Value>) -> Result<()> {
        let lines = InvoiceLine::list_to_json(&origin.lines)?;
        members.insert("lines".to_owned(), lines.into());
        members.insert("subscriptionId".to_owned(), json!(origin.subscription_id));
        Ok(())
    }

    /// A pending invoice may change. One that is paid or cancelled is final.
    fn check_change(&self, new: Option<&Self>) -> Result<(), Refusal> {
        let may_change = self.status == InvoiceStatus::Pending || new == Some(self);
        allow_if(may_change, Refusal::InvoiceFinal)
    }

    fn settled(before: &Invoice, after: &Invoice) -> Option<SettledInvoice> {
        let settled = SettledInvoice { id: before.id, of: before.origin.subscription_id };
        (before.is_payable() && !after.is_payable()).then_some(settled)
    }
}

/// An invoice that no longer has to be paid, because it was paid, cancelled or deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SettledInvoice {
    /// The invoice's ID.
    pub id: InvoiceId,
    /// The subscription for whose period the invoice is.
    pub of: Option<SubscriptionId>,
}

/// The origin of an invoice. One that a client created has neither a subscription nor lines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InvoiceOrigin {
    /// The subscription for whose period the invoice is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<SubscriptionId>,
    /// The parts of the amount.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<InvoiceLine>,
}

impl Invoice {
    /// Returns whether the invoice is still to be paid.
    fn is_payable(&self) -> bool {
        self.details.status == InvoiceStatus::Pending && !self.audit.deleted
    }

    /// Returns whether a payment for this subscription can be about the invoice: it belongs to the
    /// subscription, or to none.
    #[must_use]
    pub fn is_about(&self, subscription: SubscriptionId) -> bool {
        self.origin.subscription_id.is_none_or(|of| of == subscription)
    }
}

impl InvoiceStatus {
    /// Every status, indexed by its number.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Returns the status's number on the wire.
    #[must_use]
    pub fn number(self) -> u8 {
        self as u8
    }

    fn numbers() -> Vec<u8> {
        Self::ALL.iter().map(|status| status.number()).collect()
    }
}

impl FromJson for InvoiceStatus {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        if !value.is_number() {
            at.wrong_type("number");
            return None;
        }
        Self::deserialize(value).ok().or_else(|| {
            at.not_allowed(&json!(Self::numbers()));
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "integer", "enum": Self::numbers() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Entity, Error, UserId};
    use filter::Wire;
    use schema::{Document, Limits, Timestamp};

    const BODY: &str = r#"{"startDate":"2026-01-01","endDate":"2026-01-31T23:59:59.999Z",
        "amount":12345678901234567.89,"currencyCode":"EUR","dueDate":"2026-02-14T00:00:00+02:00",
        "status":0,"tenantId":"6b2f0d5c-6b1e-4a55-9d2c-0d3b1f9a7e21"}"#;

    fn invoice(text: &str) -> Result<Invoice> {
        let body = Document::parse(text.to_owned(), Limits::BODY).unwrap();
        let new: NewInvoice = body.read()?;
        Ok(new.create(Timestamp::from_millis(0), &UserId::from("u1")))
    }

    #[test]
    fn it_goes_out_as_it_came_in_with_dates_as_date_times() {
        let mut invoice = invoice(BODY).unwrap();
        invoice.id = "0193a5b0-0000-7000-8000-000000000001".parse().unwrap();
        let wire = invoice.wire().unwrap();
        let wire = serde_json::to_string_pretty(&Wire::new(Invoice::SCHEMA, &wire)).unwrap();
        insta::assert_snapshot!(wire);
    }

    #[test]
    fn items_stored_as_points_in_time_are_read_as_days() {
        let mut invoice = serde_json::to_value(invoice(BODY).unwrap()).unwrap();
        invoice["endDate"] = json!("2026-01-31T23:59:59.999Z");
        invoice["dueDate"] = json!("2026-02-13T22:00:00.000Z");
        let read: Invoice = serde_json::from_value(invoice).unwrap();
        let days = [read.details.end_date, read.details.due_date].map(|day| day.date().to_string());
        assert_eq!(days, ["2026-01-31", "2026-02-13"]);
    }

    #[test]
    fn all_violations_are_reported_at_once() {
        let text = r#"{"startDate":"2026-02-01","endDate":"2026-01-31","amount":-1.5,"number":7,
            "currencyCode":"EUX","dueDate":"soon","status":3,"tenantId":"acme"}"#;
        let Error::Invalid(violations) = invoice(text).unwrap_err() else { panic!() };
        let found: Vec<_> = violations.iter().map(|v| (v.path.as_str(), v.code)).collect();
        assert_eq!(
            found,
            [
                ("/amount", "minimum"),
                ("/currencyCode", "format"),
                ("/dueDate", "format"),
                ("/status", "enum"),
                ("/endDate", "formatMinimum"),
                ("/tenantId", "format"),
                ("", "additionalProperties"),
            ]
        );
        assert_eq!(violations[4].message, "must be >= \"2026-02-01T00:00:00.000Z\"");
        let Error::Invalid(violations) = invoice("{}").unwrap_err() else { panic!() };
        assert_eq!(violations.len(), 7);
        assert!(violations.iter().all(|violation| violation.code == "required"));
    }

    #[test]
    fn a_paid_or_cancelled_invoice_is_final() {
        let pending = invoice(BODY).unwrap().details;
        let other = InvoiceDetails { amount: "1".parse().unwrap(), ..pending.clone() };
        for status in InvoiceStatus::ALL.iter().copied() {
            let with_status =
                |invoice: &InvoiceDetails| InvoiceDetails { status, ..invoice.clone() };
            let stored = with_status(&pending);
            let allowed =
                if status == InvoiceStatus::Pending { Ok(()) } else { Err(Refusal::InvoiceFinal) };
            for change in [None, Some(&with_status(&other))] {
                assert_eq!(stored.check_change(change), allowed, "{status} {change:?}");
            }
            assert_eq!(stored.check_change(Some(&stored)), Ok(()), "nothing changes");
        }
    }

    #[test]
    fn amounts_must_be_numbers_and_a_period_may_be_one_day() {
        let one_day = BODY.replace("2026-01-31T23:59:59.999Z", "2026-01-01");
        assert!(invoice(&one_day).is_ok());
        for (amount, code) in
            [("\"5\"", "type"), ("null", "type"), ("1e39", "format"), ("-5", "minimum")]
        {
            let text = BODY.replace("12345678901234567.89", amount);
            let Error::Invalid(violations) = invoice(&text).unwrap_err() else { panic!() };
            assert_eq!(violations[0].code, code, "{amount}");
        }
    }

    #[test]
    fn an_invoice_is_settled_when_it_no_longer_has_to_be_paid() {
        let pending = invoice(BODY).unwrap();
        let with = |status, deleted| {
            let mut invoice = pending.clone();
            (invoice.details.status, invoice.audit.deleted) = (status, deleted);
            invoice
        };
        let (paid, deleted) =
            (with(InvoiceStatus::Paid, false), with(InvoiceStatus::Pending, true));
        let cancelled = with(InvoiceStatus::Cancelled, false);
        for (before, after, is_settled) in [
            (&pending, &pending, false),
            (&pending, &paid, true),
            (&pending, &cancelled, true),
            (&pending, &deleted, true),
            (&paid, &paid, false),
            (&cancelled, &with(InvoiceStatus::Cancelled, true), false),
            (&deleted, &pending, false),
        ] {
            let settled = is_settled.then_some(SettledInvoice { id: pending.id, of: None });
            assert_eq!(InvoiceDetails::settled(before, after), settled, "{before:?} {after:?}");
        }
    }

    #[test]
    fn a_payment_is_about_an_invoice_of_its_subscription_or_of_none() {
        let (own, other) = (SubscriptionId::generate(), SubscriptionId::generate());
        for (of, is_about) in [(None, true), (Some(own), true), (Some(other), false)] {
            let origin = InvoiceOrigin { subscription_id: of, lines: Vec::new() };
            assert_eq!(Invoice { origin, ..invoice(BODY).unwrap() }.is_about(own), is_about);
        }
    }
}
