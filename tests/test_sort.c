/* Tests of >>sort in 60-index.h: sort, topk, kthvalue, median, mode, unique, searchsorted, isin, bincount, against plain loops in double,
   for every type; gradients by finite differences; threads; failing allocations. Prints "N passed, N failed".
   Build: gcc -std=c11 -I<dir of ctorch.h> test_sort.c -lm -lpthread */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed, reports;
static ct_error_code last_code;
static char last_message[512];
static void on_error(const ct_error *e, void *user)
{
    (void)user;
    reports++, last_code = e->code;
    snprintf(last_message, sizeof last_message, "%s: %s", e->function, e->message);
}
static bool check(bool ok, const char *what, int line)
{
    if (ok) passed++;
    else if (++failed < 40) printf("test_sort.c:%d: FAILED %s   [%s]\n", line, what, last_message);
    return ok;
}
#define CHECK(x) check(x, #x, __LINE__)

/* memory that is counted, and fails on request */
static int64_t blocks, fail_at, allocs;
static void *take(size_t n, void *user)
{
    (void)user;
    if (fail_at && ++allocs >= fail_at && allocs < fail_at + 2) return NULL; /* twice: the library tries again once */
    void *p = malloc(n);
    if (p) blocks++;
    return p;
}
static void give(void *p, size_t n, void *user)
{
    (void)n, (void)user;
    blocks--;
    free(p);
}
static uint64_t seed = 1;
static int64_t rnd(int64_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (int64_t)((seed >> 33) % (uint64_t)(n > 0 ? n : 1));
}

/* the reference: insertion into a list, stable, NaN largest */
static bool before(double a, double b, bool descending)
{
    if (descending) { double t = a; a = b; b = t; }
    return a < b || (isnan(b) && !isnan(a));
}
static void order(const double *v, int64_t n, bool descending, int64_t *idx)
{
    for (int64_t j = 0; j < n; j++) {
        int64_t k = j;
        for (; k && before(v[j], v[idx[k - 1]], descending); k--) idx[k] = idx[k - 1];
        idx[k] = j;
    }
}
static bool same(double a, double b) { return a == b || (isnan(a) && isnan(b)); }

/* n values of a type with many ties and the type's corners, as a tensor (1-d) and in doubles as stored */
static ct_tensor *values(ct_dtype dtype, int64_t n, int kind, double *out)
{
    static const double corners[] = {0.0, -0.0, 1, -1, INFINITY, -INFINITY, NAN, -NAN, 3, 100};
    ct_tensor *x = ct_zeros_dtype(CT_F64, n), *t;
    double *v = (double *)ct_data(x);
    bool real = dtype == CT_F32 || dtype == CT_F64 || dtype == CT_F16 || dtype == CT_BF16;
    for (int64_t k = 0; k < n; k++) {
        v[k] = kind == 0 ? (double)rnd(5) : kind == 1 ? (double)(rnd(2000001) - 1000000) / (real ? 997 : 8000) : corners[rnd(real ? 10 : 4)];
        if (dtype == CT_U8 && v[k] < 0) v[k] = -v[k];
    }
    t = ct_to(x, dtype);
    if (dtype == CT_I64 && kind == 1) /* use all 64 bits */
        for (int64_t k = 0; k < n; k++) ((int64_t *)ct_data(t))[k] *= (int64_t)1 << 40;
    if (dtype == CT_F64 && kind == 1) /* differ in the low half alone */
        for (int64_t k = 0; k < n; k++) ((double *)ct_data(t))[k] = 1 + (double)rnd(50) * 2.220446049250313e-16;
    ct_copy_out(t, out, CT_F64, n);
    return t;
}
static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
enum { MOST = 700 };
static double v[MOST], w[MOST];
static int64_t idx[MOST], got[MOST];

