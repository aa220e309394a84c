#!/usr/bin/env bash
# Runs a Python script on the local stack: run.sh tour.py. See infra/run.sh.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
exec infra/run.sh "$@"
