"""What the default rule cannot know about the operators.

ADAPTERS    torch's arguments to ctorch's calls, where names and types do not say it
REBUILT     decompositions: their factors' product, whatever signs the factors have
POSITIONS   operators whose positions of equal elements are unspecified: what stands there is compared
and a few small tables of exceptions at the end.
"""
import ctypes
import fractions
import math

import torch

from parity_bind import NO_DIM, Default, NotCovered, Refused, T


class Current:
    """The library, once there is one."""
    def __getattr__(self, name):
        return getattr(self.__dict__["library"], name)


ct = Current()
END = 2 ** 63 - 1  # CT_END
ADAPTERS = {}


def use(library):
    ct.library, library.items = library, items


def adapter(*names):
    def register(f):
        for name in names:
            ADAPTERS[name] = f
        return f
    return register


def default(name, *args, **kwargs):
    return Default(ct, name)(*args, **kwargs)


def c_name(name):
    """torch's name to ctorch's: special.ndtr -> ndtr, linalg.inv -> linalg_inv, .clone -> clone"""
    return name.replace("special.", "").lstrip(".").replace(".", "_")


# ---- creation --------------------------------------------------------------------------------------------------------
def sizes_of(size):
    return tuple(size[0]) if len(size) == 1 and isinstance(size[0], (tuple, list, torch.Size)) else tuple(size)


def creator(name):
    def make(*size, dtype=None):
        return getattr(ct, name + "_dtype")(dtype, sizes_of(size)) if dtype else getattr(ct, name)(sizes_of(size))
    return make


def like(name):
    def make(input, *value, dtype=None):
        if dtype in (None, input.dtype):
            return getattr(ct, name + "_like")(input, *value)
        return getattr(ct, name + "_dtype")(dtype, *value, input.shape)
    return make


def new(name):
    return lambda input, size, *value, dtype=None: getattr(ct, name + "_dtype")(dtype or input.dtype, *value, sizes_of((size,)))


for kind in ("empty", "zeros", "ones", "rand", "randn"):
    ADAPTERS[kind] = creator(kind)
for kind in ("empty", "zeros", "ones", "full"):
    ADAPTERS[kind + "_like"], ADAPTERS["new_" + kind] = like(kind), new(kind)


@adapter("full")
def full(size, fill_value, dtype=None):
    return ct.full_dtype(dtype, fill_value, size) if dtype else ct.full(fill_value, size)


for kind in ("rand", "randn"):
    ADAPTERS[kind + "_like"] = like(kind)


@adapter("randint_like")
def randint_like(input, *bounds, dtype=None):
    low, high = bounds if len(bounds) == 2 else (0, *bounds)
    return ct.randint_like(input, low, high) if dtype in (None, input.dtype) else ct.randint_dtype(dtype, low, high, input.shape)


@adapter("randint")
def randint(*args, dtype=None):
    low, high, size = args if len(args) == 3 else (0, *args)
    return ct.randint_dtype(dtype, low, high, size) if dtype else ct.randint(low, high, size)


@adapter("arange")
def arange(*args, dtype=None, start=0, end=None, step=1):
    if len(args) == 1 and end is None:
        end = args[0]
    else:
        start, end, step = (*args, *(start, end, step)[len(args):])
    whole = all(isinstance(v, int) for v in (start, end, step))
    return ct.arange_dtype(dtype or (torch.int64 if whole else None), start, end, step)


def spaced(name):
    def make(start, end, steps, *base, dtype=None, **more):
        base = base or (more.get("base", 10.0),) if name == "logspace" else ()
        if dtype in (None, torch.float32) and ct.has(name):
            return getattr(ct, name)(start, end, steps, *base)
        return getattr(ct, name + "_dtype")(dtype, start, end, steps, *base)
    return make


for kind in ("linspace", "logspace"):
    ADAPTERS[kind] = spaced(kind)


