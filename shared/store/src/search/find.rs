use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::{
    Store,
    search::item::{SearchItem, Searched, after_space},
    table::{
        item::Item,
        key::Key,
        query::{QueryPage, query_page},
        raw_item::RawItem,
    },
};
use domain::{Contact, Lead, Result, SearchHit, SearchText, Tenant, TenantId, Words};

/// Number of search items read for each hit: an entity can have several words with the same start.
const ITEMS_PER_HIT: usize = 10;

/// Maximum number of search items examined in one call if not all of them count.
const MOST_EXAMINED: i32 = 4000;

/// Maximum number of words by which a search looks for items.
const LOOKUPS: usize = 2;

/// A search for tenants and leads.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// The text to search for.
    pub text: SearchText,
    /// Maximum number of hits: at most 50, so that all entities are read in one call.
    pub limit: usize,
    /// Whether to find leads.
    pub leads: bool,
    /// Whether to find tenants by the addresses of their contacts.
    pub contacts: bool,
}

impl Store {
    /// Returns tenants and leads with words that start as requested: tenants first, those with a
    /// shorter word first. Eventually consistent, about one second behind; what is found is up to
    /// date.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](domain::Error::Internal) if items cannot be read.
    pub async fn search(&self, request: &SearchRequest) -> Result<Vec<SearchHit>> {
        let mut found = Vec::new();
        for start in request.text.starts().iter().take(LOOKUPS) {
            let (more, is_complete) = self.look_up(start, request).await?;
            found.extend(more);
            found = distinct(found, request.limit);
            if is_complete || found.len() == request.limit {
                break;
            }
        }
        let needed: BTreeSet<_> = found.iter().flat_map(|found| [*found, found.shown()]).collect();
        let keys: Vec<_> = needed.into_iter().map(Searched::key).collect();
        let entities = Entities::read(self.get_all(&keys).await?)?;
        Ok(found.into_iter().filter_map(|found| entities.hit(found, &request.text)).collect())
    }

    /// Returns the entities with a word that starts with `start` and with all other words, and
    /// whether these are all.
    async fn look_up(&self, start: &str, request: &SearchRequest) -> Result<(Vec<Searched>, bool)> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut query = self
            .client
            .query()
            .table_name(&*self.table)
            .key_condition_expression("pk = :partition AND begins_with(sk, :start)")
            .expression_attribute_values(":partition", text(&Key::search_partition(start)))
            .expression_attribute_values(":start", text(start));
        let mut conditions = Vec::new();
        let others = request.text.starts().iter().filter(|other| *other != start);
        for (number, other) in others.enumerate() {
            conditions.push(format!("contains(words, :word{number})"));
            query = query
                .expression_attribute_values(format!(":word{number}"), text(&after_space(other)));
        }
        for (kind, wanted) in [("lead", request.leads), ("contact", request.contacts)] {
            if !wanted {
                conditions.push(format!("kind <> :{kind}"));
                query = query.expression_attribute_values(format!(":{kind}"), text(kind));
            }
        }
        query = if conditions.is_empty() {
            query.limit(i32::try_from(request.limit * ITEMS_PER_HIT).unwrap_or(MOST_EXAMINED))
        } else {
            query.filter_expression(conditions.join(" AND ")).limit(MOST_EXAMINED)
        };
        let QueryPage { items, next } = query_page(query, "searching").await?;
        let found = items.iter().map(|item| Ok(item.decode::<SearchItem>()?.searched));
        Ok((found.collect::<Result<_>>()?, next.is_none()))
    }
}

/// Returns the first entities that lead to different hits.
fn distinct(found: Vec<Searched>, most: usize) -> Vec<Searched> {
    let mut seen = BTreeSet::new();
    found.into_iter().filter(|found| seen.insert(found.shown())).take(most).collect()
}

/// The entities of a search that exist.
#[derive(Debug, Default)]
struct Entities {
    tenants: Vec<Tenant>,
    contacts: Vec<Contact>,
    leads: Vec<Lead>,
}

impl Entities {
    fn read(items: Vec<RawItem>) -> Result<Self> {
        let mut entities = Self::default();
        for item in items {
            match item.entity() {
                Some(Tenant::ENTITY) => {
                    entities.tenants.extend(item.decode_active()?.map(|stored| stored.item));
                }
                Some(Contact::ENTITY) => {
                    entities.contacts.extend(item.decode_active()?.map(|stored| stored.item));
                }
                Some(Lead::ENTITY) => {
                    entities.leads.extend(item.decode_active()?.map(|stored| stored.item));
                }
                _ => {}
            }
        }
        Ok(entities)
    }

    /// Returns what was found, if it still exists and still matches.
    fn hit(&self, found: Searched, text: &SearchText) -> Option<SearchHit> {
        match found {
            Searched::Tenant { id } => {
                let tenant = self.tenant(id)?;
                let domains = tenant.domains.iter().map(domain::Hostname::as_str);
                let words = Words::of_tenant(tenant.key.as_str(), tenant.name.as_str(), domains);
                text.matches(&words).then(|| SearchHit::of_tenant(tenant, None))
            }
            Searched::Contact { id, tenant_id } => {
                let contact = self.contacts.iter().find(|contact| contact.id == id)?;
                let email = &contact.details.email;
                let tenant = self.tenant(tenant_id)?;
                text.matches(&Words::of_contact(email.as_str()))
                    .then(|| SearchHit::of_tenant(tenant, Some(email.clone())))
            }
            Searched::Lead { id } => {
                let lead = self.leads.iter().find(|lead| lead.id == id)?;
                let names = [&lead.first_name, &lead.last_name, &lead.company_name];
                let words = Words::of_lead(names.map(domain::Text::as_str), lead.email.as_str());
                text.matches(&words).then(|| SearchHit::of_lead(lead))
            }
        }
    }

    fn tenant(&self, id: TenantId) -> Option<&Tenant> {
        self.tenants.iter().find(|tenant| tenant.id == id)
    }
}
