#!/usr/bin/env python3
"""Rows of other shapes, types and operators than bench.py's own: what a stranger would try.

  make bench-shapes                          all of them, one thread
  bench/bench.py --shapes [--check] [name ...]
  bench/shapes.py                            prints the C side, which rows.c includes

A row is one expression on both sides: inputs a, b, c, d, e as texts for torch, ctorch's expression, torch's. Rows that this torch cannot run are left out."""
import zlib

from surroundings import restart_in_fair_surroundings  # (beside this file)

if __name__ == "__main__":
    restart_in_fair_surroundings()
import torch
import torch.nn.functional as F

ROWS = []  # (group, name, inputs, C expression, torch function, mode)
OLD = torch.__version__.startswith("1.")
TOLERANCE = {"prod of 1000000": 1e-3}  # relative to the largest element; 1e-5 where nothing else is said


def row(name, inputs, c, f, mode="f"):
    ROWS.append((name, inputs, c, f, mode))


def c_name(expression):
    return f"shape_{zlib.crc32(expression.encode()):08x}"


def normal(*s):
    return f"torch.randn({s})"


def positive(*s):
    return f"torch.rand({s}) + 0.1"


def whole(high, *s):
    return f"torch.randint(0, {high}, {s})"


def leaf(text):
    return "grad:" + text


def text(s):
    return "x".join(map(str, s))


def both_ways(name, inputs, wants, result, c, f):
    """Forward, and with the gradients of the first inputs."""
    row(name, inputs, c, f)
    row(name + ", gradients", [leaf(x) if k < wants else x for k, x in enumerate(inputs)] + [normal(*result) + " * 2"], c, f, "B")


UNARY = {
    "sqrt": positive, "rsqrt": positive, "sin": normal, "cos": normal, "tan": normal, "atan": normal, "sinh": normal, "erf": normal, "log1p": positive, "log2": positive,
    "expm1": normal, "abs": normal, "neg": normal, "sign": normal, "floor": normal, "round": normal, "square": normal, "reciprocal": positive, "lgamma": positive,
    "digamma": positive, "isnan": normal, "exp": normal, "log": positive, "tanh": normal, "sigmoid": normal, "relu": normal}
FUNCTIONAL = {
    "gelu": "ct_gelu(a)", "silu": "ct_silu(a)", "mish": "ct_mish(a)", "softplus": "ct_softplus(a, 1, 20)", "leaky_relu": "ct_leaky_relu(a, 0.01)", "elu": "ct_elu(a, 1)",
    "selu": "ct_selu(a)", "hardswish": "ct_hardswish(a)", "hardtanh": "ct_hardtanh(a, -1, 1)", "relu6": "ct_relu6(a)", "logsigmoid": "ct_log_sigmoid(a)"}
BINARY = ("add sub mul div maximum minimum atan2 fmod remainder hypot lt eq copysign logaddexp floor_divide").split()


