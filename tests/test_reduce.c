/* Reductions and scans against naive loops in double: all subsets of dims, layouts, types, NaN, ties and empty sizes as PyTorch 1.13 has
   them, first and second gradients, the same bits with any number of threads. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

/* ---- references: of the n values that meet in one output ---- */
typedef double ref_fn(const double *v, int64_t n);
static double r_sum(const double *v, int64_t n)
{
    double s = 0;
    for (int64_t k = 0; k < n; k++) s += v[k];
    return s;
}
static double r_prod(const double *v, int64_t n)
{
    double s = 1;
    for (int64_t k = 0; k < n; k++) s *= v[k];
    return s;
}
static double r_nansum(const double *v, int64_t n)
{
    double s = 0;
    for (int64_t k = 0; k < n; k++) s += v[k] != v[k] ? 0 : v[k];
    return s;
}
static double r_mean(const double *v, int64_t n) { return r_sum(v, n) / (double)n; }
static int64_t position(const double *v, int64_t n, bool largest)
{
    int64_t best = 0;
    for (int64_t k = 1; k < n; k++) {
        if (v[best] != v[best]) break;
        if (v[k] != v[k] || (largest ? v[k] > v[best] : v[k] < v[best])) best = k;
    }
    return best;
}
static double r_max(const double *v, int64_t n) { return v[position(v, n, true)]; }
static double r_min(const double *v, int64_t n) { return v[position(v, n, false)]; }
static double r_argmax(const double *v, int64_t n) { return (double)position(v, n, true); }
static double r_argmin(const double *v, int64_t n) { return (double)position(v, n, false); }
static double variance(const double *v, int64_t n, int64_t correction)
{
    double m = r_mean(v, n), s = 0;
    for (int64_t k = 0; k < n; k++) s += (v[k] - m) * (v[k] - m);
    return s / (double)(n > correction ? n - correction : 0);
}
static double r_var(const double *v, int64_t n) { return variance(v, n, 1); }
static double r_var0(const double *v, int64_t n) { return variance(v, n, 0); }
static double r_std(const double *v, int64_t n) { return sqrt(variance(v, n, 1)); }
static double r_logsumexp(const double *v, int64_t n)
{
    double m = -INFINITY, s = 0;
    for (int64_t k = 0; k < n; k++) {
        if (v[k] != v[k]) return NAN;
        m = fmax(m, v[k]);
    }
    if (isinf(m)) return m;
    for (int64_t k = 0; k < n; k++) s += exp(v[k] - m);
    return m + log(s);
}
static double norm_of(const double *v, int64_t n, double p)
{
    double s = p == -INFINITY ? INFINITY : 0;
    for (int64_t k = 0; k < n; k++) {
        double a = fabs(v[k]);
        if (a != a && p != 0) return NAN;
        if (p == 0) s += v[k] != 0;
        else if (p == INFINITY) s = fmax(s, a);
        else if (p == -INFINITY) s = fmin(s, a);
        else s += pow(a, p);
    }
    return p == 0 || isinf(p) ? s : pow(s, 1 / p);
}
static double r_norm0(const double *v, int64_t n) { return norm_of(v, n, 0); }
static double r_norm1(const double *v, int64_t n) { return norm_of(v, n, 1); }
static double r_norm2(const double *v, int64_t n) { return norm_of(v, n, 2); }
static double r_norm3(const double *v, int64_t n) { return norm_of(v, n, 3); }
static double r_normhalf(const double *v, int64_t n) { return norm_of(v, n, 0.5); }
static double r_norminf(const double *v, int64_t n) { return norm_of(v, n, INFINITY); }
static double r_normninf(const double *v, int64_t n) { return norm_of(v, n, -INFINITY); }
static double r_all(const double *v, int64_t n)
{
    for (int64_t k = 0; k < n; k++) if (v[k] == 0) return 0;
    return 1;
}
static double r_any(const double *v, int64_t n)
{
    for (int64_t k = 0; k < n; k++) if (v[k] != 0) return 1;
    return 0;
}
static double r_count(const double *v, int64_t n)
{
    double c = 0;
    for (int64_t k = 0; k < n; k++) c += v[k] != 0;
    return c;
}

