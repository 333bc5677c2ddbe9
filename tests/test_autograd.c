/* The engine: accumulation, retained and created graphs, hooks, modes, versions, errors that name the forward call, custom functions, long
   chains, diamonds, mixed types, expressions, the graph as text. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

#define LEAF(...) ct_requires_grad_(ct_tensor_of(__VA_ARGS__), true)
#define LEAF64(...) ct_requires_grad_(ct_to(ct_tensor_of(__VA_ARGS__), CT_F64), true)

static void accumulate(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2, 3);
    CHECK(ct_grad_of(x) == NULL && ct_is_leaf(x) && ct_requires_grad(x) && ct_grad_fn_name(x) == NULL);
    CHECK(ct_backward(ct_sum(ct_mul(x, 2))));
    CHECK_VALUES(ct_grad_of(x), 0, 2, 2, 2);
    CHECK(ct_backward(ct_sum(ct_square(x))));
    CHECK_VALUES(ct_grad_of(x), 0, 4, 6, 8);
    ct_tensor *g = ct_grad_of(x);
    CHECK(!ct_requires_grad(g) && ct_is_contiguous(g) && ct_dtype_of(g) == CT_F32);
    CHECK(ct_set_grad(x, NULL) && ct_grad_of(x) == NULL);
    CHECK(ct_set_grad(x, ct_tensor_of(1, 1, 1)));
    CHECK(ct_backward(ct_sum(x)));
    CHECK_VALUES(ct_grad_of(x), 0, 2, 2, 2);
    /* a gradient given by the caller stays the caller's */
    ct_tensor *mine = ct_tensor_of(5, 6, 7);
    ct_set_grad(x, NULL);
    CHECK(ct_backward(ct_mul(x, 1), mine) && ct_backward(ct_mul(x, 1), mine));
    CHECK_VALUES(ct_grad_of(x), 0, 10, 12, 14);
    CHECK_VALUES(mine, 0, 5, 6, 7);
    ct_set_grad(x, NULL);
    CHECK(ct_backward(x, mine));
    CHECK(ct_backward(x, mine));
    CHECK_VALUES(ct_grad_of(x), 0, 10, 12, 14);
    CHECK_VALUES(mine, 0, 5, 6, 7);
    /* two leaves that get the same gradient tensor do not share it */
    ct_tensor *a = LEAF(1, 2), *b = LEAF(3, 4);
    CHECK(ct_backward(ct_sum(ct_add(a, b))));
    CHECK(!ct_is_same_storage(ct_grad_of(a), ct_grad_of(b)));
    CHECK(ct_mul_(ct_grad_of(a), 7) != NULL);
    CHECK_VALUES(ct_grad_of(b), 0, 1, 1);
    /* the gradient outlives scopes: its leaf holds it */
    ct_scope_begin();
    CHECK(ct_backward(ct_sum(ct_mul(a, b))));
    ct_scope_end();
    CHECK_VALUES(ct_grad_of(a), 0, 10, 11);
    /* a leaf's graph may die before it runs */
    ct_scope_begin();
    ct_exp(ct_mul(a, b));
    ct_scope_end();
    /* broadcast operands get gradients of their own shape */
    ct_tensor *s = LEAF64(2), *m = ct_requires_grad_(ct_ones_dtype(CT_F64, 3, 1), true), *v = LEAF64(1, 2, 3, 4);
    ct_tensor *out = ct_mul(ct_mul(s, m), v);
    CHECK(ct_backward(out, ct_ones_like(out)));
    CHECK_SHAPE(ct_grad_of(m), "(3, 1)");
    CHECK_VALUES(ct_grad_of(s), 0, 30);
    CHECK_VALUES(ct_grad_of(m), 0, 20, 20, 20);
    CHECK_VALUES(ct_grad_of(v), 0, 6, 6, 6, 6);
    /* mixed types: each gradient has its tensor's type */
    ct_tensor *f = LEAF(1.5, 2), *d = LEAF64(3, 4), *h = ct_requires_grad_(ct_to(ct_tensor_of(1, 2), CT_F16), true);
    ct_tensor *mixed = ct_mul(ct_mul(f, d), ct_add(h, ct_tensor_i64(1, 1)));
    CHECK(ct_dtype_of(mixed) == CT_F64 && ct_backward(ct_sum(mixed)));
    CHECK(ct_dtype_of(ct_grad_of(f)) == CT_F32 && ct_dtype_of(ct_grad_of(d)) == CT_F64 && ct_dtype_of(ct_grad_of(h)) == CT_F16);
    CHECK_VALUES(ct_grad_of(f), 0, 6, 12);
    CHECK_VALUES(ct_grad_of(d), 0, 3, 6);
    CHECK_VALUES(ct_grad_of(h), 0, 4.5, 8);
    CHECK(!ct_requires_grad(ct_gt(f, 1)) && !ct_requires_grad(ct_to(f, CT_I64)) && !ct_requires_grad(ct_argmax(f, 0, false)));
    ct_scope_end();
}
static void retain(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(2), *y = ct_mul(ct_exp(x), x);
    CHECK(ct_backward(y, .retain_graph = true) && ct_backward(y, .retain_graph = true));
    CHECK_NEAR(ct_item(ct_grad_of(x)), 2 * 3 * exp(2), 1e-6);
    CHECK(ct_backward(y));
    CHECK_NEAR(ct_item(ct_grad_of(x)), 3 * 3 * exp(2), 1e-6);
    CHECK_ERROR_VOID(CT_ERR_AUTOGRAD, y = ct_mul(x, x); ct_backward(y); test_reports = 0; CHECK(ct_ok()); ct_backward(y)); int line = __LINE__;
    CHECK_INT(test_error.line, line);
    /* ops that save nothing can run again, as in torch */
    ct_tensor *z = ct_add(x, 1);
    CHECK(ct_backward(z) && ct_backward(z));
    /* a part of the graph that was freed */
    ct_tensor *h = ct_exp(x), *a = ct_mul(h, 2), *b = ct_mul(h, 3);
    CHECK(ct_backward(a));
    test_expect();
    bool again = ct_backward(b);
    test_expected(!again, CT_ERR_AUTOGRAD, 0, __FILE__, __LINE__, "a shared part that was freed");
    CHECK(strstr(test_hint, "retain_graph") != NULL);
    /* ct_grad leaves no trace */
    ct_set_grad(x, NULL);
    CHECK_NEAR(ct_item(ct_grad(ct_square(x), x)), 4, 0);
    CHECK(ct_grad_of(x) == NULL);
    ct_scope_end();
}
static void orders(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF64(0.75), *y = ct_sin(x), *d = y; /* sin, cos, -sin, -cos, sin */
    double want[] = {cos(0.75), -sin(0.75), -cos(0.75), sin(0.75), cos(0.75)};
    for (int k = 0; k < 5; k++) {
        d = ct_grad(d, x, .create_graph = true);
        CHECK(ct_requires_grad(d));
        CHECK_NEAR(ct_item(d), want[k], 1e-14);
    }
    /* x^5: 5, 20, 60, 120 */
    x = LEAF64(2), d = ct_pow(x, 5);
    double power[] = {80, 160, 240, 240};
    for (int k = 0; k < 4; k++) {
        d = ct_grad(d, x, .create_graph = true);
        CHECK_NEAR(ct_item(d), power[k], 1e-13);
    }
    /* the second derivative through backward: gradients that have a graph accumulate */
    x = LEAF64(3);
    CHECK(ct_backward(ct_pow(x, 3), .create_graph = true));
    ct_tensor *g = ct_grad_of(x);
    CHECK(ct_requires_grad(g));
    CHECK_NEAR(ct_item(g), 27, 0);
    ct_tensor *second = ct_grad(g, x);
    CHECK_NEAR(ct_item(second), 18, 0);
    ct_set_grad(x, NULL); /* the gradient's graph holds x, x holds the gradient: a ring until it is cut */
    /* a gradient penalty: d/dw of |d f/d x|^2 */
    ct_tensor *w = LEAF64(1, -2), *p = LEAF64(0.5, 0.25), *f = ct_sum(ct_tanh(ct_mul(w, p)));
    ct_tensor *slope = ct_grad(f, p, .create_graph = true), *penalty = ct_sum(ct_square(slope));
    CHECK(ct_backward(penalty));
    for (int k = 0; k < 2; k++) {
        double wk = k ? -2 : 1, pk = k ? 0.25 : 0.5, t = tanh(wk * pk), s = 1 - t * t;
        CHECK_NEAR(ct_at(ct_grad_of(w), k), 2 * wk * s * (s - 2 * wk * pk * t * s), 1e-14);
        CHECK_NEAR(ct_at(ct_grad_of(p), k), 2 * wk * s * (-2 * wk * wk * t * s), 1e-14);
    }
    /* mixed second derivatives of a^2 b^3: d/da d/db = 6 a b^2 */
    ct_tensor *a = LEAF64(2), *b = LEAF64(3), *u = ct_mul(ct_square(a), ct_pow(b, 3));
    ct_tensor *da = ct_grad(u, a, .create_graph = true), *dab = ct_grad(da, b, .create_graph = true), *dabb = ct_grad(dab, b, .create_graph = true);
    CHECK_NEAR(ct_item(dab), 6 * 2 * 9, 1e-13);
    CHECK_NEAR(ct_item(dabb), 12 * 2 * 3, 1e-13);
    CHECK_NEAR(ct_item(ct_grad(dabb, a)), 36, 1e-13);
    ct_scope_end();
}