def pointwise():
    for n in (1000, 10000, 1000000):
        for k, inputs in UNARY.items():
            row(f"{k} {n}", [inputs(n)], f"ct_{k}(a)", getattr(torch, k))
        for k, c in FUNCTIONAL.items():
            row(f"{k} {n}", [normal(n)], c, getattr(F, k))
        for k in BINARY:
            row(f"{k} {n}", [normal(n), normal(n) + " * 2"], f"ct_{k}(a, b)", getattr(torch, k))
        for k, p in (("square", 2), ("cube", 3), ("root", 0.5)):
            row(f"pow {k} {n}", [positive(n)], f"ct_pow(a, {p})", lambda a, p=p: a ** p)
        row(f"clamp {n}", [normal(n)], "ct_clamp(a, -0.5, 0.5)", lambda a: a.clamp(-0.5, 0.5))
        row(f"number minus tensor {n}", [normal(n)], "ct_sub(1, a)", lambda a: 1 - a)
        row(f"lerp {n}", [normal(n), normal(n) + " * 2"], "ct_lerp(a, b, 0.3)", lambda a, b: torch.lerp(a, b, 0.3))
        row(f"addcmul {n}", [normal(n), normal(n) + " * 2", normal(n) + " * 3"], "ct_addcmul(a, b, c, 0.5)", lambda a, b, c: torch.addcmul(a, b, c, value=0.5))
        row(f"masked_fill {n}", [normal(n), f"torch.rand({n}) < 0.3"], "ct_masked_fill(a, b, -1.0)", lambda a, b: a.masked_fill(b, -1.0))
    for n in (10000, 1000000):
        for k in ("exp", "log", "sqrt", "sigmoid", "relu", "tanh", "sin", "erf", "square", "abs", "log1p", "reciprocal"):
            row(f"{k} {n}, gradient", [leaf(UNARY[k](n)), normal(n) + " * 3"], f"ct_{k}(a)", getattr(torch, k), "B")
        for k in ("gelu", "silu", "elu", "softplus", "hardswish", "leaky_relu", "mish"):
            row(f"{k} {n}, gradient", [leaf(normal(n)), normal(n) + " * 3"], FUNCTIONAL[k], getattr(F, k), "B")
        for k in ("add", "sub", "mul", "div", "maximum"):
            row(f"{k} {n}, gradients", [leaf(normal(n)), leaf(positive(n)), normal(n) + " * 3"], f"ct_{k}(a, b)", getattr(torch, k), "B")


def types():
    n = 1000000
    double = normal(n) + ".double()"
    for k in ("exp", "sin", "tanh", "sigmoid", "log1p", "sqrt", "erf"):
        row(f"float64 {k}", ["(" + positive(n) + ").double()"], f"ct_{k}(a)", getattr(torch, k))
    row("float64 softmax", [normal(1000, 1000) + ".double()"], "ct_softmax(a, -1)", lambda a: a.softmax(-1))
    row("float64 sum", [double], "ct_sum(a)", torch.sum)
    for name, cast in (("int64", ""), ("int32", ".int()"), ("uint8", ".byte()")):
        i, j = whole(99, n) + cast, f"(torch.randint(1, 99, ({n},))){cast}"
        for k in ("add", "mul", "floor_divide", "remainder", "lt", "maximum", "bitwise_and"):
            row(f"{name} {k}", [i, j], f"ct_{k}(a, b)", getattr(torch, k))
        row(f"{name} clamp", [i], "ct_clamp(a, 10, 60)", lambda a: a.clamp(10, 60))
        row(f"{name} sum", [i], "ct_sum(a)", torch.sum)
        row(f"{name} max", [i], "ct_max(a)", torch.max)
    for name, cast in (("bfloat16", ".bfloat16()"),) if OLD else (("bfloat16", ".bfloat16()"), ("float16", ".half()")):
        x, y = normal(n) + cast, f"({normal(n)} * 2){cast}"
        for k in ("add", "mul", "lt"):
            row(f"{name} {k}", [x, y], f"ct_{k}(a, b)", getattr(torch, k))
        for k in ("exp", "relu", "sigmoid"):
            row(f"{name} {k}", [x], f"ct_{k}(a)", getattr(torch, k))
        row(f"{name} matmul 256", [normal(256, 256) + cast, f"({normal(256, 256)} * 2){cast}"], "ct_matmul(a, b)", torch.matmul)
    masks = [f"torch.rand({n}) < 0.5", f"torch.rand({n}) < 0.3"]
    for k in ("logical_and", "logical_xor", "eq"):
        row(f"bool {k}", masks, f"ct_{k}(a, b)", getattr(torch, k))
    row("bool sum", masks[:1], "ct_sum(a)", torch.sum)
    row("bool any", [f"torch.zeros({n}, dtype=torch.bool)"], "ct_any(a)", torch.any)
    kinds = {"float32": "CT_F32", "float64": "CT_F64", "int64": "CT_I64", "int32": "CT_I32", "uint8": "CT_U8", "bool": "CT_BOOL", "bfloat16": "CT_BF16"}
    for a in kinds:
        for b in kinds:
            if a != b and "float32" in (a, b):
                row(f"{a} to {b}", [f"({normal(n)} * 50).abs().to(torch.{a})"], f"ct_to(a, {kinds[b]})", lambda a, b=b: a.to(getattr(torch, b)))


