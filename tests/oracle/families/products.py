"""Products, convolutions, pooling, resampling."""
import torch
import torch.nn.functional as F

from recorder import Cases, distinct, op, real


@op("matmul")
def matmul(a, b, transpose_a=False, transpose_b=False):
    return torch.matmul(a.transpose(-1, -2) if transpose_a else a, b.transpose(-1, -2) if transpose_b else b)


op("dot")(torch.dot)
op("outer")(torch.outer)
op("linear")(lambda x, w, *bias: F.linear(x, w, *bias))
op("einsum")(lambda *x, equation: torch.einsum(equation, *x))
op("addmm")(lambda c, a, b, beta=1, alpha=1: torch.addmm(c, a, b, beta=beta, alpha=alpha))
op("add_product")(lambda c, s, a, b, transpose_a=False, transpose_b=False:
                  c + s * matmul(a, b, transpose_a, transpose_b))
op("bilinear")(lambda a, b, w, *bias: F.bilinear(a, b, w, *bias))
for name, function in {"conv1d": F.conv1d, "conv2d": F.conv2d, "conv3d": F.conv3d,
                       "conv_transpose1d": F.conv_transpose1d, "conv_transpose2d": F.conv_transpose2d, "conv_transpose3d": F.conv_transpose3d}.items():
    op(name)(lambda x, w, *bias, function=function, **a: function(x, w, *bias, **a))


def pool(function):
    return lambda x, kernel, **options: function(x, kernel, **options)


op("max_pool1d")(lambda x, kernel, **a: F.max_pool2d(x.unsqueeze(-2), (1, kernel), **pairs(a)).squeeze(-2))
op("max_pool2d")(pool(F.max_pool2d))
op("avg_pool1d")(pool(F.avg_pool1d))
op("avg_pool2d")(pool(F.avg_pool2d))
op("max_pool3d")(pool(F.max_pool3d))
op("avg_pool3d")(pool(F.avg_pool3d))
op("adaptive_avg_pool2d")(lambda x, size: F.adaptive_avg_pool2d(x, size))
op("upsample_nearest")(lambda x, size: F.interpolate(x, size, mode="nearest"))
op("upsample_bilinear")(lambda x, size, align_corners=False:
                        F.interpolate(x, size, mode="bilinear", align_corners=align_corners))


def pairs(options):
    """Options of a pool over the last of two axes."""
    neutral = {"stride": 1, "padding": 0, "dilation": 1}
    return {k: (neutral[k], v) if k in neutral else v for k, v in options.items()}


