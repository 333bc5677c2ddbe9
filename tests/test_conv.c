/* Convolution, pooling, padding and resampling against plain loops in double; gradients; errors; threads; memory.
   cc -O2 -std=c11 -I. test_conv.c -lm -lpthread; prints "N passed, N failed" */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

static int passed, failed;
static char last_message[512];
static ct_error_code last_code;
static void quiet(const ct_error *e, void *user)
{
    (void)user;
    last_code = e->code;
    snprintf(last_message, sizeof last_message, "%s", e->message);
}
static void check(int ok, const char *what, int line)
{
    if (ok) passed++;
    else failed++, printf("FAIL line %d: %s%s%s\n", line, what, ct_ok() ? "" : ": ", ct_ok() ? "" : last_message);
    ct_clear_error();
}
#define CHECK(x) check((x) != 0, #x, __LINE__)
#define FAILS(x, code, text) check((x) == NULL && last_code == (code) && strstr(last_message, text) != NULL, #x, __LINE__)

static uint64_t seed = 1;
static int64_t pick(int64_t lo, int64_t hi)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return lo + (int64_t)((seed >> 33) % (uint64_t)(hi - lo + 1));
}
static ct_tensor *fill(ct_dtype dtype, ct_shape s)
{
    ct_tensor *t = (ct_zeros_dtype)(CT_F64, s);
    for (int64_t i = 0; i < ct_numel(t); i++) ct_data_f64(t)[i] = (double)pick(-24, 24) / (dtype == CT_I64 ? 1 : 8);
    return ct_to(t, dtype);
}
#define FILL(...) fill(CT_F64, CT_SHAPE(__VA_ARGS__))
static double *values(ct_tensor *t) { return ct_data_f64(ct_contiguous(ct_to(t, CT_F64))); }

