/* Every pointwise operator against libm and naive loops: values at random and special arguments, types, layouts, broadcasting, in place,
   first and second gradients, subgradients at kinks as PyTorch 1.13 has them, type promotion. One row per operator. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

#define PI 3.14159265358979323846
enum { DTYPES = 10 };
static const ct_dtype dtype_of[DTYPES] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
static const char dtype_code[DTYPES + 1] = "fdliscubhB"; /* as in the tables below, which are torch 1.13's; '-' where it refuses */
static int code_index(ct_dtype d)
{
    for (int k = 0; k < DTYPES; k++) if (dtype_of[k] == d) return k;
    return 0;
}
static char code_of(const ct_tensor *t) { return t ? dtype_code[code_index(ct_dtype_of(t))] : '-'; }
static double epsilon_of(ct_dtype d) { return d == CT_F64 ? 2.220446049250313e-16 : d == CT_F32 ? 1.1920928955078125e-07 : d == CT_F16 ? 9.765625e-4 : 7.8125e-3; }
static double wrapped(double v, ct_dtype d) /* a whole number stored in an integer type */
{
    int64_t i = (int64_t)v;
    switch (d) {
    case CT_I32: return (double)(int32_t)(uint32_t)(uint64_t)i;
    case CT_I16: return (double)(int16_t)(uint16_t)(uint64_t)i;
    case CT_I8: return (double)(int8_t)(uint8_t)(uint64_t)i;
    case CT_U8: return (double)(uint8_t)(uint64_t)i;
    case CT_BOOL: return v != 0;
    default: return (double)i;
    }
}
/* rounded to what the type can hold */
static double rounded(double v, ct_dtype d)
{
    if (d == CT_F32) return (double)(float)v;
    if (d == CT_F64) return v;
    if (d == CT_F16 || d == CT_BF16) { /* through the library: conversions() tests it by itself */
        ct_scope_begin();
        double r = ct_item(ct_to((ct_tensor_from)(&v, CT_F64, test_shape(0, NULL)), d));
        ct_scope_end();
        return r;
    }
    return wrapped(v, d);
}
/* |got - want| <= k*eps*|want| + ka*eps, and a few subnormals */
static bool close_to(double got, double exact, double k, double ka, ct_dtype d)
{
    double eps = epsilon_of(d), tiny = d == CT_F64 ? 1.5e-323 : 6e-44, want = rounded(exact, d);
    if (d == CT_F16) tiny = 6e-8;
    if (d == CT_BF16) tiny = 1e-40;
    if (got != got || want != want) return got != got && want != want;
    double limit = d == CT_F64 ? 1.797e308 : d == CT_F16 ? 65519 : 3.4028235e38;
    if (isinf(got) || isinf(want)) return got == want || (fabs(want) >= limit * (1 - k * eps) && fabs(got) >= limit * (1 - k * eps) && (got > 0) == (want > 0));
    if (got == 0 && want == 0 && ka == 0 && exact == 0) return signbit(got) == signbit(want);
    return fabs(got - want) <= k * eps * fabs(want) + ka * eps + tiny;
}

