/* The error contract: one report per failing call, with code, function, operands and the caller's line; NULL flows quietly; handlers, state. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

/* ---- handlers and state ---- */
typedef struct { int calls, line; ct_error_code code; char function[64], message[256], hint[256], file[256]; } seen;
static void record(const ct_error *e, void *user)
{
    seen *s = (seen *)user;
    s->calls++, s->line = e->line, s->code = e->code;
    snprintf(s->function, sizeof s->function, "%s", e->function), snprintf(s->message, sizeof s->message, "%s", e->message);
    snprintf(s->hint, sizeof s->hint, "%s", e->hint), snprintf(s->file, sizeof s->file, "%s", e->file);
}
static void calls_library(const ct_error *e, void *user) /* a handler may use the library, and may fail in it */
{
    int *depth = (int *)user;
    (void)e;
    if (++*depth > 1) return;
    ct_scope_begin();
    ct_add(ct_zeros(2), ct_zeros(3));
    ct_scope_end();
}
static void state(void)
{
    seen a, b;
    memset(&a, 0, sizeof a), memset(&b, 0, sizeof b);
    CHECK(ct_ok() && ct_last_error() != NULL && ct_last_error()->code == CT_ERR_OK);
    CHECK(ct_last_error()->message && ct_last_error()->hint && ct_last_error()->file && ct_last_error()->function);
    ct_scope_begin();
    ct_set_error_handler(record, &a);
    ct_tensor *x = ct_zeros(32, 784), *y = ct_zeros(128, 784);
    ct_tensor *z = ct_relu(ct_add(ct_matmul(x, y), 1)); int line = __LINE__;
    CHECK(z == NULL && !ct_ok() && a.calls == 1 && a.line == line && a.code == CT_ERR_SHAPE);
    CHECK(!strcmp(a.function, "ct_matmul") && !strcmp(a.file, __FILE__));
    CHECK(strstr(a.message, "[32,784]") && strstr(a.message, "[128,784]") && strstr(a.hint, "ct_t"));
    CHECK(ct_last_error()->code == CT_ERR_SHAPE && ct_last_error()->line == line && strstr(ct_last_error()->message, "[128,784]"));
    /* success does not clear it, the next error replaces it */
    CHECK(ct_add(x, 1) != NULL && !ct_ok());
    ct_select(x, 0, 99);
    CHECK(a.calls == 2 && ct_last_error()->code == CT_ERR_INDEX);
    ct_clear_error();
    CHECK(ct_ok() && ct_last_error()->code == CT_ERR_OK && ct_last_error()->message[0] == 0);
    /* another handler, another user pointer */
    ct_set_error_handler(record, &b);
    ct_select(x, 0, 99);
    CHECK(a.calls == 2 && b.calls == 1);
    ct_clear_error();
    int depth = 0;
    ct_set_error_handler(calls_library, &depth);
    ct_select(x, 0, 99);
    CHECK_INT(depth, 2);
    CHECK(!ct_ok());
    ct_clear_error();
    test_init();
    /* a composite names itself, at the caller's line */
    CHECK_ERROR(CT_ERR_SHAPE, ct_mse_loss(ct_zeros(2), ct_zeros(3)));
    CHECK_TEXT(test_function, "ct_mse_loss");
    CHECK_ERROR(CT_ERR_DIM, ct_softmax(x, 5));
    CHECK_TEXT(test_function, "ct_softmax");
    CHECK_ERROR(CT_ERR_DTYPE, ct_std(ct_tensor_i64(1, 2), 1)); /* made of ct_var, made of ct_mean: the outermost speaks */
    CHECK_TEXT(test_function, "ct_std");
    CHECK_ERROR(CT_ERR_SHAPE, ct_allclose(ct_zeros(2), ct_zeros(3), 0, 0, false)); /* of ct_isclose, which fails half way */
    CHECK_TEXT(test_function, "ct_allclose");
    CHECK_ERROR(CT_ERR_DIM, ct_normalize(x, 3, 7, 1e-12));
    CHECK_TEXT(test_function, "ct_normalize");
    CHECK_ERROR(CT_ERR_DIM, ct_sum_dim(x, 7, false)); /* and nothing of that is remembered */
    CHECK_TEXT(test_function, "ct_sum");
    /* text of every code */
    for (int k = 0; k < CT_ERR_COUNT; k++) CHECK(!strncmp(ct_error_name((ct_error_code)k), "CT_ERR_", 7));
    CHECK_TEXT(ct_error_name(CT_ERR_SHAPE), "CT_ERR_SHAPE");
    CHECK_TEXT(ct_error_name((ct_error_code)999), "?");
    CHECK_TEXT(ct_error_name((ct_error_code)-1), "?");
    /* a long shape and a long text do not overflow the message */
    ct_tensor *deep = (ct_expand)(ct_zeros(1), (ct_shape){{1000000007, 1, 1000003, 1, 1, 1, 1, 97}, 8});
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(deep, 123456789, 987654321, 5));
    char text[2000];
    memset(text, 'q', sizeof text - 1), text[sizeof text - 1] = 0;
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, text));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_einsum(text, x));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_expr(text, x));
    CHECK_ERROR(CT_ERR_FILE, ct_load_idx(text));
    ct_scope_end();
}