@adapter("eye")
def eye(n, m=None, dtype=None):
    if m is None and dtype in (None, torch.float32):
        return ct.eye(n)
    return ct.eye_dtype(dtype, n, n if m is None else m)


@adapter("scalar_tensor")
def scalar_tensor(s, dtype=None):
    return ct.full_dtype(dtype, s, ()) if dtype else ct.scalar(s)


def indices_of(name):
    def make(row, col, offset=0, dtype=torch.int64):
        out = getattr(ct, name)(row, col, offset)
        return out if dtype == torch.int64 else ct.to(out, dtype)
    return make


for kind in ("tril_indices", "triu_indices"):
    ADAPTERS[kind] = indices_of(kind)


@adapter("meshgrid")
def meshgrid(*tensors, indexing=None):
    tensors = tensors[0] if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)) else tensors
    return ct.meshgrid(list(tensors), indexing)


for kind in ("broadcast_tensors", "block_diag", "cartesian_prod"):
    ADAPTERS[kind] = (lambda name: lambda *tensors: getattr(ct, name)(list(tensors)))(kind)


@adapter("broadcast_shapes")
def broadcast_shapes(*shapes):
    result = ct.structs["ct_shape"]()
    ct.broadcast_shapes([ct.shape(s) for s in shapes], ctypes.addressof(result))
    return tuple(result.size[:result.ndim])


@adapter("tensor", "as_tensor", "new_tensor")
def from_memory(data, *_, dtype=None):
    values = (data if isinstance(data, torch.Tensor) else torch.tensor(data, dtype=dtype)).contiguous()
    return ct.tensor_from(values.data_ptr() or None, values.dtype, values.shape)


# ---- random ----------------------------------------------------------------------------------------------------------
def in_place(name):
    return lambda input, *args, **kwargs: default(name + "_", ct.clone(input), *args, **kwargs)


for kind in ("zero", "fill", "exponential", "fill_diagonal"):
    ADAPTERS[kind] = ADAPTERS[kind + "_"] = in_place(kind)


@adapter("uniform", ".uniform_")
def uniform(input, a=0.0, b=1.0):
    return ct.uniform_(ct.clone(input), a, b)


@adapter(".normal_")
def normal_(input, mean=0.0, std=1.0):
    return ct.normal_(ct.clone(input), mean, std)


@adapter("normal")
def normal(mean, std=1.0, size=None):
    return ct.normal_of(mean, std, size) if size is not None else ct.normal(mean, std)


@adapter("normal.number_mean")
def normal_number_mean(std, mean):
    return ct.normal(mean, std)


@adapter("bernoulli")
def bernoulli(input, p=None):
    return ct.bernoulli(input) if p is None else ct.bernoulli_p(input, p)


@adapter(".bernoulli_")
def bernoulli_(input, p=0.5):
    return ct.bernoulli_(ct.clone(input), p)


@adapter(".random_")
def random_(input, *bounds):
    low, high = bounds if len(bounds) == 2 else (0, *bounds) if bounds else (None, None)
    return ct.random_(ct.clone(input), low, high) if bounds else ct.random_all_(ct.clone(input))


# ---- pointwise -------------------------------------------------------------------------------------------------------
@adapter("div")
def div(input, other, rounding_mode=None):
    if rounding_mode not in (None, "trunc", "floor"):
        raise Refused(rounding_mode)
    return getattr(ct, "div_" + rounding_mode if rounding_mode else "div")(input, other)


@adapter("true_divide")
def true_divide(input, other):
    return ct.div(input, other)


@adapter("clamp")
def clamp(input, min=None, max=None):
    if min is None and max is None:
        raise Refused("no bound")
    if min is None or max is None:
        return ct.clamp_max(input, max) if min is None else ct.clamp_min(input, min)
    return ct.clamp(input, min, max)


ADAPTERS["clamp_min"] = lambda input, bound: ct.clamp_min(input, bound)
ADAPTERS["clamp_max"] = lambda input, bound: ct.clamp_max(input, bound)


