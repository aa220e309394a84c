"""The tour: what a user of the API does, system by system.

    tour.py              through all systems that are deployed
    tour.py SYSTEM…      through these systems and those that they need

Each system has its part in functions/<system>/tour.py: `take(tour)`, which is given a `Tour`. The order is that of the
root template. A system that is not deployed is skipped.
"""

import sys

from common import api_url, say
from systems import deployed, named


class Tour:
    """What the parts of the tour share."""

    def __init__(self, api: str) -> None:
        # The URL of the API.
        self.api = api
        # The access token of the user who takes the tour. The part of auth sets it.
        self.token = ""
        self.steps = 0
        self.suggestions: list[str] = []

    def step(self, text: str) -> None:
        """Prints the number and the title of the next step."""
        self.steps += 1
        say(f"{self.steps}  {text}")

    def suggest(self, command: str) -> None:
        """Keeps a command that the user may try. The commands are printed at the end of the tour."""
        self.suggestions.append(command)


def main(names: list[str]) -> None:
    """Takes the tour."""
    wanted = {other for name in names for other in (name, *named(name).needs)}
    tour = Tour(api_url())
    for system in deployed():
        part = system.module("tour")
        if part and (not wanted or system.name in wanted):
            part.take(tour)
    say("\nThe API is at")
    print(f"     {tour.api}")
    if tour.suggestions:
        say("Try")
    for command in tour.suggestions:
        print(f"  {command}")


if __name__ == "__main__":
    main(sys.argv[1:])
