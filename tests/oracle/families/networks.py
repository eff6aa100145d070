"""The softmax family, normalization, attention, losses, recurrent cells."""
import math

import torch
import torch.nn.functional as F

from recorder import Cases, fixed, given, indices, mask, op, positive, real, spelled_out, twice_only

op("softmax")(lambda x, axis=-1: torch.softmax(x, axis))
op("log_softmax")(lambda x, axis=-1: torch.log_softmax(x, axis))
op("layer_norm")(lambda x, *affine, normalized, eps=1e-5: F.layer_norm(x, normalized, *affine, eps=eps))
op("batch_norm")(lambda x, *affine, eps=1e-5: F.batch_norm(x, None, None, *affine, training=True, eps=eps))
op("batch_norm_given")(lambda x, m, v, *affine, eps=1e-5: F.batch_norm(x, m, v, *affine, training=False, eps=eps))
op("group_norm")(lambda x, *affine, groups, eps=1e-5: F.group_norm(x, groups, *affine, eps=eps))
op("instance_norm")(lambda x, *affine, eps=1e-5: F.instance_norm(x, None, None, *affine, eps=eps))
op("normalize")(lambda x, axis=1: F.normalize(x, dim=axis))
op("cosine_similarity")(lambda a, b, axis=1: F.cosine_similarity(a, b, axis))
op("pairwise_distance")(lambda a, b: F.pairwise_distance(a, b))
op("nll")(lambda x, labels, *weight, **a: F.nll_loss(x, labels, *weight, **a))
op("mse")(lambda a, b, reduction="mean": F.mse_loss(a, b, reduction=reduction))
op("l1")(lambda a, b, reduction="mean": F.l1_loss(a, b, reduction=reduction))
op("smooth_l1")(lambda a, b, reduction="mean", beta=1: F.smooth_l1_loss(a, b, reduction=reduction, beta=beta))
op("huber")(lambda a, b, reduction="mean", delta=1: F.huber_loss(a, b, reduction=reduction, delta=delta))
op("bce")(lambda p, t, *weight, reduction="mean": F.binary_cross_entropy(p, t, *weight, reduction=reduction))
op("kl_div")(lambda x, t, reduction="mean", log_target=False:
             F.kl_div(x, t, reduction=reduction, log_target=log_target))
op("cross_entropy")(lambda x, target, *weight, **a: F.cross_entropy(x, target, *weight, **a))
op("lstm_cell")(lambda x, h, c, *w, output: torch.lstm_cell(x, (h, c), *w)[output])
op("gru_cell")(lambda x, h, *w: torch.gru_cell(x, h, *w))


@op("rnn_cell")
def rnn_cell(x, h, *w, nonlinearity="tanh"):
    return {"tanh": torch.rnn_tanh_cell, "relu": torch.rnn_relu_cell}[nonlinearity](x, h, *w)


@op("bce_with_logits")
def bce_with_logits(x, t, *weights, reduction="mean", weighted="", **a):
    """weighted says what the further operands are: "weight", "pos_weight" or both in this order."""
    named = dict(zip(weighted.split(), weights))
    return F.binary_cross_entropy_with_logits(x, t, reduction=reduction, **named)


# PyTorch 1.13 takes the mean and the deviation that it saved as constants in second derivatives.
@twice_only("layer_norm")
def layer_norm(x, *affine, normalized, eps=1e-5):
    return affinely(standardize(x, tuple(range(-len(normalized), 0)), eps), *affine)


@twice_only("batch_norm")
def batch_norm(x, *affine, eps=1e-5):
    return per_channel(standardize(x, (0,) + tuple(range(2, x.dim())), eps), *affine)


@twice_only("instance_norm")
def instance_norm(x, *affine, eps=1e-5):
    return per_channel(standardize(x, tuple(range(2, x.dim())), eps), *affine)


def per_channel(y, *affine):
    return affinely(y, *[a.reshape([-1] + [1] * (y.dim() - 2)) for a in affine])


def affinely(y, weight=1, bias=0):
    return y * weight + bias


