#!/usr/bin/env bash
# Builds the programs of all systems, as target/lambda/<program>.zip.
#   build.sh local     for this machine, fast to build: the local stack and the tests
#   build.sh release   for AWS, in the ARCHITECTURE of the template (arm64 unless set): small and fast
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

case "${1:?local or release}" in
local)
    # No cross-compiler is needed for this machine itself.
    cargo lambda build --workspace --profile local --compiler cargo --lambda-dir target/lambda
    .venv/bin/python infra/package.py 1
    ;;
release)
    case "${ARCHITECTURE:-arm64}" in
    arm64) target=--arm64 ;;
    x86_64) target=--x86-64 ;;
    *) echo "ARCHITECTURE is arm64 or x86_64" >&2 && exit 2 ;;
    esac
    # Without the tests, whose dependencies would add features to those of the functions.
    cargo lambda build --workspace --exclude testing --release "$target" --lambda-dir target/lambda \
        --features "${FEATURES:-}"
    .venv/bin/python infra/package.py 9
    ;;
esac
