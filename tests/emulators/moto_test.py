"""Runs the four steps of the rotator on moto's Secrets Manager, each of them twice."""

import contextlib
import json
import unittest
import uuid

from emulators.ministack_test import BINARIES
from emulators.pipelines import Pipelines
from emulators.servers import ministack, moto
from emulators.stack import Stack, client

STEPS = ["createSecret", "setSecret", "testSecret", "finishSecret"]


class Rotator(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as open:
            endpoint, _ = open.enter_context(ministack("http://127.0.0.1:1"))
            cls.secrets = client(open.enter_context(moto()), "secretsmanager")
            cls.stack = Stack(endpoint, BINARIES)
            # The function runs on ministack, the secret is in moto.
            elsewhere = {"AWS_ENDPOINT_URL_SECRETS_MANAGER": cls.secrets.meta.endpoint_url}
            variables = cls.stack.variables("RotatorFunction") | elsewhere
            cls.stack.client("lambda").update_function_configuration(
                FunctionName=cls.stack.resource("RotatorFunction")["Ref"], Environment={"Variables": variables}
            )
            cls.addClassCleanup(open.pop_all().close)

    def rotate(self, secret, version, step):
        asked = {"SecretId": secret, "ClientRequestToken": version, "Step": step}
        return self.stack.invoke("RotatorFunction", asked)

    def stages(self, secret):
        return {stage: id for id, all in self.secrets.describe_secret(SecretId=secret)["VersionIdsToStages"].items() for stage in all}

    def read(self, secret, stage="AWSCURRENT", **version):
        value = self.secrets.get_secret_value(SecretId=secret, VersionStage=stage, **version)
        return json.loads(value["SecretString"])

    def test_four_steps_each_twice_and_three_rotations_one_after_another(self):
        secret = self.secrets.create_secret(Name="keys", SecretString='{"current":"k1","k1":"' + "a" * 64 + '"}')["ARN"]
        before = self.read(secret)
        for _ in range(3):
            version, current = str(uuid.uuid4()), self.read(secret)
            for step in STEPS:
                self.rotate(secret, version, step)
                pending = self.read(secret, "AWSPENDING", VersionId=version) if step != "finishSecret" else None
                self.rotate(secret, version, step)
                if pending:
                    self.assertEqual(self.read(secret, "AWSPENDING", VersionId=version), pending, "made twice")
                    self.assertEqual(self.read(secret), current, "seen before it is finished")
            self.assertEqual(self.stages(secret)["AWSCURRENT"], version)
            after = self.read(secret)
            self.assertEqual(after[current["current"]], current[current["current"]], "what signed still verifies")
        self.assertNotEqual(after["current"], before["current"], "another key signs now")

    def test_an_abandoned_rotation_does_not_block_the_next(self):
        secret = self.secrets.create_secret(Name="left", SecretString="b" * 64)["ARN"]
        self.rotate(secret, str(uuid.uuid4()), "createSecret")
        version = str(uuid.uuid4())
        for step in STEPS:
            self.rotate(secret, version, step)
        self.assertEqual(self.stages(secret)["AWSCURRENT"], version)

    def test_a_missing_version_is_neither_tested_nor_finished(self):
        secret = self.secrets.create_secret(Name="none", SecretString="c" * 64)["ARN"]
        for step in ["testSecret", "finishSecret"]:
            with self.assertRaises(RuntimeError):
                self.rotate(secret, str(uuid.uuid4()), step)
        self.assertEqual(self.secrets.get_secret_value(SecretId=secret)["SecretString"], "c" * 64)


if __name__ == "__main__":
    unittest.main()
