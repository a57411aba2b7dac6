"""What a first deployment meets at AWS and GitHub: trust, documented permissions, retries, commands to type."""

import re
import unittest

from template_test import ROOT, STACK, TEMPLATES, listed, of_type, statements

GITHUB = TEMPLATES["infra/github.yaml"]
SUBJECT = "token.actions.githubusercontent.com:sub"
CHOSEN = {
    "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::Region": "eu-west-1",
    "Repository": "acme/tenantry", "OwnerId": "123", "RepositoryId": "456", "Environment": "prod",
}


def resolved(value, chosen):
    """`value` with its references and text functions replaced by what `chosen` has for them."""
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
        self.assertEqual(set(trust["Condition"]), {"StringEquals"}, "a pattern may match somebody else's repository")
        return listed(resolved(trust["Condition"]["StringEquals"][SUBJECT], CHOSEN))

    def test_the_role_trusts_both_forms_of_the_subject(self):
        # Source: https://github.blog/changelog/2026-04-23-immutable-subject-claims-for-github-actions-oidc-tokens/
        immutable = "repo:acme@123/tenantry@456:environment:prod"
        self.assertEqual(sorted(self.trusted()), sorted([immutable, "repo:acme/tenantry:environment:prod"]))

    def test_the_ids_are_numbers_that_somebody_has_to_give(self):
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


if __name__ == "__main__":
    unittest.main()
