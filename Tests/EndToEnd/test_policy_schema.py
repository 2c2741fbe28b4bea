# SPDX-License-Identifier: Apache-2.0
"""The schema of the policy language, by another implementation than ours: Debian's jsonschema, as editors have theirs."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml

REPOSITORY = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((REPOSITORY / "docs/policy.schema.json").read_text())
MALFORMED = REPOSITORY / "Tests/PolicyLanguageTests/Malformed"


def mistakes(text):
    return [error.message for error in jsonschema.Draft7Validator(SCHEMA).iter_errors(yaml.safe_load(text))]


def malformed():
    for name in ("knobs", "classes", "rules"):
        for case in ("\n" + (MALFORMED / f"{name}.txt").read_text()).split("\n=== ")[1:]:
            title, body = case.split("\n", 1)
            lines = [line for line in body.split("\n") if not line.startswith(">> ")]
            yield title, "\n".join(lines).replace("¦", "")


def test_the_schema_is_one():
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_the_documented_policy_keeps_the_schema():
    assert mistakes((REPOSITORY / "docs/policy.yaml").read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "{ buffer: 4MB }", "{ bufer: 4MiB }", "{ tx: { earlyAck: on } }", "{ dupAckThreshold: 900 }", "{ earlyAck: perhaps }",
        "{ leastRoundTrip: 5 }", "{ rate: 5 }", "{ window: auto }", "{ window: { scale: 7 } }", "{ additiveIncrease: 0 }",
        "{ phases: [{ until: 5s }] }", "{ adapt: [] }", "{ stripOptions: [sack] }", "{ lso: { mtu: 1500 } }", "[on]",
    ],
)
def test_a_class_that_the_reader_refuses_is_refused_by_the_schema(text):
    assert mistakes(f"apiVersion: vtcp/v1\nclasses: {{ a: {text} }}")


@pytest.mark.parametrize(
    "text",
    [
        "{ class: a }", "{ match: any }", "{ match: all, class: a }", "{ match: { dprt: 80 }, class: a }", "{ match: any, class: a, dport: 80 }",
        "{ match: { dport: 65536 }, class: a }", "{ match: { opener: vm }, class: a }", "{ match: any, class: a, replace: maybe }",
    ],
)
def test_a_rule_that_the_reader_refuses_is_refused_by_the_schema(text):
    assert mistakes(f"apiVersion: vtcp/v1\nrules: [{text}]")


def test_of_what_the_reader_refuses_the_schema_refuses_most():
    """What it can't: names that there are not, addresses, sums, what stands twice."""
    refused = [title for title, text in malformed() if mistakes(text)]
    assert len(refused) >= 140, refused
