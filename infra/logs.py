"""Follows the logs of the functions named, or of all: one line of JSON each, as they come."""

import sys
import time

from common import STACK, client

POLL_SECONDS = 1
# How far back to begin.
START_MS = 10 * 60 * 1000


def groups(names: list[str]) -> list[str]:
    """The log groups of the functions `names`, or of all functions of the stack."""
    prefix = f"/aws/lambda/{STACK}-"
    if names:
        return [prefix + name for name in names]
    pages = client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=prefix)
    return [group["logGroupName"] for page in pages for group in page["logGroups"]]


def identity(event: dict):
    """What tells an event from any other; a local AWS may give it no id."""
    return event.get("eventId") or (event["timestamp"], event["message"])


def follow(names: list[str]) -> None:
    """Prints events as they come, until it is interrupted."""
    logs, followed = client("logs"), groups(names)
    since, seen = int(time.time() * 1000) - START_MS, set()
    while True:
        pages = logs.get_paginator("filter_log_events")
        events = [
            (event, group)
            for group in followed
            for page in pages.paginate(logGroupName=group, startTime=since)
            for event in page["events"]
            if identity(event) not in seen
        ]
        for event, group in sorted(events, key=lambda pair: pair[0]["timestamp"]):
            seen.add(identity(event))
            print(f"{group.rsplit('/', 1)[1]}  {event['message'].rstrip()}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    try:
        follow([name for name in sys.argv[1:] if name])
    except KeyboardInterrupt:
        pass
