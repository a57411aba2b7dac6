use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{Email, Lead, LeadId, ResendId};
use schema::{Timestamp, body};

/// How long a request is kept. It must still exist when its record in the table's stream is read,
/// and the stream keeps records for 24 hours.
const RETENTION: Duration = Duration::from_secs(2 * 24 * 3600);

/// The maximum number of leads with one address that get a new link from one request.
const MAX_LEADS: usize = 3;

/// A request for another link, kept until it is processed.
///
/// The route writes the request whether or not the address is known, so that its response time
/// reveals nothing. A consumer of the table's stream processes the request.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resend {
    /// The request's ID.
    pub id: ResendId,
    /// The recipient of the email.
    pub email: Email,
    /// The lead to renew.
    pub lead_id: Option<LeadId>,
    /// When the table deletes an unprocessed request, in seconds since 1970.
    expires_at: i64,
}

body! {
    /// The body of `POST /leads/resend`.
    #[derive(Clone, Debug)]
    pub struct NewResend {
        email: Email,
        lead_id: Option<LeadId>,
    }
}

impl NewResend {
    /// Creates the request with a new ID.
    #[must_use]
    pub fn into_resend(self, now: Timestamp) -> Resend {
        let Self { email, lead_id } = self;
        Resend { id: ResendId::generate(), email, lead_id, expires_at: (now + RETENTION).seconds() }
    }
}

impl Resend {
    /// Returns `lead` if it has the email address of the request.
    #[must_use]
    pub fn matching(&self, lead: Lead) -> Option<Lead> {
        (lead.email.folded() == self.email.folded()).then_some(lead)
    }

    /// Returns the leads that get a new link if the request names no lead: one of each group with
    /// the same details, and at most three. `leads` are the unverified leads of an address, oldest
    /// first.
    ///
    /// Anyone may create a lead with another person's address, so the newest lead may not be the
    /// one that the mailbox's owner wants. Each different lead gets an email with its company's
    /// name, and the owner chooses. The oldest leads are preferred, because an attacker cannot
    /// create an older lead afterwards.
    #[must_use]
    pub fn distinct(leads: Vec<Lead>) -> Vec<Lead> {
        let mut distinct: Vec<Lead> = Vec::new();
        for lead in leads {
            if distinct.len() < MAX_LEADS
                && !distinct.iter().any(|other| other.has_same_details(&lead))
            {
                distinct.push(lead);
            }
        }
        distinct
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::NewLead;
    use schema::read;

    fn lead(company: &str, city: &str) -> Lead {
        let new: NewLead = read(&json!({
            "firstName": "Ada", "lastName": "Lovelace", "companyName": company,
            "email": "ada@acme.test", "address": { "city": city, "country": "GB" },
        }))
        .unwrap();
        new.into_lead(crate::now(), &"system".into(), None)
    }

    #[test]
    fn the_three_oldest_different_leads_get_a_link() {
        let acme = lead("Acme", "Ely");
        let again = acme.clone().renewed(crate::now(), &"system".into(), None).unwrap();
        let all = vec![
            acme.clone(),
            again,
            lead("Acme", "Bath"),
            lead("Acme", "Ely"),
            lead("Evil", "Ely"),
            lead("More Evil", "Ely"),
        ];
        let chosen: Vec<_> = Resend::distinct(all)
            .into_iter()
            .map(|lead| (lead.company_name.to_string(), lead.address.unwrap().parts.city))
            .collect();
        assert_eq!(chosen.len(), 3);
        assert_eq!((chosen[0].0.as_str(), chosen[2].0.as_str()), ("Acme", "Evil"));
        assert_eq!(chosen[0].1, acme.address.unwrap().parts.city);
        assert_ne!(chosen[0].1, chosen[1].1);
    }

    #[test]
    fn a_request_is_kept_for_longer_than_the_record_in_the_stream() {
        let (now, new) = (crate::now(), read::<NewResend>(&json!({ "email": "ada@acme.test" })));
        assert_eq!(new.unwrap().into_resend(now).expires_at, now.seconds() + 2 * 86_400);
    }
}
