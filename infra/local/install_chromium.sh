#!/usr/bin/env bash
# Installs Chromium with apt, if it is missing and apt is available. Without it no page is tried in a browser.
set -euo pipefail
[ -z "${CHROMIUM:-}" ] || exit 0
for name in chromium google-chrome google-chrome-stable chromium-browser; do
    ! command -v "$name" >/dev/null || exit 0
done

install="apt-get install --yes --no-install-recommends chromium"
if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo -n); fi
if command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null; then
    echo "── Installing Chromium with apt"
    log="$(mktemp)"
    trap 'rm -f "$log"' EXIT
    export DEBIAN_FRONTEND=noninteractive
    if { "${as_root[@]}" apt-get update && "${as_root[@]}" $install; } >"$log" 2>&1; then
        exit 0
    fi
    tail -5 "$log" >&2
fi
echo "── Chromium is missing: no page is tried in a browser. To install it, run"
echo "     sudo $install      or      brew install --cask chromium"
echo "   or name its path in CHROMIUM."