def views():
    q, r = normal(1000, 1000), normal(1000, 1000) + " * 2"
    every = "ct_slice({}, 0, 0, CT_END, 2)"
    row("sums of every second", [normal(2000000), normal(2000000) + " * 2"], f"ct_add({every.format('a')}, {every.format('b')})", lambda a, b: a[::2] + b[::2])
    row("exp of every second column", [normal(1000, 2000)], "ct_exp(ct_slice(a, 1, 0, CT_END, 2))", lambda a: a[:, ::2].exp())
    row("columns 100 to 600 plus", [q, normal(1000, 500)], "ct_add(ct_slice(a, 1, 100, 600, 1), b)", lambda a, b: a[:, 100:600] + b)
    row("a.t() * b", [q, r], "ct_mul(ct_t(a), b)", lambda a, b: a.t() * b)
    row("a.t() + b.t()", [q, r], "ct_add(ct_t(a), ct_t(b))", lambda a, b: a.t() + b.t())
    row("exp of a.t()", [q], "ct_exp(ct_t(a))", lambda a: a.t().exp())
    for x, y in (((32, 64, 28, 28), (1, 64, 1, 1)), ((16, 256, 7, 7), (16, 256, 1, 1)), ((16, 64, 28, 28), (16, 1, 28, 28)), ((64, 128, 256), (128, 1)), ((1000, 1000), (1000, 1)),
                 ((1000, 1000), (1000,)), ((100000, 3), (3,)), ((500, 1, 3), (1, 500, 3)), ((1000000,), ())):
        row(f"{text(x)} * {text(y)}", [normal(*x), normal(*y)], "ct_mul(a, b)", torch.mul)
    for s, p in (((32, 64, 28, 28), (0, 2, 3, 1)), ((8, 224, 224, 3), (0, 3, 1, 2)), ((64, 100, 32), (1, 0, 2)), ((100, 100, 100), (2, 1, 0)), ((4, 128, 8, 64), (0, 2, 1, 3))):
        row(f"copy of {text(s)} permuted {text(p)}", [normal(*s)], f"ct_contiguous(ct_permute(a, {', '.join(map(str, p))}))", lambda a, p=p: a.permute(p).contiguous())
    for d in (0, 1):
        row(f"flip {d}", [q], f"ct_flip(a, {d})", lambda a, d=d: a.flip(d))
        row(f"cat 4 of 250x1000 dim {d}", [f"torch.randn(250, 1000) * {k}" for k in (1, 2, 3, 4)], f"ct_cat({d}, a, b, c, d)", lambda *x, d=d: torch.cat(x, d))
    row("fill", ["own:" + normal(1000000)], "ct_fill_(a, 2.0)", lambda a: a.fill_(2.0))
    row("arange of floats", [normal(1)], "ct_arange(0.0, 100000.0, 1.0)", lambda a: torch.arange(0.0, 100000.0, 1.0))
    row("arange", [normal(1)], "ct_arange(1000000)", lambda a: torch.arange(1000000))
    row("pad 2", [normal(8, 16, 32, 32)], "ct_pad(a, CT_SHAPE(2, 2, 2, 2))", lambda a: F.pad(a, (2, 2, 2, 2)))
    row("pad reflect", [normal(8, 16, 32, 32)], 'ct_pad(a, CT_SHAPE(1, 1, 1, 1), .mode = "reflect")', lambda a: F.pad(a, (1, 1, 1, 1), mode="reflect"))


