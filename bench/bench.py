#!/usr/bin/env python3
"""ctorch and PyTorch side by side: every row runs in short batches of both, in turns, and the medians are compared.

  make bench                              all rows, one thread and two
  bench/bench.py [options] [group or row ...]
    --quick          small sizes, few rounds: for continuous integration (under a minute)
    --check          compares the results of every row instead of the times
    --threads 1,2    thread counts
    --patience 120   seconds to spend at most in waiting for other programs; rows they disturbed all the same are marked with ~
    --as-shipped     leave PyTorch's malloc as it is (see fairness in NOTES.md)
    --rows PROGRAM   the C side (default build/bench/rows)
    --shapes         the rows of shapes.py instead (their program: make build/bench/shapes)
    --list           names of all rows

Writes build/bench/bench.json and bench.svg. NOTES.md says how each number is measured and what bounds the rows that fall short."""
import argparse, ctypes, gc, glob, json, math, os, platform, statistics, subprocess, sys, time, zlib

from surroundings import BLAS_OPENMP, restart_in_fair_surroundings  # (beside this file)


if __name__ == "__main__":
    restart_in_fair_surroundings()
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

here = os.path.dirname(os.path.abspath(__file__))
from draw import bars  # noqa: E402  (beside this file)

# ---- the rows ----------------------------------------------------------------------------------------------------------------------------
# group, name, C row, mode, inputs (Python text, evaluated once and given to both; "grad:" requires a gradient, "own:" is written to), the same
# in torch, and what bounds it: bytes(read, written) or flops. The last input of a backward row is the gradient of its result.


class Row:
    def __init__(self, group, name, c, inputs, f, mode="f", args=(), read=0, written=0, flops=0, f64=False, per=1, cached=False,
                 blas=None, tolerance=None, make=None, counted=True, check_runs=1, note=""):
        self.__dict__.update(locals())
        self.full = f"{group}/{name}"


def shape(t):
    return "x".join(map(str, t))


