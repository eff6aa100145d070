"""Moving elements about, and picking them by indices."""
import torch
import torch.nn.functional as F

from recorder import Cases, given, indices, op, real

op("reshape")(lambda x, shape: x.reshape(shape))
op("flatten")(lambda x, first=0, last=-1: torch.flatten(x, first, last))
op("unsqueeze")(lambda x, axis: torch.unsqueeze(x, axis))
op("transpose")(lambda x, axes=None: x.permute(axes if axes else tuple(reversed(range(x.dim())))))
op("permute")(lambda x, axes: x.permute(axes))
op("swap_axes")(lambda x, a, b: torch.transpose(x, a, b))
op("broadcast_to")(lambda x, shape: torch.broadcast_to(x, shape))
op("concat")(lambda *x, axis: torch.cat(x, axis))
op("stack")(lambda *x, axis: torch.stack(x, axis))
op("split")(lambda x, sizes, axis, output: torch.split(x, sizes, axis)[output])
op("select")(lambda x, axis, index: torch.select(x, axis, index))
op("gather")(lambda x, i, axis: torch.gather(x, axis, i))
op("embedding")(lambda table, i, padding=None: F.embedding(i, table, padding))
op("one_hot")(lambda i, classes: F.one_hot(i, classes).to(torch.float64))
op("tril")(lambda x, diagonal=0: torch.tril(x, diagonal))
op("triu")(lambda x, diagonal=0: torch.triu(x, diagonal))
op("tile")(lambda x, repeats: torch.tile(x, repeats))
op("repeat")(lambda x, repeats: x.repeat(repeats))
op("repeat_interleave")(lambda x, repeats, axis: torch.repeat_interleave(x, repeats, axis))
op("unbind")(lambda x, axis, output: torch.unbind(x, axis)[output])
op("flip")(lambda x, axes: torch.flip(x, axes))
op("roll")(lambda x, shifts, axes: torch.roll(x, shifts, axes))
op("diagonal")(lambda x, offset=0, axis1=0, axis2=1: torch.diagonal(x, offset, axis1, axis2))
op("pixel_shuffle")(lambda x, factor: F.pixel_shuffle(x, factor))
op("pixel_unshuffle")(lambda x, factor: F.pixel_unshuffle(x, factor))
op("sum_to")(lambda x, shape: x.sum_to_size(shape))
op("full")(lambda shape, value: torch.full(shape, value, dtype=torch.float64))
op("arange")(lambda count, start, step: torch.arange(count, dtype=torch.float64) * step + start)
op("split_every")(lambda x, size, axis, output: torch.split(x, size, axis)[output])
op("chunk")(lambda x, chunks, axis, output: torch.chunk(x, chunks, axis)[output])
op("unfold")(lambda x, kernel, stride=1, padding=0, dilation=1: F.unfold(x, kernel, dilation, padding, stride))


@op("fold")
def fold(x, size, kernel, stride=1, padding=0, dilation=1):
    return F.fold(x, size, kernel, dilation, padding, stride)


@op("squeeze")
def squeeze(x, axes=()):
    for axis in sorted((a % x.dim() for a in axes), reverse=True):
        x = torch.squeeze(x, axis)
    return x if axes else torch.squeeze(x)


@op("slice")
def slice_(x, starts, stops, steps=None):
    """NumPy's; PyTorch refuses negative steps, so the positions are picked one by one. None = to the end."""
    for axis, (start, stop) in enumerate(zip(starts, stops)):
        positions = range(x.shape[axis])[start:stop:steps[axis] if steps else 1]
        x = torch.index_select(x, axis, torch.tensor(list(positions), dtype=torch.int64))
    return x


@op("pad")
def pad(x, before, after, value=0):
    return F.pad(x, [w for pair in reversed(list(zip(before, after))) for w in pair], value=value)


