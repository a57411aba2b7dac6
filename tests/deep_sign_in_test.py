"""Tests how `tests/smoke --deep` signs in, with a deployment and a login page that behave like those of Cognito."""

import http.server
import threading
import unittest
import urllib.parse
from unittest import mock

import deep_sign_in
from deployed import Stack, Unknown

# Cognito's page has one form for phones, and one for the rest.
LOGIN = """<form action="/signup"><input name="email"></form>
<form action="/login?client_id=1"><input type="hidden" name="_csrf" value="{csrf}"><input name="username"><input name="password"></form>"""
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_abc"


class Deployment(http.server.BaseHTTPRequestHandler):
    """Our routes and those of the login page, on one host."""

    password = None

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        if path == "/auth/sign-in":
            self.reply(303, location="/login?client_id=1")
        elif path == "/login":
            self.reply(200, LOGIN.format(csrf="c5"), cookie="csrf=c5")
        elif path == "/auth/callback":
            self.reply(303, location="/console", cookie="session=s1")
        else:
            self.reply(200)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        given, cookies = dict(urllib.parse.parse_qsl(body)), self.headers.get("cookie") or ""
        if self.path.startswith("/login"):
            good = given.get("_csrf") == "c5" and "csrf=c5" in cookies and given["password"] == Deployment.password
            self.reply(302, location="/auth/callback?code=1") if good else self.reply(400, "wrong password")
        elif "session=s1" not in cookies or self.headers.get("origin") is None:
            self.reply(401)
        else:
            self.reply(200, '{"operator":{"roles":["viewer"]}}')

    def reply(self, status, text="", location=None, cookie=None):
        self.send_response(status)
        if location:
            self.send_header("location", location)
        if cookie:
            self.send_header("set-cookie", cookie)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


class SignIn(unittest.TestCase):
    def setUp(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Deployment)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.stack = Stack(None, f"http://127.0.0.1:{server.server_port}")
        self.stack.name, self.stack.values = "tenantry-dev", {"OperatorPool": "true"}
        self.calls, self.sets_passwords = [], True

    def aws(self, *words, **_):
        self.calls.append(words[1])
        if words[1] == "admin-set-user-password" and self.sets_passwords:
            Deployment.password = words[words.index("--password") + 1]
        return {
            "describe-stack-resource": {"StackResourceDetail": {"PhysicalResourceId": "nested"}},
            "describe-stacks": {"Stacks": [{"Outputs": [{"OutputKey": "Issuer", "OutputValue": ISSUER}]}]},
        }.get(words[1])

    def rows(self):
        with mock.patch.object(deep_sign_in, "aws", self.aws):
            return list(deep_sign_in.sign_in(self.stack))

    def test_a_user_of_the_pool_signs_in_and_is_deleted(self):
        self.assertEqual([answer for _, answer in self.rows()], ["127.0.0.1", "/console", "viewer", "yes"])
        self.assertEqual(self.calls[2:], ["admin-create-user", "admin-set-user-password", "admin-add-user-to-group", "admin-delete-user"])

    def test_a_refused_password_is_reported_without_it_and_the_user_is_deleted(self):
        self.sets_passwords = False
        with mock.patch.object(deep_sign_in.secrets, "token_urlsafe", lambda _: "marker"), self.assertRaises(Unknown) as refused:
            self.rows()
        self.assertRegex(str(refused.exception), "/login is 400: wrong password")
        self.assertNotIn("marker", str(refused.exception))
        self.assertEqual(self.calls[-1], "admin-delete-user")

    def test_without_a_pool_the_question_is_unknown(self):
        self.stack.values = {"OperatorPool": "false"}
        with self.assertRaises(Unknown):
            self.rows()
        self.assertEqual(self.calls, [])


if __name__ == "__main__":
    unittest.main()
