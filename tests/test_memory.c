/* Scopes, counters, hooks, a failing allocator at every call of a training step and of a tour through the library, a fixed arena, absurd
   sizes, user threads. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#if !defined CTORCH_NO_THREADS && !defined __TINYC__ && !defined _WIN32
#define TEST_THREADS
#include <pthread.h>
#endif
#include "ctorch.h"
#include "test.h"

/* ---- a host that counts, checks what it is given back, and fails when told to ---- */
static struct { int64_t calls, live, bytes, peak, fail_from, fail_count, failed; bool wrong_size; } host = {0, 0, 0, 0, -1, 0, 0, false};
#ifdef TEST_THREADS
static pthread_mutex_t host_lock = PTHREAD_MUTEX_INITIALIZER;
#define HOST_LOCK() pthread_mutex_lock(&host_lock)
#define HOST_UNLOCK() pthread_mutex_unlock(&host_lock)
#else
#define HOST_LOCK() (void)0
#define HOST_UNLOCK() (void)0
#endif
typedef union { size_t bytes; double align[2]; } host_header;
static void *host_alloc(size_t bytes, void *user)
{
    host_header *h = NULL;
    HOST_LOCK();
    if (user != &host) host.wrong_size = true;
    int64_t n = host.calls++;
    bool fails = host.fail_from >= 0 && n >= host.fail_from && n - host.fail_from < host.fail_count;
    if (fails) host.failed++;
    else if (bytes < (size_t)1 << 40 && (h = (host_header *)malloc(sizeof *h + bytes))) {
        h->bytes = bytes, host.live++, host.bytes += (int64_t)bytes;
        if (host.bytes > host.peak) host.peak = host.bytes;
    }
    HOST_UNLOCK();
    return h ? h + 1 : NULL;
}
static void host_free(void *memory, size_t bytes, void *user)
{
    host_header *h = (host_header *)memory - 1;
    HOST_LOCK();
    if (h->bytes != bytes || user != &host) host.wrong_size = true;
    host.live--, host.bytes -= (int64_t)bytes;
    HOST_UNLOCK();
    free(h);
}
static const ct_allocator counting = {host_alloc, host_free, &host};

static void nothing_left(const char *where)
{
    ct_shutdown();
    ct_memory_info m = ct_memory_stats();
    CHECKF(m.tensors == 0 && m.nodes == 0, "%s: %lld tensors and %lld nodes are left", where, (long long)m.tensors, (long long)m.nodes);
    CHECKF(m.live_bytes == 0 && m.cached_bytes == 0, "%s: %lld bytes live, %lld cached after ct_shutdown", where, (long long)m.live_bytes, (long long)m.cached_bytes);
    CHECKF(host.live == 0 && host.bytes == 0 && !host.wrong_size, "%s: the host misses %lld blocks, %lld bytes%s", where, (long long)host.live, (long long)host.bytes, host.wrong_size ? "; a size was not what was asked for" : "");
}

