//! No secret and nobody's name or address is logged, published or stored where it does not belong.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use memchr::memmem;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::{Layer, fmt::MakeWriter, layer::SubscriberExt, util::SubscriberInitExt};

use crate::{locked, world::World};

/// Parts of the names and addresses of all people.
const PERSONAL: [&str; 2] = ["Marker-", "@customer-"];

/// Reads the log of the functions.
#[derive(Clone, Debug)]
struct Reader(Arc<World>);

/// The secrets that must not appear anywhere.
#[derive(Debug, Default)]
pub(crate) struct Secrets(Mutex<Vec<Secret>>);

/// A secret, prepared for being searched for.
type Secret = memmem::Finder<'static>;

impl Secrets {
    pub(crate) fn add(&self, secret: &str) {
        locked(&self.0).push(memmem::Finder::new(secret).into_owned());
    }

    /// Returns the secret that was added last.
    pub(crate) fn latest(&self) -> String {
        let all = locked(&self.0);
        let latest = all.last().map(|secret| String::from_utf8_lossy(secret.needle()));
        latest.unwrap_or_default().into_owned()
    }

    /// Returns whether a text contains a secret.
    fn are_in(&self, text: &str) -> bool {
        let text = text.as_bytes();
        locked(&self.0).iter().any(|secret| secret.find(text).is_some())
    }
}

/// Checks everything that is logged from now on.
pub(crate) fn read_log(world: &Arc<World>) {
    let reader = Reader(Arc::clone(world));
    let lines =
        tracing_subscriber::fmt::layer().with_ansi(false).without_time().with_writer(reader);
    let lines = lines.with_filter(lambda::logged(LevelFilter::INFO));
    let _ = tracing_subscriber::registry().with(lines).try_init();
}

impl<'w> MakeWriter<'w> for Reader {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Write for Reader {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let is_personal = PERSONAL.iter().any(|part| text.contains(part));
        if is_personal || self.0.secrets.are_in(&text) {
            self.0.violated("nothing personal or secret is logged", &text);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl World {
    /// Checks that no item and no event contains a secret.
    pub(super) fn check_secrets(&self) {
        for item in self.history.items() {
            if self.secrets.are_in(&item.record.to_string()) {
                self.violated("no secret is stored", &format!("{:?}", item.key));
            }
        }
        let events = self.services.state().events();
        for event in events.unwrap_or_default() {
            if self.secrets.are_in(&event.envelope.to_string()) {
                self.violated("no secret is published", &event.id);
            }
        }
    }
}
