"""Tests the judgement of tests/mutants.py, and that its list names code that exists."""

import subprocess
import sys
import tomllib
import unittest

from mutants import ROOT, judged


def outcome(name, summary):
    return {"scenario": {"Mutant": {"name": name}}, "summary": summary}


class Mutants(unittest.TestCase):
    def test_a_survivor_without_a_reason_is_named(self):
        outcomes = [{"scenario": "Baseline", "summary": "Success"}]
        outcomes += [outcome(f"a.rs:{line}:5: replace f with {line}", "CaughtMutant") for line in range(17)]
        outcomes += [outcome("a.rs:20:5: replace g with true", "MissedMutant")]
        outcomes += [outcome("a.rs:21:5: replace g with false", "Timeout"), outcome("a.rs:22:5: replace h with 0", "Unviable")]
        share, complaints = judged(outcomes, {"a.rs: replace g with true": "equivalent"})
        self.assertEqual((round(share, 2), complaints), (0.95, []))
        self.assertEqual(judged(outcomes, {})[1], ["not noticed: a.rs: replace g with true"])

    def test_a_listed_change_that_is_noticed_is_named(self):
        outcomes = [outcome("a.rs:1:5: replace f with 1", "CaughtMutant")]
        listed = {"a.rs: replace f with 1": "equivalent", "b.rs: replace g with 1": "not tried"}
        self.assertEqual(judged(outcomes, listed), (1, ["noticed, but listed: a.rs: replace f with 1"]))

    def test_the_same_change_in_several_places_of_a_function_must_be_noticed_in_each(self):
        outcomes = [outcome("a.rs:1:5: replace && with || in f", "CaughtMutant")]
        outcomes += [outcome("a.rs:2:5: replace && with || in f", "MissedMutant")]
        self.assertIn("not noticed: a.rs: replace && with || in f", judged(outcomes, {})[1])

    def test_too_few_noticed_changes_are_a_complaint_even_if_each_has_a_reason(self):
        outcomes = [outcome(f"a.rs:1:5: replace f with {n}", "MissedMutant" if n < 2 else "CaughtMutant") for n in range(10)]
        listed = {f"a.rs: replace f with {n}": "equivalent" for n in range(2)}
        self.assertEqual(judged(outcomes, listed), (0.8, ["fewer than 90% are noticed"]))

    def test_each_file_of_the_list_exists_and_each_change_has_a_reason(self):
        for name, reason in tomllib.loads((ROOT / "tests/mutants.toml").read_text()).items():
            with self.subTest(name=name):
                self.assertTrue((ROOT / name.split(": ")[0]).exists())
                self.assertTrue(reason)

    def test_the_command_explains_itself(self):
        run = subprocess.run([sys.executable, ROOT / "tests/mutants.py", "http"], capture_output=True, text=True)
        self.assertEqual(run.returncode, 1)
        self.assertIn("tests/mutants.py filter", run.stderr)


if __name__ == "__main__":
    unittest.main()