def all_rows(quick):
    rows, add = [], lambda *a, **k: rows.append(Row(*a, **k))
    M = 1 << 20
    big, small = (M if quick else 16 * M), 65536

    # pointwise
    for n, size, cached in ((big, f"{big // M}M", False), (small, "64K", True)):
        x, y, pos = f"torch.randn({n})", f"torch.randn({n}) * 1", f"torch.rand({n}) + 0.1"
        one, two = dict(read=4 * n, written=4 * n, cached=cached), dict(read=8 * n, written=4 * n, cached=cached)
        g = "pointwise"
        add(g, f"add {size}", "add", [x, y], torch.add, **two)
        add(g, f"mul by scalar {size}", "mul_scalar", [x], lambda a: a * 1.5, args=[1.5], **one)
        add(g, f"relu {size}", "relu", [x], torch.relu, **one)
        add(g, f"exp {size}", "exp", [x], torch.exp, **one)
        add(g, f"log {size}", "log", [pos], torch.log, **one)
        add(g, f"tanh {size}", "tanh", [x], torch.tanh, **one)
        add(g, f"sigmoid {size}", "sigmoid", [x], torch.sigmoid, **one)
        add(g, f"gelu {size}", "gelu", [x], F.gelu, **one)
        add(g, f"pow {size}", "pow", [pos], lambda a: torch.pow(a, 1.7), args=[1.7], **one)
        add(g, f"where {size}", "where", [f"torch.rand({n}) < 0.5", x, y], torch.where, read=9 * n, written=4 * n, cached=cached)
        add(g, f"add_ {size}", "add_", ["own:" + x, f"torch.randn({n}) * 1e-3"], lambda a, b: a.add_(b), **two)
        add(g, f"mul_ by scalar {size}", "mul_scalar_", ["own:" + x], lambda a: a.mul_(1.0000001), args=[1.0000001], **one)
        add(g, f"relu_ {size}", "relu_", ["own:" + x], torch.relu_, **one)
        add(g, f"exp_ and log_ {size}", "exp_log_", ["own:" + x], lambda a: a.exp_().log_(), read=8 * n, written=8 * n, cached=cached)
        add(g, f"tanh_ {size}", "tanh_", ["own:" + x], torch.tanh_, **one)
        add(g, f"sigmoid_ {size}", "sigmoid_", ["own:" + x], torch.sigmoid_, **one)
        add(g, f"pow_ {size}", "pow_", ["own:" + pos], lambda a: a.pow_(0.9), args=[0.9], **one)
    n = big // 4
    size = f"{n // M}M" if n >= M else f"{n // 1024}K"
    for dtype, width in (("float64", 8), ("int64", 8), ("bfloat16", 2)):
        x, y = (f"torch.{'randint(-9, 9, (' if dtype == 'int64' else 'randn(('}{n},)).to(torch.{dtype}) * {k}" for k in (1, 2))
        add("pointwise", f"add {dtype} {size}", "add", [x, y], torch.add, read=2 * width * n, written=width * n)
        if dtype == "int64":
            add("pointwise", f"mul {dtype} {size}", "mul", [x, y], torch.mul, read=2 * width * n, written=width * n)
        else:
            add("pointwise", f"tanh {dtype} {size}", "tanh", [x], torch.tanh, read=width * n, written=width * n)
    d = 1024 if quick else 4096
    add("broadcast", f"({d},1)+(1,{d})", "add", [f"torch.randn({d}, 1)", f"torch.randn(1, {d})"], torch.add, written=4 * d * d)
    add("broadcast", f"x + x.t() {d}", "add_t", [f"torch.randn({d}, {d})"], lambda a: a + a.t(), read=8 * d * d, written=4 * d * d)
    add("broadcast", f"bias ({d},{d})+({d})", "add", [f"torch.randn({d}, {d})", f"torch.randn({d})"], torch.add, read=4 * d * d, written=4 * d * d)

    # gradients
    chain = lambda a, b, c: torch.tanh(torch.sigmoid(a * b + c) * torch.exp(-a))
    for n, size, cached in ((big // 4, size, False), (small, "64K", True)):
        x, g = f"grad:torch.randn({n})", f"torch.randn({n}) * 2"
        for name, f in (("tanh", torch.tanh), ("gelu", F.gelu), ("silu", F.silu)):
            add("backward", f"{name} {size}", name, [x, g], f, mode="b", read=8 * n, written=4 * n, cached=cached)
        chain_in = [x, f"torch.randn({n}) * 3", f"torch.randn({n}) * 4", g]
        add("backward", f"chain of six {size}", "chain6", chain_in, chain, mode="b", read=16 * n, written=4 * n, cached=cached)
        add("backward", f"chain of six, forward too {size}", "chain6", chain_in, chain, mode="B", read=20 * n, written=4 * n, cached=cached)

    # reductions
    d = 1024 if quick else 4096
    n, x = d * d, f"torch.randn({d}, {d})"
    one = dict(read=4 * n)
    add("reduce", f"sum {d}x{d}", "sum", [x], torch.sum, **one)
    add("reduce", f"sum dim 0 {d}x{d}", "sum_dim", [x], lambda a: a.sum(0), args=[0], **one)
    add("reduce", f"sum dim -1 {d}x{d}", "sum_dim", [x], lambda a: a.sum(-1), args=[-1], **one)
    add("reduce", "sum 64K", "sum", ["torch.randn(65536)"], torch.sum, read=4 * 65536, cached=True)
    add("reduce", f"max with index dim -1 {d}x{d}", "max_dim", [x], lambda a: tuple(a.max(-1))[::-1], args=[-1], **one)
    add("reduce", f"max with index dim 0 {d}x{d}", "max_dim", [x], lambda a: tuple(a.max(0))[::-1], args=[0], **one)
    add("reduce", f"argmax dim -1 {d}x{d}", "argmax", [x], lambda a: a.argmax(-1), args=[-1], **one)
    add("reduce", f"var {d}x{d}", "var", [x], torch.var, **one)
    add("reduce", f"var dim -1 {d}x{d}", "var_dim", [x], lambda a: a.var(-1), args=[-1], **one)
    add("reduce", f"var dim 0 {d}x{d}", "var_dim", [x], lambda a: a.var(0), args=[0], **one)
    add("reduce", f"norm {d}x{d}", "norm", [x], torch.norm, **one)
    add("reduce", f"logsumexp {d}x{d}", "logsumexp", [x], lambda a: torch.logsumexp(a, -1), **one)
    add("reduce", f"softmax {d}x{d}", "softmax", [x], lambda a: torch.softmax(a, -1), read=4 * n, written=4 * n)
    add("reduce", f"softmax {8 * d}x{d // 16}", "softmax", [f"torch.randn({8 * d}, {d // 16})"], lambda a: torch.softmax(a, -1), read=2 * n, written=2 * n)
    add("reduce", f"cumsum dim -1 {d}x{d}", "cumsum", [x], lambda a: a.cumsum(-1), args=[-1], read=4 * n, written=4 * n)
    add("reduce", f"cumsum dim 0 {d}x{d}", "cumsum", [x], lambda a: a.cumsum(0), args=[0], read=4 * n, written=4 * n)
    xg, target = f"grad:torch.randn({d}, 1000)", f"torch.randint(0, 1000, ({d},))"
    add("reduce", f"cross_entropy {d}x1000", "cross_entropy", [xg[5:], target], F.cross_entropy, read=4000 * d)
    add("reduce", f"cross_entropy, gradient too {d}x1000", "cross_entropy", [xg, target, "torch.ones(())"], F.cross_entropy, mode="B", read=4000 * d, written=4000 * d)
    norm = [f"grad:torch.randn({4 * d}, {d // 4})", f"grad:torch.randn({d // 4})", f"grad:torch.randn({d // 4}) * 2", f"torch.randn({4 * d}, {d // 4}) * 2"]
    ln = lambda a, w, b: F.layer_norm(a, (a.shape[-1],), w, b)
    add("reduce", f"layer_norm {4 * d}x{d // 4}", "layer_norm", [s.replace("grad:", "") for s in norm[:3]], ln, read=4 * n, written=4 * n)
    add("reduce", f"layer_norm, gradients too {4 * d}x{d // 4}", "layer_norm", norm, ln, mode="B", read=12 * n, written=8 * n)

    # products
    def mm(name, c, a, b, f, flops, blas=None, **k):
        add("matmul", name, c, [f"torch.randn({a})", f"torch.randn({b}) * 1"], f, flops=flops, blas=blas, **k)
    for d in (64, 128, 256, 512) if quick else (64, 128, 256, 512, 1024, 2048):
        mm(f"{d}", "matmul", f"{d}, {d}", f"{d}, {d}", torch.matmul, 2 * d ** 3, ("s", 0, 0))
    d = 256 if quick else 1024
    mm(f"{d} b transposed", "matmul_nt", f"{d}, {d}", f"{d}, {d}", lambda a, b: a @ b.mT, 2 * d ** 3, ("s", 0, 1))
    mm(f"{d} a transposed", "matmul_tn", f"{d}, {d}", f"{d}, {d}", lambda a, b: a.mT @ b, 2 * d ** 3, ("s", 1, 0))
    d = 2048 if quick else 4096
    mm(f"(1,{d})x({d},{d})", "matmul", f"1, {d}", f"{d}, {d}", torch.matmul, 0, ("s", 0, 0), read=4 * d * d)
    mm("256 batches of 64x64", "matmul", "256, 64, 64", "256, 64, 64", torch.matmul, 512 * 64 ** 3)
    d = 256 if quick else 1024
    rows.append(Row("matmul", f"float64 {d}", "matmul", [f"torch.randn({d}, {d}).double()", f"torch.randn({d}, {d}).double() * 2"], torch.matmul,
                    flops=2 * d ** 3, f64=True, blas=("d", 0, 0)))
    b, i, o = (64, 256, 256) if quick else (512, 1024, 1024)
    add("matmul", f"linear fwd+bwd {b}x{i}x{o}", "linear", [f"grad:torch.randn({b}, {i})", f"grad:torch.randn({o}, {i})", f"grad:torch.randn({o})", f"torch.randn({b}, {o}) * 1"],
        F.linear, mode="B", flops=6 * b * i * o, tolerance=3e-5)

    # convolutions
    N = 1 if quick else 8
    layers = [("7x7 s2 3>64 224", 3, 64, 7, 224, 2, 3, 1), ("3x3 64>64 56", 64, 64, 3, 56, 1, 1, 1), ("3x3 s2 64>128 56", 64, 128, 3, 56, 2, 1, 1),
              ("3x3 128>128 28", 128, 128, 3, 28, 1, 1, 1), ("3x3 s2 128>256 28", 128, 256, 3, 28, 2, 1, 1), ("3x3 256>256 14", 256, 256, 3, 14, 1, 1, 1),
              ("3x3 s2 256>512 14", 256, 512, 3, 14, 2, 1, 1), ("3x3 512>512 7", 512, 512, 3, 7, 1, 1, 1), ("1x1 s2 64>128 56", 64, 128, 1, 56, 2, 0, 1),
              ("1x1 256>64 56", 256, 64, 1, 56, 1, 0, 1), ("depthwise 3x3 128 56", 128, 128, 3, 56, 1, 1, 128)]
    for name, c, o, k, hw, s, p, groups in layers:
        out = (hw + 2 * p - k) // s + 1
        flops = 2 * N * o * (c // groups) * k * k * out * out
        x, w, g = f"torch.randn({N}, {c}, {hw}, {hw})", f"torch.randn({o}, {c // groups}, {k}, {k})", f"torch.randn({N}, {o}, {out}, {out})"
        f = lambda a, b, s=s, p=p, groups=groups: F.conv2d(a, b, stride=s, padding=p, groups=groups)
        gx = x if "7x7" in name else "grad:" + x  # the first layer needs no gradient of the image
        add("conv", name + " forward", "conv2d", [x, w], f, args=[s, p, groups], flops=flops, tolerance=3e-5)
        add("conv", name + " backward", "conv2d", [gx, "grad:" + w, g], f, mode="b", args=[s, p, groups], flops=flops * (1 if gx is x else 2), tolerance=3e-5)
    hw = 112
    x, g = f"torch.randn({N}, 64, {hw}, {hw})", f"torch.randn({N}, 64, {hw // 2}, {hw // 2})"
    pool = lambda a: F.max_pool2d(a, 3, 2, 1)
    n = N * 64 * hw * hw
    add("conv", f"max_pool2d 3x3 s2 {hw}", "max_pool2d", [x], pool, read=4 * n, written=n)
    add("conv", f"max_pool2d 3x3 s2 {hw} fwd+bwd", "max_pool2d", ["grad:" + x, g], pool, mode="B", read=5 * n, written=5 * n)
    bn = ["grad:" + x, "grad:torch.rand(64)", "grad:torch.randn(64)", "own:torch.zeros(64)", "own:torch.ones(64)"]
    norm = lambda a, w, b, m, v: F.batch_norm(a, m, v, w, b, True)
    add("conv", f"batch_norm2d training 64x{hw}", "batch_norm2d", [s.replace("grad:", "") for s in bn], norm, read=8 * n, written=4 * n)
    add("conv", f"batch_norm2d training 64x{hw} fwd+bwd", "batch_norm2d", bn + [x + " * 2"], norm, mode="B", read=24 * n, written=8 * n, tolerance=3e-5)

    # indexing
    V, D, B = (1000, 64, 2048) if quick else (10000, 128, 16384)
    idx, table = f"torch.randint(0, {V}, ({B},))", f"torch.randn({V}, {D})"
    add("index", f"embedding {B} of {V}x{D} fwd+bwd", "embedding", [idx, "grad:" + table, f"torch.randn({B}, {D}) * 2"], F.embedding, mode="B",
        read=8 * B * D + 4 * B * D, written=4 * B * D + 4 * V * D + 4 * B * D)
    d = 512 if quick else 2048
    n, x, idx = d * d, f"torch.randn({d}, {d})", f"torch.randint(0, {d}, ({d}, {d}))"
    add("index", f"gather {d}x{d}", "gather", [x, idx], lambda a, i: a.gather(1, i), read=12 * n, written=4 * n)
    add("index", f"scatter_add {d}x{d}", "scatter_add", [x, idx, x + " * 2"], lambda a, i, s: a.scatter_add(1, i, s), read=20 * n, written=8 * n)
    add("index", f"index_select {B} rows of {V}x{D}", "index_select", [table, f"torch.randint(0, {V}, ({B},)) * 1"], lambda a, i: a.index_select(0, i), read=4 * B * D, written=4 * B * D)
    add("index", f"boolean mask {d}x{d}", "masked_select", [x, f"torch.rand({d}, {d}) < 0.5"], lambda a, m: a[m], read=5 * n, written=2 * n)
    s = M // 16 if quick else M
    add("index", f"sort {s // 1024}K", "sort", [f"torch.randn({s})"], lambda a: tuple(a.sort(stable=True))[::-1], read=4 * s, written=12 * s)
    add("index", f"topk 100 of {s // 1024}K", "topk", [f"torch.randn({s})"], lambda a: tuple(a.topk(100))[::-1], args=[100], read=4 * s)
    add("index", f"cat 4 of {d // 2}x{d // 2} dim 1", "cat", [f"torch.randn({d // 2}, {d // 2}) * {k}" for k in (1, 2, 3, 4)], lambda *a: torch.cat(a, 1), read=4 * n, written=4 * n)
    add("index", f"transposed copy {d}x{d}", "contiguous_t", [x], lambda a: a.t().contiguous(), read=4 * n, written=4 * n)

    # small things: time per op
    def small_chain(w, b):
        h = w
        for _ in range(100):
            h = h * w + b
        return h
    add("overhead", "4x4 mul, add: graph, backward, per op", "small_chain", ["grad:torch.rand(4, 4)", "torch.rand(4, 4) * 1", "torch.ones(4, 4)"], small_chain, mode="B", args=[200], per=200, tolerance=1e-4)
    add("overhead", "4x4 mul, add: no gradients, per op", "small_chain", ["torch.rand(4, 4)", "torch.rand(4, 4) * 1"], small_chain, args=[200], per=200, tolerance=1e-4)
    linear = ["nn.Linear(784, 128)", "nn.Linear(128, 10)"]
    params = [f"{l}.{p}.detach()" for l in linear for p in ("weight", "bias")]
    add("overhead", "MLP 784-128-10 forward, batch 1", "mlp_forward", ["torch.rand(1, 784)"] + params, None, make=lambda ins: module_forward(mlp(), ins))
    sizes = [2, 8, 8, 1]
    nodes = sum(2 * a * b + b for a, b in zip(sizes, sizes[1:]))

    def scalar_graph(*leaves):
        x, w = list(leaves[:2]), iter(leaves[2:])
        for a, b in zip(sizes, sizes[1:]):
            y = []
            for _ in range(b):
                s = next(w)
                for i in range(a):
                    s = s + next(w) * x[i]
                y.append(torch.tanh(s))
            x = y
        return x[0]
    count = 2 + sum(b * (a + 1) for a, b in zip(sizes, sizes[1:]))
    add("overhead", "scalar graph as micrograd's, per op", "scalar_graph", [f"grad:torch.randn(()) * {1 + k / 1000}" for k in range(count)] + ["torch.ones(())"], scalar_graph, mode="B", per=nodes, tolerance=1e-4)
    add("overhead", "scope begin, end", "scope", ["torch.zeros(())"], None, args=[1000], per=1000)

    # training
    def train(name, c, net, batch, image, optim, flops, tolerance=1e-4, **k):
        net_params = [tuple(p.shape) for p in net().parameters()]
        ins = [f"torch.rand({batch}, {image})", f"torch.randint(0, 10, ({batch},))"]
        ins += [f"torch.randn({s}) * {0.5 / math.sqrt(max(1, np.prod(s[1:])))}" for s in net_params]
        if len(net_params) > 8:  # batch norms: weights of one, biases of zero
            ins = ins[:2] + [f"torch.full({s}, 1.0)" if len(s) == 1 and i % 3 == 1 else f"torch.randn({s}) * {1 / math.sqrt(max(1, np.prod(s[1:])))}"
                             for i, s in enumerate(net_params)]
        add("train", name, c, ins, None, make=lambda i: training(net(), optim, i), flops=flops * batch, tolerance=tolerance, check_runs=3, **k)
    train("MLP 784-128-10 SGD batch 100", "mlp", mlp, 100, "784", lambda p: torch.optim.SGD(p, lr=0.1), 2 * (2 * 784 * 128 + 3 * 128 * 10))
    train("fashion CNN Adam batch 64", "fashion", fashion, 64, "1, 28, 28", lambda p: torch.optim.Adam(p, lr=1e-3),
          2 * (2 * 144 * 784 + 3 * 16 * 9 * 32 * 196 + 3 * 32 * 49 * 10), tolerance=3e-3)
    train("5x5x32/5x5x64 CNN SGD batch 64", "cnn5", cnn5, 64, "1, 28, 28", lambda p: torch.optim.SGD(p, lr=0.01), 2 * (2 * 25 * 32 * 784 + 3 * 32 * 25 * 64 * 196 + 3 * 64 * 49 * 10))
    batch = 2 if quick else 32
    train(f"ResNet-18 32x32 SGD batch {batch}", "resnet18", resnet18, batch, "3, 32, 32", lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9), 6 * 555e6, tolerance=2e-2)
    n = M if quick else 10_000_000
    for name, c, optim, r, w in (("Adam", "adam", lambda p: torch.optim.Adam(p, lr=1e-3), 16, 12), ("SGD momentum", "sgd", lambda p: torch.optim.SGD(p, lr=1e-3, momentum=0.9), 12, 8)):
        add("train", f"{name} step {n // 1000000}M parameters", c, [f"own:torch.randn({n})", f"torch.randn({n}) * 2"], None, make=lambda i, optim=optim: stepping(optim, i), read=r * n, written=w * n, check_runs=3)
    n = 2000 if quick else 10000
    add("train", f"DataLoader {n} samples of 1x28x28, batch 64, shuffled", "loader", [f"torch.rand({n}, 1, 28, 28)", f"torch.randint(0, 10, ({n},))"], None, make=loading, read=3144 * n, written=3144 * n)
    return rows


def shape_rows():
    import shapes
    return [Row(group, name, shapes.c_name(c), inputs, f, mode=mode, tolerance=shapes.TOLERANCE.get(name)) for group, name, inputs, c, f, mode in shapes.ROWS]


def mlp():
    return nn.Sequential(nn.Linear(784, 128), nn.ReLU(), nn.Linear(128, 10))


def fashion():
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32 * 7 * 7, 10))