static void rows(void)
{
    static const int64_t lengths[] = {0, 1, 2, 3, 7, 15, 16, 17, 31, 33, 100, 199, 200, 201, 257, 699};
    for (int t = 0; t < 10; t++)
        for (int l = 0; l < 16; l++)
            for (int kind = 0; kind < 3; kind++) {
                ct_scope_begin();
                reports = 0;
                int64_t n = lengths[l], nans = 0;
                bool down = rnd(2) != 0;
                char what[80];
                snprintf(what, sizeof what, "sort of %d %s, kind %d, descending %d", (int)n, ct_dtype_name(types[t]), kind, down);
                ct_tensor *x = values(types[t], n, kind, v), *at = NULL, *y = ct_sort(x, 0, down, &at);
                order(v, n, down, idx);
                bool ok = y && at && ct_dtype_of(y) == types[t] && ct_copy_out(y, w, CT_F64, n) && ct_copy_out(at, got, CT_I64, n);
                for (int64_t k = 0; ok && k < n; k++) ok = got[k] == idx[k] && same(w[k], v[idx[k]]) && (w[k] != 0 || signbit(w[k]) == signbit(v[idx[k]]));
                check(ok, what, __LINE__);
                if (n) { /* any k: the first k of the order */
                    int64_t k = 1 + rnd(n);
                    y = ct_topk(x, k, -1, down, true, &at);
                    ok = y && ct_copy_out(at, got, CT_I64, k);
                    for (int64_t j = 0; ok && j < k; j++) ok = got[j] == idx[j];
                    check(ok, "topk", __LINE__);
                    y = ct_topk(x, k, -1, down, false, &at); /* the same ones in another order */
                    ok = y && ct_copy_out(at, got, CT_I64, k);
                    for (int64_t j = 0; ok && j < k; j++) {
                        bool found = false;
                        for (int64_t i = 0; i < k; i++) found = found || got[i] == idx[j];
                        ok = found;
                    }
                    check(ok, "topk, not sorted", __LINE__);
                    order(v, n, false, idx);
                    y = ct_kthvalue(x, k, 0, false, &at);
                    check(y && ct_dim(y) == 0 && ct_item_i64(at) == idx[k - 1] && same(ct_item(y), v[idx[k - 1]]), "kthvalue", __LINE__);
                    for (int64_t j = 0; j < n; j++) nans += isnan(v[j]);
                    int64_t m = nans ? -1 : idx[(n - 1) / 2];
                    for (int64_t j = 0; m < 0; j++) if (isnan(v[j])) m = j;
                    y = ct_median_dim(x, 0, true, &at);
                    check(y && ct_dim(y) == 1 && ct_item_i64(at) == m && same(ct_item(y), v[m]) && same(ct_item(ct_median(x)), v[m]), "median", __LINE__);
                    if (nans < n) m = idx[(n - nans - 1) / 2];
                    y = ct_nanmedian_dim(x, 0, true, &at);
                    check(y && ct_item_i64(at) == m && same(ct_item(y), v[m]) && same(ct_item(ct_nanmedian(x)), v[m]), "nanmedian", __LINE__);
                    int64_t best = 0, longest = 0, run = 0;
                    for (int64_t j = 0; j < n; j++) {
                        run = j && v[idx[j]] == v[idx[j - 1]] ? run + 1 : 1;
                        if (run > longest) longest = run, best = idx[j];
                    }
                    y = ct_mode(x, 0, false, &at);
                    check(y && ct_item_i64(at) == best && same(ct_item(y), v[best]), "mode", __LINE__);
                }
                check(reports == 0, "no error", __LINE__);
                ct_clear_error();
                ct_scope_end();
            }
}
static void dims(void) /* other dims, other layouts: each lane like a row */
{
    for (int trial = 0; trial < 60; trial++) {
        ct_scope_begin();
        reports = 0;
        int64_t size[3] = {1 + rnd(4), 1 + rnd(20), 1 + rnd(4)};
        ct_tensor *x = ct_to(ct_reshape(values(CT_F32, size[0] * size[1] * size[2] > MOST ? MOST : size[0] * size[1] * size[2], trial % 3, v), size[0], size[1], size[2]), CT_F32), *at, *at2, *y, *z;
        if (rnd(2)) x = ct_transpose(ct_contiguous(ct_transpose(x, 0, 2)), 0, 2);
        bool down = rnd(2) != 0, ok = true;
        y = ct_sort(x, 1, down, &at);
        for (int64_t a = 0; a < size[0]; a++)
            for (int64_t c = 0; c < size[2]; c++) {
                z = ct_sort(ct_select(ct_select(x, 0, a), 1, c), 0, down, &at2);
                ok = ok && ct_equal(ct_select(ct_select(at, 0, a), 1, c), at2) && ct_isclose(ct_select(ct_select(y, 0, a), 1, c), z, 0, 0, true);
            }
        CHECK(ok && ct_equal(ct_argsort(x, -2, down), at));
        CHECK(ct_equal(ct_argsort(ct_transpose(x, 1, 2), 2, down), ct_transpose(at, 1, 2)));
        y = ct_kthvalue(x, size[1], 1, false, &at2);
        CHECK(ct_dim(y) == 2 && ct_size(y, 1) == size[2] && ct_equal(ct_squeeze_dim(ct_gather(ct_argsort(x, 1, false), 1, ct_full_dtype(CT_I64, size[1] - 1, size[0], 1, size[2])), 1), at2));
        CHECK(reports == 0);
        ct_scope_end();
    }
    ct_tensor *s = ct_scalar(3.0), *at = NULL;
    CHECK(ct_dim(ct_sort(s, 0, false, &at)) == 0 && ct_item_i64(at) == 0 && ct_item(ct_topk(s, 1, -1, true, true, NULL)) == 3 && ct_item(ct_median_dim(s, 0, true, &at)) == 3);
    CHECK(isnan(ct_item(ct_median(ct_zeros(0)))) && ct_numel(ct_sort(ct_zeros(0, 3), 0, false, &at)) == 0 && ct_numel(at) == 0 && ct_size(ct_topk(ct_zeros(2, 3), 0, 1, true, true, NULL), 1) == 0);
    CHECK(ct_numel(ct_mode(ct_zeros(0, 3), 1, false, NULL)) == 0 && ct_equal(ct_msort(ct_tensor_of(2, 1)), ct_tensor_of(1, 2)));
    CHECK(reports == 0);
}
static void long_rows(void)
{
    static const ct_dtype some[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_U8};
    for (int t = 0; t < 6; t++) {
        ct_scope_begin();
        int64_t n = 300000;
        ct_tensor *x = ct_zeros_dtype(CT_F64, n), *at, *at2, *y, *z;
        for (int64_t k = 0; k < n; k++) ((double *)ct_data(x))[k] = (double)(rnd(2000000000) - 1000000000) / (t == 0 ? 1e3 : t == 4 ? 1e5 : 1);
        if (t == 1) x = ct_sub(ct_exp(ct_div(x, 1e9)), 1);
        if (t == 5) x = ct_remainder(x, 256);
        x = ct_to(x, some[t]);
        y = ct_sort(x, 0, false, &at);
        ct_tensor *a = ct_slice(y, 0, 0, n - 1, 1), *b = ct_slice(y, 0, 1, n, 1), *ia = ct_slice(at, 0, 0, n - 1, 1), *ib = ct_slice(at, 0, 1, n, 1);
        CHECK(ct_item(ct_all(ct_logical_or(ct_lt(a, b), ct_logical_and(ct_eq(a, b), ct_lt(ia, ib))))) == 1 && ct_equal(ct_gather(x, 0, at), y));
        CHECK(ct_item(ct_all(ct_eq(ct_bincount(at, NULL, n), 1))) == 1); /* a permutation */
        for (int64_t k = 1; k < n; k = k * 7 + 3) {
            z = ct_topk(x, k, 0, false, true, &at2);
            CHECK(ct_equal(z, ct_slice(y, 0, 0, k, 1)) && ct_equal(at2, ct_slice(at, 0, 0, k, 1)));
            CHECK(ct_equal(ct_kthvalue(x, k, 0, false, &at2), ct_select(y, 0, k - 1)) && ct_item_i64(at2) == ct_item_i64(ct_select(at, 0, k - 1)));
        }
        ct_scope_end();
    }
    ct_tensor *same_ = ct_ones(100000), *at;
    ct_topk(same_, 5, 0, true, true, &at);
    CHECK(ct_equal(at, ct_arange(5)));
}
static void uniques(void)
{
    for (int trial = 0; trial < 120; trial++) {
        ct_scope_begin();
        reports = 0;
        int64_t n = rnd(60), m = 0;
        ct_dtype dtype = types[rnd(10)];
        ct_tensor *x = values(dtype, n, 0, v), *inverse, *counts, *u = ct_unique(x, true, &inverse, &counts), *c;
        order(v, n, false, idx);
        bool ok = u && ct_dtype_of(u) == dtype && ct_copy_out(u, w, CT_F64, ct_numel(u));
        for (int64_t k = 0; ok && k < n; k++) {
            if (k == 0 || v[idx[k]] != v[idx[k - 1]]) m++;
            ok = w[m - 1] == v[idx[k]];
        }
        CHECK(ok && ct_numel(u) == m && ct_numel(counts) == m && ct_item_i64(ct_sum(counts)) == n);
        CHECK(ct_equal(ct_index_select(u, 0, inverse), x) && ct_equal(ct_bincount(inverse, NULL, m), counts));
        c = ct_unique_consecutive(x, CT_NO_DIM, &inverse, &counts);
        CHECK(ct_equal(ct_index_select(c, 0, inverse), x) && ct_equal(ct_repeat_interleave(c, ct_numel(c) == 1 ? ct_reshape(counts, 1) : counts, 0), x));
        if (n >= 4) { /* slices: three columns, made of few different ones */
            ct_tensor *rows_ = ct_index_select(ct_reshape(ct_to(ct_tensor_of(1, 2, 1, 1, 0, 2, 2, 2, 2), dtype), 3, 3), 0, ct_to(ct_remainder(ct_floor(ct_mul(ct_to(x, CT_F64), 7.3)), 3), CT_I64));
            u = ct_unique_dim(rows_, 0, &inverse, &counts);
            CHECK(ct_size(u, 0) <= 3 && ct_equal(ct_index_select(u, 0, inverse), rows_) && ct_item_i64(ct_sum(counts)) == n);
            CHECK(ct_equal(ct_t(ct_unique_dim(ct_t(rows_), 1, NULL, NULL)), u));
        }
        CHECK(reports == 0);
        ct_scope_end();
    }
    ct_tensor *u = ct_unique(ct_tensor_of(NAN, 1, NAN, 1), true, NULL, NULL);
    CHECK(ct_numel(u) == 3 && ct_item(ct_select(u, 0, 0)) == 1);
}
static void searches(void)
{
    for (int trial = 0; trial < 200; trial++) {
        ct_scope_begin();
        reports = 0;
        int64_t n = rnd(30), m = rnd(20);
        ct_dtype dtype = types[rnd(7)];
        ct_tensor *s = ct_sort(values(dtype, n, (int)rnd(2), v), 0, false, NULL), *x = values(dtype, m, (int)rnd(2), w);
        ct_copy_out(s, v, CT_F64, n);
        for (int right = 0; right < 2; right++) {
            ct_tensor *y = ct_searchsorted(s, x, right);
            bool ok = y && ct_copy_out(y, got, CT_I64, m);
            for (int64_t k = 0; ok && k < m; k++) {
                int64_t place = 0;
                while (place < n && (right ? v[place] <= w[k] : v[place] < w[k])) place++;
                ok = got[k] == place;
            }
            CHECK(ok && ct_equal(ct_bucketize(x, s, right), y));
        }
        ct_tensor *in = ct_isin(x, s, false);
        bool ok = in && ct_copy_out(in, got, CT_I64, m);
        for (int64_t k = 0; ok && k < m; k++) {
            bool found = false;
            for (int64_t j = 0; j < n; j++) found = found || v[j] == w[k];
            ok = got[k] == found;
        }
        CHECK(ok && ct_equal(ct_isin(x, s, true), ct_logical_not(in)) && reports == 0);
        ct_scope_end();
    }
    ct_tensor *s2 = ct_reshape(ct_tensor_of(1, 3, 5, 2, 4, 6), 2, 3), *v2 = ct_reshape(ct_tensor_of(3, 7, 3, 7), 2, 2);
    CHECK(ct_equal(ct_searchsorted(s2, v2, false), ct_reshape(ct_tensor_i64(1, 3, 1, 3), 2, 2)) && ct_item_i64(ct_searchsorted(ct_tensor_of(1, 2, 3), 2, true)) == 2);
    CHECK(ct_equal(ct_bincount(ct_tensor_i64(1, 1, 4), NULL, 0), ct_tensor_i64(0, 2, 0, 0, 1)) && ct_numel(ct_bincount(ct_tensor_i64(1), NULL, 9)) == 9);
    CHECK(ct_equal(ct_bincount(ct_tensor_i64(1, 1, 4), ct_tensor_of(1, 2, 4), 0), ct_tensor_of(0, 3, 0, 0, 4)));
    CHECK(reports == 0);
}

