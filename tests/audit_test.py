"""Tests infra/audit.py on entries that are signed here, as the functions sign them."""

import copy
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).parent.parent
MASTER = "master-key-marker-91c4-of-32-bytes-at-least"
KEYS = json.dumps({"current": "k2", "k1": MASTER, "k2": "another-master-key-of-32-bytes-at-least"})


def sealed(length, chain="leads", key="k1"):
    """Returns a chain of this many entries."""
    audit = hmac.digest(json.loads(KEYS)[key].encode(), b"audit\0", "sha256").hex()
    entries, prev = [], None
    for seq in range(1, length + 1):
        entry = {"chain": chain, "seq": seq, "key": key, "prev": prev, "reason": None, "name": "Zoë \u20ac \"x\"\n",
                 "\u20ac": 1, "\U0001f600": 2, "\ufb33": 3}
        # Sorted by UTF-16 code units: the surrogates of the emoji come before U+FB33.
        names = sorted(entry, key=lambda name: name.encode("utf-16-be"))
        text = json.dumps({name: entry[name] for name in names}, ensure_ascii=False, separators=(",", ":"))
        prev = hmac.new(audit.encode(), text.encode(), hashlib.sha256).hexdigest()
        entries.append(entry | {"mac": prev})
    return entries


class Audit(unittest.TestCase):
    def run_tool(self, *words, given=None, keys=KEYS):
        return subprocess.run([sys.executable, ROOT / "infra/audit.py", *words], input=given, text=True,
                              capture_output=True, env=os.environ | {"MASTER_KEYS": keys})

    def verified(self, entries, *checkpoints, keys=KEYS):
        with tempfile.TemporaryDirectory() as folder:
            export, log = pathlib.Path(folder, "audit.jsonl"), pathlib.Path(folder, "log")
            # The newest first, as the API exports them.
            export.write_text("".join(json.dumps(entry) + "\n" for entry in reversed(entries)))
            lines = [{"message": "checkpoint of the audit log", **dict(zip(["chain", "seq", "mac"], one))}
                     for one in checkpoints]
            log.write_text("".join(f"2026-01-01T00:00:00Z {json.dumps(line)}\n" for line in lines))
            done = self.run_tool("verify", str(export), str(log), keys=keys)
        return done.returncode, done.stdout.strip()

    def test_whole_chains_are_accepted_from_any_entry_on(self):
        entries = sealed(4) + sealed(2, "operators", "k2")
        self.assertEqual(self.verified(entries), (0, "leads: 1 to 4, whole\noperators: 1 to 2, whole"))
        self.assertEqual(self.verified(sealed(4)[2:]), (0, "leads: 3 to 4, whole"))

    def test_a_changed_or_missing_entry_is_named(self):
        changed = copy.deepcopy(sealed(4))
        changed[1]["name"] = "Zoe"
        self.assertEqual(self.verified(changed), (1, "leads: 1 to 4, broken at 2"))
        missing = sealed(4)
        del missing[2]
        self.assertEqual(self.verified(missing), (1, "leads: 1 to 4, broken at 3"))
        unknown = json.dumps({"current": "k2", "k2": MASTER})
        self.assertEqual(self.verified(sealed(2), keys=unknown), (1, "leads: 1 to 2, broken at 1"))

    def test_entries_that_were_cut_off_differ_from_their_checkpoint(self):
        entries = sealed(4)
        place = ("leads", 4, entries[3]["mac"])
        self.assertEqual(self.verified(entries, place)[0], 0)
        self.assertEqual(self.verified(entries[:3], place)[0], 1)
        self.assertEqual(self.verified(entries, ("leads", 4, "0" * 64))[0], 1)
        self.assertEqual(self.verified(entries, ("operators", 1, "0" * 64))[0], 1)

    def test_a_retired_key_still_verifies_and_is_no_longer_in_the_set(self):
        retired = self.run_tool("retire", "k1", given=KEYS).stdout
        self.assertNotIn(MASTER, retired)
        self.assertEqual(set(json.loads(retired)), {"current", "k2", "audit-k1"})
        self.assertEqual(self.verified(sealed(3), keys=retired), (0, "leads: 1 to 3, whole"))
        for wrong in ["k2", "k9"]:
            self.assertEqual(self.run_tool("retire", wrong, given=KEYS).returncode, 1)


if __name__ == "__main__":
    unittest.main()
