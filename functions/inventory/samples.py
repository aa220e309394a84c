"""What infra/local/check_api.py sends to inventory besides what Schemathesis makes up."""

import secrets

from common import call

# Rules that no schema can express, so a valid request may get these problems.
RULES: dict[str, str] = {}


def make(user) -> dict[str, list]:
    """A product with stock."""
    sku = f"SAMPLE-{secrets.token_hex(4)}"
    movement = {"quantity": 1000, "reason": "restock"}
    call("POST", f"{user.api}/v1/stock/{sku}/movements", movement, user.keeper)
    return {"path.sku": [sku]}
