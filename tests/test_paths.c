/* The fast paths, each against plain loops in double: scans and extremes along rows and columns, logsumexp, softmax, operands that are one
   number along rows, masks, max pooling, topk of long rows, pow, strided convolutions backward, ct_grad_many, variances of columns,
   losses, group norm, products of odd shapes, attention, recurrent batches, the order of results in memory, rows of all lengths. Sizes lie
   around the blocks of the kernels; what runs in parallel gives the same bits with one, two and three threads. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

enum { MOST = 1 << 20 };
static double *values, *want, *want_at; /* an input as stored, and what is expected of it */
static char what[256];                  /* the case at hand */
#define CASE(...) snprintf(what, sizeof what, __VA_ARGS__)
#define EQUALS(t, tolerance, expected, count) test_values(t, expected, count, tolerance, __FILE__, __LINE__, what)
#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static bool same_bits(ct_tensor *a, ct_tensor *b)
{
    if (!a || !b) return a == b;
    return ct_numel(a) == ct_numel(b) && ct_dtype_of(a) == ct_dtype_of(b) && !memcmp(ct_data(ct_contiguous(a)), ct_data(ct_contiguous(b)), (size_t)ct_numel(a) * ct_element_size(a));
}
/* call leaves its results in r[0] and r[1]: with one thread, and again with as many as two and three */
#define THREADS(most, r, call)                                                                                        \
    do {                                                                                                              \
        ct_tensor *one_[2] = {NULL, NULL};                                                                            \
        for (int threads_ = 1; threads_ <= (most); threads_++) {                                                      \
            ct_set_num_threads(threads_), r[0] = r[1] = NULL;                                                         \
            (void)(call);                                                                                             \
            if (threads_ == 1) one_[0] = r[0], one_[1] = r[1];                                                        \
            else CHECKF(same_bits(one_[0], r[0]) && same_bits(one_[1], r[1]), "%s: not the same bits with %d threads", what, threads_); \
        }                                                                                                             \
        ct_set_num_threads(0);                                                                                        \
    } while (0)

static int64_t pick(int64_t low, int64_t high) { return low + (int64_t)(test_uniform(0, 1) * (double)(high - low + 1)); }
static bool floating(ct_dtype t) { return t == CT_F32 || t == CT_F64 || t == CT_F16 || t == CT_BF16; }
/* values[0..n) as a tensor, and back to what it holds after rounding */
static ct_tensor *input(ct_dtype dtype, ct_shape s, int layout)
{
    ct_tensor *t = test_tensor(dtype, s, values, layout);
    CHECK(t && ct_copy_out(t, values, CT_F64, test_numel(s)));
    return t;
}

/* gradcheck and gradgradcheck of f(x), x of that shape, without ties */
static void check_gradients(ct_function *f, ct_shape s, void *user)
{
    ct_scope_begin();
    for (int64_t k = 0; k < test_numel(s); k++) values[k] = (double)(k * 37 % 85) / 10 + test_uniform(0, 0.05);
    ct_tensor *x = ct_requires_grad_(input(CT_F64, s, 0), true);
    CHECK(ct_gradcheck(f, &x, 1, user) && ct_gradgradcheck(f, &x, 1, user));
    ct_scope_end();
}
/* A shape as outputs x count: element k of those that meet in output o lies at AT(o, k), in row-major order. */
static struct { int64_t outputs, count, *kept, *along; } lane;
#define AT(o, k) (lane.kept[o] + lane.along[k])
static void lanes(ct_shape s, unsigned bits)
{
    free(lane.kept), lane.outputs = lane.count = 1;
    for (int d = 0; d < s.ndim; d++) *(bits >> d & 1 ? &lane.count : &lane.outputs) *= s.size[d];
    lane.kept = (int64_t *)calloc((size_t)(lane.outputs + lane.count + 1), sizeof *lane.kept), lane.along = lane.kept + lane.outputs;
    for (int64_t e = 0; e < lane.outputs + lane.count; e++) {
        unsigned part = e >= lane.outputs;
        int64_t rest = part ? e - lane.outputs : e, stride = 1;
        for (int d = s.ndim - 1; d >= 0; stride *= s.size[d--])
            if ((bits >> d & 1) == part) lane.kept[e] += rest % s.size[d] * stride, rest /= s.size[d];
    }
}
static const ct_shape shapes[] = {{{5, 7}, 2}, {{3, 1000}, 2}, {{1000, 3}, 2}, {{4, 70, 33}, 3}, {{2, 3000}, 2}, {{70, 2100}, 2}, {{1}, 1}, {{2049}, 1}, {{5, 40, 15}, 3}, {{5, 40, 16}, 3},
                                  {{3, 65, 17}, 3}, {{6, 1, 64}, 3}, {{500, 63}, 2}, {{90, 64}, 2}, {{3000, 7}, 2}, {{70, 2}, 2}, {{3, 0}, 2}, {{0}, 0}};

/* ---- 1: scans ---- */
static void scan_case(ct_shape s, int dim, ct_dtype dtype, bool product, int layout)
{
    int64_t n = test_numel(s);
    bool whole = !floating(dtype);
    lanes(s, 1u << dim);
    ct_scope_begin();
    for (int64_t k = 0; k < n; k++) {
        double sign = pick(0, 1) ? 1 : -1;
        values[k] = !product ? test_uniform(-100, 100) : sign * (!whole ? test_uniform(0.9, 1.1) : pick(0, 99) ? 1 : 2); /* 2^53 is not reached */
        if (whole) values[k] = trunc(values[k]) + 0.0;
        else if (pick(0, 2999) == 0) values[k] = NAN;
    }
    ct_tensor *x = input(dtype, s, layout), *r[2];
    CASE("%s of %s %s along %d, layout %d", product ? "cumprod" : "cumsum", ct_dtype_name(dtype), ct_shape_text(x), dim, layout);
    for (int64_t o = 0; o < lane.outputs; o++) {
        double sum = product;
        for (int64_t k = 0; k < lane.count; k++) {
            int64_t at = AT(o, k);
            want[at] = sum = product ? sum * values[at] : sum + values[at];
        }
    }
    THREADS(3, r, r[0] = product ? ct_cumprod(x, dim) : ct_cumsum(x, dim));
    EQUALS(r[0], dtype == CT_F32 ? 1e-7 : whole ? 0 : 1e-14, want, n);
    CHECKF(ct_dtype_of(r[0]) == (whole ? CT_I64 : dtype), "%s gives %s", what, ct_dtype_name(ct_dtype_of(r[0])));
    ct_scope_end();
}

/* ---- 2: extremes and where they are ---- */
static void extreme_case(ct_shape s, int dim, ct_dtype dtype, bool largest, int layout)
{
    lanes(s, 1u << dim);
    bool whole = !floating(dtype);
    double worst = whole ? (largest ? -2147483648.0 : 2147483647.0) : largest ? -INFINITY : INFINITY;
    ct_scope_begin();
    for (int64_t o = 0; o < lane.outputs; o++)
        for (int64_t k = 0; k < lane.count; k++) { /* many ties; lanes of nothing but the worst; all but the last; of one value; with NaN; with many */
            int64_t kind = o % 7;
            double e = kind == 0 || (kind == 1 && k + 1 < lane.count) ? worst : kind == 2 ? 3 : (double)pick(-2, 2);
            if (!whole && e == 0 && pick(0, 1)) e = -0.0;
            if (!whole && ((kind == 3 && pick(0, lane.count) < 2) || (kind == 4 && pick(0, 3) == 0))) e = pick(0, 1) ? NAN : -NAN;
            values[AT(o, k)] = e;
        }
    ct_tensor *x = input(dtype, s, layout), *r[2];
    CASE("%s_dim of %s %s along %d, layout %d", largest ? "max" : "min", ct_dtype_name(dtype), ct_shape_text(x), dim, layout);
    for (int64_t o = 0; o < lane.outputs; o++) {
        double best = values[lane.kept[o]];
        int64_t at = 0;
        for (int64_t k = 1; k < lane.count && best == best; k++) {
            double e = values[AT(o, k)];
            if (e != e || (largest ? e > best : e < best)) best = e, at = k;
        }
        want[o] = best, want_at[o] = (double)at;
    }
    THREADS(3, r, r[0] = largest ? ct_max_dim(x, dim, false, &r[1]) : ct_min_dim(x, dim, false, &r[1]));
    EQUALS(r[0], 0, want, lane.outputs), EQUALS(r[1], 0, want_at, lane.outputs);
    CHECKF(ct_dtype_of(r[0]) == dtype && ct_dtype_of(r[1]) == CT_I64, "%s: types", what);
    ct_scope_end();
}
static void scans_and_extremes(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32};
    for (int k = 0; k < COUNT(shapes); k++)
        for (int d = 0; d == 0 || d < shapes[k].ndim; d++)
            for (int t = 0; t < COUNT(types); t++)
                for (int which = 0; which < 2; which++)
                    for (int layout = 0; layout < 4; layout += 1 + (k + d + t) % 3) {
                        scan_case(shapes[k], d, types[t], which, layout);
                        if (!shapes[k].ndim || shapes[k].size[d]) extreme_case(shapes[k], d, types[t], which, layout);
                    }
}

/* ---- 3: logsumexp ---- */
static double lse(const double *x, const int64_t *along, int64_t n)
{
    double most = -INFINITY, sum = 0;
    for (int64_t k = 0; k < n; k++) {
        if (x[along[k]] != x[along[k]]) return NAN;
        most = fmax(most, x[along[k]]);
    }
    for (int64_t k = 0; k < n && !isinf(most); k++) sum += exp(x[along[k]] - most);
    return isinf(most) ? most : most + log(sum);
}
static void lse_case(ct_shape s, ct_shape dims, ct_dtype dtype, int layout)
{
    unsigned bits = 0;
    for (int d = 0; d < dims.ndim; d++) bits |= 1u << dims.size[d];
    lanes(s, bits);
    static const double special[8][2] = {{0, 0}, {-INFINITY, -INFINITY}, {INFINITY, 0}, {NAN, 0}, {INFINITY, -INFINITY}, {INFINITY, NAN}, {-INFINITY, 0}, {0, 0}};
    ct_scope_begin();
    for (int64_t o = 0; o < lane.outputs; o++) {
        double offset = o % 8 == 0 ? 0 : pick(0, 2) ? test_uniform(-3, 3) : test_uniform(-1e4, 1e4), spread = pick(0, 1) ? 3 : 60;
        for (int64_t k = 0; k < lane.count; k++) values[AT(o, k)] = o % 8 == 1 ? -INFINITY : offset + test_uniform(-spread, spread);
        for (int e = 0; e < 2 && o % 8 && o % 8 != 7 && lane.count; e++) values[AT(o, pick(0, lane.count - 1))] = special[o % 8][e];
    }
    ct_tensor *x = input(dtype, s, layout), *r[2];
    CASE("logsumexp of %s %s over %d from %d on, layout %d", ct_dtype_name(dtype), ct_shape_text(x), dims.ndim, (int)dims.size[0], layout);
    for (int64_t o = 0; o < lane.outputs; o++) want[o] = lse(values + lane.kept[o], lane.along, lane.count);
    THREADS(3, r, r[0] = ct_logsumexp(x, dims, false));
    EQUALS(r[0], dtype == CT_F32 ? 1e-6 : 1e-14, want, lane.outputs);
    EQUALS(ct_logsumexp(x, dims, true), dtype == CT_F32 ? 1e-6 : 1e-14, want, lane.outputs);
    ct_scope_end();
}
static ct_tensor *call_lse(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ct_logsumexp(in[0], *(ct_shape *)user, false);
}
static void logsumexps(void)
{
    static const int64_t lengths[] = {1, 2, 10, 15, 17, 63, 64, 65, 255, 511, 512, 513, 1000, 2049};
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < COUNT(lengths); k++)
            for (int layout = 0; layout < 2; layout++) {
                ct_dtype dtype = t ? CT_F64 : CT_F32;
                lse_case(CT_SHAPE(17, lengths[k]), CT_SHAPE(1), dtype, layout);
                lse_case(CT_SHAPE(lengths[k], 17), CT_SHAPE(0), dtype, layout);
                lse_case(CT_SHAPE(3, 17, lengths[k]), CT_SHAPE(0, 2), dtype, layout);
                lse_case(CT_SHAPE(17, 3, lengths[k]), CT_SHAPE(1, 2), dtype, layout);
                if (k % 4 == 2) lse_case(CT_SHAPE(20, 70, 1 + lengths[k] / 3), CT_SHAPE(2), dtype, layout);
            }
    lse_case(CT_SHAPE(0, 5), CT_SHAPE(1), CT_F32, 0), lse_case(CT_SHAPE(5, 0), CT_SHAPE(1), CT_F32, 0);
    ct_shape over[] = {{{2}, 1}, {{0}, 1}, {{0, 2}, 2}, {{-1}, 1}};
    for (int k = 0; k < COUNT(over); k++) check_gradients(call_lse, CT_SHAPE(3, 2, 5), &over[k]);
}

/* ---- 4: softmax ---- */
static void softmax_case(ct_shape s, int dim, ct_dtype dtype, int layout)
{
    int64_t n = test_numel(s);
    double eps = dtype == CT_F32 ? 6e-8 : 1.2e-16;
    bool rows = dim + 1 == s.ndim;
    lanes(s, 1u << dim);
    ct_scope_begin();
    for (int64_t o = 0; o < lane.outputs; o++) /* close together; far apart; with -inf; with nothing but -inf save one */
        for (int64_t k = 0, one = pick(0, lane.count - 1); k < lane.count; k++)
            values[AT(o, k)] = k != one && (o % 4 == 3 || (o % 4 == 2 && pick(0, 3) == 0)) ? -INFINITY : o % 4 == 1 ? test_uniform(-120, 120) : test_uniform(-4, 4);
    ct_tensor *x = input(dtype, s, layout), *r[2];
    CASE("softmax of %s %s along %d, layout %d", ct_dtype_name(dtype), ct_shape_text(x), dim, layout);
    THREADS(3, r, (r[0] = ct_softmax(x, dim), r[1] = ct_log_softmax(x, dim)));
    bool ok = ct_copy_out(r[0], want, CT_F64, n) && ct_copy_out(r[1], want_at, CT_F64, n);
    for (int64_t o = 0; ok && o < lane.outputs; o++) {
        double all = 0, most = -INFINITY, sum = 0;
        for (int64_t k = 0; k < lane.count; k++) most = fmax(most, values[AT(o, k)]);
        for (int64_t k = 0; k < lane.count; k++) all += exp(values[AT(o, k)] - most);
        for (int64_t k = 0; ok && k < lane.count; k++) {
            int64_t at = AT(o, k);
            double v = values[at], p = exp(v - most) / all, log_p = v - most - log(all), got = want[at];
            double slack = ((rows && dtype == CT_F32 ? 16 : 50) + fabs(v - most)) * eps; /* 1e-6; columns add up in float; x - max is rounded, too */
            sum += got;
            ok = v == -INFINITY ? got == 0 && want_at[at] == -INFINITY : fabs(got - p) <= slack * p || (got == 0 && v - most < -87);
            ok = ok && (v == -INFINITY || fabs(want_at[at] - log_p) <= slack + 16 * eps * fabs(log_p));
            if (!ok) CHECKF(false, "%s: of %.9g %.9g and log %.9g, expected %.9g and %.9g", what, v, got, want_at[at], p, log_p);
        }
        ok = CHECKF(ok && fabs(sum - 1) <= (rows ? 1e-6 : 3e-6), "%s: row %lld sums to %.9g", what, (long long)o, sum);
    }
    CHECKF(ok, "%s", what);
    ct_scope_end();
}
static void softmaxes(void)
{
    static const int64_t lengths[] = {1, 10, 63, 64, 65, 511, 513, 1000};
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < COUNT(lengths); k++)
            for (int layout = 0; layout < 2; layout++) {
                softmax_case(CT_SHAPE(9, lengths[k]), 1, t ? CT_F64 : CT_F32, layout);
                softmax_case(CT_SHAPE(lengths[k], 9), 0, t ? CT_F64 : CT_F32, layout);
                softmax_case(CT_SHAPE(2, lengths[k], 17), 1, t ? CT_F64 : CT_F32, layout);
                softmax_case(CT_SHAPE(5, lengths[k], 3), 1, t ? CT_F64 : CT_F32, layout);
                if (lengths[k] <= 65) softmax_case(CT_SHAPE(2, lengths[k], 300), 1, t ? CT_F64 : CT_F32, layout);
                if (layout == 0) softmax_case(CT_SHAPE(20000 / lengths[k] + 20, lengths[k]), 1, t ? CT_F64 : CT_F32, 0);
            }
    CHECK(ct_numel(ct_softmax(ct_zeros(0, 7), 1)) == 0 && ct_numel(ct_log_softmax(ct_zeros(7, 0), 1)) == 0);
}

/* ---- 5: operands that are one number for all, or for a row, or for a column ---- */
enum { ADD, SUB, MUL, DIV, ADD_ALPHA, SUB_ALPHA, RSUB_ALPHA, OPS };
static const char *const op_name[] = {"add", "sub", "mul", "div", "add alpha", "sub alpha", "rsub alpha"};
static ct_tensor *(*const plain[])(ct_tensor *, ct_tensor *) = {ct_add, ct_sub, ct_mul, ct_div}, *(*const plain_[])(ct_tensor *, ct_tensor *) = {ct_add_, ct_sub_, ct_mul_, ct_div_};
static ct_tensor *(*const with[])(ct_tensor *, ct_tensor *, ct_alpha_opts) = {ct_add_with, ct_sub_with, ct_rsub_with}, *(*const with_[])(ct_tensor *, ct_tensor *, ct_alpha_opts) = {ct_add__with, ct_sub__with};
static ct_tensor *apply(int op, ct_tensor *a, ct_tensor *b, double alpha) { return op < ADD_ALPHA ? plain[op](a, b) : with[op - ADD_ALPHA](a, b, (ct_alpha_opts){.alpha = alpha}); }
static ct_tensor *apply_(int op, ct_tensor *a, ct_tensor *b, double alpha) { return op < ADD_ALPHA ? plain_[op](a, b) : with_[op - ADD_ALPHA](a, b, (ct_alpha_opts){.alpha = alpha}); }
static double operate(int op, double a, double b, double alpha)
{
    return op == ADD ? a + b : op == SUB ? a - b : op == MUL ? a * b : op == DIV ? a / b : op == ADD_ALPHA ? a + alpha * b : op == SUB_ALPHA ? a - alpha * b : b - alpha * a;
}
static double rounded(ct_dtype t, double x) /* as the type stores it */
{
    float f = (float)x;
    uint32_t b;
    memcpy(&b, &f, sizeof b);
    b = (b + 0x7fff + (b >> 16 & 1)) & 0xffff0000u;
    if (t == CT_BF16 && x == x) memcpy(&f, &b, sizeof f);
    return t == CT_I64 ? x + 0.0 : t == CT_F64 ? x : (double)f; /* integers know no -0 */
}
typedef struct { ct_dtype matrix, other; } Types;
typedef enum { NUMBER, SCALAR, COLUMN, ROW, SPREAD, FULL, FORMS } Form; /* SPREAD: a column expanded, with a column expanded on the other side, too */
static double element(ct_dtype t) /* few digits: exact in every type, the results in float */
{
    return t == CT_I64 ? (double)pick(-40, 40) : pick(0, 79) ? (double)pick(-40, 40) / 8 : pick(0, 1) ? NAN : pick(0, 1) ? INFINITY : -0.0;
}
static void operand_case(int64_t N, int64_t M, Types types, Form form, int layout, double number)
{
    static const char *const name[] = {"number", "0-d", "column", "row", "expanded column", "matrix"};
    ct_dtype low = form >= COLUMN || floating(types.matrix) < floating(types.other) ? ct_promote_types(types.matrix, types.other) : types.matrix;
    double alpha = floating(low) ? -2.5 : 3, *other = want_at;
    ct_shape s = CT_SHAPE(N, M), s2 = form <= SCALAR ? test_shape(0, NULL) : form == ROW ? CT_SHAPE(1, M) : form == FULL ? s : CT_SHAPE(N, 1), sx = form == SPREAD ? s2 : s;
    int64_t n = test_numel(s2);
    ct_scope_begin();
    for (int64_t k = 0; k < n; k++) values[k] = form == NUMBER ? number : element(types.other);
    ct_tensor *y = form > NUMBER ? input(types.other, s2, layout) : types.other == CT_I64 ? ct_number_i64((int64_t)number) : ct_number(number);
    for (int64_t k = 0; k < n; k++) other[k] = rounded(low, values[k]);
    for (int64_t k = 0; k < test_numel(sx); k++) values[k] = element(types.matrix);
    ct_tensor *x = input(types.matrix, sx, layout), *r[2];
    if (form == SPREAD) x = (ct_expand)(x, s), y = (ct_expand)(y, s);
    if (form == SPREAD && !ct_copy_out(x, values, CT_F64, N * M)) CHECK(false);
    for (int op = 0; op < OPS; op++)
        for (int swapped = 0; swapped < 2; swapped++) {
            ct_dtype result = op == DIV && !floating(low) ? CT_F32 : low;
            for (int64_t k = 0; k < N * M; k++) {
                double a = values[k], b = other[form <= SCALAR ? 0 : form == ROW ? k % M : form == FULL ? k : k / M];
                want[k] = rounded(result, operate(op, swapped ? b : a, swapped ? a : b, alpha));
            }
            CASE("%s of %s (%lld, %lld) %s a %s %s, layout %d", op_name[op], ct_dtype_name(types.matrix), (long long)N, (long long)M, swapped ? "after" : "and", ct_dtype_name(types.other),
                 name[form], layout);
            THREADS(N * M > 16384 ? 3 : 1, r, r[0] = swapped ? apply(op, y, x, alpha) : apply(op, x, y, alpha));
            EQUALS(r[0], op >= ADD_ALPHA && number == 0.1 ? 1e-6 : 0, want, N * M);
            CHECKF(ct_dtype_of(r[0]) == result, "%s gives %s, expected %s", what, ct_dtype_name(ct_dtype_of(r[0])), ct_dtype_name(result));
            if (swapped || op == RSUB_ALPHA || result != types.matrix || form == SPREAD) continue;
            ct_tensor *z = ct_copy_(layout == 1 ? ct_t((ct_zeros_dtype)(types.matrix, CT_SHAPE(M, N))) : (ct_zeros_dtype)(types.matrix, s), x);
            bool nan = false; /* whose sign is the processor's affair */
            for (int64_t k = 0; k < n; k++) nan = nan || other[k] != other[k];
            CHECKF(apply_(op, z, y, alpha) == z && (nan || same_bits(z, r[0])), "%s: in place not the same", what);
            EQUALS(z, op >= ADD_ALPHA && number == 0.1 ? 1e-6 : 0, want, N * M);
        }
    ct_scope_end();
}
static void operands(void)
{
    static const Types types[] = {{CT_F32, CT_F32}, {CT_F64, CT_F64}, {CT_I64, CT_I64}, {CT_BF16, CT_BF16}, {CT_F32, CT_I64}, {CT_F32, CT_F64}, {CT_BF16, CT_F32}, {CT_I64, CT_F32}};
    static const int64_t wide[] = {0, 127, 128, 129, 1000, 1100};
    for (int t = 0; t < COUNT(types); t++)
        for (int form = 0; form < FORMS; form++) {
            double number = types[t].other == CT_I64 ? 3 : t % 2 ? -0.375 : 2.5;
            for (int64_t M = 1; M <= 40; M++) operand_case(1 + (M + t) % 3, M, types[t], (Form)form, (int)(M + form) % 3, number);
            for (int k = 0; k < COUNT(wide); k++) operand_case(3, wide[k], types[t], (Form)form, k % 3, number);
            if (t < 4) operand_case(17, 1100, types[t], (Form)form, 0, number), operand_case(300, 65, types[t], (Form)form, t % 2, number);
        }
    for (int64_t M = 1; M < 200; M += 66) operand_case(3, M, types[0], NUMBER, 0, 0.1), operand_case(3, M, types[1], NUMBER, 0, 0.1);
    ct_tensor *x = ct_tensor_of(1, 2, 4); /* as a user writes it */
    CHECK_VALUES(ct_sub(8, x), 0, 7, 6, 4);
    CHECK_VALUES(ct_div(x, 2), 0, 0.5, 1, 2);
    CHECK_VALUES(ct_add(x, 10, .alpha = 2), 0, 21, 22, 24);
    CHECK_VALUES(ct_add(10, x, .alpha = 2), 0, 12, 14, 18);
    CHECK_VALUES(ct_add(ct_ones(2, 1), ct_reshape(x, 1, 3), .alpha = 3), 0, 4, 7, 13, 4, 7, 13);
    CHECK_VALUES(ct_mul_(ct_sub_(x, 1.5), 2), 0, -1, 1, 5);
    x = (ct_expand)(ct_reshape(ct_tensor_of(3, 5), 2, 1), CT_SHAPE(2, 200)); /* both operands are the same one */
    CHECK_VALUES(ct_amax(ct_add(x, x), CT_SHAPE(1), false), 0, 6, 10), CHECK_VALUES(ct_amin(ct_mul(x, x), CT_SHAPE(1), false), 0, 9, 25);
    CHECK_VALUES(ct_amax(ct_sub(x, x, .alpha = 3), CT_SHAPE(1), false), 0, -6, -10), CHECK_VALUES(ct_amin(ct_div(x, x), CT_SHAPE(1), false), 0, 1, 1);
}

/* ---- 6: masks ---- */
static void masks(void)
{
    static const int64_t sizes[] = {0, 1, 63, 64, 65, 1000, 40000, 70001};
    static const char *const name[] = {"random", "true", "false", "rarely true"};
    for (int k = 0; k < COUNT(sizes); k++)
        for (int kind = 0; kind < 4; kind++)
            for (int form = 0; form < 3; form++) { /* 1-d; two dims; two dims, not contiguous */
                int64_t n = sizes[k], cols = form && n % 5 == 0 ? 5 : 1, count = 0;
                ct_shape s = form ? CT_SHAPE(n / cols, cols) : CT_SHAPE(n);
                ct_scope_begin();
                for (int64_t i = 0; i < n; i++) values[i] = kind == 0 ? (double)pick(0, 1) : kind == 3 ? pick(0, 200) == 0 : kind == 1;
                ct_tensor *mask = input(CT_BOOL, s, form ? form - 1 : 0), *x = ct_contiguous((ct_reshape)(ct_arange(n), s)), *r[2], *y[2];
                for (int64_t i = 0; i < n; i++)
                    if (values[i] != 0) {
                        if (form) want_at[2 * count] = (double)(i / cols), want_at[2 * count + 1] = (double)(i % cols);
                        else want_at[count] = (double)i;
                        want[count++] = (double)i;
                    }
                CASE("mask of %lld, %s, form %d", (long long)n, name[kind], form);
                THREADS(3, r, (r[0] = ct_masked_select(x, mask), r[1] = ct_nonzero(mask)));
                EQUALS(r[0], 0, want, count), EQUALS(r[1], 0, want_at, count * (form ? 2 : 1));
                CHECKF(ct_dim(r[1]) == 2 && ct_size(r[1], 1) == ct_dim(mask) && ct_dtype_of(r[1]) == CT_I64, "%s: shape of nonzero", what);
                THREADS(3, y, (y[0] = ct_masked_select(ct_to(x, CT_F64), mask), y[1] = ct_nonzero(ct_to(mask, CT_F32))));
                EQUALS(y[0], 0, want, count);
                CHECKF(same_bits(r[1], y[1]), "%s: nonzero of float32", what);
                ct_scope_end();
            }
}