/* ---- hooks ---- */
static ct_tensor *halve(ct_tensor *g, void *user)
{
    ++*(int *)user;
    return ct_mul(g, 0.5);
}
static ct_tensor *watch(ct_tensor *g, void *user)
{
    *(double *)user += ct_item(ct_sum(ct_detach(g)));
    return NULL;
}
static ct_tensor *wrong(ct_tensor *g, void *user) { return (void)g, (void)user, ct_zeros(7); }
static ct_tensor *nested(ct_tensor *g, void *user) /* another engine runs inside of the first */
{
    ct_tensor *x = LEAF(3);
    CHECK(!ct_is_grad_enabled()); /* as in torch */
    ct_enable_grad_begin();
    *(double *)user = ct_item(ct_grad(ct_square(x), x));
    ct_enable_grad_end();
    return g;
}
static ct_tensor *widened(ct_tensor *g, void *user) { return (void)user, ct_to(g, CT_F64); }
static void hooks(void)
{
    int calls = 0;
    double seen = 0, inner = 0;
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2);
    int a = ct_register_hook(x, halve, &calls), b = ct_register_hook(x, watch, &seen);
    CHECK(a > 0 && b > 0 && a != b);
    CHECK(ct_backward(ct_sum(ct_mul(x, 4))));
    CHECK_VALUES(ct_grad_of(x), 0, 2, 2);
    CHECK_INT(calls, 1);
    CHECK_NEAR(seen, 4, 0); /* after the first one's halving */
    /* once per backward, with the sum of all that reaches it */
    calls = 0, seen = 0, ct_set_grad(x, NULL);
    CHECK(ct_backward(ct_sum(ct_add(ct_mul(x, 4), ct_mul(x, 2)))));
    CHECK_VALUES(ct_grad_of(x), 0, 3, 3);
    CHECK_INT(calls, 1);
    CHECK(ct_remove_hook(x, a) && !ct_remove_hook(x, a));
    ct_set_grad(x, NULL), calls = 0;
    CHECK(ct_backward(ct_sum(ct_mul(x, 4))));
    CHECK_VALUES(ct_grad_of(x), 0, 4, 4);
    CHECK_INT(calls, 0);
    CHECK(ct_remove_hook(x, b));
    /* a leaf's hook works on ct_grad's result, too */
    a = ct_register_hook(x, halve, &calls);
    CHECK_VALUES(ct_grad(ct_sum(ct_mul(x, 4)), x), 0, 2, 2);
    CHECK(ct_remove_hook(x, a));
    /* of another type: the gradient's own stays */
    ct_tensor *f = ct_requires_grad_(ct_ones_dtype(CT_F32, 4, 4), true), *q = ct_mul(f, f);
    CHECK(ct_register_hook(q, widened, NULL) > 0 && ct_backward(ct_sum(ct_mul(ct_exp(q), q))));
    CHECK(ct_dtype_of(ct_grad_of(f)) == CT_F32);
    CHECK_NEAR(ct_item(ct_sum(ct_grad_of(f))), 16 * 4 * exp(1.0), 1e-4);
    /* in the middle of a graph */
    ct_tensor *h = ct_mul(x, 3), *y = ct_sum(ct_square(h));
    a = ct_register_hook(h, halve, &calls);
    CHECK(a > 0 && ct_retain_grad(h));
    ct_set_grad(x, NULL), calls = 0;
    CHECK(ct_backward(y, .retain_graph = true));
    CHECK_VALUES(ct_grad_of(x), 0, 9, 18);
    CHECK_VALUES(ct_grad_of(h), 0, 3, 6);
    CHECK_INT(calls, 1);
    CHECK(ct_remove_hook(h, a));
    ct_set_grad(x, NULL);
    CHECK(ct_backward(y));
    CHECK_VALUES(ct_grad_of(x), 0, 18, 36);
    /* replaced gradients are part of a created graph */
    x = LEAF64(2), h = ct_square(x);
    CHECK(ct_register_hook(h, halve, &calls) > 0);
    ct_tensor *d = ct_grad(ct_square(h), x, .create_graph = true); /* x^4 -> 4x^3/2 */
    CHECK_NEAR(ct_item(d), 16, 0);
    CHECK_NEAR(ct_item(ct_grad(d, x)), 16, 0);   /* h's hook halves again what comes back through h: 2x^2 + 4x^2/2 */
    /* an engine inside of an engine */
    x = LEAF(1);
    CHECK(ct_register_hook(x, nested, &inner) > 0 && ct_backward(ct_mul(x, 5)));
    CHECK_NEAR(inner, 6, 0);
    CHECK_VALUES(ct_grad_of(x), 0, 5);
    /* errors */
    x = LEAF(1, 2);
    CHECK(ct_register_hook(x, wrong, NULL) > 0);
    test_expect();
    bool ok = ct_backward(ct_sum(x));
    test_expected(!ok, CT_ERR_SHAPE, 0, __FILE__, __LINE__, "a hook's result of another shape");
    CHECK(ct_grad_of(x) == NULL);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_register_hook(ct_zeros(2), watch, &seen));
    CHECK_QUIET(ct_register_hook(NULL, watch, &seen));
    CHECK_QUIET(ct_remove_hook(NULL, 1));
    ct_scope_end();
}
/* A gradient that nobody else holds is overwritten by the last derivative. One that is held (here by a hook) is not, and the results are the same. */
static ct_tensor *hold(ct_tensor *g, void *user)
{
    *(ct_tensor **)user = ct_retain(g);
    return NULL;
}
enum { OVERWRITING_OPS = 13 };
static ct_tensor *overwriting_op(int op, ct_tensor *x, ct_tensor *b)
{
    switch (op) {
        case 0: return ct_mul(x, b);
        case 1: return ct_mul(b, x);
        case 2: return ct_sub(b, x); /* one input gets the gradient as it is */
        case 3: return ct_sub(x, b);
        case 4: return ct_div(b, x);
        case 5: return ct_mul(x, x);
        case 6: return ct_tanh(x);
        case 7: return ct_where(ct_gt(x, 1), x, b);
        case 8: return ct_pow(x, b);
        case 9: return ct_add(x, b, .alpha = 3);
        case 10: return ct_lgamma(x); /* a program */
        case 11: return ct_relu(ct_sub(x, 1));
        default: return ct_mul(x, ct_narrow(b, 0, 0, 1)); /* broadcast: summed after */
    }
}
static void overwritten(void)
{
    static const int64_t sizes[] = {1, 3, 16, 21, 500, 5003, 70001};
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_BF16};
    ct_grad_opts unused = {0};
    unused.allow_unused = true;
    for (int k = 0; k < 7 * 3 * OVERWRITING_OPS; k++) {
        ct_scope_begin();
        int op = k % OVERWRITING_OPS;
        int64_t n = sizes[k / OVERWRITING_OPS % 7];
        ct_dtype type = types[k / OVERWRITING_OPS / 7];
        ct_manual_seed(k);
        ct_tensor *x = ct_requires_grad_(ct_to(ct_add(ct_rand(n), 0.5), type), true), *b = ct_requires_grad_(ct_to(ct_add(ct_rand(n), 0.5), type), true);
        ct_tensor *w = ct_to(ct_randn(n), type), *held = NULL, *grad[2][2];
        for (int held_too = 0; held_too < 2; held_too++) {
            ct_tensor *in[2] = {x, b}, *y = overwriting_op(op, x, b), *z = ct_sum(ct_mul(y, w));
            if (held_too) CHECK(ct_register_hook(y, hold, &held) > 0);
            CHECK(ct_grad_many(&z, NULL, 1, in, grad[held_too], 2, unused));
        }
        CHECK(held && ct_equal(held, w)); /* 1 * w, as it was */
        for (int i = 0; i < 2; i++) CHECK(!grad[0][i] == !grad[1][i] && (!grad[0][i] || ct_equal(grad[0][i], grad[1][i])));
        ct_release(held);
        ct_scope_end();
    }
    /* what the caller holds, or sees through a view, stays */
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2, 3), *g = ct_tensor_of(5, 6, 7), *y = ct_exp(x);
    ct_retain_grad(y);
    CHECK(ct_backward(ct_mul(y, 2), g));
    CHECK_VALUES(g, 0, 5, 6, 7);
    CHECK_VALUES(ct_grad_of(y), 0, 10, 12, 14);
    CHECK(ct_grad_of(x) && ct_allclose(ct_grad_of(x), ct_mul(ct_exp(ct_detach(x)), ct_tensor_of(10, 12, 14)), 1e-5, 1e-6, false));
    /* a wanted gradient of the middle is the result, not what was made of it */
    ct_tensor *middle = ct_mul(x, 3), *in[2] = {middle, x}, *out[2], *end = ct_sum(ct_mul(ct_tanh(middle), 2));
    CHECK(ct_grad_many(&end, NULL, 1, in, out, 2, unused));
    CHECK(ct_allclose(ct_mul(out[0], 3), out[1], 1e-5, 1e-6, false));
    ct_scope_end();
}
static void retained(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2), *h = ct_mul(x, 3), *y;
    CHECK(ct_retain_grad(h) && ct_retain_grad(h) && ct_retain_grad(x)); /* twice, and on a leaf: nothing happens */
    y = ct_sum(ct_square(h));
    CHECK(ct_backward(y, .retain_graph = true));
    CHECK_VALUES(ct_grad_of(h), 0, 6, 12);
    CHECK(ct_backward(y));
    CHECK_VALUES(ct_grad_of(h), 0, 12, 24); /* accumulates as a leaf's */
    CHECK(!ct_is_leaf(h) && ct_grad_of(ct_mul(x, 2)) == NULL);
    /* a tensor that retains may die before the graph runs */
    ct_scope_begin();
    h = ct_mul(x, 3), y = ct_keep(ct_sum(ct_square(h)));
    ct_retain_grad(h);
    ct_scope_end();
    CHECK(ct_backward(y));
    /* in place afterwards: the gradient of the tensor as it is now; and it may die, then be made again in the same place */
    h = ct_mul(x, 3);
    ct_retain_grad(h), ct_add_(h, 1), y = ct_sum(ct_square(h));
    ct_set_grad(x, NULL);
    CHECK(ct_backward(y));
    CHECK_VALUES(ct_grad_of(h), 0, 8, 14);
    CHECK_VALUES(ct_grad_of(x), 0, 24, 42);
    for (int k = 0; k < 3; k++) {
        ct_scope_begin();
        h = ct_mul(x, 3);
        ct_tensor *v = ct_select(h, 0, 0), *z = ct_exp(v);
        ct_retain_grad(k == 2 ? v : h);
        if (k == 0) ct_add_(h, 1);
        y = ct_keep(ct_add(z, ct_sum(h)));
        if (k == 1) ct_detach_(h);
        if (k == 2) ct_mul_(h, 2), ct_requires_grad(v);
        ct_scope_end();
        for (int n = 0; n < 100; n++) ct_requires_grad_(ct_zeros(5, 5), true);
        CHECK(ct_backward(y));
    }
    CHECK_ERROR_VOID(CT_ERR_AUTOGRAD, ct_retain_grad(ct_zeros(1)));
    ct_scope_end();
}
static void modes(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2);
    CHECK(ct_is_grad_enabled());
    ct_no_grad_begin();
    CHECK(!ct_is_grad_enabled() && !ct_requires_grad(ct_mul(x, 2)));
    ct_no_grad_begin();
    ct_enable_grad_begin();
    CHECK(ct_is_grad_enabled() && ct_requires_grad(ct_mul(x, 2)));
    ct_no_grad_begin();
    CHECK(!ct_is_grad_enabled());
    ct_no_grad_end();
    CHECK(ct_is_grad_enabled());
    ct_enable_grad_end();
    CHECK(!ct_is_grad_enabled());
    ct_no_grad_end();
    CHECK(!ct_is_grad_enabled());
    ct_no_grad_end();
    CHECK(ct_is_grad_enabled());
    for (int k = 0; k < 200; k++) ct_no_grad_begin(); /* deeper than anything is kept for */
    for (int k = 0; k < 200; k++) ct_no_grad_end();
    CHECK(ct_is_grad_enabled());
    ct_no_grad_end(); /* one too many: nothing */
    CHECK(ct_is_grad_enabled());
    CHECK(ct_set_grad_enabled(false) && !ct_is_grad_enabled());
    CHECK(!ct_set_grad_enabled(true) && ct_is_grad_enabled());
    /* leaves made under no_grad, requires_grad_ under no_grad */
    ct_no_grad_begin();
    ct_tensor *w = ct_requires_grad_(ct_ones(2), true);
    ct_no_grad_end();
    CHECK(ct_requires_grad(w) && ct_is_leaf(w) && ct_requires_grad(ct_mul(w, 2)));
    /* backward inside of no_grad works on what was recorded */
    ct_tensor *y = ct_sum(ct_square(x));
    ct_no_grad_begin();
    CHECK(ct_backward(y));
    ct_no_grad_end();
    CHECK_VALUES(ct_grad_of(x), 0, 2, 4);
    CHECK(ct_is_grad_enabled());
    /* detach */
    ct_tensor *d = ct_detach(ct_mul(x, 3));
    CHECK(!ct_requires_grad(d) && ct_is_leaf(d) && ct_grad_fn_name(d) == NULL);
    ct_set_grad(x, NULL);
    CHECK(ct_backward(ct_sum(ct_mul(ct_detach(x), x))));
    CHECK_VALUES(ct_grad_of(x), 0, 1, 2);
    y = ct_mul(x, 3);
    CHECK(ct_detach_(y) == y && !ct_requires_grad(y) && ct_is_leaf(y));
    CHECK(ct_requires_grad_(y, true) == y && ct_requires_grad(ct_mul(y, 1)));
    CHECK(ct_requires_grad_(x, false) == x && !ct_requires_grad(ct_mul(x, 1)));
    CHECK(ct_requires_grad_(x, true) == x);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_requires_grad_(ct_mul(x, 2), false));
    CHECK_ERROR(CT_ERR_DTYPE, ct_requires_grad_(ct_tensor_i64(1), true));
    CHECK_ERROR(CT_ERR_DTYPE, ct_requires_grad_(ct_to(x, CT_BOOL), true));
    CHECK_TEXT(ct_grad_fn_name(ct_mul(x, 2)), "MulBackward0");
    CHECK_TEXT(ct_grad_fn_name(ct_sum(x)), "SumBackward0");
    ct_scope_end();
}

