/* The fast paths, each against plain loops in double: scans and extremes along rows and columns, logsumexp, softmax, operands that are one
   number along rows, masks, max pooling, topk of long rows, pow, strided convolutions backward, ct_grad_many, variances of columns,
   losses, group norm, products of odd shapes, attention, recurrent batches. Sizes lie around the blocks of the kernels; what runs in parallel
   gives the same bits with one, two and three threads. */
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
                                  {{3, 65, 17}, 3}, {{6, 1, 64}, 3}, {{3, 0}, 2}, {{0}, 0}};

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
            CHECKF(apply_(op, z, y, alpha) == z && same_bits(z, r[0]), "%s: in place not the same", what);
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
    ct_pool_opts grads[] = {{.kernel_size = 3, .stride = 2, .padding = 1, .ct_end_ = 0}, {.kernel_size = 2, .ct_end_ = 0}, {.kernel_size = 2, .stride = 1, .dilation = 2, .ct_end_ = 0}, {.ct_end_ = 0}};
    for (int k = 0; k < COUNT(grads); k++) check_gradients(call_pool, CT_SHAPE(1, 2, 7, 6), &grads[k]);
}

/* ---- 8: the first of many ---- */
static const double *sorted_by;
static bool before(double a, double b) { return a < b || (b != b && a == a); }
static int by_value(const void *a, const void *b) /* then by place: stable */
{
    int64_t i = *(const int64_t *)a, j = *(const int64_t *)b;
    return before(sorted_by[i], sorted_by[j]) ? -1 : before(sorted_by[j], sorted_by[i]) ? 1 : i < j ? -1 : i > j;
}
static void top_case(ct_shape s, int dim, ct_dtype dtype, int kind)
{
    static const int64_t counts[] = {1, 7, 100, 5000};
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
    top_case(CT_SHAPE(1 << 20), 0, CT_F32, 1), top_case(CT_SHAPE(1 << 20), 0, CT_F64, 0);
}

/* ---- 9: pow, erf, gelu of float ---- */
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

/* ---- 10: strided convolutions backward ---- */
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

/* ---- 11: gradients of many ---- */
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

/* ---- 12: variances of columns ---- */
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
static void group_case(ct_shape s, int64_t groups, int count, ct_dtype dtype)
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
            group_case(CT_SHAPE(3, 6, 5, 7), 3, count, dtype), group_case(CT_SHAPE(2, 8, 33, 31), 8, count, dtype), group_case(CT_SHAPE(5, 4, 3), 1, count, dtype);
            group_case(CT_SHAPE(40, 12, 9, 16), 4, count, dtype), group_case(CT_SHAPE(3, 10), 2, count, dtype);
        }
}

/* Products of all shapes that have a way of their own, of floats and integers. */
static void product_case(int64_t batch, int64_t M, int64_t K, int64_t N, ct_dtype dtype, int layout)
{
    double *a = room(batch * M * K), *b = room(batch * K * N), tolerance = dtype == CT_F64 ? 1e-12 : floating(dtype) ? 5e-6 * sqrt((double)K + 1) : 0;
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
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I8};
    static const int64_t few[] = {1, 2, 3, 4, 5, 9}, others[] = {1, 3, 17, 70, 300}, inner[] = {1, 2, 3, 10, 33, 130};
    for (int t = 0; t < COUNT(types); t++)
        for (int f = 0; f < COUNT(few); f++)
            for (int o = 0; o < COUNT(others); o++) {
                int64_t K = inner[(f + o + t) % COUNT(inner)];
                int layout = (f * 5 + o + t) % 8;
                product_case(1, few[f], K, others[o], types[t], layout), product_case(1, others[o], K, few[f], types[t], (layout + 3) % 8);
            }
    for (int layout = 0; layout < 8; layout++)
        for (int t = 0; t < 4; t++) {
            product_case(7, 3, 3, 3, types[t], layout), product_case(40, 4, 5, 4, types[t], layout), product_case(3, 2, 70, 300, types[t], layout), product_case(2, 300, 130, 3, types[t], layout);
            product_case(1, 2, 300, 500, types[t], layout), product_case(1, 4, 301, 517, types[t], layout), product_case(1, 517, 301, 3, types[t], layout);
            product_case(1, 400, 2, 600, types[t], layout), product_case(1, 300, 1, 1000, types[t], layout), product_case(1, 1000, 10, 1, types[t], layout);
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
            for (int t = 0; t < 2; t++) {
                int64_t H = widths[k], N = 9, G = kind == 0 ? 4 : kind == 1 ? 3 : 1;
                ct_dtype dtype = t ? CT_F64 : CT_F32;
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
                    EQUALS(RUN(ct_contiguous(ct_narrow(a, 1, n, 1))), t ? 1e-12 : 3e-5, v, T * H), free(v);
                }
#undef RUN
                ct_scope_end();
                free(x), free(ignored);
            }
}

int main(void)
{
    test_init();
    values = (double *)malloc((size_t)MOST * sizeof *values), want = (double *)malloc((size_t)MOST * sizeof *want), want_at = (double *)malloc((size_t)MOST * sizeof *want_at);
    if (!values || !want || !want_at) return 1;
    static void (*const parts[])(void) = {scans_and_extremes, logsumexps, softmaxes, operands, masks, pools, tops, powers, convolutions, variances, gradients, pair_losses, smoothings, group_norms, products, attentions, recurrences};
    for (int k = 0; k < COUNT(parts); k++) {
        ct_scope_begin();
        parts[k]();
        ct_scope_end();
    }
    ct_shutdown();
    free(values), free(want), free(want_at);
    return test_done();
}
