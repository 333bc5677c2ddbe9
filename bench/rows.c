/* The C side of the benchmark: one process that bench.py talks to through its standard input and output. It is an ordinary program, built as a
   user builds one (cc -O2, no -march), so what is measured is what a user gets. A row is a function of its inputs; bench.py names it, sends the
   inputs and says how it is to be run:
     forward    the function alone, gradients off
     backward   the graph is made once; the gradients of all inputs that require one are computed again and again from it
     both       graph, gradients, and all of it freed
   Rows with a state of their own (modules, optimisers, loaders) have a setup function besides.
   Commands, a line each; every one answers a line, "ok ..." or "error ...":
     data KEY dtype ndim sizes...   raw bytes follow: kept under the key          drop               forgets all data and the row
     row NAME MODE                  a new row                                     input KEY grad own  the next input; own: a copy of its own
     arg NUMBER                     the next number                               setup
     run N                          ok SECONDS                                    outputs             ok COUNT, then for each a line and raw bytes
     threads N    peak f32|f64 THREADS (flop/s)    bandwidth read|copy|triad|update FLOATS THREADS (bytes/s)    isa
     bytes_at_depth LAYERS (peak bytes)    chain NODES (seconds per node)                                                           */
#define CTORCH_IMPLEMENTATION
#include "ctorch.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_DATA = 512, MAX_IN = 160, MAX_OUT = 160 };
typedef struct task task;
typedef struct row {
    const char *name;
    ct_tensor *(*function)(task *t); /* the result; further ones by extra() */
    void (*setup)(task *t);          /* NULL: none */
} row;
struct task {
    const row *row;
    char mode; /* 'f', 'b' or 'B' for both */
    ct_tensor *in[MAX_IN], *leaf[MAX_IN], *gradient[MAX_IN], *y, *dy, *out[MAX_OUT];
    int inputs, leaves, outputs, args;
    double arg[8];
    ct_module *net;
    ct_optim *optim;
    ct_dataset *dataset;
    ct_loader *loader;
};
static struct { char key[128]; ct_tensor *tensor; } data_kept[MAX_DATA];
static int data_count;

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}
static void extra(task *t, ct_tensor *x)
{
    if (t->outputs < MAX_OUT) t->out[t->outputs++] = x;
}

/* ---- rows that are one expression: the inputs are a to e, the numbers p, q --------------------------------------------------------- */
#define EXPRESSIONS(X)                                                                                                                 \
    X(add, ct_add(a, b)) X(mul, ct_mul(a, b)) X(mul_scalar, ct_mul(a, p)) X(relu, ct_relu(a)) X(exp, ct_exp(a)) X(log, ct_log(a))      \
    X(tanh, ct_tanh(a)) X(sigmoid, ct_sigmoid(a)) X(gelu, ct_gelu(a)) X(silu, ct_silu(a)) X(pow, ct_pow(a, p))                         \
    X(where, ct_where(a, b, c)) X(add_, ct_add_(a, b)) X(mul_scalar_, ct_mul_(a, p)) X(relu_, ct_relu_(a))                             \
    X(exp_log_, ct_log_(ct_exp_(a))) X(tanh_, ct_tanh_(a)) X(sigmoid_, ct_sigmoid_(a)) X(pow_, ct_pow_(a, p))                          \
    X(add_t, ct_add(a, ct_t(a))) X(chain6, ct_tanh(ct_mul(ct_sigmoid(ct_add(ct_mul(a, b), c)), ct_exp(ct_neg(a)))))                    \
    X(sum, ct_sum(a)) X(sum_dim, ct_sum_dim(a, (int)p, false)) X(var_dim, ct_var_dims(a, CT_SHAPE((int64_t)p), 1, false))              \
    X(var, ct_var(a, 1)) X(logsumexp, ct_logsumexp(a, CT_SHAPE(-1), false)) X(softmax, ct_softmax(a, -1))                              \
    X(cross_entropy, ct_cross_entropy(a, b)) X(layer_norm, ct_layer_norm(a, .weight = b, .bias = c))                                   \
    X(cumsum, ct_cumsum(a, (int)p)) X(argmax, ct_argmax(a, (int)p, false)) X(norm, ct_norm(a, 2))                                      \
    X(matmul, ct_matmul(a, b)) X(matmul_nt, ct_matmul(a, ct_mT(b))) X(matmul_tn, ct_matmul(ct_mT(a), b)) X(linear, ct_linear(a, b, c)) \
    X(conv2d, ct_conv2d(a, b, NULL, .stride = (int64_t)p, .padding = (int64_t)q, .groups = (int64_t)t->arg[2]))                        \
    X(max_pool2d, ct_max_pool2d(a, 3, .stride = 2, .padding = 1))                                                                      \
    X(batch_norm2d, ct_batch_norm(a, .running_mean = t->in[3], .running_var = t->in[4], .weight = b, .bias = c, .training = true))     \
    X(embedding, ct_embedding(a, b)) X(gather, ct_gather(a, 1, b)) X(scatter_add, ct_scatter_add(a, 1, b, c))                          \
    X(index_select, ct_index_select(a, 0, b)) X(masked_select, ct_masked_select(a, b)) X(cat, ct_cat(1, a, b, c, t->in[3]))            \
    X(contiguous_t, ct_contiguous(ct_t(a))) SHAPES(X)
