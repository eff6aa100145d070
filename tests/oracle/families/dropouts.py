"""The dropout family with masks (1 = kept) and noise given. p is the probability of dropping."""
import torch
import torch.nn.functional as F

from recorder import Cases, mask, op, real, spelled_out

OWN_MASK = "PyTorch's draws its own mask; the value is held to PyTorch's with the mask that it drew"
NONE = "PyTorch has none"
ALPHA = 1.7580993408473766  # of selu, as PyTorch has it


def scaled(x, m, p):
    return x * m * (1 / (1 - p) if p < 1 else 0.0)


def over_features(m, x):
    return m.reshape(*m.shape, *[1] * (x.dim() - m.dim()))


def alpha(x, m, p):
    if p == 1:
        return x * 0
    a = 1 / ((ALPHA**2 * p + 1) * (1 - p))**0.5
    return torch.where(m, x, torch.tensor(-ALPHA, dtype=x.dtype)) * a + ALPHA * a * p


spelled_out("dropout", OWN_MASK)(scaled)
for name in ["feature_dropout", "dropout1d", "dropout2d", "dropout3d"]:
    spelled_out(name, OWN_MASK)(lambda x, m, p: scaled(x, over_features(m, x), p))
spelled_out("alpha_dropout", OWN_MASK)(alpha)
spelled_out("feature_alpha_dropout", OWN_MASK)(lambda x, m, p: alpha(x, over_features(m, x), p))
spelled_out("variational_dropout", NONE)(lambda x, m, p, time: scaled(x, m.unsqueeze(time), p))
spelled_out("drop_connect", NONE)(lambda x, w, m, p: F.linear(x, scaled(w, m, p)))
spelled_out("gaussian_dropout", NONE)(lambda x, noise: x * noise)
spelled_out("drop_block", NONE)(lambda x, m: x * m * (m.numel() / int(m.sum())))
spelled_out("zoneout", NONE)(lambda previous, new, m, p: torch.where(m, new, previous))


@spelled_out("drop_path", NONE)
def drop_path(x, m, p, scale_by_keep=True):
    return scaled(x, over_features(m, x), p) if scale_by_keep else x * over_features(m, x)


def hold_to_pytorch():
    """The formulas are those of PyTorch's functions, of which each kept element tells the mask."""
    torch.manual_seed(1)
    for own, formula, of_features in [(F.dropout, scaled, False), (F.dropout2d, scaled, True),
                                      (F.alpha_dropout, alpha, False), (F.feature_alpha_dropout, alpha, True)]:
        for p in [0.1, 0.5, 0.9]:
            x = torch.rand(4, 5, 3, 2, dtype=torch.float64) + 0.5
            y = own(x, p, training=True)
            dropped = formula(x, torch.zeros_like(x, dtype=torch.bool), p)
            m = (y - dropped).abs() > 1e-9
            assert not of_features or (m == m[:, :, :1, :1]).all()
            torch.testing.assert_close(formula(x, m, p), y, rtol=1e-12, atol=1e-14)


def cases():
    hold_to_pytorch()
    c = Cases("dropouts")
    for p in [0, 0.1, 0.2, 0.5, 0.9, 1]:
        c.op("dropout", real(2, 4), mask(2, 4), p=p)
    c.op("dropout", real(2, 3, 2), mask(3, 1), p=0.3)
    c.op("dropout", real(), mask(), p=0.25)
    c.op("feature_dropout", real(2, 3, 2), mask(2, 3), p=0.4)
    c.op("feature_dropout", real(2, 2, 2, 2), mask(2, 2), p=0.75)
    for name, spatial in [("dropout1d", (3,)), ("dropout2d", (2, 2)), ("dropout3d", (2, 1, 2))]:
        c.op(name, real(2, 3, *spatial), mask(2, 3), p=0.2)
        c.op(name, real(2, 2, *spatial), mask(2, 2), p=0.5)
    for name, size in [("alpha_dropout", ()), ("feature_alpha_dropout", (2,))]:
        for p in [0, 0.1, 0.5]:
            c.op(name, real(2, 3, *size), mask(2, 3), p=p)
    c.op("variational_dropout", real(2, 3, 2), mask(2, 2), p=0.3, time=1)
    c.op("variational_dropout", real(3, 2, 2), mask(2, 2), p=0.5, time=0)
    c.op("drop_connect", real(2, 3), real(4, 3), mask(4, 3), p=0.5)
    c.op("drop_connect", real(2, 2, 3), real(2, 3), mask(2, 3), p=0.2)
    for keep in [True, False]:
        c.op("drop_path", real(4, 2), mask(4), p=0.3, scale_by_keep=keep)
        c.op("drop_path", real(3, 2, 2), mask(3), p=0.5, scale_by_keep=keep)
    c.op("gaussian_dropout", real(2, 3), real(2, 3, low=0.2, high=1.8))
    c.op("gaussian_dropout", real(2, 3), real(3, low=0.2, high=1.8))
    c.op("drop_block", real(1, 1, 4, 4), mask(1, 1, 4, 4))
    c.op("drop_block", real(2, 2, 3, 3), mask(2, 2, 3, 3, kept=0.8))
    c.op("zoneout", real(2, 3), real(2, 3), mask(2, 3), p=0.3)
    c.op("zoneout", real(2, 3), real(2, 3), mask(3), p=0.5)
    return c
