/* test_cuda.cpp - ctorch_cuda.cu against the CPU: every kernel on the shapes and types it meets, then ops, graphs and training.
   In the emulator (any machine, also under the address sanitizer: add -fsanitize=address to both lines):
       g++ -std=c++17 -O1 -g -I. -x c++ -DCT_CUDA_ON_CPU -include tests/cuda_on_cpu.h -c ctorch_cuda.cu -o cuda_emu.o
       g++ -std=c++17 -O1 -g -I. -DCT_CUDA_ON_CPU tests/test_cuda.cpp cuda_emu.o -o test_cuda -lpthread
   On a GPU:
       nvcc -O3 -std=c++17 -arch=native -I. -c ctorch_cuda.cu
       g++ -std=c++17 -O1 -g -I. tests/test_cuda.cpp ctorch_cuda.o -o test_cuda -L/usr/local/cuda/lib64 -lcublas -lcudart -lpthread */
#define CTORCH_IMPLEMENTATION
#include "ctorch.h"
#include <vector>

#ifdef CT_CUDA_ON_CPU
extern "C" void ct_emulator_fail_after(int64_t n);
#endif

static int passed, failed;
static bool report(bool ok, const char *file, int line, const char *format, ...)
{
    if (ok) return ++passed, true;
    va_list args;
    va_start(args, format);
    printf("%s:%d: ", file, line), vprintf(format, args), printf("\n");
    va_end(args);
    return ++failed, false;
}
#define CHECK(ok, ...) report(ok, __FILE__, __LINE__, __VA_ARGS__)

static uint32_t seed = 1;
static double uniform(double low, double high)
{
    seed = seed * 1664525u + 1013904223u;
    return low + (high - low) * (seed >> 8) / 16777216.0;
}
static ct_shape shape_of(std::vector<int64_t> sizes)
{
    ct_shape s;
    memset(&s, 0, sizeof s);
    for (int64_t size : sizes) s.size[s.ndim++] = size;
    return s;
}
/* Random numbers of a type on the CPU; whole ones for integers. */
static ct_tensor *sample(ct_dtype dtype, std::vector<int64_t> sizes, double low = -2, double high = 2)
{
    ct_shape s = shape_of(sizes);
    int64_t n = 1;
    for (int64_t size : sizes) n *= size;
    std::vector<double> v((size_t)n + 1);
    for (double &x : v) x = dtype == CT_BOOL ? uniform(0, 1) > 0.5 : ct__is_float(dtype) ? uniform(low, high) : floor(uniform(2 * low - 1, 2 * high + 1));
    ct_tensor *t = ct__new_on(CT_CPU, CT_F64, s.size, s.ndim); /* whatever the default device is */
    if (t) memcpy(ct__ptr(t), v.data(), (size_t)n * sizeof v[0]);
    return ct_to(t, dtype);
}
static ct_tensor *cuda(ct_tensor *t) { return t ? (ct_to_device)(t, CT_CUDA) : NULL; }
/* The same view on the device: the whole storage is moved, strides and offset kept. */
static ct_tensor *cuda_view(ct_tensor *t)
{
    int64_t n = (int64_t)(t->storage->bytes / ct__itemsize(t->dtype)), one = 1;
    ct_tensor *all = cuda(ct__alias(t, 1, &n, &one, 0));
    return all ? ct__alias(all, t->ndim, t->shape, t->stride, t->offset) : NULL;
}
static std::vector<double> values(ct_tensor *t)
{
    std::vector<double> v(t ? (size_t)t->numel : 0);
    if (t) ct_copy_out(t, v.data(), CT_F64, t->numel);
    return v;
}
/* Worst |a - b| / (atol + rtol |a|); 0 where equal, both NaN included. */
static double distance(ct_tensor *a, ct_tensor *b, double rtol, double atol, size_t *where)
{
    if (!a || !b || a->dtype != b->dtype || !ct__same_shape(a, b)) return INFINITY;
    std::vector<double> x = values(a), y = values(b);
    double worst = 0;
    for (size_t i = 0; i < x.size(); i++) {
        double d = x[i] == y[i] || (x[i] != x[i] && y[i] != y[i]) ? 0 : fabs(x[i] - y[i]) / (atol + rtol * fabs(x[i]));
        if (!(d <= worst)) worst = d != d ? INFINITY : d, *where = i;
    }
    return worst;
}
static double tolerance(int dtype) { return dtype == CT_F64 ? 1e-11 : dtype == CT_F32 ? 2e-5 : dtype == CT_BF16 ? 1.0 / 64 : dtype == CT_F16 ? 1.0 / 512 : 0; }
static bool same(ct_tensor *cpu, ct_tensor *device, const char *what, double rtol = -1, double atol = -1)
{
    size_t at = 0;
    if (rtol < 0) rtol = cpu ? tolerance(cpu->dtype) : 0;
    if (atol < 0) atol = rtol;
    double d = distance(cpu, device, rtol, atol ? atol : 1e-300, &at);
    if (d <= 1) return CHECK(device->storage->device == CT_CUDA, "%s: the result is on the CPU", what);
    std::vector<double> x = values(cpu), y = values(device);
    return CHECK(false, "%s: %s %s: element %zu: %.9g on the CPU, %.9g on the device (shapes %s)", what, cpu ? ct_dtype_name((ct_dtype)cpu->dtype) : "NULL", device ? "" : "NULL",
                 at, at < x.size() ? x[at] : NAN, at < y.size() ? y[at] : NAN, cpu && device ? ct_shape_text(device) : "?");
}

