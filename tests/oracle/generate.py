#!/usr/bin/env python3
"""Writes data/*.json: what PyTorch 1.13 (Debian's python3-torch) says of the programs in families/.

./dev oracle installs what this needs and runs it. See README.md.
"""
import collections
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "families")]

try:
    import torch
except ImportError:
    sys.exit("generate.py needs PyTorch: apt-get install python3-torch, and Debian's /usr/bin/python3")

import recorder  # noqa: E402

FAMILIES = ["elementwise", "reductions", "shapes", "products", "networks", "dropouts", "programs"]
NOT_THERE_YET = HERE / "not_there_yet.txt"


def main():
    torch.set_num_threads(1)
    families = [__import__(family) for family in FAMILIES]
    missing = set(re.sub("#.*", "", NOT_THERE_YET.read_text()).split()) if NOT_THERE_YET.exists() else set()
    left_out = collections.Counter()
    used = set()
    for name, module in zip(FAMILIES, families):
        written = []
        for case, r, order in module.cases().all:
            ops = {step[0] for step in r.steps}
            attributes = {f"{step[0]}:{attribute}" for step in r.steps for attribute in step[2]}
            used |= ops | attributes
            if (ops | attributes) & missing:
                left_out[name] += 1
            else:
                written.append(recorder.answer(case, r, order))
        recorder.write(HERE / "data" / f"{name}.json", written)
        derived = sum("of" in case for case in written)
        print(f"{name}: {len(written)} cases, {derived} with derivatives, {left_out[name]} left out")
    for stale in sorted(missing - used):
        sys.exit(f"{NOT_THERE_YET.name} names {stale}, which no case uses")
    for unused in sorted(set(recorder.OPS) - used):
        sys.exit(f"no case uses {unused}")


main()
