/* Linear algebra against definitions: what a factorisation's parts multiply to, orthogonality, naive determinants; first and second
   gradients of every op; batches, broadcasting, layouts, empty, ill-conditioned, singular and non-finite matrices; errors and their texts. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

static const ct_shape NONE = {{0, 0, 0, 0, 0, 0, 0, 0}, 0};
static ct_tensor *random_of(ct_dtype dtype, ct_shape s, int layout)
{
    int64_t n = test_numel(s);
    double *v = (double *)malloc((size_t)(n + 1) * sizeof *v);
    for (int64_t i = 0; v && i < n; i++) v[i] = test_uniform(-1, 1);
    ct_tensor *t = test_tensor(dtype, s, v, layout);
    free(v);
    return t;
}
static ct_shape with(ct_shape s, int64_t r, int64_t c)
{
    s.size[s.ndim++] = r, s.size[s.ndim++] = c;
    return s;
}
static ct_tensor *eye_of(ct_tensor *like, int64_t n) { return ct_to(ct_eye(n), ct_dtype_of(like)); }
static ct_tensor *regular(ct_dtype dtype, ct_shape batch, int64_t n, int layout) /* far from singular, but not so far that nobody pivots */
{
    ct_tensor *a = random_of(dtype, with(batch, n, n), layout);
    return ct_add_(a, ct_flip(ct_mul(eye_of(a, n), 1 + 0.1 * (double)n), 0));
}
static ct_tensor *positive(ct_tensor *a) { return ct_add(ct_matmul(a, ct_mT(a)), eye_of(a, ct_size(a, -2))); }
static double tol(ct_dtype dtype) { return dtype == CT_F32 ? 3e-5 : 1e-12; }
/* |a - b| <= e for all elements, shapes and types alike */
static bool close_to(ct_tensor *a, ct_tensor *b, double e)
{
    if (!a || !b || ct_dim(a) != ct_dim(b) || ct_numel(a) != ct_numel(b) || ct_dtype_of(a) != ct_dtype_of(b)) return false;
    for (int d = 0; d < ct_dim(a); d++) if (ct_size(a, d) != ct_size(b, d)) return false;
    return !ct_numel(a) || ct_item(ct_max(ct_abs(ct_sub(ct_to(a, CT_F64), ct_to(b, CT_F64))))) <= e;
}
static bool unit(ct_tensor *q, double e) /* Q^T Q = I */
{
    ct_tensor *g = q ? ct_matmul(ct_mT(q), q) : NULL;
    return g && close_to(g, (ct_expand)(eye_of(g, ct_size(g, -1)), ct_shape_of(g)), e);
}
static bool is_zero(ct_tensor *t) { return t && (!ct_numel(t) || ct_item(ct_max(ct_abs(t))) == 0); }

