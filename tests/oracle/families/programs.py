"""Programs of several ops, most with dropout by given masks: what models are made of."""
from recorder import Cases

PROGRAMS = []


def program(*settings):
    """A function of the recorder (and of each of the settings) that returns the program's result."""
    def remember(function):
        PROGRAMS.append((function, settings))
        return function
    return remember


def cases():
    c = Cases("programs")
    for function, settings in PROGRAMS:
        name = function.__name__.replace("_", " ")
        for setting in settings or [None]:
            if setting is None:
                c.add(name, function)
            else:
                c.add(f"{name}, {setting}", lambda r, setting=setting: function(r, setting))
    return c


@program(0.2, 0.5)
def the_question(r, p):
    a, m = r.real(6), r.mask(6)
    return r.sum(r.square(r.dropout(a, m, p=p)))


@program()
def dropout_by_hand(r):
    a, m = r.real(2, 4), r.mask(2, 4)
    return r.sin(r.scale(r.mul(a, m), factor=1.25))


@program()
def the_same_mask_twice(r):
    x, m = r.real(2, 3), r.mask(2, 3)
    h = r.tanh(r.dropout(x, m, p=0.3))
    return r.mul(r.dropout(h, m, p=0.3), x)


@program()
def dropout_of_dropout(r):
    x, m, n = r.real(3, 3), r.mask(3, 3), r.mask(3)
    return r.exp(r.dropout(r.dropout(x, m, p=0.5), n, p=0.1))


@program("relu", "gelu", "silu", "elu")
def mlp_with_dropout(r, activation):
    x, labels = r.real(4, 3), r.indices(3, 4)
    w1, b1, w2, b2 = r.real(3, 4), r.real(4), r.real(4, 3), r.real(3)
    m = r.mask(4, 4)
    options = {"alpha": 0.8} if activation == "elu" else {}
    h = getattr(r, activation)(r.add(r.matmul(x, w1), b1), **options)
    return r.cross_entropy(r.add(r.matmul(r.dropout(h, m, p=0.4), w2), b2), labels)


@program()
def mlp_of_linears(r):
    x, target = r.real(3, 2), r.real(3, 2)
    w1, b1, w2, b2 = r.real(4, 2), r.real(4), r.real(2, 4), r.real(2)
    m = r.mask(3, 4)
    return r.mse(r.linear(r.dropout(r.softplus(r.linear(x, w1, b1)), m, p=0.25), w2, b2), target, reduction="sum")


@program()
def shared_weights(r):
    x, w, m = r.real(2, 3), r.real(3, 3), r.mask(2, 3)
    h = r.tanh(r.matmul(x, w))
    h = r.tanh(r.matmul(r.dropout(h, m, p=0.2), w))
    return r.matmul(h, w, transpose_b=True)


@program()
def drop_connect_of_shared_weights(r):
    x, w, m = r.real(2, 3), r.real(3, 3), r.mask(3, 3)
    kept = r.dropout(w, m, p=0.5)
    return r.tanh(r.matmul(r.tanh(r.matmul(x, kept)), kept))


@program()
def residual_block(r):
    x, w, b, g, h, m = r.real(2, 4), r.real(4, 4), r.real(4), r.real(4), r.real(4), r.mask(2, 4)
    branch = r.gelu(r.add(r.matmul(r.layer_norm(x, g, h, normalized=[4]), w), b))
    return r.add(x, r.dropout(branch, m, p=0.1))


@program()
def layer_norm_by_hand(r):
    x, m = r.real(3, 4), r.mask(3, 4)
    d = r.dropout(x, m, p=0.2)
    centered = r.sub(d, r.mean(d, axes=[1], keepdims=True))
    deviation = r.sqrt(r.add(r.var(d, axes=[1], correction=0, keepdims=True), b=1e-5))
    return r.div(centered, deviation)


@program()
def rms_norm_by_hand(r):
    x, g, m = r.real(3, 4), r.real(4), r.mask(3, 4)
    d = r.dropout(x, m, p=0.2)
    return r.mul(r.mul(d, r.rsqrt(r.add(r.mean(r.square(d), axes=[-1], keepdims=True), b=1e-6))), g)


