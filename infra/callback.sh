#!/usr/bin/env bash
# Reports to the control plane how a job ended: what a build calls at its end.
#
#   callback.sh success [--resources FILE|JSON] [--app-url URL]
#   callback.sh failure [--reason TEXT]
#
# --resources is a JSON array of {"type", "externalIdentifier", "metadata"}, or a file that holds one: at
# most 98 of them, with 16,384 bytes of metadata for each. A stack with more is one resource.
#
# From the environment (the pipeline's variables have these names):
#   CALLBACK_URL     where to report
#   TENANT_ID        whom the job is for
#   CONTEXT_ID       the job
#   JOB_KIND         provision or deprovision
#   CALLBACK_SECRET  what to sign with; without it, it is read from the secret SECRET_ARN
#
# Exit code 0 once the control plane has it, 1 if it refuses or cannot be reached for a while.
# Needs bash, curl, openssl and python3, and the AWS CLI where CALLBACK_SECRET is not set.
set -euo pipefail

die() { echo "callback.sh: $1" >&2; exit 1; }

outcome=${1:-}
[[ $outcome == success || $outcome == failure ]] || die "say success or failure"
shift
resources='[]' app_url='' reason=''
while (($#)); do
  (($# > 1)) || die "$1 is unknown or has no value"
  case $1 in
    --resources) resources=$2 ;;
    --app-url) app_url=$2 ;;
    --reason) reason=$2 ;;
    *) die "$1 is unknown" ;;
  esac
  shift 2
done
for name in CALLBACK_URL TENANT_ID CONTEXT_ID JOB_KIND; do
  [[ -n ${!name:-} ]] || die "$name is not set"
done
[[ $JOB_KIND == provision || $JOB_KIND == deprovision ]] ||
  die "JOB_KIND is $JOB_KIND, not provision or deprovision"
if [[ -z ${CALLBACK_SECRET:-} ]]; then
  [[ -n ${SECRET_ARN:-} ]] || die "neither CALLBACK_SECRET nor SECRET_ARN is set"
  CALLBACK_SECRET=$(aws secretsmanager get-secret-value --secret-id "$SECRET_ARN" \
    --query SecretString --output text) || die "the job's secret cannot be read"
fi
# A key of one SHA-256 block needs no padding; the control plane hands out no others.
[[ $CALLBACK_SECRET =~ ^[0-9a-f]{64}$ ]] || die "the secret is not 64 digits of hex"
export -n CALLBACK_SECRET # what is started from here on need not know it

body=$(python3 - "$outcome" "$TENANT_ID" "$JOB_KIND" "$resources" "$app_url" "$reason" <<'PYTHON'
import json, os, sys
# A log that was cut within a character must not keep the report from being JSON.
outcome, tenant, kind, resources, app_url, reason = (
    os.fsencode(text).decode(errors="replace") for text in sys.argv[1:]
)
data = {"status": int(outcome == "success")}
try:
    if os.path.isfile(resources):
        resources = open(resources, encoding="utf-8").read()
    data["resources"] = json.loads(resources)
except ValueError:
    sys.exit("callback.sh: --resources is neither JSON nor a file that holds it")
if app_url:
    data["appPlaneUrl"] = app_url
if reason:
    data["reason"] = reason[:2000]
print(json.dumps({"initiatorId": tenant, "type": int(kind == "deprovision"), "data": data}), end="")
PYTHON
)

# HMAC-SHA256 (RFC 2104) of standard input: openssl takes a key on the command line alone, where
# every process on the machine can read it, so the key goes in by standard input as well.
padded_key() {
  local pad=$1 i byte bytes=
  for ((i = 0; i < 64; i++)); do
    printf -v byte '%d' "'${CALLBACK_SECRET:i:1}"
    printf -v byte '\\x%02x' $((byte ^ pad))
    bytes+=$byte
  done
  printf '%b' "$bytes"
}
sign() {
  { padded_key 0x5c; { padded_key 0x36; cat; } | openssl dgst -sha256 -binary; } |
    openssl dgst -sha256 -r | cut -d ' ' -f 1
}

# A minute and more: longer than a rate limit lasts. Each try is signed anew, for a signature is good
# for some seconds only.
for wait in 1 2 4 8 16 32 0; do
  timestamp=$(python3 -c 'import time; print(int(time.time() * 1000))')
  signature=$(printf '%s%s%s' "$body" "$CONTEXT_ID" "$timestamp" | sign)
  answer=$(printf '%s' "$body" | curl --silent --write-out '\n%{http_code}' --max-time 15 \
    --header 'content-type: application/json' \
    --header "x-timestamp: $timestamp" --header "x-signature: $signature" \
    --data-binary @- "$CALLBACK_URL") || true
  status=${answer##*$'\n'}
  case $status in
    204) exit 0 ;;
    000 | 429 | 5??) sleep "$wait" ;;
    *) die "the control plane refused the report with status $status: ${answer:0:1000}" ;;
  esac
done
die "the control plane cannot be reached (last status $status)"
