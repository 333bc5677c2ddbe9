/* What the core tests share: checks that count, comparison with arrays of doubles, calls that must fail. Public API only. */
#ifndef TEST_H
#define TEST_H
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined __GNUC__
#define TEST_UNUSED __attribute__((unused))
#define TEST_PRINTF(f, a) __attribute__((format(printf, f, a)))
#else
#define TEST_UNUSED
#define TEST_PRINTF(f, a)
#endif

static int test_passed, test_failed, test_reports;
static bool test_expecting;
static ct_error test_error; /* the last report, its texts copied */
static char test_file[256], test_function[128], test_message[512], test_hint[256];

static bool test_check(bool ok, const char *file, int line, const char *what)
{
    if (ok) test_passed++;
    else if (test_failed++ < 1000) printf("%s:%d: FAILED: %s\n", file, line, what);
    return ok;
}
static bool test_checkf(bool ok, const char *file, int line, const char *format, ...) TEST_PRINTF(4, 5);
TEST_UNUSED static bool test_checkf(bool ok, const char *file, int line, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (ok) return test_passed++, true;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return test_check(false, file, line, text);
}
/* An error that no test waits for is a failure. */
static void test_handler(const ct_error *e, void *user)
{
    (void)user;
    test_reports++;
    test_error = *e;
    snprintf(test_file, sizeof test_file, "%s", e->file), test_error.file = test_file;
    snprintf(test_function, sizeof test_function, "%s", e->function), test_error.function = test_function;
    snprintf(test_message, sizeof test_message, "%s", e->message), test_error.message = test_message;
    snprintf(test_hint, sizeof test_hint, "%s", e->hint), test_error.hint = test_hint;
    if (!test_expecting) test_checkf(false, e->file, e->line, "unexpected %s: %s: %s", ct_error_name(e->code), e->function, e->message);
}
TEST_UNUSED static void test_init(void)
{
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* so that a crash does not swallow what was said */
    ct_set_error_handler(test_handler, NULL);
}
TEST_UNUSED static int test_done(void)
{
    printf("%d passed, %d failed\n", test_passed, test_failed);
    return test_failed != 0;
}
static void test_expect(void) { test_expecting = true, test_reports = 0, ct_clear_error(); }
/* After a call that must fail: falsy result, exactly one report, this code, this line (0: any). */
static void test_expected(bool falsy, ct_error_code code, int error_line, const char *file, int line, const char *what)
{
    test_expecting = false;
    if (test_reports == 0) test_checkf(false, file, line, "no error from %s, expected %s", what, ct_error_name(code));
    else {
        bool ok = falsy && test_reports == 1 && test_error.code == code && (!error_line || (test_error.line == error_line && !strcmp(test_file, file)));
        ok = ok && test_message[0] && test_function[0] && !ct_ok() && ct_last_error()->code == code;
        test_checkf(ok, file, line, "%s: expected one %s at line %d and NULL or false; got %d report(s), last %s at %s:%d, \"%s: %s\"%s", what, ct_error_name(code), error_line,
                    test_reports, ct_error_name(test_error.code), test_file, test_error.line, test_function, test_message, falsy ? "" : ", and a result");
    }
    ct_clear_error();
}
TEST_UNUSED static void test_quiet(bool falsy, const char *file, int line, const char *what)
{
    test_expecting = false;
    test_checkf(falsy && test_reports == 0 && ct_ok(), file, line, "%s: NULL must flow quietly; %d report(s)%s", what, test_reports, falsy ? "" : ", and a result");
    ct_clear_error();
}