@program(False, True)
def attention_by_hand(r, causal):
    q, k, v, m = r.real(2, 3, 2), r.real(2, 3, 2), r.real(2, 3, 2), r.mask(2, 3, 3)
    future = r.given("mask", (3, 3), [0, 1, 1, 0, 0, 1, 0, 0, 0])
    scores = r.scale(r.matmul(q, k, transpose_b=True), factor=0.5**0.5)
    if causal:
        scores = r.masked_fill(scores, future, value=-1e9)
    return r.matmul(r.dropout(r.softmax(scores, axis=-1), m, p=0.3), v)


@program()
def self_attention_block(r):
    x, m = r.real(2, 3, 4), r.mask(2, 3, 3)
    q, k, v, o = r.real(4, 4), r.real(4, 4), r.real(4, 4), r.real(4, 4)
    y = r.scaled_dot_product_attention(r.matmul(x, q), r.matmul(x, k), r.matmul(x, v), m, p=0.25)
    return r.add(x, r.matmul(y, o))


@program()
def multi_head_attention(r):
    x, w, m = r.real(1, 3, 4), r.real(4, 12), r.mask(1, 2, 3, 3)
    qkv = r.transpose(r.reshape(r.matmul(x, w), shape=[1, 3, 3, 2, 2]), axes=[2, 0, 3, 1, 4])
    q, k, v = [r.select(qkv, axis=0, index=i) for i in range(3)]
    weights = r.dropout(r.softmax(r.scale(r.matmul(q, k, transpose_b=True), factor=0.70710678), axis=-1), m, p=0.2)
    return r.reshape(r.swap_axes(r.matmul(weights, v), a=1, b=2), shape=[1, 3, 4])


@program()
def transformer_block(r):
    x, w, o, u, d = r.real(1, 3, 4), r.real(4, 4), r.real(4, 4), r.real(4, 6), r.real(6, 4)
    m1, m2, m3 = r.mask(1, 3, 3), r.mask(1, 3, 4), r.mask(1, 3, 4)
    h = r.layer_norm(x, normalized=[4])
    q = r.matmul(h, w)
    a = r.scaled_dot_product_attention(q, h, h, m1, p=0.1, causal=True)
    x = r.add(x, r.dropout(r.matmul(a, o), m2, p=0.2))
    h = r.gelu_tanh(r.matmul(r.layer_norm(x, normalized=[4]), u))
    return r.add(x, r.dropout(r.matmul(h, d), m3, p=0.2))


@program()
def conv_net(r):
    x, labels = r.real(2, 1, 6, 6), r.indices(3, 2)
    w1, b1, w2, b2, m = r.real(2, 1, 3, 3), r.real(2), r.real(8, 3), r.real(3), r.mask(2, 2)
    h = r.max_pool2d(r.tanh(r.conv2d(x, w1, b1)), kernel=[2, 2])
    h = r.flatten(r.dropout2d(h, m, p=0.5), first=1)
    return r.cross_entropy(r.add(r.matmul(h, w2), b2), labels)


@program()
def conv_batch_norm_block(r):
    x, w, g, b, m = r.real(2, 2, 4, 4), r.real(2, 2, 3, 3), r.real(2), r.real(2), r.mask(2, 2, 4, 4)
    h = r.silu(r.batch_norm(r.conv2d(x, w, padding=[1, 1]), g, b))
    return r.add(x, r.drop_block(h, m))


@program()
def u_net_step(r):
    x, w, v = r.real(1, 1, 4, 4), r.real(2, 1, 3, 3), r.real(1, 3, 1, 1)
    down = r.softplus(r.conv2d(r.avg_pool2d(x, kernel=[2, 2]), w, padding=[1, 1]))
    return r.conv2d(r.concat(x, r.upsample_bilinear(down, size=[4, 4]), axis=1), v)


@program()
def depthwise_separable(r):
    x, w, v, m = r.real(1, 3, 4, 4), r.real(3, 1, 2, 2), r.real(2, 3, 1, 1), r.mask(1, 2)
    return r.feature_dropout(r.conv2d(r.mish(r.conv2d(x, w, groups=3)), v), m, p=0.3)


