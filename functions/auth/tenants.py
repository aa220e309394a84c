"""An errand: two users share a tenant, and one of them leaves it."""

import secrets
import urllib.error
import urllib.request
from http import HTTPStatus

from common import call
from functions.auth import users


def refreshed(api: str, tokens: dict) -> dict:
    """The next tokens of a session."""
    return call("POST", f"{api}/v1/auth/refresh", {"refresh_token": tokens["refresh_token"]})


def reads_audit(api: str, token: str) -> bool:
    """Whether a request is accepted that needs the scope of a manager."""
    request = urllib.request.Request(f"{api}/v1/audit", headers={"authorization": f"Bearer {token}"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return True
    except urllib.error.HTTPError as error:
        assert error.code == HTTPStatus.FORBIDDEN, error.code
        return False


def run(api: str) -> None:
    """Ada makes a tenant and invites Bob, who joins, acts for it with each role, and leaves."""
    ada = users.new(api, "tenant-ada")
    tenant = call("POST", f"{api}/v1/tenants", {"name": "Errand"}, ada)["id"]
    url = f"{api}/v1/tenants/{tenant}"
    credentials, bob = users.register(api, f"tenant-bob-{secrets.token_hex(2)}")
    call("POST", f"{url}/invitations", {"email": credentials["email"], "role": "viewer"}, ada)
    letter = users.mail(credentials["email"], 2)
    assert "invites you to work with others in “Errand”" in letter["BodyText"], letter
    browser = users.Browser(credentials)
    browser.join(api, users.token(credentials["email"], 2))
    listed = call("GET", f"{url}/members", token=ada)["members"]
    assert {(member["user"], member["role"]) for member in listed} >= {(bob, "viewer")}, listed

    tokens = call("POST", f"{api}/v1/auth/login", credentials)
    call("PUT", f"{api}/v1/me/tenant", {"tenant": tenant}, tokens["access_token"])
    tokens = refreshed(api, tokens)
    assert tokens["scope"] == "account documents:read orders:read", tokens["scope"]
    assert not reads_audit(api, tokens["access_token"])
    call("PUT", f"{url}/members/{bob}", {"role": "manager"}, ada)
    tokens = refreshed(api, tokens)
    assert "audit:read" in tokens["scope"].split(), tokens["scope"]
    assert reads_audit(api, tokens["access_token"])
    wanted = {"name": "errand", "scopes": ["audit:read"]}
    used, unused = (call("POST", f"{api}/v1/api-keys", wanted, tokens["access_token"])["secret"] for _ in range(2))
    assert reads_audit(api, used)
    call("DELETE", f"{url}/members/{bob}", token=ada)
    # The answer about the other one may be in the cache of the authorizer for 60 s.
    assert not reads_audit(api, unused)
    own = call("GET", f"{api}/v1/tenants", token=refreshed(api, tokens)["access_token"])["tenants"]
    assert [(it["is_own"], it["is_current"]) for it in own] == [(True, True)], own
