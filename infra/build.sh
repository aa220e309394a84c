#!/usr/bin/env bash
# Builds the programs of all systems, as target/lambda/<program>.zip.
#   build.sh local     for this machine: a fast build, for the local stack and the tests
#   build.sh release   for AWS: small and fast programs, for ARCHITECTURE (arm64 unless it is set)
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"

case "${1:?local or release}" in
local)
    # The build is for this machine, so it needs no cross-compiler.
    # --workspace includes the crate of the tests. Without it, a third of the crates have other features, and
    # `make test` compiles them again: docs/decisions/0025-one-set-of-features.md.
    cargo lambda build --workspace --profile local --compiler cargo --lambda-dir target/lambda
    PYTHONPATH="$PWD" .venv/bin/python infra/package.py 1
    ;;
release)
    case "${ARCHITECTURE:-arm64}" in
    arm64) target=--arm64 ;;
    x86_64) target=--x86-64 ;;
    *) echo "ARCHITECTURE must be arm64 or x86_64." >&2 && exit 2 ;;
    esac
    # The crate of the tests is left out, because its dependencies add features to the dependencies of the functions.
    cargo lambda build --workspace --exclude testing --exclude contract --release "$target" --lambda-dir target/lambda \
        --features "${FEATURES:-}"
    PYTHONPATH="$PWD" .venv/bin/python infra/package.py 9
    ;;
esac
