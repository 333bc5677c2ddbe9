/* Largest error, in units in the last place, of the elementary functions of every instruction set this machine has.
   Reference: double libm for float, long double libm for double. Fails above the limits of the table.
       test_ulp [step]      float arguments: every step-th bit pattern (default 9973) and the neighbours of the specials
       test_ulp time        nanoseconds per element instead                                                              */
#ifndef ULP_PASS
#ifdef ULP_DRIVER
#include ULP_DRIVER
#else
#define CTORCH_IMPLEMENTATION
#include "ctorch.h"
#endif
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* name, limit float, limit double */
#define ULP_UNARY(X) \
    X(exp, 2, 2) X(exp2, 2, 2) X(expm1, 2, 2) X(log, 2, 2) X(log2, 2, 2) X(log10, 2, 2) X(log1p, 2, 2) X(sin, 2, 2)     \
    X(cos, 2, 2) X(tan, 2, 2) X(asin, 2, 2) X(acos, 2, 2) X(atan, 2, 2) X(sinh, 2, 3) X(cosh, 2, 3) X(tanh, 2, 2)       \
    X(asinh, 2, 3) X(acosh, 2, 3) X(atanh, 2, 3) X(erf, 2, 2) X(erfc, 2, 6) X(erfinv, 2, 4) X(lgamma, 2, 10)            \
    X(digamma, 2, 24) X(trigamma, 2, 16) X(floor, 0, 0) X(ceil, 0, 0) X(trunc, 0, 0) X(round, 0, 0) X(sqrt, 0.5, 0.5) \
    X(sigmoid, 2, 2) X(log_sigmoid, 2, 2.5)
#define ULP_BINARY(X) X(pow, 2, 2) X(atan2, 2, 2) X(hypot, 2, 2) X(fmod, 0, 0)
enum { ULP_BLOCK = 2048 };

#if defined __GNUC__ && !defined __clang__
#pragma GCC push_options
#pragma GCC optimize("O3,no-math-errno,no-trapping-math,fp-contract=fast")
#endif
#define ULP_PASS ct__base_
#include __FILE__
#if defined MULTI || (defined CT__X86_DISPATCH && CT__X86_DISPATCH)
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma,f16c")
#endif
#undef ULP_PASS
#define ULP_PASS ct__avx2_
#include __FILE__
#ifdef __clang__
#pragma clang attribute pop
#pragma clang attribute push(__attribute__((target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma"))), apply_to = function)
#else
#pragma GCC pop_options
#pragma GCC push_options
#pragma GCC target("avx512f,avx512vl,avx512bw,avx512dq,avx2,fma,prefer-vector-width=512")
#endif
#undef ULP_PASS
#define ULP_PASS ct__avx512_
#include __FILE__
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#endif
#if defined __GNUC__ && !defined __clang__
#pragma GCC pop_options
#endif

