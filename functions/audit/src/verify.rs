use axum::{
    extract::{FromRequestParts, State},
    http::{header::LINK, request::Parts},
    response::{IntoResponse, Response},
};
use domain::{AuditedKind, Error, TenantId, permit};
use lambda::keys::MasterKeys;
use store::{Cursor, Store};
use url::form_urlencoded;
use web::{Argument, Failure, Json, ListUrl, Operator, Result};

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
                "tenantId" => {
                    let tenant: TenantId =
                        value.parse().map_err(|_| bad("tenantId: must be a UUID"))?;
                    chain = Some(AuditedKind::tenant_chain(tenant));
                }
                "cursor" => cursor = Some(value.into_owned()),
                _ => {}
            }
        }
        let chain = chain.ok_or_else(|| bad("chain: is required, or tenantId"))?;
        Ok(Self { chain, cursor, url })
    }
}

impl Argument for ChainQuery {}

fn bad(rule: &str) -> Error {
    Error::BadParameter(rule.to_owned())
}

/// `GET /audit/verify`: verifies up to 10,000 entries of a chain.
pub(crate) async fn verify(
    State(store): State<Store>,
    State(keys): State<MasterKeys>,
    Operator { bearer, .. }: Operator<permit::ViewAudit>,
    ChainQuery { chain, cursor, url }: ChainQuery,
) -> Result<Response> {
    let list = url.list(&bearer);
    let cursor = cursor.map(|sealed| Cursor::open(&sealed, &list, &keys)).transpose()?;
    let verified = store.verify_chain(&chain, &keys, cursor).await?;
    let next = verified.next.as_ref().map(|next| url.next(next, &bearer, &keys)).transpose()?;
    let mut response = Json(verified).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, next);
    }
    Ok(response)
}
