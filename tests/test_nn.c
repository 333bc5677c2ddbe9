/* Modules: names, order, initial values and texts as PyTorch's (made by gen_test_nn.py); ownership, state dicts, training runs, failing
   allocators, hostile arguments. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed, reports;
static ct_error_code last_code;
static char last_function[64], last_message[512];
static void note(const ct_error *e, void *user)
{
    (void)user;
    reports++, last_code = e->code;
    snprintf(last_function, sizeof last_function, "%s", e->function);
    snprintf(last_message, sizeof last_message, "%s", e->message);
}
static void check(bool ok, const char *what, int line)
{
    if (ok) passed++;
    else failed++, printf("test_nn.c:%d: FAILED: %s\n", line, what);
}
#define CHECK(x) check(x, #x, __LINE__)
static void expect(bool quiet, int n, ct_error_code code, const char *function, int line)
{
    char what[700];
    snprintf(what, sizeof what, "%s: %d reports of %s, got %d of %s from %s: %s", function, n, ct_error_name(code), reports, ct_error_name(last_code), last_function, last_message);
    check(quiet && reports == n && (!n || (last_code == code && !strcmp(last_function, function))), what, line);
    reports = 0, ct_clear_error();
}
#define ERR(call, code, function) expect(!(call), 1, code, function, __LINE__)
#define QUIET(call) expect(!(call), 0, CT_ERR_OK, #call, __LINE__)
static bool close_to(ct_tensor *t, const double *want, int64_t n, double tol)
{
    double v[512];
    if (!t || ct_numel(t) > 512 || !ct_copy_out(t, v, CT_F64, ct_numel(t))) return false;
    for (int64_t k = 0; k < n; k++)
        if (!(fabs(v[k] - want[k]) <= tol * (1 + fabs(want[k])))) {
            printf("  element %d: %.9g, PyTorch %.9g\n", (int)k, v[k], want[k]);
            return false;
        }
    return true;
}

static const double p0[] = {-0.003743410110473633, 0.26822179555892944, -0.4115225672721863, -0.3679695129394531, -0.19257718324661255, 0.13407868146896362, -0.009906589984893799, 0.39644473791122437, -0.04437202215194702, 0.1323062777519226, -0.15110653638839722, -0.09828269481658936};
static const double p1[] = {-0.4776742458343506, -0.33114105463027954, -0.20611155033111572};
static const double p2[] = {0.0151229752227664, 0.16139492392539978, 0.2449582815170288, -0.276768296957016, -0.17777696251869202, 0.14828276634216309, 0.3390044867992401, -0.08401757478713989, 0.30549702048301697, -0.06580283492803574, 0.04319842532277107, 0.3696591258049011, -0.37871986627578735, -0.25700780749320984, -0.10335428267717361, -0.15913516283035278, 0.35272684693336487, -0.26461824774742126, -0.18793010711669922, -0.2852187752723694, -0.38234943151474, -0.2383110523223877, 0.3509294390678406, 0.1821678876876831};
static const double p3[] = {0.197866752743721, 0.021470416337251663, -0.2093021720647812, 0.06906936317682266};
static const double p4[] = {-0.22511571645736694, 2.3466382026672363, -1.1088484525680542, 0.0, 0.0, 0.0, -1.3140254020690918, -1.6894433498382568, 1.252506971359253, -0.5545191168785095, 0.3019222617149353, 1.1294931173324585, 1.717895269393921, -0.8507241010665894, -0.848639190196991};
static const double p5[] = {0.3334994912147522, 0.07522042840719223, -0.32867133617401123, 0.034769896417856216, -0.23645658791065216, -0.3522455394268036, 0.3358185887336731, 0.28738898038864136, -0.3770301342010498, 0.07074438780546188, -0.06367190182209015, -0.06219826638698578, -0.17301583290100098, 0.14534856379032135};
static const double p6[] = {1.0, 1.0, 1.0};
static const double p7[] = {0.0, 0.0, 0.0};
static const double p8[] = {1.0, 1.0, 1.0, 1.0};
static const double p9[] = {0.0, 0.0, 0.0, 0.0};
static const double p10[] = {-0.19743451476097107, 0.12219711393117905, 0.16856937110424042, 0.23862385749816895, 0.12463705241680145, -0.3299117684364319, -0.2162322998046875, 0.16643834114074707, 0.06976711750030518, -0.26002800464630127, -0.1919398307800293, 0.313583105802536, 0.2246059626340866, -0.14534172415733337, -0.08389493077993393, -0.3175327181816101, -0.005991379730403423, -0.2510196566581726};
static const double p11[] = {-0.17248059809207916, -0.012320646084845066, 0.0335734561085701, -0.09157375246286392, 0.13268326222896576, -0.13607348501682281, 0.20289412140846252, 0.1532377153635025, -0.18856379389762878, -0.05565222352743149, 0.010089725255966187, 0.03262447193264961, 0.05303378030657768, 0.08774963021278381, 0.013394083827733994, -0.10910418629646301, 0.10580827295780182, -0.21449457108974457, -0.1325332373380661, -0.05597545579075813, -0.10892185568809509, -0.07822512090206146, -0.18327297270298004, -0.0475645512342453, 0.047797393053770065, -0.14567217230796814, -0.01147535815834999, 0.16006910800933838, -0.02298683486878872, 0.00621452834457159, -0.019290313124656677, 0.045253850519657135, 0.1421780288219452, 0.21181067824363708, 0.14200282096862793, 0.2122953236103058, -0.016171613708138466, -0.2008707970380783, -0.10600689053535461, 0.15225502848625183, -0.0014495269861072302, -0.11114294081926346, -0.17135252058506012, -0.209262877702713, -0.18872596323490143, -0.04535567760467529, 0.12262731045484543, 0.1208910197019577, -0.21565352380275726, 0.13948190212249756, -0.17497442662715912, -0.04727277532219887, -0.09066643565893173, -0.04307008162140846, -0.04390356317162514, -0.2006535530090332, -0.19307057559490204, -0.03498987480998039, 0.002891723532229662, -0.10157895088195801};
static const double p12[] = {0.09524066001176834, 0.08851049840450287, -0.02814733050763607, -0.18331007659435272, -0.03446989506483078, 0.07766035944223404, -0.0815889984369278, 0.0848769098520279, 0.14891375601291656, -0.11675664037466049};
static const char *const names[] = {"0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "3.weight", "4.weight", "4.bias", "5.weight", "5.bias", "6.weight", "7.weight", "7.bias"}, *const state[] = {"0.weight", "0.bias", "1.weight", "1.bias", "2.weight", "3.weight", "4.weight", "4.bias", "4.running_mean", "4.running_var", "4.num_batches_tracked", "5.weight", "5.bias", "6.weight", "7.weight", "7.bias"};
static const struct { const double *v; int64_t n; const char *shape; } table[] = {{p0, 12, "(3, 4)"}, {p1, 3, "(3)"}, {p2, 24, "(4, 1, 2, 3)"}, {p3, 4, "(4)"}, {p4, 15, "(5, 3)"}, {p5, 14, "(2, 7)"}, {p6, 3, "(3)"}, {p7, 3, "(3)"}, {p8, 4, "(4)"}, {p9, 4, "(4)"}, {p10, 18, "(2, 1, 3, 3)"}, {p11, 60, "(10, 20)"}, {p12, 10, "(10)"}};
static const double curve[] = {1.1892297267913818, 1.114287257194519, 1.022796392440796, 0.9970757365226746, 0.9317776560783386, 0.9075118899345398, 0.865715503692627, 0.8962541818618774, 0.7875052690505981, 0.8377582430839539, 0.7718616127967834, 0.746774435043335, 0.7423313856124878, 0.869905948638916, 1.0129367113113403, 0.7545260190963745, 0.7740799188613892, 0.873522162437439, 0.9062223434448242, 0.6987646818161011, 0.7113738656044006, 0.7251262664794922, 0.831299901008606, 0.8411010503768921, 0.5980504751205444, 0.6359447240829468, 0.6606009602546692, 0.5926278829574585, 0.7256622314453125, 0.5923843383789062, 0.5676881670951843, 0.5380328893661499, 0.6258004307746887, 0.5948644280433655, 0.6250149011611938, 0.53622967004776, 0.5872122049331665, 0.6420081853866577, 0.6170114874839783, 0.48077207803726196}, out[] = {-1.2310758829116821, 0.32290512323379517, 0.7971493005752563, 1.3961775302886963, -0.9860422611236572, -1.810444712638855}, rm[] = {0.12673866748809814, 0.0945189818739891, -0.029051419347524643, 0.08155505359172821, -0.21576015651226044, 0.1004934310913086, 0.1275770515203476, -0.015330493450164795, 0.1690133512020111, -0.010147918947041035, -0.10983199626207352, 0.12210647761821747, 0.02293000929057598, -0.05292098969221115, -0.027625130489468575, 0.10740987211465836}, rv[] = {0.5545816421508789, 0.457149863243103, 0.4479433298110962, 0.3478052318096161, 0.794615626335144, 0.8387922644615173, 0.35307765007019043, 0.20444919168949127, 0.7073138952255249, 0.2938772141933441, 0.49158161878585815, 0.812204122543335, 0.4650092124938965, 0.5241971611976624, 0.4043217599391937, 0.32422077655792236}, cm[] = {88.62022399902344, 130.7442169189453}, cv[] = {5585.18115234375, 6856.11572265625};
static const char text[] =
    "Sequential(\n"
    "  (0): Conv2d(1, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))\n"
    "  (1): Conv2d(8, 4, kernel_size=(1, 3), stride=(1, 1), dilation=(2, 2), groups=2, bias=False)\n"
    "  (2): BatchNorm2d(4, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True)\n"
    "  (3): BatchNorm1d(4, eps=1e-05, momentum=None, affine=False, track_running_stats=True)\n"
    "  (4): ReLU()\n"
    "  (5): ReLU6()\n"
    "  (6): SiLU()\n"
    "  (7): Sigmoid()\n"
    "  (8): Tanh()\n"
    "  (9): Identity()\n"
    "  (10): MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)\n"
    "  (11): AvgPool2d(kernel_size=(2, 3), stride=(2, 3), padding=0)\n"
    "  (12): AdaptiveAvgPool2d(output_size=(1, 1))\n"
    "  (13): Flatten(start_dim=1, end_dim=-1)\n"
    "  (14): Flatten(start_dim=0, end_dim=-2)\n"
    "  (15): Dropout(p=0.2, inplace=False)\n"
    "  (16): Dropout(p=0.0, inplace=False)\n"
    "  (17): LayerNorm((64,), eps=1e-05, elementwise_affine=True)\n"
    "  (18): LayerNorm((3, 4), eps=1e-06, elementwise_affine=False)\n"
    "  (19): GroupNorm(2, 4, eps=1e-05, affine=True)\n"
    "  (20): Embedding(10, 3, padding_idx=0)\n"
    "  (21): Embedding(10, 3, max_norm=1.0)\n"
    "  (22): ELU(alpha=1.0)\n"
    "  (23): LeakyReLU(negative_slope=0.2)\n"
    "  (24): GELU(approximate='none')\n"
    "  (25): GELU(approximate='tanh')\n"
    "  (26): Softplus(beta=1, threshold=20)\n"
    "  (27): Softmax(dim=1)\n"
    "  (28): LogSoftmax(dim=-1)\n"
    "  (29): Linear(in_features=3, out_features=4, bias=True)\n"
    "  (30): Linear(in_features=3, out_features=4, bias=False)\n"
    "  (31): Sequential(\n"
    "    (0): Sequential(\n"
    "      (0): ReLU()\n"
    "    )\n"
    "    (1): ModuleList(\n"
    "      (0): Tanh()\n"
    "    )\n"
    "  )\n"
    "  (32): Sequential()\n"
    ")";

static void initial_values(void)
{
    ct_manual_seed(0);
    ct_scope_begin();
    ct_module *m = ct_nn_module_list(ct_nn_linear(4, 3), ct_nn_conv2d(2, 4, .kernel_hw = {2, 3}, .groups = 2), ct_nn_embedding(5, 3, .padding_idx = 1), ct_nn_linear(7, 2, .no_bias = true),
                                     ct_nn_batch_norm1d(3), ct_nn_layer_norm(CT_SHAPE(4)), ct_nn_conv2d(1, 2, 3, .no_bias = true), ct_nn_linear(20, 10));
    ct_scope_end(); /* modules survive it */
    ct_params *p = ct_parameters(m);
    CHECK(p && p->count == (int)(sizeof names / sizeof *names));
    for (int k = 0; p && k < p->count; k++) {
        char what[100];
        snprintf(what, sizeof what, "initial values of %s %s", p->name[k], ct_shape_text(p->tensor[k]));
        check(!strcmp(p->name[k], names[k]) && !strcmp(ct_shape_text(p->tensor[k]), table[k].shape) && close_to(p->tensor[k], table[k].v, table[k].n, 1e-7), what, __LINE__);
        CHECK(ct_requires_grad(p->tensor[k]) && ct_is_leaf(p->tensor[k]));
    }
    CHECK(ct_parameters(m) == p);
    ct_params *s = ct_state_dict(m);
    CHECK(s->count == (int)(sizeof state / sizeof *state));
    for (int k = 0; k < s->count; k++) CHECK(!strcmp(s->name[k], state[k]));
    CHECK(ct_buffers(m)->count == 3 && !strcmp(ct_buffers(m)->name[2], "4.num_batches_tracked") && ct_dtype_of(ct_buffers(m)->tensor[2]) == CT_I64);
    ct_module_free(m);
}
static void texts(void)
{
    ct_module *m = ct_nn_sequential(
        ct_nn_conv2d(1, 8, 3, .padding = 1, .stride = 2), ct_nn_conv2d(8, 4, .kernel_hw = {1, 3}, .dilation = 2, .groups = 2, .no_bias = true), ct_nn_batch_norm2d(4), ct_nn_batch_norm1d(4, .cumulative = true, .no_affine = true), ct_nn_relu(),
        ct_nn_relu6(), ct_nn_silu(), ct_nn_sigmoid(), ct_nn_tanh(), ct_nn_identity(), ct_nn_max_pool2d(2), ct_nn_avg_pool2d(.kernel_hw = {2, 3}), ct_nn_adaptive_avg_pool2d(1, 1), ct_nn_flatten(), ct_nn_flatten(0, -2),
        ct_nn_dropout(0.2), ct_nn_dropout(0), ct_nn_layer_norm(CT_SHAPE(64)), ct_nn_layer_norm(CT_SHAPE(3, 4), .eps = 1e-6, .no_affine = true), ct_nn_group_norm(2, 4), ct_nn_embedding(10, 3, .has_padding_idx = true), ct_nn_embedding(10, 3, .max_norm = 1),
        ct_nn_elu(), ct_nn_leaky_relu(0.2), ct_nn_gelu(), ct_nn_gelu(.tanh = true), ct_nn_softplus(), ct_nn_softmax(1), ct_nn_log_softmax(-1), ct_nn_linear(3, 4), ct_nn_linear(3, 4, .no_bias = true),
        ct_nn_sequential(ct_nn_sequential(ct_nn_relu()), ct_nn_module_list(ct_nn_tanh())), ct_nn_sequential_of(NULL, 0));
    char *t = ct_module_text(m);
    CHECK(t && !strcmp(t, text));
    if (t && strcmp(t, text)) printf("%s\n----\n%s\n", t, text);
    ct_free_text(t);
    ct_module_free(m);
}
static void training(void)
{
    ct_manual_seed(1);
    ct_tensor *x = ct_randn(40, 6), *t = ct_randint(0, 3, 40);
    ct_module *net = ct_nn_sequential(ct_nn_linear(6, 16, .no_bias = true), ct_nn_batch_norm1d(16), ct_nn_relu(), ct_nn_dropout(.25), ct_nn_linear(16, 16, .no_bias = true), ct_nn_layer_norm(CT_SHAPE(16)), ct_nn_gelu(), ct_nn_linear(16, 3));
    ct_optim *opt = ct_optim_adamw(ct_parameters(net), .lr = 0.02);
    double worst = 0;
    for (int step = 0; step < 40; step++) {
        ct_scope_begin();
        ct_tensor *loss = ct_cross_entropy(ct_forward(net, x), t);
        ct_zero_grad(opt);
        ct_backward(loss);
        ct_clip_grad_norm_(ct_parameters(net), 1);
        ct_step(opt);
        worst = fmax(worst, fabs(ct_item(loss) - curve[step]));
        ct_scope_end();
    }
    printf("loss curve with batch norm and dropout: at most %g from PyTorch's in 40 steps\n", worst);
    CHECK(worst < 1e-4);
    ct_eval(net);
    CHECK(!net->training && !ct_module_child(net, 3)->training);
    CHECK(close_to(ct_forward(net, ct_slice(x, 0, 0, 2, 1)), out, 6, 2e-3));
    ct_module *bn = ct_module_child(net, 1);
    CHECK(close_to(ct_get_parameter(bn, "running_mean"), rm, 16, 1e-3) && close_to(ct_get_parameter(net, "1.running_var"), rv, 16, 1e-3) && ct_item_i64(ct_get_parameter(bn, "num_batches_tracked")) == 40);
    ct_train(net);
    CHECK(net->training && bn->training);
    ct_optim_free(opt);
    ct_module_free(net);

    bn = ct_nn_batch_norm2d(2, .cumulative = true);
    ct_tensor *z = ct_reshape(ct_pow(ct_arange(0., 48., 1.), 1.25), 3, 2, 2, 4);
    for (int k = 0; k < 3; k++) ct_forward(bn, ct_mul(z, k + 1));
    CHECK(close_to(ct_get_parameter(bn, "running_mean"), cm, 2, 1e-6) && close_to(ct_get_parameter(bn, "running_var"), cv, 2, 1e-6));
    ERR(ct_forward(bn, ct_ones(2, 2)), CT_ERR_SHAPE, "ct_batch_norm");
    ct_module_free(bn);
    bn = ct_nn_batch_norm1d(3, .no_running_stats = true);
    ct_eval(bn);
    ct_tensor *n = ct_forward(bn, ct_randn(50, 3)); /* without running statistics eval, too, takes the batch's */
    CHECK(fabs(ct_item(ct_mean(n))) < 1e-6 && !ct_ok() == false);
    ct_module_free(bn);
}