def cnn5():
    return nn.Sequential(nn.Conv2d(1, 32, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(64 * 7 * 7, 10))


class Block(nn.Module):
    def __init__(self, i, o, s):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(i, o, 3, s, 1, bias=False), nn.BatchNorm2d(o)
        self.conv2, self.bn2 = nn.Conv2d(o, o, 3, 1, 1, bias=False), nn.BatchNorm2d(o)
        self.shortcut = nn.Sequential(nn.Conv2d(i, o, 1, s, bias=False), nn.BatchNorm2d(o)) if s != 1 or i != o else None

    def forward(self, x):
        y = self.bn2(self.conv2(torch.relu(self.bn1(self.conv1(x)))))
        return torch.relu(y + (x if self.shortcut is None else self.shortcut(x)))


def resnet18():
    blocks = [Block(64, 64, 1), Block(64, 64, 1), Block(64, 128, 2), Block(128, 128, 1), Block(128, 256, 2), Block(256, 256, 1), Block(256, 512, 2), Block(512, 512, 1)]
    return nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU(), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(512, 10))


def load(net, values):
    with torch.no_grad():
        for p, v in zip(net.parameters(), values):
            p.copy_(v)
    return net


def module_forward(net, ins):
    load(net, ins[1:])
    return lambda: net(ins[0])