/* ---- each group of calls ---- */
static void creation(void)
{
    ct_tensor *x = ct_zeros(2, 3);
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_zeros(-1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_zeros_dtype((ct_dtype)99, 2));
    CHECK_ERROR(CT_ERR_DTYPE, ct_to(x, (ct_dtype)-3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_full(ct_zeros(2), 3));
    CHECK_ERROR(CT_ERR_NULL, ct_tensor_from(NULL, CT_F32, 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_arange(0, 5, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_arange(0, 5, -1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_arange(0.0, NAN, 1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_linspace(0, 1, -1));
    CHECK_ERROR_NAN(CT_ERR_SHAPE, ct_item(x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_item_i64(x));
    CHECK_ERROR_NAN(CT_ERR_INDEX, ct_at(x, 2, 0));
    CHECK_ERROR_NAN(CT_ERR_INDEX, ct_at(x, 0));
    CHECK_ERROR_NAN(CT_ERR_INDEX, ct_at(x, 0, -4));
    CHECK_NEAR(ct_at(x, -1, -3), 0, 0);
    CHECK_ERROR(CT_ERR_DTYPE, ct_data_f64(x));
    CHECK_ERROR(CT_ERR_DTYPE, ct_data_f32(ct_t(x)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_data_i64(x));
    CHECK_ERROR(CT_ERR_DTYPE, ct_data_u8(x));
    CHECK_ERROR(CT_ERR_DEVICE, ct_to_device(x, CT_CUDA));
    CHECK_ERROR_VOID(CT_ERR_DIM, ct_size(x, 2));
    CHECK_ERROR_VOID(CT_ERR_DIM, ct_stride(x, -3));
    CHECK_ERROR_VOID(CT_ERR_DTYPE, ct_set_default_dtype(CT_I64));
    CHECK_ERROR_VOID(CT_ERR_DEVICE, ct_set_default_device(CT_CUDA));
    double out[6];
    CHECK_ERROR(CT_ERR_SHAPE, ct_copy_out(x, out, CT_F64, 5));
    CHECK_ERROR(CT_ERR_DTYPE, ct_copy_out(x, out, (ct_dtype)50, 6));
    CHECK(ct_get_default_dtype() == CT_F32);
    CHECK(ct_copy_out(x, out, CT_F64, 6));
}
static void indexing(void)
{
    ct_tensor *x = ct_zeros(2, 3, 4), *i = ct_tensor_i64(0, 5), *out[4], *f = ct_zeros(3);
    CHECK_ERROR(CT_ERR_INDEX, ct_get(x, "2"));
    CHECK_ERROR(CT_ERR_INDEX, ct_get(x, "-3"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "1:2:3:4"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "::0"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "::-1"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "a"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "[1"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "0 0"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get(x, "..., ..."));
    test_expect();
    bool none = ct_get(x, "0, 0, 0, 0") == NULL;
    test_expecting = false;
    CHECKF(none && test_reports == 1, "too many indices: one error"), ct_clear_error();
    CHECK_ERROR(CT_ERR_INDEX, ct_get(x, "[0, 7]"));
    CHECK_ERROR(CT_ERR_INDEX, ct_index(x, CT_PICK(9)));
    CHECK_ERROR(CT_ERR_INDEX, ct_index(x, CT_BY(i)));
    CHECK_ERROR(CT_ERR_INDEX, ct_index_select(x, 0, i));
    CHECK_ERROR(CT_ERR_DIM, ct_index_select(x, 3, i));
    CHECK_ERROR(CT_ERR_DTYPE, ct_index_select(x, 0, f));
    CHECK_ERROR(CT_ERR_INDEX, ct_gather(f, 0, i));
    CHECK_ERROR(CT_ERR_INDEX, ct_gather(f, 0, ct_tensor_i64(-1)));
    CHECK_ERROR(CT_ERR_DIM, ct_gather(f, 1, i));
    CHECK_ERROR(CT_ERR_INDEX, ct_scatter(f, 0, i, 1));
    CHECK_ERROR(CT_ERR_INDEX, ct_scatter_add(f, 0, i, ct_ones(2)));
    CHECK_ERROR(CT_ERR_INDEX, ct_take(f, i));
    CHECK_ERROR(CT_ERR_SHAPE, ct_masked_select(x, ct_zeros_dtype(CT_BOOL, 5)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_masked_fill(x, ct_zeros_dtype(CT_BOOL, 5), 1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_set(x, "0", ct_zeros(5)));
    CHECK_ERROR(CT_ERR_INDEX, ct_set(x, "5", 1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_cat(0, ct_zeros(2, 3), ct_zeros(2, 4)));
    CHECK_ERROR(CT_ERR_DIM, ct_cat(2, ct_zeros(2, 3), ct_zeros(2, 3)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_stack(0, ct_zeros(2), ct_zeros(3)));
    CHECK_ERROR(CT_ERR_DIM, ct_sort(x, 3, false, NULL));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_topk(x, 5, 2, true, true, NULL));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_kthvalue(x, 0, 2, false, NULL));
    CHECK_ERROR(CT_ERR_DIM, ct_flip(x, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_roll(x, 1, 3));
    CHECK_ERROR(CT_ERR_INDEX, ct_one_hot(i, 3));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nonzero_tuple(x, out, 2));
    CHECK_QUIET(ct_get(NULL, "0"));
    CHECK_QUIET(ct_set(x, "0", NULL));
    CHECK_QUIET(ct_cat(0, x, NULL));
    CHECK_QUIET(ct_gather(x, 0, NULL));
    CHECK_QUIET(ct_index(NULL, CT_ALL));
    CHECK_QUIET(ct_index(x, CT_BY(NULL)));
    CHECK_QUIET(ct_sort(NULL, 0, false, NULL));
    CHECK_QUIET(ct_masked_fill(x, NULL, 1));
    CHECK_QUIET(ct_where(NULL, x, x));
    CHECK_QUIET(ct_unique(NULL, true, NULL, NULL));
}
static void products(void)
{
    ct_tensor *a = ct_zeros(2, 3), *b = ct_zeros(4, 5), *d = ct_zeros_dtype(CT_F64, 3, 2), *v = ct_zeros(3);
    CHECK_ERROR(CT_ERR_SHAPE, ct_matmul(a, b));
    CHECK_ERROR(CT_ERR_SHAPE, ct_matmul(a, a));
    CHECK(strstr(test_hint, "ct_t") != NULL);
    CHECK_ERROR(CT_ERR_DTYPE, ct_matmul(a, d));
    CHECK_ERROR(CT_ERR_DTYPE, ct_matmul(ct_to(a, CT_BOOL), ct_to(ct_t(a), CT_BOOL)));
    test_expect();
    bool none = ct_matmul(ct_scalar(1), a) == NULL;
    test_expecting = false;
    CHECKF(none && test_reports == 1, "0-d in matmul: one error"), ct_clear_error();
    CHECK_ERROR(CT_ERR_SHAPE, ct_matmul(ct_zeros(2, 2, 3), ct_zeros(3, 3, 4)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_mm(a, b));
    CHECK_ERROR(CT_ERR_SHAPE, ct_bmm(ct_zeros(2, 2, 3), ct_zeros(3, 3, 4)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_mv(a, ct_zeros(2)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_dot(v, ct_zeros(2)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linear(a, b, NULL));
    CHECK_ERROR(CT_ERR_SHAPE, ct_linear(a, ct_zeros(4, 3), ct_zeros(5)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_addmm(ct_zeros(7), a, ct_t(a)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_einsum("ij->k", a));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_einsum("ij,jk", a));
    CHECK_ERROR(CT_ERR_SHAPE, ct_einsum("ij,jk", a, b));
    CHECK_QUIET(ct_matmul(NULL, a));
    CHECK_QUIET(ct_matmul(a, NULL));
    CHECK_QUIET(ct_linear(NULL, a, NULL));
    CHECK_QUIET(ct_einsum("ij,jk", a, NULL));
    CHECK_QUIET(ct_addmm(NULL, a, ct_t(a)));
}
static void functions(void)
{
    ct_tensor *x = ct_zeros(4, 5), *t = ct_tensor_i64(0, 1, 2, 3), *bad = ct_tensor_i64(0, 1, 2, 5), *image = ct_zeros(2, 3, 8, 8), *w = ct_zeros(6, 3, 3, 3), *i = ct_tensor_i64(1);
    CHECK_ERROR(CT_ERR_INDEX, ct_cross_entropy(x, bad));
    CHECK_ERROR(CT_ERR_INDEX, ct_cross_entropy(x, ct_tensor_i64(0, 1, 2, -1)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_cross_entropy(x, ct_tensor_i64(0, 1)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_cross_entropy(ct_to(x, CT_I64), t));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_cross_entropy(x, t, .label_smoothing = 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_cross_entropy(x, t, ct_zeros(4)));
    CHECK_ERROR(CT_ERR_INDEX, ct_nll_loss(x, bad));
    CHECK_ERROR(CT_ERR_SHAPE, ct_l1_loss(x, ct_zeros(4, 4)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_binary_cross_entropy(ct_add(x, 2), x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_binary_cross_entropy_with_logits(x, ct_zeros(5)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_layer_norm(x, CT_SHAPE(4)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_batch_norm(x, ct_zeros(4), ct_ones(4), .training = true));
    CHECK_ERROR(CT_ERR_SHAPE, ct_batch_norm(ct_zeros(1, 5), ct_zeros(5), ct_ones(5), .training = true));
    CHECK_ERROR(CT_ERR_INDEX, ct_embedding(i, ct_zeros(1, 3)));
    CHECK_ERROR(CT_ERR_DTYPE, ct_embedding(ct_zeros(2), x));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_dropout(x, 1.5, true));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_dropout(x, -0.1, true));
    CHECK_ERROR(CT_ERR_DIM, ct_log_softmax(x, -3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_conv2d(image, ct_zeros(6, 4, 3, 3)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_conv2d(image, w, ct_zeros(5)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_conv2d(ct_zeros(2, 3, 2, 2), w));
    CHECK_ERROR(CT_ERR_SHAPE, ct_conv2d(ct_zeros(8), w));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_conv2d(image, w, .stride = -1));
    CHECK_ERROR(CT_ERR_DTYPE, ct_conv2d(image, ct_to(w, CT_F64)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_max_pool2d(image, 2, .padding = 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_max_pool2d(ct_zeros(8), 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_max_pool2d(image, 9));
    CHECK_ERROR(CT_ERR_DTYPE, ct_randn_dtype(CT_I64, 3));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_randint(5, 5, 3));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_randperm(-1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_bernoulli(ct_full(2.0, 3)));
    CHECK_ERROR(CT_ERR_SHAPE, ct_multinomial(ct_ones(2, 2, 2), 1, true));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_multinomial(ct_ones(2), 3, false));
    CHECK_ERROR(CT_ERR_SHAPE, ct_init_xavier_uniform_(ct_zeros(3)));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_uniform_(ct_requires_grad_(ct_zeros(2), true), 0, 1));
    CHECK_QUIET(ct_cross_entropy(NULL, t));
    CHECK_QUIET(ct_cross_entropy(x, NULL));
    CHECK_QUIET(ct_mse_loss(x, NULL));
    CHECK_QUIET(ct_softmax(NULL, 0));
    CHECK_QUIET(ct_layer_norm(NULL, CT_SHAPE(4)));
    CHECK_QUIET(ct_conv2d(NULL, w));
    CHECK_QUIET(ct_conv2d(image, NULL));
    CHECK_QUIET(ct_max_pool2d(NULL, 2));
    CHECK_QUIET(ct_embedding(NULL, x));
    CHECK_QUIET(ct_dropout(NULL, 0.5, true));
    CHECK_QUIET(ct_bernoulli(NULL));
    CHECK_QUIET(ct_normal_(NULL, 0, 1));
    CHECK_QUIET(ct_to_text(NULL));
    ct_print(NULL);
}
static ct_tensor *forward_fails(ct_module *self, ct_tensor *x) { return (void)self, ct_matmul(x, ct_zeros(9, 9)); }
typedef struct { ct_module base; } my_module;
static void modules(void)
{
    ct_tensor *x = ct_zeros(2, 3), *p = ct_requires_grad_(ct_ones(3), true);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_linear(-1, 3));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_conv2d(3, 4, 3, .groups = 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_nn_dropout(2.0));
    ct_module *net = ct_nn_sequential(ct_nn_linear(3, 4), ct_nn_relu(), ct_nn_linear(4, 2)), *m = (ct_module *)ct_module_new(my_module, forward_fails);
    CHECK_ERROR(CT_ERR_SHAPE, ct_forward(net, ct_zeros(2, 5)));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get_parameter(net, "0.nothing"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_get_submodule(net, "7"));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_register_parameter(m, "a.b", p));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_register_parameter(m, "", p));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_register_module(m, "x.y", ct_nn_relu()));
    test_expect();
    bool none = ct_forward(m, x) == NULL;
    test_expected(none, CT_ERR_SHAPE, 0, __FILE__, __LINE__, "a forward of the user's that fails");
    ct_module *other = ct_nn_linear(3, 4);
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_load_state_dict(net, ct_state_dict(other), true));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_optim_adam(ct_parameters(net), .lr = -1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_optim_sgd(ct_parameters(net), .momentum = -1));
    ct_optim *opt = ct_optim_adam(ct_parameters(net));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lr_step_lr(opt, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_lr_cosine_annealing(opt, 0));
    CHECK_QUIET(ct_forward(NULL, x));
    CHECK_QUIET(ct_forward(net, NULL));
    CHECK_QUIET(ct_parameters(NULL));
    CHECK_QUIET(ct_state_dict(NULL));
    CHECK_QUIET(ct_optim_adam(NULL));
    CHECK_QUIET(ct_lr_step_lr(NULL, 3));
    CHECK_QUIET(ct_nn_sequential(ct_nn_relu(), NULL));
    CHECK_QUIET(ct_register_module(m, "z", NULL));
    CHECK_QUIET(ct_register_parameter(m, "z", NULL));
    CHECK_QUIET(ct_load_state_dict(net, NULL, true));
    CHECK_QUIET(ct_train(NULL));
    CHECK_QUIET(ct_eval(NULL));
    CHECK_QUIET(ct_module_to(NULL, CT_F64));
    CHECK_QUIET(ct_optim_step(NULL));
    CHECK_QUIET(ct_lr_step(NULL));
    ct_optim_zero_grad(NULL), ct_optim_clear_grad(NULL), ct_optim_free(NULL), ct_module_free(NULL), ct_lr_free(NULL), ct_module_zero_grad(NULL), ct_module_print(NULL);
    CHECK(ct_ok());
    ct_optim_free(opt), ct_module_free(other), ct_module_free(net), ct_module_free(m);
}
static void files(void)
{
    ct_tensor *x = ct_zeros(2), *out[2], *list[2] = {x, x};
    static const char *const same[2] = {"a", "a"}, *const fine[2] = {"a", "b"};
    CHECK_ERROR(CT_ERR_FILE, ct_load_idx("/nowhere/at/all"));
    CHECK_ERROR(CT_ERR_FILE, ct_load_safetensors_file("/nowhere/at/all"));
    CHECK_ERROR(CT_ERR_FILE, ct_save_tensors("/nowhere/at/all", fine, list, 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_save_tensors("build/never.safetensors", same, list, 2));
    CHECK_ERROR(CT_ERR_FORMAT, ct_idx_from_memory("garbage!", 8));
    CHECK_ERROR(CT_ERR_FORMAT, ct_safetensors_from_memory("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10));
    CHECK_ERROR(CT_ERR_DTYPE, ct_save_idx(ct_to(x, CT_BF16), "build/never.idx"));
    CHECK_ERROR(CT_ERR_SHAPE, ct_data_tensor_dataset(x, ct_zeros(3)));
    ct_dataset *data = ct_data_tensor_dataset(x, x);
    CHECK_ERROR(CT_ERR_INDEX, ct_dataset_get(data, 2, out));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_data_loader(data, .batch_size = -3));
    CHECK_QUIET(ct_data_loader(NULL));
    CHECK_QUIET(ct_dataset_get(NULL, 0, out));
    CHECK_QUIET(ct_save_idx(NULL, "build/never.idx"));
    ct_dataset_free(data), ct_dataset_free(NULL), ct_loader_free(NULL), ct_tensors_free(NULL);
    CHECK(ct_ok() && ct_dataset_len(NULL) == 0);
}
/* what takes NULL and says 0 */
static void nulls(void)
{
    CHECK(ct_dim(NULL) == 0 && ct_size(NULL, 0) == 0 && ct_stride(NULL, 0) == 0 && ct_numel(NULL) == 0 && ct_version(NULL) == 0 && ct_storage_offset(NULL) == 0);
    CHECK(ct_shape_of(NULL).ndim == 0 && ct_dtype_of(NULL) == CT_DTYPE_DEFAULT && ct_element_size(NULL) == 0 && ct_data(NULL) == NULL);
    CHECK(!ct_is_contiguous(NULL) && !ct_is_floating_point(NULL) && !ct_is_same_storage(NULL, NULL) && !ct_requires_grad(NULL) && ct_grad_fn_name(NULL) == NULL);
    CHECK(ct_shape_text(NULL) != NULL);
    CHECK(isnan(ct_item(NULL)) && ct_item_i64(NULL) == 0 && isnan(ct_at(NULL, 0)));
    CHECK(ct_data_f32(NULL) == NULL && ct_data_i64(NULL) == NULL && !ct_copy_out(NULL, NULL, CT_F32, 0));
    CHECK(ct_keep(NULL) == NULL && ct_retain(NULL) == NULL && ct_same(NULL) == NULL);
    ct_release(NULL);
    CHECK_QUIET(ct_add(NULL, 1));
    CHECK_QUIET(ct_add(1, (ct_tensor *)NULL));
    CHECK_QUIET(ct_add_(NULL, 1));
    CHECK_QUIET(ct_exp(NULL));
    CHECK_QUIET(ct_exp_(NULL));
    CHECK_QUIET(ct_zeros_like(NULL));
    CHECK_QUIET(ct_full_like(NULL, 1));
    CHECK_QUIET(ct_full(NULL, 2));
    CHECK_QUIET(ct_clone(NULL));
    CHECK_QUIET(ct_to(NULL, CT_F64));
    CHECK_QUIET(ct_copy_(NULL, NULL));
    CHECK_QUIET(ct_fill_(NULL, 1));
    CHECK_QUIET(ct_zero_(NULL));
    CHECK_QUIET(ct_clamp(NULL, 0, 1));
    CHECK_QUIET(ct_clamp(ct_zeros(1), NULL, 1));
    CHECK_QUIET(ct_elu(NULL, 1));
    CHECK_QUIET(ct_selu(NULL));
    CHECK_QUIET(ct_relu6(NULL));
    CHECK_QUIET(ct_signbit(NULL));
    CHECK_QUIET(ct_nan_to_num(NULL, 0, 1, 2));
    CHECK_QUIET(ct_isclose(NULL, 1, 0, 0, false));
    CHECK_QUIET(ct_allclose(NULL, NULL, 0, 0, false));
    CHECK_QUIET(ct_equal(NULL, NULL));
    CHECK_QUIET(ct_floor_divide(NULL, 1));
    CHECK_QUIET(ct_pow(NULL, 2));
    CHECK_QUIET(ct_bitwise_not(NULL));
    CHECK_QUIET(ct_frac(NULL));
    CHECK_QUIET(ct_deg2rad(NULL));
    CHECK_QUIET(ct_addcmul(NULL, NULL, NULL, 1));
    CHECK_QUIET(ct_lerp(NULL, NULL, 0.5));
    CHECK_QUIET(ct_type_as(ct_zeros(1), NULL));
    CHECK_QUIET(ct_to_device(NULL, CT_CPU));
    CHECK_QUIET(ct_rand_like(NULL));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_gradcheck(NULL, NULL, 0, NULL));
}

int main(void)
{
    test_init();
    ct_scope_begin();
    state();
    creation();
    indexing();
    products();
    functions();
    modules();
    files();
    nulls();
    ct_scope_end();
    ct_shutdown();
    ct_memory_info m = ct_memory_stats();
    CHECK(m.tensors == 0 && m.nodes == 0 && m.live_bytes == 0);
    return test_done();
}
