"""A client of the API that acts as a frontend, a lead with a mailbox, an operator and a build."""

import base64
import hashlib
import hmac
import json
import os
import re
import subprocess
import time
import urllib.error
import urllib.request

from emulators.servers import PLAIN, ROOT


class Refused(AssertionError):
    """An answer with an unexpected status."""


def eventually(what, look, seconds=60):
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come about")
        time.sleep(0.1)


class Client:
    def __init__(self, stack, pipelines):
        self.stack, self.pipelines, self.url = stack, pipelines, stack.api_url
        self.operator = self.operator_token()

    def send(self, method, path, body=None, token=None, headers=()):
        """Returns the status, headers and body of an answer."""
        headers = {"content-type": "application/json"} | dict(headers)
        if token:
            headers["authorization"] = f"Bearer {token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers, refusal.read()

    def ask(self, expected, method, path, body=None, token=None):
        """Returns the body of an answer with the status `expected`."""
        status, headers, text = self.send(method, path, body, token)
        if status != expected:
            raise Refused(f"{method} {path}: {status} {text[:500]}")
        return json.loads(text) if text else headers

    def operator_token(self):
        """Returns a token with every permission, signed with the current key of the stack's secret."""
        codes = [str(code) for code in [*range(7001, 7009), *range(10200, 10224)]]
        claims = {"id": "operator", "userTenantId": "operator", "permissions": codes}
        claims |= {"iss": self.stack.parameters["JwtIssuer"], "exp": int(time.time()) + 3600}
        encode = lambda data: base64.urlsafe_b64encode(data).rstrip(b"=")
        keys = json.loads(self.stack.resource("JwtSecret")["Value"])
        header = {"alg": "HS256", "typ": "JWT", "kid": keys["current"]}
        signed = b".".join(encode(json.dumps(part).encode()) for part in [header, claims])
        key = keys[keys["current"]].encode()
        return (signed + b"." + encode(hmac.digest(key, signed, "sha256"))).decode()

    def mails(self, address):
        """Returns the emails to an address, oldest first."""
        with urllib.request.urlopen(f"{self.stack.endpoint}/_ministack/ses/messages") as answer:
            accounts = json.load(answer)["messages"].values()
        return [mail for mails in accounts for mail in mails if address in mail["To"]]

    def sign_up(self, email, company="Acme"):
        """Creates a lead and verifies it with the link in the email; returns its ID and token."""
        body = {"firstName": "Ada", "lastName": "Lovelace", "companyName": company, "email": email}
        id = self.ask(200, "POST", "/leads", body)["id"]
        mail = eventually(f"an email to {email}", lambda: self.mails(email))[0]
        text = json.dumps(mail)
        key = re.search(rf"/validate/{id}\?code=([0-9a-f]+)", text)[1]
        return id, self.ask(200, "POST", f"/leads/{id}/verify", token=key)["token"]

    def tenant(self, lead, token, key, email):
        body = {"key": key, "domains": [email.split("@")[1]]}
        return self.ask(200, "POST", f"/leads/{lead}/tenants", body, token)["id"]

    def provision(self, tenant, token, tier="PREMIUM", verb="provision"):
        """Opens a job; returns its ID."""
        body = {"id": "subscription-1", "plan": {"tier": tier}}
        return self.ask(204, "POST", f"/tenants/{tenant}/{verb}", body, token)["location"].rsplit("/", 1)[1]

    def execution(self, job, seconds=60):
        """Returns the variables of the pipeline execution of a job."""
        return eventually(f"an execution of {job}", lambda: self.pipelines.of(job), seconds)["variables"]

    def build(self, job, *words):
        """Runs infra/callback.sh with the variables of an execution, as a build does at its end."""
        env = PLAIN | self.execution(job) | {"AWS_ENDPOINT_URL": self.stack.endpoint}
        done = subprocess.run([ROOT / "infra/callback.sh", *words], env=env, capture_output=True, text=True)
        if done.returncode:
            raise Refused(done.stderr)

    def report(self, job, secret, outcome="success"):
        """Sends the same report from this process, which is faster; returns the status."""
        variables = self.execution(job)
        kind = ["provision", "deprovision", "change", "retire"].index(variables["JOB_KIND"])
        body = json.dumps({"initiatorId": variables["TENANT_ID"], "type": kind, "status": outcome})
        stamp = str(int(time.time() * 1000))
        signed = (body + variables["CONTEXT_ID"] + stamp).encode()
        headers = {"x-timestamp": stamp, "x-signature": hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}
        return self.send("POST", "/webhook", json.loads(body), headers=headers)[0]

    def status(self, tenant, wanted, seconds=60):
        """Waits until a tenant has this status."""
        path = f"/tenants/{tenant}"
        look = lambda: self.ask(200, "GET", path, token=self.operator)["status"] == wanted
        eventually(f"status {wanted} of {tenant}", look, seconds)
