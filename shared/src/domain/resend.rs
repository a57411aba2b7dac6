use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Email, FromMembers, Lead, LeadId, Members, ResendId, Timestamp};

/// How long a request is kept: longer than the table's stream keeps its record (24 hours), so that it
/// is there when the record is read.
const KEPT: Duration = Duration::from_secs(2 * 24 * 3600);

/// The most leads of one address that get a new link by one request.
const MOST: usize = 3;

/// A request for another verification mail, until it is answered.
///
/// The route writes it whether or not the address is known, so that nothing can be told from the time
/// that takes; the consumer of the table's stream answers it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Resend {
    /// Its ID.
    pub id: ResendId,
    /// The address that the mail goes to.
    pub email: Email,
    /// The lead that is to be renewed.
    pub lead_id: Option<LeadId>,
    /// When it is deleted if nothing answers it, in seconds since 1970.
    expires_at: i64,
}

/// The body of `POST /leads/resend`.
#[derive(Clone, Debug)]
pub struct NewResend {
    email: Email,
    lead_id: Option<LeadId>,
}

impl FromMembers for NewResend {
    fn from_members(members: &mut impl Members) -> Option<Self> {
        let (email, lead_id) = (members.required("email"), members.optional("leadId"));
        Some(Self { email: email?, lead_id })
    }
}

impl NewResend {
    /// Returns the request that this becomes.
    #[must_use]
    pub fn into_resend(self, now: Timestamp) -> Resend {
        let Self { email, lead_id } = self;
        Resend { id: ResendId::mint(), email, lead_id, expires_at: (now + KEPT).seconds() }
    }
}

impl Resend {
    /// Returns `lead` if it is at the address that the request names.
    #[must_use]
    pub fn at_its_address(&self, lead: Lead) -> Option<Lead> {
        (lead.email.folded() == self.email.folded()).then_some(lead)
    }

    /// Returns those of the unverified `leads` of an address, oldest first, that get a new link if the
    /// request names none: of those that say the same one, three at most.
    ///
    /// Anybody may write a lead with an address of somebody else. So the newest one is not taken for
    /// the wish of the person who has the mailbox: each different one gets a mail that names its
    /// company, and that person chooses. The oldest ones come first, since nobody can get in before
    /// them later on.
    #[must_use]
    pub fn different(leads: Vec<Lead>) -> Vec<Lead> {
        let mut different: Vec<Lead> = Vec::new();
        for lead in leads {
            if different.len() < MOST && !different.iter().any(|other| other.says_the_same(&lead)) {
                different.push(lead);
            }
        }
        different
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::{NewLead, read};

    fn lead(company: &str, city: &str) -> Lead {
        let new: NewLead = read(&json!({
            "firstName": "Ada", "lastName": "Lovelace", "companyName": company,
            "email": "ada@acme.test", "address": { "city": city, "country": "GB" },
        }))
        .unwrap();
        new.into_lead(crate::now(), &"system".into(), None)
    }

    #[test]
    fn of_many_leads_the_oldest_three_that_differ_get_a_link() {
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
        let told: Vec<_> = Resend::different(all)
            .into_iter()
            .map(|lead| (lead.company_name.to_string(), lead.address.unwrap().parts.city))
            .collect();
        assert_eq!(told.len(), 3);
        assert_eq!((told[0].0.as_str(), told[2].0.as_str()), ("Acme", "Evil"));
        assert_eq!(told[0].1, acme.address.unwrap().parts.city);
        assert_ne!(told[0].1, told[1].1);
    }
}