def training(net, optim, ins):
    load(net, ins[2:])
    opt = optim(net.parameters())

    def step():
        with torch.enable_grad():
            loss = F.cross_entropy(net(ins[0]), ins[1])
            opt.zero_grad()
            loss.backward()
        opt.step()
        return loss
    return step


def stepping(optim, ins):
    p = ins[0].requires_grad_()
    p.grad = ins[1]
    opt = optim([p])

    def step():
        opt.step()
        return p.detach()
    return step


def loading(ins):
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*ins), batch_size=64, shuffle=True)
    return lambda: torch.tensor(sum(len(x) for x, _ in loader))


# ---- the two sides -----------------------------------------------------------------------------------------------------------------------
class CSide:
    def __init__(self, program):
        # its malloc is the user's
        env = {k: v for k, v in os.environ.items() if not k.startswith("MALLOC_")}
        self.p = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, bufsize=1 << 20)
        self.sent = {}

    def ask(self, line, raw=b""):
        self.p.stdin.write(line.encode() + b"\n" + raw)
        self.p.stdin.flush()
        return self.answer(line)

    def answer(self, line):
        a = self.p.stdout.readline().decode().split(None, 1)
        if not a or a[0] != "ok":
            raise RuntimeError(f"C side, {line!r}: {' '.join(a) or 'it has died'}")
        return a[1].strip() if len(a) > 1 else ""

    def data(self, text, tensor):
        if text not in self.sent:
            key = f"d{len(self.sent)}"
            raw = tensor.view(torch.int16) if tensor.dtype == torch.bfloat16 else tensor
            raw = raw.contiguous().numpy().tobytes()
            self.ask(" ".join(map(str, ["data", key, str(tensor.dtype)[6:], tensor.dim(), *tensor.shape])), raw)
            self.sent[text] = key
        return self.sent[text]

    def row(self, row, tensors):
        keys = [self.data(s.split(":")[-1] if s[:5] in ("grad:",) or s[:4] == "own:" else s, t) for s, t in zip(row.inputs, tensors)]
        self.ask(f"row {row.c} {row.mode}")
        for s, k in zip(row.inputs, keys):
            self.ask(f"input {k} {int(s.startswith('grad:'))} {int(s.startswith('own:'))}")
        for a in row.args:
            self.ask(f"arg {a!r}")
        self.ask("setup")

    def run(self, n):
        return float(self.ask(f"run {n}"))

    def outputs(self):
        result = []
        for _ in range(int(self.ask("outputs"))):
            dtype, _, *sizes = self.p.stdout.readline().decode().split()
            if dtype == "none":
                result.append(None)
                continue
            sizes = [int(s) for s in sizes]
            kind = {"bool": np.bool_, "bfloat16": np.int16}.get(dtype) or np.dtype(dtype)
            raw = np.frombuffer(self.p.stdout.read(int(np.prod(sizes)) * np.dtype(kind).itemsize), kind).reshape(sizes)
            t = torch.from_numpy(raw.copy())
            result.append(t.view(torch.bfloat16) if dtype == "bfloat16" else t)
        return result

    def drop(self):
        self.ask("drop")
        self.sent = {}