#define CHECK(condition) test_check((condition), __FILE__, __LINE__, #condition)
#define CHECKF(condition, ...) test_checkf((condition), __FILE__, __LINE__, __VA_ARGS__)
#define CHECK_INT(a, b)                                                                                               \
    do {                                                                                                              \
        long long test_a = (long long)(a), test_b = (long long)(b);                                                   \
        test_checkf(test_a == test_b, __FILE__, __LINE__, "%s is %lld, expected %s = %lld", #a, test_a, #b, test_b);  \
    } while (0)
#define CHECK_NEAR(a, b, tolerance)                                                                                   \
    do {                                                                                                              \
        double test_a = (a), test_b = (b);                                                                            \
        test_checkf(test_near(test_a, test_b, tolerance), __FILE__, __LINE__, "%s is %.17g, expected %.17g", #a, test_a, test_b); \
    } while (0)
#define CHECK_TEXT(a, b)                                                                                              \
    do {                                                                                                              \
        const char *test_a = (a), *test_b = (b);                                                                      \
        test_checkf(test_a && test_b && !strcmp(test_a, test_b), __FILE__, __LINE__, "%s is \"%s\", expected \"%s\"", #a, test_a ? test_a : "NULL", test_b ? test_b : "NULL"); \
    } while (0)
/* one report with this code and this line, and a NULL, false or 0 */
#define CHECK_ERROR(code, call)                                                                                       \
    do {                                                                                                              \
        test_expect();                                                                                                \
        bool test_falsy = (call) ? false : true;                                                                      \
        test_expected(test_falsy, code, __LINE__, __FILE__, __LINE__, #call);                                         \
    } while (0)
#define CHECK_ERROR_NAN(code, call)                                                                                   \
    do {                                                                                                              \
        test_expect();                                                                                                \
        double test_v = (call);                                                                                       \
        test_expected(test_v != test_v, code, __LINE__, __FILE__, __LINE__, #call);                                   \
    } while (0)
/* a statement without a result; or a result that says nothing */
#define CHECK_ERROR_VOID(code, ...)                                                                                   \
    do {                                                                                                              \
        test_expect();                                                                                                \
        __VA_ARGS__;                                                                                                  \
        test_expected(true, code, __LINE__, __FILE__, __LINE__, #__VA_ARGS__);                                        \
    } while (0)
#define CHECK_QUIET(call)                                                                                             \
    do {                                                                                                              \
        test_expect();                                                                                                \
        bool test_falsy = (call) ? false : true;                                                                      \
        test_quiet(test_falsy, __FILE__, __LINE__, #call);                                                            \
    } while (0)
/* all elements, row-major: CHECK_VALUES(t, 1e-6, 1, 2, 3) */
#define CHECK_VALUES(t, tolerance, ...)                                                                               \
    test_values(t, (const double[]){__VA_ARGS__}, (int64_t)(sizeof((const double[]){__VA_ARGS__}) / sizeof(double)), tolerance, __FILE__, __LINE__, #t)
#define CHECK_ARRAY(t, tolerance, values, count) test_values(t, values, count, tolerance, __FILE__, __LINE__, #t)
#define CHECK_SHAPE(t, text) CHECK_TEXT(ct_shape_text(t), text)
/* two tensors: shape, dtype, elements */
#define CHECK_SAME(a, b, tolerance) test_same(a, b, tolerance, __FILE__, __LINE__, #a " against " #b)

/* |a-b| <= tolerance*(1 + |b|); NaN equals NaN; infinities must agree. Tolerance 0: equal, and zeros of one sign. */
TEST_UNUSED static bool test_near(double a, double b, double tolerance)
{
    if (a != a || b != b) return a != a && b != b;
    if (isinf(a) || isinf(b)) return a == b;
    if (tolerance == 0) return a == b && (a != 0 || signbit(a) == signbit(b));
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}
TEST_UNUSED static double *test_read(ct_tensor *t) /* the caller frees it; NULL with an empty or missing tensor */
{
    int64_t n = ct_numel(t);
    double *v = (double *)malloc((size_t)(n ? n : 1) * sizeof *v);
    if (t && v && ct_copy_out(t, v, CT_F64, n)) return v;
    free(v);
    return NULL;
}
TEST_UNUSED static bool test_values(ct_tensor *t, const double *want, int64_t count, double tolerance, const char *file, int line, const char *what)
{
    if (!t) return test_checkf(false, file, line, "%s is NULL", what);
    if (ct_numel(t) != count) return test_checkf(false, file, line, "%s has %lld elements, expected %lld", what, (long long)ct_numel(t), (long long)count);
    double *v = test_read(t);
    bool ok = v != NULL;
    for (int64_t i = 0; ok && i < count; i++)
        if (!test_near(v[i], want[i], tolerance)) {
            test_checkf(false, file, line, "%s %s: element %lld is %.17g, expected %.17g", what, ct_shape_text(t), (long long)i, v[i], want[i]);
            free(v);
            return false;
        }
    free(v);
    return test_checkf(ok, file, line, "%s cannot be read", what);
}
TEST_UNUSED static bool test_same(ct_tensor *a, ct_tensor *b, double tolerance, const char *file, int line, const char *what)
{
    if (!a || !b) return test_checkf(false, file, line, "%s: %s is NULL", what, a ? "the second" : "the first");
    bool shape = ct_dim(a) == ct_dim(b) && ct_numel(a) == ct_numel(b);
    for (int d = 0; shape && d < ct_dim(a); d++) shape = ct_size(a, d) == ct_size(b, d);
    if (!shape || ct_dtype_of(a) != ct_dtype_of(b))
        return test_checkf(false, file, line, "%s: %s %s and %s %s", what, ct_dtype_name(ct_dtype_of(a)), ct_shape_text(a), ct_dtype_name(ct_dtype_of(b)), ct_shape_text(b));
    double *v = test_read(b);
    bool ok = v && test_values(a, v, ct_numel(b), tolerance, file, line, what);
    free(v);
    return ok;
}

/* a small generator of the tests' own */
static uint64_t test_state = 88172645463325252u;
TEST_UNUSED static double test_uniform(double low, double high)
{
    test_state ^= test_state << 13, test_state ^= test_state >> 7, test_state ^= test_state << 17;
    return low + (high - low) * (double)(test_state >> 11) / 9007199254740992.0;
}
TEST_UNUSED static ct_shape test_shape(int ndim, const int64_t *size)
{
    ct_shape s;
    memset(&s, 0, sizeof s);
    s.ndim = ndim;
    for (int d = 0; d < ndim; d++) s.size[d] = size[d];
    return s;
}
TEST_UNUSED static int64_t test_numel(ct_shape s)
{
    int64_t n = 1;
    for (int d = 0; d < s.ndim; d++) n *= s.size[d];
    return n;
}
/* The values (row-major) as a tensor of a dtype, stored in one of several layouts:
   0 contiguous, 1 all dims reversed in memory, 2 every other element of a larger last dim, behind an offset, 3 a part of a larger first dim */
enum { TEST_LAYOUTS = 4 };
TEST_UNUSED static ct_tensor *test_tensor(ct_dtype dtype, ct_shape s, const double *values, int layout)
{
    int64_t n = test_numel(s);
    ct_tensor *t = (ct_tensor_from)(n ? values : (const double[]){0}, CT_F64, s);
    t = ct_to(t, dtype);
    if (!s.ndim || layout == 0) return t;
    ct_shape order = s, bigger = s;
    ct_tensor *base;
    if (layout == 1) {
        for (int d = 0; d < s.ndim; d++) order.size[d] = s.ndim - 1 - d;
        return (ct_permute)(ct_contiguous((ct_permute)(t, order)), order);
    }
    if (layout == 2) {
        bigger.size[s.ndim - 1] = 2 * s.size[s.ndim - 1] + 3;
        base = ct_slice((ct_full_dtype)(dtype, ct_number_i64(1), bigger), -1, 3, 3 + 2 * s.size[s.ndim - 1], 2);
    } else {
        bigger.size[0] = s.size[0] + 2;
        base = ct_narrow((ct_full_dtype)(dtype, ct_number_i64(1), bigger), 0, 1, s.size[0]);
    }
    return ct_copy_(base, t);
}
#endif
