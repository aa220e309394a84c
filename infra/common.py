"""What the scripts share: the paths, and the access to the stack."""

import functools
import json
import os
import secrets
import sys
import urllib.error
import urllib.request
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STACK = os.environ.get("STACK_NAME", "arsenal")
NESTED = "AWS::CloudFormation::Stack"
TEMPLATES = (ROOT / "template.yaml", *sorted(ROOT.glob("functions/*/template.yaml")))


def client(service: str):
    """A client of an AWS service, at AWS_ENDPOINT_URL if that is set."""
    return boto3.client(service)


def resources(stack: str = STACK):
    """The resources of the stack and of the stacks nested in it, as CloudFormation lists them."""
    pages = client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack)
    for page in pages:
        for resource in page["StackResourceSummaries"]:
            yield resource
            if resource["ResourceType"] == NESTED:
                yield from resources(resource["PhysicalResourceId"])


@functools.cache
def outputs() -> dict[str, str]:
    """The outputs of the stack by name. `TableName` of the nested stack `Checkout` is `CheckoutTableName`."""
    stacks = {"": STACK}
    for resource in resources():
        if resource["ResourceType"] == NESTED:
            stacks[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
    found = {}
    for system, name in stacks.items():
        stack = client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        for output in stack.get("Outputs", []):
            found[system + output["OutputKey"]] = output["OutputValue"]
    return found


def api_url() -> str:
    """The URL of the API. On a local AWS the id of the API is in the path, so that no host name has to be resolved."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint}/_aws/execute-api/{outputs()['ApiId']}/$default"
    return outputs()["ApiUrl"]


def call(method: str, url: str, body=None, token: str | None = None, **headers: str) -> dict:
    """Calls the API and returns the body of the answer. A request with a body has a new idempotency key unless the caller
    gives one. An answer with an error status ends the program."""
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    if body is not None:
        headers = {"idempotency-key": secrets.token_hex(16), **headers}
    if token:
        headers["authorization"] = f"Bearer {token}"
    data = json.dumps(body).encode() if body is not None else None
    headers["content-type"] = f"application/{'merge-patch+json' if method == 'PATCH' else 'json'}"
    request = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        sys.exit(f"{method} {url} answered {error.code}: {error.read().decode()}")


def say(text: str) -> None:
    """Prints a line about the progress, in bold on a terminal."""
    bold = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"{bold[0]}{text}{bold[1]}", flush=True)