def clamp_(input, min=None, max=None):
    if min is None or max is None:
        return ct.clamp_max_(input, max) if min is None else ct.clamp_min_(input, min)
    return ct.clamp_(input, min, max)


@adapter("where")
def where(input, condition, other):
    return ct.where(condition, input, other)


@adapter("gelu")
def gelu(input, approximate="none"):
    if approximate not in ("none", "tanh"):
        raise Refused(approximate)
    return ct.gelu(input) if approximate == "none" else ct.gelu_tanh(input)


@adapter("logsigmoid")
def logsigmoid(input):
    return ct.log_sigmoid(input)


@adapter("nan_to_num")
def nan_to_num(input, nan=None, posinf=None, neginf=None):
    return ct.nan_to_num(input, nan or 0.0, math.inf if posinf is None else posinf, -math.inf if neginf is None else neginf)


def closeness(name):
    return lambda input, other, rtol=1e-5, atol=1e-8, equal_nan=False: getattr(ct, name)(input, other, rtol, atol, equal_nan)


for kind in ("isclose", "allclose"):
    ADAPTERS[kind] = closeness(kind)


# ---- reductions ------------------------------------------------------------------------------------------------------
def argument_of(name):
    def reduce(input, dim=None, keepdim=False):
        if dim is not None:
            return getattr(ct, name)(input, dim, keepdim)
        flat = getattr(ct, name)(ct.ravel(input), 0, False)
        return ct.reshape(flat, (1,) * input.ndim) if keepdim else flat
    return reduce


def extreme(name):
    def reduce(input, *args, **kwargs):
        if args and isinstance(args[0], T):
            return getattr(ct, name + "imum")(input, *args)
        return default(name, input, *args, **kwargs)
    return reduce


def moment(name):
    """std and var: unbiased and correction say the same; dims, or all."""
    def reduce(input, dim=None, unbiased=None, keepdim=False, correction=None):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        correction = int(unbiased is not False) if correction is None else correction
        if dim is None and not keepdim:
            return getattr(ct, name)(input, correction)
        return getattr(ct, name + "_dims")(input, () if dim is None else dim, correction, keepdim)
    return reduce


for kind in ("argmax", "argmin"):
    ADAPTERS[kind] = argument_of(kind)
for kind in ("max", "min"):
    ADAPTERS[kind] = extreme(kind)
for kind in ("std", "var", "std_mean", "var_mean"):
    ADAPTERS[kind] = moment(kind)


@adapter("norm")
def norm(input, p="fro", dim=None, keepdim=False, dtype=None):
    input = ct.to(input, dtype) if dtype else input
    if p == "nuc":
        return ct.linalg_matrix_norm(input, p, () if dim is None else dim, keepdim)
    p = 2.0 if p in (None, "fro") else p
    return ct.norm(input, p) if dim is None and not keepdim else ct.norm_dims(input, p, () if dim is None else dim, keepdim)


@adapter("linalg.vector_norm")
def vector_norm(input, ord=2, dim=None, keepdim=False, dtype=None):
    return ct.linalg_vector_norm(ct.to(input, dtype) if dtype else input, ord, () if dim is None else dim, keepdim)


def matrix_norm(name, ord):
    def reduce(input, ord=ord, dim=None, keepdim=False, dtype=None):
        ord = ord if ord is None or isinstance(ord, str) else str(ord)
        return getattr(ct, name)(ct.to(input, dtype) if dtype else input, ord, () if dim is None else dim, keepdim)
    return reduce


ADAPTERS["linalg.matrix_norm"], ADAPTERS["linalg.norm"] = matrix_norm("linalg_matrix_norm", "fro"), matrix_norm("linalg_norm", None)


@adapter("unique")
def unique(input, sorted=True, return_inverse=False, return_counts=False, dim=None):
    found = ct.unique(input, sorted) if dim is None else ct.unique_dim(input, dim)
    return chosen(found, return_inverse, return_counts)


