#!/usr/bin/env python3
"""Prints the parameters that a stage is deployed with, as JSON for `sam deploy --parameter-overrides file://`.

    infra/parameters.py STAGE [OVERRIDES...]

A later source takes precedence: the template's defaults, the stage's `parameter_overrides` in samconfig.toml,
then OVERRIDES (text such as "FromEmail=hello@example.com AppName='My App'"). Every parameter is printed, because
CloudFormation keeps the previous value of an omitted one: a corrected default, or a removed override, would not
reach an existing stack. Needs the Python environment of the SAM CLI.
"""

import json
import pathlib
import sys
import tomllib

from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

ROOT = pathlib.Path(__file__).parent.parent


def parameters(stage, overrides):
    """Returns the value of each parameter of the template by its name; exits if one is missing or unknown."""
    declared = yaml_parse((ROOT / "template.yaml").read_text())["Parameters"]
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    if "deploy" not in config.get(stage, {}):
        sys.exit(f"infra/parameters.py: samconfig.toml has no stage {stage}")
    own = config[stage]["deploy"]["parameters"]["parameter_overrides"]
    values = {name: str(one["Default"]) for name, one in declared.items() if "Default" in one}
    for source in [own, *overrides]:
        values |= parsed(source)
    if unknown := sorted(set(values) - set(declared)):
        sys.exit(f"infra/parameters.py: template.yaml has no parameter {', '.join(unknown)}")
    if missing := sorted(set(declared) - set(values)):
        sys.exit(f"infra/parameters.py: no value for {', '.join(missing)}")
    return values


def parsed(source):
    """Parses `Name=value` pairs by the rules of the SAM CLI."""
    return CfnParameterOverridesType().convert(source, None, None) if source else {}


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    print(json.dumps(parameters(sys.argv[1], sys.argv[2:]), indent=2, sort_keys=True))
