"""Samples by hand, for operators that PyTorch has no OpInfo for: creation, random numbers, metadata, the state of autograd, recurrent layers.

HAND: name -> (the torch function, a function that yields argument tuples, or (arguments, options) pairs). Where ctorch's call is not the
default rule's, by_hand takes it, too.
"""
import ctypes
import math

import numpy
import torch
import torch.nn.functional as F

from parity_bind import T
from parity_ops import ADAPTERS, CASTS, END, ct, default, from_memory

HAND = {}


def values(*shape, dtype=torch.float64, requires_grad=False, seed=1):
    g = torch.Generator().manual_seed(seed)
    t = torch.randn(shape, generator=g, dtype=torch.float64)
    if dtype == torch.bool:
        return t > 0
    return t.to(dtype).requires_grad_(requires_grad) if dtype.is_floating_point else (t * 5).to(dtype)


ALL_DTYPES = (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool)


def tensors():
    """One of each dtype, and some shapes and strides."""
    for dtype in ALL_DTYPES:
        yield (values(2, 3, dtype=dtype),)
    x = values(2, 3, 4)
    yield from ((t,) for t in (x, x.transpose(0, 2), x[:, 1:, ::2], x[0, 0, 0], x[:, :0], x[1].expand(5, 3, 4), values(0), values(1)))


def by_hand(name, function, samples, counterpart=None):
    HAND[name] = function, samples
    if counterpart:
        ADAPTERS[name] = counterpart


def rows(*samples):
    return lambda: iter(samples)


def metadata(name, function, counterpart):
    by_hand(name, function, tensors, counterpart)


DATA = [[1, 2], [3, 4]], [1.5, -2.0], 3, 2.5, True, [True, False], []
for kind in ("tensor", "as_tensor"):
    by_hand(kind, getattr(torch, kind), rows(*((d,) for d in DATA), (([1, 2],), {"dtype": torch.float64}), (([0.5, 2.5],), {"dtype": torch.int64})))
by_hand("from_numpy", torch.from_numpy, rows(*((values(*s, dtype=d).numpy(),) for s in ((3,), (2, 3), (), (0, 2)) for d in ALL_DTYPES)),
        lambda a: ct.tensor(torch.from_numpy(a)))
SHAPES = (), (0,), (1,), (7,), (15,), (16,), (17,), (3, 4, 5), (2, 0, 3), (100, 31)
by_hand("full", torch.full, lambda: (((s, v), {"dtype": d}) for s in SHAPES for v in (1, 2.5, True) for d in (None, torch.float64)))
for kind in ("rand", "randn"):
    by_hand(kind, getattr(torch, kind), lambda: (((s,), {"dtype": d}) for s in SHAPES for d in (None, torch.float32, torch.float64)))
by_hand("randint", torch.randint, lambda: (((lo, hi, s), {"dtype": d}) for s in SHAPES for lo, hi in ((0, 10), (-5, 3), (0, 2 ** 40))
                                           for d in (None, torch.float64, torch.int32) if d != torch.int32 or hi < 2 ** 31))
by_hand("randperm", torch.randperm, rows(*((n,) for n in (0, 1, 2, 5, 100, 1000, 40000))))
by_hand("normal", torch.normal, rows(*(((m, s, size), {}) for m, s in ((0.0, 1.0), (2.5, 0.1)) for size in SHAPES)))


def twice_seeded(module_seed, draw):
    def run(seed, n):
        module_seed(seed)
        return [draw(n), draw(n)]
    return run


by_hand("manual_seed", twice_seeded(torch.manual_seed, lambda n: torch.rand(n)), rows(*((s, n) for s in (0, 1, 2 ** 40, -3) for n in (5, 700))),
        twice_seeded(lambda s: ct.manual_seed(s), lambda n: ct.rand((n,))))


def own_generator(seed, n):
    g = torch.Generator().manual_seed(seed)
    return [torch.rand(n, generator=g), torch.rand(n), torch.randn(n, generator=g)]


def ct_own_generator(seed, n):
    g, result = ct.generator_new(seed), []
    for generator, draw in ((g, ct.rand), (None, ct.rand), (g, ct.randn)):
        ct.use_generator(generator)
        result.append(draw((n,)))
    ct.use_generator(None)
    ct.generator_free(g)
    return result


