#!/usr/bin/env bash
# Installs clamd with apt, if it is missing and apt is available. Without clamd all documents wait in `scan_pending`.
set -euo pipefail
PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v clamd >/dev/null && exit 0
"$(dirname "${BASH_SOURCE[0]}")/apt_install.sh" clamd clamav-daemon && exit 0
echo "── clamd is missing. Documents wait in scan_pending until it is installed. To install it, run"
echo "     sudo apt-get install --no-install-recommends clamav-daemon      or      brew install clamav"
echo "   and then make up again."
