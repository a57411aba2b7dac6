use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use strum::{Display, VariantArray};

use crate::Word;

/// The maximum length of a user agent in a trace, in characters.
pub const MAX_AGENT: usize = 200;

/// The way by which a write came about.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, Display, VariantArray,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Via {
    /// An operator in the console.
    Console,
    /// A client of the API with an operator's token.
    Api,
    /// A person who signs up, with or without a token.
    Lead,
    /// A signed report of a build.
    Build,
    /// The control plane itself.
    #[default]
    System,
}

impl Word for Via {}

/// How a write came about. Each write stamps it on its item, so that the audit log can name it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Trace {
    /// The ID of the API request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The way by which the write came about.
    #[serde(default)]
    pub via: Via,
    /// Whether the caller is a program with a token of its own.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub machine: bool,
    /// The address of the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<IpAddr>,
    /// The user agent of the client, up to [`MAX_AGENT`] characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
}

impl Trace {
    /// Returns the trace of an API request by a caller that has not been authenticated yet.
    #[must_use]
    pub fn of_request(request_id: &str, ip: Option<IpAddr>, agent: Option<&str>) -> Self {
        Self {
            request_id: Some(request_id.to_owned()),
            via: Via::Lead,
            machine: false,
            ip,
            agent: agent.map(|agent| agent.chars().take(MAX_AGENT).collect()),
        }
    }
}
