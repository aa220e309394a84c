"""Checks the chains of the audit log, and names the first entry of each that is not as it was written.

    infra/run.sh audit.py [CHAIN…]        a chain is a tenant's id, or `installation`; without one, all are checked

It computes each hash anew, and shares no code with the functions that write the log. A chain that ends too early, or was
computed anew from some entry on, cannot be seen in the table alone: so the last number and hash of each chain are printed. Compare
them with those that you kept, or with the lines "audited" in the log of the functions.
"""

import hashlib
import json
import sys
from decimal import Decimal

from boto3.dynamodb.types import TypeDeserializer

from common import client, outputs

PARTITION, ENTRY = "CHAIN#", "ENTRY#"
NOTHING = "0" * 64


def plain(value):
    """A value of DynamoDB as JSON has it."""
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    if isinstance(value, dict):
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


def items() -> dict[str, list[dict]]:
    """The items of each chain, in the order of their keys."""
    read = TypeDeserializer()
    chains: dict[str, list[dict]] = {}
    for page in client("dynamodb").get_paginator("scan").paginate(TableName=outputs()["AuditTableName"], ConsistentRead=True):
        for item in page["Items"]:
            item = {name: plain(read.deserialize(value)) for name, value in item.items()}
            if item["pk"].startswith(PARTITION):
                chains.setdefault(item["pk"].removeprefix(PARTITION), []).append(item)
    return {name: sorted(found, key=lambda item: item["sk"]) for name, found in sorted(chains.items())}


def fault(chain: str, found: list[dict]) -> str | None:
    """What is wrong with a chain first, or None."""
    head = next((item for item in found if item["sk"] == "HEAD"), None)
    previous, number = NOTHING, 0
    for item in found:
        if not item["sk"].startswith(ENTRY):
            continue
        number += 1
        if item["sk"] != f"{ENTRY}{number:016}":
            return f"entry {number} is missing"
        entry = {name: value for name, value in item.items() if name not in ("pk", "sk", "hash")}
        text = json.dumps(entry, sort_keys=True)
        if item.get("hash") != hashlib.sha256(text.encode()).hexdigest():
            return f"entry {number} was altered"
        if (entry.get("chain"), entry.get("number"), entry.get("previous")) != (chain, number, previous):
            return f"entry {number} does not follow entry {number - 1} of this chain"
        previous = item["hash"]
    if head is None or (head["number"], head["hash"]) != (number, previous):
        return f"the chain ends at entry {number}, and its head says {head and head['number']}"
    return None


def main(wanted: list[str]) -> None:
    """Checks the chains and prints the result. The exit status is 1 if a chain is broken."""
    broken, chains = 0, items()
    for name in wanted or chains:
        found = chains.get(name, [])
        # A scan is no snapshot: an entry may have come between its pages. What is wrong is so in a second one.
        if found and fault(name, found):
            found = items()[name]
        wrong = fault(name, found) if found else "there is no such chain"
        last = next((item for item in reversed(found) if item["sk"].startswith(ENTRY)), {})
        print(f"{name:32} {wrong or 'whole'}; the last entry is {last.get('number')}, {last.get('hash')}")
        broken += wrong is not None
    print(f"{len(wanted or chains)} chains, {broken} of them broken.")
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
