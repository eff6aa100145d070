#!/usr/bin/python3
"""validate_schema.py SCHEMA PROGRAM: validates every dump that PROGRAM prints with an independent validator,
and makes sure that the schema refuses what it should. Exits with 77 when the validator is not installed."""

import copy
import json
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)


def documents(text):
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        document, at = decoder.raw_decode(text, at)
        at += 1  # the line feed
        yield document


def damaged(document):
    """The document with one thing wrong, in several ways."""

    def node(change):
        other = copy.deepcopy(document)
        change(other["nodes"][-1])
        return other

    yield {**document, "version": 2}
    yield {**document, "format": "onnx"}
    yield {**document, "edges": []}
    yield {key: document[key] for key in ("format", "version")}
    yield node(lambda n: n.update(id=-1))
    yield node(lambda n: n.update(colour="red"))
    yield node(lambda n: n.update(dtype="f16"))
    yield node(lambda n: n.update(shape=[-1]))
    yield node(lambda n: n.update(inputs=["1"]))
    yield node(lambda n: n.update(value=[1.0]))
    yield node(lambda n: n.update(source="a/b.cpp:1"))
    yield node(lambda n: n.update(attrs={"p": None}))
    yield node(lambda n: n.update(attrs={"key": {"seed": 1, "stream": 0}}))
    yield node(lambda n: n.update(result=0, body=[{}]))
    yield node(lambda n: n.pop("op"))


def main(schema_path, program):
    with open(schema_path, encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    text = subprocess.run([program], check=True, capture_output=True).stdout.decode("utf-8")

    ops, count = set(), 0
    for document in documents(text):
        count += 1
        ops.update(node["op"] for node in document["nodes"])
        for error in validator.iter_errors(document):
            sys.exit(f"{error.json_path}: {error.message}\n{json.dumps(document)[:2000]}")
        if document["nodes"][-1]["op"] not in ("input", "variable", "constant"):
            last = document
    for k, wrong in enumerate(damaged(last)):
        if validator.is_valid(wrong):
            sys.exit(f"damage {k} is accepted: {json.dumps(wrong)[:2000]}")
    print(f"{count} dumps with {len(ops)} ops follow the schema")
    if count < 10:
        sys.exit("that is too few: does the program print its samples?")


main(*sys.argv[1:])