/* ---- errors ---- */
static void versions(void)
{
    ct_scope_begin();
    ct_tensor *w = LEAF(1, 2), *h = ct_mul(w, 1), *y = ct_sum(ct_mul(h, h)); int line = __LINE__;
    ct_add_(ct_detach(h), 1);
    test_expect();
    bool ok = ct_backward(y);
    test_expected(!ok, CT_ERR_VERSION, line, __FILE__, __LINE__, "a saved input that was modified");
    CHECK_TEXT(test_function, "ct_mul");
    /* a saved output */
    y = ct_exp(w); line = __LINE__;
    ct_tensor *z = ct_sum(y);
    ct_no_grad_begin();
    ct_mul_(y, 2);
    ct_no_grad_end();
    test_expect();
    ok = ct_backward(z);
    test_expected(!ok, CT_ERR_VERSION, line, __FILE__, __LINE__, "a saved output that was modified");
    CHECK(strstr(test_message, "version 1") && strstr(test_message, "expected 0"));
    /* what the gradient does not need may be modified */
    h = ct_mul(w, 1), y = ct_add(h, 1);
    ct_zero_(ct_detach(h));
    CHECK_VALUES(ct_grad(ct_sum(y), w), 0, 1, 1);
    h = ct_mul(w, 1), y = ct_mul(h, 3);
    ct_zero_(ct_detach(h));
    CHECK_VALUES(ct_grad(ct_sum(y), w), 0, 3, 3);
    /* in place on an op's own output, which it saved */
    y = ct_exp(ct_mul(w, 1)); line = __LINE__;
    ct_add_(y, 1);
    test_expect();
    ok = ct_backward(ct_sum(y));
    test_expected(!ok, CT_ERR_VERSION, line, __FILE__, __LINE__, "exp's output, modified in place");
    /* in place, where old values are needed: the op keeps a copy */
    y = ct_mul(w, 1);
    ct_mul_(y, y), ct_sin_(y), ct_square_(y);
    ct_tensor *gradient = ct_grad(ct_sum(y), w);
    CHECK_VALUES(gradient, 1e-6, 4 * 1 * sin(1) * cos(1), 4 * 2 * sin(4) * cos(4));
    /* in place on an output that was saved in place */
    y = ct_exp_(ct_mul(w, 1)); line = __LINE__;
    ct_square_(y);
    test_expect();
    ok = ct_backward(ct_sum(y));
    test_expected(!ok, CT_ERR_VERSION, line, __FILE__, __LINE__, "exp_'s output, modified in place");
    /* an operand of an in-place op is written later */
    ct_tensor *v = ct_mul(w, 2);
    y = ct_mul_(ct_ones(2), v); line = __LINE__;
    CHECK(ct_requires_grad(y));
    z = ct_mul_(ct_mul(w, 1), v); line = __LINE__;
    ct_fill_(ct_detach(v), 0);
    test_expect();
    ok = ct_backward(ct_sum(z));
    test_expected(!ok, CT_ERR_VERSION, line, __FILE__, __LINE__, "mul_'s operand, modified");
    /* the graph is still there after a failed backward: gradients of other leaves may be found */
    CHECK_VALUES(ct_grad(ct_sum(ct_mul(w, 2)), w), 0, 2, 2);
    ct_scope_end();
}
static void misuse(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2), *other = LEAF(5), *r[2];
    CHECK_ERROR(CT_ERR_SHAPE, ct_backward(ct_mul(x, 2)));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_backward(ct_sum(ct_zeros(3))));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_backward(ct_sum(ct_detach(x))));
    CHECK_ERROR(CT_ERR_SHAPE, ct_backward(ct_mul(x, 2), ct_ones(3)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_backward(ct_mul(x, 2), ct_ones(1)));
    CHECK(ct_grad_of(x) == NULL);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_grad(ct_sum(x), other));
    CHECK_QUIET(ct_grad(ct_sum(x), other, .allow_unused = true));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_grad(ct_sum(x), ct_zeros(2)));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_grad(ct_sum(ct_zeros(2)), x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_grad(ct_mul(x, 2), x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_set_grad(x, ct_zeros(3)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_set_grad(x, ct_to(ct_zeros(2), CT_F64)));
    CHECK_QUIET(ct_backward(NULL));
    CHECK_QUIET(ct_backward(ct_sum(NULL)));
    CHECK_QUIET(ct_grad(NULL, x));
    CHECK_QUIET(ct_grad(ct_sum(x), NULL));
    CHECK_QUIET(ct_requires_grad_(NULL, true));
    CHECK_QUIET(ct_requires_grad(NULL));
    CHECK_QUIET(ct_grad_of(NULL));
    CHECK_QUIET(ct_detach(NULL));
    CHECK_QUIET(ct_detach_(NULL));
    CHECK_QUIET(ct_set_grad(NULL, x));
    CHECK_QUIET(ct_retain_grad(NULL));
    CHECK_QUIET(ct_is_leaf(NULL));
    /* an input that is used, and unused ones, and one that stands in the middle */
    ct_tensor *h = ct_mul(x, 3), *y = ct_sum(ct_square(h));
    ct_grad_opts o = {.allow_unused = true, .retain_graph = true, .ct_end_ = 0};
    CHECK(ct_grad_many(&y, NULL, 1, (ct_tensor *[]){h, other}, r, 2, o));
    CHECK_VALUES(r[0], 0, 6, 12);
    CHECK(r[1] == NULL);
    CHECK(ct_grad_many(&y, NULL, 1, (ct_tensor *[]){h, x}, r, 2, o));
    CHECK_VALUES(r[0], 0, 6, 12);
    CHECK_VALUES(r[1], 0, 18, 36);
    CHECK_VALUES(ct_grad(y, y), 0, 1); /* d y/d y */
    CHECK(ct_grad_of(x) == NULL && ct_grad_of(h) == NULL);
    /* several outputs, a gradient for one of them, the same input twice */
    ct_tensor *outputs[2] = {ct_mul(x, 2), ct_sum(ct_square(x))}, *gradients[2] = {ct_tensor_of(10, 20), NULL};
    CHECK(ct_grad_many(outputs, gradients, 2, (ct_tensor *[]){x, x}, r, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(r[0], 0, 22, 44);
    CHECK_VALUES(r[1], 0, 22, 44);
    /* a gradient that is handed through brings its own history along only into a created graph */
    ct_tensor *weight = LEAF(1, 1), *through = ct_mul(weight, 5), *result = ct_grad(ct_add(x, 1), x, .grad_output = through);
    CHECK_VALUES(result, 0, 5, 5);
    CHECK(!ct_requires_grad(result));
    result = ct_grad(ct_add(x, 1), x, .grad_output = through, .create_graph = true);
    CHECK(ct_requires_grad(result));
    CHECK_VALUES(ct_grad(ct_sum(result), weight), 0, 5, 5);
    /* outputs one of which is an input of the other */
    h = ct_mul(x, 3), y = ct_sum(h);
    ct_tensor *both[2] = {h, y}, *given[2] = {ct_tensor_of(1, 2), NULL};
    CHECK(ct_grad_many(both, given, 2, &x, r, 1, (ct_grad_opts){.ct_end_ = 0}));
    CHECK_VALUES(r[0], 0, 6, 9);
    test_expect();
    bool ok = ct_grad_many(&y, NULL, 0, &x, r, 1, (ct_grad_opts){.ct_end_ = 0});
    test_expected(!ok, CT_ERR_ARGUMENT, 0, __FILE__, __LINE__, "no outputs");
    /* one bad output among good ones */
    ct_tensor *two[2] = {ct_sum(x), ct_sum(ct_zeros(2))};
    test_expect();
    ok = ct_grad_many(two, NULL, 2, &x, r, 1, (ct_grad_opts){.ct_end_ = 0});
    test_expected(!ok && !r[0], CT_ERR_AUTOGRAD, 0, __FILE__, __LINE__, "an output without history");
    ct_scope_end();
}

/* ---- graphs of several forms ---- */
static void graphs(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF64(1.5), *y = x;
    /* a diamond of diamonds: 2^40 paths, 80 nodes */
    for (int k = 0; k < 40; k++) y = ct_mul(ct_add(y, y), 0.5);
    CHECK_NEAR(ct_item(ct_grad(y, x)), 1, 0);
    /* a shared part */
    ct_tensor *h = ct_exp(x), *s = ct_add(ct_mul(h, 2), ct_mul(h, ct_sin(h)));
    double e = exp(1.5);
    CHECK_NEAR(ct_item(ct_grad(s, x)), e * (2 + sin(e) + e * cos(e)), 1e-14);
    /* an old tensor used by a new node after many others: order of the run */
    ct_tensor *a = ct_mul(x, 2), *b = ct_mul(x, 3), *c = ct_mul(b, a);
    for (int k = 0; k < 10; k++) b = ct_add(b, 1);
    CHECK_NEAR(ct_item(ct_grad(ct_mul(ct_add(c, b), a), x)), 12 * 3 * 1.5 * 1.5 + 12 * 1.5 + 20, 1e-13);
    ct_scope_end();
}
static void long_chain(void)
{
    enum { NODES = 1000000 };
    ct_memory_info before = ct_memory_stats();
    ct_scope_begin();
    ct_tensor *x = LEAF(1), *y = ct_retain(ct_mul(x, 1));
    for (int k = 1; k < NODES; k++) {
        ct_scope_begin();
        ct_tensor *next = ct_retain(k % 2 ? ct_add(y, 1) : ct_neg(y));
        ct_release(y);
        y = next;
        ct_scope_end();
    }
    CHECK(ct_memory_stats().nodes - before.nodes >= NODES);
    CHECK(ct_backward(y));
    CHECK_NEAR(fabs(ct_item(ct_grad_of(x))), 1, 0);
    ct_release(y);
    CHECK_INT(ct_memory_stats().nodes - before.nodes, 2); /* the first product, which the scope owns, and the leaf's */
    /* and dropped without a run */
    y = ct_retain(ct_mul(x, 1));
    for (int k = 1; k < NODES / 4; k++) {
        ct_scope_begin();
        ct_tensor *next = ct_retain(ct_mul(y, x));
        ct_release(y);
        y = next;
        ct_scope_end();
    }
    ct_release(y);
    ct_scope_end();
    ct_memory_info after = ct_memory_stats();
    CHECK_INT(after.nodes, before.nodes);
    CHECK_INT(after.tensors, before.tensors);
}

/* ---- custom functions ---- */
static int destroyed;
static void count_destroyed(void *user) { destroyed += *(int *)user; }
static ct_tensor *cube_forward(ct_custom *self, ct_tensor *const *in, int n)
{
    (void)n;
    CHECK(!ct_is_grad_enabled() && *(int *)ct_custom_user(self) == 1);
    return ct_save_for_backward(self, in, 1) ? ct_mul(ct_square(in[0]), in[0]) : NULL;
}
static bool cube_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin)
{
    ct_tensor *x = ct_saved(self, 0);
    CHECK(ct_needs_input_grad(self, 0));
    return (gin[0] = ct_mul(ct_mul(g, 3), ct_square(x))) != NULL;
}
static const ct_custom_function cube = {"cube", cube_forward, cube_backward, count_destroyed};
/* x*y with y's gradient refused; the product saved as well */
static ct_tensor *half_forward(ct_custom *self, ct_tensor *const *in, int n)
{
    ct_tensor *y = ct_mul(in[0], in[1]), *saved[3] = {in[0], in[1], y};
    return n == 2 && ct_save_for_backward(self, saved, 3) ? y : NULL;
}
static bool half_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin)
{
    CHECK(ct_needs_input_grad(self, 0) && ct_needs_input_grad(self, 1) && !ct_needs_input_grad(self, 2));
    CHECK_VALUES(ct_detach(ct_saved(self, 2)), 0, 6);
    gin[0] = ct_mul(g, ct_saved(self, 1)), gin[1] = NULL;
    return gin[0] != NULL;
}
static const ct_custom_function half_product = {"half", half_forward, half_backward, NULL};
static ct_tensor *broken_forward(ct_custom *self, ct_tensor *const *in, int n) { return (void)self, (void)n, ct_add(in[0], ct_zeros(5)); }
static bool broken_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (void)self, (gin[0] = ct_add(g, ct_zeros(5))) != NULL; }
static bool open_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (void)self, gin[0] = ct_mul(g, 2), ct_scope_begin(), ct_scope_begin(), true; }
static bool closed_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (void)self, gin[0] = ct_keep(ct_mul(g, 2)), ct_scope_end(), true; }
static ct_tensor *twice_forward(ct_custom *self, ct_tensor *const *in, int n) { return (void)self, (void)n, ct_mul(in[0], 2); }
static const ct_custom_function left_open = {"left_open", twice_forward, open_backward, NULL}, closed_early = {"closed_early", twice_forward, closed_backward, NULL};
static const ct_custom_function broken = {"broken", broken_forward, cube_backward, count_destroyed};
static ct_tensor *same_forward(ct_custom *self, ct_tensor *const *in, int n) { return (void)self, (void)n, in[0]; }
static bool same_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (void)self, (gin[0] = ct_mul(g, 10)) != NULL; }
static const ct_custom_function tenfold = {"tenfold", same_forward, same_backward, count_destroyed};
static const ct_custom_function bad_backward = {"bad_backward", same_forward, broken_backward, NULL};
static ct_tensor *call_cube(ct_tensor *const *in, int n, void *user) { return ct_apply_custom(&cube, user, in, n); }
static void custom(void)
{
    int one = 1;
    ct_scope_begin();
    ct_tensor *x = LEAF64(2, -1, 0.5), *in[2] = {x, NULL};
    destroyed = 0;
    ct_scope_begin();
    ct_tensor *y = ct_apply_custom(&cube, &one, in, 1);
    CHECK_VALUES(ct_detach(y), 0, 8, -1, 0.125);
    CHECK(ct_backward(ct_sum(y)));
    CHECK_VALUES(ct_grad_of(x), 0, 12, 3, 0.75);
    CHECK_INT(destroyed, 0);
    ct_scope_end();
    CHECK_INT(destroyed, 1);
    CHECK(ct_gradcheck(call_cube, in, 1, &one) && ct_gradgradcheck(call_cube, in, 1, &one));
    ct_tensor *t = LEAF64(2), *d = ct_apply_custom(&cube, &one, &t, 1);
    for (int k = 0; k < 3; k++) d = ct_grad(d, t, .create_graph = true);
    CHECK_NEAR(ct_item(d), 6, 0);
    /* without a graph the user's data goes at once */
    destroyed = 0;
    ct_no_grad_begin();
    ct_apply_custom(&cube, &one, in, 1);
    ct_no_grad_end();
    CHECK_INT(destroyed, 1);
    ct_tensor *plain = ct_detach(x);
    ct_apply_custom(&cube, &one, &plain, 1);
    CHECK_INT(destroyed, 2);
    /* an input without gradient; a saved output */
    ct_tensor *a = LEAF64(2), *b = LEAF64(3), *pair[2] = {a, b};
    CHECK(ct_backward(ct_apply_custom(&half_product, NULL, pair, 2)));
    CHECK_VALUES(ct_grad_of(a), 0, 3);
    CHECK(ct_grad_of(b) == NULL);
    /* an input is returned: the input keeps its own history */
    y = ct_apply_custom(&tenfold, &one, in, 1);
    CHECK(y && y != x);
    CHECK_VALUES(ct_grad(ct_sum(y), x), 0, 10, 10, 10);
    CHECK(ct_is_leaf(x));
    /* what was saved is checked for writes */
    ct_tensor *h = ct_mul(x, 1);
    y = ct_sum(ct_apply_custom(&cube, &one, &h, 1));
    ct_zero_(ct_detach(h));
    test_expect();
    bool ok = ct_backward(y);
    test_expecting = false;
    CHECKF(!ok && test_reports == 1 && test_error.code == CT_ERR_VERSION, "a saved tensor that was modified: %d reports, %s", test_reports, ct_error_name(test_error.code));
    ct_clear_error();
    /* scopes that a rule leaves open, or one too many that it closes, are not the caller's */
    int depth = ct_scope_depth();
    for (int k = 0; k < 2; k++) {
        const ct_custom_function *f = k ? &closed_early : &left_open;
        ct_tensor *mine = ct_tensor_of(7), *once = ct_apply_custom(f, NULL, in, 1), *again = ct_apply_custom(f, NULL, &once, 1), *g = ct_grad(ct_sum(again), x);
        CHECK_INT(ct_scope_depth(), depth);
        CHECK_VALUES(mine, 0, 7);
        CHECK_VALUES(g, 0, 4, 4, 4);
    }
    /* failing forwards and backwards report what failed, once, and leak nothing */
    destroyed = 0;
    test_expect();
    bool none = ct_apply_custom(&broken, &one, in, 1) == NULL;
    test_expected(none, CT_ERR_SHAPE, 0, __FILE__, __LINE__, "a failing forward");
    CHECK_INT(destroyed, 1);
    y = ct_apply_custom(&bad_backward, NULL, in, 1);
    test_expect();
    ok = ct_backward(ct_sum(y));
    test_expected(!ok, CT_ERR_SHAPE, 0, __FILE__, __LINE__, "a failing backward");
    ct_tensor *null[1] = {NULL};
    CHECK_QUIET(ct_apply_custom(&cube, &one, null, 1));
    CHECK_ERROR(CT_ERR_NULL, ct_apply_custom(NULL, &one, in, 1));
    ct_scope_end();
}

