use std::collections::BTreeMap;

use axum::{
    extract::{FromRequestParts, State},
    http::{
        HeaderValue,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE},
        request::Parts,
    },
    response::{IntoResponse, Response},
};
use domain::{AuditAction, AuditedKind, Error, TenantId, permit};
use lambda::keys::MasterKeys;
use schema::Timestamp;
use serde_json::{Map, Value};
use store::{AuditRange, AuditSource, Store};
use url::form_urlencoded;
use web::{Argument, Failure, ListUrl, Operator, Result};

use crate::view::{bad, csv_header, csv_line, tenant};

/// The maximum number of entries on a page of an export.
const MAX_ENTRIES: usize = 5000;

/// The format of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    /// An entry as JSON on each line.
    JsonLines,
    /// Comma-separated values, with a header on the first page.
    Csv,
}

/// The entries to export.
#[derive(Clone, Debug)]
pub(crate) struct ExportQuery {
    tenant: Option<TenantId>,
    range: AuditRange,
    format: Format,
    cursor: Option<String>,
    url: ListUrl,
}

impl<S: Send + Sync> FromRequestParts<S> for ExportQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let (format, range) = (Format::JsonLines, AuditRange::default());
        let mut query = Self { tenant: None, range, format, cursor: None, url };
        let text = query.url.query().to_owned();
        for (name, value) in form_urlencoded::parse(text.as_bytes()) {
            match &*name {
                "tenantId" => query.tenant = Some(tenant(&value)?),
                "from" => query.range.from = Some(time(&value, "from")?),
                "to" => query.range.to = Some(time(&value, "to")?),
                "format" => query.format = format_of(&value)?,
                "cursor" => query.cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        Ok(query)
    }
}

impl Argument for ExportQuery {}

fn time(value: &str, name: &str) -> Result<Timestamp, Error> {
    value.parse().map_err(|_| bad(&format!("{name}: must be a date-time (RFC 3339)")))
}

fn format_of(value: &str) -> Result<Format, Error> {
    match value {
        "jsonl" => Ok(Format::JsonLines),
        "csv" => Ok(Format::Csv),
        _ => Err(bad("format: must be jsonl or csv")),
    }
}

/// `GET /audit/export`: exports entries, newest first. The export is itself audited.
pub(crate) async fn export(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Operator { bearer, .. }: Operator<permit::ExportAudit>,
    query: ExportQuery,
) -> Result<Response> {
    let cursor = query.url.open(query.cursor.as_ref(), &bearer, &keys)?;
    let mut text = String::new();
    // A page with a cursor belongs to an export that is noted.
    if cursor.is_none() {
        text.push_str(&query.format.header());
        let noted = AuditAction::AuditExported;
        store.note_action(noted, query.tenant, query.details(), lambda::now(), &bearer.id).await?;
    }
    let source = query.tenant.map(AuditedKind::tenant_chain);
    let source = source.map_or(AuditSource::Time, AuditSource::Chain);
    let within = |entry| Ok(Some(entry).filter(|entry| query.contains(entry)));
    let page = store.audit_entries(&source, query.range, MAX_ENTRIES, cursor, within).await?;
    let next = query.url.next(page.next.as_ref(), &bearer, &keys)?;
    for item in &page.items {
        text.push_str(&query.format.line(item.get())?);
    }
    Ok((next, query.format.answer(text)).into_response())
}

impl ExportQuery {
    /// Returns what the audit log records about the export.
    fn details(&self) -> BTreeMap<&'static str, String> {
        let format = match self.format {
            Format::JsonLines => "jsonl",
            Format::Csv => "csv",
        };
        let from = self.range.from.map(|from| ("from", from.to_string()));
        let to = self.range.to.map(|to| ("to", to.to_string()));
        [Some(("format", format.to_owned())), from, to].into_iter().flatten().collect()
    }

    fn contains(&self, entry: &Map<String, Value>) -> bool {
        let time = entry.get("time").and_then(|time| time.as_str()?.parse().ok());
        time.is_some_and(|time| self.range.contains(time))
    }
}

impl Format {
    /// Returns the start of an export.
    fn header(self) -> String {
        match self {
            Self::JsonLines => String::new(),
            Self::Csv => csv_header(),
        }
    }

    /// Returns the line for an entry, which is JSON.
    fn line(self, entry: &str) -> Result<String, Error> {
        match self {
            Self::JsonLines => Ok(format!("{entry}\n")),
            Self::Csv => {
                let entry: serde_json::Result<Value> = serde_json::from_str(entry);
                entry.map(|entry| csv_line(&entry)).map_err(Error::internal("reading an entry"))
            }
        }
    }

    /// Returns the answer with a page of an export.
    fn answer(self, text: String) -> Response {
        let (media_type, name) = match self {
            Self::JsonLines => ("application/x-ndjson", "attachment; filename=\"audit.jsonl\""),
            Self::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        };
        let headers = [(CONTENT_TYPE, media_type), (CONTENT_DISPOSITION, name)];
        (headers.map(|(name, value)| (name, HeaderValue::from_static(value))), text).into_response()
    }
}
