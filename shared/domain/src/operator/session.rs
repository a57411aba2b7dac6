use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Profile;
use crate::{OperatorId, SessionId};
use schema::Timestamp;

/// The maximum length of a stored user agent, in characters.
const MAX_AGENT: usize = 200;

/// The time after which a session's person is checked again at the identity provider.
const CHECKED: Duration = Duration::from_secs(15 * 60);

/// A session of an operator in a browser.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// The session's ID: a digest of the secret in its cookie.
    pub id: SessionId,
    /// The operator.
    pub operator_id: OperatorId,
    /// The person, as of the latest check.
    #[serde(flatten)]
    pub profile: Profile,
    /// The refresh token of the identity provider, sealed with the secret in the cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed_token: Option<String>,
    /// The address that the person signed in from.
    pub address: Option<String>,
    /// The browser.
    pub user_agent: Option<String>,
    /// The time of the sign-in.
    pub created_on: Timestamp,
    /// The time of the latest check at the identity provider.
    pub checked_on: Timestamp,
    /// The time of the latest token.
    pub seen_on: Timestamp,
    /// When the time of the session is over.
    pub ends_on: Timestamp,
    /// When an operator or the control plane ended the session, before its time was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_on: Option<Timestamp>,
    /// When the table deletes the session, in seconds since 1970.
    pub expires_at: i64,
}

/// A session on the wire.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionView<'a> {
    id: SessionId,
    created_on: Timestamp,
    last_seen_on: Timestamp,
    ends_on: Timestamp,
    address: Option<&'a str>,
    user_agent: Option<&'a str>,
    current: bool,
}

impl Session {
    /// Starts a session at `now` for at most `lifetime`.
    #[must_use]
    pub fn start(
        id: SessionId,
        operator_id: OperatorId,
        profile: Profile,
        now: Timestamp,
        lifetime: Duration,
    ) -> Self {
        let ends_on = now + lifetime;
        Self {
            id,
            operator_id,
            profile,
            sealed_token: None,
            address: None,
            user_agent: None,
            created_on: now,
            checked_on: now,
            seen_on: now,
            ends_on,
            ended_on: None,
            expires_at: ends_on.seconds(),
        }
    }

    /// Returns the session with the client that started it.
    #[must_use]
    pub fn from_client(self, address: Option<&str>, agent: Option<&str>) -> Self {
        let agent = agent.map(|agent| {
            agent.chars().filter(|c| !c.is_control()).take(MAX_AGENT).collect::<String>()
        });
        Self { address: address.map(str::to_owned), user_agent: agent, ..self }
    }

    /// Returns whether the person is to be checked again at the identity provider.
    #[must_use]
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.sealed_token.is_some() && now.since(self.checked_on) > CHECKED
    }

    /// Returns the session on the wire. `current` is the session of the caller.
    #[must_use]
    pub fn view(&self, current: Option<SessionId>) -> SessionView<'_> {
        SessionView {
            id: self.id,
            created_on: self.created_on,
            last_seen_on: self.seen_on,
            ends_on: self.ends_on,
            address: self.address.as_deref(),
            user_agent: self.user_agent.as_deref(),
            current: current == Some(self.id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(now: Timestamp) -> Session {
        let (name, email, roles, reasons) = ("Ada".to_owned(), None, Vec::new(), Vec::new());
        let profile = Profile { name, email, roles, reasons };
        let (id, operator) = (SessionId::of_digest([7; 16]), OperatorId::generate());
        Session::start(id, operator, profile, now, Duration::from_secs(3600))
    }

    #[test]
    fn a_user_agent_is_kept_on_one_line_of_limited_length() {
        let long = format!("Browser\r\n{}", "x".repeat(300));
        let session = session(crate::now()).from_client(Some("203.0.113.9"), Some(&long));
        assert_eq!(session.address.as_deref(), Some("203.0.113.9"));
        let agent = session.user_agent.unwrap();
        assert!(agent.starts_with("Browserxxx"), "{agent}");
        assert_eq!(agent.len(), MAX_AGENT);
    }

    #[test]
    fn a_person_is_checked_again_after_15_minutes_if_there_is_a_token_for_it() {
        let (now, millisecond) = (crate::now(), Duration::from_millis(1));
        let sealed = Session { sealed_token: Some("sealed".to_owned()), ..session(now) };
        assert!(!sealed.is_due(now + CHECKED));
        assert!(sealed.is_due(now + CHECKED + millisecond));
        assert!(!session(now).is_due(now + CHECKED + millisecond));
    }
}