/* ---- operators: over several dims, over one, over all ---- */
typedef ct_tensor *dims_fn(ct_tensor *x, ct_shape dims, bool keepdim);
typedef ct_tensor *dim_fn(ct_tensor *x, int dim, bool keepdim);
typedef ct_tensor *whole_fn(ct_tensor *x);
static ct_tensor *d_var(ct_tensor *x, ct_shape d, bool k) { return ct_var_dims(x, d, 1, k); }
static ct_tensor *d_var0(ct_tensor *x, ct_shape d, bool k) { return ct_var_dims(x, d, 0, k); }
static ct_tensor *d_std(ct_tensor *x, ct_shape d, bool k) { return ct_std_dims(x, d, 1, k); }
static ct_tensor *w_var(ct_tensor *x) { return ct_var(x, 1); }
static ct_tensor *w_var0(ct_tensor *x) { return ct_var(x, 0); }
static ct_tensor *w_std(ct_tensor *x) { return ct_std(x, 1); }
static ct_tensor *d_norm0(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, 0, d, k); }
static ct_tensor *d_norm1(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, 1, d, k); }
static ct_tensor *d_norm2(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, 2, d, k); }
static ct_tensor *d_norm3(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, 3, d, k); }
static ct_tensor *d_normhalf(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, 0.5, d, k); }
static ct_tensor *d_norminf(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, INFINITY, d, k); }
static ct_tensor *d_normninf(ct_tensor *x, ct_shape d, bool k) { return ct_norm_dims(x, -INFINITY, d, k); }
static ct_tensor *w_norm2(ct_tensor *x) { return ct_norm(x, 2); }
static ct_tensor *w_norm3(ct_tensor *x) { return ct_norm(x, 3); }
static ct_tensor *o_max(ct_tensor *x, int d, bool k) { return ct_max_dim(x, d, k, NULL); }
static ct_tensor *o_min(ct_tensor *x, int d, bool k) { return ct_min_dim(x, d, k, NULL); }
static ct_tensor *o_max_index(ct_tensor *x, int d, bool k)
{
    ct_tensor *i = NULL;
    ct_max_dim(x, d, k, &i);
    return i;
}
static ct_tensor *o_min_index(ct_tensor *x, int d, bool k)
{
    ct_tensor *i = NULL;
    ct_min_dim(x, d, k, &i);
    return i;
}
typedef struct {
    const char *name;
    ref_fn *ref;
    dims_fn *dims;
    dim_fn *dim;
    whole_fn *whole;
    const char *types; /* result per type, order "fdliscubhB", torch 1.13; '!' refused, '-': torch refuses, ctorch may not */
    bool chooses;      /* nothing to choose from: an error */
    char grad;         /* g: gradcheck and gradgradcheck; - no gradient */
    double tolerance;  /* in float64 */
} reduction;
#define SUMS "fdllllllhB"
#define SAME "fdliscubhB"
#define REAL "fd!!!!!!hB"
static const reduction reductions[] = {
    {"sum", r_sum, ct_sum_dims, ct_sum_dim, ct_sum, SUMS, false, 'g', 1e-14},
    {"mean", r_mean, ct_mean_dims, ct_mean_dim, ct_mean, REAL, false, 'g', 1e-14},
    {"prod", r_prod, NULL, ct_prod_dim, ct_prod, SUMS, false, 'g', 1e-14},
    {"nansum", r_nansum, NULL, NULL, ct_nansum, SUMS, false, 'g', 1e-14},
    {"amax", r_max, ct_amax, NULL, ct_max, SAME, true, 'g', 0},
    {"amin", r_min, ct_amin, NULL, ct_min, SAME, true, 'g', 0},
    {"max_dim", r_max, NULL, o_max, NULL, SAME, true, 'g', 0},
    {"min_dim", r_min, NULL, o_min, NULL, SAME, true, 'g', 0},
    {"max_dim's indices", r_argmax, NULL, o_max_index, NULL, "lllllll-ll", true, '-', 0},
    {"min_dim's indices", r_argmin, NULL, o_min_index, NULL, "lllllll-ll", true, '-', 0},
    {"argmax", r_argmax, NULL, ct_argmax, NULL, "lllllll-ll", true, '-', 0},
    {"argmin", r_argmin, NULL, ct_argmin, NULL, "lllllll-ll", true, '-', 0},
    {"all", r_all, NULL, ct_all_dim, ct_all, "bbbbbbubbb", false, '-', 0},
    {"any", r_any, NULL, ct_any_dim, ct_any, "bbbbbbubbb", false, '-', 0},
    {"var", r_var, d_var, NULL, w_var, REAL, false, 'g', 1e-14},
    {"var, correction 0", r_var0, d_var0, NULL, w_var0, REAL, false, 'g', 1e-14},
    {"std", r_std, d_std, NULL, w_std, REAL, false, 'g', 1e-14},
    {"logsumexp", r_logsumexp, ct_logsumexp, NULL, NULL, "fd------hB", false, 'g', 1e-14},
    {"norm 0", r_norm0, d_norm0, NULL, NULL, REAL, false, '-', 0},
    {"norm 1", r_norm1, d_norm1, NULL, NULL, REAL, false, 'g', 1e-14},
    {"norm 2", r_norm2, d_norm2, NULL, w_norm2, REAL, false, 'g', 1e-14},
    {"norm 3", r_norm3, d_norm3, NULL, w_norm3, REAL, false, 'g', 1e-14},
    {"norm 0.5", r_normhalf, d_normhalf, NULL, NULL, REAL, false, 'g', 1e-13},
    {"norm inf", r_norminf, d_norminf, NULL, NULL, REAL, true, 'g', 0},
    {"norm -inf", r_normninf, d_normninf, NULL, NULL, REAL, true, 'g', 0},
    {"count_nonzero", r_count, NULL, NULL, ct_count_nonzero, "llllllllll", false, '-', 0},
};
enum { REDUCTIONS = sizeof reductions / sizeof *reductions, DTYPES = 10, MOST = 70000 };
static const ct_dtype dtype_of[DTYPES] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
static const char dtype_code[DTYPES + 1] = "fdliscubhB";
static char code_of(const ct_tensor *t)
{
    for (int k = 0; t && k < DTYPES; k++) if (dtype_of[k] == ct_dtype_of(t)) return dtype_code[k];
    return '-';
}
static double *values, *gathered;

