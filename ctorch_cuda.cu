/* ctorch_cuda.cu - ctorch's tensors on NVIDIA GPUs: the companion of ctorch.h. Needs the CUDA runtime and cuBLAS.

       nvcc -O3 -std=c++17 -arch=native -c ctorch_cuda.cu
       cc -O2 train.c ctorch_cuda.o -L/usr/local/cuda/lib64 -lcublas -lcudart -lstdc++ -lm -lpthread

       if (ct_cuda_init()) ct_set_default_device(CT_CUDA);    creators make GPU tensors from now on; ct_to_device moves others

   Has kernels for every pointwise row and its derivatives, copies and casts, reductions, and matrix products. The rest runs on
   the CPU, with copies: ct_fallback_count(CT_CUDA, primitive) tells how often.
   All work goes to one stream, the default one, in the order of the calls. A call returns before its kernel has run; whatever
   brings a value to the CPU (ct_item, ct_to_device, a fallback) waits for it. Reductions are cut by size and
   combined in a fixed order: the same bits in every run, on every GPU.
   Environment: CUDA_VISIBLE_DEVICES chooses the GPU; CT_CUDA_NO_CACHE=1 takes every block from cudaMalloc, for compute-sanitizer.
   tests/cuda_on_cpu.h lets g++ compile this file and run its grids on the CPU.

   >>memory   blocks kept for reuse, copies to and from the host
   >>layout   strides, broadcasting and dtypes of a loop's operands, given to kernels by value
   >>math     the functions that the table's rows name
   >>rows     the pointwise table as kernels
   >>reduce   deterministic trees
   >>matmul   cuBLAS on the strides it can take
   >>backend  ct_cuda_init */
#define CTORCH_TABLE
#include "ctorch.h"
#include <math.h>
#include <mutex>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <type_traits>
#include <utility>
#ifndef CT_CUDA_ON_CPU
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>
#define CT_LAUNCH(kernel, grid, block, shared, ...) kernel<<<grid, block, shared>>>(__VA_ARGS__)
#define CT_UNROLL _Pragma("unroll 4")
#endif

#ifndef CT__GRID
#define CT__GRID 65536 /* most blocks of a launch: loops take the rest; tests lower it */
#endif
enum { CT__THREADS = 256 }; /* of a block */

static bool ct__cuda_ok(cudaError_t e, const char *function)
{
    if (e == cudaSuccess) return true;
    cudaGetLastError(); /* this one is reported: the next call starts anew */
    return ct_fail(e == cudaErrorMemoryAllocation ? CT_ERR_MEMORY : CT_ERR_DEVICE, function, cudaGetErrorString(e));
}

/* ---- >>memory ------------------------------------------------------------------------------------------------------
   Blocks come in multiples of 256 bytes up to 1 KB, then in four sizes per doubling. Freed ones wait for the next of their size: a
   kernel still in flight is no danger, as whatever uses the block next stands behind it in the stream. */
enum { CT__SIZES = 4 + 4 * 40 };
struct ct__block_list { void **block; int count, capacity; };
static ct__block_list ct__free_blocks[CT__SIZES];
static ct_memory_info ct__memory;
static std::mutex ct__memory_lock;
static bool ct__no_cache;

static int ct__size_of(size_t bytes, size_t *rounded)
{
    int octave = 0; /* 1024 * 2^octave < bytes <= 1024 * 2^(octave+1) */
    if (bytes <= 1024) {
        int k = bytes ? (int)((bytes - 1) / 256) : 0;
        *rounded = (size_t)(k + 1) * 256;
        return k;
    }
    while (octave < 39 && ((size_t)2048 << octave) < bytes) octave++;
    size_t quarter = (size_t)256 << octave, k = (bytes - 4 * quarter + quarter - 1) / quarter;
    *rounded = (4 + k) * quarter;
    return 4 + 4 * octave + (int)k - 1;
}
static size_t ct__size_at(int k) { return k < 4 ? (size_t)(k + 1) * 256 : (size_t)(4 + (k - 4) % 4 + 1) * ((size_t)256 << (k - 4) / 4); }

static void ct__release_blocks(void)
{
    for (int k = 0; k < CT__SIZES; k++) {
        ct__block_list *l = &ct__free_blocks[k];
        ct__memory.cached_bytes -= (int64_t)l->count * (int64_t)ct__size_at(k);
        while (l->count) cudaFree(l->block[--l->count]);
    }
}
static void *ct__take(size_t bytes)
{
    void *p = NULL;
    ct__memory.host_allocs++;
    if (cudaMalloc(&p, bytes) == cudaSuccess) return p;
    cudaGetLastError(); /* the caller reports it */
    return NULL;
}
static void *ct__device_alloc(size_t bytes)
{
    if (bytes >> 31 >> 18) return NULL; /* half a petabyte: beyond our sizes, and any GPU */
    std::lock_guard<std::mutex> hold(ct__memory_lock);
    size_t size = bytes;
    int k = ct__no_cache ? 0 : ct__size_of(bytes, &size);
    ct__block_list *l = &ct__free_blocks[k];
    void *p;
    if (l->count) p = l->block[--l->count], ct__memory.cached_bytes -= (int64_t)size;
    else if (!(p = ct__take(size))) ct__release_blocks(), p = ct__take(size);
    if (!p) return NULL;
    ct__memory.live_bytes += (int64_t)size;
    int64_t taken = ct__memory.live_bytes + ct__memory.cached_bytes;
    if (taken > ct__memory.peak_bytes) ct__memory.peak_bytes = taken;
    return p;
}
static void ct__device_free(void *p, size_t bytes)
{
    std::lock_guard<std::mutex> hold(ct__memory_lock);
    size_t size = bytes;
    int k = ct__no_cache ? 0 : ct__size_of(bytes, &size);
    ct__block_list *l = &ct__free_blocks[k];
    ct__memory.live_bytes -= (int64_t)size;
    if (!ct__no_cache && l->count == l->capacity) {
        int capacity = l->capacity ? 2 * l->capacity : 16;
        void **more = (void **)realloc(l->block, (size_t)capacity * sizeof *more);
        if (more) l->block = more, l->capacity = capacity;
    }
    if (ct__no_cache || l->count == l->capacity) cudaFree(p);
    else l->block[l->count++] = p, ct__memory.cached_bytes += (int64_t)size;
}
static char *ct__scratch(size_t bytes) /* for the kernels that follow: it may be freed as soon as they are launched */
{
    char *p = (char *)ct__device_alloc(bytes);
    if (!p) ct_fail(CT_ERR_MEMORY, "ct_cuda", "no device memory for a temporary copy");
    return p;
}
static bool ct__upload(void *device, const void *host, size_t bytes)
{
    return ct__cuda_ok(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), "ct_to_device");
}
static bool ct__download(void *host, const void *device, size_t bytes)
{
    return ct__cuda_ok(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost), "ct_to_device");
}

/* ---- >>layout ------------------------------------------------------------------------------------------------------
   A loop over the elements of its last operand. Dimensions that are contiguous together in all operands are merged. Operands
   of one element on the CPU (numbers) travel by value: their data is NULL. */
