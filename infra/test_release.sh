#!/usr/bin/env bash
# Checks what only a release build shows: a panic fails one record and not the process, and a build with failpoints does
# not compile.
set -euo pipefail
cd "$(dirname "$0")/.."

echo "── A release catches panics"
cargo test --release --package shared --features example --test runtime

echo "── A release with failpoints does not compile"
if output="$(cargo test --no-run --release --package shared --features failpoints 2>&1)"; then
    echo "It compiles." >&2
    exit 1
fi
grep --quiet "must not be in a release" <<<"$output"

echo "── A release of the functions does not ask for failpoints"
features="$(cargo tree --workspace --exclude testing --exclude contract --edges features,normal --invert shared)"
if grep --quiet failpoints <<<"$features"; then
    echo "It asks for failpoints." >&2
    exit 1
fi