/* ---- scopes ---- */
static ct_tensor *early_exit(int at) /* returns out of nested scopes without ending them */
{
    ct_scope_begin();
    ct_tensor *x = ct_ones(4);
    ct_scope_begin();
    ct_tensor *y = ct_mul(x, 2);
    if (at == 1) return y;
    ct_scope_end();
    ct_scope_end();
    return NULL;
}
static void scopes(void)
{
    int64_t before = ct_memory_stats().tensors;
    CHECK_INT(ct_scope_depth(), 0);
    ct_scope_begin();
    ct_tensor *a = ct_zeros(3);
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    CHECK_INT(ct_scope_depth(), 1);
    ct_scope_begin();
    ct_add(ct_mul(a, 2), ct_mul(a, 3));
    CHECK(ct_memory_stats().tensors >= before + 4);
    ct_tensor *kept = ct_keep(ct_add(a, 1));
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before + 2);
    CHECK_VALUES(kept, 0, 1, 1, 1);
    ct_scope_begin();
    ct_keep(ct_keep(kept)); /* of an outer scope: stays there */
    ct_scope_end();
    CHECK_VALUES(kept, 0, 1, 1, 1);
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before);
    /* out of two scopes at once */
    ct_scope_begin();
    ct_scope_begin();
    ct_tensor *t = ct_keep(ct_exp(ct_zeros(2)));
    ct_scope_end();
    t = ct_keep(t);
    ct_scope_begin();
    ct_scope_end();
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before + 1); /* now nobody's but the thread's */
    CHECK_VALUES(t, 0, 1, 1);
    /* retain outlives scopes */
    ct_scope_begin();
    ct_tensor *r = ct_retain(ct_full(7, 2));
    ct_scope_end();
    CHECK_VALUES(r, 0, 7, 7);
    ct_release(r);
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    /* early exits */
    int depth = ct_scope_depth();
    ct_scope_begin();
    early_exit(1);
    CHECK_INT(ct_scope_depth(), depth + 3);
    ct_scope_unwind(depth);
    CHECK_INT(ct_scope_depth(), depth);
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    ct_scope_begin();
    early_exit(1);
    ct_scope_unwind(depth + 1);
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    ct_scope_unwind(-5);
    CHECK_INT(ct_scope_depth(), 0);
    ct_scope_end(); /* one too many: nothing */
    CHECK_INT(ct_scope_depth(), 0);
    for (int k = 0; k < 1000; k++) ct_scope_begin();
    CHECK_INT(ct_scope_depth(), 1000);
    ct_scope_unwind(0);
    /* many handles in one scope, views hold their storage, a graph holds its leaves */
    ct_scope_begin();
    for (int k = 0; k < 10000; k++) ct_ones(1);
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    ct_scope_begin();
    ct_tensor *view;
    ct_scope_begin();
    view = ct_keep(ct_select(ct_reshape(ct_arange(6.0), 2, 3), 0, 1));
    ct_scope_end();
    CHECK_VALUES(view, 0, 3, 4, 5);
    ct_scope_begin();
    ct_tensor *loss = ct_keep(ct_sum(ct_square(ct_requires_grad_(ct_ones(2), true))));
    ct_scope_end();
    CHECK(ct_backward(loss));
    ct_scope_end();
    /* functions that return their input do not hand it outward */
    ct_scope_begin();
    ct_tensor *same = ct_ones(2);
    CHECK(ct_contiguous(same) == same && ct_to(same, CT_F32) == same && ct_sum_to_size(same, 2) == same);
    ct_add_(same, 1), ct_zero_(same), ct_copy_(same, ct_ones(2)), ct_clamp_(same, 0, 1), ct_masked_fill_(same, ct_gt(same, 2), 0), ct_set(same, "0", 5);
    ct_scope_begin();
    ct_add_(same, 1), ct_zero_(same), ct_set(same, "0", 5), ct_fill_(same, 2), ct_requires_grad_(same, true), ct_requires_grad_(same, false);
    ct_scope_end();
    CHECK_VALUES(same, 0, 2, 2);
    ct_scope_end();
    CHECK_INT(ct_memory_stats().tensors, before + 1);
    /* a function makes one handle, whatever it is made of */
