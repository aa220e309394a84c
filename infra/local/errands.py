"""Runs the errands: what users do and the tour leaves out.

    infra/local/run.sh local/errands.py [SYSTEM…]

Each system has its errands in functions/<system>/errands.py: `run(api)` ends the program if something is not as it
should be. The order is that of the root template. A system that is not deployed is skipped.
"""

import sys

from common import api_url
from systems import deployed, named


def main(names: list[str]) -> None:
    """Runs the errands of these systems, or of all."""
    wanted = {named(name).name for name in names}
    for system in deployed():
        errands = system.module("errands")
        if hasattr(errands, "run") and (not wanted or system.name in wanted):
            errands.run(api_url())


if __name__ == "__main__":
    main(sys.argv[1:])