/* ---- 7: max pooling ---- */
typedef struct { int64_t in[2], out[2], k[2], stride[2], pad[2], dil[2]; bool adaptive; } Pool;
static void pool_naive(const Pool *p, const double *x, double *y, double *at)
{
    for (int64_t o = 0; o < p->out[0] * p->out[1]; o++) {
        int64_t place[2] = {o / p->out[1], o % p->out[1]}, begin[2], end[2], step[2], H = p->in[0], W = p->in[1];
        for (int d = 0; d < 2; d++) {
            step[d] = p->adaptive ? 1 : p->dil[d];
            begin[d] = p->adaptive ? place[d] * p->in[d] / p->out[d] : place[d] * p->stride[d] - p->pad[d];
            end[d] = p->adaptive ? ((place[d] + 1) * p->in[d] + p->out[d] - 1) / p->out[d] : begin[d] + step[d] * (p->k[d] - 1) + 1;
            while (begin[d] < 0) begin[d] += step[d];
            end[d] = end[d] < p->in[d] ? end[d] : p->in[d];
        }
        double most = -INFINITY;
        int64_t where = (begin[0] < H ? begin[0] : H - 1) * W + (begin[1] < W ? begin[1] : W - 1);
        for (int64_t h = begin[0]; h < end[0]; h += step[0])
            for (int64_t w = begin[1]; w < end[1]; w += step[1])
                if (x[h * W + w] > most || isnan(x[h * W + w])) most = x[h * W + w], where = h * W + w;
        y[o] = most, at[o] = (double)where;
    }
}
static void pool_case(Pool p, int64_t planes, ct_dtype dtype, bool up, int layout)
{
    int64_t in = p.in[0] * p.in[1];
    for (int d = 0; d < 2 && !p.adaptive; d++) {
        int64_t room = p.in[d] + 2 * p.pad[d] - p.dil[d] * (p.k[d] - 1) - 1;
        if (room < 0) return;
        p.out[d] = (room + (up ? p.stride[d] - 1 : 0)) / p.stride[d] + 1;
        if (up && (p.out[d] - 1) * p.stride[d] >= p.in[d] + p.pad[d]) p.out[d]--;
    }
    ct_scope_begin();
    for (int64_t k = 0; k < planes * in; k++) values[k] = pick(0, 30) == 0 ? NAN : pick(0, 2) == 0 ? -INFINITY : (double)pick(-5, 5);
    for (int64_t k = 0; k < in; k++) if (pick(0, 3)) values[k] = -INFINITY; /* the first plane has windows of nothing else */
    ct_tensor *x = input(dtype, CT_SHAPE(planes, 1, p.in[0], p.in[1]), layout), *r[2];
    ct_pool_opts o = {.input = x, .kernel_hw = {p.k[0], p.k[1]}, .stride_hw = {p.stride[0], p.stride[1]}, .padding_hw = {p.pad[0], p.pad[1]}, .dilation_hw = {p.dil[0], p.dil[1]},
                      .ceil_mode = up, .indices = &r[1], .ct_end_ = 0};
    CASE("%smax pool of %s (%d, %d), kernel %d %d, stride %d %d, padding %d %d, dilation %d %d, out %d %d", p.adaptive ? "adaptive " : "", ct_dtype_name(dtype), (int)p.in[0], (int)p.in[1], (int)p.k[0],
         (int)p.k[1], (int)p.stride[0], (int)p.stride[1], (int)p.pad[0], (int)p.pad[1], (int)p.dil[0], (int)p.dil[1], (int)p.out[0], (int)p.out[1]);
    for (int64_t k = 0; k < planes; k++) pool_naive(&p, values + k * in, want + k * p.out[0] * p.out[1], want_at + k * p.out[0] * p.out[1]);
    THREADS(planes * in > 16384 ? 3 : 1, r, r[0] = p.adaptive ? ct_adaptive_max_pool2d(x, p.out[0], p.out[1], &r[1]) : ct_max_pool2d_with(o));
    CHECKF(ct_size(r[0], 2) == p.out[0] && ct_size(r[0], 3) == p.out[1], "%s: gives %s", what, ct_shape_text(r[0]));
    EQUALS(r[0], 0, want, planes * p.out[0] * p.out[1]), EQUALS(r[1], 0, want_at, planes * p.out[0] * p.out[1]);
    ct_scope_end();
}
static ct_tensor *call_pool(ct_tensor *const *in, int count, void *user)
{
    ct_pool_opts o = *(ct_pool_opts *)user;
    (void)count, o.input = in[0];
    return o.kernel_size ? ct_max_pool2d_with(o) : ct_adaptive_max_pool2d(in[0], 3, 2, NULL);
}
static void pools(void)
{
    static const int64_t strides[] = {1, 2, 3, 4, 7}, widths[] = {1, 5, 17, 28, 300, 600}, heights[] = {1, 4, 9};
    int turn = 0;
    for (int64_t k = 1; k <= 5; k++) for (int s = 0; s < 5; s++) for (int64_t pad = 0; pad <= k / 2; pad++) for (int64_t d = 1; d <= 3; d++) for (int w = 0; w < 6; w++) {
        int64_t kh = 1 + (turn + w) % 4;
        Pool p = {{heights[(turn + w) % 3], widths[w]}, {0, 0}, {kh, k}, {strides[turn % 5], strides[s]}, {turn % (kh / 2 + 1), pad}, {1 + turn % 3, d}, false};
        pool_case(p, 2, turn % 2 ? CT_F64 : CT_F32, turn % 5 == 0, turn % 7 == 3);
        if (p.in[0] < 9) p.in[0] = 9, pool_case(p, 1, turn % 2 ? CT_F32 : CT_F64, false, 0);
        turn++;
    }
    static const Pool large[] = {{{40, 41}, {0, 0}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, false}, {{40, 41}, {0, 0}, {2, 2}, {2, 2}, {0, 0}, {1, 1}, false}, {{40, 600}, {0, 0}, {3, 70}, {1, 1}, {0, 9}, {1, 1}, false},
                                 {{12, 600}, {0, 0}, {3, 5}, {1, 5}, {0, 2}, {1, 100}, false}, {{40, 41}, {7, 41}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, {{5, 3}, {9, 7}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true},
                                 {{9, 300}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, {{1, 1}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}};
    for (int k = 0; k < COUNT(large); k++) for (int t = 0; t < 2; t++) pool_case(large[k], 11, t ? CT_F64 : CT_F32, false, t);
    for (int k = 1; k <= 4; k++) for (int step = k; step <= 4; step++) for (int n = 1; n <= 70; n = 3 * n + 1) for (int t = 0; t < 2; t++) { /* rows that are as one, where nobody asks for places */
        ct_scope_begin();
        ct_tensor *x = ct_to(ct_randn(3, 5, n * step), t ? CT_F64 : CT_F32), *places, *r[2];
        CASE("max_pool1d of 15 rows of %d elements, kernel %d, stride %d", n * step, k, step);
        THREADS(3, r, r[0] = ct_max_pool1d(x, k, .stride = step));
        CHECKF(same_bits(r[0], ct_max_pool1d(x, k, .stride = step, .indices = &places)), "%s: not the same without places", what);
        ct_scope_end();
    }
    ct_pool_opts grads[] = {{.kernel_size = 3, .stride = 2, .padding = 1, .ct_end_ = 0}, {.kernel_size = 2, .ct_end_ = 0}, {.kernel_size = 2, .stride = 1, .dilation = 2, .ct_end_ = 0}, {.ct_end_ = 0}};
    for (int k = 0; k < COUNT(grads); k++) check_gradients(call_pool, CT_SHAPE(1, 2, 7, 6), &grads[k]);
}

/* ---- 8: means of windows, and their gradients ---- */
typedef struct { Pool p; bool up, exclude; int64_t divisor; } Mean;
/* y: means of one plane x; gx: += the gradient g of y, shared out */
static void mean_naive(const Mean *m, const double *x, double *y, const double *g, double *gx)
{
    const Pool *p = &m->p;
    for (int64_t o = 0; o < p->out[0] * p->out[1]; o++) {
        int64_t place[2] = {o / p->out[1], o % p->out[1]}, begin[2], end[2], padded[2] = {1, 1};
        for (int d = 0; d < 2; d++) {
            begin[d] = p->adaptive ? place[d] * p->in[d] / p->out[d] : place[d] * p->stride[d] - p->pad[d];
            end[d] = p->adaptive ? ((place[d] + 1) * p->in[d] + p->out[d] - 1) / p->out[d] : begin[d] + p->k[d];
            padded[d] = (end[d] < p->in[d] + p->pad[d] ? end[d] : p->in[d] + p->pad[d]) - begin[d];
            begin[d] = begin[d] > 0 ? begin[d] : 0, end[d] = end[d] < p->in[d] ? end[d] : p->in[d];
        }
        double count = m->divisor ? (double)m->divisor : m->exclude ? (double)((end[0] - begin[0]) * (end[1] - begin[1])) : (double)(padded[0] * padded[1]);
        y[o] = 0;
        for (int64_t h = begin[0]; h < end[0]; h++)
            for (int64_t w = begin[1]; w < end[1]; w++) y[o] += x[h * p->in[1] + w] / count, gx[h * p->in[1] + w] += g[o] / count;
    }
}
static ct_tensor *call_mean(ct_tensor *x, const Mean *m)
{
    const Pool *p = &m->p;
    ct_pool_opts o = {.input = x, .kernel_hw = {p->k[0], p->k[1]}, .stride_hw = {p->stride[0], p->stride[1]}, .padding_hw = {p->pad[0], p->pad[1]}, .ceil_mode = m->up, .exclude_pad = m->exclude,
                      .divisor_override = m->divisor, .ct_end_ = 0};
    return p->adaptive ? ct_adaptive_avg_pool2d(x, p->out[0], p->out[1]) : ct_avg_pool2d_with(o);
}
static ct_tensor *mean_and_gradient(ct_tensor *x, const Mean *m, ct_tensor *g, ct_tensor **gx)
{
    ct_tensor *y = call_mean(x, m);
    *gx = y ? ct_grad(y, x, .grad_output = g) : NULL;
    return y;
}
static void mean_case(Mean m, int64_t planes, ct_dtype dtype, int layout)
{
    Pool *p = &m.p;
    int64_t in = p->in[0] * p->in[1], out;
    for (int d = 0; d < 2 && !p->adaptive; d++) {
        int64_t room = p->in[d] + 2 * p->pad[d] - p->k[d];
        if (room < 0) return;
        p->out[d] = (room + (m.up ? p->stride[d] - 1 : 0)) / p->stride[d] + 1;
        if (m.up && (p->out[d] - 1) * p->stride[d] >= p->in[d] + p->pad[d]) p->out[d]--;
    }
    out = p->out[0] * p->out[1];
    ct_scope_begin();
    for (int64_t k = 0; k < planes * out; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *g = input(dtype, CT_SHAPE(planes, 1, p->out[0], p->out[1]), layout), *r[2];
    memcpy(want_at, values, (size_t)(planes * out) * sizeof *values);
    for (int64_t k = 0; k < planes * in; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *x = ct_requires_grad_(ct_detach(input(dtype, CT_SHAPE(planes, 1, p->in[0], p->in[1]), layout)), true);
    double *y = (double *)calloc((size_t)(planes * (in + out)), sizeof *y), *gx = y + planes * out;
    for (int64_t k = 0; k < planes; k++) mean_naive(&m, values + k * in, y + k * out, want_at + k * out, gx + k * in);
    CASE("%smean pool of %s (%d, %d), kernel %d %d, stride %d %d, padding %d %d, out %d %d, %s%s divisor %d", p->adaptive ? "adaptive " : "", ct_dtype_name(dtype), (int)p->in[0], (int)p->in[1], (int)p->k[0],
         (int)p->k[1], (int)p->stride[0], (int)p->stride[1], (int)p->pad[0], (int)p->pad[1], (int)p->out[0], (int)p->out[1], m.up ? "ceil" : "", m.exclude ? " without padding" : "", (int)m.divisor);
    THREADS(planes * in > 16384 ? 3 : 1, r, r[0] = mean_and_gradient(x, &m, g, &r[1]));
    EQUALS(r[0], dtype == CT_F32 ? 2e-6 : 1e-13, y, planes * out), EQUALS(r[1], dtype == CT_F32 ? 2e-6 : 1e-13, gx, planes * in);
    free(y);
    ct_scope_end();
}
static void means(void)
{
    static const int64_t strides[] = {1, 2, 3, 7}, sizes[][2] = {{1, 5}, {7, 7}, {4, 17}, {9, 28}, {5, 1500}, {7, 1}}, adaptive[] = {1, 2, 3, 6, 7, 11};
    int turn = 0;
    for (int64_t k = 1; k <= 7; k += 2) for (int s = 0; s < 4; s++) for (int64_t pad = 0; pad <= k / 2; pad++) for (int z = 0; z < 6; z++, turn++) {
        int64_t kh = 1 + (turn + z) % 4;
        mean_case((Mean){{{sizes[z][0], sizes[z][1]}, {0, 0}, {kh, k}, {strides[turn % 4], strides[s]}, {turn % (kh / 2 + 1), pad}, {1, 1}, false}, turn % 3 == 0, turn % 2, turn % 5 ? 0 : 3}, 3, turn % 2 ? CT_F64 : CT_F32, turn % 3);
    }
    for (int a = 0; a < 6; a++) for (int b = 0; b < 6; b++) for (int z = 0; z < 6; z++, turn++)
        mean_case((Mean){{{sizes[z][0], sizes[z][1]}, {adaptive[a], adaptive[b]}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0}, 3, turn % 2 ? CT_F64 : CT_F32, turn % 3);
    static const Mean large[] = {{{{7, 7}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0}, {{{7, 7}, {0, 0}, {7, 7}, {7, 7}, {0, 0}, {1, 1}, false}, false, false, 0},
                                 {{{30, 40}, {1, 1}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0}, {{{30, 7}, {0, 0}, {5, 7}, {3, 1}, {2, 0}, {1, 1}, false}, true, true, 0},
                                 {{{13, 13}, {6, 6}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0}, {{{28, 28}, {7, 7}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0},
                                 {{{1, 3000}, {0, 0}, {1, 2000}, {1, 3}, {0, 700}, {1, 1}, false}, false, false, 0}, {{{2, 4000}, {1, 3}, {0, 0}, {0, 0}, {0, 0}, {0, 0}, true}, false, false, 0}};
    for (int k = 0; k < COUNT(large); k++) for (int t = 0; t < 2; t++) mean_case(large[k], 400 / (1 + large[k].p.in[1] / 100), t ? CT_F64 : CT_F32, t);
}

/* ---- 9: padding ---- */
static int64_t pad_source(int64_t p, int64_t n, char mode) /* by steps of one */
{
    while (mode == 'c' && p < 0) p += n;
    while (mode == 'c' && p >= n) p -= n;
    if (mode == 'r') p = p < 0 ? 0 : p >= n ? n - 1 : p;
    if (mode == 'f') p = p < 0 ? -p : p >= n ? 2 * n - 2 - p : p;
    return p;
}
static ct_tensor *pad_and_gradient(ct_pad_opts o, ct_tensor *g, ct_tensor **gx)
{
    ct_tensor *y = ct_pad_with(o);
    *gx = y && ct_requires_grad(y) ? ct_grad(y, o.input, .grad_output = g) : NULL;
    return y;
}
static void pad_case(ct_shape s, ct_shape pad, char mode, ct_dtype dtype, int layout, double value)
{
    static const char *const modes[] = {"constant", "reflect", "replicate", "circular"};
    const char *name = modes[mode == 'f' ? 1 : mode == 'r' ? 2 : mode == 'c' ? 3 : 0];
    int64_t n = test_numel(s), m;
    bool grad = dtype == CT_F32 || dtype == CT_F64;
    ct_shape out = s;
    for (int k = 0; k < pad.ndim / 2; k++) out.size[s.ndim - 1 - k] += pad.size[2 * k] + pad.size[2 * k + 1];
    m = test_numel(out);
    ct_scope_begin();
    for (int64_t k = 0; k < m; k++) values[k] = (double)pick(-9, 9);
    ct_tensor *g = grad ? input(dtype, out, layout) : NULL, *x, *r[2];
    memcpy(want_at, values, (size_t)m * sizeof *values);
    for (int64_t k = 0; k < n; k++) values[k] = dtype == CT_BOOL ? (double)pick(0, 1) : grad && !pick(0, 20) ? NAN : (double)pick(0, 9);
    x = ct_detach(input(dtype, s, layout));
    if (grad) ct_requires_grad_(x, true);
    double *gx = (double *)calloc((size_t)n + 1, sizeof *gx);
    for (int64_t k = 0; k < m; k++) {
        int64_t rest = k, at = 0, stride = 1;
        bool inside = true;
        for (int d = s.ndim - 1; d >= 0; rest /= out.size[d], stride *= s.size[d], d--) {
            int j = s.ndim - 1 - d;
            int64_t p = pad_source(rest % out.size[d] - (2 * j < pad.ndim ? pad.size[2 * j] : 0), s.size[d], mode);
            inside = inside && p >= 0 && p < s.size[d], at += p * stride;
        }
        want[k] = inside ? values[at] : value;
        if (inside) gx[at] += want_at[k];
    }
    CASE("pad of %s %s by %s, %s, layout %d", ct_dtype_name(dtype), ct_shape_text(x), ct_shape_text(ct_zeros(1, pad.size[0] + 100)), name, layout);
    ct_pad_opts o = {x, pad, name, value, 0};
    THREADS(n > 16384 ? 3 : 1, r, r[0] = pad_and_gradient(o, g, &r[1]));
    EQUALS(r[0], 0, want, m);
    if (grad) EQUALS(r[1], 0, gx, n);
    free(gx);
    ct_scope_end();
}
static void pads(void)
{
    static const ct_shape shapes_[] = {{{3, 2, 9, 7}, 4}, {{2, 40, 41, 37}, 4}, {{2, 3, 4, 5, 6}, 5}, {{4, 50}, 2}}, pads_[] = {{{1, 1, 1, 1}, 4}, {{2, 3, 3, 0}, 4}, {{0, 2}, 2}, {{3, 0}, 2}, {{1, 2, 2, 1, 1, 1}, 6}, {{-2, 3, 1, -3}, 4}, {{-6, 4}, 2}};
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_F32, CT_F16, CT_U8, CT_BOOL, CT_I64, CT_F32};
    int turn = 0;
    for (int k = 0; k < COUNT(shapes_); k++) for (int p = 0; p < COUNT(pads_); p++) for (int m = 0; m < 4; m++) for (int layout = 0; layout < 3; layout++, turn++) {
        int left = shapes_[k].ndim - pads_[p].ndim / 2;
        char mode = "\0frc"[m];
        if (left < 0 || (mode && (left < 1 || left > 2)) || (mode == 'c' && pads_[p].size[0] < 0)) continue;
        pad_case(shapes_[k], pads_[p], mode, types[turn % COUNT(types)], layout, mode || turn % 3 ? 0 : 1);
        pad_case(shapes_[k], pads_[p], mode, CT_F32, layout, 0);
    }
    pad_case(CT_SHAPE(5), CT_SHAPE(2, 1), 0, CT_F32, 0, -1), pad_case(CT_SHAPE(5), CT_SHAPE(-3, -3 + 1), 0, CT_F32, 0, 2), pad_case(CT_SHAPE(3, 0), CT_SHAPE(1, 1, 1, 1), 0, CT_F32, 0, 2);
    pad_case(CT_SHAPE(1, 4, 6), CT_SHAPE(6, 6), 'c', CT_F64, 0, 0), pad_case(CT_SHAPE(1, 4, 6), CT_SHAPE(20, 31), 'r', CT_F64, 0, 0);
}
static ct_tensor *call_pad(ct_tensor *const *in, int count, void *user)
{
    ct_pad_opts o = *(ct_pad_opts *)user;
    (void)count, o.input = in[0];
    return ct_pad_with(o);
}
static void pad_gradients(void)
{
    static const char *const modes[] = {"constant", "reflect", "replicate", "circular"};
    for (int k = 0; k < 4; k++) {
        ct_pad_opts o = {NULL, {{1, 2, 2, 0}, 4}, modes[k], 0, 0};
        check_gradients(call_pad, CT_SHAPE(1, 3, 4), &o);
    }
}

/* ---- 10: images sampled at points ---- */
static double at_pixel(const double *x, int64_t H, int64_t W, double h, double w) { return h < 0 || w < 0 || h >= (double)H || w >= (double)W ? 0 : x[(int64_t)h * W + (int64_t)w]; }
static void sample_case(int64_t N, int64_t C, int64_t H, int64_t W, int64_t h, int64_t w, ct_dtype dtype, bool border, bool align, bool nearest, int layout)
{
    static const double far_away[] = {NAN, -1e30, INFINITY, -INFINITY};
    double *unsure = want_at + N * h * w * 2; /* halfway between two pixels */
    const char *mode = nearest ? "nearest" : "bilinear", *pad = border ? "border" : "zeros";
    ct_scope_begin();
    for (int64_t k = 0; k < N * h * w * 2; k++) values[k] = pick(0, 9) ? test_uniform(-1.3, 1.3) : pick(0, 9) ? (double)pick(-1, 1) : far_away[pick(0, 3)];
    ct_tensor *grid = input(dtype, CT_SHAPE(N, h, w, 2), layout), *r[2];
    memcpy(want_at, values, (size_t)(N * h * w * 2) * sizeof *values);
    for (int64_t k = 0; k < N * C * H * W; k++) values[k] = test_uniform(-1, 1);
    if (H * W / 64 <= h * w) /* not for few points: they are summed by operators, where nothing times infinity is NaN */
        for (int64_t k = 0; k < C * H * W; k += H * W) values[k] = INFINITY; /* the first image's corners: a weight of zero is NaN, outside is not */
    ct_tensor *x = input(dtype, CT_SHAPE(N, C, H, W), layout);
    for (int64_t k = 0; k < N * C * h * w; k++) {
        int64_t q = k % (h * w) + k / (C * h * w) * h * w;
        double p[2], f[2], size[2] = {(double)H, (double)W}, sum = 0;
        unsure[k] = 0;
        for (int d = 0; d < 2; d++) {
            double g = want_at[2 * q + 1 - d];
            p[d] = align ? (g + 1) / 2 * (size[d] - 1) : ((g + 1) * size[d] - 1) / 2;
            if (border) p[d] = p[d] >= 0 ? (p[d] < size[d] - 1 ? p[d] : size[d] - 1) : 0;
            else if (!nearest && !isfinite(p[d])) sum = NAN;
            if (!(p[d] > -2)) p[d] = -2;
            if (p[d] > size[d]) p[d] = size[d];
            unsure[k] = unsure[k] || (nearest && fabs(p[d] - floor(p[d]) - 0.5) < 1e-4);
            if (nearest) p[d] = nearbyint(p[d]);
            f[d] = p[d] - floor(p[d]), p[d] = floor(p[d]);
        }
        for (int b = 0; b < (nearest ? 1 : 4); b++) {
            bool inside = p[0] + b / 2 >= 0 && p[0] + b / 2 < size[0] && p[1] + b % 2 >= 0 && p[1] + b % 2 < size[1];
            if (inside) sum += (b / 2 ? f[0] : 1 - f[0]) * (b % 2 ? f[1] : 1 - f[1]) * at_pixel(values + k / (h * w) * H * W, H, W, p[0] + b / 2, p[1] + b % 2);
        }
        want[k] = sum;
    }
    CASE("grid_sample of %s (%d, %d, %d, %d) at (%d, %d), %s, %s, align %d, layout %d", ct_dtype_name(dtype), (int)N, (int)C, (int)H, (int)W, (int)h, (int)w, mode, pad, align, layout);
    THREADS(N * C * h * w > 16384 ? 3 : 1, r, r[0] = ct_grid_sample(x, grid, .mode = mode, .padding_mode = pad, .align_corners = align));
    for (int64_t k = 0; r[0] && k < N * C * h * w; k++) if (unsure[k]) want[k] = ct_item(ct_select(ct_ravel(r[0]), 0, k));
    EQUALS(r[0], dtype == CT_F32 ? 3e-5 : 1e-12, want, N * C * h * w);
    for (int64_t k = 0; k < C * H * W; k += H * W) values[k] = 0;
    ct_tensor *y = ct_requires_grad_((ct_tensor_from)(values, CT_F64, CT_SHAPE(N, C, H, W)), true), *wide = ct_to(grid, CT_F64); /* a graph: the long way */
    ct_tensor *graph = ct_grid_sample(y, wide, .mode = mode, .padding_mode = pad, .align_corners = align), *flat = ct_grid_sample(ct_detach(y), wide, .mode = mode, .padding_mode = pad, .align_corners = align);
    CHECKF(ct_allclose(ct_detach(graph), flat, 1e-12, 1e-12, true), "%s: differs from that with a graph", what);
    ct_scope_end();
}
static void samples(void)
{
    static const int64_t sizes[][6] = {{1, 1, 1, 1, 3, 4}, {2, 3, 5, 7, 9, 11}, {1, 2, 16, 3, 1, 300}, {2, 4, 40, 41, 80, 50}, {1, 1, 2, 1, 16, 16}, {3, 2, 40, 30, 2, 2}};
    for (int k = 0; k < COUNT(sizes); k++) for (int m = 0; m < 16; m++)
        sample_case(sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3], sizes[k][4], sizes[k][5], m & 4 ? CT_F64 : CT_F32, m & 1, m >> 1 & 1, m & 8, (k + m) % 3);
}

/* ---- 11: interpolation ---- */
/* weights (out, 4) and places of one dim, as torch has them */
static void resample_naive(int64_t in, int64_t out, int kind, bool align, double *w, int64_t *at)
{
    double ratio = align ? out > 1 ? (double)(in - 1) / (double)(out - 1) : 0 : (double)in / (double)out;
    for (int64_t o = 0; o < out; o++) {
        double p = align ? (double)o * ratio : ((double)o + 0.5) * ratio - 0.5, a = -0.75;
        if (kind == 1 && p < 0) p = 0;
        int64_t base = kind == 0 ? (int64_t)floorf((float)o * (float)ratio) : (int64_t)floor(p);
        double t = p - (double)base, d0 = t + 1, d2 = 1 - t, d3 = 2 - t;
        for (int k = 0; k < 4; k++) {
            int64_t to = base - 1 + k;
            at[4 * o + k] = to < 0 ? 0 : to < in ? to : in - 1;
            w[4 * o + k] = kind == 0 ? k == 1 : kind == 1 ? (k == 1 ? 1 - t : k == 2 ? t : 0) : 0;
        }
        if (kind < 2) continue;
        w[4 * o] = ((a * d0 - 5 * a) * d0 + 8 * a) * d0 - 4 * a, w[4 * o + 3] = ((a * d3 - 5 * a) * d3 + 8 * a) * d3 - 4 * a;
        w[4 * o + 1] = ((a + 2) * t - (a + 3)) * t * t + 1, w[4 * o + 2] = ((a + 2) * d2 - (a + 3)) * d2 * d2 + 1;
    }
}
static ct_tensor *resize_and_gradient(ct_interpolate_opts o, ct_tensor *g, ct_tensor **gx)
{
    ct_tensor *y = ct_interpolate_with(o);
    *gx = y ? ct_grad(y, o.input, .grad_output = g) : NULL;
    return y;
}
static void resize_case(int64_t planes, int64_t H, int64_t W, int64_t h, int64_t w, int kind, bool align, ct_dtype dtype, int layout)
{
    static const char *const modes[] = {"nearest", "bilinear", "bicubic"};
    double *wh = (double *)calloc((size_t)(h + w) * 4, sizeof *wh), *ww = wh + 4 * h, *gx = (double *)calloc((size_t)(planes * H * W), sizeof *gx);
    int64_t *ah = (int64_t *)calloc((size_t)(h + w) * 4, sizeof *ah), *aw = ah + 4 * h;
    resample_naive(H, h, kind, align, wh, ah), resample_naive(W, w, kind, align, ww, aw);
    ct_scope_begin();
    for (int64_t k = 0; k < planes * h * w; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *g = input(dtype, CT_SHAPE(planes, 1, h, w), layout), *r[2];
    memcpy(want_at, values, (size_t)(planes * h * w) * sizeof *values);
    for (int64_t k = 0; k < planes * H * W; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *x = ct_requires_grad_(ct_detach(input(dtype, CT_SHAPE(planes, 1, H, W), layout)), true);
    for (int64_t k = 0; k < planes * h * w; k++) {
        int64_t p = k / (h * w) * H * W, i = k / w % h, j = k % w;
        want[k] = 0;
        for (int b = 0; b < 16; b++) {
            double weight = wh[4 * i + b / 4] * ww[4 * j + b % 4];
            int64_t at = p + ah[4 * i + b / 4] * W + aw[4 * j + b % 4];
            want[k] += weight * values[at], gx[at] += weight * want_at[k];
        }
    }
    CASE("%s of %s (%d, %d, %d) to (%d, %d), align %d, layout %d", modes[kind], ct_dtype_name(dtype), (int)planes, (int)H, (int)W, (int)h, (int)w, align, layout);
    ct_interpolate_opts o = {.input = x, .size = CT_SHAPE(h, w), .mode = modes[kind], .align_corners = align, .ct_end_ = 0};
    THREADS(planes * H * W > 16384 ? 3 : 1, r, r[0] = resize_and_gradient(o, g, &r[1]));
    EQUALS(r[0], dtype == CT_F32 ? 3e-6 : 1e-12, want, planes * h * w), EQUALS(r[1], dtype == CT_F32 ? 1e-5 : 1e-12, gx, planes * H * W);
    ct_scope_end();
    free(wh), free(ah), free(gx);
}
static void resizes(void)
{
    static const int64_t sizes[][4] = {{1, 1, 1, 1}, {7, 5, 3, 11}, {9, 16, 18, 32}, {40, 33, 20, 47}, {12, 70, 5, 17}, {3, 19, 3, 8}, {2, 100, 30, 100}, {30, 9, 31, 9}};
    for (int k = 0; k < COUNT(sizes); k++) for (int kind = 0; kind < 3; kind++) for (int m = 0; m < (kind ? 4 : 2); m++)
        resize_case(k == 3 ? 19 : 1 + k, sizes[k][0], sizes[k][1], sizes[k][2], sizes[k][3], kind, m & 2, m & 1 ? CT_F64 : CT_F32, (k + m) % 3);
    ct_tensor *zeros = ct_neg(ct_zeros(1, 1, 20, 20));
    for (int kind = 0; kind < 2; kind++) {
        const float *y = (const float *)ct_data(ct_interpolate(zeros, CT_SHAPE(33, 40), .mode = kind ? "bilinear" : "nearest"));
        for (int k = 0; y && k < 33 * 40; k++) CHECKF(y[k] == 0 && signbit(y[k]), "interpolated -0 is %g at %d", (double)y[k], k);
    }
}

/* ---- 12: the first of many ---- */
static const double *sorted_by;
static bool before(double a, double b) { return a < b || (b != b && a == a); }
static int by_value(const void *a, const void *b) /* then by place: stable */
{
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    return before(sorted_by[i], sorted_by[j]) ? -1 : before(sorted_by[j], sorted_by[i]) ? 1 : i < j ? -1 : i > j;
}
static void top_case(ct_shape s, int dim, ct_dtype dtype, int kind)
{
    static const int64_t counts[] = {1, 3, 7, 32, 33, 100, 5000};
    lanes(s, 1u << dim);
    int64_t n = lane.count, total = test_numel(s), *up = (int64_t *)malloc((size_t)(2 * total + 1) * sizeof *up), *down = up + total;
    if (!up) exit(1);
    ct_scope_begin();
    for (int64_t k = 0; k < total; k++) { /* many ties; none to speak of; ascending; descending; all the same */
        values[k] = kind == 0 ? (double)pick(-4, 4) : kind == 1 ? test_uniform(-1e6, 1e6) : kind == 2 ? (double)(k / 3) : kind == 3 ? (double)(total - k) / 2 : 1;
        if (dtype == CT_I32) values[k] = trunc(values[k]) + 0.0;
        else if (kind == 0 && values[k] == 0 && pick(0, 1)) values[k] = -0.0;
        if (dtype != CT_I32 && pick(0, kind == 0 ? 999 : 29999) == 0) values[k] = pick(0, 1) ? NAN : -NAN;
        if (dtype == CT_F64 && kind == 0) values[k] = 1 + (double)pick(0, 50) * 2.220446049250313e-16; /* differ in the low half alone */
    }
    ct_tensor *x = input(dtype, s, 0), *r[2];
    for (int64_t o = 0; o < lane.outputs; o++) {
        int64_t *a = up + o * n, *b = down + o * n, end = 0;
        for (int64_t k = 0; k < n; k++) a[k] = AT(o, k);
        sorted_by = values, qsort(a, (size_t)n, sizeof *a, by_value);
        for (int64_t k = n, from; k > 0; k = from) { /* groups of equals from the last on, each in its order */
            for (from = k - 1; from > 0 && !before(values[a[from - 1]], values[a[from]]);) from--;
            memcpy(b + end, a + from, (size_t)(k - from) * sizeof *a), end += k - from;
        }
    }
    for (int c = 0; c < COUNT(counts) + 2; c++) {
        int64_t k = c < COUNT(counts) ? counts[c] : c == COUNT(counts) ? n / 8 : n / 8 - 1, step = dim + 1 == s.ndim ? 1 : s.size[1];
        if (c >= COUNT(counts) && n > 100000) break;
        if (k < 1 || k > n) continue;
        for (int largest = 0; largest < 2; largest++) {
            const int64_t *order = largest ? down : up;
            for (int64_t o = 0; o < lane.outputs; o++)
                for (int64_t i = 0; i < k; i++) {
                    int64_t at = order[o * n + i], to = step == 1 ? o * k + i : i * step + o;
                    want[to] = values[at], want_at[to] = (double)((at - lane.kept[o]) / step);
                }
            CASE("topk of %s %s, kind %d, k %lld, %s", ct_dtype_name(dtype), ct_shape_text(x), kind, (long long)k, largest ? "largest" : "smallest");
            THREADS(c % 2 ? 3 : 1, r, r[0] = ct_topk(x, k, dim, largest, true, &r[1]));
            EQUALS(r[0], 0, want, k * lane.outputs), EQUALS(r[1], 0, want_at, k * lane.outputs);
        }
        for (int64_t o = 0; o < lane.outputs; o++) want[o] = values[up[o * n + k - 1]], want_at[o] = (double)((up[o * n + k - 1] - lane.kept[o]) / step);
        CASE("kthvalue of %s %s, kind %d, k %lld", ct_dtype_name(dtype), ct_shape_text(x), kind, (long long)k);
        r[0] = ct_kthvalue(x, k, dim, false, &r[1]);
        EQUALS(r[0], 0, want, lane.outputs), EQUALS(r[1], 0, want_at, lane.outputs);
    }
    for (int64_t o = 0; o < lane.outputs; o++) { /* NaN are the last in that order, and win */
        double last = values[up[o * n + n - 1]];
        want[o] = last != last ? last : values[up[o * n + (n - 1) / 2]];
    }
    CASE("median of %s %s, kind %d", ct_dtype_name(dtype), ct_shape_text(x), kind);
    THREADS(2, r, r[0] = ct_median_dim(x, dim, false, &r[1]));
    EQUALS(r[0], 0, want, lane.outputs);
    ct_scope_end();
    free(up);
}
static void tops(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I32};
    for (int t = 0; t < 3; t++) {
        for (int kind = 0; kind < 5; kind++) top_case(CT_SHAPE(kind < 2 ? 100000 : 60000), 0, types[t], kind);
        top_case(CT_SHAPE(3, 20000), 1, types[t], t % 2), top_case(CT_SHAPE(20000, 3), 0, types[t], t % 2);
    }
    static const ct_dtype narrow[] = {CT_F32, CT_F64, CT_I32, CT_F16};
    static const int64_t sizes[] = {1, 3, 10, 17, 63, 64, 65, 128, 199, 200, 1000};
    for (int t = 0; t < COUNT(narrow); t++)
        for (int k = 0; k < COUNT(sizes); k++) {
            top_case(CT_SHAPE(6, sizes[k]), 1, narrow[t], t == 3 ? 0 : (k + t) % 5), top_case(CT_SHAPE(sizes[k], 5), 0, narrow[t], t == 3 ? 0 : k % 2);
        }
    top_case(CT_SHAPE(1 << 20), 0, CT_F32, 1), top_case(CT_SHAPE(1 << 20), 0, CT_F64, 0);
}

/* ---- 13: pow, erf, gelu of float ---- */
static int64_t rank_of(float x) /* neighbours differ by one */
{
    int32_t i;
    memcpy(&i, &x, sizeof i);
    return i < 0 ? -(int64_t)(i & 0x7fffffff) : i;
}
static void close_to(double got, double expected, const char *name, double x, double y) /* two units in the last place of float; speaks on failure alone */
{
    bool nan = got != got || expected != expected;
    double e = (double)(float)expected;
    if (nan ? got != got && expected != expected : e == 0 && got == 0 ? signbit(e) == signbit(got) : llabs(rank_of((float)got) - rank_of((float)e)) <= 2) return;
    CHECKF(false, "%s: of %.9g, %.9g is %.9g, expected %.9g", name, x, y, got, e);
}
static ct_tensor *floats(const double *v, int64_t n) { return ct_to((ct_tensor_from)(v, CT_F64, CT_SHAPE(n)), CT_F32); }
static void pow_pairs(const double *x, const double *y, int64_t n, const char *name)
{
    ct_scope_begin();
    ct_tensor *r = ct_pow(floats(x, n), floats(y, n));
    bool ok = ct_copy_out(r, want, CT_F64, n);
    for (int64_t k = 0; ok && k < n; k++) close_to(want[k], pow((double)(float)x[k], (double)(float)y[k]), name, x[k], y[k]);
    CHECK(ok);
    ct_scope_end();
}
/* int64 keys near each other, around the ends of the type and of 32 bits, and far apart: sort, mode and unique against insertion */
static void near_keys(void)
{
    static const int64_t bases[] = {0, 5, -5, INT64_MIN, INT64_MAX, (int64_t)1 << 31, -((int64_t)1 << 31), (int64_t)1 << 32, INT64_MAX - ((int64_t)1 << 31)}, sizes[] = {1, 2, 17, 100, 300, 1000};
    static const double reaches[] = {3, 1e3, 2147483647.0, 2147483648.0, 4294967296.0, 1e12};
    enum { ROOM = 1000 };
    int64_t v[ROOM], order[ROOM];
    for (int b = 0; b < COUNT(bases); b++)
        for (int r = 0; r < COUNT(reaches); r++)
            for (int z = 0; z < COUNT(sizes); z++) {
                int64_t n = sizes[z], runs = 0, longest = 0, mode = 0, *at, *data;
                ct_scope_begin();
                for (int64_t k = 0; k < n; k++) {
                    int64_t step = (int64_t)test_uniform(-reaches[r], reaches[r]), i = k;
                    v[k] = (step > 0 && bases[b] > INT64_MAX - step) || (step < 0 && bases[b] < INT64_MIN - step) ? bases[b] - step : bases[b] + step;
                    for (; i > 0 && v[order[i - 1]] > v[k]; i--) order[i] = order[i - 1];
                    order[i] = k;
                }
                ct_tensor *x = ct_tensor_from(v, CT_I64, n), *y, *inverse, *counts;
                CASE("base %lld, reach %g, %lld keys", (long long)bases[b], reaches[r], (long long)n);
                y = ct_sort(x, 0, false, &inverse), data = (int64_t *)ct_data(y), at = (int64_t *)ct_data(inverse);
                for (int64_t k = 0; k < n; k++) CHECKF(data[k] == v[order[k]] && at[k] == order[k], "%s: sort at %lld", what, (long long)k);
                CHECKF(same_bits(ct_unique(x, true, NULL, NULL), y = ct_unique(x, true, &inverse, &counts)), "%s: unique depends on what is asked for", what);
                data = (int64_t *)ct_data(y), at = (int64_t *)ct_data(inverse);
                for (int64_t k = 0, from = 0; k < n; k++) {
                    if (k && v[order[k]] != v[order[k - 1]]) runs++, from = k;
                    if (k - from + 1 > longest) longest = k - from + 1, mode = v[order[k]];
                    CHECKF(runs < ct_numel(y) && data[runs] == v[order[k]] && at[order[k]] == runs && ((int64_t *)ct_data(counts))[runs] >= k - from + 1, "%s: unique at %lld", what, (long long)k);
                }
                CHECKF(ct_numel(y) == runs + 1 && ct_item_i64(ct_sum(counts)) == n, "%s: %lld distinct", what, (long long)ct_numel(y));
                CHECKF(ct_item_i64(ct_mode(x, 0, false, NULL)) == mode, "%s: mode", what);
                ct_scope_end();
            }
    uint8_t bytes[256];
    for (int k = 0; k < 256; k++) bytes[k] = (uint8_t)k;
    CHECK(ct_size(ct_nonzero(ct_tensor_from(bytes, CT_U8, 256)), 0) == 255);
}
static void powers(void)
{
    static const double corner[] = {0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 1.5, -1.5, 4, 5, 127, 128, 149, -149, -150, 1e-45, -1e-45, 1.1754943508222875e-38, 3.4028234663852886e38, -3.4028234663852886e38,
                                    16777215, -16777215, 16777216, 16777217, 8388607, 8388607.5, 4294967296.0, 1e20, -1e20, 0.99999994, 1.0000001, 0.333, 1e-20, INFINITY, -INFINITY, NAN};
    enum { N = COUNT(corner), M = 40000 };
    double *x = values, *y = want_at;
    for (int64_t k = 0; k < N * N; k++) x[k] = corner[k / N], y[k] = corner[k % N];
    pow_pairs(x, y, N * N, "corners");
    for (int64_t k = 0; k < M; k++) { /* results all over the range of float; bases close to 1; whole exponents of negative bases */
        double power = test_uniform(-125, 125);
        x[k] = exp2(power), y[k] = test_uniform(-160, 160) / power;
        if (k % 4 == 1) x[k] = 1 + test_uniform(-1e-3, 1e-3), y[k] = test_uniform(-1e5, 1e5);
        if (k % 4 == 2) x[k] = -test_uniform(0.5, 4), y[k] = (double)pick(-60, 60);
        if (k % 4 == 3) x[k] = test_uniform(0, 10), y[k] = test_uniform(-10, 10);
    }
    pow_pairs(x, y, M, "random");
    for (int e = 0; e < 12; e++) { /* numbers have paths of their own */
        static const double some[] = {0, 1, 2, 3, -1, -2, 0.5, -0.5, 4, 2.5, 1.0 / 3, 10};
        double ee = (double)(float)some[e];
        for (int64_t k = 0; k < N; k++) x[k] = (double)(float)corner[k];
        for (int64_t k = N; k < 1000; k++) x[k] = (double)(float)(test_uniform(-20, 20));
        ct_scope_begin();
        CHECK(ct_copy_out(ct_pow(floats(x, 1000), some[e]), want, CT_F64, 1000) && ct_copy_out(ct_pow(some[e], floats(x, 1000)), y, CT_F64, 1000));
        for (int64_t k = 0; k < 1000; k++) {
            double to = ee == 0.5 ? sqrt(x[k]) : ee == -0.5 ? 1 / sqrt(x[k]) : pow(x[k], ee), of = pow(ee, x[k]); /* roots of -0 and -inf as torch has them */
            close_to(want[k], to, "number as exponent", x[k], ee), close_to(y[k], of, "number as base", ee, x[k]);
        }
        ct_scope_end();
    }
    for (int64_t k = 0; k < M; k++) x[k] = (double)(float)(k < N ? corner[k] : k % 3 ? test_uniform(-6, 6) : (k % 2 ? 1 : -1) * exp2(test_uniform(-140, 3)));
    ct_scope_begin();
    CHECK(ct_copy_out(ct_erf(floats(x, M)), want, CT_F64, M) && ct_copy_out(ct_gelu(floats(x, M)), y, CT_F64, M));
    for (int64_t k = 0; k < M; k++) {
        double g = isinf(x[k]) && x[k] < 0 ? NAN : 0.5 * x[k] * erfc(-x[k] * 0.70710678118654752440); /* -inf: -inf*0, as torch */
        close_to(want[k], erf(x[k]), "erf", x[k], 0);
        if (!test_near(y[k], g, 0) && !(fabs(y[k] - g) <= 2.5e-7 * fabs(g) + 1.2e-7 * fmin(1, fabs(x[k])) + 1e-44)) CHECKF(false, "gelu(%.9g) is %.9g, expected %.9g", x[k], y[k], g);
    }
    ct_scope_end();
}

/* ---- 14: strided convolutions backward ---- */
static void conv_case(int64_t N, int64_t C, int64_t O, int64_t H, int64_t W, int64_t kernel, int64_t stride, int64_t pad, int64_t dil, ct_dtype dtype)
{
    int64_t oh = (H + 2 * pad - dil * (kernel - 1) - 1) / stride + 1, ow = (W + 2 * pad - dil * (kernel - 1) - 1) / stride + 1, n = N * C * H * W, nw = O * C * kernel * kernel, ny = N * O * oh * ow;
    ct_scope_begin();
    double *w = want_at, *g = want_at + nw, *reached = want_at + nw + ny, *size = reached + n;
    for (int64_t k = 0; k < nw + ny; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *weight = ct_to((ct_tensor_from)(values, CT_F64, CT_SHAPE(O, C, kernel, kernel)), dtype), *grad = ct_to((ct_tensor_from)(values + nw, CT_F64, CT_SHAPE(N, O, oh, ow)), dtype), *r[2];
    CHECK(ct_copy_out(weight, w, CT_F64, nw) && ct_copy_out(grad, g, CT_F64, ny));
    for (int64_t k = 0; k < n; k++) want[k] = reached[k] = size[k] = 0;
    for (int64_t k = 0; k < N * O * C; k++) for (int64_t p = 0; p < oh * ow; p++) for (int64_t t = 0; t < kernel * kernel; t++) {
        int64_t h = p / ow * stride - pad + t / kernel * dil, v = p % ow * stride - pad + t % kernel * dil, at = ((k / (O * C) * C + k % C) * H + h) * W + v;
        if (h < 0 || v < 0 || h >= H || v >= W) continue;
        double term = g[k / C * oh * ow + p] * w[k % (O * C) * kernel * kernel + t];
        want[at] += term, size[at] += fabs(term), reached[at] = 1;
    }
    CASE("conv2d's input gradient, %s (%d, %d, %d, %d), %d outputs, kernel %d, stride %d, padding %d, dilation %d", ct_dtype_name(dtype), (int)N, (int)C, (int)H, (int)W, (int)O, (int)kernel, (int)stride,
         (int)pad, (int)dil);
    ct_tensor *x = ct_requires_grad_((ct_zeros_dtype)(dtype, CT_SHAPE(N, C, H, W)), true), *y = ct_conv2d(x, weight, NULL, .stride = stride, .padding = pad, .dilation = dil);
    CHECKF(ct_size(y, 2) == oh && ct_size(y, 3) == ow, "%s: output %s", what, ct_shape_text(y));
    ct_scope_begin(); /* what is not written must show */
    for (int k = 0; k < 4; k++) (ct_full_dtype)(dtype, ct_number(NAN), CT_SHAPE(N, C, H, W));
    ct_scope_end();
    THREADS(3, r, r[0] = ct_grad(y, x, .grad_output = grad, .retain_graph = true));
    bool ok = ct_copy_out(r[0], values, CT_F64, n);
    for (int64_t k = 0; ok && k < n; k++) {
        ok = reached[k] != 0 ? fabs(values[k] - want[k]) <= (dtype == CT_F32 ? 2e-6 : 1e-14) * (size[k] + 1) : values[k] == 0;
        if (!ok) CHECKF(false, "%s: element %lld is %.17g, expected %.17g%s", what, (long long)k, values[k], want[k], reached[k] != 0 ? "" : ", which no window reaches");
    }
    CHECKF(ok, "%s", what);
    ct_scope_end();
}
static void convolutions(void)
{
    for (int t = 0; t < 2; t++)
        for (int64_t kernel = 1; kernel <= 3; kernel += 2)
            for (int64_t stride = 2; stride <= 3; stride++)
                for (int64_t pad = 0; pad <= kernel / 2; pad++) {
                    ct_dtype dtype = t ? CT_F64 : CT_F32;
                    for (int64_t size = kernel; size <= 19; size++) conv_case(1 + size % 3, 1 + size % 4, 1 + size % 5, size, 22 - size < kernel ? kernel : 22 - size, kernel, stride, pad, 1, dtype);
                    conv_case(2, 3, 5, 13, 65, kernel, stride, pad, 2, dtype), conv_case(1, 3, 4, 5, 130, kernel, stride + 2, pad, 1, dtype);
                    conv_case(3, 16, 17, 28, 28, kernel, stride, pad, 1, dtype);
                }
}

/* Sums over taps with groups, forward (y and the gradients of x, w) or transposed (x made of y): input (N, G c), weight (G o, c, k, k) */
typedef struct { int64_t N, G, c, o, H, W, k, stride, pad, dil; } Groups;
static ct_tensor *groups_and_gradients(const Groups *s, bool back, ct_tensor *x, ct_tensor *w, ct_tensor *bias, ct_tensor *g, ct_tensor **gradient)
{
    ct_tensor *in[2] = {x, w}, *r[2] = {NULL, NULL}, *y;
    if (back) y = ct_conv_transpose2d(x, w, bias, .stride = s->stride, .padding = s->pad, .dilation = s->dil, .groups = s->G);
    else y = ct_conv2d(x, w, bias, .stride = s->stride, .padding = s->pad, .dilation = s->dil, .groups = s->G);
    bool ok = y && ct_grad_many(&y, &g, 1, in, r, 2, (ct_grad_opts){.ct_end_ = 0});
    *gradient = ok ? ct_cat(0, ct_flatten(r[0], 0, -1), ct_flatten(r[1], 0, -1)) : NULL;
    return y;
}
static void group_case(Groups s, bool back, ct_dtype dtype)
{
    int64_t h = (s.H + 2 * s.pad - s.dil * (s.k - 1) - 1) / s.stride + 1, w = (s.W + 2 * s.pad - s.dil * (s.k - 1) - 1) / s.stride + 1;
    if (h < 1 || w < 1 || (back && ((h - 1) * s.stride + s.dil * (s.k - 1) + 1 - 2 * s.pad != s.H || (w - 1) * s.stride + s.dil * (s.k - 1) + 1 - 2 * s.pad != s.W))) return;
    int64_t nx = s.N * s.G * s.c * s.H * s.W, ny = s.N * s.G * s.o * h * w, nw = s.G * s.o * s.c * s.k * s.k, B = back ? s.G * s.c : s.G * s.o;
    double *x = (double *)calloc((size_t)(2 * nx + 2 * ny + 2 * nw + B), sizeof *x), *y = x + nx, *u = y + ny, *bias = u + nw, *sx = bias + B, *sy = sx + nx, *su = sy + ny;
    ct_scope_begin();
    for (int64_t k = 0; k < nx + ny + nw + B; k++) x[k] = test_uniform(-1, 1);
    if (nx > 8) x[0] = -0.0;
    ct_tensor *X = ct_to((ct_tensor_from)(x, CT_F64, CT_SHAPE(s.N, s.G * s.c, s.H, s.W)), dtype), *Y = ct_to((ct_tensor_from)(y, CT_F64, CT_SHAPE(s.N, s.G * s.o, h, w)), dtype), *r[2];
    ct_tensor *U = ct_requires_grad_(ct_to((ct_tensor_from)(u, CT_F64, CT_SHAPE(s.G * s.o, s.c, s.k, s.k)), dtype), true), *V = ct_to((ct_tensor_from)(bias, CT_F64, CT_SHAPE(B)), dtype);
    for (int64_t p = 0; p < s.N * s.G * h * w; p++) for (int64_t q = 0; q < s.o * s.c * s.k * s.k; q++) {
        int64_t n = p / (h * w), at[2] = {p / w % h * s.stride - s.pad + q / s.k % s.k * s.dil, p % w * s.stride - s.pad + q % s.k * s.dil}, c = q / (s.k * s.k) % s.c, o = q / (s.k * s.k * s.c);
        if (at[0] < 0 || at[1] < 0 || at[0] >= s.H || at[1] >= s.W) continue;
        int64_t ix = ((n * s.c + c) * s.H + at[0]) * s.W + at[1], iy = (n * s.o + o) * h * w + p % (h * w), iw = ((n % s.G * s.o + o) * s.c + c) * s.k * s.k + q % (s.k * s.k);
        sy[iy] += x[ix] * u[iw], sx[ix] += y[iy] * u[iw], su[iw] += x[ix] * y[iy];
    }
    for (int64_t k = 0; back && k < nx; k++) sx[k] += bias[k / (s.H * s.W) % B];
    for (int64_t k = 0; !back && k < ny; k++) sy[k] += bias[k / (h * w) % B];
    CASE("%s%s, %d images, %d groups of %d to %d, (%d, %d), kernel %d, stride %d, padding %d, dilation %d", back ? "transposed " : "", ct_dtype_name(dtype), (int)s.N, (int)s.G, (int)s.c, (int)s.o,
         (int)s.H, (int)s.W, (int)s.k, (int)s.stride, (int)s.pad, (int)s.dil);
    ct_requires_grad_(back ? Y : X, true);
    THREADS(3, r, r[0] = groups_and_gradients(&s, back, back ? Y : X, U, V, back ? X : Y, &r[1]));
    EQUALS(r[0], dtype == CT_F32 ? 3e-5 : 1e-12, back ? sx : sy, back ? nx : ny);
    memcpy(want, back ? sy : sx, (size_t)(back ? ny : nx) * sizeof *want), memcpy(want + (back ? ny : nx), su, (size_t)nw * sizeof *want);
    EQUALS(r[1], dtype == CT_F32 ? 1e-4 : 1e-12, want, (back ? ny : nx) + nw);
    ct_scope_end();
    free(x);
}
static void groups(void)
{
    int turn = 0;
    for (int64_t k = 1; k <= 5; k++) for (int64_t stride = 1; stride <= 3; stride++) for (int64_t pad = 0; pad <= k / 2; pad++) for (int64_t size = 5; size < 40; size += 1 + size / 3, turn++) {
        Groups s = {1 + turn % 3, 1 + turn % 4, 1 + turn % 2, 1 + turn / 2 % 3, size, 45 - size, k, stride, pad, 1 + turn % 5 / 4};
        group_case(s, false, turn % 2 ? CT_F64 : CT_F32), group_case(s, true, turn % 2 ? CT_F64 : CT_F32);
        s.W = size, group_case(s, true, turn % 2 ? CT_F32 : CT_F64);
    }
    for (int64_t k = 1; k <= 4; k++) for (int g = 1; g < 3; g++) for (int t = 0; t < 2; t++) /* one position */
        group_case((Groups){3, g, 5, 7, k, k, k, 1 + t, 0, 1}, true, t ? CT_F64 : CT_F32), group_case((Groups){17, g, 20, 33, k, k, k, 1, 0, 1}, true, CT_F32), group_case((Groups){3, g, 5, 7, k, k, k, 1 + t, 0, 1}, false, CT_F32);
    static const Groups tiles[] = { /* channels in blocks, many weights, more lines than taps, phases whose taps leave gaps or are missing, tiles across images, rows of many lengths */
        {2, 1, 100, 24, 13, 11, 3, 2, 1, 1}, {1, 1, 5, 120, 21, 23, 7, 2, 3, 1}, {3, 1, 2, 32, 20, 21, 3, 1, 0, 1}, {2, 1, 16, 40, 17, 33, 1, 2, 0, 1}, {2, 2, 64, 48, 10, 12, 3, 2, 1, 1},
        {2, 1, 4, 9, 20, 23, 3, 2, 2, 3}, {2, 3, 5, 6, 19, 22, 2, 3, 0, 1}, {70, 1, 5, 6, 9, 9, 3, 2, 1, 1}, {5, 1, 7, 17, 33, 33, 1, 1, 0, 1}, {2, 1, 9, 8, 64, 65, 3, 2, 1, 1}, {3, 1, 3, 8, 32, 32, 4, 4, 0, 1},
        {1, 1, 260, 9, 7, 7, 3, 2, 1, 1}, {2, 6, 1, 1, 9, 37, 5, 1, 2, 1}, {1, 5, 1, 1, 30, 17, 7, 1, 3, 1}, {2, 3, 2, 2, 13, 50, 4, 1, 1, 1}, {2, 9, 1, 1, 23, 46, 3, 2, 1, 1}, {1, 4, 1, 2, 6, 130, 5, 1, 2, 1}};
    for (int k = 0; k < COUNT(tiles); k++) for (int t = 0; t < 4; t++) group_case(tiles[k], t & 1, t & 2 ? CT_F64 : CT_F32);
    static const Groups there[] = { /* frames multiplied where they are: copied, as the image is, in blocks of channels, as rows that meet in the caches are not; whole channels of gradients of weights */
        {3, 1, 20, 9, 12, 30, 3, 1, 2, 2}, {2, 2, 5, 8, 11, 18, 3, 1, 0, 1}, {1, 1, 200, 8, 9, 40, 3, 1, 2, 2}, {3, 1, 20, 24, 16, 16, 1, 1, 0, 1}, {2, 1, 6, 8, 32, 32, 1, 1, 0, 1}, {2, 2, 8, 8, 28, 28, 3, 1, 1, 1},
        {3, 2, 16, 9, 9, 10, 1, 1, 0, 1}, {2, 1, 24, 20, 11, 13, 1, 2, 0, 1}};
    for (int k = 0; k < COUNT(there); k++) for (int t = 0; t < 4; t++) group_case(there[k], t & 1, t & 2 ? CT_F64 : CT_F32);
    static const Groups shared[] = { /* panels turned, sums added and turned back by several threads: of lines, of taps, of parts; rows that end within tiles */
        {3, 1, 40, 100, 12, 13, 3, 2, 1, 1}, {2, 1, 16, 200, 24, 25, 3, 2, 1, 1}, {2, 2, 3, 64, 60, 61, 7, 2, 3, 1}, {8, 1, 60, 16, 14, 14, 3, 2, 1, 1}, {5, 1, 90, 100, 7, 9, 3, 2, 1, 1}};
    for (int k = 0; k < COUNT(shared); k++) for (int t = 0; t < 4; t++) group_case(shared[k], t & 1, t & 2 ? CT_F64 : CT_F32);
    for (int s = 2; s < 4; s++) group_case((Groups){2, 1, 6, 90, 4 * s + 7, 6 * s + 5, 2 * s + 1, s, 1, 1}, true, CT_F32), group_case((Groups){1, 8, 1, 1, 5 * s + 5, 8 * s + 5, 5, s, 0, 1}, true, CT_F32);
    group_case((Groups){4, 4, 16, 16, 28, 28, 3, 1, 1, 1}, false, CT_F32), group_case((Groups){2, 40, 1, 1, 14, 14, 5, 1, 2, 1}, false, CT_F32), group_case((Groups){40, 1, 16, 9, 28, 28, 3, 2, 1, 1}, false, CT_F32);
}

/* ---- 15: gradients of many ---- */
static ct_tensor *leaf(double x) { return ct_requires_grad_(ct_to(ct_scalar(x), CT_F64), true); }
typedef struct { ct_tensor *a, *b, *h; double got[4]; int calls; } Nest;
static ct_tensor *ask(ct_tensor *g, void *user) /* another question while the first is being answered: z = a a b, d/db = a^2, d/da = 2ab */
{
    Nest *n = (Nest *)user;
    if (n->calls++) return NULL;
    ct_enable_grad_begin();
    ct_tensor *z = ct_mul(ct_mul(n->a, n->a), n->b), *in[3] = {n->b, n->a, n->b}, *r[3];
    if (n->h) z = ct_mul(n->h, 7);
    if (ct_grad_many(&z, NULL, 1, in, r, 3, (ct_grad_opts){.retain_graph = true, .ct_end_ = 0}))
        for (int k = 0; k < 3; k++) n->got[k] = ct_item(r[k]);
    ct_enable_grad_end();
    return (void)g, NULL;
}
static void nested(const char *name, int shared) /* 0: leaves of its own; 1: the leaves of the first; 2: its inner nodes, too */
{
    ct_scope_begin();
    ct_tensor *a = leaf(2), *b = leaf(3), *p = ct_mul(a, b), *q = ct_mul(a, 5), *y = ct_add(ct_square(p), q), *in[5] = {a, p, b, q, a}, *r[5] = {NULL};
    Nest n = {shared ? a : leaf(2), shared ? b : leaf(3), shared == 2 ? p : NULL, {0}, 0};
    CHECK(ct_register_hook(p, ask, &n) > 0);
    CHECKF(ct_grad_many(&y, NULL, 1, in, r, 5, (ct_grad_opts){.ct_end_ = 0}), "%s", name); /* y = (ab)^2 + 5a */
    static const double outer[] = {41, 12, 24, 1, 41}, inner[2][3] = {{4, 12, 4}, {14, 21, 14}};
    for (int k = 0; k < 5 && r[0]; k++) CHECKF(ct_item(r[k]) == outer[k], "%s: the first question's gradient %d is %g, expected %g", name, k, ct_item(r[k]), outer[k]);
    for (int k = 0; k < 3; k++) CHECKF(n.got[k] == inner[shared == 2][k], "%s: the second question's gradient %d is %g, expected %g", name, k, n.got[k], inner[shared == 2][k]);
    CHECKF(ct_grad_of(a) == NULL && ct_grad_of(b) == NULL, "%s: no trace", name);
    ct_scope_end();
}
static void gradients(void)
{
    enum { N = 200 };
    ct_tensor *in[N + 60], *r[N + 60], *y = NULL;
    ct_scope_begin();
    /* the same input twice, inputs that are not leaves, one that is the output; then once more through the graph of the answer */
    ct_tensor *x = ct_requires_grad_(ct_to(ct_tensor_of(1, 2), CT_F64), true), *h = ct_mul(x, 3), *s = ct_square(h), *list[6] = {h, x, s, x, h, NULL};
    list[5] = y = ct_sum(ct_mul(s, h)); /* 27 x^3 */
    CHECK(ct_grad_many(&y, NULL, 1, list, r, 6, (ct_grad_opts){.create_graph = true, .ct_end_ = 0}));
    CHECK_VALUES(r[0], 1e-14, 27, 108), CHECK_VALUES(r[4], 1e-14, 27, 108);
    CHECK_VALUES(r[1], 1e-14, 81, 324), CHECK_VALUES(r[3], 1e-14, 81, 324);
    CHECK_VALUES(r[2], 1e-14, 3, 6), CHECK_VALUES(r[5], 1e-14, 1);
    CHECK_VALUES(ct_grad(ct_sum(r[3]), x), 1e-14, 162, 324);
    CHECK(ct_grad_of(x) == NULL);
    /* two outputs of one node: sum(2 L) + sum(D V) */
    ct_tensor *A = ct_requires_grad_(ct_to(ct_reshape(ct_tensor_of(2, 1, 1, 5), 2, 2), CT_F64), true), *V = NULL, *L = ct_linalg_eigh(A, "L", &V), *D = ct_to(ct_reshape(ct_tensor_of(1, 2, 3, 4), 2, 2), CT_F64);
    ct_tensor *z = ct_add(ct_sum(ct_mul(L, 2)), ct_sum(ct_mul(V, D))), *both[3] = {V, L, V};
    CHECK(ct_grad_many(&z, NULL, 1, both, r, 3, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(r[0], 0, 1, 2, 3, 4), CHECK_VALUES(r[1], 0, 2, 2), CHECK_VALUES(r[2], 0, 1, 2, 3, 4);
    /* many: y = sum of k x_k^2, asked for in another order, some twice, some in the middle */
    y = NULL;
    for (int k = 0; k < N; k++) {
        ct_tensor *v = leaf(k - 50), *squared = ct_square(v), *term = ct_mul(squared, k);
        in[N - 1 - k] = v, y = y ? ct_add(y, term) : term;
        if (k % 4 == 0) in[N + k / 4] = k % 8 ? squared : v;
    }
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_grad_many(&y, NULL, 1, in, r, N + 57, (ct_grad_opts){.ct_end_ = 0})); /* at most 256 */
    CHECK(ct_grad_many(&y, NULL, 1, in, r, N + 50, (ct_grad_opts){.ct_end_ = 0}));
    for (int k = 0; k < N; k++) CHECKF(ct_item(r[N - 1 - k]) == 2.0 * k * (k - 50), "input %d of many: %g", k, ct_item(r[N - 1 - k]));
    for (int k = 0; k < N; k += 4) CHECKF(ct_item(r[N + k / 4]) == (k % 8 ? k : 2.0 * k * (k - 50)), "input %d of many, again: %g", k, ct_item(r[N + k / 4]));
    ct_scope_end();
    nested("nested, apart", 0), nested("nested, common leaves", 1), nested("nested, common nodes", 2);
}

/* ---- 16: variances of columns ---- */
static void variances(void)
{
    static const ct_shape some[] = {{{100, 1}, 2}, {{1000, 17}, 2}, {{3, 5000}, 2}, {{1, 5}, 2}, {{64, 65}, 2}, {{129, 300}, 2}, {{2, 0}, 2}, {{7, 20, 33}, 3}};
    for (int k = 0; k < COUNT(some); k++)
        for (int t = 0; t < 2; t++)
            for (int layout = 0; layout < 3; layout++)
                for (int correction = 0; correction < 2; correction++) {
                    lanes(some[k], 1);
                    ct_scope_begin();
                    for (int64_t o = 0; o < lane.outputs; o++)
                        for (int64_t i = 0; i < lane.count; i++) values[AT(o, i)] = test_uniform(-2, 2) + (o % 3 ? 100.0 * (double)(o % 11) : 0);
                    ct_tensor *x = input(t ? CT_F64 : CT_F32, some[k], layout), *r[2];
                    for (int64_t o = 0; o < lane.outputs; o++) {
                        double mean = 0, sum = 0;
                        for (int64_t i = 0; i < lane.count; i++) mean += values[AT(o, i)] / (double)lane.count;
                        for (int64_t i = 0; i < lane.count; i++) sum += (values[AT(o, i)] - mean) * (values[AT(o, i)] - mean);
                        want[o] = lane.count == 1 ? (correction ? NAN : 0) : sum / (double)(lane.count - correction);
                    }
                    CASE("var of %s %s along 0, correction %d, layout %d", ct_dtype_name(t ? CT_F64 : CT_F32), ct_shape_text(x), correction, layout);
                    THREADS(3, r, r[0] = ct_var_dims(x, CT_SHAPE(0), correction, false));
                    EQUALS(r[0], t ? 1e-12 : 2e-6, want, lane.outputs);
                    ct_scope_end();
                }
}

/* ---- 17: conversions and integers ---- */
typedef struct { bool whole; int64_t i; double d; } scalar;
static double half_of(unsigned h)
{
    int e = (int)(h >> 10 & 31), m = (int)(h & 1023);
    double x = e == 31 ? (m ? NAN : INFINITY) : e ? ldexp(1024 + m, e - 25) : ldexp(m, -24);
    return h >> 15 ? -x : x;
}
static scalar element_at(ct_tensor *t, int64_t k) /* of one that is contiguous */
{
    scalar e = {true, 0, 0};
    const char *p = (const char *)ct_data(t) + (size_t)k * ct_element_size(t);
    float f;
    uint16_t h;
    uint32_t bits;
    switch (ct_dtype_of(t)) {
    case CT_F32: memcpy(&f, p, 4), e.d = (double)f, e.whole = false; break;
    case CT_F64: memcpy(&e.d, p, 8), e.whole = false; break;
    case CT_F16: memcpy(&h, p, 2), e.d = half_of(h), e.whole = false; break;
    case CT_BF16: memcpy(&h, p, 2), bits = (uint32_t)h << 16, memcpy(&f, &bits, 4), e.d = (double)f, e.whole = false; break;
    case CT_I64: memcpy(&e.i, p, 8); break;
    case CT_I32: { int32_t v; memcpy(&v, p, 4), e.i = v; break; }
    case CT_I16: { int16_t v; memcpy(&v, p, 2), e.i = v; break; }
    case CT_I8: e.i = *(const signed char *)p; break;
    default: e.i = *(const unsigned char *)p;
    }
    return e;
}
static int64_t cut(int64_t v, ct_dtype t)
{
    return t == CT_I32 ? (int32_t)(uint32_t)v : t == CT_I16 ? (int16_t)(uint16_t)v : t == CT_I8 ? (int8_t)(uint8_t)v : t == CT_U8 ? (uint8_t)v : t == CT_BOOL ? v != 0 : v;
}
/* to the nearest of so many binary digits, ties to even; exponents from least on; beyond most: infinity */
static double nearest(double x, int digits, int least, double most)
{
    if (x == 0 || x - x != 0) return x;
    int e = ilogb(x) < least ? least : ilogb(x);
    double y = ldexp(nearbyint(ldexp(x, digits - 1 - e)), e - digits + 1);
    return fabs(y) > most ? copysign(INFINITY, x) : y;
}
static scalar converted(scalar e, ct_dtype to)
{
    scalar r = {!floating(to), 0, 0};
    double single = e.whole ? (double)(float)e.i : (double)(float)e.d, limit = to == CT_I64 ? 9223372036854775808.0 : 2147483648.0, t = trunc(e.d);
    if (to == CT_F64) r.d = e.whole ? (double)e.i : e.d;
    else if (!r.whole) r.d = to == CT_F16 ? nearest(single, 11, -14, 65504) : to == CT_BF16 ? nearest(single, 8, -126, 3.3895313892515355e38) : single;
    else if (to == CT_BOOL) r.i = e.whole ? e.i != 0 : e.d != 0;
    else r.i = cut(e.whole ? e.i : t >= -limit && t < limit ? (int64_t)t : to == CT_I64 ? INT64_MIN : INT32_MIN, to);
    return r;
}
static bool same_element(scalar a, scalar b)
{
    if (a.whole) return b.whole && a.i == b.i;
    return !b.whole && ((a.d != a.d && b.d != b.d) || (a.d == b.d && !signbit(a.d) == !signbit(b.d)));
}
/* the same elements at an offset, with gaps, or transposed */
static ct_tensor *laid(ct_tensor *t, int layout)
{
    int64_t n = ct_numel(t), rows = n % 7 ? 1 : 7;
    if (layout == 1) return ct_copy_(ct_slice(ct_zeros_dtype(ct_dtype_of(t), n + 1), 0, 1, CT_END, 1), t);
    if (layout == 2) return ct_copy_(ct_slice(ct_zeros_dtype(ct_dtype_of(t), 2 * n), 0, 0, CT_END, 2), t);
    if (layout == 3) return ct_t(ct_contiguous(ct_t(ct_reshape(t, rows, n / rows))));
    return t;
}
static ct_tensor *any_bits(ct_dtype t, int64_t n) /* all sorts of elements */
{
    static const double special[] = {0, -0.0, 1, -1, 0.5, 1.5, 2.5, -0.7, 127, 128, 255, 256, 300.5, -129, 32767, 32768, -32769, 65504, 65519, 65520, 65536, -70000, 6e-8, 2.98e-8, 2.99e-8, 8.94e-8,
                                     6.1e-5, 6.0975e-5, 2147483520, 2147483647, 2147483647.5, 2147483648.0, -2147483648.0, -2147483648.5, -2147483649.0, -2147483904.0, 3e9, -3e9, 9.2e18,
                                     9223372036854775808.0, -9223372036854775808.0, 1e19, -1e30, 3e38, 3.4e38, NAN, -NAN, INFINITY, -INFINITY, 1e-40, 16777217, 33554435, 1.00390625, 1.01171875};
    ct_tensor *x = ct_empty_dtype(t, n);
    char *p = (char *)ct_data(x);
    size_t size = ct_element_size(x);
    for (int64_t k = 0; k < n; k++) {
        uint64_t bits = (uint64_t)pick(0, UINT32_MAX) << 32 | (uint64_t)pick(0, UINT32_MAX);
        double d = k % 3 ? test_uniform(-70000, 70000) : special[k / 3 % COUNT(special)];
        float f = (float)d;
        if (size == 2 && n > 65536) bits = (uint64_t)k; /* all there are */
        else if (!floating(t) && k % 5 == 0) bits = k % 2 ? (uint64_t)1 << (8 * size - 1) : (uint64_t)pick(-2, 2);
        if (t == CT_F32 && k % 4) memcpy(&bits, &f, 4);
        if (t == CT_F64 && k % 4) memcpy(&bits, &d, 8);
        if (t == CT_BOOL) bits = bits >> 7 & 1;
        memcpy(p + (size_t)k * size, &bits, size);
    }
    return x;
}
static void check_elements(ct_tensor *y, const scalar *expected, ct_dtype dtype)
{
    if (!CHECKF(y && ct_dtype_of(y) == dtype, "%s: type", what)) return;
    y = ct_contiguous(y);
    for (int64_t k = 0; k < ct_numel(y); k++) {
        scalar e = element_at(y, k);
        if (!same_element(e, expected[k])) { CHECKF(false, "%s: element %d is %lld %g, expected %lld %g", what, (int)k, (long long)e.i, e.d, (long long)expected[k].i, expected[k].d); return; }
    }
    CHECK(true);
}
static scalar *elements;
static void convert_case(ct_dtype from, ct_dtype to, int64_t n, int layout)
{
    ct_scope_begin();
    ct_tensor *source = any_bits(from, n), *x = laid(source, layout), *r[2];
    for (int64_t k = 0; k < n; k++) elements[k] = converted(element_at(source, k), to);
    CASE("%d elements of %s to %s, layout %d", (int)n, ct_dtype_name(from), ct_dtype_name(to), layout);
    THREADS(n > 16384 ? 3 : 1, r, r[0] = ct_to(x, to));
    if (from != to) check_elements(r[0], elements, to);
    if (layout < 3 && from != to) check_elements(ct_copy_(laid(ct_zeros_dtype(to, n), 1 + layout % 2), x), elements, to);
    if (layout == 0) { /* a column and a row, each broadcast */
        for (int64_t k = 0; k < 3 * n; k++) elements[k] = converted(element_at(source, k / 3), to);
        check_elements(ct_copy_(ct_empty_dtype(to, n, 3), ct_unsqueeze(x, 1)), elements, to);
        for (int64_t k = 0; k < 3 * n; k++) elements[k] = converted(element_at(source, k % n), to);
        check_elements(ct_copy_(ct_empty_dtype(to, 3, n), x), elements, to);
    }
    ct_scope_end();
}
static const ct_dtype all_types[] = {CT_I64, CT_I32, CT_U8, CT_BOOL, CT_I16, CT_I8, CT_F32, CT_F64, CT_F16, CT_BF16};
static void conversions(void)
{
    static const int sizes[] = {1, 7, 16, 161, 193, 777, 4099};
    elements = (scalar *)calloc(3 * 70001, sizeof *elements);
    for (int f = 0; f < COUNT(all_types); f++)
        for (int t = 0; t < COUNT(all_types); t++) {
            for (int s = 0; s < COUNT(sizes); s++)
                for (int layout = 0; layout < 4; layout++) convert_case(all_types[f], all_types[t], sizes[s], layout);
            convert_case(all_types[f], all_types[t], 70001, 1);
        }
    free(elements);
}
/* a and b in 64 bits that wrap; the result is cut to its type. refused: for bool; nonzero: b */
#define WRAP(x) ((int64_t)(x))
#define UA ((uint64_t)a)
#define UB ((uint64_t)b)
#define WHOLES(X)                                                                                                     \
    X(add, WRAP(UA + UB), 0, 0) X(sub, WRAP(UA - UB), 1, 0) X(mul, WRAP(UA * UB), 0, 0) X(rsub, WRAP(UB - UA), 1, 0)  \
    X(maximum, a > b ? a : b, 0, 0) X(minimum, a < b ? a : b, 0, 0) X(clamp_min, a > b ? a : b, 0, 0) X(clamp_max, a < b ? a : b, 0, 0) \
    X(floor_divide, b == -1 ? WRAP(0 - UA) : a / b - (a % b != 0 && (a < 0) != (b < 0)), 1, 1)                        \
    X(remainder, b == -1 ? 0 : a % b + (a % b != 0 && (a < 0) != (b < 0) ? b : 0), 1, 1)                              \
    X(fmod, b == -1 ? 0 : a % b, 1, 1) X(div_trunc, b == -1 ? WRAP(0 - UA) : a / b, 1, 1)                             \
    X(eq, a == b, 0, 0) X(ne, a != b, 0, 0) X(lt, a < b, 0, 0) X(le, a <= b, 0, 0) X(gt, a > b, 0, 0) X(ge, a >= b, 0, 0) \
    X(logical_and, a && b, 0, 0) X(logical_or, a || b, 0, 0) X(logical_xor, !a != !b, 0, 0)                           \
    X(bitwise_and, a & b, 0, 0) X(bitwise_or, a | b, 0, 0) X(bitwise_xor, a ^ b, 0, 0)                                \
    X(bitwise_left_shift, UB < 64 ? WRAP(UA << b) : 0, 1, 0) X(bitwise_right_shift, a >> (UB < 64 ? b : 63), 1, 0)
#define ONES(X) /* of one operand */                                                                                  \
    X(neg, WRAP(0 - UA), 1, 0) X(abs, a < 0 ? WRAP(0 - UA) : a, 1, 0) X(sign, (a > 0) - (a < 0), 0, 0) X(relu, a < 0 ? 0 : a, 1, 0) \
    X(bitwise_not, ~a, 1, 0) X(square, WRAP(UA * UA), 1, 0) X(logical_not, !a, 0, 0)
#define CT_X(name, value, refused, nonzero) static int64_t whole_##name(int64_t a, int64_t b) { (void)b; return value; }
WHOLES(CT_X)
ONES(CT_X)
#undef CT_X
typedef struct { const char *name; ct_tensor *(*two)(ct_tensor *, ct_tensor *), *(*one)(ct_tensor *); int64_t (*whole)(int64_t, int64_t); int refused, nonzero; } whole_row;
static const whole_row whole_rows[] = {
#define CT_X(name, value, refused, nonzero) {#name, ct_##name, NULL, whole_##name, refused, nonzero},
    WHOLES(CT_X)
#undef CT_X
#define CT_X(name, value, refused, nonzero) {#name, NULL, ct_##name, whole_##name, refused, nonzero},
    ONES(CT_X)
#undef CT_X
};
static bool tells(const char *name) { return !strncmp(name, "logical", 7) || (strlen(name) == 2 && strchr("enlg", *name)); } /* bool for all */
enum { BOTH_PLAIN, BOTH_OFFSET, GAPS, TRANSPOSED, B_NUMBER, B_UNFIT, A_NUMBER, B_ROW, B_COLUMN, B_BOOL, ARRANGEMENTS };
static void whole_case(const whole_row *w, ct_dtype t, int64_t n, int arrangement)
{
    static const int64_t counts[] = {2, 0, 5, 31, -1, 7, 40, 64, 1};
    bool narrow = t == CT_U8 || t == CT_BOOL, odd = arrangement == B_UNFIT;
    int64_t rows = arrangement == B_ROW || arrangement == B_COLUMN ? 3 : 1, value = odd ? (t == CT_U8 || t == CT_I8 ? 300 : t == CT_I16 ? 70000 : t == CT_I32 ? 5000000000 : -3) : t == CT_BOOL ? 1 : 3;
    if ((t == CT_BOOL && w->refused) || (w->one && arrangement > TRANSPOSED) || (arrangement == B_BOOL && w->nonzero)) return;
    if (t == CT_BOOL && odd && !tells(w->name)) return; /* promoted */
    if (odd && w->nonzero && t != CT_U8) return;        /* torch: refused or cut; here: as int64 */
    ct_scope_begin();
    ct_tensor *a = any_bits(t, rows * n), *b = any_bits(arrangement == B_BOOL ? CT_BOOL : t, rows * n), *x, *y, *r[2];
    for (int64_t k = 0; k < rows * n && arrangement != B_BOOL && (w->nonzero || strstr(w->name, "shift")); k++) {
        int64_t v = w->nonzero ? element_at(b, k).i : counts[k % COUNT(counts)];
        if (w->nonzero && v == 0) v = narrow ? 3 : k % 2 ? -3 : -1;
        memcpy((char *)ct_data(b) + (size_t)k * ct_element_size(b), &v, ct_element_size(b)); /* the low bytes come first */
    }
    for (int64_t k = 0; k < rows * n; k++) {
        int64_t p = element_at(a, arrangement == A_NUMBER ? 0 : k).i, q = element_at(b, arrangement == B_ROW ? k % n : arrangement == B_COLUMN ? k / n : k).i;
        if (arrangement == B_NUMBER || odd) q = value;
        elements[k] = (scalar){true, cut(w->whole(arrangement == A_NUMBER ? value : p, q), tells(w->name) ? CT_BOOL : t), 0};
    }
    x = laid(a, arrangement <= TRANSPOSED ? arrangement : 0), y = laid(b, arrangement == BOTH_OFFSET ? 1 : 0);
    if (arrangement == TRANSPOSED && w->two) y = ct_reshape(b, ct_size(x, 0), ct_size(x, 1));
    if (rows > 1) x = ct_reshape(x, rows, n), y = ct_reshape(y, rows, n);
    if (arrangement == B_ROW) y = ct_slice(y, 0, 0, 1, 1);
    if (arrangement == B_COLUMN)
        for (int64_t k = 0; k < rows; k++) memcpy((char *)ct_data(b) + (size_t)k * ct_element_size(b), (char *)ct_data(b) + (size_t)(k * n) * ct_element_size(b), ct_element_size(b));
    if (arrangement == B_COLUMN) for (int64_t k = 0; k < rows * n; k++) elements[k].i = cut(w->whole(element_at(a, k).i, element_at(b, k / n).i), tells(w->name) ? CT_BOOL : t);
    if (arrangement == B_COLUMN) y = ct_reshape(ct_slice(b, 0, 0, rows, 1), rows, 1);
    if (arrangement == B_NUMBER || odd) y = t == CT_BOOL && !odd ? ct_number_bool(value) : ct_number_i64(value);
    if (arrangement == A_NUMBER) x = t == CT_BOOL ? ct_number_bool(value) : ct_number_i64(value);
    CASE("%s of %d x %d %s, arrangement %d", w->name, (int)rows, (int)n, ct_dtype_name(t), arrangement);
    THREADS(n > 16384 ? 3 : 1, r, r[0] = w->two ? w->two(x, y) : w->one(x));
    check_elements(r[0], elements, tells(w->name) ? CT_BOOL : t);
    ct_scope_end();
}
static void choices(ct_dtype t, int64_t n) /* of three operands; with a factor; in place */
{
    ct_scope_begin();
    ct_tensor *c = any_bits(CT_BOOL, n), *a = any_bits(t, n), *b = any_bits(t, n);
    CASE("three operands, %d of %s", (int)n, ct_dtype_name(t));
    for (int64_t k = 0; k < n; k++) elements[k] = element_at(element_at(c, k).i ? a : b, k);
    check_elements(ct_where(c, a, b), elements, t);
    check_elements(ct_where(laid(c, 2), laid(a, 1), b), elements, t);
    for (int64_t k = 0; k < n; k++) elements[k] = element_at(c, k).i ? element_at(a, k) : (scalar){true, t == CT_BOOL ? 1 : 7, 0};
    check_elements(ct_where(c, a, t == CT_BOOL ? ct_number_bool(true) : ct_number_i64(7)), elements, t);
    if (t != CT_BOOL) {
        for (int64_t k = 0; k < n; k++) elements[k].i = element_at(a, k).i < 3 ? 3 : element_at(a, k).i > 90 ? 90 : element_at(a, k).i;
        check_elements(ct_clamp(a, 3, 90), elements, t);
        for (int64_t k = 0; k < n; k++) elements[k].i = cut(WRAP((uint64_t)element_at(a, k).i - 3 * (uint64_t)element_at(b, k).i), t);
        check_elements(ct_sub(a, b, .alpha = 3), elements, t);
        ct_tensor *holes = laid(a, 2);
        ct_add_(ct_sub_(holes, b), b), ct_sub_(holes, laid(b, 1), .alpha = 3);
        check_elements(holes, elements, t);
        for (int64_t k = 0; k < n; k++) elements[k].i = element_at(a, k).i < element_at(b, k).i;
        ct_tensor *told = ct_zeros_dtype(CT_BOOL, 2 * n), *half = ct_slice(told, 0, 0, CT_END, 2);
        check_elements(ct_copy_(half, ct_lt(a, b)), elements, CT_BOOL);
        check_elements(ct_to(ct_lt_(ct_clone(a), b), CT_BOOL), elements, CT_BOOL);
        check_elements(ct_logical_xor_(half, ct_number_bool(false)), elements, CT_BOOL);
    }
    ct_scope_end();
}
static void integers(void)
{
    static const int sizes[] = {1, 5, 16, 100, 777, 2107, 5003};
    elements = (scalar *)calloc(40007, sizeof *elements);
    for (int t = 0; t < 6; t++) {
        for (int row = 0; row < COUNT(whole_rows); row++) {
            for (int s = 0; s < COUNT(sizes); s++)
                for (int arrangement = 0; arrangement < ARRANGEMENTS; arrangement++) whole_case(&whole_rows[row], all_types[t], sizes[s], arrangement);
            whole_case(&whole_rows[row], all_types[t], 40007, BOTH_PLAIN);
        }
        for (int s = 0; s < COUNT(sizes); s++) choices(all_types[t], sizes[s]);
    }
    free(elements);
}
/* ---- 18: reductions: rows, many short rows at once, columns, few columns, several dims, of every type ---- */
static void reduction_case(ct_shape s, unsigned bits, ct_dtype dtype, int layout)
{
    ct_shape dims = {{0}, 0};
    for (int d = 0; d < s.ndim; d++) if (bits >> d & 1) dims.size[dims.ndim++] = d;
    lanes(s, bits);
    ct_scope_begin();
    for (int64_t o = 0; o < lane.outputs; o++)
        for (int64_t k = 0; k < lane.count; k++) { /* of all kinds; zeros; one that is none; none that is zero but one; infinite; NaN */
            int64_t kind = o % 6;
            double e = kind == 1 || kind == 2 ? 0 : (double)pick(1, 6);
            if (kind == 0) e = (double)pick(floating(dtype) || dtype == CT_I64 || dtype == CT_I32 ? -6 : 0, 6);
            if (floating(dtype) && kind < 4 && kind != 1 && kind != 2) e /= 8;
            values[AT(o, k)] = e;
        }
    for (int64_t o = 0; o < lane.outputs && lane.count; o++) {
        double *e = &values[AT(o, pick(0, lane.count - 1))];
        if (o % 6 == 2) *e = 1;
        else if (o % 6 == 3) *e = 0;
        else if (floating(dtype) && o % 6 == 4) *e = pick(0, 1) ? INFINITY : -INFINITY;
        else if (floating(dtype) && o % 6 == 5) *e = pick(0, 1) ? NAN : -NAN;
    }
    ct_tensor *x = input(dtype, s, layout), *r[2];
    double *most = want_at, *least = want_at + lane.outputs, *nonzero = least + lane.outputs, *some = nonzero + lane.outputs, *all = some + lane.outputs;
    for (int64_t o = 0; o < lane.outputs; o++) {
        want[o] = nonzero[o] = 0, most[o] = -INFINITY, least[o] = INFINITY;
        for (int64_t k = 0; k < lane.count; k++) {
            double e = values[AT(o, k)];
            want[o] += e, nonzero[o] += e != 0;
            most[o] = e != e || e > most[o] ? e : most[o], least[o] = e != e || e < least[o] ? e : least[o];
        }
        some[o] = nonzero[o] != 0, all[o] = nonzero[o] == (double)lane.count;
    }
    CASE("reduction of %s %s, dims %x, layout %d", ct_dtype_name(dtype), ct_shape_text(x), bits, layout);
    double rounding = dtype == CT_F16 ? 1e-3 : dtype == CT_BF16 ? 8e-3 : dtype == CT_F32 ? 1e-6 : 0;
    THREADS(3, r, (r[0] = ct_sum_dims(x, dims, false), r[1] = ct_count_nonzero_dims(x, dims)));
    EQUALS(r[0], rounding, want, lane.outputs), EQUALS(r[1], 0, nonzero, lane.outputs);
    CHECKF(ct_dtype_of(r[0]) == (floating(dtype) ? dtype : CT_I64) && ct_dtype_of(r[1]) == CT_I64, "%s: types", what);
    if (lane.count) {
        THREADS(2, r, (r[0] = ct_amax(x, dims, false), r[1] = ct_amin(x, dims, true)));
        EQUALS(r[0], 0, most, lane.outputs), EQUALS(r[1], 0, least, lane.outputs);
        CHECKF(ct_dtype_of(r[0]) == dtype && ct_dtype_of(r[1]) == dtype, "%s: types of the extremes", what);
    }
    if (dims.ndim == 1) {
        THREADS(2, r, (r[0] = ct_any_dim(x, (int)dims.size[0], false), r[1] = ct_all_dim(x, (int)dims.size[0], true)));
        EQUALS(r[0], 0, some, lane.outputs), EQUALS(r[1], 0, all, lane.outputs);
        CHECKF(ct_dtype_of(r[0]) == (dtype == CT_U8 ? CT_U8 : CT_BOOL), "%s: type of any", what);
    } else if (lane.outputs == 1) {
        THREADS(2, r, (r[0] = ct_any(x), r[1] = ct_all(x)));
        EQUALS(r[0], 0, some, 1), EQUALS(r[1], 0, all, 1);
    }
    if (floating(dtype)) {
        for (int64_t o = 0; o < lane.outputs; o++) {
            want[o] = 0;
            for (int64_t k = 0; k < lane.count; k++) want[o] += fabs(values[AT(o, k)]);
        }
        THREADS(2, r, r[0] = ct_norm_dims(x, 1, dims, false));
        EQUALS(r[0], rounding, want, lane.outputs);
        for (int64_t o = 0; o < lane.outputs; o++) {
            want[o] = 0;
            for (int64_t k = 0; k < lane.count; k++) want[o] += values[AT(o, k)] * values[AT(o, k)];
            want[o] = sqrt(want[o]);
        }
        THREADS(2, r, r[0] = ct_norm_dims(x, 2, dims, false));
        EQUALS(r[0], rounding + 1e-15, want, lane.outputs);
    }
    ct_scope_end();
}
static void reductions(void)
{
    static const ct_shape some[] = {{{1, 700}, 2}, {{700, 1}, 2}, {{1000, 3}, 2}, {{700, 10}, 2}, {{3, 1000}, 2}, {{40, 7}, 2}, {{300, 50}, 2}, {{20, 130}, 2}, {{9, 1100}, 2},
                                    {{6, 70, 64}, 3}, {{4, 50, 300}, 3}, {{6, 9, 9}, 3}, {{2, 600, 5}, 3}, {{3, 6, 7, 8}, 4}, {{2, 3, 70, 5}, 4}, {{66000}, 1},
                                    {{40, 15}, 2}, {{40, 16}, 2}, {{150, 97}, 2}, {{7, 700}, 2}, {{33, 90}, 2}, {{3, 8, 14, 14}, 4}, {{3, 150, 17}, 3}, {{0, 5}, 2}, {{5, 0}, 2}, {{1}, 1}, {{0}, 0}};
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
    for (int k = 0; k < COUNT(some); k++)
        for (unsigned bits = 1; bits < 1u << (some[k].ndim ? some[k].ndim : 1); bits++)
            for (int t = 0; t < COUNT(types); t++)
                for (int layout = 0; layout < 4; layout++)
                    if (t < 2 || (k + (int)bits + t + layout) % 3 == 0) reduction_case(some[k], some[k].ndim ? bits : 0, types[t], layout);
}

/* ---- 19: the product of two vectors; places in sorted floats; counts ---- */
static void dots(void)
{
    static const int64_t lengths[] = {1, 2, 7, 33, 511, 512, 513, 4097, 65535, 65536, 65537, 200001};
    for (int k = 0; k < COUNT(lengths); k++)
        for (int t = 0; t < 2; t++) {
            int64_t n = lengths[k];
            double sum = 0, size = 0;
            ct_scope_begin();
            ct_tensor *x[2], *r[2];
            for (int e = 0; e < 2; e++) {
                for (int64_t i = 0; i < n; i++) values[i] = test_uniform(-2, 2);
                x[e] = input(t ? CT_F64 : CT_F32, CT_SHAPE(n), 0);
                memcpy(e ? want_at : want, values, (size_t)n * sizeof *values);
            }
            for (int64_t i = 0; i < n; i++) sum += want[i] * want_at[i], size += fabs(want[i] * want_at[i]);
            CASE("dot of %lld %s", (long long)n, t ? "doubles" : "floats");
            THREADS(3, r, (r[0] = ct_dot(x[0], x[1]), r[1] = ct_dot(x[1], x[0])));
            CHECKF(fabs(ct_item(r[0]) - sum) <= (t ? 1e-15 : 2e-7) * size, "%s: %.9g, not %.9g", what, ct_item(r[0]), sum);
            CHECKF(fabs(ct_item(ct_dot(ct_flip(x[0], 0), ct_flip(x[1], 0))) - sum) <= (t ? 1e-15 : 2e-7) * size, "%s, turned", what);
            ct_scope_end();
        }
    CHECK_VALUES(ct_dot(ct_tensor_of(INFINITY, 1), ct_tensor_of(1, 1)), 0, INFINITY);
    CHECK_VALUES(ct_dot(ct_tensor_of(INFINITY, 1), ct_tensor_of(0, 1)), 0, NAN);
    CHECK_VALUES(ct_dot(ct_zeros(0), ct_zeros(0)), 0, 0);
    for (int right = 0; right < 2; right++) {
        for (int64_t i = 0; i < 1000; i++) values[i] = (double)(i / 3) / 7;
        ct_tensor *s = input(CT_F32, CT_SHAPE(1000), 0);
        memcpy(want_at, values, 1000 * sizeof *values);
        for (int64_t i = 0; i < 500; i++) values[i] = pick(0, 1) ? want_at[pick(0, 999)] : test_uniform(-5, 60);
        values[3] = NAN, values[4] = INFINITY, values[5] = -INFINITY;
        ct_tensor *v = input(CT_F32, CT_SHAPE(500), 0);
        for (int64_t i = 0; i < 500; i++)
            for (want[i] = 0; want[i] < 1000 && !(right ? want_at[(int)want[i]] > values[i] : want_at[(int)want[i]] >= values[i]);) want[i]++;
        CASE("searchsorted, right %d", right);
        EQUALS(ct_searchsorted(s, v, right), 0, want, 500);
    }
}
/* fill: values[0..n) of a seed, so that an operand can be made again */
static void some(int64_t n, double low, double high) { for (int64_t k = 0; k < n; k++) values[k] = test_uniform(low, high); }
static ct_tensor *random_input(ct_dtype dtype, ct_shape s, int layout, double *copy)
{
    int64_t n = test_numel(s);
    if (floating(dtype)) some(n, -2, 2);
    else for (int64_t k = 0; k < n; k++) values[k] = (double)pick(-90, 90);
    ct_tensor *t = input(dtype, s, layout);
    memcpy(copy, values, (size_t)n * sizeof *copy);
    return t;
}
static double *room(int64_t n)
{
    double *p = (double *)calloc((size_t)n + 1, sizeof *p);
    if (!p) exit(1);
    return p;
}

/* Losses of pairs: value and derivative by the first operand; d the parameter. */
static double pair_loss(int loss, double x, double y, double d, double *slope)
{
    double e = x - y, a = fabs(e), s = e > 0 ? 1 : e < 0 ? -1 : 0;
    switch (loss) {
    case 0: *slope = 2 * e; return e * e;
    case 1: *slope = s; return a;
    case 2: *slope = a < d ? e / d : s; return a < d ? e * e / (2 * d) : a - d / 2;
    case 3: *slope = a < d ? e : d * s; return a < d ? e * e / 2 : d * (a - d / 2);
    default: *slope = 1 / (1 + exp(-x)) - y; return (1 - y) * x + log1p(exp(-fabs(x))) + (x < 0 ? -x : 0);
    }
}
static ct_tensor *pair_call(int loss, ct_tensor *x, ct_tensor *y, double d, ct_reduction r)
{
    return loss == 0 ? ct_mse_loss(x, y, .reduction = r) : loss == 1 ? ct_l1_loss(x, y, .reduction = r) : loss == 2 ? ct_smooth_l1_loss(x, y, .beta = d, .reduction = r)
         : loss == 3 ? ct_huber_loss(x, y, .delta = d, .reduction = r) : ct_binary_cross_entropy_with_logits(x, y, .reduction = r);
}
static ct_tensor *loss_and_gradient(int loss, ct_tensor *x, ct_tensor *y, double d, ct_reduction r, ct_tensor **result)
{
    ct_tensor *l = pair_call(loss, x, y, d, r), *g = NULL;
    ct_tensor *total = r == CT_NONE_REDUCED ? ct_sum(l) : l;
    CHECK(ct_grad_many(&total, NULL, 1, &x, &g, 1, (ct_grad_opts){0}));
    return result[0] = l, result[1] = g;
}
static void pair_case(int loss, ct_shape s, ct_dtype dtype, int layout)
{
    int64_t n = test_numel(s);
    double *x = room(n), *y = room(n), *each = room(n), *slope = room(n), d = 0.75, tolerance = dtype == CT_F64 ? 1e-12 : dtype == CT_F32 ? 3e-6 : 2e-2;
    ct_scope_begin();
    ct_tensor *a = random_input(dtype, s, layout, x), *b = random_input(dtype, s, 0, y), *r[2];
    double sum = 0;
    for (int64_t k = 0; k < n; k++) sum += each[k] = pair_loss(loss, x[k], y[k], d, &slope[k]);
    a = ct_requires_grad_(ct_detach(a), true);
    for (int reduction = CT_MEAN; reduction <= CT_NONE_REDUCED; reduction++) {
        CASE("loss %d of %s %s, layout %d, reduction %d", loss, ct_dtype_name(dtype), ct_shape_text(a), layout, reduction);
        THREADS(3, r, loss_and_gradient(loss, a, b, d, (ct_reduction)reduction, r));
        double total = reduction == CT_MEAN ? sum / (double)n : sum;
        EQUALS(r[0], tolerance, reduction == CT_NONE_REDUCED ? each : &total, reduction == CT_NONE_REDUCED ? n : 1);
        for (int64_t k = 0; k < n; k++) want[k] = slope[k] / (reduction == CT_MEAN ? (double)n : 1);
        EQUALS(r[1], tolerance, want, n);
    }
    ct_scope_end();
    free(x), free(y), free(each), free(slope);
}
static ct_tensor *smooth_l1_of(ct_tensor *const *in, int n, void *user) { return (void)n, (void)user, ct_smooth_l1_loss(in[0], ct_zeros_dtype(CT_F64, 7), .beta = 3); }
static ct_tensor *huber_of(ct_tensor *const *in, int n, void *user) { return (void)n, (void)user, ct_huber_loss(in[0], ct_zeros_dtype(CT_F64, 7), .delta = 3); }
static void pair_losses(void)
{
    static const int64_t lengths[] = {1, 15, 16, 385, 70001, 140000};
    for (int loss = 0; loss < 5; loss++) {
        for (int k = 0; k < COUNT(lengths); k++)
            for (int t = 0; t < 2; t++) pair_case(loss, CT_SHAPE(lengths[k]), t ? CT_F64 : CT_F32, 0);
        for (int layout = 0; layout < 4; layout++) pair_case(loss, CT_SHAPE(33, 29), CT_F32, layout), pair_case(loss, CT_SHAPE(5, 7), CT_BF16, layout);
    }
    ct_tensor *x = ct_tensor_of(0, INFINITY, -INFINITY, NAN, 1e30f), *zero = ct_zeros(5);
    strcpy(what, "extremes");
    EQUALS(ct_huber_loss(x, zero, .reduction = CT_NONE_REDUCED), 1e-6, ((const double[]){0, INFINITY, INFINITY, NAN, 1e30}), 5);
    EQUALS(ct_smooth_l1_loss(x, zero, .beta = 1e10, .reduction = CT_NONE_REDUCED), 1e-6, ((const double[]){0, INFINITY, INFINITY, NAN, 1e30}), 5);
    EQUALS(ct_mse_loss(ct_zeros(0), ct_zeros(0)), 0, ((const double[]){NAN}), 1);
    EQUALS(ct_mse_loss(ct_zeros(0), ct_zeros(0), .reduction = CT_SUM), 0, ((const double[]){0}), 1);
    check_gradients(smooth_l1_of, CT_SHAPE(7), NULL), check_gradients(huber_of, CT_SHAPE(7), NULL);
}

/* Label smoothing: l = (1-s) w_t (lse - x_t) + s/C sum_c w_c (lse - x_c) */
static void smoothing_case(int64_t rows, int64_t n, bool weighted, ct_dtype dtype)
{
    double *x = room(rows * n), *w = room(n), s = 0.2, loss = 0, count = 0;
    ct_scope_begin();
    ct_tensor *a = ct_requires_grad_(ct_detach(random_input(dtype, CT_SHAPE(rows, n), 0, x)), true), *target = ct_zeros_dtype(CT_I64, rows), *weight = NULL, *g = NULL, *l;
    int64_t *t = (int64_t *)ct_data(target);
    some(n, 0.1, 2);
    if (weighted) weight = input(dtype, CT_SHAPE(n), 0);
    for (int64_t c = 0; c < n; c++) w[c] = weighted ? values[c] : 1;
    for (int64_t r = 0; r < rows; r++) t[r] = r == 2 ? -100 : pick(0, n - 1), count += t[r] < 0 ? 0 : w[t[r]];
    for (int64_t r = 0; r < rows; r++) {
        double lse = 0, total = 0;
        for (int64_t c = 0; c < n; c++) lse += exp(x[r * n + c]), total += w[c];
        lse = log(lse);
        for (int64_t c = 0; c < n; c++) {
            double wt = t[r] < 0 ? 0 : w[t[r]], share = t[r] < 0 ? 0 : s / (double)n;
            loss += share * w[c] * (lse - x[r * n + c]) + (t[r] == c ? (1 - s) * wt * (lse - x[r * n + c]) : 0);
            want[r * n + c] = (((1 - s) * wt + share * total) * exp(x[r * n + c] - lse) - (t[r] == c ? (1 - s) * wt : 0) - share * w[c]) / count;
        }
    }
    loss /= count;
    CASE("cross entropy of %lld x %lld smoothed, %s", (long long)rows, (long long)n, weighted ? "weighted" : "plain");
    l = ct_cross_entropy(a, target, .weight = weight, .label_smoothing = s);
    EQUALS(l, dtype == CT_F64 ? 1e-12 : 3e-6, &loss, 1);
    CHECK(ct_grad_many(&l, NULL, 1, &a, &g, 1, (ct_grad_opts){0}));
    EQUALS(g, dtype == CT_F64 ? 1e-12 : 3e-6, want, rows * n);
    ct_scope_end();
    free(x), free(w);
}
static void smoothings(void)
{
    for (int k = 0; k < 8; k++) smoothing_case(k & 1 ? 5 : 9, k & 2 ? 11 : 1030, k & 4, CT_F32), smoothing_case(3, k & 1 ? 513 : 3, k & 4, CT_F64);
}

/* Group norm against layer norm of the groups, and gradients through both. */
static ct_tensor *grouped(ct_tensor *x, ct_tensor *w, ct_tensor *b, int64_t groups)
{
    ct_shape s = ct_shape_of(x), channels = s;
    int64_t n = ct_numel(x) / s.size[0] / groups;
    for (int d = 0; d < s.ndim; d++) if (d != 1) channels.size[d] = 1;
    ct_tensor *y = (ct_reshape)(ct_layer_norm(ct_reshape(x, s.size[0] * groups, n), CT_SHAPE(n)), s);
    if (w) y = ct_mul(y, (ct_reshape)(w, channels));
    return b ? ct_add(y, (ct_reshape)(b, channels)) : y;
}
static ct_tensor *norm_gradients(ct_tensor *y, ct_tensor *g, ct_tensor **in, int count, ct_tensor **result)
{
    CHECK(ct_grad_many(&y, &g, 1, in, result, count, (ct_grad_opts){0}));
    return y;
}
static ct_tensor *group_norm_both(ct_tensor **in, ct_tensor *g, int64_t groups, int count, ct_tensor **result)
{
    ct_tensor *y = ct_group_norm(in[0], groups, count > 1 ? in[1] : NULL, count > 2 ? in[2] : NULL), *all[3] = {NULL, NULL, NULL};
    norm_gradients(y, g, in, count, all);
    return result[0] = y, result[1] = all[count - 1];
}
static void group_norm_case(ct_shape s, int64_t groups, int count, ct_dtype dtype)
{
    double tolerance = dtype == CT_F64 ? 1e-11 : 2e-5;
    double *ignored = room(test_numel(s));
    ct_scope_begin();
    ct_tensor *in[3] = {random_input(dtype, s, 1, ignored), random_input(dtype, CT_SHAPE(s.size[1]), 0, ignored), random_input(dtype, CT_SHAPE(s.size[1]), 0, ignored)};
    ct_tensor *g = random_input(dtype, s, 0, ignored), *r[2], *all[3] = {NULL, NULL, NULL}, *wide[3];
    for (int k = 0; k < 3; k++) in[k] = ct_requires_grad_(ct_detach(in[k]), true), wide[k] = ct_requires_grad_(ct_to(ct_detach(in[k]), CT_F64), true);
    CASE("group norm of %s %s in %lld groups, %d operands", ct_dtype_name(dtype), ct_shape_text(in[0]), (long long)groups, count);
    THREADS(3, r, group_norm_both(in, g, groups, count, r));
    ct_tensor *y = norm_gradients(grouped(wide[0], count > 1 ? wide[1] : NULL, count > 2 ? wide[2] : NULL, groups), ct_to(g, CT_F64), wide, count, all);
    double *v = test_read(y);
    EQUALS(r[0], tolerance, v, ct_numel(y)), free(v);
    ct_tensor *got[3] = {NULL, NULL, NULL};
    norm_gradients(ct_group_norm(in[0], groups, count > 1 ? in[1] : NULL, count > 2 ? in[2] : NULL), g, in, count, got);
    for (int k = 0; k < count; k++) v = test_read(all[k]), EQUALS(got[k], 4 * tolerance, v, ct_numel(all[k])), free(v);
    ct_scope_end();
    free(ignored);
}
static void group_norms(void)
{
    for (int t = 0; t < 2; t++)
        for (int count = 1; count <= 3; count++) {
            ct_dtype dtype = t ? CT_F64 : CT_F32;
            group_norm_case(CT_SHAPE(3, 6, 5, 7), 3, count, dtype), group_norm_case(CT_SHAPE(2, 8, 33, 31), 8, count, dtype), group_norm_case(CT_SHAPE(5, 4, 3), 1, count, dtype);
            group_norm_case(CT_SHAPE(40, 12, 9, 16), 4, count, dtype), group_norm_case(CT_SHAPE(3, 10), 2, count, dtype);
        }
}

/* Products of all shapes that have a way of their own, of floats and integers. */
static void product_case(int64_t batch, int64_t M, int64_t K, int64_t N, ct_dtype dtype, int layout)
{
    double *a = room(batch * M * K), *b = room(batch * K * N), tolerance = dtype == CT_F64 ? 1e-12 : dtype == CT_BF16 ? 0.01 : floating(dtype) ? 5e-6 * sqrt((double)K + 1) : 0;
    ct_scope_begin();
    bool turned = layout & 2, wide = layout & 4;
    ct_tensor *x = random_input(dtype, wide ? CT_SHAPE(batch, M, K + 3) : CT_SHAPE(batch, M, K), 0, wide ? values : a), *y, *r[2];
    if (wide) { x = ct_narrow(x, 2, 2, K); ct_copy_out(ct_contiguous(x), a, CT_F64, batch * M * K); }
    if (layout & 1) x = ct_mT(ct_contiguous(ct_mT(x)));
    y = random_input(dtype, turned ? CT_SHAPE(batch, N, K) : CT_SHAPE(batch, K, N), 0, b);
    if (turned) y = ct_mT(y);
    for (int64_t p = 0; p < batch * M * N; p++) {
        int64_t n = p % N, m = p / N % M, q = p / N / M;
        want[p] = 0;
        for (int64_t k = 0; k < K; k++) want[p] += a[(q * M + m) * K + k] * b[turned ? (q * N + n) * K + k : (q * K + k) * N + n];
        if (dtype == CT_I8) want[p] = (double)(int8_t)(uint8_t)((int64_t)want[p] & 255);
    }
    CASE("%s product %lld x (%lld,%lld,%lld), layout %d", ct_dtype_name(dtype), (long long)batch, (long long)M, (long long)K, (long long)N, layout);
    THREADS(3, r, r[0] = batch == 1 ? ct_mm(ct_select(x, 0, 0), ct_select(y, 0, 0)) : ct_bmm(x, y));
    EQUALS(r[0], tolerance, want, batch * M * N);
    if (floating(dtype) && batch == 1) {
        ct_tensor *c = random_input(dtype, CT_SHAPE(N), 0, b);
        for (int64_t p = 0; p < M * N; p++) want[p] = 0.5 * want[p] - 2 * b[p % N];
        EQUALS(ct_addmm(c, ct_select(x, 0, 0), ct_select(y, 0, 0), .beta = -2, .alpha = 0.5), tolerance, want, M * N);
    }
    ct_scope_end();
    free(a), free(b);
}
static void products(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_BF16, CT_I8};
    static const int64_t few[] = {1, 2, 3, 4, 5, 9}, others[] = {1, 3, 17, 70, 300}, inner[] = {1, 2, 3, 10, 33, 130};
    for (int t = 0; t < COUNT(types); t++)
        for (int f = 0; f < COUNT(few); f++)
            for (int o = 0; o < COUNT(others); o++) {
                int64_t K = inner[(f + o + t) % COUNT(inner)];
                int layout = (f * 5 + o + t) % 8;
                product_case(1, few[f], K, others[o], types[t], layout), product_case(1, others[o], K, few[f], types[t], (layout + 3) % 8);
            }
    for (int layout = 0; layout < 8; layout++)
        for (int t = 0; t < 5; t++) {
            product_case(5, 17, 33, 65, types[t], layout), product_case(1, 70, 31, 50, types[t], layout), product_case(2, 8, 64, 48, types[t], layout);
            product_case(1, 50, 5000, 50, types[t], layout), product_case(1, 9, 1, 130, types[t], layout), product_case(1, 130, 15, 1, types[t], layout);
            product_case(7, 3, 3, 3, types[t], layout), product_case(40, 4, 5, 4, types[t], layout), product_case(3, 2, 70, 300, types[t], layout), product_case(2, 300, 130, 3, types[t], layout);
            product_case(1, 2, 300, 500, types[t], layout), product_case(1, 4, 301, 517, types[t], layout), product_case(1, 517, 301, 3, types[t], layout);
            product_case(1, 400, 2, 600, types[t], layout), product_case(1, 300, 1, 1000, types[t], layout), product_case(1, 1000, 10, 1, types[t], layout);
            if (t < 2) product_case(1, 900, 701, 1, types[t], layout), product_case(1, 1, 700, 900, types[t], layout), product_case(1, 60000, 11, 1, types[t], layout); /* in threads */
        }
}

/* Matrices of sizes around the blocks. */
static double *reflected(const double *a, int64_t m, int64_t n) /* R of A = Q R, column by column as in LAPACK */
{
    double *r = room(m * n);
    memcpy(r, a, (size_t)(m * n) * sizeof *r);
    for (int64_t c = 0; c < n && c + 1 < m; c++) {
        double norm = 0, beta, tau;
        for (int64_t i = c + 1; i < m; i++) norm += r[i * n + c] * r[i * n + c];
        if (norm == 0) continue;
        double alpha = r[c * n + c];
        beta = -copysign(sqrt(alpha * alpha + norm), alpha), tau = (beta - alpha) / beta;
        for (int64_t i = c + 1; i < m; i++) r[i * n + c] /= alpha - beta;
        for (int64_t k = c + 1; k < n; k++) {
            double t = r[c * n + k];
            for (int64_t i = c + 1; i < m; i++) t += r[i * n + c] * r[i * n + k];
            r[c * n + k] -= tau * t;
            for (int64_t i = c + 1; i < m; i++) r[i * n + k] -= tau * t * r[i * n + c];
        }
        r[c * n + c] = beta;
    }
    for (int64_t i = 0; i < m; i++) for (int64_t k = 0; k < i && k < n; k++) r[i * n + k] = 0;
    return r;
}
static double worst(ct_tensor *a, ct_tensor *b) /* the largest difference */
{
    return !a || !b ? INFINITY : ct_item(ct_max(ct_abs(ct_sub(ct_to(a, CT_F64), ct_to(b, CT_F64)))));
}
static bool orthonormal(ct_tensor *q, double e) /* columns */
{
    return q && worst(ct_matmul(ct_mT(q), q), ct_eye(ct_size(q, -1))) <= e;
}
static void qr_case(int64_t m, int64_t n, ct_dtype dtype, int layout)
{
    double *a = room(m * n), *r, e = (dtype == CT_F32 ? 2e-6 : 1e-14) * (double)(m + n);
    int64_t k = m < n ? m : n;
    ct_scope_begin();
    ct_tensor *x = random_input(dtype, CT_SHAPE(m, n), layout, a), *R, *Q = ct_linalg_qr(x, NULL, &R), *full, *U;
    CASE("qr of %s %lld x %lld", ct_dtype_name(dtype), (long long)m, (long long)n);
    r = reflected(a, m, n);
    EQUALS(R, e, r, k * n);
    CHECKF(worst(ct_matmul(Q, R), x) <= e && orthonormal(Q, e), "%s: %g", what, worst(ct_matmul(Q, R), x));
    full = ct_linalg_qr(x, "complete", &U);
    CHECKF(worst(ct_matmul(full, U), x) <= e && orthonormal(full, e), "%s, complete", what);
    free(a), free(r);
    ct_scope_end();
}
/* random; the identity; of rank 1; diagonal; tridiagonal; the identity and 1/1000 of rank 1; three values, many times each; from 1 down to 1e-17 */
static void eigh_case(int64_t n, ct_dtype dtype, int kind)
{
    double *a = room(n * n), e = (dtype == CT_F32 ? 1e-6 : 1e-14) * (double)(n + 4), most;
    ct_scope_begin();
    ct_tensor *x = random_input(dtype, CT_SHAPE(n, n), 0, a), *V, *w;
    x = kind == 0 ? ct_add(x, ct_t(x)) : kind == 1 ? ct_eye(n) : kind == 2 ? ct_matmul(ct_narrow(x, 1, 0, 1), ct_t(ct_narrow(x, 1, 0, 1))) : ct_diag(ct_select(x, 0, 0), 0);
    if (kind == 4) x = ct_add(ct_tril(ct_ones_like(x), 1), ct_neg(ct_tril(ct_ones_like(x), -2))); /* tridiagonal already */
    if (kind == 5) x = ct_add(ct_eye(n), ct_mul(ct_matmul(ct_narrow(x, 1, 0, 1), ct_t(ct_narrow(x, 1, 0, 1))), 1e-3));
    if (kind >= 6) {
        ct_tensor *Q = ct_linalg_qr(x, NULL, NULL);
        for (int64_t k = 0; k < n; k++) values[k] = kind == 6 ? (double)(k % 3) - 1 : pow(10, -17 * (double)k / (double)n);
        x = ct_matmul(ct_mul(Q, input(dtype, CT_SHAPE(n), 0)), ct_t(Q));
    }
    x = ct_to(x, dtype), most = ct_item(ct_max(ct_abs(x))) + 1e-30;
    CASE("eigh of %s %lld, kind %d", ct_dtype_name(dtype), (long long)n, kind);
    w = ct_linalg_eigh(x, NULL, &V);
    CHECKF(worst(ct_matmul(x, V), ct_mul(V, w)) <= e * most && orthonormal(V, e), "%s: %g", what, worst(ct_matmul(x, V), ct_mul(V, w)));
    CHECKF(worst(ct_linalg_eigvalsh(x, "U"), w) <= e * most && worst(ct_sort(w, 0, false, NULL), w) == 0, "%s: values", what);
    free(a);
    ct_scope_end();
}
/* float32 has a way of its own, float64 that of before: values agree, and the product is the matrix, however small the last value */
static void svd_case(int64_t m, int64_t n, double least)
{
    double *a = room(m * n);
    int64_t k = m < n ? m : n;
    ct_scope_begin();
    ct_tensor *x = random_input(CT_F64, CT_SHAPE(m, n), 0, a), *S, *Vh, *U, *wide;
    if (least >= 0) { /* from 1 down to least, in equal quotients, or, for 0, half of them 0 */
        U = ct_linalg_svd(x, false, &S, &Vh);
        for (int64_t i = 0; i < k; i++) values[i] = least > 0 ? pow(least, (double)i / (double)(k > 1 ? k - 1 : 1)) : i < (k + 1) / 2;
        x = ct_matmul(ct_mul(U, input(CT_F64, CT_SHAPE(k), 0)), Vh);
    }
    x = ct_to(x, CT_F32);
    wide = ct_linalg_svdvals(ct_to(x, CT_F64));
    double most = ct_item(ct_max(wide)), e = 2e-6 * sqrt((double)(m + n));
    CASE("svd of %lld x %lld, least %g", (long long)m, (long long)n, least);
    U = ct_linalg_svd(x, false, &S, &Vh);
    CHECKF(worst(S, wide) <= 3e-7 * most && worst(ct_linalg_svdvals(x), wide) <= 3e-7 * most, "%s: values %g", what, worst(S, wide));
    CHECKF(orthonormal(U, e) && orthonormal(ct_mT(Vh), e), "%s: not orthogonal", what);
    CHECKF(worst(ct_matmul(ct_mul(U, S), Vh), x) <= e * most, "%s: %g", what, worst(ct_matmul(ct_mul(U, S), Vh), x));
    free(a);
    ct_scope_end();
}
static void lstsq_case(int64_t m, int64_t n, int64_t r, bool deficient, ct_dtype dtype)
{
    double *a = room(m * n), *b = room(m * r);
    ct_scope_begin();
    ct_tensor *x = random_input(dtype, CT_SHAPE(m, n), 0, a), *y = random_input(dtype, CT_SHAPE(m, r), 0, b), *s, *rank, *rest, *sv;
    if (deficient) x = ct_cat(1, ct_narrow(x, 1, 0, n - 1), ct_mul(ct_narrow(x, 1, 0, 1), 2));
    CASE("lstsq of %s %lld x %lld, %d", ct_dtype_name(dtype), (long long)m, (long long)n, deficient);
    s = ct_linalg_lstsq(x, y, 0, "gelsd", &rest, &rank, &sv);
    CHECKF(worst(s, ct_matmul(ct_linalg_pinv(x, NULL, NULL, false), y)) <= (dtype == CT_F32 ? 1e-4 : 1e-11) * ct_item(ct_add(ct_max(ct_abs(s)), 1)), "%s", what);
    CHECKF(ct_item(rank) == (double)(m < n ? m : n) - (deficient && m >= n) && worst(sv, ct_linalg_svdvals(x)) == 0, "%s: rank %g", what, ct_item(rank));
    CHECKF(worst(ct_linalg_lstsq(x, y, 0, NULL, NULL, &rank, NULL), s) == 0, "%s: depends on what is asked for", what);
    CHECKF(m <= n || deficient ? !ct_numel(rest) : worst(rest, ct_sum_dim(ct_square(ct_sub(ct_matmul(x, s), y)), 0, false)) <= 1e-3 * (double)m, "%s: residuals", what);
    free(a), free(b);
    ct_scope_end();
}
static void matrices(void)
{
    static const int64_t sizes[] = {1, 2, 8, 15, 16, 17, 31, 33, 50, 64, 65, 130};
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < COUNT(sizes); k++) {
            ct_dtype dtype = t ? CT_F64 : CT_F32;
            int64_t n = sizes[k], other = sizes[(k * 5 + 3) % COUNT(sizes)];
            qr_case(n, n, dtype, k % 3), qr_case(n, other, dtype, k % 2), qr_case(300, n, dtype, 0);
            for (int kind = 0; kind < 8; kind++) eigh_case(n, dtype, kind);
            if (n > 1) lstsq_case(n, other, 3, false, dtype), lstsq_case(n + 100, n, 1 + k, false, dtype), lstsq_case(n + 7, n, 2, true, dtype);
            if (k < 3) for (int kind = 0; kind < 8; kind++) eigh_case(k == 0 ? 200 : k == 1 ? 257 : 131, dtype, kind);
            if (!t) svd_case(n, other, -1), svd_case(200, n, 1e-2), svd_case(n, 70, 1e-5), svd_case(n, n, 1e-8), svd_case(n + 30, n, 0);
        }
}

/* softmax(q k^T / sqrt(E)) v, a causal one up to its own place */
static void attention_case(int64_t B, int64_t L, int64_t S, int64_t E, int64_t V, bool causal, ct_dtype dtype, int layout)
{
    double *q = room(B * L * E), *k = room(B * S * E), *v = room(B * S * V), *p = room(S), scale = 1 / sqrt((double)E);
    ct_scope_begin();
    ct_tensor *in[3] = {random_input(dtype, CT_SHAPE(1, B, L, E), layout, q), random_input(dtype, CT_SHAPE(1, B, S, E), layout, k), random_input(dtype, CT_SHAPE(1, B, S, V), layout, v)}, *r[2];
    for (int64_t row = 0; row < B * L; row++) {
        int64_t b = row / L, seen = causal && row % L + 1 < S ? row % L + 1 : S;
        double sum = 0;
        for (int64_t s = 0; s < seen; s++) {
            double dot = 0;
            for (int64_t e = 0; e < E; e++) dot += q[row * E + e] * k[(b * S + s) * E + e];
            sum += p[s] = exp(dot * scale);
        }
        for (int64_t c = 0; c < V; c++) {
            want[row * V + c] = 0;
            for (int64_t s = 0; s < seen; s++) want[row * V + c] += p[s] / sum * v[(b * S + s) * V + c];
        }
    }
    CASE("attention of %s, %lld x %lld x %lld%s, layout %d", ct_dtype_name(dtype), (long long)B, (long long)L, (long long)S, causal ? ", causal" : "", layout);
    THREADS(3, r, r[0] = ct_scaled_dot_product_attention(in[0], in[1], in[2], .is_causal = causal));
    EQUALS(r[0], dtype == CT_F64 ? 1e-12 : 1e-5, want, B * L * V);
    in[0] = ct_requires_grad_(ct_detach(in[0]), true); /* the graph's way */
    EQUALS(ct_scaled_dot_product_attention(in[0], in[1], in[2], .is_causal = causal), dtype == CT_F64 ? 1e-12 : 1e-5, want, B * L * V);
    ct_scope_end();
    free(q), free(k), free(v), free(p);
}
static void attentions(void)
{
    static const int64_t sizes[][3] = {{1, 1, 1}, {3, 5, 9}, {2, 70, 70}, {1, 130, 65}, {2, 65, 200}, {1, 9, 1500}, {5, 33, 1}};
    for (int k = 0; k < COUNT(sizes); k++)
        for (int way = 0; way < 8; way++) attention_case(sizes[k][0], sizes[k][1], sizes[k][2], 5, 7, way & 1, way & 2 ? CT_F64 : CT_F32, way & 4 ? 1 : 0);
}

/* Samples of a batch, whose steps share the weights, against each alone. */
static void recurrences(void)
{
    enum { T = 6, I = 5 };
    static const int64_t widths[] = {1, 16, 19};
    for (int kind = 0; kind < 3; kind++)
        for (int k = 0; k < COUNT(widths); k++)
            for (int t = 0; t < 4; t++) {
                int64_t H = widths[k], N = t & 2 ? 6 : 9, G = kind == 0 ? 4 : kind == 1 ? 3 : 1;
                ct_dtype dtype = t & 1 ? CT_F64 : CT_F32;
                double *x = room(T * N * I), *ignored = room(G * H * (H + I));
                ct_scope_begin();
                ct_tensor *a = random_input(dtype, CT_SHAPE(T, N, I), 0, x), *r[2];
                ct_tensor *p[4] = {random_input(dtype, CT_SHAPE(G * H, I), 0, ignored), random_input(dtype, CT_SHAPE(G * H, H), 0, ignored), random_input(dtype, CT_SHAPE(G * H), 0, ignored), random_input(dtype, CT_SHAPE(G * H), 0, ignored)};
                ct_params params = {k == 1 ? 2 : 4, NULL, p};
                bool none = k == 1;
#define RUN(x) (kind == 0 ? ct_lstm(x, NULL, &params, .no_biases = none) : kind == 1 ? ct_gru(x, NULL, &params, .no_biases = none) : ct_rnn_tanh(x, NULL, &params, .no_biases = none))
                CASE("recurrence %d of %s, %lld wide", kind, ct_dtype_name(dtype), (long long)H);
                THREADS(3, r, r[0] = RUN(a));
                for (int64_t n = 0; n < N; n++) {
                    double *v = test_read(ct_contiguous(ct_narrow(r[0], 1, n, 1)));
                    EQUALS(RUN(ct_contiguous(ct_narrow(a, 1, n, 1))), t & 1 ? 1e-12 : 3e-5, v, T * H), free(v);
                }
#undef RUN
                ct_scope_end();
                free(x), free(ignored);
            }
}

/* Extremes so far, and where they are: the last of equals; NaN stays, the last one seen. */
static void running_case(ct_shape s, int dim, ct_dtype dtype, bool largest, int layout)
{
    bool whole = !floating(dtype);
    lanes(s, 1u << dim);
    ct_scope_begin();
    for (int64_t o = 0; o < lane.outputs; o++)
        for (int64_t k = 0; k < lane.count; k++) {
            double e = o % 3 == 0 ? (double)pick(-3, 3) : o % 3 == 1 ? (double)k : (double)pick(-100000, 100000);
            values[AT(o, k)] = !whole && pick(0, 400) == 0 ? NAN : whole ? e : e / 8;
        }
    ct_tensor *x = input(dtype, s, layout), *r[2];
    CASE("%s of %s %s along %d, layout %d", largest ? "cummax" : "cummin", ct_dtype_name(dtype), ct_shape_text(x), dim, layout);
    for (int64_t o = 0; o < lane.outputs; o++) {
        double best = 0;
        int64_t at = 0;
        for (int64_t k = 0; k < lane.count; k++) {
            double e = values[AT(o, k)];
            if (!k || e != e || (largest ? e >= best : e <= best)) best = e, at = k;
            want[AT(o, k)] = best, want_at[AT(o, k)] = (double)at;
        }
    }
    THREADS(3, r, r[0] = largest ? ct_cummax(x, dim, &r[1]) : ct_cummin(x, dim, &r[1]));
    EQUALS(r[0], 0, want, test_numel(s)), EQUALS(r[1], 0, want_at, test_numel(s));
    CHECKF(ct_dtype_of(r[0]) == dtype && ct_dtype_of(r[1]) == CT_I64, "%s: types", what);
    ct_scope_end();
}
/* The largest and the least of n numbers, and their sum without NaN: none, one of them anywhere, infinities of both signs, nothing but NaN. */
static void whole_extremes(int64_t n, ct_dtype dtype, int kind)
{
    double most = -INFINITY, least = INFINITY, sum = 0;
    ct_scope_begin();
    for (int64_t k = 0; k < n; k++) values[k] = (double)pick(-60000, 60000) / (floating(dtype) ? 8 : 1);
    if (kind == 1) values[pick(0, n - 1)] = NAN;
    if (kind == 2) values[pick(0, n - 1)] = INFINITY, values[pick(0, n - 1)] = -INFINITY;
    for (int64_t k = 0; kind == 3 && k < n; k++) values[k] = NAN;
    ct_tensor *x = ct_requires_grad_(input(dtype, CT_SHAPE(n), 0), floating(dtype)), *r[2];
    for (int64_t k = 0; k < n; k++) {
        double e = values[k];
        most = most != most || e > most || e != e ? (most != most ? most : e) : most, least = least != least || e < least || e != e ? (least != least ? least : e) : least;
        sum += e == e ? e : 0;
    }
    CASE("extremes of %lld %s, kind %d", (long long)n, ct_dtype_name(dtype), kind);
    THREADS(3, r, (r[0] = ct_max(x), r[1] = ct_min(x)));
    EQUALS(r[0], 0, &most, 1), EQUALS(r[1], 0, &least, 1);
    THREADS(3, r, r[0] = ct_nansum(x));
    EQUALS(r[0], dtype == CT_F32 ? 1e-6 : 1e-14, &sum, 1);
    if (floating(dtype)) {
        ct_tensor *g = ct_grad(r[0], x);
        for (int64_t k = 0; k < n; k++) want[k] = values[k] == values[k];
        EQUALS(g, 0, want, n);
        sum /= kind == 3 ? 0.0 : (double)(n - (kind == 1));
        if (n > 1 || kind != 1) EQUALS(ct_nanmean(x), dtype == CT_F32 ? 1e-6 : 1e-14, &sum, 1);
    }
    ct_scope_end();
}
static void running_extremes(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_BF16};
    static const int64_t lengths[] = {1, 2, 7, 8, 9, 31, 32, 33, 63, 71, 1000, 4095, 4096, 4097, 70001};
    for (int t = 0; t < COUNT(types); t++) {
        for (int k = 0; k < COUNT(shapes); k++)
            for (int d = 0; t < 4 && d < shapes[k].ndim; d++)
                for (int layout = 0; layout < 4; layout += 1 + (k + d + t) % 3)
                    if (shapes[k].size[d]) running_case(shapes[k], d, types[t], (k + d + layout) % 2, layout);
        for (int k = 0; k < COUNT(lengths) && t < 4; k++)
            for (int kind = 0; kind < (floating(types[t]) ? 4 : 1); kind++) whole_extremes(lengths[k], types[t], kind);
    }
    for (int t = 0; t < 2; t++)
        for (int k = 0; k < COUNT(lengths); k++) {
            double sum = 0, size = 0;
            ct_scope_begin();
            for (int64_t i = 0; i < lengths[k]; i++) values[i] = test_uniform(-3, 4);
            ct_tensor *x = input(t ? CT_F16 : CT_BF16, CT_SHAPE(lengths[k]), 0), *r[2];
            for (int64_t i = 0; i < lengths[k]; i++) sum += values[i], size += fabs(values[i]);
            CASE("sum of %lld %s", (long long)lengths[k], t ? "float16" : "bfloat16");
            THREADS(3, r, r[0] = ct_sum(x));
            CHECKF(fabs(ct_item(r[0]) - sum) <= fabs(sum) * (t ? 5e-4 : 4e-3) + 1e-6 * size || (t && isinf(ct_item(r[0])) && sum > 65504), "%s: %g, not %g", what, ct_item(r[0]), sum);
            ct_scope_end();
        }
    for (int k = 0; k < 5; k++) {
        static const double ranges[5][3] = {{0, 1000, 1}, {-3.5, 9.25, 0.3}, {7, -20, -1}, {0, 1e6, 999.5}, {5, 5, 1}};
        for (int t = 0; t < COUNT(types); t++) {
            double first = ranges[k][0], step = ranges[k][2];
            if (types[t] == CT_I64 ? trunc(step) == 0 : types[t] == CT_I32 && trunc(step) == 0) continue;
            ct_tensor *x = ct_arange_dtype(types[t], first, ranges[k][1], step);
            if (!floating(types[t])) first = trunc(first), step = trunc(step);
            int64_t n = ct_numel(x);
            for (int64_t i = 0; i < n; i++) want[i] = first + (double)i * step;
            CASE("arange %d of %s", k, ct_dtype_name(types[t]));
            EQUALS(x, types[t] == CT_BF16 ? 4e-3 : types[t] == CT_F32 ? 6e-8 : 0, want, n);
        }
    }
    CHECK_VALUES(ct_nansum_dims(ct_ones(2, 0), CT_SHAPE(1), false), 0, 0, 0);
    CHECK_VALUES(ct_nansum_dims(ct_reshape(ct_tensor_of(1, NAN, 3, 4), 2, 2), CT_SHAPE(1), false), 0, 1, 7);
    CHECK_VALUES(ct_nanmean_dims(ct_reshape(ct_tensor_of(1, NAN, 3, 4), 2, 2), CT_SHAPE(1), false), 0, 1, 3.5);
}

/* Functions whose loops are quick for moderate arguments, or choose among several formulas: all sorts of arguments among each other. */
static void functions(void)
{
    static const int64_t lengths[] = {1, 15, 16, 63, 64, 65, 1000, 40000};
    static const double special[] = {0, -0.0, 1, 2, -1, -2.5, 3, -3, 0.5, 1e-30, -1e-30, 170, 1e10, -3.75, 8, 7.9990234375, 2.5, 1e15, 22, INFINITY, -INFINITY, NAN, 999999, -1e6, 1e22};
    for (int k = 0; k < COUNT(lengths); k++)
        for (int t = 0; t < 2; t++) {
            int64_t n = lengths[k];
            double tolerance = t ? 1e-14 : 4e-7;
            ct_scope_begin();
            for (int64_t i = 0; i < n; i++) values[i] = pick(0, 60) ? test_uniform(-30, 30) : special[pick(0, COUNT(special) - 1)];
            for (int64_t i = 0; i < 25 && n == 1000; i++) values[i * 40 + 7] = special[i];
            ct_tensor *x = input(t ? CT_F64 : CT_F32, CT_SHAPE(n), 0), *r[2];
            CASE("functions of %lld %s", (long long)n, t ? "doubles" : "floats");
            THREADS(3, r, (r[0] = ct_sin(x), r[1] = ct_cos(x)));
            for (int64_t i = 0; i < n; i++) want[i] = sin(values[i]), want_at[i] = cos(values[i]);
            EQUALS(r[0], tolerance, want, n), EQUALS(r[1], tolerance, want_at, n);
            THREADS(3, r, (r[0] = ct_erf(x), r[1] = ct_sigmoid(x)));
            for (int64_t i = 0; i < n; i++) want[i] = erf(values[i]), want_at[i] = 1 / (1 + exp(-values[i]));
            EQUALS(r[0], tolerance, want, n), EQUALS(r[1], tolerance, want_at, n);
            THREADS(3, r, (r[0] = ct_lgamma(x), r[1] = ct_logaddexp(x, ct_neg(x))));
            for (int64_t i = 0; i < n; i++) want[i] = lgamma(values[i]), want_at[i] = isinf(values[i]) ? INFINITY : fabs(values[i]) + log1p(exp(-2 * fabs(values[i])));
            EQUALS(r[0], tolerance, want, n), EQUALS(r[1], tolerance, want_at, n);
            ct_tensor *leaf = ct_requires_grad_(ct_detach(x), true);
            THREADS(3, r, r[0] = ct_grad(ct_sum(ct_gelu(leaf)), leaf));
            for (int64_t i = 0; i < n; i++) want[i] = erfc(-values[i] * 0.70710678118654752440) / 2 + values[i] * exp(-values[i] * values[i] / 2) * 0.39894228040143267794;
            EQUALS(r[0], tolerance, want, n);
            ct_tensor *up = ct_add(x, 1.0), *step = ct_sub(ct_digamma(up), ct_digamma(x)); /* psi(x+1) = psi(x) + 1/x, far from the poles */
            ct_tensor *fit = ct_logical_and(ct_gt(ct_abs(ct_sub(x, ct_round(x))), 0.01), ct_lt(ct_abs(x), 31.0));
            double off = ct_item(ct_max(ct_abs(ct_where(fit, ct_sub(step, ct_reciprocal(x)), ct_number(0)))));
            CHECKF(off < (t ? 1e-11 : 1e-3), "%s: digamma is off by %g", what, off);
            ct_scope_end();
        }
}

/* Results lie as PyTorch's do: strides from torch 2.15 */
static void lies(ct_tensor *y, const char *expected, const char *name)
{
    char text[128];
    int n = snprintf(text, sizeof text, "(");
    for (int d = 0; d < ct_dim(y); d++) n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", d ? ", " : "", (long long)ct_stride(y, d));
    snprintf(text + n, sizeof text - (size_t)n, ")");
    CHECKF(!strcmp(text, expected), "%s has strides %s, expected %s", name, text, expected);
}
/* f of operands of all layouts: values as of contiguous ones, and the gradients, too; from 16384 elements on with tiles and threads */
static ct_tensor *chain(ct_tensor *const *in, int which)
{
    switch (which) {
    case 0: return ct_add(in[0], in[1]);
    case 1: return ct_where(ct_gt(in[1], 0.5), in[0], in[2]);
    case 2: return ct_expr("a*b + exp(-a)*c", in[0], in[1], in[2]);
    case 3: return ct_addcmul(in[2], in[0], in[1], 0.5);
    case 4: return ct_to(ct_to(in[0], CT_I32), CT_F16);
    default: return ct_lgamma(ct_add(ct_mul(in[0], in[2]), 1.5)); /* its derivative is a program */
    }
}
static void order_case(const ct_shape *s, const int *layout, int which)
{
    ct_tensor *in[3], *dense[3], *r[2], *g[2] = {NULL, NULL};
    ct_scope_begin();
    for (int k = 0; k < 3; k++) {
        int64_t n = test_numel(s[k]);
        for (int64_t j = 0; j < n; j++) values[j] = test_uniform(0.1, 2);
        dense[k] = input(CT_F32, s[k], 0), in[k] = input(CT_F32, s[k], layout[k]);
    }
    CASE("chain %d of %s, %s, %s in layouts %d %d %d", which, ct_shape_text(in[0]), ct_shape_text(in[1]), ct_shape_text(in[2]), layout[0], layout[1], layout[2]);
    for (int d = 0; d < 2; d++) {
        ct_tensor **t = d ? dense : in, *x = t[0] = ct_requires_grad_(ct_detach(t[0]), which != 4);
        THREADS(ct_numel(x) > 16384 ? 3 : 1, r, (ct_set_grad(x, NULL), r[0] = chain(t, which), r[1] = which == 4 ? r[0] : (ct_backward(ct_sum(ct_mul(r[0], t[1]))), ct_clone(ct_grad_of(x)))));
        CHECKF(d || which == 4 || ct_is_contiguous(r[1]) == (layout[0] != 1 || ct_dim(x) < 2), "%s: a gradient lies as its leaf", what);
        if (!d) g[0] = ct_keep(ct_contiguous(ct_detach(r[0]))), g[1] = ct_contiguous(ct_detach(r[1]));
        else CHECKF(ct_allclose(g[0], ct_detach(r[0]), 2e-6, 1e-6, false) && ct_allclose(g[1], ct_detach(r[1]), 2e-6, 1e-6, false), "%s: another result than of contiguous operands", what);
    }
    ct_scope_end();
}
static void orders(void)
{
    ct_tensor *b = ct_reshape(ct_arange(0., 12., 1.), 3, 4), *a = ct_t(ct_reshape(b, 4, 3)), *row = ct_arange(0., 4., 1.), *col = ct_reshape(ct_arange(0., 3., 1.), 3, 1);
    ct_tensor *images = ct_reshape(ct_arange(0., 120., 1.), 2, 3, 4, 5), *n = ct_permute(ct_reshape(images, 2, 4, 5, 3), 0, 3, 1, 2), *c1 = ct_reshape(col, 3, 1, 1);
    ct_tensor *gaps = ct_slice(ct_t(ct_reshape(ct_arange(0., 24., 1.), 4, 6)), 0, 1, 4, 1), *spread = ct_expand(row, 3, 4);
    ct_tensor *p = ct_permute(ct_reshape(ct_arange(0., 60., 1.), 3, 4, 5), 2, 0, 1), *part = ct_slice(ct_slice(n, 2, 0, 4, 2), 3, 1, 5, 1);
    lies(ct_exp(a), "(1, 3)", "exp(a)"), lies(ct_add(a, a), "(1, 3)", "a + a"), lies(ct_add(a, b), "(1, 3)", "a + b"), lies(ct_add(b, a), "(4, 1)", "b + a");
    lies(ct_add(a, row), "(1, 3)", "a + row"), lies(ct_add(row, a), "(1, 3)", "row + a"), lies(ct_mul(a, col), "(1, 3)", "a * col"), lies(ct_mul(a, 2), "(1, 3)", "a * 2");
    lies(ct_neg(gaps), "(1, 3)", "neg(gaps)"), lies(ct_add(gaps, b), "(1, 3)", "gaps + b"), lies(ct_add(spread, a), "(1, 3)", "spread + a"), lies(ct_clone(spread), "(4, 1)", "clone(spread)");
    lies(ct_where(ct_gt(b, 3), a, b), "(4, 1)", "where(b, a, b)"), lies(ct_where(ct_gt(a, 3), b, b), "(1, 3)", "where(a, b, b)"), lies(ct_lerp(a, b, a), "(1, 3)", "lerp");
    lies(ct_relu(n), "(60, 1, 15, 3)", "relu(n)"), lies(ct_add(c1, n), "(60, 1, 15, 3)", "c1 + n"), lies(ct_add(n, images), "(60, 1, 15, 3)", "n + images");
    lies(ct_add(images, n), "(60, 20, 5, 1)", "images + n"), lies(ct_sigmoid(part), "(24, 1, 12, 3)", "sigmoid(part)");
    lies(ct_clone(p), "(1, 20, 5)", "clone"), lies(ct_zeros_like(p), "(1, 20, 5)", "zeros_like"), lies(ct_to(p, CT_I64), "(1, 20, 5)", "to"), lies(ct_add(p, ct_ones(3, 1)), "(1, 20, 5)", "p + ones");
    lies(ct_contiguous(p), "(12, 4, 1)", "contiguous"), lies(ct_dropout(p, 0.5, true), "(1, 20, 5)", "dropout");
    static const ct_shape small[3] = {{{5, 4, 7}, 3}, {{5, 4, 7}, 3}, {{4, 1}, 2}}, large[3] = {{{150, 131}, 2}, {{150, 131}, 2}, {{131}, 1}}, deep[3] = {{{3, 33, 19, 17}, 4}, {{33, 1, 17}, 3}, {{3, 33, 19, 17}, 4}};
    for (int which = 0; which < 6; which++)
        for (int k = 0; k < 16; k++) {
            int layout[3] = {k % 4, k / 4, (k + k / 4) % 4};
            order_case(small, layout, which), order_case(large, layout, which), order_case(deep, layout, which);
        }
}

/* Rows of all lengths around those that are grouped, called one by one or cut: operands that meet every row or every column, in all types,
   into new memory and into a part of a larger tensor. Small whole numbers: exact in every type. */
static double broadcast_at(const double *v, ct_shape from, ct_shape to, int64_t k)
{
    int64_t at = 0, step = 1;
    for (int d = to.ndim - 1, e = from.ndim - 1; d >= 0; k /= to.size[d], d--, e--)
        if (e >= 0) at += from.size[e] == 1 ? 0 : k % to.size[d] * step, step *= from.size[e];
    return v[at];
}
static ct_tensor *meet(ct_tensor *a, ct_tensor *b, int op) { return op == 0 ? ct_add(a, b) : op == 1 ? ct_mul(a, b) : op == 2 ? ct_maximum(a, b) : op == 3 ? ct_lt(a, b) : ct_sub(a, b); }
static void row_case(ct_shape sa, ct_shape sb, ct_dtype ta, ct_dtype tb, int la, int lb)
{
    static double va[1 << 15], vb[1 << 15];
    ct_shape s, both[2] = {sa, sb};
    ct_scope_begin();
    for (int64_t k = 0; k < test_numel(sa); k++) va[k] = (double)(k * 7 % 13 + 14);
    for (int64_t k = 0; k < test_numel(sb); k++) vb[k] = (double)(k * 5 % 11 + (k % 3 ? 1 : 15));
    ct_tensor *a = test_tensor(ta, sa, va, la), *b = test_tensor(tb, sb, vb, lb), *r[2] = {NULL, NULL};
    CHECK(ct_broadcast_shapes(both, 2, &s));
    for (int op = 0; op < 5; op++) {
        for (int64_t k = 0; k < test_numel(s); k++) {
            double x = broadcast_at(va, sa, s, k), y = broadcast_at(vb, sb, s, k);
            want[k] = op == 0 ? x + y : op == 1 ? x * y : op == 2 ? fmax(x, y) : op == 3 ? x < y : x - y;
        }
        CASE("op %d of %s %s and %s %s in layouts %d %d", op, ct_dtype_name(ta), ct_shape_text(a), ct_dtype_name(tb), ct_shape_text(b), la, lb);
        THREADS(test_numel(s) > 16384 ? 3 : 1, r, r[0] = meet(a, b, op));
        EQUALS(r[0], 0, want, test_numel(s));
        bool whole = op == 3 || (op == 4 && (ta == CT_U8 || tb == CT_U8)) || test_numel(s) != test_numel(sa) || ta != tb || test_numel(s) > 8192;
        if (whole || s.ndim != sa.ndim) continue;
        ct_tensor *into = ct_copy_(test_tensor(ta, sa, va, 2 + la % 2), a); /* a part, with gaps */
        CHECKF((op == 0 ? ct_add_(into, b) : op == 1 ? ct_mul_(into, b) : op == 2 ? ct_copy_(into, ct_maximum(into, b)) : ct_sub_(into, b)) == into, "%s: in place", what);
        EQUALS(into, 0, want, test_numel(s));
    }
    ct_scope_end();
}
static void rows(void)
{
    static const int64_t lengths[] = {1, 2, 3, 5, 8, 15, 16, 17, 24, 31, 32, 33, 48, 49, 63, 64, 65, 100, 128, 130, 511, 512, 513, 1000};
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_U8, CT_F16, CT_I16};
    for (int k = 0; k < COUNT(lengths); k++)
        for (int t = 0; t < COUNT(types); t++) {
            int64_t n = lengths[k], R = n < 100 ? 37 : 5;
            ct_dtype a = types[t], b = k % 3 == 2 && t ? types[(t + 1) % 3] : a;
            if (a == CT_F16 || a == CT_U8) b = a; /* products stay small */
            ct_shape full = CT_SHAPE(R, n), row = CT_SHAPE(n), column = CT_SHAPE(R, 1), one = CT_SHAPE(1);
            if (a == CT_U8) continue;
            for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
                row_case(full, row, a, b, layout, k % 4), row_case(full, column, a, b, layout, t % 4), row_case(full, one, a, b, layout, 0), row_case(full, full, a, b, layout, k % 4);
                row_case(column, row, a, b, layout, k % 4), row_case(row, full, a, b, 0, layout);
            }
            if (n <= 65) row_case(CT_SHAPE(7, 1, n), CT_SHAPE(1, 11, n), a, b, t % 4, k % 4), row_case(CT_SHAPE(5, 1, 3, 1), CT_SHAPE(1, 2, 1, n), a, b, t % 4, k % 4);
        }
    for (int t = 0; t < 3; t++) /* in threads */
        row_case(CT_SHAPE(600, 49), CT_SHAPE(600, 1), types[t], types[t], 0, 0), row_case(CT_SHAPE(130, 1, 3), CT_SHAPE(1, 131, 3), types[t], types[t], 0, 0);
    for (int t = 0; t < COUNT(types); t++) /* copies: one for all, always the same row, every second, backwards */
        for (int64_t n = 1; n < 140; n += n < 20 ? 1 : 17) {
            ct_scope_begin();
            for (int64_t j = 0; j < 2 * n; j++) values[j] = (double)(j % 100 + 1);
            ct_tensor *x = ct_to(test_tensor(CT_F64, CT_SHAPE(2 * n), values, 0), types[t]);
            for (int64_t j = 0; j < n; j++) want[j] = values[2 * j], want_at[j] = values[n - 1 - j];
            CASE("copies of %lld %s", (long long)n, ct_dtype_name(types[t]));
            EQUALS(ct_contiguous(ct_slice(x, 0, 0, CT_END, 2)), 0, want, n), EQUALS(ct_flip(ct_slice(x, 0, 0, n, 1), 0), 0, want_at, n);
            for (int64_t j = 0; j < 3 * n; j++) want[j] = values[j % n], want_at[j] = 77;
            EQUALS(ct_contiguous(ct_expand(ct_slice(x, 0, 0, n, 1), 3, n)), 0, want, 3 * n), EQUALS(ct_fill_(ct_slice(ct_contiguous(ct_expand(x, 3, 2 * n)), 1, n / 2, n / 2 + n, 1), 77), 0, want_at, 3 * n);
            for (int64_t j = 0; j < 3 * n; j++) want[j] = values[j / 3];
            EQUALS(ct_contiguous(ct_expand(ct_unsqueeze(ct_slice(x, 0, 0, n, 1), 1), n, 3)), 0, want, 3 * n);
            ct_scope_end();
        }
}

/* Random numbers: a long tensor is drawn in pieces, by all threads, and the generator goes on as if one had drawn it. */
static ct_tensor *drawn(int kind, ct_dtype dtype, int64_t n)
{
    ct_tensor *t = kind == 10 ? ct_transpose(ct_empty_dtype(dtype, 3, n / 3), 0, 1) : kind == 11 ? ct_slice(ct_empty_dtype(dtype, 2 * n), 0, 0, CT_END, 2) : ct_empty_dtype(dtype, n);
    ct_tensor *p = ct_full_dtype(dtype == CT_F64 ? CT_F64 : CT_F32, 0.3, n);
    switch (kind) {
    case 0: case 10: case 11: return ct_uniform_(t, -1, 3);
    case 1: return ct_normal_(t, 1, 2);
    case 2: return ct_exponential_(t, 2);
    case 3: return ct_bernoulli_(t, 0.3);
    case 4: return ct_bernoulli_(t, p);
    case 5: return ct_random_(t, 0, 100);
    case 6: return ct_geometric_(t, 0.2);
    case 7: return ct_cauchy_(t, 0, 1);
    case 8: return ct_log_normal_(t, 0, 1);
    default: return ct_randint_dtype(CT_I64, -((int64_t)1 << 40), (int64_t)1 << 40, n);
    }
}
static void draw_case(int kind, ct_dtype dtype, int64_t n)
{
    ct_tensor *r[2];
    ct_scope_begin();
    CASE("%lld random numbers %d of %s", (long long)n, kind, ct_dtype_name(dtype));
    THREADS(3, r, (ct_manual_seed(n), ct_rand(1 + (int)(n % 700)), r[0] = drawn(kind, dtype, n), ct_rand(3), r[1] = ct_get_rng_state()));
    ct_scope_end();
}
static void draws(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_F16, CT_BF16};
    static const int64_t sizes[] = {49151, 49152, 49200, 65537, 196608, 196611, 200000, 400009};
    for (int k = 0; k < 12; k++)
        for (int t = 0; t < COUNT(types); t++)
            for (int n = 0; n < COUNT(sizes); n++)
                if (k < 2 || (k + t + n) % 3 == 0) draw_case(k, types[t], sizes[n]);
    ct_scope_begin(); /* from a generator's first word on */
    ct_tensor *r[2];
    CASE("a new generator");
    THREADS(3, r, (ct_manual_seed(7), r[0] = ct_rand(200000), r[1] = ct_rand(10)));
    ct_scope_end();
}

/* Long rows are sorted in runs by all threads: values and places as of a stable merge sort, NaN last, with 1 to 5 threads. */
static bool comes_before(double a, double b, bool descending) { return descending ? (a != a && b == b) || a > b : a < b || (b != b && a == a); }
static void stable_order(const double *v, int64_t *order, int64_t *room, int64_t n, bool descending)
{
    for (int64_t k = 0; k < n; k++) order[k] = k;
    for (int64_t w = 1; w < n; w *= 2) {
        for (int64_t s = 0; s < n; s += 2 * w) {
            int64_t a = s, middle = s + w < n ? s + w : n, b = middle, end = s + 2 * w < n ? s + 2 * w : n;
            for (int64_t k = s; k < end; k++) room[k] = a < middle && (b == end || !comes_before(v[order[b]], v[order[a]], descending)) ? order[a++] : order[b++];
        }
        memcpy(order, room, (size_t)n * sizeof *order);
    }
}
static void long_row_case(ct_dtype dtype, int64_t n, int pattern, bool descending)
{
    int64_t *order = (int64_t *)malloc((size_t)(2 * n) * sizeof *order), k = 1 + n / (pattern == 2 ? 2 : 5);
    ct_tensor *r[2], *v = NULL, *at = NULL;
    ct_scope_begin();
    for (int64_t j = 0; j < n; j++) values[j] = pattern == 0 ? test_uniform(-100, 100) : pattern == 1 ? (double)(j * 7 % 23) : pattern == 2 ? (double)j : j % 1000 == 7 ? NAN : test_uniform(-2, 2);
    ct_tensor *x = input(dtype, CT_SHAPE(n), 0);
    CASE("%lld of %s, pattern %d%s", (long long)n, ct_dtype_name(dtype), pattern, descending ? ", descending" : "");
    stable_order(values, order, order + n, n, descending);
    for (int64_t j = 0; j < n; j++) want[j] = values[order[j]], want_at[j] = (double)order[j];
    THREADS(5, r, (r[0] = ct_sort(x, 0, descending, &at), r[1] = at));
    EQUALS(r[0], 0, want, n), EQUALS(r[1], 0, want_at, n);
    THREADS(3, r, (r[0] = ct_topk(x, k, 0, descending, true, &at), r[1] = at));
    if (!floating(dtype) || pattern < 3) EQUALS(r[0], 0, want, k);
    THREADS(3, r, (r[0] = ct_topk(x, 40, 0, descending, true, &at), r[1] = at));
    EQUALS(r[0], 0, want, 40);
    THREADS(3, r, (r[0] = ct_kthvalue(x, 900, 0, false, &at), r[1] = at));
    if (!descending) EQUALS(r[0], 0, want + 899, 1);
    THREADS(3, r, (r[0] = ct_topk(x, 40, 0, descending, false, &at), r[1] = at));
    THREADS(3, r, (r[0] = ct_topk(x, k, 0, descending, false, &at), r[1] = at));
    if (!descending) {
        THREADS(3, r, (r[0] = ct_kthvalue(x, k, 0, false, &at), r[1] = ct_median(x)));
        EQUALS(r[0], 0, want + k - 1, 1);
        if (pattern < 3) EQUALS(r[1], 0, want + (n - 1) / 2, 1);
        THREADS(3, r, (r[0] = v = ct_nanmedian(x), r[1] = ct_unique(x, true, NULL, NULL)));
        if (pattern < 3) EQUALS(v, 0, want + (n - 1) / 2, 1);
    }
    ct_scope_end();
    free(order);
}
static void long_rows(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_F16, CT_U8};
    static const int64_t sizes[] = {65535, 65536, 65539, 140001, 300007};
    for (int t = 0; t < COUNT(types); t++)
        for (int n = 0; n < COUNT(sizes); n++)
            for (int pattern = 0; pattern < (floating(types[t]) ? 4 : 2); pattern++)
                if (types[t] != CT_U8 || pattern == 1) long_row_case(types[t], sizes[n], types[t] == CT_F16 && pattern == 2 ? 1 : pattern, (n + t + pattern) % 2 == 1);
}

/* What is long enough for several threads: counting, spacing, zeros, places of elements that are not 0, checks of probabilities, sums of
   windows that overlap, batches of small factorisations. */
static void counts_and_spaces(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32};
    for (int t = 0; t < COUNT(types); t++)
        for (int64_t n = 16383; n < 300000; n = n * 5 / 2) {
            ct_tensor *r[2];
            bool whole = !floating(types[t]);
            double step = whole ? 3 : 0.25;
            ct_scope_begin();
            CASE("%lld of %s, counted and spaced", (long long)n, ct_dtype_name(types[t]));
            THREADS(3, r, (r[0] = ct_arange_dtype(types[t], -7, -7 + step * (double)n, step), r[1] = ct_linspace_dtype(types[t], -1, 1 + (double)n, n)));
            for (int64_t k = 0; k < n; k++) want[k] = -7 + step * (double)k, want_at[k] = -1 + (2 + (double)n) / (double)(n - 1) * (double)k;
            if (whole) for (int64_t k = 0; k < n; k++) want_at[k] = trunc(want_at[k]);
            EQUALS(r[0], types[t] == CT_F32 ? 1e-6 : 0, want, n), EQUALS(r[1], whole ? 1.0 : types[t] == CT_F32 ? 1e-6 : 1e-12, want_at, n);
            THREADS(3, r, (r[0] = ct_logspace_dtype(types[t], 0, 1, n, 2), r[1] = ct_zeros_dtype(types[t], 3, n)));
            memset(want, 0, (size_t)(3 * n) * sizeof *want);
            EQUALS(r[1], 0, want, 3 * n);
            EQUALS(ct_zero_(ct_ones_dtype(types[t], 3, n)), 0, want, 3 * n);
            ct_scope_end();
        }
}
static void places_case(int64_t a, int64_t b, int64_t c, int every)
{
    int64_t n = a * b * c, count = 0, *p = (int64_t *)malloc((size_t)(3 * n) * sizeof *p);
    ct_tensor *r[2];
    ct_scope_begin();
    CASE("places in (%lld,%lld,%lld), one of %d", (long long)a, (long long)b, (long long)c, every);
    for (int64_t k = 0; k < n; k++) {
        values[k] = every == 1 || pick(1, every) == 1 ? (double)pick(1, 9) : 0;
        if (values[k] != 0) p[3 * count] = k / (b * c), p[3 * count + 1] = k / c % b, p[3 * count + 2] = k % c, count++;
    }
    ct_tensor *x = input(CT_F32, CT_SHAPE(a, b, c), 0), *flat = ct_reshape(x, n);
    THREADS(3, r, (r[0] = ct_nonzero(x), r[1] = ct_nonzero(flat)));
    CHECKF(r[0] && ct_dim(r[0]) == 2 && ct_numel(r[0]) == 3 * count && !memcmp(ct_data(r[0]), p, (size_t)(3 * count) * sizeof *p), "%s", what);
    CHECKF(r[1] && ct_dim(r[1]) == 2 && ct_numel(r[1]) == count, "%s, flat", what);
    bool same = true;
    for (int64_t k = 0; r[1] && k < count; k++) same = same && ((const int64_t *)ct_data(r[1]))[k] == (p[3 * k] * b + p[3 * k + 1]) * c + p[3 * k + 2];
    CHECKF(same, "%s, flat", what);
    ct_scope_end();
    free(p);
}
static void probabilities(void)
{
    const int64_t n = 100003;
    for (int bad = 0; bad < 6; bad++)
        for (int wide = 0; wide < 2; wide++) {
            ct_scope_begin();
            for (int64_t k = 0; k < n; k++) values[k] = (double)(k % 101) / 100;
            if (bad) values[bad == 1 ? 0 : bad == 2 ? n - 1 : n / 2] = bad < 3 ? 1.01 : bad == 3 ? -0.001 : bad == 4 ? NAN : -INFINITY;
            ct_tensor *x = test_tensor(wide ? CT_F64 : CT_F32, CT_SHAPE(n), values, 0);
            for (int threads = 1; threads <= 3; threads++) {
                ct_set_num_threads(threads);
                if (bad) CHECK_ERROR(CT_ERR_ARGUMENT, ct_binary_cross_entropy(x, ct_zeros_like(x)));
                else CHECK(ct_binary_cross_entropy(x, ct_zeros_like(x)));
            }
            ct_set_num_threads(0);
            ct_scope_end();
        }
}
static ct_tensor *windows_of(ct_tensor *const *in, int count, void *user)
{
    (void)count, (void)user;
    return ct_mul(ct_im2col(in[0], .kernel_size = 3, .stride = 2, .padding = 1), 3);
}
static void windows_case(ct_dtype dtype, int64_t N, int64_t C, int64_t H, int64_t W, int64_t kernel, int64_t stride)
{
    int64_t oh = (H - kernel) / stride + 1, ow = (W - kernel) / stride + 1, n = N * C * H * W;
    ct_tensor *r[2], *g[1];
    ct_scope_begin();
    CASE("windows of %s (%lld,%lld,%lld,%lld), %lld by %lld", ct_dtype_name(dtype), (long long)N, (long long)C, (long long)H, (long long)W, (long long)kernel, (long long)stride);
    for (int64_t k = 0; k < n; k++) values[k] = 0;
    ct_tensor *x = ct_requires_grad_(input(dtype, CT_SHAPE(N, C, H, W), 0), true), *y = ct_im2col(x, .kernel_size = kernel, .stride = stride), *up;
    CHECK(y && ct_numel(y) == N * C * kernel * kernel * oh * ow);
    for (int64_t k = 0; k < ct_numel(y); k++) values[k] = (double)pick(-8, 8);
    up = input(dtype, ct_shape_of(y), 0);
    memset(want, 0, (size_t)n * sizeof *want);
    for (int64_t k = 0; k < ct_numel(y); k++) {
        int64_t j = k % ow, i = k / ow % oh, b = k / (ow * oh) % kernel, a = k / (ow * oh * kernel) % kernel, plane = k / (ow * oh * kernel * kernel);
        want[(plane * H + i * stride + a) * W + j * stride + b] += values[k];
    }
    THREADS(3, r, (ct_grad_many(&y, &up, 1, &x, g, 1, (ct_grad_opts){.retain_graph = true, .ct_end_ = 0}), r[0] = g[0]));
    EQUALS(r[0], 0, want, n);
    ct_scope_end();
}
static void long_tensors(void)
{
    counts_and_spaces(), probabilities();
    places_case(40, 50, 100, 1), places_case(100, 100, 10, 2), places_case(7, 300, 33, 20), places_case(3000, 9, 1, 1), places_case(1, 1, 70000, 3);
    windows_case(CT_F32, 4, 16, 32, 32, 3, 1), windows_case(CT_F64, 1, 3, 40, 17, 4, 3), windows_case(CT_F32, 2, 1, 30, 30, 5, 2), windows_case(CT_F32, 8, 8, 20, 20, 2, 2);
    check_gradients(windows_of, CT_SHAPE(2, 2, 7, 6), NULL);
    ct_tensor *e = ct_randn_dtype(CT_F64, 100, 8, 8), *r[2], *v;
    e = ct_matmul(e, ct_transpose(e, 1, 2));
    CASE("eigh of a batch");
    THREADS(3, r, (r[0] = ct_linalg_eigh(e, NULL, &v), r[1] = v));
}

/* ---- lines of few indices go together: gather, scatter_add; sums that halves cannot hold; ranges ---- */
static void line_case(ct_shape s, ct_shape k, int dim, ct_dtype dtype, int layout)
{
    ct_scope_begin();
    for (int64_t e = 0; e < test_numel(s); e++) values[e] = (double)pick(-50, 50);
    ct_tensor *x = input(dtype, s, layout), *index = (ct_zeros_dtype)(CT_I64, k), *source = (ct_zeros_dtype)(dtype, k), *r[2];
    int64_t *at = (int64_t *)ct_data(index), strides[3] = {0, 0, 1};
    strides[1] = s.size[2], strides[0] = s.size[1] * s.size[2];
    source = ct_add(source, 3);
    memcpy(want_at, values, (size_t)test_numel(s) * sizeof *want_at);
    for (int64_t e = 0; e < test_numel(k); e++) {
        int64_t place[3] = {e / (k.size[1] * k.size[2]), e / k.size[2] % k.size[1], e % k.size[2]}, from = 0;
        place[dim] = at[e] = pick(0, s.size[dim] - 1);
        for (int d = 0; d < 3; d++) from += place[d] * strides[d];
        want[e] = values[from], want_at[from] += 3;
    }
    CASE("lines of %s %s, index %s, dim %d", ct_dtype_name(dtype), ct_shape_text(x), ct_shape_text(index), dim);
    THREADS(3, r, (r[0] = ct_gather(x, dim, index), r[1] = ct_scatter_add(x, dim, index, source)));
    EQUALS(r[0], 0, want, test_numel(k)), EQUALS(r[1], 0, want_at, test_numel(s));
    for (int64_t bad = 0; bad < 3; bad++) { /* out of place kernels check what they use, in place all is checked before */
        int64_t *e = &at[(test_numel(k) - 1) * bad / 2], was = *e;
        *e = bad ? s.size[dim] : -1;
        CHECK_ERROR(CT_ERR_INDEX, ct_gather(x, dim, index));
        CHECK_ERROR(CT_ERR_INDEX, ct_scatter(x, dim, index, source));
        CHECK_ERROR(CT_ERR_INDEX, ct_scatter_add(x, dim, index, source));
        CHECK_ERROR(CT_ERR_INDEX, ct_scatter_add_(x, dim, index, source));
        *e = was;
    }
    EQUALS(x, 0, values, test_numel(s));
    ct_scope_end();
}
static void lines(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_U8};
    static const int64_t counts[] = {1, 2, 4, 17, 130};
    for (int t = 0; t < COUNT(types); t++)
        for (int c = 0; c < COUNT(counts); c++) {
            int64_t k = counts[c];
            line_case(CT_SHAPE(1, 600, 21), CT_SHAPE(1, 590, k), 2, types[t] == CT_U8 ? CT_I64 : types[t], c % 4), line_case(CT_SHAPE(7, 50, 5), CT_SHAPE(6, 49, k), 2, CT_F32, t % 4);
            line_case(CT_SHAPE(3, 40, 140), CT_SHAPE(2, 3, k), 1, types[t == 5 ? 0 : t], c % 4), line_case(CT_SHAPE(30, 4, 140), CT_SHAPE(5, 3, k), 0, CT_F64, t % 4);
        }
    line_case(CT_SHAPE(3, 9000, 5), CT_SHAPE(3, 9000, 4), 2, CT_F32, 0);
    for (int t = 0; t < COUNT(types); t++) line_case(CT_SHAPE(3, 9, 70), CT_SHAPE(3, 8, 2003), 2, types[t] == CT_U8 ? CT_I64 : types[t], t % 4);
    CHECK_ERROR(CT_ERR_INDEX, ct_scatter_add(ct_zeros(0), 0, ct_zeros_dtype(CT_I64, 2), ct_ones(2)));
    CHECK_ERROR(CT_ERR_INDEX, ct_gather(ct_zeros(3, 0), 1, ct_zeros_dtype(CT_I64, 3, 2)));
    ct_tensor *half = ct_full_dtype(CT_F16, 300, 10, 100);
    CHECK(ct_item(ct_norm(half, 2)) > 9000 && ct_item(ct_norm(half, 2)) < 10000 && ct_item(ct_norm(half, INFINITY)) == 300 && ct_dtype_of(ct_norm(half, 3)) == CT_F16);
    for (int64_t k = 0; k < 100000; k++) want[k] = -3 + (double)k * 0.25;
    CASE("arange");
    EQUALS(ct_arange(-3, 24997, 0.25), 0, want, 100000), EQUALS(ct_arange_dtype(CT_F64, -3, 24997, 0.25), 0, want, 100000), EQUALS(ct_arange_dtype(CT_F16, -3, 22, 0.25), 0, want, 100);
}

/* ---- bounds of integers; bags of one size, with the gradients towards table and weights ---- */
static void bounds(void)
{
    static const ct_dtype types[] = {CT_I64, CT_I32, CT_U8, CT_I16, CT_I8};
    static const int64_t limits[][2] = {{2, 30}, {-5, 5}, {30, 2}, {0, 0}, {-3000, 3000}};
    for (int t = 0; t < COUNT(types); t++)
        for (int k = 0; k < COUNT(limits); k++)
            for (int64_t n = 1; n < 3000; n = 3 * n + 4) {
                int64_t low = limits[k][0], high = limits[k][1];
                bool fits = ct_element_size(ct_zeros_dtype(types[t], 1)) > 1 || (high < 128 && (low >= 0 || types[t] != CT_U8));
                if (!fits) continue;
                for (int64_t j = 0; j < n; j++) values[j] = (double)pick(types[t] == CT_U8 ? 0 : -100, 100);
                ct_tensor *x = input(types[t], CT_SHAPE(n), k % 4);
                for (int64_t j = 0; j < n; j++) {
                    double v = values[j] > (double)low ? values[j] : (double)low;
                    want[j] = v < (double)high ? v : (double)high;
                }
                CASE("clamp of %lld %s, %lld to %lld", (long long)n, ct_dtype_name(types[t]), (long long)low, (long long)high);
                ct_tensor *y = ct_clamp(x, low, high);
                EQUALS(y, 0, want, n), EQUALS(x, 0, values, n);
                CHECKF(y != x && ct_dtype_of(y) == types[t] && ct_clamp_(x, low, high) == x, "%s: type", what);
                EQUALS(x, 0, want, n);
            }
    CHECK(ct_item_i64(ct_clamp(ct_tensor_i64(INT64_MAX), 0, ct_number_i64(INT64_MAX - 1))) == INT64_MAX - 1);
    CHECK(ct_dtype_of(ct_clamp(ct_tensor_i64(3), 0, 2.5)) == CT_F32 && ct_item(ct_clamp(ct_tensor_i64(3), 0, 2.5)) == 2.5);
}
static void bag_case(int64_t bags, int64_t length, int64_t n, bool weighted, bool mean)
{
    ct_scope_begin();
    for (int64_t k = 0; k < 50 * n; k++) values[k] = test_uniform(-1, 1);
    ct_tensor *table = ct_requires_grad_(input(CT_F64, CT_SHAPE(50, n), 0), true), *index = ct_randint(0, 50, bags, length), *w = NULL;
    double *grad = want_at, *by = want_at + 50 * n, *g_by = by + bags * length;
    const int64_t *at = (const int64_t *)ct_data(index);
    memset(grad, 0, (size_t)(50 * n + 2 * bags * length) * sizeof *grad);
    for (int64_t k = 0; k < bags * length; k++) by[k] = weighted ? test_uniform(-2, 2) : mean ? 1 / (double)length : 1;
    if (weighted) w = ct_requires_grad_(test_tensor(CT_F64, CT_SHAPE(bags, length), by, 0), true);
    for (int64_t k = 0; k < bags * n; k++) want[k] = 0;
    for (int64_t k = 0; k < bags * length; k++)
        for (int64_t j = 0; j < n; j++) want[k / length * n + j] += by[k] * values[at[k] * n + j], grad[at[k] * n + j] += by[k], g_by[k] += values[at[k] * n + j];
    CASE("%lld bags of %lld, %lld features%s%s", (long long)bags, (long long)length, (long long)n, weighted ? ", weighted" : "", mean ? ", mean" : "");
    ct_tensor *y = ct_embedding_bag(index, table, .mode = mean ? "mean" : "sum", .per_sample_weights = w);
    EQUALS(y, 1e-13, want, bags * n);
    ct_backward(ct_sum(y));
    EQUALS(ct_grad_of(table), 1e-13, grad, 50 * n);
    if (w) EQUALS(ct_grad_of(w), 1e-13, g_by, bags * length);
    ct_scope_end();
}
static void bags(void)
{
    for (int64_t length = 1; length < 40; length += 1 + length / 2)
        for (int64_t n = 1; n < 200; n = 2 * n + 3) bag_case(5, length, n, false, false), bag_case(9, length, n, false, true), bag_case(4, length, n, true, false);
    CHECK_ERROR(CT_ERR_INDEX, ct_embedding_bag(ct_reshape(ct_arange(1, 5), 2, 2), ct_randn(4, 2)));
    CHECK(ct_numel(ct_embedding_bag(ct_reshape(ct_arange(0), 3, 0), ct_randn(4, 2))) == 6 && ct_item(ct_norm(ct_embedding_bag(ct_reshape(ct_arange(0), 3, 0), ct_randn(4, 2)), 2)) == 0);
}
/* -w[t] x[n,t] of (N,C,L), over what is not ignored, and its gradient */
static void classes_case(int64_t N, int64_t C, int64_t L, bool weighted, ct_reduction reduction, ct_dtype dtype)
{
    ct_scope_begin();
    int64_t n = N * C * L, *at = (int64_t *)ct_data(ct_randint(0, C, N, L));
    double w[40], sum = 0, count = 0, *grad = want_at;
    for (int64_t k = 0; k < n; k++) values[k] = test_uniform(-3, 0), grad[k] = 0;
    ct_tensor *x = ct_requires_grad_(input(dtype, CT_SHAPE(N, C, L), 0), true), *target = (ct_tensor_from)(at, CT_I64, CT_SHAPE(N, L)), *weight = NULL;
    for (int64_t c = 0; c < C; c++) w[c] = weighted ? 0.5 + (double)(c % 4) : 1;
    if (weighted) weight = test_tensor(dtype, CT_SHAPE(C), w, 0);
    for (int64_t r = 0; r < N * L; r++) {
        int64_t place = (r / L * C + at[r]) * L + r % L;
        bool counts = at[r] != 1;
        want[r] = counts ? -w[at[r]] * values[place] : 0, sum += want[r], count += counts ? w[at[r]] : 0;
        if (counts) grad[place] = -w[at[r]];
    }
    CASE("nll of %s (%lld,%lld,%lld)%s, reduction %d", ct_dtype_name(dtype), (long long)N, (long long)C, (long long)L, weighted ? ", weighted" : "", (int)reduction);
    ct_tensor *y = ct_nll_loss(x, target, .weight = weight, .ignore_index = 1, .reduction = reduction);
    double mean = reduction == CT_MEAN ? 1 / count : 1, all = sum * mean, slack = dtype == CT_F32 ? 1e-6 : 1e-14;
    EQUALS(y, slack, reduction == CT_NONE_REDUCED ? want : &all, reduction == CT_NONE_REDUCED ? N * L : 1);
    ct_backward(ct_sum(y));
    for (int64_t k = 0; k < n; k++) grad[k] *= mean;
    EQUALS(ct_grad_of(x), slack, grad, n);
    ct_scope_end();
}
/* how many of a sorted row lie before v; NaN lies behind all */
static void search_case(ct_dtype dtype, int64_t rows, int64_t n, int64_t count, bool right)
{
    ct_scope_begin();
    ct_tensor *s = ct_to(ct_sort(ct_randint(0, 30, rows, n), 1, false, NULL), dtype), *v = ct_to(ct_randint(-2, 32, rows, count), dtype), *r[2];
    if (dtype != CT_I64 && count > 3) ct_fill_(ct_select(v, 1, 3), NAN);
    CHECK(ct_copy_out(s, values, CT_F64, rows * n) && ct_copy_out(v, want_at, CT_F64, rows * count));
    for (int64_t k = 0; k < rows * count; k++) {
        want[k] = 0;
        for (int64_t i = 0; i < n; i++) want[k] += !(right ? values[k / count * n + i] > want_at[k] : values[k / count * n + i] >= want_at[k]);
    }
    CASE("%lld of %lld in %s[%lld]%s", (long long)count, (long long)rows, ct_dtype_name(dtype), (long long)n, right ? ", right" : "");
    THREADS(3, r, r[0] = ct_searchsorted(s, v, right));
    EQUALS(r[0], 0, want, rows * count);
    if (rows == 1) EQUALS(ct_bucketize(v, ct_ravel(s), right), 0, want, count);
    ct_scope_end();
}
static void triangle_case(int64_t rows, int64_t columns, int64_t offset, bool upper)
{
    int64_t n = 0;
    ct_scope_begin();
    for (int pass = 0; pass < 2; pass++) /* all rows, then all columns */
        for (int64_t r = 0; r < rows; r++)
            for (int64_t c = 0; c < columns; c++)
                if (upper ? c - r >= offset : c - r <= offset) want[n++] = (double)(pass ? c : r);
    CASE("tri%c_indices(%lld, %lld, %lld)", upper ? 'u' : 'l', (long long)rows, (long long)columns, (long long)offset);
    ct_tensor *y = upper ? ct_triu_indices(rows, columns, offset) : ct_tril_indices(rows, columns, offset);
    CHECKF(y && ct_dtype_of(y) == CT_I64 && ct_dim(y) == 2 && ct_size(y, 0) == 2, "%s", what);
    EQUALS(y, 0, want, n);
    ct_scope_end();
}
static void prelu_case(ct_shape s, ct_dtype dtype, int layout, bool one)
{
    int64_t n = test_numel(s), inner = 1, channels = one ? 1 : s.size[1];
    double w[40];
    ct_scope_begin();
    for (int d = 2; d < s.ndim; d++) inner *= s.size[d];
    for (int64_t k = 0; k < n; k++) values[k] = k % 13 == 5 ? NAN : k % 13 == 6 ? -INFINITY : test_uniform(-2, 2);
    for (int64_t c = 0; c < channels; c++) w[c] = (double)(c % 7) * 0.25 - 0.5;
    ct_tensor *x = input(dtype, s, layout), *r[2];
    for (int64_t k = 0; k < n; k++) want[k] = values[k] > 0 ? values[k] : values[k] * w[one ? 0 : k / inner % channels];
    CASE("prelu of %s %s, layout %d, %lld weights", ct_dtype_name(dtype), ct_shape_text(x), layout, (long long)channels);
    THREADS(3, r, r[0] = ct_prelu(x, test_tensor(dtype, CT_SHAPE(channels), w, 0)));
    EQUALS(r[0], dtype == CT_F32 ? 1e-7 : dtype == CT_F64 ? 1e-15 : 1e-2, want, n);
    ct_scope_end();
}
static void searches_and_classes(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_BF16};
    for (int k = 0; k < 12; k++) classes_case(3, 5 + k, k < 6 ? 1 : 37, k & 1, (ct_reduction)(k % 3), k % 5 ? CT_F32 : CT_F64);
    for (int t = 0; t < 3; t++)
        for (int64_t n = 0; n < 70; n += 1 + n / 3)
            for (int right = 0; right < 2; right++) search_case(types[t], 1, n, 5 + n % 13, right), search_case(types[t], 3, n, 9 * (n % 3), right);
    search_case(CT_F32, 1, 1000, 5000, false), search_case(CT_F64, 2, 7, 3000, true);
    for (int64_t offset = -6; offset < 7; offset++)
        for (int upper = 0; upper < 2; upper++) triangle_case(4, 4, offset, upper), triangle_case(3, 5, offset, upper), triangle_case(5, 2, offset, upper), triangle_case(0, 3, offset, upper);
    triangle_case(3, 4, INT64_MAX, true), triangle_case(3, 4, INT64_MIN, false), triangle_case(3, 4, INT64_MAX, false), triangle_case(3, 4, INT64_MIN, true);
    for (int layout = 0; layout < TEST_LAYOUTS; layout++)
        for (int t = 0; t < 4; t++)
            if (types[t] != CT_I64) prelu_case(CT_SHAPE(3, 7, 9, 9), types[t], layout, layout & 1), prelu_case(CT_SHAPE(19, 33), types[t], layout, false), prelu_case(CT_SHAPE(2, 3, 61, 67), types[t], layout, false);
}
/* ---- small integers and halves ---- */
static void quotients(ct_dtype t) /* all pairs of 8 bits, or those of 16 whose quotients are close to an integer */
{
    enum { PAIRS = 65536 };
    ct_scope_begin();
    ct_tensor *a = ct_empty_dtype(t, PAIRS), *b = ct_empty_dtype(t, PAIRS);
    size_t size = ct_element_size(a);
    for (int64_t k = 0; k < PAIRS; k++) {
        int64_t q = size == 1 ? k >> 8 : pick(-300, 300), p = size == 1 ? k & 255 : k % 2 ? pick(-1, 1) + q * pick(-109, 109) : pick(-32768, 32767);
        if (!cut(q, t)) q = -1;
        memcpy((char *)ct_data(a) + (size_t)k * size, &p, size), memcpy((char *)ct_data(b) + (size_t)k * size, &q, size);
    }
    for (int row = 0; row < COUNT(whole_rows); row++) {
        if (!whole_rows[row].nonzero) continue;
        for (int64_t k = 0; k < PAIRS; k++) elements[k] = (scalar){true, cut(whole_rows[row].whole(element_at(a, k).i, element_at(b, k).i), t), 0};
        CASE("%s of pairs of %s", whole_rows[row].name, ct_dtype_name(t));
        check_elements(whole_rows[row].two(a, b), elements, t);
    }
    ct_scope_end();
}
/* a and b halves, computed in float; an order of a number in either place */
#define HALVES(X)                                                                                                     \
    X(add, a + b) X(sub, a - b) X(mul, a * b) X(div, a / b) X(rsub, b - a) X(maximum, a > b || a != a ? a : b) X(minimum, a < b || a != a ? a : b) \
    X(clamp_min, a > b || a != a ? a : b) X(clamp_max, a < b || a != a ? a : b)