enum { CT__OPERANDS = 6, CT__OUT = 5 }; /* a b c y g and the result */
struct ct__layout {
    int ndim;
    bool direct, small; /* direct: contiguous, of the compute type, aligned to 16 bytes; small: indices fit 32 bits */
    int64_t numel, shape[CT_MAX_DIMS], stride[CT__OPERANDS][CT_MAX_DIMS]; /* strides in bytes, 0 where broadcast */
    char *data[CT__OPERANDS];
    int dtype[CT__OPERANDS];
    double number[CT__OPERANDS];
    int64_t integer[CT__OPERANDS];
};

template <class E> constexpr int ct__type = std::is_same<E, float>::value ? CT_F32 : std::is_same<E, double>::value ? CT_F64 : CT_I64;

/* floating to integer: truncation; NaN and what does not fit give the least integer, narrower ones are cut from 32 bits, as on the CPU */
template <class E, class S> __host__ __device__ inline E ct__to(S x)
{
    if constexpr (std::is_integral<E>::value && std::is_floating_point<S>::value) {
        double d = (double)x;
        if constexpr (sizeof(E) < 8) return (E)(d > -2147483649.0 && d < 2147483648.0 ? (int32_t)d : INT32_MIN);
        else return (E)(d >= -9223372036854775808.0 && d < 9223372036854775808.0 ? (int64_t)d : INT64_MIN);
    } else return (E)x;
}
template <class E> __host__ __device__ inline E ct__load(const char *p, int dtype)
{
    switch (dtype) {
    case CT_F32: return ct__to<E>(*(const float *)p);
    case CT_F64: return ct__to<E>(*(const double *)p);
    case CT_I64: return ct__to<E>(*(const int64_t *)p);
    case CT_I32: return ct__to<E>(*(const int32_t *)p);
    case CT_I16: return ct__to<E>(*(const int16_t *)p);
    case CT_I8: return ct__to<E>(*(const int8_t *)p);
    case CT_U8: return ct__to<E>(*(const uint8_t *)p);
    case CT_BOOL: return (E)(*(const uint8_t *)p != 0);
    case CT_F16: return ct__to<E>(__half2float(*(const __half *)p));
    default: return ct__to<E>(__bfloat162float(*(const __nv_bfloat16 *)p));
    }
}
template <class E> __device__ inline void ct__store(char *p, int dtype, E x)
{
    switch (dtype) {
    case CT_F32: *(float *)p = (float)x; break;
    case CT_F64: *(double *)p = (double)x; break;
    case CT_I64: *(int64_t *)p = ct__to<int64_t>(x); break;
    case CT_I32: *(int32_t *)p = ct__to<int32_t>(x); break;
    case CT_I16: *(int16_t *)p = ct__to<int16_t>(x); break;
    case CT_I8: *(int8_t *)p = ct__to<int8_t>(x); break;
    case CT_U8: *(uint8_t *)p = ct__to<uint8_t>(x); break;
    case CT_BOOL: *(uint8_t *)p = x != 0; break;
    case CT_F16: *(__half *)p = __float2half_rn((float)x); break;
    default: *(__nv_bfloat16 *)p = __float2bfloat16_rn((float)x); break;
    }
}

static void ct__layout_init(ct__layout *l, int ndim)
{
    memset(l, 0, sizeof *l);
    l->ndim = ndim, l->numel = 1;
}
/* Operand k is t, broadcast to the layout's shape. */
static bool ct__layout_add(ct__layout *l, int k, ct_tensor *t)
{
    int lead = l->ndim - ct_dim(t);
    int64_t size = (int64_t)ct_element_size(t);
    l->dtype[k] = ct_dtype_of(t);
    if (ct_device_of(t) == CT_CPU && ct_numel(t) != 1) return ct_fail(CT_ERR_DEVICE, "ct_cuda", "an operand lies on the CPU");
    if (ct_device_of(t) == CT_CPU) {
        l->number[k] = ct__load<double>((const char *)ct_data(t), l->dtype[k]);
        l->integer[k] = ct__load<int64_t>((const char *)ct_data(t), l->dtype[k]);
        return true;
    }
    l->data[k] = (char *)ct_data(t);
    for (int d = lead; d < l->ndim; d++) l->stride[k][d] = ct_size(t, d - lead) == 1 ? 0 : ct_stride(t, d - lead) * size;
    return true;
}
static void ct__layout_result(ct__layout *l, ct_tensor *t)
{
    ct__layout_init(l, ct_dim(t));
    for (int d = 0; d < l->ndim; d++) l->shape[d] = ct_size(t, d), l->numel *= l->shape[d];
    ct__layout_add(l, CT__OUT, t);
}
/* Dims in the order of the result's memory: operands that lie as it does become contiguous together. */
static void ct__layout_sort(ct__layout *l)
{
    for (int i = 1; i < l->ndim; i++)
        for (int d = i; d > 0 && l->stride[CT__OUT][d - 1] < l->stride[CT__OUT][d]; d--) {
            std::swap(l->shape[d - 1], l->shape[d]);
            for (int k = 0; k < CT__OPERANDS; k++) std::swap(l->stride[k][d - 1], l->stride[k][d]);
        }
}
static void ct__layout_merge(ct__layout *l)
{
    int n = 0; /* dims kept so far */
    for (int d = 0; d < l->ndim; d++) {
        if (l->shape[d] == 1) continue;
        bool merge = n > 0;
        for (int k = 0; k < CT__OPERANDS && merge; k++) merge = l->stride[k][n - 1] == l->stride[k][d] * l->shape[d];
        int to = merge ? n - 1 : n;
        l->shape[to] = merge ? l->shape[to] * l->shape[d] : l->shape[d];
        for (int k = 0; k < CT__OPERANDS; k++) l->stride[k][to] = l->stride[k][d];
        n = to + 1;
    }
    l->ndim = n;
    l->small = l->numel <= UINT32_MAX;
}
static bool ct__layout_direct(const ct__layout *l, int dtype, int64_t size)
{
    bool direct = l->ndim == 1;
    for (int k = 0; k < CT__OPERANDS && direct; k++)
        if (l->data[k]) direct = l->dtype[k] == dtype && l->stride[k][0] == size && (uintptr_t)l->data[k] % 16 == 0;
    return direct;
}
/* Where element i of operands [0, K) lies. The outermost dim needs no division. */
template <int K> __device__ inline void ct__locate(const ct__layout &l, int64_t i, int64_t *at)
{
    for (int k = 0; k < K; k++) at[k] = 0;
    for (int d = l.ndim - 1; d >= 0; d--) {
        int64_t rest = d == 0 ? 0 : l.small ? (int64_t)((uint32_t)i / (uint32_t)l.shape[d]) : i / l.shape[d];
        int64_t index = i - rest * l.shape[d];
        for (int k = 0; k < K; k++) at[k] += index * l.stride[k][d];
        i = rest;
    }
}
static int ct__blocks_for(int64_t items)
{
    int64_t blocks = (items + CT__THREADS - 1) / CT__THREADS;
    return (int)(blocks < 1 ? 1 : blocks > CT__GRID ? CT__GRID : blocks);
}

/* ---- >>math --------------------------------------------------------------------------------------------------------
   What the rows' texts call, for float, double and int64_t. Where the CPU is exact or has a convention, so is and has this. */