static ct_shape batch_of(int k)
{
    static const ct_shape all[4] = {{{0}, 0}, {{3}, 1}, {{2, 0}, 2}, {{2, 1, 2}, 3}};
    return all[k];
}
static double minor_det(const double *a, int n, unsigned rows, int column) /* by the definition: expanding along columns */
{
    double sum = 0, sign = 1;
    if (column == n) return 1;
    for (int r = 0; r < n; r++)
        if (!(rows & (1u << r))) sum += sign * a[r * n + column] * minor_det(a, n, rows | (1u << r), column + 1), sign = -sign;
    return sum;
}
static void test_det(ct_dtype dtype)
{
    for (int n = 0; n <= 6; n++) {
        ct_scope_begin();
        ct_tensor *a = random_of(dtype, CT_SHAPE(4, n, n), n % TEST_LAYOUTS), *logs, *sign = ct_linalg_slogdet(a, &logs), *det = ct_linalg_det(a), *ld = ct_logdet(a);
        double *v = test_read(a);
        for (int k = 0; k < 4; k++) {
            double want = n ? minor_det(v + k * n * n, n, 0, 0) : 1;
            CHECK_NEAR(ct_at(det, k), want, tol(dtype));
            CHECK_NEAR(ct_at(sign, k) * exp(ct_at(logs, k)), want, tol(dtype));
            CHECKF(want < 0 ? isnan(ct_at(ld, k)) : fabs(ct_at(ld, k) - log(want)) < 1e-3, "logdet %g of %g", ct_at(ld, k), want);
        }
        free(v);
        CHECK(close_to(ct_det(a), det, 0) && close_to(ct_slogdet(a, NULL), sign, 0));
        ct_scope_end();
    }
    ct_tensor *zero = ct_zeros_dtype(dtype, 3, 3), *logs, *sign = ct_linalg_slogdet(zero, &logs);
    CHECK(ct_item(ct_linalg_det(zero)) == 0 && ct_item(sign) == 0 && ct_item(logs) == -INFINITY && ct_item(ct_logdet(zero)) == -INFINITY);
    CHECK_SHAPE(ct_linalg_det(ct_zeros_dtype(dtype, 2, 0, 5, 5)), "(2, 0)");
}
static void test_solving(ct_dtype dtype, ct_shape batch, int64_t n, int64_t r, int layout)
{
    double e = tol(dtype) * (double)(n + 10);
    ct_tensor *a = regular(dtype, batch, n, layout), *b = random_of(dtype, with(batch, n, r), layout), *p, *L, *U, *piv, *info, *x;
    CHECK(close_to(ct_matmul(a, ct_linalg_solve(a, b, true)), b, e));
    ct_tensor *bt = random_of(dtype, with(batch, r, n), layout);
    CHECK(close_to(ct_matmul(ct_linalg_solve(a, bt, false), a), bt, e));
    x = ct_linalg_inv(a);
    CHECK(close_to(ct_matmul(a, x), (ct_expand)(eye_of(a, n), ct_shape_of(a)), e) && close_to(ct_inverse(a), x, 0));
    CHECK(close_to(ct_linalg_inv_ex(a, true, &info), x, 0) && ct_dtype_of(info) == CT_I32 && is_zero(info));
    p = ct_linalg_lu(a, true, &L, &U);
    CHECK(close_to(ct_matmul(p, ct_matmul(L, U)), a, e) && is_zero(ct_triu(L, 1)) && is_zero(ct_tril(U, -1)));
    CHECK(!ct_numel(L) || ct_item(ct_max(ct_abs(L))) == 1);
    ct_tensor *lu = ct_linalg_lu_factor(a, true, &piv);
    CHECK(piv && ct_dtype_of(piv) == CT_I32);
    CHECK(close_to(ct_matmul(a, ct_linalg_lu_solve(lu, piv, b, true, false)), b, e));
    CHECK(close_to(ct_matmul(ct_mT(a), ct_linalg_lu_solve(lu, piv, b, true, true)), b, e));
    CHECK(close_to(ct_matmul(ct_linalg_lu_solve(lu, piv, bt, false, false), a), bt, e));
    CHECK(close_to(ct_matmul(ct_linalg_lu_solve(lu, piv, bt, false, true), ct_mT(a)), bt, e));
    ct_tensor *q = ct_lu_unpack(lu, piv, NULL, NULL);
    CHECK(close_to(q, p, 0));
    for (int k = 0; k < 8; k++) {
        bool upper = k & 1, left = k & 2, ones = k & 4;
        ct_tensor *t = ct_add(ct_div(a, (double)n + 1), eye_of(a, n)), *half = upper ? ct_triu(t, ones) : ct_tril(t, ones ? -1 : 0), *rhs = left ? b : bt;
        if (ones) half = ct_add(half, eye_of(a, n));
        x = ct_linalg_solve_triangular(t, rhs, upper, left, ones); /* t's other half is not read */
        CHECKF(close_to(left ? ct_matmul(half, x) : ct_matmul(x, half), rhs, e), "triangular %d, n %d", k, (int)n);
    }
    ct_tensor *s = positive(a);
    L = ct_linalg_cholesky(s, false), U = ct_linalg_cholesky(s, true);
    CHECK(close_to(ct_matmul(L, ct_mT(L)), s, e * (double)(n + 1)) && close_to(ct_mT(U), L, e) && is_zero(ct_triu(L, 1)));
    CHECK(close_to(ct_linalg_cholesky(ct_tril(s, 0), false), L, 0) && close_to(ct_linalg_cholesky(ct_triu(s, 0), true), U, 0));
    CHECK(close_to(ct_matmul(s, ct_cholesky_solve(b, L, false)), b, e * 10) && close_to(ct_matmul(s, ct_cholesky_solve(b, U, true)), b, e * 10));
    CHECK(close_to(ct_matmul(s, ct_cholesky_inverse(L, false)), (ct_expand)(eye_of(a, n), ct_shape_of(s)), e * 10));
}
static void test_orthogonal(ct_dtype dtype, ct_shape batch, int64_t m, int64_t n, int layout)
{
    double e = tol(dtype) * (double)(m + n + 4);
    int64_t k = m < n ? m : n;
    ct_tensor *a = random_of(dtype, with(batch, m, n), layout), *R, *S, *Vh, *L, *U, *Q = ct_linalg_qr(a, "reduced", &R), *P;
    CHECK(close_to(ct_matmul(Q, R), a, e) && unit(Q, e) && is_zero(ct_tril(R, -1)) && ct_size(Q, -1) == k);
    Q = ct_linalg_qr(a, "complete", &U);
    CHECK(close_to(ct_matmul(Q, U), a, e) && unit(Q, e) && ct_size(Q, -1) == m && ct_size(U, -2) == m);
    Q = ct_linalg_qr(a, "r", &U);
    CHECK(close_to(U, R, e) && ct_numel(Q) == 0);
    P = ct_linalg_lu(a, true, &L, &U);
    CHECK(close_to(ct_matmul(P, ct_matmul(L, U)), a, e) && ct_size(L, -1) == k);
    P = ct_linalg_lu(ct_add(a, ct_mul(ct_slice(ct_slice(eye_of(a, m + n), 0, 0, m, 1), 1, 0, n, 1), 9)), false, &L, &U);
    CHECK(unit(P, 0) && is_zero(ct_sub(P, eye_of(P, m))));
    for (int full = 0; full < 2; full++) {
        U = ct_linalg_svd(a, full, &S, &Vh);
        CHECK(unit(U, e) && unit(ct_mT(Vh), e) && ct_size(U, -1) == (full ? m : k) && ct_size(Vh, -2) == (full ? n : k));
        CHECK(close_to(ct_matmul(ct_mul(ct_narrow(U, -1, 0, k), ct_unsqueeze(S, -2)), ct_narrow(Vh, -2, 0, k)), a, e));
        CHECK(k < 2 || !ct_numel(a) || ct_item(ct_min(ct_sub(ct_narrow(S, -1, 0, k - 1), ct_narrow(S, -1, 1, k - 1)))) >= 0);
        CHECK(!ct_numel(S) || ct_item(ct_min(S)) >= 0);
    }
    CHECK(close_to(ct_linalg_svdvals(a), S, e));
    P = ct_linalg_pinv(a, NULL, NULL, false); /* Penrose's conditions */
    CHECK(close_to(ct_matmul(ct_matmul(a, P), a), a, e * 30) && close_to(ct_matmul(ct_matmul(P, a), P), P, e * 100));
    CHECK(close_to(ct_matmul(a, P), ct_mT(ct_matmul(a, P)), e * 30) && close_to(ct_matmul(P, a), ct_mT(ct_matmul(P, a)), e * 30));
    if (m != n) return;
    ct_tensor *s = ct_add(a, ct_mT(a)), *V, *w;
    for (int upper = 0; upper < 2; upper++) {
        w = ct_linalg_eigh(upper ? ct_triu(s, 0) : ct_tril(s, 0), upper ? "U" : NULL, &V);
        CHECK(unit(V, e) && close_to(ct_matmul(ct_mul(V, ct_unsqueeze(w, -2)), ct_mT(V)), s, e));
        CHECK(close_to(ct_linalg_eigvalsh(s, "L"), w, e) && (n < 2 || !ct_numel(a) || ct_item(ct_min(ct_sub(ct_narrow(w, -1, 1, n - 1), ct_narrow(w, -1, 0, n - 1)))) >= 0));
    }
    CHECK(close_to(ct_linalg_pinv(ct_tril(s, 0), NULL, NULL, true), ct_linalg_pinv(s, NULL, NULL, false), 1e6 * tol(dtype)));
}
static void test_sizes(ct_dtype dtype)
{
    static const int sizes[] = {0, 1, 2, 3, 8, 9, 17, 33, 70};
    static const int pairs[][2] = {{5, 3}, {3, 5}, {0, 3}, {3, 0}, {20, 7}, {7, 20}, {60, 33}, {33, 60}, {1, 6}, {6, 1}, {90, 12}, {12, 90}};
    for (int k = 0; k < 9; k++)
        for (int b = 0; b < 4; b++) {
            ct_scope_begin();
            test_solving(dtype, batch_of(b), sizes[k], 1 + k % 4, (k + b) % TEST_LAYOUTS);
            test_orthogonal(dtype, batch_of(b), sizes[k], sizes[k], (k + b) % TEST_LAYOUTS);
            ct_scope_end();
        }
    for (int k = 0; k < 12; k++)
        for (int b = 0; b < 4; b++) {
            ct_scope_begin();
            test_orthogonal(dtype, batch_of(b), pairs[k][0], pairs[k][1], (k + b) % TEST_LAYOUTS);
            ct_scope_end();
        }
}
static void test_broadcast(void)
{
    ct_tensor *a = regular(CT_F64, CT_SHAPE(2, 1), 4, 0), *b = random_of(CT_F64, CT_SHAPE(3, 4, 2), 1), *x = ct_linalg_solve(a, b, true), *v, *piv, *lu = ct_linalg_lu_factor(a, true, &piv);
    CHECK_SHAPE(x, "(2, 3, 4, 2)");
    CHECK(close_to(ct_matmul(a, x), (ct_expand)(b, ct_shape_of(x)), 1e-12));
    CHECK(close_to(ct_linalg_lu_solve(lu, piv, b, true, false), x, 1e-12));
    CHECK(close_to(ct_matmul(ct_tril(a, 0), ct_linalg_solve_triangular(a, b, false, true, false)), (ct_expand)(b, ct_shape_of(x)), 1e-6));
    CHECK_SHAPE(ct_cholesky_solve(b, a, false), "(2, 3, 4, 2)");
    v = random_of(CT_F64, CT_SHAPE(4), 2);
    CHECK_SHAPE(ct_linalg_solve(a, v, true), "(2, 1, 4)");
    v = random_of(CT_F64, CT_SHAPE(2, 1, 4), 2);
    CHECK(close_to(ct_linalg_solve(a, v, true), ct_squeeze_dim(ct_linalg_solve(a, ct_unsqueeze(v, -1), true), -1), 1e-13));
    CHECK_SHAPE(ct_linalg_solve(ct_eye(3), ct_zeros(3), true), "(3)");
}
static ct_tensor *hilbert(int64_t n)
{
    ct_tensor *i = ct_to(ct_arange(n), CT_F64);
    return ct_reciprocal(ct_add(ct_add(ct_unsqueeze(i, 1), i), 1));
}
static void test_hard(void)
{
    ct_tensor *h = hilbert(12), *S, *Vh, *U = ct_linalg_svd(h, true, &S, &Vh), *w, *V, *b = ct_matmul(h, ct_ones_dtype(CT_F64, 12, 1));
    CHECK_NEAR(ct_at(S, 0), 1.7953720595619977, 1e-14); /* torch.linalg.svdvals */
    CHECK(fabs(ct_at(S, 9) - 3.111345518032e-12) < 1e-15 && fabs(ct_at(S, 10) - 2.6491e-14) < 1e-16 && unit(U, 1e-13) && unit(ct_mT(Vh), 1e-13));
    CHECK(close_to(ct_matmul(h, ct_linalg_solve(h, b, true)), b, 1e-14));
    w = ct_linalg_eigh(h, "L", &V);
    CHECK(unit(V, 1e-13) && close_to(ct_matmul(ct_mul(V, ct_unsqueeze(w, -2)), ct_mT(V)), h, 1e-14));
    CHECK_INT(ct_item_i64(ct_linalg_matrix_rank(hilbert(5), NULL, NULL, false)), 5);
    CHECK_INT(ct_item_i64(ct_linalg_matrix_rank(hilbert(5), NULL, 0.01, true)), 2);
    CHECK_INT(ct_item_i64(ct_linalg_matrix_rank(hilbert(5), 1e-3, NULL, false)), 3);
    for (int k = -300; k <= 300; k += 100) { /* scales */
        ct_tensor *a = ct_mul(random_of(CT_F64, CT_SHAPE(6, 4), 0), pow(10, k)), *R, *Q = ct_linalg_qr(a, NULL, &R);
        CHECKF(unit(Q, 1e-13) && close_to(ct_matmul(Q, R), a, pow(10, k) * 1e-13), "qr at 1e%d", k);
        U = ct_linalg_svd(a, true, &S, &Vh);
        CHECKF(unit(U, 1e-13) && close_to(ct_matmul(ct_mul(ct_narrow(U, 1, 0, 4), S), Vh), a, pow(10, k) * 1e-13), "svd at 1e%d", k);
        a = ct_matmul(ct_mT(Q), ct_mul(Q, pow(10, k)));
        CHECKF(close_to(ct_linalg_eigvalsh(a, "L"), ct_full_dtype(CT_F64, pow(10, k), 4), pow(10, k) * 1e-13), "eigh at 1e%d", k);
    }
    ct_tensor *low = ct_matmul(random_of(CT_F64, CT_SHAPE(40, 3), 0), random_of(CT_F64, CT_SHAPE(3, 50), 0)); /* rank 3, also beyond the small sizes */
    U = ct_linalg_svd(low, false, &S, &Vh);
    CHECK(unit(U, 1e-12) && unit(ct_mT(Vh), 1e-12) && close_to(ct_matmul(ct_mul(U, S), Vh), low, 1e-12) && ct_item_i64(ct_linalg_matrix_rank(low, NULL, NULL, false)) == 3);
    ct_tensor *zeros = ct_zeros_dtype(CT_F64, 2, 5, 3);
    U = ct_linalg_svd(zeros, true, &S, &Vh);
    CHECK(unit(U, 1e-14) && unit(Vh, 1e-14) && is_zero(S) && is_zero(ct_linalg_pinv(zeros, NULL, NULL, false)));
    zeros = ct_eye(40);
    U = ct_linalg_svd(zeros, true, &S, &Vh);
    CHECK(unit(U, 1e-6) && close_to(S, ct_ones(40), 1e-6) && close_to(ct_linalg_eigvalsh(zeros, NULL), ct_ones(40), 1e-6));
    int threads = ct_get_num_threads();
    ct_tensor *many = random_of(CT_F32, CT_SHAPE(300, 9, 9), 0), *one, *all;
    ct_set_num_threads(1), one = ct_linalg_svdvals(many);
    ct_set_num_threads(4), all = ct_linalg_svdvals(many);
    CHECK(ct_equal(one, all));
    many = random_of(CT_F64, CT_SHAPE(200, 200), 0), all = ct_linalg_inv(many);
    ct_set_num_threads(1), one = ct_linalg_inv(many);
    CHECK(ct_equal(one, all));
    ct_set_num_threads(threads);
}
static void test_singular(void)
{
    double v[] = {1, 2, 2, 4, 1, 0, 0, 1};
    ct_tensor *a = (ct_tensor_from)(v, CT_F64, CT_SHAPE(2, 2, 2)), *flip = ct_flip(a, 0), *info, *none, *L, *U;
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_inv(flip));
    CHECK(strstr(test_message, "batch element 1") && strstr(test_message, "singular") && strstr(test_message, "element 2") && strstr(test_message, "[2,2,2]"));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_solve(a, ct_ones_dtype(CT_F64, 2, 1), true));
    CHECK(strstr(test_message, "batch element 0"));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_lu_factor(a, true, &none));
    CHECK(!none && strstr(test_message, "U[2,2]"));
    CHECK(ct_linalg_lu(a, true, &L, &U) && L && U && ct_at(U, 0, 1, 1) == 0);
    CHECK(ct_linalg_inv_ex(a, false, &info));
    CHECK_VALUES(info, 0, 2, 0);
    CHECK(ct_linalg_solve_ex(a, a, true, false, &info));
    CHECK_VALUES(info, 0, 2, 0);
    CHECK_VALUES(ct_linalg_cond(a, "fro"), 1e-12, INFINITY, 2);
    ct_tensor *s = (ct_tensor_from)((const double[]){4, 2, 2, 1, 2, 1, 1, -3}, CT_F64, CT_SHAPE(2, 2, 2));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_cholesky(ct_flip(s, 0), false));
    CHECK(strstr(test_message, "batch element 0") && strstr(test_message, "leading minor of order 2") && strstr(test_message, "positive-definite"));
    CHECK(ct_linalg_cholesky_ex(s, false, false, &info));
    CHECK_VALUES(info, 0, 2, 2);
    double bad[] = {1, 2, NAN, 4}, far[] = {1, INFINITY, INFINITY, 4};
    ct_tensor *nan2 = (ct_tensor_from)(bad, CT_F64, CT_SHAPE(2, 2)), *inf2 = (ct_tensor_from)(far, CT_F64, CT_SHAPE(2, 2));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_svd(nan2, true, &L, &U));
    CHECK(strstr(test_message, "non-finite"));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_svdvals(inf2));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_eigh(nan2, "L", &L));
    CHECK_ERROR(CT_ERR_LINALG, ct_linalg_cholesky(nan2, false));
    CHECK(isnan(ct_item(ct_linalg_det(nan2))) && isnan(ct_item(ct_sum(ct_linalg_inv(nan2)))));
    ct_tensor *Q = ct_linalg_qr(nan2, NULL, &L);
    CHECK(isnan(ct_item(ct_sum(Q))) && isnan(ct_item(ct_sum(L))));
    CHECK(ct_item(ct_isinf(ct_select(ct_ravel(ct_linalg_solve_triangular(ct_zeros_dtype(CT_F64, 1, 1), ct_ones_dtype(CT_F64, 1, 1), true, true, false)), 0, 0))) == 1);
}
static void test_errors(void)
{
    ct_tensor *a = ct_ones(2, 3), *s = ct_eye(3), *v = ct_ones(3), *i = ct_to(s, CT_I64), *d = ct_to(s, CT_F64), *out, *more, *piv = ct_to(ct_tensor_i64(1, 2, 9), CT_I32);
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_inv(a));
    CHECK(strstr(test_message, "[2,3]") && !strcmp(test_function, "ct_linalg_inv"));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_det(a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_cholesky(a, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_eigh(a, "L", &out));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_matrix_exp(a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_matrix_power(a, 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_cond(a, "fro"));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_solve(s, ct_ones(4), true));
    CHECK(strstr(test_message, "[3,3]") && strstr(test_message, "[4"));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_solve(s, ct_ones(4, 2), true));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_solve(s, ct_ones(3, 2), false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_solve(s, v, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_solve(ct_ones(2, 3, 3), ct_ones(5, 3, 3), true));
    CHECK_ERROR(CT_ERR_DTYPE, ct_linalg_solve(s, d, true));
    CHECK_ERROR(CT_ERR_DTYPE, ct_linalg_inv(i));
    CHECK(strstr(test_message, "int64"));
    CHECK_ERROR(CT_ERR_DTYPE, ct_linalg_svd(ct_to(s, CT_BF16), true, &out, &more));
    CHECK_ERROR(CT_ERR_DTYPE, ct_linalg_vector_norm(i, 2, NONE, false));
    CHECK_ERROR(CT_ERR_DIM, ct_linalg_qr(v, "reduced", &out));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_qr(s, "full", &out));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_eigh(s, "X", &out));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_matrix_norm(s, "3", NONE, false));
    CHECK_ERROR(CT_ERR_DIM, ct_linalg_matrix_norm(s, "fro", CT_SHAPE(0, 0), false));
    CHECK_ERROR(CT_ERR_DIM, ct_linalg_matrix_norm(s, "fro", CT_SHAPE(0, 2), false));
    CHECK_ERROR(CT_ERR_DIM, ct_linalg_norm(ct_ones(2, 2, 2), "2", NONE, false));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_norm(v, "fro", NONE, false));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_vector_norm(ct_ones(0), INFINITY, NONE, false));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_matrix_norm(ct_ones(0, 0), "2", NONE, false));
    CHECK_ERROR(CT_ERR_INDEX, ct_linalg_lu_solve(s, piv, s, true, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_lu_solve(s, ct_slice(piv, 0, 0, 2, 1), s, true, false));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linalg_lstsq(s, s, 0, "best", NULL, NULL, NULL));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_lstsq(s, ct_ones(2, 2), 0, NULL, NULL, NULL, NULL));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_multi_dot(a, a));
    CHECK_ERROR(CT_ERR_DIM, ct_linalg_multi_dot(a, v, a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_cross(a, ct_ones(2, 2), 1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_cross(s, v, -1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_cross(ct_ones(2), ct_ones(2), CT_NO_DIM));
    CHECK_ERROR(CT_ERR_DIM, ct_trace(v));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_tensorinv(a, 1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_tensorsolve(a, ct_ones(2), NONE));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linalg_householder_product(a, v));
    CHECK_QUIET(ct_linalg_inv(NULL));
    CHECK_QUIET(ct_linalg_solve(s, NULL, true));
    CHECK_QUIET(ct_linalg_svd(NULL, true, &out, &more));
    CHECK(!out && !more);
    CHECK_QUIET(ct_linalg_lstsq(NULL, s, 0, NULL, NULL, NULL, NULL));
    CHECK_QUIET(ct_linalg_norm(NULL, NULL, NONE, false));
    CHECK_QUIET(ct_linalg_cross(s, NULL, 1));
    CHECK_QUIET(ct_linalg_matrix_exp(NULL));
    CHECK_QUIET(ct_trace(NULL));
    CHECK_QUIET(ct_linalg_lu_solve(s, NULL, s, true, true));
    CHECK_QUIET(ct_linalg_multi_dot(s, NULL));
    ct_tensor *x = ct_requires_grad_(ct_ones(3, 2), true);
    CHECK_ERROR(CT_ERR_AUTOGRAD, (ct_linalg_qr(x, "complete", &out), ct_backward(ct_sum(out))));
    CHECK_ERROR(CT_ERR_AUTOGRAD, (ct_linalg_qr(x, "r", &out), ct_backward(ct_sum(out))));
}
/* numbers are torch 1.13's */
static void test_composites(void)
{
    ct_tensor *a = (ct_tensor_from)((const double[]){1, 2, 3, -4, 5, 6, 7, -8, 10}, CT_F64, CT_SHAPE(3, 3)), *r, *k, *s;
    static const char *const ord[8] = {"fro", "nuc", "inf", "-inf", "1", "-1", "2", "-2"};
    static const double norms[8] = {17.435595774162696, 25.47134894422838, 25, 6, 19, 12, 15.1434131331, 1.7209297};
    for (int i = 0; i < 6; i++) CHECK_NEAR(ct_item(ct_linalg_matrix_norm(a, ord[i], NONE, false)), i == 1 ? ct_item(ct_sum(ct_linalg_svdvals(a))) : norms[i], 1e-12);
    CHECK_NEAR(ct_item(ct_linalg_matrix_norm(a, "2", NONE, false)), ct_at(ct_linalg_svdvals(a), 0), 1e-14);
    CHECK_NEAR(ct_item(ct_linalg_matrix_norm(a, "-2", NONE, false)), ct_at(ct_linalg_svdvals(a), 2), 1e-14);
    ct_tensor *b = ct_stack(1, a, ct_mul(a, 2)); /* (3,2,3) */
    for (int i = 0; i < 8; i++) {
        r = ct_linalg_matrix_norm(b, ord[i], CT_SHAPE(2, 0), true), s = ct_linalg_matrix_norm(b, ord[i], CT_SHAPE(2, 0), false);
        CHECK_SHAPE(r, "(1, 2, 1)");
        double one = ct_item(ct_linalg_matrix_norm(ct_t(a), ord[i], NONE, false));
        CHECK_VALUES(s, 1e-12, one, 2 * one);
        CHECK_VALUES(r, 1e-12, one, 2 * one);
    }
    CHECK_NEAR(ct_item(ct_linalg_norm(a, NULL, NONE, false)), norms[0], 1e-14);
    CHECK_SHAPE(ct_linalg_norm(b, NULL, NONE, true), "(1, 1, 1)");
    CHECK_NEAR(ct_item(ct_linalg_norm(a, "1", NONE, false)), 19, 0);
    CHECK_VALUES(ct_linalg_norm(a, "3", CT_SHAPE(1), false), 1e-14, cbrt(36), cbrt(64 + 125 + 216), cbrt(343 + 512 + 1000));
    CHECK_VALUES(ct_linalg_norm(a, "-inf", CT_SHAPE(0), false), 0, 1, 2, 3);
    CHECK_VALUES(ct_linalg_vector_norm(a, 0, CT_SHAPE(0), false), 0, 3, 3, 3);
    CHECK_NEAR(ct_item(ct_linalg_vector_norm(ct_ones(0), 2, NONE, false)), 0, 0);
    CHECK_NEAR(ct_item(ct_linalg_matrix_norm(ct_ones(0, 0), "nuc", NONE, false)), 0, 0);
    CHECK_NEAR(ct_item(ct_linalg_cond(a, "1")), 19 * ct_item(ct_linalg_matrix_norm(ct_linalg_inv(a), "1", NONE, false)), 1e-13);
    CHECK_NEAR(ct_item(ct_linalg_cond(a, NULL)), ct_at(ct_linalg_svdvals(a), 0) / ct_at(ct_linalg_svdvals(a), 2), 1e-13);
    CHECK_NEAR(ct_item(ct_linalg_cond(a, "-2")) * ct_item(ct_linalg_cond(a, "2")), 1, 1e-13);
    CHECK_SHAPE(ct_linalg_cond(ct_ones(4, 3, 2), "2"), "(4)");
    CHECK(close_to(ct_linalg_matrix_power(a, 5), ct_matmul(ct_matmul(ct_matmul(a, a), ct_matmul(a, a)), a), 1e-9));
    CHECK(close_to(ct_matmul(ct_matrix_power(a, -3), ct_matrix_power(a, 3)), ct_to(ct_eye(3), CT_F64), 1e-11));
    CHECK(close_to(ct_linalg_matrix_power(b = ct_stack(0, a, a), 0), (ct_expand)(ct_to(ct_eye(3), CT_F64), CT_SHAPE(2, 3, 3)), 0));
    ct_tensor *rot = (ct_tensor_from)((const double[]){0, -2, 2, 0, 0, -200, 200, 0, 0, 0, 0, 0, 1, 1, 0, 1}, CT_F64, CT_SHAPE(4, 2, 2));
    CHECK_VALUES(ct_linalg_matrix_exp(rot), 1e-12, cos(2), -sin(2), sin(2), cos(2), cos(200), -sin(200), sin(200), cos(200), 1, 0, 0, 1, exp(1), exp(1), 0, exp(1));
    CHECK_SHAPE(ct_matrix_exp(ct_ones(2, 0, 0)), "(2, 0, 0)");
    CHECK(isnan(ct_item(ct_sum(ct_linalg_matrix_exp(ct_full(NAN, 2, 2))))));
    ct_tensor *x[4] = {random_of(CT_F64, CT_SHAPE(7), 0), random_of(CT_F64, CT_SHAPE(7, 30), 0), random_of(CT_F64, CT_SHAPE(30, 2), 1), random_of(CT_F64, CT_SHAPE(2), 0)};
    CHECK(close_to(ct_linalg_multi_dot(x[0], x[1], x[2], x[3]), ct_dot(ct_mv(ct_t(x[1]), x[0]), ct_mv(x[2], x[3])), 1e-12));
    CHECK_SHAPE(ct_linalg_multi_dot(x[1], x[2]), "(7, 2)");
    CHECK_SHAPE(ct_linalg_multi_dot(x[1], x[2], x[3]), "(7)");
    CHECK_VALUES(ct_linalg_cross(ct_tensor_i64(1, 2, 3), ct_tensor_i64(4, 5, 7), 0), 0, -1, 5, -3);
    CHECK_SHAPE(ct_linalg_cross(ct_ones(4, 1, 3), ct_ones(1, 5, 3), -1), "(4, 5, 3)");
    CHECK(ct_equal(ct_cross(ct_t(a), a, CT_NO_DIM), ct_linalg_cross(ct_t(a), a, 0)));
    CHECK_VALUES(ct_linalg_vecdot(a, a, -1), 0, 14, 77, 213);
    CHECK(ct_item_i64(ct_trace(ct_to(a, CT_I32))) == 16 && ct_dtype_of(ct_trace(ct_to(a, CT_I32))) == CT_I64 && ct_item(ct_trace(ct_ones(2, 0))) == 0);
    CHECK_VALUES(ct_linalg_diagonal(a, 1, -2, -1), 0, 2, 6);
    ct_tensor *t = regular(CT_F64, NONE, 6, 0), *ti = ct_linalg_tensorinv(ct_reshape(t, 2, 3, 6), 2);
    CHECK_SHAPE(ti, "(6, 2, 3)");
    CHECK(close_to(ct_reshape(ti, 6, 6), ct_linalg_inv(t), 1e-13));
    r = random_of(CT_F64, CT_SHAPE(2, 3), 0), s = ct_linalg_tensorsolve(ct_reshape(t, 2, 3, 3, 2), r, NONE);
    CHECK_SHAPE(s, "(3, 2)");
    CHECK(close_to(ct_mv(t, ct_reshape(s, -1)), ct_reshape(r, -1), 1e-12));
    CHECK(close_to(ct_linalg_tensorsolve(ct_permute(ct_reshape(t, 2, 3, 3, 2), 2, 0, 1, 3), r, CT_SHAPE(0, 3)), s, 1e-12));
    /* least squares: A^T (A X - B) = 0; of several the shortest */
    for (int wide = 0; wide < 2; wide++) {
        ct_tensor *m = random_of(CT_F64, wide ? CT_SHAPE(2, 4, 9) : CT_SHAPE(2, 9, 4), 1), *y = random_of(CT_F64, wide ? CT_SHAPE(2, 4, 3) : CT_SHAPE(2, 9, 3), 0), *rest, *rank, *sv;
        r = ct_linalg_lstsq(m, y, 0, "gelsd", &rest, &rank, &sv);
        CHECK(close_to(ct_matmul(ct_mT(m), ct_sub(ct_matmul(m, r), y)), ct_zeros_like(r), 1e-12) && close_to(sv, ct_linalg_svdvals(m), 0));
        CHECK_VALUES(rank, 0, 4, 4);
        if (wide) CHECK(ct_numel(rest) == 0 && close_to(ct_matmul(m, r), y, 1e-12) && close_to(ct_matmul(ct_matmul(ct_linalg_pinv(m, NULL, NULL, false), m), r), r, 1e-12));
        else CHECK(close_to(rest, ct_sum_dim(ct_square(ct_sub(ct_matmul(m, r), y)), 1, false), 1e-12));
        CHECK(ct_linalg_lstsq(m, y, 0, "gels", &rest, &rank, &sv) && ct_numel(rank) == 0 && ct_numel(sv) == 0);
        CHECK(close_to(ct_linalg_lstsq(m, ct_select(y, -1, 0), 0, NULL, NULL, NULL, NULL), ct_select(r, -1, 0), 1e-12));
    }
    k = ct_ones_dtype(CT_F64, 3, 2);
    CHECK(close_to(ct_linalg_lstsq(k, ct_ones_dtype(CT_F64, 3, 1), 0, NULL, &r, NULL, NULL), ct_full_dtype(CT_F64, 0.5, 2, 1), 1e-14) && ct_numel(r) == 0);
    ct_tensor *h = random_of(CT_F64, CT_SHAPE(2, 5, 3), 0), *tau = ct_div(2, ct_add(ct_sum_dim(ct_square(ct_tril(h, -1)), 1, false), 1));
    CHECK(unit(ct_linalg_householder_product(h, tau), 1e-13));
    CHECK(close_to(ct_pinverse(a, 0), ct_linalg_inv(a), 1e-12));
}

/* ---- gradients ---- */
static ct_tensor *sum_all(ct_tensor *a, ct_tensor *b) /* both count, each element with a weight of its own */
{
    if (!a) return NULL;
    ct_tensor *x = ct_reshape(a, -1), *y = b ? ct_reshape(b, -1) : NULL;
    return y ? ct_cat(0, x, y) : x;
}
static ct_tensor *sym(ct_tensor *a) { return ct_add(a, ct_mT(a)); }
typedef ct_tensor *op_fn(ct_tensor *a, ct_tensor *b);
static ct_tensor *g_inv(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_inv(a); }
static ct_tensor *g_det(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_det(a); }
static ct_tensor *g_slogdet(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *l; ct_linalg_slogdet(a, &l); return l; }
static ct_tensor *g_logdet(ct_tensor *a, ct_tensor *b) { (void)b; return ct_logdet(positive(a)); }
static ct_tensor *g_solve(ct_tensor *a, ct_tensor *b) { return ct_linalg_solve(a, b, true); }
static ct_tensor *g_solve_right(ct_tensor *a, ct_tensor *b) { return ct_linalg_solve(a, ct_mT(b), false); }
static ct_tensor *g_solve_vector(ct_tensor *a, ct_tensor *b) { return ct_linalg_solve(a, ct_select(ct_select(b, -1, 0), 0, 0), true); }
static ct_tensor *g_tri(ct_tensor *a, ct_tensor *b) { return ct_linalg_solve_triangular(a, b, true, true, false); }
static ct_tensor *g_tri_unit(ct_tensor *a, ct_tensor *b) { return ct_linalg_solve_triangular(a, ct_mT(b), false, false, true); }
static ct_tensor *g_cholesky(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_cholesky(positive(a), false); }
static ct_tensor *g_cholesky_upper(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_cholesky(positive(a), true); }
static ct_tensor *g_cholesky_solve(ct_tensor *a, ct_tensor *b) { return ct_cholesky_solve(b, a, true); }
static ct_tensor *g_cholesky_inverse(ct_tensor *a, ct_tensor *b) { (void)b; return ct_cholesky_inverse(a, false); }
static ct_tensor *g_lu(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *L, *U; ct_linalg_lu(a, true, &L, &U); return sum_all(L, U); }
static ct_tensor *g_lu_factor(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_lu_factor(a, true, NULL); }
static ct_tensor *g_lu_solve(ct_tensor *a, ct_tensor *b) { ct_tensor *p, *lu = ct_linalg_lu_factor(a, true, &p); return ct_linalg_lu_solve(lu, p, b, true, false); }
static ct_tensor *g_lu_solve_t(ct_tensor *a, ct_tensor *b) { ct_tensor *p, *lu = ct_linalg_lu_factor(a, true, &p); return ct_linalg_lu_solve(lu, p, ct_mT(b), false, false); }
static ct_tensor *g_qr(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *R, *Q = ct_linalg_qr(a, "reduced", &R); return sum_all(Q, R); }
static ct_tensor *g_q(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_qr(a, "reduced", NULL); }
static ct_tensor *g_r(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *R; ct_linalg_qr(a, "reduced", &R); return R; }
static ct_tensor *g_svd(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *S, *Vh, *U = ct_linalg_svd(a, false, &S, &Vh); return ct_cat(0, ct_reshape(ct_abs(U), -1), sum_all(S, ct_abs(Vh))); }
static ct_tensor *g_svd_u(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *U = ct_linalg_svd(a, false, NULL, NULL); return ct_abs(U); }
static ct_tensor *g_svdvals(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_svdvals(a); }
static ct_tensor *g_eigh(ct_tensor *a, ct_tensor *b) { (void)b; ct_tensor *V, *w = ct_linalg_eigh(sym(a), "L", &V); return sum_all(w, ct_abs(V)); }
static ct_tensor *g_eigvalsh(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_eigvalsh(sym(a), "U"); }
static ct_tensor *g_pinv(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_pinv(a, NULL, NULL, false); }
static ct_tensor *g_pinv_hermitian(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_pinv(sym(a), NULL, NULL, true); }
static ct_tensor *g_lstsq(ct_tensor *a, ct_tensor *b) { return ct_linalg_lstsq(a, b, 0, NULL, NULL, NULL, NULL); }
static ct_tensor *g_nuc(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_norm(a, "nuc", NONE, true); }
static ct_tensor *g_two(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_norm(a, "-2", NONE, false); }
static ct_tensor *g_one(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_norm(a, "1", NONE, false); }
static ct_tensor *g_fro(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_norm(a, "inf", CT_SHAPE(-1, -2), false); }
static ct_tensor *g_vector_norm(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_vector_norm(a, 3, CT_SHAPE(-1), false); }
static ct_tensor *g_cond(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_cond(a, "fro"); }
static ct_tensor *g_cond2(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_cond(a, NULL); }
static ct_tensor *g_power(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_power(a, 3); }
static ct_tensor *g_power_minus(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_power(a, -2); }
static ct_tensor *g_exp(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_exp(ct_mul(a, 0.5)); }
static ct_tensor *g_exp_far(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_matrix_exp(ct_sub(ct_mul(a, 4), ct_mul(ct_mT(a), 4))); }
static ct_tensor *g_multi_dot(ct_tensor *a, ct_tensor *b) { return ct_linalg_multi_dot(ct_select(a, 0, 0), ct_select(b, 0, 0), ct_select(b, 0, 1)); }
static ct_tensor *g_cross(ct_tensor *a, ct_tensor *b) { return ct_linalg_cross(a, b, -1); }
static ct_tensor *g_vecdot(ct_tensor *a, ct_tensor *b) { return ct_linalg_vecdot(a, b, -2); }
static ct_tensor *g_trace(ct_tensor *a, ct_tensor *b) { (void)b; return ct_square(ct_trace(ct_select(a, 0, 0))); }
static ct_tensor *g_house(ct_tensor *a, ct_tensor *b) { return ct_linalg_householder_product(a, ct_select(b, -2, 0)); }
static ct_tensor *g_tensorinv(ct_tensor *a, ct_tensor *b) { (void)b; return ct_linalg_tensorinv(ct_unsqueeze(ct_select(a, 0, 0), 0), 2); }
static ct_tensor *g_tensorsolve(ct_tensor *a, ct_tensor *b) { return ct_linalg_tensorsolve(ct_unsqueeze(ct_select(a, 0, 0), 0), ct_unsqueeze(ct_select(ct_select(b, 0, 0), 1, 0), 0), NONE); }
/* a: batch, rows, columns (square ones are regular); b: rows and columns, 0: none */
typedef struct { const char *name; op_fn *call; int am, an, bm, bn; } grad_case;
#define G(name, ...) {#name, g_##name, __VA_ARGS__}
static const grad_case grads[] = {
    G(inv, 3, 3, 0, 0), G(det, 3, 3, 0, 0), G(det, 1, 1, 0, 0), G(slogdet, 3, 3, 0, 0), G(logdet, 3, 3, 0, 0), G(solve, 3, 3, 3, 2), G(solve_right, 3, 3, 3, 2),
    G(solve_vector, 3, 3, 3, 2), G(tri, 3, 3, 3, 2), G(tri_unit, 3, 3, 3, 2), G(cholesky, 3, 3, 0, 0), G(cholesky_upper, 3, 3, 0, 0), G(cholesky_solve, 3, 3, 3, 2),
    G(cholesky_inverse, 3, 3, 0, 0), G(lu, 3, 3, 0, 0), G(lu, 4, 2, 0, 0), G(lu, 2, 4, 0, 0), G(lu_factor, 3, 3, 0, 0), G(lu_solve, 3, 3, 3, 2), G(lu_solve_t, 3, 3, 3, 2),
    G(qr, 3, 3, 0, 0), G(qr, 4, 2, 0, 0), G(qr, 2, 4, 0, 0), G(q, 4, 2, 0, 0), G(q, 2, 3, 0, 0), G(r, 4, 2, 0, 0), G(r, 2, 3, 0, 0), G(svd, 3, 3, 0, 0), G(svd, 4, 2, 0, 0),
    G(svd, 2, 4, 0, 0), G(svd_u, 4, 2, 0, 0), G(svd_u, 2, 4, 0, 0), G(svdvals, 3, 2, 0, 0), G(eigh, 3, 3, 0, 0), G(eigvalsh, 3, 3, 0, 0), G(pinv, 3, 3, 0, 0), G(pinv, 4, 2, 0, 0),
    G(pinv, 2, 4, 0, 0), G(pinv_hermitian, 3, 3, 0, 0), G(lstsq, 4, 2, 4, 2), G(lstsq, 2, 4, 2, 2), G(nuc, 3, 2, 0, 0), G(two, 3, 2, 0, 0), G(one, 3, 2, 0, 0), G(fro, 3, 2, 0, 0),
    G(vector_norm, 3, 2, 0, 0), G(cond, 3, 3, 0, 0), G(cond2, 3, 2, 0, 0), G(power, 3, 3, 0, 0), G(power_minus, 3, 3, 0, 0), G(exp, 3, 3, 0, 0), G(exp_far, 3, 3, 0, 0),
    G(multi_dot, 4, 3, 3, 3), G(cross, 2, 3, 2, 3), G(vecdot, 3, 2, 3, 2), G(trace, 3, 3, 0, 0), G(house, 4, 2, 3, 2), G(tensorinv, 3, 3, 0, 0), G(tensorsolve, 3, 3, 3, 2),
};
static ct_tensor *call_grad(ct_tensor *const *in, int count, void *user)
{
    const grad_case *g = (const grad_case *)user;
    return g->call(in[0], count > 1 ? in[1] : NULL);
}
static void test_gradients(void)
{
    for (size_t k = 0; k < sizeof grads / sizeof *grads; k++) {
        const grad_case *g = &grads[k];
        ct_scope_begin();
        ct_tensor *in[2] = {random_of(CT_F64, CT_SHAPE(2, g->am, g->an), (int)k % TEST_LAYOUTS), g->bm ? random_of(CT_F64, CT_SHAPE(2, g->bm, g->bn), 1) : NULL};
        if (g->am == g->an) in[0] = ct_add(in[0], ct_mul(ct_eye(g->am), 1.5));
        for (int b = 0; b < 2; b++) in[b] = in[b] ? ct_requires_grad_(ct_detach(in[b]), true) : NULL;
        int n = g->bm ? 2 : 1;
        CHECKF(ct_gradcheck(call_grad, in, n, (void *)(uintptr_t)g), "gradcheck of %s %dx%d", g->name, g->am, g->an);
        CHECKF(ct_gradgradcheck(call_grad, in, n, (void *)(uintptr_t)g), "gradgradcheck of %s %dx%d", g->name, g->am, g->an);
        ct_scope_end();
    }
}
static ct_tensor *call_det(ct_tensor *const *in, int count, void *user) { (void)count, (void)user; return ct_linalg_det(in[0]); }
static void test_singular_det(void)
{
    double v[18] = {1, 2, 3, 2, 4, 7, 3, 6, 5, 2, 1, 0, 0, 1, 3, 1, 1, 2}; /* rank 2, then regular */
    ct_tensor *both = ct_requires_grad_((ct_tensor_from)(v, CT_F64, CT_SHAPE(2, 3, 3)), true), *one = ct_requires_grad_(ct_detach(ct_select(both, 0, 0)), true);
    CHECK(ct_at(ct_linalg_det(both), 0) == 0 || fabs(ct_at(ct_linalg_det(both), 0)) < 1e-14);
    CHECK(ct_gradcheck(call_det, &one, 1, NULL));
    CHECK(ct_gradcheck(call_det, &both, 1, NULL));
    CHECK(ct_gradgradcheck(call_det, &one, 1, NULL) && ct_gradgradcheck(call_det, &both, 1, NULL));
    for (int k = 0; k < 10; k++) { /* singular but for rounding */
        ct_tensor *n = ct_requires_grad_(ct_detach(ct_matmul(random_of(CT_F64, CT_SHAPE(4, 3), 0), random_of(CT_F64, CT_SHAPE(3, 4), 0))), true);
        CHECK(ct_gradcheck(call_det, &n, 1, NULL) && ct_gradgradcheck(call_det, &n, 1, NULL));
    }
    ct_tensor *small = ct_requires_grad_(ct_mul(ct_to(ct_eye(7), CT_F64), 1e-3), true); /* det 1e-21, but as regular as can be */
    CHECK_NEAR(ct_at(ct_grad(ct_linalg_det(small), small), 3, 3) * 1e18, 1, 1e-12);
    ct_tensor *z = ct_requires_grad_((ct_tensor_from)((const double[]){1, 0, 0, 0, 2, 0, 0, 0, 0}, CT_F64, CT_SHAPE(3, 3)), true);
    CHECK_VALUES(ct_grad(ct_linalg_det(z), z), 1e-14, 0, 0, 0, 0, 0, 0, 0, 0, 2); /* exactly singular: cofactors */
    CHECK(ct_gradgradcheck(call_det, &z, 1, NULL));
    z = ct_requires_grad_(ct_stack(0, ct_detach(z), ct_to(ct_eye(3), CT_F64)), true);
    CHECK_VALUES(ct_grad(ct_sum(ct_linalg_det(z)), z), 1e-14, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 1, 0, 0, 0, 1);
    z = ct_requires_grad_(ct_zeros(3, 3), true);
    CHECK(is_zero(ct_grad(ct_linalg_det(z), z)));
}
static void test_memory(void) /* one handle, and no more, is left in the scope by a call */
{
    ct_tensor *a = regular(CT_F64, NONE, 4, 0), *s = positive(a), *x, *y;
    int64_t before = ct_memory_stats().tensors;
#define LEAVES(n, ...) do { ct_scope_begin(); __VA_ARGS__; CHECKF(ct_memory_stats().tensors - before == (n), "%s left %d handles", #__VA_ARGS__, (int)(ct_memory_stats().tensors - before)); ct_scope_end(); } while (0)
    LEAVES(1, ct_linalg_inv(a));
    LEAVES(1, ct_linalg_det(a));
    LEAVES(1, ct_linalg_cholesky_ex(s, false, false, NULL));
    LEAVES(2, ct_linalg_qr(a, NULL, &x));
    LEAVES(4, ct_linalg_svd(a, true, &x, &y)); /* U and Vh are views of one */
    LEAVES(1, ct_linalg_svdvals(a));
    LEAVES(3, ct_linalg_lu(a, true, &x, &y));
    LEAVES(1, ct_linalg_matrix_exp(a));
    LEAVES(1, ct_linalg_pinv(a, NULL, NULL, false));
    LEAVES(1, ct_linalg_lstsq(a, s, 0, NULL, NULL, NULL, NULL));
    LEAVES(1, ct_linalg_cond(a, "1"));
    LEAVES(1, ct_linalg_matrix_power(a, -5));
    LEAVES(1, ct_linalg_eigvalsh(s, NULL));
    LEAVES(1, ct_linalg_cholesky(s, true));
    LEAVES(1, ct_trace(s));
    CHECK_INT(ct_memory_stats().tensors, before);
}
/* ---- the n-th allocation fails: one report, no crash, nothing leaked ---- */
static int64_t alloc_left = -1; /* so many more succeed */
static void *alloc_some(size_t bytes, void *user)
{
    (void)user;
    if (alloc_left == 0) return NULL;
    if (alloc_left > 0) alloc_left--;
    return malloc(bytes);
}
static void alloc_free(void *memory, size_t bytes, void *user) { (void)bytes, (void)user, free(memory); }
static bool tour(ct_tensor *a, int part)
{
    ct_tensor *x, *y, *z;
    switch (part) {
    case 0: return ct_backward(ct_sum(ct_linalg_solve(a, a, true)));
    case 1: return (x = ct_linalg_svd(a, true, &y, &z)) && ct_backward(ct_add(ct_add(ct_sum(x), ct_sum(y)), ct_sum(z)));
    case 2: return (x = ct_linalg_qr(a, "complete", &y)) && ct_backward(ct_add(ct_sum(x), ct_sum(y)));
    case 3: return (x = ct_linalg_eigh(a, "L", &y)) && ct_backward(ct_add(ct_sum(x), ct_sum(y)));
    case 4: return ct_linalg_lstsq(a, a, 0, "gelsd", &x, &y, &z) != NULL;
    case 5: return (x = ct_linalg_lu(a, true, &y, &z)) && ct_backward(ct_add(ct_sum(y), ct_sum(z)));
    case 6: return ct_linalg_matrix_exp(a) && ct_backward(ct_linalg_det(a));
    default: return ct_linalg_cond(a, "nuc") && ct_linalg_cholesky(positive(a), true) && ct_linalg_matrix_rank(a, NULL, NULL, false);
    }
}
static void test_no_memory(void)
{
    ct_set_num_threads(1);
    for (int part = 0; part < 8; part++)
        for (int64_t n = 0; n < 4000; n++) {
            ct_tensor *a = ct_retain(ct_requires_grad_(regular(CT_F64, NONE, 34, 0), true));
            ct_empty_cache();
            int64_t before = ct_memory_stats().tensors;
            ct_scope_begin();
            test_expect();
            alloc_left = n;
            bool ok = tour(a, part);
            alloc_left = -1, test_expecting = false;
            ct_scope_end();
            ct_set_grad(a, NULL);
            CHECKF(ok ? test_reports == 0 : test_reports >= 1 && ct_last_error()->code == CT_ERR_MEMORY, "part %d, allocation %d: %d reports, %s", part, (int)n, test_reports, test_message);
            CHECKF(ct_memory_stats().tensors == before, "part %d, allocation %d: %d tensors left", part, (int)n, (int)(ct_memory_stats().tensors - before));
            ct_release(a);
            ct_clear_error();
            if (ok) break;
        }
}
int main(void)
{
    static const ct_allocator allocator = {alloc_some, alloc_free, NULL};
    static const ct_dtype types[2] = {CT_F32, CT_F64};
    test_init();
    CHECK(ct_set_allocator(&allocator));
    for (int k = 0; k < 2; k++) {
        ct_scope_begin();
        test_det(types[k]);
        test_sizes(types[k]);
        ct_scope_end();
    }
    static void (*const all[])(void) = {test_broadcast, test_hard, test_singular, test_errors, test_composites, test_gradients, test_singular_det, test_memory, test_no_memory};
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        ct_scope_begin();
        all[k]();
        ct_scope_end();
    }
    return test_done();
}
