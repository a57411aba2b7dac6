use serde_json::{Value, json};

use crate::domain::{Permission, Permit};

/// A route, as the document describes it.
///
/// Which errors it answers with follows from what it is: a token, a body, a query, an id in its path.
#[derive(Clone, Debug)]
pub struct Operation {
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) id: String,
    pub(super) summary: String,
    pub(super) who: Who,
    /// The permissions of which the caller needs one as well, if there are any; a lead does not.
    pub(super) also: &'static [u16],
    pub(super) limited: bool,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Shape>,
    pub(super) answer: Answer,
    /// When it is 409.
    pub(super) conflict: Option<&'static str>,
    /// When it is 429, beside the limit of calls.
    pub(super) quota: Option<&'static str>,
    /// Whether others do it for us, so that it can be 502.
    pub(super) relays: bool,
    /// Whether it reads or writes the table, so that it can be 503.
    pub(super) stored: bool,
    /// What the answer names by its id: the path of such entities, and where in the answer.
    pub(super) yields: Option<(String, &'static str)>,
}

/// Who may call a route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    LeadKey,
    LeadToken,
    Permitted { codes: &'static [u16], operators_alone: bool },
    Signed,
}

/// A JSON value, by the name that its schema has among the components.
#[derive(Clone, Debug)]
pub struct Shape {
    /// That name.
    pub name: String,
    /// The schema.
    pub schema: Value,
    /// A value of it.
    pub example: Value,
}

/// What a route answers when all goes well.
#[derive(Clone, Debug)]
pub enum Answer {
    /// 200 with a value.
    One(Shape),
    /// 200 with an array of values.
    Many(Shape),
    /// 200 with something that is not JSON, of this media type.
    File(&'static str),
    /// 204.
    Nothing,
    /// 204 with the `Location` of a job.
    Job,
    /// Never: the route is there to say so, by 405.
    Never,
}

impl Shape {
    /// A value by the name of its schema.
    #[must_use]
    pub fn new(name: &str, schema: Value, example: Value) -> Self {
        Self { name: name.to_owned(), schema, example }
    }

    pub(super) fn reference(&self) -> Value {
        json!({ "$ref": format!("#/components/schemas/{}", self.name) })
    }
}

impl Operation {
    /// The route `"GET /ping"`, its name among all operations, and what it is for.
    #[must_use]
    pub fn new(
        route: &'static str,
        id: impl Into<String>,
        summary: impl Into<String>,
        answer: Answer,
    ) -> Self {
        let (method, path) = route.split_once(' ').unwrap_or(("GET", route));
        Self::at(method, path, id, summary, answer)
    }

    pub(super) fn at(
        method: &'static str,
        path: &str,
        id: impl Into<String>,
        summary: impl Into<String>,
        answer: Answer,
    ) -> Self {
        Self {
            method,
            path: path.to_owned(),
            id: id.into(),
            summary: summary.into(),
            who: Who::Anybody,
            also: &[],
            limited: false,
            parameters: Vec::new(),
            body: None,
            answer,
            conflict: None,
            quota: None,
            relays: false,
            stored: true,
            yields: None,
        }
    }

    /// For callers whose token grants `P`.
    #[must_use]
    pub fn allowed<P: Permit>(self) -> Self {
        Self { who: Who::Permitted { codes: P::CODES, operators_alone: false }, ..self }
    }

    /// For callers whose token grants `V` as well: what is answered, or what is asked for, tells of
    /// what `V` opens.
    #[must_use]
    pub fn also<V: Permit>(self) -> Self {
        Self { also: V::CODES, ..self }
    }

    /// In pages, without a filter.
    #[must_use]
    pub fn paged(self) -> Self {
        super::filters::paging().into_iter().fold(self, Self::query)
    }

    /// For operators whose token grants `P`.
    #[must_use]
    pub fn operator<P: Permit>(self) -> Self {
        Self { who: Who::Permitted { codes: P::CODES, operators_alone: true }, ..self }
    }

    /// For who has the key that was mailed to the lead.
    #[must_use]
    pub fn lead_key(self) -> Self {
        Self { who: Who::LeadKey, ..self }
    }

    /// For who has the token of the lead in the path.
    #[must_use]
    pub fn lead_token(self) -> Self {
        Self { who: Who::LeadToken, ..self }
    }

    /// For who signs the body.
    #[must_use]
    pub fn signed(self) -> Self {
        Self { who: Who::Signed, ..self }
    }

    /// Behind a limit of calls.
    #[must_use]
    pub fn limited(self) -> Self {
        Self { limited: true, ..self }
    }

    /// With a body.
    #[must_use]
    pub fn body(self, body: Shape) -> Self {
        Self { body: Some(body), ..self }
    }

    /// With a parameter of the query, a Parameter Object without its `in`.
    #[must_use]
    pub fn query(mut self, mut parameter: Value) -> Self {
        parameter["in"] = "query".into();
        self.parameters.push(parameter);
        self
    }

    /// 409 in this case.
    #[must_use]
    pub fn conflict(self, when: &'static str) -> Self {
        Self { conflict: Some(when), ..self }
    }

    /// 429 in this case.
    #[must_use]
    pub fn quota(self, when: &'static str) -> Self {
        Self { quota: Some(when), ..self }
    }

    /// 502 where others fail.
    #[must_use]
    pub fn relays(self) -> Self {
        Self { relays: true, ..self }
    }

    /// Answered without the table.
    #[must_use]
    pub fn alone(self) -> Self {
        Self { stored: false, ..self }
    }

    /// Names an entity: the operations at `path` and below it take the id at `pointer` of the answer.
    #[must_use]
    pub fn yields(self, path: impl Into<String>, pointer: &'static str) -> Self {
        Self { yields: Some((path.into(), pointer)), ..self }
    }

    /// What it is listed under: the noun that its path begins with.
    pub(super) fn tag(&self) -> &str {
        let noun = self.path.split('/').nth(1).unwrap_or_default();
        match noun {
            "leads" | "tenants" | "contacts" | "invoices" | "tenant-configs" | "webhook" => noun,
            "keys" => "leads",
            "overview" => "tenants",
            "manage" => "identity providers",
            _ => "pages",
        }
    }

    /// The names in its path.
    pub(super) fn path_parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl Who {
    /// The Security Requirement Objects, any of which will do.
    pub(super) fn security(&self) -> Value {
        match self {
            Self::Anybody => json!([]),
            Self::LeadKey => json!([{ "leadKey": [] }]),
            Self::LeadToken => json!([{ "leadToken": [] }]),
            Self::Signed => json!([{ "signature": [], "timestamp": [] }]),
            Self::Permitted { codes, operators_alone } => {
                let granted = |code: &u16| Permission::OF_A_LEAD.contains(&&*code.to_string());
                if *operators_alone || !codes.iter().any(granted) {
                    json!([{ "operator": [] }])
                } else {
                    json!([{ "operator": [] }, { "leadToken": [] }])
                }
            }
        }
    }

    pub(super) fn codes(&self) -> &'static [u16] {
        match self {
            Self::Permitted { codes, .. } => codes,
            Self::Anybody | Self::LeadKey | Self::LeadToken | Self::Signed => &[],
        }
    }
}