EINSUMS = [("ij,jk->ik", (2, 3), (3, 2)), ("bij,bjk->bik", (2, 2, 3), (2, 3, 2)), ("i,j->ij", (3,), (2,)),
           ("ij->ji", (2, 3)), ("ij->i", (2, 3)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("ij,ij->", (2, 3), (2, 3)),
           ("bhqd,bhkd->bhqk", (1, 2, 2, 3), (1, 2, 3, 3)), ("ij,jk,kl->il", (2, 2), (2, 3), (3, 2)),
           ("...ij,...jk->...ik", (2, 1, 2), (2, 2, 3)), ("ij,j", (2, 3), (3,))]


def cases():
    c = Cases("products")
    for a, b in [((2, 3), (3, 2)), ((3,), (3,)), ((3,), (3, 2)), ((2, 3), (3,)), ((2, 2, 3), (3, 2)),
                 ((2, 1, 2, 3), (3, 3, 2)), ((3,), (2, 3, 2)), ((2, 2, 3), (3,))]:
        c.op("matmul", real(*a), real(*b))
    c.op("matmul", real(3, 2), real(3, 2), transpose_a=True)
    c.op("matmul", real(2, 2, 3), real(2, 3), transpose_b=True)
    c.op("matmul", real(3, 2), real(4, 3), transpose_a=True, transpose_b=True)
    c.op("dot", real(4), real(4))
    c.op("dot", real(1), real(1))
    c.op("outer", real(2), real(3))
    c.op("outer", real(3), real(1))
    c.op("linear", real(2, 3), real(4, 3), real(4))
    c.op("linear", real(2, 3), real(2, 3))
    c.op("linear", real(2, 2, 3), real(2, 3), real(2))
    c.op("linear", real(3), real(2, 3), real(2))
    for equation, *shapes in EINSUMS:
        c.op("einsum", *[real(*shape) for shape in shapes], equation=equation)
    c.op("addmm", real(2, 2), real(2, 3), real(3, 2))
    c.op("addmm", real(2), real(2, 3), real(3, 2), beta=0.5, alpha=-2)
    c.op("add_product", real(2, 4), real(), real(2, 3), real(3, 4))
    c.op("add_product", real(2, 4), real(), real(3, 2), real(4, 3), transpose_a=True, transpose_b=True)
    c.op("bilinear", real(2, 3), real(2, 2), real(2, 3, 2), real(2))
    c.op("bilinear", real(2, 2), real(2, 2), real(3, 2, 2))
    convolutions(c)
    pools(c)
    return c


def convolutions(c):
    c.op("conv1d", real(2, 2, 5), real(3, 2, 2), real(3))
    c.op("conv1d", real(1, 2, 6), real(2, 2, 3), stride=[2], padding=[1], dilation=[2])
    c.op("conv2d", real(1, 2, 4, 3), real(2, 2, 2, 2), real(2))
    c.op("conv2d", real(1, 2, 4, 4), real(2, 2, 3, 3), stride=[2, 1], padding=[1, 2])
    c.op("conv2d", real(2, 1, 5, 4), real(1, 1, 2, 2), real(1), dilation=[2, 1], padding=[0, 1])
    c.op("conv2d", real(1, 4, 3, 3), real(4, 2, 2, 2), real(4), groups=2)
    c.op("conv2d", real(1, 3, 3, 3), real(3, 1, 2, 2), groups=3, padding=[1, 1])
    c.op("conv3d", real(1, 1, 3, 3, 2), real(2, 1, 2, 2, 2), real(2))
    c.op("conv3d", real(1, 2, 3, 2, 3), real(2, 1, 2, 1, 2), stride=[1, 1, 2], padding=[1, 0, 1], groups=2)
    c.op("conv_transpose1d", real(1, 2, 3), real(2, 3, 2), real(3))
    c.op("conv_transpose1d", real(1, 2, 3), real(2, 2, 3), stride=[2], padding=[1], output_padding=[1])
    c.op("conv_transpose2d", real(1, 2, 2, 3), real(2, 2, 2, 2), real(2))
    c.op("conv_transpose2d", real(1, 2, 2, 2), real(2, 1, 3, 2), stride=[2, 1], padding=[1, 0],
         output_padding=[1, 0], groups=2)
    c.op("conv_transpose3d", real(1, 1, 2, 2, 1), real(1, 2, 2, 1, 2), real(2))
    c.op("conv_transpose3d", real(1, 2, 1, 2, 2), real(2, 1, 1, 2, 2), stride=[1, 2, 1], padding=[0, 1, 0],
         output_padding=[0, 1, 0], groups=2)
    c.op("conv_transpose2d", real(1, 1, 3, 2), real(1, 2, 2, 2), dilation=[2, 1])


def pools(c):
    c.op("max_pool1d", distinct(1, 2, 6), kernel=2)
    c.op("max_pool1d", distinct(1, 1, 7), kernel=3, stride=2, padding=1)
    c.op("max_pool2d", distinct(1, 2, 4, 4), kernel=[2, 2])
    c.op("max_pool2d", distinct(1, 1, 5, 4), kernel=[3, 2], stride=[2, 1], padding=[1, 0])
    c.op("max_pool2d", distinct(1, 1, 5, 5), kernel=[2, 2], stride=[1, 2], dilation=[2, 1])
    c.op("max_pool2d", distinct(1, 1, 5, 5), kernel=[2, 2], ceil_mode=True)
    c.op("avg_pool1d", real(1, 2, 6), kernel=2)
    c.op("avg_pool1d", real(1, 1, 6), kernel=3, stride=2, padding=1)
    c.op("avg_pool2d", real(1, 2, 4, 4), kernel=[2, 2])
    c.op("avg_pool2d", real(1, 1, 4, 5), kernel=[3, 2], stride=[1, 2], padding=[1, 1])
    c.op("avg_pool2d", real(1, 1, 4, 4), kernel=[3, 3], stride=[2, 2], padding=[1, 1], count_include_pad=False)
    c.op("avg_pool2d", real(1, 1, 5, 5), kernel=[2, 2], ceil_mode=True)
    c.op("max_pool3d", distinct(1, 1, 2, 4, 2), kernel=[2, 2, 1])
    c.op("max_pool3d", distinct(1, 1, 3, 3, 3), kernel=[2, 2, 2], stride=[1, 2, 1], padding=[1, 0, 1])
    c.op("avg_pool3d", real(1, 1, 2, 4, 2), kernel=[2, 2, 1])
    c.op("avg_pool3d", real(1, 1, 3, 3, 3), kernel=[2, 2, 2], stride=[1, 2, 1], padding=[1, 0, 1],
         count_include_pad=False)
    c.op("adaptive_avg_pool2d", real(1, 2, 4, 4), size=[2, 2])
    c.op("adaptive_avg_pool2d", real(1, 1, 5, 4), size=[3, 1])
    c.op("upsample_nearest", real(1, 2, 2, 2), size=[4, 4])
    c.op("upsample_nearest", real(1, 1, 2, 3), size=[3, 5])
    c.op("upsample_bilinear", real(1, 1, 2, 2), size=[4, 4])
    c.op("upsample_bilinear", real(1, 1, 2, 3), size=[3, 5], align_corners=True)
    c.op("upsample_bilinear", real(1, 2, 3, 2), size=[5, 4])
