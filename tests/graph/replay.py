#!/usr/bin/python3
"""replay.py PROGRAM: evaluates the recording that PROGRAM prints, from docs/json.md and the ops' formulas
alone, in plain Python, and compares with the values that it prints after it. Composites are evaluated by their
bodies, so the formula of dropout is not known here."""

import base64
import json
import math
import struct
import subprocess
import sys

STEP = 3
WORD = 0xFFFFFFFF


def philox4x32_10(counter, key):
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (p1 >> 32) ^ c1 ^ k0, p1 & WORD, (p0 >> 32) ^ c3 ^ k1, p0 & WORD
        k0, k1 = (k0 + 0x9E3779B9) & WORD, (k1 + 0xBB67AE85) & WORD
    return c0 | c1 << 32 | c2 << 64 | c3 << 96


def draw_mask(count, p, key):
    d = math.floor(p * 2**32 + 0.5)
    if d in (0, 2**32):
        return [int(d == 0)] * count
    bits = 1 if d == 2**31 else 8 if d % 2**24 == 0 else 16
    seed, stream = int(key["seed"], 16), key["stream"]
    blocks = {}

    def number(first_block, e):
        q = first_block + e // (128 // bits)
        if q not in blocks:
            blocks[q] = philox4x32_10((q & WORD, q >> 32, stream, STEP), (seed & WORD, seed >> 32))
        return blocks[q] >> bits * (e % (128 // bits)) & (1 << bits) - 1

    def kept(e):
        u, t = number(0, e), d >> 32 - bits
        if u == t and bits == 16:
            return number(2**63, e) >= d % 2**16
        return u >= t

    return [int(kept(e)) for e in range(count)]


def numel(shape):
    return math.prod(shape)


def leaf_value(node):
    value, count = node["value"], numel(node["shape"])
    if isinstance(value, list):
        return [float(v) if isinstance(v, str) else v for v in value]
    if "bits" in value:
        packed = base64.b64decode(value["bits"])
        return [packed[e // 8] >> e % 8 & 1 for e in range(count)]
    letter = {"f32": "f", "f64": "d", "i64": "q"}[node["dtype"]]
    return list(struct.unpack(f"<{count}{letter}", base64.b64decode(value["base64"])))


def flat_index(index, shape, into):
    """Where element `index` of `shape` comes from in `into`, which broadcasts to it."""
    coordinates = []
    for extent in reversed(shape):
        coordinates.append(index % extent)
        index //= extent
    flat, step = 0, 1
    for extent, c in zip(reversed(into), coordinates):
        flat += step * (c if extent > 1 else 0)
        step *= extent
    return flat


def sum_into(x, x_shape, kept_shape):
    parts = [[] for _ in range(numel(kept_shape))]
    for k, v in enumerate(x):
        parts[flat_index(k, x_shape, kept_shape)].append(v)
    return [math.fsum(part) for part in parts]


def reduced_shape(shape, axes):
    axes = [a % len(shape) for a in axes] if axes else range(len(shape))
    return [1 if k in axes else extent for k, extent in enumerate(shape)]


def evaluate(node, inputs):
    """The value of a primitive in f64; inputs are (value, node)."""
    op, attrs, shape = node["op"], node.get("attrs", {}), node["shape"]
    x = inputs[0][0] if inputs else None
    if op == "full":
        return [attrs["value"]] * numel(shape)
    if op == "dropout_mask":
        return draw_mask(numel(shape), attrs["p"], attrs["key"])
    if op == "add":
        return [a + b for a, b in zip(x, inputs[1][0])]
    if op == "mul":
        if inputs[1][1]["dtype"] == "mask":
            return [a if m else 0.0 for a, m in zip(x, inputs[1][0])]
        return [a * b for a, b in zip(x, inputs[1][0])]
    if op == "scale":
        return [a * attrs["factor"] for a in x]
    if op == "square":
        return [a * a for a in x]
    if op == "broadcast_to":
        return [x[flat_index(k, shape, inputs[0][1]["shape"])] for k in range(numel(shape))]
    if op == "reshape":
        return x
    if op == "sum":
        return sum_into(x, inputs[0][1]["shape"], reduced_shape(inputs[0][1]["shape"], attrs["axes"]))
    if op == "sum_to":
        return sum_into(x, inputs[0][1]["shape"], shape)
    sys.exit(f"replay.py does not know op {op}")


def replay(nodes, known):
    """Evaluates nodes in order; `known` maps ids to (value, node)."""
    for node in nodes:
        if node["op"] in ("variable", "constant"):
            value = leaf_value(node)
        elif "body" in node:
            replay(node["body"], known)
            result = node.get("result", node["body"][-1]["id"] if node["body"] else None)
            value = known[result][0]
        else:
            value = evaluate(node, [known[i] for i in node["inputs"]])
        known[node["id"]] = (value, node)


def main(program):
    text = subprocess.run([program], check=True, capture_output=True).stdout.decode("utf-8")
    decoder = json.JSONDecoder()
    recording, end = decoder.raw_decode(text)
    expected, _ = decoder.raw_decode(text, end + 1)
    known = {}
    replay(recording["nodes"], known)
    masks = 0
    for node, reference in zip(recording["nodes"], expected["nodes"], strict=True):
        mine, theirs = known[node["id"]][0], leaf_value(reference)
        tolerance = 0 if node["dtype"] == "mask" else 1e-12
        masks += node["dtype"] == "mask"
        same = all(math.isclose(a, b, rel_tol=tolerance) for a, b in zip(mine, theirs, strict=True))
        if not same:
            sys.exit(f"node {node['id']} ({node['op']}): {mine[:8]} here, {theirs[:8]} there")
    if masks < 7:
        sys.exit("too few masks: the sample does not show what it should")
    print(f"{len(known)} values agree, {masks} masks among them")


main(*sys.argv[1:])