/* ---- every row of the table, value and derivatives ---- */
struct pattern { const char *name; int kind; };
static const pattern patterns[] = {{"flat", 0}, {"misaligned", 1}, {"broadcast", 2}, {"transposed", 3}, {"0-d", 4}, {"empty", 5}, {"strided", 6}};
static ct_tensor *operand(const pattern *p, ct_dtype dtype, int which)
{
    switch (p->kind) {
    case 0: return sample(dtype, {1003});
    case 1: return ct_narrow(sample(dtype, {1004}), 0, 1, 1003);
    case 2: return which % 3 == 0 ? sample(dtype, {3, 1, 5}) : which % 3 == 1 ? sample(dtype, {4, 1}) : sample(dtype, {3, 4, 5});
    case 3: return ct_transpose(sample(dtype, {7, 2, 9}), 0, which == 1 ? 1 : 2);
    case 4: return sample(dtype, {});
    case 5: return sample(dtype, {3, 0, 2});
    default: return ct_narrow(ct_transpose(sample(dtype, {6, 9, 8}), 0, 1), 2, 3, 4);
    }
}
static ct_tensor *run_text(int row, int k, ct_tensor **in, const ct_tensor *like, int out_dtype, double p, double q, double r)
{
    const double f[3] = {p, q, r};
    ct_tensor *out = ct__new_on(in[0]->storage->device, out_dtype, like->shape, like->ndim), *use[5];
    int compute_dtype = in[row == CT__PW_where && !k ? 1 : 0]->dtype;
    int64_t compute = ct__compute_of(compute_dtype);
    int uses = ct__pw_uses[row][k];
    for (int i = 0; i < 5; i++) use[i] = uses & (1 << i) ? in[i] : NULL;
    return out && (!out->numel || ct__run(CT_PRIM_pointwise, use, 5, &out, 1, 4 * row + k, f, &compute)) ? out : NULL;
}
static void test_row(int row, ct_dtype dtype, const pattern *p)
{
    ct_scope_begin();
    ct_tensor *in[5], *out[5], *shaped;
    int arity = ct__pw_rows[row].arity, ndim = 0;
    char kind = ct__pw_rows[row].kind[0];
    int64_t shape[CT_MAX_DIMS];
    double f[3] = {0.5, 1.5, -0.5};
    if (!ct__is_float(dtype)) f[0] = 1, f[1] = 2, f[2] = -1;
    for (int k = 0; k < 3; k++) {
        in[k] = operand(p, dtype, k);
        if (k < arity && p->kind != 3) ct__broadcast(shape, ndim, in[k]->shape, in[k]->ndim, shape, &ndim, "test");
    }
    if (p->kind == 3) ndim = in[0]->ndim, memcpy(shape, in[0]->shape, sizeof shape), in[1] = ct_transpose(ct_contiguous(ct_transpose(in[0], 0, 1)), 0, 1), in[2] = in[0];
    shaped = ct__new_on(CT_CPU, dtype, shape, ndim);
    in[3] = run_text(row, 0, in, shaped, dtype, f[0], f[1], f[2]);
    in[4] = sample(dtype, std::vector<int64_t>(shape, shape + ndim));
    for (int k = 0; k < 5; k++) out[k] = cuda_view(in[k]);
    for (int k = 0; k < 4; k++) {
        if (!strcmp(ct__pw_rows[row].text[k], "CT_NONE") || (k && !ct__is_float(dtype))) continue;
        int type = k == 0 && kind == 'C' ? (int)CT_BOOL : dtype;
        char what[128];
        snprintf(what, sizeof what, "%s, text %d (%.40s), %s", ct__pw_ops[row].name, k, ct__pw_rows[row].text[k], p->name);
        same(run_text(row, k, in, shaped, type, f[0], f[1], f[2]), run_text(row, k, out, shaped, type, f[0], f[1], f[2]), what);
    }
    ct_scope_end();
}
static void test_rows(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_BF16, CT_F16, CT_I64, CT_I32, CT_U8, CT_BOOL};
    ct__pw_init();
    for (int row = 0; row < CT__PW_COUNT; row++)
        for (ct_dtype dtype : types) {
            int64_t compute = ct__compute_of(dtype);
            if (!ct__cpu()->kernels->pointwise[compute][row][0]) continue;
            for (const pattern &p : patterns)
                if (dtype == CT_F32 || dtype == CT_F64 || p.kind < 3) test_row(row, dtype, &p);
        }
}
/* zeros, ones, infinities, NaN, tiny and huge in every pair of places */
static void test_special(void)
{
    static const double special[] = {0, -0.0, 1, -1, 0.5, -0.5, 2.5, -2.5, 3, 1e-30, -1e-30, 1e30, -1e30, 88, -88, INFINITY, -INFINITY, NAN};
    int n = (int)(sizeof special / sizeof *special);
    for (ct_dtype dtype : {CT_F32, CT_F64})
        for (int row = 0; row < CT__PW_COUNT; row++) {
            if (!ct__cpu()->kernels->pointwise[ct__compute_of(dtype)][row][0]) continue;
            if (row == CT__PW_lgamma || row == CT__PW_digamma || row == CT__PW_trigamma || row == CT__PW_tan) continue; /* poles: either infinity will do */
            ct_scope_begin();
            ct_tensor *line = ct_to(ct_tensor_of_array(special, n), dtype), *in[5], *out[5];
            in[0] = ct_unsqueeze(line, 1), in[1] = in[2] = in[3] = in[4] = line;
            for (int k = 0; k < 5; k++) out[k] = k ? (k > 1 ? out[1] : cuda(in[k])) : cuda_view(in[k]);
            if (ct__pw_rows[row].arity > 2) in[1] = in[0], out[1] = out[0];
            int64_t shape[2] = {n, n};
            ct_tensor *shaped = ct__new_on(CT_CPU, dtype, shape, 2);
            int type = ct__pw_rows[row].kind[0] == 'C' ? (int)CT_BOOL : (int)dtype;
            char what[64];
            snprintf(what, sizeof what, "%s of special values", ct__pw_ops[row].name);
            same(run_text(row, 0, in, shaped, type, 1, 2, 0), run_text(row, 0, out, shaped, type, 1, 2, 0), what);
            ct_scope_end();
        }
}

/* ---- copies and casts ---- */
static void test_copies(void)
{
    for (int from = CT_F32; from < CT_DTYPE_COUNT; from++)
        for (int to = CT_F32; to < CT_DTYPE_COUNT; to++)
            for (const pattern &p : patterns) {
                ct_scope_begin();
                ct_tensor *x = operand(&p, (ct_dtype)from, 0), *d = cuda_view(x);
                char what[96];
                snprintf(what, sizeof what, "%s to %s, %s", ct_dtype_name((ct_dtype)from), ct_dtype_name((ct_dtype)to), p.name);
                same(ct_clone(ct_to(x, (ct_dtype)to)), ct_clone(ct_to(d, (ct_dtype)to)), what, 0);
                if (p.kind < 5 || p.kind == 6) { /* into a view with gaps, from a broadcast one */
                    ct_tensor *y = ct_transpose(sample((ct_dtype)to, {5, 4, 6}), 0, 2), *e = cuda_view(y), *row = sample((ct_dtype)from, {4, 5});
                    y = ct_narrow(y, 0, 1, 3), e = ct_narrow(e, 0, 1, 3);
                    ct_tensor *moved = cuda(row);
                    same(ct_copy_(y, row), ct_copy_(e, moved), what, 0);
                    same(ct_fill_(y, 3), ct_fill_(e, 3), what, 0);
                }
                ct_scope_end();
            }
    static const double odd[] = {NAN, INFINITY, -INFINITY, 1e20, -1e20, 3e9, -3e9, 300, -1, 255.9, 65504, 65520, 1e-7, 6e-8, 3e-8, 1.0009765625, 0.1};
    ct_scope_begin();
    for (int from : {CT_F32, CT_F64, CT_F16, CT_BF16})
        for (int to = CT_F32; to < CT_DTYPE_COUNT; to++) {
            ct_tensor *x = ct_to(ct_tensor_of_array(odd, sizeof odd / sizeof *odd), (ct_dtype)from);
            same(ct_to(x, (ct_dtype)to), ct_to(cuda(x), (ct_dtype)to), "odd values", 0);
        }
    ct_tensor *x = sample(CT_F32, {6, 7}), *d = cuda(x);
    same(ct_zeros_like(x), ct_zeros_like(d), "zeros_like");
    same(ct_full_like(x, 2.5), ct_full_like(d, 2.5), "full_like");
    CHECK(ct_at(d, 3, -1) == ct_at(x, 3, -1), "ct_at");
    CHECK(ct_item(ct_sum(d)) == ct_item(ct_to_device(ct_sum(d), CT_CPU)), "ct_item");
    same(ct_t(x), cuda(ct_t(x)), "a transposed tensor crosses");
    CHECK(ct_equal(ct_t(x), ct_to_device(ct_t(d), CT_CPU)), "a transposed tensor comes back");
    ct_scope_end();
}

