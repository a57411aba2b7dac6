"""Kills bootstraps at random while tenants are onboarded: nothing is lost, stuck or repeated.

    TENANTRY_KILL_FLOWS   how many tenants come in; 40 unless it is said
    TENANTRY_KILL_SEED    of what is random
"""

import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.error
import urllib.request

from emulators.client import Client, eventually
from emulators.ministack_test import BINARIES
from emulators.pipelines import Pipelines
from emulators.servers import PLAIN, ROOT, ministack
from emulators.stack import Stack

FLOWS = int(os.environ.get("TENANTRY_KILL_FLOWS", 40))
SEED = int(os.environ.get("TENANTRY_KILL_SEED", time.time()))

# The number of concurrent tenants, and the time limit of each step.
AT_ONCE, PATIENCE = 6, 120


class Killer(threading.Thread):
    """Kills a bootstrap of this ministack at intervals; counts the kills of each function."""

    def __init__(self, stack, seed):
        super().__init__(daemon=True)
        self.random, self.stopped, self.killed = random.Random(seed), threading.Event(), collections.Counter()
        self.rests = threading.Lock()
        self.ours = f"AWS_ENDPOINT_URL={stack.endpoint}"

    def run(self):
        while not self.stopped.wait(self.random.uniform(0.05, 0.3)):
            with self.rests:
                self.kill_one()

    def kill_one(self):
        found = list(self.bootstraps())
        if found:
            pid, function = self.random.choice(found)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
                self.killed[function] += 1

    def bootstraps(self):
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if (process / "comm").read_text().strip() == "bootstrap":
                    environ = (process / "environ").read_bytes().decode(errors="replace").split("\0")
                    if self.ours in environ:
                        names = [one for one in environ if one.startswith("AWS_LAMBDA_FUNCTION_NAME=")]
                        yield int(process.name), names[0].rsplit("-", 1)[1]


class Runbook(threading.Thread):
    """Retries events that were killed three times and are in a dead-letter queue; no kills happen meanwhile."""

    def __init__(self, stack, killer):
        super().__init__(daemon=True)
        self.stack, self.killer, self.stopped, self.handed_over = stack, killer, threading.Event(), 0

    def run(self):
        while not self.stopped.wait(2):
            for queue in ["EventFailures", "StreamFailures"]:
                url = self.stack.resource(queue)["Ref"]
                asked = self.stack.client("sqs").get_queue_attributes(
                    QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
                )
                if int(asked["Attributes"]["ApproximateNumberOfMessages"]):
                    with self.killer.rests:
                        self.redrive(url)

    def redrive(self, url):
        env = PLAIN | {"AWS_ENDPOINT_URL": self.stack.endpoint}
        command = [sys.executable, ROOT / "infra/redrive.py", url]
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        self.handed_over += int(done.stdout.split(" ")[0] or 0)
        if done.returncode:
            print(done.stdout, done.stderr)


