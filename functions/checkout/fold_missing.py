"""Queues the ledger entries that are in no balance, for example after the relay has stood still for more than a day.

    infra/run.sh functions/checkout/fold_missing.py

An entry counts once, even if it is in the queue already.
"""

import json

from boto3.dynamodb.types import TypeDeserializer

from common import client, outputs
from functions.checkout.trial_balance import Ledger


def job(order: str, sort_key: str) -> str:
    """The job that adds an entry to the balances, as the relay writes it."""
    key = {"pk": {"S": f"LEDGER#{order}"}, "sk": {"S": sort_key}}
    found = client("dynamodb").get_item(TableName=outputs()["CheckoutTableName"], Key=key, ConsistentRead=True)
    entry = {name: TypeDeserializer().deserialize(value) for name, value in found["Item"].items()}
    for name in ("pk", "sk", "correlation_id", "traceparent"):
        entry.pop(name, None)
    kind = sort_key.partition("#")[0].lower()
    return json.dumps({"version": "1", "entry": {"type": kind, **entry}}, default=int)


def main() -> None:
    """Queues them."""
    # A transfer comes before its resolution.
    missing = sorted(Ledger().read().unfolded, key=lambda it: (it[0], not it[1].startswith("TRANSFER#")))
    for order, sort_key in missing:
        url = outputs()["CheckoutLedgerQueueUrl"]
        client("sqs").send_message(QueueUrl=url, MessageBody=job(order, sort_key), MessageGroupId=order)
    print(f"{len(missing)} entries were queued.")


if __name__ == "__main__":
    main()