/* ---- reductions ---- */
static void reduce_all(ct_tensor *x, ct_tensor *d, const char *name)
{
    for (int bits = 0; bits < 1 << x->ndim; bits++) {
        ct_scope_begin();
        ct_shape dims = shape_of({});
        for (int k = 0; k < x->ndim; k++) if (bits >> k & 1) dims.size[dims.ndim++] = k;
        char what[96];
        for (int keep = 0; keep < 2; keep++) {
            snprintf(what, sizeof what, "%s, dims %x of %s %s", name, bits, ct_dtype_name((ct_dtype)x->dtype), ct_shape_text(x));
            bool wide = x->dtype == CT_F32; /* the CPU adds short stretches in float */
            same(ct_sum_dims(x, dims, keep), ct_sum_dims(d, dims, keep), what, wide ? 1e-6 : -1, wide ? 1e-5 + 2e-9 * (double)x->numel : -1);
            if (keep && bits % 3) continue;
            if (x->numel) same(ct_amax(x, dims, keep), ct_amax(d, dims, keep), what, 0);
            if (x->numel) same(ct_amin(x, dims, keep), ct_amin(d, dims, keep), what, 0);
            if (dims.ndim == 1) same(ct_prod_dim(x, (int)dims.size[0], keep), ct_prod_dim(d, (int)dims.size[0], keep), what);
        }
        ct_scope_end();
    }
}
static void test_reductions(void)
{
    for (ct_dtype dtype : {CT_F32, CT_F64, CT_BF16, CT_F16, CT_I64, CT_I32, CT_U8, CT_BOOL}) {
        ct_scope_begin();
        ct_tensor *x = sample(dtype, {3, 4, 5, 6}), *d = cuda(x);
        reduce_all(x, d, "contiguous");
        ct_shape order = shape_of({2, 0, 3, 1});
        reduce_all((ct_permute)(x, order), (ct_permute)(d, order), "permuted");
        reduce_all(ct_narrow(x, 3, 1, 4), ct_narrow(d, 3, 1, 4), "narrowed");
        reduce_all((ct_expand)(ct_narrow(x, 1, 0, 1), ct_shape_of(x)), (ct_expand)(ct_narrow(d, 1, 0, 1), ct_shape_of(x)), "expanded");
        ct_scope_end();
    }
    static const int64_t sizes[][2] = {{1, 1}, {1, 20000}, {33, 1025}, {1025, 33}, {9000, 3}, {3, 5000}, {90, 400}, {0, 4}, {4, 0}};
    for (const int64_t *s : sizes) {
        ct_scope_begin();
        ct_tensor *x = sample(CT_F32, {s[0], s[1]}, -1, 1), *d = cuda(x);
        reduce_all(x, d, "matrix");
        CHECK(ct_equal(ct_sum(d), ct_sum(d)), "the same sum twice");
        if (s[0] == 33 || s[1] <= 3) x = sample(CT_I64, {s[0], s[1]}), reduce_all(x, cuda(x), "matrix");
        ct_scope_end();
    }
    ct_scope_begin();
    ct_tensor *x = sample(CT_F32, {40, 50});
    ct_set(x, "7, 9", NAN);
    same(ct_amax(x, shape_of({1}), false), ct_amax(cuda(x), shape_of({1}), false), "NaN wins", 0);
    same(ct_min(x), ct_min(cuda(x)), "NaN wins", 0);
    ct_scope_end();
}

/* ---- matrix products ---- */
static void test_product(ct_dtype dtype, std::vector<int64_t> a, std::vector<int64_t> b)
{
    for (int form = 0; form < 9; form++) { /* plain, transposed, with gaps in rows and columns */
        ct_scope_begin();
        ct_tensor *in[2], *out[2];
        for (int k = 0; k < 2; k++) {
            std::vector<int64_t> s = k ? b : a;
            int how = k ? form / 3 : form % 3;
            size_t n = s.size();
            if (how == 1 && n > 1) std::swap(s[n - 1], s[n - 2]);
            if (how == 2) for (size_t d = n > 2 ? n - 2 : 0; d < n; d++) s[d] = 2 * s[d] + 1;
            in[k] = sample(dtype, s);
            if (how == 1 && n > 1) in[k] = ct_mT(in[k]);
            for (int d = n > 2 ? (int)n - 2 : 0; how == 2 && d < (int)n; d++) in[k] = ct_slice(in[k], d, 1, 2 * (k ? b : a)[(size_t)d] + 1, 2);
            out[k] = cuda_view(in[k]);
        }
        char what[128];
        snprintf(what, sizeof what, "%s @ %s, form %d", ct_shape_text(in[0]), ct_shape_text(in[1]), form);
        double t = dtype == CT_F32 ? 1e-5 : -1;
        same(ct_matmul(in[0], in[1]), ct_matmul(out[0], out[1]), what, t);
        ct_scope_end();
    }
}
static void test_products(void)
{
    for (ct_dtype dtype : {CT_F32, CT_F64, CT_BF16, CT_F16, CT_I64, CT_I32}) {
        test_product(dtype, {5, 7}, {7, 3}), test_product(dtype, {1, 1}, {1, 1}), test_product(dtype, {1, 9}, {9, 1});
        test_product(dtype, {9}, {9}), test_product(dtype, {4, 9}, {9}), test_product(dtype, {9}, {9, 4}), test_product(dtype, {3, 4, 9}, {9});
        test_product(dtype, {3, 4, 5}, {3, 5, 6}), test_product(dtype, {3, 4, 5}, {5, 6}), test_product(dtype, {4, 5}, {3, 5, 6});
        test_product(dtype, {2, 1, 4, 5}, {3, 5, 6}), test_product(dtype, {2, 3, 4, 5}, {2, 3, 5, 1}), test_product(dtype, {2, 3, 4, 5}, {3, 5, 2});
        test_product(dtype, {4, 0}, {0, 3}), test_product(dtype, {0, 4}, {4, 3}), test_product(dtype, {2, 3, 0, 4}, {4, 5});
    }
    test_product(CT_F32, {130, 65}, {65, 70});
    for (ct_dtype dtype : {CT_F32, CT_F64, CT_BF16}) {
        ct_scope_begin();
        ct_tensor *x = sample(dtype, {6, 5}), *w = sample(dtype, {4, 5}), *b = sample(dtype, {4}), *c = sample(dtype, {6, 4});
        double t = dtype == CT_F32 ? 1e-5 : -1;
        same(ct_linear(x, w, b), ct_linear(cuda(x), cuda(w), cuda(b)), "linear", t);
        same((ct_linear)(x, w, NULL), (ct_linear)(cuda(x), cuda(w), NULL), "linear without bias", t);
        ct_addmm_opts o = ct_addmm_opts(), d;
        o.input = c, o.mat1 = x, o.mat2 = ct_t(w), o.beta = 0.5, o.alpha = -2;
        d = o, d.input = cuda(c), d.mat1 = cuda(x), d.mat2 = ct_t(cuda(w));
        same(ct_addmm_with(o), ct_addmm_with(d), "addmm", t);
        o.input = b, d.input = cuda(b);
        same(ct_addmm_with(o), ct_addmm_with(d), "addmm with a row", t);
        ct_scope_end();
    }
    ct_scope_begin(); /* expanded operands: strides of 0 */
    ct_tensor *x = (ct_expand)(sample(CT_F32, {1, 5}), shape_of({4, 5})), *y = (ct_expand)(sample(CT_F32, {5, 1}), shape_of({5, 6}));
    same(ct_matmul(x, y), ct_matmul(cuda_view(x), cuda_view(y)), "expanded factors", 1e-5);
    ct_scope_end();
}

