use axum::{extract::FromRef, handler::Handler};
use serde_json::{Value, json};

use domain::Permission;
use web::{Access, Caller, Code, Declared, RateLimits, Routes};

/// A route as described by the document.
///
/// Most errors of an operation follow from its other parts: token, body, query, and ID in the path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) summary: String,
    pub(super) description: String,
    pub(super) access: Access,
    pub(super) limited: bool,
    pub(super) parameters: Vec<Value>,
    /// The optional request headers.
    pub(super) headers: Vec<&'static str>,
    /// Whether the answer to a `POST` has the entity tag of what it shows.
    pub(super) tagged: bool,
    pub(super) body: Option<NamedSchema>,
    pub(super) answer: Answer,
    /// When the answer is 202 with the `Location` of a job.
    pub(super) accepted: Option<&'static str>,
    /// Errors that do not follow from the other parts, and when they occur.
    pub(super) errors: Vec<(Code, &'static str)>,
    /// Whether the operation calls an external system, so that it can answer 502.
    pub(super) calls_upstream: bool,
    /// Whether the operation uses the table, so that it can answer 503.
    pub(super) stored: bool,
    /// The path of the entities whose ID is in the answer, and a JSON Pointer to the ID.
    pub(super) links_to: Option<(String, &'static str)>,
}

/// A JSON value with a named schema.
#[derive(Clone, Debug)]
pub struct NamedSchema {
    /// The name of the schema among the components.
    pub name: String,
    /// The schema.
    pub schema: Value,
    /// A value that matches the schema.
    pub example: Value,
}

/// The successful answer of an operation.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with a value.
    One(NamedSchema),
    /// 200 with an array of values.
    Many(NamedSchema),
    /// 200 with content of one of these media types other than JSON.
    File(&'static [&'static str]),
    /// A redirection with this status, and where it leads.
    Redirect(&'static str, &'static str),
    /// 204 without content.
    Nothing,
    /// 204 with the `Location` of a job.
    Job,
    /// No success: the route only exists to answer 405.
    Never,
}

impl NamedSchema {
    /// Creates a named schema from its name, the schema and an example.
    #[must_use]
    pub fn new(name: &str, schema: Value, example: Value) -> Self {
        Self { name: name.to_owned(), schema, example }
    }

    pub(super) fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

impl Operation {
    /// Describes a route by its operation ID, summary and successful answer. Its callers and its
    /// limit follow from the table of routes.
    #[must_use]
    pub fn new(id: impl Into<String>, summary: impl Into<String>, answer: Answer) -> Self {
        Self {
            method: String::new(),
            path: String::new(),
            id: id.into(),
            summary: summary.into(),
            description: String::new(),
            access: Access::of(Caller::Anybody),
            limited: false,
            parameters: Vec::new(),
            headers: Vec::new(),
            tagged: false,
            body: None,
            answer,
            accepted: None,
            errors: Vec::new(),
            calls_upstream: false,
            stored: true,
            links_to: None,
        }
    }

    /// Sets what the table of routes declares: method, path, callers, and the schema of the body.
    fn declared<H: Declared<A>, A>(mut self, route: &str) -> Self {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        (self.method, self.path) = (method.to_owned(), path.to_owned());
        self.access = H::access();
        self.headers = H::headers();
        if let Some(schema) = H::body() {
            let named = || NamedSchema::new(&self.id, Value::Null, Value::Null);
            let body = self.body.take().unwrap_or_else(named);
            self.body = Some(NamedSchema { schema, ..body });
        }
        self
    }

    /// Adds the parameters that page through a list.
    #[must_use]
    pub fn paged(self) -> Self {
        super::filters::paging().into_iter().fold(self, Self::query)
    }

    /// Adds the parameter with which a link continues an answer.
    #[must_use]
    pub fn continued(self) -> Self {
        self.query(super::filters::cursor())
    }

    /// Names the schema of the request body, which the handler's argument declares, and adds an
    /// example.
    #[must_use]
    pub fn body(self, name: &str, example: Value) -> Self {
        self.body_schema(NamedSchema::new(name, Value::Null, example))
    }

    /// Sets the request body of a handler that reads it without declaring its type.
    #[must_use]
    pub fn body_schema(self, body: NamedSchema) -> Self {
        Self { body: Some(body), ..self }
    }

    /// Adds a query parameter: a Parameter Object without `in`.
    #[must_use]
    pub fn query(mut self, mut parameter: Value) -> Self {
        parameter["in"] = "query".into();
        self.parameters.push(parameter);
        self
    }

