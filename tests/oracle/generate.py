#!/usr/bin/env python3
"""Writes data/*.json, what PyTorch 1.13 (Debian's python3-torch) says of the programs in families/, and cases.md about them.

./dev oracle installs what this needs and runs it. See README.md.
"""
import collections
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "families")]

try:
    import torch
except ImportError:
    sys.exit("generate.py needs PyTorch: apt-get install python3-torch, and Debian's /usr/bin/python3")

import recorder  # noqa: E402

FAMILIES = ["elementwise", "reductions", "shapes", "products", "networks", "dropouts", "programs", "extremes"]


def main():
    torch.set_num_threads(1)
    used = set()
    written = {}
    for family in FAMILIES:
        recorded = __import__(family).cases().all
        used |= {step[0] for _, r in recorded for step in r.steps}
        written[family] = [recorder.answer(case, r) for case, r in recorded]
        recorder.write(HERE / "data" / f"{family}.json", written[family])
        print(f"{family}: {len(written[family])} cases, {derived(written[family])} with derivatives")
    for unused in sorted(set(recorder.OPS) - used):
        sys.exit(f"no case uses {unused}")
    (HERE / "cases.md").write_text(about(written), encoding="utf-8")


def derived(cases):
    return sum("of" in case for case in cases)


def about(written):
    everything = [case for cases in written.values() for case in cases]
    lines = ["# What PyTorch was asked", "", "Written by generate.py.", "",
             "| family | cases | with derivatives | functions, each with the number of its cases |",
             "| --- | --- | --- | --- |"]
    for family, cases in written.items():
        ops = collections.Counter(name for case in cases for name in {step[0] for step in case["steps"]})
        names = " ".join(f"{name} {n}" for name, n in sorted(ops.items()))
        lines.append(f"| {family} | {len(cases)} | {derived(cases)} | {names} |")
    lines += [f"| all | {len(everything)} | {derived(everything)} | |", "",
              "Functions that PyTorch 1.13 lacks, or that do not do here. Their answers are those of formulas in other",
              "functions of PyTorch, which differentiates them:", "", "| function | why |", "| --- | --- |"]
    names = {step[0] for case in everything for step in case["steps"]}
    lines += [f"| {name} | {why} |" for name, why in sorted(recorder.SPELLED_OUT.items()) if name in names]
    lines += ["", "Ops that PyTorch cannot answer for:", "", "| op | why |", "| --- | --- |"]
    for line in (HERE / "no_answer.txt").read_text().splitlines():
        lines.append("| {} | {} |".format(*line.split(": ", 1)))
    return "\n".join(lines) + "\n"


main()
