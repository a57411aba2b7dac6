//! Writes the emails.

use askama::Template;
use domain::{Error, EventJob, EventLead, EventTenant, Lead, LeadId, LeadLink, Result, Stage};
use lambda::{
    Env,
    aws::Aws,
    config::{ConfigError, LeadKeys},
    keys::MasterKeys,
};
use schema::Timestamp;
use secrecy::{ExposeSecret, SecretString};

use crate::{
    mail::{Mail, MailContent},
    notice::NoticeTemplates,
    words::{StageWords, date, name},
};

/// Writes emails.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) app: String,
    validate_url: String,
    pub(crate) login_url: String,
    keys: MasterKeys,
    lead_keys: LeadKeys,
    verification_template: Option<String>,
    welcome_template: Option<String>,
    progress_template: Option<String>,
    pub(crate) notices: NoticeTemplates,
}

/// The values of the verification email.
struct Verification<'a> {
    app: &'a str,
    first_name: String,
    company_name: String,
    link: String,
    until: String,
}

#[derive(Template)]
#[template(path = "verification.html")]
struct VerificationHtml<'a> {
    of: &'a Verification<'a>,
}

#[derive(Template)]
#[template(path = "verification.txt")]
struct VerificationText<'a> {
    of: &'a Verification<'a>,
}

/// The values of an email with a link for a verified lead.
struct Progress<'a> {
    app: &'a str,
    first_name: String,
    company_name: String,
    link: String,
    /// When the link expires. The link to the workspace itself does not.
    until: Option<String>,
    words: StageWords,
}

#[derive(Template)]
#[template(path = "progress.html")]
struct ProgressHtml<'a> {
    of: &'a Progress<'a>,
}

#[derive(Template)]
#[template(path = "progress.txt")]
struct ProgressText<'a> {
    of: &'a Progress<'a>,
}

/// The values of the welcome email.
struct Welcome<'a> {
    app: &'a str,
    first_name: String,
    tenant_name: String,
    tenant_key: String,
    link: &'a str,
    login: &'a str,
}

#[derive(Template)]
#[template(path = "welcome.html")]
struct WelcomeHtml<'a> {
    of: &'a Welcome<'a>,
}

#[derive(Template)]
#[template(path = "welcome.txt")]
struct WelcomeText<'a> {
    of: &'a Welcome<'a>,
}

impl Writer {
    /// Reads `APP_NAME`, `APP_VALIDATE_URL`, `APP_LOGIN_URL`, `VERIFICATION_TEMPLATE`,
    /// `WELCOME_TEMPLATE`, `PROGRESS_TEMPLATE`, the templates of notices, the master keys and the settings of
    /// lead keys.
    pub(crate) async fn from_env(env: &Env, aws: &Aws) -> Result<Self, ConfigError> {
        Ok(Self {
            app: env.get("APP_NAME").unwrap_or("Tenantry").to_owned(),
            validate_url: env.url("APP_VALIDATE_URL")?,
            login_url: env.url("APP_LOGIN_URL")?,
            lead_keys: LeadKeys::from_env(env)?,
            verification_template: env.get("VERIFICATION_TEMPLATE").map(str::to_owned),
            welcome_template: env.get("WELCOME_TEMPLATE").map(str::to_owned),
            progress_template: env.get("PROGRESS_TEMPLATE").map(str::to_owned),
            notices: NoticeTemplates::from_env(env),
            keys: MasterKeys::load(env, aws).await?,
        })
    }

    /// Returns the verification email of a lead. Returns `None` if a facade sends the key, if the
    /// key has expired, or if the lead's address has reached the daily limit of emails.
    ///
    /// The subject does not contain the lead's names, since the address is not verified yet.
    pub(crate) fn verification(&self, lead: &EventLead, now: Timestamp) -> Result<Option<Mail>> {
        let LeadKeys { length, expiry, in_response } = self.lead_keys;
        let issued = lead.id.created_at();
        if in_response || lead.unmailed || Lead::key_expired(issued, now, expiry) {
            return Ok(None);
        }
        let of = Verification {
            app: &self.app,
            first_name: name(lead.first_name.as_str()),
            company_name: name(lead.company_name.as_str()),
            link: self.page(lead.id, &self.keys.lead_key(lead.id, length)),
            until: date(issued.unwrap_or(now) + expiry),
        };
        let content = match &self.verification_template {
            Some(template) => MailContent::of_template(
                template,
                [
                    ("appName", of.app),
                    ("firstName", &of.first_name),
                    ("companyName", &of.company_name),
                    ("link", &of.link),
                    ("validUntil", &of.until),
                ],
            ),
            None => MailContent::BuiltIn {
                subject: format!("Confirm your email address for {}", of.app),
                html: render(&VerificationHtml { of: &of })?,
                text: render(&VerificationText { of: &of })?,
            },
        };
        Ok(Some(Mail { to: lead.email.clone(), content }))
    }

