#!/usr/bin/env bash
# Starts the local AWS unless it runs, builds the functions, and deploys what has changed.
#   up.sh [SYSTEM]   deploys all systems, or one and what it needs; systems that are deployed already stay
#   PARAMETERS       further parameters of the template, as Name=value
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/env.sh"
# A name that is no system ends the script here.
names="$("$PYTHON" infra/systems.py names ${1:+"$1"})"

if [ -z "${ENDPOINT:-}" ]; then
    infra/local/install_clamd.sh
    echo "── Starting the local AWS on $AWS_ENDPOINT_URL"
    "$PYTHON" infra/local/local_aws.py up
fi

echo "── Building the functions (the first time takes minutes)"
infra/build.sh local

echo "── Deploying template.yaml with $names"
systems="$("$PYTHON" infra/systems.py parameters ${1:+"$1"})"
case "$(uname -m)" in aarch64 | arm64) architecture=arm64 ;; *) architecture=x86_64 ;; esac
# Functions in a container do not reach a provider on this machine.
providers="[]"
if [ -z "${ENDPOINT:-}" ]; then
    provider='{"id":"%s","name":"%s","issuer":"%s","client_id":"%s"}'
    # shellcheck disable=SC2059 # the format is the line above
    providers="[$(printf "$provider,$provider" local Local "$IDENTITY_ISSUER" "$IDENTITY_CLIENT" \
        errand Errand "$ERRAND_ISSUER" "$IDENTITY_CLIENT")]"
fi
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
# shellcheck disable=SC2086 # several parameters are several words
if ! sam deploy --config-env local \
    --parameter-overrides "Architecture=$architecture" RequireTls=false SignInsPerMinute=6000 \
    Scanner=clamd "ClamdAddress=$CLAMD_ADDRESS" TrustPrivateWebhooks=true \
    ModelProvider=openai "ModelUrl=$MODEL_URL" ModelId=smollm2-135m-instruct \
    "MailFrom=$MAIL_FROM" "PublicUrl=$AWS_ENDPOINT_URL/_aws/execute-api/{api}/\$default" \
    "IdentityProviders='$providers'" \
    "PaymentsUrl=$PAYMENTS_URL" "PaymentsKey=$PAYMENTS_SECRET_KEY" \
    "PaymentsSigningSecret=$PAYMENTS_WEBHOOK_SECRET" $systems ${PARAMETERS:-} >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
grep -E "^(Successfully|No changes)" "$log"
[ -n "${ENDPOINT:-}" ] || infra/run.sh local/set_up.py