def reductions():
    along = {"sum": "ct_sum_dim(a, {}, false)", "mean": "ct_mean_dim(a, {}, false)", "max": "ct_max_dim(a, {}, false, NULL)", "amax": "ct_amax(a, CT_SHAPE({}), false)",
             "argmin": "ct_argmin(a, {}, false)", "std": "ct_std_dims(a, CT_SHAPE({}), 1, false)", "cumsum": "ct_cumsum(a, {})", "cummax": "ct_cummax(a, {}, NULL)",
             "logsumexp": "ct_logsumexp(a, CT_SHAPE({}), false)", "median": "ct_median_dim(a, {}, false, NULL)", "norm": "ct_norm_dims(a, 2, CT_SHAPE({}), false)"}
    first = {"max", "median", "cummax"}  # torch gives places, too
    for s in ((1000, 1000), (10000, 10), (10, 10000), (64, 100, 64)):
        for k, c in along.items():
            for d in (0, 1):
                call = (lambda a, k=k, d=d: getattr(a, k)(2, d)) if k == "norm" else (lambda a, k=k, d=d: getattr(a, k)(d))
                row(f"{k} {text(s)} dim {d}", [normal(*s)], c.format(d), (lambda a, call=call: call(a)[0]) if k in first else call)
    for n in (10000, 1000000):
        for k, c in (("sum", "ct_sum(a)"), ("mean", "ct_mean(a)"), ("max", "ct_max(a)"), ("std", "ct_std(a, 1)"), ("prod", "ct_prod(a)"), ("nansum", "ct_nansum(a)"),
                     ("median", "ct_median(a)"), ("count_nonzero", "ct_count_nonzero(a)"), ("norm", "ct_norm(a, 2)")):
            row(f"{k} of {n}", [f"torch.randn({n}) * 0.001 + 1"], c, getattr(torch, k))
    for s, d in (((10, 10, 10, 10), 2), ((8, 16, 12, 20), 2), ((100, 3, 33, 33), 1), ((1000, 100), 1), ((12345, 7), 1), ((7, 12345), 0), ((4, 100000), 0)):
        for k in ("sum", "amax", "max", "logsumexp", "norm"):
            call = (lambda a, k=k, d=d: getattr(a, k)(2, d)) if k == "norm" else (lambda a, k=k, d=d: getattr(a, k)(d))
            row(f"{k} {text(s)} along {d}", [normal(*s)], along[k].format(d), (lambda a, call=call: call(a)[0]) if k in first else call)
    for d in ((0, 2, 3), (1, 3)):
        row(f"mean 16x32x14x14 along {text(d)}", [normal(16, 32, 14, 14)], f"ct_mean_dims(a, CT_SHAPE({', '.join(map(str, d))}), false)", lambda a, d=d: a.mean(d))
    for n in (1000, 100000):
        row(f"cumprod {n}", [f"torch.randn({n}) * 0.001 + 1"], "ct_cumprod(a, 0)", lambda a: a.cumprod(0))
        row(f"cumsum float64 {n}", [normal(n) + ".double()"], "ct_cumsum(a, 0)", lambda a: a.cumsum(0))
    row("median 128x100", [normal(128, 100)], "ct_median_dim(a, 1, false, NULL)", lambda a: a.median(1)[0])
    row("sum of part of rows", [normal(300, 400)], "ct_sum(ct_narrow(a, 1, 10, 200))", lambda a: a.narrow(1, 10, 200).sum())
    row("sum of every second of 2M", [normal(2000000)], "ct_sum(ct_slice(a, 0, 0, CT_END, 2))", lambda a: a[::2].sum())
    row("mean of planes", [normal(32, 64, 28, 28)], "ct_mean_dims(a, CT_SHAPE(2, 3), false)", lambda a: a.mean((2, 3)))
    row("cumsum int64", [whole(9, 1000000)], "ct_cumsum(a, 0)", lambda a: a.cumsum(0))
    row("accuracy 256x10", [normal(256, 10), whole(10, 256)], "ct_mean(ct_to(ct_eq(ct_argmax(a, 1, false), b), CT_F32))", lambda a, b: (a.argmax(1) == b).float().mean())


