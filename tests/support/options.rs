use std::path::Path;

use local::{Data, Outcome};

/// How a control plane is started.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) outcome: Outcome,
    pub(crate) data: Data,
    pub(crate) variables: Vec<(String, String)>,
}

impl Options {
    /// Pipelines that report success at once.
    pub fn succeeding() -> Self {
        Self { outcome: Outcome::Success, data: Data::Memory, variables: Vec::new() }
    }

    /// Pipelines that report failure.
    pub fn failing() -> Self {
        Self { outcome: Outcome::Failure, ..Self::succeeding() }
    }

    /// Pipelines that never report.
    pub fn silent() -> Self {
        Self { outcome: Outcome::Silent, ..Self::succeeding() }
    }

    /// With a variable of the functions set.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With its data in a folder, so that it outlives the process.
    #[must_use]
    pub fn data_in(self, folder: &Path) -> Self {
        Self { data: Data::Folder(folder.to_owned()), ..self }
    }
}