#define ONE(call)                                                                                                     \
    do {                                                                                                              \
        before = ct_memory_stats().tensors;                                                                           \
        ct_tensor *made = (call);                                                                                     \
        CHECKF(made && ct_memory_stats().tensors == before + 1, "%s makes %d handles", #call, (int)(ct_memory_stats().tensors - before)); \
    } while (0)
    ct_scope_begin();
    ct_tensor *f = ct_zeros(2, 2), *g = ct_t(f), *i = ct_tensor_i64(0, 1);
    ONE(ct_ones(2)); ONE(ct_ones_like(f)); ONE(ct_eye(3)); ONE(ct_linspace(0, 1, 3)); ONE(ct_arange(3)); ONE(ct_tensor_of(1, 2)); ONE(ct_randn(2)); ONE(ct_rand_like(f)); ONE(ct_randperm(5));
    ONE(ct_mean(f)); ONE(ct_std(f, 1)); ONE(ct_var(f, 0)); ONE(ct_norm(f, 3)); ONE(ct_logsumexp(f, CT_SHAPE(0), false)); ONE(ct_prod(f)); ONE(ct_all(f)); ONE(ct_argmax(f, 0, false)); ONE(ct_max_dim(f, 0, false, NULL));
    ONE(ct_softmax(f, 0)); ONE(ct_mse_loss(f, f)); ONE(ct_cross_entropy(f, i)); ONE(ct_normalize(f, 2, 1, 1e-12)); ONE(ct_dropout(f, 0.5, true)); ONE(ct_one_hot(i, 3));
    ONE(ct_matmul(f, f)); ONE(ct_linear(f, f, NULL)); ONE(ct_reshape(g, 4)); ONE(ct_contiguous(g)); ONE(ct_to(f, CT_F64)); ONE(ct_selu(f)); ONE(ct_rad2deg(f)); ONE(ct_signbit(f));
    ONE(ct_isclose(f, g, 1, 1, false)); ONE(ct_sort(f, 0, false, NULL)); ONE(ct_topk(f, 1, 0, true, true, NULL)); ONE(ct_median(f)); ONE(ct_unique(f, true, NULL, NULL)); ONE(ct_cumsum(f, 0)); ONE(ct_cumprod(f, 0));
    ONE(ct_get(f, "0, 1:")); ONE(ct_get(f, "[0, 1]")); ONE(ct_index(f, CT_BY(i))); ONE(ct_cat(0, f, g)); ONE(ct_stack(0, f, g)); ONE(ct_flip(f, 0)); ONE(ct_tril(f, 0));
    ONE(ct_index_select(f, 0, i)); ONE(ct_nonzero(f)); ONE(ct_expr("a + 1", f)); ONE(ct_relu6(f)); ONE(ct_square(f));
    ct_scope_end();
    ct_shutdown();
    nothing_left("scopes");
}
static int deleted;
static void deleter(void *data, void *user) { deleted += data != NULL && user == &deleted; }
static void blobs(void)
{
    static double mine[6] = {1, 2, 3, 4, 5, 6};
    int64_t stride[] = {1, 2};
    deleted = 0;
    ct_scope_begin();
    ct_tensor *t = ct_from_blob(mine, CT_F64, 2, 3);
    CHECK(ct_data(t) == mine);
    ct_mul_(t, 10);
    CHECK(mine[5] == 60);
    ct_scope_begin();
    ct_tensor *s = ct_from_blob_strided(mine, CT_F64, CT_SHAPE(2, 3), stride, deleter, &deleted), *view = ct_retain(ct_select(s, 1, 2));
    CHECK_VALUES(s, 0, 10, 30, 50, 20, 40, 60);
    ct_scope_end();
    CHECK_INT(deleted, 0);
    CHECK_VALUES(view, 0, 50, 60);
    ct_release(view);
    CHECK_INT(deleted, 1);
    CHECK_ERROR(CT_ERR_NULL, ct_from_blob(NULL, CT_F64, 2));
    CHECK(ct_from_blob(NULL, CT_F64, 0) != NULL);
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_from_blob(mine, CT_F64, -1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_from_blob(mine, (ct_dtype)77, 2));
    stride[0] = -1;
    test_expect();
    bool none = ct_from_blob_strided(mine, CT_F64, CT_SHAPE(2, 3), stride, deleter, &deleted) == NULL;
    test_expected(none, CT_ERR_ARGUMENT, 0, __FILE__, __LINE__, "a negative stride");
    CHECK_INT(deleted, 1);
    ct_scope_end();
    nothing_left("blobs");
}