/* ---- expressions ---- */
static ct_tensor *call_text(ct_tensor *const *in, int n, void *user) { return (ct_expr)((const char *)user, in, n); }
/* The rule of ct_expr asks for gradients itself, within a graph that goes on above: the outer question keeps its marks. */
static void nested_engines(void)
{
    ct_scope_begin();
    ct_tensor *x = ct_requires_grad_(ct_full(0.35, 3), true), *y = ct_mul(x, 2);
    ct_tensor *g = ct_grad(ct_sum(ct_expr("a*sigmoid(a)", y)), x, .create_graph = true);
    ct_tensor *same = ct_grad(ct_sum(ct_silu(y)), x, .create_graph = true);
    CHECK_SAME(g, same, 1e-6);
    CHECK_SAME(ct_grad(ct_sum(ct_square(g)), x, .retain_graph = true), ct_grad(ct_sum(ct_square(same)), x, .retain_graph = true), 1e-5);
    ct_scope_end();
}
static void expressions(void)
{
    static const char *const texts[] = {"a + b", "a - b*2", "-a*b/c", "a*(b + c)", "(a)", "a*a*a", "exp(a) + log(b)*sqrt(c)", "a > b ? a*c : b*b", "a < 0 ? -a : a", "sigmoid(a)*tanh(b) + erf(c)",
        "pow(b, c)", "maximum(a, b) - minimum(a, c)", "log1p(a*a) + expm1(b/4)", "a * sigmoid(b) + 1", "hypot(a, b) + atan2(b, c)", "b == c ? 1 : a*2", "(a > 0 && b > 0) || c > 0 ? a : b",
        "!(a > 0) ? a : b*a", "a >= b ? a : b", "a <= b ? a : b", "a != b ? a*b : c", "where(a > 0, b, c)", "1/b", "2 - a", "-(-a)", "+a", "1e-1*a + .5*b", "silu(a) + gelu(b) + relu(c)", "square(a) + abs(b)*sign(c)",
        "clamp(a, 0-1, 1)", "lerp(a, b, c)", "((((((((a))))))))", "a - b - c", "a/b/c", "a ? b : c ? a : b", "sin(cos(a)) + tan(a/4) + reciprocal(b) + rsqrt(c)"};
    double av[] = {0.3, -1.2, 0.8, 2.1, -0.4, 1.7}, bv[] = {1.3, 0.6, 2.2, 0.9, 1.1, 0.4}, cv[] = {0.7, 1.9, 1.2, 0.2, 2.4, 1.6};
    ct_scope_begin();
    ct_tensor *in[3] = {ct_requires_grad_(test_tensor(CT_F64, CT_SHAPE(2, 3), av, 0), true), ct_requires_grad_(ct_detach(test_tensor(CT_F64, CT_SHAPE(2, 3), bv, 1)), true),
                        ct_requires_grad_(test_tensor(CT_F64, CT_SHAPE(3), cv, 0), true)};
    for (size_t k = 0; k < sizeof texts / sizeof *texts; k++) {
        void *user = (void *)(uintptr_t)texts[k];
        CHECKF(ct_gradcheck(call_text, in, 3, user), "gradcheck of \"%s\"", texts[k]);
        CHECKF(ct_gradgradcheck(call_text, in, 3, user), "gradgradcheck of \"%s\"", texts[k]);
    }
    /* the same as the composed ops, also over many blocks, broadcast, transposed, float32 */
    ct_tensor *x = ct_sub(ct_mul((ct_rand)(CT_SHAPE(37, 211)), 4), 2), *y = ct_add((ct_rand)(CT_SHAPE(211)), 0.5), *z = ct_t((ct_rand)(CT_SHAPE(211, 37)));
    CHECK_SAME(ct_expr("a * sigmoid(b) + 1", x, y), ct_add(ct_mul(x, ct_sigmoid(y)), 1), 1e-6);
    CHECK_SAME(ct_expr("a > 0 ? exp(-a*c) : log(b) - c/3", x, y, z), ct_where(ct_gt(x, 0), ct_exp(ct_mul(ct_neg(x), z)), ct_sub(ct_log(y), ct_div(z, 3))), 1e-6);
    CHECK_SAME(ct_expr("(a - b)*(a + b)/(1 + a*a + b*b)", x, y), ct_div(ct_mul(ct_sub(x, y), ct_add(x, y)), ct_add(ct_add(ct_mul(x, x), 1), ct_mul(y, y))), 1e-6);
    CHECK_SAME(ct_expr("a + b", ct_to(x, CT_F64), y), ct_add(ct_to(x, CT_F64), y), 0);
    CHECK_SAME(ct_expr("a + b + c + d + e + f + g + h", x, x, x, x, x, x, x, x), ct_mul(x, 8), 1e-6);
    /* types: comparisons give bool, integers stay integers */
    ct_tensor *i = ct_tensor_i64(1, 2, 3);
    CHECK(ct_dtype_of(ct_expr("a > b", x, y)) == CT_BOOL && ct_dtype_of(ct_expr("a + 1", i)) == CT_I64 && ct_dtype_of(ct_expr("a / 2", i)) == CT_F32 && ct_dtype_of(ct_expr("a * 1.5", i)) == CT_F32);
    CHECK_VALUES(ct_expr("a*a + 1", i), 0, 2, 5, 10);
    CHECK_SHAPE(ct_expr("a + 1", ct_zeros(0)), "(0)");
    CHECK_VALUES(ct_expr("a + b", ct_scalar(1), ct_scalar(2)), 0, 3);
    CHECK_SHAPE(ct_expr("a + b", ct_zeros(3, 1), ct_zeros(2)), "(3, 2)");
    CHECK_VALUES(ct_expr("a", ct_tensor_of(1, 2)), 0, 1, 2);
    CHECK_VALUES(ct_expr(" 2 * a ", ct_tensor_of(1, 2)), 0, 2, 4);
    CHECK_VALUES(ct_expr("1 < 2 < 3 ? a : 0", ct_tensor_of(1, 2)), 0, 1, 2);
    /* any order: d^3/dx^3 of x^4 */
    ct_tensor *t = LEAF64(2), *d = ct_expr("a*a*a*a", t);
    double want[] = {32, 48, 48, 24};
    for (int k = 0; k < 4; k++) {
        d = ct_grad(d, t, .create_graph = true);
        CHECK_NEAR(ct_item(d), want[k], 1e-13);
    }
    /* one operand under two names */
    CHECK_NEAR(ct_item(ct_grad(ct_expr("a*b", t, t), t)), 4, 0);
    /* errors: one, at the call, naming the place */
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a +", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a b", t, t));
    CHECK(strstr(test_message, "b") != NULL);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a + frob(a)", t));
    CHECK(strstr(test_message, "frob") || strstr(test_message, "a)"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a + b", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("(a", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a)", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a ? a", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("exp(a, a)", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("pow(a)", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("elu(a)", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a @ a", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a = a", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("1.2.3*a", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("\xff", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a + y", t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr("a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a + a", t));
    char deep[301];
    memset(deep, '(', 150), deep[150] = 'a', memset(deep + 151, ')', 149), deep[300] = 0;
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr(deep, t));
    CHECK(strstr(test_message, "deep") != NULL);
    memset(deep, '-', 299), deep[299] = 'a';
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr(deep, t));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expr("a + b", ct_zeros(2), ct_zeros(3)));
    CHECK_ERROR(CT_ERR_NULL, ct_expr(NULL, t));
    CHECK_QUIET(ct_expr("a + b", t, NULL));
    test_expect();
    bool none = (ct_expr)("a", &t, 0) == NULL;
    test_expected(none, CT_ERR_ARGUMENT, 0, __FILE__, __LINE__, "no operands");
    ct_scope_end();
}