/* ---- references ---- */
typedef double ref1(double);
typedef double ref2(double, double);
typedef int64_t iref2(int64_t, int64_t);
static double r_sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }
static double r_square(double x) { return x * x; }
static double r_neg(double x) { return -x; }
static double r_rsqrt(double x) { return 1 / sqrt(x); }
static double r_reciprocal(double x) { return 1 / x; }
static double r_frac(double x) { return x - trunc(x); }
static double r_sigmoid(double x) { return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)); }
static double r_sigmoid_inf(double x) { return x == -INFINITY ? 0 : r_sigmoid(x); }
static double r_logit(double x) { return log(x / (1 - x)); }
static double r_erfinv(double y)
{
    if (y != y || fabs(y) > 1) return NAN;
    if (fabs(y) == 1) return copysign(INFINITY, y);
    if (y == 0) return y;
    double a = fabs(y), l = log1p(-a * a), t = 2 / (PI * 0.147) + l / 2, x = sqrt(sqrt(t * t - l / 0.147) - t);
    for (int i = 0; i < 6; i++) { /* Halley */
        double f = (a > 0.5 ? (1 - a) - erfc(x) : erf(x) - a) / (2 / sqrt(PI) * exp(-x * x));
        x -= f / (1 + x * f);
    }
    return copysign(a < 1e-10 ? a * sqrt(PI) / 2 : x, y);
}
static double r_digamma(double x)
{
    if (x == 0) return copysign(INFINITY, -x);
    if (x < 0 && x == trunc(x)) return NAN;
    if (x == -INFINITY) return NAN;
    if (x < 0) return r_digamma(1 - x) - PI / tan(PI * (x - rint(x)));
    double s = 0;
    for (; x < 12; x++) s -= 1 / x;
    double w = 1 / (x * x);
    return s + log(x) - 0.5 / x - w * (1.0 / 12 - w * (1.0 / 120 - w * (1.0 / 252 - w * (1.0 / 240 - w * (1.0 / 132 - w * (691.0 / 32760 - w / 12))))));
}
static double r_trigamma(double x)
{
    if (x == -INFINITY) return NAN;
    if (x <= 0 && x == trunc(x)) return INFINITY;
    if (x < 0) return PI * PI / (sin(PI * (x - rint(x))) * sin(PI * (x - rint(x)))) - r_trigamma(1 - x);
    double s = 0;
    for (; x < 20; x++) s += 1 / (x * x);
    double w = 1 / (x * x);
    return s + 1 / x + w / 2 + w / x * (1.0 / 6 - w * (1.0 / 30 - w * (1.0 / 42 - w * (1.0 / 30 - w * (5.0 / 66)))));
}
static double r_relu(double x) { return x < 0 ? 0 : x; } /* -0 stays -0, as in torch */
static double r_relu6(double x) { return x != x ? x : x < 0 ? 0 : x > 6 ? 6 : x; }
static double r_gelu(double x) { return x == -INFINITY ? NAN : x * 0.5 * erfc(-x / sqrt(2)); }
static double r_gelu_tanh(double x) { return 0.5 * x * (1 + tanh(sqrt(2 / PI) * (x + 0.044715 * x * x * x))); }
static double r_silu(double x) { return x == -INFINITY ? NAN : x * r_sigmoid(x); }
static double r_softplus1(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double r_mish(double x) { return x == -INFINITY ? NAN : x != x ? x : x * tanh(r_softplus1(x)); }
static double r_hardswish(double x) { return x * r_relu6(x + 3) / 6; }
static double r_hardsigmoid(double x) { return r_relu6(x + 3) / 6; }
static double r_softsign(double x) { return x / (1 + fabs(x)); }
static double r_log_sigmoid(double x) { return x != x ? x : fmin(x, 0) - log1p(exp(-fabs(x))); }
static double r_elu_of(double x, double alpha) { return x > 0 ? x : alpha * expm1(x); }
static double r_selu(double x) { return 1.0507009873554804934193349852946 * r_elu_of(x, 1.6732632423543772848170429916717); }
static double r_leaky(double x) { return x > 0 ? x : 0.1 * x; }
static double r_elu(double x) { return r_elu_of(x, 1.3); }
static double r_softplus(double x) { return 2 * x > 20 ? x : x != x ? x : log1p(exp(2 * x)) / 2; }
static double r_hardtanh(double x) { return x != x ? x : x < -1 ? -1 : x > 2 ? 2 : x; }
static double r_threshold(double x) { return x <= 0.5 ? -3 : x; }
static double r_softshrink(double x) { return x > 0.5 ? x - 0.5 : x < -0.5 ? x + 0.5 : x != x ? x : 0; }
static double r_hardshrink(double x) { return x > 0.5 || x < -0.5 || x != x ? x : 0; }
static double r_nan_to_num(double x) { return x != x ? 7 : isinf(x) ? (x > 0 ? 8 : -9) : x; }
static double r_isnan(double x) { return x != x; }
static double r_isinf(double x) { return isinf(x) != 0; }
static double r_isfinite(double x) { return isfinite(x) != 0; }
static double r_not(double x) { return x == 0; }
static double r_bitnot(double x) { return -x - 1; }
static double r_signbit(double x) { return signbit(x) != 0; }
static double r_deg2rad(double x) { return x * (PI / 180); }
static double r_rad2deg(double x) { return x * (180 / PI); }
static double r_round(double x) { return nearbyint(x); }
static double r_sin(double x) { return sin(x); }
static double r_lgamma(double x) { return lgamma(x); }

static ct_tensor *f_leaky(ct_tensor *x) { return ct_leaky_relu(x, 0.1); }
static ct_tensor *f_elu(ct_tensor *x) { return ct_elu(x, 1.3); }
static ct_tensor *f_softplus(ct_tensor *x) { return ct_softplus(x, 2, 20); }
static ct_tensor *f_hardtanh(ct_tensor *x) { return ct_hardtanh(x, -1, 2); }
static ct_tensor *f_threshold(ct_tensor *x) { return ct_threshold(x, 0.5, -3); }
static ct_tensor *f_softshrink(ct_tensor *x) { return ct_softshrink(x, 0.5); }
static ct_tensor *f_hardshrink(ct_tensor *x) { return ct_hardshrink(x, 0.5); }
static ct_tensor *f_nan_to_num(ct_tensor *x) { return ct_nan_to_num(x, 7, 8, -9); }

/* ---- unary operators ---- */
typedef ct_tensor *op1(ct_tensor *);
typedef ct_tensor *op2(ct_tensor *, ct_tensor *);
typedef struct {
    const char *name;
    op1 *f, *f_;
    ref1 *ref;
    double low, high; /* where random arguments lie */
    double k, ka;     /* tolerance: k ulp, and ka times epsilon */
    const char *types; /* result per argument type, order "fdliscubhB"; '-': torch refuses (ctorch may take it), '!': ctorch refuses, too */
    char grad;        /* 'g' gradcheck and gradgradcheck, '1' first order alone, '-' none */
    const char *kinks; /* no points near these; "i" whole numbers, "h" halves */
} unary;
#define FLOATS "fdffffffhB" /* integers become float32 */
#define SAME "fdliscubhB"
#define NOBOOL "fdliscu!hB"
#define BOOLS "bbbbbbbbbb"
#define ACTIVATION "fd------hB"
static const unary unaries[] = {
    {"neg", ct_neg, ct_neg_, r_neg, -3, 3, 0, 0, NOBOOL, 'g', ""},
    {"abs", ct_abs, ct_abs_, fabs, -3, 3, 0, 0, NOBOOL, 'g', "0"},
    {"sign", ct_sign, ct_sign_, r_sign, -3, 3, 0, 0, SAME, 'g', "0"},
    {"square", ct_square, ct_square_, r_square, -3, 3, 1, 0, "fdliscu-hB", 'g', ""},
    {"exp", ct_exp, ct_exp_, exp, -8, 8, 3, 0, FLOATS, 'g', ""},
    {"exp2", ct_exp2, ct_exp2_, exp2, -8, 8, 3, 0, FLOATS, 'g', ""},
    {"expm1", ct_expm1, ct_expm1_, expm1, -8, 8, 3, 0, FLOATS, 'g', ""},
    {"log", ct_log, ct_log_, log, 0.01, 9, 3, 0, FLOATS, 'g', ""},
    {"log2", ct_log2, ct_log2_, log2, 0.01, 9, 3, 0, FLOATS, 'g', ""},
    {"log10", ct_log10, ct_log10_, log10, 0.01, 9, 3, 0, FLOATS, 'g', ""},
    {"log1p", ct_log1p, ct_log1p_, log1p, -0.9, 9, 3, 0, FLOATS, 'g', ""},
    {"sqrt", ct_sqrt, ct_sqrt_, sqrt, 0.1, 9, 1, 0, FLOATS, 'g', ""},
    {"rsqrt", ct_rsqrt, ct_rsqrt_, r_rsqrt, 0.1, 9, 2, 0, FLOATS, 'g', ""},
    {"reciprocal", ct_reciprocal, ct_reciprocal_, r_reciprocal, 0.1, 9, 1, 0, FLOATS, 'g', ""},
    {"sin", ct_sin, ct_sin_, r_sin, -9, 9, 3, 0, FLOATS, 'g', ""},
    {"cos", ct_cos, ct_cos_, cos, -9, 9, 3, 0, FLOATS, 'g', ""},
    {"tan", ct_tan, ct_tan_, tan, -1.4, 1.4, 4, 0, FLOATS, 'g', ""},
    {"asin", ct_asin, ct_asin_, asin, -0.9, 0.9, 3, 0, FLOATS, 'g', ""},
    {"acos", ct_acos, ct_acos_, acos, -0.9, 0.9, 3, 0, FLOATS, 'g', ""},
    {"atan", ct_atan, ct_atan_, atan, -5, 5, 3, 0, FLOATS, 'g', ""},
    {"sinh", ct_sinh, ct_sinh_, sinh, -4, 4, 4, 0, FLOATS, 'g', ""},
    {"cosh", ct_cosh, ct_cosh_, cosh, -4, 4, 4, 0, FLOATS, 'g', ""},
    {"tanh", ct_tanh, ct_tanh_, tanh, -4, 4, 4, 0, FLOATS, 'g', ""},
    {"asinh", ct_asinh, ct_asinh_, asinh, -4, 4, 4, 0, FLOATS, 'g', ""},
    {"acosh", ct_acosh, ct_acosh_, acosh, 1.1, 9, 4, 0, FLOATS, 'g', ""},
    {"atanh", ct_atanh, ct_atanh_, atanh, -0.9, 0.9, 4, 0, FLOATS, 'g', ""},
    {"floor", ct_floor, ct_floor_, floor, -5, 5, 0, 0, "fdliscu-hB", 'g', "i"},
    {"ceil", ct_ceil, ct_ceil_, ceil, -5, 5, 0, 0, "fdliscu-hB", 'g', "i"},
    {"round", ct_round, ct_round_, r_round, -5, 5, 0, 0, "fdliscu-hB", 'g', "h"},
    {"trunc", ct_trunc, ct_trunc_, trunc, -5, 5, 0, 0, "fdliscu-hB", 'g', "i"},
    {"frac", ct_frac, ct_frac_, r_frac, -5, 5, 0, 0, "fd!!!!!!hB", 'g', "i"},
    {"sigmoid", ct_sigmoid, ct_sigmoid_, r_sigmoid_inf, -8, 8, 4, 0, FLOATS, 'g', ""},
    {"logit", ct_logit, ct_logit_, r_logit, 0.05, 0.95, 4, 4, FLOATS, 'g', ""},
    {"erf", ct_erf, ct_erf_, erf, -4, 4, 3, 0, FLOATS, 'g', ""},
    {"erfc", ct_erfc, ct_erfc_, erfc, -4, 8, 6, 0, FLOATS, 'g', ""},
    {"erfinv", ct_erfinv, ct_erfinv_, r_erfinv, -0.95, 0.95, 6, 0, FLOATS, 'g', ""},
    {"lgamma", ct_lgamma, ct_lgamma_, r_lgamma, 0.1, 9, 6, 6, FLOATS, 'g', ""},
    {"digamma", ct_digamma, ct_digamma_, r_digamma, 0.1, 9, 6, 8, FLOATS, 'g', ""},
    {"trigamma", ct_trigamma, NULL, r_trigamma, 0.1, 9, 6, 0, FLOATS, 'g', ""},
    {"relu", ct_relu, ct_relu_, r_relu, -3, 3, 0, 0, "fdliscu-hB", 'g', "0"},
    {"relu6", ct_relu6, NULL, r_relu6, -3, 9, 0, 0, "fdliscu-hB", 'g', "06"},
    {"gelu", ct_gelu, NULL, r_gelu, -4, 4, 4, 4, ACTIVATION, 'g', ""},
    {"gelu_tanh", ct_gelu_tanh, NULL, r_gelu_tanh, -4, 4, 4, 4, ACTIVATION, 'g', ""},
    {"silu", ct_silu, ct_silu_, r_silu, -8, 8, 5, 0, ACTIVATION, 'g', ""},
    {"mish", ct_mish, NULL, r_mish, -8, 8, 6, 0, ACTIVATION, 'g', ""},
    {"hardswish", ct_hardswish, NULL, r_hardswish, -5, 5, 2, 1, ACTIVATION, 'g', "3"},
    {"hardsigmoid", ct_hardsigmoid, NULL, r_hardsigmoid, -5, 5, 2, 0, ACTIVATION, 'g', "3"},
    {"softsign", ct_softsign, NULL, r_softsign, -5, 5, 2, 0, "fdfffff-hB", 'g', "0"},
    {"log_sigmoid", ct_log_sigmoid, NULL, r_log_sigmoid, -8, 8, 4, 0, ACTIVATION, 'g', ""},
    {"selu", ct_selu, NULL, r_selu, -4, 4, 4, 0, ACTIVATION, 'g', "0"},
    {"isnan", ct_isnan, NULL, r_isnan, -4, 4, 0, 0, BOOLS, '-', ""},
    {"isinf", ct_isinf, NULL, r_isinf, -4, 4, 0, 0, BOOLS, '-', ""},
    {"isfinite", ct_isfinite, NULL, r_isfinite, -4, 4, 0, 0, BOOLS, '-', ""},
    {"logical_not", ct_logical_not, ct_logical_not_, r_not, -4, 4, 0, 0, BOOLS, '-', ""},
    {"bitwise_not", ct_bitwise_not, ct_bitwise_not_, r_bitnot, -4, 4, 0, 0, "!!liscub!!", '-', ""},
    {"signbit", ct_signbit, NULL, r_signbit, -4, 4, 0, 0, BOOLS, '-', ""},
    {"deg2rad", ct_deg2rad, NULL, r_deg2rad, -400, 400, 1, 0, FLOATS, 'g', ""},
    {"rad2deg", ct_rad2deg, NULL, r_rad2deg, -9, 9, 1, 0, FLOATS, 'g', ""},
    {"leaky_relu", f_leaky, NULL, r_leaky, -3, 3, 1, 0, ACTIVATION, 'g', "0"},
    {"elu", f_elu, NULL, r_elu, -3, 3, 4, 0, ACTIVATION, 'g', "0"},
    {"softplus", f_softplus, NULL, r_softplus, -8, 14, 4, 0, ACTIVATION, 'g', "t"},
    {"hardtanh", f_hardtanh, NULL, r_hardtanh, -3, 3, 0, 0, "fdlisc--hB", 'g', "12"},
    {"threshold", f_threshold, NULL, r_threshold, -3, 3, 0, 0, "fdliscu-hB", 'g', "5"},
    {"softshrink", f_softshrink, NULL, r_softshrink, -3, 3, 1, 0, ACTIVATION, 'g', "5"},
    {"hardshrink", f_hardshrink, NULL, r_hardshrink, -3, 3, 0, 0, ACTIVATION, 'g', "5"},
    {"nan_to_num", f_nan_to_num, NULL, r_nan_to_num, -3, 3, 0, 0, "fdliscu-hB", 'g', ""},
};
enum { UNARIES = sizeof unaries / sizeof *unaries };

static bool at_kink(const char *kinks, double x)
{
    for (; *kinks; kinks++) {
        double at = *kinks == 'i' ? rint(x) : *kinks == 'h' ? floor(x) + 0.5 : *kinks == 't' ? 10 : *kinks == '5' ? 0.5 : *kinks - '0';
        if (fabs(fabs(x) - fabs(at)) < 0.02) return true;
    }
    return false;
}
static double draw(const unary *u)
{
    double x;
    do x = test_uniform(u->low, u->high);
    while (at_kink(u->kinks, x));
    return x;
}
static void compare1(const unary *u, ct_tensor *y, const double *x, int64_t n, ct_dtype d, double scale, const char *what)
{
    double *v = test_read(y);
    ct_dtype out = ct_dtype_of(y);
    bool ok = v && ct_numel(y) == n;
    CHECKF(ok, "ct_%s %s: no result of %lld elements", u->name, what, (long long)n);
    for (int64_t i = 0; ok && i < n; i++) {
        double want = u->ref(x[i]);
        if (ct_is_floating_point(y)) ok = close_to(v[i], want, u->k * scale, u->ka * scale, out);
        else ok = v[i] == wrapped(want, out);
        if (!ok || i == n - 1) CHECKF(ok, "ct_%s(%.17g as %s) %s: %.17g, expected %.17g", u->name, x[i], ct_dtype_name(d), what, v[i], want);
    }
    free(v);
}
static int special_values(ct_dtype d, double *x) /* not static: NAN is no constant for tcc */
{
    const double specials64[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, 2, -2, 3, -3, 5e-324, -5e-324, 1e-310, -1e-310, 2.2250738585072014e-308,
        1.7976931348623157e308, -1.7976931348623157e308, 1e-20, -1e-20, 1e-5, 0.999999, -0.999999, 20, -20, 40, -40, 100, -100, 709.5, -709.5, -745, 1e10, 1e17, -1e17, 4503599627370495.5, 171, -0.25};
    const double specials32[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1, -1, 0.5, -0.5, 1.5, -1.5, 2.5, 2, -2, 3, -3, 1.4e-45, -1.4e-45, 1e-40, -1e-40, 1.1754943508222875e-38,
        3.4028234663852886e38, -3.4028234663852886e38, 1e-20, -1e-20, 1e-5, 0.999999, -0.999999, 20, -20, 40, -40, 88, -88, -103, 1e10, 1e17, -1e17, 8388607.5, 34, -0.25};
    int n = d == CT_F64 ? (int)(sizeof specials64 / sizeof *specials64) : (int)(sizeof specials32 / sizeof *specials32);
    for (int i = 0; i < n; i++) x[i] = rounded(d == CT_F64 ? specials64[i] : specials32[i], d);
    return n;
}
static const struct { int ndim; int64_t size[8]; } shapes[] = {
    {0, {0}}, {1, {0}}, {1, {1}}, {1, {37}}, {2, {5, 7}}, {3, {2, 0, 3}}, {3, {1, 1, 1}}, {2, {7, 130}}, {8, {1, 2, 1, 3, 2, 1, 2, 2}}, {1, {1100}}};
static void unary_values(const unary *u)
{
    double x[1200];
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        ct_shape shape = test_shape(shapes[s].ndim, shapes[s].size);
        int64_t n = test_numel(shape);
        for (int t = 0; t < 2; t++) {
            ct_dtype d = dtype_of[t];
            if (u->types[t] == '!') continue;
            for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
                for (int64_t i = 0; i < n; i++) x[i] = rounded(test_uniform(u->low, u->high), d);
                ct_scope_begin();
                ct_tensor *in = test_tensor(d, shape, x, layout), *y = u->f(in);
                CHECK_TEXT(ct_shape_text(y), ct_shape_text(in));
                compare1(u, y, x, n, d, 1, "at random");
                ct_scope_end();
            }
        }
    }
    for (int t = 0; t < 2; t++) {
        ct_dtype d = dtype_of[t];
        if (u->types[t] == '!') continue;
        int n = special_values(d, x);
        ct_scope_begin();
        compare1(u, u->f(test_tensor(d, test_shape(1, (int64_t[]){n}), x, 0)), x, n, d, 1, "at a special point");
        ct_scope_end();
    }
}
static void unary_types(const unary *u)
{
    static const double whole[] = {0, 1, 2, 3, 5, 7, 100, 127, -1, -3, -128};
    for (int t = 0; t < DTYPES; t++) {
        ct_dtype d = dtype_of[t];
        double x[16];
        int n = 0;
        bool floats = d == CT_F16 || d == CT_BF16 || d == CT_F32 || d == CT_F64;
        for (int i = 0; floats && i < 16; i++) x[n++] = rounded(test_uniform(u->low, u->high), d);
        for (int i = 0; !floats && i < (d == CT_U8 ? 8 : d == CT_BOOL ? 2 : 11); i++) x[n++] = whole[i];
        ct_scope_begin();
        ct_tensor *in = test_tensor(d, test_shape(1, (int64_t[]){n}), x, 0);
        if (u->types[t] == '!') {
            ct_here(__FILE__, __LINE__);
            CHECK_ERROR(CT_ERR_DTYPE, CT_AT(u->f)(in));
            ct_scope_end();
            continue;
        }
        test_expecting = u->types[t] == '-';
        ct_tensor *y = u->f(in);
        test_expecting = false;
        if (u->types[t] != '-') CHECKF(code_of(y) == u->types[t], "ct_%s of %s is %c, torch has %c", u->name, ct_dtype_name(d), code_of(y), u->types[t]);
        ct_clear_error();
        if (y && (u->types[t] != '-' || d == CT_BOOL || !floats)) {
            if (u->ref != r_bitnot || d != CT_BOOL) compare1(u, y, x, n, d, floats ? 2 : 1, "of its type");
            else CHECK_VALUES(y, 0, 1, 0);
        }
        /* in place: the same values where the result fits, one error where not */
        if (u->f_ && y) {
            ct_tensor *z = ct_clone(in);
            bool fits = ct_dtype_of(y) == d || (ct_dtype_of(y) == CT_BOOL && u->f != ct_signbit);
            if (fits) {
                ct_tensor *w = u->f_(z);
                CHECKF(w == z, "ct_%s_ of %s returns its argument", u->name, ct_dtype_name(d));
                CHECK_SAME(w, ct_to(y, d), 0);
                CHECK_INT(ct_version(z), 1);
            } else {
                CHECK_ERROR(CT_ERR_DTYPE, CT_AT(u->f_)(z));
                CHECK_SAME(z, in, 0);
            }
        }
        ct_scope_end();
    }
}
static ct_tensor *call1(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ((const unary *)user)->f(in[0]);
}
static ct_tensor *call1_(ct_tensor *const *in, int count, void *user) /* through a clone, in place */
{
    (void)count;
    return ((const unary *)user)->f_(ct_clone(in[0]));
}
static void unary_gradients(const unary *u)
{
    static const int64_t sizes[] = {2, 3};
    double x[6];
    if (u->types[1] == '!') return;
    ct_scope_begin();
    for (int i = 0; i < 6; i++) x[i] = draw(u);
    for (int layout = 0; layout < 2; layout++) {
        ct_tensor *in = ct_requires_grad_(ct_detach(test_tensor(CT_F64, test_shape(2, sizes), x, layout)), true);
        ct_tensor *y = u->f(in);
        if (u->grad == '-') {
            CHECKF(!ct_requires_grad(y), "ct_%s has no gradient", u->name);
            break;
        }
        CHECKF(ct_requires_grad(y), "ct_%s keeps a history", u->name);
        CHECKF(ct_gradcheck(call1, &in, 1, (void *)(uintptr_t)u), "ct_%s gradcheck at %.17g...", u->name, x[0]);
        if (u->grad == 'g') CHECKF(ct_gradgradcheck(call1, &in, 1, (void *)(uintptr_t)u), "ct_%s gradgradcheck at %.17g...", u->name, x[0]);
        if (u->f_ && layout == 0) {
            CHECKF(ct_gradcheck(call1_, &in, 1, (void *)(uintptr_t)u), "ct_%s_ gradcheck at %.17g...", u->name, x[0]);
            if (u->grad == 'g') CHECKF(ct_gradgradcheck(call1_, &in, 1, (void *)(uintptr_t)u), "ct_%s_ gradgradcheck at %.17g...", u->name, x[0]);
        }
    }
    ct_scope_end();
    /* the fused float32 kernel and the graph give the same gradient */
    if (u->grad == '-') return;
    ct_scope_begin();
    double many[300];
    for (int i = 0; i < 300; i++) many[i] = draw(u);
    ct_tensor *in = ct_requires_grad_(test_tensor(CT_F32, test_shape(1, (int64_t[]){300}), many, 0), true);
    ct_tensor *g = test_tensor(CT_F32, test_shape(1, (int64_t[]){300}), many, 0);
    ct_tensor *fused = ct_grad(u->f(in), in, .grad_output = g), *graph = ct_grad(u->f(in), in, .grad_output = g, .create_graph = true);
    CHECK_SAME(fused, graph ? ct_detach(graph) : NULL, 2e-6);
    ct_scope_end();
}