def norms_and_losses():
    for s in ((1000, 1000), (128, 10), (32, 8, 64, 64)):
        both_ways(f"softmax {text(s)}", [normal(*s)], 1, s, "ct_softmax(a, -1)", lambda a: a.softmax(-1))
        both_ways(f"log_softmax {text(s)}", [normal(*s)], 1, s, "ct_log_softmax(a, -1)", lambda a: a.log_softmax(-1))
    both_ways("softmax 16x21x64x64 dim 1", [normal(16, 21, 64, 64)], 1, (16, 21, 64, 64), "ct_softmax(a, 1)", lambda a: a.softmax(1))
    for s in ((256, 768), (32, 100, 64), (4096, 32)):
        both_ways(f"layer_norm {text(s)}", [normal(*s), normal(s[-1]), normal(s[-1]) + " * 2"], 3, s, "ct_layer_norm(a, .weight = b, .bias = c)", lambda a, b, c: F.layer_norm(a, a.shape[-1:], b, c))
    s = (8, 64, 28, 28)
    both_ways("group_norm", [normal(*s), normal(64), normal(64) + " * 2"], 3, s, "ct_group_norm(a, 8, b, c)", lambda a, b, c: F.group_norm(a, 8, b, c))
    for n in (1000, 1000000):
        for k in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss", "binary_cross_entropy_with_logits"):
            row(f"{k} {n}, gradient", [leaf(normal(n)), f"torch.rand({n})", "torch.ones(())"], f"ct_{k}(a, b)", getattr(F, k), "B")
    for n, c in ((32, 10), (256, 1000), (64, 50000)):
        row(f"cross_entropy {n}x{c}, gradient", [leaf(normal(n, c)), whole(c, n), "torch.ones(())"], "ct_cross_entropy(a, b)", F.cross_entropy, "B")
    row("cosine_similarity 1000x128", [normal(1000, 128), normal(1000, 128) + " * 2"], "ct_cosine_similarity(a, b, 1, 1e-8)", F.cosine_similarity)


def products():
    for x, y in (((8, 8), (8, 8)), ((33, 33), (33, 33)), ((100, 100), (100, 100)), ((333, 333), (333, 333)), ((300, 500), (500, 700)), ((1000, 10), (10, 1000)), ((10, 1000), (1000, 10)),
                 ((4096, 64), (64, 4096)), ((64, 784), (784, 128)), ((1, 784), (784, 128)), ((4, 1024), (1024, 1024)), ((100000, 3), (3, 4)), ((1000, 1000), (1000,)), ((100000, 10), (10,)),
                 ((1000000,), (1000000,)), ((128, 17, 33), (128, 33, 65)), ((1000, 3, 3), (1000, 3, 3)), ((8, 256, 256), (8, 256, 256)), ((256, 1, 64), (256, 64, 64)), ((32, 100, 64), (64, 64))):
        row(f"matmul {text(x)} {text(y)}", [normal(*x), normal(*y) + " * 2"], "ct_matmul(a, b)", torch.matmul)
    for d in (100, 300):
        row(f"matmul {d} b.t()", [normal(d, d), normal(d, d) + " * 2"], "ct_matmul(a, ct_t(b))", lambda a, b: a @ b.t())
        row(f"matmul {d} a.t()", [normal(d, d), normal(d, d) + " * 2"], "ct_matmul(ct_t(a), b)", lambda a, b: a.t() @ b)
    row("matmul x.t() x", [normal(10000, 50)], "ct_matmul(ct_t(a), a)", lambda a: a.t() @ a)
    row("outer 1000", [normal(1000), normal(1000) + " * 2"], "ct_outer(a, b)", torch.outer)
    row("kron 30", [normal(30, 30), normal(30, 30) + " * 2"], "ct_kron(a, b)", torch.kron)
    row("einsum bqhd,bkhd->bhqk", [normal(4, 64, 8, 32), normal(4, 64, 8, 32) + " * 2"], 'ct_einsum("bqhd,bkhd->bhqk", a, b)', lambda a, b: torch.einsum("bqhd,bkhd->bhqk", a, b))
    row("cdist 500x500x32", [normal(500, 32), normal(500, 32) + " * 2"], "ct_cdist(a, b, 2)", torch.cdist)
    for b, i, o in ((1, 784, 128), (32, 512, 512), (128, 100, 100)):
        both_ways(f"linear {b}x{i}x{o}", [normal(b, i), normal(o, i), normal(o)], 3, (b, o), "ct_linear(a, b, c)", F.linear)
    for n in (3, 16, 64, 256):
        a = f"torch.randn({n}, {n}) + {n} * torch.eye({n}) * 0.5"
        for k in ("inv", "svdvals", "eigvalsh", "cholesky"):
            spd = f"(lambda a: a @ a.mT / {n} + torch.eye({n}))({normal(n, n)})"
            row(f"{k} {n}", [spd if k in ("eigvalsh", "cholesky") else a], {"eigvalsh": "ct_linalg_eigvalsh(a, false)", "cholesky": "ct_linalg_cholesky(a, false)"}.get(k, f"ct_linalg_{k}(a)"), getattr(torch.linalg, k))
        row(f"solve {n}", [a, normal(n, 1)], "ct_linalg_solve(a, b, true)", torch.linalg.solve)