    /// Sets the description: sentences that the summary has no room for.
    #[must_use]
    pub fn description(self, text: impl Into<String>) -> Self {
        Self { description: text.into(), ..self }
    }

    /// Adds an error that does not follow from the other parts, with the reason for it.
    #[must_use]
    pub fn error(mut self, code: Code, when: &'static str) -> Self {
        self.errors.push((code, when));
        self
    }

    /// Adds the answer 202 with the same content and the `Location` of a job, and the reason for it.
    #[must_use]
    pub fn or_job(self, when: &'static str) -> Self {
        Self { accepted: Some(when), ..self }
    }

    /// Marks the answer to a `POST` as an entity with its tag.
    #[must_use]
    pub fn tagged(self) -> Self {
        Self { tagged: true, ..self }
    }

    /// Marks the operation as calling an external system, which can lead to 502.
    #[must_use]
    pub fn calls_upstream(self) -> Self {
        Self { calls_upstream: true, ..self }
    }

    /// Marks the operation as not using the table.
    #[must_use]
    pub fn without_table(self) -> Self {
        Self { stored: false, ..self }
    }

    /// Declares an entity in the answer, with links to the operations at `path` and below. They
    /// take the ID at `pointer` in the answer.
    #[must_use]
    pub fn links_to(self, path: impl Into<String>, pointer: &'static str) -> Self {
        Self { links_to: Some((path.into(), pointer)), ..self }
    }

    /// Returns the tag of the operation: the noun at the start of its path.
    pub(super) fn tag(&self) -> &str {
        let noun = self.path.split('/').nth(1).unwrap_or_default();
        match noun {
            "leads" | "tenants" | "contacts" | "invoices" | "tenant-configs" | "webhook"
            | "audit" | "plans" | "subscriptions" => noun,
            "catalog" => "plans",
            "auth" | "operators" => "operators",
            "keys" => "leads",
            "overview" | "search" => "tenants",
            "manage" => "identity providers",
            _ => "pages",
        }
    }

    /// Whether the operation reads this optional request header.
    pub(super) fn reads(&self, header: &str) -> bool {
        self.headers.contains(&header)
    }

    /// Whether the path has the ID of an entity.
    pub(super) fn names_an_entity(&self) -> bool {
        self.path_parameters().any(|name| !["key", "file"].contains(&name))
    }

    /// Whether the successful answer has an entity tag.
    pub(super) fn is_tagged(&self) -> bool {
        let changes = self.reads("If-Match") && self.names_an_entity() && self.method != "DELETE";
        self.tagged || changes || self.reads("If-None-Match")
    }

    /// Returns the names of the path parameters.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

/// The operations of a function, collected from its table of routes.
#[derive(Clone, Debug, Default)]
pub struct Operations(pub Vec<Operation>);

impl<S> Routes<S, Operation> for Operations {
    fn route<H, T, A>(mut self, route: &str, _: H, describe: impl FnOnce() -> Operation) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static,
    {
        self.0.push(describe().declared::<H, A>(route));
        self
    }

    fn limited<H, T, A>(
        mut self,
        route: &'static str,
        _: H,
        describe: impl FnOnce() -> Operation,
    ) -> Self
    where
        H: Handler<T, S> + Declared<A>,
        T: 'static,
        RateLimits: FromRef<S>,
    {
        self.0.push(Operation { limited: true, ..describe().declared::<H, A>(route) });
        self
    }
}

/// Returns the Security Requirement Objects, any one of which is sufficient.
pub(super) fn security(caller: Caller) -> Value {
    let of_a_lead = |code: &u16| Permission::LEAD.contains(&&*code.to_string());
    match caller {
        Caller::Anybody => json!([]),
        Caller::LeadKey => json!([{ "leadKey": [] }]),
        Caller::LeadToken => json!([{ "leadToken": [] }]),
        Caller::Session => json!([{ "session": [] }]),
        Caller::IssuerToken => json!([{ "issuerToken": [] }]),
        Caller::Signed => json!([{ "signature": [], "timestamp": [] }]),
        Caller::Permitted(codes) if codes.iter().any(of_a_lead) => {
            json!([{ "operator": [] }, { "leadToken": [] }])
        }
        Caller::Permitted(_) | Caller::Operator(_) => json!([{ "operator": [] }]),
    }
}

/// Returns the permissions of which the caller needs one.
pub(super) fn permissions(caller: Caller) -> &'static [u16] {
    match caller {
        Caller::Permitted(codes) | Caller::Operator(codes) => codes,
        Caller::Anybody
        | Caller::LeadKey
        | Caller::LeadToken
        | Caller::Session
        | Caller::IssuerToken
        | Caller::Signed => &[],
    }
}