def pad_like(mode):
    """PyTorch pads the last axes only and wants two axes before them."""
    def call(x, before, after):
        skip = next(k for k, pair in enumerate(zip(before, after)) if any(pair))
        pads = [w for pair in reversed(list(zip(before, after))[skip:]) for w in pair]
        y = F.pad(x.reshape(1, -1, *x.shape[skip:]), pads, mode=mode)
        return y.reshape(*x.shape[:skip], *y.shape[2:])
    return call


op("pad_reflect")(pad_like("reflect"))
op("pad_edge")(pad_like("replicate"))
op("pad_circular")(pad_like("circular"))


@op("index_select")
def index_select(x, i, axis):
    y = torch.index_select(x, axis, i.reshape(-1))
    axis %= x.dim()
    return y.reshape(*x.shape[:axis], *i.shape, *x.shape[axis + 1:])


@op("index_add")
def index_add(x, i, axis, extent):
    shape = list(x.shape)
    shape[axis] = extent
    return torch.zeros(shape, dtype=x.dtype).index_add(axis, i, x)


@op("scatter_add")
def scatter_add(x, i, axis, extent):
    shape = list(x.shape)
    shape[axis] = extent
    return torch.zeros(shape, dtype=x.dtype).scatter_add(axis, i, x)


def cases():
    c = Cases("shapes")
    c.op("reshape", real(2, 6), shape=[3, 4])
    c.op("reshape", real(2, 3, 2), shape=[-1, 2])
    c.op("flatten", real(2, 3, 2))
    c.op("flatten", real(2, 3, 2), first=1, last=2)
    c.op("squeeze", real(2, 1, 3, 1))
    c.op("squeeze", real(2, 1, 3, 1), axes=[-1])
    for axis in [0, 1, -1]:
        c.op("unsqueeze", real(2, 3), axis=axis)
    c.op("transpose", real(2, 3, 4))
    c.op("transpose", real(2, 3, 4), axes=[1, 2, 0])
    c.op("permute", real(2, 3, 4), axes=[2, 0, 1])
    c.op("permute", real(2, 3), axes=[-1, 0])
    c.op("swap_axes", real(2, 3, 4), a=0, b=-1)
    c.op("swap_axes", real(2, 3, 4), a=1, b=2)
    c.op("broadcast_to", real(3, 1), shape=[2, 3, 4])
    c.op("broadcast_to", real(), shape=[2, 2])
    c.op("sum_to", real(2, 3, 4), shape=[3, 1])
    c.op("sum_to", real(2, 3), shape=[])
    c.op("full", shape=[2, 3], value=0.75)
    c.op("full", shape=[], value=-2.0)
    c.op("arange", count=4, start=0.5, step=0.25)
    c.op("arange", count=3, start=2, step=-1)
    joins(c)
    c.op("slice", real(5, 4), starts=[1, 0], stops=[4, 3], note="plain")
    c.op("slice", real(6, 4), starts=[0, -3], stops=[6, 4], steps=[2, 1])
    c.op("slice", real(6, 4), starts=[4, 0], stops=[0, 4], steps=[-2, 1])
    c.op("slice", real(5), starts=[-1], stops=[None], steps=[-1])
    c.op("select", real(3, 4), axis=0, index=1)
    c.op("select", real(3, 4, 2), axis=1, index=-1)
    c.op("pad", real(2, 3), before=[1, 0], after=[0, 2])
    c.op("pad", real(3), before=[2], after=[1])
    c.op("pad", real(2, 3), before=[0, 1], after=[1, 1], value=0.5)
    for mode in ["reflect", "edge", "circular"]:
        c.op("pad_" + mode, real(2, 4), before=[0, 2], after=[0, 1])
        c.op("pad_" + mode, real(1, 2, 3, 4), before=[0, 0, 1, 2], after=[0, 0, 2, 0])
    picks(c)
    for name in ["tril", "triu"]:
        c.op(name, real(3, 4))
        c.op(name, real(2, 3, 3), diagonal=1)
        c.op(name, real(3, 3), diagonal=-1)
    c.op("tile", real(2, 3), repeats=[2, 1])
    c.op("tile", real(3), repeats=[2, 2])
    c.op("repeat", real(2, 3), repeats=[2, 2])
    c.op("repeat", real(3), repeats=[3, 1])
    c.op("repeat_interleave", real(2, 3), repeats=2, axis=1)
    c.op("repeat_interleave", real(2, 3), repeats=3, axis=0)
    c.op("flip", real(2, 3), axes=[1])
    c.op("flip", real(2, 3, 2), axes=[0, -1])
    c.op("roll", real(5), shifts=[2], axes=[0])
    c.op("roll", real(3, 4), shifts=[-1, 2], axes=[0, 1])
    c.op("diagonal", real(3, 4))
    c.op("diagonal", real(3, 3), offset=-1)
    c.op("diagonal", real(2, 3, 4), offset=1, axis1=1, axis2=2)
    c.op("pixel_shuffle", real(1, 8, 2, 3), factor=2)
    c.op("pixel_shuffle", real(2, 9, 1, 2), factor=3)
    c.op("pixel_unshuffle", real(1, 2, 4, 2), factor=2)
    c.op("pixel_unshuffle", real(1, 1, 3, 6), factor=3)
    c.op("unfold", real(1, 2, 4, 4), kernel=[2, 2], stride=[2, 1])
    c.op("unfold", real(1, 1, 4, 5), kernel=[3, 2], padding=[1, 0], dilation=[1, 2])
    c.op("fold", real(1, 8, 6), size=[4, 4], kernel=[2, 2], stride=[2, 1])
    c.op("fold", real(1, 6, 12), size=[4, 5], kernel=[3, 2], padding=[1, 0], dilation=[1, 2])
    return c


