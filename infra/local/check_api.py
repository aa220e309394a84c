"""Compares the deployed API with its contract: Schemathesis sends requests that openapi.yaml allows and others that it
forbids, and checks each answer.

    infra/local/run.sh local/check_api.py [SYSTEM]      the operations of one system, or of all that are deployed
    SEED=…                                              only this seed, to repeat a failure
    SOAK=1                                              for 15 minutes

It runs as a customer, as an admin and without a token, with a fixed seed and with a new one. It fails if an answer is not in
the contract, if a request is refused that the contract allows, if one is accepted that it forbids or that has no valid token,
if a user gets what belongs to another, and if no valid request to an operation was accepted. Each system has samples in
functions/<system>/samples.py: `make(user)` gives values of parameters that exist, `RULES` says which problems a valid
request may get, and `UNTRIED` which operations are tried without a token
only. `FIELDS`, `HEADERS` and `tidied` are explained where samples have them.
"""

import functools
import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from common import ROOT, VENV, api_url, call, say
from functions.auth import admin, users
from receiver import Receiver
from systems import System, deployed, named

FIXED_SEED = 1
# How many requests to each operation the phases make that have no end of their own. A soak repeats them for 15 minutes.
EXAMPLES = ["--max-examples=100", "--max-time=900"] if os.environ.get("SOAK") else ["--max-examples=10"]
CONFIGURATION = ROOT / "infra/local/schemathesis.toml"
ADMIN_SCOPE = "admin"
CUSTOMER, ADMIN, NOBODY = "a customer", "an admin", "nobody"
# How often a sample is used in place of a value that Schemathesis makes up.
SAMPLED = 0.7


@functools.cache
def operations() -> dict[str, dict]:
    """The operations of the contract by their ids."""
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"].values()
    return {operation["operationId"]: operation for path in paths for operation in path.values()}


def untried(system: System) -> dict[str, str]:
    """The operations of a system that only nobody tries, by their ids, with the reason."""
    return getattr(system.module("samples"), "UNTRIED", {})


@dataclass
class User:
    """A user of the API."""

    api: str
    # The URL of a server that receives webhooks.
    receiver: str
    # The access token of an admin, who prepares what the user needs.
    keeper: str = ""
    token: str = field(default="", init=False)
    scopes: str = field(default="", init=False)
    credentials: dict = field(init=False)

    def __post_init__(self) -> None:
        self.credentials, _ = users.register(self.api, "contract")
        self.sign_in()

    def sign_in(self) -> None:
        """Gets an access token with the scopes that the user has now."""
        answer = call("POST", f"{self.api}/v1/auth/login", self.credentials)
        self.token, self.scopes = answer["access_token"], answer["scope"]

    def promote(self) -> None:
        """Makes the user an admin."""
        admin.main(self.credentials["email"])
        self.sign_in()
        self.keeper = self.token


@dataclass(frozen=True)
class Run:
    """One run of Schemathesis."""

    who: str
    seed: int
    systems: list[System]
    # Where its files are.
    folder: Path

    def has_links(self) -> bool:
        """Whether an operation of the systems leads to others."""
        names = {system.name for system in self.systems}
        chosen = [operation for operation in operations().values() if names.intersection(operation["tags"])]
        return any("links" in response for operation in chosen for response in operation["responses"].values())

    def covers(self, operation: str) -> bool:
        """Whether the run tries all limits of an operation. The others do so for each operation that it does not cover."""
        is_admins = any(ADMIN_SCOPE in scopes for way in operations()[operation]["security"] for scopes in way.values())
        return {CUSTOMER: not is_admins, ADMIN: is_admins, NOBODY: False}[self.who]

    def samples(self, user: User) -> dict[str, dict[str, list]]:
        """The samples by operation: for the operations that a system names, and then for all others of the system."""
        found = {}
        for system in self.systems:
            made = system.module("samples").make(user)
            common = {key: values for key, values in made.items() if " " not in key}
            for key, values in made.items():
                operation, _, place = key.rpartition(" ")
                if operation:
                    found.setdefault(f'include-operation-id = "{operation}"', dict(common))[place] = values
            found[f'include-tag = "{system.name}"'] = common
        return found

    def configure(self, owner: User, other: User) -> None:
        """Writes the configuration: the common one, the samples, and who signs in."""
        lines = [CONFIGURATION.read_text()]
        # Of several tables that include an operation, the first with `parameters` gives them all.
        for number, (included, samples) in enumerate(self.samples(owner).items()):
            parameters = []
            for index, (place, values) in enumerate(samples.items()):
                name = f"samples-{number}-{index}"
                lines.append(f"[dictionaries.{name}]\nvalues = {json.dumps(values)}")
                parameters.append(f'"{place}" = {{ dictionary = "{name}", probability = {SAMPLED} }}')
            lines.append(f"[[operations]]\n{included}\nparameters = {{ {', '.join(parameters)} }}")
        if elsewhere := [id for id in operations() if not self.covers(id)]:
            few = "phases.coverage.enabled = false\ngeneration.max-examples = 3"
            lines.append(f"[[operations]]\ninclude-operation-id = {json.dumps(elsewhere)}\n{few}")
        if self.who != NOBODY:
            users = {"owner": owner, "other": other}
            document = {"auth": [signing_in(name, user) for name, user in users.items()]}
            (self.folder / "users.json").write_text(json.dumps(document))
            path = json.dumps(str(self.folder / "users.json"))
            lines.append(f'[auth.wfc]\npath = {path}\nuser = "owner"\npeers = ["owner", "other"]\nrefresh_interval = 600')
        (self.folder / "schemathesis.toml").write_text("\n\n".join(lines))

    def __call__(self, api: str, receiver: str, keeper: str) -> subprocess.CompletedProcess:
        """Prepares the users and runs Schemathesis."""
        owner, other = User(api, receiver, keeper), User(api, receiver, keeper)
        if self.who == ADMIN:
            owner.promote()
        self.configure(owner, other)
        phases = ["fuzzing"]
        if self.who != NOBODY:
            phases += ["stateful"] if self.has_links() else []
            # These hardly depend on the seed.
            phases += ["examples", "coverage"] if self.seed == FIXED_SEED else []
        command = [VENV / "bin/schemathesis", "--config-file", self.folder / "schemathesis.toml", "--no-color", "run"]
        command += [ROOT / "openapi.yaml", "--url", api, "--seed", str(self.seed), "--phases", ",".join(phases)]
        command += [*EXAMPLES, *(f"--include-tag={system.name}" for system in self.systems)]
        if self.who != NOBODY:
            command += [f"--exclude-operation-id={id}" for system in self.systems for id in untried(system)]
        environment = {
            **os.environ,
            "API_COUNTS": str(self.folder / "counts.json"),
            "API_SEED": str(self.seed),
            "API_SYSTEMS": " ".join(system.name for system in self.systems),
            "API_RECEIVER": receiver,
            "API_SCOPES": owner.scopes,
            "SCHEMATHESIS_HOOKS": str(ROOT / "infra/local/schemathesis_hooks.py"),
        }
        return subprocess.run(command, check=False, capture_output=True, text=True, cwd=self.folder, env=environment)


