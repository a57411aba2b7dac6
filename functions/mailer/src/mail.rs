use std::fmt;

use askama::filters::{Html, escape};
use aws_sdk_sesv2::{
    error::BuildError,
    types::{Body, Content, EmailContent, Message, Template},
};
use domain::{Email, Error, Result};
use serde_json::{Map, Value};

/// An email, ready to be sent.
pub(crate) struct Mail {
    /// The recipient.
    pub(crate) to: Email,
    pub(crate) content: MailContent,
}

/// The content of an email.
pub(crate) enum MailContent {
    /// Content from the built-in templates.
    BuiltIn { subject: String, html: String, text: String },
    /// Data for an SES template that the team provides.
    Template { name: String, data: Value },
}

impl MailContent {
    /// Returns content for the team's SES template with these values.
    pub(crate) fn of_template<const N: usize>(name: &str, values: [(&str, &str); N]) -> Self {
        Self::Template { name: name.to_owned(), data: template_data(values) }
    }
}

impl Mail {
    /// Returns the content in the form that SES expects.
    pub(crate) fn content(&self) -> Result<EmailContent> {
        let content = EmailContent::builder();
        Ok(match &self.content {
            MailContent::BuiltIn { subject, html, text } => {
                let message = message(subject, html, text);
                content.simple(message.map_err(Error::permanent("composing an email"))?)
            }
            MailContent::Template { name, data } => {
                let template = Template::builder().template_name(name);
                content.template(template.template_data(data.to_string()).build())
            }
        }
        .build())
    }
}

impl fmt::Debug for Mail {
    /// Leaves out the address and the content, which contains a secret link.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

fn message(subject: &str, html: &str, text: &str) -> Result<Message, BuildError> {
    let utf8 = |data: &str| Content::builder().charset("UTF-8").data(data).build();
    let body = Body::builder().html(utf8(html)?).text(utf8(text)?).build();
    Ok(Message::builder().subject(utf8(subject)?).body(body).build())
}

/// Returns the data of an SES template. SES does not escape values, so each is passed twice:
/// escaped for HTML under its name, and as plain text under its name and `Text`.
fn template_data<const N: usize>(values: [(&str, &str); N]) -> Value {
    let mut data = Map::new();
    for (name, value) in values {
        let Ok(escaped) = escape(value, Html);
        data.insert(name.to_owned(), escaped.to_string().into());
        data.insert(format!("{name}Text"), value.into());
    }
    data.into()
}
