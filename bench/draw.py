"""Two kinds of plain SVG charts, without any library: bars of ratios, and lines on logarithmic axes."""
import math
from xml.sax.saxutils import escape

COLOURS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b")


def text(x, y, s, size=11, anchor="start", extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" {extra}>{escape(s)}</text>'


def line(x1, y1, x2, y2, colour="#ddd", width=1):
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" stroke-width="{width}"/>'


def save(path, width, height, parts):
    with open(path, "w") as f:
        f.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">\n'
                f'<rect width="{width}" height="{height}" fill="white"/>\n' + "\n".join(parts) + "\n</svg>\n")


def bars(path, title, threads, rows):
    """rows: (group, name, ratio per thread count). The axis is logarithmic; bars to the left of 1 are slower."""
    step, top, left, width = 7 * len(threads) + 5, 50, 400, 1000
    low, high = -1.0, max([1.0] + [math.log2(r) for _, _, rs in rows for r in rs if r]) + 0.5
    x = lambda r: left + (max(low, math.log2(r)) - low) / (high - low) * (width - left - 60)
    parts, y, group = [text(10, 22, title, 16)], top, None
    parts += [text(left + 110 * k, 42, f"{n} thread{'s' * (n > 1)}", 11, extra=f'fill="{COLOURS[k]}"') for k, n in enumerate(threads)]
    body = []
    for g, name, rs in rows:
        if g != group:
            group, y = g, y + 18
            body.append(text(10, y, g, 13, extra='font-weight="bold"'))
            y += 6
        body.append(text(left - 8, y + step / 2 + 3, name, 10, "end"))
        for k, r in enumerate(rs):
            if r:
                a, b = sorted((x(1), x(r)))
                body.append(f'<rect x="{a:.1f}" y="{y + 7 * k + 2:.1f}" width="{b - a:.1f}" height="6" fill="{COLOURS[k] if r >= 0.95 else COLOURS[3]}"/>')
                body.append(text(max(b, x(1)) + 3, y + 7 * k + 8, f"{r:.2f}", 7))
        y += step
    for k in range(math.ceil(low), math.floor(high) + 1):
        parts += [line(x(2.0 ** k), top, x(2.0 ** k), y, "#888" if k == 0 else "#ddd"), text(x(2.0 ** k), y + 14, f"{2.0 ** k:g}x", 10, "middle")]
    save(path, width, y + 30, parts + body)


def curves(path, title, xlabel, ylabel, series):
    """series: {name: [(x, y), ...]}, both axes logarithmic."""
    width, height, left, right, top, bottom = 760, 460, 80, 170, 45, 55
    xs = [math.log10(p[0]) for s in series.values() for p in s]
    ys = [math.log10(p[1]) for s in series.values() for p in s]
    x0, x1, y0, y1 = min(xs), max(xs) + 1e-9, math.floor(min(ys)), math.ceil(max(ys) + 1e-9)
    px = lambda v: left + (math.log10(v) - x0) / (x1 - x0) * (width - left - right)
    py = lambda v: height - bottom - (math.log10(v) - y0) / (y1 - y0) * (height - top - bottom)
    parts = [text(left, 25, title, 15), text((left + width - right) / 2, height - 12, xlabel, 11, "middle"), text(left, top - 5, ylabel, 11)]
    for k in range(math.ceil(x0), math.floor(x1) + 1):
        parts += [line(px(10.0 ** k), top, px(10.0 ** k), height - bottom), text(px(10.0 ** k), height - bottom + 15, f"{10 ** k:.0e}" if k > 3 else f"{10.0 ** k:g}", 10, "middle")]
    for k in range(y0, y1 + 1):
        parts += [line(left, py(10.0 ** k), width - right, py(10.0 ** k)), text(left - 6, py(10.0 ** k) + 4, f"{10.0 ** k:g}", 10, "end")]
    for n, (name, points) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="' + " ".join(f"{px(a):.1f},{py(b):.1f}" for a, b in points) + '"/>')
        parts += [f'<circle cx="{px(a):.1f}" cy="{py(b):.1f}" r="2.5" fill="{colour}"/>' for a, b in points]
        parts.append(text(width - right + 8, py(points[-1][1]) + 4, name, 11, extra=f'fill="{colour}"'))
    save(path, width, height, parts)
