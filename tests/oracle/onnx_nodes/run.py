#!/usr/bin/env python3
"""ONNX's node data (Debian's libonnx-testdata) as cases of oracle_tests: value only, in the dtype of the node.

run.py ORACLE_TESTS TABLE           converts the nodes, has them compared, and checks that TABLE is current
run.py ORACLE_TESTS TABLE --write   the same, and writes TABLE
Exits with 77, skipped, where libonnx-testdata is not installed.
"""
import collections
import json
import math
import os
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import nodes  # noqa: E402
import nodes_of_arrays  # noqa: E402,F401
import nodes_of_networks  # noqa: E402,F401
import reader  # noqa: E402
from graph import Graph, Skip, dtype_of  # noqa: E402

DATA = pathlib.Path("/usr/share/libonnx-testdata/data/node")


def main():
    if not DATA.is_dir():
        print("skipped: libonnx-testdata is not installed, which has the nodes of ONNX")
        sys.exit(77)
    program, table = sys.argv[1], pathlib.Path(sys.argv[2])
    cases, passed_over, taken = convert()
    text = as_table(taken, passed_over)
    if "--write" in sys.argv:
        table.write_text(text, encoding="utf-8")
    elif table.read_text(encoding="utf-8") != text:
        print(f"{table} is not current: ./dev oracle writes it")
        sys.exit(1)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory) / "onnx.json"
        path.write_text(json.dumps(in_json(cases), allow_nan=False), encoding="utf-8")
        sys.exit(subprocess.run([program, "-tc=*ONNX*"], env={**os.environ, "BACKDROP_ONNX_CASES": str(path)},
                                check=False).returncode)


def in_json(thing):
    """JSON has no word for NaN and infinities: they become strings."""
    if isinstance(thing, dict):
        return {key: in_json(value) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [in_json(value) for value in thing]
    return str(thing) if isinstance(thing, float) and not math.isfinite(thing) else thing


def convert():
    """The cases; (node, reason) of what is left out; and the nodes taken, by ONNX's op."""
    cases, passed_over, taken = [], [], collections.defaultdict(list)
    for folder in sorted(DATA.iterdir()):
        name = folder.name.removeprefix("test_")
        model = reader.Model((folder / "model.onnx").read_bytes())
        try:
            found = cases_of(name, folder, model)
        except Skip as reason:
            passed_over.append((name, model.nodes[0].op if len(model.nodes) == 1 else "", str(reason)))
            continue
        cases += found
        taken[model.nodes[0].op].append(name)
    return cases, passed_over, taken


def cases_of(name, folder, model):
    if name.endswith("_expanded"):
        raise Skip("the data of another node, for several nodes in its place")
    if len(model.nodes) != 1:
        raise Skip("several nodes")
    node = model.nodes[0]
    if node.op in nodes.WITHOUT:
        raise Skip(nodes.WITHOUT[node.op])
    if node.op not in nodes.OPS:
        raise Skip("no mapping")
    fed = dict(zip(model.inputs, tensors(folder, "input", len(model.inputs))))
    g = Graph(node, [fed[i] if i else None for i in node.inputs], [], model.version)
    wanted = dict(zip(model.outputs, tensors(folder, "output", len(model.outputs))))
    g.op, g.expected = node.op, [wanted[o] for o in node.outputs if o]
    if node.op in ("Max", "Min", "Where", "Pow", "Trilu") and g.expected[0].kind in (reader.INT32, reader.INT64):
        raise Skip("integers, of which the library does no arithmetic")
    of_nodes = iter(nodes.OPS[node.op](g))
    results = [next(of_nodes, None) if o else next(of_nodes, None) and None for o in node.outputs]
    places = [k for k, o in enumerate(node.outputs) if o and results[k] is not None]
    out = []
    for k in places:
        t = wanted[node.outputs[k]]
        upto = g.numbered()[:results[k].index + 1]
        out.append({"case": f"{node.op}: {name}" + (f", output {k}" if len(node.outputs) > 1 else ""),
                    "inputs": g.leaves, "steps": upto,
                    "y": {"dtype": dtype_of(t), "shape": t.shape, "values": t.values}})
    return out


def tensors(folder, kind, count):
    """The files of the one data set; a sequence or an optional is no tensor."""
    out = []
    for k in range(count):
        t = reader.Tensor((folder / "test_data_set_0" / f"{kind}_{k}.pb").read_bytes())
        if t.kind not in reader.NAMES or math.prod(t.shape) != len(t.values) and t.kind in reader.FORMATS:
            raise Skip("the library has no sequences, optionals, strings or branches")
        out.append(t)
    return out


def as_table(taken, passed_over):
    lines = ["# ONNX's nodes", "",
             "Written by `./dev oracle`, from Debian's libonnx-testdata and tests/oracle/onnx_nodes; a test checks that it is current.",
             "", f"{sum(map(len, taken.values()))} nodes of {len(taken)} ops are compared, {len(passed_over)} are left out.",
             "", "## Compared", "", "| ONNX's op | nodes | their names |", "| --- | --- | --- |"]
    lines += [f"| {op} | {len(names)} | {' '.join(names)} |" for op, names in sorted(taken.items())]
    by_reason = collections.defaultdict(list)
    for name, op, reason in passed_over:
        by_reason[reason].append(name)
    lines += ["", "## Left out", "", "| why | nodes | their names |", "| --- | --- | --- |"]
    lines += [f"| {reason} | {len(names)} | {' '.join(names)} |" for reason, names in
              sorted(by_reason.items(), key=lambda item: (-len(item[1]), item[0]))]
    return "\n".join(lines) + "\n"


main()
