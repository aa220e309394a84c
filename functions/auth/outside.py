"""Signing in with an outside provider, which this program is. It is an errand of auth.

browser.mjs does it with a browser and another provider.
"""

import base64
import hashlib
import json
import os
import re
import secrets
import threading
import time
import urllib.parse
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc import jwt
from joserfc.jwk import ECKey

from common import call
from functions.auth import users


class Provider(ThreadingHTTPServer):
    """A provider with OpenID Connect, whose users are signed in without being asked."""

    def __init__(self):
        self.issuer = os.environ["ERRAND_ISSUER"]
        # The same in each run: the function reads the keys again each hour, and unknown ones each 30 s.
        number = int.from_bytes(hashlib.sha256(os.environ["IDENTITY_SECRET"].encode()).digest()) >> 1
        private = ec.derive_private_key(number, ec.SECP256R1())
        self.key = ECKey.import_key(private, {"kid": "errand", "use": "sig"})
        self.codes: dict[str, tuple[dict, str]] = {}
        address = urllib.parse.urlsplit(self.issuer)
        super().__init__((address.hostname, address.port), Answers)

    def sign_in(self, url: str, email: str) -> str:
        """What a browser brings back from this URL, when the user with the address signs in."""
        asked = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
        assert url.startswith(f"{self.issuer}/authorize?") and asked["code_challenge_method"] == "S256", url
        code = secrets.token_urlsafe(16)
        self.codes[code] = (asked, email)
        back = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urllib.parse.urlencode(back)}"

    def tokens(self, form: dict, authorization: str) -> dict:
        """The tokens for a code."""
        ours = f"{os.environ['IDENTITY_CLIENT']}:{os.environ['IDENTITY_SECRET']}"
        assert authorization == f"Basic {base64.b64encode(ours.encode()).decode()}", authorization
        asked, email = self.codes.pop(form["code"])
        digest = hashlib.sha256(form["code_verifier"].encode()).digest()
        assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"], form
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": asked["client_id"], "sub": email, "nonce": asked["nonce"], "iat": now, "exp": now + 300}
        claims |= {"email": email, "email_verified": True}
        id_token = jwt.encode({"alg": "ES256", "kid": self.key.kid}, claims, self.key, algorithms=["ES256"])
        return {"access_token": "unused", "token_type": "Bearer", "id_token": id_token}


class Answers(BaseHTTPRequestHandler):
    """Answers the function."""

    server: Provider

    def do_GET(self):  # noqa: N802, the library calls it so
        """The configuration, or the keys."""
        at = lambda name: f"{self.server.issuer}/{name}"
        configuration = {"issuer": self.server.issuer, "authorization_endpoint": at("authorize")}
        configuration |= {"token_endpoint": at("token"), "jwks_uri": at("keys")}
        keys = {"keys": [self.server.key.as_dict(private=False)]}
        self.answer(keys if self.path == "/keys" else configuration)

    def do_POST(self):  # noqa: N802, the library calls it so
        """The tokens."""
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        self.answer(self.server.tokens(dict(urllib.parse.parse_qsl(body)), self.headers["authorization"]))

    def answer(self, body: dict) -> None:
        """Sends JSON."""
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        """Nothing is logged."""


@contextmanager
def provider():
    """A provider that runs meanwhile."""
    server = Provider()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


def signs_in(api: str, server: Provider, email: str, cookies: dict) -> str:
    """Signs in with the button of the page, with these cookies, which are kept. Returns the page."""
    answer = requests.post(f"{api}/auth/sign-in-with", {"provider": "errand"}, cookies=cookies, timeout=30)
    assert answer.status_code == 200, answer.text
    attempt = re.match(r"__Host-arsenal-attempt=([^;]+)", answer.headers["set-cookie"])[1]
    back = server.sign_in(answer.headers["refresh"].removeprefix("0; url="), email)
    answer = requests.get(back, cookies={**cookies, "__Host-arsenal-attempt": attempt}, timeout=30)
    assert answer.status_code == 200, answer.text
    if session := re.search(r"__Host-arsenal=([^;]+)", answer.headers["set-cookie"]):
        cookies["__Host-arsenal"] = session[1]
    return answer.text


def run(api: str) -> None:
    """Users register and sign in with the provider, and link it to an account by mail. One removes it again."""
    with provider() as server:
        new, cookies = f"outside-{secrets.token_hex(6)}@example.org", {}
        for _ in range(2):
            assert f"signed in as {new}" in signs_in(api, server, new, cookies)
        credentials, _ = users.register(api, "linked")
        email = credentials["email"]
        assert "Look at your mailbox" in signs_in(api, server, email, {})
        link = {"token": users.token(email, 2)}
        answer = requests.post(f"{api}/auth/link-identity", link, timeout=30)
        assert "It is done" in answer.text, answer.text
        assert f"signed in as {email}" in signs_in(api, server, email, {})
        token = users.sign_in(api, credentials)
        (identity,) = call("GET", f"{api}/v1/me/identities", token=token)["identities"]
        assert (identity["provider"], identity["subject"]) == ("errand", email), identity
        call("DELETE", f"{api}/v1/me/identities/{identity['id']}", token=token)
        assert not call("GET", f"{api}/v1/me/identities", token=token)["identities"]