by_hand("Generator", own_generator, rows((0, 5), (7, 20), (123456789, 1000)), ct_own_generator)


def rng_state(kind, lib):
    """The state is PyTorch's own 5056 bytes; set back, it gives the same numbers again."""
    seed, get, set_, draw = lib
    def run(s, n):
        seed(s)
        draw(n)
        state = get()
        first = draw(n)
        set_(state)
        return [state, first, draw(n)] if kind == "set" else state
    return run


for kind in ("get", "set"):
    by_hand(kind + "_rng_state", rng_state(kind, (torch.manual_seed, torch.get_rng_state, torch.set_rng_state, torch.randn)),
            rows((0, 3), (5, 100), (9, 700)),
            rng_state(kind, (lambda s: ct.manual_seed(s), lambda: ct.get_rng_state(), lambda s: ct.set_rng_state(s), lambda n: ct.randn((n,)))))


def seeds(seed, initial):
    def run(s):
        if s is None:
            return seed() == initial()
        torch.manual_seed(s), ct.manual_seed(s)
        return initial()
    return run


by_hand("initial_seed", seeds(torch.seed, torch.initial_seed), rows((0,), (77,), (2 ** 50,)), seeds(None, lambda: ct.initial_seed()))
by_hand("seed", seeds(torch.seed, torch.initial_seed), rows((None,)), seeds(lambda: ct.seed(), lambda: ct.initial_seed()))


def fills(name, *arguments, dtypes=(torch.float32, torch.float64)):
    method = lambda input, *args: getattr(input.clone(), name[1:])(*args)
    by_hand(name, method, lambda: ((values(*s, dtype=d), *a) for s in SHAPES for d in dtypes for a in arguments))


fills(".normal_", (), (1.5, 0.25))
fills(".uniform_", (), (-3.0, 2.0))
fills(".exponential_", (), (2.5,))
fills(".bernoulli_", (), (0.0,), (0.3,), dtypes=(torch.float32, torch.float64, torch.int64))
by_hand(".random_", lambda input, *bounds: input.clone().random_(*bounds),
        lambda: ((values(*s, dtype=d), *b) for s in SHAPES for b in ((), (10,), (-5, 100)) for d in ALL_DTYPES[:5] if d != torch.uint8 or len(b) < 2))
ADAPTERS[".exponential_"] = lambda input, lambd=1.0: ct.exponential_(ct.clone(input), lambd)

# metadata
metadata(".numel", lambda x: x.numel(), lambda x: ct.numel(x))
metadata(".size", lambda x: [x.size(i) for i in range(-x.ndim, x.ndim)], lambda x: [ct.size(x, i) for i in range(-x.ndim, x.ndim)])
metadata(".shape", lambda x: x.shape, lambda x: (lambda s: tuple(s.size[:s.ndim]))(ct.shape_of(x)))
metadata(".stride", lambda x: [x.stride(i) for i in range(-x.ndim, x.ndim)], lambda x: [ct.stride(x, i) for i in range(-x.ndim, x.ndim)])
metadata(".storage_offset", lambda x: x.storage_offset(), lambda x: ct.storage_offset(x))
metadata(".element_size", lambda x: x.element_size(), lambda x: ct.element_size(x))
metadata(".dim", lambda x: x.dim(), lambda x: ct.dim(x))
metadata(".dtype", lambda x: x.dtype, lambda x: ct.dtype_of(x))
metadata(".device", lambda x: 0, lambda x: ct.device_of(x))
metadata(".is_contiguous", lambda x: x.is_contiguous(), lambda x: ct.is_contiguous(x))
metadata("is_floating_point", torch.is_floating_point, lambda x: ct.is_floating_point(x))
metadata(".cpu", lambda x: x.cpu(), lambda x: ct.to_device(x, 0))
metadata(".numpy", lambda x: torch.tensor(x.numpy()), lambda x: x)
metadata(".tolist", lambda x: x.double(), lambda x: copied_out(x))
metadata("__repr__", repr, lambda x: ct.to_text(x))
metadata(".requires_grad", lambda x: x.requires_grad, lambda x: ct.requires_grad(x))
metadata(".is_leaf", lambda x: x.is_leaf, lambda x: ct.is_leaf(x))
metadata(".data_ptr", lambda x: x[..., 1:].data_ptr() - x.data_ptr() if x.ndim else 0,
         lambda x: (ct.data(ct.slice(x, -1, 1, END, 1)) or 0) - (ct.data(x) or 0) if x.ndim else 0)