made = {}


def value(text):
    """The tensor of an input's text: made once, the same in every run."""
    text = text.split(":", 1)[1] if text.startswith(("grad:", "own:")) else text
    if text not in made:
        torch.manual_seed(zlib.crc32(text.encode()))
        made[text] = eval(text)
    return made[text]


def torch_side(row, tensors):
    """A function without arguments that does what the C row does."""
    ins = [t.clone().requires_grad_() if s.startswith("grad:") else t.clone() if s.startswith("own:") else t for s, t in zip(row.inputs, tensors)]
    if row.make:
        return row.make(ins)
    if row.f is None:
        return None
    if row.mode == "f":
        return lambda: row.f(*ins)
    dy, ins, grad = ins[-1], ins[:-1], torch.autograd.grad
    leaves = [i for i in ins if i.requires_grad]
    if row.mode == "b":
        with torch.enable_grad():
            y = row.f(*ins)
        return lambda: grad(y, leaves, dy, retain_graph=True)

    def both():
        with torch.enable_grad():
            y = row.f(*ins)
        return (y,) + grad(y, leaves, dy)
    return both


class Blas:
    """cblas of a shared library. Deep binding: torch has brought another BLAS with the same names."""
    def __init__(self, path, set_threads):
        self.lib = ctypes.CDLL(path, mode=os.RTLD_NOW | os.RTLD_LOCAL | os.RTLD_DEEPBIND)
        self.set_threads = getattr(self.lib, set_threads)

    def function(self, kind, ta, tb, a, b):
        m, k = (a.shape[1], a.shape[0]) if ta else a.shape
        n = b.shape[0] if tb else b.shape[1]
        c = torch.empty(m, n, dtype=a.dtype)
        f = getattr(self.lib, f"cblas_{kind}gemm")
        real = ctypes.c_float if kind == "s" else ctypes.c_double
        i, p = ctypes.c_int, ctypes.c_void_p
        f.argtypes = [i] * 6 + [real, p, i, p, i, real, p, i]
        f.restype = None
        args = (101, 112 if ta else 111, 112 if tb else 111, m, n, k, 1, a.data_ptr(), a.shape[1], b.data_ptr(), b.shape[1], 0, c.data_ptr(), n)

        def run():
            f(*args)
            return c
        return run