@adapter("unique_consecutive")
def unique_consecutive(input, return_inverse=False, return_counts=False, dim=None):
    return chosen(ct.unique_consecutive(input, dim), return_inverse, return_counts)


def chosen(found, inverse, counts):
    found = [x for x, wanted in zip(found, (True, inverse, counts)) if wanted]
    return found[0] if len(found) == 1 else tuple(found)


@adapter("histogram")
def histogram(input, bins, *, range=(0, 0), weight=None, density=False):
    if isinstance(bins, int):
        return ct.histogram(input, bins, *range, weight, density)
    return ct.histogram_edges(input, bins, weight, density), bins


@adapter("trapezoid")
def trapezoid(y, x=None, dim=-1, dx=1):
    return ct.trapezoid(y, dx if x is None else x, dim)


@adapter("gradient")
def gradient(input, spacing=None, dim=None, edge_order=1):
    if isinstance(spacing, (list, tuple)) and len(spacing) == 1 != len(dim or ()):
        raise Refused("one spacing is for all dims")
    spacing = spacing if isinstance(spacing, (list, tuple)) else () if spacing is None else (spacing,)
    return ct.gradient(input, spacing, dim, edge_order)


# ---- sorting, searching ----------------------------------------------------------------------------------------------
@adapter("sort")
def sort(input, dim=-1, descending=False, stable=True):
    return ct.sort(input, dim, descending)


@adapter("argsort")
def argsort(input, dim=-1, descending=False, stable=True):
    return ct.argsort(input, dim, descending)


@adapter("nonzero")
def nonzero(input, as_tuple=False):
    return ct.nonzero_tuple(input) if as_tuple else ct.nonzero(input)


@adapter("searchsorted")
def searchsorted(sorted_sequence, values, out_int32=False, right=False, side=None, sorter=None):
    if sorter is not None:
        sorted_sequence = ct.gather(sorted_sequence, -1, sorter)
    if side not in (None, "left", "right") or side == "left" and right:
        raise Refused("side")
    found = ct.searchsorted(sorted_sequence, values, right or side == "right")
    return ct.to(found, torch.int32) if out_int32 else found


@adapter("bucketize")
def bucketize(input, boundaries, out_int32=False, right=False):
    found = ct.bucketize(input, boundaries, right)
    return ct.to(found, torch.int32) if out_int32 else found


# ---- shapes ----------------------------------------------------------------------------------------------------------
def sized(name):
    return lambda input, *size: getattr(ct, name)(input, sizes_of(size))


for kind in ("view", "reshape", "expand", "broadcast_to", "repeat", "permute", "sum_to_size", "tile"):
    ADAPTERS[kind] = sized(kind)


@adapter("T")
def numpy_T(input):
    return ct.permute(input, tuple(range(input.ndim))[::-1])


def each(name):
    """One tensor, or several: f(a), f(a, b), f([a, b])"""
    def call(*inputs):
        several = inputs[0] if len(inputs) == 1 and not isinstance(inputs[0], T) else inputs
        results = tuple(getattr(ct, name)(x) for x in several)
        return results[0] if len(inputs) == 1 and several is inputs else results
    return call


for kind in ("atleast_1d", "atleast_2d", "atleast_3d"):
    ADAPTERS[kind] = each(kind)


@adapter("roll")
def roll(input, shifts, dims=()):
    shifts, dims = (v if isinstance(v, (tuple, list)) else (v,) for v in (shifts, dims))
    if len(shifts) != (len(dims) or 1):
        raise Refused("one shift per dim")  # ct_roll takes one of each
    for shift, dim in zip(shifts, dims or (NO_DIM,)):
        input = ct.roll(input, shift, dim)
    return input


@adapter("split")
def split(input, size, dim=0):
    return ct.split_with_sizes(input, list(size), dim) if isinstance(size, (tuple, list)) else ct.split(input, size, dim)