namespace ct__math {
#define CT__LIBM1(X)                                                                                                  \
    X(exp) X(exp2) X(expm1) X(log) X(log2) X(log10) X(log1p) X(sqrt) X(sin) X(cos) X(tan) X(asin) X(acos) X(atan)     \
    X(sinh) X(cosh) X(tanh) X(asinh) X(acosh) X(atanh) X(erf) X(erfc) X(erfinv) X(lgamma) X(floor) X(ceil) X(trunc)
#define CT__LIBM2(X) X(pow) X(atan2) X(hypot) X(copysign) X(fmod)
#define CT__X(name)                                                                                                   \
    __device__ inline float name(float a) { return ::name##f(a); }                                                    \
    __device__ inline double name(double a) { return ::name(a); }
CT__LIBM1(CT__X)
#undef CT__X
#define CT__X(name)                                                                                                   \
    __device__ inline float name(float a, float b) { return ::name##f(a, b); }                                        \
    __device__ inline double name(double a, double b) { return ::name(a, b); }
CT__LIBM2(CT__X)
#undef CT__X
__device__ inline float round(float a) { return ::rintf(a); } /* ties to even */
__device__ inline double round(double a) { return ::rint(a); }
__device__ inline int64_t floor(int64_t a) { return a; }
__device__ inline int64_t ceil(int64_t a) { return a; }
__device__ inline int64_t round(int64_t a) { return a; }
__device__ inline int64_t trunc(int64_t a) { return a; }

template <class E> __device__ inline E sign(E a) { return (E)((a > 0) - (a < 0)); }
template <class E> __device__ inline E square(E a) { return a * a; }
__device__ inline float abs(float a) { return ::fabsf(a); }
__device__ inline double abs(double a) { return ::fabs(a); }
__device__ inline int64_t abs(int64_t a) { return a < 0 ? (int64_t)(0 - (uint64_t)a) : a; }
#define CT__X(T)                                                                                                      \
    __device__ inline T maximum(T a, T b) { return a != a ? a : b != b ? b : a > b ? a : b; }                         \
    __device__ inline T minimum(T a, T b) { return a != a ? a : b != b ? b : a < b ? a : b; }                         \
    __device__ inline bool isclose(T a, T b, T rtol, T atol, T equal_nan)                                             \
    {                                                                                                                 \
        bool near_by = abs(a - b) <= atol + abs(rtol * b) && b - b == 0;                                              \
        return a == b || near_by || (equal_nan != 0 && a != a && b != b);                                             \
    }
CT__X(float)
CT__X(double)
CT__X(int64_t)
#undef CT__X

/* numpy's floor_divide: exact where a - fmod(a, b) is, and right for infinities and zeros */
#define CT__X(T)                                                                                                      \
    __device__ inline T trunc_divide(T a, T b) { return trunc(a / b); }                                               \
    __device__ inline T remainder(T a, T b)                                                                           \
    {                                                                                                                 \
        T m = fmod(a, b);                                                                                             \
        return m != 0 && (b < 0) != (m < 0) ? m + b : m;                                                              \
    }                                                                                                                 \
    __device__ inline T floor_divide(T a, T b)                                                                        \
    {                                                                                                                 \
        if (b == 0) return a / b;                                                                                     \
        T m = fmod(a, b), d = (a - m) / b;                                                                            \
        if (m != 0 && (b < 0) != (m < 0)) d -= 1;                                                                     \
        if (d == 0) return copysign((T)0, a / b);                                                                     \
        T whole = floor(d);                                                                                           \
        return d - whole > (T)0.5 ? whole + 1 : whole;                                                                \
    }                                                                                                                 \
    __device__ inline T sigmoid(T a) { return 1 / (1 + exp(-a)); }                                                    \
    __device__ inline T gelu_slope(T a) { return (1 + erf(a * (T)0.70710678118654752440)) / 2 + a * ((T)0.39894228040143267794 * exp(-a * a / 2)); } \
    __device__ inline T log_sigmoid(T a) { return (a < 0 ? a : 0) - log1p(exp(-abs(a))); }                            \
    __device__ inline T xlogy(T a, T b) { return b != b ? b : a == 0 ? 0 : a * log(b); }                              \
    __device__ inline T logaddexp(T a, T b)                                                                           \
    {                                                                                                                 \
        return a == b ? a + (T)0.69314718055994530942 : maximum(a, b) + log1p(exp(-abs(a - b)));                      \
    }
CT__X(float)
CT__X(double)
#undef CT__X

/* as the CPU's: recurrence up to 10, then the asymptotic series; below, reflection */
__device__ inline double digamma(double x)
{
    const double pi = 3.14159265358979323846;
    double r = 0, z;
    if (x == 0) return copysign((double)INFINITY, -x);
    if (x < 0) {
        if (floor(x) == x) return (double)NAN;
        r = -pi / tan(pi * (x - round(x)));
        x = 1 - x;
    }
    for (; x < 10; x += 1) r -= 1 / x;
    z = 1 / (x * x);
    return r + (log(x) - 0.5 / x - z * (1.0 / 12 - z * (1.0 / 120 - z * (1.0 / 252 - z * (1.0 / 240 - z * (1.0 / 132 - z * (691.0 / 32760 - z / 12)))))));
}
__device__ inline double trigamma(double x)
{
    const double pi = 3.14159265358979323846;
    double r = 0, side = 1, z;
    if (x < 0.5) {
        z = pi / sin(pi * (x - round(x)));
        r = -z * z, side = -1, x = 1 - x;
    }
    for (; x < 10; x += 1) r += 1 / (x * x);
    z = 1 / (x * x);
    return side * (r + z / 2 + (1 + z * (1.0 / 6 - z * (1.0 / 30 - z * (1.0 / 42 - z * (1.0 / 30 - z * (5.0 / 66 - z * (691.0 / 2730 - z * (7.0 / 6)))))))) / x);
}
/* sum of 1/(k+q)^s; psi^(n)(x) = (-1)^(n+1) n! zeta(n+1, x) */
__device__ inline double zeta(double s, double q)
{
    const double b2k[6] = {1.0 / 12, -1.0 / 720, 1.0 / 30240, -1.0 / 1209600, 1.0 / 47900160, -691.0 / 1307674368000.0}; /* B_2k/(2k)! */
    double sum = 0, t;
    if (s == 1 || (q <= 0 && q == floor(q) && s > 1)) return (double)INFINITY;
    if (!(s > 1) || q != q || q < -1e6 || (q < 0 && s != floor(s))) return (double)NAN;
    if (s > 1e300) return q < 1 ? (double)INFINITY : q == 1 ? 1.0 : 0.0;
    for (; q <= 10 + (s < 100 ? s : 100); q += 1) {
        t = pow(q, -s), sum += t;
        if (q > 1 && t < sum * 1e-18) return sum;
    }
    sum += pow(q, 1 - s) / (s - 1) + pow(q, -s) / 2, t = pow(q, -s - 1) * s;
    for (int k = 0; k < 6; k++) sum += b2k[k] * t, t *= (s + 1 + 2 * k) * (s + 2 + 2 * k) / (q * q);
    return sum;
}
__device__ inline double polygamma(double n, double x)
{
    if (n == 0) return digamma(x);
    if (n == 1) return trigamma(x);
    if (!(n > 1 && n == floor(n) && n < 100) || x < -1000) return (double)NAN;
    if (x <= 0 && x == floor(x)) return (double)INFINITY;
    return (fmod(n, 2.0) == 0 ? -1 : 1) * exp(lgamma(n + 1)) * zeta(n + 1, x);
}
/* as the CPU's: a Chebyshev sum; log erfc by it; Newton's steps; series */
__device__ inline double erfcx(double x)
{
    const double c[25] = {
        1.17757893456740175, -0.00459005458064647733, -0.0842491333665179156, 0.0592099399981918905, -0.0266586684353057523, 0.00907499767070526509,
        -0.00241316354041760819, 0.000490775836525808632, -6.91697330250120637e-5, 4.13902798607301017e-6, 7.74038306619849067e-7,
        -2.18864010492343957e-7, 1.07649994656709104e-8, 4.5219598112182869e-9, -7.75440020883135111e-10, -6.31808834088668449e-11,
        2.8687950109306699e-11, 1.94558685457773472e-13, -9.65469674843343891e-13, 3.25254814814873984e-14, 3.34781194828680539e-14,
        -1.8645628804193131e-15, -1.25079505306886471e-15, 7.41823525662404346e-17, 5.06814890479611132e-17};
    double a = abs(x), t = a > 1e300 ? 1 : (a - 3.75) / (a + 3.75), u = 0, v = 0, w, s;
    for (int k = 24; k > 0; k--) w = c[k] + 2 * t * u - v, v = u, u = w;
    u = (c[0] + t * u - v) / (1 + 2 * a);
    if (!(x < 0)) return u;
    s = x * x, w = exp(s);
    return w > 1e308 ? w : 2 * (w + w * ::fma(x, x, -s)) - u;
}
__device__ inline double log_ndtr(double x)
{
    double t = x * 0.70710678118654752440;
    return x < -1 ? log(erfcx(-t) / 2) - t * t : log1p(-erfc(t) / 2);
}
__device__ inline double ndtri(double p)
{
    double q = p < 0.5 ? p : 1 - p, l, z, e;
    if (!(q > 0)) return q == 0 ? (p == 0 ? -(double)INFINITY : (double)INFINITY) : (double)NAN;
    if (q > 0.25) z = erfinv(1 - 2 * q);
    else {
        l = log(2 * q), z = sqrt(-l), z = sqrt(-l - log(1.7724538509055160273 * z));
        for (int k = 0; k < 5; k++) e = erfcx(z), z += (log(e) - z * z - l) * 0.88622692545275801365 * e;
    }
    return (p < 0.5 ? -1.4142135623730950488 : 1.4142135623730950488) * z;
}
__device__ inline double bessel_ie(int v, double x)
{
    double s = 1, t = 1;
    if (x < 25) {
        double h = x * x / 4;
        for (int k = 1; t > s * 1e-18; k++) t *= h / (k * (k + v)), s += t;
        return exp(-x) * s * (v ? x / 2 : 1);
    }
    for (int k = 1; k < 40 && abs(t) > 1e-18; k++) t *= ((2 * k - 1) * (2 * k - 1) - 4 * v * v) / (8 * k * x), s += t;
    return s / sqrt(6.28318530717958647693 * x);
}
__device__ inline double bessel_i(int v, double x)
{
    double y = bessel_ie(v, x), e = exp(x / 2);
    return x < 700 ? y * exp(x) : y * e * e;
}
__device__ inline double i0(double x) { return bessel_i(0, abs(x)); }
__device__ inline double i0e(double x) { return bessel_ie(0, abs(x)); }
__device__ inline double i1(double x) { return copysign(bessel_i(1, abs(x)), x); }
__device__ inline double i1e(double x) { return copysign(bessel_ie(1, abs(x)), x); }
__device__ inline double nextafter(double x, double y) { return ::nextafter(x, y); }
__device__ inline float nextafter(float x, float y) { return ::nextafterf(x, y); }
#define CT__X(f) __device__ inline float f(float x) { return (float)f((double)x); }
CT__X(erfcx) CT__X(log_ndtr) CT__X(ndtri) CT__X(i0) CT__X(i0e) CT__X(i1) CT__X(i1e)
#undef CT__X
__device__ inline float zeta(float s, float q) { return (float)zeta((double)s, (double)q); }
__device__ inline float polygamma(float n, float x) { return (float)polygamma((double)n, (double)x); }
__device__ inline float digamma(float x) { return (float)digamma((double)x); }
__device__ inline float trigamma(float x) { return (float)trigamma((double)x); }

/* integers: a zero divisor was refused before; INT64_MIN / -1 and powers wrap */
__device__ inline int64_t trunc_divide(int64_t a, int64_t b) { return b == -1 ? (int64_t)(0 - (uint64_t)a) : b == 0 ? 0 : a / b; }
__device__ inline int64_t fmod(int64_t a, int64_t b) { return b == -1 || b == 0 ? 0 : a % b; }
__device__ inline int64_t remainder(int64_t a, int64_t b)
{
    int64_t m = fmod(a, b);
    return m && (b < 0) != (m < 0) ? m + b : m;
}
__device__ inline int64_t floor_divide(int64_t a, int64_t b)
{
    int64_t m = fmod(a, b);
    return trunc_divide(a, b) - (m && (b < 0) != (m < 0));
}
__device__ inline int64_t pow(int64_t a, int64_t b)
{
    if (b < 0) return a == 1 ? 1 : a == -1 ? (b & 1 ? -1 : 1) : 0;
    uint64_t y = 1, x = (uint64_t)a;
    for (; b; b >>= 1, x *= x)
        if (b & 1) y *= x;
    return (int64_t)y;
}
__device__ inline int64_t gcd(int64_t a, int64_t b)
{
    uint64_t x = (uint64_t)abs(a), y = (uint64_t)abs(b);
    while (y) { uint64_t t = x % y; x = y; y = t; }
    return (int64_t)x;
}
__device__ inline int64_t lcm(int64_t a, int64_t b)
{
    int64_t d = gcd(a, b);
    return d ? abs((int64_t)((uint64_t)(a / d) * (uint64_t)b)) : 0;
}
__device__ inline int64_t shift_left(int64_t a, int64_t b) { return (uint64_t)b < 64 ? (int64_t)((uint64_t)a << b) : 0; }
__device__ inline int64_t shift_right(int64_t a, int64_t b) { return a >> ((uint64_t)b < 64 ? b : 63); }

/* ---- >>rows --------------------------------------------------------------------------------------------------------
   The shared table: each text becomes a struct with a function, each struct a kernel per element type it makes sense for. */
#define CT_ZERO 0
#define CT_NONE 0
#define num(x) ((E)(x))
#define CT__TEXT(name, k, text)                                                                                       \
    struct name##_##k {                                                                                               \
        template <class E> static __device__ inline E at(E a, E b, E c, E y, E g, E p, E q, E r)                      \
        {                                                                                                             \
            (void)a, (void)b, (void)c, (void)y, (void)g, (void)p, (void)q, (void)r;                                   \
            return (E)(text);                                                                                         \
        }                                                                                                             \
    };
#define CT__X(name, title, arity, kind, value, da, db, dc)                                                            \
    CT__TEXT(name, 0, value) CT__TEXT(name, 1, da) CT__TEXT(name, 2, db) CT__TEXT(name, 3, dc)
CT__POINTWISE(CT__X)
CT__TEXT(same, 0, a)
#undef CT__X
#undef CT__TEXT
#undef num
#undef CT_ZERO
#undef CT_NONE
} // namespace ct__math

template <class Row, class E> __global__ void ct__pointwise(const ct__layout l, E p, E q, E r)
{
    constexpr int U = 16 / (int)sizeof(E); /* elements of one wide load */
    struct alignas(16) wide { E x[U]; };
    int64_t first = (int64_t)blockIdx.x * blockDim.x + threadIdx.x, step = (int64_t)gridDim.x * blockDim.x, done = 0;
    E number[CT__OUT];
    for (int k = 0; k < CT__OUT; k++) number[k] = std::is_integral<E>::value ? (E)l.integer[k] : (E)l.number[k];
    if (l.direct) {
        done = l.numel / U;
        for (int64_t i = first; i < done; i += step) {
            wide v[CT__OUT], out;
            for (int k = 0; k < CT__OUT; k++)
                if (l.data[k]) v[k] = ((const wide *)l.data[k])[i];
                else for (int u = 0; u < U; u++) v[k].x[u] = number[k];
            for (int u = 0; u < U; u++) out.x[u] = Row::template at<E>(v[0].x[u], v[1].x[u], v[2].x[u], v[3].x[u], v[4].x[u], p, q, r);
            ((wide *)l.data[CT__OUT])[i] = out;
        }
        done *= U;
    }
    for (int64_t i = done + first; i < l.numel; i += step) {
        int64_t at[CT__OPERANDS];
        E v[CT__OUT];
        ct__locate<CT__OPERANDS>(l, i, at);
        for (int k = 0; k < CT__OUT; k++) v[k] = l.data[k] ? ct__load<E>(l.data[k] + at[k], l.dtype[k]) : number[k];
        ct__store<E>(l.data[CT__OUT] + at[CT__OUT], l.dtype[CT__OUT], Row::template at<E>(v[0], v[1], v[2], v[3], v[4], p, q, r));
    }
}

template <class E> using ct__row_kernel = void (*)(const ct__layout, E, E, E);
constexpr bool ct__same_text(const char *a, const char *b) { return *a == *b && (!*a || ct__same_text(a + 1, b + 1)); }
/* Integers have values alone, and those of the floating group not even that; CT_NONE has no kernel. */
template <class E> constexpr bool ct__has_kernel(char group, int k, const char *text)
{
    if (ct__same_text(text, "CT_NONE")) return false;
    return std::is_integral<E>::value ? group != 'F' && k == 0 : group != 'I';
}
template <class Row, class E, bool has> constexpr ct__row_kernel<E> ct__row_entry()
{
    if constexpr (has) return ct__pointwise<Row, E>;
    else return nullptr;
}
#define CT__ENTRY(name, group, k, text) ct__row_entry<ct__math::name##_##k, E, ct__has_kernel<E>(group, k, #text)>()
#define CT__ENTRIES(name, group, value, da, db, dc)                                                                   \
    {CT__ENTRY(name, group, 0, value), CT__ENTRY(name, group, 1, da), CT__ENTRY(name, group, 2, db), CT__ENTRY(name, group, 3, dc)},
#define CT__ANY(name, title, arity, kind, value, da, db, dc) CT__ENTRIES(name, 'A', value, da, db, dc)
#define CT__INT(name, title, arity, kind, value, da, db, dc) CT__ENTRIES(name, 'I', value, da, db, dc)
#define CT__FLOAT(name, title, arity, kind, value, da, db, dc) CT__ENTRIES(name, 'F', value, da, db, dc)
template <class E> static ct__row_kernel<E> ct__row_at(int op) /* op = 4*row + which text */
{
    static const ct__row_kernel<E> table[CT__PW_COUNT][4] = {
        CT__POINTWISE_ANY(CT__ANY) CT__POINTWISE_POW(CT__ANY) CT__POINTWISE_INT(CT__INT) CT__POINTWISE_FLOAT(CT__FLOAT) CT__POINTWISE_MATH(CT__FLOAT) CT__POINTWISE_SPECIAL(CT__FLOAT)};
    return table[op / 4][op % 4];
}

template <class E> static bool ct__run_rows(ct__row_kernel<E> kernel, ct__layout *l, const double *f)
{
    int64_t size = (int64_t)sizeof(E);
    if (!kernel) return ct_fail(CT_ERR_DTYPE, "ct_cuda", "no kernel of this row for this type");
    ct__layout_sort(l), ct__layout_merge(l);
    if (!l->numel) return true;
    l->direct = ct__layout_direct(l, ct__type<E>, size);
    int blocks = ct__blocks_for(l->direct ? (l->numel * size + 15) / 16 : l->numel);
    CT_LAUNCH(kernel, blocks, CT__THREADS, 0, *l, (E)f[0], (E)f[1], (E)f[2]);
    return ct__cuda_ok(cudaGetLastError(), "ct_pointwise");
}
/* in: a b c y g, NULL where the text does not use it; i[0]: the type to compute in */
static bool ct__cuda_pointwise(const ct_args *a)
{
    ct__layout l;
    ct__layout_result(&l, a->out[0]);
    for (int k = 0; k < a->in_count; k++)
        if (a->in[k] && !ct__layout_add(&l, k, a->in[k])) return false;
    if (a->i[0] == CT__F32) return ct__run_rows<float>(ct__row_at<float>(a->op), &l, a->f);
    if (a->i[0] == CT__F64) return ct__run_rows<double>(ct__row_at<double>(a->op), &l, a->f);
    return ct__run_rows<int64_t>(ct__row_at<int64_t>(a->op), &l, a->f);
}

/* out = in, broadcast and converted. What keeps its type is moved as integers of its size. */
static int ct__raw_type(int dtype, size_t size) { return size == 8 ? CT_I64 : size == 4 ? CT_I32 : size == 2 ? CT_I16 : dtype == CT_BOOL ? CT_BOOL : CT_I8; }
static bool ct__is_floating(int dtype) { return dtype == CT_F32 || dtype == CT_F64 || dtype == CT_F16 || dtype == CT_BF16; }
static bool ct__copy(ct__layout *l, size_t in_size)
{
    static const double none[3] = {0, 0, 0};
    int in = l->dtype[0], out = l->dtype[CT__OUT];
    if (in == out && l->data[0]) {
        l->dtype[0] = l->dtype[CT__OUT] = ct__raw_type(in, in_size);
        return ct__run_rows<int64_t>(ct__pointwise<ct__math::same_0, int64_t>, l, none);
    }
    if (!ct__is_floating(in)) return ct__run_rows<int64_t>(ct__pointwise<ct__math::same_0, int64_t>, l, none);
    if (in == CT_F64 || out == CT_F64) return ct__run_rows<double>(ct__pointwise<ct__math::same_0, double>, l, none);
    return ct__run_rows<float>(ct__pointwise<ct__math::same_0, float>, l, none);
}
static bool ct__cuda_copy(const ct_args *a)
{
    ct__layout l;
    ct__layout_result(&l, a->out[0]);
    if (!ct__layout_add(&l, 0, a->in[0])) return false;
    ct__layout flat = l;
    ct__layout_sort(&flat), ct__layout_merge(&flat);
    int64_t size = (int64_t)ct_element_size(a->out[0]);
    if (!l.data[0] || l.dtype[0] != l.dtype[CT__OUT] || flat.ndim != 1 || flat.stride[0][0] != size || flat.stride[CT__OUT][0] != size) return ct__copy(&l, ct_element_size(a->in[0]));
    return ct__cuda_ok(cudaMemcpyAsync(l.data[CT__OUT], l.data[0], (size_t)(l.numel * size), cudaMemcpyDeviceToDevice), "ct_copy_");
}

/* ---- >>reduce ------------------------------------------------------------------------------------------------------
   `lanes` threads share one output, 256/lanes outputs a block. Rows (the reduced elements lie together): neighbouring threads are
   lanes of one output. Columns (the outputs lie together): neighbouring threads are neighbouring outputs. Long sums are cut into
   pieces along blockIdx.y, whose results a second pass adds. Floats accumulate in double. */
struct ct__fold_plan {
    ct__layout kept, reduced; /* of operand 0 */
    int64_t piece;            /* elements of one piece */
    int lanes, dtype, out_dtype;
    bool columns;
    char *out;
};
template <class A, int OP> __host__ __device__ inline A ct__start()
{
    if (OP == CT__R_SUM || OP == CT__R_PROD) return (A)(OP == CT__R_PROD);
    if constexpr (std::is_integral<A>::value) return OP == CT__R_MAX ? INT64_MIN : INT64_MAX;
    else return OP == CT__R_MAX ? (A)-INFINITY : (A)INFINITY;
}
template <class A, int OP> __device__ inline A ct__join(A a, A x)
{
    if (OP == CT__R_SUM) return a + x;
    if (OP == CT__R_PROD) return a * x;
    return (OP == CT__R_MAX ? x > a : x < a) || x != x ? x : a; /* NaN wins and stays */
}
/* The whole block calls it; lane 0 of each output gets the result. */
template <class A, int OP> __device__ inline A ct__tree(A x, int lane, int lanes, int step)
{
    __shared__ A part[CT__THREADS];
    if (step == 1) {
        for (int d = lanes < 32 ? lanes / 2 : 16; d; d /= 2) x = ct__join<A, OP>(x, __shfl_down_sync(0xffffffffu, x, d));
        if (lanes <= 32) return x;
        if (lane % 32) lane = CT__THREADS; /* one thread per warp goes on */
        lanes /= 32, lane /= 32, step = 32;
    }
    part[threadIdx.x] = x;
    for (int d = lanes / 2; d; d /= 2) {
        __syncthreads();
        if (lane < d) part[threadIdx.x] = ct__join<A, OP>(part[threadIdx.x], part[threadIdx.x + d * step]);
    }
    x = part[threadIdx.x];
    __syncthreads(); /* the next round writes part */
    return x;
}
template <class A, int OP> __global__ void ct__reduce(const ct__fold_plan f)
{
    const int outs = CT__THREADS / f.lanes, t = (int)threadIdx.x;
    const int lane = f.columns ? t / outs : t % f.lanes, column = f.columns ? t % outs : t / f.lanes;
    const int64_t begin = blockIdx.y * f.piece, end = begin + f.piece < f.reduced.numel ? begin + f.piece : f.reduced.numel;
    for (int64_t base = (int64_t)blockIdx.x * outs; base < f.kept.numel; base += (int64_t)gridDim.x * outs) {
        int64_t output = base + column, at;
        A acc = ct__start<A, OP>();
        if (output < f.kept.numel) {
            ct__locate<1>(f.kept, output, &at);
            const char *in = f.kept.data[0] + at;
            CT_UNROLL
            for (int64_t i = begin + lane; i < end; i += f.lanes) {
                ct__locate<1>(f.reduced, i, &at);
                acc = ct__join<A, OP>(acc, ct__load<A>(in + at, f.dtype));
            }
        }
        acc = ct__tree<A, OP>(acc, lane, f.lanes, f.columns ? outs : 1);
        if (!lane && output < f.kept.numel) {
            int64_t size = f.out_dtype == CT_F32 ? 4 : 8;
            ct__store<A>(f.out + (blockIdx.y * f.kept.numel + output) * size, f.out_dtype, acc);
        }
    }
}
template <class A> static bool ct__run_fold(const ct__fold_plan *f, int op, int pieces)
{
    static void (*const kernel[CT__R_COUNT])(const ct__fold_plan) = {ct__reduce<A, CT__R_SUM>, ct__reduce<A, CT__R_PROD>, ct__reduce<A, CT__R_MAX>, ct__reduce<A, CT__R_MIN>};
    int64_t outs = CT__THREADS / f->lanes, blocks = (f->kept.numel + outs - 1) / outs;
    dim3 grid((unsigned)(blocks < CT__GRID ? blocks : CT__GRID), (unsigned)pieces);
    CT_LAUNCH(kernel[op], grid, CT__THREADS, 0, *f);
    return ct__cuda_ok(cudaGetLastError(), "ct_reduce");
}
/* Columns: at least 32 neighbours at a time, if there are so many. */
static int ct__most_lanes(bool columns, int64_t outputs)
{
    int lanes = columns ? CT__THREADS / 32 : CT__THREADS;
    while (lanes < CT__THREADS && CT__THREADS / lanes >= 2 * outputs) lanes *= 2;
    return lanes;
}
/* A second pass: (pieces, outputs) accumulators into the outputs. */
template <class A> static bool ct__run_pieces(ct__fold_plan *f, int op, int64_t pieces)
{
    size_t bytes = (size_t)(pieces * f->kept.numel) * sizeof(A);
    char *partial = ct__scratch(bytes);
    if (!partial) return false;
    ct__fold_plan second;
    memset(&second, 0, sizeof second);
    second.dtype = ct__type<A>, second.out = f->out, second.out_dtype = f->out_dtype, second.columns = true;
    second.kept.ndim = second.reduced.ndim = 1, second.kept.small = second.reduced.small = false;
    second.kept.numel = second.kept.shape[0] = f->kept.numel, second.kept.stride[0][0] = (int64_t)sizeof(A);
    second.reduced.numel = second.reduced.shape[0] = second.piece = pieces, second.reduced.stride[0][0] = f->kept.numel * (int64_t)sizeof(A);
    second.kept.data[0] = partial, second.lanes = ct__most_lanes(true, f->kept.numel);
    f->out = partial, f->out_dtype = ct__type<A>;
    bool ok = ct__run_fold<A>(f, op, (int)pieces) && ct__run_fold<A>(&second, op, 1);
    ct__device_free(partial, bytes);
    return ok;
}
/* i[0]: bits of the reduced dims; i[1]: the type to compute in; out: contiguous, of that type, the kept dims in order */
static bool ct__cuda_reduce(const ct_args *a)
{
    ct_tensor *in = a->in[0];
    ct__fold_plan f;
    memset(&f, 0, sizeof f);
    int64_t size = (int64_t)ct_element_size(in);
    for (int side = 0; side < 2; side++) {
        ct__layout *l = side ? &f.reduced : &f.kept;
        ct__layout_init(l, 0);
        for (int d = 0; d < ct_dim(in); d++)
            if ((int)(a->i[0] >> d & 1) == side) l->shape[l->ndim] = ct_size(in, d), l->stride[0][l->ndim] = ct_stride(in, d) * size, l->numel *= l->shape[l->ndim], l->ndim++;
        ct__layout_merge(l);
    }
    f.kept.data[0] = (char *)ct_data(in), f.dtype = ct_dtype_of(in), f.out = (char *)ct_data(a->out[0]), f.out_dtype = ct_dtype_of(a->out[0]);
    int64_t outputs = f.kept.numel, n = f.reduced.numel;
    if (!outputs) return true;
    bool rows = f.reduced.ndim == 0 || f.reduced.stride[0][f.reduced.ndim - 1] == size;
    f.columns = f.kept.ndim && f.kept.stride[0][f.kept.ndim - 1] == size && !rows;
    f.lanes = 1;
    while (f.lanes < ct__most_lanes(f.columns, outputs) && f.lanes * 4 < n) f.lanes *= 2;
    int64_t blocks = (outputs * f.lanes + CT__THREADS - 1) / CT__THREADS, pieces = n / (f.lanes * 32);
    if (pieces > 1024 / blocks) pieces = 1024 / blocks; /* fills large GPUs; the same on all */
    f.piece = pieces > 1 ? (n + pieces - 1) / pieces : n;
    pieces = f.piece ? (n + f.piece - 1) / f.piece : 1;
    if (a->i[1] == CT__I64) return pieces > 1 ? ct__run_pieces<int64_t>(&f, a->op, pieces) : ct__run_fold<int64_t>(&f, a->op, 1);
    return pieces > 1 ? ct__run_pieces<double>(&f, a->op, pieces) : ct__run_fold<double>(&f, a->op, 1);
}

/* ---- >>matmul ------------------------------------------------------------------------------------------------------
   A (..., M, K) @ B (..., K, N) -> C (..., M, N), row-major: for cuBLAS, which thinks in columns, C' (N, M) = B' (N, K) A' (K, M).
   Batches that lie a fixed stride apart go in one call. A matrix whose rows and columns both have gaps is copied first. */
static cublasHandle_t ct__cublas;
struct ct__matrices {
    char *data;
    int ndim;
    int64_t shape[CT_MAX_DIMS], stride[CT_MAX_DIMS]; /* in elements; the last two dims are the matrix */
    size_t bytes;                                    /* of our copy; 0: none */
};
/* vector: how a 1-d tensor counts, as a row (0) or as a column (1) */
static ct__matrices ct__matrices_of(ct_tensor *t, int vector)
{
    ct__matrices m;
    memset(&m, 0, sizeof m);
    m.data = (char *)ct_data(t), m.ndim = ct_dim(t);
    for (int d = 0; d < m.ndim; d++) m.shape[d] = ct_size(t, d), m.stride[d] = ct_stride(t, d);
    if (m.ndim == 1) m.ndim = 2, m.shape[1 - vector] = m.shape[0], m.stride[1 - vector] = m.stride[0], m.shape[vector] = 1, m.stride[vector] = 1;
    return m;
}
/* Rows follow each other (1), columns do (-1), or neither (0); *lead: how far apart. */
static int ct__order(const ct__matrices *m, int64_t *lead)
{
    int64_t rows = m->shape[m->ndim - 2], columns = m->shape[m->ndim - 1], row = m->stride[m->ndim - 2], column = m->stride[m->ndim - 1];
    *lead = rows == 1 ? columns : row;
    if ((column == 1 || columns == 1) && *lead >= columns && *lead <= INT32_MAX) return 1;
    *lead = columns == 1 ? rows : column;
    return (row == 1 || rows == 1) && *lead >= rows && *lead <= INT32_MAX ? -1 : 0;
}
static bool ct__make_dense(ct__matrices *m, int dtype, int64_t size)
{
    ct__layout l;
    ct__layout_init(&l, m->ndim);
    for (int d = 0; d < m->ndim; d++) l.shape[d] = m->shape[d], l.stride[0][d] = m->stride[d] * size, l.numel *= m->shape[d];
    m->bytes = (size_t)(l.numel * size);
    l.data[0] = m->data, l.dtype[0] = l.dtype[CT__OUT] = dtype;
    if (!(l.data[CT__OUT] = ct__scratch(m->bytes))) { m->bytes = 0; return false; }
    m->data = l.data[CT__OUT];
    for (int64_t d = m->ndim - 1, stride = 1; d >= 0; stride *= m->shape[d--]) m->stride[d] = stride, l.stride[CT__OUT][d] = stride * size;
    return ct__copy(&l, (size_t)size);
}
/* The plain kernel is for what cuBLAS does not take: integers, and sizes beyond 32 bits. */
struct ct__product {
    int64_t M, N, K, size, am, ak, bk, bn; /* strides in bytes */
    double alpha, beta;
    ct__layout batch;                      /* operands 0, 1 and the result: their batch dims */
};
template <class E> __global__ void ct__products(const ct__product p)
{
    const ct__layout &batch = p.batch;
    int64_t total = batch.numel * p.M * p.N, step = (int64_t)gridDim.x * blockDim.x;
    for (int64_t i = (int64_t)blockIdx.x * blockDim.x + threadIdx.x; i < total; i += step) {
        int64_t at[CT__OPERANDS], row = i / p.N % p.M, column = i % p.N;
        ct__locate<CT__OPERANDS>(batch, i / p.N / p.M, at);
        const char *a = batch.data[0] + at[0] + row * p.am, *b = batch.data[1] + at[1] + column * p.bn;
        char *c = batch.data[CT__OUT] + at[CT__OUT] + (row * p.N + column) * p.size;
        E sum = 0;
        for (int64_t k = 0; k < p.K; k++) sum += ct__load<E>(a + k * p.ak, batch.dtype[0]) * ct__load<E>(b + k * p.bk, batch.dtype[1]);
        sum = (E)p.alpha * sum + (p.beta == 0 ? (E)0 : (E)p.beta * ct__load<E>(c, batch.dtype[CT__OUT]));
        ct__store<E>(c, batch.dtype[CT__OUT], sum);
    }
}
static bool ct__run_products(const ct__product *p, bool floating)
{
    int blocks = ct__blocks_for(p->batch.numel * p->M * p->N);
    if (floating) CT_LAUNCH(ct__products<double>, blocks, CT__THREADS, 0, *p);
    else CT_LAUNCH(ct__products<int64_t>, blocks, CT__THREADS, 0, *p);
    return ct__cuda_ok(cudaGetLastError(), "ct_matmul");
}
static bool ct__run_cublas(const ct__product *p, int a_order, int64_t lda, int b_order, int64_t ldb)
{
    const ct__layout *l = &p->batch;
    int dtype = l->dtype[CT__OUT], last = l->ndim - 1;
    bool wide = dtype == CT_F64;
    cudaDataType_t type = wide ? CUDA_R_64F : dtype == CT_F32 ? CUDA_R_32F : dtype == CT_F16 ? CUDA_R_16F : CUDA_R_16BF;
    const float alpha = (float)p->alpha, beta = (float)p->beta;
    const void *scale = wide ? (const void *)&p->alpha : &alpha, *keep = wide ? (const void *)&p->beta : &beta;
    int64_t count = last < 0 ? 1 : l->shape[last], stride[CT__OPERANDS];
    for (int k = 0; k < CT__OPERANDS; k++) stride[k] = last < 0 ? 0 : l->stride[k][last] / p->size;
    for (int64_t outer = 0; outer < l->numel / count; outer++) {
        int64_t at[CT__OPERANDS] = {0}, rest = outer;
        for (int d = last - 1; d >= 0; rest /= l->shape[d--])
            for (int k = 0; k < CT__OPERANDS; k++) at[k] += rest % l->shape[d] * l->stride[k][d];
        cublasStatus_t status = cublasGemmStridedBatchedEx(
            ct__cublas, b_order > 0 ? CUBLAS_OP_N : CUBLAS_OP_T, a_order > 0 ? CUBLAS_OP_N : CUBLAS_OP_T, (int)p->N, (int)p->M, (int)p->K, scale,
            l->data[1] + at[1], type, (int)ldb, stride[1], l->data[0] + at[0], type, (int)lda, stride[0], keep,
            l->data[CT__OUT] + at[CT__OUT], type, (int)p->N, stride[CT__OUT], (int)count, wide ? CUBLAS_COMPUTE_64F : CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
        if (status != CUBLAS_STATUS_SUCCESS) return ct_fail(CT_ERR_DEVICE, "ct_matmul", cublasGetStatusString(status));
    }
    return true;
}
/* The batch dims of operand k, aligned to the right. */
static void ct__add_batch(ct__layout *l, int k, const ct__matrices *m, int64_t size, int dtype)
{
    l->data[k] = m->data, l->dtype[k] = dtype;
    for (int d = m->ndim - 3, to = l->ndim - 1; d >= 0; d--, to--) l->stride[k][to] = m->shape[d] == 1 ? 0 : m->stride[d] * size;
}
/* Batches of a that continue its rows, against one b, are more rows. */
static void ct__batch_as_rows(ct__product *p)
{
    ct__layout *l = &p->batch;
    for (int d = l->ndim - 1; d >= 0 && !l->stride[1][d] && l->stride[0][d] == p->M * p->am && p->M * l->shape[d] <= INT32_MAX; d--)
        p->M *= l->shape[d], l->numel /= l->shape[d], l->ndim = d;
}
static bool ct__add_bias(ct_tensor *out, ct_tensor *bias)
{
    ct_tensor *in[2] = {out, bias};
    const double f[3] = {1, 0, 0};
    int dtype = ct_dtype_of(out);
    int64_t compute = dtype == CT_F64 ? CT__F64 : ct__is_floating(dtype) ? CT__F32 : CT__I64;
    ct_args add = {in, &out, 2, 1, 4 * CT__PW_add, f, &compute};
    return ct__cuda_pointwise(&add);
}
/* in: a, b and perhaps a bias, of one type; out = f[0]*a@b + f[1]*out + bias, contiguous. 1-d operands as in ct_matmul. */
static bool ct__cuda_matmul(const ct_args *args)
{
    ct_tensor *out = args->out[0];
    ct__matrices a = ct__matrices_of(args->in[0], 0), b = ct__matrices_of(args->in[1], 1), c = a;
    int dtype = ct_dtype_of(out), a_order, b_order;
    bool floating = ct__is_floating(dtype);
    int64_t lda = 0, ldb = 0;
    ct__product p;
    if (!ct_numel(out)) return true;
    p.M = a.shape[a.ndim - 2], p.K = a.shape[a.ndim - 1], p.N = b.shape[b.ndim - 1], p.size = (int64_t)ct_element_size(out), p.alpha = args->f[0], p.beta = args->f[1];
    bool cublas = floating && p.K > 0 && p.M <= INT32_MAX && p.N <= INT32_MAX && p.K <= INT32_MAX && ct_numel(out) / p.M / p.N <= INT32_MAX;
    bool ok = !cublas || ((ct__order(&a, &lda) || ct__make_dense(&a, dtype, p.size)) && (ct__order(&b, &ldb) || ct__make_dense(&b, dtype, p.size)));
    a_order = ct__order(&a, &lda), b_order = ct__order(&b, &ldb);
    p.am = a.stride[a.ndim - 2] * p.size, p.ak = a.stride[a.ndim - 1] * p.size, p.bk = b.stride[b.ndim - 2] * p.size, p.bn = b.stride[b.ndim - 1] * p.size;
    c.data = (char *)ct_data(out), c.ndim = ct_dim(out) - (ct_dim(args->in[0]) > 1) - (ct_dim(args->in[1]) > 1) + 2; /* with both matrix dims */
    ct__layout_init(&p.batch, c.ndim - 2);
    for (int64_t d = c.ndim - 3, stride = p.M * p.N; d >= 0; stride *= c.shape[d--])
        p.batch.shape[d] = c.shape[d] = ct_size(out, (int)d), c.stride[d] = stride, p.batch.numel *= c.shape[d];
    ct__add_batch(&p.batch, 0, &a, p.size, dtype), ct__add_batch(&p.batch, 1, &b, p.size, dtype), ct__add_batch(&p.batch, CT__OUT, &c, p.size, dtype);
    ct__layout_merge(&p.batch);
    if (cublas && a_order > 0) ct__batch_as_rows(&p);
    if (ok) ok = cublas && a_order && b_order ? ct__run_cublas(&p, a_order, lda, b_order, ldb) : ct__run_products(&p, floating);
    if (a.bytes) ct__device_free(a.data, a.bytes);
    if (b.bytes) ct__device_free(b.data, b.bytes);
    return ok && (args->in_count < 3 || !args->in[2] || ct__add_bias(out, args->in[2]));
}

/* ---- >>backend ---- */
static ct_backend ct__cuda;

CT_API int ct_cuda_device_count(void)
{
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();
    return 0;
}
CT_API bool ct_cuda_init(void)
{
    static std::mutex lock;
    std::lock_guard<std::mutex> hold(lock);
    int count = 0;
    if (ct__cuda.name) return true;
    if (!ct__cuda_ok(cudaGetDeviceCount(&count), "ct_cuda_init")) return false;
    cublasStatus_t status = cublasCreate(&ct__cublas);
    if (status != CUBLAS_STATUS_SUCCESS) return ct_fail(CT_ERR_DEVICE, "ct_cuda_init", cublasGetStatusString(status));
    ct__no_cache = getenv("CT_CUDA_NO_CACHE") != NULL;
    ct__cuda.alloc = ct__device_alloc, ct__cuda.free = ct__device_free, ct__cuda.upload = ct__upload, ct__cuda.download = ct__download;
    ct__cuda.kernel[CT_PRIM_copy] = ct__cuda_copy, ct__cuda.kernel[CT_PRIM_pointwise] = ct__cuda_pointwise;
    ct__cuda.kernel[CT_PRIM_reduce] = ct__cuda_reduce, ct__cuda.kernel[CT_PRIM_matmul] = ct__cuda_matmul;
    ct__cuda.name = "cuda";
    return ct_register_backend(CT_CUDA, &ct__cuda);
}
CT_API bool ct_cuda_synchronize(void) { return ct__cuda_ok(cudaDeviceSynchronize(), "ct_cuda_synchronize"); }
CT_API void ct_cuda_empty_cache(void)
{
    std::lock_guard<std::mutex> hold(ct__memory_lock);
    ct__release_blocks();
}
CT_API ct_memory_info ct_cuda_memory_stats(void)
{
    std::lock_guard<std::mutex> hold(ct__memory_lock);
    return ct__memory;
}
