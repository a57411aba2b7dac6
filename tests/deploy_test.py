"""Checks a first deployment: trusted identities, permissions that AWS documents, and the rest of a failure."""

import json
import re
import unittest

from template_test import ROOT, STACK, TEMPLATES, branches, listed, of_type, read, statements

GITHUB = TEMPLATES["infra/github.yaml"]
SUBJECT = "token.actions.githubusercontent.com:sub"
CHOSEN = {
    "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::Region": "eu-west-1",
    "Repository": "acme/tenantry", "OwnerId": "123", "RepositoryId": "456", "Environment": "prod",
}

def resolved(value, chosen):
    """Returns `value` with its references and text functions replaced by the values of `chosen`."""
    if isinstance(value, list):
        return [resolved(item, chosen) for item in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"}:
        return chosen[value["Ref"]]
    if set(value) == {"Fn::Sub"}:
        pattern, named = value["Fn::Sub"] if isinstance(value["Fn::Sub"], list) else (value["Fn::Sub"], {})
        known = chosen | resolved(named, chosen)
        return re.sub(r"\$\{([^}]+)\}", lambda match: known.get(match[1], match[0]), pattern)
    if set(value) == {"Fn::Split"}:
        separator, whole = value["Fn::Split"]
        return resolved(whole, chosen).split(separator)
    if set(value) == {"Fn::Select"}:
        index, items = value["Fn::Select"]
        return resolved(items, chosen)[int(index)]
    return {name: resolved(member, chosen) for name, member in value.items()}


class GitHub(unittest.TestCase):
    def trusted(self):
        (trust,) = GITHUB["Resources"]["DeployRole"]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        self.assertEqual(set(trust["Condition"]), {"StringEquals"}, "a pattern may match the repository of another owner")
        return listed(resolved(trust["Condition"]["StringEquals"][SUBJECT], CHOSEN))

    def test_the_role_trusts_both_forms_of_the_subject(self):
        # Source: https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        immutable = "repo:acme@123/tenantry@456:environment:prod"
        self.assertEqual(sorted(self.trusted()), sorted([immutable, "repo:acme/tenantry:environment:prod"]))

    def test_the_ids_are_numbers_without_a_default(self):
        for name in ["OwnerId", "RepositoryId"]:
            parameter = GITHUB["Parameters"][name]
            self.assertNotIn("Default", parameter)
            self.assertIsNone(re.search(parameter["AllowedPattern"], "*"))
            self.assertIsNone(re.search(parameter["AllowedPattern"], ""))


class Mails(unittest.TestCase):
    def sending(self):
        role = of_type("AWS::IAM::Role")["MailerFunctionRole"]
        return [one for one in statements(role) if "ses:SendEmail" in listed(one["Action"])]

    def test_any_identity_may_be_checked_but_only_our_sender_may_send(self):
        # In the sandbox SES checks the recipient's identity too: https://github.com/aws/aws-sdk-js/issues/3641
        (identities,) = [one for one in self.sending() if ":identity/" in str(one["Resource"])]
        self.assertRegex(str(identities["Resource"]), r":identity/\*'")
        self.assertEqual(identities["Condition"], {"StringEquals": {"ses:FromAddress": {"Ref": "FromEmail"}}})

    def test_templates_and_configuration_sets_have_no_condition_on_the_sender(self):
        others = [one for one in self.sending() if ":identity/" not in str(one["Resource"])]
        self.assertTrue(others)
        for kind in ["template", "configuration-set"]:
            self.assertIn(f":{kind}/", str(others))
        for one in others:
            self.assertNotIn("Condition", one)

    def test_every_template_that_can_be_set_may_be_used(self):
        templates = {name for name in STACK["Parameters"] if name.endswith("Template")}
        self.assertIn("WelcomeTemplate", templates)
        for action in ["ses:SendEmail", "ses:SendTemplatedEmail"]:
            allowed = [one["Resource"] for one in self.sending() if action in listed(one["Action"])]
            self.assertEqual(set(re.findall(r":template/\$\{(\w+)\}", str(allowed))), templates, action)
        variables = of_type("AWS::Lambda::Function")["MailerFunction"]["Environment"]["Variables"]
        set_by = {name: value["Ref"] for name, value in variables.items() if name.endswith("_TEMPLATE")}
        self.assertEqual(set(set_by.values()), templates)


# Resources that a rollback of a first deployment keeps, each with the reason.
LEFT_BY_A_ROLLBACK = {("template.yaml", "Table"): "its deletion protection would fail the rollback; its name is generated"}


class Retries(unittest.TestCase):
    """A failed first deployment leaves nothing that blocks the second."""

    def test_a_rollback_removes_what_it_created(self):
        kept = {
            (file, id)
            for file, template in TEMPLATES.items()
            for id, resource in template["Resources"].items()
            if resource.get("DeletionPolicy") == "Retain"
        }
        self.assertEqual(kept, set(LEFT_BY_A_ROLLBACK))

    def test_retained_resources_have_no_name_that_a_second_stack_needs(self):
        checked = set()
        for file, template in TEMPLATES.items():
            for id, resource in template["Resources"].items():
                if resource.get("DeletionPolicy", "Delete") != "Delete":
                    for name in ["BucketName", "Name", "QueueName", "TableName"]:
                        self.assertNotIn(name, resource["Properties"], f"{file}: {id}")
                    checked.add(id)
        self.assertLessEqual({"Table", "JwtSecret", "EventFailures"}, checked)


# The actions of the managed policies that SAM attaches, as far as Lambda uses them for our functions.
# Source: https://docs.aws.amazon.com/aws-managed-policy/latest/reference/policy-list.html
MANAGED = {
    "AWSLambdaBasicExecutionRole": {"logs:CreateLogStream", "logs:PutLogEvents"},
    "AWSLambdaVPCAccessExecutionRole": {
        "ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces", "ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
    },
    "AWSXrayWriteOnlyAccess": {"xray:PutTelemetryRecords", "xray:PutTraceSegments"},
}


def actions(value, effect="Allow"):
    return {action for one in statements(value) if one["Effect"] == effect for action in listed(one["Action"])}


class Boundary(unittest.TestCase):
    """A template that GitHub deploys cannot create an administrator."""

    def granting(self):
        """Returns the statements that let CloudFormation add permissions to a role."""
        adding = {"iam:AttachRolePolicy", "iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"}
        stack = GITHUB["Resources"]["StackRole"]
        return [one for one in statements(stack) if one["Effect"] == "Allow" and adding & set(listed(one["Action"]))]

    def test_a_role_gets_permissions_only_under_the_boundary(self):
        self.assertTrue(self.granting())
        for one in self.granting():
            condition = {"StringEquals": {"iam:PermissionsBoundary": {"Ref": "Boundary"}}}
            self.assertEqual(one["Condition"], condition, one["Action"])

    def test_the_boundary_cannot_be_removed_or_changed(self):
        granted = actions(GITHUB["Resources"]["StackRole"])
        self.assertTrue(granted)
        for action in granted:
            self.assertNotIn("PolicyVersion", action)
            self.assertNotIn("RolePermissionsBoundary", action.replace("PutRolePermissionsBoundary", ""))

    def test_the_boundary_allows_no_role_to_assume_another(self):
        limits = {action for action in actions(GITHUB["Resources"]["Boundary"]) if action.split(":")[0] in ("iam", "sts")}
        self.assertEqual(limits, {"iam:CreateServiceLinkedRole"})

    def test_the_boundary_allows_everything_that_the_roles_grant(self):
        granted = {action for id, one in STACK["Resources"].items() if id != "Bounds" for action in self.of(one)}
        self.assertLessEqual(granted, actions(GITHUB["Resources"]["Boundary"]))

    def of(self, resource):
        if resource["Type"] not in ("AWS::IAM::Role", "AWS::IAM::Policy"):
            return set()
        given = resource["Properties"]
        managed = {arn.rsplit("/", 1)[-1] for arn in branches(given.get("ManagedPolicyArns", [])) if isinstance(arn, str)}
        policies = [given.get("Policies", []), given.get("PolicyDocument", [])]
        return actions(policies).union(*(MANAGED[name] for name in managed))

    def test_the_boundary_is_short_enough(self):
        # Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        longest = CHOSEN | {"Environment": "staging", "AWS::Region": "ap-southeast-1", "AWS::Partition": "aws-us-gov"}
        document = resolved(GITHUB["Resources"]["Boundary"]["Properties"]["PolicyDocument"], longest)
        self.assertLessEqual(len(json.dumps(document, separators=(",", ":"))), 6144)

    def test_every_role_of_the_stack_has_the_boundary(self):
        roles = of_type("AWS::IAM::Role")
        self.assertTrue(roles)
        for id, role in roles.items():
            taken = {"Fn::If": ["Bounded", {"Ref": "PermissionsBoundary"}, {"Ref": "AWS::NoValue"}]}
            self.assertEqual(role.get("PermissionsBoundary"), taken, id)

    def test_roles_are_passed_only_to_services_that_a_deployment_needs(self):
        passing = [one for one in statements(GITHUB) if one["Effect"] == "Allow" and "iam:PassRole" in listed(one["Action"])]
        self.assertTrue(passing)
        for one in passing:
            self.assertIn("iam:PassedToService", one["Condition"]["StringEquals"])

    def test_the_workflow_can_read_why_a_change_set_was_refused(self):
        self.assertIn("cloudformation:DescribeEvents", actions(GITHUB["Resources"]["DeployRole"]))


# The minimum that AWS documents, by the role or policy that needs it and the bucket that it is for.
PIPELINES = "infra/pipelines/template.yaml"
DOCUMENTED = {
    # https://docs.aws.amazon.com/codepipeline/latest/userguide/how-to-custom-role.html, and re:Post "Access Denied
    # errors in CodePipeline"
    "PipelineRole": {
        "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetBucketVersioning", "s3:GetObject", "s3:GetObjectVersion",
        "s3:PutObject", "s3:PutObjectAcl", "s3:PutObjectTagging", "s3:GetObjectTagging", "s3:GetObjectVersionTagging",
        "codebuild:BatchGetBuilds", "codebuild:StartBuild", "codeconnections:UseConnection",
    },
    # https://docs.aws.amazon.com/codebuild/latest/userguide/setting-up-service-role.html, without write access:
    # the build has no artifacts
    "BuildRole": {
        "s3:GetBucketAcl", "s3:GetBucketLocation", "s3:GetObject", "s3:GetObjectVersion",
        "logs:CreateLogStream", "logs:PutLogEvents",
    },
    # The permissions of the handlers in the schema of AWS::S3::Bucket, for the properties that silo.yaml sets
    "SiloPolicy": {
        "s3:CreateBucket", "s3:DeleteBucket", "s3:ListBucket", "s3:PutBucketPublicAccessBlock", "s3:PutBucketTagging",
        "s3:TagResource", "s3:GetAccelerateConfiguration", "s3:GetAnalyticsConfiguration", "s3:GetBucketAcl",
        "s3:GetBucketCORS", "s3:GetBucketLogging", "s3:GetBucketNotification", "s3:GetBucketObjectLockConfiguration",
        "s3:GetBucketOwnershipControls", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging",
        "s3:GetBucketVersioning", "s3:GetBucketWebsite", "s3:GetEncryptionConfiguration",
        "s3:GetIntelligentTieringConfiguration", "s3:GetInventoryConfiguration", "s3:GetLifecycleConfiguration",
        "s3:GetMetricsConfiguration", "s3:GetReplicationConfiguration",
    },
}


class Documented(unittest.TestCase):
    """Roles have the minimum that AWS documents."""

    def test_the_pipelines_roles(self):
        for id, least in DOCUMENTED.items():
            self.assertLessEqual(least, actions(TEMPLATES[PIPELINES]["Resources"][id]), id)

    def test_a_silo_sets_no_property_whose_permission_is_not_listed(self):
        properties = set(TEMPLATES["infra/pipelines/silo.yaml"]["Resources"]["Files"]["Properties"])
        self.assertEqual(properties, {"BucketName", "PublicAccessBlockConfiguration"}, "see DOCUMENTED: SiloPolicy")

    def test_a_secret_under_a_customer_key_can_be_read(self):
        """Each role that reads a secret of the operator may decrypt it with its key, for that secret only."""
        parameters = {name for name in STACK["Parameters"] if name.endswith(("SecretArn", "PasswordArn"))}
        self.assertIn("RedisPasswordArn", parameters)
        opened = {}
        for policy in of_type("AWS::IAM::Policy").values():
            for one in statements(policy):
                if listed(one["Action"]) == ["kms:Decrypt"]:
                    condition = one["Condition"]["StringEquals"]
                    self.assertIn("secretsmanager.", str(condition["kms:ViaService"]))
                    for arn in branches(condition["kms:EncryptionContext:SecretARN"]):
                        opened.setdefault(arn["Ref"], set()).update(role["Ref"] for role in policy["Roles"])
        policies, checked = list(of_type("AWS::IAM::Policy").values()), set()
        for id, role in of_type("AWS::IAM::Role").items():
            given = [role, *(policy for policy in policies if {"Ref": id} in policy["Roles"])]
            for one in statements(given):
                for resource in branches(one.get("Resource", [])):
                    if isinstance(resource, dict) and resource.get("Ref") in parameters:
                        self.assertIn(id, opened.get(resource["Ref"], set()), resource)
                        checked.add(resource["Ref"])
        self.assertEqual(checked, parameters, "a secret that no role reads")


class Functions(unittest.TestCase):
    def test_a_stream_under_a_customer_key_can_be_read_as_soon_as_its_role_exists(self):
        # A separate policy is created after the role, and an event source does not wait for it.
        for id in ["RelayRole", "UpkeepRole"]:
            keyed = [one for one in statements(of_type("AWS::IAM::Role")[id]) if "kms:Decrypt" in listed(one["Action"])]
            self.assertEqual([one["Resource"] for one in keyed], [{"Ref": "TableKeyArn"}], id)

    def test_no_function_creates_a_log_group(self):
        # A late log line of a deleted function would create a group with the name that the next stack needs.
        denied = [one for one in statements(of_type("AWS::IAM::Policy")["Bounds"]) if one["Effect"] == "Deny"]
        everywhere = [one for one in denied if one.get("Resource") == "*" and "Condition" not in one]
        self.assertIn("logs:CreateLogGroup", {action for one in everywhere for action in listed(one["Action"])})
        for id in ["RelayRole", "UpkeepRole", "ReconcilerFunctionEveryMinuteRole"]:
            self.assertNotIn("logs:CreateLogGroup", actions(of_type("AWS::IAM::Role")[id]), id)

    def test_functions_behind_the_api_end_before_its_timeout(self):
        """An HTTP API waits 30 s, including a cold start."""
        called = {
            id for id, one in read("template.yaml")["Resources"].items()
            if any(event["Type"] == "HttpApi" for event in one.get("Properties", {}).get("Events", {}).values())
        }
        self.assertIn("IdpFunction", called)
        for id in called:
            self.assertLessEqual(of_type("AWS::Lambda::Function")[id]["Timeout"], 28, id)

    def test_only_pools_of_ours_are_changed(self):
        policies = list(of_type("AWS::IAM::Policy").values())
        checked = {}
        for id, role in of_type("AWS::IAM::Role").items():
            given = [role, *(policy for policy in policies if {"Ref": id} in policy["Roles"])]
            for one in statements(given):
                for action in branches(one["Action"]) if one["Effect"] == "Allow" else []:
                    if action.startswith("cognito-idp:") and action.split(":")[1] not in ("ListUserPools", "DescribeUserPool"):
                        kind = "RequestTag" if action.endswith((":CreateUserPool", ":TagResource")) else "ResourceTag"
                        self.assertEqual(one["Condition"]["Null"], {f"aws:{kind}/tenantry": "false"}, (id, action))
                        checked.setdefault(id, set()).add(action)
        self.assertEqual(set(checked), {"IdpFunctionRole", "IdentityFunctionRole"})
        for id, found in checked.items():
            self.assertLessEqual({"cognito-idp:AdminCreateUser", "cognito-idp:CreateUserPool"}, found, id)

    def test_the_tag_is_the_one_that_the_function_sets(self):
        source = (ROOT / "functions/idp/src/space.rs").read_text()
        self.assertIn('const MARK: &str = "tenantry";', source)


if __name__ == "__main__":
    unittest.main()
