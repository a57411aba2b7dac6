"""Checks of the templates that no linter has: permissions, that no event is lost, and who uses the cache."""

import json
import os
import pathlib
import re
import unittest

os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")

from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator
from samtranslator.yaml_helper import yaml_parse

ROOT = pathlib.Path(__file__).parent.parent
PLAIN = ["infra/cache.yaml", "infra/github.yaml", "infra/monitoring.yaml", "infra/operators.yaml"]
PLAIN += ["infra/pipelines/silo.yaml", "infra/pipelines/template.yaml"]

# The actions that may be allowed on every resource, each with its reason.
ON_EVERYTHING = {
    "cloudformation:GetTemplateSummary": "the template is not a stack yet",
    "cognito-idp:CreateUserPool": "the pool has no name yet",
    "cognito-idp:ListUserPools": "names no pool",
    "ec2:AssignPrivateIpAddresses": "the boundary's; it grants nothing by itself",
    "ec2:CreateNetworkInterface": "the boundary's; it grants nothing by itself",
    "ec2:DeleteNetworkInterface": "the boundary's; it grants nothing by itself",
    "ec2:DescribeNetworkInterfaces": "the boundary's; it grants nothing by itself",
    "ec2:DescribeSubnets": "the boundary's; it grants nothing by itself",
    "ec2:UnassignPrivateIpAddresses": "the boundary's; it grants nothing by itself",
    "xray:PutTelemetryRecords": "names no resource",
    "xray:PutTraceSegments": "names no resource",
}

# The managed policies that SAM attaches to a function's role, each with the policy that limits it.
MANAGED = {
    "AWSLambdaBasicExecutionRole": "the policy Bounds: our own log groups",
    "AWSLambdaVPCAccessExecutionRole": "the policy Bounds: Lambda, not the function's code",
    "AWSXrayWriteOnlyAccess": "traces, which name no resource",
}


# Resources with data that are deleted with the stack, each with the reason.
EXPENDABLE = {("infra/pipelines/silo.yaml", "Files"): "a tenant's own bucket goes with its tenant"}


def read(file):
    return yaml_parse((ROOT / file).read_text())


def deployed():
    """Returns template.yaml as SAM passes it to CloudFormation."""
    template = read("template.yaml")
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
    given = {"FromEmail": "noreply@tenantry.test", "AllowedOrigins": "http://localhost:4200"}
    return Translator({}, Parser()).translate(template, given)


STACK = deployed()
TEMPLATES = {"template.yaml": STACK} | {file: read(file) for file in PLAIN if (ROOT / file).exists()}


def of_type(kind, template=STACK):
    found = template["Resources"].items()
    return {id: one.get("Properties", {}) for id, one in found if one["Type"] == kind}


def listed(value):
    return value if isinstance(value, list) else [value]


def branches(value):
    """Returns the value, or both alternatives of an Fn::If."""
    if isinstance(value, dict) and "Fn::If" in value:
        return [leaf for side in value["Fn::If"][1:] for leaf in branches(side)]
    if isinstance(value, list):
        return [leaf for item in value for leaf in branches(item)]
    return [value]


def statements(value):
    """Returns every policy statement in `value`."""
    if isinstance(value, dict):
        if value.get("Effect") in ("Allow", "Deny"):
            yield value
        for member in value.values():
            yield from statements(member)
    elif isinstance(value, list):
        for item in value:
            yield from statements(item)


def allowed():
    for file, template in TEMPLATES.items():
        for id, resource in template["Resources"].items():
            for statement in statements(resource):
                if statement["Effect"] == "Allow":
                    yield f"{file}: {id}", statement


def target_of(value, attribute="Arn"):
    """Returns the logical ID that `!GetAtt Id.Arn` or `!Ref Id` names."""
    return value["Fn::GetAtt"][0] if "Fn::GetAtt" in value else value["Ref"]


