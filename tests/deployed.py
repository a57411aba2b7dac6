"""A deployed stack, reached with the AWS CLI and the token of an operator."""

import base64
import functools
import hmac
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

PATIENCE = float(os.environ.get("SMOKE_PATIENCE", "900"))  # seconds to wait for a build or the stream


class Unknown(Exception):
    """The reason why a question could not be asked."""


def called(*words, given=None):
    """Returns the output of the AWS CLI."""
    env = os.environ | {"AWS_PAGER": ""} | (given or {})
    # Version 1 of the CLI does not support AWS_REGION.
    env["AWS_DEFAULT_REGION"] = env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION")
    env = {name: value for name, value in env.items() if value is not None}
    try:
        done = subprocess.run(["aws", *words], env=env, capture_output=True, text=True, timeout=900)
    except FileNotFoundError:
        raise Unknown("the AWS CLI is not installed") from None
    if done.returncode:
        raise Unknown(" ".join(done.stderr.split())[-300:] or f"aws {words[0]} {words[1]} ended with {done.returncode}")
    return done.stdout


def aws(*words, given=None):
    """Returns the JSON output of the AWS CLI."""
    return json.loads(called(*words, "--output", "json", given=given) or "null")


def eventually(look, seconds, pause=2):
    """Returns the first result of `look` that is not None, or None after `seconds`."""
    deadline = time.monotonic() + seconds
    while (found := look()) is None and time.monotonic() < deadline:
        time.sleep(pause)
    return found


class Stack:
    """A stack: its outputs, or the variables of a local run."""

    def __init__(self, name, base_url):
        self.name, self.base_url, self.values = name, base_url, {}
        if name:
            (found,) = aws("cloudformation", "describe-stacks", "--stack-name", name)["Stacks"]
            self.values = {one["ParameterKey"]: one["ParameterValue"] for one in found["Parameters"]}
            self.values |= {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}

    def value(self, output, variable):
        found = self.values.get(output) or os.environ.get(variable)
        return found or self.missing(output)

    def missing(self, what):
        raise Unknown(f"{what} is not known: give --stack")

    @functools.cache
    def token(self):
        """Returns an operator token: the given one, or one signed with the key of the stack."""
        if given := os.environ.get("OPERATOR_TOKEN"):
            return given
        arn = self.values.get("JwtSecretArn") or self.missing("OPERATOR_TOKEN")
        keys = json.loads(aws("secretsmanager", "get-secret-value", "--secret-id", arn)["SecretString"])
        codes = [str(code) for code in range(10200, 10224)]
        claims = {"iss": self.values["JwtIssuer"], "id": "smoke", "userTenantId": "smoke", "permissions": codes}
        claims |= {"exp": int(time.time() + 2 * PATIENCE + 600)}
        if audience := self.values.get("JwtAudience"):
            claims["aud"] = audience
        encoded = lambda part: base64.urlsafe_b64encode(part).rstrip(b"=")
        header = {"alg": "HS256", "typ": "JWT", "kid": keys["current"]}
        signed = b".".join(encoded(json.dumps(part).encode()) for part in [header, claims])
        return (signed + b"." + encoded(hmac.digest(keys[keys["current"]].encode(), signed, "sha256"))).decode()

    def ask(self, method, path, body=None):
        """Returns the status and JSON of a request with an operator token."""
        headers = {"authorization": f"Bearer {self.token()}", "content-type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.base_url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.loads(refusal.read() or b"null")

    def expect(self, good, method, path, body=None):
        status, answer = self.ask(method, path, body)
        if status not in good:
            raise Unknown(f"{method} {path} is {status}: {json.dumps(answer)[:200]}")
        return answer