/* ---- references ---- */
typedef long double big;
static big ref_sigmoid(big x) { return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x)); }
static big ref_log_sigmoid(big x) { return x < 0 ? x - log1pl(expl(x)) : 0 - log1pl(expl(-x)); }
static big ref_erfinv(big x)
{
    big a = fabsl(x), y, d;
    int i;
    if (!(a < 1)) return a == 1 ? copysignl((big)INFINITY, x) : (big)NAN;
    if (a < 1e-12L) return x * 0.886226925452758013649083741670572591L;
    y = a < 0.9L ? a : sqrtl(-logl(1 - a));
    for (i = 0; i < 60; i++) {
        d = (a > 0.5L ? (1 - a) - erfcl(y) : erfl(y) - a) * 0.886226925452758013649083741670572591L * expl(y * y);
        y -= d / (1 + y * d);
        if (fabsl(d) < 1e-17L * y && i > 3) break;
    }
    return copysignl(y, x);
}
static big ref_digamma(big x)
{
    const big pi = 3.14159265358979323846264338327950288L;
    big r = 0, z;
    if (x == 0) return copysignl((big)INFINITY, -x);
    if (x == -(big)INFINITY) return (big)NAN;
    if (x < 0) {
        if (floorl(x) == x) return (big)NAN;
        z = x - rintl(x);
        r = fabsl(z) == 0.5L ? 0 : -pi / tanl(pi * z), x = 1 - x;
    }
    for (; x < 30; x += 1) r -= 1 / x;
    z = 1 / (x * x);
    return r + logl(x) - 0.5L / x - z * (1.0L/12 - z * (1.0L/120 - z * (1.0L/252 - z * (1.0L/240 - z * (1.0L/132 - z * (691.0L/32760 - z / 12))))));
}
static big ref_trigamma(big x)
{
    const big pi = 3.14159265358979323846264338327950288L;
    big r = 0, sign = 1, z;
    if (x == (big)INFINITY) return 0;
    if (x < 0.5L) {
        z = pi / sinl(pi * (x - rintl(x)));
        r = -z * z, sign = -1, x = 1 - x;
    }
    for (; x < 30; x += 1) r += 1 / (x * x);
    z = 1 / (x * x);
    return sign * (r + z / 2 + (1 + z * (1.0L/6 - z * (1.0L/30 - z * (1.0L/42 - z * (1.0L/30 - z * (5.0L/66 - z * (691.0L/2730)))))) ) / x);
}
#define ref_exp expl
#define ref_exp2 exp2l
#define ref_expm1 expm1l
#define ref_log logl
#define ref_log2 log2l
#define ref_log10 log10l
#define ref_log1p log1pl
#define ref_sin sinl
#define ref_cos cosl
#define ref_tan tanl
#define ref_asin asinl
#define ref_acos acosl
#define ref_atan atanl
#define ref_sinh sinhl
#define ref_cosh coshl
#define ref_tanh tanhl
#define ref_asinh asinhl
#define ref_acosh acoshl
#define ref_atanh atanhl
#define ref_erf erfl
#define ref_erfc erfcl
#define ref_lgamma lgammal
#define ref_floor floorl
#define ref_ceil ceill
#define ref_trunc truncl
#define ref_round rintl
#define ref_sqrt sqrtl
#define ref_pow powl
#define ref_atan2 atan2l
#define ref_hypot hypotl
#define ref_fmod fmodl
/* double libm is exact enough for float, and three times as fast */
#define FAST(n) static big fast_##n(big x) { return (big)n((double)x); }
FAST(exp) FAST(exp2) FAST(expm1) FAST(log) FAST(log2) FAST(log10) FAST(log1p) FAST(sin) FAST(cos) FAST(tan) FAST(asin)
FAST(acos) FAST(atan) FAST(sinh) FAST(cosh) FAST(tanh) FAST(asinh) FAST(acosh) FAST(atanh) FAST(erf) FAST(erfc) FAST(lgamma)
FAST(sqrt) FAST(floor) FAST(ceil) FAST(trunc)
#define fast_round ref_round
#define fast_erfinv ref_erfinv
#define fast_digamma ref_digamma
#define fast_trigamma ref_trigamma
static big fast_sigmoid(big x) { return (big)(x < 0 ? exp((double)x) / (1 + exp((double)x)) : 1 / (1 + exp(-(double)x))); }
static big fast_log_sigmoid(big x) { return (big)(x < 0 ? (double)x - log1p(exp((double)x)) : 0 - log1p(exp(-(double)x))); }

