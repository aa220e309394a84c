"""Follows the logs of the functions named, or of all: one line of JSON each, as they come.

The functions of a system share a log group. A stream in it belongs to one function: on AWS its name says to
which, and everywhere the lines do that the function has written itself (`function_name`).
"""

import json
import sys
import time

from common import STACK, client

POLL_SECONDS = 1
# How far back to begin.
START_MS = 10 * 60 * 1000
PREFIX = f"/aws/lambda/{STACK}-"


def groups(functions: list[str]) -> list[str]:
    """The log groups of the systems of these functions, or of all systems of the stack."""
    pages = client("logs").get_paginator("describe_log_groups").paginate(logGroupNamePrefix=PREFIX)
    found = [group["logGroupName"] for page in pages for group in page["logGroups"]]
    if not functions:
        return found
    return [
        group
        for group in found
        if any(f"/aws/lambda/{function}".startswith(f"{group}-") for function in functions)
    ]


def identity(event: dict):
    """What tells an event from any other; a local AWS may give it no id."""
    return event.get("eventId") or (event["timestamp"], event["message"])


def writer(event: dict) -> str | None:
    """The function that has written a line, if the line says so."""
    try:
        line = json.loads(event["message"])
    except ValueError:
        return None
    return line.get("function_name") if isinstance(line, dict) else None


class Streams:
    """Which function each stream belongs to, as far as its lines have told."""

    def __init__(self) -> None:
        self.functions = {}

    def learn(self, events: list[tuple[dict, str]]) -> None:
        """Learns from lines, each with its log group."""
        for event, group in events:
            function = writer(event)
            if function:
                self.functions[group, event["logStreamName"]] = function

    def function(self, event: dict, group: str) -> str | None:
        """The function that a line is from: `2026/11/30/arsenal-auth-login[$LATEST]0f…` names it."""
        stream = event["logStreamName"]
        named = stream.rsplit("/", 1)[-1].split("[")[0]
        return self.functions.get((group, stream)) or named or None


def follow(names: list[str]) -> None:
    """Prints events as they come, until it is interrupted."""
    functions = [f"{STACK}-{name}" for name in names]
    logs, followed, streams = client("logs"), groups(functions), Streams()
    if not followed:
        sys.exit(f"There are no logs of {', '.join(functions) or STACK}.")
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
        streams.learn(events)
        for event, group in sorted(events, key=lambda pair: pair[0]["timestamp"]):
            seen.add(identity(event))
            function = streams.function(event, group)
            if not functions or function in functions:
                print(f"{function or group.rsplit('/', 1)[1]}  {event['message'].rstrip()}", flush=True)
        time.sleep(POLL_SECONDS)


if __name__ == "__main__":
    try:
        follow([name for name in sys.argv[1:] if name])
    except KeyboardInterrupt:
        pass
