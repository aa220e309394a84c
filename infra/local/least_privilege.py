"""Shows that every permission is needed: takes each one away in turn, and expects the tour or the errands to fail.

    infra/local/run.sh local/least_privilege.py [FUNCTION…]

It prints for each permission whether the local stack needed it. A permission that it did not need is one too many. The
functions of a system are tried with the tour and the errands of this system and of the systems that need it. Permissions
that cannot be judged so have a reason: below for all systems, and in UNJUDGED of functions/<system>/errands.py.
"""

import functools
import json
import os
import subprocess
import sys
from contextlib import contextmanager

from common import ROOT, STACK, client
from systems import System, deployed

UNJUDGED = {
    "logs:CreateLogStream": "the emulator writes logs itself",
    "logs:PutLogEvents": "the emulator writes logs itself",
    "sqs:ReceiveMessage": "the emulator polls queues itself",
    "sqs:DeleteMessage": "the emulator polls queues itself",
    "sqs:GetQueueAttributes": "the emulator polls queues itself",
    "sqs:ChangeMessageVisibility": "no job of the tour fails; the tests batches.rs put messages back",
    "s3:ListBucket": "the emulator answers without it whether an object is missing or forbidden",
    "dynamodb:DescribeStream": "the emulator reads streams itself",
    "dynamodb:GetRecords": "the emulator reads streams itself",
    "dynamodb:GetShardIterator": "the emulator reads streams itself",
    "dynamodb:ListStreams": "the emulator reads streams itself",
}
TOUR, ERRANDS = ROOT / "infra/tour.py", ROOT / "infra/local/errands.py"
# How long the tour and the errands wait for a document without a fault. The model takes most of this time.
READY_WITHIN_SECONDS = "40"


def tour_succeeds(systems: list[System]) -> bool:
    """Runs the errands and the tour of these systems. Tells whether both succeed."""
    names = [system.name for system in systems]
    environment = os.environ | {"READY_WITHIN_SECONDS": READY_WITHIN_SECONDS}
    for script in (ERRANDS, TOUR):
        command = [sys.executable, script, *names]
        if subprocess.run(command, capture_output=True, timeout=300, env=environment).returncode:
            return False
    return True


def users(system: System) -> list[System]:
    """The deployed systems whose tour and errands use the functions of a system: itself, and those that need it."""
    return [other for other in deployed() if other == system or system.name in other.needs]


def unjudged(system: System) -> dict[str, str]:
    """The permissions and functions of a system that are not judged, with the reasons."""
    return UNJUDGED | getattr(system.module("errands"), "UNJUDGED", {})


def restart(function: str) -> None:
    """Ends the processes of the function, because some permissions are used only when a process starts."""
    functions = client("lambda")
    timeout = functions.get_function_configuration(FunctionName=function)["Timeout"]
    # The value does not change. The emulator starts new processes after a new time-out, but not after a new description.
    functions.update_function_configuration(FunctionName=function, Timeout=timeout)


def listed(statement: dict) -> list[str]:
    """The actions of the statement. A single action may stand without a list."""
    actions = statement["Action"]
    return [actions] if isinstance(actions, str) else actions


def without(statements: list[dict], index: int, action: str) -> list[dict]:
    """The statements without one action of one of them."""
    rest = [dict(s, Action=listed(s)) for s in statements]
    rest[index]["Action"] = [a for a in rest[index]["Action"] if a != action]
    return [s for s in rest if s["Action"]]


@contextmanager
def given(function: str, role: str, policy: dict, restored: dict):
    """Gives the function this policy for the duration of the block."""
    put = functools.partial(client("iam").put_role_policy, RoleName=role, PolicyName="use")
    try:
        put(PolicyDocument=json.dumps(policy))
        restart(function)
        yield
    finally:
        put(PolicyDocument=json.dumps(restored))
        restart(function)


def main() -> None:
    """Tries every permission of every function, or of the functions that are named."""
    wanted, iam, aws = sys.argv[1:], client("iam"), client("lambda")
    assert tour_succeeds(deployed()), "the tour and the errands must succeed before anything is taken away"
    spared = needed = 0
    for system, function in ((system, it) for system in deployed() for it in system.functions):
        reasons = unjudged(system)
        if function.name in reasons or (wanted and function.name not in wanted):
            continue
        name = f"{STACK}-{function.name}"
        role = aws.get_function_configuration(FunctionName=name)["Role"].rsplit("/", 1)[1]
        policy = iam.get_role_policy(RoleName=role, PolicyName="use")["PolicyDocument"]
        statements = policy["Statement"]
        permissions = [(index, a) for index, s in enumerate(statements) for a in listed(s)]
        for index, action in permissions:
            if not reasons.keys().isdisjoint((action, f"{function.name} {action}")):
                continue
            less = dict(policy, Statement=without(statements, index, action))
            with given(name, role, less, policy):
                is_needed = not tour_succeeds(users(system))
            what = f"{action} on {statements[index]['Resource']}"
            print(f"{name} {'needs' if is_needed else 'does not need'} {what}", flush=True)
            needed, spared = needed + is_needed, spared + (not is_needed)
    print(f"{needed} permissions are needed, {spared} are not.")
    assert tour_succeeds(deployed()), "the tour and the errands must succeed after everything is given back"
    sys.exit(1 if spared else 0)


if __name__ == "__main__":
    main()
