"""Reductions, cumulative sums, sorting."""
import torch

from recorder import Cases, away, distinct, given, mask, op, positive, real


def over(function):
    """A reduction over `axes` (none = all), which PyTorch may spell otherwise."""
    def call(x, axes=(), keepdims=False, **options):
        dims = tuple(axes) if axes else tuple(range(x.dim()))
        return function(x, dims, keepdims, **options) if x.dim() else function(x.reshape(1), (0,), False, **options)
    return call


def product(x, dims, keepdims):
    for dim in sorted((d % x.dim() for d in dims), reverse=True):
        x = torch.prod(x, dim, keepdim=keepdims)
    return x


REDUCTIONS = {
    "sum": lambda x, d, k: torch.sum(x, d, k), "mean": lambda x, d, k: torch.mean(x, d, k),
    "max": lambda x, d, k: torch.amax(x, d, k), "min": lambda x, d, k: torch.amin(x, d, k), "prod": product,
    "logsumexp": lambda x, d, k: torch.logsumexp(x, d, k),
    "norm": lambda x, d, k, **a: torch.linalg.vector_norm(x, dim=d, keepdim=k, **a),
    "var": lambda x, d, k, correction: torch.var(x, dim=d, correction=correction, keepdim=k),
    "std": lambda x, d, k, correction: torch.std(x, dim=d, correction=correction, keepdim=k),
}
for name, function in REDUCTIONS.items():
    op(name)(over(function))


def logic(function):
    def call(x, dims, keepdims):
        for dim in sorted((d % x.dim() for d in dims), reverse=True):
            x = function(x, dim, keepdim=keepdims)
        return x
    return over(call)


op("any")(logic(torch.any))
op("all")(logic(torch.all))
op("argmax")(lambda x, axis, keepdims=False: torch.argmax(x, axis, keepdims))
op("argmin")(lambda x, axis, keepdims=False: torch.argmin(x, axis, keepdims))
op("cumsum")(lambda x, axis, reverse=False: torch.cumsum(x.flip(axis), axis).flip(axis) if reverse else
             torch.cumsum(x, axis))
op("cumprod")(lambda x, axis: torch.cumprod(x, axis))
op("logcumsumexp")(lambda x, axis: torch.logcumsumexp(x, axis))
op("sort")(lambda x, axis, descending=False: torch.sort(x, axis, descending)[0])
op("argsort")(lambda x, axis, descending=False: torch.argsort(x, axis, descending))
# output 0: the values, 1: the indices
op("topk")(lambda x, k, axis, largest=True, output=0: torch.topk(x, k, axis, largest)[output])

AXES = [{}, {"axes": [1]}, {"axes": [0, 2], "keepdims": True}, {"axes": [-1], "keepdims": True}]


def cases():
    c = Cases("reductions")
    for name in ["sum", "mean", "logsumexp"]:
        for attributes in AXES:
            c.op(name, real(2, 3, 2), **attributes)
        c.op(name, real())
    for name in ["max", "min"]:
        for attributes in AXES:
            c.op(name, distinct(2, 3, 2), **attributes)
    for attributes in AXES:
        c.op("norm", real(2, 3, 2), **attributes)
        c.op("prod", away([0], 2, 3, 2), **attributes)
        for correction in [0, 1]:
            c.op("var", real(2, 3, 2), correction=correction, **attributes)
            c.op("std", real(2, 3, 2), correction=correction, **attributes)
    c.op("prod", given("f64", (2, 3), [0, 2, 3, 1.5, 0, 0]), axes=[1], note="zeros")
    for order in [1, 3, 2.5, -1, "inf", "-inf", 0, 2]:
        c.op("norm_of_order", away([0], 2, 3), order=order, axes=[1])
        c.op("norm_of_order", away([0], 2, 3), order=order)
    for name in ["any", "all"]:
        c.op(name, mask(2, 3, 2))
        c.op(name, mask(2, 5), axes=[1])
        c.op(name, mask(2, 3, 2), axes=[0, 2], keepdims=True)
    for name in ["argmax", "argmin"]:
        c.op(name, distinct(2, 3, 2), axis=1)
        c.op(name, distinct(2, 3), axis=-1, keepdims=True)
    for name, leaf in [("cumsum", real), ("cumprod", positive), ("logcumsumexp", real)]:
        c.op(name, leaf(2, 3, 2), axis=1)
        c.op(name, leaf(2, 4), axis=0)
        c.op(name, leaf(5), axis=-1)
    c.op("cumsum", real(2, 3), axis=1, reverse=True)
    c.op("cumprod", given("f64", (4,), [2, 0.5, 0, 3]), axis=0, note="a zero")
    for name in ["sort", "argsort"]:
        c.op(name, distinct(2, 4), axis=-1)
        c.op(name, distinct(3, 2), axis=0, descending=True)
    for output in [0, 1]:
        c.op("topk", distinct(2, 5), k=3, axis=-1, output=output)
        c.op("topk", distinct(4, 2), k=2, axis=0, largest=False, output=output)
    return c


op("norm_of_order")(over(lambda x, d, k, order: torch.linalg.vector_norm(x, float(order), d, k)))
