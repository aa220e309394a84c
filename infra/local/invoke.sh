#!/usr/bin/env bash
# Invokes one function of the local stack with its sample event: invoke.sh documents-list
set -euo pipefail
function="${1:?which function? make invoke FUNCTION=documents-list}"
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
cargo lambda invoke --remote --endpoint-url "$AWS_ENDPOINT_URL" "arsenal-$function" \
    --data-file "events/$function.json"