#define HALF_ONES(X) X(neg, -a) X(abs, fabsf(a)) X(relu, a < 0 ? 0 : a) X(square, a * a)
#define CT_X(name, value) static float half_##name(float a, float b) { (void)b; return value; }
HALVES(CT_X)
HALF_ONES(CT_X)
#undef CT_X
static const struct { const char *name; ct_tensor *(*two)(ct_tensor *, ct_tensor *), *(*one)(ct_tensor *); float (*value)(float, float); } half_rows[] = {
#define CT_X(name, value) {#name, ct_##name, NULL, half_##name},
    HALVES(CT_X)
#undef CT_X
#define CT_X(name, value) {#name, NULL, ct_##name, half_##name},
    HALF_ONES(CT_X)
#undef CT_X
};
static void half_case(int row, ct_dtype t, int64_t n, int arrangement)
{
    int64_t rows = arrangement == B_ROW || arrangement == B_COLUMN ? 3 : 1;
    double number = arrangement == B_UNFIT ? 2.3 : 0.5;
    bool two = half_rows[row].two != NULL;
    if ((!two && arrangement > TRANSPOSED) || arrangement == B_BOOL) return;
    ct_scope_begin();
    ct_tensor *a = any_bits(t, rows * n), *b = any_bits(t, rows * n), *x = laid(a, arrangement <= TRANSPOSED ? arrangement : 0), *y = laid(b, arrangement == BOTH_OFFSET ? 1 : 0), *r[2];
    if (arrangement == TRANSPOSED) y = ct_reshape(b, ct_size(x, 0), ct_size(x, 1));
    if (rows > 1) x = ct_reshape(x, rows, n), y = ct_reshape(y, rows, n);
    if (arrangement == B_ROW) y = ct_slice(y, 0, 0, 1, 1);
    if (arrangement == B_COLUMN) y = ct_reshape(ct_slice(b, 0, 0, rows, 1), rows, 1);
    if (arrangement == B_NUMBER || arrangement == B_UNFIT) y = ct_number(number);
    if (arrangement == A_NUMBER) x = ct_number(number);
    for (int64_t k = 0; k < rows * n; k++) {
        double p = arrangement == A_NUMBER ? number : element_at(a, k).d;
        double q = arrangement == B_NUMBER || arrangement == B_UNFIT ? number : element_at(b, arrangement == B_ROW ? k % n : arrangement == B_COLUMN ? k / n : k).d;
        elements[k] = converted((scalar){false, 0, (double)half_rows[row].value((float)p, (float)q)}, t);
    }
    CASE("%s of %d x %d %s, arrangement %d", half_rows[row].name, (int)rows, (int)n, ct_dtype_name(t), arrangement);
    THREADS(n > 16384 ? 3 : 1, r, r[0] = two ? half_rows[row].two(x, y) : half_rows[row].one(x));
    check_elements(r[0], elements, t);
    ct_scope_end();
}
/* rows of n elements of all sorts, side by side or as columns: extremes, any, all, sums */
static void small_reductions(ct_dtype t, int64_t rows, int64_t n, bool columns, int kind)
{
    enum { MAX, MIN, ANY, ALL, SUM, RESULTS };
    ct_scope_begin();
    ct_tensor *x = any_bits(t, rows * n), *r[2];
    scalar *e[RESULTS];
    for (int k = 0; k < RESULTS; k++) e[k] = elements + k * rows;
    for (int64_t k = 0; k < rows * n; k++) { /* few that are not zero, few that are */
        int64_t v = k % n == (kind == 1 ? n - 1 : n / 2) ? kind == 1 : kind == 2;
        uint16_t half = (uint16_t)(v ? (t == CT_F16 ? 0x3c00 : 0x3f80) : 0);
        if (kind && floating(t)) memcpy((char *)ct_data(x) + 2 * k, &half, 2);
        else if (kind) memcpy((char *)ct_data(x) + (size_t)k * ct_element_size(x), &v, ct_element_size(x));
    }
    for (int64_t o = 0; o < rows; o++)
        for (int64_t k = 0; k < n; k++) {
            scalar v = element_at(x, o * n + k), *m = e[MAX] + o, *l = e[MIN] + o;
            bool set = v.whole ? v.i != 0 : v.d != 0;
            if (k == 0) *m = *l = v, e[ANY][o] = e[ALL][o] = (scalar){true, set, 0}, e[SUM][o] = (scalar){true, 0, 0};
            if (v.whole ? v.i > m->i : v.d > m->d || v.d != v.d) *m = v;
            if (v.whole ? v.i < l->i : v.d < l->d || v.d != v.d) *l = v;
            e[ANY][o].i |= set, e[ALL][o].i &= set, e[SUM][o].i = (int64_t)((uint64_t)e[SUM][o].i + (uint64_t)v.i);
        }
    for (int64_t o = 0; floating(t) && o < rows; o++) e[MAX][o].d += 0.0, e[MIN][o].d += 0.0; /* either zero */
    CASE("%s of %d x %d, %s, kind %d", ct_dtype_name(t), (int)rows, (int)n, columns ? "columns" : "rows", kind);
    x = columns ? ct_contiguous(ct_t(ct_reshape(x, rows, n))) : ct_reshape(x, rows, n);
    int dim = columns ? 0 : 1, most = rows * n > 16384 ? 3 : 1;
    THREADS(most, r, (r[0] = ct_amax(x, CT_SHAPE(dim), false), r[1] = ct_amin(x, CT_SHAPE(dim), false)));
    if (floating(t)) r[0] = ct_add(r[0], 0), r[1] = ct_add(r[1], 0);
    check_elements(r[0], e[MAX], t), check_elements(r[1], e[MIN], t);
    THREADS(most, r, (r[0] = ct_any_dim(x, dim, false), r[1] = ct_all_dim(x, dim, false)));
    check_elements(r[0], e[ANY], t == CT_U8 ? CT_U8 : CT_BOOL), check_elements(r[1], e[ALL], t == CT_U8 ? CT_U8 : CT_BOOL);
    if (!floating(t)) {
        THREADS(most, r, r[0] = ct_sum_dim(x, dim, false));
        check_elements(r[0], e[SUM], CT_I64);
    }
    ct_scope_end();
}
static void half_sums(ct_dtype t, int64_t rows, int64_t n) /* of columns and rows; all sums are exact */
{
    ct_scope_begin();
    ct_tensor *x = ct_to(ct_randint(-8, 9, rows, n), t), *r[2];
    for (int dim = 0; dim < 2; dim++) {
        for (int64_t o = 0; o < (dim ? rows : n); o++) {
            double sum = 0;
            for (int64_t k = 0; k < (dim ? n : rows); k++) sum += element_at(x, dim ? o * n + k : k * n + o).d;
            elements[o] = converted((scalar){false, 0, sum + 0.0}, t);
        }
        CASE("sum of %s %d x %d along %d", ct_dtype_name(t), (int)rows, (int)n, dim);
        THREADS(rows * n > 16384 ? 3 : 1, r, r[0] = ct_sum_dim(x, dim, false));
        check_elements(r[0], elements, t);
    }
    ct_scope_end();
}
static void small_types(void)
{
    static const ct_dtype types[] = {CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
    static const int sizes[] = {1, 5, 16, 100, 777, 2107, 40007};
    elements = (scalar *)calloc(131072, sizeof *elements);
    quotients(CT_I8), quotients(CT_U8), quotients(CT_I16);
    for (int t = 6; t < COUNT(types); t++) {
        for (int row = 0; row < COUNT(half_rows); row++)
            for (int s = 0; s < COUNT(sizes); s++)
                for (int arrangement = 0; arrangement < ARRANGEMENTS; arrangement++) half_case(row, types[t], sizes[s], arrangement);
        for (int64_t rows = 1; rows < 200; rows = 2 * rows + 1)
            for (int64_t n = 1; n < 1200; n = n + n / 3 + 1) half_sums(types[t], rows, n);
        half_sums(types[t], 3, 5000), half_sums(types[t], 2100, 70);
    }
    for (int t = 0; t < COUNT(types); t++)
        for (int kind = 0; kind < 3; kind++) {
            for (int64_t n = 1; n < 5000; n += n < 70 ? 1 : n)
                for (int64_t rows = 1; rows < 300; rows = 4 * rows + 3) small_reductions(types[t], rows, n, false, kind), small_reductions(types[t], rows, n, true, kind);
            small_reductions(types[t], 1, 150001, false, kind);
        }
    free(elements);
}

int main(void)
{
    test_init();
    values = (double *)malloc((size_t)MOST * sizeof *values), want = (double *)malloc((size_t)MOST * sizeof *want), want_at = (double *)malloc((size_t)MOST * sizeof *want_at);
    if (!values || !want || !want_at) return 1;
    static void (*const parts[])(void) = {scans_and_extremes, logsumexps, softmaxes, operands, masks, pools, tops, near_keys, powers, convolutions, variances,
                                          gradients, conversions, integers, means, pads, pad_gradients, samples, resizes, groups, reductions, dots,
                                          pair_losses, smoothings, group_norms, products, matrices, attentions, recurrences, running_extremes, functions, orders, rows, draws, long_rows, long_tensors, lines, bounds, bags, searches_and_classes, small_types};
    for (int k = 0; k < COUNT(parts); k++) {
        ct_scope_begin();
        parts[k]();
        ct_scope_end();
    }
    ct_shutdown();
    free(values), free(want), free(want_at);
    return test_done();
}