def convolutions():
    layers = [((1, 3, 224, 224), (32, 3, 3, 3), 2, 1, 1, 1), ((4, 64, 56, 56), (128, 64, 3, 3), 2, 1, 1, 1), ((4, 64, 28, 28), (64, 16, 3, 3), 1, 1, 1, 4), ((4, 32, 28, 28), (32, 32, 3, 3), 1, 2, 2, 1),
              ((8, 16, 28, 28), (32, 16, 5, 5), 1, 2, 1, 1), ((4, 64, 28, 28), (256, 64, 1, 1), 1, 0, 1, 1), ((32, 1, 28, 28), (6, 1, 5, 5), 1, 0, 1, 1), ((16, 512, 7, 7), (512, 512, 3, 3), 1, 1, 1, 1),
              ((64, 32, 26, 26), (64, 32, 3, 3), 1, 0, 1, 1), ((8, 96, 14, 14), (96, 1, 5, 5), 1, 2, 1, 96), ((8, 64, 56, 56), (64, 1, 3, 3), 2, 1, 1, 64), ((16, 3, 64, 64), (64, 3, 4, 4), 4, 0, 1, 1),
              ((4, 13, 19, 19), (17, 13, 3, 3), 1, 1, 1, 1), ((1, 1, 256, 256), (1, 1, 11, 11), 1, 5, 1, 1)]
    for x, w, s, p, d, g in layers:
        size = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k in zip(x[2:], w[2:])]
        both_ways(f"conv2d {text(x)} {text(w)} s{s} d{d} g{g}", [normal(*x), normal(*w) + " * 0.1", normal(w[0])], 3, (x[0], w[0], *size),
                  f"ct_conv2d(a, b, c, .stride = {s}, .padding = {p}, .dilation = {d}, .groups = {g})", lambda a, b, c, k=(s, p, d, g): F.conv2d(a, b, c, *k))
    both_ways("conv1d 16x64x100 k3", [normal(16, 64, 100), normal(64, 64, 3) + " * 0.1", normal(64)], 3, (16, 64, 100), "ct_conv1d(a, b, c, .padding = 1)", lambda a, b, c: F.conv1d(a, b, c, 1, 1))
    both_ways("conv_transpose2d 8x64x16x16 4x4 s2", [normal(8, 64, 16, 16), normal(64, 32, 4, 4) + " * 0.1", normal(32)], 3, (8, 32, 32, 32),
              "ct_conv_transpose2d(a, b, c, .stride = 2, .padding = 1)", lambda a, b, c: F.conv_transpose2d(a, b, c, 2, 1))
    pools = {"max_pool2d 2": ((32, 64, 28, 28), (14, 14), "ct_max_pool2d(a, 2)", lambda a: F.max_pool2d(a, 2)),
             "max_pool2d 3 s1": ((8, 64, 28, 28), (28, 28), "ct_max_pool2d(a, 3, .stride = 1, .padding = 1)", lambda a: F.max_pool2d(a, 3, 1, 1)),
             "avg_pool2d 2": ((32, 64, 28, 28), (14, 14), "ct_avg_pool2d(a, 2)", lambda a: F.avg_pool2d(a, 2)),
             "avg_pool2d 3 s2": ((8, 64, 56, 56), (28, 28), "ct_avg_pool2d(a, 3, .stride = 2, .padding = 1)", lambda a: F.avg_pool2d(a, 3, 2, 1)),
             "adaptive_avg_pool2d 1": ((16, 512, 7, 7), (1, 1), "ct_adaptive_avg_pool2d(a, 1, 1)", lambda a: F.adaptive_avg_pool2d(a, 1)),
             "nearest x2": ((8, 64, 28, 28), (56, 56), 'ct_interpolate(a, CT_SHAPE(56, 56), .mode = "nearest")', lambda a: F.interpolate(a, (56, 56), mode="nearest")),
             "bilinear x2": ((8, 64, 28, 28), (56, 56), 'ct_interpolate(a, CT_SHAPE(56, 56), .mode = "bilinear")', lambda a: F.interpolate(a, (56, 56), mode="bilinear"))}
    for k, (s, o, c, f) in pools.items():
        both_ways(f"{k} {text(s)}", [normal(*s)], 1, s[:2] + o, c, f)
    both_ways("max_pool1d 2 32x64x100", [normal(32, 64, 100)], 1, (32, 64, 50), "ct_max_pool1d(a, 2)", lambda a: F.max_pool1d(a, 2))


