"""Removes the second factor of a user who has lost the phone and the recovery codes. The API has no request for it: it needs the
access of an operator to the table.

    infra/run.sh functions/auth/remove_second_factor.py ada@example.org

Whoever asks for it may be somebody else, who knows the password or reads the mails of the user. So make sure who it is in another way.
The audit log has it, as `second_factor.removed` without a client. Sessions go on.
"""

import sys
from datetime import UTC, datetime

from common import client, outputs
from functions.auth import admin


def main(email: str) -> None:
    """Removes the second factor of the user with this address."""
    dynamodb, table = client("dynamodb"), outputs()["AuthTableName"]
    user = admin.user_of(dynamodb, table, email)
    at = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    switch = {
        "TableName": table,
        "Key": {"pk": {"S": f"USER#{user}"}, "sk": {"S": "ACCOUNT"}},
        "UpdateExpression": "SET second_factor = :off",
        "ConditionExpression": "second_factor.is_on = :true",
        "ExpressionAttributeValues": {
            ":off": {"M": {"is_on": {"BOOL": False}, "at": {"S": at}}},
            ":true": {"BOOL": True},
        },
    }
    secret = {"TableName": table, "Key": {"pk": {"S": f"USER#{user}"}, "sk": {"S": "TOTP"}}}
    try:
        dynamodb.transact_write_items(TransactItems=[{"Update": switch}, {"Delete": secret}])
        print(f"{user} signs in with the password alone.")
    except dynamodb.exceptions.TransactionCanceledException as error:
        if "ConditionalCheckFailed" not in str(error):
            raise
        print(f"{user} has no second factor.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else sys.exit("Give the address of the user: remove_second_factor.py ada@example.org"))
