"""What the scripts share: where things are, and how the stack is reached."""

import functools
import os
import sys
from pathlib import Path

import boto3

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STACK = os.environ.get("STACK_NAME", "arsenal")


def client(service: str):
    """A client of an AWS service, at AWS_ENDPOINT_URL if that is set."""
    return boto3.client(service)


@functools.cache
def outputs() -> dict[str, str]:
    """The stack's outputs by name."""
    stack = client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def api_url() -> str:
    """The API's URL. On a local AWS it is in the path form, which needs no name to resolve."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL")
    if endpoint:
        return f"{endpoint}/_aws/execute-api/{outputs()['ApiId']}/$default"
    return outputs()["ApiUrl"]


def say(text: str) -> None:
    """Progress, set off from what the tools print."""
    bold = ("\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "")
    print(f"{bold[0]}{text}{bold[1]}", flush=True)
