use serde_json::Value;

use crate::{BodyKind, FromJson, Invalid, Limits, Patch, Reader, Violation, members, scan::scan};

/// A JSON text with its value and its violations of the limits.
#[derive(Clone, Debug)]
pub struct Document {
    text: String,
    value: Value,
    violations: Vec<Violation>,
}

impl Document {
    /// Parses JSON text. Text that exceeds the limits is parsed too; [`Document::read`] refuses it.
    ///
    /// # Errors
    ///
    /// Describes the syntax error and its position if the text is not JSON.
    pub fn parse(text: String, limits: Limits) -> serde_json::Result<Self> {
        let mut violations = Vec::new();
        let value = scan(&text, "", limits, &mut violations)?;
        Ok(Self { text, value, violations })
    }

    /// Returns the text as it was sent.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the value. Of duplicate members it has the last one. Values nested too deeply are
    /// `null`.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Reads the whole document as a `T`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with every violation.
    pub fn read<T: FromJson>(&self) -> Result<T, Invalid> {
        self.read_as(BodyKind::Whole)
    }

    /// Reads the document as a body of this `kind`.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with every violation.
    pub fn read_as<T: FromJson>(&self, kind: BodyKind) -> Result<T, Invalid> {
        self.inspect(kind, T::from_json).into_value()
    }

    /// Checks the document as a body of this `kind`, without a value to change.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with every violation.
    pub fn check<T: FromJson>(&self, kind: BodyKind) -> Result<(), Invalid> {
        let violations = self.inspect(kind, T::from_json).violations;
        if violations.is_empty() { Ok(()) } else { Err(Invalid(violations)) }
    }

    /// Returns `current` with the members of the document, which may also have these `read_only`
    /// members.
    ///
    /// # Errors
    ///
    /// [`Invalid`] with every violation.
    pub fn patch<T: Patch>(
        &self,
        current: T,
        read_only: &'static [&'static str],
    ) -> Result<T, Invalid> {
        let read = |value: &Value, at: &mut Reader<'_>| members::patched(current, value, at);
        self.inspect(BodyKind::Changing(read_only), read).into_value()
    }

    fn inspect<T>(
        &self,
        kind: BodyKind,
        read: impl FnOnce(&Value, &mut Reader<'_>) -> Option<T>,
    ) -> Inspection<T> {
        let mut violations = self.violations.clone();
        let value = read(&self.value, &mut Reader::new(kind, Some(&self.text), &mut violations));
        Inspection { value, violations }
    }
}

/// Reads a body that contains no decimals. A [`Value`] holds only integers of at most 64 bits
/// exactly; read exact decimals from a [`Document`].
///
/// # Errors
///
/// [`Invalid`] with every violation.
pub fn read<T: FromJson>(body: &Value) -> Result<T, Invalid> {
    let mut violations = Vec::new();
    let value = T::from_json(body, &mut Reader::new(BodyKind::Whole, None, &mut violations));
    Inspection { value, violations }.into_value()
}

/// The result of a reader: a value, unless there are violations.
struct Inspection<T> {
    value: Option<T>,
    violations: Vec<Violation>,
}

impl<T> Inspection<T> {
    fn into_value(self) -> Result<T, Invalid> {
        let Self { value, violations } = self;
        value.filter(|_| violations.is_empty()).ok_or(Invalid(violations))
    }
}

#[cfg(test)]
mod tests;
