"""Signing in to an application with Authlib, a library of OAuth and OpenID Connect. It is an errand of auth."""

import os
import secrets

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from common import call
from functions.auth import users

CALLBACK = "https://app.example.org/callback"
SCOPE = "openid email orders:read"


def registered(api: str, token: str, grants: list[str], addresses: list[str]) -> dict:
    """Registers an application. Returns the answer, with the secret."""
    application = {"name": f"Client {secrets.token_hex(4)}", "kind": "confidential", "grants": grants}
    application |= {"redirect_uris": addresses, "scopes": SCOPE.split()}
    return call("POST", f"{api}/v1/applications", application, token)


def claims_of(id_token: str, configuration: dict, expected: dict) -> dict:
    """The claims of an ID token, checked with the published keys."""
    keys = KeySet.import_key_set(requests.get(configuration["jwks_uri"], timeout=30).json())
    token = jwt.decode(id_token, keys, algorithms=configuration["id_token_signing_alg_values_supported"])
    options = {name: {"essential": True, "value": value} for name, value in expected.items()}
    claims = CodeIDToken(token.claims, token.header, options, {"nonce": expected["nonce"], "client_id": expected["aud"]})
    claims.validate()
    return token.claims


def refused(work) -> str:
    """The error with which the work is refused."""
    try:
        work()
    except OAuthError as error:
        return error.error
    raise AssertionError("it is not refused")


def signed_in(api: str, admin_token: str, configuration: dict) -> None:
    """A user signs in to an application, which then refreshes and revokes its tokens."""
    credentials, user = users.register(api, "authlib")
    new = registered(api, admin_token, ["authorization_code"], [CALLBACK])
    id_, token_url = new["application"]["id"], configuration["token_endpoint"]
    challenge = {"redirect_uri": CALLBACK, "scope": SCOPE, "code_challenge_method": "S256"}
    session = OAuth2Session(id_, new["client_secret"], **challenge)
    verifier, nonce = generate_token(48), generate_token(20)
    asks, state = session.create_authorization_url(
        configuration["authorization_endpoint"], code_verifier=verifier, nonce=nonce
    )
    callback = users.Browser(credentials).allow(asks, CALLBACK)
    tokens = session.fetch_token(token_url, authorization_response=callback, code_verifier=verifier, state=state)
    expected = {"iss": configuration["issuer"], "aud": id_, "nonce": nonce, "sub": user, "email": credentials["email"]}
    claims_of(tokens["id_token"], configuration, expected)
    known = session.get(configuration["userinfo_endpoint"]).json()
    assert known == {"sub": user, "email": credentials["email"], "email_verified": True}, known

    next_ = session.refresh_token(token_url, refresh_token=tokens["refresh_token"])
    asked = session.introspect_token(configuration["introspection_endpoint"], next_["access_token"]).json()
    assert asked["active"] and asked["sub"] == user, asked
    assert session.revoke_token(configuration["revocation_endpoint"], next_["refresh_token"]).status_code == 200
    again = lambda: session.refresh_token(token_url, refresh_token=next_["refresh_token"])
    assert refused(again) == "invalid_grant"
    # An access token can be revoked too.
    assert session.revoke_token(configuration["revocation_endpoint"], next_["access_token"]).status_code == 200
    assert id_ in [it["id"] for it in call("GET", f"{api}/v1/applications?limit=100", token=admin_token)["applications"]]
    call("DELETE", f"{api}/v1/applications/{id_}", token=admin_token)


def itself(api: str, admin_token: str, configuration: dict) -> None:
    """An application acts for itself, with a new secret and with the former one."""
    new = registered(api, admin_token, ["client_credentials"], [])
    id_ = new["application"]["id"]
    renewed = call("POST", f"{api}/v1/applications/{id_}/secret", {}, admin_token)
    for secret in (new["client_secret"], renewed["client_secret"]):
        for method in ("client_secret_basic", "client_secret_post"):
            session = OAuth2Session(id_, secret, token_endpoint_auth_method=method, scope="orders:read")
            tokens = session.fetch_token(configuration["token_endpoint"], grant_type="client_credentials")
            assert tokens["scope"] == "orders:read", tokens
    call("DELETE", f"{api}/v1/applications/{id_}", token=admin_token)
    assert refused(lambda: session.fetch_token(configuration["token_endpoint"], grant_type="client_credentials")) == "invalid_client"


def device(api: str, admin_token: str, configuration: dict) -> None:
    """A device begins, and polls too often. oauth.ts has a user who allows one."""
    new = registered(api, admin_token, ["device_code"], [])
    id_ = new["application"]["id"]
    credentials = (id_, new["client_secret"])
    asks = {"scope": "orders:read"}
    begun = requests.post(configuration["device_authorization_endpoint"], asks, auth=credentials, timeout=30).json()
    poll = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": begun["device_code"]}
    for error in ("authorization_pending", "slow_down"):
        answer = requests.post(configuration["token_endpoint"], poll, auth=credentials, timeout=30).json()
        assert answer["error"] == error, answer
    call("DELETE", f"{api}/v1/applications/{id_}", token=admin_token)


def run(api: str, admin_token: str) -> None:
    """Signs a user in, lets an application act for itself, and begins on a device."""
    # The local AWS has no TLS.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    configuration = requests.get(f"{api}/.well-known/openid-configuration", timeout=30).json()
    signed_in(api, admin_token, configuration)
    itself(api, admin_token, configuration)
    device(api, admin_token, configuration)