/* ---- binary operators ---- */
static double b_add(double a, double b) { return a + b; }
static double b_sub(double a, double b) { return a - b; }
static double b_rsub(double a, double b) { return b - a; }
static double b_mul(double a, double b) { return a * b; }
static double b_div(double a, double b) { return a / b; }
static double b_remainder(double a, double b)
{
    if (b == 0) return NAN;
    double m = fmod(a, b);
    return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}
static double b_floor_divide(double a, double b) /* torch: through fmod, so that it is exact */
{
    if (b == 0) return a / b;
    double m = fmod(a, b), d = (a - m) / b;
    if (m != 0 && (m < 0) != (b < 0)) d -= 1;
    if (d == 0) return copysign(0, a / b);
    double w = floor(d);
    return d - w > 0.5 ? w + 1 : w;
}
static double b_trunc_divide(double a, double b) { return trunc(a / b); }
static double b_maximum(double a, double b) { return a != a ? a : b != b ? b : a > b ? a : b; }
static double b_minimum(double a, double b) { return a != a ? a : b != b ? b : a < b ? a : b; }
static double b_fmax(double a, double b) { return a != a ? b : b != b ? a : a >= b ? a : b; }
static double b_fmin(double a, double b) { return a != a ? b : b != b ? a : a <= b ? a : b; }
static double b_logaddexp(double a, double b)
{
    if (a != a || b != b) return NAN;
    if (isinf(a) && a == b) return a;
    return fmax(a, b) + log1p(exp(-fabs(a - b)));
}
static double b_xlogy(double a, double b) { return b != b ? b : a == 0 ? 0 : a * log(b); }
static double b_eq(double a, double b) { return a == b; }
static double b_ne(double a, double b) { return a != b; }
static double b_lt(double a, double b) { return a < b; }
static double b_le(double a, double b) { return a <= b; }
static double b_gt(double a, double b) { return a > b; }
static double b_ge(double a, double b) { return a >= b; }
static double b_and(double a, double b) { return a != 0 && b != 0; }
static double b_or(double a, double b) { return a != 0 || b != 0; }
static double b_xor(double a, double b) { return (a != 0) != (b != 0); }
static int64_t i_and(int64_t a, int64_t b) { return a & b; }
static int64_t i_or(int64_t a, int64_t b) { return a | b; }
static int64_t i_xor(int64_t a, int64_t b) { return a ^ b; }
static int64_t i_shl(int64_t a, int64_t b) { return (int64_t)((uint64_t)a << b); }
static int64_t i_shr(int64_t a, int64_t b) { return a >= 0 ? a >> b : -((-a + ((int64_t)1 << b) - 1) >> b); }
static int64_t i_gcd(int64_t a, int64_t b)
{
    a = a < 0 ? -a : a, b = b < 0 ? -b : b;
    return b ? i_gcd(b, a % b) : a;
}
static int64_t i_lcm(int64_t a, int64_t b)
{
    int64_t g = i_gcd(a, b), l = g ? a / g * b : 0;
    return l < 0 ? -l : l;
}
static int64_t i_floor_divide(int64_t a, int64_t b) { return a / b - (a % b != 0 && (a % b < 0) != (b < 0)); }
static int64_t i_remainder(int64_t a, int64_t b) { return a % b + (a % b != 0 && (a % b < 0) != (b < 0) ? b : 0); }
static int64_t i_fmod(int64_t a, int64_t b) { return a % b; }
static int64_t i_trunc_divide(int64_t a, int64_t b) { return a / b; }
static int64_t i_pow(int64_t a, int64_t b)
{
    uint64_t r = 1;
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
    while (b--) r *= (uint64_t)a;
    return (int64_t)r;
}
typedef struct {
    const char *name;
    op2 *f, *f_;
    ref2 *ref;
    iref2 *iref; /* for integers; NULL: ref */
    double low, high, low2, high2, k, ka;
    int kind;    /* which table of types */
    char grad, kink; /* kink: d where a = b, q where a/b is whole, a where a = 0, b where b = 0, 0 nowhere */
} binary;
enum { PROMOTE, SUBTRACT, FLOATING, DIVISION, ANGLE, HYPOT, COMPARE, BITS, SHIFTS };
static const char *const types_of[][DTYPES] = { /* torch 1.13: row: type of a, letter: type of b */
    {"fdffffffff", "dddddddddd", "fdllllllhB", "fdliiiiihB", "fdlisssshB", "fdliscschB", "fdlissuuhB", "fdliscubhB", "fdhhhhhhhf", "fdBBBBBBfB"},
    {"fdfffff-ff", "ddddddd-dd", "fdlllll-hB", "fdliiii-hB", "fdlisss-hB", "fdliscs-hB", "fdlissu-hB", "-------!--", "fdhhhhh-hf", "fdBBBBB-fB"},
    {"fdffffffff", "dddddddddd", "fdffffffhB", "fdffffffhB", "fdffffffhB", "fdffffffhB", "fdffffffhB", "fdffffffhB", "fdhhhhhhhf", "fdBBBBBBfB"},
    {"fdffffffff", "dddddddddd", "fdllllllhB", "fdliiiiihB", "fdlisssshB", "fdliscschB", "fdlissuuhB", "fdliscu-hB", "fdhhhhhhhf", "fdBBBBBBfB"},
    {"fdffffffff", "dddddddddd", "fdffffff-B", "fdffffff-B", "fdffffff-B", "fdffffff-B", "fdffffff-B", "fdffffff-B", "fd-------f", "fdBBBBBBfB"},
    {"fdffffffff", "dddddddddd", "fd-------B", "fd-------B", "fd-------B", "fd-------B", "fd-------B", "fd-------B", "fd-------f", "fdBBBBBBfB"},
    {"bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb", "bbbbbbbbbb"},
    {"!!!!!!!!!!", "!!!!!!!!!!", "!!llllll!!", "!!liiiii!!", "!!lissss!!", "!!liscsc!!", "!!lissuu!!", "!!liscub!!", "!!!!!!!!!!", "!!!!!!!!!!"},
    {"!!!!!!!!!!", "!!!!!!!!!!", "!!llllll!!", "!!liiiii!!", "!!lissss!!", "!!liscsc!!", "!!lissuu!!", "!!liscu-!!", "!!!!!!!!!!", "!!!!!!!!!!"}};