/* ---- operations on whole tensors, with first and second gradients; those without kernels fall back ---- */
typedef ct_tensor *operation(ct_tensor **x);
struct op_case { const char *text; operation *f; std::vector<std::vector<int64_t>> shapes; int order; double low, high; };
static void test_operation(const op_case *o)
{
    enum { MOST = 4 };
    ct_scope_begin();
    ct_tensor *x[2][MOST], *y[2], *g[2][MOST], *w, *s;
    int n = (int)o->shapes.size();
    for (int k = 0; k < n; k++) x[0][k] = sample(CT_F64, o->shapes[(size_t)k], o->low, o->high), x[1][k] = cuda(x[0][k]);
    for (int side = 0; side < 2; side++) {
        for (int k = 0; k < n; k++) ct_requires_grad_(x[side][k], o->order > 0);
        y[side] = o->f(x[side]);
    }
    if (same(y[0], y[1], o->text, 1e-9) && o->order) {
        seed = 7;
        w = sample(CT_F64, std::vector<int64_t>(y[0]->shape, y[0]->shape + y[0]->ndim), 0.5, 1.5);
        ct_grad_opts opts = ct_grad_opts();
        opts.create_graph = o->order > 1, opts.allow_unused = true;
        for (int side = 0; side < 2; side++) {
            ct_tensor *gy = side ? cuda(w) : w;
            if (!CHECK(ct_grad_many(&y[side], &gy, 1, x[side], g[side], n, opts), "%s: no gradient, side %d", o->text, side)) g[side][0] = NULL;
        }
        bool ok = g[0][0] && g[1][0];
        for (int k = 0; ok && k < n; k++) ok = !g[0][k] == !g[1][k] && (!g[0][k] || same(g[0][k], g[1][k], o->text, 1e-9));
        if (ok && o->order > 1) {
            opts.create_graph = false;
            for (int side = 0; side < 2; side++) {
                s = ct_sum(ct_square(g[side][0]));
                if (!CHECK(ct_grad_many(&s, NULL, 1, x[side], g[side], n, opts), "%s: no second gradient, side %d", o->text, side)) ok = false;
            }
            for (int k = 0; ok && k < n; k++)
                if (g[0][k] || g[1][k]) same(g[0][k], g[1][k], o->text, 1e-8);
        }
    }
    ct_clear_error();
    ct_scope_end();
}
#define OP(order, low, high, expression, ...) {#expression, [](ct_tensor **x) -> ct_tensor * { (void)x; return expression; }, {__VA_ARGS__}, order, low, high}
#define A x[0]
#define B x[1]
static ct_tensor *indices(ct_tensor *like, std::vector<double> v) /* int64, on the device of another tensor */
{
    return (ct_to_device)(ct_to(ct_tensor_of_array(v.data(), (int64_t)v.size()), CT_I64), ct_device_of(like));
}
static ct_tensor *in_place(ct_tensor *x, ct_tensor *y)
{
    ct_tensor *t = ct_mul(x, 2);
    return ct_mul_(t, y) && ct_add_(ct_narrow(t, 0, 1, 2), 1) && ct_fill_(ct_narrow(t, 1, 0, 1), 3) ? ct_sin(t) : NULL;
}
typedef std::vector<int64_t> S;
static const op_case operations[] = {
    OP(2, -2, 2, ct_mul(ct_add(A, B), ct_sub(A, 3)), S{3, 4}, S{4}),
    OP(2, 0.5, 2, ct_div(ct_log(A), ct_sqrt(B)), S{3, 4}, S{3, 1}),
    OP(2, -2, 2, ct_tanh(ct_mul(ct_sigmoid(A), ct_exp(B))), S{5}, S{2, 5}),
    OP(2, -2, 2, ct_gelu(A), S{4, 5}), OP(2, -2, 2, ct_silu(A), S{4, 5}), OP(2, -2, 2, ct_softplus(A, 1, 20), S{4, 5}), OP(2, -2, 2, ct_elu(A, 1), S{4, 5}),
    OP(2, 0.5, 2, ct_pow(A, B), S{4, 5}, S{5}), OP(2, 0.5, 2, ct_pow(A, 3), S{4, 5}), OP(1, -2, 2, ct_relu(A), S{4, 5}),
    OP(2, -2, 2, ct_where(ct_gt(A, 0), ct_mul(A, B), B), S{4, 5}, S{4, 5}), OP(1, -2, 2, ct_lerp(A, B, 0.3), S{4}, S{4}),
    OP(2, -2, 2, ct_matmul(A, B), S{3, 4}, S{4, 5}), OP(2, -2, 2, ct_matmul(A, ct_t(B)), S{2, 3, 4}, S{5, 4}), OP(2, -2, 2, ct_matmul(A, B), S{4}, S{2, 4, 3}),
    OP(2, -2, 2, ct_linear(A, B, x[2]), S{3, 4}, S{5, 4}, S{5}),
    OP(2, -2, 2, ct_sum_dim(ct_square(A), 1, false), S{3, 4, 2}), OP(2, -2, 2, ct_mean(ct_mul(A, A)), S{3, 4}), OP(2, 0.5, 2, ct_prod(A), S{5}),
    OP(1, -2, 2, (ct_amax)(A, shape_of({1}), false), S{3, 4}), OP(1, -2, 2, ct_max(A), S{3, 4}), OP(2, -2, 2, ct_var(A, 1), S{3, 4}), OP(2, -2, 2, ct_norm(A, 2), S{3, 4}),
    OP(2, -2, 2, (ct_logsumexp)(A, shape_of({1}), true), S{3, 4}), OP(2, -2, 2, ct_cumsum(ct_mul(A, A), 1), S{3, 4}), OP(2, 0.5, 2, ct_cumprod(A, 0), S{3, 4}),
    OP(1, -2, 2, ct_max_dim(A, 1, false, NULL), S{3, 4}), OP(0, -2, 2, ct_argmax(A, 1, false), S{3, 4}),
    OP(1, -2, 2, ct_mul((ct_reshape)(A, shape_of({2, 6})), 2), S{3, 4}), OP(2, -2, 2, ct_square((ct_permute)(A, shape_of({2, 0, 1}))), S{2, 3, 4}),
    OP(2, -2, 2, ct_square((ct_expand)(A, shape_of({3, 4}))), S{3, 1}), OP(2, -2, 2, ct_square(ct_narrow(A, 1, 1, 2)), S{3, 4}),
    OP(2, -2, 2, ct_square(ct_get(A, "::2, -1")), S{3, 4}), OP(2, -2, 2, ct_square(ct_diagonal(A, 0, 0, 1)), S{3, 4}), OP(2, -2, 2, ct_square(ct_unfold(A, 1, 3, 1)), S{2, 6}),
    OP(2, -2, 2, ct_square(ct_cat(0, A, B)), S{2, 3}, S{1, 3}), OP(2, -2, 2, ct_square(ct_stack(1, A, B)), S{2, 3}, S{2, 3}),
    OP(2, -2, 2, ct_square(ct_index_select(A, 0, indices(A, {2, 0, 2}))), S{3, 4}), OP(2, -2, 2, ct_square(ct_gather(A, 0, ct_unsqueeze(indices(A, {1, 0, 2, 1}), 0))), S{3, 4}),
    OP(2, -2, 2, ct_square(ct_index(A, CT_BY(indices(A, {1, 1, 0})))), S{3, 4}), OP(2, -2, 2, ct_square(ct_masked_fill(A, ct_gt(ct_detach(A), 0), 2)), S{3, 4}),
    OP(2, -2, 2, ct_square(ct_flip(A, 0)), S{3, 4}), OP(2, -2, 2, ct_square(ct_tril(A, 0)), S{3, 4}), OP(2, -2, 2, ct_square(ct_roll(A, 1, 0)), S{3, 4}),
    OP(1, -2, 2, ct_sort(A, 1, false, NULL), S{3, 4}), OP(1, -2, 2, ct_topk(A, 2, 1, true, true, NULL), S{3, 4}),
    OP(2, -2, 2, ct_softmax(A, 1), S{3, 4}), OP(2, -2, 2, ct_log_softmax(A, 0), S{3, 4}), OP(2, -2, 2, ct_expr("a*sigmoid(b) + a/3", A, B), S{3, 4}, S{4}),
    OP(2, -2, 2, ct_mse_loss(A, B), S{3, 4}, S{3, 4}), OP(1, -2, 2, ct_l1_loss(A, B), S{3, 4}, S{3, 4}), OP(2, -2, 2, ct_cross_entropy(A, indices(A, {1, 0, 3})), S{3, 4}),
    OP(2, -2, 2, ct_nll_loss(ct_log_softmax(A, 1), indices(A, {1, 0, 3})), S{3, 4}), OP(2, 0.1, 0.9, ct_binary_cross_entropy(A, ct_detach(B)), S{3, 4}, S{3, 4}),
    OP(2, 0.1, 0.9, ct_binary_cross_entropy_with_logits(A, ct_detach(B)), S{3, 4}, S{3, 4}),
    OP(1, -2, 2, ct_conv2d(A, B, x[2]), S{2, 3, 6, 5}, S{4, 3, 3, 2}, S{4}), OP(1, -2, 2, ct_conv1d(A, B), S{2, 3, 9}, S{4, 3, 3}),
    OP(1, -2, 2, ct_conv_transpose2d(A, B), S{2, 3, 4, 4}, S{3, 2, 3, 3}), OP(1, -2, 2, ct_max_pool2d(A, 2), S{2, 3, 6, 4}), OP(1, -2, 2, ct_avg_pool2d(A, 2), S{2, 3, 6, 4}),
    OP(1, -2, 2, ct_adaptive_avg_pool2d(A, 2, 3), S{2, 3, 6, 4}), OP(1, -2, 2, ct_layer_norm(A, shape_of({4}), B, x[2]), S{3, 4}, S{4}, S{4}),
    OP(2, -2, 2, ct_layer_norm(A, shape_of({4})), S{3, 4}), OP(1, -2, 2, ct_batch_norm(A, NULL, NULL, B, x[2], true), S{5, 3}, S{3}, S{3}), OP(1, -2, 2, ct_rms_norm(A, shape_of({4}), B), S{3, 4}, S{4}),
    OP(1, -2, 2, ct_group_norm(A, 2, B, x[2]), S{3, 4, 5}, S{4}, S{4}), OP(1, -2, 2, ct_huber_loss(A, B), S{3, 4}, S{3, 4}), OP(1, -2, 2, ct_smooth_l1_loss(A, B), S{3, 4}, S{3, 4}),
    OP(1, 0.1, 0.9, ct_kl_div(ct_log(A), B), S{3, 4}, S{3, 4}), OP(1, -2, 2, ct_normalize(A, 2, 1, 1e-12), S{3, 4}), OP(1, -2, 2, ct_cosine_similarity(A, B, 1, 1e-8), S{3, 4}, S{3, 4}),
    OP(1, -2, 2, ct_scatter(A, 1, ct_unsqueeze(indices(A, {1, 0, 3}), 1), B), S{3, 4}, S{3, 4}), OP(1, -2, 2, ct_scatter_add(A, 1, ct_unsqueeze(indices(A, {1, 0, 1}), 1), B), S{3, 4}, S{3, 4}),
    OP(1, -2, 2, ct_index_add(A, 0, indices(A, {2, 0, 2}), B, 2), S{3, 4}, S{3, 4}), OP(1, -2, 2, ct_index_copy(A, 0, indices(A, {2, 0}), B), S{3, 4}, S{2, 4}),
    OP(1, -2, 2, ct_masked_select(A, ct_gt(ct_detach(A), 0)), S{3, 4}), OP(1, -2, 2, (ct_repeat)(A, shape_of({2, 3})), S{3, 4}), OP(1, -2, 2, ct_median_dim(A, 1, false, NULL), S{3, 5}),
    OP(1, -2, 2, ct_kthvalue(A, 2, 1, false, NULL), S{3, 5}), OP(1, -2, 2, ct_diag_embed(A, 0, -2, -1), S{3, 4}), OP(1, -2, 2, ct_kron(A, B), S{2, 3}, S{3, 2}),
    OP(1, -2, 2, ct_einsum("ij,kj->ik", A, B), S{3, 4}, S{2, 4}), OP(1, -2, 2, ct_tensordot(A, B, 1), S{3, 4}, S{4, 2}), OP(1, -2, 2, ct_pad(A, shape_of({1, 2})), S{3, 4}),
    OP(1, -2, 2, ct_std(A, 1), S{3, 4}), OP(1, -2, 2, ct_norm(A, 3), S{3, 4}), OP(1, -2, 2, ct_block_diag(A, B), S{2, 3}, S{1, 2}),
    OP(0, -2, 2, ct_nonzero(ct_gt(A, 0)), S{3, 4}), OP(0, -2, 2, ct_unique(ct_round(A), true, NULL, NULL), S{3, 4}), OP(0, -2, 2, ct_argsort(A, 1, true), S{3, 4}),
    OP(0, -2, 2, ct_searchsorted(ct_sort(ct_ravel(A), 0, false, NULL), B, false), S{3, 4}, S{5}), OP(0, -2, 2, ct_one_hot(indices(A, {1, 0, 2}), 4), S{1}), OP(0, -2, 2, ct_all(ct_gt(A, -3)), S{3, 4}),
    OP(0, -2, 2, ct_bincount(indices(A, {1, 0, 2, 2}), NULL, 5), S{1}), OP(0, -2, 2, ct_isclose(A, ct_add(A, 1e-7), 1e-5, 1e-8, false), S{3, 4}), OP(0, -2, 2, ct_isin(ct_round(A), ct_round(B), false), S{3, 4}, S{2}),
    OP(1, -2, 2, (ct_manual_seed(3), ct_dropout(A, 0.5, true)), S{3, 40}), OP(0, -2, 2, (ct_manual_seed(3), ct_randn_like(A)), S{3, 40}), OP(0, 0.1, 0.9, (ct_manual_seed(3), ct_bernoulli(A)), S{3, 4}),
    OP(0, 0.1, 0.9, (ct_manual_seed(3), ct_multinomial(A, 5, true)), S{3, 4}), OP(0, -2, 2, ct_set(ct_clone(A), "1:, ::2", 5), S{3, 4}), OP(0, -2, 2, ct_scatter_(ct_clone(A), 1, ct_unsqueeze(indices(A, {1, 0, 3}), 1), B), S{3, 4}, S{3, 4}),
    OP(0, -2, 2, ct_masked_fill_(ct_clone(A), ct_gt(A, 0), 7), S{3, 4}), OP(0, -2, 2, ct_index_put_(ct_clone(A), std::vector<ct_tensor *>{indices(A, {1, 0})}.data(), 1, B, true), S{3, 4}, S{2, 4}),
    OP(0, -2, 2, ct_tril_(ct_clone(A), 0), S{3, 4}), OP(0, -2, 2, ct_uniform_((ct_manual_seed(5), ct_clone(ct_t(A))), 0, 1), S{3, 4}),
    OP(1, -2, 2, ct_embedding(indices(A, {1, 0, 2, 1}), A), S{3, 4}), OP(2, -2, 2, ct_sin(in_place(A, B)), S{3, 4}, S{4}),
};
static void test_operations(void)
{
    for (const op_case &o : operations) test_operation(&o);
    ct_set_default_device(CT_CUDA); /* and the creators inside of them must not care */
    for (const op_case &o : operations) {
        if (strstr(o.text, "indices")) continue;
        seed = 3;
        test_operation(&o);
    }
    ct_scope_begin();
    CHECK(ct_device_of(ct_zeros(3)) == CT_CUDA && ct_device_of(ct_arange(5)) == CT_CUDA && ct_device_of(ct_linspace(0, 1, 5)) == CT_CUDA && ct_device_of(ct_eye(3)) == CT_CUDA && ct_device_of(ct_scalar(1)) == CT_CUDA, "creators obey the default device");
    CHECK(ct_item(ct_sum(ct_linspace(0, 1, 5))) == 2.5 && ct_item(ct_sum(ct_arange(5))) == 10 && ct_item(ct_sum(ct_eye(3))) == 3, "their values");
    CHECK(ct_device_of(ct_rand(3, 3)) == CT_CUDA && ct_device_of(ct_randn(40)) == CT_CUDA, "random numbers");
    ct_set_default_device(CT_CPU);
    ct_scope_end();
}
static void quiet(const ct_error *e, void *user) { (void)e, ++*(int *)user; }
static void test_errors(void)
{
    int errors = 0;
    ct_scope_begin();
    ct_tensor *x = sample(CT_F32, {3}), *d = cuda(x), *s = ct_scalar(2);
    same(ct_mul(x, s), ct_mul(d, s), "a 0-d tensor of the CPU goes with any device");
    same(ct_mul(s, x), ct_mul(s, d), "from the left, too");
    same(ct_lt(2.5, x), ct_lt(2.5, d), "numbers on the left", 0);
    ct_set_error_handler(quiet, &errors);
    CHECK(!ct_add(x, d) && ct_last_error()->code == CT_ERR_DEVICE, "operands on two devices");
    CHECK(!ct_add_(s, d) && ct_last_error()->code == CT_ERR_DEVICE, "a device tensor into a CPU one");
    CHECK(!ct_matmul(x, d) && ct_last_error()->code == CT_ERR_DEVICE, "a product over two devices");
    CHECK(errors == 3, "each reported once, not %d", errors);
    CHECK(!ct_data_f32(d) && ct_last_error()->code == CT_ERR_DTYPE, "no host pointer to device memory");
    ct_set_error_handler(NULL, NULL);
    ct_clear_error();
    CHECK(ct_cuda_init() && ct_cuda_device_count() > 0 && ct_cuda_synchronize() && ct_device_available(CT_CUDA), "a second init is fine");
    ct_scope_end();
}

