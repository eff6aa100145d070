#!/usr/bin/env python3
"""Asks torch.autograd.gradcheck about the cases that the program ceres_verdicts prints, and writes verdicts.txt.

    torch_verdicts.py path/to/ceres_verdicts

./dev peers installs what this needs and runs it. The derivative is the case's, so all are asked about the same
numbers; the functions are written again here, and must have the same values.
"""
import itertools
import json
import pathlib
import subprocess
import sys

import torch

KEEP = 0.75
MASK = torch.tensor([1, 0, 1, 1], dtype=torch.float64)
MATRIX = torch.tensor([[1, 2, 3, 4], [0, 1, -1, 2], [5, 0, 1, 1], [2, 2, -3, 1]], dtype=torch.float64)


def weights(rows, columns, first=0):
    return torch.tensor([[((i * 7 + (j + first) * 3) % 11 - 5) / 8 for j in range(columns)] for i in range(rows)],
                        dtype=torch.float64)


calls = itertools.count()


def redrawn_dropout(x):
    torch.manual_seed(next(calls))
    return torch.nn.functional.dropout(x * x, 0.25)


FUNCTIONS = {
    "square": lambda x: x * x,
    "noisy_square": lambda x: (1e8 + x * x) - 1e8,
    "dropout": lambda x: MASK * x * x / KEEP,
    "redrawn_dropout": redrawn_dropout,
    "matrix": lambda x: MATRIX @ (x * x),
    "two_rows": lambda x: (x * x).expand(2, 4).reshape(8),
    "tiny": lambda x: (1e-6 * x * x).sum().reshape(1),
    "ripples": lambda x: torch.sin(1e8 * x),
    "root": torch.sqrt,
    "relu": torch.relu,
    "mlp": lambda x: weights(5, 2, 4).T @ torch.tanh(weights(5, 3) @ x),
}


def by_hand(case):
    """The function of the case, with its derivative."""
    jacobian = torch.tensor(case["jacobian"], dtype=torch.float64).reshape(len(case["y"]), len(case["x"]))

    class ByHand(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return FUNCTIONS[case["function"]](x)

        @staticmethod
        def backward(ctx, g):
            return g @ jacobian

    return ByHand.apply


class Doubled(torch.autograd.Function):
    """2x whose own derivative is 3."""

    @staticmethod
    def forward(ctx, x):
        return 2 * x

    @staticmethod
    def backward(ctx, g):
        return 3 * g


class Square(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return g * Doubled.apply(*ctx.saved_tensors)


def flagged(case, fast):
    x = torch.tensor(case["x"], dtype=torch.float64, requires_grad=True)
    torch.manual_seed(0)
    if case["second_order"]:
        return not torch.autograd.gradgradcheck(Square.apply, (x,), raise_exception=False, fast_mode=fast)
    return not torch.autograd.gradcheck(by_hand(case), (x,), raise_exception=False, fast_mode=fast)


def check_same_function(case):
    if case["function"] == "redrawn_dropout":
        return
    y = FUNCTIONS[case["function"]](torch.tensor(case["x"], dtype=torch.float64))
    expected = torch.tensor(case["y"], dtype=torch.float64)
    if not torch.allclose(y, expected, rtol=1e-12, atol=1e-300):
        sys.exit(f"{case['name']}: PyTorch computes {y.tolist()}, and ceres_verdicts {expected.tolist()}")


def main():
    asked = json.loads(subprocess.run(sys.argv[1], check=True, stdout=subprocess.PIPE).stdout)
    torch.set_num_threads(1)
    says = {False: "passed", True: "flagged"}
    lines = ["# What other checkers say of the derivatives in cases.cpp; written by ./dev peers.",
             "; ".join(["case", f"PyTorch {torch.__version__.split('a')[0]}", "the same, fast_mode",
                        f"Ceres {asked['version'].split('-')[0]}"])]
    for case in asked["cases"]:
        check_same_function(case)
        ceres = "no second order" if case["second_order"] else says[case["flagged"]]
        lines.append("; ".join([case["name"], says[flagged(case, False)], says[flagged(case, True)], ceres]))
    (pathlib.Path(__file__).parent / "verdicts.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


main()
