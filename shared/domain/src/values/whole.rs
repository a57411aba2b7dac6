use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use schema::{Decimal, FromJson, Reader};

/// An integer from `MIN` to `MAX`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Whole<const MIN: u32, const MAX: u32>(u32);

impl<const MIN: u32, const MAX: u32> Whole<MIN, MAX> {
    /// Creates a constant.
    ///
    /// # Panics
    ///
    /// If `number` is out of range: when the program is compiled.
    pub(crate) const fn new(number: u32) -> Self {
        assert!(MIN <= number && number <= MAX, "out of range");
        Self(number)
    }
}

impl<const MIN: u32, const MAX: u32> From<Whole<MIN, MAX>> for u32 {
    fn from(Whole(number): Whole<MIN, MAX>) -> Self {
        number
    }
}

impl<const MIN: u32, const MAX: u32> FromJson for Whole<MIN, MAX> {
    fn from_json(value: &Value, at: &mut Reader<'_>) -> Option<Self> {
        let number: Decimal = at.number(value)?.parse().ok()?;
        let whole = number.integer().filter(|number| (MIN..=MAX).contains(number));
        whole.map(Self).or_else(|| {
            let rule = format!("must be an integer from {MIN} to {MAX}");
            at.violate("range", rule, json!({ "minimum": MIN, "maximum": MAX }));
            None
        })
    }

    fn schema() -> Value {
        json!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}
