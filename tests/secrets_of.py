#!/usr/bin/env python3
"""Prints secrets of a control plane whose MASTER_KEYS are known, for `tests/bench service --secrets`.

    secrets_of.py lead LEAD               the verification key in the lead's email
    secrets_of.py webhook TENANT LOCATION  the secret and the context with which the build of a job signs

LOCATION is the header of the answer to provisioning. shared/README.md, "Secrets", says how they are derived.
"""

import hmac
import os
import sys
from uuid import UUID


def derived(label, *ids):
    key = os.environ["MASTER_KEYS"].encode()
    return hmac.new(key, label.encode() + b"\0" + b"".join(UUID(each).bytes for each in ids), "sha256").hexdigest()


match sys.argv[1:]:
    case ["lead", lead]:
        print(derived("lead", lead)[:32])
    case ["webhook", tenant, location]:
        job = location.rsplit("/", 1)[1]
        print(derived("webhook", tenant, job), job)
    case _:
        sys.exit(__doc__)