@adapter("tensor_split")
def tensor_split(input, indices_or_sections, dim=0):
    if isinstance(indices_or_sections, T):
        indices_or_sections = indices_or_sections.torch().tolist()
    if isinstance(indices_or_sections, int):
        return ct.tensor_split(input, indices_or_sections, dim)
    return ct.tensor_split_indices(input, indices_or_sections, dim)


@adapter("slice")
def slice_(input, dim=0, start=None, end=None, step=1):
    return ct.slice(input, dim, start or 0, END if end is None else end, step)


for kind in ("contiguous", "clone"):
    ADAPTERS[kind] = (lambda name: lambda input: getattr(ct, name)(input))(kind)


@adapter("to")
def to(input, *args, dtype=None, copy=False, **_):
    for a in args:
        dtype = a if isinstance(a, torch.dtype) else a.dtype if isinstance(a, T) else dtype
    flags = [a for a in args if isinstance(a, bool)]
    result = ct.to(input, dtype) if dtype else input
    return ct.clone(result) if (copy or flags[1:] == [True]) and result is input else result


CASTS = {"float": torch.float32, "double": torch.float64, "half": torch.float16, "bfloat16": torch.bfloat16, "int": torch.int32,
         "long": torch.int64, "short": torch.int16, "char": torch.int8, "byte": torch.uint8, "bool": torch.bool}
for kind, dtype in CASTS.items():
    ADAPTERS[kind] = (lambda dtype: lambda input: ct.to(input, dtype))(dtype)


# ---- indexing --------------------------------------------------------------------------------------------------------
def item(index):
    make = ct.structs["ct_index_item"]
    kinds = ct.header.enums["ct_index_kind"]
    if index is None or index is Ellipsis:
        return make(kinds["CT_INDEX_NEWAXIS" if index is None else "CT_INDEX_ELLIPSIS"], 0, 0, 0, None)
    if isinstance(index, slice):
        return make(kinds["CT_INDEX_RANGE"], index.start or 0, END if index.stop is None else index.stop, index.step or 1, None)
    if isinstance(index, int) and not isinstance(index, bool):
        return make(kinds["CT_INDEX_PICK"], index, 0, 0, None)
    return make(kinds["CT_INDEX_TENSOR"], 0, 0, 0, ct.operand(index if isinstance(index, T) else torch.tensor(index)))


def items(index):
    """x[[0, slice(2)]] is x[0, slice(2)] to PyTorch: a list is a tuple unless it holds numbers alone."""
    several = isinstance(index, tuple) or isinstance(index, list) and not all(isinstance(i, (int, bool)) for i in index)
    return [item(i) for i in (index if several else (index,))]


@adapter("__getitem__")
def getitem(input, index):
    return ct.index(input, items(index))


@adapter("__setitem__")
def setitem(input, index, value):
    copy = ct.clone(input)
    ct.index_set(copy, value, items(index))
    return copy


@adapter("scatter")
def scatter(input, dim, index, src=None, value=None, reduce=None):
    src = value if src is None else src
    if reduce is None:
        return ct.scatter(input, dim, index, src)
    if reduce not in ("add", "multiply"):
        raise Refused(reduce)
    return ct.scatter_reduce(input, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce], True)


def scatter_(input, dim, index, src=None, value=None, reduce=None):
    src = value if src is None else src
    if reduce is None:
        return ct.scatter_(input, dim, index, src)
    return ct.scatter_reduce_(input, dim, index, src, {"add": "sum", "multiply": "prod"}[reduce], True)


@adapter("einsum")
def einsum(operands, equation):
    return ct.einsum(equation, list(operands))


@adapter("tensordot")
def tensordot(a, b, dims=2):
    return ct.tensordot(a, b, dims) if isinstance(dims, int) else ct.tensordot_dims(a, b, dims[0], dims[1])


