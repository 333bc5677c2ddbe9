/* A recurrent network that spells names, letter by letter, in plain C loops: each name has its own length, and its own graph.
   It learns p(next letter | letters so far, kind) from 1500 first names and 1500 surnames, then tells the kind of names that it has
   never seen (which kind makes the name more probable?), and makes up new ones.
     ./names_rnn [names.txt] */
#define CTORCH_IMPLEMENTATION
#include "../ctorch.h"
#include <math.h>
#include <stdio.h>

enum { HIDDEN = 64, LETTERS = 27, LONGEST = 24, MANY = 4000, BATCH = 10, EPOCHS = 6 }; /* letter 0 begins and ends a name */
typedef struct { int kind, length; int64_t letter[LONGEST + 1]; } Name; /* 0, letters, 0 */
static ct_module *embed, *start, *hidden, *spell;

static int read_names(const char *path, Name *name)
{
    char kind[8], text[LONGEST];
    int n = 0;
    FILE *f = fopen(path, "r");
    if (!f) return 0;
    while (n < MANY && fscanf(f, "%7s %22s", kind, text) == 2) {
        Name *p = &name[n++];
        p->kind = kind[0] == 'l', p->length = 1, p->letter[0] = 0;
        for (const char *c = text; *c >= 'a' && *c <= 'z'; c++) p->letter[p->length++] = *c - 'a' + 1;
        p->letter[p->length] = 0;
    }
    fclose(f);
    return n;
}
/* h' = tanh(E[letter] + S[kind] + W h + b) */
static ct_tensor *step(ct_tensor *h, ct_tensor *letter, ct_tensor *kind)
{
    return ct_tanh(ct_add(ct_add(letter, kind), ct_forward(hidden, h)));
}
/* -log p(name | kind), summed over its letters */
static ct_tensor *surprise(const Name *name, int64_t kind)
{
    ct_tensor *letters = ct_forward(embed, ct_tensor_from(name->letter, CT_I64, name->length)); /* (L,H) */
    ct_tensor *k = ct_forward(start, ct_tensor_i64(kind)), *h = k, *state[LONGEST];             /* (1,H) */
    for (int i = 0; i < name->length; i++) state[i] = h = step(h, ct_narrow(letters, 0, i, 1), k);
    ct_tensor *logits = ct_forward(spell, (ct_cat)(state, name->length, 0));                    /* (L,27) */
    return ct_cross_entropy(logits, ct_tensor_from(name->letter + 1, CT_I64, name->length), .reduction = CT_SUM);
}
static void make_up(int64_t kind)
{
    char text[LONGEST];
    int n = 0;
    ct_scope_begin();
    ct_tensor *letter = ct_tensor_i64(0), *k = ct_forward(start, ct_tensor_i64(kind)), *h = k;
    while (n < LONGEST - 1) {
        h = step(h, ct_forward(embed, letter), k);
        letter = ct_reshape(ct_multinomial(ct_softmax(ct_mul(ct_forward(spell, h), 1.4), 1), 1, false), 1); /* a bit tamer than learned */
        int64_t c = ct_item_i64(letter);
        if (c <= 0) break; /* the end of the name (or an error) */
        text[n] = (char)('a' + c - 1 - (n ? 0 : 'a' - 'A')), n++;
    }
    text[n] = 0;
    printf("  %-12s", text);
    ct_scope_end();
}

int main(int argc, char **argv)
{
    static Name name[MANY];
    const char *path = argc > 1 ? argv[1] : "examples/data/names.txt";
    int count = read_names(path, name), train = 0;
    if (!count) return fprintf(stderr, "cannot read %s\n", path), 1;
    ct_manual_seed(0);
    embed = ct_nn_embedding(LETTERS, HIDDEN), start = ct_nn_embedding(2, HIDDEN);
    hidden = ct_nn_linear(HIDDEN, HIDDEN), spell = ct_nn_linear(HIDDEN, LETTERS);
    ct_module *net = ct_nn_module_list(embed, start, hidden, spell);
    ct_optim *opt = ct_optim_adam(ct_parameters(net), .lr = 3e-3);

    /* every tenth name is kept for the test; the shuffled order of the others comes from a loader of their numbers */
    static int64_t number[MANY];
    for (int i = 0; i < count; i++)
        if (i % 10 != 9) number[train++] = i;
    ct_dataset *data = ct_data_tensor_dataset(ct_tensor_from(number, CT_I64, train));
    ct_loader *loader = ct_data_loader(data, .batch_size = BATCH, .shuffle = true);
    for (int epoch = 1; epoch <= EPOCHS && ct_ok(); epoch++) {
        char label[32];
        snprintf(label, sizeof label, "epoch %d/%d", epoch, EPOCHS);
        ct_progress bar = ct_progress_begin(label, train);
        ct_tensor *batch[1];
        double sum = 0, letters = 0;
        int64_t seen = 0;
        while (ct_loader_next(loader, batch)) {
            ct_scope_begin();
            const int64_t *pick = ct_data_i64(batch[0]), n = ct_numel(batch[0]);
            int all = 0;
            ct_tensor *loss = ct_scalar(0);
            for (int64_t i = 0; i < n; i++) {
                const Name *p = &name[pick[i]];
                loss = ct_add(loss, surprise(p, p->kind));
                all += p->length;
            }
            ct_zero_grad(opt);
            ct_backward(ct_div(loss, all));
            ct_clip_grad_norm_(ct_parameters(net), 1.0);
            ct_step(opt);
            sum += ct_item(loss), letters += all, seen += n;
            ct_progress_update(&bar, seen, sum / letters);
            ct_scope_end();
        }
        ct_progress_end(&bar);
    }

    ct_no_grad_begin();
    int right = 0, all = 0;
    double sum = 0, letters = 0;
    for (int i = 9; i < count && ct_ok(); i += 10, all++) {
        ct_scope_begin();
        double s[2] = {ct_item(surprise(&name[i], 0)), ct_item(surprise(&name[i], 1))};
        right += (s[1] < s[0]) == name[i].kind, sum += s[name[i].kind], letters += name[i].length;
        ct_scope_end();
    }
    printf("\n%d names never seen: loss %.4f per letter (guessing blindly: %.4f), %.0f%% told apart\n", all, sum / letters, log(LETTERS), 100.0 * right / (all ? all : 1));
    for (int kind = 0; kind < 2; kind++) {
        printf("\n%s, made up:\n", kind ? "surnames" : "first names");
        for (int i = 0; i < 10; i++) {
            make_up(kind);
            if (i % 5 == 4) printf("\n");
        }
    }
    ct_no_grad_end();
    ct_loader_free(loader);
    ct_dataset_free(data);
    ct_optim_free(opt);
    ct_module_free(net);
    return ct_ok() ? 0 : 1;
}