def indexing():
    q = normal(1000, 1000)
    row("index_select rows", [q, whole(1000, 500)], "ct_index_select(a, 0, b)", lambda a, b: a.index_select(0, b))
    row("index_select columns", [q, whole(1000, 500)], "ct_index_select(a, 1, b)", lambda a, b: a.index_select(1, b))
    row("index two", [q, whole(1000, 10000), whole(1000, 10000) + " * 1"], "ct_index(a, CT_BY(b), CT_BY(c))", lambda a, b, c: a[b, c])
    row("row mask", [normal(10000, 64), "torch.rand(10000) < 0.5"], "ct_index(a, CT_BY(b))", lambda a, b: a[b])
    for d in (0, 1):
        row(f"gather {d}", [q, whole(1000, 1000, 1000)], f"ct_gather(a, {d}, b)", lambda a, b, d=d: a.gather(d, b))
        row(f"scatter_add {d}", [q, whole(1000, 1000, 1000), q + " * 2"], f"ct_scatter_add(a, {d}, b, c)", lambda a, b, c, d=d: a.scatter_add(d, b, c))
    row("gather 4 of each row", [normal(12345, 33), whole(33, 12345, 4)], "ct_gather(a, 1, b)", lambda a, b: a.gather(1, b))
    row("scatter_add 4 of each row", [normal(12345, 33), whole(33, 12345, 4), normal(12345, 4)], "ct_scatter_add(a, 1, b, c)", lambda a, b, c: a.scatter_add(1, b, c))
    for n, l, d in ((64, 20, 64), (1000, 5, 100)):
        row(f"embedding_bag {n}x{l} of 1000x{d}", [whole(1000, n, l), normal(1000, d)], "ct_embedding_bag(a, b)", F.embedding_bag)
    row("index_add 1000x64 by 10000", [normal(1000, 64), whole(1000, 10000), normal(10000, 64)], "ct_index_add(a, 0, b, c, 1)", lambda a, b, c: a.index_add(0, b, c))
    row("masked_select one in ten", [normal(1000000), "torch.rand(1000000) < 0.1"], "ct_masked_select(a, b)", torch.masked_select)
    row("nonzero one in a hundred", ["torch.rand(1000, 1000) < 0.01"], "ct_nonzero(a)", torch.nonzero)
    for v, d in ((1000, 64), (50257, 128)):
        both_ways(f"embedding of {v}x{d}", [normal(v, d), whole(v, 8, 128)], 1, (8, 128, d), "ct_embedding(b, a)", lambda a, b: F.embedding(b, a))
    for s in ((1000,), (100000,), (1000, 100), (10000, 10)):
        row(f"sort {text(s)}", [normal(*s)], "ct_sort(a, -1, false, NULL)", lambda a: a.sort(stable=True)[0])
    row("sort 100K int64", ["torch.randint(-10**12, 10**12, (100000,))"], "ct_sort(a, -1, false, NULL)", lambda a: a.sort(stable=True)[0])
    for k, s in ((1, (256, 1000)), (5, (256, 1000)), (3, (128, 10)), (10, (1000, 1000)), (100, (32, 50000))):
        row(f"topk {k} of {text(s)}", [normal(*s)], f"ct_topk(a, {k}, -1, true, true, NULL)", lambda a, k=k: a.topk(k)[0])
    row("unique", [whole(1000, 100000)], "ct_unique(a, true, NULL, NULL)", torch.unique)
    row("searchsorted", ["torch.randn(1000).sort()[0]", normal(100000)], "ct_searchsorted(a, b, false)", torch.searchsorted)
    row("bincount", [whole(256, 1000000)], "ct_bincount(a, NULL, 0)", torch.bincount)


