#!/usr/bin/env bash
# Invokes one function of the local stack with its sample event: invoke.sh documents-list
set -euo pipefail
function="${1:?which function? make invoke FUNCTION=documents-list}"
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
for event in events/*/*.json; do
    # events/documents/list.json is the event of documents-list.
    name="${event#events/}"
    name="${name%.json}"
    if [ "${name/\//-}" = "$function" ]; then
        exec cargo lambda invoke --remote --endpoint-url "$AWS_ENDPOINT_URL" "${STACK_NAME:-arsenal}-$function" \
            --data-file "$event"
    fi
done
echo "events/ has no file of the function $function." >&2
exit 2
