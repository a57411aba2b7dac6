//! Writes the emails to a tenant's contact about its suspension and its subscription.

use askama::Template;
use domain::{Contact, Result, Tenant, Text};
use lambda::Env;

use crate::{
    mail::{Mail, MailContent},
    notice_words::{NoticeWords, SubscriptionNotice},
    words::{date, name},
    writer::{Writer, render},
};

/// The names of the team's own SES templates for notices.
#[derive(Debug)]
pub(crate) struct NoticeTemplates {
    suspended: Option<String>,
    reactivated: Option<String>,
    trial_ending: Option<String>,
    past_due: Option<String>,
    cancelled: Option<String>,
}

/// The values of a notice.
struct Notice<'a> {
    app: &'a str,
    first_name: String,
    tenant_name: String,
    tenant_key: String,
    note: Option<&'a str>,
    link: &'a str,
    words: NoticeWords,
}

#[derive(Template)]
#[template(path = "notice.html")]
struct NoticeHtml<'a> {
    of: &'a Notice<'a>,
}

#[derive(Template)]
#[template(path = "notice.txt")]
struct NoticeText<'a> {
    of: &'a Notice<'a>,
}

impl NoticeTemplates {
    /// Reads `SUSPENDED_TEMPLATE`, `REACTIVATED_TEMPLATE`, `TRIAL_ENDING_TEMPLATE`,
    /// `PAST_DUE_TEMPLATE` and `CANCELLED_TEMPLATE`.
    pub(crate) fn from_env(env: &Env) -> Self {
        let template = |variable| env.get(variable).map(str::to_owned);
        Self {
            suspended: template("SUSPENDED_TEMPLATE"),
            reactivated: template("REACTIVATED_TEMPLATE"),
            trial_ending: template("TRIAL_ENDING_TEMPLATE"),
            past_due: template("PAST_DUE_TEMPLATE"),
            cancelled: template("CANCELLED_TEMPLATE"),
        }
    }

    fn about(&self, notice: &SubscriptionNotice<'_>) -> Option<&String> {
        match notice {
            SubscriptionNotice::TrialEnding { .. } => self.trial_ending.as_ref(),
            SubscriptionNotice::PastDue { .. } => self.past_due.as_ref(),
            SubscriptionNotice::Cancelled { .. } => self.cancelled.as_ref(),
        }
    }
}

impl Writer {
    /// Returns the email to a contact of a tenant whose suspension began or ended.
    pub(crate) fn standing(&self, tenant: &Tenant, contact: &Contact) -> Result<Mail> {
        let suspension = tenant.suspension.as_ref();
        let (words, template) = match suspension {
            Some(why) => (NoticeWords::suspended(why), &self.notices.suspended),
            None => (NoticeWords::reactivated(), &self.notices.reactivated),
        };
        let note = suspension.and_then(|why| why.note.as_ref()).map(Text::as_str);
        let of = Notice { note, ..self.notice(tenant, contact, words) };
        let reason = suspension.map(|why| why.reason.to_string()).unwrap_or_default();
        let deleted_on =
            suspension.and_then(|why| why.deprovision_on).map(date).unwrap_or_default();
        let own = [
            ("reason", reason.as_str()),
            ("note", note.unwrap_or_default()),
            ("deletedOn", &deleted_on),
        ];
        mail(&of, contact, template.as_ref(), own)
    }

    /// Returns the email to a contact of a tenant about its subscription.
    pub(crate) fn subscription(
        &self,
        notice: &SubscriptionNotice<'_>,
        tenant: &Tenant,
        contact: &Contact,
    ) -> Result<Mail> {
        let of = self.notice(tenant, contact, notice.words());
        let until = notice.until().map(date).unwrap_or_default();
        let deleted_on = notice.deleted_on().map(date).unwrap_or_default();
        let plan = name(notice.plan().name.as_str());
        let own = [("planName", &*plan), ("until", &until), ("deletedOn", &deleted_on)];
        mail(&of, contact, self.notices.about(notice), own)
    }

    fn notice<'a>(&'a self, tenant: &Tenant, contact: &Contact, words: NoticeWords) -> Notice<'a> {
        Notice {
            app: &self.app,
            first_name: name(contact.details.first_name.as_str()),
            tenant_name: name(tenant.name.as_str()),
            tenant_key: tenant.key.to_string(),
            note: None,
            link: &self.login_url,
            words,
        }
    }
}

/// Returns a notice as an email. `own` are the values of the team's template besides those that every
/// notice has.
fn mail(
    of: &Notice<'_>,
    contact: &Contact,
    template: Option<&String>,
    own: [(&str, &str); 3],
) -> Result<Mail> {
    let [first, second, third] = own;
    let content = match template {
        Some(template) => MailContent::of_template(
            template,
            [
                ("appName", of.app),
                ("firstName", &of.first_name),
                ("tenantName", &of.tenant_name),
                ("tenantKey", &of.tenant_key),
                first,
                second,
                third,
                ("link", of.link),
            ],
        ),
        None => MailContent::BuiltIn {
            subject: format!("{}: {} on {}", of.words.heading, of.tenant_name, of.app),
            html: render(&NoticeHtml { of })?,
            text: render(&NoticeText { of })?,
        },
    };
    Ok(Mail { to: contact.details.email.clone(), content })
}
