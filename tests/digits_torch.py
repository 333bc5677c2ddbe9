#!/usr/bin/python3
"""Trains what examples/digits.c trains, in PyTorch with the same seed, and compares the loss of every epoch.
Usage: digits_torch.py FILE, the output of build/digits. Needs Debian's python3-torch and python3-numpy."""
import os
import re
import struct
import sys

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

data = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "examples", "data")


def idx(name):
    with open(os.path.join(data, name), "rb") as f:
        b = f.read()
    shape = struct.unpack(f">{b[3]}I", b[4:4 + 4 * b[3]])
    return torch.from_numpy(np.frombuffer(b, np.uint8, offset=4 + 4 * b[3]).reshape(shape).copy())


with open(sys.argv[1]) as f:
    text = f.read()
ours = {int(e): float(v) for e, v in re.findall(r"epoch\s+(\d+)/\d+.*?loss\s+([0-9.]+)", text)}
accuracy = float(re.search(r"test accuracy ([0-9.]+)", text).group(1))

torch.set_num_threads(1)
x, y = idx("digits-images.idx").reshape(-1, 64).float() / 16, idx("digits-labels.idx").long()
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
loader = DataLoader(TensorDataset(x[:1437], y[:1437]), batch_size=64, shuffle=True)
bad = 0
for epoch in range(1, max(ours) + 1):
    total = 0.0
    for bx, by in loader:
        loss = nn.functional.cross_entropy(net(bx), by)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(bx)
    theirs = total / 1437
    bad += not abs(ours[epoch] - theirs) <= 2e-3 * theirs + 6e-5
    print(f"epoch {epoch:2d}  ctorch {ours[epoch]:.4f}  torch {theirs:.4f}")
with torch.no_grad():
    right = (net(x[1437:]).argmax(1) == y[1437:]).float().mean().item()
bad += not abs(accuracy - right) <= 2.5 / 360
print(f"test accuracy  ctorch {accuracy:.4f}  torch {right:.4f}")
sys.exit(1 if bad or len(ours) < 5 else 0)
