use askama::Template;
use serde_json::Value;

use super::Links;
use crate::state::{DeadLetter, Event, Execution, Mail};

#[derive(Template)]
#[template(path = "index.html")]
pub(super) struct Index<'a> {
    pub(super) links: &'a Links,
}

#[derive(Template)]
#[template(path = "mails.html")]
pub(super) struct Mails<'a> {
    pub(super) mails: &'a [Mail],
}

#[derive(Template)]
#[template(path = "mail.html")]
pub(super) struct MailPage<'a> {
    pub(super) mail: &'a Mail,
}

#[derive(Template)]
#[template(path = "events.html")]
pub(super) struct Events<'a> {
    pub(super) events: &'a [Event],
}

#[derive(Template)]
#[template(path = "pipelines.html")]
pub(super) struct Pipelines<'a> {
    pub(super) executions: &'a [Execution],
}

#[derive(Template)]
#[template(path = "dead_letters.html")]
pub(super) struct DeadLetters<'a> {
    pub(super) letters: &'a [DeadLetter],
}

#[derive(Template)]
#[template(path = "missing.html")]
pub(super) struct Missing;

/// Formats JSON for reading.
fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