/* the naive result over the dims in bits, into want; returns how many, *each = values that meet in one */
static int64_t naive(const reduction *r, const double *x, ct_shape s, unsigned bits, bool floating, double *want, int64_t *each)
{
    int64_t outputs = 1, count = 1;
    for (int d = 0; d < s.ndim; d++) *(bits >> d & 1 ? &count : &outputs) *= s.size[d];
    for (int64_t o = 0; o < outputs; o++) {
        for (int64_t k = 0; k < count; k++) {
            int64_t a = o, b = k, at = 0, stride = 1;
            for (int d = s.ndim - 1; d >= 0; d--) {
                int64_t *from = bits >> d & 1 ? &b : &a;
                at += *from % s.size[d] * stride, *from /= s.size[d], stride *= s.size[d];
            }
            gathered[k] = x[at];
        }
        want[o] = r->chooses && !count ? 0 : r->ref(gathered, count);
        if (!floating) want[o] += 0.0; /* integers know no -0 */
    }
    return *each = count, outputs;
}
static ct_shape kept(ct_shape s, unsigned bits, bool keepdim)
{
    ct_shape k = {{0}, 0};
    for (int d = 0; d < s.ndim; d++) {
        if (!(bits >> d & 1)) k.size[k.ndim++] = s.size[d];
        else if (keepdim) k.size[k.ndim++] = 1;
    }
    return k;
}
static bool same_sizes(ct_tensor *t, ct_shape s)
{
    bool same = t && ct_dim(t) == s.ndim;
    for (int d = 0; same && d < s.ndim; d++) same = ct_size(t, d) == s.size[d];
    return same;
}
/* one reduction in all its forms over one set of dims */
static void compare(const reduction *r, ct_tensor *x, const double *v, ct_shape s, unsigned bits, double tolerance, const char *what)
{
    static double want[MOST];
    int64_t each, n = naive(r, v, s, bits, ct_is_floating_point(x), want, &each);
    unsigned all = (1u << s.ndim) - 1;
    ct_shape dims = {{0}, 0};
    int only = -1;
    for (int d = 0; d < s.ndim; d++) if (bits >> d & 1) dims.size[dims.ndim++] = d % 2 ? d - s.ndim : d, only = d;
    bool nothing = r->chooses && !each;
    for (int form = 0; form < 3; form++)
        for (int keepdim = 0; keepdim < 2; keepdim++) {
            if (form == 0 && (!r->dims || (!bits && s.ndim))) continue;
            if (form == 1 && (!r->dim || (s.ndim ? dims.ndim != 1 : bits != 0))) continue;
            if (form == 2 && (!r->whole || bits != all || keepdim)) continue;
            if (form == 1 && only < 0) only = 0;
            ct_scope_begin();
            test_expecting = nothing, test_reports = 0;
            ct_tensor *y = form == 0 ? r->dims(x, dims, keepdim != 0) : form == 1 ? r->dim(x, only, keepdim != 0) : r->whole(x);
            test_expecting = false;
            if (nothing) {
                CHECKF(!y && test_reports == 1 && test_error.code == CT_ERR_SHAPE, "ct_%s of %s over %x: nothing to choose from is one CT_ERR_SHAPE, got %d %s", r->name, ct_shape_text(x), bits, test_reports, y ? "and a result" : ct_error_name(test_error.code));
                ct_clear_error();
            } else {
                ct_shape k = kept(s, bits, keepdim != 0);
                CHECKF(same_sizes(y, k), "ct_%s of %s over %x, keepdim %d: shape %s", r->name, ct_shape_text(x), bits, keepdim, ct_shape_text(y));
                CHECKF(test_values(y, want, n, tolerance, __FILE__, __LINE__, r->name), "ct_%s of %s %s over dims %x, form %d, %s", r->name, ct_dtype_name(ct_dtype_of(x)), ct_shape_text(x), bits, form, what);
            }
            ct_scope_end();
        }
}
static const struct { int ndim; int64_t size[8]; } shapes[] = {
    {0, {0}}, {1, {1}}, {1, {7}}, {1, {0}}, {2, {5, 7}}, {2, {0, 3}}, {2, {3, 0}}, {3, {3, 4, 5}}, {4, {2, 3, 1, 4}}, {3, {2, 70, 3}}, {2, {140, 9}}, {2, {9, 300}}, {3, {3, 2, 270}}, {8, {1, 2, 1, 3, 2, 1, 2, 2}}};