/* ---- training: 2-layer perceptron, cross-entropy, SGD with momentum, by hand ---- */
struct net { ct_tensor *p[4], *v[4]; };
static net net_new(ct_device device)
{
    static const std::vector<int64_t> shapes[4] = {{24, 16}, {24}, {5, 24}, {5}};
    net n;
    seed = 11;
    for (int k = 0; k < 4; k++) {
        n.p[k] = ct_requires_grad_(ct_clone((ct_to_device)(sample(CT_F32, shapes[k], -0.3, 0.3), device)), true);
        n.v[k] = ct_zeros_like(ct_detach(n.p[k]));
    }
    return n;
}
static double net_step(net *n, ct_tensor *x, ct_tensor *target)
{
    int depth = ct_scope_depth();
    ct_scope_begin();
    ct_tensor *h = ct_relu(ct_linear(x, n->p[0], n->p[1])), *loss = ct_cross_entropy(ct_linear(h, n->p[2], n->p[3]), target);
    double value = ct_item(loss);
    bool ok = ct_backward(loss);
    ct_no_grad_begin();
    for (int k = 0; ok && k < 4; k++) {
        ct_tensor *g = ct_grad_of(n->p[k]);
        ok = ct_mul_(n->v[k], 0.9) && ct_add_(n->v[k], g) && ct_add_with(n->v[k], g, ct_alpha_opts()) && ct_sub_(n->p[k], ct_mul(n->v[k], 0.05));
    }
    for (int k = 0; k < 4; k++) ct_set_grad(n->p[k], NULL);
    ct_no_grad_end();
    ct_scope_unwind(depth);
    return ok ? value : NAN;
}
static void test_training(void)
{
    ct_scope_begin();
    ct_tensor *x = sample(CT_F32, {40, 16}), *t = ct_argmax(ct_narrow(x, 1, 0, 5), 1, false), *dx = cuda(x), *dt = cuda(t);
    net a = net_new(CT_CPU), b = net_new(CT_CUDA);
    int64_t mallocs = 0, pointwise = ct_fallback_count(CT_CUDA, CT_PRIM_pointwise);
    for (int step = 0; step < 40; step++) {
        double u = net_step(&a, x, t), v = net_step(&b, dx, dt);
        CHECK(fabs(u - v) <= 1e-5 * fabs(u), "step %d: loss %.8g on the CPU, %.8g on the device", step, u, v);
        if (step == 4) mallocs = ct_cuda_memory_stats().host_allocs;
    }
    if (!getenv("CT_CUDA_NO_CACHE")) CHECK(ct_cuda_memory_stats().host_allocs == mallocs, "%d cudaMallocs in a warm loop", (int)(ct_cuda_memory_stats().host_allocs - mallocs));
    CHECK(ct_fallback_count(CT_CUDA, CT_PRIM_pointwise) == pointwise, "pointwise operations run on the device");
    ct_scope_end();
}

