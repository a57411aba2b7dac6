use std::{
    fmt,
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use dynoxide::Database;

use crate::{Data, Error, Result, state::State, table};

/// The opened data that survives a restart.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) state: Arc<State>,
    /// The lock on the folder, held while this process uses it.
    pub(crate) lock: Option<File>,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened").field("lock", &self.lock).finish_non_exhaustive()
    }
}

impl Data {
    /// Opens the table's database and the state.
    pub(crate) fn open(&self) -> Result<Opened> {
        match self {
            Self::Memory => Ok(Opened {
                database: table::open(None).map_err(Error::doing("opening the table"))?,
                state: Arc::new(State::open(None).map_err(Error::doing("opening the state"))?),
                lock: None,
            }),
            Self::Folder(folder) => open_folder(folder),
        }
    }
}

fn open_folder(folder: &Path) -> Result<Opened> {
    let unusable = |cause| Error::Data { folder: folder.to_owned(), cause };
    // The folder holds secrets, so only its owner may access it.
    let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|cause| unusable(cause.into()))?;
    let file = |name: &str| -> PathBuf { folder.join(name) };
    let lock = lock(&file("lock")).map_err(unusable)?;
    for name in ["table.sqlite", "state.sqlite"] {
        open_private(&file(name)).map_err(|cause| unusable(cause.into()))?;
    }
    let database = table::open(Some(&file("table.sqlite")));
    let state = State::open(Some(&file("state.sqlite")));
    Ok(Opened {
        database: database.map_err(|cause| unusable(cause.into()))?,
        state: Arc::new(state.map_err(|cause| unusable(cause.into()))?),
        lock: Some(lock),
    })
}

/// Opens a file that only its owner may read, even if others can read the folder.
fn open_private(file: &Path) -> io::Result<File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600).open(file)
}

fn lock(file: &Path) -> Result<File, Box<dyn std::error::Error + Send + Sync>> {
    let lock = open_private(file)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err("another process is using it".into()),
        Err(TryLockError::Error(cause)) => Err(cause.into()),
    }
}