def find_blas():
    found = {}
    for name, patterns, setter, package in (
            ("OpenBLAS", (BLAS_OPENMP + "/libopenblas.so.0", "/usr/lib/*/openblas-openmp/libopenblas.so.0", "/usr/lib/*/libopenblas.so.0"), "openblas_set_num_threads", "libopenblas0-openmp"),
            ("BLIS", ("/usr/lib/*/blis-openmp/libblis.so.4", "/usr/lib/*/libblis.so.4"), "bli_thread_set_num_threads", "libblis4-openmp")):
        paths = [p for g in patterns for p in glob.glob(g)]
        if paths:
            found[name] = Blas(paths[0], setter)
        else:
            print(f"{name} is not here (Debian: {package}): no column for it")
    return found


# ---- measuring ---------------------------------------------------------------------------------------------------------------------------
def timed(f):
    def run(n):
        began = time.perf_counter()
        for _ in range(n):
            f()
        return time.perf_counter() - began
    return run


def stalled():
    """Seconds in which something that could run had to wait for a core, so far (Linux's pressure-stall information)."""
    try:
        with open("/proc/pressure/cpu") as f:
            return int(f.readline().rsplit("total=", 1)[1]) * 1e-6
    except (OSError, IndexError, ValueError):
        return 0.0


QUIET = 0.15  # of a batch's time: our own threads waking on one core make a few percent, a competitor at least half
patience = [0.0]  # seconds this run may still spend waiting for other programs to finish


def side_by_side(sides, batch, rounds, limit):
    """Medians of the time per run of each side; the sides take turns. A pause before each batch lets the other side's threads fall asleep.
    Batches during which somebody else wanted our cores are left out, as long as three quiet ones remain. Also: how many of the
    medians' samples were disturbed, of one."""
    n, times = {}, {k: [] for k in sides}
    for k, run in sides.items():
        run(1)
        t = run(1)
        if t < batch / 4:
            few = max(1, int(batch / 4 / max(t, 1e-7)))
            t = run(few) / few
        n[k] = max(1, math.ceil(batch / max(t, 1e-9)))
    spent, taken, disturbed, pause = 0, 0, 0, 0.012
    while True:
        for k, run in sides.items():
            time.sleep(pause)
            before = stalled()
            t = run(n[k])
            times[k].append(((stalled() - before) / t, t / n[k]))
            spent += t
        taken += 1
        disturbed = 1 - min(sum(s < QUIET for s, _ in v) for v in times.values()) / taken
        quiet = round(taken * (1 - disturbed))
        if taken >= rounds or (spent > limit and taken >= 3):
            if quiet >= min(3, rounds) or patience[0] <= 0 or taken >= 40:
                break
            patience[0] -= 0.1 + spent / taken
            pause = 0.1 / len(sides)
    result = {}
    for k, v in times.items():
        v.sort()
        good = [t for s, t in v if s < QUIET]
        result[k] = statistics.median(good if len(good) >= 3 else [t for _, t in v[:3]])
    return result, quiet < min(3, rounds)


