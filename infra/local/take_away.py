"""Takes something away from the local stack until you press Enter, so that you can see what happens.

    infra/local/run.sh local/take_away.py permission checkout-advance dynamodb:UpdateItem
    infra/local/run.sh local/take_away.py program clamd           clamd or model
    infra/local/run.sh local/take_away.py schedule checkout-sweep

The programs provider and payments keep their records in memory: ask them for faults instead (functions/checkout/README.md).
"""

import json
import sys
from contextlib import contextmanager

import local_aws
from common import STACK, client
from least_privilege import listed


@contextmanager
def permission(function: str, *actions: str):
    """Takes these actions away from the role of the function for the duration of the block."""
    iam, name = client("iam"), f"{STACK}-{function}"
    role = client("lambda").get_function(FunctionName=name)["Configuration"]["Role"].rsplit("/", 1)[1]
    policy = iam.get_role_policy(RoleName=role, PolicyName="use")["PolicyDocument"]
    statements = policy["Statement"]
    for action in actions:
        assert any(action in listed(s) for s in statements), f"{name} has no permission for {action}"
    less = [dict(s, Action=[a for a in listed(s) if a not in actions]) for s in statements]
    less = [s for s in less if s["Action"]]

    def put(document: dict) -> None:
        iam.put_role_policy(RoleName=role, PolicyName="use", PolicyDocument=json.dumps(document))

    put(dict(policy, Statement=less))
    try:
        yield
    finally:
        put(policy)


@contextmanager
def program(name: str):
    """Stops a program of the local stack for the duration of the block."""
    local_aws.supervisor("supervisorctl", "stop", name)
    try:
        yield
    finally:
        local_aws.supervisor("supervisorctl", "start", name)


@contextmanager
def schedule(name: str):
    """Disables a schedule for the duration of the block."""
    scheduler = client("scheduler")
    known = scheduler.get_schedule(Name=f"{STACK}-{name}")
    kept = ("Name", "GroupName", "ScheduleExpression", "FlexibleTimeWindow", "Target")
    settings = {key: known[key] for key in kept if key in known}
    scheduler.update_schedule(**settings, State="DISABLED")
    try:
        yield
    finally:
        scheduler.update_schedule(**settings, State="ENABLED")


if __name__ == "__main__":
    kinds = {"permission": permission, "program": program, "schedule": schedule}
    if len(sys.argv) < 3 or sys.argv[1] not in kinds:
        sys.exit("usage: take_away.py permission FUNCTION ACTION… | program NAME | schedule NAME")
    with kinds[sys.argv[1]](*sys.argv[2:]):
        print(f"{' '.join(sys.argv[2:])} is away. Press Enter to give it back.", flush=True)
        sys.stdin.readline()
    print("It is back.")