typedef struct { ct_module base; ct_module *a, *b; ct_tensor *scale; int *destroyed; } Twin;
static ct_tensor *twin_forward(ct_module *self, ct_tensor *x)
{
    Twin *m = (Twin *)(void *)self;
    return ct_mul(ct_add(ct_forward(m->a, x), ct_forward(m->b, x)), m->scale);
}
static void twin_destroy(ct_module *self) { ++*((Twin *)(void *)self)->destroyed; }
static ct_module *twin(int *destroyed)
{
    Twin *m = ct_module_new(Twin, twin_forward);
    m->destroyed = destroyed, m->base.destroy = twin_destroy;
    m->a = ct_register_module(&m->base, "a", ct_nn_linear(3, 3));
    m->b = ct_register_module(&m->base, "b", m->a); /* the same one twice */
    ct_scope_begin();
    m->scale = ct_register_parameter(&m->base, "scale", ct_ones(1));
    ct_register_buffer(&m->base, "seen", ct_zeros(1));
    ct_register_buffer(&m->base, "scratch", ct_zeros(2), .not_persistent = true);
    ct_scope_end();
    return &m->base;
}
static void count(ct_module *m, void *user) { (void)m, ++*(int *)user; }
static void ownership(void)
{
    int destroyed = 0, visits = 0;
    ct_module *net = ct_nn_sequential(twin(&destroyed), ct_nn_relu());
    ct_params *p = ct_parameters(net);
    CHECK(p->count == 3 && !strcmp(p->name[0], "0.scale") && !strcmp(p->name[1], "0.a.weight") && !strcmp(p->name[2], "0.a.bias") && ct_params_numel(p) == 13);
    ct_params *s = ct_state_dict(net);
    CHECK(s->count == 6 && !strcmp(s->name[1], "0.seen") && !strcmp(s->name[2], "0.a.weight") && !strcmp(s->name[4], "0.b.weight") && s->tensor[2] == s->tensor[4]);
    CHECK(ct_buffers(net)->count == 2);
    CHECK(ct_module_children(net) == 2 && ct_module_child(net, -1)->forward && !strcmp(ct_module_child_name(net, 0), "0"));
    CHECK(ct_get_submodule(net, "0.b") == ct_get_submodule(net, "0.a") && ct_get_submodule(net, "") == net && ct_get_parameter(net, "0.b.bias") == p->tensor[2]);
    CHECK(ct_module_apply(net, count, &visits) == net && visits == 5); /* as torch: a twice, relu, twin, net */
    ct_module_free(ct_get_submodule(net, "0.a")); /* belongs to net: nothing happens */
    ct_tensor *x = ct_randn(2, 3), *y = ct_forward(net, x);
    ct_backward(ct_sum(y));
    CHECK(ct_grad_of(p->tensor[1]) && ct_grad_of(p->tensor[0]));
    ct_zero_grad(net);
    CHECK(ct_item(ct_sum(ct_abs(ct_grad_of(p->tensor[1])))) == 0);
    ct_module_clear_grad(net);
    CHECK(!ct_grad_of(p->tensor[1]));
    ct_module_requires_grad_(net, false);
    CHECK(!ct_requires_grad(ct_forward(net, x)));
    ct_module_requires_grad_(net, true);
    /* another type, the same handles */
    ct_tensor *w = p->tensor[1];
    double before = ct_at(w, 1, 1);
    ct_backward(ct_sum(ct_forward(net, x)));
    CHECK(ct_module_to(net, CT_F64) == net && ct_parameters(net) == p && p->tensor[1] == w && ct_dtype_of(w) == CT_F64 && ct_at(w, 1, 1) == before && ct_dtype_of(ct_grad_of(w)) == CT_F64);
    CHECK(ct_dtype_of(ct_forward(net, ct_to(x, CT_F64))) == CT_F64 && ct_dtype_of(ct_get_parameter(net, "0.seen")) == CT_F64);
    CHECK(ct_module_to(net, CT_BF16) && ct_dtype_of(w) == CT_BF16 && ct_module_to(net, CT_F32));
    ct_module *wide = ct_nn_linear(20, 20); /* small in float32, no longer so in float64: what is made like it has room of its own */
    ct_tensor *v = ct_parameters(wide)->tensor[0], *made[8];
    CHECK(ct_module_to(wide, CT_F64) != NULL);
    ct_scope_begin();
    ct_no_grad_begin();
    for (int k = 0; k < 8; k++) made[k] = ct_cumsum(v, k % 2), made[k] = ct_add_(made[k], k);
    ct_no_grad_end();
    for (int k = 0; k < 8; k++) {
        double sum = 0;
        for (int j = 0; j < 20; j++) sum += k % 2 ? ct_at(v, 19, j) : ct_at(v, j, 19);
        CHECK(fabs(ct_at(made[k], 19, 19) - sum - k) < 1e-12 && ct_at(made[k], 0, 0) == ct_at(v, 0, 0) + k);
    }
    ct_scope_end();
    ct_module_free(wide);
    /* replacing: shared weights */
    ct_module *tied = ct_nn_module_list(ct_nn_embedding(7, 3), ct_nn_linear(3, 7, .no_bias = true));
    CHECK(ct_register_parameter(ct_module_child(tied, 1), "weight", ct_get_parameter(tied, "0.weight")));
    CHECK(ct_parameters(tied)->count == 1 && ct_state_dict(tied)->count == 2);
    ct_tensor *logits = ct_forward(ct_module_child(tied, 1), ct_forward(ct_module_child(tied, 0), ct_tensor_i64(2, 5)));
    ct_backward(ct_cross_entropy(logits, ct_tensor_i64(1, 2)));
    CHECK(ct_item(ct_sum(ct_abs(ct_select(ct_grad_of(ct_get_parameter(tied, "0.weight")), 0, 6)))) > 0);
    ct_module_free(tied);
    /* circles, kinds, names */
    ct_module *outer = ct_nn_sequential(ct_nn_relu());
    ct_module *inner = ct_nn_sequential_of(NULL, 0);
    ct_register_module(outer, "in", inner);
    ERR(ct_register_module(inner, "out", outer), CT_ERR_ARGUMENT, "ct_register_module");
    ERR(ct_register_module(outer, "self", outer), CT_ERR_ARGUMENT, "ct_register_module");
    ERR(ct_register_parameter(outer, "in", ct_ones(1)), CT_ERR_ARGUMENT, "ct_register_parameter");
    ERR(ct_register_parameter(outer, "a.b", ct_ones(1)), CT_ERR_ARGUMENT, "ct_register_parameter");
    ERR(ct_register_parameter(outer, "", ct_ones(1)), CT_ERR_ARGUMENT, "ct_register_parameter");
    ERR(ct_register_module(outer, NULL, ct_nn_relu()), CT_ERR_ARGUMENT, "ct_register_module"); /* and the relu is freed */
    ct_tensor *leaf = ct_requires_grad_(ct_ones(1), true);
    ERR(ct_register_parameter(outer, "h", ct_mul(leaf, 2)), CT_ERR_AUTOGRAD, "ct_register_parameter");
    ERR(ct_get_parameter(outer, "in.x"), CT_ERR_ARGUMENT, "ct_get_parameter");
    ERR(ct_get_parameter(outer, "no.x"), CT_ERR_ARGUMENT, "ct_get_submodule");
    ERR(ct_get_submodule(outer, "in.no"), CT_ERR_ARGUMENT, "ct_get_submodule");
    ERR(ct_module_child(outer, 2), CT_ERR_INDEX, "ct_module_child");
    ERR(ct_module_to(outer, CT_I64), CT_ERR_DTYPE, "ct_module_to");
    ERR(ct_module_to(outer, (ct_dtype)99), CT_ERR_DTYPE, "ct_module_to");
    ct_module *list = ct_nn_module_list(ct_nn_relu());
    ERR(ct_forward(list, x), CT_ERR_ARGUMENT, "ct_forward");
    ct_module_free(list);
    ct_module_free(outer);
    /* deep trees are refused where they are walked, and freed in a loop */
    ct_module *deep = ct_nn_relu();
    for (int k = 0; k < 40; k++) deep = ct_nn_sequential(deep);
    CHECK(ct_parameters(deep)->count == 0 && ct_forward(deep, x));
    ct_module_free(deep);
    deep = ct_nn_relu();
    for (int k = 0; k < 1000 && deep; k++) deep = ct_nn_sequential(deep);
    CHECK(!deep && reports == 1 && last_code == CT_ERR_ARGUMENT); /* that many are not registered; what there was is freed */
    reports = 0, ct_clear_error();
    ct_module_free(net);
    CHECK(destroyed == 1);
}
static void states(void)
{
    ct_module *a = ct_nn_sequential(ct_nn_linear(3, 2), ct_nn_batch_norm1d(2)), *b = ct_nn_sequential(ct_nn_linear(3, 2), ct_nn_batch_norm1d(2)), *c = ct_nn_sequential(ct_nn_linear(3, 2)), *d = ct_nn_sequential(ct_nn_linear(2, 2), ct_nn_batch_norm1d(2));
    ct_forward(a, ct_randn(9, 3));
    ct_tensor *w = ct_get_parameter(b, "0.weight");
    CHECK(!ct_equal(ct_get_parameter(a, "0.weight"), w) && ct_load_state_dict(b, ct_state_dict(a), true));
    for (int k = 0; k < ct_state_dict(a)->count; k++) CHECK(ct_equal(ct_state_dict(a)->tensor[k], ct_state_dict(b)->tensor[k]));
    CHECK(ct_get_parameter(b, "0.weight") == w && ct_requires_grad(w) && ct_item_i64(ct_get_parameter(b, "1.num_batches_tracked")) == 1);
    CHECK(ct_load_state_dict(a, ct_state_dict(a), true));
    ct_tensor *cw = ct_clone(ct_detach(ct_get_parameter(c, "0.weight")));
    ERR(ct_load_state_dict(c, ct_state_dict(a), true), CT_ERR_ARGUMENT, "ct_load_state_dict");
    CHECK(strstr(last_message, "1.weight") != NULL && ct_equal(cw, ct_get_parameter(c, "0.weight")));
    CHECK(ct_load_state_dict(c, ct_state_dict(a), false) && !ct_equal(cw, ct_get_parameter(c, "0.weight")));
    CHECK(ct_load_state_dict(a, ct_state_dict(c), false));
    ct_tensor *db = ct_clone(ct_detach(ct_get_parameter(d, "0.bias")));
    ERR(ct_load_state_dict(d, ct_state_dict(a), true), CT_ERR_SHAPE, "ct_load_state_dict");
    CHECK(ct_equal(db, ct_get_parameter(d, "0.bias"))); /* nothing was written */
    ERR(ct_load_state_dict(a, ct_state_dict(c), true), CT_ERR_ARGUMENT, "ct_load_state_dict");
    QUIET(ct_load_state_dict(a, NULL, true)); QUIET(ct_load_state_dict(NULL, ct_state_dict(a), true));
    ct_module_free(a), ct_module_free(b), ct_module_free(c), ct_module_free(d);
}
/* in evaluation a long Sequential holds two activations, not all of them */
static void eval_memory(void)
{
    ct_module *m[30];
    for (int k = 0; k < 30; k++) m[k] = ct_nn_relu();
    ct_module *net = ct_nn_sequential_of(m, 30);
    ct_tensor *x = ct_randn(256, 256);
    ct_shutdown(); /* empties scopes and caches: x is gone */
    x = ct_randn(256, 256);
    int64_t live = ct_memory_stats().live_bytes;
    ct_no_grad_begin();
    ct_scope_begin();
    ct_tensor *y = ct_forward(net, x);
    CHECK(y && ct_memory_stats().peak_bytes - live < 4 * 256 * 256 * 4);
    CHECK(ct_memory_stats().live_bytes - live < 2 * 256 * 256 * 4);
    ct_scope_end();
    CHECK(ct_memory_stats().live_bytes == live);
    CHECK(ct_forward(net, x) && ct_ok());
    ct_no_grad_end();
    ct_module_free(net);
}
static void hostile(void)
{
    ct_module *n = NULL;
    ct_tensor *x = ct_ones(2, 3), *nt = NULL;
    QUIET(ct_forward(n, x)); QUIET(ct_parameters(n)); QUIET(ct_state_dict(n)); QUIET(ct_train(n)); QUIET(ct_eval(n)); QUIET(ct_get_parameter(n, "x")); QUIET(ct_module_text(n));
    QUIET(ct_module_children(n)); QUIET(ct_module_child(n, 0)); QUIET(ct_register_module(n, "a", n)); QUIET(ct_register_module(n, "a", ct_nn_relu())); QUIET(ct_register_parameter(n, "a", x));
    QUIET(ct_params_numel(NULL)); QUIET(ct_module_to(n, CT_F32)); QUIET(ct_module_apply(n, count, NULL)); QUIET(ct_nn_sequential(ct_nn_relu(), n, ct_nn_linear(3, 3))); QUIET(ct_module_requires_grad_(n, true));
    ct_module_free(n), ct_zero_grad(n), ct_module_print(n);
    ct_module *r = ct_nn_relu();
    QUIET(ct_forward(r, nt)); QUIET(ct_register_parameter(r, "a", nt)); QUIET(ct_register_buffer(r, "a", nt));
    ct_module_free(r);
    ERR(ct_nn_linear(-1, 3), CT_ERR_ARGUMENT, "ct_nn_linear");
    ERR(ct_nn_linear(INT64_MAX / 4, 1000), CT_ERR_OVERFLOW, "ct_nn_linear");
    ERR(ct_nn_conv2d(0, 3, 3), CT_ERR_ARGUMENT, "ct_nn_conv2d");
    ERR(ct_nn_conv2d(4, 6, 0), CT_ERR_ARGUMENT, "ct_nn_conv2d");
    ERR(ct_nn_conv2d(4, 6, 3, .groups = 4), CT_ERR_ARGUMENT, "ct_nn_conv2d");
    ERR(ct_nn_conv2d(4, 6, 3, .padding = -1), CT_ERR_ARGUMENT, "ct_nn_conv2d");
    ERR(ct_nn_conv2d(4, 6, INT64_MAX / 2), CT_ERR_OVERFLOW, "ct_nn_conv2d");
    ERR(ct_nn_conv2d(1, INT64_MAX / 2, 3), CT_ERR_OVERFLOW, "ct_nn_conv2d");
    ERR(ct_nn_max_pool2d(2, .padding = 2), CT_ERR_ARGUMENT, "ct_nn_max_pool2d");
    ERR(ct_nn_avg_pool2d(0), CT_ERR_ARGUMENT, "ct_nn_avg_pool2d");
    ERR(ct_nn_adaptive_avg_pool2d(0, 1), CT_ERR_ARGUMENT, "ct_nn_adaptive_avg_pool2d");
    ERR(ct_nn_batch_norm1d(-2), CT_ERR_ARGUMENT, "ct_nn_batch_norm1d");
    ERR(ct_nn_layer_norm(.eps = 1), CT_ERR_ARGUMENT, "ct_nn_layer_norm");
    ERR(ct_nn_group_norm(3, 4), CT_ERR_ARGUMENT, "ct_nn_group_norm");
    ERR(ct_nn_embedding(3, 2, .padding_idx = 3), CT_ERR_ARGUMENT, "ct_nn_embedding");
    ERR(ct_nn_embedding(0, 2), CT_ERR_ARGUMENT, "ct_nn_embedding");
    ERR(ct_nn_dropout(2), CT_ERR_ARGUMENT, "ct_nn_dropout");
    ct_module *l = ct_nn_linear(4, 2);
    CHECK(!ct_forward(l, x) && reports == 1 && last_code == CT_ERR_SHAPE);
    reports = 0, ct_clear_error();
    ct_module_free(l);
    CHECK(!ct_nn_sequential(ct_nn_linear(2, 2), ct_nn_linear(-1, 2), ct_nn_batch_norm1d(2)) && reports == 1); /* the others are freed */
    reports = 0, ct_clear_error();
}

