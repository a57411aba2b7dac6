#!/usr/bin/env bash
# Creates or removes the resources of a pooled tenant: a prefix of the shared bucket, with an entry that names
# the tenant. A tenant that moves here from a silo has them created; copy its data here, too. Prints the resources as JSON, and progress to standard error.
set -euo pipefail

# The values of the variables if the pipeline was started by hand.
[[ $TENANT_KEY != none ]] || { echo "no tenant: the control plane starts this pipeline" >&2; exit 1; }
prefix="s3://$POOL_BUCKET/$TENANT_KEY/"

case $JOB_KIND in
  provision | change)
    printf '{"tenantId":"%s","key":"%s"}\n' "$TENANT_ID" "$TENANT_KEY" |
      aws s3 cp --only-show-errors --content-type application/json - "${prefix}tenant.json" >&2
    printf '[{"type":"prefix","externalIdentifier":"%s","metadata":{"bucket":"%s"}}]\n' \
      "$prefix" "$POOL_BUCKET"
    ;;
  deprovision | retire)
    aws s3 rm --recursive --only-show-errors "$prefix" >&2
    echo '[]'
    ;;
  *)
    echo "JOB_KIND is $JOB_KIND, not provision, deprovision, change or retire" >&2
    exit 1
    ;;
esac
