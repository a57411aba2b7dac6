use std::path::Path;

use local::{Data, Outcome};

/// Options for starting a control plane.
#[derive(Clone, Debug)]
pub struct Options {
    pub(crate) outcome: Outcome,
    pub(crate) data: Data,
    pub(crate) pipeline_delay_ms: u64,
    pub(crate) variables: Vec<(String, String)>,
}

impl Options {
    /// Creates options with pipelines that report success at once.
    pub fn succeeding() -> Self {
        Self {
            outcome: Outcome::Success,
            data: Data::Memory,
            pipeline_delay_ms: 0,
            variables: Vec::new(),
        }
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

    /// Sets the duration of pipelines. Only pipelines that take time have stages.
    #[must_use]
    pub fn pipelines_take_ms(self, pipeline_delay_ms: u64) -> Self {
        Self { pipeline_delay_ms, ..self }
    }

    /// Keeps the data in a folder, so that it outlives the process.
    #[must_use]
    pub fn data_in(self, folder: &Path) -> Self {
        Self { data: Data::Folder(folder.to_owned()), ..self }
    }
}
