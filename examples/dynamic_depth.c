/* The graph is what runs. A network of random depth, whose hidden layer is used again and again (shared weights), and is sparse: a hook
   masks its gradient, so that weights that were cut stay cut. On the real digits of digits.c.
     ./dynamic_depth [directory of the data] */
#define CTORCH_IMPLEMENTATION
#include "../ctorch.h"
#include <stdio.h>

enum { TRAIN = 1437, TEST = 360, HIDDEN = 48, STEPS = 1200 };
typedef struct { ct_module base; ct_module *in, *mid, *out; int depth; } Net;

static ct_tensor *net_forward(ct_module *self, ct_tensor *x)
{
    Net *n = (Net *)self;
    ct_tensor *h = ct_relu(ct_forward(n->in, x));
    for (int i = 0; i < n->depth; i++) h = ct_add(h, ct_relu(ct_forward(n->mid, h))); /* a plain C loop is the model */
    return ct_forward(n->out, h);
}
static Net *make_net(void)
{
    Net *n = ct_module_new(Net, net_forward);
    if (!n) return NULL;
    n->in = ct_register_module(&n->base, "in", ct_nn_linear(64, HIDDEN));
    n->mid = ct_register_module(&n->base, "mid", ct_nn_linear(HIDDEN, HIDDEN));
    n->out = ct_register_module(&n->base, "out", ct_nn_linear(HIDDEN, 10));
    return n;
}
/* Called with each gradient of the weight, and returns what is to be used in its place. */
static ct_tensor *masked(ct_tensor *gradient, void *mask) { return ct_mul(gradient, mask); }

static ct_tensor *load(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return ct_load_idx(path);
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "examples/data";
    ct_tensor *x = ct_div(ct_to(ct_reshape(load(directory, "digits-images.idx"), -1, 64), CT_F32), 16);
    ct_tensor *y = ct_to(load(directory, "digits-labels.idx"), CT_I64);
    ct_dataset *data = ct_data_tensor_dataset(ct_narrow(x, 0, 0, TRAIN), ct_narrow(y, 0, 0, TRAIN));
    ct_manual_seed(0);
    Net *net = make_net();
    ct_loader *loader = ct_data_loader(data, .batch_size = 64, .shuffle = true, .drop_last = true);
    if (!net || !loader) return 1;

    ct_tensor *weight = ct_get_parameter(&net->base, "mid.weight");
    ct_tensor *mask = ct_to(ct_lt(ct_rand_like(weight), 0.25), CT_F32); /* a quarter of the weights lives */
    ct_no_grad_begin();
    ct_mul_(weight, mask);
    ct_no_grad_end();
    ct_register_hook(weight, masked, mask);

    ct_optim *opt = ct_optim_adam(ct_parameters(&net->base), .lr = 3e-3);
    int used[4] = {0};
    for (int step = 1; step <= STEPS && ct_ok(); step++) {
        ct_tensor *batch[2];
        if (!ct_loader_next(loader, batch) && !ct_loader_next(loader, batch)) break; /* the next epoch */
        ct_scope_begin();
        net->depth = (int)ct_item_i64(ct_randint(0, 4, 1)); /* 0 to 3 hidden layers, another number each time */
        used[net->depth]++;
        ct_tensor *loss = ct_cross_entropy(ct_forward(&net->base, batch[0]), batch[1]);
        ct_zero_grad(opt);
        ct_backward(loss);
        ct_step(opt);
        if (step % 200 == 0) printf("step %4d  depth %d  loss %.4f\n", step, net->depth, ct_item(loss));
        ct_scope_end();
    }
    printf("\nsteps at depth 0, 1, 2, 3: %d %d %d %d\n\n", used[0], used[1], used[2], used[3]);

    ct_no_grad_begin();
    ct_tensor *test = ct_narrow(x, 0, TRAIN, TEST), *truth = ct_narrow(y, 0, TRAIN, TEST);
    for (net->depth = 0; net->depth <= 4; net->depth++) { /* one net, any depth: 4 was never trained */
        ct_tensor *right = ct_eq(ct_argmax(ct_forward(&net->base, test), 1, false), truth);
        printf("test accuracy with %d hidden layers: %.3f\n", net->depth, ct_item(ct_sum(right)) / TEST);
    }
    bool sparse = ct_equal(ct_mul(weight, mask), weight);
    printf("\n%s: %g of %d weights live, the others %s\n", "mid.weight", ct_item(ct_sum(mask)), HIDDEN * HIDDEN, sparse ? "are still zero" : "came back!");
    ct_no_grad_end();
    ct_loader_free(loader);
    ct_dataset_free(data);
    ct_optim_free(opt);
    ct_module_free(&net->base);
    return ct_ok() && sparse ? 0 : 1;
}