/* ---- warm loops take nothing from the host ---- */
static ct_module *make_net(void)
{
    return ct_nn_sequential(ct_nn_conv2d(1, 4, 3, .padding = 1), ct_nn_batch_norm2d(4), ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_dropout(0.25), ct_nn_linear(64, 10),
                            ct_nn_layer_norm(CT_SHAPE(10)), ct_nn_linear(10, 5));
}
static void train(ct_module *net, ct_optim *opt, ct_tensor *x, ct_tensor *y)
{
    ct_scope_begin();
    ct_tensor *loss = ct_cross_entropy(ct_forward(net, x), y);
    ct_zero_grad(opt);
    ct_backward(loss);
    ct_clip_grad_norm_(ct_parameters(net), 1.0);
    ct_step(opt);
    ct_scope_end();
}
static void warm(void)
{
    ct_scope_begin();
    ct_tensor *a = ct_rand(64, 70), *b = ct_rand(70, 40), *x = ct_randn(6, 1, 8, 8), *y = ct_randint(0, 5, 6);
    ct_module *net = make_net();
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 1e-2), *sgd = ct_optim_sgd(ct_parameters(net), .lr = 1e-3, .momentum = 0.9);
    ct_dataset *data = ct_data_tensor_dataset(ct_randn(40, 1, 8, 8), ct_randint(0, 5, 40));
    ct_loader *loader = ct_data_loader(data, .batch_size = 8, .shuffle = true);
    for (int what = 0; what < 7; what++) {
        int64_t allocs = 0, tensors = 0, nodes = 0, live = 0;
        for (int k = 0; k < 30; k++) {
            if (k == 8) {
                ct_memory_info m = ct_memory_stats();
                allocs = m.host_allocs, tensors = m.tensors, nodes = m.nodes, live = m.live_bytes;
            }
            ct_scope_begin();
            ct_tensor *batch[2], *parts[4];
            if (what == 0) ct_sum(ct_exp(ct_add(ct_mul(a, 2), ct_sin(a))));
            else if (what == 1) ct_matmul(ct_matmul(a, b), ct_t(b));
            else if (what == 2) {
                ct_tensor *w = ct_requires_grad_(ct_clone(b), true);
                ct_backward(ct_sum(ct_square(ct_sub(ct_matmul(a, w), 1))));
            } else if (what == 3) train(net, opt, x, y);
            else if (what == 4) train(net, sgd, x, y);
            else if (what == 5) {
                while (ct_loader_next(loader, batch)) train(net, opt, batch[0], batch[1]);
            } else {
                ct_tensor *order, *s = ct_sort(a, 1, false, &order);
                ct_split(s, 20, 0, parts, 4);
                ct_cat(0, parts[0], parts[3]), ct_gather(a, 1, order), ct_get(a, "1:, ::2"), ct_expr("a*a + 1", a), ct_softmax(a, 1), ct_cumsum(a, 0), ct_masked_select(a, ct_gt(a, 2));
            }
            ct_scope_end();
        }
        ct_memory_info m = ct_memory_stats();
        CHECKF(m.host_allocs == allocs, "loop %d took %lld blocks from the host when warm", what, (long long)(m.host_allocs - allocs));
        CHECKF(m.tensors == tensors && m.nodes == nodes && m.live_bytes == live, "loop %d keeps %lld tensors, %lld nodes, %lld bytes", what, (long long)(m.tensors - tensors), (long long)(m.nodes - nodes), (long long)(m.live_bytes - live));
    }
    CHECK(ct_memory_stats().host_allocs == host.calls);
    CHECK(ct_memory_stats().peak_bytes > 0 && ct_memory_stats().live_bytes > 0);
    ct_loader_free(loader), ct_dataset_free(data), ct_optim_free(opt), ct_optim_free(sgd), ct_module_free(net);
    ct_scope_end();
    nothing_left("warm loops");
}
static void hooks(void)
{
    ct_scope_begin();
    ct_tensor *t = ct_retain(ct_ones(3));
    test_expect();
    bool set = ct_set_allocator(NULL);
    test_expected(!set, CT_ERR_STATE, 0, __FILE__, __LINE__, "ct_set_allocator in the middle");
    ct_scope_end();
    ct_shutdown();
    CHECK_VALUES(t, 0, 1, 1, 1); /* retained: survives a shutdown */
    ct_release(t);
    ct_shutdown();
    CHECK(ct_set_allocator(NULL));
    int64_t calls = host.calls;
    ct_scope_begin();
    ct_add(ct_ones(1000), 1);
    ct_scope_end();
    CHECK_INT(host.calls, calls);
    ct_shutdown();
    CHECK(ct_set_allocator(&counting));
    ct_scope_begin();
    ct_add(ct_ones(1000), 1);
    ct_scope_end();
    CHECK(host.calls > calls);
    ct_memory_info warm = ct_memory_stats();
    CHECK(warm.cached_bytes > 0);
    ct_empty_cache();
    CHECK(ct_memory_stats().cached_bytes < warm.cached_bytes);
    nothing_left("hooks");
}

