#!/usr/bin/env bash
# Takes a system out and runs `make test` in the new repository: test_take.sh [SYSTEM]
# Without SYSTEM the time of the last commit chooses one, so that each gets its turn. Builds are shared with this repository.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Reference shows the other systems, and is not taken alone.
read -ra systems <<<"$(.venv/bin/python infra/systems.py names | sed 's/\breference\b//')"
system="${1:-${systems[$(git log -1 --format=%ct) % ${#systems[@]}]}}"
to="$(mktemp -d)"
trap 'rm -rf "$to"' EXIT

echo "── Taking out $system"
.venv/bin/python infra/take.py "$system" "$to"
# The same tools, not installed again.
ln -s "$PWD/.venv" "$to/.venv"
ln -s "$PWD/infra/npm/node_modules" "$to/infra/npm/node_modules"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
make -C "$to" test
