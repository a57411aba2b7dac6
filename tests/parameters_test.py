"""Checks parameters and their defaults: every default is safe in production."""

import re
import unittest

from emulators.stack import Stack
from template_test import ROOT, STACK, TEMPLATES, of_type


class Addresses(unittest.TestCase):
    def test_with_a_domain_the_api_has_no_other_address(self):
        (server,) = of_type("AWS::ApiGatewayV2::Api")["HttpApi"]["Body"]["servers"]
        disabled = server["x-amazon-apigateway-endpoint-configuration"]["disableExecuteApiEndpoint"]
        self.assertEqual(disabled, {"Fn::If": ["WithDomain", True, False]})


class Parameters(unittest.TestCase):
    def takes(self, name, value):
        return re.search(STACK["Parameters"][name]["AllowedPattern"], value) is not None

    def test_half_a_configuration_is_refused_before_anything_is_created(self):
        refused = {said["AssertDescription"] for rule in STACK["Rules"].values() for said in rule["Assertions"]}
        self.assertEqual(refused, {
            "ApiDomain needs ApiCertificateArn",
            "ApiHostedZoneId needs ApiDomain",
            "IdentityProvider auth0 needs Auth0Domain",
            "IdentityProvider cognito needs CognitoEnabled",
            "IdentityProvider keycloak needs KeycloakHost",
            "OidcIssuer needs OidcClientId",
            "OperatorPool needs OperatorEmail",
            "OperatorPool needs the default of OidcScopes",
            "OperatorPool replaces OidcClientId",
            "OperatorPool replaces OidcClientSecretArn",
            "OperatorPool replaces OidcIssuer",
            "OperatorPool replaces OidcLogoutUrl",
        })

    def test_no_origin_is_allowed_by_default(self):
        self.assertEqual(STACK["Parameters"]["AllowedOrigins"]["Default"], "")

    def test_origins_have_the_form_that_browsers_send(self):
        for good in ["", "https://app.example.com", "http://localhost:4200,http://localhost:3000"]:
            self.assertTrue(self.takes("AllowedOrigins", good), good)
        for bad in ["https://a.example, https://b.example", " ", "*", "https://a.example/", "a.example", "https://a,"]:
            self.assertFalse(self.takes("AllowedOrigins", bad), bad)

    def test_the_network_is_private(self):
        for good in ["10.0", "10.42", "10.255", "172.16", "172.31", "192.168"]:
            self.assertTrue(self.takes("CacheNetwork", good), good)
        for bad in ["10.256", "10.999", "172.15", "172.32", "172.168", "192.0", "192.167", "10.01", "10", "11.1"]:
            self.assertFalse(self.takes("CacheNetwork", bad), bad)

    def test_parameters_that_cannot_be_changed_say_what_to_do_first(self):
        """The zones and addresses of a subnet replace it, and its addresses are taken until the old one is deleted."""
        cache = TEMPLATES["infra/cache.yaml"]
        fixed = {
            id for one in of_type("AWS::EC2::Subnet", cache).values() for id in cache["Parameters"]
            if re.search(rf"'Ref': '{id}'|\$\{{{id}\}}", str([one["AvailabilityZone"], one["CidrBlock"]]))
        }
        self.assertEqual(fixed, {"Network", "Zones"})
        section = (ROOT / "infra/README.md").read_text().partition("**Changing the network.**")[2].partition("\n\n")[0]
        for id in fixed:
            self.assertIn("Cannot be changed", cache["Parameters"][id]["Description"])
            outer = STACK["Resources"]["Cache"]["Properties"]["Parameters"][id]["Ref"]
            self.assertIn("CacheEnabled=false", STACK["Parameters"][outer]["Description"])
            self.assertIn(f"`{outer}`", section)

    def test_the_alarm_of_the_cache_exists_whenever_a_function_has_one(self):
        monitoring = TEMPLATES["infra/monitoring.yaml"]
        condition = monitoring["Conditions"][monitoring["Resources"]["CacheDown"]["Condition"]]
        passed = STACK["Resources"]["Monitoring"]["Properties"]["Parameters"]
        own = {"RedisUrl": "redis://cache.test"}
        for given, cached in [({}, False), ({"CacheEnabled": "true"}, True), (own, True), (own | {"CacheEnabled": "true"}, True)]:
            stack = Stack("", "", given)
            for id, one in of_type("AWS::Lambda::Function").items():
                variables = one.get("Environment", {}).get("Variables", {})
                if "REDIS_HOST" in variables:
                    has = stack.holds(variables["REDIS_HOST"]["Fn::If"][0]) or stack.value(variables["REDIS_URL"]) != ""
                    self.assertEqual(has, cached, (id, given))
            inner = {id: stack.value(passed[id]) for id in re.findall(r"'Ref': '(\w+)'", str(condition))}
            self.assertTrue(inner)
            self.assertEqual(Stack("", "", inner).value(condition), cached, given)

    def test_the_zones_are_a_choice(self):
        for good in ["", "eu-west-1a,eu-west-1b", "us-east-1-dfw-2a,us-east-1b"]:
            self.assertTrue(self.takes("CacheZones", good), good)
        for bad in ["eu-west-1a", "eu-west-1a, eu-west-1b", ","]:
            self.assertFalse(self.takes("CacheZones", bad), bad)
        for index, id in enumerate(["SubnetA", "SubnetB"]):
            zone = TEMPLATES["infra/cache.yaml"]["Resources"][id]["Properties"]["AvailabilityZone"]
            given = {"Fn::Select": [index, {"Fn::Split": [",", {"Ref": "Zones"}]}]}
            self.assertEqual(zone["Fn::If"][:2], ["GivenZones", given])


if __name__ == "__main__":
    unittest.main()
