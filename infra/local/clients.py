"""Generates clients of the API from openapi.yaml, in TypeScript and in Python, and runs a program of each system with them.

    infra/local/run.sh local/clients.py

The generators must print no warning. The programs of a system are functions/<system>/client.ts and client.py: `run(url,
adminToken)` ends the program if something is not as it should be. A system that is not deployed is skipped.
"""

import os
import subprocess
import sys

from common import ROOT, VENV, api_url
from functions.auth import admin
from systems import System, deployed

CLIENTS = ROOT / "target" / "clients"
NPM = ROOT / "infra" / "npm"
# The generators and the compiler, as README.md tells to run them.
TYPESCRIPT = "openapi-typescript openapi.yaml --output {}/arsenal.ts --root-types --root-types-no-schema-prefix"
PYTHON = "openapi-python-client generate --path openapi.yaml --output-path {}/arsenal_client --meta none --overwrite --fail-on-warning"
# What the generators print if there is no warning.
EXPECTED = ("✨ openapi-typescript ", "🚀 openapi.yaml → ", "Generating ")
# Runs the compiled programs: arguments are the URL of the API, the token and the files.
RUN = "const [url, token, ...files] = process.argv.slice(1); for (const file of files) await (await import(file)).run(url, token);"


def output(*command: str) -> str:
    """Runs a program. If it fails, this program ends with its messages."""
    path = f"{VENV / 'bin'}:{NPM / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        sys.exit(f"{command[0]}\n{done.stdout}")
    return done.stdout


def generate(command: str) -> None:
    """Generates a client. Any line that is not expected is a warning, and ends the program."""
    printed = output(*command.format(CLIENTS.relative_to(ROOT)).split())
    if any(line.strip() and not line.startswith(EXPECTED) for line in printed.splitlines()):
        sys.exit(f"A warning of {command.split()[0]}:\n{printed}")


def run_typescript(systems: list[System], url: str, token: str) -> None:
    """Compiles and runs the programs in TypeScript."""
    output("tsc", "--project", str(NPM / "tsconfig.json"))
    # Node.js looks for packages in the folders above a program.
    packages = CLIENTS / "node_modules"
    packages.unlink(missing_ok=True)
    packages.symlink_to(NPM / "node_modules")
    (CLIENTS / "package.json").write_text('{"type": "module"}\n')
    programs = [CLIENTS / "js" / "functions" / system.name / "client.js" for system in systems]
    files = [program.as_uri() for program in programs if program.exists()]
    output("node", "--input-type=module", "--eval", RUN, url, token, *files)


def run_python(systems: list[System], url: str, token: str) -> None:
    """Runs the programs in Python."""
    sys.path.append(str(CLIENTS))
    for system in systems:
        if program := system.module("client"):
            program.run(url, token)


def main() -> None:
    """Generates the clients and runs the programs."""
    CLIENTS.mkdir(parents=True, exist_ok=True)
    generate(TYPESCRIPT)
    generate(PYTHON)
    systems, url = deployed(), api_url()
    token = admin.new(url)
    run_typescript(systems, url, token)
    run_python(systems, url, token)
    print("Clients in TypeScript and Python are generated without a warning, and their programs work.")


if __name__ == "__main__":
    main()
