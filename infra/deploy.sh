#!/usr/bin/env bash
# Builds for AWS and deploys with the settings of samconfig.toml.
#   ARCHITECTURE   arm64 (unless it is set) or x86_64
#   FEATURES       shared/otlp builds in the sending of traces to a collector
#   STACK_NAME     the name of the stack, arsenal unless it is set
#   PARAMETERS     other parameters of the template, as Name=value
set -euo pipefail
cd "$(dirname "$0")/.."
export ARCHITECTURE="${ARCHITECTURE:-arm64}"
infra/build.sh release
# shellcheck disable=SC2086 # several parameters are several words
exec .venv/bin/sam deploy --stack-name "${STACK_NAME:-arsenal}" --parameter-overrides "Architecture=$ARCHITECTURE" ${PARAMETERS:-}