/* ---- measuring ---- */
typedef struct ulp_row {
    const char *name;
    int bits; /* 24 or 53 */
    double limit;
    big (*ref1)(big), (*ref2)(big, big);
    void (*run[3])(const void *, const void *, void *, int);
    double worst[3], at_x[3], at_y[3];
    char bad[3][160];
} ulp_row;
#if defined MULTI || (defined CT__X86_DISPATCH && CT__X86_DISPATCH)
#define ULP_RUN(n) { ct__base_##n##_loop, ct__avx2_##n##_loop, ct__avx512_##n##_loop }
#else
#define ULP_RUN(n) { ct__base_##n##_loop, NULL, NULL }
#endif
#define ROW1(n, lf, ld) { #n, 24, lf, fast_##n, NULL, ULP_RUN(n##_f32), {0}, {0}, {0}, {{0}} },                           \
                        { #n, 53, ld, ref_##n, NULL, ULP_RUN(n##_f64), {0}, {0}, {0}, {{0}} },
#define ROW2(n, lf, ld) { #n, 24, lf, NULL, ref_##n, ULP_RUN(n##_f32), {0}, {0}, {0}, {{0}} },                            \
                        { #n, 53, ld, NULL, ref_##n, ULP_RUN(n##_f64), {0}, {0}, {0}, {{0}} },
static ulp_row rows[] = { ULP_UNARY(ROW1) ULP_BINARY(ROW2) };
static int nisa = 1;

static double ulp_error(double got, big ref, int bits, int unit) /* unit 1: ulps of 1 where |ref| < 1; 2: any zero */
{
    const int emin = bits == 24 ? -149 : -1074, emax = bits == 24 ? 128 : 1024;
    const big top = ldexpl(1, emax);
    big g = got;
    int e;
    if (ref != ref || got != got) return (ref != ref) == (got != got) ? 0 : 1e30;
    if (got == 0 && !signbit(got) != !signbit(ref) && unit != 2) return 1e29;
    if (isinf(got)) g = got > 0 ? top : -top;
    if (fabsl(ref) > top) ref = ref > 0 ? top : -top;
    if (g == ref) return 0;
    frexpl(ref, &e);
    if (e > emax) e = emax;
    if (unit == 1 && e < 1) e = 1;
    e = ref == 0 || e - bits < emin ? emin : e - bits;
    return (double)(fabsl(g - ref) / ldexpl(1, e));
}
static double value_at(const void *p, int i, int bits) { return bits == 24 ? (double)((const float *)p)[i] : ((const double *)p)[i]; }
static void check(ulp_row *r, const void *x, const void *y, int n)
{
    static big ref[ULP_BLOCK];
    static double out[ULP_BLOCK];
    int i, k, unit = r->bits == 53 && (!strcmp(r->name, "digamma") || !strcmp(r->name, "lgamma")); /* roots */
    if (!strcmp(r->name, "log_sigmoid")) unit = 2; /* torch: +0 far right */
    for (i = 0; i < n; i++) {
        double a = value_at(x, i, r->bits), b = value_at(y, i, r->bits);
        if (r->ref1) ref[i] = r->ref1((big)a);
        else ref[i] = r->ref2((big)a, (big)b);
    }
    for (k = 0; k < nisa; k++) {
        r->run[k](x, y, out, n);
        for (i = 0; i < n; i++) {
            double g = value_at(out, i, r->bits), u = ulp_error(g, ref[i], r->bits, unit);
            if (u > r->worst[k]) {
                r->worst[k] = u, r->at_x[k] = value_at(x, i, r->bits), r->at_y[k] = value_at(y, i, r->bits);
                snprintf(r->bad[k], sizeof r->bad[k], "%.17g,%.17g -> %.17g, not %.21Lg", r->at_x[k], r->at_y[k], g, ref[i]);
            }
        }
    }
}
static uint64_t seed = 88172645463325252u;
static uint64_t rnd(void) { seed ^= seed << 13; seed ^= seed >> 7; seed ^= seed << 17; return seed * 0x2545F4914F6CDD1Du; }
static double uniform(void) { return (double)(rnd() >> 11) * 0x1p-53; }
static float f32_of(uint32_t u) { float x; memcpy(&x, &u, 4); return x; }
static double f64_of(uint64_t u) { double x; memcpy(&x, &u, 8); return x; }
static const double specials[] = { 0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 0.6931471805599453, 1.5707963267948966, 3.141592653589793, 6.283185307179586,
    88.7228, 89.4, 103.97, -87.336, -103.97, -104, 128, 127.5, -126, -149, -150, 709.782712893384, -708.396, -745.13, 710.4758, 1e-8, 1e-5, 9.01, -9.01,
    18.7, -18.7, 3.95, 10.05, -10.05, 26.5, 27.2, 1e22, 1e30, 1e300, 8388608, 4503599627370496.0, 8388607.5, 2.5, -2.5, 1.5, 0.99999994,
    0.9999999999, 1.17549435e-38, 1.4e-45, 3.4028234e38, 2.2250738585072014e-308, 4.94e-324, 1.7976931348623157e308, -0.4142, 0.4142, 0.70710678,
    1.41421356, 1.0000001, -1.0000001, 1.4616321449683622, -2.4570247382208, -2.7476826467, 36.7, -36.7, -88.0, 0.0067379, 0.998310, -0.0 };
enum { NSPECIAL = sizeof specials / sizeof *specials };

static void unary_f32(ulp_row *r, uint32_t step)
{
    static float x[ULP_BLOCK];
    uint64_t u;
    int n = 0, i, d;
    for (u = 0; u < 0x100000000u; u += step) {
        x[n++] = f32_of((uint32_t)u);
        if (n == ULP_BLOCK || u + step >= 0x100000000u) check(r, x, x, n), n = 0;
    }
    for (i = 0; i < NSPECIAL; i++) {
        float c = (float)specials[i];
        uint32_t b;
        memcpy(&b, &c, 4);
        for (d = -500; d < 500; d++) x[d + 500] = f32_of(b + (uint32_t)d);
        check(r, x, x, 1000);
    }
    x[0] = (float)INFINITY, x[1] = -(float)INFINITY, x[2] = (float)NAN, x[3] = -(float)NAN;
    check(r, x, x, 4);
}
static void unary_f64(ulp_row *r, int rounds)
{
    static double x[ULP_BLOCK];
    static const double range[] = { 1, 10, 1e-3, 100, 800, 1e-8, 3, 1e6 };
    int i, k, d;
    for (i = 0; i < rounds; i++) {
        for (k = 0; k < ULP_BLOCK; k++) x[k] = f64_of(rnd());
        check(r, x, x, ULP_BLOCK);
        for (k = 0; k < ULP_BLOCK; k++) x[k] = (2 * uniform() - 1) * range[k % 8];
        check(r, x, x, ULP_BLOCK);
    }
    for (i = 0; i < NSPECIAL; i++) {
        double c = specials[i];
        uint64_t b;
        memcpy(&b, &c, 8);
        for (d = -500; d < 500; d++) x[d + 500] = f64_of(b + (uint64_t)(int64_t)d);
        check(r, x, x, 1000);
    }
    x[0] = (double)INFINITY, x[1] = -(double)INFINITY, x[2] = (double)NAN;
    check(r, x, x, 3);
}
static double any(int bits, int how)
{
    double v;
    if (how == 0) v = bits == 24 ? (double)f32_of((uint32_t)(rnd() >> 32)) : f64_of(rnd());
    else if (how == 1) v = specials[rnd() % NSPECIAL];
    else if (how == 2) v = (2 * uniform() - 1) * 20;
    else if (how == 3) v = rint((2 * uniform() - 1) * 12);
    else if (how == 4) v = 1 + (uniform() - 0.5) * 1e-3;
    else if (how == 5) v = uniform() * 200 - 100;
    else v = rnd() & 1 ? (double)INFINITY : rnd() & 1 ? -(double)INFINITY : (double)NAN;
    return v == v ? v : (double)NAN; /* no signalling ones */
}
static void binary(ulp_row *r, int rounds)
{
    static double dx[ULP_BLOCK], dy[ULP_BLOCK];
    static float fx[ULP_BLOCK], fy[ULP_BLOCK];
    int i, k;
    for (i = 0; i < rounds; i++) {
        for (k = 0; k < ULP_BLOCK; k++) {
            dx[k] = any(r->bits, k % 7), dy[k] = any(r->bits, k / 7 % 7);
            fx[k] = (float)dx[k], fy[k] = (float)dy[k];
        }
        if (r->bits == 24) check(r, fx, fy, ULP_BLOCK);
        else check(r, dx, dy, ULP_BLOCK);
    }
}
static double seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }
static void timing(void)
{
    static double dx[ULP_BLOCK], out[ULP_BLOCK];
    static float fx[ULP_BLOCK];
    size_t i;
    int k, j, rep;
    for (k = 0; k < ULP_BLOCK; k++) fx[k] = (float)(dx[k] = uniform() * 0.98 + 0.01);
    printf("%-12s %4s  ns per element\n", "", "");
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        printf("%-12s %4s", rows[i].name, rows[i].bits == 24 ? "f32" : "f64");
        for (k = 0; k < nisa; k++) {
            double best = 1e9, t;
            for (rep = 0; rep < 5; rep++) {
                t = seconds();
                for (j = 0; j < 50; j++) rows[i].run[k](rows[i].bits == 24 ? (void *)fx : (void *)dx, rows[i].bits == 24 ? (void *)fx : (void *)dx, out, ULP_BLOCK);
                t = (seconds() - t) / 50 / ULP_BLOCK * 1e9;
                if (t < best) best = t;
            }
            printf(" %8.3f", best);
        }
        printf("\n");
    }
}
int main(int argc, char **argv)
{
    uint32_t step = argc > 1 && atoi(argv[1]) > 0 ? (uint32_t)atoi(argv[1]) : 9973;
    const char *only = argc > 2 ? argv[2] : NULL;
    int failed = 0, checked = 0, k;
    size_t i;
#if defined MULTI || (defined CT__X86_DISPATCH && CT__X86_DISPATCH)
    nisa = 1 + (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"));
    if (nisa == 2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) nisa = 3;
#endif
    if (argc > 1 && !strcmp(argv[1], "time")) return timing(), 0;
    printf("%-12s %4s %6s   worst error in ulp: base%s%s\n", "", "", "limit", nisa > 1 ? ", avx2" : "", nisa > 2 ? ", avx512" : "");
    for (i = 0; i < sizeof rows / sizeof *rows; i++) {
        ulp_row *r = &rows[i];
        if (only && strcmp(only, r->name)) continue;
#ifdef __TINYC__
        if (r->ref2) continue; /* tcc 0.9.27 passes two long doubles through a pointer wrongly */
#endif
        if (r->ref2) binary(r, 300);
        else if (r->bits == 24) unary_f32(r, step);
        else unary_f64(r, 60);
        printf("%-12s %4s %6.3g  ", r->name, r->bits == 24 ? "f32" : "f64", r->limit);
        for (k = 0; k < nisa; k++) printf(" %9.4g", r->worst[k]);
        printf("\n");
        for (k = 0; k < nisa; k++, checked++) if (r->worst[k] > r->limit) failed++, printf("    FAIL isa %d: %s\n", k, r->bad[k]);
        fflush(stdout);
    }
    printf("%d passed, %d failed\n", checked - failed, failed);
    return failed != 0;
}
#else /* one pass: a loop for each function */
#define ULP_CAT_(a, b) a##b
#define ULP_CAT(a, b) ULP_CAT_(a, b)
#define ULP_NAME(n) ULP_CAT(ULP_PASS, n)
#define ULP_LOOP1(n, T) static void ULP_NAME(n##_loop)(const void *x_, const void *y_, void *z_, int m)                   \
    { int i; const T *x = (const T *)x_; T *__restrict z = (T *)z_; (void)y_; for (i = 0; i < m; i++) z[i] = ULP_NAME(n)(x[i]); }
#define ULP_LOOP2(n, T) static void ULP_NAME(n##_loop)(const void *x_, const void *y_, void *z_, int m)                   \
    { int i; const T *x = (const T *)x_, *y = (const T *)y_; T *__restrict z = (T *)z_; for (i = 0; i < m; i++) z[i] = ULP_NAME(n)(x[i], y[i]); }
#define ULP_L1(n, a, b) ULP_LOOP1(n##_f32, float) ULP_LOOP1(n##_f64, double)
#define ULP_L2(n, a, b) ULP_LOOP2(n##_f32, float) ULP_LOOP2(n##_f64, double)
ULP_UNARY(ULP_L1)
ULP_BINARY(ULP_L2)
#endif