@spelled_out("rms_norm", "PyTorch 1.13 has none")
def rms_norm(x, *affine, normalized, eps=1e-5):
    axes = tuple(range(-len(normalized), 0))
    y = x * torch.rsqrt(x.square().mean(axes, keepdim=True) + eps)
    if affine:
        y = y * affine[0]
    return y + affine[1] if len(affine) > 1 else y


@spelled_out("standardize", "PyTorch has none over any axes")
def standardize(x, axes, eps=1e-5):
    return (x - x.mean(axes, keepdim=True)) / torch.sqrt(x.var(axes, unbiased=False, keepdim=True) + eps)


def attention(q, k, v, *masks, masked=False, causal=False, p=0.0, scale=None):
    """masks: what may be attended to, if masked; then the dropout mask of the weights, if there is another."""
    rest = list(masks)
    scores = q @ k.transpose(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    allowed = torch.ones(scores.shape[-2:], dtype=torch.bool)
    if causal:
        allowed = allowed.tril()
    if masked:
        m = rest.pop(0)
        if m.dtype == torch.bool:
            allowed = allowed & m
        else:
            scores = scores + m
    weights = torch.softmax(scores.masked_fill(~allowed, -math.inf), -1)
    if rest:
        weights = weights * rest[0] * (1 / (1 - p))
    return weights @ v


spelled_out("scaled_dot_product_attention", "PyTorch 1.13 has it as a private function, which draws its own mask")(
    attention)

ROWS = given("f64", (2, 3), [0.2, 0.5, 0.3, 0.6, 0.1, 0.3])
UNIT = {"low": 0.1, "high": 0.9}


def cases():
    c = Cases("networks")
    for name in ["softmax", "log_softmax"]:
        c.op(name, real(2, 4), axis=-1)
        c.op(name, real(2, 3, 2), axis=1)
        c.op(name, real(3, low=-30, high=30), axis=0)
    normalization(c)
    attentions(c)
    losses(c)
    cells(c)
    return c


def normalization(c):
    for name in ["layer_norm", "rms_norm"]:
        c.op(name, real(2, 4), normalized=[4])
        c.op(name, real(2, 4), real(4), real(4), normalized=[4])
        c.op(name, real(2, 2, 3), real(2, 3), normalized=[2, 3], eps=1e-3)
    c.op("standardize", real(3, 4), axes=[0])
    c.op("standardize", real(2, 3, 2), axes=[0, -1], eps=1e-2)
    for affine in [[], [real(3), real(3)]]:
        c.op("batch_norm", real(4, 3), *affine)
        c.op("batch_norm", real(2, 3, 2, 2), *affine, eps=1e-2)
        c.op("batch_norm_given", real(2, 3), fixed(3), fixed(3, low=0.3, high=2), *affine)
        c.op("batch_norm_given", real(2, 3, 2), fixed(3), fixed(3, low=0.3, high=2), *affine, eps=1e-2)
    c.op("group_norm", real(2, 4, 2), groups=2)
    c.op("group_norm", real(1, 6, 2, 2), real(6), real(6), groups=3, eps=1e-3)
    c.op("instance_norm", real(2, 3, 4))
    c.op("instance_norm", real(1, 2, 2, 3), real(2), real(2), eps=1e-3)
    c.op("normalize", real(2, 3))
    c.op("normalize", real(2, 3), axis=0)
    c.op("cosine_similarity", real(2, 3), real(2, 3))
    c.op("cosine_similarity", real(2, 3, 2), real(3, 2), axis=-1)
    c.op("pairwise_distance", real(2, 3), real(2, 3))
    c.op("pairwise_distance", real(1, 4), real(3, 4))


def attentions(c):
    name = "scaled_dot_product_attention"
    q, k, v = real(2, 3, 2), real(2, 4, 2), real(2, 4, 3)
    c.op(name, q, k, v)
    c.op(name, q, k, v, scale=0.3)
    c.op(name, real(1, 2, 3, 2), real(1, 2, 3, 2), real(1, 2, 3, 2), causal=True)
    allowed = given("mask", (3, 4), [1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 1, 0])
    c.op(name, q, k, v, allowed, masked=True)
    c.op(name, q, k, v, fixed(3, 4), masked=True, note="added")
    c.op(name, q, k, v, mask(2, 3, 4), p=0.25)
    c.op(name, q, k, v, allowed, mask(2, 3, 4), masked=True, p=0.5)
    c.op(name, real(2, 3, 2), real(2, 3, 2), real(2, 3, 2), mask(2, 3, 3), causal=True, p=0.1)


def losses(c):
    for reduction in ["mean", "sum", "none"]:
        c.op("cross_entropy", real(3, 4), indices(4, 3), reduction=reduction)
        c.op("cross_entropy", real(3, 4), given("i64", (3,), [1, 0, 3]), fixed(4, low=0.3, high=2),
             reduction=reduction, note="weights")
        c.op("cross_entropy", real(4, 3), given("i64", (4,), [1, 0, 2, 0]), reduction=reduction, ignore_index=0)
        c.op("cross_entropy", real(3, 4), indices(4, 3), reduction=reduction, label_smoothing=0.1)
        c.op("cross_entropy", real(2, 3), ROWS, reduction=reduction, note="probabilities")
        c.op("nll", real(3, 4), indices(4, 3), reduction=reduction)
        for name in ["mse", "l1", "smooth_l1", "huber"]:
            c.op(name, real(2, 3), real(2, 3, low=2.2, high=4), reduction=reduction)
        c.op("bce", real(2, 3, **UNIT), fixed(2, 3, **UNIT), reduction=reduction)
        c.op("bce_with_logits", real(2, 3), real(2, 3, **UNIT), reduction=reduction)
        c.op("kl_div", real(2, 3, low=-3, high=-0.1), ROWS, reduction=reduction)
    c.op("kl_div", real(2, 3, low=-3, high=-0.1), ROWS, reduction="batchmean")
    c.op("kl_div", real(2, 3, low=-3, high=-0.1), real(2, 3, low=-3, high=-0.1), reduction="sum", log_target=True)
    c.op("cross_entropy", real(4, 3), given("i64", (4,), [1, 0, 2, 0]), fixed(3, low=0.3, high=2),
         ignore_index=2, label_smoothing=0.2)
    c.op("cross_entropy", real(2, 3), ROWS, fixed(3, low=0.3, high=2), label_smoothing=0.3, note="probabilities")
    c.op("cross_entropy", real(2, 3, 2), indices(3, 2, 2), reduction="none", note="of positions")
    c.op("nll", real(4, 3), given("i64", (4,), [1, 0, 2, 0]), fixed(3, low=0.3, high=2), ignore_index=1)
    c.op("smooth_l1", real(2, 3), real(2, 3, low=-0.3, high=0.3), beta=0.5)
    c.op("huber", real(2, 3), real(2, 3, low=-0.3, high=0.3), delta=0.7)
    c.op("bce", real(2, 3, **UNIT), fixed(2, 3, **UNIT), fixed(2, 3, low=0.3, high=2))
    c.op("bce_with_logits", real(2, 3), fixed(2, 3, **UNIT), fixed(2, 3, low=0.3, high=2), weighted="weight")
    c.op("bce_with_logits", real(2, 3), fixed(2, 3, **UNIT), fixed(3, low=0.3, high=2), weighted="pos_weight")


def cells(c):
    for bias in [True, False]:
        def weights(gates, bias=bias):
            return [real(gates * 2, 3), real(gates * 2, 2)] + [real(gates * 2), real(gates * 2)] * bias
        x, h = real(2, 3), real(2, 2)
        for output in [0, 1]:
            c.op("lstm_cell", x, h, h, *weights(4), output=output)
        c.op("gru_cell", x, h, *weights(3))
        for nonlinearity in ["tanh", "relu"]:
            c.op("rnn_cell", x, h, *weights(1), nonlinearity=nonlinearity)
