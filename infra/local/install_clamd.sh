#!/usr/bin/env bash
# Installs clamd with apt, if it is missing and apt is available. Without clamd all documents wait in `scan_pending`.
set -euo pipefail
PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v clamd >/dev/null && exit 0

install="apt-get install --yes --no-install-recommends clamav-daemon"
if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo -n); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "── Installing clamd with apt"
    log="$(mktemp)"
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive
    if { "${as_root[@]}" apt-get update && "${as_root[@]}" $install; } >"$log" 2>&1; then
        exit 0
    fi
    tail -5 "$log" >&2
fi
echo "── clamd is missing. Documents wait in scan_pending until it is installed. To install it, run"
echo "     sudo $install      or      brew install clamav"
echo "   and then make up again."