@program()
def drop_path_block(r):
    x, w, m = r.real(3, 4), r.real(4, 4), r.mask(3)
    return r.add(x, r.drop_path(r.tanh(r.matmul(x, w)), m, p=0.25, scale_by_keep=True))


@program()
def drop_path_by_hand(r):
    x, w, m = r.real(3, 4), r.real(4, 4), r.mask(3, 1)
    return r.add(x, r.dropout(r.tanh(r.matmul(x, w)), m, p=0.25))


@program()
def lstm_step_by_hand(r):
    x, h, c = r.real(2, 3), r.real(2, 2), r.real(2, 2)
    w, u, b, m = r.real(3, 8), r.real(2, 8), r.real(8), r.mask(2, 2)
    gates = r.add(r.add(r.matmul(x, w), r.matmul(r.dropout(h, m, p=0.3), u)), b)
    i, f, g, o = [r.split(gates, sizes=[2, 2, 2, 2], axis=1, output=k) for k in range(4)]
    c = r.add(r.mul(r.sigmoid(f), c), r.mul(r.sigmoid(i), r.tanh(g)))
    return r.mul(r.sigmoid(o), r.tanh(c))


@program()
def lstm_of_two_steps(r):
    xs, h, c = [r.real(2, 3), r.real(2, 3)], r.real(2, 2), r.real(2, 2)
    w, u, b, d, m = r.real(8, 3), r.real(8, 2), r.real(8), r.real(8), r.mask(2, 2)
    for x in xs:
        before = r.dropout(h, m, p=0.5)
        h, c = [r.lstm_cell(x, before, c, w, u, b, d, output=k) for k in range(2)]
    return r.concat(h, c, axis=1)


@program()
def gru_with_zoneout(r):
    x, h, m = r.real(2, 3), r.real(2, 2), r.mask(2, 2)
    w, u, b, d = r.real(6, 3), r.real(6, 2), r.real(6), r.real(6)
    for _ in range(2):
        h = r.zoneout(h, r.gru_cell(x, h, w, u, b, d), m, p=0.2)
    return h


@program()
def rnn_with_one_mask_over_time(r):
    xs, h = [r.real(2, 2) for _ in range(4)], r.real(2, 3)
    w, u, m = r.real(2, 3), r.real(3, 3), r.mask(2, 3)
    for x in xs:
        h = r.tanh(r.add(r.matmul(x, w), r.matmul(r.dropout(h, m, p=0.4), u)))
    return h


@program()
def variational_dropout_of_embeddings(r):
    table, tokens, w, m = r.real(5, 3), r.indices(5, 2, 4), r.real(3, 2), r.mask(2, 1, 3)
    e = r.dropout(r.index_select(table, tokens, axis=0), m, p=0.2)
    return r.log_softmax(r.matmul(r.tanh(e), w), axis=-1)


@program()
def language_model_step(r):
    table, tokens, m = r.real(5, 3), r.indices(5, 4), r.mask(4, 3)
    targets = r.indices(5, 4)
    h = r.dropout(r.index_select(table, tokens, axis=0), m, p=0.1)
    return r.cross_entropy(r.matmul(h, table, transpose_b=True), targets, reduction="sum")


@program()
def gaussian_mixture(r):
    x, weights, means, logs = r.real(4, 2), r.real(3), r.real(3, 2), r.real(3, 2)
    z = r.mul(r.sub(r.unsqueeze(x, axis=1), means), r.exp(logs))
    inner = r.sub(r.sum(logs, axes=[1]), r.scale(r.sum(r.square(z), axes=[2]), factor=0.5))
    likelihood = r.logsumexp(r.add(inner, weights), axes=[1])
    return r.sub(r.sum(likelihood), r.scale(r.logsumexp(weights), factor=4.0))


