use std::{error::Error as Cause, path::PathBuf};

/// An error that stops the local run, as one line for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The port is in use or not permitted.
    #[error("cannot listen on 127.0.0.1:{port}: {cause}")]
    Port {
        /// The requested port.
        port: u16,
        /// The cause.
        cause: std::io::Error,
    },

    /// The data folder cannot be read, written or locked.
    #[error("cannot use the data folder {}: {cause}", folder.display())]
    Data {
        /// The folder.
        folder: PathBuf,
        /// The cause.
        cause: Box<dyn Cause + Send + Sync>,
    },

    /// The template is invalid, or contains something that is not simulated.
    #[error("{}: {fault}", file.display())]
    Template {
        /// The template's file.
        file: PathBuf,
        /// The problem.
        fault: String,
    },

    /// A function cannot start with its variables.
    #[error("the function {binary} cannot start: {cause}")]
    Function {
        /// The function's binary.
        binary: String,
        /// The cause.
        cause: Box<dyn Cause + Send + Sync>,
    },

    /// Any other failure.
    #[error("{doing}: {cause}")]
    Failed {
        /// The action that failed.
        doing: &'static str,
        /// The cause.
        cause: Box<dyn Cause + Send + Sync>,
    },
}

impl Error {
    /// Wraps a failure of `doing` something.
    pub(crate) fn doing<E: Into<Box<dyn Cause + Send + Sync>>>(
        doing: &'static str,
    ) -> impl FnOnce(E) -> Self {
        move |cause| Self::Failed { doing, cause: cause.into() }
    }
}

/// A result with an [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;
