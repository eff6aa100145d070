"""Reductions, shapes, indices, products and windows."""
import math

from graph import Skip, dtype_of
from nodes import OPS, onnx


def axes_of(g):
    axes = g.list(1) if g.has(1) else g.a.get("axes") or []
    keep = {"keepdims": True} if g.a.get("keepdims", 1) else {}
    return {**({"axes": axes} if axes else {}), **keep}


REDUCE = {"ReduceL2": "norm", "ReduceLogSumExp": "logsumexp", "ReduceMax": "max", "ReduceMean": "mean",
          "ReduceMin": "min", "ReduceProd": "prod", "ReduceSum": "sum"}


@onnx(*REDUCE, "ReduceL1", "ReduceLogSum", "ReduceSumSquare")
def reduce(g):
    if g.a.get("noop_with_empty_axes") and not (g.has(1) and g.list(1)):
        return [g.reshape(g.x(0), shape=g.shape(0))]
    if g.op in REDUCE:
        return [getattr(g, REDUCE[g.op])(g.x(0), **axes_of(g))]
    if g.op == "ReduceL1":
        return [g.sum(g.abs(g.x(0)), **axes_of(g))]
    if g.op == "ReduceLogSum":
        return [g.log(g.sum(g.x(0), **axes_of(g)))]
    return [g.sum(g.square(g.x(0)), **axes_of(g))]


@onnx("ArgMax", "ArgMin")
def argmax(g):
    """The last of equal ones is the first of the reversed axis: n - 1 - its place, by a table."""
    axis, op = g.a.get("axis", 0), {"ArgMax": "argmax", "ArgMin": "argmin"}[g.op]
    keep = {"keepdims": True} if g.a.get("keepdims", 1) else {}
    if not g.a.get("select_last_index"):
        return [getattr(g, op)(g.x(0), axis=axis, **keep)]
    n = g.shape(0)[axis]
    table = g.leaf("i64", [n], range(n - 1, -1, -1))
    return [g.index_select(table, getattr(g, op)(g.flip(g.x(0), axes=[axis]), axis=axis, **keep), axis=0)]


@onnx("CumSum")
def cumsum(g):
    axis = g.list(1)[0] % len(g.shape(0))
    options = {"reverse": True} if g.a.get("reverse") else {}
    y = g.cumsum(g.x(0), axis=axis, **options)
    return [g.sub(y, g.x(0)) if g.a.get("exclusive") else y]


@onnx("TopK")
def topk(g):
    options = {"k": g.list(1)[0], "axis": g.a.get("axis", -1), "largest": bool(g.a.get("largest", 1))}
    return [g.topk(g.x(0), output=output, **options) for output in (0, 1)]


@onnx("Trilu")
def trilu(g):
    k = g.list(1)[0] if g.has(1) else 0
    return [(g.triu if g.a.get("upper", 1) else g.tril)(g.x(0), diagonal=k)]


@onnx("Split")
def split(g):
    axis = g.a.get("axis", 0)
    sizes = [t.shape[axis] for t in g.expected]
    return [g.split(g.x(0), sizes=sizes, axis=axis, output=k) for k in range(len(sizes))]


@onnx("Slice")
def slice_(g):
    shape = g.shape(0)
    axes = [a % len(shape) for a in g.list(3)] if g.has(3) else list(range(len(g.list(1))))
    steps = g.list(4) if g.has(4) else [1] * len(axes)
    all_starts, all_stops, all_steps = [0] * len(shape), list(shape), [1] * len(shape)
    for axis, start, stop, step in zip(axes, g.list(1), g.list(2), steps):
        all_starts[axis], all_stops[axis], all_steps[axis] = start, stop, step
    return [g.slice(g.x(0), starts=all_starts, stops=all_stops, steps=all_steps)]


