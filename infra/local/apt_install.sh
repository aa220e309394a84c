#!/usr/bin/env bash
# Installs a package with apt: apt_install.sh NAME PACKAGE. Fails without apt, or without the right to use it.
set -euo pipefail
if [ "$(id -u)" = 0 ]; then as_root=(); else as_root=(sudo -n); fi
command -v apt-get >/dev/null && "${as_root[@]}" true 2>/dev/null || exit 1
echo "── Installing $1 with apt"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
if ! { "${as_root[@]}" apt-get update && "${as_root[@]}" apt-get install --yes --no-install-recommends "$2"; } >"$log" 2>&1; then
    tail -5 "$log" >&2
    exit 1
fi
