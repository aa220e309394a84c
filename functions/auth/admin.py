"""Makes a user an admin. The API has no request for it: it needs the access of an operator to the table.

    infra/run.sh functions/auth/admin.py ada@example.org

The access token of the next sign-in or refresh has the scopes of this role.
"""

import sys

from common import client, outputs
from functions.auth import users


def user_of(dynamodb, table: str, email: str) -> str:
    """The id of the user with this address."""
    address = {"pk": {"S": f"EMAIL#{email.strip().lower()}"}, "sk": {"S": "EMAIL"}}
    taken = dynamodb.get_item(TableName=table, Key=address, ConsistentRead=True).get("Item")
    if not taken:
        sys.exit(f"No user has the address {email!r}.")
    return taken["user_id"]["S"]


def main(email: str) -> None:
    """Adds the role `admin` to the user with this address."""
    dynamodb, table = client("dynamodb"), outputs()["AuthTableName"]
    user = user_of(dynamodb, table, email)
    try:
        dynamodb.update_item(
            TableName=table,
            Key={"pk": {"S": f"USER#{user}"}, "sk": {"S": "ACCOUNT"}},
            UpdateExpression="SET #roles = list_append(if_not_exists(#roles, :member), :admin)",
            ConditionExpression="attribute_exists(pk) AND NOT contains(#roles, :role)",
            ExpressionAttributeNames={"#roles": "roles"},
            ExpressionAttributeValues={
                # A user who registered before there were roles has none stored, and is a member.
                ":member": {"L": [{"S": "member"}]},
                ":admin": {"L": [{"S": "admin"}]},
                ":role": {"S": "admin"},
            },
        )
        print(f"{user} is an admin from the next sign-in.")
    except dynamodb.exceptions.ConditionalCheckFailedException:
        print(f"{user} is an admin already.")


def new(api: str) -> str:
    """Registers a user and makes the user an admin. Returns the access token."""
    credentials, _ = users.register(api, "admin")
    main(credentials["email"])
    return users.sign_in(api, credentials)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] else sys.exit("Give the address of the user, as EMAIL=… to make."))
