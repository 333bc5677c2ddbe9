#!/usr/bin/python3
"""The same training as examples/digits.c in PyTorch: same seed, same numbers. Usage: digits_torch.py [data directory] [epochs]"""
import sys, struct, time
import numpy as np, torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

here = sys.argv[1] if len(sys.argv) > 1 else "/work/main/examples/data"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 15

def idx(name):
    b = open(f"{here}/{name}", "rb").read()
    shape = struct.unpack(f">{b[3]}I", b[4:4 + 4 * b[3]])
    return torch.from_numpy(np.frombuffer(b, np.uint8, offset=4 + 4 * b[3]).reshape(shape).copy())

torch.set_num_threads(1)
x = idx("digits-images.idx").reshape(-1, 64).float() / 16
y = idx("digits-labels.idx").long()
train, test_x, test_y = TensorDataset(x[:1437], y[:1437]), x[1437:], y[1437:]

torch.manual_seed(0)
net = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
opt = torch.optim.Adam(net.parameters(), lr=1e-2)
loader = DataLoader(train, batch_size=64, shuffle=True)
began = time.time()
for epoch in range(epochs):
    total = 0.0
    for bx, by in loader:
        loss = nn.functional.cross_entropy(net(bx), by)
        opt.zero_grad()
        loss.backward()
        opt.step()
        total += loss.item() * len(bx)
    print(f"epoch {epoch + 1:2d}  loss {total / len(train):.6f}")
spent = time.time() - began
with torch.no_grad():
    p = net(test_x).argmax(1)
print(f"test accuracy {(p == test_y).float().mean().item():.4f}  ({(p == test_y).sum().item()} of {len(test_y)}), {spent:.2f} s")
m = torch.zeros(10, 10, dtype=torch.int64)
for t, q in zip(test_y.tolist(), p.tolist()):
    m[t, q] += 1
print(m)
