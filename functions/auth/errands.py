"""Makes an admin of a user who registered before there were roles. The tour uses the rest of auth.

`UNJUDGED` lists the permissions that infra/local/least_privilege.py does not judge.
"""

import secrets

from common import call, client, outputs
from functions.auth import admin

UNJUDGED = {"auth-create-signing-key": "it runs while the stack is deployed, and not after"}


def run(api: str) -> None:
    """Removes the roles of a new user, as earlier items have none, and makes the user an admin."""
    credentials = {"email": f"early-{secrets.token_hex(4)}@example.org", "password": "correct horse battery"}
    user = call("POST", f"{api}/v1/auth/register", credentials)["id"]
    item = {"TableName": outputs()["AuthTableName"], "Key": {"pk": {"S": f"USER#{user}"}}}
    dynamodb = client("dynamodb")
    dynamodb.update_item(**item, UpdateExpression="REMOVE #roles", ExpressionAttributeNames={"#roles": "roles"})
    for _ in range(2):
        admin.main(credentials["email"])
    stored = dynamodb.get_item(**item, ConsistentRead=True)["Item"]["roles"]
    assert stored == {"L": [{"S": "member"}, {"S": "admin"}]}, stored
    scopes = call("POST", f"{api}/v1/auth/login", credentials)["scope"].split()
    assert {"admin", "orders:read", "documents:read"} <= set(scopes), scopes
