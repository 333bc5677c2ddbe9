// The layers, losses and optimisers from C++17: overloads and option structs in place of designated initialisers.
#define CTORCH_IMPLEMENTATION
#include "ctorch.h"
#include <cstdio>

struct Block { ct_module base; ct_module *conv; };
static ct_tensor *block_forward(ct_module *self, ct_tensor *x)
{
    return ct_relu(ct_add(x, ct_forward(reinterpret_cast<Block *>(self)->conv, x)));
}
static ct_module *block(int64_t channels)
{
    Block *b = ct_module_new(Block, block_forward);
    ct_conv2d_opts o = ct_conv2d_opts();
    o.padding = 1;
    b->conv = ct_register_module(&b->base, "conv", ct_nn_conv2d(channels, channels, 3, o));
    return &b->base;
}
int main()
{
    ct_manual_seed(0);
    ct_module *net = ct_nn_sequential(ct_nn_conv2d(1, 4, 3), block(4), ct_nn_batch_norm2d(4), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_dropout(0.1), ct_nn_linear(36, 16), ct_nn_gelu(),
                                      ct_nn_layer_norm(CT_SHAPE(16)), ct_nn_leaky_relu(0.1), ct_nn_linear(16, 3));
    ct_optim *opt = ct_optim_adam(ct_parameters(net), 1e-2);
    ct_lr *lr = ct_lr_step_lr(opt, 10);
    ct_tensor *x = ct_randn(8, 1, 8, 8), *t = ct_randint(0, 3, 8);
    double first = 0, last = 0;
    for (int step = 0; step < 30; step++) {
        ct_scope_begin();
        ct_cross_entropy_opts o = ct_cross_entropy_opts();
        o.label_smoothing = 0.1;
        ct_tensor *loss = ct_cross_entropy(ct_forward(net, x), t, o);
        ct_zero_grad(opt);
        ct_backward(loss);
        ct_clip_grad_norm_(ct_parameters(net), 1.0);
        ct_step(opt);
        ct_step(lr);
        (step ? last : first) = ct_item(loss);
        ct_scope_end();
    }
    ct_tensor *w = ct_requires_grad_(ct_ones(3), true), *b = ct_requires_grad_(ct_zeros(1), true);
    ct_optim *sgd = ct_optim_sgd(ct_params_of(w, b), 0.1);
    ct_backward(ct_mse_loss(ct_add(ct_sum(w), b), ct_zeros(1)));
    ct_step(sgd);
    bool ok = ct_ok() && last < first / 2 && ct_at(w, 0) < 1 && ct_at(b, 0) < 0;
    ct_layer_norm(ct_ones(2, 3), CT_SHAPE(3)), ct_embedding(ct_tensor_i64(1), ct_ones(2, 2)), ct_one_hot(ct_tensor_i64(1), 3);
    ct_optim_free(sgd), ct_lr_free(lr), ct_optim_free(opt), ct_module_free(net);
    std::printf("%g -> %g\n%d passed, %d failed\n", first, last, ok && ct_ok(), !(ok && ct_ok()));
    return !ok;
}