@program()
def logistic_regression(r):
    x, w, b, labels = r.real(5, 3), r.real(3), r.real(), r.given("mask", (5,), [1, 0, 1, 1, 0])
    m = r.mask(5, 3)
    z = r.add(r.matmul(r.dropout(x, m, p=0.2), w), b)
    return r.neg(r.mean(r.where(labels, r.log_sigmoid(z), r.log_sigmoid(r.neg(z)))))


@program()
def variance_penalty(r):
    x, m = r.real(4, 3), r.mask(4, 3)
    d = r.dropout(x, m, p=0.5)
    return r.add(r.sum(r.log1p(r.var(d, axes=[0], correction=1))), r.norm(d))


@program()
def monte_carlo_mean_and_variance(r):
    x, w = r.real(2, 3), r.real(3, 2)
    ms = [r.mask(2, 3) for _ in range(4)]
    runs = r.stack(*[r.tanh(r.matmul(r.dropout(x, m, p=0.5), w)) for m in ms], axis=0)
    return r.concat(r.mean(runs, axes=[0]), r.var(runs, axes=[0], correction=0), axis=0)


@program()
def maxout(r):
    x, w, v, m = r.real(3, 2), r.real(2, 4), r.real(2, 4), r.mask(3, 4)
    return r.dropout(r.maximum(r.matmul(x, w), r.matmul(x, v)), m, p=0.5)


@program()
def gated_linear_unit(r):
    x, w, m = r.real(2, 3), r.real(3, 6), r.mask(2, 3)
    y = r.matmul(x, w)
    a, b = [r.slice(y, starts=[0, s], stops=[2, s + 3]) for s in (0, 3)]
    return r.dropout(r.mul(a, r.silu(b)), m, p=0.15)


@program()
def mixture_of_experts(r):
    x, gate, w1, w2, m = r.real(3, 2), r.real(2, 2), r.real(2, 2), r.real(2, 2), r.mask(3, 2)
    g = r.softmax(r.matmul(x, gate), axis=1)
    experts = r.stack(r.tanh(r.matmul(x, w1)), r.sin(r.matmul(x, w2)), axis=1)
    return r.dropout(r.sum(r.mul(r.unsqueeze(g, axis=-1), experts), axes=[1]), m, p=0.3)


@program()
def contrastive_loss(r):
    a, b, labels, m = r.real(3, 4), r.real(3, 4), r.given("i64", (3,), [0, 1, 2]), r.mask(3, 4)
    a = r.dropout(a, m, p=0.25)
    a = r.div(a, r.norm(a, axes=[1], keepdims=True))
    b = r.div(b, r.norm(b, axes=[1], keepdims=True))
    return r.cross_entropy(r.scale(r.matmul(a, b, transpose_b=True), factor=5.0), labels)


@program()
def kernel_regression(r):
    x, centres, weights, m = r.real(3, 2), r.real(4, 2), r.real(4), r.mask(3, 4)
    distance = r.sum(r.square(r.sub(r.unsqueeze(x, axis=1), centres)), axes=[-1])
    return r.matmul(r.dropout(r.exp(r.neg(distance)), m, p=0.5), weights)


@program()
def self_normalizing_net(r):
    x, w, v, m = r.real(3, 4), r.real(4, 4), r.real(4, 2), r.mask(3, 4)
    return r.matmul(r.alpha_dropout(r.selu(r.matmul(x, w)), m, p=0.1), v)


@program()
def gaussian_noise_layer(r):
    x, w, noise = r.real(3, 4), r.real(4, 2), r.fixed(3, 4, low=0.3, high=1.7)
    return r.softmax(r.matmul(r.gaussian_dropout(r.elu(x, alpha=1.0), noise), w), axis=1)


@program()
def scatter_of_gathered(r):
    x, i, m = r.real(4, 3), r.indices(4, 2, 3), r.mask(2, 3)
    picked = r.dropout(r.tanh(r.gather(x, i, axis=0)), m, p=0.5)
    return r.square(r.scatter_add(picked, i, axis=0, extent=4))


