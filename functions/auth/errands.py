"""The errands of auth: a forgotten password, the pages, sessions, a change of the password, a second factor, a rotation of the keys,
passkeys, applications of OAuth, an outside provider, an admin who registered before there were roles, API keys, tenants, the audit
log, which notices changes by hand, and a deletion.

`UNJUDGED` lists the permissions that infra/local/least_privilege.py does not judge.
"""

import json
import secrets
import urllib.error
import urllib.parse
import urllib.request
from http import HTTPStatus

import audit
from common import STACK, call, client, outputs
from functions.auth import admin, oauth, outside, remove_second_factor, tenants, totp, users
from functions.auth.authenticator import Authenticator
from receiver import until

UNJUDGED = {"auth-create-signing-key": "it runs while the stack is deployed, and not after"}


def run(api: str) -> None:
    """Runs the errands."""
    forgotten(api)
    pages(api)
    sessions(api)
    second_factor(api)
    passkeys(api)
    rotate_keys()
    oauth.run(api, admin.new(api))
    if outputs()["AuthIdentityProvidersSecretId"]:
        outside.run(api)
    early_admin(api)
    api_keys(api)
    tenants.run(api)
    audited(api)
    deleted(api)


def forgotten(api: str) -> None:
    """Somebody registers an address that has an account; its owner chooses a new password."""
    credentials, _ = users.register(api, "forgotten")
    email = {"email": credentials["email"]}
    call("POST", f"{api}/v1/auth/register", email)
    assert users.mail(credentials["email"], 2)["Subject"] == "You already have an account"
    call("POST", f"{api}/v1/auth/forgot-password", email)
    chosen = {"token": users.token(credentials["email"], 3), "password": f"{users.PASSWORD} staple"}
    call("POST", f"{api}/v1/auth/reset-password", chosen)
    call("POST", f"{api}/v1/auth/login", {**email, "password": chosen["password"]})


def form(api: str, page: str, fields: dict[str, str]) -> None:
    """Sends a form of a page. An error status ends the program."""
    data = urllib.parse.urlencode(fields).encode()
    with urllib.request.urlopen(f"{api}/auth/{page}", data, timeout=30) as answer:
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.headers


def pages(api: str) -> None:
    """Somebody registers and chooses a new password by the pages, without a browser. browser.mjs does it with one."""
    email = f"pages-{secrets.token_hex(6)}@example.org"
    for number, (ask, choose) in enumerate((("register", "confirm"), ("forgot-password", "reset-password")), 1):
        form(api, ask, {"email": email})
        password = f"{users.PASSWORD} {number}"
        form(api, choose, {"token": users.token(email, number), "password": password})
        call("POST", f"{api}/v1/auth/login", {"email": email, "password": password})


def sessions(api: str) -> None:
    """A user signs in on three devices, ends their sessions one by one, and changes the password."""
    credentials, user = users.register(api, "sessions")
    _, laptop, tablet = (call("POST", f"{api}/v1/auth/login", credentials) for _ in range(3))
    token = call("POST", f"{api}/v1/auth/refresh", {"refresh_token": laptop["refresh_token"]})["access_token"]
    assert call("GET", f"{api}/v1/me", token=token)["id"] == user
    listed = call("GET", f"{api}/v1/sessions", token=token)["sessions"]
    assert [session["is_current"] for session in listed] == [False, True, False], listed
    call("DELETE", f"{api}/v1/sessions/{listed[2]['id']}", token=token)
    call("POST", f"{api}/v1/auth/logout", token=tablet["access_token"])
    assert len(call("GET", f"{api}/v1/sessions", token=token)["sessions"]) == 1
    change = {"current_password": users.PASSWORD, "new_password": f"{users.PASSWORD} staple"}
    call("POST", f"{api}/v1/me/password", change, token)
    call("DELETE", f"{api}/v1/sessions", token=token)
    call("POST", f"{api}/v1/auth/login", {**credentials, "password": change["new_password"]})


def enrolled(api: str, token: str) -> tuple[str, list[str]]:
    """Sets up a second factor. Returns the secret and the recovery codes."""
    secret = call("POST", f"{api}/v1/me/totp", {"current_password": users.PASSWORD}, token)["secret"]
    confirmed = call("POST", f"{api}/v1/me/totp/confirmation", {"code": totp.code(secret)}, token)
    return secret, confirmed["recovery_codes"]


def sign_in_with(api: str, credentials: dict, code: str) -> str:
    """Signs in with the password and a code. Returns the access token."""
    challenge = call("POST", f"{api}/v1/auth/login", credentials)["challenge"]
    return call("POST", f"{api}/v1/auth/login/code", {"challenge": challenge, "code": code})["access_token"]


