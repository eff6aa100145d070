#!/usr/bin/python3
"""validate_reports.py SCHEMA OP_SCHEMA PROGRAM: validates every report that PROGRAM --json prints with an
independent validator, and that it says what is wrong. Exits with 77 when the validator is not installed."""

import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def reports(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        report, at = decoder.raw_decode(text, at)
        at += 1  # the line feed
        yield report


def validator_of(path):
    with open(path, encoding="utf-8") as file:
        return jsonschema.Draft202012Validator(json.load(file))


def check(report):
    assert not report["passed"] and report["entries"]["fail"] > 0, report
    assert report["first_wrong_node"] and report["again"], report
    assert report["worst"] or report["trends"], report


def check_op(report):
    failed = [law for law in report["laws"] if law["failed"] > 0]
    assert not report["passed"] and all(law["failures"] for law in failed), report
    assert {"reverse", "transposed"} <= {law["law"] for law in failed}, report


def main():
    validators = {"backdrop.report": validator_of(sys.argv[1]), "backdrop.op_report": validator_of(sys.argv[2])}
    text = subprocess.run([sys.argv[3], "--json"], check=True, capture_output=True, text=True).stdout
    count = dict.fromkeys(validators, 0)
    for report in reports(text):
        kind = report["format"]
        validators[kind].validate(report)
        (check if kind == "backdrop.report" else check_op)(report)
        damaged = dict(report, colour="red")
        assert not validators[kind].is_valid(damaged), "the schema takes anything"
        count[kind] += 1
    assert count["backdrop.report"] > 50 and count["backdrop.op_report"] == 1, count
    print(count, "reports are valid")


main()
