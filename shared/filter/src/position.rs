use std::{cell::Cell, fmt};

use crate::{BadParameter, Result};

/// The maximum number of conditions in a filter. Each is evaluated for each item that is read.
const MAX_CONDITIONS: u16 = 1000;

/// The maximum number of patterns in a filter. Each is compiled, and matched against each item.
const MAX_PATTERNS: u16 = 10;

/// The numbers of conditions and patterns that a filter has used.
#[derive(Debug, Default)]
pub(super) struct Budget {
    conditions: Cell<u16>,
    patterns: Cell<u16>,
}

/// A position in a filter, for error messages: `filter.where.status.inq.3`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Position<'a> {
    above: Option<&'a Position<'a>>,
    name: &'a str,
    budget: &'a Budget,
}

impl<'a> Position<'a> {
    /// Creates the position of the parameter `name`.
    pub(super) fn parameter(name: &'a str, budget: &'a Budget) -> Self {
        Self { above: None, name, budget }
    }

    /// Returns the position of the member `name`.
    pub(super) fn member<'b>(&'b self, name: &'b str) -> Position<'b> {
        Position { above: Some(self), name, budget: self.budget }
    }

    /// Creates an error with this position and the violated `rule`.
    pub(super) fn error(&self, rule: impl fmt::Display) -> BadParameter {
        BadParameter(format!("{self}: {rule}"))
    }

    /// Counts a condition, and fails if there are too many.
    pub(super) fn count_condition(&self) -> Result<()> {
        self.count(&self.budget.conditions, MAX_CONDITIONS, "conditions")
    }

    /// Counts a pattern, and fails if there are too many.
    pub(super) fn count_pattern(&self) -> Result<()> {
        self.count(&self.budget.patterns, MAX_PATTERNS, "patterns")
    }

    fn count(&self, used: &Cell<u16>, most: u16, noun: &str) -> Result<()> {
        if used.get() >= most {
            let rule = format_args!("a filter must not have more than {most} {noun}");
            return Err(self.error(rule));
        }
        used.set(used.get() + 1);
        Ok(())
    }
}

impl fmt::Display for Position<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(above) = self.above {
            write!(f, "{above}.")?;
        }
        write!(f, "{}", Truncated(self.name))
    }
}

/// Text from a client, truncated to 60 characters so that an error never returns 100 KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Truncated<'a>(pub(super) &'a str);

impl fmt::Display for Truncated<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(60) {
            Some((end, _)) => write!(f, "{}…", &self.0[..end]),
            None => f.write_str(self.0),
        }
    }
}