def second_factor(api: str) -> None:
    """A user sets up a second factor, signs in with it and with a recovery code, and removes it; an operator removes another."""
    credentials, user = users.register(api, "factor")
    token = users.sign_in(api, credentials)
    secret, codes = enrolled(api, token)
    # The confirmation has used the current code, and the next one is good already.
    token = sign_in_with(api, credentials, totp.code(secret, ahead=1))
    assert call("GET", f"{api}/v1/me", token=token)["id"] == user
    token = sign_in_with(api, credentials, codes[0].lower().replace("-", ""))
    shown = call("GET", f"{api}/v1/me/totp", token=token)
    assert shown["is_on"] and shown["recovery_codes_left"] == 9, shown
    change = {"current_password": users.PASSWORD, "code": codes[1]}
    renewed = call("POST", f"{api}/v1/me/recovery-codes", change, token)["recovery_codes"]
    call("POST", f"{api}/v1/me/totp/removal", {**change, "code": renewed[0]}, token)
    users.sign_in(api, credentials)
    enrolled(api, token)
    for _ in range(2):
        remove_second_factor.main(credentials["email"])
    users.sign_in(api, credentials)
    kinds = lambda: [entry["kind"] for entry in call("GET", f"{api}/v1/audit?limit=50", token=token)["entries"]]
    until(lambda: kinds().count("second_factor.removed") == 2, "Both removals of the second factor")
    assert kinds().count("second_factor.added") == 2 and "recovery_code.used" in kinds(), kinds()


def added(api: str, token: str, device: Authenticator) -> dict:
    """Adds the passkey of a device."""
    password = {"current_password": users.PASSWORD}
    options = call("POST", f"{api}/v1/me/passkeys/options", password, token)["options"]
    return call("POST", f"{api}/v1/me/passkeys", {"name": "errand", "credential": device.create(options)}, token)


def by_passkey(api: str, device: Authenticator, options: dict | None = None) -> str:
    """Signs in by a passkey, alone or for the options of a second step. Returns the access token."""
    options = options or call("POST", f"{api}/v1/auth/login/passkey/options")["options"]
    return call("POST", f"{api}/v1/auth/login/passkey", {"credential": device.get(options)})["access_token"]


def passkeys(api: str) -> None:
    """A user adds a passkey, signs in with it alone and after the password, sets up an app beside it and removes it, then the
    passkey; an operator removes another one."""
    credentials, user = users.register(api, "passkey")
    token, device = users.sign_in(api, credentials), Authenticator(api)
    made = added(api, token, device)
    assert len(made["recovery_codes"]) == 10, made
    token = by_passkey(api, device)
    assert call("GET", f"{api}/v1/me", token=token)["id"] == user
    token = by_passkey(api, device, call("POST", f"{api}/v1/auth/login", credentials)["passkey"])
    _, codes = enrolled(api, token)
    removal = {"current_password": users.PASSWORD}
    call("POST", f"{api}/v1/me/totp/removal", {**removal, "code": codes[0]}, token)
    listed = call("GET", f"{api}/v1/me/passkeys", token=token)["passkeys"]
    assert [passkey["id"] for passkey in listed] == [made["passkey"]["id"]], listed
    call("POST", f"{api}/v1/me/passkeys/{listed[0]['id']}/removal", removal, token)
    users.sign_in(api, credentials)
    added(api, token, Authenticator(api))
    for _ in range(2):
        remove_second_factor.main(credentials["email"])
    users.sign_in(api, credentials)


def rotate_keys() -> None:
    """The keys are rotated as the schedule does it."""
    answer = client("lambda").invoke(FunctionName=f"{STACK}-auth-rotate-keys", Payload=json.dumps({}))
    assert "FunctionError" not in answer, answer["Payload"].read()


def is_refused(api: str, secret: str) -> bool:
    """Whether API Gateway refuses a request with this secret. Its first use is not in the cache of the authorizer."""
    request = urllib.request.Request(f"{api}/v1/audit", headers={"authorization": f"Bearer {secret}"})
    try:
        with urllib.request.urlopen(request, timeout=30):
            return False
    except urllib.error.HTTPError as error:
        return error.code == HTTPStatus.FORBIDDEN


