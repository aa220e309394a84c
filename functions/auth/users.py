"""Users for the scripts that call the API of a local stack: registered by the link in a mail, and signed in."""

import html
import json
import os
import re
import secrets
import time
import urllib.parse
import urllib.request

import requests

from common import call

PASSWORD = "correct horse battery"
# How long a mail may take.
MAIL_SECONDS = 30


def mails(email: str) -> list[dict]:
    """The mails that the local AWS has sent to an address, oldest first."""
    with urllib.request.urlopen(f"{os.environ['AWS_ENDPOINT_URL']}/_ministack/ses/messages", timeout=30) as answer:
        messages = json.load(answer)["messages"]
    return [mail for of_account in messages.values() for mail in of_account if email in mail["To"]]


def mail(email: str, number: int = 1) -> dict:
    """Waits for mail `number` to an address, counted from 1."""
    end = time.monotonic() + MAIL_SECONDS
    while len(found := mails(email)) < number:
        if time.monotonic() > end:
            raise SystemExit(f"There is no mail {number} to {email} after {MAIL_SECONDS} s.")
        time.sleep(0.05)
    return found[number - 1]


def token(email: str, number: int = 1) -> str:
    """The token of the link in mail `number` to an address."""
    return mail(email, number)["BodyText"].split("?token=")[1].split()[0]


def register(api: str, name: str) -> tuple[dict, str]:
    """Registers a user, with an address that begins with `name`. Returns the credentials and the id."""
    email = f"{name}-{secrets.token_hex(6)}@example.org"
    call("POST", f"{api}/v1/auth/register", {"email": email})
    user = call("POST", f"{api}/v1/auth/confirm", {"token": token(email), "password": PASSWORD})
    return {"email": email, "password": PASSWORD}, user["id"]


def sign_in(api: str, credentials: dict) -> str:
    """Signs in. Returns the access token."""
    return call("POST", f"{api}/v1/auth/login", credentials)["access_token"]


def new(api: str, name: str) -> str:
    """Registers a user and signs in. Returns the access token."""
    credentials, _ = register(api, name)
    return sign_in(api, credentials)


class Browser:
    """A browser without scripts: it fills in our forms, and keeps the cookie."""

    def __init__(self, credentials: dict):
        self.credentials = credentials
        self.cookie = ""

    def ask(self, url: str, form: dict | None = None) -> requests.Response:
        """Opens a page, or sends a form."""
        method, headers = "POST" if form else "GET", {"cookie": self.cookie}
        answer = requests.request(method, url, data=form, headers=headers, allow_redirects=False, timeout=30)
        self.cookie = answer.headers.get("set-cookie", self.cookie).split(";")[0]
        return answer

    def join(self, api: str, token: str) -> None:
        """Opens the link of an invitation, signs in, and joins."""
        form, credentials = {"token": token}, self.credentials
        assert "<h1>Join " in self.ask(f"{api}/auth/join?token={token}").text
        assert "<h1>Sign in</h1>" in self.ask(f"{api}/auth/join", form).text
        location = self.ask(f"{api}/auth/sign-in", form | credentials).headers["location"]
        assert location == f"join?token={token}", location
        answer = self.ask(f"{api}/auth/join", form)
        assert "You are a member" in answer.text, answer.text

    def allow(self, url: str, callback: str) -> str:
        """Opens a page of an application, signs in, allows it, and returns the URL to which the browser is sent at last."""
        answer = self.ask(url)
        for _ in range(6):
            if location := answer.headers.get("location"):
                url = urllib.parse.urljoin(answer.url, location)
                if url.startswith(callback):
                    return url
                answer = self.ask(url)
                continue
            form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
            form = {name: html.unescape(value) for name, value in form.items()}
            form |= self.credentials if "<h1>Sign in</h1>" in answer.text else {"decision": "allow"}
            action = re.search(r'<form method="post" action="([\w-]+)">', answer.text)[1]
            answer = self.ask(urllib.parse.urljoin(answer.url, action), form)
        raise SystemExit(f"no end at {answer.url}")
