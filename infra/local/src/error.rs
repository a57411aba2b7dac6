use std::{error::Error as Cause, path::PathBuf};

/// What keeps the product from starting or going on, in one line for the person at the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is taken, or may not be listened on.
    #[error("cannot listen on 127.0.0.1:{port}: {cause}")]
    Port {
        /// The port asked for.
        port: u16,
        /// Why not.
        cause: std::io::Error,
    },

    /// The data folder cannot be read, written or owned.
    #[error("cannot use the data folder {}: {cause}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// Why not.
        cause: Box<dyn Cause + Send + Sync>,
    },

    /// The template is broken, or has something that is not played here.
    #[error("{}: {fault}", file.display())]
    Template {
        /// The template's file.
        file: PathBuf,
        /// What is wrong with it.
        fault: String,
    },

    /// A function cannot be built from its variables.
    #[error("the function {binary} cannot start: {cause}")]
    Function {
        /// The function's binary.
        binary: String,
        /// Why not.
        cause: Box<dyn Cause + Send + Sync>,
    },

    /// Anything else, by what was being done.
    #[error("{doing}: {cause}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// Why it failed.
        cause: Box<dyn Cause + Send + Sync>,
    },
}

impl Error {
    /// Makes an error of whatever stopped us from `doing` something.
    pub(crate) fn doing<E: Into<Box<dyn Cause + Send + Sync>>>(
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Failed { doing, cause: cause.into() }
    }
}

/// The result of what may keep the product from going on.
pub type Result<T, E = Error> = std::result::Result<T, E>;