static void train_alone(void *result) /* in a thread of its own */
{
    ct_scope_begin();
    double *loss = (double *)result;
    ct_tensor *x = ct_ones(40, 16), *t = ct_zeros_dtype(CT_I64, 40);
    x = cuda(ct_mul(x, ct_unsqueeze(ct_linspace(-1, 1, 40), 1))), t = cuda(t);
    net n = {{NULL, NULL, NULL, NULL}, {NULL, NULL, NULL, NULL}};
    static const int64_t sizes[4][2] = {{24, 16}, {1, 24}, {5, 24}, {1, 5}};
    for (int k = 0; k < 4; k++) {
        ct_tensor *w = ct_mul(ct_sin(ct_arange_dtype(CT_F32, 0, (double)(sizes[k][0] * sizes[k][1]), 1)), 0.3);
        n.p[k] = ct_requires_grad_(cuda(k % 2 ? w : (ct_reshape)(w, shape_of({sizes[k][0], sizes[k][1]}))), true), n.v[k] = ct_zeros_like(ct_detach(n.p[k]));
    }
    for (int step = 0; step < 10; step++) *loss = net_step(&n, x, t);
    ct_scope_end();
}
static void test_threads(void)
{
    enum { THREADS = 4 };
    double loss[THREADS + 1];
    ct__thread thread[THREADS];
    train_alone(&loss[THREADS]);
    for (int k = 0; k < THREADS; k++) ct__thread_create(&thread[k], train_alone, &loss[k]);
    for (int k = 0; k < THREADS; k++) ct__thread_join(thread[k]);
    for (int k = 0; k < THREADS; k++) CHECK(loss[k] == loss[THREADS] && loss[k] == loss[k], "thread %d: loss %.9g, alone %.9g", k, loss[k], loss[THREADS]);
}

