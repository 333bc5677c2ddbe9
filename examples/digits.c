/* Handwritten digits: a dataset, a shuffled loader, a network, Adam, and what came of it.
     mkdir -p build && cc -O2 examples/digits.c -o build/digits -lm -lpthread && build/digits [directory of the data [file for the weights]]
   With the same seed PyTorch prints the same losses. */
#define CTORCH_IMPLEMENTATION
#include "../ctorch.h"
#include <stdio.h>

enum { TRAIN = 1437, TEST = 360, EPOCHS = 20 };

static ct_module *make_net(void) { return ct_nn_sequential(ct_nn_linear(64, 64), ct_nn_relu(), ct_nn_linear(64, 10)); }

static ct_tensor *load(const char *directory, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return ct_load_idx(path);
}

static void train(ct_module *net, ct_tensor *x, ct_tensor *y)
{
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 1e-2);
    ct_dataset *data = ct_data_tensor_dataset(x, y);
    ct_loader *loader = ct_data_loader(data, .batch_size = 64, .shuffle = true);
    for (int epoch = 1; epoch <= EPOCHS && ct_ok(); epoch++) {
        char label[32];
        snprintf(label, sizeof label, "epoch %2d/%d", epoch, EPOCHS);
        ct_progress bar = ct_progress_begin(label, ct_dataset_len(data));
        ct_tensor *batch[2]; /* images (N,64) and labels (N): the loader's, until the next batch */
        int64_t seen = 0;
        double sum = 0;
        while (ct_loader_next(loader, batch)) {
            ct_scope_begin();
            ct_tensor *loss = ct_cross_entropy(ct_forward(net, batch[0]), batch[1]);
            ct_zero_grad(opt);
            ct_backward(loss);
            ct_step(opt);
            int64_t n = ct_size(batch[0], 0);
            seen += n, sum += ct_item(loss) * (double)n;
            ct_progress_update(&bar, seen, sum / (double)seen);
            ct_scope_end(); /* all that the step made goes here, the graph too */
        }
        ct_progress_end(&bar);
    }
    ct_loader_free(loader);
    ct_dataset_free(data);
    ct_optim_free(opt);
}

static void show_confusion(const int64_t *label, const int64_t *guess)
{
    int count[10][10] = {{0}}, right = 0;
    for (int i = 0; i < TEST; i++) count[label[i]][guess[i]]++, right += label[i] == guess[i];
    printf("\ntest accuracy %.4f (%d of %d, by other writers)\n\n  digit  taken for  0   1   2   3   4   5   6   7   8   9\n", (double)right / TEST, right, TEST);
    for (int r = 0; r < 10; r++) {
        printf("  %5d           ", r);
        for (int c = 0; c < 10; c++) count[r][c] ? printf("%3d ", count[r][c]) : printf("  . ");
        printf("\n");
    }
}

/* Four digits side by side: two that were recognised and two that were not. */
static void show_digits(const uint8_t *pixels, const int64_t *label, const int64_t *guess)
{
    static const char *const shade[5] = {"  ", "░░", "▒▒", "▓▓", "██"};
    int pick[4], n = 0;
    for (int wrong = 0; wrong < 2; wrong++)
        for (int i = 0; i < TEST && n < 2 * wrong + 2; i++)
            if ((label[i] != guess[i]) == wrong) pick[n++] = i;
    printf("\n");
    for (int row = 0; row < 8; row++) {
        for (int k = 0; k < n; k++) {
            printf("  ");
            for (int column = 0; column < 8; column++) printf("%s", shade[(pixels[pick[k] * 64 + row * 8 + column] + 3) / 4]);
        }
        printf("\n");
    }
    for (int k = 0; k < n; k++) printf("  %d, taken for %d%s", (int)label[pick[k]], (int)guess[pick[k]], k < n - 1 ? "  " : "\n");
}

int main(int argc, char **argv)
{
    const char *directory = argc > 1 ? argv[1] : "examples/data", *weights = argc > 2 ? argv[2] : "build/digits.safetensors";
    ct_tensor *images = load(directory, "digits-images.idx"), *labels = load(directory, "digits-labels.idx");
    if (!images || !labels) return 1; /* the library has said why */
    printf("%s images %s, labels %s\n", directory, ct_shape_text(images), ct_shape_text(labels));
    ct_tensor *x = ct_div(ct_to(ct_reshape(images, -1, 64), CT_F32), 16), *y = ct_to(labels, CT_I64);

    ct_manual_seed(0);
    ct_module *net = make_net();
    train(net, ct_narrow(x, 0, 0, TRAIN), ct_narrow(y, 0, 0, TRAIN));

    ct_no_grad_begin();
    ct_tensor *test = ct_narrow(x, 0, TRAIN, TEST), *logits = ct_forward(net, test);
    ct_tensor *guess = ct_argmax(logits, 1, false), *truth = ct_narrow(y, 0, TRAIN, TEST);
    if (!ct_ok()) return 1;
    show_confusion(ct_data_i64(truth), ct_data_i64(guess));
    show_digits(ct_data_u8(images) + TRAIN * 64, ct_data_i64(truth), ct_data_i64(guess));

    ct_module *copy = make_net(); /* other random weights ... */
    bool same = ct_save_safetensors(net, weights) && ct_load_safetensors(copy, weights) && ct_equal(ct_forward(copy, test), logits);
    printf("\n%s: saved, loaded again, %s\n", weights, same ? "equal" : "NOT equal");
    ct_no_grad_end();
    ct_module_free(copy);
    ct_module_free(net);
    return ct_ok() && same ? 0 : 1;
}
