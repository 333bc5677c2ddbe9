/* Fashion-MNIST, 60,000 + 10,000 images of clothes: a perceptron, and a small convolutional network with batch norm and dropout.
     ./fashion DIRECTORY      (train-images-idx3-ubyte and its three companions, gunzipped: `make fashion` does it all) */
#define CTORCH_IMPLEMENTATION
#include "../ctorch.h"
#include <stdio.h>
#include <time.h>

static ct_tensor *load(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return ct_load_idx(path);
}
static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
/* bytes (N,28,28) to numbers 0..1 (N,1,28,28), batch by batch: the dataset stays four times smaller than as floats */
static ct_tensor *prepare(ct_tensor *bytes) { return ct_div(ct_to(ct_unsqueeze(bytes, 1), CT_F32), 255); }

static double accuracy(ct_module *net, ct_dataset *data)
{
    ct_loader *loader = ct_data_loader(data, .batch_size = 500);
    ct_tensor *batch[2];
    double right = 0;
    ct_eval(net); /* dropout lets everything pass, batch norm uses what it learned */
    ct_no_grad_begin();
    while (ct_loader_next(loader, batch)) {
        ct_scope_begin();
        ct_tensor *guess = ct_argmax(ct_forward(net, prepare(batch[0])), 1, false);
        right += ct_item(ct_sum(ct_eq(guess, batch[1])));
        ct_scope_end();
    }
    ct_no_grad_end();
    ct_train(net);
    ct_loader_free(loader);
    return right / (double)ct_dataset_len(data);
}

static double train(const char *name, ct_module *net, ct_dataset *data, ct_dataset *test, int epochs, double peak)
{
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 1e-3);
    ct_loader *loader = ct_data_loader(data, .batch_size = 64, .shuffle = true, .num_workers = 1);
    /* a learning rate that rises to its peak and falls to almost nothing over the whole training, or the same all the time */
    ct_lr *schedule = peak > 0 ? ct_lr_one_cycle(opt, peak, epochs * ct_loader_batches(loader)) : NULL;
    double reached = 0;
    printf("\n%s: %lld parameters\n", name, (long long)ct_params_numel(ct_parameters(net)));
    for (int epoch = 1; epoch <= epochs && ct_ok(); epoch++) {
        char label[32];
        snprintf(label, sizeof label, "epoch %d/%d", epoch, epochs);
        ct_progress bar = ct_progress_begin(label, ct_dataset_len(data));
        ct_tensor *batch[2];
        int64_t seen = 0;
        double sum = 0, began = now();
        while (ct_loader_next(loader, batch)) {
            ct_scope_begin();
            ct_tensor *loss = ct_cross_entropy(ct_forward(net, prepare(batch[0])), batch[1]);
            ct_zero_grad(opt);
            ct_backward(loss);
            ct_step(opt);
            if (schedule) ct_step(schedule);
            seen += ct_size(batch[0], 0), sum += ct_item(loss) * (double)ct_size(batch[0], 0);
            ct_progress_update(&bar, seen, sum / (double)seen);
            ct_scope_end();
        }
        ct_progress_end(&bar);
        double trained = now();
        reached = accuracy(net, test);
        printf("  test accuracy %.4f; images per second: %.0f in training, %.0f in testing\n", reached, (double)seen / (trained - began),
               (double)ct_dataset_len(test) / (now() - trained));
    }
    ct_loader_free(loader);
    ct_lr_free(schedule);
    ct_optim_free(opt);
    ct_module_free(net);
    return reached;
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "build";
    ct_tensor *x = load(directory, "train-images-idx3-ubyte"), *y = ct_to(load(directory, "train-labels-idx1-ubyte"), CT_I64);
    ct_tensor *tx = load(directory, "t10k-images-idx3-ubyte"), *ty = ct_to(load(directory, "t10k-labels-idx1-ubyte"), CT_I64);
    ct_dataset *data = ct_data_tensor_dataset(x, y), *test = ct_data_tensor_dataset(tx, ty);
    if (!data || !test) return 1;

    ct_manual_seed(0);
    ct_module *mlp = ct_nn_sequential(ct_nn_flatten(), ct_nn_linear(784, 128), ct_nn_relu(), ct_nn_linear(128, 10));
    train("perceptron 784-128-10", mlp, data, test, 2, 0);

    ct_manual_seed(0);
    ct_module *cnn = ct_nn_sequential(
        ct_nn_conv2d(1, 16, 3, .padding = 1), ct_nn_batch_norm2d(16), ct_nn_relu(), ct_nn_max_pool2d(2),  /* (N,16,14,14) */
        ct_nn_conv2d(16, 32, 3, .padding = 1), ct_nn_batch_norm2d(32), ct_nn_relu(), ct_nn_max_pool2d(2), /* (N,32,7,7)   */
        ct_nn_flatten(), ct_nn_dropout(0.25), ct_nn_linear(32 * 7 * 7, 10));
    double reached = train("convolutional network", cnn, data, test, 3, 5e-3);
    printf("\n%s 0.90\n", reached >= 0.9 ? "passed" : "did not reach");
    ct_dataset_free(data);
    ct_dataset_free(test);
    return ct_ok() && reached >= 0.9 ? 0 : 1;
}
