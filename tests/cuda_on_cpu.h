/* cuda_on_cpu.h - lets g++ compile ctorch_cuda.cu and run its grids on the CPU, also under the address sanitizer:
       g++ -std=c++17 -O1 -g -x c++ -DCT_CUDA_ON_CPU -include tests/cuda_on_cpu.h -c ctorch_cuda.cu
   Threads of a block are fibers, so barriers and shuffles work; they start and go on in an order that changes from block to
   block, so that a missing barrier shows. Device memory lies in an arena that is closed (mprotect) while host code runs: host code that
   touches it dies with a message. New memory holds NaNs; what lies between blocks is poisoned. Launches and copies check
   their arguments as the driver does. Only what ctorch_cuda.cu uses is here. Blocks run one after another, launches of several
   host threads one at a time. */
#ifndef CUDA_ON_CPU_H
#define CUDA_ON_CPU_H
#include <execinfo.h>
#include <math.h>
#include <mutex>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>
#include <vector>
#ifndef __clang__
#pragma GCC diagnostic ignored "-Wclobbered" /* getcontext returns once here */
#endif

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static thread_local /* one block runs at a time; what the last one left stands in it */
#define CT_LAUNCH(kernel, grid, block, shared, ...) ct__emulate(dim3(grid), dim3(block), shared, kernel, __VA_ARGS__)
#define CT_UNROLL