#ifdef SHAPES_FILE /* the rows of shapes.py besides */
#include SHAPES_FILE
#else
#define SHAPES(X)
#endif
#define X(name, expression)                                                                                                            \
    static ct_tensor *row_##name(task *t)                                                                                              \
    {                                                                                                                                  \
        ct_tensor *a = t->in[0], *b = t->in[1], *c = t->in[2], *d = t->in[3], *e = t->in[4];                                           \
        const double p = t->arg[0], q = t->arg[1];                                                                                     \
        (void)a, (void)b, (void)c, (void)d, (void)e, (void)p, (void)q;                                                                 \
        return expression;                                                                                                             \
    }
EXPRESSIONS(X)
#undef X
static ct_tensor *row_max_dim(task *t)
{
    ct_tensor *index, *value = ct_max_dim(t->in[0], (int)t->arg[0], false, &index);
    extra(t, index);
    return value;
}
static ct_tensor *row_sort(task *t)
{
    ct_tensor *index, *value = ct_sort(t->in[0], -1, false, &index);
    extra(t, index);
    return value;
}
static ct_tensor *row_topk(task *t)
{
    ct_tensor *index, *value = ct_topk(t->in[0], (int64_t)t->arg[0], -1, true, true, &index);
    extra(t, index);
    return value;
}

/* ---- overhead ------------------------------------------------------------------------------------------------------------------------ */
static ct_tensor *row_small_chain(task *t)
{
    ct_tensor *w = t->in[0], *b = t->in[1], *h = w;
    for (int k = 0; k < (int)t->arg[0] / 2; k++) h = ct_add(ct_mul(h, w), b);
    return h;
}
static ct_tensor *row_scope(task *t)
{
    for (int k = 0; k < (int)t->arg[0]; k++) ct_scope_begin(), ct_scope_end();
    return t->in[0];
}
/* a perceptron 2-8-8-1 of 0-d tensors, a node per multiplication and addition, as micrograd has it */
static ct_tensor *row_scalar_graph(task *t)
{
    const int sizes[4] = {2, 8, 8, 1};
    ct_tensor *x[8] = {t->in[0], t->in[1]}, *y[8], **w = t->in + 2;
    for (int layer = 0; layer < 3; layer++) {
        for (int j = 0; j < sizes[layer + 1]; j++) {
            y[j] = *w++;
            for (int i = 0; i < sizes[layer]; i++) y[j] = ct_add(y[j], ct_mul(*w++, x[i]));
            y[j] = ct_tanh(y[j]);
        }
        memcpy(x, y, sizeof x);
    }
    return x[0];
}

