#!/usr/bin/env bash
# Builds for AWS and deploys, by samconfig.toml. ARCHITECTURE is arm64 unless set.
set -euo pipefail
cd "$(dirname "$0")/.."
export ARCHITECTURE="${ARCHITECTURE:-arm64}"
infra/build.sh release
exec .venv/bin/sam deploy --parameter-overrides "Architecture=$ARCHITECTURE" "$@"
