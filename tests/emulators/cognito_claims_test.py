"""Compares tests/claims/cognito.json with the tokens of a user pool in moto."""

import base64
import contextlib
import json
import pathlib
import unittest

from emulators.servers import moto
from emulators.stack import client

DOCUMENTED = json.loads((pathlib.Path(__file__).parent.parent / "claims/cognito.json").read_text())

# Claims that Cognito documents and moto does not send.
NOT_IN_MOTO = {"id": {"event_id"}, "access": {"event_id"}}


def decoded(token):
    """Returns the claims of a token."""
    part = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


class Claims(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with contextlib.ExitStack() as open:
            cognito = client(open.enter_context(moto()), "cognito-idp")
            pool = cognito.create_user_pool(
                PoolName="operators", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
            )["UserPool"]["Id"]
            flows = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
            app = cognito.create_user_pool_client(
                UserPoolId=pool, ClientName="console", ExplicitAuthFlows=flows,
                ReadAttributes=["email", "email_verified"],
            )["UserPoolClient"]["ClientId"]
            verified = [{"Name": "email", "Value": "ada@acme.test"}, {"Name": "email_verified", "Value": "true"}]
            cognito.admin_create_user(UserPoolId=pool, Username="ada@acme.test", UserAttributes=verified)
            password = {"UserPoolId": pool, "Username": "ada@acme.test", "Password": "Correct-horse-1"}
            cognito.admin_set_user_password(**password, Permanent=True)
            for group in ["admin", "viewer"]:
                cognito.create_group(UserPoolId=pool, GroupName=group)
                cognito.admin_add_user_to_group(UserPoolId=pool, Username="ada@acme.test", GroupName=group)
            signed_in = cognito.admin_initiate_auth(
                UserPoolId=pool, ClientId=app, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                AuthParameters={"USERNAME": "ada@acme.test", "PASSWORD": "Correct-horse-1"},
            )["AuthenticationResult"]
            cls.issuer = f"https://cognito-idp.eu-west-1.amazonaws.com/{pool}"
            cls.tokens = {"id": decoded(signed_in["IdToken"]), "access": decoded(signed_in["AccessToken"])}

    def test_tokens_have_the_documented_claims_of_the_documented_types(self):
        for kind, claims in self.tokens.items():
            documented = DOCUMENTED[kind]
            self.assertEqual(set(claims), set(documented) - NOT_IN_MOTO[kind], kind)
            # moto sends a boolean attribute as a text, as Cognito does for federated users. Both count.
            types = {name: type(value) for name, value in documented.items() if name in claims}
            types |= {"email_verified": str} if isinstance(claims.get("email_verified"), str) else {}
            self.assertEqual({name: type(value) for name, value in claims.items()}, types, kind)

    def test_the_values_that_are_looked_at_are_where_they_are_documented(self):
        claims = self.tokens["id"]
        self.assertEqual(set(claims["cognito:groups"]), {"admin", "viewer"})
        self.assertEqual((claims["iss"], claims["token_use"]), (self.issuer, "id"))
        self.assertEqual(claims["email"], "ada@acme.test")
        access = self.tokens["access"]
        self.assertEqual((access["iss"], access["token_use"]), (self.issuer, "access"))
        self.assertNotIn("aud", access)


if __name__ == "__main__":
    unittest.main()
