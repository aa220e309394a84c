"""What infra/local/check_api.py sends to auth besides what Schemathesis makes up."""

import secrets

from common import call
from functions.auth import errands, users

# Rules that no schema can express, so a valid request may get these problems.
RULES = {
    "invalid-link": "a link is good once",
    "wrong-code": "a code is good once",
    "email-taken": "two links may be for one address",
    "invalid-body": "a password that can be guessed is refused, an address that gets no mail, a name of spaces, and a scope that "
    "the user lacks, which no schema can say",
    "tenant-needs-owner": "a tenant has an owner",
    **dict.fromkeys(("too-many-tenants", "already-member"), "a user is in 20 tenants at most, and once in each"),
    "other-address": "an invitation is for one address",
    "too-many-requests": "a tenant sends 50 invitations a day",
    "too-many-api-keys": "a user has 20 keys at most",
    "too-many-secrets": "4 old secrets of a key, and 4 secrets of an application, are good at most",
    # Errors of OAuth.
    **dict.fromkeys(("invalid_request", "unsupported_grant_type"), "a form has no name twice, and what it must have depends on others"),
    **dict.fromkeys(("invalid_client", "unauthorized_client"), "an application has its own secrets and ways"),
    **dict.fromkeys(("invalid_grant", "unsupported_token_type"), "a code and a token are good once, or not at all"),
    "invalid_scope": "an application may ask for some scopes only",
}
# Not each text of these characters is in base 64, which no pattern of a readable length says.
OCTETS = {
    "credential.id",
    *(f"credential.response.{name}" for name in ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle")),
}
# The fields that a rule is about, if its type of problem is also used for others.
FIELDS = {"invalid-body": {"email", "password", "new_password", "name", "scopes", "grants", "redirect_uris", *OCTETS}}
# How many links a run can use.
LINKS = 8
ENDS = "it ends the session with which the run signs in; functions/auth/tests/endpoints/sessions.rs tries it"
LOCKS = "a wrong password or code makes the user wait with whom the run signs in; functions/auth/tests/endpoints/factor_setup.rs tries it"
FORMS = "Schemathesis takes no samples for forms; functions/auth/oauth.py and oauth.ts try it"
SWITCHES = "the tokens with which the run signs in would be refused; functions/auth/tenants.py tries it"
DEVICE = "it needs a signature of an authenticator; functions/auth/tests/endpoints/passkeys and browser.mjs make some"
# What only a run without a token sends, with the reason.
UNTRIED = {
    **dict.fromkeys(("auth-logout", "auth-end-session", "auth-end-sessions", "auth-change-password", "auth-delete-me"), ENDS),
    "auth-switch-tenant": SWITCHES,
    "auth-remove-identity": "an identity needs an outside provider; functions/auth/tests/endpoints/providers tries it",
    "auth-get-userinfo": "its token is an application's; functions/auth/oauth.py tries it",
    **dict.fromkeys(("auth-token", "auth-authorize-device", "auth-revoke", "auth-introspect"), FORMS),
    **dict.fromkeys(("auth-enrol-totp", "auth-confirm-totp", "auth-remove-totp", "auth-renew-recovery-codes"), LOCKS),
    **dict.fromkeys(("auth-begin-passkey", "auth-remove-passkey"), LOCKS),
    **dict.fromkeys(("auth-add-passkey", "auth-login-passkey"), DEVICE),
}


def address() -> str:
    """A new address."""
    return f"sample-{secrets.token_hex(8)}@example.org"


def links(api: str, path: str, emails: list[str], number: int) -> list[str]:
    """Asks for mails to these addresses, each of which is mail `number` to it. Returns the tokens of their links."""
    for email in emails:
        call("POST", f"{api}/v1/auth/{path}", {"email": email})
    return [users.token(email, number) for email in emails]


def api_keys(user, number: int) -> list[str]:
    """The ids of new API keys."""
    wanted = {"name": "sample", "scopes": ["orders:read"]}
    return [call("POST", f"{user.api}/v1/api-keys", wanted, user.token)["api_key"]["id"] for _ in range(number)]


def applications(user, number: int) -> list[str]:
    """New applications that act for themselves."""
    wanted = {"name": "sample", "kind": "confidential", "grants": ["client_credentials"], "scopes": ["orders:read"]}
    return [call("POST", f"{user.api}/v1/applications", wanted, user.keeper)["application"]["id"] for _ in range(number)]


def tenants(user, number: int) -> list[str]:
    """New tenants, of which the user is the owner."""
    wanted = {"name": "sample"}
    return [call("POST", f"{user.api}/v1/tenants", wanted, user.token)["id"] for _ in range(number)]


def invitations(user, number: int) -> list[str]:
    """The tokens of invitations of the user into new tenants."""
    email = {"email": user.credentials["email"], "role": "viewer"}
    owner = users.new(user.api, "inviting")
    for _ in range(number):
        tenant = call("POST", f"{user.api}/v1/tenants", {"name": "sample"}, owner)["id"]
        call("POST", f"{user.api}/v1/tenants/{tenant}/invitations", email, owner)
    # The first mail was about the registration.
    return [users.token(user.credentials["email"], 2 + index) for index in range(number)]


def invited(user, of: list[str]) -> list[str]:
    """The id of the invitation of one address into each of these tenants."""
    wanted = {"email": address(), "role": "viewer"}
    return [call("POST", f"{user.api}/v1/tenants/{it}/invitations", wanted, user.token)["id"] for it in of]


def make(user) -> dict[str, list]:
    """New addresses, the credentials of the user, API keys, tenants and applications, so that valid requests succeed."""
    tokens = call("POST", f"{user.api}/v1/auth/login", user.credentials)
    careful, _ = users.register(user.api, "sample")
    _, codes = errands.enrolled(user.api, users.sign_in(user.api, careful))
    challenge = call("POST", f"{user.api}/v1/auth/login", careful)["challenge"]
    me = call("GET", f"{user.api}/v1/me", token=user.token)["id"]
    kept, left = tenants(user, 2), tenants(user, 4)
    forgetful = [users.register(user.api, "sample")[0]["email"] for _ in range(LINKS)]
    return {
        "auth-register body.email": [address() for _ in range(5)],
        "auth-forgot-password body.email": [address() for _ in range(5)],
        "auth-confirm body.token": links(user.api, "register", [address() for _ in range(LINKS)], 1),
        "auth-confirm body.password": [users.PASSWORD],
        "auth-reset-password body.token": links(user.api, "forgot-password", forgetful, 2),
        "auth-reset-password body.password": [users.PASSWORD],
        "auth-login body.email": [user.credentials["email"]],
        "auth-login body.password": [user.credentials["password"]],
        "auth-login-code body.challenge": [challenge],
        "auth-login-code body.code": codes,
        "auth-refresh body.refresh_token": [tokens["refresh_token"]],
        "auth-rotate-api-key path.api_key_id": api_keys(user, 2),
        "auth-revoke-api-key path.api_key_id": api_keys(user, 4),
        **{f"auth-{name} path.tenant_id": kept for name in ("list-members", "give-role", "invite", "list-invitations")},
        "auth-give-role path.user_id": [me],
        "auth-invite body.email": [address() for _ in range(5)],
        "auth-remove-member path.tenant_id": left,
        "auth-remove-member path.user_id": [me],
        "auth-revoke-invitation path.tenant_id": kept[:1],
        "auth-revoke-invitation path.invitation_id": invited(user, kept[:1]),
        "auth-accept-invitation body.token": invitations(user, 4),
        "auth-renew-secret path.application_id": applications(user, 4),
        "auth-delete-application path.application_id": applications(user, 6),
    }
