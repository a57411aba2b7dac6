use std::collections::{BTreeMap, BTreeSet};

use lambda::Env;

use crate::{
    Options, provider,
    template::{Function, Scope, Template},
};

/// The URL of `cargo lambda watch`, used unless `BASE_URL` is set.
const WATCH: &str = "http://127.0.0.1:9000";

/// The parameter `AllowedOrigins`, unless it is set: it makes the template allow frontends, and the
/// gateway allows those of every local origin.
const ALLOWED_ORIGINS: (&str, &str) = ("ALLOWED_ORIGINS", "http://localhost");

/// Secrets that can be set as plain values instead of the template's ARNs.
const PLAIN_SECRETS: [&str; 3] = ["JWT_SECRET", "MASTER_KEYS", "REDIS_PASSWORD"];

/// The sources of the functions' variables. Variables of this process override those of the
/// template. Endpoints and credentials that keep a function on this machine override both.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    outside: Env,
    /// The URL that this process listens on.
    pub(crate) own_url: String,
    /// The URL of the HTTP API.
    pub(crate) api_url: String,
    pub(crate) region: String,
    table_url: String,
    aws_url: String,
}

impl Environment {
    pub(crate) fn new(options: &Options, outside: Env, own: u16, table: u16, aws: u16) -> Self {
        let url = |port: u16| format!("http://127.0.0.1:{port}");
        let api_url = if options.aws_only {
            outside.get("BASE_URL").unwrap_or(WATCH).trim_end_matches('/').to_owned()
        } else {
            url(own)
        };
        let mut defaults = Env::from_iter([ALLOWED_ORIGINS]);
        // Set but empty, it turns signing in off.
        if outside.iter().all(|(name, _)| name != "OIDC_ISSUER") {
            defaults = defaults.with(provider::variables(&url(own)).into_iter().collect());
        }
        Self {
            region: outside.get("AWS_REGION").unwrap_or("us-east-1").to_owned(),
            own_url: url(own),
            table_url: url(table),
            aws_url: url(aws),
            api_url,
            outside: defaults.with(outside),
        }
    }

    /// Returns the scope that the template's references are resolved in.
    pub(crate) fn scope(&self) -> Scope {
        Scope {
            region: self.region.clone(),
            api_url: self.api_url.clone(),
            outside: self.outside.clone(),
            ..Scope::default()
        }
    }

    /// Returns the variables of `function`. Its access key ID is its name, so that its calls can be
    /// identified.
    pub(crate) fn of(&self, function: &Function) -> Env {
        let variables: Env = function.variables.clone().into_iter().collect();
        let name = [("AWS_LAMBDA_FUNCTION_NAME", function.name.as_str())].into_iter().collect();
        let local = self.local_overrides(&function.binary).into_iter().collect();
        variables.with(self.outside.clone()).with(name).with(local)
    }

    /// Returns the combined variables of all functions, for processes that stand in for several of
    /// them. A variable with different values is omitted.
    pub(crate) fn of_all(&self, template: &Template) -> BTreeMap<String, String> {
        let mut all = BTreeMap::new();
        let mut differing = BTreeSet::new();
        for (name, value) in template.functions.iter().flat_map(|function| &function.variables) {
            let value = self.outside.get(name).unwrap_or(value).to_owned();
            if all.insert(name.clone(), value.clone()).is_some_and(|other| other != value) {
                differing.insert(name.clone());
            }
        }
        all.retain(|name, _| !differing.contains(name));
        let plain = PLAIN_SECRETS.map(|name| (name, self.outside.get(name)));
        let plain =
            plain.into_iter().filter_map(|(name, value)| Some((name.into(), value?.into())));
        all.extend(plain);
        all.extend(self.local_overrides("local"));
        all
    }

    /// Returns the endpoints of the AWS services, by variable.
    pub(crate) fn endpoints(&self) -> Vec<(String, String)> {
        let others = ["CODEPIPELINE", "EVENTBRIDGE", "SECRETS_MANAGER", "SESV2", "SQS"];
        let others = others.map(|service| (service, &self.aws_url));
        let all = [("DYNAMODB", &self.table_url)].into_iter().chain(others);
        all.map(|(service, url)| (format!("AWS_ENDPOINT_URL_{service}"), url.clone())).collect()
    }

    /// Returns the variables that keep a function on this machine: local endpoints, and no real
    /// credentials.
    fn local_overrides(&self, caller: &str) -> BTreeMap<String, String> {
        let credentials = [
            ("AWS_ACCESS_KEY_ID", caller),
            ("AWS_REGION", &self.region),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", ""),
        ];
        let overrides = credentials.map(|(name, value)| (name.to_owned(), value.to_owned()));
        overrides.into_iter().chain(self.endpoints()).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn variable(outside: &[(&str, &str)], name: &str) -> Option<String> {
        let outside = outside.iter().copied().collect();
        let environment = Environment::new(&Options::private("template.yaml"), outside, 3000, 1, 2);
        environment.scope().outside.get(name).map(str::to_owned)
    }

    #[test]
    fn operators_sign_in_with_the_played_provider_unless_another_is_set() {
        let issuer = Some("http://127.0.0.1:3000/_local/idp".to_owned());
        assert_eq!(variable(&[], "OIDC_ISSUER"), issuer);
        let roles: Value = serde_json::from_str(&variable(&[], "OPERATOR_ROLES").unwrap()).unwrap();
        let granted = ["admin", "support", "viewer"].map(
            |role| json!({ "claim": "groups", "value": format!("tenantry-{role}"), "role": role }),
        );
        assert_eq!(roles, json!({ "grants": granted }));

        let other = [("OIDC_ISSUER", "https://sso.acme.test")];
        assert_eq!(variable(&other, "OIDC_ISSUER").as_deref(), Some("https://sso.acme.test"));
        let off = [("OIDC_ISSUER", "")];
        assert_eq!(variable(&off, "OIDC_ISSUER"), None);
        for outside in [other, off] {
            assert_eq!(variable(&outside, "OIDC_CLIENT_ID"), None);
            assert_eq!(variable(&outside, "OPERATOR_ROLES"), None);
        }
    }
}