HAND[".data_ptr"] = HAND[".data_ptr"][0], lambda: (s for s in tensors() if s[0].numel() > 1)
REPRS = lambda: [*tensors(), *((values(*s, dtype=d) * scale,) for s in ((40, 40), (3, 3), (5,), (2, 2, 2)) for d in (torch.float32, torch.float64)
                               for scale in (1, 1e-6, 1e9)),
                 (torch.tensor([1.0, math.inf, math.nan]),), (torch.arange(2000),), (torch.tensor([1e-20, 1e20]),)]
HAND["__repr__"] = repr, REPRS


def copied_out(x):
    out = torch.empty(x.shape, dtype=torch.float64)
    if out.numel():
        ct.copy_out(x, out.data_ptr(), torch.float64, out.numel())
    return ct.tensor(out)


ONE = lambda: ((t,) for d in ALL_DTYPES for t in (values(1, dtype=d), values(1, 1, dtype=d), values(dtype=d), values(5, dtype=d)[3]))
by_hand(".item", lambda x: x.item(), ONE, lambda x: ct.item(x) if x.dtype.is_floating_point else ct.item_i64(x))
by_hand("is_nonzero", torch.is_nonzero, ONE, lambda x: ct.is_nonzero(x))

# types
PAIRS = lambda: ((a, b) for a in CASTS.values() for b in CASTS.values())
by_hand("promote_types", torch.promote_types, PAIRS, lambda a, b: ct.promote_types(a, b))
by_hand("can_cast", torch.can_cast, PAIRS, lambda a, b: ct.can_cast(a, b))
by_hand("result_type", torch.result_type, lambda: ((x, y) for a in ALL_DTYPES for b in ALL_DTYPES for x in (values(2, dtype=a), values(dtype=a))
                                                   for y in (values(2, dtype=b), values(dtype=b), 1, 1.5, True)), lambda x, y: ct.result_type(x, y))
for kind, fields, dtypes in (("finfo", ("bits", "eps", "max", "min", "tiny", "resolution"), [d for d in CASTS.values() if d.is_floating_point]),
                             ("iinfo", ("bits", "min", "max"), [d for d in CASTS.values() if not d.is_floating_point and d != torch.bool])):
    limits = lambda library, kind=kind, fields=fields: lambda d: [getattr(getattr(library, kind)(d), f) for f in fields]
    by_hand(kind, limits(torch), rows(*((d,) for d in dtypes)), limits(ct))
by_hand(".type_as", torch.Tensor.type_as, lambda: ((values(2, 3, dtype=a, requires_grad=a.is_floating_point), values(1, dtype=b))
                                                   for a in ALL_DTYPES for b in ALL_DTYPES), lambda x, y: ct.type_as(x, y))
by_hand(".copy_", lambda x, y: x.clone().copy_(y),
        lambda: ((values(2, 3, dtype=a), values(*s, dtype=b, requires_grad=b.is_floating_point))
                 for a in ALL_DTYPES for b in ALL_DTYPES for s in ((2, 3), (3,))),
        lambda x, y: ct.copy_(ct.clone(x), y))


def default_dtypes(library, create):
    def run(dtype):
        library.set_default_dtype(dtype)
        try:
            return library.get_default_dtype(), create()
        finally:
            library.set_default_dtype(torch.float32)
    return run


for kind in ("get_default_dtype", "set_default_dtype"):
    by_hand(kind, default_dtypes(torch, lambda: torch.ones(2) * 0.1), rows((torch.float32,), (torch.float64,)),
            lambda dtype: default_dtypes(ct, lambda: ct.mul(ct.ones((2,)), 0.1))(dtype))


# the state of autograd: small scenes, played in both libraries
def leaf(x):
    return ct.requires_grad_(ct.detach(x), True)


