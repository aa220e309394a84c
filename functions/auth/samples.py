"""What infra/local/check_api.py sends to auth besides what Schemathesis makes up."""

# Rules that no schema can express, so a valid request may get these problems.
RULES: dict[str, str] = {}


def make(user) -> dict[str, list]:
    """The credentials of the user, so that some sign-ins succeed."""
    return {
        "auth-login body.email": [user.credentials["email"]],
        "auth-login body.password": [user.credentials["password"]],
    }