/* ---- the host fails at the n-th call, for all n ---- */
static char weights_path[64];
static double training_step(void) /* everything a training does, from nothing; NAN after errors */
{
    double loss = NAN;
    int depth = ct_scope_depth();
    ct_manual_seed(3);
    ct_module *net = make_net();
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 1e-2);
    ct_lr *lr = ct_lr_cosine_annealing(opt, 10);
    ct_scope_begin();
    ct_tensor *x = ct_randn(6, 1, 8, 8), *y = ct_randint(0, 5, 6), *l = NULL;
    for (int k = 0; k < 2 && ct_ok(); k++) {
        l = ct_cross_entropy(ct_forward(net, x), y);
        ct_zero_grad(opt);
        ct_backward(l);
        ct_clip_grad_norm_(ct_parameters(net), 1.0);
        ct_step(opt);
        ct_step(lr);
    }
    if (ct_ok()) loss = ct_item(l);
    bool saved = ct_save_safetensors(net, weights_path);
    if (!saved && ct_ok()) CHECKF(false, "ct_save_safetensors failed without a word");
    if (!ct_load_safetensors(net, weights_path) && ct_ok()) CHECKF(false, "ct_load_safetensors failed without a word");
    ct_scope_unwind(depth);
    ct_lr_free(lr), ct_optim_free(opt), ct_module_free(net);
    return ct_ok() ? loss : NAN;
}
static ct_tensor *hook(ct_tensor *g, void *user) { return (void)user, ct_mul(g, 2); }
static ct_tensor *twice(ct_custom *self, ct_tensor *const *in, int n) { return (void)n, ct_save_for_backward(self, in, 1) ? ct_mul(in[0], 2) : NULL; }
static bool twice_backward(ct_custom *self, ct_tensor *g, ct_tensor **gin) { return ct_saved(self, 0) && (gin[0] = ct_mul(g, 2)) != NULL; }
static const ct_custom_function twice_function = {"twice", twice, twice_backward, NULL};
static ct_tensor *call_check(ct_tensor *const *in, int n, void *user) { return (void)n, (void)user, ct_mul(ct_exp(in[0]), in[1]); }
static double tour(void) /* a little of everything else */
{
    int depth = ct_scope_depth();
    double sum = 0;
    ct_scope_begin();
    ct_manual_seed(5);
    ct_tensor *x = ct_requires_grad_(ct_randn_dtype(CT_F64, 3, 4), true), *i = ct_tensor_i64(2, 0), *r = NULL, *parts[4] = {NULL}, *d[2];
    ct_tensor *y = ct_mul(x, 2);
    ct_register_hook(x, hook, NULL), ct_register_hook(y, hook, NULL), ct_retain_grad(y);
    ct_add_(ct_select(y, 0, 1), ct_sum(x));
    ct_set(y, "0, 1:3", 4);
    ct_index_put_(y, (ct_tensor *const[]){i}, 1, ct_full_dtype(CT_F64, 1, 2, 4), true);
    ct_masked_fill_(y, ct_gt(ct_detach(y), 3), 3);
    ct_split(y, 2, 1, parts, 4);
    ct_tensor *all[] = {ct_cat(1, parts[0], parts[1]), ct_stack(0, parts[0], parts[1]), ct_gather(y, 0, ct_reshape(i, 2, 1)), ct_sort(y, 1, true, &r), ct_topk(y, 2, 1, true, true, &r), ct_get(y, "[0, 2], 1:"),
        ct_index(y, CT_BY(i), CT_FROM(1)), ct_matmul(y, ct_t(y)), ct_einsum("ij,kj->ik", y, y), ct_expr("a*sigmoid(b) + 1", y, x), ct_softmax(y, 1), ct_log_softmax(y, 0), ct_cumprod(y, 1), ct_prod(y),
        ct_max_dim(y, 1, false, &r), ct_logsumexp(y, CT_SHAPE(1), true), ct_std(y, 1), ct_norm(y, 3), ct_flip(y, 0, 1), ct_roll(y, 1, 0), ct_repeat(y, 2, 1), ct_tril(y, 0), ct_where(ct_gt(y, 0), y, 0),
        ct_clamp(y, -1, 1), ct_unfold(y, 1, 2, 1), ct_as_strided(y, CT_SHAPE(2, 2), CT_SHAPE(1, 2), 0), ct_median(y), ct_to(y, CT_F32), ct_apply_custom(&twice_function, NULL, &y, 1),
        ct_dropout(y, 0.5, true), ct_layer_norm(y, CT_SHAPE(4)), ct_embedding(i, y), ct_mse_loss(y, x), ct_normalize(y, 2, 1, 1e-12), ct_scatter_add(y, 0, ct_reshape(i, 1, 2), ct_ones_like(ct_detach(y)))};
    ct_tensor *total = NULL;
    for (size_t k = 0; k < sizeof all / sizeof *all; k++) {
        ct_tensor *part = ct_sum(ct_to(all[k], CT_F64));
        total = k ? ct_add(total, part) : part;
    }
    if (ct_ok() && total) {
        ct_backward(total, .retain_graph = true);
        ct_tensor *g = ct_grad(ct_sum(ct_sin(y)), x, .create_graph = true);
        ct_grad_many((ct_tensor *[]){ct_sum(ct_square(g))}, NULL, 1, (ct_tensor *[]){x, y}, d, 2, (ct_grad_opts){.allow_unused = true, .ct_end_ = 0});
        ct_free_text(ct_graph_dot(total));
        ct_free_text(ct_to_text(y));
        ct_tensor *in[2] = {ct_requires_grad_(ct_ones_dtype(CT_F64, 2), true), ct_requires_grad_(ct_ones_dtype(CT_F64, 2), true)};
        ct_gradgradcheck(call_check, in, 2, NULL);
    }
    const char *names[] = {"a", "b"};
    ct_tensor *tensors[] = {x, i};
    ct_save_tensors(weights_path, names, tensors, 2);
    ct_tensors *loaded = ct_load_safetensors_file(weights_path);
    if (loaded) sum += ct_item(ct_sum(ct_tensors_find(loaded, "a")));
    ct_tensors_free(loaded);
    ct_dataset *data = ct_data_tensor_dataset(ct_detach(x), ct_arange(3));
    ct_loader *loader = ct_data_loader(data, .batch_size = 2, .shuffle = true);
    while (ct_loader_next(loader, parts)) sum += ct_item(ct_sum(parts[0]));
    ct_loader_free(loader), ct_dataset_free(data);
    ct_module *net = ct_nn_sequential(ct_nn_linear(4, 3), ct_nn_gelu(), ct_nn_embedding(3, 2));
    ct_free_text(ct_module_text(net));
    ct_load_state_dict(net, ct_state_dict(net), true);
    ct_module_to(net, CT_F64);
    ct_module_free(net);
    if (total) sum += ct_item(total);
    if (ct_grad_of(x)) sum += ct_item(ct_sum(ct_grad_of(x)));
    ct_set_grad(y, NULL); /* a kept gradient with a graph of its own holds y, and y holds it */
    ct_scope_unwind(depth);
    return ct_ok() ? sum : NAN;
}
static void failing(double (*body)(void), const char *name)
{
    ct_shutdown();
    ct_clear_error();
    ct_set_num_threads(1);
    int64_t start = host.calls;
    double expected = body();
    int64_t calls = host.calls - start, hits = 0;
    CHECKF(ct_ok() && expected == expected, "%s works when nothing fails", name);
    remove(weights_path);
    nothing_left(name);
    CHECKF(calls > 50, "%s takes %lld blocks from the host", name, (long long)calls);
    for (int mode = 0; mode < 2; mode++) /* two in a row (the library tries again after giving back its cache), or all from here on */
        for (int64_t n = 0; n < calls; n++) {
            char where[64];
            snprintf(where, sizeof where, "%s, failing %s %lld of %lld", name, mode ? "from" : "at", (long long)n, (long long)calls);
            host.fail_from = host.calls + n, host.fail_count = mode ? INT64_MAX / 2 : 2, host.failed = 0;
            test_expect();
            double got = body();
            test_expecting = false, host.fail_from = -1;
            hits += host.failed > 0;
            if (host.failed) CHECKF(test_reports > 0 ? !ct_ok() && got != got && test_error.code != CT_ERR_OK : got == expected, "%s: %d reports, last %s, result %g", where, test_reports, ct_error_name(test_error.code), got);
            else CHECKF(got == expected && ct_ok(), "%s: nothing failed, and yet: %d reports, %g", where, test_reports, got);
            if (mode && host.failed) CHECKF(test_reports > 0, "%s: no report", where);
            ct_clear_error();
            CHECKF(ct_is_grad_enabled() && ct_scope_depth() == 0, "%s: modes and scopes are as before", where);
            ct_scope_begin(); /* what was saved is whole, or is not there */
            FILE *f = fopen(weights_path, "rb");
            if (f) {
                fclose(f);
                ct_tensors *t = ct_load_safetensors_file(weights_path);
                CHECKF(t && t->count > 0, "%s: a whole file", where);
                ct_tensors_free(t);
                remove(weights_path);
            }
            ct_scope_end();
            nothing_left(where);
            if (n % 16 == 0) {
                CHECKF(body() == expected && ct_ok(), "%s: all is well afterwards", where);
                remove(weights_path);
                nothing_left(where);
            }
            if (test_failed > 60) return;
        }
    CHECKF(hits > calls, "%s: the host failed in %lld of %lld runs", name, (long long)hits, (long long)(2 * calls));
    ct_set_num_threads(0);
}

