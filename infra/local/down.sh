#!/usr/bin/env bash
# Stops the local AWS; its tables, files and users are gone with it.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
"$PYTHON" infra/local/local_aws.py down