struct dim3 {
    unsigned x, y, z;
    dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

/* ---- errors and memory ---- */
enum cudaError_t { cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration };
enum cudaMemcpyKind { cudaMemcpyHostToDevice, cudaMemcpyDeviceToHost, cudaMemcpyDeviceToDevice };
static cudaError_t ct__emu_error;
static cudaError_t ct__emu_result(cudaError_t e) { return e == cudaSuccess ? e : (ct__emu_error = e); }
static inline cudaError_t cudaGetLastError(void)
{
    cudaError_t e = ct__emu_error;
    ct__emu_error = cudaSuccess;
    return e;
}
static inline const char *cudaGetErrorString(cudaError_t e)
{
    return e == cudaSuccess ? "no error" : e == cudaErrorInvalidValue ? "invalid argument" : e == cudaErrorMemoryAllocation ? "out of memory" : "invalid configuration argument";
}
static inline cudaError_t cudaGetDeviceCount(int *count) { return *count = 1, cudaSuccess; }
static inline cudaError_t cudaDeviceSynchronize(void) { return cudaSuccess; }

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define CT__POISON(p, n) __asan_poison_memory_region(p, n)
#define CT__UNPOISON(p, n) __asan_unpoison_memory_region(p, n)
#else
#define CT__POISON(p, n) ((void)(p), (void)(n))
#define CT__UNPOISON(p, n) ((void)(p), (void)(n))
#endif
enum : size_t { CT__ARENA = (size_t)256 << 20, CT__GAP = 256 };
struct ct__emu_block { size_t at, bytes; };
static char *ct__arena;
static size_t ct__arena_used; /* bytes from the start that ever were in use: what is opened and closed */
static int ct__arena_open;
static std::vector<ct__emu_block> ct__arena_blocks; /* by address */
static std::recursive_mutex ct__emu_lock;
static int64_t ct__emu_fail_after = -1;

extern "C" void ct_emulator_fail_after(int64_t n) { ct__emu_fail_after = n; } /* the n-th cudaMalloc from now and all later ones fail; -1: never */

#ifndef __SANITIZE_ADDRESS__ /* it has a better report of its own */
static void ct__emu_fault(int, siginfo_t *info, void *)
{
    char *p = (char *)info->si_addr;
    if (p >= ct__arena && p < ct__arena + CT__ARENA) {
        static const char text[] = "cuda_on_cpu: host code touches device memory (or a kernel goes past it); called from:\n";
        void *frame[48];
        if (write(2, text, sizeof text - 1) < 0) _exit(98);
        backtrace_symbols_fd(frame, backtrace(frame, 48), 2);
        _exit(99);
    }
    signal(SIGSEGV, SIG_DFL);
}
#endif
static void ct__emu_arena(void)
{
    if (ct__arena) return;
    ct__arena = (char *)mmap(NULL, CT__ARENA, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (ct__arena == MAP_FAILED) ct__arena = NULL, abort();
    CT__POISON(ct__arena, CT__ARENA);
#ifndef __SANITIZE_ADDRESS__
    struct sigaction a;
    memset(&a, 0, sizeof a);
    a.sa_sigaction = ct__emu_fault, a.sa_flags = SA_SIGINFO;
    sigaction(SIGSEGV, &a, NULL);
#endif
}
struct ct__emu_open { /* device memory is open while one of these lives */
    std::lock_guard<std::recursive_mutex> hold;
    static void protect(int how) { if (ct__arena_used) mprotect(ct__arena, (ct__arena_used + 4095) & ~(size_t)4095, how); }
    ct__emu_open() : hold(ct__emu_lock) { if (!ct__arena_open++) ct__emu_arena(), protect(PROT_READ | PROT_WRITE); }
    ~ct__emu_open() { if (!--ct__arena_open) protect(PROT_NONE); }
};
static bool ct__emu_on_device(const void *p, size_t bytes)
{
    const char *c = (const char *)p;
    for (const ct__emu_block &b : ct__arena_blocks)
        if (c >= ct__arena + b.at && c + bytes <= ct__arena + b.at + b.bytes) return true;
    return false;
}
static cudaError_t cudaMalloc(void **p, size_t bytes)
{
    ct__emu_open open;
    size_t at = CT__GAP, size = (bytes + 255) & ~(size_t)255, k = 0;
    if (ct__emu_fail_after >= 0 && ct__emu_fail_after-- <= 1) return ct__emu_fail_after = 0, ct__emu_result(cudaErrorMemoryAllocation);
    for (; k < ct__arena_blocks.size() && ct__arena_blocks[k].at < at + size + CT__GAP; k++) at = (ct__arena_blocks[k].at + ct__arena_blocks[k].bytes + CT__GAP + 255) & ~(size_t)255;
    if (bytes > CT__ARENA || at + size + CT__GAP > CT__ARENA) return ct__emu_result(cudaErrorMemoryAllocation);
    ct__arena_blocks.insert(ct__arena_blocks.begin() + (ptrdiff_t)k, ct__emu_block{at, bytes});
    if (at + size > ct__arena_used) ct__arena_used = at + size, ct__emu_open::protect(PROT_READ | PROT_WRITE);
    CT__UNPOISON(ct__arena + at, bytes);
    memset(ct__arena + at, 0xff, bytes);
    *p = ct__arena + at;
    return cudaSuccess;
}
static cudaError_t cudaFree(void *p)
{
    ct__emu_open open;
    for (size_t k = 0; k < ct__arena_blocks.size(); k++)
        if (ct__arena + ct__arena_blocks[k].at == p) {
            CT__POISON(p, ct__arena_blocks[k].bytes);
            ct__arena_blocks.erase(ct__arena_blocks.begin() + (ptrdiff_t)k);
            return cudaSuccess;
        }
    return p ? ct__emu_result(cudaErrorInvalidValue) : cudaSuccess;
}
static cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind)
{
    ct__emu_open open;
    bool in = kind != cudaMemcpyDeviceToHost, out = kind != cudaMemcpyHostToDevice;
    if (bytes && (ct__emu_on_device(to, bytes) != in || ct__emu_on_device(from, bytes) != out)) return ct__emu_result(cudaErrorInvalidValue);
    memmove(to, from, bytes);
    return cudaSuccess;
}
static cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) { return cudaMemcpy(to, from, bytes, kind); }