def api_keys(api: str) -> None:
    """A program calls the API with a key, whose secret is replaced; a revoked key and an old secret are refused."""
    token = users.new(api, "keys")
    wanted = {"name": "errand", "scopes": ["audit:read"], "expires_in_days": 1}
    made, leaked, revoked = (call("POST", f"{api}/v1/api-keys", wanted, token) for _ in range(3))
    url = lambda answer: f"{api}/v1/api-keys/{answer['api_key']['id']}"
    until(lambda: call("GET", f"{api}/v1/audit", token=made["secret"])["entries"], "What the user did")
    rotated = call("POST", f"{url(made)}/rotation", {}, token)
    for secret in (made["secret"], rotated["secret"]):
        call("GET", f"{api}/v1/audit", token=secret)
    replaced = call("POST", f"{url(leaked)}/rotation", {"emergency": True}, token)
    call("GET", f"{api}/v1/audit", token=replaced["secret"])
    assert is_refused(api, leaked["secret"])
    call("DELETE", url(revoked), token=token)
    assert is_refused(api, revoked["secret"])
    listed = call("GET", f"{api}/v1/api-keys", token=token)["api_keys"]
    assert [key["id"] for key in listed] == [answer["api_key"]["id"] for answer in (leaked, made)], listed
    assert all("used_at" in key for key in listed), listed


def audited(api: str) -> None:
    """What a user did is in the audit log, whose chains are whole. An entry that is altered by hand is named."""
    credentials, user = users.register(api, "audited")
    token = users.sign_in(api, credentials)
    admin.main(credentials["email"])
    kinds = ["roles.changed", "session.begun", "account.created"]
    log = lambda: call("GET", f"{api}/v1/audit", token=token)["entries"]
    until(lambda: len(log()) == len(kinds), "What the user did")
    entries = log()
    assert [entry["kind"] for entry in entries] == kinds, entries
    assert {entry["subject"] for entry in entries} == {user}, entries
    export = call("GET", f"{api}/v1/me/export", token=token)
    assert len(export["sessions"]) == 1 and export["audit"] == entries, export
    chain = entries[0]["chain"]
    dynamodb, table = client("dynamodb"), outputs()["AuditTableName"]
    item = {"TableName": table, "Key": {"pk": {"S": f"CHAIN#{chain}"}, "sk": {"S": f"ENTRY#{2:016}"}}}
    stored = dynamodb.get_item(**item, ConsistentRead=True)["Item"]
    assert audit.fault(chain, audit.items()[chain]) is None
    dynamodb.put_item(TableName=table, Item={**stored, "subject": {"S": "usr_01M7YRRT800000000000000000"}})
    assert audit.fault(chain, audit.items()[chain]) == "entry 2 was altered"
    dynamodb.delete_item(**item)
    assert audit.fault(chain, audit.items()[chain]) == "entry 2 is missing"
    dynamodb.put_item(TableName=table, Item=stored)
    assert audit.fault(chain, audit.items()[chain]) is None


def early_admin(api: str) -> None:
    """Removes the roles of a new user, as earlier items have none, and makes the user an admin."""
    credentials, user = users.register(api, "early")
    item = {"TableName": outputs()["AuthTableName"], "Key": {"pk": {"S": f"USER#{user}"}, "sk": {"S": "ACCOUNT"}}}
    dynamodb = client("dynamodb")
    dynamodb.update_item(**item, UpdateExpression="REMOVE #roles", ExpressionAttributeNames={"#roles": "roles"})
    for _ in range(2):
        admin.main(credentials["email"])
    stored = dynamodb.get_item(**item, ConsistentRead=True)["Item"]["roles"]
    assert stored == {"L": [{"S": "member"}, {"S": "admin"}]}, stored
    scopes = call("POST", f"{api}/v1/auth/login", credentials)["scope"].split()
    assert {"admin", "orders:read", "documents:read"} <= set(scopes), scopes


def deleted(api: str) -> None:
    """A user deletes the account; then the table has nothing of the user, and the address is free."""
    credentials, user = users.register(api, "deleted")
    token = users.sign_in(api, credentials)
    call("POST", f"{api}/v1/me/deletion", {"current_password": credentials["password"]}, token)
    partition = {":user": {"S": f"USER#{user}"}}
    wanted = {"TableName": outputs()["AuthTableName"], "ExpressionAttributeValues": partition, "ConsistentRead": True}
    kept = lambda: client("dynamodb").query(**wanted, KeyConditionExpression="pk = :user")["Items"]
    until(lambda: not kept(), "The end of the sessions of a deleted user")
    call("POST", f"{api}/v1/auth/register", {"email": credentials["email"]})
    assert users.mail(credentials["email"], 2)["Subject"] == "Confirm your e-mail address"
