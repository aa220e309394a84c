#!/usr/bin/env bash
# Stops the local AWS and deletes its tables, files and users.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
"$PYTHON" infra/local/local_aws.py down