@program()
def graph_convolution(r):
    x, w, source, target = r.real(4, 2), r.real(2, 3), r.indices(4, 6), r.indices(4, 6)
    m = r.mask(6, 1)
    messages = r.index_select(r.matmul(x, w), source, axis=0)
    return r.relu(r.add(r.index_add(r.dropout(messages, m, p=0.3), target, axis=0, extent=4), b=0.05))


@program()
def sliding_mean(r):
    x, m = r.real(2, 5), r.mask(2, 7)
    p = r.dropout(r.pad(x, before=[0, 1], after=[0, 1]), m, p=0.2)
    parts = [r.slice(p, starts=[0, s], stops=[2, s + 5]) for s in range(3)]
    return r.tanh(r.mean(r.stack(*parts, axis=0), axes=[0]))


@program()
def reversed_in_time(r):
    x, m = r.real(2, 4), r.mask(2, 4)
    y = r.slice(x, starts=[0, 3], stops=[2, None], steps=[1, -1])
    return r.mul(r.exp(r.dropout(y, m, p=0.5)), x)


@program()
def stop_gradient_as_target(r):
    x, w, m = r.real(3, 2), r.real(2, 2), r.mask(3, 2)
    y = r.tanh(r.matmul(x, w))
    return r.mse(r.dropout(y, m, p=0.3), r.stop_gradient(r.sin(y)))


@program()
def clipped_ratio_objective(r):
    new, old, advantage = r.real(5), r.real(5), r.real(5)
    ratio = r.exp(r.scale(r.sub(new, r.stop_gradient(old)), factor=0.1))
    clipped = r.clip(ratio, low=0.8, high=1.2)
    return r.neg(r.mean(r.minimum(r.mul(ratio, advantage), r.mul(clipped, advantage))))


@program()
def elbo_of_an_autoencoder(r):
    x, w, v, u, noise, m = r.real(3, 4), r.real(4, 2), r.real(4, 2), r.real(2, 4), r.fixed(3, 2), r.mask(3, 4)
    d = r.dropout(x, m, p=0.2)
    mean, log_var = r.matmul(d, w), r.scale(r.matmul(d, v), factor=0.3)
    z = r.add(mean, r.mul(r.exp(r.scale(log_var, factor=0.5)), noise))
    divergence = r.sum(r.sub(r.add(r.exp(log_var), r.square(mean)), r.add(log_var, b=1.0)))
    return r.add(r.mse(r.matmul(z, u), x, reduction="sum"), r.scale(divergence, factor=0.5))


@program()
def a_long_chain(r):
    x, m = r.positive(2, 3), r.mask(2, 3)
    for _ in range(4):
        x = r.sqrt(r.add(r.square(r.sin(r.dropout(x, m, p=0.1))), b=0.5))
    return r.log(r.reciprocal(x))


@program()
def polynomial_with_powers(r):
    x, y, m = r.positive(4), r.positive(3, 1), r.mask(3, 4)
    return r.dropout(r.sub(r.mul(r.pow(x, exponent=2.5), y), r.div(r.pow(y, exponent=-1), x)), m, p=0.3)


@program()
def focal_loss(r):
    x, labels, m = r.real(3, 4), r.given("i64", (3, 1), [0, 2, 3]), r.mask(3, 4)
    logs = r.gather(r.log_softmax(r.dropout(x, m, p=0.2), axis=1), labels, axis=1)
    return r.neg(r.mean(r.mul(r.pow(r.sub(r.exp(logs), a=1.0), exponent=2), logs)))


@program()
def einsum_attention(r):
    q, k, v, m = r.real(1, 2, 2, 3), r.real(1, 2, 3, 3), r.real(1, 2, 3, 2), r.mask(1, 2, 2, 3)
    scores = r.einsum(q, k, equation="bhqd,bhkd->bhqk")
    return r.einsum(r.dropout(r.softmax(scores, axis=-1), m, p=0.5), v, equation="bhqk,bhkd->bhqd")


@program()
def cumulative_attention(r):
    x, m = r.real(2, 4), r.mask(2, 4)
    d = r.dropout(x, m, p=0.25)
    return r.div(r.cumsum(r.mul(r.exp(d), x), axis=1), r.cumsum(r.exp(d), axis=1))
