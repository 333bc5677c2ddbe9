"""Binds ctorch's shared library with ctypes, from the declarations in ctorch.h.

Header   parses `CT_API type name(parameters);`, structs and enums.
Library  calls a declared function with Python and torch values: numbers become 0-d tensors where a tensor is expected, lists become
         ct_shape or arrays with their count, option structs are filled by field name, `ct_tensor **` results are returned.
T        a handle on a ct_tensor, with the few operators that OpInfo's own lambdas use.
"""
import ctypes as C
import inspect
import math
import re

import torch
import torch.nn.functional as F

CAPACITY = 256  # room for lists of results
NO_DIM = -2 ** 31  # CT_NO_DIM


class CtError(Exception):
    """ctorch reported an error."""


class NotCovered(Exception):
    """There is no such function in ctorch.h, or it has no place for this argument."""


class Excluded(Exception):
    """Nothing to compare with."""


class Refused(Exception):
    """C's types do not admit this argument: no program that says this compiles."""


# ---- declarations ----------------------------------------------------------------------------------------------------
SCALARS = {"int": C.c_int, "int64_t": C.c_int64, "double": C.c_double, "float": C.c_float, "bool": C.c_bool,
           "size_t": C.c_size_t, "uint8_t": C.c_uint8}


class Header:
    def __init__(self, path):
        text = open(path, encoding="utf-8").read().split("stop here if you only want the API")[0]
        text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
        self.numbers = dict(re.findall(r"^#define (\w+) (\d+)$", text, flags=re.M))
        text = re.sub(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", "", text, flags=re.M)
        self.enums = dict(self.enum(m) for m in re.finditer(r"typedef enum (\w+) \{([^{}]*)\}", text))
        bound = r"ct_\w+_opts|ct_shape|ct_index_item|ct_params|ct_float_info|ct_int_info"
        self.structs = {m[1]: self.fields(m[2]) for m in re.finditer(r"typedef struct (%s) \{([^{}]*)\} \1;" % bound, text)}
        self.functions = {m[2]: (m[1].strip(), self.parameters(m[3]))
                          for m in re.finditer(r"\bCT_API\s+([\w\s]+?[\s*]+)(\w+)\(([^;{]*)\);", text)}

    @staticmethod
    def enum(match):
        values, n = {}, 0
        for item in filter(None, (s.strip() for s in match[2].split(","))):
            name, _, value = (s.strip() for s in item.partition("="))
            n = int(value, 0) if value else n
            values[name], n = n, n + 1
        return match[1], values

    def declarator(self, base, text):
        """'ct_tensor', '**indices' -> ('ct_tensor **', 'indices', 0)"""
        stars, name, size = re.match(r"([*\s]*(?:const\s*\*)?)\s*(\w*)(?:\[(\w*)\])?$", text.strip()).groups()
        return (base + " " + re.sub(r"\s*\*", "*", stars)).strip(), name, int(self.numbers.get(size, size or 0))

    def fields(self, body):
        result = []
        for line in filter(None, (s.strip() for s in body.split(";"))):
            if "(" in line:
                result.append(("void *", line, 0))
                continue
            base, rest = re.match(r"((?:const )?(?:struct )?\w+)\s*(.*)$", line, re.S).groups()
            result += [self.declarator(base, d) for d in rest.split(",")]
        return result

    def parameters(self, text):
        if text.strip() in ("", "void"):
            return []
        text = re.sub(r"\w+ \(\*(\w+)\)\([^)]*\)", r"void *\1", text)  # function pointers
        parts = (re.match(r"((?:const )?\w+)\s*(.*)$", p.strip(), re.S).groups() for p in text.split(","))
        return [self.declarator(*p)[:2] for p in parts]


# ---- tensors ---------------------------------------------------------------------------------------------------------
class T:
    """A ct_tensor. It belongs to the innermost scope."""

    def __init__(self, lib, handle, memory=None):
        self.lib, self.handle, self.memory = lib, handle, memory

    def __repr__(self): return f"Tensor{self.shape}"

    dtype = property(lambda self: self.lib.torch_dtype[self.lib.raw.ct_dtype_of(self.handle)])
    ndim = property(lambda self: self.lib.raw.ct_dim(self.handle))
    shape = property(lambda self: tuple(self.lib.raw.ct_size(self.handle, i) for i in range(self.ndim)))
    stride = property(lambda self: tuple(self.lib.raw.ct_stride(self.handle, i) for i in range(self.ndim)))
    requires_grad = property(lambda self: bool(self.lib.raw.ct_requires_grad(self.handle)))
    mH = mT = property(lambda self: self.lib.mT(self))

    def torch(self):
        """A copy as a torch tensor."""
        out = torch.empty(self.shape, dtype=self.dtype)
        if out.numel():
            self.lib.copy_out(self, out.data_ptr(), self.dtype, out.numel())
        return out

    def __getitem__(self, index):
        return self.lib.index(self, self.lib.items(index))

    def __add__(self, other): return self.lib.add(self, other)
    def __sub__(self, other): return self.lib.sub(self, other)
    def __mul__(self, other): return self.lib.mul(self, other)
    def __truediv__(self, other): return self.lib.div(self, other)
    def __matmul__(self, other): return self.lib.matmul(self, other)
    def __abs__(self): return self.lib.abs(self)
    def abs(self): return self.lib.abs(self)
    def triu(self, diagonal=0): return self.lib.triu(self, diagonal)
    def tril(self, diagonal=0): return self.lib.tril(self, diagonal)


# ---- the library -----------------------------------------------------------------------------------------------------
class Library:
    def __init__(self, header, path):
        self.header, self.raw = header, C.CDLL(path)
        self.structs = {}
        for name in sorted(header.structs, key=lambda n: n != "ct_shape"):  # the only one that others contain
            self.structs[name] = self.structure(name)
        for name, (result, parameters) in header.functions.items():
            if hasattr(self.raw, name):
                f = getattr(self.raw, name)
                f.restype = self.c_type(result)
                f.argtypes = [self.c_type(t) for t, _ in parameters]
        self.dtypes = {name: i + 1 for i, name in enumerate(self.dtype_names())}
        self.torch_dtype = {i: getattr(torch, name) for name, i in self.dtypes.items()}
        self.errors = []
        self.listen()

    def dtype_names(self):
        names = (self.raw.ct_dtype_name(i) for i in range(1, 32))
        return [n.decode() for n in names if n and hasattr(torch, n.decode())]

    def listen(self):
        """Takes over error reports. The struct begins with code, line, file, function, message, hint."""
        kind = C.CFUNCTYPE(None, C.c_void_p, C.c_void_p)
        class Report(C.Structure):
            _fields_ = [("code", C.c_int), ("line", C.c_int)] + [(n, C.c_char_p) for n in ("file", "function", "message", "hint")]
        def handler(error, _):
            r = C.cast(error, C.POINTER(Report)).contents
            self.errors.append(f"{(r.function or b'').decode()}: {(r.message or b'').decode()}")
        self.handler = kind(handler)
        self.raw.ct_set_error_handler.argtypes = [kind, C.c_void_p]
        self.raw.ct_set_error_handler(self.handler, None)

    def c_type(self, text):
        text = re.sub(r"\bconst\b\s*", "", text).strip()
        if text == "void":
            return None
        if text == "char *":
            return C.c_char_p
        if text.endswith("*"):
            return C.c_void_p
        if text in self.header.enums or text in ("ct_dtype", "ct_device", "ct_error_code"):
            return C.c_int
        return SCALARS.get(text) or self.structs.get(text, C.c_void_p)

    def structure(self, name):
        fields = []
        for text, field, size in self.header.structs[name]:
            fields.append((field, self.c_type(text) * size if size else self.c_type(text)))
        return type(name, (C.Structure,), {"_fields_": fields})

    def has(self, name):
        return "ct_" + name in self.header.functions and hasattr(self.raw, "ct_" + name)

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if not self.has(name):
            raise NotCovered(f"no ct_{name}")
        return lambda *args, **kwargs: self.call("ct_" + name, args, kwargs)

    # ---- values
    def tensor(self, t, requires_grad=False):
        """A torch tensor as a ctorch tensor on a copy of its storage: same strides and offset, nothing shared."""
        dtype, shape, stride = self.dtype(t.dtype), self.shape(t.shape), self.shape(t.stride())
        if t.device.type != "cpu" or t.layout != torch.strided:
            raise Refused(f"a {t.device.type} {t.layout} tensor")
        base = torch.empty(0, dtype=t.dtype).set_(t.detach().storage()).clone()
        handle = self.raw.ct_from_blob(base.data_ptr() or C.addressof(shape), dtype, self.shape((base.numel(),)))
        if base.numel() != t.numel() or not t.is_contiguous() or t.ndim != 1:
            handle = self.raw.ct_as_strided(handle, shape, stride, t.storage_offset())
        self.check(handle, "ct_as_strided")
        if requires_grad:
            self.raw.ct_requires_grad_(handle, True)
        return T(self, handle, base)

    def dtype(self, value):
        name = str(value).split(".")[-1]
        if name not in self.dtypes:
            raise Refused(f"there is no {name}")
        return self.dtypes[name]

    def shape(self, sizes):
        sizes = [sizes] if isinstance(sizes, int) else list(sizes)
        if len(sizes) > int(self.header.numbers["CT_MAX_DIMS"]):
            raise Refused("more than CT_MAX_DIMS dims")
        return self.structs["ct_shape"]((C.c_int64 * 8)(*map(self.integer, sizes)), len(sizes))

    @staticmethod
    def integer(value):
        if isinstance(value, T) and value.dtype == torch.int64 and value.shape == ():
            return value.lib.item_i64(value)
        if not isinstance(value, int):
            raise Refused(f"{value!r} where C has an integer")
        return int(value)

    @staticmethod
    def floating(value):
        if isinstance(value, T) and value.shape == () and not value.requires_grad:
            return value.lib.item(value)
        if isinstance(value, (str, complex, torch.dtype, T)) or value is None:
            raise Refused(f"{type(value).__name__} where C has a double")
        return float(value)

    def operand(self, value):
        if value is None:
            return None
        if isinstance(value, T):
            return value.handle
        if isinstance(value, torch.Tensor):
            t = self.tensor(value)
            self.alive.append(t)
            return t.handle
        for kind, make in ((bool, self.raw.ct_number_bool), (int, self.raw.ct_number_i64), (float, self.raw.ct_number)):
            if isinstance(value, kind):
                return make(value)
        raise Refused(f"{type(value).__name__} where C has a tensor")

    alive = []  # memory that borrowed handles look at; emptied with the scope

    def convert(self, text, value):
        text = re.sub(r"^const ", "", text)
        if text == "ct_tensor *":
            return self.operand(value)
        if text == "ct_shape":
            return self.shape(() if value is None else value)
        if text == "ct_dtype":
            return 0 if value is None else self.dtype(value)
        if text == "ct_reduction":
            return {"mean": 0, "sum": 1, "none": 2}[value] if value in ("mean", "sum", "none") else self.refuse(value)
        if text in ("char *", "char*"):
            return None if value is None else value.encode() if isinstance(value, str) else self.refuse(value)
        if text == "ct_params *":
            array = (C.c_void_p * max(1, len(value)))(*map(self.operand, value))
            params = self.structs["ct_params"](count=len(value), tensor=C.addressof(array))
            self.alive += [array, params]
            return C.addressof(params)
        if text == "double":
            return self.floating(value)
        if text == "bool":
            return bool(value)
        if text in ("int", "int64_t", "size_t"):
            return self.integer(value)
        return value

    @staticmethod
    def refuse(value):
        raise Refused(f"{value!r} where C has an enum, a string or an array")

    # ---- calls
    def call(self, name, args, kwargs):
        result, parameters = self.header.functions[name]
        args, kwargs, values, outs, keep = list(args), dict(kwargs), [], [], []
        listed = None
        i = 0
        while i < len(parameters):
            text, field = parameters[i]
            follower = parameters[i + 1][1] if i + 1 < len(parameters) else ""
            if text == "ct_tensor **":  # results
                many = follower == "capacity" or result == "int"
                array = (C.c_void_p * (CAPACITY if many else 1))()
                keep.append(array)
                values.append(C.addressof(array))
                if follower == "capacity":
                    values.append(CAPACITY)
                    i += 1
                if many:
                    listed = array
                else:
                    outs.append(array)
            elif text in self.structs and text.endswith("_opts"):
                values.append(self.options(text, args, kwargs, outs, keep))
            else:
                if args:
                    value = args.pop(0)
                elif field in kwargs:
                    value = kwargs.pop(field)
                else:
                    raise NotCovered(f"{name} needs {field}")
                if follower.endswith("count") and text.endswith("*"):
                    array = self.array(text, value)
                    keep.append(array)
                    values += [C.addressof(array), len(value)]
                    i += 1
                else:
                    values.append(NO_DIM if value is None and field == "dim" and text == "int" else self.convert(text, value))
            i += 1
        if args or kwargs:
            raise NotCovered(f"{name} has no place for {args or sorted(kwargs)}")
        del self.errors[:]
        value = getattr(self.raw, name)(*values)
        return self.results(name, result, value, outs, listed)

    def array(self, text, value):
        if not isinstance(value, (list, tuple)):
            self.refuse(value)
        if "int64_t" in text or text.startswith("const int"):
            return ((C.c_int64 if "64" in text else C.c_int) * max(1, len(value)))(*map(self.integer, value))
        kind = re.sub(r"^const | \*$", "", text)
        if kind in self.structs:
            return (self.structs[kind] * max(1, len(value)))(*value)
        return (C.c_void_p * max(1, len(value)))(*map(self.operand, value))

    def options(self, name, args, kwargs, outs, keep):
        """Fills an option struct: positional values in the order of its fields, the others by name. None leaves the default."""
        options = self.structs[name]()
        for text, field, size in self.header.structs[name]:
            if field == "ct_end_":
                continue
            if text == "ct_tensor **":
                if kwargs.pop(field, False):
                    keep.append((C.c_void_p * 1)())
                    outs.append(keep[-1])
                    setattr(options, field, C.addressof(keep[-1]))
                continue
            value = args.pop(0) if args else kwargs.pop(field, None)
            if value is None:
                continue
            if size:
                getattr(options, field)[:] = [self.convert(text, v) for v in value]
            elif text == "double" and value == 0:
                setattr(options, field, math.copysign(0.0, -1))  # CT_REALLY_ZERO
            else:
                setattr(options, field, self.convert(text, value))
        return options

    def results(self, name, result, value, outs, listed):
        self.check(not self.errors, name)
        if listed is not None:
            return [T(self, listed[k]) for k in range(value)]
        if result == "ct_tensor *":
            if not value:
                raise AssertionError(f"{name} gave NULL without an error")
            value = T(self, value)
        elif isinstance(value, bytes):
            value = value.decode()
        elif result == "ct_dtype":
            value = self.torch_dtype.get(value)
        return (value, *(T(self, o[0]) for o in outs)) if outs else value

    def check(self, fine, name):
        if not fine:
            text = "; then ".join(self.errors) or f"{name} failed without an error"
            if len(self.errors) != 1:
                raise AssertionError(f"{len(self.errors)} error reports: {text}")
            raise CtError(text)

    def grad(self, outputs, cotangents, inputs, create_graph):
        """One gradient per input; None where nothing flows. Outputs without a history have zero gradients."""
        used = [(o, c) for o, c in zip(outputs, cotangents) if o.requires_grad]
        if not used:
            return [None] * len(inputs)
        outputs, cotangents = zip(*used)
        pointers = lambda ts: (C.c_void_p * max(1, len(ts)))(*(t.handle for t in ts))
        result = (C.c_void_p * max(1, len(inputs)))()
        options = self.structs["ct_grad_opts"](create_graph=create_graph, retain_graph=True, allow_unused=True)
        arrays = pointers(outputs), pointers(cotangents), pointers(inputs)
        del self.errors[:]
        fine = self.raw.ct_grad_many(arrays[0], arrays[1], len(outputs), arrays[2], result, len(inputs), options)
        self.check(fine, "ct_grad_many")
        return [T(self, h) if h else None for h in result[:len(inputs)]]


# ---- the default rule ------------------------------------------------------------------------------------------------
ALIASES = {"self": "input", "x": "input", "A": "input", "dim": "dims", "dimension": "dim", "dims": "shape", "size": "shape", "shape": "size",
           "tensor": "other", "exponent": "other", "min": "other", "max": "other", "B": "other", "value": "other", "source": "src",
           "mat": "mat1", "vec": "mat2", "batch1": "mat1", "batch2": "mat2", "split_sizes": "sizes", "input2": "L"}  # torch's name: ctorch's
SUFFIXES = ("", "_dim", "_dims", "_with", "_dtype")


def fits(value, kind):
    """Whether a value may stand where torch's schema has this type."""
    kind = kind.replace("SymInt", "int")
    if kind.startswith("Optional["):
        return value is None or fits(value, kind[9:-1])
    if kind.startswith("List["):
        several = isinstance(value, (list, tuple)) and all(fits(v, kind[5:-1]) for v in value)
        return several or isinstance(value, int) and kind == "List[int]"
    known = {"Tensor": (torch.Tensor, T), "int": int, "float": (int, float), "number": (int, float, bool), "bool": bool, "str": str}
    if kind == "int" and isinstance(value, torch.dtype):
        return True
    return kind not in known or isinstance(value, known[kind]) and not (kind == "int" and isinstance(value, bool))


class Default:
    """Calls ct_NAME with arguments that were meant for torch.NAME: names them by torch's schema and picks the variant of the C function
    (NAME, NAME_dim, NAME_dims, NAME_with, NAME_dtype) that has a place for each."""

    def __init__(self, lib, name, functional=False):
        self.lib, self.name = lib, name
        self.python = getattr(F, name, None) if functional and inspect.isfunction(getattr(F, name, None)) else None
        self.schemas = [s for s in torch._C._jit_get_schemas_for_operator("aten::" + self.name) if "Tensor" in str(s)]

    def __call__(self, *args, **kwargs):
        names = [self.name + s for s in SUFFIXES if self.lib.has(self.name + s)]
        if not names:
            raise NotCovered(f"no ct_{self.name}")
        given = self.bind_python(args, kwargs) if self.python else \
            next(filter(None, (self.bind(s, args, kwargs) for s in self.schemas)), None)
        if given is None and self.schemas:
            raise Refused("PyTorch's schema does not admit these arguments")
        reason = None
        for name in names:
            try:
                if given is None:
                    return getattr(self.lib, name)(*args, **kwargs)
                return self.variant(name, given)
            except (NotCovered, Refused) as e:
                reason = reason or e
        raise reason

    def bind_python(self, args, kwargs):
        bound = inspect.signature(self.python).bind(*args, **kwargs)
        given = dict(bound.arguments)
        bound.apply_defaults()
        return {n: (v, n not in given or v is None or v is self.python_default(n)) for n, v in bound.arguments.items()}

    def python_default(self, name):
        return inspect.signature(self.python).parameters[name].default

    @staticmethod
    def bind(schema, args, kwargs):
        """{name: (value, whether it is the default)}, or None if the schema does not fit."""
        positional = [a for a in schema.arguments if not a.kwarg_only]
        if len(args) > len(positional) or not set(kwargs) <= {a.name for a in schema.arguments}:
            return None
        values = dict(zip((a.name for a in positional), args))
        if set(values) & set(kwargs):
            return None
        values.update(kwargs)
        bound = {}
        for a in schema.arguments:
            if a.name not in values and not a.has_default_value():
                return None
            value = values.get(a.name, a.default_value)
            if a.name in values and not fits(value, str(a.type)):
                return None
            bound[a.name] = value, a.has_default_value() and not isinstance(value, (T, torch.Tensor)) and value == a.default_value
        return bound

    def variant(self, name, bound):
        result, parameters = self.lib.header.functions["ct_" + name]
        fields = {f for t, f in parameters}
        for t, _ in parameters:
            fields |= {f for _, f, _ in self.lib.header.structs.get(t, ())}
        kwargs = {}
        for argument, (value, is_default) in bound.items():
            field = argument if argument in fields else ALIASES.get(argument)
            if field not in fields and argument == next(iter(bound)):
                field = parameters[0][1]  # the first is the first, whatever its name
            if field in fields and field not in kwargs:
                kwargs[field] = value
            elif argument == "dtype" and value is not None and "input" in kwargs:
                kwargs["input"] = self.lib.to(kwargs["input"], value)
            elif not is_default:
                raise NotCovered(f"ct_{name} has no {argument}")
        out = getattr(self.lib, name)(**kwargs)
        cast, is_default = bound.get("dtype", (None, True))
        return out if is_default or "dtype" in kwargs or not isinstance(out, T) else self.lib.to(out, cast)