def joins(c):
    c.op("concat", real(2, 2), real(1, 2), real(3, 2), axis=0)
    c.op("concat", real(2, 1), real(2, 3), axis=-1)
    c.op("stack", real(2, 3), real(2, 3), axis=0)
    c.op("stack", real(3), real(3), real(3), axis=-1)
    for output in [0, 1]:
        c.op("split", real(5, 2), sizes=[2, 3], axis=0, output=output)
        c.op("unbind", real(2, 3), axis=0, output=output)
    c.op("split_every", real(5, 2), size=2, axis=0, output=2)
    c.op("split_every", real(2, 6), size=3, axis=-1, output=0)
    c.op("chunk", real(5, 2), chunks=3, axis=0, output=2)
    c.op("chunk", real(2, 6), chunks=2, axis=1, output=1)
    c.op("split", real(2, 4), sizes=[1, 2, 1], axis=-1, output=1)
    c.op("unbind", real(2, 3), axis=1, output=2)


def picks(c):
    c.op("gather", real(3, 4), indices(3, 2, 4), axis=0)
    c.op("gather", real(2, 5), indices(5, 2, 3), axis=-1)
    c.op("index_select", real(4, 3), indices(4, 5), axis=0)
    c.op("index_select", real(2, 5, 2), indices(5, 3), axis=1)
    c.op("index_select", real(4, 2), indices(4, 2, 3), axis=0)
    c.op("index_add", real(5, 2), indices(3, 5), axis=0, extent=3)
    c.op("index_add", real(2, 4), indices(5, 4), axis=1, extent=5)
    c.op("embedding", real(5, 3), indices(5, 2, 2))
    c.op("embedding", real(4, 2), indices(4, 6))
    c.op("embedding", real(4, 2), given("i64", (5,), [1, 3, 1, 0, 3]), padding=1)
    c.op("scatter_add", real(3, 4), indices(2, 3, 4), axis=0, extent=2)
    c.op("scatter_add", real(2, 3), indices(5, 2, 3), axis=1, extent=5)
    c.op("one_hot", indices(4, 5), classes=4)
    c.op("one_hot", indices(3, 2, 2), classes=3)
