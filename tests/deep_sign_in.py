"""How `tests/smoke --deep` signs in at a deployment's user pool: as a browser does, with its pages and cookies."""

import html.parser
import http.cookiejar
import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
import uuid

from deployed import Unknown, aws


class Forms(html.parser.HTMLParser):
    """The forms of a page: where each is sent to, and its fields with their values."""

    def __init__(self, page):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "form":
            self.found.append((given.get("action") or "", {}))
        elif tag == "input" and self.found and given.get("name"):
            self.found[-1][1][given["name"]] = given.get("value") or ""


class Browser:
    """Follows redirects and keeps cookies."""

    def __init__(self):
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies)

    def visit(self, url, data=None, headers=None):
        """Returns the address that a request leads to, and its text."""
        request = urllib.request.Request(url, data, {"user-agent": "tenantry-smoke"} | (headers or {}))
        try:
            with self.opener.open(request, timeout=30) as answer:
                return answer.url, answer.read().decode(errors="replace")
        except urllib.error.HTTPError as refusal:
            where = refusal.url.split("?")[0]
            raise Unknown(f"{where} is {refusal.code}: {refusal.read()[:200].decode(errors='replace')}") from None
        except OSError as fault:
            raise Unknown(f"{url.split('?')[0]}: {fault!r}") from None

    def submit(self, url, page, values):
        """Fills in the first form that has these fields, and submits it."""
        forms = [(action, fields) for action, fields in Forms(page).found if set(values) <= set(fields)]
        if not forms:
            raise Unknown(f"{url.split('?')[0]} has no form with {', '.join(values)}")
        action, fields = forms[0]
        return self.visit(urllib.parse.urljoin(url, action), urllib.parse.urlencode(fields | values).encode())


def sign_in(stack):
    """7. Whether an operator of the user pool signs in, and has the role of the group."""
    if stack.values.get("OperatorPool") != "true":
        raise Unknown("the stack has no user pool (OperatorPool)")
    pool = user_pool(stack)
    name, password = f"smoke-{uuid.uuid4().hex[:12]}@simulator.amazonses.com", f"Aa1!{secrets.token_urlsafe(24)}"
    user = ["--user-pool-id", pool, "--username", name]
    attributes = ["--user-attributes", f"Name=email,Value={name}", "Name=email_verified,Value=true"]
    aws("cognito-idp", "admin-create-user", *user, "--message-action", "SUPPRESS", *attributes)
    try:
        aws("cognito-idp", "admin-set-user-password", *user, "--password", password, "--permanent")
        aws("cognito-idp", "admin-add-user-to-group", *user, "--group-name", "viewer")
        browser = Browser()
        where, page = browser.visit(stack.base_url + "/auth/sign-in?return=%2Fconsole")
        yield "the sign-in leads to", urllib.parse.urlsplit(where).hostname
        where, _ = browser.submit(where, page, {"username": name, "password": password})
        yield "the password leads to", urllib.parse.urlsplit(where).path
        ours = {"origin": stack.base_url, "content-type": "application/json"}
        _, issued = browser.visit(stack.base_url + "/auth/token", b"", ours)
        yield "the operator's roles are", ", ".join(json.loads(issued)["operator"]["roles"]) or "none"
        browser.visit(stack.base_url + "/auth/sign-out", b"", ours)
        yield "the operator signs out", "yes"
    finally:
        aws("cognito-idp", "admin-delete-user", *user)


def user_pool(stack):
    """Returns the ID of the stack's user pool, which is the last part of its issuer."""
    nested = aws("cloudformation", "describe-stack-resource", "--stack-name", stack.name, "--logical-resource-id", "Operators")
    (found,) = aws("cloudformation", "describe-stacks", "--stack-name", nested["StackResourceDetail"]["PhysicalResourceId"])["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    return outputs["Issuer"].rsplit("/", 1)[1]
