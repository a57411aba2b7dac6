use std::{cell::Cell, fmt};

use crate::{Error, Result};

/// The most conditions that one filter holds; each is evaluated for each item that is read.
const MOST_CONDITIONS: u16 = 1000;

/// The most patterns that one filter holds; each is compiled, and run over each item.
const MOST_PATTERNS: u16 = 10;

/// What a filter has used of what it may.
#[derive(Debug, Default)]
pub(super) struct Budget {
    conditions: Cell<u16>,
    patterns: Cell<u16>,
}

/// A place in a filter, which an error names: `filter.where.status.inq.3`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    above: Option<&'a Place<'a>>,
    name: &'a str,
    budget: &'a Budget,
}

impl<'a> Place<'a> {
    /// The parameter called `name`.
    pub(super) fn parameter(name: &'a str, budget: &'a Budget) -> Self {
        Self { above: None, name, budget }
    }

    /// The place `name` below this one.
    pub(super) fn below<'b>(&'b self, name: &'b str) -> Place<'b> {
        Place { above: Some(self), name, budget: self.budget }
    }

    /// The error that says what is wrong here.
    pub(super) fn refuse(&self, rule: impl fmt::Display) -> Error {
        Error::BadParameter(format!("{self}: {rule}"))
    }

    /// Counts a condition of the filter.
    pub(super) fn count_condition(&self) -> Result<()> {
        self.count(&self.budget.conditions, MOST_CONDITIONS, "conditions")
    }

    /// Counts a pattern of the filter.
    pub(super) fn count_pattern(&self) -> Result<()> {
        self.count(&self.budget.patterns, MOST_PATTERNS, "patterns")
    }

    fn count(&self, used: &Cell<u16>, most: u16, noun: &str) -> Result<()> {
        if used.get() >= most {
            let rule = format_args!("a filter must not have more than {most} {noun}");
            return Err(self.refuse(rule));
        }
        used.set(used.get() + 1);
        Ok(())
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            write!(f, "{above}.")?;
        }
        write!(f, "{}", Short(self.name))
    }
}

/// What a client wrote, cut where it is long: an error does not send 100 KiB back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Short<'a>(pub(super) &'a str);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(60) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}
