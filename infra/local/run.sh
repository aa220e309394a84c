#!/usr/bin/env bash
# Runs one of the scripts in infra/ on the local stack: run.sh tour.py
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
script="$1"
shift
exec "$PYTHON" "infra/$script" "$@"