/* the same through modules: convolution, batch norm, pooling, dropout; Adam, clipping, saving and loading */
static ct_module *conv_net(void)
{
    ct_conv2d_opts padded = ct_conv2d_opts();
    padded.padding = 1, padded.no_bias = true; /* its gradient would be noise: batch norm follows */
    ct_manual_seed(5);
    return ct_nn_sequential(ct_nn_conv2d(1, 4, 3, padded), ct_nn_batch_norm2d(4), ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_linear(36, 5), ct_nn_dropout(0.1));
}
static void test_modules(void)
{
    ct_scope_begin();
    ct_tensor *x = sample(CT_F32, {20, 1, 6, 6}), *t = ct_argmax(ct_narrow(ct_flatten(x, 1, -1), 1, 0, 5), 1, false), *in[2] = {x, cuda(x)}, *target[2] = {t, cuda(t)};
    ct_module *net[2] = {conv_net(), ct_module_to_device(conv_net(), CT_CUDA)};
    ct_optim *opt[2] = {NULL, NULL};
    if (!CHECK(net[0] && net[1] && ct_device_of(ct_get_parameter(net[1], "0.weight")) == CT_CUDA, "a module moves to the device")) return;
    for (int side = 0; side < 2; side++) opt[side] = ct_optim_adam(ct_parameters(net[side]), 1e-2);
    for (int step = 0; step < 12; step++) {
        double loss[2] = {0, 0};
        for (int side = 0; side < 2; side++) {
            ct_scope_begin();
            ct_manual_seed(step);
            ct_tensor *l = ct_cross_entropy(ct_forward(net[side], in[side]), target[side]);
            ct_zero_grad(opt[side]);
            bool ok = ct_backward(l) && ct_clip_grad_norm_(ct_parameters(net[side]), 1.0) >= 0 && ct_step(opt[side]);
            loss[side] = ok ? ct_item(l) : NAN;
            ct_scope_end();
        }
        CHECK(fabs(loss[0] - loss[1]) <= 2e-5 * fabs(loss[0]), "conv net, step %d: loss %.8g on the CPU, %.8g on the device", step, loss[0], loss[1]);
    }
    ct_params *a = ct_state_dict(net[0]), *b = ct_state_dict(net[1]);
    for (int k = 0; a && b && k < a->count; k++) same(a->tensor[k], cuda(b->tensor[k]), a->name[k], 1e-3);
    ct_module_to_device(net[1], CT_CPU);
    CHECK(ct_device_of(ct_get_parameter(net[1], "5.bias")) == CT_CPU && ct_forward(net[1], x), "and back");
    for (int side = 0; side < 2; side++) ct_optim_free(opt[side]), ct_module_free(net[side]);
    ct_set_default_device(CT_CUDA);
    ct_module *made = conv_net();
    ct_set_default_device(CT_CPU);
    ct_module *same_seed = conv_net();
    ct_params *p = made ? ct_parameters(made) : NULL, *q = ct_parameters(same_seed);
    for (int k = 0; CHECK(p != NULL, "a module made on the device") && k < p->count; k++) same(ct_detach(q->tensor[k]), ct_detach(p->tensor[k]), q->name[k], 0);
    ct_module_free(made), ct_module_free(same_seed);
    ct_scope_end();
}

