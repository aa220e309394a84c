# The scripts that use a local AWS source this file.
#   ENDPOINT     another endpoint that is compatible with AWS, such as LocalStack; then no local AWS is started
#   LOCAL_PORT   the port of the local AWS (4566)
#   LOCAL_NAME   the name of the local AWS, whose files are in .local/<name> (dev)

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
export LOCAL_NAME="${LOCAL_NAME:-dev}" LOCAL_PORT="${LOCAL_PORT:-4566}"
export AWS_ENDPOINT_URL="${ENDPOINT:-http://localhost:$LOCAL_PORT}"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test
export AWS_REGION="${AWS_REGION:-eu-central-1}" AWS_DEFAULT_REGION="${AWS_REGION:-eu-central-1}"
unset AWS_PROFILE AWS_SESSION_TOKEN
export SAM_CLI_TELEMETRY=0 SAM_CLI_POLL_DELAY=0.3
PATH="$PWD/.venv/bin:$PATH"
PYTHON="$PWD/.venv/bin/python"
# Besides the emulator, the local AWS has clamd, a language model, and a payment provider behind a proxy.
export CLAMD_PORT=$((LOCAL_PORT + 1000)) MODEL_PORT=$((LOCAL_PORT + 2000))
export PROVIDER_PORT=$((LOCAL_PORT + 3000)) PAYMENTS_PORT=$((LOCAL_PORT + 4000))
export CLAMD_ADDRESS="127.0.0.1:$CLAMD_PORT" MODEL_URL="http://127.0.0.1:$MODEL_PORT/v1"
export PAYMENTS_URL="http://127.0.0.1:$PAYMENTS_PORT"
# The tests in a browser and the errands each start an outside provider, at which users sign in. The secret is for the local stack
# only.
export IDENTITY_ISSUER="http://127.0.0.1:$((LOCAL_PORT + 5000))" ERRAND_ISSUER="http://127.0.0.1:$((LOCAL_PORT + 6000))"
export IDENTITY_CLIENT=arsenal IDENTITY_SECRET=identity_secret_local
# Nobody owns the domain. The local SES keeps all mails.
export MAIL_FROM=no-reply@arsenal.test
# These secrets are for the local payment provider only.
export PAYMENTS_SECRET_KEY=sk_test_local PAYMENTS_WEBHOOK_SECRET=whsec_local
