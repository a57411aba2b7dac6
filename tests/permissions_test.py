"""Compares the policies of each function with its recorded calls: they allow exactly these.

    TENANTRY_TEST_PERMISSIONS   the file in which the Rust tests recorded the calls, as tests/run lets them
"""

import fnmatch
import json
import os
import pathlib
import re
import unittest

from emulators.stack import ACCOUNT, REGION, TEMPLATE, Stack, functions
from template_test import listed, of_type, statements

# Permissions without a recorded call, by function and action, each with the reason.
UNSEEN = {
    ("*", "logs:CreateLogStream"): "Lambda writes the log",
    ("*", "logs:PutLogEvents"): "Lambda writes the log",
    ("*", "xray:PutTelemetryRecords"): "Lambda writes the trace",
    ("*", "xray:PutTraceSegments"): "Lambda writes the trace",
    ("*", "dynamodb:DescribeStream"): "Lambda reads the stream",
    ("*", "dynamodb:GetRecords"): "Lambda reads the stream",
    ("*", "dynamodb:GetShardIterator"): "Lambda reads the stream",
    ("*", "dynamodb:ListStreams"): "Lambda reads the stream",
    ("reconciler", "sqs:SendMessage"): "Lambda puts there what failed",
    ("rotator", "sqs:SendMessage"): "Lambda puts there what failed",
    ("idp", "dynamodb:PutItem"): "its tests hold the claims of a provider, at a table of their own",
    ("mailer", "ses:SendEmail *:template/*"): "SES asks for it where a template of the team's is set",
    ("mailer", "ses:SendTemplatedEmail"): "SES asks for it where a template of the team's is set",
    ("rotator", "secretsmanager:DescribeSecret"): "ministack_test lets it rotate under this policy",
    ("rotator", "secretsmanager:GetSecretValue"): "ministack_test lets it rotate under this policy",
    ("rotator", "secretsmanager:PutSecretValue"): "ministack_test lets it rotate under this policy",
    ("rotator", "secretsmanager:UpdateSecretVersionStage"): "ministack_test lets it rotate under this policy",
}


class Named(Stack):
    """The template with the names of infra/local; creates nothing."""

    def resource(self, id):
        resource = TEMPLATE["Resources"][id]
        kind, given, name = resource["Type"], resource.get("Properties", {}), f"{self.name}-{id}"
        resources = {
            "AWS::DynamoDB::Table": f"dynamodb:{REGION}:{ACCOUNT}:table/{name}",
            "AWS::Events::EventBus": f"events:{REGION}:{ACCOUNT}:event-bus/{self.value(given.get('Name'))}",
            "AWS::SecretsManager::Secret": f"secretsmanager:{REGION}:{ACCOUNT}:secret:{name}-??????",
            "AWS::SQS::Queue": f"sqs:{REGION}:{ACCOUNT}:{name}",
        }
        arn = "arn:aws:" + resources.get(kind, f"{kind}:{name}")
        ref = arn if kind == "AWS::SecretsManager::Secret" else name
        return {"Ref": ref, "Arn": arn, "StreamArn": f"{arn}/stream/1"}


def allowed():
    """Returns the permissions of each function's role, by its binary: actions with their resources."""
    stack = Named("", "", name="tenantry-local")
    for binary, id in functions().items():
        role = TEMPLATE["Resources"][id]["Properties"]["Role"]["Fn::GetAtt"][0]
        policies = [TEMPLATE["Resources"][role]["Properties"].get("Policies", [])]
        policies += [
            policy["PolicyDocument"]
            for policy_id, policy in of_type("AWS::IAM::Policy").items()
            if {"Ref": role} in policy["Roles"] and stack.holds(TEMPLATE["Resources"][policy_id].get("Condition"))
        ]
        for statement in statements(stack.value(policies)):
            if statement["Effect"] == "Allow":
                for action in listed(statement["Action"]):
                    for resource in listed(statement["Resource"]):
                        yield binary, action, resource


def recorded():
    """Returns the calls of functions, as IAM evaluates them."""
    lines = pathlib.Path(os.environ["TENANTRY_TEST_PERMISSIONS"]).read_text().splitlines()
    for call in map(json.loads, sorted(set(lines))):
        caller, action, resource = call["caller"], call["action"], call["resource"]
        service = action.split(":")[0]
        if service == "secretsmanager" and not resource.startswith("arn:"):
            resource = f"secret:{resource}-abcdef"
        resource = re.sub(r"^(arn:aws:\w+:[^:]*:[^:]*:)?", f"arn:aws:{service}:{REGION}:{ACCOUNT}:", resource)
        if caller in functions():
            yield caller, action, resource


def is_meant(reason, action, resource):
    """Returns whether a reason applies to an action on any resource, or on the resources that it names."""
    return fnmatch.fnmatchcase(f"{action} {resource}", reason if " " in reason else f"{reason} *")


class Permissions(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.allowed, cls.recorded = list(allowed()), list(recorded())

    def is_covered(self, call, permission):
        return call[:2] == permission[:2] and fnmatch.fnmatchcase(call[2], permission[2])

    def test_every_call_is_allowed(self):
        refused = [call for call in self.recorded if not any(self.is_covered(call, one) for one in self.allowed)]
        self.assertEqual(refused, [])

    def test_every_permission_is_used_or_has_a_reason(self):
        met, unused = set(), []
        for permission in self.allowed:
            if any(self.is_covered(call, permission) for call in self.recorded):
                continue
            binary, action, resource = permission
            reasons = {key for key in UNSEEN if key[0] in (binary, "*") and is_meant(key[1], action, resource)}
            met |= reasons
            if not reasons:
                unused.append(permission)
        self.assertEqual(unused, [])
        self.assertEqual(met, set(UNSEEN), "a reason that nothing needs")


if __name__ == "__main__":
    unittest.main()
