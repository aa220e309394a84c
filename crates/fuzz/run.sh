#!/usr/bin/env bash
# Fuzzes the code that reads untrusted PDFs and requests: run.sh SECONDS [TARGET…]
#
# Every target runs for SECONDS, one after the other. The seeds are written anew, the inputs that the
# targets find stay in corpus/, and a file that breaks a target is kept in artifacts/TARGET/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

if [[ ! ${1:-} =~ ^[0-9]+$ ]]; then
    echo "usage: $0 SECONDS [TARGET…]" >&2
    exit 2
fi
seconds=$1
shift

command -v c++ >/dev/null || {
    echo "Install a C++ compiler, for libFuzzer: apt-get install g++" >&2
    exit 1
}

host=$(rustc --print host-tuple)
target_dir=${CARGO_TARGET_DIR:-$PWD/target}
mapfile -t all < <(sed -n 's/^path = "fuzz_targets\/\(.*\)\.rs"$/\1/p' Cargo.toml)
targets=("$@")
(($#)) || targets=("${all[@]}")

echo "── Building"
# What cargo-fuzz would have a nightly compiler do: count the edges that run, as libFuzzer reads them.
# The code is safe Rust; without AddressSanitizer it runs several times as often.
coverage="--cfg fuzzing -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1"
RUSTFLAGS=$coverage cargo build --quiet --release --target "$host" --bins
echo "── Writing seeds to corpus/"
cargo run --quiet --release --package seeds -- corpus ../../tests/pdf ../../tests/pdf/bad

failed=0
for target in "${targets[@]}"; do
    corpora=("corpus/$target")
    options=(-max_len=131072 -dict=pdf.dict)
    case $target in
    cos_content) corpora+=(corpus/content) ;;
    xmp) corpora+=(corpus/xmp) ;;
    # Its bytes choose the parts of an event, and few bytes choose few parts.
    edge) options=(-max_len=4096 -len_control=0) ;;
    *) corpora+=(corpus/pdf) ;;
    esac
    mkdir -p "corpus/$target" "artifacts/$target"
    log=$(mktemp)
    status=0
    "$target_dir/$host/release/$target" "${corpora[@]}" "${options[@]}" \
        -seed=1 -max_total_time="$seconds" -timeout=20 -rss_limit_mb=1024 \
        -artifact_prefix="artifacts/$target/" -print_final_stats=1 \
        >"$log" 2>&1 || status=$?
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -1)
    peak=$(sed -n 's/^stat::peak_rss_mb: *//p' "$log" | tail -1)
    if ((status)); then
        failed=1
        echo "$target: FOUND after ${runs:-?} executions, peak ${peak:-?} MB"
        grep -aE 'panicked|^SUMMARY|Test unit written' -A 2 "$log" | sed 's/^/    /'
    else
        echo "$target: nothing in ${runs:-?} executions of ${seconds} s, peak ${peak:-?} MB"
    fi
    rm -f "$log"
done
exit "$failed"
