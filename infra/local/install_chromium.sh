#!/usr/bin/env bash
# Installs Chromium with apt, if it is missing and apt is available. Without it no page is tried in a browser.
set -euo pipefail
[ -z "${CHROMIUM:-}" ] || exit 0
for name in chromium google-chrome google-chrome-stable chromium-browser; do
    ! command -v "$name" >/dev/null || exit 0
done
"$(dirname "${BASH_SOURCE[0]}")/apt_install.sh" Chromium chromium && exit 0
echo "── Chromium is missing: no page is tried in a browser. To install it, run"
echo "     sudo apt-get install --no-install-recommends chromium      or      brew install --cask chromium"
echo "   or name its path in CHROMIUM."