class Mailbox(threading.Thread):
    """All emails by address, read once for all visitors."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.url, self.stopped, self.by_address = f"{stack.endpoint}/_ministack/ses/messages", threading.Event(), {}

    def run(self):
        while not self.stopped.wait(0.5):
            self.look()

    def look(self):
        with urllib.request.urlopen(self.url) as answer:
            accounts = json.load(answer)["messages"].values()
        found = collections.defaultdict(list)
        for mail in (mail for mails in accounts for mail in mails):
            found[mail["To"][0]].append(mail)
        self.by_address = found


class Visitor(Client):
    """A client that retries if an answer was lost."""

    def insist(self, method, path, body=None, token=None, headers=()):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                status, heads, text = self.send(method, path, body, token, headers)
                if status < 500:
                    return status, json.loads(text) if text else None
            time.sleep(0.2)
        raise AssertionError(f"{method} {path} has no answer")

    def come_in(self, number, mailbox, secrets):
        """Onboards a tenant; returns the tenant, its job and its email address."""
        email = f"ada@t{number}.test"
        body = {"firstName": "Ada", "lastName": "L", "companyName": "Acme", "email": email}
        status, lead = self.insist("POST", "/leads", body)
        assert status == 200, lead
        lead = lead["id"]
        link = rf"/validate/{lead}\?code=([0-9a-f]+)"

        def key():
            found = (re.search(link, json.dumps(mail)) for mail in mailbox.by_address.get(email, []))
            return next((match[1] for match in found if match), None)

        status, verified = self.insist("POST", f"/leads/{lead}/verify", token=eventually(f"email of {lead}", key, PATIENCE))
        assert status == 200, verified
        token = verified["token"]
        status, made = self.insist("POST", f"/leads/{lead}/tenants", {"key": f"t{number}", "domains": [f"t{number}.test"]}, token)
        if status != 200:  # it was created, but the answer was lost
            where = urllib.request.quote(json.dumps({"where": {"leadId": lead}}))
            made = eventually(f"a tenant of {lead}", lambda: self.insist("GET", f"/tenants?filter={where}", token=self.operator)[1])[0]
        tenant = made["id"]
        status, refused = self.insist("POST", f"/tenants/{tenant}/provision", {"id": "s", "plan": {"tier": "BASIC"}}, token)
        assert status in (204, 409), refused
        [job] = self.insist("GET", f"/tenants/{tenant}/jobs", token=self.operator)[1]
        variables = self.execution(job["id"], PATIENCE)
        secret = secrets.get_secret_value(SecretId=variables["SECRET_ARN"])["SecretString"]

        def reported():
            with contextlib.suppress(OSError):
                status = self.report(job["id"], secret)
                assert status == 204 or status >= 500, status
                return status == 204

        eventually(f"a report of {job['id']}", reported, PATIENCE)
        active = lambda: self.insist("GET", f"/tenants/{tenant}", token=self.operator)[1]["status"] == 0
        eventually(f"an active {tenant}", active, PATIENCE)
        return tenant, job["id"], email


class Kills(unittest.TestCase):
    def test_nothing_is_lost_stuck_or_done_twice(self):
        with contextlib.ExitStack() as open:
            pipelines = open.enter_context(Pipelines())
            endpoint, log = open.enter_context(ministack(pipelines.url))
            limits = {"PublicApiMaxAttempts": 100000, "WebhookApiMaxAttempts": 100000}
            stack = Stack(endpoint, BINARIES, limits).deploy()
            client, mailbox, killer = Visitor(stack, pipelines), Mailbox(stack), Killer(stack, SEED)
            secrets, runbook = stack.client("secretsmanager"), Runbook(stack, killer)
            for thread in [mailbox, killer, runbook]:
                thread.start()
                open.callback(thread.stopped.set)
            started = time.monotonic()
            with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
                flows = [pool.submit(client.come_in, number, mailbox, secrets) for number in range(FLOWS)]
                tenants = [flow.result() for flow in flows]
            killer.stopped.set()
            killer.join()
            print(f"{FLOWS} tenants in {time.monotonic() - started:.0f} s, {killer.killed.total()} kills, seed {SEED}")
            self.assertGreater(killer.killed.total(), FLOWS // 4)
            self.settle(stack, client, len(tenants), mailbox)
            print(f"{runbook.handed_over} events retried by the runbook")
            self.check(stack, client, pipelines, tenants, mailbox, killer)

    def settle(self, stack, client, tenants, mailbox):
        secrets = stack.client("secretsmanager")

        def is_done():
            names = [
                one["Name"]
                for page in secrets.get_paginator("list_secrets").paginate()
                for one in page["SecretList"]
                if "/jobs/" in one["Name"]
            ]
            mailbox.look()
            mails = mailbox.by_address.values()
            welcomed = sum(any("is ready on" in mail["Subject"] for mail in of_one) for of_one in mails)
            leads = len(stack.items("gsi1pk = :pk", index="gsi1", pk="lead#0"))
            counted = {noun: client.ask(200, "GET", f"/{noun}/count", token=client.operator)["count"] for noun in ["leads", "tenants"]}
            self.seen = names, welcomed, counted, leads
            return not names and welcomed >= tenants and counted == {"leads": leads, "tenants": tenants}

        try:
            eventually("rest", is_done, PATIENCE)
        except AssertionError:
            self.fail(f"it does not come to rest: secrets, welcomed, counts, leads are {self.seen}")

    def check(self, stack, client, pipelines, tenants, mailbox, killer):
        self.assertEqual(len(pipelines.executions), len(tenants), "one execution for each job")
        self.assertEqual(pipelines.refused, [])
        sent = collections.Counter()
        for tenant, job, email in tenants:
            jobs = client.ask(200, "GET", f"/tenants/{tenant}/jobs", token=client.operator)
            self.assertEqual([(one["id"], one["state"]) for one in jobs], [(job, "succeeded")])
            sent[email] = len(mailbox.by_address[email])
        # An email is sent twice only if the mailer ends between the answer of SES and recording it.
        leads = len(stack.items("gsi1pk = :pk", index="gsi1", pk="lead#0"))
        twice = sent.total() - leads - len(tenants)
        self.assertGreaterEqual(twice, 0)
        self.assertLessEqual(twice, killer.killed["MailerFunction"])
        print(f"{dict(killer.killed)}; {pipelines.repeated} repeated starts, {twice} duplicate emails, {leads - len(tenants)} duplicate leads")


if __name__ == "__main__":
    unittest.main()
