"""Runs the product on ministack: our bootstraps as Lambdas behind its HTTP API, streams, rules and mailbox.

    TENANTRY_BINARIES   the folder of the binaries; else what `cargo build --workspace --bins` made
"""

import contextlib
import json
import os
import subprocess
import sys
import time
import unittest
import uuid

from emulators.client import Client, eventually
from emulators.pipelines import Pipelines, made_at_moto
from emulators.servers import PLAIN, ROOT, ministack, moto
from emulators.stack import REGION, Stack

TARGET = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
BINARIES = os.environ.get("TENANTRY_BINARIES") or f"{TARGET}/debug"


PAST = "2026-01-01T00:00:00.000Z"

# The variables that only moves and retirements have.
MOVES = {f"{end}_{what}" for end in ["FROM", "TO"] for what in ["TIER", "ISOLATION"]}


class Ministack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as open:
            cls.pipelines = open.enter_context(Pipelines())
            endpoint, cls.log = open.enter_context(ministack(cls.pipelines.url))
            cls.stack = Stack(endpoint, BINARIES).deploy()
            cls.client = Client(cls.stack, cls.pipelines)
            names = [cls.stack.parameters[name] for name in ["SiloedPipeline", "PooledPipeline"]]
            cls.moto, cls.declared = made_at_moto(open.enter_context(moto()), names)
            cls.addClassCleanup(open.pop_all().close)

    def onboarded(self, key, tier="PREMIUM"):
        """Returns a tenant created from a lead, and its first job."""
        email = f"ada@{key}.test"
        lead, token = self.client.sign_up(email)
        tenant = self.client.tenant(lead, token, key, email)
        return tenant, self.client.provision(tenant, token, tier)

    def test_from_a_lead_to_an_active_tenant_and_its_deprovisioning(self):
        tenant, job = self.onboarded("acme")
        variables = self.client.execution(job)
        self.assertEqual((variables["TENANT_ID"], variables["TIER"]), (tenant, "PREMIUM"))
        self.assertEqual(self.pipelines.of(job)["pipeline"], self.stack.parameters["SiloedPipeline"])
        bucket = [{"type": "bucket", "externalIdentifier": "acme-bucket", "metadata": {"region": REGION}}]
        self.client.build(job, "success", "--resources", json.dumps(bucket), "--app-url", "https://acme.test/app")
        self.client.status(tenant, 0)
        found = self.client.ask(200, "GET", f"/tenants/{tenant}/resources", token=self.client.operator)
        self.assertEqual([one["externalIdentifier"] for one in found], ["acme-bucket"])
        welcome = eventually("a welcome email", lambda: self.client.mails("ada@acme.test")[1:])
        self.assertIn("https://acme.test/app", json.dumps(welcome))
        self.secret_is_gone(job)

        job = self.client.provision(tenant, self.client.operator, verb="deprovision")
        self.assertEqual(self.client.execution(job)["JOB_KIND"], "deprovision")
        self.client.build(job, "success")
        self.client.status(tenant, 5)
        self.secret_is_gone(job)

    def test_a_tenant_in_use_moves_from_the_pool_to_a_silo_and_back(self):
        tenant, job = self.onboarded("moves", "BASIC")
        self.client.build(job, "success")
        self.client.status(tenant, 0)
        operator = self.client.operator
        basic, premium = self.plan("BASIC"), self.plan("PREMIUM")
        subscribed = self.client.ask(200, "POST", "/subscriptions", {"subscriberId": tenant, "planId": basic}, operator)
        for plan, isolation, previous in [(premium, "Siloed", "pool"), (basic, "Pooled", "silo")]:
            path = f"/subscriptions/{subscribed['id']}/change"
            status, headers, text = self.client.send("POST", path, {"planId": plan}, operator)
            self.assertEqual(status, 202, text)
            job = headers["location"].rsplit("/", 1)[1]
            self.moto_accepts(job, self.declared)
            self.assertEqual(self.pipelines.of(job)["pipeline"], self.stack.parameters[f"{isolation}Pipeline"])
            self.client.status(tenant, 0)
            self.client.build(job, "success")
            moved = lambda: self.client.ask(200, "GET", f"/tenants/{tenant}", token=operator)["previous"]
            self.assertEqual(eventually("the move", moved)["isolation"], previous)
            self.secret_is_gone(job)
            job = self.client.provision(tenant, operator, verb="retire")
            self.assertEqual(self.client.execution(job)["FROM_ISOLATION"], previous)
            self.client.build(job, "success")
            eventually("the retirement", lambda: moved() is None)
        self.assertEqual(self.client.ask(200, "GET", f"/tenants/{tenant}", token=operator)["tier"], "BASIC")

    def plan(self, tier):
        body = {"name": tier, "tier": tier, "price": 10, "currencyCode": "EUR"}
        body |= {"billingCycle": {"duration": 1, "durationUnit": "month"}}
        id = self.client.ask(200, "POST", "/plans", body, self.client.operator)["id"]
        self.client.ask(204, "POST", f"/plans/{id}/activate", {}, self.client.operator)
        return id

    def test_a_build_that_fails_and_its_retry(self):
        tenant, first = self.onboarded("fails", "BASIC")
        self.assertEqual(self.client.execution(first)["TIER"], "BASIC")
        self.assertEqual(self.pipelines.of(first)["pipeline"], self.stack.parameters["PooledPipeline"])
        self.client.build(first, "failure", "--reason", "The disk is full.")
        self.client.status(tenant, 3)
        second = self.client.provision(tenant, self.client.operator, "BASIC")
        self.client.build(second, "success")
        self.client.status(tenant, 0)
        jobs = self.client.ask(200, "GET", f"/tenants/{tenant}/jobs", token=self.client.operator)
        self.assertEqual({one["id"]: one["state"] for one in jobs}, {first: "failed", second: "succeeded"})
        self.assertIn("The disk is full.", json.dumps(jobs))

    def test_a_failed_execution_closes_its_job(self):
        tenant, job = self.onboarded("broken", "BASIC")
        self.client.execution(job)
        execution = self.pipelines.of(job)
        detail = {"pipeline": execution["pipeline"], "execution-id": execution["id"], "state": "FAILED"}
        event = {"source": "aws.codepipeline", "detail-type": "CodePipeline Pipeline Execution State Change"}
        # Only AWS can publish with this source, so the test invokes the target as the rule does.
        self.stack.invoke("PipelinesFunction", event | {"detail": detail})
        self.client.status(tenant, 3)

    def test_a_job_past_its_deadline_is_closed(self):
        tenant, job = self.onboarded("silent", "BASIC")
        self.client.execution(job)
        self.stack.invoke("ReconcilerFunction", {})
        [item] = self.stack.items("pk = :pk AND begins_with(sk, :sk)", pk=f"TENANT#{tenant}", sk="JOB#")
        self.assertEqual(item["state"], {"S": "running"}, "it is not yet due")
        past = item | {"deadline": {"S": PAST}, "gsi1sk": {"S": item["gsi1sk"]["S"].replace(item["deadline"]["S"], PAST)}}
        self.stack.client("dynamodb").put_item(TableName=self.stack.resource("Table")["Ref"], Item=past)
        self.stack.invoke("ReconcilerFunction", {})
        self.client.status(tenant, 3)

    def test_children_of_a_tenant(self):
        tenant, _ = self.onboarded("children")
        operator = self.client.operator
        contact = {"firstName": "Grace", "lastName": "Hopper", "email": "grace@children.test", "isPrimary": False}
        contact = self.client.ask(200, "POST", "/contacts", contact | {"tenantId": tenant}, operator)["id"]
        config = {"configKey": "theme", "configValue": {"dark": True}, "tenantId": tenant}
        config = self.client.ask(200, "POST", "/tenant-configs", config, operator)["id"]
        of = self.client.ask(200, "GET", f"/tenant-configs/{config}/tenant", token=operator)
        self.assertEqual(of["id"], tenant)
        invoice = {"startDate": "2026-01-01", "endDate": "2026-01-31", "amount": 12.5, "currencyCode": "EUR"}
        invoice |= {"dueDate": "2026-02-15", "status": 0, "tenantId": tenant}
        invoice = self.client.ask(200, "POST", "/invoices", invoice, operator)["id"]
        status, headers, pdf = self.client.send("GET", f"/invoices/{invoice}/download", token=operator)
        self.assertEqual((status, headers["content-type"], pdf[:5]), (200, "application/pdf", b"%PDF-"))
        self.client.ask(204, "DELETE", f"/contacts/{contact}", token=operator)
        self.client.ask(404, "GET", f"/contacts/{contact}", token=operator)

    def test_counts_follow_the_stream(self):
        operator = self.client.operator
        count = lambda: self.client.ask(200, "GET", "/tenants/count", token=operator)["count"]
        listed = lambda: len(self.client.ask(200, "GET", "/tenants?limit=1000", token=operator))
        self.onboarded("counted")
        eventually("a count of all that is listed", lambda: count() == listed() > 0)

    def test_an_unreadable_record_is_set_aside_blocks_nothing_and_is_delivered_when_it_is_readable(self):
        table, name = self.stack.client("dynamodb"), self.stack.resource("Table")["Ref"]
        now = f"{int(time.time() * 1000):012x}"
        id = f"{now[:8]}-{now[8:]}-7000-8000-000000000001"  # version 7, because the age of the ID limits the lifetime of a key
        key = {"pk": {"S": f"LEAD#{id}"}, "sk": {"S": "LEAD"}}
        table.put_item(TableName=name, Item=key | {"entity": {"S": "lead"}, "id": {"S": id}})
        self.client.sign_up("grace@behind.test")

        queue = self.stack.resource("StreamFailures")["Ref"]
        sqs, seen = self.stack.client("sqs"), {}

        def messages():
            got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
            for message in got.get("Messages", []):
                body = json.loads(message["Body"])
                seen[body["requestContext"]["functionArn"]] = message | {"Body": body}
            return len(seen) == 2

        eventually("two messages", messages)
        self.assertEqual(set(seen), {self.stack.resource(f"{one}Function")["Arn"] for one in ["Relay", "Upkeep"]})
        done = self.redrive(queue)
        self.assertEqual((done.returncode, "0 retried successfully, 2 left" in done.stdout), (1, True), done.stdout + done.stderr)

        # A fixed function would read the record. This test fixes the record in the queue instead.
        lead = self.stack.items("gsi1pk = :pk", index="gsi1", pk="lead#0")[0]
        lead |= {"id": {"S": id}, "email": {"S": "mended@acme.test"}}
        sqs.purge_queue(QueueUrl=queue)
        for message in seen.values():
            message["Body"]["requestPayload"]["Records"][0]["dynamodb"]["NewImage"] = lead
            sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(message["Body"]))
        done = self.redrive(queue)
        self.assertEqual((done.returncode, "2 retried successfully, 0 left" in done.stdout), (0, True), done.stdout + done.stderr)
        eventually("the email of the fixed record", lambda: self.client.mails("mended@acme.test"))

    def redrive(self, queue):
        command = [sys.executable, ROOT / "infra/redrive.py", queue]
        env = PLAIN | {"AWS_ENDPOINT_URL": self.stack.endpoint}
        return subprocess.run(command, env=env, capture_output=True, text=True)

    def test_the_keys_rotate_and_earlier_signatures_stay_valid(self):
        secrets, keys = self.stack.client("secretsmanager"), self.stack.resource("MasterKeys")["Ref"]
        current = lambda: json.loads(secrets.get_secret_value(SecretId=keys)["SecretString"])
        before, version = current(), str(uuid.uuid4())
        for step in ["createSecret", "createSecret", "setSecret", "testSecret", "finishSecret", "finishSecret"]:
            asked = {"SecretId": keys, "ClientRequestToken": version, "Step": step}
            self.stack.invoke("RotatorFunction", asked)
            if step != "finishSecret":
                self.assertEqual(current(), before)
        self.assertLess(before.items(), (current() | {"current": before["current"]}).items())

    def secret_is_gone(self, job):
        secrets = self.stack.client("secretsmanager")
        names = lambda: [one["Name"] for one in secrets.list_secrets()["SecretList"]]
        eventually(f"the end of the secret of {job}", lambda: not any(job in name for name in names()))

    def test_moto_accepts_our_variables_for_the_pipelines_of_infra(self):
        _, job = self.onboarded("moto")
        self.moto_accepts(job, self.declared - MOVES)

    def moto_accepts(self, job, names):
        variables, pipeline = self.client.execution(job), self.pipelines.of(job)["pipeline"]
        self.assertEqual(set(variables), names)
        given = [{"name": name, "value": value} for name, value in variables.items()]
        id = self.moto.start_pipeline_execution(name=pipeline, variables=given)["pipelineExecutionId"]
        found = self.moto.get_pipeline_execution(pipelineName=pipeline, pipelineExecutionId=id)["pipelineExecution"]
        self.assertEqual({one["name"]: one["resolvedValue"] for one in found["variables"]}, variables)

    def tearDown(self):
        self.assertEqual(self.pipelines.refused, [], "CodePipeline would refuse it")


if __name__ == "__main__":
    unittest.main()
