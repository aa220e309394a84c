"""The peer of tests/toolkit/powertools.rs: the real Powertools for AWS Lambda.

Reads one JSON object per line and answers with one per line:
  {"op": "hash", "json": "…"}    the hash of a JSON text
  {"op": "run", …}               runs an idempotent function; `hold` keeps it in progress until the next line
"""

import json
import os
import sys
import warnings

import boto3

warnings.simplefilter("ignore")
os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"

from aws_lambda_powertools.utilities.idempotency import (  # noqa: E402
    DynamoDBPersistenceLayer,
    IdempotencyConfig,
    idempotent_function,
)
from aws_lambda_powertools.utilities.idempotency.exceptions import BaseError  # noqa: E402


class Context:
    """An invocation with one minute left."""

    @staticmethod
    def get_remaining_time_in_millis():
        return 60_000


def layer(command):
    client = boto3.client(
        "dynamodb",
        endpoint_url=command["endpoint"],
        region_name=command["region"],
        aws_access_key_id=command["account"],
        aws_secret_access_key="test",
    )
    return DynamoDBPersistenceLayer(table_name=command["table"], boto3_client=client)


def run(command):
    config = IdempotencyConfig(event_key_jmespath="key", payload_validation_jmespath="payload")
    config.register_lambda_context(Context())
    ran = []

    @idempotent_function(
        data_keyword_argument="data",
        persistence_store=layer(command),
        config=config,
        key_prefix=command["prefix"],
    )
    def work(data):
        ran.append(True)
        if command.get("hold"):
            answer({"holding": True})
            sys.stdin.readline()
        return command["answer"]

    try:
        data = {"key": command["key"], "payload": command["payload"]}
        return {"answer": work(data=data), "ran": bool(ran)}
    except BaseError as error:
        return {"error": type(error).__name__, "ran": bool(ran)}


def hash_of(command):
    hasher = DynamoDBPersistenceLayer(table_name="none", boto3_client=boto3.client("dynamodb", region_name="none"))
    hasher.configure(IdempotencyConfig())
    return lambda text: {"hash": hasher._generate_hash(json.loads(text))}


def answer(value):
    print(json.dumps(value), flush=True)


hasher = None
for line in sys.stdin:
    command = json.loads(line)
    if command["op"] == "hash":
        hasher = hasher or hash_of(command)
        answer(hasher(command["json"]))
    else:
        answer(run(command))
