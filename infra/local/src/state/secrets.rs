use rusqlite::{OptionalExtension, Row, params};

use super::{Result, State, now};

/// A secret. Its `Debug` output does not show the value.
#[derive(Clone)]
pub struct Secret {
    /// The name.
    pub name: String,
    /// The ARN.
    pub arn: String,
    /// The value.
    pub value: String,
    /// The token that the secret was created with.
    pub token: String,
    /// When the secret was created, in milliseconds since the epoch.
    pub created_at: i64,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl State {
    /// Stores a secret, unless its name is in use. Returns whether it was stored.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn add_secret(&self, arn: &str, name: &str, value: &str, token: &str) -> Result<bool> {
        let sql = "INSERT INTO secrets (arn, name, value, token, created_at)
                   VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let added = self.lock().execute(sql, params![arn, name, value, token, now()])?;
        Ok(added == 1)
    }

    /// Returns the secret with this name or ARN.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn secret(&self, id: &str) -> Result<Option<Secret>> {
        let sql = "SELECT * FROM secrets WHERE name = ?1 OR arn = ?1";
        self.lock().query_row(sql, [id], secret).optional()
    }

    /// Returns every secret, sorted by name.
    ///
    /// # Errors
    ///
    /// If the state cannot be read.
    pub fn secrets(&self) -> Result<Vec<Secret>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM secrets ORDER BY name")?;
        query.query_map([], secret)?.collect()
    }

    /// Deletes the secret with this name or ARN.
    ///
    /// # Errors
    ///
    /// If the state cannot be written.
    pub fn delete_secret(&self, id: &str) -> Result<()> {
        self.lock().execute("DELETE FROM secrets WHERE name = ?1 OR arn = ?1", [id]).map(drop)
    }
}

fn secret(row: &Row<'_>) -> Result<Secret> {
    Ok(Secret {
        name: row.get("name")?,
        arn: row.get("arn")?,
        value: row.get("value")?,
        token: row.get("token")?,
        created_at: row.get("created_at")?,
    })
}
