"""Shows that every permission is needed: takes each one away in turn, and sees the tour, or the errands
that the tour leaves out, fail. What the checkout and the inventory may do is used by their errands alone.

    infra/local/run.sh local/least_privilege.py [FUNCTION…]

It says of each permission whether the local stack did without it; one that it did without is one too many.
Those that it cannot judge are listed below with the reason.
"""

import functools
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from common import ROOT, STACK, client

UNJUDGED = {
    "logs:CreateLogStream": "the emulator writes logs itself",
    "logs:PutLogEvents": "the emulator writes logs itself",
    "sqs:ReceiveMessage": "the emulator polls by itself",
    "sqs:DeleteMessage": "the emulator polls by itself",
    "sqs:GetQueueAttributes": "the emulator polls by itself",
    "sqs:ChangeMessageVisibility": "the tour's job succeeds; batches::tests put messages back",
    "s3:ListBucket": "the emulator tells a missing object from a forbidden one without it",
    "s3:GetObjectVersionTagging": "GuardDuty's verdict, and the tour scans with clamd",
    "bedrock:InvokeModel": "the tour asks a model of this machine",
    "dynamodb:DescribeStream": "the emulator reads streams by itself",
    "dynamodb:GetRecords": "the same",
    "dynamodb:GetShardIterator": "the same",
    "dynamodb:ListStreams": "the same",
    "documents-on-malware-verdict dynamodb:GetItem": "GuardDuty's event, and the tour scans with clamd",
    "documents-on-malware-verdict sqs:SendMessage": "the same",
    "documents-deliver-webhook sqs:SendMessage": "only for jobs that fail for good, as batches::tests' do",
    "documents-purge sqs:SendMessage": "the same",
    "checkout-advance sqs:SendMessage": "the same",
    "checkout-deliver-webhook sqs:SendMessage": "the same",
    "checkout-deliver-webhook dynamodb:UpdateItem": "only after a failure, as toolkit::webhooks' tests have it",
    "documents-deliver-webhook dynamodb:UpdateItem": "the same",
    "checkout-reconcile dynamodb:DeleteItem": "only for movements of over 15 minutes ago, as the saga's tests have them",
    "checkout-reconcile sqs:SendMessage": "the same",
    "checkout-fold-ledger sqs:SendMessage": "only for changes that fail again and again",
    "documents-sweep": "it works on what stands still for an hour; the pipeline's tests sweep",
    "documents-scan s3:PutObjectTagging": "S3 asks for it where a copy is given tags, the emulator does not",
}
ERRANDS, TOUR = "infra/local/errands.py", "infra/tour.py"
# How long a document is waited for that nothing may be wrong with. The model takes most of it.
READY_WITHIN_SECONDS = "40"
# Runs when the stack is deployed, and not in a tour.
UNJUDGED_FUNCTION = "auth-create-signing-key"


def tour_succeeds(function: str = "") -> bool:
    """Takes the tour, and runs the errands: as much of it as uses what the function may do."""
    is_checkout = function.startswith(("checkout-", "inventory-"))
    for script in [(ERRANDS, "checkout")] if is_checkout else [(ERRANDS,), (TOUR,)]:
        command = [sys.executable, ROOT / script[0], *script[1:]]
        environment = os.environ | {"READY_WITHIN_SECONDS": READY_WITHIN_SECONDS}
        run = subprocess.run(command, capture_output=True, timeout=300, env=environment)
        if run.returncode:
            return False
    return True


def restart(function: str) -> None:
    """Ends the function's processes, for some permissions are used at start only."""
    functions = client("lambda")
    timeout = functions.get_function_configuration(FunctionName=function)["Timeout"]
    # As it was; the emulator starts new processes for a time-out, though not for a description.
    functions.update_function_configuration(FunctionName=function, Timeout=timeout)


def listed(statement: dict) -> list[str]:
    """The statement's actions, of which there may be one without a list."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def without(statements: list[dict], index: int, action: str) -> list[dict]:
    """The statements less one action of one of them."""
    rest = [dict(s, Action=listed(s)) for s in statements]
    rest[index]["Action"] = [a for a in rest[index]["Action"] if a != action]
    return [s for s in rest if s["Action"]]


@contextmanager
def given(function: str, role: str, policy: dict, restored: dict):
    """A function may do what a policy says, for a while."""
    put = functools.partial(client("iam").put_role_policy, RoleName=role, PolicyName="use")
    try:
        put(PolicyDocument=json.dumps(policy))
        restart(function)
        yield
    finally:
        put(PolicyDocument=json.dumps(restored))
        restart(function)


def main() -> None:
    """Tries every permission of every function, or of those that are named."""
    wanted, iam = sys.argv[1:], client("iam")
    assert tour_succeeds(), "the tour must succeed before anything is taken away"
    spared = needed = 0
    pages = client("lambda").get_paginator("list_functions").paginate()
    for function in (function for page in pages for function in page["Functions"]):
        name, role = function["FunctionName"], function["Role"].rsplit("/", 1)[1]
        short = name.removeprefix(f"{STACK}-")
        if short in (name, UNJUDGED_FUNCTION) or (wanted and short not in wanted):
            continue
        policy = iam.get_role_policy(RoleName=role, PolicyName="use")["PolicyDocument"]
        statements = policy["Statement"]
        permissions = [(index, a) for index, s in enumerate(statements) for a in listed(s)]
        for index, action in permissions:
            if not UNJUDGED.keys().isdisjoint((short, action, f"{short} {action}")):
                continue
            less = dict(policy, Statement=without(statements, index, action))
            with given(name, role, less, policy):
                is_needed = not tour_succeeds(short)
            what = f"{action} on {statements[index]['Resource']}"
            print(f"{name} {'needs' if is_needed else 'does without'} {what}", flush=True)
            needed, spared = needed + is_needed, spared + (not is_needed)
    print(f"{needed} permissions are needed, {spared} are not.")
    assert tour_succeeds(), "the tour must succeed with everything given back"
    sys.exit(1 if spared else 0)


if __name__ == "__main__":
    main()