@onnx("Pad")
def pad(g):
    pads, mode = g.list(1), g.a.get("mode", "constant")
    before, after = pads[:len(pads) // 2], pads[len(pads) // 2:]
    if mode != "constant":
        return [getattr(g, "pad_" + mode)(g.x(0), before=before, after=after)]
    value = {"value": g.list(2)[0]} if g.has(2) and g.list(2)[0] != 0 else {}
    return [g.pad(g.x(0), before=before, after=after, **value)]


def positions(g, k, extent):
    """Indices with negative ones counted from the end here."""
    return g.leaf("i64", g.shape(k), [i % extent for i in g.list(k)])


@onnx("Gather")
def gather(g):
    axis = g.a.get("axis", 0)
    return [g.index_select(g.x(0), positions(g, 1, g.shape(0)[axis]), axis=axis)]


@onnx("GatherElements")
def gather_elements(g):
    axis = g.a.get("axis", 0)
    index = positions(g, 1, g.shape(0)[axis])
    return [g.gather(g.x(0), index, axis=axis)]


@onnx("GatherND")
def gather_nd(g):
    """Without a batch: tuples of indices are numbers of rows of the flattened leading axes."""
    if g.a.get("batch_dims"):
        raise Skip("indices of a batch")
    shape, width, flat = g.shape(0), g.shape(1)[-1], g.list(1)
    rows = []
    for at in range(0, len(flat), width):
        row = 0
        for index, extent in zip(flat[at:at + width], shape):
            row = row * extent + index % extent
        rows.append(row)
    table = g.reshape(g.x(0), shape=[math.prod(shape[:width]), *shape[width:]])
    return [g.index_select(table, g.leaf("i64", g.shape(1)[:-1], rows), axis=0)]


@onnx("OneHot")
def one_hot(g):
    classes, (off, on) = int(g.list(1)[0]), g.list(2)
    axis, rank = g.a.get("axis", -1), len(g.shape(0)) + 1
    wanted = [int(v) for v in g.list(0)]
    if any(not -classes <= v < classes for v in wanted):
        raise Skip("indices outside the classes")
    y = g.one_hot(g.leaf("i64", g.shape(0), [v % classes for v in wanted]), classes=classes)
    order = list(range(rank - 1))
    order.insert(axis % rank, rank - 1)
    y = g.add(g.scale(g.transpose(y, axes=order), factor=on - off), b=off)
    return [g.cast(y, dtype=dtype_of(g.expected[0]))]


@onnx("Hardmax")
def hardmax(g):
    axis, shape = g.a.get("axis", -1), g.shape(0)
    order = list(range(len(shape) - 1))
    order.insert(axis % len(shape), len(shape) - 1)
    y = g.one_hot(g.argmax(g.x(0), axis=axis), classes=shape[axis])
    return [g.cast(g.transpose(y, axes=order), dtype="f32")]


@onnx("DepthToSpace", "SpaceToDepth")
def depth_to_space(g):
    b, (n, c, h, w) = g.a["blocksize"], g.shape(0)
    if g.op == "SpaceToDepth":
        y = g.transpose(g.reshape(g.x(0), shape=[n, c, h // b, b, w // b, b]), axes=[0, 3, 5, 1, 2, 4])
        return [g.reshape(y, shape=[n, c * b * b, h // b, w // b])]
    if g.a.get("mode", "DCR") == "CRD":
        return [g.pixel_shuffle(g.x(0), factor=b)]
    y = g.transpose(g.reshape(g.x(0), shape=[n, b, b, c // b**2, h, w]), axes=[0, 3, 4, 1, 5, 2])
    return [g.reshape(y, shape=[n, c // b**2, h * b, w * b])]


@onnx("Constant")
def constant(g):
    t = g.a["value"]
    return [g.reshape(g.leaf("f32", t.shape, t.values), shape=t.shape)]


def as_expected(g, y):
    return g.cast(y, dtype=dtype_of(g.expected[0]))


@onnx("ConstantOfShape")
def constant_of_shape(g):
    value = g.a["value"].values[0] if "value" in g.a else 0
    return [as_expected(g, g.full(shape=g.list(0), value=value))]


@onnx("Range")
def range_(g):
    start, _, step = (g.list(k)[0] for k in range(3))
    return [as_expected(g, g.arange(count=g.expected[0].shape[0], start=start, step=step))]


@onnx("EyeLike")
def eye_like(g):
    ones, k = g.full(shape=g.shape(0), value=1), g.a.get("k", 0)
    return [as_expected(g, g.triu(g.tril(ones, diagonal=k), diagonal=k))]


@onnx("HannWindow", "HammingWindow", "BlackmanWindow")
def window(g):
    """a + b cos t + c cos 2t for t from 0 to 2 pi, which is included unless periodic. The data have pi = 3.1415."""
    n = g.list(0)[0]
    a, b, c = {"HannWindow": (0.5, -0.5, 0), "HammingWindow": (25 / 46, -21 / 46, 0),
               "BlackmanWindow": (0.42, -0.5, 0.08)}[g.op]
    t = g.arange(count=n, start=0, step=2 * 3.1415 / (n if g.a.get("periodic", 1) else n - 1))
    y = g.add(g.add(g.scale(g.cos(t), factor=b), g.scale(g.cos(g.scale(t, factor=2)), factor=c)), b=a)
    return [as_expected(g, y)]


@onnx("ReverseSequence")
def reverse_sequence(g):
    """gather, with the positions written down here."""
    shape, lengths, time = g.shape(0), g.list(1), g.a.get("time_axis", 0)
    batch = g.a.get("batch_axis", 1)
    index = []
    for flat in range(math.prod(shape)):
        place = place_of(flat, shape)
        length = lengths[place[batch]]
        index.append(length - 1 - place[time] if place[time] < length else place[time])
    return [g.gather(g.x(0), g.leaf("i64", shape, index), axis=time)]


def place_of(flat, shape):
    place = []
    for extent in reversed(shape):
        place.append(flat % extent)
        flat //= extent
    return place[::-1]


@onnx("Scatter", "ScatterElements")
def scatter_elements(g):
    """Elements that are written to become 0, to which scatter_add adds; the mask of them is written down here."""
    shape, axis, at = g.shape(0), g.a.get("axis", 0), g.shape(1)
    axis %= len(shape)
    indices = [i % shape[axis] for i in g.list(1)]
    written = [0] * math.prod(shape)
    for flat, index in enumerate(indices):
        place = place_of(flat, at)
        place[axis] = index
        position = 0
        for p, extent in zip(place, shape):
            position = position * extent + p
        if written[position] and g.a.get("reduction", "none") != "add":
            raise Skip("writes an element twice")
        written[position] = 1
    index, updates = g.leaf("i64", at, indices), g.x(2)
    mask = g.leaf("mask", shape, written)
    if any(a != s for k, (a, s) in enumerate(zip(at, shape)) if k != axis):
        raise Skip("indices that do not cover the other axes")
    added = g.scatter_add(updates, index, axis=axis, extent=shape[axis])
    if g.a.get("reduction", "none") == "add":
        return [g.add(g.x(0), added)]
    return [g.where(mask, added, g.x(0))]


@onnx("ScatterND")
def scatter_nd(g):
    """Rows by index_add."""
    shape, width, flat = g.shape(0), g.shape(1)[-1], g.list(1)
    rows = []
    for k in range(0, len(flat), width):
        row = 0
        for index, extent in zip(flat[k:k + width], shape):
            row = row * extent + index % extent
        rows.append(row)
    reduction, count = g.a.get("reduction", "none"), math.prod(shape[:width])
    if reduction not in ("none", "add") or reduction == "none" and len(set(rows)) < len(rows):
        raise Skip("multiplies elements, or writes one twice")
    updates = g.reshape(g.x(2), shape=[len(rows), *shape[width:]])
    added = g.reshape(g.index_add(updates, g.leaf("i64", [len(rows)], rows), axis=0, extent=count), shape=shape)
    if reduction == "add":
        return [g.add(g.x(0), added)]
    written = g.leaf("mask", shape[:width] + [1] * (len(shape) - width), [int(r in rows) for r in range(count)])
    return [g.where(written, added, g.x(0))]


@onnx("Gemm")
def gemm(g):
    options = {f"transpose_{name}": True for name, flag in (("a", "transA"), ("b", "transB")) if g.a.get(flag)}
    y = g.scale(g.matmul(g.x(0), g.x(1), **options), factor=g.a.get("alpha", 1.0))
    return [g.add(y, g.scale(g.x(2), factor=g.a.get("beta", 1.0)))] if g.has(2) else [y]


def same_pads(g, kernel, strides, dilations, sizes):
    pads = g.a.get("pads", [0] * (2 * len(kernel)))
    auto = g.a.get("auto_pad", "NOTSET")
    if auto in ("NOTSET", "VALID"):
        return pads
    before, after = [], []
    for k, s, d, n in zip(kernel, strides, dilations, sizes):
        total = max(0, (-(-n // s) - 1) * s + d * (k - 1) + 1 - n)
        before.append(total // 2 if auto == "SAME_UPPER" else total - total // 2)
        after.append(total - before[-1])
    return before + after


def halves(pads):
    return pads[:len(pads) // 2], pads[len(pads) // 2:]


@onnx("Conv")
def conv(g):
    kernel = g.shape(1)[2:]
    n = len(kernel)
    strides, dilations = g.a.get("strides", [1] * n), g.a.get("dilations", [1] * n)
    before, after = halves(same_pads(g, kernel, strides, dilations, g.shape(0)[2:]))
    x = g.x(0)
    if before != after:
        x, before = g.pad(x, before=[0, 0, *before], after=[0, 0, *after]), [0] * n
    bias = [g.x(2)] if g.has(2) else []
    return [getattr(g, f"conv{n}d")(x, g.x(1), *bias, stride=strides, padding=before, dilation=dilations,
                                    groups=g.a.get("group", 1))]


@onnx("ConvTranspose")
def conv_transpose(g):
    """The whole of the transpose, of which pads are then cut off."""
    kernel = g.shape(1)[2:]
    n = len(kernel)
    strides, dilations = g.a.get("strides", [1] * n), g.a.get("dilations", [1] * n)
    extra, wanted = g.a.get("output_padding", [0] * n), g.expected[0].shape[2:]
    whole = [(i - 1) * s + d * (k - 1) + 1 for i, s, d, k in zip(g.shape(0)[2:], strides, dilations, kernel)]
    extra = [max(e, w - o) for e, w, o in zip(extra, wanted, whole)]
    whole = [o + e for o, e in zip(whole, extra)]
    before = halves(g.a["pads"])[0] if "pads" in g.a else [
        (w - o) - (w - o) // 2 if g.a.get("auto_pad") == "SAME_LOWER" else (w - o) // 2
        for w, o in zip(whole, wanted)]
    bias = [g.x(2)] if g.has(2) else []
    # With output_padding added by hand, as ours must be smaller than the stride.
    y = getattr(g, f"conv_transpose{n}d")(g.x(0), g.x(1), *bias, stride=strides, dilation=dilations)
    if any(extra):
        y = g.pad(y, before=[0] * (n + 2), after=[0, 0, *extra])
    starts, stops = [0, 0, *before], [*g.expected[0].shape[:2], *[b + o for b, o in zip(before, wanted)]]
    return [g.slice(y, starts=starts, stops=stops)]


@onnx("AveragePool", "MaxPool")
def pool(g):
    """Windows that ceil_mode adds reach into padding on the right, which is made as wide as they need."""
    kernel, sizes = g.a["kernel_shape"], g.shape(0)[2:]
    n = len(kernel)
    if len(g.expected) > 1:
        raise Skip("with the places of the greatest elements")
    strides, dilations = g.a.get("strides", [1] * n), g.a.get("dilations", [1] * n)
    before, after = halves(same_pads(g, kernel, strides, dilations, sizes))
    maximum = g.op == "MaxPool"
    options = {"kernel": kernel, "stride": strides}
    if any(d != 1 for d in dilations):
        options["dilation"] = dilations
    if n == 1:
        options = {k: v[0] for k, v in options.items()}
    op = f"{'max' if maximum else 'avg'}_pool{n}d"
    if g.a.get("ceil_mode"):
        return [getattr(g, op)(g.x(0), ceil_mode=True, **options)]

    def padded(x, value):
        if not any(before + after):
            return x
        return g.pad(x, before=[0, 0, *before], after=[0, 0, *after], **({"value": value} if value else {}))
    if maximum:
        return [getattr(g, op)(padded(g.x(0), -1e30), **options)]
    y = getattr(g, op)(padded(g.x(0), 0), **options)
    if g.a.get("count_include_pad") or not any(before + after):
        return [y]
    ones = g.leaf("f32", [1, 1, *sizes], [1.0] * math.prod(sizes))
    return [g.div(y, getattr(g, op)(padded(ones, 0), **options))]


@onnx("GlobalAveragePool", "GlobalMaxPool")
def global_pool(g):
    axes = list(range(2, len(g.shape(0))))
    return [(g.max if g.op == "GlobalMaxPool" else g.mean)(g.x(0), axes=axes, keepdims=True)]


@onnx("Resize", "Upsample")
def resize(g):
    mode, shape, wanted = g.a.get("mode", "nearest"), g.shape(0), g.expected[0].shape
    place = g.a.get("coordinate_transformation_mode", "half_pixel")
    rounding = g.a.get("nearest_mode", "round_prefer_floor")
    as_ours = (place, rounding) in [("half_pixel", "round_prefer_floor"), ("asymmetric", "floor")]
    if g.op == "Upsample" or mode == "nearest" and all(w % s == 0 for w, s in zip(wanted, shape)) and as_ours:
        return [g.upsample_nearest(g.x(0), size=wanted[2:])]
    if mode == "linear" and wanted[2] > shape[2] and place in ("half_pixel", "align_corners"):
        options = {"align_corners": True} if place == "align_corners" else {}
        return [g.upsample_bilinear(g.x(0), size=wanted[2:], **options)]
    raise Skip(f"{mode}, {place}: not of the kinds that the library has")