#define REFUSED(call, wanted)                                                                                          \
    do {                                                                                                              \
        reports = 0, last_code = CT_ERR_OK;                                                                           \
        check(!(call) && reports == 1 && last_code == (wanted), #call " -> " #wanted, __LINE__);                      \
        ct_clear_error();                                                                                             \
    } while (0)
static void refusals(void)
{
    ct_tensor *x = ct_zeros(2, 3), *at = x;
    REFUSED(ct_sort(x, 2, false, &at), CT_ERR_DIM);
    CHECK(at == NULL);
    REFUSED(ct_argsort(x, -3, false), CT_ERR_DIM);
    REFUSED(ct_topk(x, 4, 1, true, true, NULL), CT_ERR_ARGUMENT);
    REFUSED(ct_topk(x, -1, 1, true, true, NULL), CT_ERR_ARGUMENT);
    REFUSED(ct_kthvalue(x, 0, 1, false, NULL), CT_ERR_ARGUMENT);
    REFUSED(ct_kthvalue(x, 4, 1, false, NULL), CT_ERR_ARGUMENT);
    REFUSED(ct_median_dim(ct_zeros(0, 3), 0, false, NULL), CT_ERR_INDEX);
    REFUSED(ct_mode(ct_zeros(0, 3), 0, false, NULL), CT_ERR_INDEX);
    REFUSED(ct_sort(ct_expand(ct_zeros(1), (int64_t)1 << 33), 0, false, NULL), CT_ERR_OVERFLOW);
    REFUSED(ct_unique_dim(x, 2, NULL, NULL), CT_ERR_DIM);
    REFUSED(ct_searchsorted(x, ct_zeros(3, 3), false), CT_ERR_SHAPE);
    REFUSED(ct_bucketize(x, x, false), CT_ERR_SHAPE);
    REFUSED(ct_bincount(ct_tensor_i64(-1), NULL, 0), CT_ERR_INDEX);
    REFUSED(ct_bincount(ct_tensor_i64(INT64_MAX), NULL, 0), CT_ERR_OVERFLOW);
    REFUSED(ct_bincount(ct_tensor_i64(1), NULL, -1), CT_ERR_ARGUMENT);
    REFUSED(ct_bincount(ct_tensor_of(1), NULL, 0), CT_ERR_ARGUMENT);
    REFUSED(ct_bincount(ct_tensor_i64(1), ct_tensor_of(1, 2), 0), CT_ERR_ARGUMENT);
    reports = 0;
    CHECK(!ct_sort(NULL, 0, false, &at) && !ct_argsort(NULL, 0, false) && !ct_median(NULL) && !ct_unique(NULL, true, &at, NULL) && !ct_isin(NULL, x, false) && !ct_bincount(NULL, NULL, 0) && reports == 0);
}

static ct_tensor *grad_case(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    switch (*(int *)user) {
    case 0: return ct_sort(in[0], 0, false, NULL);
    case 1: return ct_sort(in[0], 1, true, NULL);
    case 2: return ct_topk(in[0], 2, 1, true, true, NULL);
    case 3: return ct_topk(in[0], 2, 0, false, false, NULL);
    case 4: return ct_kthvalue(in[0], 2, 1, false, NULL);
    case 5: return ct_kthvalue(in[0], 2, 0, true, NULL);
    case 6: return ct_median_dim(in[0], 1, false, NULL);
    case 7: return ct_nanmedian_dim(in[0], 0, true, NULL);
    case 8: return ct_mode(in[0], 1, false, NULL);
    case 9: return ct_median(in[0]);
    case 10: return ct_nanmedian(in[0]);
    case 11: return ct_msort(ct_mul(in[0], in[0]));
    default: return NULL;
    }
}
static void gradients(void)
{
    for (int op = 0; op < 12; op++) {
        ct_tensor *x = ct_reshape(ct_to(ct_tensor_of(3, 1, 4, 1.5, -5, 9, 2, 6, 5.5, -3.5, 8, 7), CT_F64), 3, 4);
        ct_requires_grad_(x, true);
        reports = 0;
        char what[40];
        snprintf(what, sizeof what, "gradcheck of case %d", op);
        check(ct_gradcheck(grad_case, &x, 1, &op) && !reports, what, __LINE__);
        snprintf(what, sizeof what, "gradgradcheck of case %d", op);
        check(ct_gradgradcheck(grad_case, &x, 1, &op) && !reports, what, __LINE__);
    }
    /* ties share the gradient of the full median; one place gets that of the others */
    ct_tensor *x = ct_requires_grad_(ct_tensor_of(2, 2, 1, 5, 2), true);
    CHECK(ct_allclose(ct_grad(ct_median(x), x), ct_tensor_of(1. / 3, 1. / 3, 0, 0, 1. / 3), 1e-6, 1e-6, false));
    CHECK(ct_equal(ct_grad(ct_median_dim(x, 0, false, NULL), x), ct_tensor_of(0, 1, 0, 0, 0)));
    ct_tensor *y = ct_requires_grad_(ct_tensor_of(NAN, 1, NAN), true);
    CHECK(ct_allclose(ct_grad(ct_median(y), y), ct_tensor_of(0.5, 0, 0.5), 1e-6, 1e-6, false));
}
static void threads(void)
{
    ct_tensor *x = ct_zeros(300, 401), *at[4];
    for (int64_t k = 0; k < ct_numel(x); k++) ((float *)ct_data(x))[k] = (float)rnd(50);
    for (int t = 0; t < 4; t++) {
        ct_set_num_threads(t + 1);
        ct_sort(x, 1, true, &at[t]);
        CHECK(at[t] && ct_equal(at[t], at[0]) && ct_equal(ct_argsort(x, 0, true), ct_t(ct_argsort(ct_t(x), 1, true))));
    }
    ct_set_num_threads(0);
}
static bool work(void)
{
    ct_tensor *x = ct_requires_grad_(ct_tensor_of(3, 1, 2, 5, 4, 9), true), *at = NULL, *inverse = NULL, *counts = NULL;
    ct_tensor *y = ct_add(ct_sum(ct_sort(x, 0, true, &at)), ct_sum(ct_topk(x, 2, 0, false, true, NULL)));
    y = ct_add(y, ct_add(ct_median(x), ct_kthvalue(x, 3, 0, false, NULL)));
    ct_tensor *u = ct_unique(x, true, &inverse, &counts), *r = ct_unique_dim(ct_reshape(x, 3, 2), 0, NULL, NULL);
    ct_tensor *s = ct_searchsorted(u, x, false), *i = ct_isin(x, u, true), *b = ct_bincount(s, x, 3);
    return y && at && u && inverse && counts && r && s && i && b && ct_backward(y) && ct_grad_of(x);
}
static void allocations(void)
{
    bool done = false;
    int64_t n = 0, wrong = 0;
    while (!done && n < 20000) {
        ct_shutdown();
        ct_scope_begin();
        reports = 0, allocs = 0, fail_at = ++n;
        bool ok = work();
        ct_scope_unwind(0);
        done = allocs < fail_at;
        if (ok != (reports == 0) || reports > 1) wrong++, printf("allocation %lld: ok %d, %d reports: %s\n", (long long)n, ok, reports, last_message);
        fail_at = 0;
        ct_clear_error();
        ct_shutdown();
        wrong += blocks != 0;
    }
    check(done && !wrong && n > 20, "an error, no leak, no crash when any allocation fails", __LINE__);
    printf("allocation failures tried: %lld, wrong: %lld\n", (long long)n - 1, (long long)wrong);
}
int main(void)
{
    ct_allocator a = {take, give, NULL};
    ct_set_allocator(&a);
    ct_set_error_handler(on_error, NULL);
    void (*const part[])(void) = {rows, dims, long_rows, uniques, searches, refusals, gradients, threads};
    for (int k = 0; k < (int)(sizeof part / sizeof *part); k++) {
        reports = 0;
        ct_scope_begin();
        part[k]();
        ct_scope_end();
        ct_clear_error();
    }
    ct_shutdown();
    CHECK(blocks == 0);
    allocations();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
