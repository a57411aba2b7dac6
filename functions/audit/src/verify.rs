use axum::{
    extract::{FromRequestParts, State},
    http::request::Parts,
    response::{IntoResponse, Response},
};
use domain::{AuditedKind, permit};
use lambda::keys::MasterKeys;
use store::Store;
use url::form_urlencoded;
use web::{Argument, Failure, Json, ListUrl, Operator, Result};

use crate::view::{bad, tenant};

/// The maximum length of the name of a chain, in bytes.
const MAX_CHAIN: usize = 100;

/// The chain to verify, and the position to continue from.
#[derive(Clone, Debug)]
pub(crate) struct ChainQuery {
    chain: String,
    cursor: Option<String>,
    url: ListUrl,
}

impl<S: Send + Sync> FromRequestParts<S> for ChainQuery {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let url = ListUrl::of(parts);
        let (mut chain, mut cursor) = (None, None);
        for (name, value) in form_urlencoded::parse(url.query().as_bytes()) {
            match &*name {
                "chain" | "tenantId" if chain.is_some() => {
                    return Err(bad("chain: can be given once, and not with tenantId").into());
                }
                "chain" if value.len() > MAX_CHAIN => {
                    return Err(bad("chain: must have at most 100 bytes").into());
                }
                "chain" => chain = Some(value.into_owned()),
                "tenantId" => chain = Some(AuditedKind::tenant_chain(tenant(&value)?)),
                "cursor" => cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        let chain = chain.ok_or_else(|| bad("chain: is required, or tenantId"))?;
        Ok(Self { chain, cursor, url })
    }
}

impl Argument for ChainQuery {}

/// `GET /audit/verify`: verifies up to 10,000 entries of a chain.
pub(crate) async fn verify(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Operator { bearer, .. }: Operator<permit::ViewAudit>,
    ChainQuery { chain, cursor, url }: ChainQuery,
) -> Result<Response> {
    let cursor = url.open(cursor.as_ref(), &bearer, &keys)?;
    let verified = store.verify_chain(&chain, &keys, cursor).await?;
    let next = url.next(verified.next.as_ref(), &bearer, &keys)?;
    Ok((next, Json(verified)).into_response())
}
