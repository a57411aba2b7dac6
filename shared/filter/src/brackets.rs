//! Bracket notation as written by the `qs` package: `filter[where][status]=1`.

use std::collections::BTreeMap;

use super::{MAX_DEPTH, node::Node, position::Position};
use crate::Result;

/// A parameter in bracket notation, built from its pairs.
#[derive(Debug)]
pub(super) enum Tree {
    Leaf(String),
    Branch(BTreeMap<Step, Tree>),
}

/// The content of a pair of brackets: a position in an array or the name of a member.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Index(u32),
    Name(String),
}

impl Default for Tree {
    fn default() -> Self {
        Self::Branch(BTreeMap::new())
    }
}

impl Tree {
    /// Adds one pair. `brackets` is the part of the name in brackets, such as `[where][status]`. The
    /// values of a repeated name become a list.
    pub(super) fn add(&mut self, brackets: &str, value: String, at: &Position<'_>) -> Result<()> {
        let inner = brackets.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let steps = inner.ok_or_else(|| at.error("has unclosed brackets"))?;
        let steps: Vec<&str> = steps.split("][").collect();
        if steps.len() > MAX_DEPTH {
            return Err(at.error(format_args!("is nested deeper than {MAX_DEPTH} levels")));
        }
        if steps.iter().any(|step| step.contains(['[', ']'])) {
            return Err(at.error("has unclosed brackets"));
        }
        self.insert(&steps, value, at)
    }

    fn insert(&mut self, steps: &[&str], value: String, at: &Position<'_>) -> Result<()> {
        let clash = || at.error("has conflicting brackets");
        self.make_list_if_repeated(steps);
        let Some((first, rest)) = steps.split_first() else {
            return Err(clash());
        };
        let Self::Branch(branches) = self else { return Err(clash()) };
        let step = Step::parse(first, branches);
        let below = at.member(first);
        match (branches.get_mut(&step), rest) {
            (None, []) => {
                branches.insert(step, Self::Leaf(value));
                Ok(())
            }
            (Some(branch), []) => branch.insert(&[""], value, &below),
            (Some(branch), _) => branch.insert(rest, value, &below),
            (None, _) => {
                let mut branch = Self::default();
                branch.insert(rest, value, &below)?;
                branches.insert(step, branch);
                Ok(())
            }
        }
    }

    /// Makes a list of a single value if the next value has empty brackets, as the `qs` package does.
    fn make_list_if_repeated(&mut self, steps: &[&str]) {
        if let (Self::Leaf(first), [""]) = (&mut *self, steps) {
            let first = Self::Leaf(std::mem::take(first));
            *self = Self::Branch([(Step::Index(0), first)].into());
        }
    }

    /// Converts the pairs into a value.
    pub(super) fn into_node(self, at: &Position<'_>) -> Result<Node> {
        let branches = match self {
            Self::Leaf(text) => return Ok(Node::Untyped(text)),
            Self::Branch(branches) => branches,
        };
        let (mut items, mut members) = (Vec::new(), BTreeMap::new());
        for (step, tree) in branches {
            match step {
                Step::Index(index) => items.push(tree.into_node(&at.member(&index.to_string()))?),
                Step::Name(name) => {
                    let node = tree.into_node(&at.member(&name))?;
                    members.insert(name, node);
                }
            }
        }
        match (items.is_empty(), members.is_empty()) {
            (false, false) => Err(at.error("mixes array positions and names")),
            (false, true) => Ok(Node::List(items)),
            (true, _) => Ok(Node::Object(members)),
        }
    }
}

impl Step {
    /// Parses the content of brackets. Digits are a position, and empty brackets are the next
    /// position.
    fn parse(text: &str, among: &BTreeMap<Self, Tree>) -> Self {
        if text.is_empty() {
            let last = among.keys().rev().find_map(|step| match step {
                Self::Index(index) => Some(*index),
                Self::Name(_) => None,
            });
            return Self::Index(last.map_or(0, |last| last.saturating_add(1)));
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let index = text.parse().ok().filter(|_| is_number);
        index.map_or_else(|| Self::Name(text.to_owned()), Self::Index)
    }
}
