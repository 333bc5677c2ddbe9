#!/usr/bin/env python3
"""How cost grows: time against size for five ops, memory against the depth of a network, time per node against the length of a graph.
Three plots in build/bench, and a check that nothing grows faster than its size. --quick stops at 4M elements, 64 layers and 1M nodes."""
import os, sys
from surroundings import restart_in_fair_surroundings

if __name__ == "__main__":
    restart_in_fair_surroundings()
import torch
from bench import CSide, Row, short
from draw import curves

QUICK = "--quick" in sys.argv
OUT = "build/bench"
OPS = [("add", "add", 2), ("exp", "exp", 1), ("sum", "sum", 1), ("cumsum", "cumsum", 1), ("index_select", "index_select", 1)]
failures = []


def judge(what, small, large, bound, unit):
    good = large <= bound * small
    print(f"  {'ok   ' if good else 'WRONG'} {what}: {small:.4g} -> {large:.4g} {unit} ({large / small:.2f}x, at most {bound}x)")
    if not good:
        failures.append(what)


def time_of(c, name, row, operands, n):
    """Seconds per run: the least of several batches of 5 ms at least. Few elements cannot tell more."""
    x = torch.rand(n, 1) if row == "index_select" else torch.rand(n)
    tensors = [x, torch.randperm(n)] if row == "index_select" else [x] * operands
    c.row(Row("scaling", name, row, [f"{row} {k}" for k in range(len(tensors))], None, args=[0]), tensors)
    runs, best = 1, 1e9
    while True:
        t = c.run(runs)
        best = min(best, t / runs)
        if t > 0.005:
            break
        runs *= 2
    for _ in range(4):
        best = min(best, c.run(runs) / runs)
    c.drop()
    return best


def main():
    c = CSide(os.environ.get("ROWS", "build/bench/rows"))
    c.ask("threads 1")
    top = 22 if QUICK else 26
    series = {}
    for name, row, operands in OPS:
        series[name] = [(1 << k, time_of(c, name, row, operands, 1 << k)) for k in range(0, top + 1, 2)]
        print(f"{name:<14}" + "  ".join(f"{n}: {short(t).strip()}" for n, t in series[name][::3] + series[name][-1:]))
    curves(f"{OUT}/scaling_size.svg", "time against size, one thread", "elements", "seconds", series)
    for name, points in series.items():
        per = [(n, t / n) for n, t in points]
        # index_select is a random walk: it pays for each level of the memory that no longer holds its input
        judge(f"{name}: time per element, {per[-2][0]} to {per[-1][0]} elements", per[-2][1] * 1e9, per[-1][1] * 1e9, 2.5 if name == "index_select" else 1.5, "ns")

    depths = [1 << k for k in range(0, 7 if QUICK else 11)]
    memory = [(d, float(c.ask(f"bytes_at_depth {d}"))) for d in depths]
    curves(f"{OUT}/scaling_depth.svg", "memory of a training step against depth (linear 64x64 and tanh, batch 256)", "layers", "bytes", {"peak": memory})
    print("memory: " + "  ".join(f"{d}: {b / 1e6:.2f} MB" for d, b in memory))
    judge(f"bytes per layer, {depths[-2]} to {depths[-1]} layers", memory[-2][1] / depths[-2], memory[-1][1] / depths[-1], 1.1, "bytes")

    lengths = [10 ** k for k in range(1, 7 if QUICK else 8)]
    nodes = [(n, min(float(c.ask(f"chain {n}")) for _ in range(2 if n >= 10 ** 6 else 5))) for n in lengths]
    curves(f"{OUT}/scaling_graph.svg", "time per node against the length of the graph (0-d mul: forward, backward, freed)", "nodes", "seconds per node", {"per node": nodes})
    print("graph: " + "  ".join(f"{n}: {t * 1e9:.0f} ns" for n, t in nodes))
    judge(f"time per node, {lengths[-2]} to {lengths[-1]} nodes", nodes[-2][1] * 1e9, nodes[-1][1] * 1e9, 1.5, "ns")
    print(f"scaling: {'nothing superlinear' if not failures else ', '.join(failures)}; plots in {OUT}/scaling_*.svg")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
