#!/usr/bin/env bash
# Reports the outcome of a job to the control plane. Builds call it at their end. With progress, it reports the step
# that the build starts now; a step lasts until the next one, or until the outcome.
#
#   callback.sh progress NAME [--summary TEXT] [--link URL]
#   callback.sh success [--resources FILE|JSON] [--app-url URL]
#   callback.sh failure [--reason TEXT]
#
# NAME has up to 100 characters, the summary up to 300.
# --resources is a JSON array of {"type", "externalIdentifier", "metadata"}, or a file with such an
# array: at most 1,000 resources, with at most 16,384 bytes of metadata each. The whole report has at most 262,144
# bytes. Pass more than 100 KiB as a file.
#
# Environment variables (the pipeline's variables have the same names):
#   CALLBACK_URL     the webhook's URL
#   TENANT_ID        the tenant's ID
#   CONTEXT_ID       the job's ID
#   JOB_KIND         provision, deprovision, change or retire
#   CALLBACK_SECRET  the signing secret; if not set, it is read from the secret SECRET_ARN
#   CLOCK_AHEAD_MS   how far the control plane's clock is ahead, in milliseconds; only that of a local run can be
#
# Exits with 0 if the control plane accepted the report, and with 1 if it rejected the report or could not be
# reached for about a minute. Progress never fails a build: it is tried twice, and then only warns. Requires bash,
# curl, openssl and python3, and the AWS CLI if CALLBACK_SECRET is not set.
set -euo pipefail

die() { echo "callback.sh: $1" >&2; exit 1; }
warn() { echo "callback.sh: $1" >&2; exit 0; }

outcome=${1:-}
[[ $outcome == success || $outcome == failure || $outcome == progress ]] ||
  die "the first argument must be success or failure, or progress"
shift
resources='[]' app_url='' reason='' step='' summary='' link=''
if [[ $outcome == progress ]]; then
  step=${1:-}
  [[ -n ${step//[[:space:]]/} ]] || die "progress needs the name of a step"
  shift
fi
while (($#)); do
  (($# > 1)) || die "the option $1 is unknown or has no value"
  case $1 in
    --resources) resources=$2 ;;
    --app-url) app_url=$2 ;;
    --reason) reason=$2 ;;
    --summary) summary=$2 ;;
    --link) link=$2 ;;
    *) die "the option $1 is unknown" ;;
  esac
  shift 2
done
for name in CALLBACK_URL TENANT_ID CONTEXT_ID JOB_KIND; do
  [[ -n ${!name:-} ]] || die "$name is not set"
done
[[ $JOB_KIND =~ ^(provision|deprovision|change|retire)$ ]] ||
  die "JOB_KIND must be provision, deprovision, change or retire, not $JOB_KIND"
# From here on, progress only warns. For example, the secret of a job that timed out is gone.
give_up=die
[[ $outcome != progress ]] || give_up=warn
if [[ -z ${CALLBACK_SECRET:-} ]]; then
  [[ -n ${SECRET_ARN:-} ]] || die "set CALLBACK_SECRET or SECRET_ARN"
  CALLBACK_SECRET=$(aws secretsmanager get-secret-value --secret-id "$SECRET_ARN" \
    --query SecretString --output text) || "$give_up" "the job's secret cannot be read"
fi
# The control plane only issues secrets of 64 bytes, one SHA-256 block. Such a key needs no padding.
[[ $CALLBACK_SECRET =~ ^[0-9a-f]{64}$ ]] || die "the secret must have 64 lowercase hexadecimal digits"
export -n CALLBACK_SECRET # commands started from here on need not know the secret

body=$(python3 - "$outcome" "$TENANT_ID" "$JOB_KIND" "$resources" "$app_url" "$reason" "$step" "$summary" "$link" <<'PYTHON'
import datetime, json, os, sys
# If a log was cut within a character, the report must still be valid JSON.
outcome, tenant, kind, resources, app_url, reason, step, summary, link = (
    os.fsencode(text).decode(errors="replace") for text in sys.argv[1:]
)
kinds = ["provision", "deprovision", "change", "retire"]
message = {"initiatorId": tenant, "type": kinds.index(kind)}
if outcome == "progress":
    line = lambda text: " ".join("".join(c if c.isprintable() else " " for c in text).split())
    # With the time, a repeated message is the same step.
    now = datetime.datetime.now(datetime.timezone.utc)
    now += datetime.timedelta(milliseconds=int(os.environ.get("CLOCK_AHEAD_MS") or 0))
    time = now.isoformat(timespec="milliseconds")
    progress = {"name": line(step)[:100], "time": time, "summary": line(summary)[:300], "link": link}
    message["progress"] = {name: value for name, value in progress.items() if value}
    print(json.dumps(message), end="")
    sys.exit()
data = {"status": int(outcome == "success")}
try:
    if os.path.isfile(resources):
        resources = open(resources, encoding="utf-8").read()
    data["resources"] = json.loads(resources)
except ValueError:
    sys.exit("callback.sh: --resources must be JSON or a file that contains JSON")
if app_url:
    data["appPlaneUrl"] = app_url
if reason:
    data["reason"] = reason[:2000]
print(json.dumps(message | {"data": data}), end="")
PYTHON
)

# Prints the HMAC-SHA256 (RFC 2104) of standard input. openssl accepts an HMAC key only on the command line, where
# every process on the machine can read it. So the key is passed on standard input, too.
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

# Prints the time in milliseconds. A bash before 5, such as that of macOS, does not know it.
now() {
  local microseconds=${EPOCHREALTIME:-}
  microseconds=${microseconds//[!0-9]/}
  if [[ -n $microseconds ]]; then
    echo $((microseconds / 1000))
  else
    python3 -c 'import time; print(int(time.time() * 1000))'
  fi
}

# Retries for more than a minute, longer than a rate limit lasts. Each attempt is signed again, because a signature
# is only valid for a few seconds.
waits=(1 2 4 8 16 32 0) most=30
# The key is that of this report, so that the control plane handles one attempt at a time.
key=$(printf '%s' "$CONTEXT_ID$body" | openssl dgst -sha256 -r | cut -d ' ' -f 1)
[[ $outcome != progress ]] || waits=(1 0) most=5
reject() { "$give_up" "the control plane rejected the report with status $status: ${answer:0:1000}"; }
for wait in "${waits[@]}"; do
  timestamp=$(($(now) + ${CLOCK_AHEAD_MS:-0}))
  signature=$(printf '%s%s%s' "$body" "$CONTEXT_ID" "$timestamp" | sign)
  answer=$(printf '%s' "$body" | curl --silent --write-out '\n%{http_code}' --max-time "$most" \
    --header 'content-type: application/json' --header "idempotency-key: $key" \
    --header "x-timestamp: $timestamp" --header "x-signature: $signature" \
    --data-binary @- "$CALLBACK_URL") || true
  status=${answer##*$'\n'}
  case $status in
    204) exit 0 ;;
    000 | 429 | 5??) sleep "$wait" ;;
    # An attempt whose answer was lost is still running.
    409) [[ $answer == *'"IDEMPOTENCY_IN_PROGRESS"'* ]] || reject; sleep "$wait" ;;
    *) reject ;;
  esac
done
"$give_up" "the control plane did not accept the report in time (last status $status)"