/* Every allocation of a whole life fails: alone (and its second try, after the caches were emptied) or with all that follow. One report per
   failing call, no crash, nothing left. */
static int64_t allowed;
static bool all_that_follow;
static void *meagre(size_t bytes, void *user)
{
    (void)user;
    allowed--;
    return allowed >= 0 || (!all_that_follow && allowed < -2) ? malloc(bytes) : NULL;
}
static void give(void *p, size_t bytes, void *user)
{
    (void)user, (void)bytes;
    free(p);
}
static bool life(void)
{
    ct_manual_seed(0);
    ct_scope_begin();
    if (ct_scope_depth() == 0) return false;
    bool ok = false;
    ct_module *net = ct_nn_sequential(ct_nn_conv2d(1, 2, 3), ct_nn_batch_norm2d(2), ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_dropout(0.5), ct_nn_linear(18, 5), ct_nn_layer_norm(CT_SHAPE(5)));
    ct_module *copy = net ? ct_nn_sequential(ct_nn_conv2d(1, 2, 3), ct_nn_batch_norm2d(2), ct_nn_relu(), ct_nn_max_pool2d(2), ct_nn_flatten(), ct_nn_dropout(0.5), ct_nn_linear(18, 5), ct_nn_layer_norm(CT_SHAPE(5))) : NULL;
    ct_optim *opt = copy ? ct_optim_adam(ct_parameters(net), .lr = 0.01) : NULL;
    ct_lr *lr = opt ? ct_lr_multi_step(opt, CT_MILESTONES(1, 2)) : NULL;
    ct_tensor *x = lr ? ct_randn(3, 1, 8, 8) : NULL, *t = x ? ct_tensor_i64(0, 4, 2) : NULL;
    for (int step = 0; t && step < 2; step++) {
        ct_tensor *loss = ct_cross_entropy(ct_forward(net, x), t, .label_smoothing = 0.1);
        ct_zero_grad(opt);
        ok = ct_backward(loss) && !isnan(ct_clip_grad_norm_(ct_parameters(net), 1)) && ct_step(opt) && ct_step(lr);
        if (!ok) break;
    }
    ok = ok && ct_optim_state(opt) && ct_load_state_dict(copy, ct_state_dict(net), true);
    char *s = ok ? ct_module_text(net) : NULL;
    ok = s != NULL;
    ct_free_text(s);
    ct_lr_free(lr);
    ct_optim_free(opt);
    ct_module_free(copy);
    ct_module_free(net);
    ct_scope_end();
    ct_scope_unwind(0);
    return ok;
}
static void starving(void)
{
    ct_allocator host = {meagre, give, NULL};
    ct_shutdown();
    CHECK(ct_set_allocator(&host));
    ct_set_num_threads(1);
    for (int mode = 0; mode < 2; mode++) {
        int64_t n = 0;
        bool done = false;
        all_that_follow = mode == 1;
        for (; n < 5000 && !done; n++) {
            char what[700];
            reports = 0, ct_clear_error();
            allowed = n;
            done = life() && allowed >= 0;
            bool one = mode ? reports >= 1 : reports == 1, clean = !ct_memory_stats().tensors && !ct_memory_stats().nodes;
            snprintf(what, sizeof what, "allocation %d fails%s: %d reports, last %s from %s: %s; %d tensors, %d nodes", (int)n, mode ? " and all that follow" : "", reports,
                     ct_error_name(last_code), last_function, last_message, (int)ct_memory_stats().tensors, (int)ct_memory_stats().nodes);
            check(clean && (done ? reports == 0 : (one && last_code == CT_ERR_MEMORY)), what, __LINE__);
            allowed = INT64_MAX;
            ct_shutdown();
            snprintf(what, sizeof what, "allocation %d fails: %d bytes are left", (int)n, (int)ct_memory_stats().live_bytes);
            check(ct_memory_stats().live_bytes == 0, what, __LINE__);
            if (ct_memory_stats().live_bytes) break;
        }
        CHECK(done);
        printf("a training step survives each of its %d allocations failing%s\n", (int)n - 1, mode ? ", with all that follow" : "");
    }
    reports = 0, ct_clear_error();
    CHECK(ct_set_allocator(NULL));
}

int main(void)
{
    ct_set_error_handler(note, NULL);
    void (*const parts[])(void) = {initial_values, texts, training, ownership, states, eval_memory, hostile, starving};
    for (size_t k = 0; k < sizeof parts / sizeof *parts; k++) {
        ct_scope_begin();
        parts[k]();
        ct_scope_unwind(0);
        CHECK(reports == 0 && ct_ok());
        if (reports) printf("  part %d: %s: %s\n", (int)k, last_function, last_message);
        reports = 0, ct_clear_error();
    }
    ct_shutdown();
    CHECK(ct_memory_stats().tensors == 0 && ct_memory_stats().nodes == 0 && ct_memory_stats().live_bytes == 0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