/* ---- training steps: inputs images, labels, then the parameters' values in the order of ct_parameters -------------------------------- */
static void load_parameters(task *t, int first)
{
    ct_params *p = ct_parameters(t->net);
    ct_no_grad_begin();
    for (int k = 0; k < p->count && first + k < t->inputs; k++) ct_copy_(p->tensor[k], t->in[first + k]);
    ct_no_grad_end();
}
static ct_tensor *row_train(task *t)
{
    ct_tensor *loss = ct_cross_entropy(ct_forward(t->net, t->in[0]), t->in[1]);
    ct_zero_grad(t->optim);
    ct_backward(loss);
    ct_step(t->optim);
    return loss;
}
static ct_module *mlp(void) { return ct_nn_sequential(ct_nn_linear(784, 128), ct_nn_relu(), ct_nn_linear(128, 10)); }
static void setup_mlp(task *t)
{
    t->net = mlp();
    load_parameters(t, 2);
    t->optim = ct_optim_sgd(ct_parameters(t->net), .lr = 0.1);
}
static void setup_mlp_forward(task *t)
{
    t->net = mlp();
    load_parameters(t, 1);
}
static ct_tensor *row_mlp_forward(task *t) { return ct_forward(t->net, t->in[0]); }
static void setup_fashion(task *t) /* the network of examples/fashion.c, without dropout: its random numbers are another row's matter */
{
    t->net = ct_nn_sequential(ct_nn_conv2d(1, 16, 3, .padding = 1), ct_nn_batch_norm2d(16), ct_nn_relu(), ct_nn_max_pool2d(2),
                              ct_nn_conv2d(16, 32, 3, .padding = 1), ct_nn_batch_norm2d(32), ct_nn_relu(), ct_nn_max_pool2d(2),
                              ct_nn_flatten(), ct_nn_linear(32 * 7 * 7, 10));
    load_parameters(t, 2);
    t->optim = ct_optim_adam(ct_parameters(t->net), .lr = 1e-3);
}
static void setup_cnn5(task *t)
{
    t->net = ct_nn_sequential(ct_nn_conv2d(1, 32, 5, .padding = 2), ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_conv2d(32, 64, 5, .padding = 2),
                              ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_linear(64 * 7 * 7, 10));
    load_parameters(t, 2);
    t->optim = ct_optim_sgd(ct_parameters(t->net), .lr = 0.01);
}

/* ResNet-18 for small images: He et al. 2015 with a 3x3 stem and no max pooling */
typedef struct block {
    ct_module base;
    ct_module *conv1, *bn1, *conv2, *bn2, *shortcut; /* shortcut NULL: the identity */
} block;
static ct_tensor *block_forward(ct_module *self, ct_tensor *x)
{
    const block *m = (const block *)(void *)self;
    ct_tensor *y = ct_relu(ct_forward(m->bn1, ct_forward(m->conv1, x)));
    y = ct_forward(m->bn2, ct_forward(m->conv2, y));
    return ct_relu(ct_add(y, m->shortcut ? ct_forward(m->shortcut, x) : x));
}
static ct_module *block_new(int64_t in, int64_t out, int64_t stride)
{
    block *m = ct_module_new(block, block_forward);
    ct_module *owner = &m->base;
    m->conv1 = ct_register_module(owner, "conv1", ct_nn_conv2d(in, out, 3, .stride = stride, .padding = 1, .no_bias = true));
    m->bn1 = ct_register_module(owner, "bn1", ct_nn_batch_norm2d(out));
    m->conv2 = ct_register_module(owner, "conv2", ct_nn_conv2d(out, out, 3, .padding = 1, .no_bias = true));
    m->bn2 = ct_register_module(owner, "bn2", ct_nn_batch_norm2d(out));
    if (stride != 1 || in != out)
        m->shortcut = ct_register_module(owner, "shortcut", ct_nn_sequential(ct_nn_conv2d(in, out, 1, .stride = stride, .no_bias = true), ct_nn_batch_norm2d(out)));
    return owner;
}
static void setup_resnet18(task *t)
{
    t->net = ct_nn_sequential(ct_nn_conv2d(3, 64, 3, .padding = 1, .no_bias = true), ct_nn_batch_norm2d(64), ct_nn_relu(),
                              block_new(64, 64, 1), block_new(64, 64, 1), block_new(64, 128, 2), block_new(128, 128, 1),
                              block_new(128, 256, 2), block_new(256, 256, 1), block_new(256, 512, 2), block_new(512, 512, 1),
                              ct_nn_adaptive_avg_pool2d(1, 1), ct_nn_flatten(), ct_nn_linear(512, 10));
    load_parameters(t, 2);
    t->optim = ct_optim_sgd(ct_parameters(t->net), .lr = 0.01, .momentum = 0.9);
}

