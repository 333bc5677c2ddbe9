/* Winograd's way of convolution: against double, with infinities, on two threads. Prints "N passed, N failed" */
#include "ctorch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static int passed, failed;
#define CHECK(x) ((x) ? passed++ : (failed++, printf("%s:%d: %s\n", __FILE__, __LINE__, #x)))

/* results and gradients in type */
static int all(int dtype, ct_tensor *x, ct_tensor *w, ct_tensor *b, int pad, ct_tensor *g, ct_tensor **out)
{
    ct_tensor *a = ct_requires_grad_(ct_detach(ct_to(x, dtype)), true), *k = ct_requires_grad_(ct_detach(ct_to(w, dtype)), true);
    ct_tensor *y = ct_conv2d(a, k, b ? ct_to(b, dtype) : NULL, .padding = pad);
    if (!y || !ct_backward(y, ct_to(g, dtype))) return 0;
    out[0] = y, out[1] = ct_grad_of(a), out[2] = ct_grad_of(k);
    return 1;
}
static void compare(int N, int C, int O, int H, int W, int r, int pad)
{
    ct_scope_begin();
    ct_tensor *x = ct_randn(N, C, H, W), *w = ct_randn(O, C, r, r), *b = ct_randn(O), *g = ct_randn(N, O, H + 2 * pad - r + 1, W + 2 * pad - r + 1), *one[3], *two[3], *three[3];
    int ok = all(CT_F32, x, w, b, pad, g, one) && all(CT_F64, x, w, b, pad, g, two);
    for (int i = 0; i < 3 && ok; i++)
        ok = ct_item(ct_max(ct_abs(ct_sub(ct_to(one[i], CT_F64), two[i])))) < 1e-5 * ct_item(ct_max(ct_abs(two[i])));
    CHECK(ok);
    int threads = ct_get_num_threads();
    ct_set_num_threads(threads > 1 ? 1 : 3);
    ok = ok && all(CT_F32, x, w, b, pad, g, three);
    ct_set_num_threads(threads);
    for (int i = 0; i < 3 && ok; i++) ok = ct_equal(one[i], three[i]);
    CHECK(ok);
    ct_scope_end();
}
/* What is not finite stays where it is. */
static void infinities(void)
{
    ct_scope_begin();
    ct_tensor *x = ct_randn(1, 16, 20, 20), *w = ct_randn(16, 16, 3, 3);
    float *p = (float *)ct_data(x);
    p[5 * 400 + 7 * 20 + 7] = INFINITY;
    ct_tensor *y = ct_conv2d(x, w, NULL, .padding = 1);
    const float *q = (const float *)ct_data(y);
    int inside = 0, outside = 0;
    for (int c = 0; c < 16; c++)
        for (int i = 0; i < 400; i++)
            if (!isfinite(q[c * 400 + i])) (abs(i / 20 - 7) <= 1 && abs(i % 20 - 7) <= 1) ? inside++ : outside++;
    CHECK(inside == 9 * 16 && outside == 0);
    p[5 * 400 + 7 * 20 + 7] = 1e38f; /* too large for the transforms, not for the sums */
    w = ct_full(0.1, 16, 16, 3, 3);
    CHECK(ct_item(ct_max(ct_abs(ct_conv2d(x, w, NULL, .padding = 1)))) < 1.1e37);
    ct_scope_end();
}
int main(void)
{
    ct_manual_seed(3);
    for (int r = 2; r <= 5; r++)
        for (int pad = 0; pad < r; pad++) compare(2, 16, 24, 13, 18, r, pad);
    compare(1, 17, 19, 13, 11, 3, 1), compare(3, 20, 9, 9, 30, 3, 0), compare(1, 9, 40, 90, 70, 3, 1), compare(9, 12, 37, 6, 7, 3, 1), compare(2, 130, 300, 8, 8, 3, 1), compare(1, 8, 8, 200, 300, 3, 1), compare(40, 70, 66, 8, 8, 5, 2);
    infinities();
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
