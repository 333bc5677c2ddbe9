/* Matrix products against triple loops in double: shapes, strides, broadcasting, types, gradients, texts of einsum, errors, memory.
   cc -O2 -std=c11 -I. test_matmul.c -lm -lpthread; prints "N passed, N failed" */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;
static char last_message[512], last_hint[256], last_function[64];
static ct_error_code last_code;
static void quiet(const ct_error *e, void *user)
{
    (void)user;
    last_code = e->code;
    snprintf(last_message, sizeof last_message, "%s", e->message);
    snprintf(last_hint, sizeof last_hint, "%s", e->hint);
    snprintf(last_function, sizeof last_function, "%s", e->function);
}
static void check(int ok, const char *what, int line)
{
    if (ok) passed++;
    else failed++, printf("FAIL line %d: %s%s%s\n", line, what, ct_ok() ? "" : ": ", ct_ok() ? "" : last_message);
    ct_clear_error();
}
#define SAME(a, b) ct_allclose(a, b, 1e-9, 1e-9, false)
#define CHECK(x) check((x) != 0, #x, __LINE__)
#define FAILS(x, code, text) check((x) == NULL && last_code == (code) && strstr(last_message, text) != NULL, #x, __LINE__)

static uint64_t seed = 1;
static int64_t pick(int64_t lo, int64_t hi)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return lo + (int64_t)((seed >> 33) % (uint64_t)(hi - lo + 1));
}
static double at(ct_tensor *t, const int64_t *index, int n) /* element by index, straight from memory */
{
    int64_t k = 0;
    for (int d = 0; d < n; d++) k += index[d] * ct_stride(t, d);
    switch (ct_dtype_of(t)) {
    case CT_F32: return (double)((float *)ct_data(t))[k];
    case CT_F64: return ((double *)ct_data(t))[k];
    case CT_I64: return (double)((int64_t *)ct_data(t))[k];
    case CT_I32: return (double)((int32_t *)ct_data(t))[k];
    default: return 0;
    }
}
static ct_tensor *fill(ct_shape s, ct_dtype dtype, int order) /* random eighths; order 1: stored transposed, 2: every other element */
{
    ct_tensor *t;
    ct_shape o = s;
    int n = s.ndim;
    if (order == 1 && n > 1) o.size[n - 1] = s.size[n - 2], o.size[n - 2] = s.size[n - 1];
    if (order == 2 && n && n < 8) o.size[o.ndim++] = 2;
    t = (ct_zeros_dtype)(CT_F64, o);
    for (int64_t i = 0; i < ct_numel(t); i++) ct_data_f64(t)[i] = (double)pick(-32, 32) / (dtype == CT_F32 || dtype == CT_F64 ? 8 : 1);
    t = ct_to(t, dtype);
    if (order == 1 && n > 1) t = ct_mT(t);
    if (order == 2 && n && n < 8) t = ct_select(t, n, 0);
    return t;
}
static double size_of(ct_tensor *t, const int64_t *index, int n, int64_t row, int64_t column) /* batch index broadcast, then (row, column) */
{
    int64_t full[8];
    int m = ct_dim(t) - 2;
    for (int d = 0; d < m; d++) full[d] = ct_size(t, d) == 1 ? 0 : index[n - m + d];
    full[m] = row, full[m + 1] = column;
    return at(t, full, m + 2);
}
/* y = a @ b by definition; both at least 2-d */
static int same_product(ct_tensor *y, ct_tensor *a, ct_tensor *b, double beta, ct_tensor *add, double alpha)
{
    int n = ct_dim(y) - 2;
    int64_t index[8] = {0}, M = ct_size(y, -2), N = ct_size(y, -1), K = ct_size(a, -1);
    for (int64_t k = 0; k < ct_numel(y); k++) {
        int64_t r = k;
        for (int d = n + 1; d >= 0; d--) index[d] = r % ct_size(y, d), r /= ct_size(y, d);
        double sum = 0, size = 1;
        for (int64_t i = 0; i < K; i++) {
            double t = size_of(a, index, n, index[n], i) * size_of(b, index, n, i, index[n + 1]);
            sum += t, size += t < 0 ? -t : t;
        }
        sum = alpha * sum + (beta != 0 ? beta * size_of(add, index, n, ct_size(add, -2) == 1 ? 0 : index[n], ct_size(add, -1) == 1 ? 0 : index[n + 1]) : 0);
        double d = at(y, index, n + 2) - sum;
        if (!(d * d <= size * size * 1e-11)) return 0;
    }
    (void)M, (void)N;
    return 1;
}
static void test_products(void)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_I64, CT_I32};
    for (int round = 0; round < 400; round++) {
        ct_scope_begin();
        ct_dtype type = types[pick(0, 3)];
        int nb = (int)pick(0, 3), na = (int)pick(0, nb);
        ct_shape a = {{0}, 0}, b = {{0}, 0};
        int64_t M = pick(0, 20) ? pick(1, 40) : 0, N = pick(1, 60), K = pick(0, 20) ? pick(1, 50) : 0, batch[3] = {pick(1, 3), pick(1, 3), pick(1, 3)};
        for (int d = 0; d < na; d++) a.size[a.ndim++] = pick(0, 2) ? batch[3 - na + d] : 1;
        for (int d = 0; d < nb; d++) b.size[b.ndim++] = pick(0, 2) ? batch[3 - nb + d] : 1;
        a.size[a.ndim++] = M, a.size[a.ndim++] = K, b.size[b.ndim++] = K, b.size[b.ndim++] = N;
        ct_tensor *x = fill(a, type, (int)pick(0, 2)), *w = fill(b, type, (int)pick(0, 2));
        ct_tensor *y = ct_matmul(x, w);
        CHECK(y && same_product(y, x, w, 0, NULL, 1));
        if (na == 0 && nb == 0) {
            CHECK(same_product(ct_mm(x, w), x, w, 0, NULL, 1));
            ct_tensor *add = fill(CT_SHAPE(pick(0, 1) ? M : 1, pick(0, 1) ? N : 1), type, 0);
            CHECK(same_product(ct_addmm(add, x, w, .beta = 2, .alpha = -3), x, w, 2, add, -3));
            CHECK(same_product(ct_addmm(add, x, w, .beta = CT_REALLY_ZERO), x, w, 0, add, 1));
            CHECK(ct_equal(ct_reshape(ct_mv(x, ct_select(w, 1, 0)), -1, 1), ct_slice(y, 1, 0, 1, 1)) || type == CT_F32 || type == CT_F64);
        }
        if (type == CT_F32 || type == CT_F64) {
            ct_tensor *bias = fill(CT_SHAPE(N), type, 0), *z = ct_linear(x, ct_t(fill(CT_SHAPE(K, N), type, (int)pick(0, 1))), bias);
            CHECK(z != NULL);
            if (nb == 0) CHECK(same_product(ct_linear(x, ct_t(w), bias), x, w, 1, ct_unsqueeze(bias, 0), 1));
        }
        ct_scope_end();
    }
}
static void test_vectors(void)
{
    ct_tensor *v = ct_tensor_of(1, 2, 3), *m = ct_tensor_from(((const double[]){1, 2, 3, 4, 5, 6}), CT_F64, 2, 3), *w = ct_to(v, CT_F64);
    CHECK(ct_item(ct_dot(v, v)) == 14 && ct_dim(ct_matmul(v, v)) == 0);
    CHECK(ct_at(ct_mv(m, w), 0) == 14 && ct_at(ct_mv(m, w), 1) == 32 && ct_dim(ct_matmul(m, w)) == 1);
    CHECK(ct_at(ct_matmul(w, ct_t(m)), 1) == 32 && ct_dim(ct_matmul(w, ct_t(m))) == 1);
    CHECK(ct_at(ct_outer(w, w), 2, 1) == 6 && ct_size(ct_outer(w, w), 0) == 3);
    CHECK(ct_at(ct_inner(m, m), 0, 1) == 32);
    CHECK(ct_at(ct_kron(m, m), 3, 8) == 36 && ct_size(ct_kron(m, m), 1) == 9);
    CHECK(ct_at(ct_kron(m, w), 1, 8) == 18);
    CHECK(ct_at(ct_tensordot(m, ct_t(m), 1), 1, 0) == 32 && ct_item(ct_tensordot(m, m, 2)) == 91);
    CHECK(ct_item(ct_tensordot_dims(m, ct_t(m), CT_SHAPE(0, 1), CT_SHAPE(1, 0))) == 91);
    ct_tensor *x = ct_matmul(ct_zeros(2, 0), ct_zeros(0, 3));
    CHECK(ct_numel(x) == 6 && ct_item(ct_sum(ct_abs(x))) == 0);
    CHECK(ct_item(ct_sum(ct_linear(ct_zeros(2, 0), ct_zeros(3, 0), ct_tensor_of(1, 2, 3)))) == 12);
    CHECK(ct_numel(ct_bmm(ct_zeros(0, 2, 3), ct_zeros(0, 3, 2))) == 0);
    ct_tensor *h = ct_to(m, CT_F16), *b = ct_to(m, CT_BF16);
    CHECK(ct_at(ct_matmul(h, ct_t(h)), 1, 1) == 77 && ct_dtype_of(ct_matmul(h, ct_t(h))) == CT_F16);
    CHECK(ct_at(ct_matmul(b, ct_t(b)), 1, 1) == 77 && ct_dtype_of(ct_matmul(b, ct_t(b))) == CT_BF16);
    ct_tensor *u = ct_full_dtype(CT_U8, 16, 1, 16);
    CHECK(ct_at(ct_matmul(u, ct_t(u)), 0, 0) == 0); /* 16*16*16 = 4096 wraps */
    ct_tensor *nan = ct_full(NAN, 2, 2), *e = ct_eye(2);
    CHECK(ct_at(ct_addmm(nan, e, e, .beta = CT_REALLY_ZERO), 0, 0) == 1);
    CHECK(ct_at(ct_addmv(ct_ones(2), e, ct_ones(2), .beta = 3), 1) == 4);
    CHECK(ct_at(ct_baddbmm(ct_ones(2), ct_ones(3, 2, 2), ct_ones(3, 2, 2), .alpha = 5), 2, 1, 1) == 11);
}
static void test_einsum(void)
{
    ct_tensor *a = fill(CT_SHAPE(3, 4), CT_F64, 0), *b = fill(CT_SHAPE(4, 5), CT_F64, 1), *s = fill(CT_SHAPE(4, 4), CT_F64, 0), *t = fill(CT_SHAPE(2, 3, 4), CT_F64, 0);
    CHECK(SAME(ct_einsum("ij,jk->ik", a, b), ct_mm(a, b)));
    CHECK(SAME(ct_einsum("ij,jk", a, b), ct_mm(a, b)));
    CHECK(SAME(ct_einsum("ij,jk->ki", a, b), ct_t(ct_mm(a, b))));
    CHECK(SAME(ct_einsum("ij->ji", a), ct_t(a)) && SAME(ct_einsum("ba", a), ct_t(a)));
    CHECK(SAME(ct_einsum("ii->i", s), ct_diagonal(s, 0, 0, 1)) && SAME(ct_einsum("ii", s), ct_sum(ct_diagonal(s, 0, 0, 1))));
    CHECK(SAME(ct_einsum("ij->", a), ct_sum(a)) && SAME(ct_einsum("ij->j", a), ct_sum_dim(a, 0, false)));
    CHECK(SAME(ct_einsum("...ij,jk->...ik", t, b), ct_matmul(t, b)) && SAME(ct_einsum("...j,jk", t, b), ct_matmul(t, b)));
    CHECK(SAME(ct_einsum("bij,bkj->bik", t, t), ct_matmul(t, ct_mT(t))));
    CHECK(SAME(ct_einsum("ij,jk,kl->il", a, b, ct_t(b)), ct_mm(ct_mm(a, b), ct_t(b))));
    CHECK(SAME(ct_einsum("ij,ij->ij", a, a), ct_mul(a, a)) && SAME(ct_einsum("ij,ij", a, a), ct_sum(ct_mul(a, a))));
    CHECK(SAME(ct_einsum("i,j->ij", ct_select(a, 0, 0), ct_select(b, 0, 1)), ct_outer(ct_select(a, 0, 0), ct_select(b, 0, 1))));
    FAILS(ct_einsum("ij,jk->ik", a), CT_ERR_ARGUMENT, "another number");
    FAILS(ct_einsum("ij->ik", a), CT_ERR_ARGUMENT, "each letter once");
    FAILS(ct_einsum("ijk->i", a), CT_ERR_ARGUMENT, "3 letters");
    FAILS(ct_einsum("i?->i", a), CT_ERR_ARGUMENT, "alone");
    FAILS(ct_einsum("ij,jk->ik", a, a), CT_ERR_SHAPE, "size");
    FAILS(ct_einsum("ii->i", a), CT_ERR_SHAPE, "size 4");
    FAILS(ct_einsum("ii->i", ct_zeros(1, 3)), CT_ERR_SHAPE, "different sizes");
    FAILS(ct_einsum("ij->ii", a), CT_ERR_ARGUMENT, "each letter once");
    FAILS(ct_einsum("i..j->i", a), CT_ERR_ARGUMENT, "alone");
    FAILS(ct_einsum("ij-", a), CT_ERR_ARGUMENT, "each letter once");
}