    /// Returns the email with a link that a verified lead has requested. It says how far the sign-up
    /// has come. Returns `None` if a facade sends the keys, or if the link has expired.
    pub(crate) fn link(
        &self,
        lead: &EventLead,
        link: &LeadLink,
        now: Timestamp,
    ) -> Result<Option<Mail>> {
        let LeadKeys { expiry, in_response, .. } = self.lead_keys;
        if in_response || Lead::key_expired(Some(link.issued_on), now, expiry) {
            return Ok(None);
        }
        self.progress(lead, link).map(Some)
    }

    /// Returns the email about a failed build, with a link to try again.
    pub(crate) fn failure(&self, lead: &EventLead, now: Timestamp) -> Result<Mail> {
        let link = LeadLink { issued_on: now, stage: Stage::Failed, app_plane_url: None };
        self.progress(lead, &link)
    }

    fn progress(&self, lead: &EventLead, link: &LeadLink) -> Result<Mail> {
        let LeadKeys { length, expiry, .. } = self.lead_keys;
        let key = self.keys.link_key(lead.id, link.issued_on, length);
        let is_ready = link.stage == Stage::Ready;
        let of = Progress {
            app: &self.app,
            first_name: name(lead.first_name.as_str()),
            company_name: name(lead.company_name.as_str()),
            link: if is_ready {
                link.app_link().unwrap_or(&self.login_url).to_owned()
            } else {
                self.page(lead.id, &key)
            },
            until: (!is_ready).then(|| date(link.issued_on + expiry)),
            words: StageWords::new(link.stage),
        };
        let StageWords { heading, before, after, button } = of.words;
        let content = match &self.progress_template {
            Some(template) => MailContent::of_template(
                template,
                [
                    ("appName", of.app),
                    ("firstName", &of.first_name),
                    ("companyName", &of.company_name),
                    ("heading", heading),
                    ("message", &format!("{before} {}{after}", of.company_name)),
                    ("button", button),
                    ("link", &of.link),
                    ("validUntil", of.until.as_deref().unwrap_or_default()),
                ],
            ),
            None => MailContent::BuiltIn {
                subject: format!("{heading} on {}", of.app),
                html: render(&ProgressHtml { of: &of })?,
                text: render(&ProgressText { of: &of })?,
            },
        };
        Ok(Mail { to: lead.email.clone(), content })
    }

    /// Returns the address of the page that continues the sign-up of a lead.
    fn page(&self, lead: LeadId, key: &SecretString) -> String {
        format!("{}/{lead}?code={}", self.validate_url, key.expose_secret())
    }

    /// Returns the welcome email to a tenant's primary contact, or `None` if there is no contact.
    pub(crate) fn welcome(
        &self,
        tenant: &EventTenant,
        job: Option<&EventJob>,
    ) -> Result<Option<Mail>> {
        let Some(contact) = tenant.primary_contact() else { return Ok(None) };
        let of = Welcome {
            app: &self.app,
            first_name: name(contact.details.first_name.as_str()),
            tenant_name: name(tenant.name.as_str()),
            tenant_key: tenant.key.to_string(),
            link: job.and_then(EventJob::link).unwrap_or(&self.login_url),
            login: &self.login_url,
        };
        let content = match &self.welcome_template {
            Some(template) => MailContent::of_template(
                template,
                [
                    ("appName", of.app),
                    ("firstName", &of.first_name),
                    ("tenantName", &of.tenant_name),
                    ("tenantKey", &of.tenant_key),
                    ("link", of.link),
                    ("loginUrl", of.login),
                ],
            ),
            None => MailContent::BuiltIn {
                subject: format!("{} is ready on {}", of.tenant_name, of.app),
                html: render(&WelcomeHtml { of: &of })?,
                text: render(&WelcomeText { of: &of })?,
            },
        };
        Ok(Some(Mail { to: contact.details.email.clone(), content }))
    }
}

pub(crate) fn render(template: &impl Template) -> Result<String> {
    template.render().map_err(Error::permanent("writing an email"))
}
