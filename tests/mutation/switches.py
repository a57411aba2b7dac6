"""Compiles all changes of a crate into it, each behind a switch, so that one build serves to try all of them."""

import re

import tree_sitter
import tree_sitter_rust

RUST = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

# The function that tells which change is made. It notes the changes that are reached if a folder for that is named.
SWITCH = """
#[doc(hidden)]
pub fn is_mutant(number: usize) -> bool {
    use std::{env, ffi::OsString, fs, io::Write, process, sync::{LazyLock, atomic::{AtomicBool, Ordering::Relaxed}}};
    static MADE: LazyLock<Option<usize>> = LazyLock::new(|| env::var("MUTANT").ok()?.parse().ok());
    static FOLDER: LazyLock<Option<OsString>> = LazyLock::new(|| env::var_os("MUTANTS_REACHED"));
    static REACHED: [AtomicBool; COUNT] = [const { AtomicBool::new(false) }; COUNT];
    if let Some(folder) = &*FOLDER && !REACHED[number].swap(true, Relaxed) {
        let file = std::path::Path::new(folder).join(process::id().to_string());
        if let Ok(mut file) = fs::OpenOptions::new().create(true).append(true).open(file) {
            let _ = file.write_all(format!("{number}\\n").as_bytes());
        }
    }
    *MADE == Some(number)
}
"""


def marked(number, text):
    """Returns code that is only there for a change."""
    return b"/*<%d*/%b/*%d>*/" % (number, text, number)


def marks(source):
    """Yields the number and place of each change in a source with switches."""
    for match in re.finditer(rb"/\*<(\d+)\*/.*?/\*\1>\*/", source, re.DOTALL):
        yield int(match[1]), match.start(), match.end()


def function_at(source, place):
    """Returns where the function around a place starts and ends."""
    node = RUST.parse(source).root_node.descendant_for_byte_range(place, place)
    while node.parent is not None and node.type != "function_item":
        node = node.parent
    return node.start_byte, node.end_byte


class Source:
    """A file, and the changes in it."""

    def __init__(self, text):
        self.text = text
        self.root = RUST.parse(text).root_node
        self.lines = [0]
        for line in text.splitlines(keepends=True):
            self.lines.append(self.lines[-1] + len(line))
        # The changes of a node, by its place.
        self.changes = {}
        self.places = []

    def add(self, number, mutant):
        """Adds a change. Returns false if there is no way to switch it on at run time."""
        node = self._node(mutant)
        if node is None or self._is_constant(node):
            return False
        self.changes.setdefault(self._key(node), []).append((number, mutant))
        self.places.append(node.start_byte)
        return True

    def switched(self):
        """Returns the source with all changes behind switches."""
        return self.text[: self.root.start_byte] + self._text(self.root) + self.text[self.root.end_byte :]

    def _offset(self, position):
        start = self.lines[position["line"] - 1]
        line = self.text[start:].split(b"\n", 1)[0].decode()
        return start + len(line[: position["column"] - 1].encode())

    def _node(self, mutant):
        """Returns the node that a change replaces or amends."""
        start, end = (self._offset(mutant["span"][at]) for at in ("start", "end"))
        # The span of a field has the comma behind it.
        end = start if mutant["genre"] == "StructField" else end
        node = self.root.descendant_for_byte_range(start, end)
        wanted = {
            "BinaryOperator": ["binary_expression", "compound_assignment_expr"],
            "UnaryOperator": ["unary_expression"],
            "StructField": ["field_initializer", "shorthand_field_initializer"],
            "MatchArm": ["match_arm"],
            "MatchArmGuard": ["match_pattern"],
            "FnValue": ["function_item"],
        }.get(mutant["genre"], [])
        if mutant["genre"].endswith("Operator"):
            node = node.parent
            return node if node.type in wanted else None
        while node is not None and node.type not in wanted:
            node = node.parent
        if node is None:
            return None
        if node.type == "function_item":
            return node.child_by_field_name("body")
        if node.type == "match_arm":
            return node.child_by_field_name("pattern")
        if node.type == "match_pattern" and mutant["replacement"] == "true" and self._has_let(node):
            return None
        return node

    @staticmethod
    def _is_constant(node):
        while node is not None:
            if node.type in ("const_item", "static_item"):
                return True
            if node.type == "function_item":
                modifiers = [child.text for child in node.children if child.type == "function_modifiers"]
                return any(b"const" in modifier.split() for modifier in modifiers)
            node = node.parent
        return False

    @staticmethod
    def _has_let(pattern):
        condition = pattern.child_by_field_name("condition")
        return condition is not None and condition.type in ("let_chain", "let_condition")

    @staticmethod
    def _key(node):
        return node.start_byte, node.end_byte, node.type

    def _text(self, node):
        changes = self.changes.get(self._key(node), [])
        if node.type == "match_pattern" and changes:
            return self._arm(node, changes)
        text = self._children(node)
        for number, mutant in changes:
            switch = {
                "BinaryOperator": self._operator,
                "UnaryOperator": self._without_operator,
                "StructField": self._without_field,
                "FnValue": self._returning,
            }[mutant["genre"]]
            text = switch(node, text, number, mutant["replacement"].encode())
        return text

    def _children(self, node):
        if not any(node.start_byte <= place < node.end_byte for place in self.places):
            return node.text
        parts, end = [], node.start_byte
        for child in node.children:
            parts += [self.text[end : child.start_byte], self._text(child)]
            end = child.end_byte
        return b"".join(parts) + self.text[end : node.end_byte]

    def _operator(self, node, text, number, operator):
        left, right = (node.child_by_field_name(side).text for side in ("left", "right"))
        other = marked(number, b"if crate::is_mutant(%d) { %b %b %b } else" % (number, left, operator, right))
        return b"(%b { %b })" % (other, text)

    def _without_operator(self, node, text, number, _):
        other = marked(number, b"if crate::is_mutant(%d) { %b } else" % (number, node.children[-1].text))
        return b"(%b { %b })" % (other, text)

    def _without_field(self, node, text, number, _):
        fields = node.parent
        base = next(child for child in fields.children if child.type == "base_field_initializer").children[-1].text
        kind = fields.parent.child_by_field_name("name").text
        base = re.sub(rb"^Default::", b"<%b as Default>::" % kind, base)
        if node.type == "field_initializer":
            name, value = node.child_by_field_name("field").text, None
            value = text.split(b":", 1)[1]
        else:
            name = value = text
        other = marked(number, b"if crate::is_mutant(%d) { (%b).%b } else" % (number, base, name))
        return b"%b: %b { %b }" % (name, other, value)

    def _returning(self, _, text, number, value):
        early = marked(number, b"if crate::is_mutant(%d) { return %b; }" % (number, value))
        return b"{ %b %b" % (early, text[1:])

    def _arm(self, pattern, changes):
        condition = pattern.child_by_field_name("condition")
        head, parts = self._children(pattern), []
        if condition is not None:
            keyword = next(child for child in pattern.children if child.type == "if")
            head, test = self.text[pattern.start_byte : keyword.start_byte], self._text(condition)
            test = test if self._has_let(pattern) else b"(%b)" % test
            for number, mutant in changes:
                if mutant["replacement"] == "true":
                    test = b"(%b %b)" % (marked(number, b"crate::is_mutant(%d) ||" % number), test)
            parts = [test]
        for number, mutant in changes:
            if mutant["replacement"] != "true":
                parts.insert(0, marked(number, b"!crate::is_mutant(%d)" % number))
        return head + b" if " + b" && ".join(parts)