def sequences():
    if not OLD:
        for b, h, t, d in ((4, 8, 256, 64), (1, 4, 64, 16), (8, 4, 100, 32)):
            s = (b, h, t, d)
            qkv = [normal(*s), normal(*s) + " * 2", normal(*s) + " * 3"]
            both_ways(f"attention {text(s)}", qkv, 3, s, "ct_scaled_dot_product_attention(a, b, c)", F.scaled_dot_product_attention)
    for kind, g in (("lstm", 4), ("gru", 3), ("rnn_tanh", 1)):
        for t, b, i, h in ((50, 32, 128, 128), (28, 64, 28, 64), (100, 1, 64, 64)):
            def f(x, *p, kind=kind, b=b, h=h):
                s = torch.zeros(1, b, h)
                return getattr(torch, kind)(x, (s, s) if kind == "lstm" else s, p, True, 1, 0.0, True, False, False)[0]
            w = [f"torch.randn({s}) * {0.1 + k / 1000}" for k, s in enumerate(((g * h, i), (g * h, h), (g * h,), (g * h,)))]
            both_ways(f"{kind} T{t} B{b} {i}>{h}", [normal(t, b, i)] + w, 5, (t, b, h), f"ct_{kind}(a, NULL, ct_params_of(b, c, d, e))", f)


def tiny():
    for s in ((), (10,), (3, 3)):
        x, y, name = normal(*s), normal(*s) + " * 2", text(s) or "0-d"
        for k, c, f in (("add", "ct_add(a, b)", torch.add), ("exp", "ct_exp(a)", lambda a, b: a.exp()), ("sum", "ct_sum(a)", lambda a, b: a.sum()), ("a * 2", "ct_mul(a, 2)", lambda a, b: a * 2)):
            row(f"{k} {name}", [x, y], c, f)
        row(f"tanh(a b + a) {name}, gradients", [leaf(x), leaf(y), x], "ct_tanh(ct_add(ct_mul(a, b), a))", lambda a, b: torch.tanh(a * b + a), "B")
    row("softmax of 10", [normal(10)], "ct_softmax(a, 0)", lambda a: a.softmax(0))
    row("matmul 3x3", [normal(3, 3), normal(3, 3) + " * 2"], "ct_matmul(a, b)", torch.matmul)


for group in (pointwise, types, views, reductions, norms_and_losses, products, convolutions, indexing, sequences, tiny):
    made = len(ROWS)
    group()
    ROWS[made:] = [(group.__name__, *r) for r in ROWS[made:]]

if __name__ == "__main__":
    expressions = {c_name(r[3]): r[3] for r in ROWS}
    print("/* made by bench/shapes.py */\n#define SHAPES(X) \\\n" + " \\\n".join(f"    X({k}, {c})" for k, c in expressions.items()))
