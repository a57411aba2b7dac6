use regex::{Regex, RegexBuilder};

use super::{
    node::Node,
    position::{Position, Truncated},
};
use crate::Result;

/// The maximum length of a pattern in characters.
const MAX_LENGTH: usize = 1000;

/// The maximum size of a compiled pattern in bytes. It limits the cost of a pattern per character
/// of an item.
const LARGEST: usize = 1 << 18;

/// A compiled pattern. Matching takes linear time in the length of the text.
#[derive(Clone, Debug)]
pub(super) struct Pattern(Regex);

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Pattern {
    /// Compiles the pattern of `like`: `%` is any text, `_` is any character, and `\` escapes the
    /// next character.
    pub(super) fn like(node: &Node, ignore_case: bool, at: &Position<'_>) -> Result<Self> {
        let mut expression = String::from(if ignore_case { "(?is)^" } else { "(?s)^" });
        let mut characters = source(node, at)?.chars();
        while let Some(character) = characters.next() {
            let literal = match character {
                '%' => {
                    expression.push_str(".*");
                    continue;
                }
                '_' => {
                    expression.push('.');
                    continue;
                }
                '\\' => characters.next().ok_or_else(|| at.error("must not end with \\"))?,
                other => other,
            };
            expression.push_str(&regex::escape(literal.encode_utf8(&mut [0; 4])));
        }
        expression.push('$');
        Self::compile(&expression, at)
    }

    /// Compiles the pattern of `regexp`: `/pattern/flags` as in JavaScript, or a pattern without
    /// slashes.
    pub(super) fn regexp(node: &Node, ignore_case: bool, at: &Position<'_>) -> Result<Self> {
        let text = source(node, at)?;
        let written = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
        let (pattern, given) = written.unwrap_or((text, ""));
        // The flags g (all matches) and u (Unicode) do not affect whether the text matches.
        if given.contains(|flag| !"gimsu".contains(flag)) {
            return Err(at.error("must not have flags other than g, i, m, s and u"));
        }
        let is_set = |flag| given.contains(flag) || (flag == 'i' && ignore_case);
        let flags: String = ['i', 'm', 's'].into_iter().filter(|flag| is_set(*flag)).collect();
        match flags.as_str() {
            "" => Self::compile(pattern, at),
            flags => Self::compile(&format!("(?{flags}){pattern}"), at),
        }
    }

    fn compile(expression: &str, at: &Position<'_>) -> Result<Self> {
        at.count_pattern()?;
        let built =
            RegexBuilder::new(expression).size_limit(LARGEST).dfa_size_limit(LARGEST).build();
        built.map(Self).map_err(|cause| match cause {
            regex::Error::CompiledTooBig(_) => {
                at.error("is too large. Use fewer or smaller repetitions and character classes.")
            }
            cause => {
                let cause = cause.to_string();
                let reason = cause.lines().next_back().unwrap_or_default();
                let reason = Truncated(reason.trim_start_matches("error: "));
                at.error(format_args!("is not a valid regular expression: {reason}"))
            }
        })
    }

    /// Returns whether `text` matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

fn source<'n>(node: &'n Node, at: &Position<'_>) -> Result<&'n str> {
    let text = node.text().ok_or_else(|| at.error("must be a string"))?;
    if text.chars().count() > MAX_LENGTH {
        return Err(at.error(format_args!("must not be longer than {MAX_LENGTH} characters")));
    }
    Ok(text)
}