# ---- linear algebra --------------------------------------------------------------------------------------------------
def really(value):
    """0 is the default, -0.0 is zero."""
    return 0.0 if value is None else -0.0 if value == 0 else value


def with_tolerances(name):
    def call(input, atol=None, rtol=None, hermitian=False, rcond=None, tol=None):
        if isinstance(atol, bool):
            atol, hermitian = None, atol
        atol, rtol = (tol, 0.0) if tol is not None else (atol, rtol if rcond is None else rcond)
        return getattr(ct, name)(input, atol, rtol, hermitian)
    return call


for kind in ("pinv", "matrix_rank"):
    ADAPTERS["linalg." + kind] = with_tolerances("linalg_" + kind)


@adapter("linalg.pinv.singular")
def pinv_of_product(a, b):
    return ct.linalg_pinv(a @ b.mT, None, None, False)


@adapter("linalg.lstsq")
def lstsq(a, b, rcond=None, driver=None):
    return ct.linalg_lstsq(a, b, really(rcond), driver)


@adapter("linalg.lstsq.grad_oriented")
def lstsq_solution(a, b, driver=None):
    return ct.linalg_lstsq(a, b, 0.0, driver)[0]


def product(*factors):
    result = factors[0]
    for f in factors[1:]:
        result = result @ f
    return result


def symmetric(a, uplo="L", **_):
    half = torch.tril if uplo.upper() == "L" else torch.triu
    return half(a) + half(a).mT - torch.diag_embed(a.diagonal(dim1=-2, dim2=-1))


# name: the factors' product, and what it must be, whatever signs the factors have
REBUILT = {
    "linalg.svd": (lambda u, s, vh: (u[..., :s.shape[-1]] * s[..., None, :]) @ vh[..., :s.shape[-1], :], lambda a, *_, **__: a),
    "linalg.eigh": (lambda w, v: (v * w[..., None, :]) @ v.mT, lambda a, *_, UPLO="L", **__: symmetric(a, UPLO)),
    "linalg.qr": (lambda q, r: q @ r if q.numel() or not r.numel() else None, lambda a, *_, **__: a),
    "linalg.lu": (product, lambda a, *_, **__: a),
}


# ---- functions of neural networks ------------------------------------------------------------------------------------
def spatial(n, **values):
    """{stride: (1, 2)} to the fields of an option struct: one number, or height and width apart."""
    fields = {}
    for name, value in values.items():
        value = [value] if isinstance(value, int) else list(value or ())
        if len(value) not in (0, 1, n):
            raise Refused(f"{name} of {len(value)} numbers")
        if name not in ("padding", "output_padding") and 0 in value:
            raise Refused(f"{name} 0 means the default")
        if len(set(value)) == 1:
            fields[name] = value[0]
        elif value:
            fields[("kernel" if name == "kernel_size" else name) + ("_hw" if n == 2 else "_dhw")] = value
    return fields


