"""A client of auth, with the package that openapi-python-client generates. infra/local/clients.py runs it."""

import secrets
import sys
from typing import TypeVar

import httpx
from arsenal_client import AuthenticatedClient, Client
from arsenal_client.api.auth import auth_confirm, auth_login, auth_register
from arsenal_client.models import (
    Address,
    ChosenPassword,
    Credentials,
    InvalidCredentialsProblem,
    MailRequested,
    Role,
    TokenResponse,
    User,
)
from functions.auth import users

PASSWORD = "correct horse battery"
# The version of the API for which these programs are written.
VERSION = {"Arsenal-Version": "2026-12-01"}
# An answer to `Prefer: wait=20` takes longer than the client waits by default.
TIMEOUT = httpx.Timeout(30)
T = TypeVar("T")


def check(is_right: bool, what: object) -> None:
    """Ends the program if something is not as it should be."""
    if not is_right:
        sys.exit(f"The client in Python: {what}")


def is_a(kind: type[T], answer: object) -> T:
    """The answer, which must be of this type."""
    check(isinstance(answer, kind), f"{answer!r} is no {kind.__name__}")
    return answer


def with_token(url: str, token: str) -> AuthenticatedClient:
    """A client with this access token."""
    return AuthenticatedClient(url, token, timeout=TIMEOUT, headers=VERSION)


def signed_in(url: str) -> AuthenticatedClient:
    """A client of a new user."""
    client, email = Client(url, timeout=TIMEOUT, headers=VERSION), f"client-{secrets.token_hex(4)}@example.org"
    is_a(MailRequested, auth_register.sync(client=client, body=Address(email)))
    chosen = ChosenPassword(users.token(email), PASSWORD)
    user = is_a(User, auth_confirm.sync(client=client, body=chosen))
    check(user.roles == [Role.MEMBER], user)
    token = is_a(TokenResponse, auth_login.sync(client=client, body=Credentials(email, PASSWORD)))
    return with_token(url, token.access_token)


def run(url: str, _admin_token: str) -> None:
    """Registers and signs in, and tries a wrong password."""
    signed_in(url)
    wrong = Credentials("nobody@example.org", "a wrong password")
    client = Client(url, timeout=TIMEOUT, headers=VERSION)
    problem = is_a(InvalidCredentialsProblem, auth_login.sync(client=client, body=wrong))
    check(problem.type_ == "/docs/problems/invalid-credentials", problem)