/* optimisers: input 0 the parameter, 1 its gradient */
static void setup_step(task *t, bool adam)
{
    ct_requires_grad_(t->in[0], true);
    ct_set_grad(t->in[0], t->in[1]);
    t->optim = adam ? ct_optim_adam(ct_params_of(t->in[0]), .lr = 1e-3) : ct_optim_sgd(ct_params_of(t->in[0]), .lr = 1e-3, .momentum = 0.9);
}
static void setup_adam(task *t) { setup_step(t, true); }
static void setup_sgd(task *t) { setup_step(t, false); }
static ct_tensor *row_step(task *t)
{
    ct_step(t->optim);
    return ct_detach(t->in[0]);
}
static void setup_loader(task *t)
{
    t->dataset = ct_data_tensor_dataset(t->in[0], t->in[1]);
    t->loader = ct_data_loader(t->dataset, .batch_size = 64, .shuffle = true);
}
static ct_tensor *row_loader(task *t) /* an epoch; the result: how many samples */
{
    ct_tensor *batch[2];
    int64_t seen = 0;
    while (ct_loader_next(t->loader, batch)) seen += ct_size(batch[0], 0);
    return ct_scalar_i64(seen);
}

static const row rows[] = {
#define X(name, expression) {#name, row_##name, NULL},
    EXPRESSIONS(X)
#undef X
    {"max_dim", row_max_dim, NULL},
    {"sort", row_sort, NULL},
    {"topk", row_topk, NULL},
    {"small_chain", row_small_chain, NULL},
    {"scope", row_scope, NULL},
    {"scalar_graph", row_scalar_graph, NULL},
    {"mlp", row_train, setup_mlp},
    {"mlp_forward", row_mlp_forward, setup_mlp_forward},
    {"fashion", row_train, setup_fashion},
    {"cnn5", row_train, setup_cnn5},
    {"resnet18", row_train, setup_resnet18},
    {"adam", row_step, setup_adam},
    {"sgd", row_step, setup_sgd},
    {"loader", row_loader, setup_loader},
};