FLOATS = lambda: ((values(*s, dtype=d),) for s in ((2, 3), (), (4,)) for d in (torch.float32, torch.float64))


def play(name, torch_scene, ct_scene):
    by_hand(name, torch_scene, FLOATS, ct_scene)


def scene_grad(x):
    x = x.detach().requires_grad_()
    before = x.grad is None
    for _ in range(2):
        (x * x * 3).sum().backward()
    return before, x.grad


def ct_scene_grad(x):
    x = leaf(x)
    before = ct.raw.ct_grad_of(x.handle) is None
    for _ in range(2):
        ct.backward_with(ct.sum(ct.mul(ct.mul(x, x), 3)))
    return before, ct.grad_of(x)


def scene_retain(x):
    y = x.detach().requires_grad_() * 2
    y.retain_grad()
    y.exp().sum().backward()
    return y.grad


def ct_scene_retain(x):
    y = ct.mul(leaf(x), 2)
    ct.retain_grad(y)
    ct.backward_with(ct.sum(ct.exp(y)))
    return ct.grad_of(y)


def scene_version(x):
    y = x.clone()
    z = y.view(-1)
    z.add_(1)
    y.mul_(2).zero_()
    return y._version, z._version, y.detach()._version, y.data._version


def ct_scene_version(x):
    y = ct.clone(x)
    z = ct.view(y, (-1,))
    ct.add_(z, 1)
    ct.zero_(ct.mul_(y, 2))
    return ct.version(y), ct.version(z), ct.version(ct.detach(y)), 0  # .data: a tensor of its own on ct_data's memory


def scene_detach_(x):
    y = (x.detach().requires_grad_() * 2).detach_()
    return y, y.requires_grad, y.is_leaf


def ct_scene_detach_(x):
    y = ct.detach_(ct.mul(leaf(x), 2))
    return y, ct.requires_grad(y), ct.is_leaf(y)


def scene_detach(x):
    x = x.detach().requires_grad_()
    y = x * 2
    d = y.detach()
    return d, d.requires_grad, d.data_ptr() == y.data_ptr(), torch.autograd.grad((y * d).sum(), x)[0]


def ct_scene_detach(x):
    x = leaf(x)
    y = ct.mul(x, 2)
    d = ct.detach(y)
    return d, ct.requires_grad(d), ct.is_same_storage(d, y), ct.grad_with(ct.sum(ct.mul(y, d)), x)


def scene_requires(x):
    x = x.detach()
    before = x.requires_grad
    y = x.requires_grad_()
    return before, y.requires_grad, (y * 2).requires_grad, (y * 2).is_leaf, x.requires_grad_(False).requires_grad


def ct_scene_requires(x):
    x = ct.detach(x)
    before = ct.requires_grad(x)
    y = ct.requires_grad_(x, True)
    z = ct.mul(y, 2)
    return before, ct.requires_grad(y), ct.requires_grad(z), ct.is_leaf(z), ct.requires_grad(ct.requires_grad_(x, False))


def scene_hook(x):
    x, seen = x.detach().requires_grad_(), []
    y = x * 3
    y.register_hook(lambda g: seen.append(g) or g * 10)
    handle = x.register_hook(lambda g: g + 1)
    y.exp().sum().backward(retain_graph=True)
    handle.remove()
    y.sum().backward()
    return [*seen, x.grad]


def ct_scene_hook(x):
    kind = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p)
    x, seen = leaf(x), []
    y = ct.mul(x, 3)
    def first(g, _):
        seen.append(T(ct, ct.raw.ct_retain(g)))
        return ct.mul(T(ct, g), 10).handle
    hooks = kind(first), kind(lambda g, _: ct.add(T(ct, g), 1).handle)
    ct.register_hook(y, ctypes.cast(hooks[0], ctypes.c_void_p), None)
    handle = ct.register_hook(x, ctypes.cast(hooks[1], ctypes.c_void_p), None)
    ct.backward_with(ct.sum(ct.exp(y)), retain_graph=True)
    ct.remove_hook(x, handle)
    ct.backward_with(ct.sum(y))
    return [*seen, ct.grad_of(x)]


