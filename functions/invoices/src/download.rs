use std::sync::Arc;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE, HeaderName},
    response::{IntoResponse, Response},
};
use domain::{EntityId, Error, InvoiceDetails, InvoiceId, permit};
use lambda::token::Bearer;
use serde::Deserialize;
use store::Store;
use web::{Allowed, PathIds, Result};

use crate::{
    Issuer,
    pdf::{self, Page},
};

/// Lists the code points without a glyph, for which the page shows a replacement sign.
const MISSING_GLYPHS: HeaderName = HeaderName::from_static("tenantry-missing-glyphs");

/// The maximum number of code points in the header and the log.
const MAX_LISTED: usize = 100;

/// A caller with permission to download invoices.
type Downloader = Allowed<permit::DownloadInvoice>;

/// The query of `GET /invoices/download`.
#[derive(Debug, Deserialize)]
pub(crate) struct DownloadQuery {
    id: String,
}

/// `GET /invoices/{id}/download`: returns the invoice as a PDF.
pub(crate) async fn by_path(
    State(store): State<Store>,
    State(issuer): State<Arc<Issuer>>,
    Allowed { bearer, .. }: Downloader,
    path: PathIds,
) -> Result<Response> {
    download(&store, &issuer, &bearer, path.id()?).await
}

/// `GET /invoices/download?id=`: returns the invoice as a PDF, at the path of ARC SaaS.
pub(crate) async fn by_query(
    State(store): State<Store>,
    State(issuer): State<Arc<Issuer>>,
    Allowed { bearer, .. }: Downloader,
    query: Result<Query<DownloadQuery>, QueryRejection>,
) -> Result<Response> {
    let rule = |_| Error::BadParameter("`id` is required.".to_owned());
    let Query(DownloadQuery { id }) = query.map_err(rule)?;
    let id =
        id.parse().map_err(|_| Error::NotFound { entity: InvoiceId::ENTITY, id: id.clone() })?;
    download(&store, &issuer, &bearer, id).await
}

async fn download(
    store: &Store,
    issuer: &Issuer,
    bearer: &Bearer,
    id: InvoiceId,
) -> Result<Response> {
    let (invoice, tenant) = store.child::<InvoiceDetails>(id).await?;
    bearer.may_act_on(tenant.item.lead_id)?;
    let Page { pdf, missing } = pdf::render(&invoice.item, &tenant.item, issuer)?;
    let named = format!("attachment; filename=\"invoice-{id}.pdf\"");
    let headers = [(CONTENT_TYPE, "application/pdf"), (CONTENT_DISPOSITION, &*named)];
    if missing.is_empty() {
        return Ok((headers, pdf).into_response());
    }
    let missing = code_points(&missing);
    tracing::warn!(invoice.id = %id, code_points = missing, "no font has a glyph");
    Ok((headers, [(MISSING_GLYPHS, missing)], pdf).into_response())
}

/// Lists characters by their code points, such as `U+1F980, U+20000`; at most [`MAX_LISTED`].
fn code_points(missing: &[char]) -> String {
    let listed: Vec<String> =
        missing.iter().take(MAX_LISTED).map(|&c| format!("U+{:04X}", u32::from(c))).collect();
    listed.join(", ")
}