class Permissions(unittest.TestCase):
    def test_every_action_is_named(self):
        self.assertTrue(list(allowed()))
        for where, statement in allowed():
            self.assertNotIn("NotAction", statement, where)
            for action in branches(statement["Action"]):
                self.assertNotIn("*", action, where)

    def test_every_resource_is_named_if_the_service_allows_it(self):
        met = set()
        for where, statement in allowed():
            self.assertNotIn("NotResource", statement, where)
            if "*" in branches(statement.get("Resource", [])):
                met |= set(branches(statement["Action"]))
                for action in branches(statement["Action"]):
                    self.assertIn(action, ON_EVERYTHING, where)
        self.assertEqual(met, set(ON_EVERYTHING), "a reason that nothing needs")

    def test_no_policy_allows_every_principal(self):
        everyone = [(where, one) for where, one in allowed() if one.get("Principal") == "*"]
        self.assertTrue(everyone)
        for where, statement in everyone:
            self.assertIn("Condition", statement, where)
            self.assertIn("aws:PrincipalAccount", str(statement["Condition"]), where)

    def test_managed_policies_are_bounded(self):
        (bounds,) = [one for id, one in of_type("AWS::IAM::Policy").items() if id == "Bounds"]
        bounded = {role["Ref"] for role in bounds["Roles"]}
        met = set()
        for id, role in of_type("AWS::IAM::Role").items():
            names = {arn.rsplit("/", 1)[-1] for arn in role.get("ManagedPolicyArns", [])}
            met |= names
            self.assertLessEqual(names, set(MANAGED), id)
            if names - {"AWSXrayWriteOnlyAccess"}:
                self.assertIn(id, bounded, "it may write to any log group")
        self.assertEqual(met, set(MANAGED), "a reason that nothing needs")
        denied = {
            action
            for statement in statements(bounds)
            if statement["Effect"] == "Deny"
            for action in listed(statement["Action"])
        }
        for action in ["logs:CreateLogGroup", "logs:PutLogEvents", "ec2:CreateNetworkInterface"]:
            self.assertIn(action, denied)

    def test_only_upkeep_may_write_the_audit_log(self):
        (bounds,) = [one for id, one in of_type("AWS::IAM::Policy").items() if id == "Bounds"]
        bounded = {role["Ref"] for role in bounds["Roles"]}
        (denied,) = [one for one in statements(bounds) if "dynamodb:PutItem" in listed(one["Action"])]
        self.assertEqual(denied["Effect"], "Deny")
        self.assertEqual(denied["Condition"], {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": "AUDIT#*"}})
        self.assertEqual(denied["Resource"], {"Fn::GetAtt": ["Table", "Arn"]})
        writes = {"dynamodb:BatchWriteItem", "dynamodb:DeleteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
        self.assertLessEqual(writes, set(denied["Action"]))
        writers = set()
        for id, role in of_type("AWS::IAM::Role").items():
            granted = [one["Action"] for one in statements(role) if one["Effect"] == "Allow"]
            granted = {action for actions in granted for action in branches(actions)}
            if granted & (writes | {"dynamodb:PartiQLInsert", "dynamodb:PartiQLUpdate", "dynamodb:PartiQLDelete"}):
                self.assertIn(id, bounded | {"UpkeepRole"})
                writers.add(id)
        self.assertLessEqual({"TenantsFunctionRole", "UpkeepRole"}, writers)

    def test_an_explicit_role_writes_to_the_log_group_of_its_function(self):
        ours = [
            statement
            for statement in statements(of_type("AWS::IAM::Role")["RelayRole"])
            if "logs:PutLogEvents" in statement["Action"]
        ]
        self.assertEqual([one["Resource"] for one in ours], [{"Fn::GetAtt": ["RelayLog", "Arn"]}])


class Events(unittest.TestCase):
    """Each asynchronous edge has a retry limit, and a dead-letter queue."""

    def queue(self, value, where):
        queue = target_of(value)
        self.assertIn(queue, of_type("AWS::SQS::Queue"), where)
        return queue

    def limits(self, given, where, age, least=0):
        self.assertGreaterEqual(given["MaximumRetryAttempts"], least, where)
        self.assertGreaterEqual(given[age], 60, where)

    def test_rules(self):
        rules = of_type("AWS::Events::Rule")
        self.assertTrue(rules)
        queues = set()
        for id, rule in rules.items():
            for target in rule["Targets"]:
                self.limits(target["RetryPolicy"], id, "MaximumEventAgeInSeconds")
                queues.add(self.queue(target["DeadLetterConfig"]["Arn"], id))
        open_to_rules = {
            target_of(statement["Resource"])
            for policy in of_type("AWS::SQS::QueuePolicy").values()
            for statement in statements(policy)
            if statement["Principal"] == {"Service": "events.amazonaws.com"}
            and {"Ref": target_of(statement["Resource"])} in policy["Queues"]
        }
        self.assertLessEqual(queues, open_to_rules, "a queue that EventBridge may not write to")

    def test_schedules(self):
        schedules = of_type("AWS::Scheduler::Schedule")
        self.assertTrue(schedules)
        for id, schedule in schedules.items():
            self.limits(schedule["Target"]["RetryPolicy"], id, "MaximumEventAgeInSeconds")
            self.queue(schedule["Target"]["DeadLetterConfig"]["Arn"], id)

    def test_streams(self):
        mappings = of_type("AWS::Lambda::EventSourceMapping")
        self.assertTrue(mappings)
        for id, mapping in mappings.items():
            # Lambda does not document how often it retries, so only the age ends retries: -1 is unlimited.
            self.limits(mapping, id, "MaximumRecordAgeInSeconds", least=-1)
            self.assertEqual(mapping["MaximumRetryAttempts"], -1, id)
            # The stream keeps a record for one day, so retries must end earlier.
            self.assertLess(mapping["MaximumRecordAgeInSeconds"], 86400, id)
            self.assertIs(mapping["BisectBatchOnFunctionError"], True, id)
            self.assertIn("ReportBatchItemFailures", mapping["FunctionResponseTypes"], id)
            self.queue(mapping["DestinationConfig"]["OnFailure"]["Destination"], id)

    def test_asynchronous_calls(self):
        called = {
            target_of(target["Arn"])
            for rule in of_type("AWS::Events::Rule").values()
            for target in rule["Targets"]
        } | {target_of(one["Target"]["Arn"]) for one in of_type("AWS::Scheduler::Schedule").values()}
        configs = {
            one["FunctionName"]["Ref"]: one for one in of_type("AWS::Lambda::EventInvokeConfig").values()
        }
        self.assertTrue(called)
        for function in called:
            config = configs[function]
            self.limits(config, function, "MaximumEventAgeInSeconds")
            self.queue(config["DestinationConfig"]["OnFailure"]["Destination"], function)

    def test_a_replay_repeats_no_effect(self):
        source = (ROOT / "shared/store/src/idempotency.rs").read_text()
        (days,) = re.findall(r"const KEPT: Duration = Duration::from_secs\((\d+) \* 24 \* 3600\);", source)
        archives = of_type("AWS::Events::Archive")
        self.assertTrue(archives)
        for id, archive in archives.items():
            self.assertLess(archive["RetentionDays"], int(days), id)


def folders():
    """Returns the folder of each function of the HTTP API, whose crate has its code."""
    found = of_type("AWS::Serverless::Function", read("template.yaml")).items()
    return {
        id: one["CodeUri"] for id, one in found
        if any(event["Type"] == "HttpApi" for event in one.get("Events", {}).values())
    }


def in_the_network():
    return {id: one for id, one in of_type("AWS::Lambda::Function").items() if "VpcConfig" in one}


class Cache(unittest.TestCase):
    """With CacheEnabled, a tenant that the API has written is not read from the cache as it was before."""

    # Functions whose crate writes tenants and that stay outside the network, each with the reason.
    OUTSIDE = {"IdpFunction": "identity providers are on the internet; only `identity`, of the same crate, closes jobs"}

    def invalidating(self):
        """Returns the methods of the store that invalidate a cached tenant, by themselves or by another method."""
        methods = {}
        for file in (ROOT / "shared/store/src").rglob("*.rs"):
            for name, body in re.findall(r"\bfn (\w+)\b(.*?)(?=\bfn \w|\Z)", file.read_text(), re.DOTALL):
                methods.setdefault(name, []).append(body)
        found = {"invalidating"}
        while True:
            calls = re.compile(rf"\bself\s*\.({'|'.join(found)})\b\s*(?:::<|\()")
            more = {name for name, bodies in methods.items() if any(calls.search(body) for body in bodies)}
            if more <= found:
                return found - {"invalidating"}
            found |= more

    def writers(self):
        """Returns the functions of the HTTP API whose crate writes tenants."""
        calls = re.compile(rf"\.({'|'.join(self.invalidating())})\b\s*(?:::<|\()")
        # A child that settles its subscription is written by code that all children share.
        settling = {
            f"functions/{file.stem}s" for file in (ROOT / "shared/domain/src/child").glob("*.rs")
            if file.stem != "mod" and "fn settled(" in file.read_text()
        }
        return {
            id for id, folder in folders().items()
            if folder in settling or any(calls.search(file.read_text()) for file in (ROOT / folder / "src").rglob("*.rs"))
        }

    def test_every_function_of_the_api_that_writes_tenants_invalidates_them(self):
        writers = self.writers()
        self.assertLessEqual({"TenantsFunction", "SubscriptionsFunction", "InvoicesFunction", "WebhookFunction"}, writers)
        self.assertEqual(writers - set(in_the_network()), set(self.OUTSIDE))

    def test_a_function_is_in_the_network_if_and_only_if_it_uses_the_cache(self):
        functions = of_type("AWS::Lambda::Function")
        taken = ["REDIS_HOST", "REDIS_PORT", "REDIS_TLS"]
        expected = {name: functions["TenantsFunction"]["Environment"]["Variables"][name] for name in taken}
        inside = in_the_network()
        self.assertIn("TenantsFunction", inside)
        for id, one in functions.items():
            variables = one.get("Environment", {}).get("Variables", {})
            given = {name: variables[name] for name in taken if name in variables}
            self.assertEqual(given, expected if id in inside else {}, id)
            if id in inside:
                self.assertEqual(one["VpcConfig"], inside["TenantsFunction"]["VpcConfig"], id)
                self.assertLessEqual({"REDIS_URL", "REDIS_PASSWORD_ARN"}, set(variables), "for a cache of one's own")

    def test_a_function_in_the_network_calls_only_what_its_endpoints_allow(self):
        cache = TEMPLATES["infra/cache.yaml"]
        open_to = {action for one in statements(cache) for action in branches(one["Action"])}
        secrets = STACK["Resources"]["Cache"]["Properties"]["Parameters"]["Secrets"]["Fn::Join"][1]
        inside = in_the_network()
        self.assertTrue(inside)
        for id, one in inside.items():
            role = of_type("AWS::IAM::Role")[target_of(one["Role"])]
            self.assertTrue([arn for arn in branches(role["ManagedPolicyArns"]) if "AWSLambdaVPCAccess" in str(arn)], id)
            allowed = [one for one in statements(role["Policies"]) if one["Effect"] == "Allow"]
            self.assertTrue(allowed, id)
            for statement in allowed:
                self.assertLessEqual(set(branches(statement["Action"])), open_to, id)
                if "secretsmanager:GetSecretValue" in listed(statement["Action"]):
                    # With this cache there is no password of Redis, and its branch has no value.
                    own = [{"Ref": "AWS::NoValue"}, {"Ref": "RedisPasswordArn"}]
                    for arn in branches(statement["Resource"]):
                        self.assertIn(arn, [*secrets, *own], id)

    def test_the_readme_names_the_functions_in_the_network(self):
        text = (ROOT / "infra/README.md").read_text()
        section = text.partition("## The cache")[2].partition("\n## ")[0]
        (named,) = re.findall(r"moves (.*?)\s+into\s+its\s+network", section, re.DOTALL)
        inside = {folders()[id].split("/")[1] for id in in_the_network()}
        self.assertEqual(set(re.findall(r"`([\w-]+)`", named)), inside)
        (drawn,) = re.findall(r"^ *(.*) -\.->\|CacheEnabled\|", text, re.MULTILINE)
        self.assertEqual(set(drawn.split(" & ")), inside)


class Keeping(unittest.TestCase):
    def test_every_function_has_a_log_group_with_a_retention(self):
        groups = of_type("AWS::Logs::LogGroup")
        for id, group in groups.items():
            self.assertIn("RetentionInDays", group, id)
        used = []
        for id, function in of_type("AWS::Lambda::Function").items():
            self.assertEqual(function["LoggingConfig"]["LogFormat"], "JSON", id)
            used.append(function["LoggingConfig"]["LogGroup"]["Ref"])
            self.assertEqual(function["TracingConfig"], {"Mode": "Active"}, id)
        self.assertTrue(used)
        self.assertEqual(len(used), len(set(used)), "a log group is one function's")
        self.assertLessEqual(set(used), set(groups))

    def test_resources_that_cannot_be_recreated_are_retained(self):
        kinds = ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::SQS::Queue", "AWS::SES::EmailIdentity"]
        kinds += ["AWS::IAM::OIDCProvider", "AWS::S3::Bucket"]
        met, expended = set(), set()
        for file, template in TEMPLATES.items():
            for id, resource in template["Resources"].items():
                if resource["Type"] in kinds:
                    met.add(resource["Type"])
                    expended |= {(file, id)} & set(EXPENDABLE)
                if resource["Type"] in kinds and (file, id) not in EXPENDABLE:
                    self.assertIn(resource["DeletionPolicy"], ["Retain", "RetainExceptOnCreate"], id)
                    self.assertEqual(resource["UpdateReplacePolicy"], "Retain", id)
        self.assertEqual((met, expended), (set(kinds), set(EXPENDABLE)))
        table = of_type("AWS::DynamoDB::Table")["Table"]
        self.assertIs(table["DeletionProtectionEnabled"], True)
        self.assertIs(table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], True)

    def test_every_alarm_has_an_action(self):
        alarms = of_type("AWS::CloudWatch::Alarm", TEMPLATES["infra/monitoring.yaml"])
        self.assertTrue(alarms)
        for id, alarm in alarms.items():
            self.assertEqual(alarm["AlarmActions"], [{"Ref": "Topic"}], id)

    def test_the_dashboard_can_be_read(self):
        dashboards = of_type("AWS::CloudWatch::Dashboard", TEMPLATES["infra/monitoring.yaml"])
        self.assertTrue(dashboards)
        for dashboard in dashboards.values():
            body = re.sub(r"\$\{[A-Za-z:]+\}", "x", dashboard["DashboardBody"]["Fn::Sub"])
            self.assertTrue(json.loads(body)["widgets"])


class Workflows(unittest.TestCase):
    FILES = sorted((ROOT / ".github/workflows").glob("*.yml"))

    def test_every_action_is_pinned(self):
        used = [(file.name, action) for file in self.FILES for action in re.findall(r"uses: (\S+)", file.read_text())]
        others = [(file, action) for file, action in used if not action.startswith("./")]
        self.assertTrue(others)
        for file, action in others:
            self.assertRegex(action, r"@[0-9a-f]{40}$", file)

    def test_no_key_is_stored(self):
        self.assertTrue(self.FILES)
        for file in self.FILES:
            self.assertNotIn("secrets.", file.read_text(), file.name)


if __name__ == "__main__":
    unittest.main()
