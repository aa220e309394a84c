"""What infra/local/check_api.py sends to auth besides what Schemathesis makes up."""

import secrets

from common import call

# Rules that no schema can express, so a valid request may get these problems.
RULES = {"invalid-body": "a password that can be guessed is refused, which no schema can say"}
# The fields that the rule is about.
FIELDS = {"invalid-body": {"password", "new_password"}}
ENDS = "it ends the session with which the run signs in; functions/auth/tests/endpoints/sessions.rs tries it"
# What only a run without a token sends, with the reason.
UNTRIED = dict.fromkeys(("auth-logout", "auth-end-session", "auth-end-sessions", "auth-change-password"), ENDS)


def make(user) -> dict[str, list]:
    """New addresses, and the credentials of the user, so that registrations, sign-ins and refreshes succeed."""
    tokens = call("POST", f"{user.api}/v1/auth/login", user.credentials)
    return {
        "auth-register body.email": [f"sample-{secrets.token_hex(8)}@example.org" for _ in range(50)],
        "auth-register body.password": ["correct horse battery"],
        "auth-login body.email": [user.credentials["email"]],
        "auth-login body.password": [user.credentials["password"]],
        "auth-refresh body.refresh_token": [tokens["refresh_token"]],
    }