play(".grad", scene_grad, ct_scene_grad)
play(".retain_grad", scene_retain, ct_scene_retain)
play("._version", scene_version, ct_scene_version)
play(".detach_", scene_detach_, ct_scene_detach_)
play(".detach", scene_detach, ct_scene_detach)
play(".requires_grad_", scene_requires, ct_scene_requires)
play(".register_hook", scene_hook, ct_scene_hook)
play(".data", lambda x: x.data, lambda x: ct.detach(x))
play(".requires_grad", lambda x: [x.requires_grad, x.clone().requires_grad_().requires_grad],
     lambda x: [ct.requires_grad(x), ct.requires_grad(leaf(x))])
play(".is_leaf", lambda x: [x.is_leaf, (x.clone().requires_grad_() * 2).is_leaf], lambda x: [ct.is_leaf(x), ct.is_leaf(ct.mul(leaf(x), 2))])
play(".grad_fn", lambda x: [x.grad_fn is None] + [f(x.clone().requires_grad_()).grad_fn.name() for f in (torch.exp, torch.sum, lambda x: x * 2)],
     lambda x: [ct.grad_fn_name(x) is None] + [ct.grad_fn_name(f(leaf(x))) for f in (ct.exp, ct.sum, lambda x: ct.mul(x, 2))])


def assign(x, index, value):
    y = x.clone()
    y[index] = value
    return y


def assignments():
    x, m = values(4, 5, requires_grad=True), values(4, 5) > 0
    for index, value in ((1, 2.5), ((slice(1, 3), slice(None, None, 2)), values(2, 3)), (Ellipsis, 1),
                         ((Ellipsis, -1), values(4, requires_grad=True)), (m, 0.5), (m, values(int(m.sum()))),
                         (torch.tensor([0, 3]), values(2, 5)), ((torch.tensor([0, 3]), torch.tensor([1, 1])), 7),
                         ((slice(None), torch.tensor([4, 0])), values(4, 2, requires_grad=True)),
                         ((None, 2), values(1, 5)), ((m[:, 0], slice(1, 2)), -1)):
        yield x, index, value
        yield values(4, 5, dtype=torch.int64), index, value.to(torch.int64) if isinstance(value, torch.Tensor) else value


by_hand("__setitem__", assign, assignments)


def rms_norm(x, shape, weight=None, eps=None):
    eps = torch.finfo(x.dtype).eps if eps is None else eps
    y = x * torch.rsqrt(x.pow(2).mean(tuple(range(-len(shape), 0)), keepdim=True) + eps)
    return y if weight is None else y * weight


by_hand("F.rms_norm", rms_norm, lambda: ((values(*s, dtype=d, requires_grad=True), n, w and values(*n, dtype=d, requires_grad=True, seed=2), e)
                                         for s, n in (((3, 5), (5,)), ((2, 3, 4), (3, 4)), ((7,), (7,))) for d in (torch.float32, torch.float64)
                                         for w in (None, True) for e in (None, 1e-5)),
        lambda x, shape, weight, eps: ct.rms_norm_with(x, shape, weight, eps=eps))
by_hand("empty_strided", torch.empty_strided, rows(((2, 3), (1, 2)), ((2, 3), (3, 1)), ((), ())), lambda *a, **k: default("empty_strided", *a, **k))
by_hand("scalar_tensor", torch.scalar_tensor, lambda: (((v,), {"dtype": d}) for v in (1, 2.5, True) for d in (None, torch.float64, torch.int64)))
by_hand(".new_tensor", lambda x, data: x.new_tensor(data), rows((values(2, dtype=torch.float32), [1.5, 2.5]), (values(2), [1.0])),
        lambda x, data: from_memory(torch.tensor(data, dtype=x.dtype)))
by_hand("frombuffer", lambda b, d: torch.frombuffer(b, dtype=d), rows(*((bytearray(range(48)), d) for d in (torch.uint8, torch.int32, torch.int64))),
        lambda b, d: from_memory(torch.frombuffer(b, dtype=d)))
