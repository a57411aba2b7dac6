use std::collections::BTreeSet;

use crate::TenantKey;

/// Tenant keys that cannot be used because they have another meaning. A key becomes a host name
/// below `DOMAIN_NAME`, a folder, a stack and a realm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReservedKeys(BTreeSet<String>);

/// Common names of servers and product parts, which people and programs look for.
const INFRASTRUCTURE: &str = "\
    account accounts admin api app apps assets auth autoconfig backup billing blog cache callback cdn \
    chat cloud cname config console control dashboard data db demo dev dns docs download email events files \
    forum gateway git grafana graphql health help home hooks host id idp image images imap img internal ldap \
    login logout mail metrics mobile monitor mta mx mysql node ns ns1 ns2 ns3 ns4 oauth oidc old ops origin \
    panel pay payments pop pop3 portal postgres preview private prod production proxy public qa queue \
    redis register relay remote root s3 saml secure server signin signup smtp socket sso staging stage static \
    stats status stg storage store svn sys system test testing tools tracking uat upload uploads vpn web \
    webhook webhooks webmail wiki ws www www1 www2 www3";

/// Names that resolvers and programs treat specially: RFC 6761, RFC 6762, RFC 7686 and RFC 8375,
/// and names for proxy and tunnel discovery, which are looked up in every domain of a search list.
const RESOLVED: &str = "arpa example invalid isatap local localhost onion wpad";

/// Mailboxes with a meaning in every domain (RFC 2142), and mailboxes that certificate authorities
/// accept as proof of control (CA/Browser Forum Baseline Requirements §3.2.2.4.4).
const MAILBOXES: &str = "abuse hostmaster info marketing news noc postmaster sales security ssladmin \
    support sysadmin usenet uucp webmaster";

/// Words that pipelines, scripts and identity providers use: `none` means no tenant, and `master`
/// is the realm of Keycloak's administrators.
const OURS: &str = "client deploy jobs leads master none pipeline pool pooled shared silo siloed tenant tenantry \
    tenants tier";

impl ReservedKeys {
    /// Creates the default list plus `own` keys.
    #[must_use]
    pub fn with_own(own: impl IntoIterator<Item = TenantKey>) -> Self {
        let lists = [INFRASTRUCTURE, RESOLVED, MAILBOXES, OURS];
        let words = lists.iter().flat_map(|list| list.split_whitespace()).map(str::to_owned);
        Self(words.chain(own.into_iter().map(|key| key.to_string())).collect())
    }

    /// Returns whether `key` is reserved.
    #[must_use]
    pub fn contains(&self, key: &TenantKey) -> bool {
        self.0.contains(key.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use schema::read;

    fn key(text: &str) -> TenantKey {
        read(&text.into()).unwrap()
    }

    #[test]
    fn every_reserved_word_is_a_valid_key() {
        for word in ReservedKeys::with_own([]).0 {
            assert!(read::<TenantKey>(&word.as_str().into()).is_ok(), "{word}");
        }
    }

    #[test]
    fn own_keys_are_added_to_the_default_list() {
        let (usual, more) = (ReservedKeys::with_own([]), ReservedKeys::with_own([key("acme")]));
        for word in ["www", "api", "postmaster", "wpad", "none", "pool"] {
            assert!(usual.contains(&key(word)) && more.contains(&key(word)), "{word}");
        }
        assert!(!usual.contains(&key("acme")) && more.contains(&key("acme")));
        assert!(!more.contains(&key("acmes")));
    }
}