/* ---- running ------------------------------------------------------------------------------------------------------------------------- */
static void run_once(task *t) /* in a scope of the caller's */
{
    t->outputs = 0;
    if (t->mode != 'b') {
        ct_tensor *y = t->row->function(t);
        if (t->mode == 'f') extra(t, y);
        else t->y = y;
    }
    if (t->mode == 'f') return;
    ct_grad_opts o = {.retain_graph = t->mode == 'b'};
    if (t->leaves) ct_grad_many(&t->y, &t->dy, 1, t->leaf, t->gradient, t->leaves, o);
    if (t->mode == 'B') extra(t, t->y);
    for (int k = 0; k < t->leaves; k++) extra(t, t->gradient[k]);
}
/* a forward row that trains records, too */
static void begin_run(const task *t)
{
    if (t->mode == 'f' && !t->optim) ct_no_grad_begin();
}
static void end_run(const task *t)
{
    if (t->mode == 'f' && !t->optim) ct_no_grad_end();
}
static double run_many(task *t, long n)
{
    begin_run(t);
    const double began = now();
    for (long k = 0; k < n; k++) {
        ct_scope_begin();
        run_once(t);
        ct_scope_end();
    }
    const double spent = now() - began;
    end_run(t);
    return spent;
}
static void end_task(task *t)
{
    if (!t->row) return;
    ct_loader_free(t->loader);
    ct_dataset_free(t->dataset);
    ct_optim_free(t->optim);
    ct_module_free(t->net);
    ct_scope_end();
    memset(t, 0, sizeof *t);
}
static bool begin_task(task *t, const char *name, char mode)
{
    end_task(t);
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++)
        if (!strcmp(rows[k].name, name)) t->row = &rows[k];
    if (!t->row) return false;
    ct_clear_error();
    ct_scope_begin();
    ct_manual_seed(0);
    t->mode = mode;
    t->y = NULL;
    return true;
}
/* the last input is the gradient of the result where one is needed */
static void setup(task *t)
{
    if (t->row->setup) t->row->setup(t);
    if (t->mode == 'f') return;
    t->dy = t->in[--t->inputs];
    for (int k = 0; k < t->inputs; k++)
        if (ct_requires_grad(t->in[k])) t->leaf[t->leaves++] = t->in[k];
    if (t->mode == 'b') t->y = t->row->function(t);
}
static void send_outputs(task *t)
{
    ct_scope_begin();
    begin_run(t);
    run_once(t);
    end_run(t);
    printf("ok %d\n", t->outputs);
    for (int k = 0; k < t->outputs; k++) {
        ct_tensor *x = ct_contiguous(ct_detach(t->out[k]));
        printf("%s %d", x ? ct_dtype_name(ct_dtype_of(x)) : "none", ct_dim(x));
        for (int d = 0; d < ct_dim(x); d++) printf(" %lld", (long long)ct_size(x, d));
        printf("\n");
        if (x) fwrite(ct_data(x), ct_element_size(x), (size_t)ct_numel(x), stdout);
    }
    ct_scope_end();
}
static bool receive_data(const char *line)
{
    char key[128], dtype[16];
    int ndim, used, n;
    ct_shape shape = {{0}, 0};
    if (sscanf(line, "data %127s %15s %d%n", key, dtype, &ndim, &used) != 3 || data_count == MAX_DATA) return false;
    shape.ndim = ndim;
    for (int d = 0; d < ndim; d++, used += n) {
        long long size;
        if (sscanf(line + used, "%lld%n", &size, &n) != 1) return false;
        shape.size[d] = size;
    }
    ct_dtype type = CT_F32;
    while (type < CT_DTYPE_COUNT && strcmp(ct_dtype_name(type), dtype)) type = (ct_dtype)(type + 1);
    ct_tensor *x = (ct_empty_dtype)(type, shape);
    if (!x || fread(ct_data(x), ct_element_size(x), (size_t)ct_numel(x), stdin) != (size_t)ct_numel(x)) return false;
    strcpy(data_kept[data_count].key, key);
    data_kept[data_count++].tensor = ct_retain(x);
    return true;
}
static bool add_input(task *t, const char *key, bool grad, bool own)
{
    for (int k = 0; k < data_count; k++)
        if (!strcmp(data_kept[k].key, key) && t->inputs < MAX_IN) {
            ct_tensor *x = data_kept[k].tensor;
            t->in[t->inputs++] = grad ? ct_requires_grad_(own ? ct_clone(x) : ct_detach(x), true) : own ? ct_clone(x) : x;
            return true;
        }
    return false;
}
static void drop_data(void)
{
    for (int k = 0; k < data_count; k++) ct_release(data_kept[k].tensor);
    data_count = 0;
    ct_empty_cache();
}