/* ---- a fixed arena: first fit, neighbours merged ---- */
enum { ARENA = 6 << 20 };
typedef struct arena_block { size_t bytes; bool used; } arena_block;
static union { unsigned char memory[ARENA]; double align; } arena;
static size_t arena_limit;
#define BLOCK(at) ((arena_block *)(void *)(arena.memory + (at)))
static void *arena_alloc(size_t bytes, void *user)
{
    (void)user;
    bytes = (bytes + 31) / 16 * 16; /* with the header's 16 */
    for (size_t at = 0; at < arena_limit; at += BLOCK(at)->bytes) {
        arena_block *b = BLOCK(at);
        while (!b->used && at + b->bytes < arena_limit && !BLOCK(at + b->bytes)->used) b->bytes += BLOCK(at + b->bytes)->bytes;
        if (b->used || b->bytes < bytes) continue;
        if (b->bytes - bytes >= 32) BLOCK(at + bytes)->bytes = b->bytes - bytes, BLOCK(at + bytes)->used = false, b->bytes = bytes;
        b->used = true;
        return arena.memory + at + 16;
    }
    return NULL;
}
static void arena_free(void *memory, size_t bytes, void *user)
{
    (void)bytes, (void)user;
    ((arena_block *)(void *)((unsigned char *)memory - 16))->used = false;
}
static void arena_reset(size_t limit)
{
    arena_limit = limit;
    BLOCK(0)->bytes = limit, BLOCK(0)->used = false;
}
static void fixed_arena(void)
{
    ct_allocator a = {arena_alloc, arena_free, NULL};
    ct_shutdown();
    ct_set_num_threads(1);
    double expected = training_step();
    remove(weights_path);
    ct_shutdown();
    CHECK(ct_set_allocator(&a));
    arena_reset(ARENA);
    CHECK(training_step() == expected && ct_ok());
    CHECK(ct_memory_stats().peak_bytes < ARENA || true);
    ct_shutdown();
    CHECK(BLOCK(0)->used == false);
    /* smaller and smaller, until nothing fits */
    int fitted = 0, failed = 0;
    for (size_t limit = 1 << 20; limit >= 4096; limit = limit / 4 * 3 / 16 * 16) {
        arena_reset(limit);
        test_expect();
        double got = training_step();
        test_expecting = false;
        CHECKF(ct_ok() ? got == expected : got != got && test_reports > 0, "arena of %d bytes: %g, %d reports", (int)limit, got, test_reports);
        ct_ok() ? fitted++ : failed++;
        ct_clear_error();
        ct_shutdown();
        ct_memory_info m = ct_memory_stats();
        CHECKF(m.tensors == 0 && m.nodes == 0 && m.live_bytes == 0 && m.cached_bytes == 0, "arena of %d bytes: %lld tensors, %lld nodes, %lld bytes", (int)limit, (long long)m.tensors, (long long)m.nodes, (long long)m.live_bytes);
        if (test_failed > 80) break;
    }
    CHECK(fitted > 0 && failed > 0);
    remove(weights_path);
    CHECK(ct_set_allocator(&counting));
    ct_set_num_threads(0);
}

