"""Runs the buildspecs of infra/pipelines as CodeBuild does, with an `aws` that only records its calls."""

import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import yaml

from callback_test import ControlPlane

ROOT = pathlib.Path(__file__).parent.parent
SECRET = hashlib.sha256(b"a job's secret").hexdigest()
AWS = f"""#!/bin/bash
echo "$*" >> "$CALLS"
[[ -z $FAILS || "$*" != $FAILS* ]] || {{ echo "An error occurred" >&2; exit 254; }}
case "$*" in
  secretsmanager*) echo {SECRET} ;;
  *describe-stacks*StackStatus*) echo "$STATUS" ;;
  *describe-stacks*) echo "$BUCKET" ;;
  "s3 cp"*) cat >> "$CALLS" ;;
  *) echo progress ;;
esac
"""


class Buildspec(unittest.TestCase):
    def build(self, isolation, kind, fails="", status="None", bucket="acme-files-1"):
        """Returns the reports that the control plane received, and the calls of `aws`."""
        server = ControlPlane([204, 204])
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "infra").symlink_to(ROOT / "infra")
            aws = folder / "aws"
            aws.write_text(AWS)
            aws.chmod(0o755)
            variables = {
                "PATH": f"{folder}:{os.environ['PATH']}",
                "CALLS": str(folder / "calls"), "FAILS": fails, "STATUS": status,
                "BUCKET": bucket,
                "TENANT_ID": "01931f6e-0000-7000-8000-000000000002", "TENANT_KEY": "acme",
                "JOB_ID": "01931f6e-0000-7000-8000-000000000001",
                "CONTEXT_ID": "01931f6e-0000-7000-8000-000000000001",
                "JOB_KIND": kind, "SECRET_ARN": "arn:of:the:secret",
                "CALLBACK_URL": f"http://127.0.0.1:{server.server_port}/webhook",
                "APP_DOMAIN": "app.example", "POOL_BUCKET": "pool",
                "CODEBUILD_BUILD_ID": "tenantry:1", "CODEBUILD_BUILD_URL": "https://build.example/1",
            }
            phases = yaml.safe_load((ROOT / f"infra/pipelines/{isolation}.buildspec.yml").read_text())
            built = self.run_phase(phases["phases"]["build"], folder, variables)
            variables["CODEBUILD_BUILD_SUCCEEDING"] = str(int(built))
            self.assertTrue(self.run_phase(phases["phases"]["post_build"], folder, variables))
            [(progress, _), (body, _)] = server.received
            self.assertEqual(
                json.loads(progress)["progress"]["name"], f"Running {isolation}.sh ({kind})"
            )
            return json.loads(body), (folder / "calls").read_text()

    def run_phase(self, phase, folder, variables):
        run = lambda command: subprocess.run(
            ["bash", "-c", command], cwd=folder, env=variables, capture_output=True, timeout=60
        )
        return all(run(command).returncode == 0 for command in phase["commands"])

    def test_a_silo_is_a_stack_with_a_bucket(self):
        message, calls = self.build("silo", "provision")
        bucket = {"bucket": "acme-files-1", "stack": "tenantry-silo-acme"}
        self.assertEqual(message["type"], 0)
        self.assertEqual(message["data"], {
            "status": 1,
            "resources": [{"type": "bucket", "externalIdentifier": "acme-files-1", "metadata": bucket}],
            "appPlaneUrl": "https://acme.app.example",
        })
        self.assertIn("cloudformation deploy --stack-name tenantry-silo-acme", calls)
        self.assertNotIn("delete-stack", calls)

    def test_a_silo_is_built_over_the_rest_of_a_failed_attempt(self):
        message, calls = self.build("silo", "provision", status="ROLLBACK_COMPLETE")
        self.assertEqual(message["data"]["status"], 1)
        self.assertLess(calls.index("wait stack-delete-complete"), calls.index("cloudformation deploy"))

    def test_a_silo_is_emptied_and_removed(self):
        message, calls = self.build("silo", "deprovision")
        self.assertEqual((message["type"], message["data"]["status"]), (1, 1))
        self.assertLess(calls.index("s3 rm"), calls.index("delete-stack"))
        message, calls = self.build("silo", "deprovision", fails="cloudformation describe-stacks")
        self.assertEqual(message["data"]["status"], 1)

    def test_a_pooled_tenant_has_a_prefix_and_an_entry(self):
        message, calls = self.build("pool", "provision")
        [resource] = message["data"]["resources"]
        self.assertEqual(resource["externalIdentifier"], "s3://pool/acme/")
        self.assertIn('"key":"acme"', calls)
        message, calls = self.build("pool", "deprovision")
        self.assertEqual((message["type"], message["data"]["status"]), (1, 1))
        self.assertIn("s3 rm --recursive --only-show-errors s3://pool/acme/", calls)

    def test_a_move_builds_the_target_and_a_retirement_removes_the_source(self):
        for isolation, built, removed in [
            ("silo", "cloudformation deploy --stack-name tenantry-silo-acme", "delete-stack"),
            ("pool", "s3 cp", "s3 rm --recursive --only-show-errors s3://pool/acme/"),
        ]:
            message, calls = self.build(isolation, "change")
            self.assertEqual((message["type"], message["data"]["status"]), (2, 1))
            self.assertEqual(len(message["data"]["resources"]), 1)
            self.assertIn(built, calls)
            self.assertNotIn(removed, calls)
            message, calls = self.build(isolation, "retire")
            self.assertEqual((message["type"], message["data"]["status"]), (3, 1))
            self.assertIn(removed, calls)

    def test_a_stack_without_its_bucket_is_a_failure(self):
        message, _ = self.build("silo", "provision", bucket="None")
        self.assertEqual(message["data"]["status"], 0)

    def test_any_step_that_fails_is_reported(self):
        for isolation, kind, step in [
            ("silo", "provision", "cloudformation deploy"),
            ("silo", "provision", "cloudformation describe-stacks"),
            ("silo", "deprovision", "s3 rm"),
            ("silo", "deprovision", "cloudformation delete-stack"),
            ("silo", "deprovision", "cloudformation wait"),
            ("pool", "provision", "s3 cp"),
            ("pool", "deprovision", "s3 rm"),
        ]:
            message, _ = self.build(isolation, kind, fails=step)
            self.assertEqual(message["data"]["status"], 0, (isolation, kind, step))
            self.assertIn("https://build.example/1", message["data"]["reason"])


if __name__ == "__main__":
    unittest.main()
