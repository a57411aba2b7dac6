use crate::{LeadInvoices, Preconditions};
use axum::extract::FromRef;
use lambda::{Env, aws::Aws, config::ConfigError, keys::MasterKeys, token::Tokens};
use store::Store;

/// The table, and what verifies tokens and signs cursors: the state of the shared handlers.
#[derive(Clone, Debug, FromRef)]
pub struct Backend {
    /// The table.
    pub store: Store,
    /// Verifies bearer tokens.
    pub tokens: Tokens,
    /// Signs cursors.
    pub keys: MasterKeys,
    /// Whether changes need `If-Match`.
    pub preconditions: Preconditions,
    /// Whether leads create invoices.
    pub lead_invoices: LeadInvoices,
}

impl Backend {
    /// Creates the state from the environment.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] if a variable is missing or malformed.
    pub async fn from_env(env: &Env) -> Result<Self, ConfigError> {
        let preconditions = Preconditions::from_env(env)?;
        let lead_invoices = LeadInvoices::from_env(env)?;
        let aws = Aws::from_env(env)?;
        let store = Store::from_env(env, &aws)?;
        let (tokens, keys, ()) =
            tokio::join!(Tokens::from_env(env, &aws), MasterKeys::load(env, &aws), store.warm());
        Ok(Self { store, tokens: tokens?, keys: keys?, preconditions, lead_invoices })
    }
}
