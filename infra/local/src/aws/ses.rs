use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Aws, AwsFault, Result};
use crate::{state::NewMail, template::MailTemplate};

/// Maximum length of a line of an email, in bytes (RFC 5322 §2.1.1). A header is one line before it
/// is folded.
const MAX_HEADER_LENGTH: usize = 998;

/// Maximum size of an email, in bytes: <https://docs.aws.amazon.com/ses/latest/dg/quotas.html>.
const MAX_BYTES: usize = 40 << 20;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SendEmail {
    #[serde(default)]
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
#[expect(clippy::struct_field_names, reason = "the names of the API")]
struct Destination {
    to_addresses: Vec<String>,
    cc_addresses: Vec<String>,
    bcc_addresses: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Option<Simple>,
    template: Option<Named>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Part,
    body: Body,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Body {
    html: Option<Part>,
    text: Option<Part>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Part {
    data: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    template_name: String,
    #[serde(default)]
    template_data: String,
}

impl Aws {
    /// Stores an email in the mailbox.
    pub(super) fn send_email(&self, request: SendEmail) -> Result<Value> {
        let bad = |message: &str| AwsFault::client_error("BadRequestException", message);
        let Destination { mut to_addresses, cc_addresses, bcc_addresses } = request.destination;
        to_addresses.extend(cc_addresses.into_iter().chain(bcc_addresses));
        if request.from_email_address.is_empty() || to_addresses.is_empty() {
            return Err(bad("FromEmailAddress and a destination are required"));
        }
        if to_addresses.len() > 50 {
            return Err(bad("an email has at most 50 recipients"));
        }
        if !to_addresses.iter().chain([&request.from_email_address]).all(|it| is_address(it)) {
            return Err(bad("Illegal address"));
        }
        let mut mail =
            NewMail { from: request.from_email_address, to: to_addresses, ..NewMail::default() };
        match request.content {
            Content { simple: Some(simple), template: None } => {
                mail.subject = simple.subject.data;
                mail.html = simple.body.html.map(|part| part.data);
                mail.text = simple.body.text.map(|part| part.data);
                if mail.html.is_none() && mail.text.is_none() {
                    return Err(bad("an email needs a body"));
                }
            }
            Content { simple: None, template: Some(named) } => self.fill(&mut mail, &named)?,
            _ => return Err(AwsFault::not_simulated("SES SendEmail with this content")),
        }
        if mail.subject.contains(['\r', '\n']) || mail.subject.len() > MAX_HEADER_LENGTH {
            return Err(bad("Subject has a line break or is too long"));
        }
        let text = [&mail.html, &mail.text].into_iter().flatten().map(String::len).sum::<usize>();
        if text > MAX_BYTES {
            return Err(AwsFault::client_error(
                "MessageRejected",
                "Message length is over the limit",
            ));
        }
        let id = format!("{}-000000", uuid::Uuid::new_v4());
        self.state.add_mail(&id, &mail)?;
        tracing::info!(mail.subject, "an email arrived, see /_local/mails");
        Ok(json!({ "MessageId": id }))
    }

    /// Renders a template of this project. For a template that exists only in SES, shows the data.
    fn fill(&self, mail: &mut NewMail, named: &Named) -> Result<()> {
        let data: Map<String, Value> =
            serde_json::from_str(&named.template_data).map_err(|_| {
                AwsFault::client_error("BadRequestException", "TemplateData is not a JSON object")
            })?;
        if let Some(template) = self.template.mail_templates.get(&named.template_name) {
            let MailTemplate { subject, html, text } = template;
            mail.subject = filled(subject, &data);
            mail.html = Some(filled(html, &data)).filter(|html| !html.is_empty());
            mail.text = Some(filled(text, &data)).filter(|text| !text.is_empty());
        } else {
            let data = serde_json::to_string_pretty(&data).unwrap_or_default();
            mail.subject = format!("SES template {}", named.template_name);
            mail.text = Some(data);
        }
        Ok(())
    }
}

/// Returns whether SES accepts `text` as an address, with or without a display name. Line breaks
/// are invalid because they would start another header. The local part must be ASCII. The lengths
/// are those of RFC 5321 (§4.5.3.1):
/// <https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_Destination.html>.
fn is_address(text: &str) -> bool {
    let address = text.rsplit_once('<').map_or(text, |(_, address)| address.trim_end_matches('>'));
    let Some((local, domain)) = address.rsplit_once('@') else { return false };
    !text.contains(char::is_control)
        && text.len() <= MAX_HEADER_LENGTH
        && local.is_ascii()
        && (1..=64).contains(&local.len())
        && (1..=255).contains(&domain.len())
        && !domain.contains(char::is_whitespace)
        && domain.split('.').all(|label| (1..=63).contains(&label.len()))
}

fn filled(template: &str, data: &Map<String, Value>) -> String {
    data.iter().fold(template.to_owned(), |text, (name, value)| {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        text.replace(&format!("{{{{{name}}}}}"), &value)
            .replace(&format!("{{{{ {name} }}}}"), &value)
    })
}