/* ---- one block: its threads as fibers ---- */
enum { CT__MOST_THREADS = 1024, CT__FIBER_STACK = 256 << 10 };
struct ct__barrier { unsigned arrived, expected, round; };
struct ct__fiber {
    ucontext_t context;
    char *stack;
    void *fake_stack; /* address sanitizer's */
    unsigned thread;
    ct__barrier *at;  /* waits here since round `round` */
    unsigned round;
    bool idle;        /* runs no thread */
};
struct ct__emu_state {
    ct__fiber *fiber[CT__MOST_THREADS], *current, *next, host;
    int fibers;
    unsigned threads, started, order[CT__MOST_THREADS];
    ct__barrier block, warp[CT__MOST_THREADS / 32];
    uint64_t exchange[CT__MOST_THREADS], random;
    void (*body)(void *);
    void *argument;
    const void *host_stack;
    size_t host_size;
    ~ct__emu_state() /* the host thread ends */
    {
        while (fibers) munmap(fiber[--fibers]->stack, CT__FIBER_STACK), free(fiber[fibers]);
    }
};
static thread_local ct__emu_state ct__emu;
static thread_local dim3 threadIdx, blockIdx, blockDim, gridDim;

static unsigned ct__emu_random(unsigned n)
{
    ct__emu.random = ct__emu.random * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((ct__emu.random >> 33) % n);
}
static void ct__emu_thread(unsigned t) { threadIdx = dim3(t % blockDim.x, t / blockDim.x % blockDim.y, t / blockDim.x / blockDim.y); }
static void ct__emu_landed(void) /* on the stack of ct__emu.next */
{
#ifdef __SANITIZE_ADDRESS__
    const void *stack;
    size_t size;
    __sanitizer_finish_switch_fiber(ct__emu.next->fake_stack, &stack, &size);
    if (ct__emu.current == &ct__emu.host) ct__emu.host_stack = stack, ct__emu.host_size = size; /* that of whom we left */
#endif
    ct__emu.current = ct__emu.next;
    if (!ct__emu.current->idle) ct__emu_thread(ct__emu.current->thread);
}
static void ct__emu_switch(ct__fiber *to)
{
    ct__fiber *self = ct__emu.current;
    if (self == to) return;
#ifdef __SANITIZE_ADDRESS__
    bool host = to == &ct__emu.host;
    __sanitizer_start_switch_fiber(&self->fake_stack, host ? ct__emu.host_stack : to->stack, host ? ct__emu.host_size : (size_t)CT__FIBER_STACK);
#endif
    ct__emu.next = to;
    swapcontext(&self->context, &to->context);
    ct__emu_landed();
}
static void ct__emu_fiber(void);
static ct__fiber *ct__emu_idle_fiber(void)
{
    for (int k = 0; k < ct__emu.fibers; k++)
        if (ct__emu.fiber[k]->idle) return ct__emu.fiber[k];
    ct__fiber *f = (ct__fiber *)calloc(1, sizeof *f);
    f->stack = (char *)mmap(NULL, CT__FIBER_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    f->idle = true;
    getcontext(&f->context);
    f->context.uc_stack.ss_sp = f->stack, f->context.uc_stack.ss_size = CT__FIBER_STACK, f->context.uc_link = NULL;
    makecontext(&f->context, ct__emu_fiber, 0);
    return ct__emu.fiber[ct__emu.fibers++] = f;
}
/* To somebody who can go on: a fiber whose barrier opened, or one for a thread that has not begun; to the host when all are done. */
static void ct__emu_yield(void)
{
    int first = (int)ct__emu_random((unsigned)ct__emu.fibers), waiting = 0;
    bool begin = ct__emu.started < ct__emu.threads && ct__emu_random(4);
    for (int i = 0; i < ct__emu.fibers && !begin; i++) {
        ct__fiber *f = ct__emu.fiber[(first + i) % ct__emu.fibers];
        if (f->at && f->at->round != f->round) return ct__emu_switch(f);
        waiting += f->at != NULL;
    }
    if (ct__emu.started < ct__emu.threads) return ct__emu_switch(ct__emu_idle_fiber());
    if (waiting) fprintf(stderr, "cuda_on_cpu: a barrier that not all threads reach\n"), abort();
    ct__emu_switch(&ct__emu.host);
}
static void ct__emu_open_barrier(ct__barrier *b)
{
    if (b->arrived && b->arrived == b->expected) b->arrived = 0, b->round++;
}
static void ct__emu_wait(ct__barrier *b)
{
    ct__fiber *self = ct__emu.current;
    self->at = b, self->round = b->round;
    b->arrived++;
    ct__emu_open_barrier(b);
    while (b->round == self->round) ct__emu_yield();
    self->at = NULL;
}
static void ct__emu_fiber(void)
{
    ct__emu_landed();
    for (ct__fiber *self = ct__emu.current;; self->idle = true, ct__emu_yield()) {
        self->idle = false;
        while (ct__emu.started < ct__emu.threads) { /* threads that meet no barrier need no switch */
            ct__emu_thread(self->thread = ct__emu.order[ct__emu.started++]);
            ct__emu.body(ct__emu.argument);
            ct__barrier *w = &ct__emu.warp[self->thread / 32]; /* who has returned is waited for no longer */
            w->expected--, ct__emu.block.expected--;
            ct__emu_open_barrier(w), ct__emu_open_barrier(&ct__emu.block);
        }
    }
}
static void ct__emu_block_run(unsigned threads)
{
    static const unsigned odd[4] = {1, 2011, 4093, 7919}; /* primes that divide no block size */
    unsigned shift = ct__emu_random(threads), times = odd[ct__emu_random(4)];
    bool back = ct__emu_random(2);
    for (unsigned t = 0; t < threads; t++) ct__emu.order[back ? threads - 1 - t : t] = (t * times + shift) % threads;
    memset(ct__emu.warp, 0, sizeof ct__emu.warp);
    for (unsigned t = 0; t < threads; t++) ct__emu.warp[t / 32].expected++;
    ct__emu.block.arrived = ct__emu.block.round = 0, ct__emu.block.expected = ct__emu.threads = threads, ct__emu.started = 0;
    ct__emu.host.idle = true;
    ct__emu.current = &ct__emu.host;
    ct__emu_switch(ct__emu_idle_fiber());
}
template <class F> static void ct__emu_call(void *f) { (*(F *)f)(); }
template <class F> static void ct__emu_grid(dim3 grid, dim3 block, F body)
{
    ct__emu_open open;
    uint64_t threads = (uint64_t)block.x * block.y * block.z;
    if (!threads || threads > CT__MOST_THREADS || !grid.x || grid.x > INT32_MAX || !grid.y || grid.y > 65535 || !grid.z || grid.z > 65535) {
        ct__emu_result(cudaErrorInvalidConfiguration);
        return;
    }
    gridDim = grid, blockDim = block, ct__emu.body = ct__emu_call<F>, ct__emu.argument = &body;
    for (blockIdx.z = 0; blockIdx.z < grid.z; blockIdx.z++)
        for (blockIdx.y = 0; blockIdx.y < grid.y; blockIdx.y++)
            for (blockIdx.x = 0; blockIdx.x < grid.x; blockIdx.x++) ct__emu_block_run((unsigned)threads);
}
template <class... P, class... A> static void ct__emulate(dim3 grid, dim3 block, size_t, void (*kernel)(P...), A... argument)
{
    static_assert((sizeof(P) + ... + 0) <= 4096, "a kernel has 4 KB of parameters at most");
    ct__emu_grid(grid, block, [&] { kernel(argument...); });
}

/* ---- what kernels call ---- */
static inline void __syncthreads(void) { ct__emu_wait(&ct__emu.block); }
static inline void __syncwarp(unsigned = 0xffffffffu) { ct__emu_wait(&ct__emu.warp[ct__emu.current->thread / 32]); }
template <class T> static T ct__emu_shuffle(T value, unsigned lane) /* of the same warp */
{
    static_assert(sizeof(T) <= 8, "shuffles move 8 bytes at most");
    unsigned t = ct__emu.current->thread, from = t / 32 * 32 + lane;
    memcpy(&ct__emu.exchange[t], &value, sizeof value);
    __syncwarp();
    if (from < ct__emu.threads) memcpy(&value, &ct__emu.exchange[from], sizeof value);
    __syncwarp();
    return value;
}
template <class T> static T __shfl_sync(unsigned, T v, int lane, int width = 32)
{
    unsigned mine = ct__emu.current->thread % 32;
    return ct__emu_shuffle(v, mine / (unsigned)width * (unsigned)width + (unsigned)lane % (unsigned)width);
}
template <class T> static T __shfl_down_sync(unsigned, T v, unsigned delta, int width = 32)
{
    unsigned mine = ct__emu.current->thread % 32;
    return ct__emu_shuffle(v, mine % (unsigned)width + delta < (unsigned)width ? mine + delta : mine);
}
template <class T> static T __shfl_up_sync(unsigned, T v, unsigned delta, int width = 32)
{
    unsigned mine = ct__emu.current->thread % 32;
    return ct__emu_shuffle(v, mine % (unsigned)width >= delta ? mine - delta : mine);
}
template <class T> static T __shfl_xor_sync(unsigned, T v, int mask, int width = 32)
{
    unsigned mine = ct__emu.current->thread % 32, other = mine ^ (unsigned)mask;
    return ct__emu_shuffle(v, other / (unsigned)width > mine / (unsigned)width ? mine : other);
}
template <class T> static T atomicAdd(T *at, T value)
{
    T old = *at;
    *at = old + value;
    return old;
}
/* Newton on erf(y) = x, from a rough start */
static inline double erfinv(double x)
{
    if (!(fabs(x) < 1)) return fabs(x) == 1 ? copysign(INFINITY, x) : (double)NAN;
    double w = log((1 - x) * (1 + x)), h = 4.33 + w / 2, y = copysign(sqrt(sqrt(h * h - w / 0.147) - h), x);
    for (int k = 0; k < 4; k++) y -= (x < -0.5 ? erfc(-y) - (1 + x) : x > 0.5 ? 1 - x - erfc(y) : erf(y) - x) * 0.88622692545275801365 * exp(y * y);
    return y;
}
static inline float erfinvf(float x) { return (float)erfinv((double)x); }

struct __half { uint16_t x; };
struct __nv_bfloat16 { uint16_t x; };
static inline float ct__emu_power(int e) { return (float)ldexp(1.0, e); }
static inline float __half2float(__half h)
{
    int e = h.x >> 10 & 31, m = h.x & 1023;
    float v = e == 31 ? (m ? (float)NAN : (float)INFINITY) : e ? (float)(1024 + m) * ct__emu_power(e - 25) : (float)m * ct__emu_power(-24);
    return h.x & 0x8000 ? -v : v;
}
static inline __half __float2half_rn(float v)
{
    uint16_t sign = signbit(v) ? 0x8000 : 0;
    double a = fabs((double)v);
    int e;
    if (a != a) return __half{(uint16_t)(sign | 0x7e00)};
    if (a >= 65520) return __half{(uint16_t)(sign | 0x7c00)};
    frexp(a, &e);
    if (e < -13) e = -13;
    int m = (int)rint(ldexp(a, 11 - e)); /* in units of the last place: 2^(e-11) */
    return __half{(uint16_t)(sign | (m < 1024 ? m : ((e + 14) << 10) + (m - 1024)))};
}
static inline float __bfloat162float(__nv_bfloat16 h)
{
    uint32_t bits = (uint32_t)h.x << 16;
    float v;
    memcpy(&v, &bits, 4);
    return v;
}
static inline __nv_bfloat16 __float2bfloat16_rn(float v)
{
    uint32_t bits;
    memcpy(&bits, &v, 4);
    return __nv_bfloat16{(uint16_t)(v != v ? 0x7fff : (bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

/* ---- cuBLAS: the one function, naively; matrices are column-major ---- */
typedef int *cublasHandle_t;
enum cublasStatus_t { CUBLAS_STATUS_SUCCESS, CUBLAS_STATUS_INVALID_VALUE };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };
enum cudaDataType_t { CUDA_R_32F, CUDA_R_64F, CUDA_R_16F, CUDA_R_16BF };
enum cublasComputeType_t { CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_64F };
enum cublasGemmAlgo_t { CUBLAS_GEMM_DEFAULT };
static inline cublasStatus_t cublasCreate(cublasHandle_t *) { return CUBLAS_STATUS_SUCCESS; }
static inline const char *cublasGetStatusString(cublasStatus_t s) { return s == CUBLAS_STATUS_SUCCESS ? "CUBLAS_STATUS_SUCCESS" : "CUBLAS_STATUS_INVALID_VALUE"; }
static double ct__blas_get(const void *p, cudaDataType_t type, int64_t i)
{
    return type == CUDA_R_32F ? (double)((const float *)p)[i] : type == CUDA_R_64F ? ((const double *)p)[i]
         : type == CUDA_R_16F ? (double)__half2float(((const __half *)p)[i]) : (double)__bfloat162float(((const __nv_bfloat16 *)p)[i]);
}
static void ct__blas_put(void *p, cudaDataType_t type, int64_t i, double v)
{
    if (type == CUDA_R_32F) ((float *)p)[i] = (float)v;
    else if (type == CUDA_R_64F) ((double *)p)[i] = v;
    else if (type == CUDA_R_16F) ((__half *)p)[i] = __float2half_rn((float)v);
    else ((__nv_bfloat16 *)p)[i] = __float2bfloat16_rn((float)v);
}
static cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t, cublasOperation_t opa, cublasOperation_t opb, int m, int n, int k, const void *alpha,
                                                 const void *a, cudaDataType_t ta, int lda, long long sa, const void *b, cudaDataType_t tb, int ldb, long long sb,
                                                 const void *beta, void *c, cudaDataType_t tc, int ldc, long long sc, int batch,
                                                 cublasComputeType_t compute, cublasGemmAlgo_t)
{
    ct__emu_open open;
    bool wide = compute == CUBLAS_COMPUTE_64F;
    double scale = wide ? *(const double *)alpha : (double)*(const float *)alpha, keep = wide ? *(const double *)beta : (double)*(const float *)beta;
    if (m < 0 || n < 0 || k < 0 || batch < 0 || ldc < m || ldc < 1 || lda < (opa == CUBLAS_OP_N ? m : k) || ldb < (opb == CUBLAS_OP_N ? k : n) || lda < 1 || ldb < 1 || ta != tc || tb != tc || wide != (tc == CUDA_R_64F)) return CUBLAS_STATUS_INVALID_VALUE;
    for (int64_t i = 0; i < (int64_t)batch * m * n; i++) {
        int64_t p = i / m / n, column = i / m % n, row = i % m, at = p * sc + column * ldc + row;
        double sum = 0;
        for (int64_t l = 0; l < k; l++)
            sum += ct__blas_get(a, ta, p * sa + (opa == CUBLAS_OP_N ? l * lda + row : row * lda + l)) * ct__blas_get(b, tb, p * sb + (opb == CUBLAS_OP_N ? column * ldb + l : l * ldb + column));
        ct__blas_put(c, tc, at, scale * sum + (keep == 0 ? 0 : keep * ct__blas_get(c, tc, at)));
    }
    return CUBLAS_STATUS_SUCCESS;
}
#endif /* CUDA_ON_CPU_H */