static const char *equation;
static int which;
static ct_tensor *function(ct_tensor *const *in, int count, void *user)
{
    (void)user;
    switch (which) {
    case 0: return ct_matmul(in[0], in[1]);
    case 1: return ct_addmm(in[0], in[1], in[2], .beta = 0.5, .alpha = 2);
    case 2: return ct_linear(in[0], in[1], count > 2 ? in[2] : NULL);
    case 3: return (ct_einsum)(equation, in, count);
    case 4: return ct_baddbmm(in[0], in[1], in[2]);
    case 5: return ct_kron(in[0], in[1]);
    default: return ct_inner(in[0], in[1]);
    }
}
static ct_tensor *leaf(ct_shape s) { return ct_requires_grad_(ct_contiguous(fill(s, CT_F64, 0)), true); }
static void gradients(int w, ct_tensor *a, ct_tensor *b, ct_tensor *c, int line)
{
    ct_tensor *in[3] = {a, b, c};
    which = w;
    check(ct_gradcheck(function, in, c ? 3 : 2, NULL), "gradcheck", line);
    check(ct_gradgradcheck(function, in, c ? 3 : 2, NULL), "gradgradcheck", line);
}
#define L(...) leaf(CT_SHAPE(__VA_ARGS__))
static void test_gradients(void)
{
    gradients(0, L(3), L(3), NULL, __LINE__);
    gradients(0, L(2, 3), L(3), NULL, __LINE__);
    gradients(0, L(3), L(3, 2), NULL, __LINE__);
    gradients(0, L(2, 3), L(3, 4), NULL, __LINE__);
    gradients(0, L(2, 2, 3), L(3, 4), NULL, __LINE__);
    gradients(0, L(2, 2, 3), L(3), NULL, __LINE__);
    gradients(0, L(3), L(2, 3, 2), NULL, __LINE__);
    gradients(0, L(2, 1, 2, 3), L(3, 3, 2), NULL, __LINE__);
    gradients(0, L(2, 3), L(2, 3, 2), NULL, __LINE__);
    gradients(1, L(2), L(3, 2), L(2, 2), __LINE__);
    gradients(1, L(3, 1), L(3, 2), L(2, 2), __LINE__);
    gradients(4, L(2, 1, 2), L(2, 3, 2), L(2, 2, 2), __LINE__);
    gradients(2, L(2, 3), L(4, 3), L(4), __LINE__);
    gradients(2, L(2, 2, 3), L(4, 3), NULL, __LINE__);
    gradients(2, L(3), L(4, 3), L(4), __LINE__);
    gradients(5, L(2, 2), L(1, 3), NULL, __LINE__);
    gradients(6, L(2, 3), L(2, 3), NULL, __LINE__);
    equation = "ij,jk->ki", gradients(3, L(2, 3), L(3, 2), NULL, __LINE__);
    equation = "iij,jk->ik", gradients(3, L(2, 2, 3), L(3, 2), NULL, __LINE__);
    equation = "...i,ji->...j", gradients(3, L(2, 2, 3), L(2, 3), NULL, __LINE__);
    equation = "ab,bc,ca->b", gradients(3, L(2, 3), L(3, 2), L(2, 2), __LINE__);
}
static void test_errors(void)
{
    ct_tensor *a = ct_zeros(32, 784), *b = ct_zeros(128, 784);
    FAILS(ct_matmul(a, b), CT_ERR_SHAPE, "inner sizes differ: input [32,784] @ other [128,784]");
    ct_matmul(a, b);
    CHECK(!strcmp(last_hint, "other looks transposed; try ct_matmul(input, ct_t(other))") && !strcmp(last_function, "ct_matmul"));
    ct_matmul(ct_zeros(2, 3, 4), ct_zeros(5, 4));
    CHECK(!strcmp(last_hint, "other looks transposed; try ct_matmul(input, ct_mT(other))"));
    ct_matmul(ct_zeros(4, 3), ct_zeros(4, 5));
    CHECK(!strcmp(last_hint, "input looks transposed; try ct_matmul(ct_t(input), other)"));
    FAILS(ct_matmul(a, ct_zeros(5, 6)), CT_ERR_SHAPE, "inner sizes");
    CHECK(last_hint[0] == 0);
    FAILS(ct_matmul(ct_scalar(1), a), CT_ERR_DIM, "at least 1 dim");
    FAILS(ct_matmul(ct_zeros(2, 3, 4), ct_zeros(3, 4, 5)), CT_ERR_SHAPE, "batch sizes");
    FAILS(ct_matmul(a, ct_zeros_dtype(CT_F64, 784, 2)), CT_ERR_DTYPE, "expected both to have the same dtype");
    FAILS(ct_matmul(ct_zeros_dtype(CT_BOOL, 2, 2), ct_zeros_dtype(CT_BOOL, 2, 2)), CT_ERR_DTYPE, "bool");
    FAILS(ct_mm(a, ct_zeros(784)), CT_ERR_DIM, "expects 2-d and 2-d");
    FAILS(ct_bmm(ct_zeros(2, 3, 4), ct_zeros(3, 4, 5)), CT_ERR_SHAPE, "batch sizes");
    FAILS(ct_dot(ct_zeros(2), ct_zeros(3)), CT_ERR_SHAPE, "inner sizes");
    FAILS(ct_addmm(ct_zeros(3, 3), ct_zeros(2, 2), ct_zeros(2, 2)), CT_ERR_SHAPE, "does not broadcast");
    FAILS(ct_linear(a, ct_zeros(784, 10), NULL), CT_ERR_SHAPE, "last sizes");
    CHECK(strstr(last_hint, "ct_t(weight)") != NULL);
    FAILS(ct_linear(a, b, ct_zeros(5)), CT_ERR_SHAPE, "expected [128]");
    FAILS(ct_outer(a, b), CT_ERR_DIM, "vectors");
    FAILS(ct_tensordot(ct_zeros(2, 3), ct_zeros(4, 2), 1), CT_ERR_SHAPE, "do not go together");
    FAILS(ct_tensordot(ct_zeros(2, 3), ct_zeros(4, 2), 3), CT_ERR_ARGUMENT, "3 dims");
    FAILS(ct_inner(ct_zeros(2, 3), ct_zeros(2)), CT_ERR_SHAPE, "last sizes");
    ct_clear_error();
    CHECK(!ct_matmul(NULL, a) && !ct_linear(a, NULL, NULL) && !ct_einsum("ij,jk", a, (ct_tensor *)NULL) && !ct_addmm(NULL, a, b) && ct_ok());
}
static void test_threads(void)
{
    ct_tensor *a = ct_randn(150, 190), *b = ct_randn(190, 130), *c = ct_randn(40, 30, 20), *d = ct_randn(40, 20, 10);
    ct_set_num_threads(1);
    ct_tensor *y = ct_matmul(a, b), *z = ct_matmul(c, d);
    ct_set_num_threads(3);
    CHECK(ct_equal(y, ct_matmul(a, b)) && ct_equal(z, ct_matmul(c, d)));
    ct_set_num_threads(0);
}
/* an allocator that fails from the n-th call on */
static long calls, fail_at;
static void *test_alloc(size_t n, void *user) { (void)user; return fail_at && ++calls >= fail_at ? NULL : malloc(n); }
static void test_free(void *p, size_t n, void *user) { (void)n, (void)user; free(p); }
static bool step(void)
{
    ct_tensor *x = ct_ones(5, 6, 70), *w = ct_requires_grad_(ct_ones(30, 70), true), *b = ct_requires_grad_(ct_ones(30), true);
    ct_tensor *y = ct_sum(ct_einsum("bij,bkj->bik", ct_linear(x, w, b), ct_matmul(x, ct_t(w))));
    return y && ct_backward(y) && ct_grad_of(w) && ct_addmm(b, w, ct_t(w)) && ct_matmul(ct_to(w, CT_F16), ct_to(ct_t(w), CT_F16));
}
static void test_memory(void)
{
    bool done = false;
    for (fail_at = 1; !done && fail_at < 2000; fail_at++) {
        ct_empty_cache();
        int64_t before = ct_memory_stats().tensors, nodes = ct_memory_stats().nodes;
        calls = 0;
        ct_scope_begin();
        done = step();
        if (done ? !ct_ok() : last_code != CT_ERR_MEMORY) failed++, printf("FAIL: allocation %ld: %s\n", fail_at, last_message);
        ct_clear_error();
        ct_scope_end();
        if (ct_memory_stats().tensors != before || ct_memory_stats().nodes != nodes) failed++, printf("FAIL: allocation %ld leaks\n", fail_at);
    }
    if (!done) printf("never done: %s\n", last_message);
    CHECK(done && fail_at > 10);
    fail_at = 0;
}
int main(void)
{
    ct_allocator a = {test_alloc, test_free, NULL};
    ct_set_allocator(&a);
    ct_set_error_handler(quiet, NULL);
    test_products();
    test_vectors();
    test_einsum();
    test_gradients();
    test_errors();
    test_threads();
    test_memory();
    printf("%d passed, %d failed\n", passed, failed);
    ct_shutdown();
    return failed != 0;
}