typedef struct { int64_t N, C, O, G, in[2], k[2], stride[2], pad[2], dil[2], out[2]; } Conv;
/* y[n,o,p,q] = b[o] + sum x*w, and its two adjoints: role 1 makes x from y and w, role 2 makes w from x and y */
static void naive(const Conv *c, int role, double *x, double *w, double *y, double *size)
{
    int64_t Cg = c->C / c->G, Og = c->O / c->G;
    for (int64_t n = 0; n < c->N; n++) for (int64_t o = 0; o < c->O; o++) for (int64_t ch = 0; ch < Cg; ch++)
        for (int64_t p = 0; p < c->out[0]; p++) for (int64_t q = 0; q < c->out[1]; q++)
            for (int64_t i = 0; i < c->k[0]; i++) for (int64_t j = 0; j < c->k[1]; j++) {
                int64_t h = p * c->stride[0] - c->pad[0] + i * c->dil[0], v = q * c->stride[1] - c->pad[1] + j * c->dil[1];
                if (h < 0 || v < 0 || h >= c->in[0] || v >= c->in[1]) continue;
                double *a = x + ((n * c->C + o / Og * Cg + ch) * c->in[0] + h) * c->in[1] + v, *b = w + ((o * Cg + ch) * c->k[0] + i) * c->k[1] + j;
                double *r = y + ((n * c->O + o) * c->out[0] + p) * c->out[1] + q;
                if (role == 0) *r += *a * *b, size[r - y] += fabs(*a * *b);
                else if (role == 1) *a += *r * *b, size[a - x] += fabs(*r * *b);
                else *b += *a * *r, size[b - w] += fabs(*a * *r);
            }
}
static int close_to(ct_tensor *t, const double *want, const double *size, double eps)
{
    double *got = t ? values(t) : NULL;
    for (int64_t i = 0; t && i < ct_numel(t); i++)
        if (!(fabs(got[i] - want[i]) <= eps * (size[i] + fabs(want[i]) + 1))) return 0;
    return t != NULL;
}
static int convolve_case(ct_dtype type, const Conv *c)
{
    double eps = type == CT_F32 ? 2e-6 : type == CT_F16 ? 2e-3 : type == CT_BF16 ? 2e-2 : 1e-14;
    ct_tensor *x = fill(type, CT_SHAPE(c->N, c->C, c->in[0], c->in[1])), *w = fill(type, CT_SHAPE(c->O, c->C / c->G, c->k[0], c->k[1])), *b = pick(0, 1) ? fill(type, CT_SHAPE(c->O)) : NULL;
    bool grad = type != CT_I64;
    if (grad) ct_requires_grad_(x, true), ct_requires_grad_(w, true);
    ct_tensor *y = ct_conv2d(x, w, b, .stride_hw = {c->stride[0], c->stride[1]}, .padding_hw = {c->pad[0], c->pad[1]}, .dilation_hw = {c->dil[0], c->dil[1]}, .groups = c->G);
    if (!y || ct_size(y, 2) != c->out[0] || ct_size(y, 3) != c->out[1] || ct_size(y, 1) != c->O) return 0;
    double *X = values(x), *W = values(w), *Y = ct_data_f64(ct_zeros_dtype(CT_F64, ct_numel(y) + 1)), *S = ct_data_f64(ct_zeros_dtype(CT_F64, ct_numel(y) + ct_numel(x) + ct_numel(w) + 1));
    for (int64_t i = 0; b && i < ct_numel(y); i++) Y[i] = values(b)[i / (c->out[0] * c->out[1]) % c->O];
    naive(c, 0, X, W, Y, S);
    if (!close_to(y, Y, S, eps)) return 0;
    if (!grad) return 1;
    ct_tensor *g = fill(type, ct_shape_of(y)), *in[2] = {x, w}, *out[2];
    if (!ct_grad_many(&y, &g, 1, in, out, 2, (ct_grad_opts){.ct_end_ = 0})) return 0;
    double *gx = ct_data_f64(ct_zeros_dtype(CT_F64, ct_numel(x) + 1)), *gw = ct_data_f64(ct_zeros_dtype(CT_F64, ct_numel(w) + 1));
    memset(S, 0, (size_t)(ct_numel(y) + ct_numel(x) + ct_numel(w)) * sizeof *S);
    naive(c, 1, gx, W, values(g), S);
    if (!close_to(out[0], gx, S, eps)) return 0;
    memset(S, 0, (size_t)ct_numel(w) * sizeof *S);
    naive(c, 2, X, gw, values(g), S);
    return close_to(out[1], gw, S, eps);
}
static void test_convolutions(int rounds)
{
    static const ct_dtype types[] = {CT_F32, CT_F64, CT_F64, CT_F32, CT_F16, CT_BF16, CT_I64};
    for (int r = 0; r < rounds; r++) {
        Conv c;
        c.N = pick(0, 9) ? pick(1, 4) : 0, c.G = pick(0, 2) ? 1 : pick(1, 5), c.C = c.G * (pick(0, 1) ? 1 : pick(1, 6)), c.O = c.G * (pick(0, 1) ? 1 : pick(1, 9));
        for (int d = 0; d < 2; d++) {
            c.k[d] = pick(1, 4), c.stride[d] = pick(0, 1) ? 1 : pick(1, 4), c.dil[d] = pick(0, 2) ? 1 : pick(1, 3), c.pad[d] = pick(0, 3);
            int64_t extent = c.dil[d] * (c.k[d] - 1) + 1;
            c.in[d] = pick(1, pick(0, 6) ? 12 : 70);
            if (c.in[d] + 2 * c.pad[d] < extent) c.in[d] = extent;
            c.out[d] = (c.in[d] + 2 * c.pad[d] - extent) / c.stride[d] + 1;
        }
        ct_scope_begin();
        ct_dtype type = types[pick(0, 6)];
        char text[256];
        snprintf(text, sizeof text, "%s N%d C%d O%d G%d in %dx%d k %dx%d stride %d,%d pad %d,%d dil %d,%d", ct_dtype_name(type), (int)c.N, (int)c.C, (int)c.O, (int)c.G, (int)c.in[0], (int)c.in[1],
                 (int)c.k[0], (int)c.k[1], (int)c.stride[0], (int)c.stride[1], (int)c.pad[0], (int)c.pad[1], (int)c.dil[0], (int)c.dil[1]);
        check(convolve_case(type, &c), text, __LINE__);
        ct_scope_end();
    }
}
/* sizes that take the other ways: several chunks of images, images in pieces, many images per product, wide sums */
static void test_large(void)
{
    static const Conv big[] = {{5, 3, 40, 1, {150, 151}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {150, 151}}, {3, 24, 8, 1, {120, 120}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {60, 60}},
        {90, 5, 7, 1, {9, 9}, {3, 3}, {2, 2}, {1, 1}, {1, 1}, {5, 5}}, {50, 40, 50, 1, {4, 4}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {4, 4}}, {3, 64, 40, 1, {20, 20}, {1, 1}, {1, 1}, {0, 0}, {1, 1}, {20, 20}},
        {2, 24, 24, 24, {70, 70}, {5, 5}, {2, 2}, {2, 2}, {1, 1}, {35, 35}}, {7, 16, 32, 4, {30, 30}, {3, 3}, {1, 1}, {1, 1}, {1, 1}, {30, 30}}};
    for (size_t i = 0; i < sizeof big / sizeof *big; i++) {
        ct_scope_begin();
        check(convolve_case(i % 2 ? CT_F32 : CT_F64, &big[i]), "large convolution", __LINE__);
        ct_scope_end();
    }
}
static void test_forms(void) /* 1-d, 3-d, unbatched, same, transposed: by way of the 2-d one, or the adjoint */
{
    ct_tensor *x = FILL(2, 3, 11), *w = FILL(4, 3, 4), *b = FILL(4), *u = FILL(3, 9, 8), *v = FILL(5, 3, 3, 4);
    ct_tensor *y = ct_conv1d(x, w, b, .stride = 2, .padding = 3, .dilation = 2), *z = ct_conv2d(ct_unsqueeze(x, 2), ct_unsqueeze(w, 2), b, .stride_hw = {1, 2}, .padding_hw = {0, 3}, .dilation_hw = {1, 2});
    CHECK(y && ct_equal(y, ct_squeeze_dim(z, 2)) && ct_size(y, 2) == 6);
    CHECK(ct_equal(ct_conv2d(u, v, NULL, .padding = 1), ct_select(ct_conv2d(ct_unsqueeze(u, 0), v, NULL, .padding = 1), 0, 0)));
    CHECK(ct_equal(ct_conv2d(u, v), ct_conv2d(u, v, NULL)));
    ct_tensor *s = ct_conv2d(u, v, NULL, .padding_same = true, .dilation_hw = {2, 3});
    CHECK(s && ct_size(s, 1) == 9 && ct_size(s, 2) == 8 && ct_allclose(s, ct_conv2d(ct_pad(u, CT_SHAPE(4, 5, 2, 2)), v, NULL, .dilation_hw = {2, 3}), 1e-12, 1e-12, false));
    ct_tensor *a = FILL(2, 2, 5, 6, 4), *k = FILL(3, 2, 2, 3, 2), *deep = ct_conv3d(a, k, NULL, .stride = 2, .padding = 1), *sum = NULL;
    for (int d = 0; d < 2; d++) { /* depth 1 of the result reads input planes 1 and 2 */
        ct_tensor *part = ct_conv2d(ct_select(a, 2, 1 + d), ct_select(k, 2, d), NULL, .stride = 2, .padding = 1);
        sum = sum ? ct_add(sum, part) : part;
    }
    CHECK(deep && ct_size(deep, 2) == 3 && ct_allclose(ct_select(deep, 2, 1), sum, 1e-12, 1e-12, false));
    for (int pad = 0; pad < 2; pad++) { /* stride 1: plane by plane of the frame */
        ct_tensor *p = FILL(2, 3, 4, 9, 18), *q = FILL(5, 3, 2, 2, 3), *y3 = ct_conv3d(p, q, NULL, .padding = pad);
        for (int d = 0; d < 3; d++) {
            ct_tensor *both = ct_add(ct_conv2d(ct_select(p, 2, d), ct_select(q, 2, 0), NULL, .padding = pad), ct_conv2d(ct_select(p, 2, d + 1), ct_select(q, 2, 1), NULL, .padding = pad));
            CHECK(y3 && ct_size(y3, 2) == 3 + 2 * pad && ct_allclose(ct_select(y3, 2, d + pad), both, 1e-12, 1e-12, false));
        }
    }
    /* <conv(x), g> = <x, conv_transpose(g)> */
    ct_tensor *X = FILL(2, 4, 9, 10), *W = FILL(6, 2, 3, 3), *g = FILL(2, 6, 4, 5);
    ct_tensor *T = ct_conv_transpose2d(g, W, NULL, .stride = 2, .padding_hw = {0, 1}, .groups = 2, .output_padding_hw = {0, 1});
    CHECK(T && ct_size(T, 2) == 9 && ct_size(T, 3) == 10);
    CHECK(fabs(ct_item(ct_sum(ct_mul(T, X))) - ct_item(ct_sum(ct_mul(g, ct_conv2d(X, W, NULL, .stride = 2, .padding_hw = {0, 1}, .groups = 2))))) < 1e-9);
    ct_tensor *bias = FILL(4);
    CHECK(ct_allclose(ct_conv_transpose2d(g, W, bias, .stride = 2, .groups = 2), ct_add(ct_conv_transpose2d(g, W, NULL, .stride = 2, .groups = 2), ct_reshape(bias, 4, 1, 1)), 1e-12, 1e-12, false));
    CHECK(ct_size(ct_conv_transpose1d(FILL(2, 3, 7), FILL(3, 5, 4), NULL, .stride = 3), 2) == 22 && ct_size(ct_conv_transpose3d(FILL(1, 2, 2, 2, 2), FILL(2, 1, 2, 2, 2), NULL, .stride = 2), 4) == 4);
    CHECK(ct_dim(ct_conv_transpose2d(FILL(3, 4, 4), FILL(3, 2, 2, 2))) == 3);
    CHECK(ct_numel(ct_conv2d(ct_zeros(0, 3, 5, 5), ct_zeros(2, 3, 3, 3))) == 0);
}

