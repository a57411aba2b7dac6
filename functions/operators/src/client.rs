use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{header::USER_AGENT, request::Parts},
};
use domain::Session;
use web::{Argument, client_address};

/// The address and the user agent of a client.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    address: Option<String>,
    agent: Option<String>,
}

impl Client {
    /// Returns a session with the client that started it.
    pub(crate) fn started(&self, session: Session) -> Session {
        session.from_client(self.address.as_deref(), self.agent.as_deref())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Client {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let agent = parts.headers.get(USER_AGENT).and_then(|agent| agent.to_str().ok());
        let address = client_address(&parts.extensions).map(str::to_owned);
        Ok(Self { address, agent: agent.map(str::to_owned) })
    }
}

impl Argument for Client {}
