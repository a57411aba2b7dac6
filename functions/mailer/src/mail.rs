use std::fmt;

use askama::filters::{Html, escape};
use aws_sdk_sesv2::{
    error::BuildError,
    types::{Body, Content, EmailContent, Message, Template},
};
use serde_json::{Map, Value};
use shared::{Error, Result, domain::Email};

/// A mail, ready to be sent.
pub(crate) struct Mail {
    /// Whom it goes to.
    pub(crate) to: Email,
    pub(crate) words: Words,
}

/// What a mail says.
pub(crate) enum Words {
    /// In our words.
    Ours { subject: String, html: String, text: String },
    /// In those of an SES template of the team's.
    Template { name: String, data: Value },
}

impl Mail {
    /// As SES takes it.
    pub(crate) fn content(&self) -> Result<EmailContent> {
        let content = EmailContent::builder();
        Ok(match &self.words {
            Words::Ours { subject, html, text } => {
                let message = message(subject, html, text);
                content.simple(message.map_err(Error::permanent("composing a mail"))?)
            }
            Words::Template { name, data } => {
                let template = Template::builder().template_name(name);
                content.template(template.template_data(data.to_string()).build())
            }
        }
        .build())
    }
}

impl fmt::Debug for Mail {
    /// Neither the address nor the words: a link is in them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

fn message(subject: &str, html: &str, text: &str) -> Result<Message, BuildError> {
    let utf8 = |data: &str| Content::builder().charset("UTF-8").data(data).build();
    let body = Body::builder().html(utf8(html)?).text(utf8(text)?).build();
    Ok(Message::builder().subject(utf8(subject)?).body(body).build())
}

/// The data of an SES template, every value twice: under its name as it may stand in HTML, since SES
/// escapes nothing, and under its name and `Text` for the subject and the text.
pub(crate) fn template_data<const N: usize>(values: [(&str, &str); N]) -> Value {
    let mut data = Map::new();
    for (name, value) in values {
        let Ok(escaped) = escape(value, Html);
        data.insert(name.to_owned(), escaped.to_string().into());
        data.insert(format!("{name}Text"), value.into());
    }
    data.into()
}