def signing_in(name: str, user: User) -> dict:
    """How Schemathesis signs a user in, and again before the token expires."""
    token = {
        "extractFrom": "body",
        "extractSelector": "/access_token",
        "sendIn": "header",
        "sendName": "Authorization",
        "sendTemplate": "Bearer {token}",
    }
    login = {
        "externalEndpointURL": f"{user.api}/v1/auth/login",
        "verb": "POST",
        "contentType": "application/json",
        "payloadRaw": json.dumps(user.credentials),
        "token": token,
    }
    return {"name": name, "loginEndpointAuth": login}


def expected(systems: list[System]) -> set[str]:
    """The operations of which a valid request must be accepted, as method and path. One seed alone may miss some."""
    names = {system.name for system in systems}
    left_out = {id for system in systems for id in untried(system)}
    paths = yaml.safe_load((ROOT / "openapi.yaml").read_text())["paths"]
    of_paths = [(method, path, it) for path, methods in paths.items() for method, it in methods.items()]
    return {
        f"{method.upper()} {path}"
        for method, path, it in of_paths
        if names.intersection(it["tags"]) and it["operationId"] not in left_out
    }


def report(runs: list[Run], results: list[subprocess.CompletedProcess]) -> bool:
    """Prints the failures and a summary. Tells whether all is well."""
    counts: dict[str, Counter] = {}
    for run, result in zip(runs, results):
        # There is no file if Schemathesis did not start.
        path = run.folder / "counts.json"
        found = json.loads(path.read_text()) if path.exists() else {}
        total = sum(number for of_operation in found.values() for number in of_operation.values())
        print(f"     as {run.who:10} seed {run.seed:<10} {total:6,} requests: {'failed' if result.returncode else 'all well'}")
        if result.returncode:
            print(result.stdout, result.stderr, sep="\n")
        for operation, of_operation in found.items():
            counts.setdefault(operation, Counter()).update(of_operation)
    statuses = Counter()
    for found in counts.values():
        statuses.update(found)
    for kind in ("valid", "invalid"):
        of_kind = {key.split()[1]: number for key, number in statuses.items() if key.startswith(f"{kind} ")}
        print(f"     {kind:8}", ", ".join(f"{status}: {number:,}" for status, number in sorted(of_kind.items())))
    accepted = {label for label, found in counts.items() if any(key.startswith("valid 2") for key in found)}
    refused = set() if os.environ.get("SEED") else expected(runs[0].systems) - accepted
    if refused:
        print(f"No valid request was accepted by: {', '.join(sorted(refused))}")
    return not refused and not any(result.returncode for result in results)


def main(names: list[str]) -> None:
    """Runs all."""
    chosen = {named(name).name for name in names}
    systems = [it for it in deployed() if it.module("samples") and (not chosen or it.name in chosen)]
    if not systems:
        return
    seeds = [int(os.environ["SEED"])] if os.environ.get("SEED") else [FIXED_SEED, secrets.randbelow(10**9)]
    say(f"── The API and its contract: {', '.join(system.name for system in systems)}; seeds {' and '.join(map(str, seeds))}")
    api, receiver = api_url(), Receiver().url
    keeper = User(api, receiver)
    keeper.promote()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        for system in systems:
            if tidied := getattr(system.module("samples"), "tidied", None):
                stack.enter_context(tidied(keeper))
        runs = []
        for who in (CUSTOMER, ADMIN, NOBODY):
            for seed in seeds:
                runs.append(Run(who, seed, systems, Path(tempfile.mkdtemp(dir=folder))))
        with ThreadPoolExecutor(len(runs)) as pool:
            results = list(pool.map(lambda run: run(api, receiver, keeper.token), runs))
        is_well = report(runs, results)
    if not is_well:
        again = f"infra/local/run.sh local/check_api.py {' '.join(names)}".strip()
        sys.exit(f"To repeat a run with its seed: SEED=… {again}")


if __name__ == "__main__":
    main(sys.argv[1:])