def conv(n):
    def call(input, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
        if isinstance(padding, str):
            words = {"valid": {"padding": 0}, "same": {"padding_same": True}}
            if padding not in words:
                raise Refused(padding)
            more, padding = words[padding], None
        else:
            more = spatial(n, padding=padding)
        more.update(spatial(n, groups=groups))
        return getattr(ct, f"conv{n}d_with")(input, weight, bias, **spatial(n, stride=stride, dilation=dilation), **more)
    return call


def conv_transpose(n):
    def call(input, weight, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        fields = spatial(n, stride=stride, padding=padding, output_padding=output_padding, dilation=dilation, groups=groups)
        return getattr(ct, f"conv_transpose{n}d_with")(input, weight, bias, **fields)
    return call


def max_pool(n):
    def call(input, kernel_size, stride=None, padding=0, dilation=1, ceil_mode=False, return_indices=False):
        fields = spatial(n, kernel_size=kernel_size, stride=stride, padding=padding, dilation=dilation)
        return getattr(ct, f"max_pool{n}d_with")(input=input, ceil_mode=ceil_mode, indices=return_indices, **fields)
    return call


def avg_pool(n):
    def call(input, kernel_size, stride=None, padding=0, ceil_mode=False, count_include_pad=True, divisor_override=None):
        if divisor_override == 0:
            raise Refused("divisor_override 0 means none")
        fields = spatial(n, kernel_size=kernel_size, stride=stride, padding=padding)
        return getattr(ct, f"avg_pool{n}d_with")(input=input, ceil_mode=ceil_mode, exclude_pad=not count_include_pad,
                                                 divisor_override=divisor_override, **fields)
    return call


def adaptive(name, n):
    def call(input, output_size, return_indices=False):
        size = [output_size] * n if isinstance(output_size, int) else list(output_size)
        out = getattr(ct, name)(input, *(-1 if s is None else s for s in size))
        return out[0] if isinstance(out, tuple) and not return_indices else out
    return call


def max_unpool(n):
    def call(input, indices, kernel_size, stride=None, padding=0, output_size=None):
        fields = spatial(n, kernel_size=kernel_size, stride=stride, padding=padding)
        return getattr(ct, f"max_unpool{n}d_with")(input=input, indices=indices, output_size=output_size, **fields)
    return call


@adapter("nn.functional.unfold", "F.unfold")
def unfold(input, kernel_size, dilation=1, padding=0, stride=1):
    return ct.im2col_with(input=input, **spatial(2, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride))


@adapter("fold")
def fold(input, output_size, kernel_size, dilation=1, padding=0, stride=1):
    fields = spatial(2, kernel_size=kernel_size, dilation=dilation, padding=padding, stride=stride)
    return ct.fold_with(input=input, output_size=output_size, **fields)


for n in (1, 2, 3):
    ADAPTERS[f"max_unpool{n}d"] = max_unpool(n)
    ADAPTERS.update({f"conv{n}d": conv(n), f"conv_transpose{n}d": conv_transpose(n), f"max_pool{n}d": max_pool(n), f"avg_pool{n}d": avg_pool(n)})
    for kind in (f"adaptive_avg_pool{n}d", f"adaptive_max_pool{n}d"):
        ADAPTERS[kind] = adaptive(kind, n)


@adapter("constant_pad_nd")
def constant_pad_nd(input, pad, value=0):
    return ct.pad_with(input=input, pad=pad, value=value)


@adapter("interpolate")
def interpolate(input, size=None, scale_factor=None, mode="nearest", align_corners=None, recompute_scale_factor=None, antialias=False):
    if antialias:
        raise NotCovered("antialias")
    size = (size,) if isinstance(size, int) else size
    factors = {"scale_dhw": list(scale_factor) + [0] * (3 - len(scale_factor))} if isinstance(scale_factor, (list, tuple)) else \
        {"scale_factor": scale_factor}
    return ct.interpolate_with(input=input, size=size or (), mode=mode, align_corners=bool(align_corners),
                               recompute_scale_factor=bool(recompute_scale_factor), **factors)


@adapter("embedding")
def embedding(weight, input, padding_idx=None, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, sparse=False):
    return ct.embedding_with(input, weight, padding_idx=padding_idx, has_padding_idx=padding_idx == 0, max_norm=max_norm,
                             norm_type=norm_type, scale_grad_by_freq=scale_grad_by_freq)


@adapter("embedding_bag")
def embedding_bag(weight, input, offsets=None, sparse=False, padding_idx=None, **options):
    return ct.embedding_bag_with(input, weight, offsets, padding_idx=padding_idx, has_padding_idx=padding_idx == 0, **options)


@adapter("cdist")
def cdist(x1, x2, p=2.0, compute_mode=None):
    return ct.cdist(x1, x2, p)


def with_ignore_index(name):
    def call(input, target, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        return getattr(ct, name + "_with")(input, target, weight, ignore_index=ignore_index, has_ignore_index=ignore_index == 0,
                                           reduction=reduction, label_smoothing=label_smoothing)
    return call


for kind in ("cross_entropy", "nll_loss"):
    ADAPTERS[kind] = with_ignore_index(kind)


@adapter("kl_div")
def kl_div(input, target, reduction="mean", log_target=False):
    if reduction == "batchmean":
        return ct.kl_div_with(input, target, log_target=log_target, batchmean=True)
    return ct.kl_div_with(input, target, reduction=reduction, log_target=log_target)


@adapter("_scaled_dot_product_attention")
def attention(query, key, value, attn_mask=None, dropout_p=0.0, need_attn_weights=False, is_causal=False):
    return default("scaled_dot_product_attention", query, key, value, attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal)


IN_PLACE = {"clamp_": clamp_, "scatter_": scatter_}  # those that the default rule cannot call

# ---- exceptions ------------------------------------------------------------------------------------------------------
OPINFO = {"F.scaled_dot_product_attention": ["nn.functional._scaled_dot_product_attention"], ".uniform_": ["uniform"], "index": ["__getitem__"],
          ".fill_": ["fill"], ".zero_": ["zero_"]}


def opinfo_names(name):
    """The OpInfos of an operator of ops.md."""
    return OPINFO.get(name) or [name.replace("F.", "nn.functional.", 1) if name.startswith("F.") else name.lstrip(".")]


FUNCTIONS = {"rand_like": torch.rand_like,  # this OpInfo calls randn_like
             "argsort": lambda input, *args, **kwargs: torch.sort(input, *args, **{**kwargs, "stable": True})[1] if not args else
             torch.sort(input, dim=args[0], descending=len(args) > 1 and args[1], stable=True)[1],
             "unique": lambda input, sorted=True, **kwargs: torch.unique(input, True, **kwargs),  # sorted=False: in any order
             "nn.functional._scaled_dot_product_attention": lambda *a, **k: torch._C._nn._scaled_dot_product_attention(*a, **k)[0]}
# arguments that say nothing about the result, or say what ctorch always does
IGNORED = {"device", "requires_grad", "layout", "pin_memory", "memory_format", "non_blocking", "inplace", "generator"}
UNDEFINED_VALUES = {"empty", "empty_like", "new_empty", "empty_strided"}
NO_VIEW_CHECK = {".tolist", "uniform", "sum_to_size", "to", "zero_", ".cpu", ".numpy", *CASTS}


POSITIONS = {"topk": 2, "kthvalue": 2, "mode": 1, "sort": 1, "median": 1, "nanmedian": 1, "msort": 9}  # which argument is dim


def linspace_artefact(actual, expected, start, end, steps, **_):
    """PyTorch 1.13 computes integers in vectors of 4 (int32: 8) and cuts each vector's first number before it adds the steps."""
    start, end = int(start), int(end)
    exact = [math.trunc(start + fractions.Fraction(end - start) * i / (steps - 1)) for i in range(steps)] if steps > 1 else [start]
    return not expected.is_floating_point() and actual.tolist() == exact != expected.tolist()


def histogram_artefact(actual, expected, input, bins, **_):
    return isinstance(bins, torch.Tensor) and bool((bins.diff() < 0).any())


# answers of PyTorch 1.13 that its documentation does not cover: a function that says whether this is one, and the reason
ARTEFACTS = {
    "linspace": (linspace_artefact, "PyTorch's linspace of integers is not start + i*(end - start)/(steps - 1): it rounds inside vectors"),
    "histogram": (histogram_artefact, "histogram of edges that do not ascend, where PyTorch's documentation wants ascending ones"),
}
EXPLAINED = {
    "complex": "no complex dtype", "polar": "no complex dtype", "view_as_real": "no complex dtype", "view_as_complex": "no complex dtype",
    "imag": "no complex dtype", ".cuda": "needs a GPU: tests/test_cuda.cpp",
}