by_hand("hann_window", torch.hann_window, lambda: (((n,), {"periodic": p}) for n in (1, 2, 5, 16) for p in (True, False)))
by_hand(".fill_diagonal_", lambda x, v, w: x.clone().fill_diagonal_(v, w),
        lambda: ((values(*s, dtype=d), 7, w) for s in ((3, 3), (3, 5), (7, 3), (2, 2, 2))
                 for d in (torch.float64, torch.int64) for w in (False, True)),
        lambda x, v, w: ct.fill_diagonal_(ct.clone(x), v, w))
by_hand("fft.fftfreq", torch.fft.fftfreq, lambda: ((n, d) for n in (1, 4, 5) for d in (1.0, 0.25)))
by_hand("fft.rfftfreq", torch.fft.rfftfreq, lambda: ((n, d) for n in (1, 4, 5) for d in (1.0, 0.25)))
by_hand("unravel_index", lambda i, shape: list(torch.from_numpy(numpy.stack(numpy.unravel_index(i.numpy(), shape)))),
        rows((torch.tensor([0, 5, 11]), (3, 4)), (torch.tensor([[7], [23]]), (2, 3, 4))))


def threads(library):
    def run(n):
        library.set_num_threads(n)
        result = library.get_num_threads()
        library.set_num_threads(1)
        return result
    return run


for kind in ("get_num_threads", "set_num_threads"):
    by_hand(kind, threads(torch), rows((1,), (2,)), lambda n: threads(ct)(n))


def printed(x, **options):
    torch.set_printoptions(**options)
    text = repr(x)
    torch.set_printoptions(profile="default")
    return text


def ct_printed(x, **options):
    if options.get("sci_mode") is not None:
        options["sci_mode"] = 1 if options["sci_mode"] else -1
    ct.set_printoptions_with(**options)
    text = ct.to_text(x)
    ct.set_printoptions_with()
    return text


OPTIONS = {"precision": 2}, {"threshold": 5}, {"edgeitems": 1}, {"linewidth": 40}, {"sci_mode": True}, {"sci_mode": False}
by_hand("set_printoptions", printed, lambda: (((values(*s),), o) for s in ((3,), (40, 40)) for o in OPTIONS), ct_printed)


# recurrent layers: torch's own argument lists
def recurrent(states, cells):
    def samples():
        gates = {"lstm": 4, "gru": 3}.get(cells, 1)
        for layers, both, bias, first, d in ((1, False, True, False, torch.float64), (2, False, True, True, torch.float64),
                                             (1, True, False, False, torch.float32), (2, True, True, False, torch.float64)):
            weights = [values(*s, dtype=d, requires_grad=True, seed=k) for k, s in enumerate(
                shape for layer in range(layers) for _ in range(1 + both)
                for shape in ((gates * 4, 3 if layer == 0 else 4 * (1 + both)), (gates * 4, 4), *(((gates * 4,),) * 2 if bias else ())))]
            h = [values(layers * (1 + both), 2, 4, dtype=d, requires_grad=True, seed=50 + k) for k in range(states)]
            x = values(*((2, 5, 3) if first else (5, 2, 3)), dtype=d, requires_grad=True, seed=99)
            yield x, h if states == 2 else h[0], weights, bias, layers, 0.0, False, both, first
    return samples


def recurrent_layer(name):
    def call(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first):
        states = {"hx": hx[0], "cx": hx[1], "c_n": True} if name == "lstm" else {"hx": hx}
        return getattr(ct, name + "_with")(input=input, params=params, no_biases=not has_biases, num_layers=num_layers, dropout=dropout, train=train,
                                           bidirectional=bidirectional, batch_first=batch_first, h_n=True, **states)
    return call


def recurrent_cell(name):
    def call(input, hx, w_ih, w_hh, b_ih=None, b_hh=None):
        states = {"hx": hx[0], "cx": hx[1], "c_n": True} if name == "lstm_cell" else {"hx": hx}
        return getattr(ct, name + "_with")(input=input, w_ih=w_ih, w_hh=w_hh, b_ih=b_ih, b_hh=b_hh, **states)
    return call


for kind in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
    by_hand(kind, getattr(torch, kind), recurrent(2 if kind == "lstm" else 1, kind), recurrent_layer(kind))


