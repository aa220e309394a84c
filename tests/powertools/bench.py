"""Measures Powertools for Python, for comparison with shared/benches/layers.rs: an idempotent call,
with immediate answers of DynamoDB from memory, and the hash of a body.

    .venv/bin/python tests/powertools/bench.py
"""

import json
import os
import statistics
import time
import warnings

import boto3
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

warnings.simplefilter("ignore")
os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"

from aws_lambda_powertools.utilities.idempotency import (  # noqa: E402
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)

ITEM = {"sku": "A-1", "quantity": 2, "price": {"amount": 1999, "currency": "EUR"}, "note": "für 🦀"}


class Raw:
    """A response body in memory."""

    def stream(self, *_, **__):
        yield b"{}"

    read = lambda self, *_, **__: b"{}"  # noqa: E731


def median_microseconds(work, count: int) -> float:
    """The median time of `count` calls, after `count` calls to warm up."""
    times = []
    for index in range(count * 2):
        start = time.perf_counter_ns()
        work(index)
        times.append((time.perf_counter_ns() - start) / 1000)
    return statistics.median(times[count:])


def main() -> None:
    """Prints a line for each measurement."""
    URLLib3Session.send = lambda self, request: AWSResponse(request.url, 200, {}, Raw())
    client = boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="test", aws_secret_access_key="test"
    )
    store = DynamoDBPersistenceLayer(table_name="requests", boto3_client=client)
    config = IdempotencyConfig(event_key_jmespath="key", payload_validation_jmespath="payload")

    @idempotent_function(data_keyword_argument="data", persistence_store=store, config=config)
    def work(data):
        return {"id": "doc_01M7YRRT800000000000000002", "status": "awaiting_upload"}

    def call(index):
        work(data={"key": f"key-{index}", "payload": {"name": "invoice.pdf", "size": 48016}})

    print(f"idempotent      {median_microseconds(call, 2000):8.1f} µs")
    get = lambda _: client.get_item(TableName="t", Key={"id": {"S": "1"}})  # noqa: E731
    print(f"one SDK call    {median_microseconds(get, 2000):8.1f} µs")
    for count in (8, 600):
        body = json.dumps([ITEM] * count, separators=(",", ":"), ensure_ascii=False).encode()
        canonical = lambda _, body=body: json.dumps(json.loads(body), sort_keys=True)  # noqa: E731
        print(f"canonical JSON  {median_microseconds(canonical, 500):8.1f} µs  {len(body)} bytes")


if __name__ == "__main__":
    main()