/* ---- what the machine allows: multiply-adds from registers, and plain loops over memory, on vectors as wide as the processor has them --- */
enum { VECTORS = 12 };
#define LOOPS(isa, width, attributes, stream)                                                                                          \
    typedef float isa##_f __attribute__((vector_size(width), aligned(4), may_alias));                                                  \
    typedef double isa##_d __attribute__((vector_size(width)));                                                                        \
    attributes static double isa##_fma_f32(long n)                                                                                     \
    {                                                                                                                                  \
        isa##_f s[VECTORS], a = {0}, b = {0}; /* zeros: the multiplier's power does not matter here, denormals would */                \
        for (int k = 0; k < VECTORS; k++) s[k] = a;                                                                                    \
        for (long i = 0; i < n; i++) {                                                                                                 \
            UNROLL for (int k = 0; k < VECTORS; k++) s[k] = s[k] * a + b;                                                              \
            __asm__ volatile("" : "+x"(a), "+x"(b));                                                                                   \
        }                                                                                                                              \
        for (int k = 1; k < VECTORS; k++) s[0] += s[k];                                                                                \
        sink = (double)s[0][0];                                                                                                        \
        return 2.0 * VECTORS * (width / 4);                                                                                            \
    }                                                                                                                                  \
    attributes static double isa##_fma_f64(long n)                                                                                     \
    {                                                                                                                                  \
        isa##_d s[VECTORS], a = {0}, b = {0};                                                                                          \
        for (int k = 0; k < VECTORS; k++) s[k] = a;                                                                                    \
        for (long i = 0; i < n; i++) {                                                                                                 \
            UNROLL for (int k = 0; k < VECTORS; k++) s[k] = s[k] * a + b;                                                              \
            __asm__ volatile("" : "+x"(a), "+x"(b));                                                                                   \
        }                                                                                                                              \
        for (int k = 1; k < VECTORS; k++) s[0] += s[k];                                                                                \
        sink = s[0][0];                                                                                                                \
        return 2.0 * VECTORS * (width / 8);                                                                                            \
    }                                                                                                                                  \
    attributes static void isa##_read(float *x, float *y, float *z, long n)                                                            \
    {                                                                                                                                  \
        const long w = width / 4;                                                                                                      \
        isa##_f s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};                                                                                \
        for (long i = 0; i < n; i += 4 * w) {                                                                                          \
            s0 += *(const isa##_f *)(x + i), s1 += *(const isa##_f *)(x + i + w);                                                      \
            s2 += *(const isa##_f *)(x + i + 2 * w), s3 += *(const isa##_f *)(x + i + 3 * w);                                          \
        }                                                                                                                              \
        s0 += s1 + s2 + s3;                                                                                                            \
        sink = (double)s0[0];                                                                                                          \
        (void)y, (void)z;                                                                                                              \
    }                                                                                                                                  \
    attributes static void isa##_copy(float *x, float *y, float *z, long n)                                                            \
    {                                                                                                                                  \
        for (long i = 0; i < n; i += width / 4) *(isa##_f *)(y + i) = *(const isa##_f *)(x + i);                                       \
        (void)z;                                                                                                                       \
    }                                                                                                                                  \
    attributes static void isa##_copy_stream(float *x, float *y, float *z, long n)                                                     \
    {                                                                                                                                  \
        for (long i = 0; i < n; i += width / 4) stream(y + i, *(const isa##_f *)(x + i));                                              \
        (void)z;                                                                                                                       \
    }                                                                                                                                  \
    attributes static void isa##_triad(float *x, float *y, float *z, long n)                                                           \
    {                                                                                                                                  \
        for (long i = 0; i < n; i += width / 4) *(isa##_f *)(z + i) = *(const isa##_f *)(x + i) + 2 * *(const isa##_f *)(y + i);       \
    }                                                                                                                                  \
    attributes static void isa##_triad_stream(float *x, float *y, float *z, long n)                                                    \
    {                                                                                                                                  \
        for (long i = 0; i < n; i += width / 4) stream(z + i, *(const isa##_f *)(x + i) + 2 * *(const isa##_f *)(y + i));              \
    }                                                                                                                                  \
    attributes static void isa##_update(float *x, float *y, float *z, long n)                                                          \
    {                                                                                                                                  \
        for (long i = 0; i < n; i += width / 4) *(isa##_f *)(x + i) *= 1.0000001f;                                                     \
        (void)y, (void)z;                                                                                                              \
    }
static volatile double sink;
#ifdef __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 32")
#endif
#define PLAIN(p, v) (void)(*(plain_f *)(p) = (v))
#if defined __aarch64__
#undef UNROLL
#define UNROLL
#endif
#if defined __x86_64__
#include <immintrin.h>
#define STREAM512(p, v) _mm512_stream_ps(p, (__m512)(v))
#define STREAM256(p, v) _mm256_stream_ps(p, (__m256)(v))
#define STREAM128(p, v) _mm_stream_ps(p, (__m128)(v))
LOOPS(avx512, 64, __attribute__((target("avx512f,fma"))), STREAM512)
LOOPS(avx2, 32, __attribute__((target("avx2,fma"))), STREAM256)
LOOPS(plain, 16, , STREAM128)
#define HAS_AVX512 __builtin_cpu_supports("avx512f")
#define HAS_AVX2 (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
#define PICK(f) (HAS_AVX512 ? avx512_##f : HAS_AVX2 ? avx2_##f : plain_##f)
#else
LOOPS(plain, 16, , PLAIN)
#define PICK(f) plain_##f
#endif

typedef struct job {
    double (*flops)(long n);
    void (*loop)(float *x, float *y, float *z, long n);
    float *x, *y, *z;
    long n, runs;
    pthread_t thread;
} job;
static void *work(void *p)
{
    job *j = (job *)p;
    if (j->flops) j->flops(j->runs);
    else
        for (long r = 0; r < j->runs; r++) j->loop(j->x, j->y, j->z, j->n);
    return NULL;
}
static double work_all(job *j, int threads)
{
    const double began = now();
    for (int k = 1; k < threads; k++) pthread_create(&j[k].thread, NULL, work, &j[k]);
    work(&j[0]);
    for (int k = 1; k < threads; k++) pthread_join(j[k].thread, NULL);
    return now() - began;
}
static double best_time(job *j, int threads) /* the best of several: this is a limit, not a sample */
{
    double best = 1e30;
    for (;;) {
        const double s = work_all(j, threads);
        if (s > 0.008 || j[0].runs > (1L << 40)) break;
        for (int k = 0; k < threads; k++) j[k].runs *= 2;
    }
    for (int r = 0; r < 7; r++) {
        const double s = work_all(j, threads);
        if (s < best) best = s;
    }
    return best;
}
static double peak(bool f64, int threads)
{
    job j[64];
    memset(j, 0, sizeof j);
    threads = threads > 64 ? 64 : threads;
    for (int k = 0; k < threads; k++) j[k].flops = f64 ? PICK(fma_f64) : PICK(fma_f32), j[k].runs = 1000;
    const double t = best_time(j, threads);
    return j[0].flops(1) * (double)j[0].runs * threads / t;
}
static double bandwidth(const char *kind, long n, int threads)
{
    const bool read = !strcmp(kind, "read"), update = !strcmp(kind, "update"), copy = !strcmp(kind, "copy");
    job j[64];
    double best = 0;
    memset(j, 0, sizeof j);
    threads = threads > 64 ? 64 : threads;
    const long part = n / threads / 256 * 256;
    ct_scope_begin();
    ct_tensor *x = ct_ones(n), *y = read || update ? x : ct_ones(n), *z = read || update || copy ? x : ct_ones(n);
    for (int stream = 0; stream < 2 && x && y && z; stream++) {
        if (stream && (read || update)) break;
        for (int k = 0; k < threads; k++) {
            j[k].loop = read ? PICK(read) : update ? PICK(update) : copy ? (stream ? PICK(copy_stream) : PICK(copy)) : stream ? PICK(triad_stream) : PICK(triad);
            j[k].x = ct_data_f32(x) + k * part, j[k].y = ct_data_f32(y) + k * part, j[k].z = ct_data_f32(z) + k * part;
            j[k].n = part, j[k].runs = 1;
        }
        const double t = best_time(j, threads);
        const double bytes = (double)part * threads * (double)j[0].runs * 4 * (read ? 1 : update || copy ? 2 : 3);
        best = bytes / t > best ? bytes / t : best;
    }
    ct_scope_end();
    return best;
}

/* ---- scaling ------------------------------------------------------------------------------------------------------------------------- */
static double bytes_at_depth(int layers) /* what a training step of a network of so many layers holds at most */
{
    ct_empty_cache();
    const int64_t before = ct_memory_stats().live_bytes;
    ct_module **list = (ct_module **)calloc((size_t)layers * 2 + 1, sizeof *list);
    if (!list) return 0;
    for (int k = 0; k < layers; k++) list[2 * k] = ct_nn_linear(64, 64), list[2 * k + 1] = ct_nn_tanh();
    ct_module *net = ct_nn_sequential_of(list, 2 * layers);
    free(list);
    ct_scope_begin();
    ct_tensor *loss = ct_sum(ct_forward(net, ct_rand(256, 64)));
    const int64_t graph = ct_memory_stats().live_bytes - before;
    ct_backward(loss);
    ct_memory_info after = ct_memory_stats();
    ct_scope_end();
    ct_module_free(net);
    const double held = (double)(after.live_bytes + after.cached_bytes - before);
    return held > (double)graph ? held : (double)graph;
}
static double chain(long nodes)
{
    ct_scope_begin();
    ct_tensor *w = ct_requires_grad_(ct_scalar(1.0), true), *h = w;
    const double began = now();
    ct_scope_begin();
    for (long k = 0; k < nodes; k++) h = ct_mul(h, w);
    ct_backward(h);
    ct_scope_end();
    const double spent = now() - began;
    ct_scope_end();
    ct_empty_cache();
    return spent / (double)nodes;
}

static void answer_number(double x) { printf("ok %.17g\n", x); }
static bool command(task *t, const char *line)
{
    char name[128] = "", kind[16];
    long n = 0;
    int a, b;
    double x;
    if (sscanf(line, "row %127s %c", name, kind) == 2) return begin_task(t, name, kind[0]) && printf("ok\n");
    if (sscanf(line, "input %127s %d %d", name, &a, &b) == 3) return add_input(t, name, a != 0, b != 0) && printf("ok\n");
    if (sscanf(line, "arg %lf", &x) == 1) return t->args < 8 && (t->arg[t->args++] = x, printf("ok\n"));
    if (sscanf(line, "run %ld", &n) == 1) return x = run_many(t, n), ct_ok() && (answer_number(x), true);
    if (sscanf(line, "threads %d", &a) == 1) return ct_set_num_threads(a), printf("ok\n") > 0;
    if (sscanf(line, "peak %15s %d", kind, &a) == 2) return answer_number(peak(!strcmp(kind, "f64"), a)), true;
    if (sscanf(line, "bandwidth %15s %ld %d", kind, &n, &a) == 3) return answer_number(bandwidth(kind, n, a)), true;
    if (sscanf(line, "bytes_at_depth %d", &a) == 1) return answer_number(bytes_at_depth(a)), true;
    if (sscanf(line, "chain %ld", &n) == 1) return answer_number(chain(n)), true;
    if (!strncmp(line, "data ", 5)) return receive_data(line) && printf("ok\n");
    if (!strncmp(line, "setup", 5)) return setup(t), ct_ok() && printf("ok\n");
    if (!strncmp(line, "outputs", 7)) return send_outputs(t), true;
    if (!strncmp(line, "drop", 4)) return end_task(t), drop_data(), printf("ok\n") > 0;
    if (!strncmp(line, "isa", 3)) return printf("ok %s\n", ct_cpu_capability()) > 0;
    return false;
}
int main(void)
{
    static task t;
    static char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        if (!command(&t, line)) {
            line[strcspn(line, "\n")] = 0;
            printf("error %.200s: %s\n", line, ct_last_error()->message ? ct_last_error()->message : "?");
            ct_clear_error();
        }
        fflush(stdout);
    }
    end_task(&t);
    drop_data();
    ct_shutdown();
    return 0;
}
