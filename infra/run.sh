#!/usr/bin/env bash
# Runs a Python script on the deployed stack: run.sh functions/auth/admin.py ada@example.org
# A path is relative to the root of the repository, or to infra/.
# The stack is that of your AWS profile; infra/local/run.sh runs the same scripts on the local stack.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
script="${1:?which script?}"
shift
[ -e "$script" ] || script="infra/$script"
# The scripts of the systems import from infra/ and infra/local/, and from one another as functions.<system>.
PYTHONPATH="$PWD:$PWD/infra:$PWD/infra/local" exec .venv/bin/python "$script" "$@"
