#!/usr/bin/env python3
"""make parity: ctorch against PyTorch itself, operator by operator.

    python3 tests/parity.py [-v] [--all] [--lib FILE] [--header FILE] [operator ...]

Runs PyTorch's own OpInfo samples (float32, float64, int64; contiguous and not; and the inputs that must give an error) through both
libraries and compares values, first gradients and, in float64, second gradients at torch.testing's default tolerances. Operators without
an OpInfo have hand-written samples in parity_hand.py. -v tells each operator's first failures, --all runs all samples instead of 100 per
dtype. Needs Debian's python3-torch and python3-numpy, and build/libctorch.so; installs nothing.

Rules beyond that, counted in the report: (1) Where the two float32 answers differ by more than the tolerances, PyTorch's float64 answer to
the same arguments decides, with the tolerances or FLOAT32_SLACK times PyTorch's own error (Sample.better_than_narrow): sums that cancel
differ by more than that in any order of addition. Float64 results of partly float32 arguments have float32's tolerances. (2) Left out are error
inputs that C's types or the lack of out= forms keep from being written, that are TypeErrors of Python's argument parser, or that say 0 for an
option whose 0 means the default in ctorch (which then accepts them); in-place variants that ctorch has not; samples that PyTorch itself
fails; and what parity_ops.ARTEFACTS lists, where PyTorch contradicts its documentation or leaves the answer open.
In-place forms are run where ctorch has them, views must be views with PyTorch's strides, and random operators start from the same seed.

A sample passes when all its comparisons do; an operator when at least 99 % of its samples do. Not covered counts as not passed.
"""
import argparse
import functools
import os
import pickle
import re
import select
import signal
import struct
import sys
import time
import types
import unittest
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
SAMPLES_PER_DTYPE = 100
WORKERS = 2
PATIENCE = 60  # seconds without a finished sample, then the operator is given up
MAX_CRASHES = 5


def need(module, package):
    try:
        return __import__(module)
    except ImportError:
        system = "/usr/bin/python3"  # Debian's packages are for Debian's python3, which need not be the first on the path
        if os.path.exists(system) and os.path.realpath(sys.executable) != os.path.realpath(system):
            os.execv(system, [system, *sys.argv])
        sys.exit(f"parity: {module} is missing; install it with: apt-get install {package}")


need("numpy", "python3-numpy")
torch = need("torch", "python3-torch")
stub = types.ModuleType("expecttest")  # PyTorch's test helpers want it; nothing here uses it
stub.TestCase, stub.ACCEPT = unittest.TestCase, False
sys.modules.setdefault("expecttest", stub)
argv, sys.argv = sys.argv, sys.argv[:1]  # PyTorch's test helpers read the command line, too
warnings.filterwarnings("ignore")
from torch.testing._internal.common_methods_invocations import op_db  # noqa: E402
from torch.testing._internal.opinfo.core import OpInfo, SampleInput  # noqa: E402
sys.argv = argv
import parity_hand  # noqa: E402
import parity_ops  # noqa: E402
from parity_bind import CtError, Default, Excluded, Header, Library, NotCovered, Refused, T  # noqa: E402

SEED = 42  # the one that OpInfo's wrapper_set_seed takes
DTYPES = "float32,float64,int64"
NARROW = {torch.float32: 1.3e-6, torch.float16: 1e-3, torch.bfloat16: 1.6e-2}  # the relative tolerances of torch.testing
FLOAT32_SLACK = 3  # how many times PyTorch's own float32 error a result beyond the tolerances may be off: another order of one sum


# ---- trees of arguments and results ----------------------------------------------------------------------------------
def tree_map(f, value):
    if isinstance(value, (torch.Tensor, T)):
        return f(value)
    if isinstance(value, (tuple, list)) and not isinstance(value, torch.Size):
        return tuple(tree_map(f, v) for v in value) if isinstance(value, tuple) else [tree_map(f, v) for v in value]
    if isinstance(value, dict):
        return {k: tree_map(f, v) for k, v in value.items()}
    return value


def leaves(value):
    """The parts of a result, from left to right."""
    if isinstance(value, (tuple, list)):
        return [leaf for v in value for leaf in leaves(v)]
    return [value]