/* ---- sizes that cannot be ---- */
static void huge(void)
{
    const int64_t M = INT64_MAX, T = INT64_C(1) << 40;
    ct_scope_begin();
    ct_tensor *x = ct_ones(2, 3), *i = ct_tensor_i64(0, 1);
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_empty(M));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_zeros(T, T));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_ones(M, M, M));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_ones(0, M, M));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_zeros(-1));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_full(1, 2, -3));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_rand(-2));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_eye(T));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_eye(-1));
    CHECK_ERROR(CT_ERR_MEMORY, ct_empty(T, 64));
    CHECK_ERROR(CT_ERR_MEMORY, ct_zeros_dtype(CT_F64, T * 64));
    CHECK_ERROR(CT_ERR_MEMORY, ct_randn(T));
    CHECK_ERROR(CT_ERR_MEMORY, ct_arange(T));
    CHECK_ERROR(CT_ERR_MEMORY, ct_randperm(T));
    CHECK_ERROR(CT_ERR_MEMORY, ct_clone(ct_expand(x, T, 2, 3)));
    CHECK_ERROR(CT_ERR_MEMORY, ct_add(ct_expand(x, T, 2, 3), 1));
    CHECK_ERROR(CT_ERR_MEMORY, ct_add(ct_expand(ct_ones(1), T), ct_ones(4, 1)));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_add(ct_expand(ct_ones(1), T), ct_expand(ct_ones(1, 1), T, 1)));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_matmul(ct_expand(ct_ones(1, 1), T, 1), ct_expand(ct_ones(1, 1), 1, T)));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_repeat(x, T, T));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_outer(ct_expand(ct_ones(1), T), ct_expand(ct_ones(1), T)));
    CHECK_ERROR(CT_ERR_MEMORY, ct_one_hot(i, T));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_one_hot(i, M));
    CHECK_ERROR(CT_ERR_MEMORY, ct_nn_linear(T, 8));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_nn_linear(T, T));
    test_expect();
    bool none = ct_linspace(0, 1, T) == NULL;
    test_expected(none, CT_ERR_MEMORY, __LINE__ - 1, __FILE__, __LINE__, "ct_linspace of 2^40");
    ct_scope_end();
    nothing_left("absurd sizes");
}