static void all_values(void)
{
    for (int op = 0; op < REDUCTIONS; op++)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            ct_shape s = test_shape(shapes[k].ndim, shapes[k].size);
            const reduction *r = &reductions[op];
            int64_t n = test_numel(s);
            if (s.ndim == 8 && op % 5) continue;
            for (int64_t i = 0; i < n; i++) values[i] = test_uniform(-2, 2), values[i] = fabs(values[i]) < 0.1 ? (op % 2 ? 0 : 1) : values[i];
            for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
                ct_scope_begin();
                ct_tensor *x = test_tensor(CT_F64, s, values, layout);
                for (unsigned bits = 0; bits < 1u << s.ndim; bits++) compare(r, x, values, s, bits, r->tolerance * 10, "layout");
                ct_scope_end();
            }
            /* expanded: stride 0 */
            if (s.ndim != 3 || !n) continue;
            ct_scope_begin();
            ct_tensor *row = test_tensor(CT_F64, test_shape(1, &s.size[2]), values, 0), *x = (ct_expand)(row, s);
            for (int64_t i = s.size[2]; i < n; i++) values[i] = values[i % s.size[2]];
            for (unsigned bits = 0; bits < 8; bits++) compare(r, x, values, s, bits, r->tolerance * 10, "expanded");
            ct_scope_end();
        }
}
static void all_types(void)
{
    static const int64_t sizes[] = {4, 3};
    for (int op = 0; op < REDUCTIONS; op++)
        for (int t = 0; t < DTYPES; t++) {
            const reduction *r = &reductions[op];
            ct_dtype d = dtype_of[t];
            bool floats = t < 2 || t >= 8;
            ct_shape s = test_shape(2, sizes);
            for (int i = 0; i < 12; i++) values[i] = d == CT_BOOL ? i % 3 != 1 : d == CT_U8 ? (r->ref == r_prod ? 1 + i % 4 : 100 + 11 * (i % 5)) : floats ? 0.25 * (i * 7 % 11) - 1 : i * 7 % 11 - 4;
            ct_scope_begin();
            ct_tensor *x = test_tensor(d, s, values, 0);
            ct_shape first = {{0}, 1};
            test_expecting = r->types[t] == '-' || r->types[t] == '!', test_reports = 0;
            ct_tensor *y = r->dims ? r->dims(x, first, false) : r->dim ? r->dim(x, 0, false) : r->whole(x);
            test_expecting = false;
            if (r->types[t] == '!') CHECKF(!y && test_reports == 1 && test_error.code == CT_ERR_DTYPE, "ct_%s of %s is one CT_ERR_DTYPE; %d reports", r->name, ct_dtype_name(d), test_reports);
            else if (r->types[t] != '-') {
                CHECKF(code_of(y) == r->types[t], "ct_%s of %s is %c, torch has %c", r->name, ct_dtype_name(d), code_of(y), r->types[t]);
                for (unsigned bits = 1; bits < 4; bits++) compare(r, x, values, s, bits, !floats && r->types[t] != 'f' ? 0 : r->tolerance == 0 ? 0 : d == CT_F64 ? 1e-13 : d == CT_F16 ? 2e-3 : d == CT_BF16 ? 1e-2 : 1e-6, "type");
            }
            ct_clear_error();
            ct_scope_end();
        }
    /* wide: 300 rows make columns run through blocks */
    for (int t = 0; t < DTYPES; t++) {
        ct_shape s = {{300, 37}, 2};
        for (int i = 0; i < 300 * 37; i++) values[i] = i * 7 % 5 == 0;
        ct_scope_begin();
        ct_tensor *x = test_tensor(dtype_of[t], s, values, 0);
        for (unsigned bits = 1; bits < 4; bits++) {
            compare(&reductions[0], x, values, s, bits, t >= 8 ? 4e-3 : 0, "300 rows");
            compare(&reductions[4], x, values, s, bits, 0, "300 rows");
            compare(&reductions[10], t == 7 ? ct_to(x, CT_U8) : x, values, s, bits, 0, "300 rows");
        }
        ct_scope_end();
    }
}
static void special(void)
{
    ct_scope_begin();
    ct_tensor *n = ct_tensor_of(1, NAN, 3), *i = NULL;
    ct_shape all = {{0}, 0}, one = {{0}, 1}, twice = {{0, 0}, 2}, again = {{0, -2}, 2};
    CHECK_VALUES(ct_max(n), 0, NAN);
    CHECK_VALUES(ct_min(n), 0, NAN);
    CHECK_VALUES(ct_max_dim(n, 0, false, &i), 0, NAN);
    CHECK_VALUES(i, 0, 1);
    CHECK_VALUES(ct_argmin(n, 0, false), 0, 1);
    CHECK_VALUES(ct_argmin(ct_tensor_of(3, NAN, NAN), 0, false), 0, 1);
    CHECK_VALUES(ct_sum(n), 0, NAN);
    CHECK_VALUES(ct_nansum(n), 0, 4);
    CHECK_VALUES(ct_var(n, 1), 0, NAN);
    CHECK_VALUES(ct_norm(n, INFINITY), 0, NAN);
    CHECK_VALUES(ct_norm(n, -INFINITY), 0, NAN);
    CHECK_VALUES(ct_norm(n, 0), 0, 3);
    CHECK_VALUES(ct_any(n), 0, 1);
    CHECK_VALUES(ct_all(ct_tensor_of(NAN)), 0, 1);
    CHECK_VALUES(ct_count_nonzero(n), 0, 3);
    CHECK_VALUES(ct_logsumexp(n, all, false), 0, NAN);
    /* the NaN far behind, in every kernel's lanes */
    for (int64_t at = 0; at < 40; at++) {
        ct_tensor *x = ct_arange(40.0);
        ct_set(ct_slice(x, 0, at, at + 1, 1), "0", NAN);
        CHECKF(isnan(ct_item(ct_max(x))) && isnan(ct_item(ct_min(x))) && ct_item_i64(ct_argmax(x, 0, false)) == at, "NaN at %d of 40", (int)at);
    }
    /* ties: the first */
    ct_tensor *t = ct_reshape(ct_tensor_of(1, 3, 3, 2, 2, 1), 2, 3);
    CHECK_VALUES(ct_argmax(t, 1, false), 0, 1, 0);
    CHECK_VALUES(ct_argmin(t, 1, true), 0, 0, 2);
    CHECK_VALUES(ct_argmax(t, 0, false), 0, 1, 0, 0);
    CHECK_VALUES(ct_argmax(ct_zeros(5), 0, false), 0, 0);
    /* infinities */
    CHECK_VALUES(ct_logsumexp(ct_tensor_of(-INFINITY, -INFINITY), one, false), 0, -INFINITY);
    CHECK_VALUES(ct_logsumexp(ct_tensor_of(INFINITY, 1), one, false), 0, INFINITY);
    CHECK_VALUES(ct_logsumexp(ct_tensor_of(1000, 1000), one, false), 1e-6, 1000.6931471805599);
    CHECK_VALUES(ct_max(ct_tensor_of(-INFINITY, -INFINITY)), 0, -INFINITY);
    CHECK_VALUES(ct_sum(ct_tensor_of(INFINITY, -INFINITY)), 0, NAN);
    /* empty */
    ct_tensor *none = ct_zeros(0), *flat = ct_zeros(0, 3);
    CHECK_VALUES(ct_sum(none), 0, 0);
    CHECK_VALUES(ct_prod(none), 0, 1);
    CHECK_VALUES(ct_mean(none), 0, NAN);
    CHECK_VALUES(ct_var(none, 1), 0, NAN);
    CHECK_VALUES(ct_std(none, 1), 0, NAN);
    CHECK_VALUES(ct_all(none), 0, 1);
    CHECK_VALUES(ct_any(none), 0, 0);
    CHECK_VALUES(ct_norm(none, 2), 0, 0);
    CHECK_VALUES(ct_nansum(none), 0, 0);
    CHECK_VALUES(ct_logsumexp(none, one, false), 0, -INFINITY);
    CHECK_SHAPE(ct_cumsum(none, 0), "(0)");
    CHECK_VALUES(ct_sum_dim(flat, 0, false), 0, 0, 0, 0);
    CHECK_VALUES(ct_mean_dim(flat, 0, false), 0, NAN, NAN, NAN);
    CHECK_VALUES(ct_prod_dim(flat, 0, false), 0, 1, 1, 1);
    CHECK_VALUES(ct_any_dim(flat, 0, false), 0, 0, 0, 0);
    CHECK_SHAPE(ct_sum_dim(flat, 1, false), "(0)");
    CHECK_SHAPE(ct_max_dim(flat, 1, false, &i), "(0)");
    CHECK_SHAPE(i, "(0)");
    CHECK_SHAPE(ct_amax(flat, CT_SHAPE(1), true), "(0, 1)");
    CHECK_ERROR(CT_ERR_SHAPE, ct_max(none));
    CHECK_ERROR(CT_ERR_SHAPE, ct_min(none));
    CHECK_ERROR(CT_ERR_SHAPE, ct_argmax(none, 0, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_amax(flat, one, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_max_dim(flat, 0, false, &i));
    CHECK_ERROR(CT_ERR_SHAPE, ct_norm(none, INFINITY));
    /* few elements, correction */
    CHECK_VALUES(ct_var(ct_tensor_of(5), 1), 0, NAN);
    CHECK_VALUES(ct_var(ct_tensor_of(1, 2), 2), 0, INFINITY);
    CHECK_VALUES(ct_std(ct_tensor_of(1, 2), 1), 1e-7, 0.7071067690849304);
    CHECK_VALUES(ct_var(ct_tensor_of(5), 0), 0, 0);
    /* 0-d */
    ct_tensor *zero = ct_scalar(3);
    CHECK_VALUES(ct_sum_dim(zero, 0, false), 0, 3);
    CHECK_VALUES(ct_sum_dim(zero, -1, true), 0, 3);
    CHECK_VALUES(ct_max_dim(zero, 0, false, &i), 0, 3);
    CHECK_VALUES(i, 0, 0);
    CHECK_SHAPE(ct_argmax(zero, -1, false), "()");
    CHECK_VALUES(ct_cumsum(zero, 0), 0, 3);
    CHECK_VALUES(ct_cumprod(zero, -1), 0, 3);
    CHECK_VALUES(ct_logsumexp(zero, one, false), 1e-7, 3);
    /* sizes and exactness */
    CHECK(ct_item_i64(ct_sum((ct_full_dtype)(CT_U8, ct_number_i64(200), CT_SHAPE(1000)))) == 200000);
    CHECK(ct_item_i64(ct_sum(ct_tensor_i64(INT64_C(4611686018427387904), INT64_C(4611686018427387904)))) == INT64_MIN); /* wraps */
    CHECK(ct_item_i64(ct_max(ct_tensor_i64(INT64_C(9007199254740992), INT64_C(9007199254740993)))) == INT64_C(9007199254740993));
    CHECK(ct_item_i64(ct_sum(ct_tensor_i64(INT64_C(9007199254740993), 0))) == INT64_C(9007199254740993));
    CHECK(ct_item_i64(ct_prod(ct_tensor_i64(INT64_C(3037000499), INT64_C(3037000499)))) == INT64_C(3037000499) * INT64_C(3037000499));
    CHECK_VALUES(ct_sum((ct_full_dtype)(CT_F16, ct_number(0.5), CT_SHAPE(10000))), 0, 5000);
    CHECK_NEAR(ct_item(ct_sum((ct_full_dtype)(CT_F32, ct_number(0.1), CT_SHAPE(1000000)))), 1000000 * (double)0.1f, 3e-7);
    CHECK_NEAR(ct_item(ct_mean(ct_add((ct_full_dtype)(CT_F32, ct_number(1e7), CT_SHAPE(100000)), ct_number(1)))), 10000001, 1e-9);
    CHECK_NEAR(ct_item(ct_var(ct_add(ct_to(ct_remainder(ct_arange(100000), 2), CT_F32), 4096), 0)), 0.25, 1e-6);
    /* scans */
    ct_tensor *m = ct_reshape(ct_arange(1, 7), 2, 3);
    CHECK_VALUES(ct_cumsum(m, 1), 0, 1, 3, 6, 4, 9, 15);
    CHECK_VALUES(ct_cumsum(m, 0), 0, 1, 2, 3, 5, 7, 9);
    CHECK_VALUES(ct_cumprod(m, -1), 0, 1, 2, 6, 4, 20, 120);
    CHECK_VALUES(ct_cumsum(ct_t(m), 1), 0, 1, 5, 2, 7, 3, 9);
    CHECK(ct_dtype_of(ct_cumsum(ct_to(m, CT_I32), 0)) == CT_I64 && ct_dtype_of(ct_cumprod(ct_to(m, CT_BOOL), 0)) == CT_I64);
    CHECK_SHAPE(ct_cumsum(ct_zeros(2, 0, 3), 1), "(2, 0, 3)");
    /* sum_to_size */
    ct_tensor *w = ct_reshape(ct_arange(12.0), 2, 3, 2);
    CHECK_VALUES(ct_sum_to_size(w, 3, 1), 0, 14, 22, 30);
    CHECK_VALUES(ct_sum_to_size(w, 1), 0, 66);
    CHECK(ct_sum_to_size(w, 2, 3, 2) == w);
    CHECK_VALUES((ct_sum_to_size)(w, test_shape(0, NULL)), 0, 66);
    /* errors */
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dim(m, 2, false));
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dim(m, -3, false));
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dim(zero, 1, false));
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dims(m, twice, false));
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dims(m, again, false));
    CHECK_ERROR(CT_ERR_DIM, ct_amax(w, CT_SHAPE(0, -3), false));
    CHECK_SHAPE(ct_amax(w, again, false), "(2)"); /* dims 0 and 1 here */
    CHECK_ERROR(CT_ERR_DIM, ct_argmax(m, 2, false));
    CHECK_ERROR(CT_ERR_DIM, ct_max_dim(m, 5, false, NULL));
    CHECK_ERROR(CT_ERR_DIM, ct_cumsum(m, 2));
    CHECK_ERROR(CT_ERR_DIM, ct_all_dim(m, 2, false));
    CHECK_ERROR(CT_ERR_DIM, ct_logsumexp(ct_to(m, CT_F32), CT_SHAPE(4), false));
    CHECK_ERROR(CT_ERR_DIM, ct_var_dims(ct_to(m, CT_F32), CT_SHAPE(4), 1, false));
    CHECK_ERROR(CT_ERR_DIM, ct_norm_dims(ct_to(m, CT_F32), 2, CT_SHAPE(4), false));
    CHECK_ERROR(CT_ERR_DIM, ct_mean_dim(ct_to(m, CT_F32), 4, false));
    CHECK_ERROR(CT_ERR_DTYPE, ct_mean(m));
    CHECK_ERROR(CT_ERR_DTYPE, ct_var(m, 1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_std(m, 1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_norm(m, 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_sum_to_size(w, 2, 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_sum_to_size(w, 1, 2, 3, 2));
    CHECK_QUIET(ct_sum(NULL));
    CHECK_QUIET(ct_mean(NULL));
    CHECK_QUIET(ct_max_dim(NULL, 0, false, &i));
    CHECK_QUIET(ct_argmax(NULL, 0, false));
    CHECK_QUIET(ct_var(NULL, 1));
    CHECK_QUIET(ct_std(NULL, 1));
    CHECK_QUIET(ct_nansum(NULL));
    CHECK_QUIET(ct_all(NULL));
    CHECK_QUIET(ct_logsumexp(NULL, all, false));
    CHECK_QUIET(ct_norm(NULL, 2));
    CHECK_QUIET(ct_count_nonzero(NULL));
    CHECK_QUIET(ct_cumsum(NULL, 0));
    CHECK_QUIET(ct_sum_to_size(NULL, 1));
    ct_scope_end();
}

/* ---- gradients ---- */
typedef struct { const reduction *r; ct_shape dims; int form; bool keepdim; } grad_case;
static ct_tensor *call(ct_tensor *const *in, int count, void *user)
{
    const grad_case *g = (const grad_case *)user;
    (void)count;
    return g->form == 0 ? g->r->dims(in[0], g->dims, g->keepdim) : g->form == 1 ? g->r->dim(in[0], (int)g->dims.size[0], g->keepdim) : g->r->whole(in[0]);
}
static ct_tensor *call_cumsum(ct_tensor *const *in, int count, void *user) { return (void)count, ct_cumsum(in[0], *(int *)user); }
static ct_tensor *call_cumprod(ct_tensor *const *in, int count, void *user) { return (void)count, ct_cumprod(in[0], *(int *)user); }
static ct_tensor *call_to_size(ct_tensor *const *in, int count, void *user) { return (void)count, (ct_sum_to_size)(ct_square(in[0]), *(ct_shape *)user); }
static void gradients(void)
{
    static const int64_t sizes[] = {2, 3, 2};
    double x[12];
    for (int op = 0; op < REDUCTIONS; op++) {
        const reduction *r = &reductions[op];
        for (int layout = 0; layout < 2; layout++)
            for (unsigned bits = 1; bits < 8; bits++)
                for (int form = 0; form < 3; form++) {
                    grad_case g = {r, {{0}, 0}, form, bits % 2 != 0};
                    for (int d = 0; d < 3; d++) if (bits >> d & 1) g.dims.size[g.dims.ndim++] = d;
                    if ((form == 0 && !r->dims) || (form == 1 && (!r->dim || g.dims.ndim != 1)) || (form == 2 && (!r->whole || bits != 7))) continue;
                    ct_scope_begin();
                    for (int k = 0; k < 12; k++) x[k] = (k * 5 % 12 - 5.5) * 0.3 + test_uniform(-0.05, 0.05); /* apart from each other and from 0 */
                    ct_tensor *in = ct_requires_grad_(ct_detach(test_tensor(CT_F64, test_shape(3, sizes), x, layout)), true), *y = call(&in, 1, &g);
                    if (r->grad == '-') CHECKF(!ct_requires_grad(y), "ct_%s has no gradient", r->name);
                    else {
                        CHECKF(ct_gradcheck(call, &in, 1, &g), "gradcheck of ct_%s over %x, form %d", r->name, bits, form);
                        CHECKF(ct_gradgradcheck(call, &in, 1, &g), "gradgradcheck of ct_%s over %x, form %d", r->name, bits, form);
                    }
                    ct_scope_end();
                }
    }
    /* products with zeros: none, one, two, in a row and in all */
    static const double zeros[3][6] = {{2, 3, -1, 4, 0.5, 1.5}, {2, 0, -1, 4, 0.5, 1.5}, {2, 0, 0, 4, 0.5, 1.5}};
    for (int z = 0; z < 3; z++)
        for (int form = 1; form < 3; form++)
            for (int dim = -1; dim < 2; dim++) {
                grad_case g = {&reductions[2], {{dim < 0 ? 0 : dim}, 1}, form, dim < 0};
                ct_scope_begin();
                ct_tensor *in = ct_requires_grad_(test_tensor(CT_F64, CT_SHAPE(2, 3), zeros[z], 0), true);
                CHECKF(ct_gradcheck(call, &in, 1, &g) && ct_gradgradcheck(call, &in, 1, &g), "gradients of ct_prod, form %d, dim %d, %d zeros", form, dim, z);
                int d = dim < 0 ? 1 : dim;
                CHECKF(ct_gradcheck(call_cumsum, &in, 1, &d) && ct_gradgradcheck(call_cumsum, &in, 1, &d), "gradients of ct_cumsum, dim %d", d);
                CHECKF(ct_gradcheck(call_cumprod, &in, 1, &d) && ct_gradgradcheck(call_cumprod, &in, 1, &d), "gradients of ct_cumprod, dim %d, %d zeros", d, z);
                ct_scope_end();
            }
    ct_scope_begin();
    for (int k = 0; k < 12; k++) x[k] = test_uniform(-1, 1);
    ct_tensor *in = ct_requires_grad_(test_tensor(CT_F64, test_shape(3, sizes), x, 0), true);
    ct_shape to[] = {{{3, 1}, 2}, {{1}, 1}, {{2, 1, 2}, 3}, {{0}, 0}};
    for (int k = 0; k < 4; k++) CHECK(ct_gradcheck(call_to_size, &in, 1, &to[k]) && ct_gradgradcheck(call_to_size, &in, 1, &to[k]));
    ct_scope_end();
}
#define LEAF(...) ct_requires_grad_(ct_tensor_of(__VA_ARGS__), true)
static void subgradients(void)
{
    ct_shape one = {{0}, 1};
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 3, 3);
    CHECK_VALUES(ct_grad(ct_max(x), x), 0, 0, 0.5, 0.5);
    CHECK_VALUES(ct_grad(ct_amax(x, one, false), x), 0, 0, 0.5, 0.5);
    CHECK_VALUES(ct_grad(ct_max_dim(x, 0, false, NULL), x), 0, 0, 1, 0);
    x = LEAF(1, 1, 3);
    CHECK_VALUES(ct_grad(ct_min(x), x), 0, 0.5, 0.5, 0);
    x = LEAF(1, NAN, 3);
    CHECK_VALUES(ct_grad(ct_max(x), x), 0, 0, 1, 0);
    CHECK_VALUES(ct_grad(ct_nansum(x), x), 0, 1, 0, 1);
    x = LEAF(0, 2, 3);
    CHECK_VALUES(ct_grad(ct_prod(x), x), 0, 6, 0, 0);
    x = LEAF(0, 0, 3);
    CHECK_VALUES(ct_grad(ct_prod(x), x), 0, 0, 0, 0);
    x = LEAF(3, 0, 2);
    CHECK_VALUES(ct_grad(ct_sum(ct_cumprod(x, 0)), x), 0, 1, 9, 0);
    x = LEAF(2, 2);
    CHECK_VALUES(ct_grad(ct_std(x, 1), x), 0, 0, 0);
    x = LEAF(0, 0);
    double orders[] = {1, 2, 3, 0.5, INFINITY, 1.5};
    for (int k = 0; k < 6; k++) CHECKF(test_values(ct_grad(ct_norm(x, orders[k]), x), (const double[]){0, 0}, 2, 0, __FILE__, __LINE__, "norm"), "gradient of norm %g at 0 is 0, as in torch", orders[k]);
    x = LEAF(3, -4, 0, 2); /* torch 1.13 */
    CHECK_VALUES(ct_grad(ct_norm(x, 1), x), 0, 1, -1, 0, 1);
    CHECK_VALUES(ct_grad(ct_norm(x, 2), x), 1e-6, 0.5570860505104065, -0.7427813410758972, 0.0, 0.3713906705379486);
    CHECK_VALUES(ct_grad(ct_norm(x, 3), x), 1e-6, 0.4205513000488281, -0.7476467490196228, 0.0, 0.1869116872549057);
    CHECK_VALUES(ct_grad(ct_norm(x, 0.5), x), 1e-6, 2.9711971282958984, -2.573132276535034, 0.0, 3.63895845413208);
    CHECK_VALUES(ct_grad(ct_norm(x, INFINITY), x), 0, 0, -1, 0, 0);
    x = LEAF(4, -4, 1, 2);
    CHECK_VALUES(ct_grad(ct_norm(x, INFINITY), x), 0, 0.5, -0.5, 0, 0);
    CHECK_VALUES(ct_grad(ct_norm(x, -INFINITY), x), 0, 0, -0.0, 1, 0);
    CHECK_VALUES(ct_grad(ct_norm(x, -1), x), 1e-6, 0.015625, -0.015625, 0.25, 0.0625);
    x = LEAF(-INFINITY, -INFINITY);
    CHECK_VALUES(ct_grad(ct_logsumexp(x, one, false), x), 0, NAN, NAN);
    x = LEAF(-INFINITY, 1);
    CHECK_VALUES(ct_grad(ct_logsumexp(x, one, false), x), 0, 0, 1);
    ct_scope_end();
}

/* ---- the number of threads ---- */
static bool same_bits(ct_tensor *a, ct_tensor *b)
{
    return a && b && ct_numel(a) == ct_numel(b) && ct_dtype_of(a) == ct_dtype_of(b) && !memcmp(ct_data(ct_contiguous(a)), ct_data(ct_contiguous(b)), (size_t)ct_numel(a) * ct_element_size(a));
}
enum { RESULTS = 16 };
static void everything(ct_tensor *x, ct_tensor *m, ct_tensor *out[RESULTS])
{
    ct_shape all = {{0}, 0}, first = {{0}, 1}, last = {{1}, 1};
    ct_tensor *leaf = ct_requires_grad_(ct_clone(ct_slice(m, 0, 0, 1, 1)), true);
    int n = 0;
    out[n++] = ct_sum(x), out[n++] = ct_mean(x), out[n++] = ct_prod(ct_add(ct_mul(x, 1e-3), 1)), out[n++] = ct_max(x), out[n++] = ct_var(x, 1), out[n++] = ct_norm(x, 3);
    out[n++] = ct_sum_dims(m, first, false), out[n++] = ct_sum_dims(m, last, false), out[n++] = ct_sum_dims(ct_t(m), first, false), out[n++] = ct_sum_dims(ct_t(m), all, false);
    out[n++] = ct_cumsum(m, 0), out[n++] = ct_cumsum(m, 1), out[n++] = ct_grad(ct_sum(ct_sin(ct_mul(leaf, m))), leaf), out[n++] = ct_argmax(m, 1, false);
    out[n++] = ct_logsumexp(m, last, false), out[n++] = ct_exp(m);
}
static void threads(void)
{
    int was = ct_get_num_threads();
    for (int64_t k = 1; k <= 3; k++)
        for (int64_t step = -1; step <= 1; step++)
            for (int t = 0; t < 3; t++) {
                static const ct_dtype type[] = {CT_F32, CT_F64, CT_F16};
                ct_tensor *one[RESULTS], *more[RESULTS];
                int64_t n = 65536 * k + step, rows = 301, columns = 257 + 100 * k + step;
                if (t == 2 && k != 2) continue;
                ct_scope_begin();
                ct_manual_seed(n);
                ct_tensor *x = ct_to((ct_randn)(CT_SHAPE(n)), type[t]), *m = ct_to((ct_randn)(CT_SHAPE(rows, columns)), type[t]);
                ct_set_num_threads(1);
                everything(x, m, one);
                for (int threads = 2; threads <= 4; threads += 2) {
                    ct_set_num_threads(threads);
                    everything(x, m, more);
                    for (int r = 0; r < RESULTS; r++) CHECKF(same_bits(one[r], more[r]), "result %d of %lld %s elements differs with %d threads", r, (long long)n, ct_dtype_name(type[t]), threads);
                }
                if (t < 2) { /* and it is the right one */
                    double *v = test_read(x), s = 0, c = 0, added = 0; /* Kahan */
                    for (int64_t i = 0; v && i < n; i++) {
                        double y = v[i] - c, z = s + y;
                        c = z - s - y, s = z, added += fabs(v[i]);
                    }
                    free(v);
                    CHECKF(fabs(ct_item(one[0]) - s) <= (t ? 1e-16 : 2e-9) * added, "the sum of %lld elements is %.9g, not %.9g", (long long)n, ct_item(one[0]), s);
                }
                ct_scope_end();
            }
    ct_set_num_threads(was);
}

int main(void)
{
    test_init();
    values = (double *)malloc(MOST * sizeof *values), gathered = (double *)malloc(MOST * sizeof *gathered);
    if (!values || !gathered) return 1;
    all_values();
    all_types();
    special();
    gradients();
    subgradients();
    threads();
    ct_shutdown();
    free(values), free(gathered);
    return test_done();
}