/* what else reads or writes tensors of a device: text, files, checks, initialisers, optimisers, hooks, graphs */
static ct_tensor *checked(ct_tensor *const *in, int, void *) { return ct_mul(ct_tanh(ct_matmul(in[0], in[1])), ct_sum_dim(in[0], 1, true)); }
static ct_tensor *halve(ct_tensor *g, void *) { return ct_mul(g, 0.5); }
static void test_library(void)
{
    ct_scope_begin();
    ct_tensor *x = sample(CT_F32, {3, 4}), *d = cuda(x), *in[2] = {ct_requires_grad_(cuda(sample(CT_F64, {2, 3})), true), ct_requires_grad_(cuda(sample(CT_F64, {3, 2})), true)};
    char *a = ct_to_text(x), *b = ct_to_text(d), *dot = ct_graph_dot(checked(in, 2, NULL));
    CHECK(a && b && strstr(b, "0.") && strlen(b) >= strlen(a), "ct_to_text: %s", b ? b : "NULL");
    CHECK(dot && strstr(dot, "digraph"), "ct_graph_dot");
    ct_free_text(a), ct_free_text(b), ct_free_text(dot);
    CHECK(ct_gradcheck(checked, in, 2, NULL), "gradcheck on the device");
    CHECK(ct_gradgradcheck(checked, in, 2, NULL), "gradgradcheck on the device");
    const char *names[2] = {"x", "d"};
    ct_tensor *both[2] = {x, d};
    CHECK(ct_save_tensors("test_cuda.safetensors", names, both, 2), "saving");
    ct_tensors *loaded = ct_load_safetensors_file("test_cuda.safetensors");
    CHECK(loaded && ct_equal(ct_tensors_find(loaded, "d"), x), "loading");
    ct_tensors_free(loaded), remove("test_cuda.safetensors");
    CHECK(ct_allclose(d, ct_add(d, 1e-9), 1e-5, 1e-8, false) && ct_equal(d, ct_clone(d)) && !ct_equal(d, ct_add(d, 1)), "allclose, equal");
    for (int k = 0; k < 6; k++) { /* initialisers draw the CPU's numbers */
        ct_tensor *w[2] = {ct_zeros(6, 5), cuda(ct_zeros(6, 5))};
        ct_init_gain_opts gain = ct_init_gain_opts();
        ct_init_kaiming_opts kaiming = ct_init_kaiming_opts();
        for (int side = 0; side < 2; side++) {
            ct_manual_seed(k), gain.tensor = kaiming.tensor = w[side];
            ct_tensor *r = k == 0 ? ct_init_uniform_(w[side], -1, 1) : k == 1 ? ct_init_normal_(w[side], 0, 1) : k == 2 ? ct_init_xavier_uniform_with(gain) : k == 3 ? ct_init_kaiming_normal_with(kaiming)
                         : k == 4 ? ct_init_orthogonal_with(gain) : ct_init_eye_(w[side]);
            CHECK(r == w[side], "initialiser %d, side %d", k, side);
        }
        char what[32];
        snprintf(what, sizeof what, "initialiser %d", k);
        same(w[0], w[1], what, 0);
    }
    for (int rule = 0; rule < 5; rule++) {
        ct_tensor *p[2] = {ct_requires_grad_(ct_clone(x), true), ct_requires_grad_(ct_clone(d), true)};
        for (int side = 0; side < 2; side++) {
            ct_params one = {1, NULL, &p[side]};
            ct_sgd_opts sgd = ct_sgd_opts();
            sgd.params = &one, sgd.lr = 0.1, sgd.momentum = 0.9, sgd.nesterov = true;
            ct_optim *o = rule == 0 ? ct_optim_sgd_with(sgd) : rule == 1 ? ct_optim_adam(&one) : rule == 2 ? ct_optim_adamw(&one) : rule == 3 ? ct_optim_rmsprop(&one) : ct_optim_adagrad(&one);
            for (int step = 0; step < 4; step++) {
                ct_zero_grad(o);
                CHECK(ct_backward(ct_sum(ct_square(ct_sin(p[side])))) && ct_clip_grad_value_(&one, 0.8) && ct_step(o), "optimiser %d, side %d", rule, side);
            }
            ct_params *state = ct_optim_state(o);
            CHECK(state && ct_optim_load_state(o, state) && ct_step(o), "optimiser %d, its state", rule);
            ct_optim_free(o);
        }
        same(ct_detach(p[0]), ct_detach(p[1]), "an optimiser", 1e-5);
    }
    ct_tensor *w = ct_requires_grad_(cuda(sample(CT_F64, {4})), true), *h = ct_square(w);
    ct_register_hook(h, halve, NULL), ct_retain_grad(h);
    CHECK(ct_backward(ct_sum(ct_mul(h, 3))) && ct_item(ct_sum(ct_grad_of(h))) == 6, "hooks");
    same(ct_mul(ct_to_device(ct_detach(w), CT_CPU), 3), ct_grad_of(w), "the gradient behind a hook");
    ct_loader_opts lo = ct_loader_opts();
    lo.dataset = ct_data_tensor_dataset(d), lo.batch_size = 2;
    ct_loader *loader = ct_data_loader_with(lo);
    ct_tensor *batch[1] = {NULL};
    int batches = 0;
    while (loader && ct_loader_next(loader, batch)) batches += batch[0] && ct_item(ct_sum(batch[0])) == ct_item(ct_sum(ct_narrow(x, 0, 2 * batches, ct_size(batch[0], 0))));
    CHECK(batches == 2, "a loader over a tensor of the device: %d good batches", batches);
    ct_loader_free(loader), ct_dataset_free(lo.dataset);
    ct_clear_error();
    ct_scope_end();
}

/* ---- no memory ---- */
static void test_no_memory(void)
{
    int errors = 0;
    ct_scope_begin();
    ct_set_error_handler(quiet, &errors);
    ct_set_default_device(CT_CUDA);
    CHECK(!(ct_empty)(shape_of({1 << 20, 1 << 20, 1 << 10})) && ct_last_error()->code == CT_ERR_MEMORY && errors == 1, "a tensor of 4 PB");
    ct_clear_error();
    ct_set_default_device(CT_CPU);
#ifdef CT_CUDA_ON_CPU
    ct_tensor *x = sample(CT_F32, {8, 16}), *t = ct_argmax(ct_narrow(x, 1, 0, 5), 1, false), *dx = cuda(x), *dt = cuda(t);
    int fails = 0;
    for (int n = 1; n < 400; n++) {
        ct_scope_begin();
        ct_cuda_empty_cache();
        net b = net_new(CT_CUDA);
        int64_t live = ct_cuda_memory_stats().live_bytes;
        ct_cuda_empty_cache();
        errors = 0;
        ct_emulator_fail_after(n);
        double loss = net_step(&b, dx, dt);
        bool failing = loss != loss;
        ct_emulator_fail_after(-1);
        CHECK(!failing || (errors > 0 && ct_last_error()->code == CT_ERR_MEMORY), "malloc %d fails: %d errors, the last %s", n, errors, ct_error_name(ct_last_error()->code));
        CHECK(ct_cuda_memory_stats().live_bytes == live, "malloc %d fails: %d bytes leak", n, (int)(ct_cuda_memory_stats().live_bytes - live));
        fails += failing;
        ct_clear_error();
        ct_scope_end();
        if (!failing) break;
    }
    CHECK(fails > 5 && fails < 399, "%d failing allocations", fails);
#endif
    ct_set_error_handler(NULL, NULL);
    ct_scope_end();
    ct_cuda_empty_cache();
    CHECK(ct_cuda_memory_stats().live_bytes == 0 && ct_cuda_memory_stats().cached_bytes == 0, "all device memory is given back: %d bytes", (int)ct_cuda_memory_stats().live_bytes);
}

int main(int count, char **arg)
{
    static const struct { const char *name; void (*run)(void); } tests[] = {
        {"rows", test_rows}, {"special", test_special}, {"copies", test_copies}, {"reductions", test_reductions}, {"products", test_products},
        {"operations", test_operations}, {"errors", test_errors}, {"training", test_training}, {"threads", test_threads}, {"modules", test_modules}, {"library", test_library}, {"memory", test_no_memory}};
    if (!ct_cuda_init()) return printf("no GPU: nothing tested\n"), 0;
    for (auto &t : tests) {
        if (count > 1 && !strstr(arg[1], t.name)) continue;
        int before = passed + failed, bad = failed;
        t.run();
        printf("%-12s %d checks, %d failed\n", t.name, passed + failed - before, failed - bad);
    }
    printf("fallbacks:");
#define CT__X(name) if (ct_fallback_count(CT_CUDA, CT_PRIM_##name)) printf(" " #name " %d", (int)ct_fallback_count(CT_CUDA, CT_PRIM_##name));
    CT_PRIMITIVES(CT__X)
#undef CT__X
    printf("\n%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