/* ---- user threads ---- */
#ifdef TEST_THREADS
typedef struct { int number; ct_module *shared; ct_tensor *weight; double loss, shared_sum; int reports; bool ok, depth; } worker;
static void count_reports(const ct_error *e, void *user)
{
    (void)e;
    ++*(int *)user;
}
static void *work(void *arg)
{
    worker *w = (worker *)arg;
    int reports = 0;
    w->ok = ct_ok() && ct_scope_depth() == 0 && ct_is_grad_enabled();
    ct_set_error_handler(count_reports, &reports);
    ct_generator *g = ct_generator_new(w->number);
    ct_use_generator(g);
    ct_module *net = ct_nn_sequential(ct_nn_linear(8, 16), ct_nn_tanh(), ct_nn_linear(16, 1));
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 1e-2);
    ct_scope_begin();
    ct_tensor *x = ct_randn(32, 8), *y = ct_sum_dim(ct_square(x), 1, true);
    for (int k = 0; k < 40; k++) {
        ct_scope_begin();
        ct_tensor *loss = ct_mse_loss(ct_forward(net, x), y);
        ct_zero_grad(opt);
        ct_backward(loss);
        ct_step(opt);
        w->loss = ct_item(loss);
        ct_scope_end();
    }
    /* a model that several threads read: forward and ct_grad towards inputs of one's own */
    for (int k = 0; k < 20; k++) {
        ct_scope_begin();
        ct_tensor *mine = ct_requires_grad_(ct_full_dtype(CT_F32, w->number, 4, 8), true);
        ct_tensor *out = ct_sum(ct_mul(ct_forward(w->shared, mine), ct_sum(w->weight))), *slope = ct_grad(out, mine);
        w->shared_sum = ct_item(ct_sum(slope)) + ct_item(out);
        ct_scope_end();
    }
    /* large operations from several threads at once: one gets the pool, the others run alone */
    ct_tensor *big = ct_full_dtype(CT_F64, w->number, 300, 1000);
    for (int k = 0; k < 5; k++) w->ok = w->ok && ct_item(ct_sum(ct_add(ct_mul(big, 2), 1))) == 300000.0 * (2 * w->number + 1);
    /* errors are this thread's alone */
    ct_no_grad_begin();
    ct_matmul(x, x);
    w->ok = w->ok && !ct_ok() && reports == 1 && ct_last_error()->code == CT_ERR_SHAPE;
    ct_clear_error();
    w->reports = reports;
    ct_scope_end();
    if (w->number % 2) ct_zeros(100); /* left to the thread's end */
    ct_optim_free(opt), ct_module_free(net);
    ct_use_generator(NULL), ct_generator_free(g);
    return NULL;
}
static void threads(void)
{
    enum { THREADS = 4 };
    worker w[THREADS], alone[THREADS];
    pthread_t id[THREADS];
    ct_scope_begin();
    ct_manual_seed(9);
    ct_module *shared = ct_nn_sequential(ct_nn_linear(8, 4), ct_nn_relu(), ct_nn_linear(4, 2));
    ct_module_requires_grad_(shared, false);
    ct_tensor *weight = ct_ones(3);
    for (int round = 0; round < 2; round++) {
        ct_set_num_threads(round ? 3 : 1);
        for (int k = 0; k < THREADS; k++) { /* one after the other */
            memset(&alone[k], 0, sizeof alone[k]), alone[k].number = k + 1, alone[k].shared = shared, alone[k].weight = weight, w[k] = alone[k];
            CHECK(pthread_create(&id[k], NULL, work, &alone[k]) == 0);
            pthread_join(id[k], NULL);
        }
        for (int k = 0; k < THREADS; k++) CHECK(pthread_create(&id[k], NULL, work, &w[k]) == 0); /* and together */
        for (int k = 0; k < THREADS; k++) pthread_join(id[k], NULL);
        for (int k = 0; k < THREADS; k++) {
            CHECKF(w[k].ok && alone[k].ok && w[k].reports == 1, "thread %d", k);
            CHECKF(w[k].loss == alone[k].loss && w[k].shared_sum == alone[k].shared_sum, "thread %d: %.9g and %.9g together, %.9g and %.9g alone", k, w[k].loss, w[k].shared_sum, alone[k].loss, alone[k].shared_sum);
        }
    }
    CHECK(ct_ok());
    test_init(); /* the threads have put their handlers in for threads to come */
    ct_module_free(shared);
    ct_set_num_threads(0);
    ct_scope_end();
    nothing_left("threads");
}
#else
static void threads(void) {}
#endif

int main(void)
{
    test_init();
    CHECK(ct_set_allocator(&counting));
    snprintf(weights_path, sizeof weights_path, "build/test_memory.safetensors");
    FILE *f = fopen(weights_path, "wb");
    if (!f) snprintf(weights_path, sizeof weights_path, "test_memory.safetensors");
    else fclose(f);
    remove(weights_path);
    scopes();
    blobs();
    warm();
    hooks();
    failing(training_step, "a training step");
    failing(tour, "a tour");
    fixed_arena();
    huge();
    threads();
    ct_shutdown();
    return test_done();
}