class Limits:
    """What the machine allows, measured in this run: multiply-adds and memory."""
    def __init__(self, c, quick):
        self.c, self.known, self.n = c, {}, {False: (1 if quick else 16) << 20, True: 65536}

    def get(self, *question):
        if question not in self.known:
            self.known[question] = float(self.c.ask(" ".join(map(str, question))))
        return self.known[question]

    def again(self):
        """Other programs may have been at work the last time: the highest value stays."""
        for question, was in self.known.items():
            self.known[question] = max(was, float(self.c.ask(" ".join(map(str, question)))))

    def of(self, row, threads):
        """the least time of one run, or None"""
        if row.flops:
            return row.flops / self.get("peak", "f64" if row.f64 else "f32", threads)
        if row.read + row.written == 0:
            return None
        inplace = any(s.startswith("own:") for s in row.inputs) and row.group == "pointwise"
        kind = "read" if not row.written else "update" if inplace and row.read == row.written else "copy" if row.read <= row.written else "triad"
        return (row.read + row.written) / self.get("bandwidth", kind, self.n[row.cached], threads)


def short(seconds):
    for unit, scale in (("s ", 1), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1:
            return f"{seconds * scale:7.2f} {unit}"
    return f"{seconds * 1e9:7.1f} ns"


def geometric(values):
    values = [v for v in values if v]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else float("nan")


def set_threads(c, blas, n):
    torch.set_num_threads(n)
    c.ask(f"threads {n}")
    for b in blas.values():
        b.set_threads(n)


def measure(row, c, limits, blas, threads, quick):
    tensors = [value(s) for s in row.inputs]
    c.row(row, tensors)
    f = torch_side(row, tensors)
    result = {"group": row.group, "name": row.name, "threads": {}}
    for n in threads:
        set_threads(c, blas, n)
        sides = {"ctorch": c.run}
        if f:
            sides["torch"] = timed(f)
        if row.blas:
            for name, b in blas.items():
                sides[name] = timed(b.function(*row.blas, *tensors[:2]))
        gc.collect()
        gc.disable()
        with torch.no_grad():
            t, noisy = side_by_side(sides, 0.002 if quick else 0.012, 3 if quick else 7, 0.05 if quick else 1.0)
        gc.enable()
        least = limits.of(row, n)
        r = {k: v / row.per for k, v in t.items()}
        r["ratio"] = t["torch"] / t["ctorch"] if f and row.counted else None
        r["limit"] = least / t["ctorch"] if least else None
        r["disturbed"] = noisy
        result["threads"][n] = r
    return result


def line_of(r, threads, flops):
    text = f"  {r['name']:<46.46}"
    for n in threads:
        m = r["threads"][n]
        text += f" {short(m['ctorch'])} {short(m['torch']) if 'torch' in m else '         -'}"
        text += f" {m['ratio']:7.2f}x" if m["ratio"] else "        -"
        text += f" {m['limit'] * 100:4.0f}%" if m["limit"] else "     -"
        text += "~" if m["disturbed"] else " "
        text += " |" if n != threads[-1] else ""
    if len(threads) > 1:
        text += f"  {r['threads'][threads[0]]['ctorch'] / r['threads'][threads[-1]]['ctorch']:4.2f}"
    blas = [k for k in r["threads"][threads[0]] if k in ("OpenBLAS", "BLIS")]
    if blas:
        text += "   " + ", ".join(f"{k} " + " / ".join(f"{r['threads'][n][k] / r['threads'][n]['ctorch']:.2f}x" for n in threads) for k in blas)
    return text


def process_rows(threads):
    """Whole processes: from exec to the first result, and what a program weighs. Not part of the means."""
    results = []
    started = "build/bench/first"
    if os.path.exists(started):
        code = "import torch; print(torch.matmul(torch.randn(4, 4), torch.randn(4, 4)).sum().item())"
        runs = {"ctorch": [started], "torch": [sys.executable, "-c", code]}
        t = {}
        for k, argv in runs.items():
            ts = []
            for _ in range(3 if k == "torch" else 21):
                began = time.perf_counter()
                subprocess.run(argv, stdout=subprocess.DEVNULL, check=True)
                ts.append(time.perf_counter() - began)
            t[k] = statistics.median(ts)
        print(f"  {'process start to first result':<46} {short(t['ctorch'])} {short(t['torch'])} {t['torch'] / t['ctorch']:7.0f}x")
        results.append({"group": "process", "name": "start to first result", **t})
    if os.path.exists("build/bench/mlp_stripped"):
        size = os.path.getsize("build/bench/mlp_stripped")
        libs = sum(os.path.getsize(p) for p in glob.glob(os.path.dirname(torch.__file__) + "/lib/*.so*") if "torch_cpu" in p or "torch_python" in p or "libc10" in p)
        print(f"  {'stripped binary of examples/digits.c':<46} {size / 1e6:7.2f} MB {libs / 1e6:7.1f} MB (libtorch_cpu, _python, c10)")
        results.append({"group": "process", "name": "bytes of the stripped MLP example", "ctorch": size, "torch": libs})
    return results


def check(rows, c):
    """Both sides on the same inputs: every output of every row agrees."""
    wrong = 0
    for row in rows:
        tensors = [value(s) for s in row.inputs]
        f = torch_side(row, tensors)
        if f is None:
            continue
        with torch.no_grad():
            c.row(row, tensors)
            for _ in range(row.check_runs):
                mine, theirs = c.outputs(), f()
        if not isinstance(theirs, tuple):
            theirs = (theirs,)
        worst = 0.0 if len(mine) == len(theirs) else float("inf")
        for a, b in zip(mine, theirs):
            b = b.detach()
            if a is None or a.shape != b.shape or a.dtype != b.dtype or (a.is_floating_point() and not torch.equal(a.isnan(), b.isnan())):
                worst = float("inf")
            elif not a.is_floating_point():
                worst = max(worst, float("inf") if not torch.equal(a, b) else 0)
            else:
                a, b = a.double().nan_to_num(), b.double().nan_to_num()
                worst = max(worst, ((a - b).abs().max() / (b.abs().max() + 1e-30)).item() if a.numel() else 0)
        dtype = tensors[0].dtype
        tolerance = row.tolerance or {torch.float64: 1e-13, torch.bfloat16: 1e-2}.get(dtype, 1e-5)
        good = worst <= tolerance
        wrong += not good
        print(f"{'ok   ' if good else 'WRONG'} {row.full:<60} {worst:.1e}")
        if len(made) > 150:
            made.clear(), c.drop()
    print(f"check: {len(rows)} rows, {wrong} differ from torch {torch.__version__}")
    return wrong == 0


def main():
    p = argparse.ArgumentParser(add_help=True)
    for flag in ("--quick", "--check", "--as-shipped", "--shapes", "--list"):
        p.add_argument(flag, action="store_true")
    p.add_argument("--threads", default="1,2")
    p.add_argument("--patience", type=float, default=None)
    p.add_argument("--rows", default=None)
    p.add_argument("--out", default="build/bench")
    p.add_argument("names", nargs="*")
    o = p.parse_args()
    threads = [int(n) for n in o.threads.split(",")]
    rows = shape_rows() if o.shapes else all_rows(o.quick or o.check)
    kind = "shapes" if o.shapes else "rows"
    groups = {r.group for r in rows}
    rows = [r for r in rows if not o.names or any(r.group == n if n in groups else n in r.full for n in o.names)]
    if o.list:
        print("\n".join(r.full for r in rows))
        return 0
    patience[0] = o.patience if o.patience is not None else 2 if o.quick else 120
    began = time.time()
    c = CSide(o.rows or f"build/bench/{kind}")
    if o.check:
        return 0 if check(rows, c) else 1
    blas = find_blas() if any(r.blas for r in rows) else {}
    limits = Limits(c, o.quick)
    print(f"ctorch {c.ask('isa')}, torch {torch.__version__}, python {platform.python_version()}, {os.cpu_count()} cores; torch's malloc {'as shipped' if o.as_shipped else 'keeps its memory'}")
    if os.getloadavg()[0] > 0.5:
        print(f"note: load average {os.getloadavg()[0]:.1f}; others are at work here. Two threads suffer most from that; ~ marks disturbed rows")
    for n in threads:
        numbers = [limits.get("peak", "f32", n) / 1e9, limits.get("peak", "f64", n) / 1e9] + [limits.get("bandwidth", k, limits.n[False], n) / 1e9 for k in ("read", "copy", "triad", "update")]
        print("machine, %d thread%s: %.0f GFLOP/s float, %.0f double; memory read %.1f, copy %.1f, triad %.1f, update %.1f GB/s" % (n, "s" * (n > 1), *numbers))
    print("\n  ctorch, torch, ratio, share of the machine's limit" + "; the same on ".join([""] + [f"{n} threads" for n in threads[1:]]) + "; speed-up by threads; speed relative to a BLAS")
    results, group = [], None
    for row in rows:
        if row.group != group:
            group = row.group
            made.clear()
            c.drop()
            if not o.quick:
                limits.again()
            print(f"{group}")
        r = measure(row, c, limits, blas, threads, o.quick)
        results.append(r)
        print(line_of(r, threads, row.flops), flush=True)
    print("process")
    processes = process_rows(threads) if not o.shapes and (not o.names or "process" in o.names) else []

    print("\ngeometric means of the ratios")
    groups = list(dict.fromkeys(r["group"] for r in results))
    ratios = lambda n, g=None: [r["threads"][n]["ratio"] for r in results if g in (None, r["group"])]
    for g in groups:
        print(f"  {g:<12}" + "".join(f" {geometric(ratios(n, g)):6.2f}x" for n in threads))
    short_rows = sorted((r["threads"][n]["ratio"], f"{r['group']}/{r['name']}", n) for r in results for n in threads if r["threads"][n]["ratio"])
    below = [s for s in short_rows if s[0] < 0.95]
    if below:
        print("below 0.95x: " + "; ".join(f"{name} {ratio:.2f}x ({n})" for ratio, name, n in below))
    os.makedirs(o.out, exist_ok=True)
    summary = {"torch": torch.__version__, "isa": c.ask("isa"), "limits": {" ".join(map(str, k)): v for k, v in limits.known.items()},
               "means": {n: geometric(ratios(n)) for n in threads}, "groups": {g: {n: geometric(ratios(n, g)) for n in threads} for g in groups},
               "rows": results, "processes": processes, "seconds": time.time() - began}
    name = "shapes" if o.shapes else "bench"
    json.dump(summary, open(f"{o.out}/{name}.json", "w"), indent=1)
    bars(f"{o.out}/{name}.svg", f"ctorch against PyTorch {torch.__version__}: how many times as fast", threads,
         [(r["group"], r["name"], [r["threads"][n]["ratio"] for n in threads]) for r in results if r["threads"][threads[0]]["ratio"]])
    print(f"{o.out}/{name}.json, {o.out}/{name}.svg; {time.time() - began:.0f} s")
    worst = f"{short_rows[0][0]:.2f}x ({short_rows[0][1]}, {short_rows[0][2]} thread{'s' * (short_rows[0][2] > 1)})" if short_rows else "-"
    means = " ".join(f"{geometric(ratios(n)):.2f}x ({n} thread{'s' * (n > 1)})" for n in threads)
    print(f"all rows: {len([1 for r in results if r['threads'][threads[0]]['ratio']])}, geometric mean {means}, worst {worst}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
