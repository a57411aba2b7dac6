use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use domain::Permission;
use lambda::{Env, token::Tokens};

use crate::{Error, Options, Result, env_file, environment::Environment, template::Template};

/// Validity of the operator token.
const OPERATOR_EXPIRY: Duration = Duration::from_secs(12 * 3600);

/// How users of this run reach it: the variables, with an operator's token.
#[derive(Debug)]
pub(crate) struct Access {
    environment: Environment,
    template: Arc<Template>,
    /// The file with the variables. An empty path means none.
    file: PathBuf,
    token: Mutex<String>,
}

impl Access {
    /// Signs the first token.
    pub(super) async fn new(
        environment: Environment,
        template: Arc<Template>,
        options: &Options,
    ) -> Result<Self> {
        let file = options.env_file.clone();
        let access = Self { environment, template, file, token: Mutex::default() };
        access.sign().await?;
        Ok(access)
    }

    /// Signs a new token, and writes it to the file.
    pub(crate) async fn renew(&self) -> Result<()> {
        self.sign().await?;
        self.write()
    }

    /// Writes the variables to the file.
    pub(super) fn write(&self) -> Result<()> {
        if self.file.as_os_str().is_empty() {
            return Ok(());
        }
        let mut variables: BTreeMap<String, String> = self.environment.of_all(&self.template);
        variables.insert("BASE_URL".into(), self.environment.api_url.clone());
        variables.insert("OPERATOR_TOKEN".into(), self.operator_token());
        env_file::write(&self.file, &variables).map_err(Error::doing("writing .local/env"))
    }

    /// Returns the token, which has every permission.
    pub(crate) fn operator_token(&self) -> String {
        self.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn sign(&self) -> Result<()> {
        const DOING: &str = "signing the operator token";
        let env: Env = self.environment.of_all(&self.template).into_iter().collect();
        let aws = lambda::aws::Aws::from_env(&env).map_err(Error::doing(DOING))?;
        let tokens = Tokens::from_env(&env, &aws).await.map_err(Error::doing(DOING))?;
        let expiry = lambda::now() + OPERATOR_EXPIRY;
        let token = tokens.for_operator("local-operator", Permission::ALL, expiry);
        *self.token.lock().unwrap_or_else(PoisonError::into_inner) =
            token.map_err(Error::doing(DOING))?;
        Ok(())
    }
}
