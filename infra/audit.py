#!/usr/bin/env python3
"""Exports the audit log, and verifies an export without the control plane.

    infra/audit.py export [NAME=VALUE...] > audit.jsonl   every page; NAME is tenantId, or from or to, which leave gaps
    infra/audit.py verify audit.jsonl [LOG...]            MACs, gaps and, if given, checkpoints in log files
    infra/audit.py retire KID < keys.json                 the set of master keys without the key KID

`export` needs BASE_URL, and OPERATOR_TOKEN with permission 10311. `verify` needs MASTER_KEYS, the value of the
secret MasterKeysArn; it prints a line for each chain, and its exit code is 1 if a chain is broken. `retire` keeps
what verifies the entries that KID has signed.
"""

import hashlib
import hmac
import itertools
import json
import os
import re
import sys
import urllib.parse
import urllib.request


def canonical(value):
    """Returns the canonical JSON of a value without fractions (RFC 8785)."""
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(name)}:{canonical(one)}" for name, one in members) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def derived(master):
    """Returns the key that a master key signs entries with."""
    return hmac.digest(master.encode(), b"audit\0", "sha256").hex()


def audit_keys(text):
    """Returns the keys that verify entries by their ID, from the text of a set of master keys."""
    try:
        members = json.loads(text)
    except ValueError:
        members = {"current": "default", "default": text}
    kept = {name.removeprefix("audit-"): key for name, key in members.items() if name.startswith("audit-")}
    names = [name for name in members if name != "current" and not name.startswith("audit-")]
    return kept | {name: derived(members[name]) for name in names}


def is_genuine(entry, keys):
    signed = {name: value for name, value in entry.items() if name != "mac"}
    key = keys.get(entry.get("key"))
    if key is None:
        return False
    mac = hmac.new(key.encode(), canonical(signed).encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(mac, entry.get("mac", ""))


def broken_at(entries, keys):
    """Returns the number of the first entry of a chain that is missing or not genuine."""
    last = None
    for entry in entries:
        if last and entry["seq"] != last["seq"] + 1:
            return last["seq"] + 1
        follows = entry["prev"] == last["mac"] if last else (entry["seq"] == 1) == (entry["prev"] is None)
        if not follows or not is_genuine(entry, keys):
            return entry["seq"]
        last = entry
    return None


def checkpoints(names):
    """Yields the checkpoints in log files, as (chain, number, MAC)."""
    for name in names:
        with open(name) as log:
            for line in log:
                if "checkpoint of the audit log" in line:
                    found = json.loads(line[line.index("{"):])
                    yield found["chain"], found["seq"], found["mac"]


def verify(name, logs, keys):
    with open(name) as file:
        entries = sorted(map(json.loads, file), key=lambda entry: (entry["chain"], entry["seq"]))
    macs = {(entry["chain"], entry["seq"]): entry["mac"] for entry in entries}
    last, fine = {}, True
    for chain, group in itertools.groupby(entries, key=lambda entry: entry["chain"]):
        group = list(group)
        last[chain] = group[-1]["seq"]
        broken = broken_at(group, keys)
        fine = fine and broken is None
        state = "whole" if broken is None else f"broken at {broken}"
        print(f"{chain}: {group[0]['seq']} to {group[-1]['seq']}, {state}")
    for chain, seq, mac in checkpoints(logs):
        if macs.get((chain, seq), mac) != mac or seq > last.get(chain, 0):
            print(f"{chain}: differs from its checkpoint {seq}")
            fine = False
    return fine


def export(parameters, out):
    base, token = os.environ["BASE_URL"].rstrip("/"), os.environ["OPERATOR_TOKEN"]
    path = "/audit/export?" + urllib.parse.urlencode(dict(one.split("=", 1) for one in parameters))
    while path:
        request = urllib.request.Request(base + path, headers={"authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request) as answer:
            out.write(answer.read().decode())
            link = re.match(r'<([^>]*)>; rel="next"', answer.headers.get("link") or "")
            path = link and link[1]


def retire(kid, text):
    members = json.loads(text)
    if kid not in members or kid == members["current"]:
        sys.exit(f"audit.py: {kid} is not a key of the set, or it is the current one")
    members[f"audit-{kid}"] = derived(members.pop(kid))
    return json.dumps(members)


def main(words):
    match words:
        case ["export", *parameters] if all("=" in one for one in parameters):
            export(parameters, sys.stdout)
        case ["verify", name, *logs]:
            return not verify(name, logs, audit_keys(os.environ["MASTER_KEYS"]))
        case ["retire", kid]:
            print(retire(kid, sys.stdin.read()))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
