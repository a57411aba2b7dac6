use rusqlite::{OptionalExtension, Row, params};
use schema::Timestamp;
use serde::Serialize;

use super::{Result, State, now};

/// An email that was sent.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Mail {
    /// The number of the email, from 1.
    pub id: i64,
    /// The ID that SES returned.
    pub message_id: String,
    /// When the email was sent.
    pub sent_at: Timestamp,
    /// The sender.
    pub from: String,
    /// The recipients, including copies.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: Option<String>,
    /// The targets of the links.
    pub links: Vec<String>,
}

/// An email to send.
#[derive(Clone, Debug, Default)]
pub struct NewMail {
    /// The sender.
    pub from: String,
    /// The recipients.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The HTML part.
    pub html: Option<String>,
    /// The text part.
    pub text: Option<String>,
}

impl State {
    /// Stores an email under its message ID.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn add_mail(&self, message_id: &str, mail: &NewMail) -> Result<()> {
        let sql = "INSERT INTO mails (message_id, sent_at, sender, recipients, subject, html, text)
                   VALUES (?, ?, ?, ?, ?, ?, ?)";
        let to = mail.to.join("\n");
        let values = params![message_id, now(), mail.from, to, mail.subject, mail.html, mail.text];
        self.lock().execute(sql, values).map(drop)
    }

    /// Returns every email, newest first.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn mails(&self) -> Result<Vec<Mail>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM mails ORDER BY id DESC")?;
        query.query_map([], mail)?.collect()
    }

    /// Returns the email with the number `id`.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn mail(&self, id: i64) -> Result<Option<Mail>> {
        self.lock().query_row("SELECT * FROM mails WHERE id = ?", [id], mail).optional()
    }
}

fn mail(row: &Row<'_>) -> Result<Mail> {
    let html: Option<String> = row.get("html")?;
    let text: Option<String> = row.get("text")?;
    Ok(Mail {
        id: row.get("id")?,
        message_id: row.get("message_id")?,
        sent_at: Timestamp::from_millis(row.get("sent_at")?),
        from: row.get("sender")?,
        to: row.get::<_, String>("recipients")?.lines().map(str::to_owned).collect(),
        subject: row.get("subject")?,
        links: links(html.as_deref(), text.as_deref()),
        html,
        text,
    })
}

/// Returns the targets of the links in an email, in order and without duplicates.
fn links(html: Option<&str>, text: Option<&str>) -> Vec<String> {
    let attributes = html.into_iter().flat_map(|html| html.split("href=").skip(1));
    let in_html = attributes.filter_map(|rest| {
        let quote = rest.chars().next().filter(|quote| matches!(quote, '"' | '\''))?;
        rest[1..].split_once(quote).map(|(link, _)| unescaped(link))
    });
    let words = text.into_iter().flat_map(str::split_whitespace);
    let in_text = words.map(|word| word.trim_matches(['<', '>', '(', ')', ',', '.']).to_owned());
    let mut links: Vec<String> = Vec::new();
    for link in in_html.chain(in_text) {
        let leads_out = link.starts_with("http://") || link.starts_with("https://");
        if leads_out && !links.contains(&link) {
            links.push(link);
        }
    }
    links
}

fn unescaped(attribute: &str) -> String {
    let plain = attribute.replace("&#38;", "&").replace("&#x26;", "&").replace("&amp;", "&");
    plain.replace("&#61;", "=").replace("&#x3D;", "=").replace("&#47;", "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_found_once_in_html_and_text() {
        let html = r#"<a href="http://h/v/1?code=a&#38;b=2">x</a> <a href='mailto:a@b'>y</a>"#;
        let text = "Go to http://h/v/1?code=a&b=2 or (https://other.test/x).";
        let found = links(Some(html), Some(text));
        assert_eq!(found, ["http://h/v/1?code=a&b=2", "https://other.test/x"]);
    }
}
