#!/usr/bin/env bash
# Checks format and lints, and runs all tests on a local AWS that is started for them and stopped afterwards.
#   SYSTEM=checkout   runs only the tests of this system, with only this system and what it needs deployed
# Arguments go to the test runner.
#
# The tests of a system are those of its crate, functions/<system>, and those of the deployed stack in
# tests/tests/<system>.rs, tests/tests/<system>_*.rs or tests/tests/<system>/. All other files of tests/tests/ test what
# systems share, or several systems together; they run without SYSTEM only.
set -euo pipefail
export LOCAL_NAME=test LOCAL_PORT="${TEST_PORT:-4599}"
unset ENDPOINT PARAMETERS
source "$(dirname "${BASH_SOURCE[0]}")/local/env.sh"
SYSTEM="${SYSTEM:-}"
"$PYTHON" infra/systems.py names ${SYSTEM:+"$SYSTEM"} >/dev/null
# The functions are built for the same target, so the tests share their dependencies.
target=(--target "$(rustc --print host-tuple)")

infra/lint.sh

echo "── Building the tests"
# The targets --bins have no tests. With them, each program is linked once more.
# One system too is chosen from a build of the whole workspace: a build of one package has other features, and compiles
# its dependencies again.
tests=(--workspace --lib --test "*" "${target[@]}")
if cargo nextest --version >/dev/null 2>&1; then
    run=(cargo nextest run "${tests[@]}" --cargo-profile local)
    if [ -n "$SYSTEM" ]; then
        run+=(--filterset "package($SYSTEM) or (package(testing) and binary(/^${SYSTEM//-/[-_]}(_.*)?\$/))")
    fi
elif [ -n "$SYSTEM" ]; then
    echo "SYSTEM needs cargo-nextest: https://nexte.st" >&2
    exit 2
else
    run=(cargo test "${tests[@]}" --profile local)
fi
"${run[@]}" --no-run

trap '"$PYTHON" infra/local/local_aws.py down' EXIT
"$PYTHON" infra/local/local_aws.py down
infra/local/up.sh ${SYSTEM:+"$SYSTEM"}

echo "── Running the tests"
"${run[@]}" "$@"
[ "$#" -gt 0 ] || infra/run.sh local/errands.py ${SYSTEM:+"$SYSTEM"}
[ "$#" -gt 0 ] || [ -n "$SYSTEM" ] || infra/run.sh local/clients.py
[ "$#" -gt 0 ] || infra/run.sh local/browser.py ${SYSTEM:+"$SYSTEM"}
[ "$#" -gt 0 ] || infra/run.sh local/check_api.py ${SYSTEM:+"$SYSTEM"}
# cargo-nextest runs no examples of the documentation, and cargo test cannot choose those of one package.
[ "$#" -gt 0 ] || [ -n "$SYSTEM" ] || cargo test --doc --workspace --profile local "${target[@]}" --quiet
