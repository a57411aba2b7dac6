use std::path::Path;

use local::{Data, Outcome};

/// Options for starting a control plane.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) outcome: Outcome,
    pub(crate) data: Data,
    pub(crate) variables: Vec<(String, String)>,
}

impl Options {
    /// Creates options with pipelines that report success at once.
    pub fn succeeding() -> Self {
        Self { outcome: Outcome::Success, data: Data::Memory, variables: Vec::new() }
    }

    /// Creates options with pipelines that report failure.
    pub fn failing() -> Self {
        Self { outcome: Outcome::Failure, ..Self::succeeding() }
    }

    /// Creates options with pipelines that never report.
    pub fn silent() -> Self {
        Self { outcome: Outcome::Silent, ..Self::succeeding() }
    }

    /// Sets an environment variable of the functions.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Keeps the data in a folder, so that it outlives the process.
    #[must_use]
    pub fn data_in(self, folder: &Path) -> Self {
        Self { data: Data::Folder(folder.to_owned()), ..self }
    }
}
