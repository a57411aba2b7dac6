#!/usr/bin/env bash
# Deploys or removes the stack of a siloed tenant, with a bucket. A tenant that moves here from the pool has it
# deployed; copy its data here, too. Prints the resources as JSON, and progress to
# standard error.
set -euo pipefail

# The values of the variables if the pipeline was started by hand.
[[ $TENANT_KEY != none ]] || { echo "no tenant: the control plane starts this pipeline" >&2; exit 1; }
stack="tenantry-silo-$TENANT_KEY"

of_stack() {
  aws cloudformation describe-stacks --stack-name "$stack" --query "Stacks[0].$1" --output text
}
bucket() {
  local name
  name=$(of_stack 'Outputs[?OutputKey==`Bucket`].OutputValue') && [[ $name == *-files-* ]] && echo "$name"
}
remove() {
  aws cloudformation delete-stack --stack-name "$stack" >&2
  aws cloudformation wait stack-delete-complete --stack-name "$stack" >&2
}

case $JOB_KIND in
  provision | change)
    # The stack of a failed attempt can be deleted, but not updated.
    if [[ $(of_stack StackStatus || true) == ROLLBACK_COMPLETE ]]; then remove; fi
    aws cloudformation deploy --stack-name "$stack" --template-file infra/pipelines/silo.yaml \
      --parameter-overrides "TenantKey=$TENANT_KEY" --no-fail-on-empty-changeset >&2
    name=$(bucket)
    printf '[{"type":"bucket","externalIdentifier":"%s","metadata":{"bucket":"%s","stack":"%s"}}]\n' \
      "$name" "$name" "$stack"
    ;;
  deprovision | retire)
    # Only an empty bucket can be deleted. An earlier attempt may have deleted it already.
    if name=$(bucket); then
      aws s3 rm --recursive --only-show-errors "s3://$name" >&2
    fi
    remove
    echo '[]'
    ;;
  *)
    echo "JOB_KIND is $JOB_KIND, not provision, deprovision, change or retire" >&2
    exit 1
    ;;
esac
