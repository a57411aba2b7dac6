use std::time::Duration;

use rusqlite::OptionalExtension;

use super::{Result, State};

impl State {
    /// Returns how far the clock is ahead of the system's.
    pub(crate) fn clock_ahead(&self) -> Result<Duration> {
        let sql = "SELECT ahead_ms FROM clock";
        let ahead: Option<u64> = self.lock().query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(Duration::from_millis(ahead.unwrap_or_default()))
    }

    /// Keeps how far the clock is ahead.
    pub(crate) fn set_clock_ahead(&self, ahead: Duration) -> Result<()> {
        let millis = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        let sql = "INSERT INTO clock (id, ahead_ms) VALUES (1, ?)
                   ON CONFLICT (id) DO UPDATE SET ahead_ms = excluded.ahead_ms";
        self.lock().execute(sql, [millis]).map(drop)
    }
}
