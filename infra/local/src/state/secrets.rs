use rusqlite::{OptionalExtension, Row, params};

use super::{Result, State, now};

/// A secret. Its `Debug` form does not show the value.
#[derive(Clone)]
pub struct Secret {
    /// Its name.
    pub name: String,
    /// Its ARN.
    pub arn: String,
    /// Its value.
    pub value: String,
    /// The token that its version was made with.
    pub token: String,
    /// When it was made, in milliseconds since the epoch.
    pub created_at: i64,
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secret").field("name", &self.name).finish_non_exhaustive()
    }
}

impl State {
    /// Keeps a secret, unless there is one of that name.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
    pub fn add_secret(&self, arn: &str, name: &str, value: &str, token: &str) -> Result<bool> {
        let sql = "INSERT INTO secrets (arn, name, value, token, created_at)
                   VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";
        let added = self.lock().execute(sql, params![arn, name, value, token, now()])?;
        Ok(added == 1)
    }

    /// The secret of this name or ARN.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn secret(&self, id: &str) -> Result<Option<Secret>> {
        let sql = "SELECT * FROM secrets WHERE name = ?1 OR arn = ?1";
        self.lock().query_row(sql, [id], secret).optional()
    }

    /// Every secret, by name.
    ///
    /// # Errors
    ///
    /// Where the state cannot be read.
    pub fn secrets(&self) -> Result<Vec<Secret>> {
        let connection = self.lock();
        let mut query = connection.prepare_cached("SELECT * FROM secrets ORDER BY name")?;
        query.query_map([], secret)?.collect()
    }

    /// Deletes the secret of this name or ARN.
    ///
    /// # Errors
    ///
    /// Where the state cannot be written.
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