def spread(items, count):
    items = list(items)
    return items if len(items) <= count else [items[i * len(items) // count] for i in range(count)]


# ---- comparisons -----------------------------------------------------------------------------------------------------
def same(actual, expected, what, values=True, **tolerances):
    """Fails unless both are equal within assert_close's default tolerances, with the same dtype and shape."""
    if isinstance(expected, torch.Tensor):
        if not isinstance(actual, T):
            raise AssertionError(f"{what}: {actual!r} instead of a tensor")
        actual, expected = actual.torch(), expected.detach()
        if expected.is_complex():
            expected = torch.view_as_real(expected.resolve_conj())
        if not values:
            actual, expected = actual.new_zeros(actual.shape), expected.new_zeros(expected.shape)
        try:
            torch.testing.assert_close(actual, expected.resolve_neg(), equal_nan=True, **tolerances)
        except AssertionError as e:
            raise AssertionError(f"{what}: {brief(actual, expected, e)}") from None
    elif isinstance(expected, float) and expected != expected:
        if actual == actual:
            raise AssertionError(f"{what}: {actual!r} instead of nan")
    elif actual != expected:
        raise AssertionError(f"{what}: {actual!r} instead of {expected!r}")


def brief(actual, expected, error):
    if actual.shape != expected.shape or actual.dtype != expected.dtype:
        return f"{tuple(actual.shape)} {actual.dtype} instead of {tuple(expected.shape)} {expected.dtype}"
    text = " ".join(str(error).split())
    text = re.sub(r"Tensor-likes are not close! |\(up to [^)]*\)", "", text)
    if actual.numel() <= 6:
        text = f"{actual.tolist()} instead of {expected.tolist()}"
    return text


# ---- one sample ------------------------------------------------------------------------------------------------------
class Sample:
    """A call through torch (function) and through ctorch (counterpart), with the same arguments."""

    def __init__(self, case, args, kwargs, process=None, second=False):
        self.case, self.process, self.second = case, process or (lambda x: x), second
        self.args, self.kwargs = tree_map(lambda t: t.detach().requires_grad_(t.requires_grad), (args, kwargs))

    def run(self, lib):
        case, self.pairs, self.cotangents, self.remark = self.case, [], [], ""
        torch.manual_seed(SEED)
        try:
            expected = case.function(*self.args, **self.kwargs)
        except Exception as e:  # noqa: BLE001 whatever PyTorch raises
            raise Excluded(f"PyTorch fails its own sample: {e}") from None
        arguments = tree_map(self.borrow(lib), (self.args, self.kwargs))
        lib.raw.ct_manual_seed(SEED)
        actual = case.counterpart(*arguments[0], **arguments[1])
        processed = self.process(actual), self.process(expected)
        if case.positions and isinstance(expected, tuple) and len(expected) == 2:
            self.check_positions(actual)
            processed = tuple(p[0] for p in processed)
        self.compare("value", *map(leaves, processed))
        if case.rebuilt:
            self.check_rebuilt(actual, *case.rebuilt)
        self.check_views(lib, actual, expected)
        differentiable = [(t, c) for t, c in self.pairs if t.requires_grad]
        if differentiable:
            if case.wrapper:
                processed = (self.process(case.wrapper(case.counterpart, *arguments[0], **arguments[1])),
                             self.process(case.wrapper(case.function, *self.args, **self.kwargs)))
            self.check_gradients(lib, *map(leaves, processed), differentiable)
        return self.remark

    def borrow(self, lib):
        def convert(t):
            c = lib.tensor(t, t.requires_grad)
            self.pairs.append((t, c))
            return c
        return convert

    def check_positions(self, actual):
        """(values, indices) where equal elements may be told apart in any order: each value stands at its index."""
        x, k = self.args[0].detach(), self.case.positions
        dim = self.args[k] if len(self.args) > k else self.kwargs.get("dim", -1)
        found, indices = (t.torch() for t in actual)
        if found.ndim < x.ndim:
            found, indices = found.unsqueeze(dim), indices.unsqueeze(dim)
        there = torch.take_along_dim(x, indices, dim) if x.ndim else x
        if not torch.equal(there.nan_to_num(77), found.nan_to_num(77)):
            raise AssertionError("value: the values do not stand at the indices")

    def check_rebuilt(self, actual, rebuild, original):
        """Factors are unique up to signs or less: their product says that they are right."""
        product = rebuild(*(t.torch() for t in leaves(actual)))
        if product is not None:
            expected = original(*self.args, **self.kwargs).detach()
            scale = 1 + float(expected.abs().sum(-1).max() if expected.numel() else 0)
            torch.testing.assert_close(product, expected, rtol=0, atol=scale * (1e-4 if expected.dtype == torch.float32 else 1e-10))

    def check_views(self, lib, actual, expected):
        """A view where PyTorch gives a view, a copy where it gives a copy."""
        if not self.case.views or not isinstance(expected, torch.Tensor) or not isinstance(actual, T) or not expected.numel():
            return
        for t, c in self.pairs:
            shared = expected.storage().data_ptr() == t.storage().data_ptr()
            if shared != bool(lib.raw.ct_is_same_storage(actual.handle, c.handle)):
                raise AssertionError("value: a copy instead of a view" if shared else "value: a view instead of a copy")
            if shared and expected.stride() != actual.stride:
                raise AssertionError(f"value: strides {actual.stride} instead of {expected.stride()}")

    def check_gradients(self, lib, actual, expected, inputs):
        outputs = [(real(e), a) for a, e in zip(actual, expected) if isinstance(e, torch.Tensor) and e.requires_grad]
        if not outputs:
            return
        torch.manual_seed(SEED + 1)
        self.cotangents = [torch.randn_like(e).requires_grad_(self.second) for e, _ in outputs]
        borrowed = [lib.tensor(t, t.requires_grad) for t in self.cotangents]
        try:
            first = torch.autograd.grad([e for e, _ in outputs], [t for t, _ in inputs], self.cotangents, create_graph=True, allow_unused=True)
        except RuntimeError as e:
            if isinstance(e, NotImplementedError) or "not implemented" in str(e):
                return  # PyTorch has none
            raise
        mine = lib.grad([a for _, a in outputs], borrowed, [c for _, c in inputs], True)
        self.compare("gradient", *no_gradient_is_zeros(mine, first))
        again = [(g, m) for g, m in zip(first, mine) if g is not None and g.requires_grad]
        if self.second and again:
            weights = [torch.randn_like(g) for g, _ in again]
            variables = [t for t, _ in inputs] + self.cotangents
            try:
                second = torch.autograd.grad([g for g, _ in again], variables, weights, allow_unused=True)
            except (RuntimeError, NotImplementedError):
                return  # PyTorch has none
            used = [(lib.tensor(w), m) for w, (_, m) in zip(weights, again) if m is not None]
            mine = lib.grad([m for _, m in used], [w for w, _ in used], [c for _, c in inputs] + borrowed, False)
            self.compare("second gradient", *no_gradient_is_zeros(mine, second))

    def compare(self, what, actual, expected):
        if len(actual) != len(expected):
            raise AssertionError(f"{what}: {len(actual)} results instead of {len(expected)}")
        for k, (a, e) in enumerate(zip(actual, expected)):
            name = what if len(expected) == 1 else f"{what} {k}"
            try:
                same(a, e, name, self.case.values)
            except AssertionError:
                if what == "value" and self.case.artefact and self.case.artefact[0](a.torch(), e, *self.args, **self.kwargs):
                    raise Excluded(self.case.artefact[1]) from None
                if not (self.mixed(a, e, name) or self.better_than_narrow(what, k, a, e)):
                    raise
                self.remark = "float64"

    def mixed(self, a, e, name):
        """A float64 result of some narrower arguments, equal within their tolerances."""
        narrow = [NARROW[t.dtype] for t, _ in self.pairs if t.dtype in NARROW]
        if not isinstance(e, torch.Tensor) or e.dtype != torch.float64 or not narrow:
            return False
        same(a, e, name, rtol=max(narrow), atol=1e-5)
        return True

    def better_than_narrow(self, what, k, a, e):
        """Two float32 (or 16-bit) answers that differ: PyTorch's float64 answer to the same arguments decides. True if ctorch's is as close
        to it as the tolerances say, or off by at most FLOAT32_SLACK times PyTorch's own error."""
        if not isinstance(e, torch.Tensor) or e.dtype not in NARROW or e.shape != a.shape or e.dtype != a.dtype:
            return False
        tolerance = NARROW[e.dtype]
        exact = self.in_float64(what)[k].detach()
        if exact.dtype != torch.float64:
            return False
        a, e = a.torch().double(), e.detach().double()
        close = torch.isclose(a, exact, rtol=tolerance, atol=1e-5, equal_nan=True)
        return bool(close.all()) or bool((a - exact).abs().max() <= FLOAT32_SLACK * (e - exact).abs().max())

    def in_float64(self, what):
        function, wide = self.case.function, lambda t: t.detach().double().requires_grad_(t.requires_grad) if t.dtype in NARROW else t
        if self.case.wrapper and what != "value":
            function = functools.partial(self.case.wrapper, function)
        inputs = []
        args, kwargs = tree_map(lambda t: inputs.append(wide(t)) or inputs[-1], (self.args, self.kwargs))
        torch.manual_seed(SEED)
        results = leaves(self.process(function(*args, **kwargs)))
        if what == "value":
            return results
        outputs, inputs = ([t for t in ts if isinstance(t, torch.Tensor) and t.requires_grad] for ts in (results, inputs))
        first = torch.autograd.grad(outputs, inputs, [c.detach().double() for c in self.cotangents], allow_unused=True)
        return [torch.zeros_like(t) if g is None else g for g, t in zip(first, inputs)]


def real(t):
    return torch.view_as_real(t) if t.is_complex() else t


def no_gradient_is_zeros(mine, theirs):
    """No gradient and a gradient of zeros are the same: drops the pairs without any, fills in the others."""
    pairs = [(m, t) for m, t in zip(mine, theirs)]
    kept = []
    for m, t in pairs:
        if t is None and m is not None:
            t = torch.zeros(m.shape, dtype=m.dtype)
        if m is None and t is not None and bool((t != 0).any()):
            raise AssertionError("gradient: none")
        kept.append((0, 0) if m is None else (m, t))
    return [m for m, _ in kept], [t for _, t in kept]


class InPlaceSample(Sample):
    """NAME_ on a copy of the first argument. Where PyTorch refuses (the result does not fit), ctorch must, too."""

    def run(self, lib):
        try:
            self.case.function(*tree_map(torch.Tensor.detach, self.args), **tree_map(torch.Tensor.detach, self.kwargs))
        except TypeError:
            raise Refused("an error of Python's argument parser") from None
        except Exception:  # noqa: BLE001 whatever PyTorch raises
            return ErrorSample.run(self, lib)
        try:
            return super().run(lib)
        except NotCovered as e:
            raise Refused(f"in place: {e}") from None


class ErrorSample:
    """A call that PyTorch refuses: ctorch must refuse it with one report."""

    def __init__(self, case, args, kwargs):
        self.case, self.args, self.kwargs = case, args, kwargs

    def run(self, lib):
        try:
            self.case.function(*self.args, **self.kwargs)
        except TypeError:
            raise Refused("an error of Python's argument parser; in C the compiler's part") from None
        except Exception:  # noqa: BLE001 whatever else PyTorch raises
            pass
        else:
            raise Refused("PyTorch accepts it, too")
        try:
            arguments = tree_map(lambda t: lib.tensor(t, t.requires_grad), (self.args, self.kwargs))
            self.case.counterpart(*arguments[0], **arguments[1])
        except CtError:
            return ""
        except TypeError as e:
            raise Refused(str(e)) from None
        raise AssertionError("error input: accepted")


# ---- the cases of an operator ----------------------------------------------------------------------------------------
class Case:
    """What is the same for all samples of one OpInfo or one hand-written table."""

    def __init__(self, lib, name, function, wrapper=None, variant=""):
        key = name.replace("nn.functional.", "").replace("F.", "")
        self.function, self.wrapper = parity_ops.FUNCTIONS.get(name, function), wrapper
        known = (parity_ops.ADAPTERS.get(k) for k in (f"{name}.{variant}", name, key))
        self.adapter = next(filter(None, known), None) or Default(lib, parity_ops.c_name(key), key != name)
        self.values = key not in parity_ops.UNDEFINED_VALUES
        self.positions = parity_ops.POSITIONS.get(key)
        self.rebuilt = parity_ops.REBUILT.get(name)
        self.views = key not in parity_ops.NO_VIEW_CHECK
        self.artefact = parity_ops.ARTEFACTS.get(name)

    def counterpart(self, *args, **kwargs):
        if "out" in kwargs:
            raise Refused("there are no out= forms")
        return self.adapter(*args, **{k: v for k, v in kwargs.items() if k not in parity_ops.IGNORED})


def in_place_case(lib, info):
    """The in-place form, where both libraries have one."""
    name = parity_ops.c_name(info.name.replace("nn.functional.", "")) + "_"
    if not info.inplace_variant or not (lib.has(name) or lib.has(name + "with")) or name in parity_ops.ADAPTERS:
        return None
    case = Case(lib, info.name, lambda x, *args, **kwargs: info.inplace_variant(x.clone(), *args, **kwargs))
    call = parity_ops.IN_PLACE.get(name) or Default(lib, name)
    case.adapter, case.views = lambda x, *args, **kwargs: call(lib.clone(x), *args, **kwargs), False
    return case


def summary(sample):
    return sample.summary()[11:].split(", output_process")[0]


def opinfo_samples(lib, info, limit, dtypes, reference=False):
    plain = info.gradcheck_wrapper is OpInfo.__dataclass_fields__["gradcheck_wrapper"].default
    case = Case(lib, info.name, info, None if plain else info.gradcheck_wrapper, info.variant_test_name)
    in_place = in_place_case(lib, info)
    for dtype in (d for d in dtypes if d in info.supported_dtypes("cpu")):
        gradients = dtype.is_floating_point and info.supports_autograd
        torch.manual_seed(0)
        try:
            generate = info.reference_inputs if reference else info.sample_inputs
            samples = spread(generate("cpu", dtype, requires_grad=gradients), limit)
        except Exception as e:  # noqa: BLE001 a generator of this torch fails: nothing to compare with
            print(f"{info.name}: PyTorch's sample_inputs fail in {dtype}: {e}", file=sys.stderr)
            continue
        for k, s in enumerate(samples):
            second = gradients and dtype == torch.float64 and info.supports_gradgrad
            label = f"{info.variant_test_name or ''} {str(dtype)[6:]} #{k} {summary(s)}"
            yield label, Sample(case, (s.input, *s.args), s.kwargs, s.output_process_fn_grad, second)
            if in_place and k < 10 and isinstance(s.input, torch.Tensor) and not s.broadcasts_input:
                yield "in place " + label, InPlaceSample(in_place, (s.input, *s.args), s.kwargs, None, second)
            n = s.noncontiguous()
            yield "strided " + label, Sample(case, (n.input, *n.args), n.kwargs, s.output_process_fn_grad)
    for k, e in enumerate(info.error_inputs("cpu") if info.error_inputs_func else ()):
        s = e.sample_input
        yield f"{info.variant_test_name or ''} error #{k} {summary(s)}", ErrorSample(case, (s.input, *s.args), s.kwargs)


def hand_samples(lib, name):
    function, samples = parity_hand.HAND[name]
    case = Case(lib, name, function)
    for k, arguments in enumerate(samples()):
        args, kwargs = arguments if len(arguments) == 2 and isinstance(arguments[1], dict) else (arguments, {})
        second = any(isinstance(a, torch.Tensor) and a.requires_grad and a.dtype == torch.float64 for a in leaves(args))
        label = summary(SampleInput(args[0] if args else None, args=args[1:], kwargs=kwargs))
        yield f"by hand #{k} {label}", Sample(case, args, kwargs, second=second)


def samples_of(lib, name, *selection):
    infos = parity_ops.opinfo_names(name)
    for info in op_db:
        if info.name in infos or f"{info.name}.{info.variant_test_name}" in infos:
            yield from opinfo_samples(lib, info, *selection)
    if name in parity_hand.HAND:
        yield from hand_samples(lib, name)


# ---- running: each operator in a child process, which may crash -------------------------------------------------------
OUTCOMES = ("passed", "failed", "not covered", "excluded")
REFUSED = "C's types refuse: "


def outcome(lib, sample):
    lib.raw.ct_scope_begin()
    try:
        return "passed", sample.run(lib)
    except Excluded as e:
        return "excluded", str(e)
    except Refused as e:
        return ("excluded" if isinstance(sample, (ErrorSample, InPlaceSample)) else "not covered"), f"{REFUSED}{e}"
    except NotCovered as e:
        return "not covered", str(e)
    except CtError as e:
        return "failed", f"error: {e}"
    except Exception as e:  # noqa: BLE001 torch's own or this script's: told as a failure
        return "failed", f"{type(e).__name__}: {e}" if not isinstance(e, AssertionError) else str(e)
    finally:
        lib.raw.ct_scope_unwind(0)
        del lib.alive[:]


def child(lib, name, selection, skip, pipe):
    """Sends (label, outcome, reason) per sample; a label first, so that a crash has a name."""
    def send(record):
        data = pickle.dumps(record)
        os.write(pipe, struct.pack("I", len(data)) + data)
    try:
        for k, (label, sample) in enumerate(samples_of(lib, name, *selection)):
            if k >= skip:
                send((label,))
                send((label, *outcome(lib, sample)))
    except BaseException as e:  # noqa: BLE001
        send(("samples",))
        send(("samples", "failed", f"generator: {type(e).__name__}: {e}"))
    os._exit(0)


class Job:
    """One operator: its child process and what it has sent."""

    def __init__(self, lib, name, selection):
        self.lib, self.name, self.selection = lib, name, selection
        self.records, self.label, self.crashes, self.buffer = [], None, 0, b""
        self.start()

    def start(self):
        self.fd, write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.fd)
            child(self.lib, self.name, self.selection, len(self.records), write)
        os.close(write)
        self.deadline = time.time() + PATIENCE

    def read(self):
        """Takes what has come; False when the operator is done."""
        data = os.read(self.fd, 1 << 20)
        self.buffer, self.deadline = self.buffer + data, time.time() + PATIENCE
        while len(self.buffer) >= 4 and len(self.buffer) >= 4 + struct.unpack("I", self.buffer[:4])[0]:
            n = 4 + struct.unpack("I", self.buffer[:4])[0]
            record, self.buffer = pickle.loads(self.buffer[4:n]), self.buffer[n:]
            self.label = record[0] if len(record) == 1 else None
            if len(record) > 1:
                self.records.append(record)
        return True if data else self.ended()

    def ended(self):
        os.close(self.fd)
        status = os.waitpid(self.pid, 0)[1]
        if status == 0:
            return False
        how = signal.Signals(status & 127).name if status & 127 else f"exit {status >> 8}"
        self.records.append((self.label or "samples", "failed", f"crash: {how}"))
        self.crashes += 1
        if self.crashes >= MAX_CRASHES or self.label is None:
            return False
        self.label, self.buffer = None, b""
        self.start()
        return True

    def late(self):
        if time.time() > self.deadline:
            os.kill(self.pid, signal.SIGKILL)
            self.crashes = MAX_CRASHES


def run_all(lib, names, selection, report):
    waiting, running, done, told = list(names), [], {}, 0
    while waiting or running:
        while waiting and len(running) < WORKERS:
            running.append(Job(lib, waiting.pop(0), selection))
        ready = select.select([j.fd for j in running], [], [], 1)[0]
        for job in list(running):
            if job.fd in ready and not job.read():
                running.remove(job)
                done[job.name] = job.records
            elif job in running:
                job.late()
        while told < len(names) and names[told] in done:
            report(names[told], done[names[told]])
            told += 1
    return done


# ---- the report ------------------------------------------------------------------------------------------------------
def read_tiers():
    tiers, tier = {}, 0
    for word in open(os.path.join(HERE, "parity_ops.txt"), encoding="utf-8").read().split():
        if word in ("1:", "2:"):
            tier = int(word[0])
        else:
            tiers[word] = tier
    return tiers


def count(records, outcomes=OUTCOMES[:3]):
    return [sum(r[1] == o for r in records) for o in outcomes]


def operator_passes(records):
    passed, failed, missing = count(records)
    return passed > 0 and passed >= 0.99 * (passed + failed + missing)


def report(verbose):
    def line(name, records):
        passed, failed, missing = count(records)
        print(f"{name:36} {passed:5} passed {failed:5} failed {missing:5} not covered" + ("" if operator_passes(records) else "  <--"), flush=True)
        if verbose:
            for label, result, reason in [r for r in records if r[1] in OUTCOMES[1:3]][:verbose * 3]:
                print(f"      {result}: {label[:200]}\n          {reason[:300]}")
    return line


def totals(tiers, done, tier):
    records = [done[n] for n in done if tiers[n] == tier]
    counts = [sum(c) for c in zip(*map(count, records))] or [0, 0, 0]
    return sum(map(operator_passes, records)), len(records), counts


def explain(done):
    excluded = [r[2].replace(REFUSED, "") for records in done.values() for r in records if r[1] == "excluded"]
    print(f"\n{len(excluded)} samples are excluded from all counts:")
    for reason in sorted(set(excluded), key=lambda r: (-excluded.count(r), r)):
        print(f"  {excluded.count(reason):5}  {reason[:140]}")
    opinions = sum(r[1:] == ("passed", "float64") for records in done.values() for r in records)
    print(f"{opinions} samples passed by PyTorch's float64 answer (ctorch's is within the tolerances of it, or at most {FLOAT32_SLACK} times as far "
          "off as PyTorch's float32), or with float32's tolerances because some arguments are.")
    for result, title in (("failed", "Failed:"), ("not covered", "Not covered, and counted as not passed:")):
        print(title)
        for name, records in done.items():
            reasons = [r[2] for r in records if r[1] == result]
            often = sorted(set(reasons), key=lambda r: -reasons.count(r))[:3]
            if reasons:
                why = parity_ops.EXPLAINED.get(name) or "; ".join(f"{r} ({reasons.count(r)})" for r in often)
                print(f"  {name:34} {len(reasons):5}  {why[:160]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-v", "--verbose", action="count", default=0)
    parser.add_argument("--all", action="store_true", help="all samples, not 100 per dtype")
    parser.add_argument("--dtypes", default=DTYPES, help=f"of the OpInfo samples: {DTYPES}; also int32, uint8, bool, float16, bfloat16")
    parser.add_argument("--reference", action="store_true", help="PyTorch's reference_inputs, which are more, in place of sample_inputs")
    parser.add_argument("--lib", default="build/libctorch.so")
    parser.add_argument("--header", default="ctorch.h")
    parser.add_argument("--save", help="write all records to this file (pickle)")
    parser.add_argument("operators", nargs="*")
    options = parser.parse_args()
    if not os.path.exists(options.lib):
        sys.exit(f"parity: {options.lib} is missing; make parity builds it")
    torch.set_num_threads(1)
    lib = Library(Header(options.header), os.path.abspath(options.lib))
    lib.raw.ct_set_num_threads(1)
    parity_ops.use(lib)
    tiers = read_tiers()
    names = [n for n in tiers if not options.operators or n in options.operators]
    dtypes = [getattr(torch, d) for d in options.dtypes.split(",")]
    done = run_all(lib, names, (10 ** 9 if options.all else SAMPLES_PER_DTYPE, dtypes, options.reference), report(options.verbose))
    for name in names:
        done[name] = done[name] or [("none", "not covered", "no samples")]
    done = {n: done[n] for n in names}
    if options.save:
        pickle.dump(done, open(options.save, "wb"))
    explain(done)
    results = [totals(tiers, done, tier) for tier in (1, 2)]
    for tier, (ops, of, (passed, failed, missing)) in enumerate(results, 1):
        print(f"\ntier {tier}: samples: {passed} passed, {failed} failed, {missing} not covered; operators: {ops} of {of} pass")
    print()
    print("; ".join(f"tier {k}: {ops}/{of} operators, {c[0]}/{sum(c)} samples" for k, (ops, of, c) in enumerate(results, 1)))


if __name__ == "__main__":
    main()
