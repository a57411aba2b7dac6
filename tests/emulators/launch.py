"""Starts ministack, and adds behaviour of AWS that ministack 1.5 lacks.

- Lambda tries an event that a rule hands over again, as EventInvokeConfig says; ministack drops it.
- A batch of a stream of which a function names failures comes again; ministack takes it for done.
"""

import json

from ministack.app import main
from ministack.services import eventbridge, lambda_svc


def hand_over(arn, payload):
    function, config, _ = lambda_svc._get_func_record_for_ref(arn)
    record = lambda_svc._execution_record_for_config(function, config)
    # A version has no settings of its own, but its function has.
    lambda_svc.invoke_async_with_retry(function | record, json.loads(payload))


def execute(function, event, execute=lambda_svc._execute_function):
    result = execute(function, event)
    is_of_a_table = isinstance(event, dict) and "dynamodb" in (event.get("Records") or [{}])[0]
    body = result.get("body")
    if is_of_a_table and isinstance(body, dict) and body.get("batchItemFailures"):
        return result | {"error": True}
    return result


for module, name in [(eventbridge, "_dispatch_to_lambda"), (lambda_svc, "_execute_function")]:
    getattr(module, name)  # fails with another version of ministack
eventbridge._dispatch_to_lambda = hand_over
lambda_svc._execute_function = execute
main()
