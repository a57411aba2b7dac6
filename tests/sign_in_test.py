"""Checks how operators sign in on AWS: the user pool of OperatorPool, and how the function learns about it."""

import graphlib
import json
import re
import unittest

from emulators.stack import Stack
from template_test import STACK, TEMPLATES, of_type

POOL = TEMPLATES["infra/operators.yaml"]
VARIABLES = of_type("AWS::Lambda::Function")["OperatorsFunction"]["Environment"]["Variables"]

# Parameters that may differ from their defaults although a pool replaces the provider, each with the reason.
BESIDE_A_POOL = {
    "AppName": "it is the name on the button",
    "OidcName": "AppName is the name on the button",
    "OidcTrustEmail": "nobody registers, and a changed address is verified before it counts",
    "OperatorRoles": "it can grant roles of one's own to groups of the pool",
}


def with_pool(**given):
    """Returns the template with a pool and these parameters; creates nothing."""
    return Stack("", "", {"OperatorPool": "true", "OperatorEmail": "ada@example.com"} | given)


def refused(stack):
    """Returns what the rules say against a deployment with the parameters of a stack."""
    applied = [one for one in STACK["Rules"].values() if stack.value(one["RuleCondition"])]
    return {said["AssertDescription"] for one in applied for said in one["Assertions"] if not stack.value(said["Assert"])}


def referred(value):
    """Returns the logical IDs that a value refers to."""
    if isinstance(value, list):
        return {id for item in value for id in referred(item)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for name, given in value.items():
        if name == "Ref":
            found.add(given)
        elif name == "Fn::GetAtt":
            found.add(given[0] if isinstance(given, list) else given.split(".")[0])
        elif name == "Fn::Sub":
            text, rest = given if isinstance(given, list) else (given, {})
            found |= set(re.findall(r"\$\{([A-Za-z0-9]+)", text)) | referred(rest)
        elif name == "DependsOn":
            found |= set(given if isinstance(given, list) else [given])
        else:
            found |= referred(given)
    return found


class Deployment(unittest.TestCase):
    def test_no_resource_waits_for_itself(self):
        for file, template in TEMPLATES.items():
            resources = template["Resources"]
            graph = {id: referred(resource) & set(resources) for id, resource in resources.items()}
            graphlib.TopologicalSorter(graph).prepare()
        self.assertIn("Operators", referred(STACK["Resources"]["HttpApiApiGatewayDefaultStage"]))

    def test_the_stage_passes_the_pool_to_the_function(self):
        condition, pool, _ = of_type("AWS::ApiGatewayV2::Stage")["HttpApiApiGatewayDefaultStage"]["StageVariables"]["Fn::If"]
        self.assertEqual(condition, "WithPool")
        self.assertEqual({output: name for name, value in pool.items() for output in [value["Fn::GetAtt"][1]]}, {
            "Outputs.Issuer": "OIDC_ISSUER", "Outputs.Client": "OIDC_CLIENT_ID", "Outputs.LogoutUrl": "OIDC_LOGOUT_URL",
        })
        self.assertEqual(set(POOL["Outputs"]), {"Issuer", "Client", "LogoutUrl"})

    def test_the_function_has_no_value_of_its_own_for_a_variable_of_the_stage(self):
        """The function takes from the stage only the variables that it lacks."""
        self.assertEqual(refused(with_pool()), set())
        stage = of_type("AWS::ApiGatewayV2::Stage")["HttpApiApiGatewayDefaultStage"]["StageVariables"]["Fn::If"][1]
        self.assertTrue(stage)
        for name in stage:
            parameter = VARIABLES[name]["Ref"]
            self.assertEqual(with_pool().value(VARIABLES[name]), "", name)
            self.assertIn(f"OperatorPool replaces {parameter}", refused(with_pool(**{parameter: "left over"})))

    def test_what_is_left_of_another_provider_is_refused(self):
        provider = {name: value for name, value in VARIABLES.items() if name.startswith("OIDC_") or name == "OPERATOR_ROLES"}
        parameters = {id for value in provider.values() for id in referred(value) if id in STACK["Parameters"]}
        self.assertLessEqual({"OidcIssuer", "OidcScopes", "OperatorRoles"}, parameters)
        self.assertLessEqual(set(BESIDE_A_POOL), parameters, "a reason that nothing needs")
        for id in parameters - set(BESIDE_A_POOL):
            said = refused(with_pool(**{id: "left over"}))
            self.assertTrue([one for one in said if one.startswith("OperatorPool") and one.endswith(f" {id}")], id)


class Pool(unittest.TestCase):
    def test_every_group_grants_the_role_of_its_name(self):
        condition, grants, own = VARIABLES["OPERATOR_ROLES"]["Fn::If"]
        self.assertEqual((condition, own), ("PoolRoles", {"Ref": "OperatorRoles"}))
        groups = [group["GroupName"] for group in of_type("AWS::Cognito::UserPoolGroup", POOL).values()]
        self.assertEqual(sorted(groups), ["admin", "auditor", "billing", "catalog", "support", "viewer"])
        expected = [{"claim": "cognito:groups", "value": name, "role": name} for name in sorted(groups)]
        self.assertEqual(json.loads(grants), {"grants": expected})

    def test_nobody_registers_and_the_first_operator_is_an_admin(self):
        (pool,) = of_type("AWS::Cognito::UserPool", POOL).values()
        self.assertIs(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], True)
        message = pool["AdminCreateUserConfig"]["InviteMessageTemplate"]["EmailMessage"]["Fn::Sub"]
        for part in ["{username}", "{####}", "${Address}/console"]:
            self.assertIn(part, message)
        (user,) = of_type("AWS::Cognito::UserPoolUser", POOL).values()
        self.assertEqual(user["DesiredDeliveryMediums"], ["EMAIL"])
        (membership,) = of_type("AWS::Cognito::UserPoolUserToGroupAttachment", POOL).values()
        self.assertEqual(membership["GroupName"], {"Ref": "AdminGroup"})

    def test_the_client_takes_codes_at_our_callback_only(self):
        (client,) = of_type("AWS::Cognito::UserPoolClient", POOL).values()
        self.assertEqual(client["AllowedOAuthFlows"], ["code"])
        self.assertEqual(client["CallbackURLs"], [{"Fn::Sub": "${Address}/auth/callback"}])
        self.assertEqual(client["ExplicitAuthFlows"], ["ALLOW_REFRESH_TOKEN_AUTH"])

    def test_users_outlive_the_stack(self):
        pool = POOL["Resources"]["Pool"]
        self.assertEqual((pool["DeletionPolicy"], pool["UpdateReplacePolicy"]), ("RetainExceptOnCreate", "Retain"))


if __name__ == "__main__":
    unittest.main()
