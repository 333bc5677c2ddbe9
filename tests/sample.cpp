// The same library from C++17: templates, lambdas and RAII are the host's; the names are ctorch's.
#define CTORCH_IMPLEMENTATION
#include "ctorch.h"
#include <cstdio>
#include <string>
#include <vector>

struct Scope { // a C++ host may tie scopes to blocks
    Scope() { ct_scope_begin(); }
    ~Scope() { ct_scope_end(); }
};

static double train(ct_module *net, ct_tensor *x, ct_tensor *y, int steps)
{
    ct_adam_opts o{};
    o.lr = 1e-2;
    ct_optim *opt = ct_optim_adam(ct_parameters(net), o);
    double loss = 0;
    for (int step = 0; step <= steps; step++) {
        Scope scope;
        ct_tensor *l = ct_mse_loss(ct_forward(net, x), y);
        ct_zero_grad(opt);
        ct_backward(l);
        ct_step(opt);
        loss = ct_item(l);
    }
    ct_optim_free(opt);
    return loss;
}

int main()
{
    int bad = 0;
    auto expect = [&bad](const char *what, bool ok) {
        if (!ok) std::printf("wrong: %s\n", what), bad++;
    };

    // tensors and numbers mix, of any C++ arithmetic type
    ct_tensor *a = ct_add(ct_ones(2, 3), 1), *b = ct_mul(2.5f, a), *c = ct_sub(10L, b);
    expect("mixed operands", ct_item(ct_sum(c)) == 30.0);
    expect("promotion", ct_dtype_of(ct_add(ct_arange(3), 1)) == CT_I64 && ct_dtype_of(ct_add(ct_arange(3), 1.5)) == CT_F32);

    // views, text and typed indexing
    ct_tensor *r = ct_reshape(ct_arange(24), 2, 3, 4);
    expect("slice text", ct_item_i64(ct_get(r, "1, -1, ::3, None")) == 20 || ct_numel(ct_get(r, "1, -1, ::3, None")) == 2);
    ct_clear_error();
    expect("permute", ct_at(ct_permute(r, 2, 0, 1), 3, 1, 2) == 23.0);

    // gradients of gradients
    ct_tensor *t = ct_requires_grad_(ct_scalar(2.0), true), *d = ct_pow(t, 5);
    ct_grad_opts again{};
    again.create_graph = true;
    for (int order = 0; order < 3; order++) d = ct_grad(d, t, again);
    expect("third derivative", ct_item(d) == 240.0);

    // training gives the numbers of the C sample
    ct_manual_seed(0);
    ct_tensor *x = ct_randn(256, 4), *y = ct_sin(ct_sum_dim(x, 1, true));
    ct_module *net = ct_nn_sequential(ct_nn_linear(4, 32), ct_nn_tanh(), ct_nn_linear(32, 1));
    const double loss = train(net, x, y, 200);
    char text[32];
    std::snprintf(text, sizeof text, "%.4f", loss);
    expect("loss of the C sample", std::string(text) == "0.0030");
    ct_module_free(net);

    // options as structs, containers of tensors
    ct_conv2d_opts conv{};
    conv.padding = 1;
    ct_module *layer = ct_nn_conv2d(1, 4, 3, conv);
    expect("convolution", ct_size(ct_forward(layer, ct_zeros(2, 1, 8, 8)), 3) == 8);
    ct_module_free(layer);
    std::vector<ct_tensor *> list{ct_ones(2, 1), ct_zeros(2, 2)};
    expect("cat of a vector", ct_size((ct_cat)(list.data(), (int)list.size(), 1), 1) == 3);

    // an error is one report, with a line
    int line = 0;
    ct_set_error_handler([](const ct_error *e, void *user) { *static_cast<int *>(user) = e->line; }, &line);
    expect("error is NULL", ct_relu(ct_matmul(ct_ones(2, 3), ct_ones(2, 3))) == nullptr && line == __LINE__);
    ct_clear_error();
    ct_shutdown();
    std::printf("%s\n", bad ? "C++ sample failed" : "C++ sample passed");
    return bad ? 1 : 0;
}
