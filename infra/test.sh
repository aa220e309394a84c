#!/usr/bin/env bash
# Everything that is checked: format, lints, and all tests, on a local AWS of their own that is
# started for them and stopped after. Arguments go to the test runner.
set -euo pipefail
export LOCAL_NAME=test LOCAL_PORT="${TEST_PORT:-4599}"
unset ENDPOINT PARAMETERS
source "$(dirname "${BASH_SOURCE[0]}")/local/env.sh"
# The target that the functions are built for, so that the tests share their dependencies.
cargo=(--workspace --all-targets --target "$(rustc --print host-tuple)")

echo "── Format and lints"
cargo fmt --all --check
cargo clippy "${cargo[@]}" --profile local --quiet -- --deny warnings
RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --workspace --profile local \
    --target "$(rustc --print host-tuple)" --quiet
for template in template.yaml functions/*/template.yaml; do
    .venv/bin/sam validate --lint --template "$template"
done
.venv/bin/cfn-lint
"$PYTHON" infra/check_templates.py

echo "── Building the tests"
# Not the functions' own targets, which have no tests, and would be linked once more for that.
tests=(--workspace --lib --test "*" --target "$(rustc --print host-tuple)")
if cargo nextest --version >/dev/null 2>&1; then
    run=(cargo nextest run "${tests[@]}" --cargo-profile local)
else
    run=(cargo test "${tests[@]}" --profile local)
fi
"${run[@]}" --no-run

trap '"$PYTHON" infra/local/local_aws.py down' EXIT
"$PYTHON" infra/local/local_aws.py down
infra/local/up.sh

echo "── Running the tests"
"${run[@]}" "$@"
[ "$#" -gt 0 ] || "$PYTHON" infra/local/errands.py
[ "$#" -gt 0 ] || cargo test --doc --workspace --profile local --target "$(rustc --print host-tuple)" --quiet