static double at(const double *p, int64_t h, int64_t w, int64_t H, int64_t W, double outside) { return h < 0 || w < 0 || h >= H || w >= W ? outside : p[h * W + w]; }
static void test_pools(int rounds)
{
    for (int r = 0; r < rounds; r++) {
        int64_t k[2], s[2], p[2], d[2], in[2], out[2], N = pick(1, 3);
        bool ceil_mode = pick(0, 1), exclude = pick(0, 1), bad = false;
        int64_t divisor = pick(0, 3) ? 0 : 3;
        for (int i = 0; i < 2; i++) {
            k[i] = pick(1, 4), s[i] = pick(1, 3), p[i] = pick(0, k[i] / 2), d[i] = pick(0, 3) ? 1 : 2, in[i] = pick(1, 300 / (299 * (r % 10 > 0) + 1) * 4 + 9);
            int64_t room = in[i] + 2 * p[i] - d[i] * (k[i] - 1) - 1;
            bad = bad || room < 0 || in[i] < d[i];
            out[i] = room < 0 ? 0 : (room + (ceil_mode ? s[i] - 1 : 0)) / s[i] + 1;
            if (ceil_mode && (out[i] - 1) * s[i] >= in[i] + p[i]) out[i]--;
        }
        if (bad) continue;
        ct_scope_begin();
        ct_dtype type = pick(0, 1) ? CT_F32 : CT_F64;
        ct_tensor *x = fill(type, CT_SHAPE(N, 2, in[0], in[1])), *places, *y, *a = NULL;
        if (pick(0, 2) == 0) x = ct_contiguous(ct_where(ct_eq(x, 1), NAN, x));
        y = ct_max_pool2d(x, 0, .kernel_hw = {k[0], k[1]}, .stride_hw = {s[0], s[1]}, .padding_hw = {p[0], p[1]}, .dilation_hw = {d[0], d[1]}, .ceil_mode = ceil_mode, .indices = &places);
        if (d[0] == 1 && d[1] == 1) a = ct_avg_pool2d(x, 0, .kernel_hw = {k[0], k[1]}, .stride_hw = {s[0], s[1]}, .padding_hw = {p[0], p[1]}, .ceil_mode = ceil_mode, .exclude_pad = exclude, .divisor_override = divisor);
        int ok = y && ct_size(y, 2) == out[0] && ct_size(y, 3) == out[1];
        double *X = values(x), *Y = ok ? values(y) : NULL, *A = a ? values(a) : NULL;
        for (int64_t i = 0; ok && i < ct_numel(y); i++) {
            const double *plane = X + i / (out[0] * out[1]) * in[0] * in[1];
            int64_t h0 = i / out[1] % out[0] * s[0] - p[0], w0 = i % out[1] * s[1] - p[1], where = ct_data_i64(places)[i], n = 0, e0, e1;
            double most = -INFINITY, sum = 0;
            for (int64_t q = 0; q < k[0] * k[1]; q++) {
                double v = at(plane, h0 + q / k[1] * d[0], w0 + q % k[1] * d[1], in[0], in[1], -INFINITY);
                if (v > most || v != v) most = v;
                v = at(plane, h0 + q / k[1], w0 + q % k[1], in[0], in[1], INFINITY);
                if (v == INFINITY) continue;
                sum += v, n++;
            }
            e0 = h0 + k[0] < in[0] + p[0] ? k[0] : in[0] + p[0] - h0, e1 = w0 + k[1] < in[1] + p[1] ? k[1] : in[1] + p[1] - w0;
            double mean = sum / (double)(divisor ? divisor : exclude ? n : e0 * e1);
            ok = (Y[i] == most || (Y[i] != Y[i] && most != most)) && (plane[where] == most || most != most);
            ok = ok && (!A || fabs(A[i] - mean) < 1e-5 || (mean != mean && A[i] != A[i]));
        }
        check(ok, "pooling", __LINE__);
        ct_scope_end();
    }
    ct_tensor *x = ct_reshape(ct_to(ct_arange(30), CT_F64), 1, 1, 5, 6), *i;
    CHECK(ct_item(ct_adaptive_avg_pool2d(x, 1, 1)) == 14.5 && ct_at(ct_adaptive_avg_pool2d(x, 2, 4), 0, 0, 1, 1) == (13 + 14 + 19 + 20 + 25 + 26) / 6.0);
    CHECK(ct_at(ct_adaptive_max_pool2d(x, 2, -1, &i), 0, 0, 0, 5) == 17 && ct_at(i, 0, 0, 0, 5) == 17 && ct_size(i, 3) == 6);
    CHECK(ct_size(ct_max_pool1d(ct_zeros(2, 3, 9), 2), 2) == 4 && ct_at(ct_avg_pool1d(ct_ones(3, 4), 3, .stride = 1, .padding = 1), 0, 0) == ct_at(ct_div(ct_full(2.0, 1), 3), 0));
    CHECK(ct_numel(ct_max_pool2d(ct_zeros(0, 3, 4, 4), 2)) == 0 && ct_numel(ct_avg_pool2d(ct_zeros(0, 3, 4, 4), 2)) == 0);
    CHECK(ct_at(ct_adaptive_avg_pool1d(ct_tensor_of(1, 2, 3, 6) ? ct_reshape(ct_tensor_of(1, 2, 3, 6), 1, 4) : NULL, 2), 0, 1) == 4.5);
    CHECK(ct_dtype_of(ct_max_pool2d(ct_to(x, CT_F16), 2)) == CT_F16 && ct_at(ct_max_pool2d(ct_to(x, CT_BF16), 2), 0, 0, 1, 2) == 23);
}
static void test_pads(void)
{
    ct_tensor *x = ct_reshape(ct_to(ct_arange(12), CT_F64), 1, 3, 4), *y;
    CHECK((y = ct_pad(x, CT_SHAPE(1, 2), .value = 7)) && ct_at(y, 0, 1, 0) == 7 && ct_at(y, 0, 1, 1) == 4 && ct_size(y, 2) == 7);
    CHECK((y = ct_pad(x, CT_SHAPE(-1, 0, 2, -1))) && ct_size(y, 1) == 4 && ct_at(y, 0, 1, 0) == 0 && ct_at(y, 0, 2, 0) == 1);
    CHECK((y = ct_pad(x, CT_SHAPE(2, 3), .mode = "reflect")) && ct_at(y, 0, 0, 0) == 2 && ct_at(y, 0, 0, 8) == 0);
    CHECK((y = ct_pad(x, CT_SHAPE(2, 3), .mode = "replicate")) && ct_at(y, 0, 1, 1) == 4 && ct_at(y, 0, 1, 8) == 7);
    CHECK((y = ct_pad(x, CT_SHAPE(2, 3), .mode = "circular")) && ct_at(y, 0, 0, 0) == 2 && ct_at(y, 0, 0, 6) == 0);
    CHECK(ct_dtype_of(ct_pad(ct_to(x, CT_I32), CT_SHAPE(1, 1), .value = 3)) == CT_I32 && ct_at(ct_pad(ct_to(x, CT_I32), CT_SHAPE(1, 1), .value = 3), 0, 0, 0) == 3);
    CHECK((y = ct_pad(ct_zeros(0, 2), CT_SHAPE(1, 1))) && ct_numel(y) == 0 && ct_size(y, 1) == 4);
    CHECK((y = ct_interpolate(x, .scale_factor = 2)) && ct_size(y, 2) == 8 && ct_at(y, 0, 0, 3) == 1);
    CHECK((y = ct_interpolate(x, CT_SHAPE(7), .mode = "linear", .align_corners = true)) && ct_at(y, 0, 0, 1) == 0.5 && ct_at(y, 0, 2, 6) == 11);
    CHECK((y = ct_interpolate(x, CT_SHAPE(8), .mode = "linear")) && ct_at(y, 0, 0, 1) == 0.25 && ct_at(y, 0, 0, 0) == 0);
    ct_tensor *z = ct_reshape(ct_to(ct_arange(16), CT_F64), 1, 1, 4, 4);
    CHECK((y = ct_interpolate(z, CT_SHAPE(2, 2), .mode = "bilinear")) && ct_at(y, 0, 0, 0, 0) == 2.5 && ct_at(y, 0, 0, 1, 1) == 12.5);
    CHECK((y = ct_interpolate(z, CT_SHAPE(2, 2), .mode = "area")) && ct_at(y, 0, 0, 0, 1) == 4.5);
    CHECK((y = ct_interpolate(z, .scale_factor = 2, .mode = "bicubic")) && ct_at(y, 0, 0, 3, 3) == 6.484375 && ct_at(y, 0, 0, 4, 4) == 15 - 6.484375); /* torch 1.13 */
    CHECK((y = ct_interpolate(z, CT_SHAPE(3, 3), .mode = "nearest-exact")) && ct_at(y, 0, 0, 1, 1) == 10);
}

