"""Removes all second factors of a user who has lost them: the authenticator app, the passkeys and the recovery codes. The API has no
request for it: it needs the access of an operator to the table.

    infra/run.sh functions/auth/remove_second_factor.py ada@example.org

Whoever asks for it may be somebody else, who knows the password or reads the mails of the user. So make sure who it is in another way.
The audit log has it, as `second_factor.removed` without a client, `passkey.removed` and `passkeys.not_needed`. Sessions go on.
"""

import base64
import hashlib
import sys
from datetime import UTC, datetime

from common import client, outputs
from functions.auth import admin


def passkeys(dynamodb, table: str, user: str) -> list[dict]:
    """The keys of the items of the user's passkeys, and of what makes these unique."""
    wanted = {":user": {"S": f"USER#{user}"}, ":passkeys": {"S": "PASSKEY#"}}
    condition = "pk = :user AND begins_with(sk, :passkeys)"
    found = dynamodb.query(TableName=table, KeyConditionExpression=condition, ExpressionAttributeValues=wanted, ConsistentRead=True)["Items"]
    keys = []
    for item in found:
        name = base64.urlsafe_b64encode(hashlib.sha256(item["credential"]["S"].encode()).digest()).rstrip(b"=").decode()
        keys += [{"pk": item["pk"], "sk": item["sk"]}, {"pk": {"S": f"PASSKEY#{name}"}, "sk": {"S": "PASSKEY"}}]
    return keys


def main(email: str) -> None:
    """Removes the second factors of the user with this address."""
    dynamodb, table = client("dynamodb"), outputs()["AuthTableName"]
    user = admin.user_of(dynamodb, table, email)
    keys = passkeys(dynamodb, table, user)
    account = {"pk": {"S": f"USER#{user}"}, "sk": {"S": "ACCOUNT"}}
    before = dynamodb.get_item(TableName=table, Key=account, ConsistentRead=True)["Item"]
    has_app = before.get("second_factor", {}).get("M", {}).get("is_on", {}).get("BOOL", False)
    if not has_app and not keys:
        print(f"{user} has no second factor.")
        return
    # Of passkeys that are added or removed meanwhile, none is left behind: the account has their number.
    count = before.get("passkeys", {"N": "0"})
    has_as_many = "passkeys = :count" if "passkeys" in before else "attribute_not_exists(passkeys)"
    values = {":count": count} if "passkeys" in before else {}
    change = "SET passkeys = :none"
    values[":none"] = {"N": "0"}
    if has_app:
        at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        change += ", second_factor = :off"
        values[":off"] = {"M": {"is_on": {"BOOL": False}, "at": {"S": at}}}
    switch = {
        "TableName": table,
        "Key": account,
        "UpdateExpression": change,
        "ConditionExpression": has_as_many,
        "ExpressionAttributeValues": values,
    }
    codes = [{**account, "sk": {"S": name}} for name in ("TOTP", "RECOVERY")]
    deletions = [{"Delete": {"TableName": table, "Key": key}} for key in [*codes, *keys]]
    dynamodb.transact_write_items(TransactItems=[{"Update": switch}, *deletions])
    print(f"{user} signs in with the password alone.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else sys.exit("Give the address of the user: remove_second_factor.py ada@example.org"))