/* ---- gradcheck itself must be able to fail ---- */
static bool lying_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (gin[0] = ct_mul(ct_mul(g, 2), ct_square(ct_saved(self, 0)))) != NULL; }
static const ct_custom_function lie = {"lie", cube_forward, lying_backward, NULL};
static bool broken_second(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return (gin[0] = ct_mul(ct_mul(g, 3), ct_square(ct_detach(ct_saved(self, 0))))) != NULL; }
static const ct_custom_function half_true = {"half_true", cube_forward, broken_second, NULL};
static ct_tensor *call_custom(ct_tensor *const *in, int n, void *user)
{
    static int one = 1;
    return ct_apply_custom((const ct_custom_function *)user, &one, in, n);
}
static void checks(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF64(1, 2), *f = LEAF(1, 2);
    test_expect();
    bool ok = ct_gradcheck(call_custom, &x, 1, (void *)(uintptr_t)&lie);
    test_expected(!ok, CT_ERR_AUTOGRAD, __LINE__ - 1, __FILE__, __LINE__, "gradcheck of a wrong gradient");
    CHECK(ct_gradcheck(call_custom, &x, 1, (void *)(uintptr_t)&half_true));
    test_expect();
    ok = ct_gradgradcheck(call_custom, &x, 1, (void *)(uintptr_t)&half_true);
    test_expected(!ok, CT_ERR_AUTOGRAD, __LINE__ - 1, __FILE__, __LINE__, "gradgradcheck of a wrong second gradient");
    CHECK_ERROR(CT_ERR_DTYPE, ct_gradcheck(call_text, &f, 1, (void *)(uintptr_t)"a*a"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_gradcheck(call_text, &x, 0, (void *)(uintptr_t)"a*a"));
    ct_scope_end();
}

/* ---- the graph as text ---- */
static int occurrences(const char *text, const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at++) n++;
    return n;
}
static void dot(void)
{
    ct_scope_begin();
    ct_tensor *x = LEAF(1, 2), *w = LEAF(3), *h = ct_mul(x, w), *y = ct_sum(ct_add(ct_exp(h), h));
    char *text = ct_graph_dot(y);
    CHECK(text != NULL);
    if (text) {
        CHECK(!strncmp(text, "digraph", 7));
        CHECK_INT(occurrences(text, "{"), occurrences(text, "}"));
        CHECK_INT(occurrences(text, "["), occurrences(text, "]"));
        int quotes = occurrences(text, "\"");
        CHECK(quotes > 0 && quotes % 2 == 0);
        CHECK_INT(occurrences(text, "MulBackward0"), 1);
        CHECK_INT(occurrences(text, "ExpBackward0"), 1);
        CHECK_INT(occurrences(text, "AddBackward0"), 1);
        CHECK_INT(occurrences(text, "SumBackward0"), 1);
        CHECK_INT(occurrences(text, "leaf"), 2);
        CHECK_INT(occurrences(text, "->"), 7); /* 2 + 1 + 2 + 1 edges, and the output's */
        CHECK(strstr(text, "test_autograd.c:") != NULL);
        const char *last = strrchr(text, '}');
        CHECK(last && (last[1] == 0 || (last[1] == '\n' && last[2] == 0)));
    }
    ct_free_text(text);
    text = ct_graph_dot(ct_zeros(2, 3)); /* no history: the output alone */
    CHECK(text && strstr(text, "(2, 3)") && occurrences(text, "{") == 1);
    ct_free_text(text);
    text = ct_graph_dot(x); /* a leaf */
    CHECK(text && occurrences(text, "{") == 1);
    ct_free_text(text);
    CHECK_QUIET(ct_graph_dot(NULL));
    /* the graph still runs */
    CHECK(ct_backward(y));
    ct_scope_end();
}

int main(void)
{
    test_init();
    accumulate();
    retain();
    orders();
    hooks();
    overwritten();
    retained();
    modes();
    versions();
    misuse();
    graphs();
    custom();
    expressions();
    nested_engines();
    checks();
    dot();
    long_chain();
    ct_shutdown();
    ct_memory_info m = ct_memory_stats();
    CHECK_INT(m.tensors, 0);
    CHECK_INT(m.nodes, 0);
    CHECK_INT(m.live_bytes, 0);
    return test_done();
}