static int which;
static ct_tensor *function(ct_tensor *const *in, int count, void *user)
{
    ct_tensor *b = count > 2 ? in[2] : NULL;
    (void)user;
    switch (which) {
    case 0: return ct_conv2d(in[0], in[1], b, .stride_hw = {2, 1}, .padding = 1, .dilation_hw = {1, 2});
    case 1: return ct_conv2d(in[0], in[1], b, .groups = 2, .padding_hw = {0, 2});
    case 2: return ct_conv_transpose2d(in[0], in[1], b, .stride_hw = {2, 3}, .padding = 1, .output_padding_hw = {1, 2}, .dilation = 2);
    case 3: return ct_conv1d(in[0], in[1], b, .padding_same = true);
    case 4: return ct_max_pool2d(in[0], 3, .stride = 2, .padding = 1, .ceil_mode = true);
    case 5: return ct_avg_pool2d(in[0], 3, .stride_hw = {2, 1}, .padding = 1, .ceil_mode = true, .exclude_pad = true);
    case 6: return ct_adaptive_avg_pool2d(in[0], 2, 3);
    case 7: return ct_adaptive_max_pool2d(in[0], 2, 3, NULL);
    case 8: return ct_pad(in[0], CT_SHAPE(1, -1, 2, 0), .value = 2);
    case 9: return ct_pad(in[0], CT_SHAPE(2, 1, 1, 0), .mode = "reflect");
    case 10: return ct_pad(in[0], CT_SHAPE(2, 1, 1, 3), .mode = "circular");
    case 11: return ct_interpolate(in[0], CT_SHAPE(7, 3), .mode = "bilinear");
    case 12: return ct_interpolate(in[0], .scale_factor = 1.6, .mode = "bicubic");
    case 13: return ct_conv3d(in[0], in[1], b, .stride = 2, .padding = 1);
    case 14: return ct_max_pool1d(in[0], 2, .stride = 1);
    case 15: return ct_interpolate(in[0], .scale_factor = 2);
    default: return ct_pad(in[0], CT_SHAPE(2, 1), .mode = "replicate");
    }
}
static void gradients(int w, ct_tensor *a, ct_tensor *b, ct_tensor *c, int line)
{
    ct_tensor *in[3] = {ct_requires_grad_(a, true), b ? ct_requires_grad_(b, true) : NULL, c ? ct_requires_grad_(c, true) : NULL};
    which = w;
    check(ct_gradcheck(function, in, c ? 3 : b ? 2 : 1, NULL), "gradcheck", line);
    check(ct_gradgradcheck(function, in, c ? 3 : b ? 2 : 1, NULL), "gradgradcheck", line);
}
static ct_tensor *distinct(ct_shape s) /* no ties, so that maxima have a derivative */
{
    ct_tensor *t = (ct_zeros_dtype)(CT_F64, s);
    int64_t n = ct_numel(t);
    for (int64_t i = 0; i < n; i++) ct_data_f64(t)[i] = (double)(i * 7919 % 1009) / 100;
    return t;
}
static void test_gradients(void)
{
    gradients(0, FILL(2, 2, 5, 6), FILL(3, 2, 2, 3), FILL(3), __LINE__);
    gradients(1, FILL(1, 4, 4, 4), FILL(6, 2, 3, 2), FILL(6), __LINE__);
    gradients(1, FILL(2, 2, 4, 4), FILL(2, 1, 3, 2), FILL(2), __LINE__);
    gradients(2, FILL(2, 2, 3, 3), FILL(2, 3, 2, 2), FILL(3), __LINE__);
    gradients(3, FILL(2, 3, 5), FILL(2, 3, 4), FILL(2), __LINE__);
    gradients(13, FILL(1, 2, 3, 4, 3), FILL(2, 2, 2, 3, 2), FILL(2), __LINE__);
    for (int w = 4; w <= 8; w++) gradients(w, distinct(CT_SHAPE(2, 2, 5, 6)), NULL, NULL, __LINE__);
    for (int w = 9; w <= 12; w++) gradients(w, FILL(1, 2, 4, 5), NULL, NULL, __LINE__);
    gradients(15, FILL(1, 2, 4, 5), NULL, NULL, __LINE__);
    gradients(14, distinct(CT_SHAPE(2, 2, 6)), NULL, NULL, __LINE__);
    gradients(16, FILL(1, 2, 4), NULL, NULL, __LINE__);
}
static void test_errors(void)
{
    ct_tensor *x = ct_zeros(1, 4, 8, 8), *w = ct_zeros(6, 4, 3, 3);
    FAILS(ct_conv2d(x, ct_zeros(6, 3, 3, 3)), CT_ERR_SHAPE, "needs an input of 3 channels, not [1,4,8,8]");
    FAILS(ct_conv2d(x, ct_zeros(5, 2, 3, 3), NULL, .groups = 2), CT_ERR_SHAPE, "groups 2 do not divide the 5 outputs");
    FAILS(ct_conv2d(x, ct_zeros(6, 4, 9, 9)), CT_ERR_SHAPE, "kernel larger than the padded input: 9 > 8");
    FAILS(ct_conv2d(x, w, NULL, .stride = -1), CT_ERR_ARGUMENT, "stride -1");
    FAILS(ct_conv2d(x, w, NULL, .padding = -1), CT_ERR_ARGUMENT, "padding -1");
    FAILS(ct_conv2d(x, w, NULL, .dilation = -2), CT_ERR_ARGUMENT, "dilation -2");
    FAILS(ct_conv2d(x, w, NULL, .groups = -2), CT_ERR_ARGUMENT, "groups -2");
    FAILS(ct_conv2d(x, w, NULL, .dilation = INT64_MAX), CT_ERR_OVERFLOW, "absurd");
    FAILS(ct_conv2d(x, w, ct_zeros(5)), CT_ERR_SHAPE, "expected [6]");
    FAILS(ct_conv2d(x, ct_to(w, CT_F64)), CT_ERR_DTYPE, "one type");
    FAILS(ct_conv2d(x, w, NULL, .padding_same = true, .stride = 2), CT_ERR_ARGUMENT, "stride 1");
    FAILS(ct_conv2d(ct_zeros(8, 8), w), CT_ERR_SHAPE, "3-d or 4-d input");
    FAILS(ct_conv2d(x, ct_zeros(6, 4, 0, 3)), CT_ERR_SHAPE, "empty kernel");
    FAILS(ct_conv1d(x, w), CT_ERR_SHAPE, "2-d or 3-d input");
    FAILS(ct_conv_transpose2d(x, ct_zeros(3, 4, 3, 3)), CT_ERR_SHAPE, "needs an input of 3 channels");
    FAILS(ct_conv_transpose2d(x, ct_zeros(4, 4, 3, 3), NULL, .output_padding = 1), CT_ERR_ARGUMENT, "output_padding 1 must be less");
    FAILS(ct_conv_transpose2d(x, ct_zeros(4, 4, 3, 3), NULL, .padding = 5), CT_ERR_SHAPE, "would have size 0");
    FAILS(ct_max_pool2d(x, 0), CT_ERR_ARGUMENT, "kernel 0");
    FAILS(ct_max_pool2d(x, 2, .padding = 2), CT_ERR_ARGUMENT, "half of kernel");
    FAILS(ct_max_pool2d(x, 9), CT_ERR_SHAPE, "kernel larger than the padded input");
    FAILS(ct_avg_pool2d(ct_zeros(8, 8), 2), CT_ERR_SHAPE, "3-d or 4-d");
    FAILS(ct_max_pool2d(ct_zeros_dtype(CT_I64, 1, 4, 4), 2), CT_ERR_DTYPE, "floating");
    FAILS(ct_max_pool2d(ct_zeros(1, 4, 0), 2), CT_ERR_SHAPE, "empty");
    FAILS(ct_adaptive_avg_pool2d(x, -2, 1), CT_ERR_ARGUMENT, "output size -2");
    FAILS(ct_pad(x, CT_SHAPE(1)), CT_ERR_ARGUMENT, "1 amounts");
    FAILS(ct_pad(x, CT_SHAPE(8, 0), .mode = "reflect"), CT_ERR_SHAPE, "pads the last dims");
    FAILS(ct_pad(x, CT_SHAPE(8, 0, 0, 0), .mode = "reflect"), CT_ERR_SHAPE, "at most 7");
    FAILS(ct_pad(x, CT_SHAPE(1, 1), .mode = "mirror"), CT_ERR_ARGUMENT, "no mode");
    FAILS(ct_pad(x, CT_SHAPE(-5, -5)), CT_ERR_SHAPE, "cannot lose 10");
    FAILS(ct_interpolate(x), CT_ERR_ARGUMENT, "give a size");
    FAILS(ct_interpolate(x, CT_SHAPE(2, 2), .mode = "linear"), CT_ERR_SHAPE, "does not go with");
    FAILS(ct_interpolate(x, CT_SHAPE(0, 2)), CT_ERR_SHAPE, "positive");
    FAILS(ct_interpolate(x, CT_SHAPE(2, 2), .align_corners = true), CT_ERR_ARGUMENT, "align_corners");
    ct_clear_error();
    CHECK(!ct_conv2d(NULL, w) && !ct_conv2d(x, NULL) && !ct_max_pool2d(NULL, 2) && !ct_pad(NULL, CT_SHAPE(1, 1)) && !ct_interpolate(NULL, CT_SHAPE(2, 2)) && ct_ok());
}
static ct_tensor *gradient_bits(int threads, ct_tensor *x, ct_tensor *w, int groups)
{
    ct_set_num_threads(threads);
    ct_tensor *y = ct_conv2d(x, w, NULL, .padding = 1, .groups = groups), *in[2] = {x, w}, *out[2], *g = ct_ones_like(y);
    if (!ct_grad_many(&y, &g, 1, in, out, 2, (ct_grad_opts){.ct_end_ = 0})) return NULL;
    return ct_cat(0, ct_ravel(ct_detach(y)), ct_ravel(out[0]), ct_ravel(out[1]), ct_ravel(ct_max_pool2d(ct_detach(y), 2)), ct_ravel(ct_avg_pool2d(ct_detach(y), 2)));
}
static void test_threads(void)
{
    static const int shape[][5] = {{6, 3, 32, 33, 1}, {20, 16, 24, 7, 1}, {3, 12, 12, 40, 12}, {5, 8, 16, 20, 4}};
    for (int i = 0; i < 4; i++) {
        const int *s = shape[i];
        ct_tensor *x = ct_requires_grad_(ct_randn(s[0], s[1], s[3], s[3]), true), *w = ct_requires_grad_(ct_randn(s[2], s[1] / s[4], 3, 3), true);
        CHECK(ct_equal(gradient_bits(1, x, w, s[4]), gradient_bits(3, x, w, s[4])));
    }
    ct_set_num_threads(0);
}
static long calls, fail_at;
static void *test_alloc(size_t n, void *user) { (void)user; return fail_at && ++calls >= fail_at ? NULL : malloc(n); }
static void test_free(void *p, size_t n, void *user) { (void)n, (void)user; free(p); }
static bool step(void)
{
    ct_tensor *x = ct_requires_grad_(ct_ones(3, 4, 12, 12), true), *w = ct_requires_grad_(ct_ones(6, 4, 3, 3), true), *b = ct_requires_grad_(ct_ones(6), true), *d = ct_requires_grad_(ct_ones(6, 1, 3, 3), true);
    ct_tensor *y = ct_max_pool2d(ct_conv2d(x, w, b, .padding = 1, .stride = 2), 2);
    y = ct_pad(ct_avg_pool2d(ct_conv2d(y, d, NULL, .padding = 1, .groups = 6), 2, .stride = 1), CT_SHAPE(1, 1, 1, 1), .mode = "reflect");
    y = ct_interpolate(ct_conv_transpose2d(y, ct_ones(6, 2, 2, 2), NULL, .stride = 2), .scale_factor = 2, .mode = "bilinear");
    return y && ct_backward(ct_sum(y)) && ct_grad_of(x) && ct_grad_of(d) && ct_conv2d(ct_to(ct_detach(x), CT_BF16), ct_to(ct_detach(w), CT_BF16));
}
static void test_memory(void)
{
    bool done = false;
    for (fail_at = 1; !done && fail_at < 3000; fail_at++) {
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
    CHECK(done && fail_at > 20);
    fail_at = 0;
    int64_t taken = 0; /* a warm loop takes nothing more from the host */
    for (int i = 0; i < 8; i++) {
        if (i == 4) taken = ct_memory_stats().host_allocs;
        ct_scope_begin();
        CHECK(step());
        ct_scope_end();
    }
    CHECK(taken == ct_memory_stats().host_allocs);
}
int main(void)
{
    ct_allocator a = {test_alloc, test_free, NULL};
    ct_set_allocator(&a);
    ct_set_error_handler(quiet, NULL);
    test_convolutions(400);
    test_large();
    test_forms();
    test_pools(200);
    test_pads();
    test_gradients();
    test_errors();
    test_threads();
    test_memory();
    printf("%d passed, %d failed\n", passed, failed);
    ct_shutdown();
    return failed != 0;
}