def cells(kind, gates, states):
    def samples():
        for d, bias in ((torch.float32, True), (torch.float64, True), (torch.float64, False)):
            v = lambda *s, seed: values(*s, dtype=d, requires_grad=True, seed=seed)
            h = [v(2, 4, seed=k) for k in range(states)]
            yield (v(2, 3, seed=9), h if states == 2 else h[0], v(4 * gates, 3, seed=10), v(4 * gates, 4, seed=11),
                   *((v(4 * gates, seed=12), v(4 * gates, seed=13)) if bias else (None, None)))
    return samples


for kind, gates, states in (("lstm_cell", 4, 2), ("gru_cell", 3, 1), ("rnn_tanh_cell", 1, 1)):
    by_hand(kind, getattr(torch, kind), cells(kind, gates, states), recurrent_cell(kind))


def functional(name, *calls):
    """calls: (shapes of the tensors, further arguments)"""
    by_hand("F." + name, getattr(F, name),
            lambda: ((tuple(values(*s, dtype=d, requires_grad=True, seed=k) for k, s in enumerate(shapes)) + tuple(more), options)
                     for d in (torch.float32, torch.float64) for shapes, more, options in calls))


def multi_head():
    v = lambda *s, seed, d=torch.float64: values(*s, dtype=d, requires_grad=True, seed=seed)
    mask = torch.ones(5, 6).triu(2).bool()
    for d in (torch.float32, torch.float64):
        w, b, o, p = v(24, 8, seed=4, d=d), v(24, seed=5, d=d), v(8, 8, seed=6, d=d), v(8, seed=7, d=d)
        for batch, weights, attn_mask in (((2,), True, None), ((2,), False, mask), ((), True, values(5, 6, dtype=d, seed=8))):
            q, k, x = v(5, *batch, 8, seed=1, d=d), v(6, *batch, 8, seed=2, d=d), v(6, *batch, 8, seed=3, d=d)
            yield (q, k, x, 8, 2, w, b, None, None, False, 0.0, o, p), {"need_weights": weights, "attn_mask": attn_mask}


def multi_head_attention(query, key, value, embed_dim, num_heads, w, b, bias_k, bias_v, add_zero_attn, dropout_p, o, p, need_weights, attn_mask):
    out = ct.multi_head_attention_forward_with(
        query=query, key=key, value=value, embed_dim_to_check=embed_dim, num_heads=num_heads, in_proj_weight=w, in_proj_bias=b, bias_k=bias_k,
        bias_v=bias_v, add_zero_attn=add_zero_attn, out_proj_weight=o, out_proj_bias=p, attn_mask=attn_mask, attn_weights=need_weights)
    return out if need_weights else (out,)


by_hand("F.multi_head_attention_forward", lambda *a, **k: tuple(t for t in F.multi_head_attention_forward(*a, **k) if t is not None), multi_head,
        multi_head_attention)
def channel_shuffle(x, groups):
    """torch's has no derivative."""
    y = x.unflatten(1, (groups, -1)).transpose(1, 2).flatten(1, 2)
    assert torch.equal(y, torch.channel_shuffle(x.detach(), groups))
    return y


functional("conv3d", (((1, 2, 4, 4, 4), (3, 2, 2, 2, 2), (3,)), (), {}),
           (((2, 4, 5, 5, 5), (4, 2, 3, 3, 3)), (), {"stride": 2, "padding": 1, "groups": 2}),
           (((2, 5, 4, 6), (3, 2, 2, 2, 2)), (), {"dilation": 2}))
functional("fold", (((1, 12, 12),), ((4, 5), (2, 2)), {}), (((2, 8, 9),), ((6, 6), 2), {"stride": 2, "padding": 0}))
by_hand("F.channel_shuffle", channel_shuffle, lambda: ((values(*s, dtype=d, requires_grad=True), g) for d in (torch.float32, torch.float64)
                                                       for s, g in (((1, 4, 2, 2), 2), ((2, 6, 3), 3), ((2, 6, 0), 2))))
functional("affine_grid", (((2, 2, 3),), ((2, 3, 4, 5),), {"align_corners": False}), (((2, 2, 3),), ((2, 3, 4, 5),), {"align_corners": True}))
functional("gumbel_softmax", (((3, 5),), (), {}), (((3, 5),), (), {"tau": 0.5, "dim": 0}), (((2, 4),), (), {"hard": True}))