#undef ct_add /* the functions themselves */
#undef ct_sub
#undef ct_rsub
#undef ct_add_
#undef ct_sub_
static const binary binaries[] = {
    {"add", ct_add, ct_add_, b_add, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 0},
    {"sub", ct_sub, ct_sub_, b_sub, NULL, -3, 3, -3, 3, 0, 0, SUBTRACT, 'g', 0},
    {"rsub", ct_rsub, NULL, b_rsub, NULL, -3, 3, -3, 3, 0, 0, SUBTRACT, 'g', 0},
    {"mul", ct_mul, ct_mul_, b_mul, NULL, -3, 3, -3, 3, 1, 0, PROMOTE, 'g', 0},
    {"div", ct_div, ct_div_, b_div, NULL, -3, 3, 0.2, 3, 1, 0, FLOATING, 'g', 0},
    {"floor_divide", ct_floor_divide, ct_floor_divide_, b_floor_divide, i_floor_divide, -9, 9, 0.5, 3, 0, 0, DIVISION, 'g', 'q'},
    {"div_floor", ct_div_floor, NULL, b_floor_divide, i_floor_divide, -9, 9, 0.5, 3, 0, 0, DIVISION, 'g', 'q'},
    {"div_trunc", ct_div_trunc, NULL, b_trunc_divide, i_trunc_divide, -9, 9, 0.5, 3, 0, 0, DIVISION, 'g', 'q'},
    {"remainder", ct_remainder, ct_remainder_, b_remainder, i_remainder, -9, 9, 0.5, 3, 0, 0, DIVISION, 'g', 'q'},
    {"fmod", ct_fmod, ct_fmod_, fmod, i_fmod, -9, 9, 0.5, 3, 0, 0, DIVISION, 'g', 'q'},
    {"pow", ct_pow, ct_pow_, pow, i_pow, 0.2, 3, -3, 3, 4, 0, DIVISION, 'g', 0},
    {"atan2", ct_atan2, ct_atan2_, atan2, NULL, -3, 3, -3, 3, 4, 0, ANGLE, 'g', 'a'},
    {"maximum", ct_maximum, NULL, b_maximum, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
    {"minimum", ct_minimum, NULL, b_minimum, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
    {"fmax", ct_fmax, NULL, b_fmax, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
    {"fmin", ct_fmin, NULL, b_fmin, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
    {"hypot", ct_hypot, ct_hypot_, hypot, NULL, -3, 3, -3, 3, 3, 0, HYPOT, 'g', 'a'},
    {"copysign", ct_copysign, ct_copysign_, copysign, NULL, -3, 3, -3, 3, 0, 0, FLOATING, 'g', 'a'},
    {"logaddexp", ct_logaddexp, NULL, b_logaddexp, NULL, -3, 3, -3, 3, 4, 2, HYPOT, 'g', 0},
    {"xlogy", ct_xlogy, ct_xlogy_, b_xlogy, NULL, -3, 3, 0.2, 3, 4, 0, FLOATING, 'g', 0},
    {"eq", ct_eq, ct_eq_, b_eq, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"ne", ct_ne, ct_ne_, b_ne, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"lt", ct_lt, ct_lt_, b_lt, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"le", ct_le, ct_le_, b_le, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"gt", ct_gt, ct_gt_, b_gt, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"ge", ct_ge, ct_ge_, b_ge, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"logical_and", ct_logical_and, ct_logical_and_, b_and, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"logical_or", ct_logical_or, ct_logical_or_, b_or, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"logical_xor", ct_logical_xor, ct_logical_xor_, b_xor, NULL, -3, 3, -3, 3, 0, 0, COMPARE, '-', 0},
    {"bitwise_and", ct_bitwise_and, ct_bitwise_and_, NULL, i_and, 0, 0, 0, 0, 0, 0, BITS, '-', 0},
    {"bitwise_or", ct_bitwise_or, ct_bitwise_or_, NULL, i_or, 0, 0, 0, 0, 0, 0, BITS, '-', 0},
    {"bitwise_xor", ct_bitwise_xor, ct_bitwise_xor_, NULL, i_xor, 0, 0, 0, 0, 0, 0, BITS, '-', 0},
    {"bitwise_left_shift", ct_bitwise_left_shift, ct_bitwise_left_shift_, NULL, i_shl, 0, 0, 0, 0, 0, 0, SHIFTS, '-', 0},
    {"bitwise_right_shift", ct_bitwise_right_shift, ct_bitwise_right_shift_, NULL, i_shr, 0, 0, 0, 0, 0, 0, SHIFTS, '-', 0},
    {"gcd", ct_gcd, ct_gcd_, NULL, i_gcd, 0, 0, 0, 0, 0, 0, SHIFTS, '-', 0},
    {"lcm", ct_lcm, ct_lcm_, NULL, i_lcm, 0, 0, 0, 0, 0, 0, SHIFTS, '-', 0},
    {"clamp_min", ct_clamp_min, ct_clamp_min_, b_maximum, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
    {"clamp_max", ct_clamp_max, ct_clamp_max_, b_minimum, NULL, -3, 3, -3, 3, 0, 0, PROMOTE, 'g', 'd'},
};
enum { BINARIES = sizeof binaries / sizeof *binaries };

static void draw2(const binary *b, double *x, double *y)
{
    do {
        *x = test_uniform(b->low, b->high), *y = test_uniform(b->low2, b->high2);
    } while ((b->kink == 'd' && fabs(*x - *y) < 0.02) || (b->kink == 'q' && fabs(*x / *y - rint(*x / *y)) < 0.02) || (b->kink == 'a' && (fabs(*x) < 0.02 || fabs(*y) < 0.02)));
}
static double expected2(const binary *b, double x, double y, ct_dtype out, bool whole)
{
    if (whole && b->iref) return wrapped((double)b->iref((int64_t)x, (int64_t)y), out);
    double v = b->ref(x, y);
    return whole && b->kind != FLOATING && b->kind != ANGLE && b->kind != HYPOT ? wrapped(v, out) : v;
}
/* where the index of a broadcast operand points */
static int64_t broadcast_index(int64_t i, ct_shape out, ct_shape in)
{
    int64_t at = 0, stride = 1;
    for (int d = out.ndim - 1, e = in.ndim - 1; d >= 0; d--, e--) {
        int64_t k = i % out.size[d];
        i /= out.size[d];
        if (e < 0) continue;
        if (in.size[e] != 1) at += k * stride;
        stride *= in.size[e];
    }
    return at;
}
static void compare2(const binary *b, ct_tensor *r, const double *x, ct_shape sx, const double *y, ct_shape sy, ct_dtype dx, ct_dtype dy, const char *what)
{
    double *v = test_read(r);
    ct_shape out = ct_shape_of(r);
    ct_dtype d = ct_dtype_of(r);
    bool whole = !b->ref || (dx != CT_F32 && dx != CT_F64 && dx != CT_F16 && dx != CT_BF16 && dy != CT_F32 && dy != CT_F64 && dy != CT_F16 && dy != CT_BF16), ok = v != NULL;
    CHECKF(ok, "ct_%s %s: no result", b->name, what);
    for (int64_t i = 0; ok && i < ct_numel(r); i++) {
        double p = x[broadcast_index(i, out, sx)], q = y[broadcast_index(i, out, sy)], want = expected2(b, p, q, d, whole);
        ok = ct_is_floating_point(r) ? close_to(v[i], want, b->k, b->ka, d) : v[i] == want;
        if (!ok || i == ct_numel(r) - 1) CHECKF(ok, "ct_%s(%.17g as %s, %.17g as %s) %s %s: %.17g, expected %.17g", b->name, p, ct_dtype_name(dx), q, ct_dtype_name(dy), what, ct_shape_text(r), v[i], want);
    }
    free(v);
}
static const struct { int na; int64_t a[8]; int nb; int64_t b[8]; int n; int64_t out[8]; } pairs[] = {
    {1, {37}, 1, {37}, 1, {37}}, {2, {5, 7}, 2, {5, 7}, 2, {5, 7}}, {2, {5, 7}, 1, {7}, 2, {5, 7}}, {2, {5, 1}, 2, {1, 7}, 2, {5, 7}},
    {0, {0}, 2, {3, 4}, 2, {3, 4}}, {2, {3, 4}, 0, {0}, 2, {3, 4}}, {0, {0}, 0, {0}, 0, {0}}, {3, {2, 1, 3}, 2, {4, 1}, 3, {2, 4, 3}},
    {1, {0}, 1, {1}, 1, {0}}, {2, {2, 0}, 1, {1}, 2, {2, 0}}, {1, {1}, 1, {1}, 1, {1}}, {2, {3, 300}, 2, {3, 1}, 2, {3, 300}},
    {8, {2, 1, 2, 1, 3, 1, 2, 1}, 8, {1, 2, 1, 2, 3, 2, 1, 2}, 8, {2, 2, 2, 2, 3, 2, 2, 2}}, {1, {700}, 1, {700}, 1, {700}}, {1, {700}, 0, {0}, 1, {700}}};
static void binary_values(const binary *b)
{
    double x[1000], y[1000];
    if (!b->ref) return;
    for (size_t s = 0; s < sizeof pairs / sizeof *pairs; s++) {
        ct_shape sx = test_shape(pairs[s].na, pairs[s].a), sy = test_shape(pairs[s].nb, pairs[s].b), so = test_shape(pairs[s].n, pairs[s].out);
        for (int t = 0; t < 2; t++)
            for (int layout = 0; layout < 5; layout++) {
                ct_dtype d = dtype_of[t];
                for (int i = 0; i < 1000; i++) draw2(b, &x[i], &y[i]), x[i] = rounded(x[i], d), y[i] = rounded(y[i], d);
                if (b->kind == COMPARE) for (int i = 0; i < 1000; i++) x[i] = rint(x[i]), y[i] = rint(y[i]);
                ct_scope_begin();
                ct_tensor *p = test_tensor(d, sx, x, layout == 4 ? 1 : layout), *q = test_tensor(d, sy, y, layout == 4 ? 2 : layout), *r = b->f(p, q);
                ct_tensor *want = (ct_zeros)(so);
                CHECK_TEXT(ct_shape_text(r), ct_shape_text(want));
                compare2(b, r, x, sx, y, sy, d, d, "at random");
                if (b->f_ && test_numel(sx) == test_numel(so) && sx.ndim == so.ndim && r) {
                    ct_tensor *z = layout == 0 ? ct_clone(p) : p;
                    CHECKF(b->f_(z, q) == z, "ct_%s_ returns its argument", b->name);
                    CHECK_SAME(z, ct_to(r, d), 0);
                }
                ct_scope_end();
            }
    }
    /* special arguments, each with each */
    for (int t = 0; t < 2; t++) {
        ct_dtype d = dtype_of[t];
        double all[64];
        const double pick[] = {NAN, INFINITY, -INFINITY, 0.0, -0.0, 1, -1, 2, -2, 0.5, -0.5, 3, -3, 2.5, -7, 5e-324, -1e-310, 1.4e-45, 1e30, -1e30, 1e300, -1e300, 100, -100, 1e17, 1e-5};
        int n = (int)(sizeof pick / sizeof *pick);
        for (int i = 0; i < n; i++) all[i] = rounded(pick[i], d);
        ct_scope_begin();
        ct_shape sx = test_shape(2, (int64_t[]){n, 1}), sy = test_shape(1, (int64_t[]){n});
        compare2(b, b->f(test_tensor(d, sx, all, 0), test_tensor(d, sy, all, 0)), all, sx, all, sy, d, d, "at special points");
        ct_scope_end();
    }
}
static void binary_types(const binary *b)
{
    static const double xs[] = {6, 1, 3, 0, 100, 7}, ys[] = {2, 3, 1, 1, 5, 4}, ones[] = {1, 0, 1, 0, 1, 1}, units[] = {1, 1, 1, 1, 1, 1};
    ct_shape s = test_shape(1, (int64_t[]){6});
    for (int t = 0; t < DTYPES; t++)
        for (int w = 0; w < DTYPES; w++) {
            ct_dtype dx = dtype_of[t], dy = dtype_of[w];
            char want = types_of[b->kind][t][w];
            const double *x = dx == CT_BOOL ? ones : xs, *y = dy == CT_BOOL ? units : ys;
            ct_scope_begin();
            ct_tensor *p = test_tensor(dx, s, x, 0), *q = test_tensor(dy, s, y, 0);
            if (want == '!') {
                CHECK_ERROR(CT_ERR_DTYPE, CT_AT(b->f)(p, q));
                ct_scope_end();
                continue;
            }
            test_expecting = want == '-';
            ct_tensor *r = b->f(p, q);
            test_expecting = false;
            ct_clear_error();
            if (want != '-') CHECKF(code_of(r) == want, "ct_%s(%s, %s) is %c, torch has %c", b->name, ct_dtype_name(dx), ct_dtype_name(dy), code_of(r), want);
            if (r && want != '-' && want != 'h' && want != 'B') compare2(b, r, x, s, y, s, dx, dy, "of these types");
            if (r && b->f_ && want != '-') { /* in place: the category of the result must not be above that of the first operand */
                int have = code_index(ct_dtype_of(r)), category = have <= 1 || have >= 8 ? 2 : have == 7 ? 0 : 1, own = t <= 1 || t >= 8 ? 2 : t == 7 ? 0 : 1;
                if (category <= own) CHECK_SAME(b->f_(p, q), ct_to(r, dx), dx == CT_F16 || dx == CT_BF16 || dy == CT_F16 || dy == CT_BF16 ? 1e-2 : 0);
                else {
                    CHECK_ERROR(CT_ERR_DTYPE, CT_AT(b->f_)(p, q));
                    CHECK_ARRAY(p, 0, x, 6);
                }
            }
            ct_scope_end();
        }
}
static ct_tensor *call2(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ((const binary *)user)->f(in[0], in[1]);
}
static ct_tensor *call2_(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ((const binary *)user)->f_(ct_clone(in[0]), in[1]);
}
static ct_tensor *call2_same(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ((const binary *)user)->f(in[0], in[0]);
}
static void binary_gradients(const binary *b)
{
    static const struct { int na; int64_t a[3]; int nb; int64_t b[3]; } grads[] = {{1, {4}, 1, {4}}, {2, {2, 3}, 1, {3}}, {2, {2, 1}, 2, {1, 3}}, {0, {0}, 1, {3}}, {1, {3}, 0, {0}}, {3, {2, 1, 2}, 2, {2, 1}}};
    double x[8], y[8];
    for (size_t s = 0; s < sizeof grads / sizeof *grads; s++) {
        ct_shape sx = test_shape(grads[s].na, grads[s].a), sy = test_shape(grads[s].nb, grads[s].b);
        for (bool again = true; again;) { /* broadcasting pairs each with each: no pair near a kink */
            again = false;
            for (int i = 0; i < 8; i++) draw2(b, &x[i], &y[i]);
            for (int i = 0; i < 8; i++)
                for (int j = 0; j < 8; j++)
                    again = again || (b->kink == 'd' && fabs(x[i] - y[j]) < 0.003) || (b->kink == 'q' && fabs(x[i] / y[j] - rint(x[i] / y[j])) < 0.003);
        }
        ct_scope_begin();
        ct_tensor *in[2] = {test_tensor(CT_F64, sx, x, 0), test_tensor(CT_F64, sy, y, 0)};
        for (int which = 1; which < 4; which++) { /* the first, the second, both require a gradient */
            ct_tensor *arg[2] = {ct_detach(in[0]), ct_detach(in[1])};
            if (which & 1) ct_requires_grad_(arg[0], true);
            if (which & 2) ct_requires_grad_(arg[1], true);
            ct_tensor *r = b->f(arg[0], arg[1]);
            if (b->grad == '-') {
                CHECKF(!ct_requires_grad(r), "ct_%s has no gradient", b->name);
                continue;
            }
            CHECKF(ct_gradcheck(call2, arg, 2, (void *)(uintptr_t)b), "ct_%s gradcheck of %d with %s and %s", b->name, which, ct_shape_text(arg[0]), ct_shape_text(arg[1]));
            CHECKF(ct_gradgradcheck(call2, arg, 2, (void *)(uintptr_t)b), "ct_%s gradgradcheck of %d with %s and %s", b->name, which, ct_shape_text(arg[0]), ct_shape_text(arg[1]));
            bool fits = r && ct_numel(r) == ct_numel(arg[0]) && ct_dim(r) == ct_dim(arg[0]);
            if (b->f_ && fits) {
                CHECKF(ct_gradcheck(call2_, arg, 2, (void *)(uintptr_t)b), "ct_%s_ gradcheck of %d with %s and %s", b->name, which, ct_shape_text(arg[0]), ct_shape_text(arg[1]));
                CHECKF(ct_gradgradcheck(call2_, arg, 2, (void *)(uintptr_t)b), "ct_%s_ gradgradcheck of %d", b->name, which);
            }
        }
        if (b->grad != '-' && !b->kink && s == 0) {
            for (int i = 0; i < 8; i++) x[i] = fabs(x[i]) + 0.3;
            ct_tensor *one = ct_requires_grad_(test_tensor(CT_F64, sx, x, 0), true);
            CHECKF(ct_gradcheck(call2_same, &one, 1, (void *)(uintptr_t)b), "ct_%s(x, x) gradcheck", b->name);
            CHECKF(ct_gradgradcheck(call2_same, &one, 1, (void *)(uintptr_t)b), "ct_%s(x, x) gradgradcheck", b->name);
        }
        ct_scope_end();
    }
}
/* the macros again, as test code below is to read like a user's */
#define ct_add(input, ...) CT__ALPHA(ct_add_with, CT_T(input), __VA_ARGS__)
#define ct_sub(input, ...) CT__ALPHA(ct_sub_with, CT_T(input), __VA_ARGS__)
#define ct_rsub(input, ...) CT__ALPHA(ct_rsub_with, CT_T(input), __VA_ARGS__)
#define ct_add_(input, ...) CT__ALPHA(ct_add__with, input, __VA_ARGS__)
#define ct_sub_(input, ...) CT__ALPHA(ct_sub__with, input, __VA_ARGS__)

/* ---- promotion ---- */
static void promotion(void)
{
    static const char *const dim_zero[] = {"ffffffffff", "dddddddddd", "fdllllllhB", "fdiiiiiihB", "fdsssssshB", "fdcccccchB", "fduuuuuuhB", "fdliscubhB", "hhhhhhhhhh", "BBBBBBBBBB"};
    for (int t = 0; t < DTYPES; t++) {
        ct_scope_begin();
        ct_tensor *x = (ct_ones_dtype)(dtype_of[t], CT_SHAPE(2)), *zero = (ct_ones_dtype)(dtype_of[t], test_shape(0, NULL));
        for (int w = 0; w < DTYPES; w++) {
            ct_tensor *y = (ct_ones_dtype)(dtype_of[w], CT_SHAPE(2)), *z = (ct_ones_dtype)(dtype_of[w], test_shape(0, NULL));
            char want = types_of[PROMOTE][t][w];
            CHECKF(dtype_code[code_index(ct_promote_types(dtype_of[t], dtype_of[w]))] == want, "promote_types(%s, %s)", ct_dtype_name(dtype_of[t]), ct_dtype_name(dtype_of[w]));
            CHECKF(dtype_code[code_index(ct_result_type(x, y))] == want && code_of(ct_mul(x, y)) == want, "(2) %s with (2) %s", ct_dtype_name(dtype_of[t]), ct_dtype_name(dtype_of[w]));
            CHECKF(dtype_code[code_index(ct_result_type(zero, z))] == want && code_of(ct_mul(zero, z)) == want, "() %s with () %s", ct_dtype_name(dtype_of[t]), ct_dtype_name(dtype_of[w]));
            want = dim_zero[t][w];
            CHECKF(dtype_code[code_index(ct_result_type(x, z))] == want && code_of(ct_mul(x, z)) == want, "(2) %s with () %s", ct_dtype_name(dtype_of[t]), ct_dtype_name(dtype_of[w]));
            CHECKF(code_of(ct_mul(z, x)) == want, "() %s with (2) %s", ct_dtype_name(dtype_of[w]), ct_dtype_name(dtype_of[t]));
        }
        CHECKF(code_of(ct_mul(x, (bool)true)) == "fdliscubhB"[t] && code_of(ct_mul(zero, (bool)true)) == "fdliscubhB"[t], "%s with true", ct_dtype_name(dtype_of[t]));
        CHECKF(code_of(ct_mul(x, 1)) == "fdlisculhB"[t] && code_of(ct_mul(zero, 1)) == "fdlisculhB"[t], "%s with 1", ct_dtype_name(dtype_of[t]));
        CHECKF(code_of(ct_mul(x, 1.5)) == "fdffffffhB"[t] && code_of(ct_mul(1.5, zero)) == "fdffffffhB"[t], "%s with 1.5", ct_dtype_name(dtype_of[t]));
        CHECKF(code_of(ct_mul(1.5f, x)) == "fdffffffhB"[t], "1.5f with %s", ct_dtype_name(dtype_of[t]));
        ct_set_default_dtype(CT_F64);
        CHECKF(code_of(ct_mul(x, 1.5)) == "fdddddddhB"[t] && code_of(ct_mul(zero, 1.5)) == "fdddddddhB"[t], "%s with 1.5, default float64", ct_dtype_name(dtype_of[t]));
        CHECKF(code_of(ct_exp(zero)) == "fdddddddhB"[t], "exp of %s, default float64", ct_dtype_name(dtype_of[t]));
        ct_set_default_dtype(CT_F32);
        ct_scope_end();
    }
}

/* ---- what rows cannot say ---- */
static ct_tensor *gradient_of(ct_tensor *y, ct_tensor *x) { return ct_grad(ct_sum(y), x); }
static ct_tensor *leaf(int n, const double *v) { return ct_requires_grad_(ct_tensor_of_array(v, n), true); }
#define LEAF(...) leaf((int)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), (const double[]){__VA_ARGS__})
/* reference/pitfalls.txt: PyTorch's choices at kinks */
static void subgradients(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(0), *y, *g[2];
    CHECK_VALUES(gradient_of(ct_abs(x), x), 0, 0);
    CHECK_VALUES(gradient_of(ct_relu(x), x), 0, 0);
    CHECK_VALUES(gradient_of(ct_sqrt(x), x), 0, INFINITY);
    CHECK_VALUES(gradient_of(ct_sign(x), x), 0, 0);
    x = LEAF(0, 1, 2);
    CHECK_VALUES(gradient_of(ct_clamp(x, 0, 1), x), 0, 1, 1, 0);
    x = LEAF(0, 1);
    CHECK_VALUES(gradient_of(ct_hardtanh(x, 0, 1), x), 0, 0, 0);
    x = LEAF(0, 6);
    CHECK_VALUES(gradient_of(ct_relu6(x), x), 0, 0, 0);
    x = LEAF(0);
    CHECK_VALUES(gradient_of(ct_leaky_relu(x, 0.01), x), 1e-9, 0.01);
    CHECK_VALUES(gradient_of(ct_elu(x, 1), x), 0, 1);
    CHECK_VALUES(gradient_of(ct_threshold(x, 0, 5), x), 0, 0);
    x = LEAF(-3, 3);
    CHECK_VALUES(gradient_of(ct_hardswish(x), x), 0, -0.5, 1.5);  /* -3 and 3 belong to the middle, torch 1.13 */
    CHECK_VALUES(gradient_of(ct_hardsigmoid(x), x), 0, 0, 0);
    x = LEAF(0.5, -0.5);
    CHECK_VALUES(gradient_of(ct_softshrink(x, 0.5), x), 0, 0, 0);
    CHECK_VALUES(gradient_of(ct_hardshrink(x, 0.5), x), 0, 0, 0);
    /* ties share between maximum's operands, not between fmax's */
    x = LEAF(2, 3), y = LEAF(2, 1);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_maximum(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 0.5, 1);
    CHECK_VALUES(g[1], 0, 0.5, 0);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_minimum(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 0.5, 0);
    CHECK_VALUES(g[1], 0, 0.5, 1);
    x = LEAF(2), y = LEAF(2);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_fmax(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 1);
    CHECK_VALUES(g[1], 0, 0);
    /* 0^0, 0^1, 0^2 */
    x = LEAF(0);
    CHECK_VALUES(gradient_of(ct_pow(x, 0), x), 0, 0);
    CHECK_VALUES(gradient_of(ct_pow(x, 2), x), 0, 0);
    CHECK_VALUES(gradient_of(ct_pow(x, 1), x), 0, 1);
    y = LEAF(0);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_pow(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 0);
    CHECK_VALUES(g[1], 0, 0);
    x = LEAF(0), y = LEAF(2);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_pow(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 0);
    CHECK_VALUES(g[1], 0, 0);
    x = LEAF(-1), y = LEAF(2);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_pow(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, -2);
    CHECK_VALUES(g[1], 0, NAN);
    /* xlogy at (0, 0), atan2 at (0, 0): NaN as in torch */
    x = LEAF(0), y = LEAF(0);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_xlogy(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, 0);
    CHECK_VALUES(g[1], 0, NAN);
    CHECK(ct_grad_many((ct_tensor *[]){ct_sum(ct_atan2(x, y))}, NULL, 1, (ct_tensor *[]){x, y}, g, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(g[0], 0, NAN);
    CHECK_VALUES(g[1], 0, NAN);
    /* the branch that where does not take poisons all the same: sqrt'(0) times 0 */
    x = LEAF(0, 4);
    CHECK_VALUES(gradient_of(ct_where(ct_gt(x, 0), ct_sqrt(x), 0), x), 0, NAN, 0.25);
    ct_scope_end();
}
static void integers(void)
{
    ct_scope_begin();
    ct_tensor *a = ct_tensor_i64(7, -7, 7, -7), *b = ct_tensor_i64(2, 2, -2, -2);
    CHECK_VALUES(ct_floor_divide(a, b), 0, 3, -4, -4, 3);
    CHECK_VALUES(ct_div_trunc(a, b), 0, 3, -3, -3, 3);
    CHECK_VALUES(ct_remainder(a, b), 0, 1, 1, -1, -1);
    CHECK_VALUES(ct_fmod(a, b), 0, 1, -1, 1, -1);
    ct_tensor *zero = ct_tensor_i64(1, 0, 2, 3), *copy = ct_clone(a);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_floor_divide(a, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_floor_divide(a, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_div_floor(a, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_div_trunc(a, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_remainder(a, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_fmod(a, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_floor_divide_(copy, zero));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_remainder_(copy, 0));
    CHECK_SAME(copy, a, 0);
    CHECK_VALUES(ct_div(a, 0), 0, INFINITY, -INFINITY, INFINITY, -INFINITY);
    CHECK_VALUES(ct_floor_divide(ct_tensor_of(1, -1, 0), 0.0), 0, INFINITY, -INFINITY, NAN);
    CHECK_VALUES(ct_remainder(ct_tensor_of(1), 0.0), 0, NAN);
    CHECK_VALUES(ct_remainder(ct_tensor_of(-0.0), 3), 0, -0.0);
    CHECK_VALUES(ct_fmod(ct_tensor_of(-0.0), 3), 0, -0.0);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_pow(a, -1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_pow_(ct_clone(a), -2));
    CHECK_VALUES(ct_pow(ct_tensor_i64(2, -1, 1), ct_tensor_i64(-1, -1, -3)), 0, 0, -1, 1);
    CHECK_VALUES(ct_pow(2, ct_tensor_i64(-1, 3)), 0, 0, 8);
    CHECK_VALUES(ct_pow(ct_tensor_i64(0), 0), 0, 1);
    CHECK_VALUES(ct_pow(ct_tensor_of(0), 0), 0, 1);
    CHECK_VALUES(ct_pow(ct_tensor_of(4, 9, 16), 0.5), 0, 2, 3, 4);
    CHECK_VALUES(ct_pow(ct_tensor_of(4, 2, 0.5), -1), 0, 0.25, 0.5, 2);
    /* 64 bits stay exact, and wrap */
    ct_tensor *big = ct_tensor_i64(INT64_MAX, INT64_MIN, INT64_C(9007199254740993), -1);
    ct_tensor *sum = ct_add(big, 1), *product = ct_mul(big, 2);
    CHECK(ct_data_i64(sum) && ct_data_i64(sum)[0] == INT64_MIN && ct_data_i64(sum)[1] == INT64_MIN + 1 && ct_data_i64(sum)[2] == INT64_C(9007199254740994));
    CHECK(ct_data_i64(product) && ct_data_i64(product)[0] == -2 && ct_data_i64(product)[1] == 0 && ct_data_i64(product)[2] == INT64_C(18014398509481986));
    ct_tensor *low = ct_neg(ct_tensor_i64(INT64_MIN)), *positive = ct_abs(ct_tensor_i64(INT64_MIN)), *quotient = ct_floor_divide(ct_tensor_i64(INT64_MIN), -1);
    CHECK(ct_item_i64(low) == INT64_MIN && ct_item_i64(positive) == INT64_MIN && ct_item_i64(quotient) == INT64_MIN);
    CHECK(ct_item_i64(ct_remainder(ct_tensor_i64(INT64_MIN), -1)) == 0 && ct_item_i64(ct_fmod(ct_tensor_i64(INT64_MIN), -1)) == 0);
    CHECK(ct_item_i64(ct_maximum(ct_tensor_i64(INT64_C(9007199254740993)), ct_tensor_i64(INT64_C(9007199254740992)))) == INT64_C(9007199254740993));
    CHECK(ct_item(ct_eq(ct_tensor_i64(INT64_C(9007199254740993)), ct_tensor_i64(INT64_C(9007199254740992)))) == 0);
    CHECK(ct_item_i64(ct_add(ct_tensor_i64(0), ct_number_i64(INT64_MAX))) == INT64_MAX);
    /* uint8 wraps; a number does not widen */
    ct_tensor *u = ct_tensor_from(((const uint8_t[]){200, 5}), CT_U8, 2);
    CHECK_VALUES(ct_add(u, 100), 0, 44, 105);
    CHECK_VALUES(ct_sub(u, 300), 0, 156, 217);
    CHECK_VALUES(ct_neg(u), 0, 56, 251);
    CHECK(ct_dtype_of(ct_add(u, 100)) == CT_U8);
    /* bool */
    ct_tensor *t = ct_full((bool)true, 1);
    CHECK(ct_dtype_of(t) == CT_BOOL && ct_dtype_of(ct_add(t, t)) == CT_BOOL);
    CHECK_VALUES(ct_add(t, t), 0, 1);
    CHECK_VALUES(ct_add(t, 1), 0, 2);
    CHECK(ct_dtype_of(ct_add(t, 1)) == CT_I64);
    CHECK_ERROR(CT_ERR_DTYPE, ct_sub(t, t));
    CHECK_ERROR(CT_ERR_DTYPE, ct_neg(t));
    CHECK_ERROR(CT_ERR_DTYPE, ct_div_(ct_clone(a), b));
    CHECK_ERROR(CT_ERR_DTYPE, ct_add_(ct_clone(a), 1.5));
    CHECK_ERROR(CT_ERR_DTYPE, ct_add_(ct_clone(t), 1));
    CHECK_VALUES(ct_add_(ct_tensor_of(1, 2), ct_to(ct_tensor_of(0.5, 0.25), CT_F64)), 0, 1.5, 2.25);
    CHECK_ERROR(CT_ERR_DTYPE, ct_bitwise_and(ct_tensor_of(1), 1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_bitwise_not(ct_tensor_of(1)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_frac(a));
    CHECK_VALUES(ct_bitwise_left_shift(ct_tensor_i64(1, 3, -1), ct_tensor_i64(3, 1, 4)), 0, 8, 6, -16);
    CHECK_VALUES(ct_bitwise_right_shift(ct_tensor_i64(16, -16, -1), ct_tensor_i64(2, 2, 3)), 0, 4, -4, -1);
    CHECK_VALUES(ct_gcd(ct_tensor_i64(12, -12, 0), ct_tensor_i64(18, 18, 5)), 0, 6, 6, 5);
    CHECK_VALUES(ct_lcm(ct_tensor_i64(4, -4, 0), ct_tensor_i64(6, 6, 5)), 0, 12, 12, 0);
    ct_scope_end();
}
static ct_tensor *call_lerp(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_lerp(in[0], in[1], in[2]); }
static ct_tensor *call_lerp_number(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_lerp(in[0], in[1], 0.7); }
static ct_tensor *call_addcmul(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_addcmul(in[0], in[1], in[2], 2.5); }
static ct_tensor *call_addcdiv(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_addcdiv(in[0], in[1], in[2], 2.5); }
static ct_tensor *call_addcmul_(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_addcmul_(ct_clone(in[0]), in[1], in[2], 2.5); }
static ct_tensor *call_addcdiv_(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_addcdiv_(ct_clone(in[0]), in[1], in[2], 2.5); }
static ct_tensor *call_lerp_(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_lerp_(ct_clone(in[0]), in[1], in[2]); }
static ct_tensor *call_clamp(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_clamp(in[0], in[1], in[2]); }
static ct_tensor *call_clamp_(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_clamp_(ct_clone(in[0]), in[1], in[2]); }
static ct_tensor *call_where(ct_tensor *const *in, int n, void *u) { return (void)n, ct_where((ct_tensor *)u, in[0], in[1]); }
static ct_tensor *call_alpha(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_add(ct_sub(in[0], in[1], .alpha = 3), ct_rsub(in[0], in[1], .alpha = -2), .alpha = 0.5); }
static ct_tensor *call_alpha_(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_sub_(ct_add_(ct_clone(in[0]), in[1], .alpha = 3), ct_square(in[1]), .alpha = 0.5); }
static ct_tensor *call_copy(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_mul(ct_copy_(ct_mul(in[0], 2), in[1]), in[0]); }
static ct_tensor *call_fill(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_mul(ct_fill_(ct_mul(in[0], 2), ct_sum(in[1])), in[0]); }
static ct_tensor *call_to(ct_tensor *const *in, int n, void *u) { return (void)n, (void)u, ct_mul(ct_to(ct_to(ct_mul(in[0], 4), CT_F32), CT_F64), in[0]); }
static void others(void)
{
    ct_scope_begin();
    ct_tensor *a = ct_tensor_of(1, 2, 3), *b = ct_tensor_of(4, 5, 6), *c = ct_tensor_of(2, 4, 8), *n = ct_tensor_of(NAN, INFINITY, -INFINITY);
    CHECK_VALUES(ct_add(a, b, .alpha = 2), 0, 9, 12, 15);
    CHECK_VALUES(ct_sub(a, b, .alpha = 2), 0, -7, -8, -9);
    CHECK_VALUES(ct_rsub(a, b, .alpha = 2), 0, 2, 1, 0);
    CHECK_VALUES(ct_add(a, b, .alpha = CT_REALLY_ZERO), 0, 1, 2, 3);
    CHECK_VALUES(ct_add(a, 10, .alpha = 0.5), 0, 6, 7, 8);
    CHECK_VALUES(ct_addcmul(a, b, c, 0.5), 0, 5, 12, 27);
    CHECK_VALUES(ct_addcdiv(a, b, c, 2), 0, 5, 4.5, 4.5);
    CHECK_VALUES(ct_lerp(a, b, 0.25), 0, 1.75, 2.75, 3.75);
    CHECK_VALUES(ct_lerp(a, b, ct_tensor_of(0, 1, 0.5)), 0, 1, 5, 4.5);
    CHECK_VALUES(ct_clamp(ct_tensor_of(-1, 0.5, NAN, 9), 0, 2), 0, 0, 0.5, NAN, 2);
    CHECK_VALUES(ct_clamp(ct_tensor_of(0.5), 2, 1), 0, 1); /* min > max: max */
    CHECK_VALUES(ct_clamp(ct_tensor_of(-5, 5), -INFINITY, 1), 0, -5, 1);
    CHECK_VALUES(ct_clamp(a, NAN, 2), 0, NAN, NAN, NAN); /* torch: a bound that is NaN is the result */
    CHECK_VALUES(ct_clamp_(ct_tensor_of(-5, 0.5, NAN, 5), -1, 1), 0, -1, 0.5, NAN, 1);
    ct_tensor *edge = ct_requires_grad_(ct_tensor_of(-2, -1, 0, 1, 2), true);
    ct_backward(ct_sum(ct_clamp(edge, -1, 1))); /* the bounds count as inside */
    CHECK_VALUES(ct_grad_of(edge), 0, 0, 1, 1, 1, 0);
    CHECK_VALUES(ct_pow(ct_tensor_of(-2, 0.5, NAN, INFINITY), 3), 0, -8, 0.125, NAN, INFINITY);
    CHECK_VALUES(ct_pow(ct_tensor_i64(-3, 2), 3), 0, -27, 8);
    ct_tensor *cubed = ct_requires_grad_(ct_tensor_of(-2, 0, 3), true), *slope = ct_grad(ct_sum(ct_pow(cubed, 3)), cubed, .create_graph = true);
    CHECK_VALUES(slope, 0, 12, 0, 27);
    CHECK_VALUES(ct_grad(ct_sum(slope), cubed), 0, -12, 0, 18);
    CHECK_VALUES(ct_maximum(ct_tensor_of(NAN, 1, -1, 2, -INFINITY), ct_tensor_of(1, NAN, 2, -1, NAN)), 0, NAN, NAN, 2, 2, NAN);
    CHECK_VALUES(ct_minimum(ct_tensor_of(NAN, 1, -1, 2, INFINITY), ct_tensor_of(1, NAN, 2, -1, NAN)), 0, NAN, NAN, -1, -1, NAN);
    CHECK_VALUES(ct_hardswish(ct_tensor_of(-4, -3, -1, 0, 1, 3, 4, NAN)), 1e-7, 0, 0, -1.0 / 3, 0, 2.0 / 3, 3, 4, NAN);
    CHECK_VALUES(ct_clamp(ct_tensor_i64(-5, 5), 0, 3), 0, 0, 3);
    CHECK(ct_dtype_of(ct_clamp(ct_tensor_i64(-5, 5), 0, 3)) == CT_I64);
    CHECK_VALUES(ct_clamp(a, ct_tensor_of(2, 1, 1), ct_tensor_of(3, 3, 2)), 0, 2, 2, 2);
    CHECK_VALUES(ct_nan_to_num(n, 0, INFINITY, -INFINITY), 0, 0, 3.4028234663852886e38, -3.4028234663852886e38);
    CHECK_VALUES(ct_nan_to_num(ct_to(n, CT_F64), 0, INFINITY, -INFINITY), 0, 0, 1.7976931348623157e308, -1.7976931348623157e308);
    ct_tensor *cond = ct_gt(a, 1);
    CHECK_VALUES(ct_where(cond, a, b), 0, 4, 2, 3);
    CHECK_VALUES(ct_where(cond, 1, 2.5), 0, 2.5, 1, 1);
    CHECK(ct_dtype_of(ct_where(cond, 1, 2.5)) == CT_F32 && ct_dtype_of(ct_where(cond, 1, 2)) == CT_I64);
    CHECK_VALUES(ct_where(cond, ct_tensor_i64(1, 2, 3), ct_tensor_of(0.5, 0.5, 0.5)), 0, 0.5, 2, 3);
    CHECK_VALUES(ct_where(ct_unsqueeze(cond, 1), a, 0), 0, 0, 0, 0, 1, 2, 3, 1, 2, 3);
    CHECK_VALUES(ct_maximum(ct_tensor_of(1, NAN, 3), ct_tensor_of(2, 2, NAN)), 0, 2, NAN, NAN);
    CHECK_VALUES(ct_fmax(ct_tensor_of(1, NAN, 3), ct_tensor_of(2, 2, NAN)), 0, 2, 2, 3);
    CHECK_VALUES(ct_round(ct_tensor_of(0.5, 1.5, 2.5, -0.5)), 0, 0, 2, 2, -0.0);
    CHECK_VALUES(ct_relu(ct_tensor_of(NAN)), 0, NAN);
    CHECK_VALUES(ct_sign(ct_tensor_of(NAN)), 0, 0);
    /* isclose, allclose, equal */
    CHECK_VALUES(ct_isclose(ct_tensor_of(1, 1, NAN, INFINITY, INFINITY), ct_tensor_of(1.00001, 1.1, NAN, INFINITY, 1), 1e-4, 0, false), 0, 1, 0, 0, 1, 0);
    CHECK_VALUES(ct_isclose(ct_tensor_of(NAN), ct_tensor_of(NAN), 0, 0, true), 0, 1);
    CHECK_VALUES(ct_isclose(ct_tensor_i64(100, 100), ct_tensor_i64(101, 105), 0.02, 0, false), 0, 1, 0);
    CHECK(ct_allclose(a, ct_add(a, 1e-7), 1e-5, 1e-8, false) && !ct_allclose(a, b, 1e-5, 1e-8, false));
    CHECK(!ct_allclose(n, n, 1e-5, 1e-8, false) && ct_allclose(n, n, 1e-5, 1e-8, true));
    CHECK(ct_equal(a, ct_clone(a)) && !ct_equal(a, b) && !ct_equal(n, n) && !ct_equal(a, ct_unsqueeze(a, 0)));
    CHECK(ct_equal(ct_empty(0), ct_empty(0)));
    /* in-place fills and copies */
    ct_tensor *x = ct_zeros(2, 3);
    CHECK(ct_fill_(x, 2.5) == x && ct_version(x) == 1);
    CHECK_VALUES(x, 0, 2.5, 2.5, 2.5, 2.5, 2.5, 2.5);
    CHECK(ct_copy_(x, a) == x);
    CHECK_VALUES(x, 0, 1, 2, 3, 1, 2, 3);
    CHECK(ct_copy_(ct_t(x), ct_tensor_i64(7, 8)) != NULL);
    CHECK_VALUES(x, 0, 7, 7, 7, 8, 8, 8);
    CHECK(ct_zero_(ct_select(x, 1, 1)) != NULL);
    CHECK_VALUES(x, 0, 7, 0, 7, 8, 0, 8);
    CHECK_ERROR(CT_ERR_SHAPE, ct_copy_(ct_zeros(1), a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_fill_(x, a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_add_(ct_zeros(1), a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_add(ct_zeros(2, 3), ct_zeros(2)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_where(ct_zeros(4), a, b));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_add_(ct_expand(ct_zeros(1), 3), 1));
    /* operands that overlap the tensor written */
    ct_tensor *m = ct_reshape(ct_arange(9.0), 3, 3);
    CHECK(ct_add_(m, ct_t(m)) == m);
    CHECK_VALUES(m, 0, 0, 4, 8, 4, 8, 12, 8, 12, 16);
    ct_tensor *v = ct_arange(6.0);
    CHECK(ct_add_(ct_narrow(v, 0, 1, 5), ct_narrow(v, 0, 0, 5)) != NULL);
    CHECK_VALUES(v, 0, 0, 1, 3, 5, 7, 9);
    v = ct_arange(6.0);
    CHECK(ct_copy_(ct_narrow(v, 0, 1, 5), ct_narrow(v, 0, 0, 5)) != NULL);
    CHECK_VALUES(v, 0, 0, 0, 1, 2, 3, 4);
    /* the same over many blocks */
    enum { SIDE = 90 };
    static double square[SIDE * SIDE], shifted[SIDE * SIDE];
    for (int k = 0; k < SIDE * SIDE; k++) square[k] = k + k / SIDE + k % SIDE * SIDE, shifted[k] = k ? 2 * k - 1 : 0;
    m = ct_reshape(ct_arange((double)(SIDE * SIDE)), SIDE, SIDE);
    CHECK(ct_add_(m, ct_t(m)) == m);
    CHECK_ARRAY(m, 0, square, SIDE * SIDE);
    v = ct_arange((double)(SIDE * SIDE));
    CHECK(ct_add_(ct_narrow(v, 0, 1, SIDE * SIDE - 1), ct_narrow(v, 0, 0, SIDE * SIDE - 1)) != NULL);
    CHECK_ARRAY(v, 0, shifted, SIDE * SIDE);
    for (int k = 0; k < SIDE * SIDE; k++) square[k] = k % SIDE * SIDE + k / SIDE, shifted[k] = k ? k - 1 : 0;
    m = ct_reshape(ct_arange((double)(SIDE * SIDE)), SIDE, SIDE);
    CHECK(ct_copy_(m, ct_t(m)) == m);
    CHECK_ARRAY(m, 0, square, SIDE * SIDE);
    v = ct_arange((double)(SIDE * SIDE));
    CHECK(ct_copy_(ct_narrow(v, 0, 1, SIDE * SIDE - 1), ct_narrow(v, 0, 0, SIDE * SIDE - 1)) != NULL);
    CHECK_ARRAY(v, 0, shifted, SIDE * SIDE);
    v = ct_arange(4.0);
    CHECK(ct_mul_(v, ct_select(v, 0, 3)) == v); /* a 0-d operand inside of it */
    CHECK_VALUES(v, 0, 0, 3, 6, 9);
    CHECK(ct_mul_(v, v) == v);
    CHECK_VALUES(v, 0, 0, 9, 36, 81);
    /* casts */
    CHECK_VALUES(ct_to(ct_tensor_of(2.7, -2.7), CT_I64), 0, 2, -2);
    CHECK_VALUES(ct_to(ct_tensor_of(2, NAN, 0.1, 0), CT_BOOL), 0, 1, 1, 1, 0);
    CHECK_VALUES(ct_to(ct_tensor_of(44, 255, 300), CT_U8), 0, 44, 255, 44);
    CHECK_VALUES(ct_to(ct_tensor_i64(300, -1), CT_U8), 0, 44, 255);
    CHECK(ct_item_i64(ct_to(ct_scalar(NAN), CT_I64)) == INT64_MIN);
    CHECK(ct_to(a, CT_F32) == a && ct_contiguous(a) == a);
    /* gradients of more than two operands */
    double p[3][4] = {{0.3, -1.2, 2.5, 0.1}, {1.1, 0.7, -0.4, 2}, {1.5, 0.6, 2.2, -1.7}};
    ct_tensor *in[3];
    for (int k = 0; k < 3; k++) in[k] = ct_requires_grad_(test_tensor(CT_F64, CT_SHAPE(2, 2), p[k], 0), true);
    CHECK(ct_gradcheck(call_lerp, in, 3, NULL) && ct_gradgradcheck(call_lerp, in, 3, NULL));
    CHECK(ct_gradcheck(call_lerp_, in, 3, NULL) && ct_gradgradcheck(call_lerp_, in, 3, NULL));
    CHECK(ct_gradcheck(call_lerp_number, in, 2, NULL) && ct_gradgradcheck(call_lerp_number, in, 2, NULL));
    CHECK(ct_gradcheck(call_addcmul, in, 3, NULL) && ct_gradgradcheck(call_addcmul, in, 3, NULL));
    CHECK(ct_gradcheck(call_addcdiv, in, 3, NULL) && ct_gradgradcheck(call_addcdiv, in, 3, NULL));
    CHECK(ct_gradcheck(call_addcmul_, in, 3, NULL) && ct_gradgradcheck(call_addcmul_, in, 3, NULL));
    CHECK(ct_gradcheck(call_addcdiv_, in, 3, NULL) && ct_gradgradcheck(call_addcdiv_, in, 3, NULL));
    CHECK(ct_gradcheck(call_alpha, in, 2, NULL) && ct_gradgradcheck(call_alpha, in, 2, NULL));
    CHECK(ct_gradcheck(call_alpha_, in, 2, NULL) && ct_gradgradcheck(call_alpha_, in, 2, NULL));
    CHECK(ct_gradcheck(call_copy, in, 2, NULL) && ct_gradgradcheck(call_copy, in, 2, NULL));
    CHECK(ct_gradcheck(call_fill, in, 2, NULL) && ct_gradgradcheck(call_fill, in, 2, NULL));
    ct_tensor *mask = ct_gt(ct_detach(in[0]), 0);
    CHECK(ct_gradcheck(call_where, in, 2, mask) && ct_gradgradcheck(call_where, in, 2, mask));
    ct_tensor *bounds[3] = {in[0], ct_requires_grad_(ct_to(ct_tensor_of(0.2, -2), CT_F64), true), ct_requires_grad_(ct_to(ct_tensor_of(1.4, -1), CT_F64), true)};
    CHECK(ct_gradcheck(call_clamp, bounds, 3, NULL) && ct_gradgradcheck(call_clamp, bounds, 3, NULL));
    CHECK(ct_gradcheck(call_clamp_, bounds, 3, NULL) && ct_gradgradcheck(call_clamp_, bounds, 3, NULL));
    ct_tensor *grad = ct_grad(ct_sum(call_to(in, 1, NULL)), in[0]);
    CHECK_VALUES(grad, 1e-6, 8 * 0.3, 8 * -1.2, 8 * 2.5, 8 * 0.1);
    ct_scope_end();
}

/* ---- stored types ---- */
static double decoded(unsigned bits, int mantissa, int bias) /* of a 16-bit float */
{
    int exponents = 1 << (15 - mantissa), e = (int)(bits >> mantissa) & (exponents - 1);
    double m = (double)(bits & ((1u << mantissa) - 1)), v;
    if (e == exponents - 1) v = m != 0 ? NAN : INFINITY;
    else v = e ? ldexp(m + (double)(1 << mantissa), e - bias - mantissa) : ldexp(m, 1 - bias - mantissa);
    return bits & 0x8000 ? -v : v;
}
static void half_types(ct_dtype dtype, int mantissa, int bias)
{
    enum { ALL = 65536 };
    static uint16_t bits[ALL];
    static double want[ALL], middle[ALL], even[ALL];
    unsigned top = 0x8000u - (1u << mantissa); /* infinity */
    for (unsigned k = 0; k < ALL; k++) bits[k] = (uint16_t)k, want[k] = decoded(k, mantissa, bias);
    ct_scope_begin();
    ct_tensor *t = ct_tensor_from(bits, dtype, ALL), *wide = ct_to(t, CT_F32);
    CHECK_ARRAY(wide, 0, want, ALL);
    CHECK_ARRAY(ct_to(t, CT_F64), 0, want, ALL);
    CHECK_ARRAY(ct_to(ct_to(wide, dtype), CT_F64), 0, want, ALL); /* what can be held is held */
    /* halfway between neighbours: to the even one; a little beside: to the nearer one */
    for (int beside = -1; beside <= 1; beside++) {
        for (unsigned k = 0; k < top; k++) {
            double low = want[k], high = k + 1 == top ? 2 * want[k] - want[k - 1] : want[k + 1], half = (low + high) / 2;
            middle[k] = beside ? (double)nextafterf((float)half, beside < 0 ? 0 : INFINITY) : half;
            even[k] = beside < 0 || (!beside && k % 2 == 0) ? low : k + 1 == top ? INFINITY : high;
            if (k + 1 == top && bias == 127 && beside > 0) even[k] = INFINITY;
        }
        ct_tensor *x = ct_to((ct_tensor_from)(middle, CT_F64, CT_SHAPE(top)), CT_F32);
        CHECKF(test_values(ct_to(ct_to(x, dtype), CT_F64), even, top, 0, __FILE__, __LINE__, ct_dtype_name(dtype)), "rounding to %s, %d beside the middle", ct_dtype_name(dtype), beside);
        for (unsigned k = 0; k < top; k++) even[k] = -even[k];
        CHECKF(test_values(ct_to(ct_to(ct_neg(x), dtype), CT_F64), even, top, 0, __FILE__, __LINE__, ct_dtype_name(dtype)), "rounding to -%s, %d beside the middle", ct_dtype_name(dtype), beside);
    }
    CHECK(isnan(ct_item(ct_to(ct_scalar(NAN), dtype))));
    CHECK_VALUES(ct_to(ct_tensor_of(INFINITY, -INFINITY, 3e38, 1e-45), dtype), 1e-2, INFINITY, -INFINITY, dtype == CT_F16 ? INFINITY : 3e38, 0);
    ct_scope_end();
}
static void conversions(void)
{
    half_types(CT_F16, 10, 15);
    half_types(CT_BF16, 7, 127);
    /* every type to every type, in every layout */
    static const double whole[] = {0, 1, 2, 100, 127, 5, 64, 33, -1, -128, -7};
    for (int t = 0; t < DTYPES; t++)
        for (int w = 0; w < DTYPES; w++)
            for (int layout = 0; layout < TEST_LAYOUTS; layout++) {
                ct_dtype from = dtype_of[t], to = dtype_of[w];
                double x[700], y[700];
                for (int i = 0; i < 700; i++) x[i] = whole[i % (from == CT_U8 ? 8 : 11)], x[i] = from == CT_BOOL ? x[i] != 0 : x[i], y[i] = rounded(x[i], to);
                ct_scope_begin();
                ct_tensor *in = test_tensor(from, CT_SHAPE(7, 100), x, layout), *out = ct_to(in, to);
                CHECK(ct_dtype_of(out) == to && (from == to ? out == in : out != in));
                CHECKF(test_values(out, y, 700, 0, __FILE__, __LINE__, "ct_to"), "%s to %s, layout %d", ct_dtype_name(from), ct_dtype_name(to), layout);
                ct_tensor *into = test_tensor(to, CT_SHAPE(7, 100), y, TEST_LAYOUTS - 1 - layout);
                CHECKF(ct_copy_(ct_zero_(into), in) == into && test_values(into, y, 700, 0, __FILE__, __LINE__, "ct_copy_"), "%s into %s, layout %d", ct_dtype_name(from), ct_dtype_name(to), layout);
                ct_scope_end();
            }
    ct_scope_begin();
    ct_tensor *big = ct_tensor_i64(INT64_C(4294967297), INT64_C(-4294967295), INT64_C(65538), INT64_C(259));
    CHECK_VALUES(ct_to(big, CT_I32), 0, 1, 1, 65538, 259);
    CHECK_VALUES(ct_to(big, CT_I16), 0, 1, 1, 2, 259);
    CHECK_VALUES(ct_to(big, CT_I8), 0, 1, 1, 2, 3);
    CHECK_VALUES(ct_to(big, CT_U8), 0, 1, 1, 2, 3);
    CHECK_VALUES(ct_to(big, CT_BOOL), 0, 1, 1, 1, 1);
    CHECK(ct_item_i64(ct_to(ct_to(ct_scalar_i64(INT64_C(9007199254740993)), CT_I64), CT_I64)) == INT64_C(9007199254740993));
    ct_scope_end();
}

/* Every length from 1 to 70, and some that need blocks, out of place and in place, beginning at each of 16 places: rows that are no whole groups of 16. */
static void lengths(void)
{
    for (int64_t n = 1; n <= 540; n = n == 70 ? 500 : n + 1)
        for (int64_t at = 0; at < 16; at++) {
            ct_scope_begin();
            ct_tensor *base = ct_arange_dtype(CT_F32, 0, 600, 1), *x = ct_narrow(base, 0, at, n), *y = ct_mul(x, 3), *z = ct_add(x, y), *t = ct_tensor_of(5);
            bool ok = true;
            for (int64_t k = 0; k < n; k++) ok = ok && ((float *)ct_data(y))[k] == (float)(3 * (at + k)) && ((float *)ct_data(z))[k] == (float)(4 * (at + k));
            ct_add_(x, t), ct_mul_(x, 2), ct_add_(x, y);
            for (int64_t k = 0; k < 600; k++) {
                double want = k < at || k >= at + n ? (double)k : 2 * ((double)k + 5) + 3 * (double)k;
                ok = ok && ((float *)ct_data(base))[k] == (float)want;
            }
            CHECKF(ok, "%d elements from %d on", (int)n, (int)at);
            ct_scope_end();
        }
}
/* Views of small tensors, of all their elements and of some: results, writes in place, and what lies beside; also when the view alone is left. */
static void small_views(void)
{
    for (int64_t n = 1; n <= 70; n++)
        for (int64_t m = n; m >= 1 && m > n - 20; m--) {
            ct_scope_begin();
            ct_tensor *base = ct_retain(ct_arange_dtype(CT_F32, 0, (double)n, 1)), *whole = ct_detach(base), *flat = ct_reshape(base, 1, n);
            ct_tensor *some = ct_narrow(base, 0, 0, m), *last = ct_reshape(ct_narrow(base, 0, n - m, m), m, 1), *y = ct_mul(whole, base), *z = ct_add(some, ct_ones(m));
            bool ok = ct_size(ct_exp(flat), 1) == n && ct_size(ct_exp(last), 0) == m;
            for (int64_t k = 0; k < n; k++) ok = ok && ((float *)ct_data(y))[k] == (float)(k * k) && (k >= m || ((float *)ct_data(z))[k] == (float)(k + 1));
            ct_exp_(ct_mul_(some, 0)), ct_add_(last, 3), ct_mul_(flat, 2), ct_add_(whole, whole);
            for (int64_t k = 0; k < n; k++) {
                double want = 4 * ((k < m ? 1 : (double)k) + (k >= n - m ? 3 : 0));
                ok = ok && ((float *)ct_data(base))[k] == (float)want;
            }
            ct_tensor *left = ct_retain(ct_requires_grad_(ct_detach(base), true));
            ct_release(base);
            ct_scope_end();
            ct_scope_begin();
            ct_backward(ct_sum(ct_square(left)));
            for (int64_t k = 0; k < n; k++) ok = ok && ((float *)ct_data(ct_grad_of(left)))[k] == 2 * ((float *)ct_data(left))[k];
            CHECKF(ok, "%d elements, views of %d", (int)n, (int)m);
            ct_release(left);
            ct_scope_end();
        }
}
/* Floats' remainders bit for bit those of libm's fmod, and numpy's quotient: ratios from tiny to huge, whole multiples and their neighbours, zeros,
   infinities, NaN, subnormals, in blocks of one sort and mixed. */
static float any_float(unsigned *state, int sort)
{
    *state = *state * 1664525u + 1013904223u;
    float unit = (float)(*state >> 8) / 16777216.0f - 0.5f, special[] = {0, -0.0f, INFINITY, -INFINITY, NAN, 1e-44f, -1e-40f, 3.4e38f};
    return sort == 0 ? unit * 20 : sort == 1 ? (float)(int)(unit * 60) : sort == 2 ? ldexpf(unit, (int)(*state % 250) - 125) : *state % 3 ? unit : special[*state / 3 % 8];
}
static void remainders(void)
{
    enum { N = 5003 };
    unsigned state = 7;
    float *a = (float *)malloc(N * sizeof *a), *b = (float *)malloc(N * sizeof *b);
    for (int sort = 0; sort < 4; sort++)
        for (int turn = 0; turn < 4; turn++) {
            ct_scope_begin();
            for (int k = 0; k < N; k++) a[k] = any_float(&state, sort), b[k] = any_float(&state, turn ? sort : (k / 300) % 4);
            ct_tensor *x = (ct_tensor_from)(a, CT_F32, CT_SHAPE(N)), *y = (ct_tensor_from)(b, CT_F32, CT_SHAPE(N));
            const float *m = (float *)ct_data(ct_fmod(x, y)), *r = (float *)ct_data(ct_remainder(x, y)), *q = (float *)ct_data(ct_floor_divide(x, y));
            bool ok = true;
            for (int k = 0; ok && k < N; k++) {
                float mod = fmodf(a[k], b[k]), up = mod != 0 && (b[k] < 0) != (mod < 0) ? mod + b[k] : mod, d = (a[k] - mod) / b[k];
                if (mod != 0 && (b[k] < 0) != (mod < 0)) d -= 1;
                float whole = d == 0 ? copysignf(0, a[k] / b[k]) : floorf(d);
                if (d - floorf(d) > 0.5f) whole += 1;
                if (b[k] == 0) whole = a[k] / b[k];
                ok = test_near(m[k], mod, 0) && test_near(r[k], up, 0) && test_near(q[k], whole, 0);
                CHECKF(ok, "%.9g by %.9g: fmod %.9g (%.9g), remainder %.9g (%.9g), floor_divide %.9g (%.9g)", a[k], b[k], m[k], mod, r[k], up, q[k], whole);
            }
            ct_scope_end();
        }
    free(a), free(b);
}
int main(void)
{
    test_init();
    lengths();
    small_views();
    remainders();
    conversions();
    for (int k = 0; k < UNARIES; k++) {
        unary_values(&unaries[k]);
        unary_types(&unaries[k]);
        unary_gradients(&unaries[k]);
    }
    for (int k = 0; k < BINARIES; k++) {
        binary_values(&binaries[k]);
        binary_types(&binaries[k]);
        if (binaries[k].ref) binary_gradients(&binaries[k]);
    }
    promotion();
    subgradients();
    integers();
    others();
    ct_shutdown();
    return test_done();
}
