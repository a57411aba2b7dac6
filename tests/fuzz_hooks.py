"""Hooks for Schemathesis: sign set-ups, and limit generators that would not end."""

import hashlib
import hmac
import json
import os
import time
from urllib.parse import urlencode

import requests
import schemathesis

SECRET = os.environ["IDP_WEBHOOK_SECRET"].encode()


@schemathesis.hook
def before_load_schema(context, schema):
    """Leaves out versions and idempotency keys, and limits the recursion of filters to one level.

    A constant key makes different requests one, and a random version never matches: API tests cover both. The coverage
    of filters grows without limit.
    """
    for operations in schema["paths"].values():
        for operation in operations.values():
            given = operation.get("parameters", [])
            operation["parameters"] = [one for one in given if "$ref" not in one]
    for name, described in schema["components"]["schemas"].items():
        members = described.get("properties", {})
        if name.endswith("Where"):
            del members["and"], members["or"]
            keep_one_per_schema(members)
        if name.endswith(("Filter", "FilterById")):
            for one in members["include"].get("items", {}).get("anyOf", []):
                one.get("properties", {}).pop("scope", None)


def keep_one_per_schema(members):
    """Keeps the first member of each schema: all properties of a type are filtered by the same code."""
    seen = set()
    for name, schema in list(members.items()):
        text = json.dumps(schema, sort_keys=True)
        if text in seen:
            del members[name]
        seen.add(text)


@schemathesis.hook
def filter_query(context, query):
    """Skips queries that no client can send: servers limit a URL to about 64 KB before any route sees it."""
    return not query or len(urlencode(query)) < 60_000


class Signed(requests.auth.AuthBase):
    """Signs the body of `POST /manage/users` as sent, except in cases without a signature."""

    def __call__(self, request):
        if not {"x-timestamp", "x-signature"} <= {name.lower() for name in request.headers}:
            return request
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        moment = str(int(time.time() * 1000))
        request.headers["x-timestamp"] = moment
        signed = hmac.new(SECRET, body + moment.encode(), hashlib.sha256)
        request.headers["x-signature"] = signed.hexdigest()
        return request


schemathesis.auth.set_from_requests(Signed()).apply_to(path="/manage/users")
