#!/usr/bin/python3
"""validate_reports.py SCHEMA PROGRAM: validates every report that PROGRAM --json prints with an independent
validator, and that it says what is wrong. Exits with 77 when the validator is not installed."""

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


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    validator = jsonschema.Draft202012Validator(schema)
    text = subprocess.run([sys.argv[2], "--json"], check=True, capture_output=True, text=True).stdout
    count = 0
    for report in reports(text):
        validator.validate(report)
        assert not report["passed"] and report["entries"]["fail"] > 0, report
        assert report["first_wrong_node"] and report["again"], report
        assert report["worst"] or report["trends"], report
        damaged = dict(report, colour="red")
        assert not validator.is_valid(damaged), "the schema takes anything"
        count += 1
    assert count > 50, count
    print(count, "reports are valid")


main()
