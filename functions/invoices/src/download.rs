use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::header::{CONTENT_DISPOSITION, CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use domain::{EntityId, Error, InvoiceDetails, InvoiceId, permit};
use lambda::token::Bearer;
use serde::Deserialize;
use store::Store;
use web::{Allowed, PathIds, Result};

use crate::{Issuer, pdf};

/// A caller with permission to download invoices.
type Downloader = Allowed<permit::DownloadInvoice>;

/// The query of `GET /invoices/download`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DownloadQuery {
    id: String,
}

/// `GET /invoices/{id}/download`: returns the invoice as a PDF.
pub(crate) async fn by_path(
    State(store): State<Store>,
    State(issuer): State<Issuer>,
    Allowed { bearer, .. }: Downloader,
    path: PathIds,
) -> Result<Response> {
    download(&store, &issuer, &bearer, path.id()?).await
}

/// `GET /invoices/download?id=`: returns the invoice as a PDF, at the path of ARC SaaS.
pub(crate) async fn by_query(
    State(store): State<Store>,
    State(issuer): State<Issuer>,
    Allowed { bearer, .. }: Downloader,
    query: Result<Query<DownloadQuery>, QueryRejection>,
) -> Result<Response> {
    let rule =
        |_| Error::BadParameter("`id` is required. Other parameters aren't supported.".to_owned());
    let Query(DownloadQuery { id }) = query.map_err(rule)?;
    let id =
        id.parse().map_err(|_| Error::NotFound { entity: InvoiceId::ENTITY, id: id.clone() })?;
    download(&store, &issuer, &bearer, id).await
}

async fn download(
    store: &Store,
    Issuer(issuer): &Issuer,
    bearer: &Bearer,
    id: InvoiceId,
) -> Result<Response> {
    let (invoice, tenant) = store.child::<InvoiceDetails>(id).await?;
    bearer.may_act_on(tenant.item.lead_id)?;
    let page = pdf::render(&invoice.item, &tenant.item, issuer)?;
    let named = format!("attachment; filename=\"invoice-{id}.pdf\"");
    let headers = [(CONTENT_TYPE, "application/pdf"), (CONTENT_DISPOSITION, &*named)];
    Ok((headers, page).into_response())
}
