#!/usr/bin/env bash
# Checks format, code, dependencies and templates, and starts nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
PATH="$PWD/.venv/bin:$PATH"
export SAM_CLI_TELEMETRY=0
# The functions are built for the same target, so the lints share their dependencies.
target=(--target "$(rustc --print host-tuple)")

echo "── Format and lints of the code"
cargo fmt --all --check
cargo clippy --workspace --all-targets "${target[@]}" --profile local --quiet -- --deny warnings
RUSTDOCFLAGS="--deny warnings" cargo doc --no-deps --workspace --profile local "${target[@]}" --quiet

echo "── Dependencies"
cargo shear
for manifest in Cargo.toml crates/fuzz/Cargo.toml; do
    [ ! -e "$manifest" ] || cargo deny --log-level error --manifest-path "$manifest" --workspace --config deny.toml \
        check --hide-inclusion-graph licenses bans sources
done
# The database of known vulnerabilities changes every day, and is on GitHub. Without it the rest is checked.
if timeout 60 cargo deny --log-level off fetch db 2>/dev/null; then
    cargo deny --offline --log-level error --workspace check advisories
else
    echo "The database of known vulnerabilities (RustSec) cannot be fetched: they are not checked."
fi

echo "── Templates and pages"
for template in template.yaml functions/*/template.yaml; do
    sam validate --lint --template "$template"
done
cfn-lint
python infra/check_templates.py
python infra/check_docs.py
python infra/check_problems.py
LOG_LEVEL=ERROR .venv/checkov/bin/checkov --config-file .checkov.yaml --file template.yaml functions/*/template.yaml
