"""Tests how tests/mutants.py makes changes and judges their outcomes, and that its list names code that exists."""

import subprocess
import sys
import tomllib
import unittest

from mutants import ROOT, attempt, judged, name_of
from mutation.switches import Source, marks

RUST = """
impl Limit {
    const MOST: usize = 2 * 3;

    fn is_over(self, ünit: usize) -> bool {
        !self.is_open && ünit > Self::MOST
    }

    const fn none() -> bool { true }

    fn next(self) -> Self {
        match self.kind {
            Kind::One if self.is_one => Self { count: self.count + 1, ..self },
            Kind::Two => Default::default(),
            _ => self,
        }
    }
}
"""


def change(genre, code, replacement, after=""):
    """Returns a change of the first place of `code` behind `after` in RUST, as cargo-mutants lists it."""
    at = RUST.index(after + code) + len(after)

    def position(at):
        return {"line": RUST.count("\n", 0, at) + 1, "column": at - RUST.rfind("\n", 0, at)}

    span = {"start": position(at), "end": position(at + len(code))}
    return {"genre": genre, "span": span, "replacement": replacement}


def switched(*changes):
    """Returns RUST with changes behind switches, in one line without the marks, and whether each has a switch."""
    source = Source(RUST.encode())
    have = [source.add(number, change) for number, change in enumerate(changes)]
    text = source.switched()
    for number, _, _ in marks(text):
        text = text.replace(b"/*<%d*/" % number, b"").replace(b"/*%d>*/" % number, b"")
    return " ".join(text.decode().replace("crate::is_mutant", "on").split()), have


class Switches(unittest.TestCase):
    def test_without_changes_nothing_is_changed(self):
        self.assertEqual(Source(RUST.encode()).switched().decode(), RUST)

    def test_a_function_returns_early(self):
        text, _ = switched(change("FnValue", "!self.is_open && ünit > Self::MOST", "true"), change("FnValue", "!self.is_open", "false"))
        self.assertIn("{ if on(1) { return false; } if on(0) { return true; } !self.is_open && ünit > Self::MOST }", text)

    def test_operators_are_replaced_where_they_stand_also_in_one_another(self):
        text, _ = switched(change("BinaryOperator", "&&", "||"), change("BinaryOperator", ">", "==", after="ünit "), change("UnaryOperator", "!", ""))
        left = "(if on(2) { self.is_open } else { !self.is_open })"
        right = "(if on(1) { ünit == Self::MOST } else { ünit > Self::MOST })"
        self.assertIn(f"(if on(0) {{ !self.is_open || ünit > Self::MOST }} else {{ {left} && {right} }})", text)

    def test_fields_come_from_the_base(self):
        text, _ = switched(change("StructField", "count: self.count + 1,", ""), change("BinaryOperator", "+", "-"))
        sum_ = "(if on(1) { self.count - 1 } else { self.count + 1 })"
        self.assertIn(f"Self {{ count: if on(0) {{ (self).count }} else {{ {sum_} }}, ..self }}", text)

    def test_arms_get_guards(self):
        guard = change("MatchArmGuard", "self.is_one", "true"), change("MatchArmGuard", "self.is_one", "false")
        arm = change("MatchArm", "Kind::Two => Default::default()", "")
        text, _ = switched(*guard, arm)
        self.assertIn("Kind::One if !on(1) && (on(0) || (self.is_one)) =>", text)
        self.assertIn("Kind::Two if !on(2) =>", text)

    def test_constants_have_no_switches(self):
        _, have = switched(change("BinaryOperator", "*", "+"), change("FnValue", "true", "false"))
        self.assertEqual(have, [False, False])


class ATest:
    """A test that notices some changes."""

    def __init__(self, reached, noticed, seconds=1.0):
        self.reached, self.noticed, self.seconds, self.runs = reached, noticed, seconds, 0

    def notices(self, number, _):
        self.runs += 1
        return number in self.noticed


class Attempts(unittest.TestCase):
    def test_only_tests_that_reach_a_change_run_the_most_specific_ones_first(self):
        wide, narrow, other = ATest({1, 2, 3}, {1}), ATest({1, 2}, {1}), ATest({3}, {1})
        self.assertEqual(attempt(1, [wide, narrow, other], {}, 10), "noticed")
        self.assertEqual([test.runs for test in (wide, narrow, other)], [0, 1, 0])

    def test_a_change_that_no_test_reaches_or_notices_in_time_survives(self):
        self.assertEqual(attempt(9, [ATest({1}, {9})], {}, 10), "not reached")
        slow = [ATest({1}, set(), 20), ATest({1, 2}, {1})]
        slow[1].seconds = 21
        self.assertEqual(attempt(1, slow, {}, 10), "not noticed")


class Judgement(unittest.TestCase):
    def test_a_survivor_without_a_reason_is_named(self):
        outcomes = [(f"a.rs: replace f with {number}", "noticed") for number in range(19)]
        outcomes += [("a.rs: replace g with true", "not noticed")]
        share, complaints = judged(outcomes, {"a.rs: replace g with true": "equivalent"})
        self.assertEqual((round(share, 2), complaints), (0.95, []))
        self.assertEqual(judged(outcomes, {})[1], ["not noticed: a.rs: replace g with true"])

    def test_a_listed_change_that_is_noticed_is_named(self):
        listed = {"a.rs: replace f with 1": "equivalent", "b.rs: replace g with 1": "not tried"}
        complaints = ["noticed, but listed: a.rs: replace f with 1"]
        self.assertEqual(judged([("a.rs: replace f with 1", "noticed")], listed), (1, complaints))

    def test_the_same_change_in_several_places_of_a_function_must_be_noticed_in_each(self):
        names = [name_of({"name": f"a.rs:{line}:5: replace && with || in f"}) for line in (1, 2)]
        complaints = judged([(names[0], "noticed"), (names[1], "not reached")], {})[1]
        self.assertIn("not reached: a.rs: replace && with || in f", complaints)

    def test_too_few_noticed_changes_are_a_complaint_even_if_each_has_a_reason(self):
        outcomes = [(f"a.rs: replace f with {n}", "not noticed" if n < 2 else "noticed") for n in range(10)]
        listed = {f"a.rs: replace f with {n}": "equivalent" for n in range(2)}
        self.assertEqual(judged(outcomes, listed), (0.8, ["fewer than 90% are noticed"]))

    def test_each_file_of_the_list_exists_and_each_change_has_a_reason(self):
        for name, reason in tomllib.loads((ROOT / "tests/mutants.toml").read_text()).items():
            with self.subTest(name=name):
                self.assertTrue((ROOT / name.split(": ")[0]).exists())
                self.assertTrue(reason)

    def test_the_command_explains_itself(self):
        run = subprocess.run([sys.executable, ROOT / "tests/mutants.py", "http"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 2)
        self.assertIn("tests/mutants.py domain", run.stderr)


if __name__ == "__main__":
    unittest.main()
