#!/usr/bin/env bash
# Builds for AWS and deploys, by samconfig.toml.
#   ARCHITECTURE   arm64 (unless set) or x86_64
#   FEATURES       shared/otlp to send traces to a collector
#   PARAMETERS     the template's other parameters, as Name=value
set -euo pipefail
cd "$(dirname "$0")/.."
export ARCHITECTURE="${ARCHITECTURE:-arm64}"
infra/build.sh release
# shellcheck disable=SC2086 # several parameters are several words
exec .venv/bin/sam deploy --parameter-overrides "Architecture=$ARCHITECTURE" ${PARAMETERS:-}
