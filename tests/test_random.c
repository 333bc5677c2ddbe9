/* Random numbers and initialisation against PyTorch 1.13 (CPU). Every row starts from ct_manual_seed(0). EXACT rows compare all bits, by
   hash; NEAR rows go through libm and compare some elements (index, value) with a tolerance. The expected values come from

     import torch
     def fnv(t):                                      # EXACT: FNV-1a of the bytes, row-major
         t, x = t.contiguous(), 0xcbf29ce484222325
         for c in (t.view(torch.int16) if t.dtype in (torch.float16, torch.bfloat16) else t).numpy().tobytes():
             x = ((x ^ c) * 0x100000001b3) & 0xffffffffffffffff
         return hex(x)
     torch.manual_seed(0); fnv(eval(row))             # NEAR: eval(row).double().flatten()[index].item()
*/
#ifndef CTORCH_NO_IMPLEMENTATION
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#endif
#include "ctorch.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed, reports;
static void count_error(const ct_error *e, void *user)
{
    (void)e, (void)user;
    reports++;
}
static void check(bool ok, int line, const char *what)
{
    if (ok) passed++;
    else failed++, printf("%s:%d: failed: %s\n", __FILE__, line, what);
}
#define CHECK(x) check((x), __LINE__, #x)

static uint64_t fnv(ct_tensor *t)
{
    uint64_t x = 0xcbf29ce484222325u;
    size_t bytes = (size_t)ct_numel(t) * ct_element_size(t);
    unsigned char *data = (unsigned char *)malloc(bytes + 1);
    if (!t || !data || !ct_copy_out(t, data, ct_dtype_of(t), ct_numel(t))) bytes = 0;
    for (size_t k = 0; k < bytes; k++) x = (x ^ data[k]) * 0x100000001b3u;
    free(data);
    return x;
}
static void exact(ct_tensor *t, uint64_t expected, int line, const char *what)
{
    check(t && fnv(t) == expected, line, what);
}
/* tolerance, then index, value, index, value, ... -1 */
static void near_values(ct_tensor *t, int line, const char *what, double tolerance, ...)
{
    bool ok = t != NULL;
    double *x = (double *)malloc(((size_t)ct_numel(t) + 1) * sizeof *x);
    va_list a;
    va_start(a, tolerance);
    ok = ok && x && ct_copy_out(t, x, CT_F64, ct_numel(t));
    for (int k = va_arg(a, int); ok && k >= 0; k = va_arg(a, int)) ok = fabs(x[k] - va_arg(a, double)) <= tolerance;
    va_end(a);
    free(x);
    check(ok, line, what);
}
#define ROW(call) ct_scope_begin(), ct_manual_seed(0), call, ct_scope_end()
#define EXACT(t, torch, hash) ROW(exact(t, hash, __LINE__, torch))
#define NEAR(t, torch, ...) ROW(near_values(t, __LINE__, torch, __VA_ARGS__, -1))
/* one report, of this code, and NULL or false */
#define ERROR_OF(x, expected) (ct_clear_error(), reports = 0, CHECK(!(x) && reports == 1 && ct_last_error()->code == (expected)))

static void test_values(void)
{
    EXACT(ct_rand(1),
          "torch.rand(1)", 0xa9231c5d75015352u);
    EXACT(ct_rand_dtype(CT_F64, 1),
          "torch.rand(1, dtype=torch.float64)", 0x44bb31eace02bd99u);
    EXACT(ct_rand(2),
          "torch.rand(2)", 0x04340d18799c8382u);
    EXACT(ct_rand_dtype(CT_F64, 2),
          "torch.rand(2, dtype=torch.float64)", 0xb1302c01ba410c44u);
    EXACT(ct_rand(15),
          "torch.rand(15)", 0x416854df90ce0382u);
    EXACT(ct_rand_dtype(CT_F64, 15),
          "torch.rand(15, dtype=torch.float64)", 0x8050e110dc01ad5fu);
    EXACT(ct_rand(623),
          "torch.rand(623)", 0x64e565699f62921bu);
    EXACT(ct_rand_dtype(CT_F64, 623),
          "torch.rand(623, dtype=torch.float64)", 0xe40bcf4804c04a7bu);
    EXACT(ct_rand(625),
          "torch.rand(625)", 0xb67ff0536851e0f4u);
    EXACT(ct_rand_dtype(CT_F64, 625),
          "torch.rand(625, dtype=torch.float64)", 0x8befc738c0cba6cau);
    EXACT(ct_rand(5000),
          "torch.rand(5000)", 0x973503569fe911e0u);
    EXACT(ct_rand_dtype(CT_F64, 5000),
          "torch.rand(5000, dtype=torch.float64)", 0x0f0cba23ca143d46u);
    EXACT(ct_randn(16),
          "torch.randn(16)", 0x28d49f8f92bf21d6u);
    EXACT(ct_randn(17),
          "torch.randn(17)", 0x9151e09be6bcf07au);
    EXACT(ct_randn(31),
          "torch.randn(31)", 0x3e39671abab4a234u);
    EXACT(ct_randn(32),
          "torch.randn(32)", 0x96cdff5c281baa04u);
    EXACT(ct_randn(33),
          "torch.randn(33)", 0xf2eb928ce9653fe6u);
    EXACT(ct_randn(100),
          "torch.randn(100)", 0x6b680134d3d69e1bu);
    EXACT(ct_randn(5000),
          "torch.randn(5000)", 0x6fe2a0f85a02442fu);
    EXACT(ct_randn(100003),
          "torch.randn(100003)", 0xc5046e5886a31170u);
    EXACT(ct_rand_dtype(CT_F16, 100),
          "torch.rand(100, dtype=torch.float16)", 0xd462393b21d6c194u);
    EXACT(ct_rand_dtype(CT_BF16, 100),
          "torch.rand(100, dtype=torch.bfloat16)", 0x7d2c7dede3d84ffau);
    EXACT(ct_rand(3, 4),
          "torch.rand(3, 4)", 0x7fe4b5afb0273d6du);
    EXACT(ct_randint(0, 10, 50),
          "torch.randint(0, 10, (50,))", 0x849806651623bcadu);
    EXACT(ct_randint(-5, 7, 50),
          "torch.randint(-5, 7, (50,))", 0x18eebe3349080201u);
    EXACT(ct_randint(0, 4294967295, 50),
          "torch.randint(0, 4294967295, (50,))", 0x0b34d377de8a8d03u);
    EXACT(ct_randint(0, 4294967296, 50),
          "torch.randint(0, 4294967296, (50,))", 0x31228c7ee70d6878u);
    EXACT(ct_randint(-1099511627776, 2199023255552, 50),
          "torch.randint(-1099511627776, 2199023255552, (50,))", 0x23299c4ff8b08d7au);
    EXACT(ct_randint_dtype(CT_U8, 0, 256, 50),
          "torch.randint(0, 256, (50,), dtype=torch.uint8)", 0x8a95c2dae4014725u);
    EXACT(ct_randint_dtype(CT_F32, -16777219, 1073741829, 50),
          "torch.zeros(50).random_(-16777219, 1073741829)", 0x7608a18cf37516dcu);
    EXACT(ct_randint_like(ct_zeros_dtype(CT_I32, 5, 3), -7, 100),
          "torch.randint_like(torch.zeros(5, 3, dtype=torch.int32), -7, 100)", 0x21c7bcbf23d8de97u);
    EXACT(ct_rand_like(ct_t(ct_zeros(5, 3))),
          "torch.rand_like(torch.zeros(5, 3).t())", 0x586e85c6d072d7eeu);
    EXACT(ct_randperm(1),
          "torch.randperm(1)", 0xa8c7f832281a39c5u);
    EXACT(ct_randperm(2),
          "torch.randperm(2)", 0x692558b056101a44u);
    EXACT(ct_randperm(10),
          "torch.randperm(10)", 0xdcdebc4114a6e5c4u);
    EXACT(ct_randperm(1000),
          "torch.randperm(1000)", 0x01f56afb98c57ed9u);
    EXACT(ct_bernoulli(ct_rand_dtype(CT_F32, 30, 4)),
          "torch.bernoulli(torch.rand(30, 4, dtype=torch.float32))", 0x265e5430b51c8e58u);
    EXACT(ct_bernoulli(ct_rand_dtype(CT_F64, 30, 4)),
          "torch.bernoulli(torch.rand(30, 4, dtype=torch.float64))", 0x1037c2a149a5b838u);
    EXACT(ct_bernoulli_p(ct_zeros(100), 0.3),
          "torch.bernoulli(torch.zeros(100), 0.3)", 0xc5958ee0e0f5b0a5u);
    EXACT(ct_bernoulli_(ct_zeros_dtype(CT_F32, 5, 7), 0.3),
          "torch.zeros(5, 7, dtype=torch.float32).bernoulli_(0.3)", 0x1f2f41a37b3a1d45u);
    EXACT(ct_bernoulli_(ct_zeros_dtype(CT_F64, 5, 7), 0.3),
          "torch.zeros(5, 7, dtype=torch.float64).bernoulli_(0.3)", 0x0dc5cce36e231465u);
    EXACT(ct_bernoulli_(ct_zeros_dtype(CT_I64, 5, 7), 0.3),
          "torch.zeros(5, 7, dtype=torch.int64).bernoulli_(0.3)", 0x64c8ae21149e06e5u);
    EXACT(ct_bernoulli_(ct_zeros_dtype(CT_BOOL, 5, 7), 0.3),
          "torch.zeros(5, 7, dtype=torch.bool).bernoulli_(0.3)", 0x7a7982ba4b9b6679u);
    EXACT(ct_bernoulli_(ct_zeros_dtype(CT_U8, 5, 7), 0.3),
          "torch.zeros(5, 7, dtype=torch.uint8).bernoulli_(0.3)", 0x7a7982ba4b9b6679u);
    EXACT(ct_bernoulli_(ct_t(ct_zeros(5, 3)), ct_rand(5)),
          "torch.zeros(5, 3).t().bernoulli_(torch.rand(5))", 0xf58956907e1aa2e8u);
    EXACT(ct_multinomial(ct_rand(4, 6), 1, false),
          "torch.multinomial(torch.rand(4, 6), 1, False)", 0xbe65bc96e6135e02u);
    EXACT(ct_multinomial(ct_rand(4, 6), 3, false),
          "torch.multinomial(torch.rand(4, 6), 3, False)", 0xb8361172263d64e1u);
    EXACT(ct_multinomial(ct_rand(4, 6), 6, false),
          "torch.multinomial(torch.rand(4, 6), 6, False)", 0x8dace20fae92dd65u);
    EXACT(ct_multinomial(ct_rand(4, 6), 1, true),
          "torch.multinomial(torch.rand(4, 6), 1, True)", 0xe237ad0975b034e0u);
    EXACT(ct_multinomial(ct_rand(4, 6), 1000, true),
          "torch.multinomial(torch.rand(4, 6), 1000, True)", 0xbbf6bed939e37284u);
    EXACT(ct_multinomial(ct_rand_dtype(CT_F64, 50), 50, false),
          "torch.multinomial(torch.rand(50, dtype=torch.float64), 50)", 0xe5776c2d18a5b744u);
    EXACT(ct_multinomial(ct_t(ct_rand(6, 4)), 3, false),
          "torch.multinomial(torch.rand(6, 4).t(), 3)", 0x17f82a88280d7244u);
    EXACT(ct_uniform_(ct_zeros_dtype(CT_F32, 5, 40), -0.3, 1.7),
          "torch.zeros(5, 40, dtype=torch.float32).uniform_(-0.3, 1.7)", 0xff454232b1f687e6u);
    EXACT(ct_uniform_(ct_permute(ct_zeros_dtype(CT_F32, 2, 3, 4), 2, 0, 1), -0.3, 1.7),
          "torch.zeros(2, 3, 4, dtype=torch.float32).permute(2, 0, 1).uniform_(-0.3, 1.7)", 0x9adcedf5d54f6ab8u);
    EXACT(ct_uniform_(ct_get(ct_zeros_dtype(CT_F32, 6, 8), "::2, 1::3"), 0, 1),
          "torch.zeros(6, 8, dtype=torch.float32)[::2, 1::3].uniform_()", 0x22ffc4a622e9f9c4u);
    EXACT(ct_uniform_(ct_zeros_dtype(CT_F64, 5, 40), -0.3, 1.7),
          "torch.zeros(5, 40, dtype=torch.float64).uniform_(-0.3, 1.7)", 0x6bd45521bd47124cu);
    EXACT(ct_uniform_(ct_permute(ct_zeros_dtype(CT_F64, 2, 3, 4), 2, 0, 1), -0.3, 1.7),
          "torch.zeros(2, 3, 4, dtype=torch.float64).permute(2, 0, 1).uniform_(-0.3, 1.7)", 0x88982466c5afb403u);
    EXACT(ct_uniform_(ct_get(ct_zeros_dtype(CT_F64, 6, 8), "::2, 1::3"), 0, 1),
          "torch.zeros(6, 8, dtype=torch.float64)[::2, 1::3].uniform_()", 0xa20d79d2887a6e9au);
    EXACT(ct_normal_(ct_zeros(1000), 0.25, 3.3),
          "torch.zeros(1000).normal_(0.25, 3.3)", 0x6c8cb7da4f1ed84fu);
    EXACT(ct_random_(ct_zeros_dtype(CT_F32, 20)),
          "torch.zeros(20, dtype=torch.float32).random_()", 0x5e89fb147e431be0u);
    EXACT(ct_random_(ct_zeros_dtype(CT_F64, 20)),
          "torch.zeros(20, dtype=torch.float64).random_()", 0xf72b3c92e9225abbu);
    EXACT(ct_random_(ct_zeros_dtype(CT_F16, 20)),
          "torch.zeros(20, dtype=torch.float16).random_()", 0x16feda550e4f9f04u);
    EXACT(ct_random_(ct_zeros_dtype(CT_BF16, 20)),
          "torch.zeros(20, dtype=torch.bfloat16).random_()", 0xa7d9500f72414d03u);
    EXACT(ct_random_(ct_zeros_dtype(CT_I64, 20)),
          "torch.zeros(20, dtype=torch.int64).random_()", 0x571e18adcd7241c7u);
    EXACT(ct_random_(ct_zeros_dtype(CT_I32, 20)),
          "torch.zeros(20, dtype=torch.int32).random_()", 0xbce20ff36336407eu);
    EXACT(ct_random_(ct_zeros_dtype(CT_I16, 20)),
          "torch.zeros(20, dtype=torch.int16).random_()", 0x4cfa5dac382775ffu);
    EXACT(ct_random_(ct_zeros_dtype(CT_I8, 20)),
          "torch.zeros(20, dtype=torch.int8).random_()", 0xa291f0370a161a44u);
    EXACT(ct_random_(ct_zeros_dtype(CT_U8, 20)),
          "torch.zeros(20, dtype=torch.uint8).random_()", 0xdb8d19375ecc3ec4u);
    EXACT(ct_random_(ct_zeros_dtype(CT_BOOL, 20)),
          "torch.zeros(20, dtype=torch.bool).random_()", 0x35544c0eba1e46d0u);
    EXACT(ct_random_(ct_zeros(20), 1000),
          "torch.zeros(20).random_(1000)", 0xb382957fd5b34aadu);
    EXACT(ct_random_(ct_t(ct_zeros_dtype(CT_I16, 4, 5)), -300, 300),
          "torch.zeros(4, 5, dtype=torch.int16).t().random_(-300, 300)", 0x5edffdfde55ff77eu);
    EXACT(ct_random_(ct_zeros_dtype(CT_F64, 20), -9007199254740995, 9007199254740999),
          "torch.zeros(20, dtype=torch.float64).random_(-9007199254740995, 9007199254740999)", 0x80307aa3c2da02cbu);
    EXACT(ct_normal(ct_arange(20.0), ct_full(0.5, 20)),
          "torch.normal(torch.arange(20.), torch.full((20,), 0.5))", 0x16276952561c9395u);
    EXACT(ct_normal(ct_arange(20.0), 2.5),
          "torch.normal(torch.arange(20.), 2.5)", 0x25298a2ab267657au);
    EXACT(ct_normal(-1.7, ct_full(0.5, 4, 5)),
          "torch.normal(-1.7, torch.full((4, 5), 0.5))", 0x34be1202b40dd014u);
    EXACT(ct_normal_of(0.5, 2.5, 40),
          "torch.normal(0.5, 2.5, (40,))", 0xfe698f72a75545b1u);
    EXACT(ct_init_uniform_(ct_zeros(16, 3, 5, 5), -2, 3),
          "torch.nn.init.uniform_(torch.zeros(16, 3, 5, 5), -2, 3)", 0x28ed77fd8e5b355eu);
    EXACT(ct_init_normal_(ct_zeros(16, 3, 5, 5), 1, 3),
          "torch.nn.init.normal_(torch.zeros(16, 3, 5, 5), 1, 3)", 0xf85c5760c5275092u);
    EXACT(ct_init_xavier_uniform_(ct_zeros(16, 3, 5, 5)),
          "torch.nn.init.xavier_uniform_(torch.zeros(16, 3, 5, 5))", 0xb085f9ed861ed1f9u);
    EXACT(ct_init_xavier_uniform_(ct_zeros(16, 3, 5, 5), .gain = 5.0 / 3),
          "torch.nn.init.xavier_uniform_(torch.zeros(16, 3, 5, 5), 5 / 3)", 0x9da7197e4b6dd93du);
    EXACT(ct_init_xavier_normal_(ct_zeros(16, 3, 5, 5)),
          "torch.nn.init.xavier_normal_(torch.zeros(16, 3, 5, 5))", 0x9a206dee40068c46u);
    EXACT(ct_init_kaiming_uniform_(ct_zeros(16, 3, 5, 5)),
          "torch.nn.init.kaiming_uniform_(torch.zeros(16, 3, 5, 5))", 0xed0e1dc72a7dd6deu);
    EXACT(ct_init_kaiming_uniform_(ct_zeros(16, 3, 5, 5), .a = sqrt(5)),
          "torch.nn.init.kaiming_uniform_(torch.zeros(16, 3, 5, 5), 5 ** 0.5)", 0xc97215010b4812dcu);
    EXACT(ct_init_kaiming_normal_(ct_zeros(16, 3, 5, 5), .mode = CT_FAN_OUT, .nonlinearity = CT_GAIN_RELU),
          "torch.nn.init.kaiming_normal_(torch.zeros(16, 3, 5, 5), mode='fan_out', nonlinearity='relu')", 0x2a9b38957bc35b9cu);
    EXACT(ct_init_constant_(ct_zeros(16, 3, 5, 5), 0.3),
          "torch.nn.init.constant_(torch.zeros(16, 3, 5, 5), 0.3)", 0xf5900c9004dd8d85u);
    EXACT(ct_init_eye_(ct_ones(3, 5)),
          "torch.nn.init.eye_(torch.ones(3, 5))", 0xfbd0304503d42138u);
    NEAR(ct_randn(1),
         "torch.randn(1)", 2e-06, 0, 1.5409960746765137);
    NEAR(ct_randn_dtype(CT_F64, 1),
         "torch.randn(1, dtype=torch.float64)", 1e-13, 0, 1.5409961082440433);
    NEAR(ct_randn(7),
         "torch.randn(7)", 2e-06, 0, 1.5409960746765137, 1, -0.293428897857666, 2, -2.1787893772125244, 3, 0.5684312582015991, 5, -1.3985954523086548, 6, 0.40334683656692505);
    NEAR(ct_randn_dtype(CT_F64, 7),
         "torch.randn(7, dtype=torch.float64)", 1e-13, 0, 1.5409961082440433, 1, -0.2934289057609464, 2, -2.1787893820745574, 3, 0.5684312772806678, 5, -1.3985953953708767, 6, 0.4033468476292993);
    NEAR(ct_randn(15),
         "torch.randn(15)", 2e-06, 0, 1.5409960746765137, 1, -0.293428897857666, 5, -1.3985954523086548, 7, 0.8380263447761536, 13, 1.1006041765213013, 14, -1.0711873769760132);
    NEAR(ct_randn_dtype(CT_F64, 15),
         "torch.randn(15, dtype=torch.float64)", 1e-13, 0, 1.5409961082440433, 1, -0.2934289057609464, 5, -1.3985953953708767, 7, 0.8380263329976598, 13, 1.100604170903427, 14, -1.0711873631091473);
    NEAR(ct_randn_dtype(CT_F64, 16),
         "torch.randn(16, dtype=torch.float64)", 1e-13, 0, -2.310411800234176, 1, -0.3732508612577643, 5, -1.2755469302148053, 8, -1.2956271403277857, 14, 0.07138847120511693, 15, 0.3380174030507378);
    NEAR(ct_randn_dtype(CT_F64, 17),
         "torch.randn(17, dtype=torch.float64)", 1e-13, 0, -2.310411800234176, 1, -0.6332746088675096, 5, 0.2102998901016947, 8, 0.23871805816817063, 15, -0.8910030351707375, 16, 0.6748575435940039);
    NEAR(ct_randn_dtype(CT_F64, 33),
         "torch.randn(33, dtype=torch.float64)", 1e-13, 0, -2.310411800234176, 1, -0.3732508612577643, 11, 2.0177260314861085, 16, 0.15351883531544036, 31, 0.2443990933828689, 32, -0.013720701456433322);
    NEAR(ct_randn_dtype(CT_F64, 1000),
         "torch.randn(1000, dtype=torch.float64)", 1e-13, 0, -2.310411800234176, 1, -0.3732508612577643, 333, 0.1908980836410143, 500, -1.4223404280349898, 998, -0.29065476538869034, 999, -0.12738069868346158);
    NEAR(ct_randn_dtype(CT_F16, 7),
         "torch.randn(7, dtype=torch.float16)", 0.02, 0, 1.541015625, 1, -0.29345703125, 2, -2.1796875, 3, 0.568359375, 5, -1.3984375, 6, 0.4033203125);
    NEAR(ct_randn_dtype(CT_F16, 50),
         "torch.randn(50, dtype=torch.float16)", 0.02, 0, -0.90087890625, 1, 0.481201171875, 16, 0.220458984375, 25, 0.78515625, 48, -0.41796875, 49, 0.07940673828125);
    NEAR(ct_randn_dtype(CT_BF16, 7),
         "torch.randn(7, dtype=torch.bfloat16)", 0.1, 0, 1.5390625, 1, -0.29296875, 2, -2.171875, 3, 0.5703125, 5, -1.3984375, 6, 0.404296875);
    NEAR(ct_randn_dtype(CT_BF16, 50),
         "torch.randn(50, dtype=torch.bfloat16)", 0.1, 0, 1.4609375, 1, 0.291015625, 16, -0.50390625, 25, 1.1484375, 48, -0.49609375, 49, 1.1171875);
    NEAR(ct_randn_like(ct_t(ct_zeros_dtype(CT_F64, 5, 4))),
         "torch.randn_like(torch.zeros(5, 4, dtype=torch.float64).t())", 1e-13, 0, 1.5409961082440433, 1, -1.084522342424021, 6, -1.3985953953708767, 10, -2.1787893820745574, 18, 0.12270123916331216, 19, -1.509107744632202);
    NEAR(ct_normal_(ct_t(ct_zeros_dtype(CT_F32, 5, 9)), 0.25, 3.3),
         "torch.zeros(5, 9, dtype=torch.float32).t().normal_(0.25, 3.3)", 2e-06, 0, 5.335287094116211, 1, -1.0810335874557495, 15, 2.1258232593536377, 22, 3.351372718811035, 43, 1.1046489477157593, 44, -3.3423261642456055);
    NEAR(ct_exponential_(ct_zeros_dtype(CT_F32, 300), 1.7),
         "torch.zeros(300, dtype=torch.float32).exponential_(1.7)", 2e-06, 0, 2.063721179962158, 1, 0.7237557172775269, 100, 0.10838278383016586, 150, 0.04276986047625542, 298, 0.4556523859500885, 299, 0.9162738919258118);
    NEAR(ct_normal_(ct_t(ct_zeros_dtype(CT_F64, 5, 9)), 0.25, 3.3),
         "torch.zeros(5, 9, dtype=torch.float64).t().normal_(0.25, 3.3)", 1e-13, 0, 5.335287157205343, 1, -1.081033632276176, 15, 2.1258232150262035, 22, 3.3513726962466346, 43, 1.1046489865085265, 44, -3.342326053888523);
    NEAR(ct_exponential_(ct_zeros_dtype(CT_F64, 300), 1.7),
         "torch.zeros(300, dtype=torch.float64).exponential_(1.7)", 1e-13, 0, 2.063721286298613, 1, 0.723755743635104, 100, 0.10838278631028585, 150, 0.042769859955568076, 298, 0.45565237974892425, 299, 0.9162738995789605);
    NEAR(ct_init_trunc_normal_(ct_zeros(30), 0, 1, -2, 2),
         "torch.nn.init.trunc_normal_(torch.zeros(30))", 1e-05, 0, -0.008956512436270714, 1, 0.6935495734214783, 10, -0.3697916865348816, 15, 0.044329289346933365, 28, -0.8432185649871826, 29, -0.30764320492744446);
    NEAR(ct_init_trunc_normal_(ct_zeros_dtype(CT_F64, 30), 0.5, 0.1, 0.3, 0.9),
         "torch.nn.init.trunc_normal_(torch.zeros(30, dtype=torch.float64), 0.5, 0.1, 0.3, 0.9)", 1e-09, 0, 0.6891236015617495, 1, 0.5566416276055816, 10, 0.4912914591547073, 15, 0.4883197801533377, 28, 0.5678098185822642, 29, 0.4310388804889423);
    NEAR(ct_init_orthogonal_(ct_zeros_dtype(CT_F64, 3, 5), .gain = 2),
         "torch.nn.init.orthogonal_(torch.zeros(3, 5, dtype=torch.float64), 2)", 1e-13, 0, 1.044461387012182, 1, -0.19888120434630532, 5, -1.072958877554797, 7, -0.2857883928371365, 13, 1.7795056841254773, 14, -0.17271591330311628);
    NEAR(ct_init_orthogonal_(ct_zeros_dtype(CT_F64, 7, 4), .gain = 2),
         "torch.nn.init.orthogonal_(torch.zeros(7, 4, dtype=torch.float64), 2)", 1e-13, 0, -1.3951267149428457, 1, -0.13631551344979453, 9, 1.5000460390063468, 14, 0.7789474919870435, 26, -1.0931383648062767, 27, 0.8065428230321626);
    NEAR(ct_init_orthogonal_(ct_zeros_dtype(CT_F64, 4, 4), .gain = 2),
         "torch.nn.init.orthogonal_(torch.zeros(4, 4, dtype=torch.float64), 2)", 1e-13, 0, -1.5327937445054154, 1, -0.6235539074828789, 5, -1.2149142422341368, 8, -0.859556368135145, 14, 0.824851814112347, 15, 1.3875954723170065);
    NEAR(ct_init_orthogonal_(ct_zeros_dtype(CT_F64, 6, 2, 2), .gain = 2),
         "torch.nn.init.orthogonal_(torch.zeros(6, 2, 2, dtype=torch.float64), 2)", 1e-13, 0, -1.509729857308058, 1, 0.7637085898847356, 8, 0.15598941273523623, 12, -0.9719984002547613, 22, -1.1744221413534188, 23, -0.294410908540459);
    NEAR(ct_init_orthogonal_(ct_zeros(8, 3)),
         "torch.nn.init.orthogonal_(torch.zeros(8, 3))", 2e-05, 0, -0.46703600883483887, 1, -0.24579480290412903, 8, 0.41691291332244873, 12, 0.06905125081539154, 22, -0.2202184498310089, 23, -0.7616896629333496);
}

static void test_generators(void)
{
    ct_manual_seed(7);
    CHECK(ct_initial_seed() == 7);
    ct_tensor *a = ct_rand(5), *b = ct_rand(5);
    ct_generator *g = ct_generator_new(7);
    CHECK(ct_use_generator(g) == NULL);
    CHECK(ct_equal(ct_rand(5), a));
    CHECK(ct_use_generator(NULL) == g);
    ct_tensor *c = ct_rand(3);                     /* the default one did not notice */
    ct_manual_seed(7), ct_rand(5), ct_rand(5);
    CHECK(ct_equal(ct_rand(3), c));
    ct_use_generator(g);
    CHECK(ct_equal(ct_rand(5), b));
    ct_generator_free(g);                          /* back to the default one */
    CHECK(ct_use_generator(NULL) == NULL);
    ct_generator_free(NULL);
    int64_t seed = ct_seed();
    CHECK(seed >= 0 && ct_initial_seed() == seed && ct_seed() != seed);
    ct_manual_seed(-1);
    CHECK(ct_initial_seed() == -1);

    ct_manual_seed(3);
    for (int k = 0; k < 40; k++) {                 /* the state comes back wherever it is taken, the waiting normal included */
        ct_scope_begin();
        ct_tensor *state = ct_get_rng_state();
        ct_tensor *x = ct_randn(7), *y = ct_rand(31);
        CHECK(ct_set_rng_state(state) && ct_equal(ct_randn(7), x) && ct_equal(ct_rand(31), y));
        ct_scope_end();
    }
    /* torch.manual_seed(3); torch.randn(1); fnv(torch.get_rng_state()) */
    ct_manual_seed(3), ct_randn(1);
    CHECK(fnv(ct_get_rng_state()) == 0x78ecfc1a82a90f8bu);
}

static void test_streams(void)
{
    ct_manual_seed(1);                             /* cut anywhere, the words are the same */
    ct_tensor *all = ct_rand(2000);
    ct_manual_seed(1);
    ct_tensor *part = ct_cat(0, ct_rand(1), ct_rand(622), ct_rand(2), ct_rand(1000), ct_rand(375));
    CHECK(ct_equal(all, part));
    ct_tensor *p = ct_randperm(1000);
    bool seen[1000] = {false};
    for (int k = 0; k < 1000; k++) seen[ct_data_i64(p)[k]] = true;
    int count = 0;
    for (int k = 0; k < 1000; k++) count += seen[k];
    CHECK(count == 1000);
    ct_tensor *x = ct_randn(200000);
    CHECK(fabs(ct_item(ct_mean(x))) < 0.01 && fabs(ct_item(ct_std(x, 1)) - 1) < 0.01);
    ct_tensor *z = ct_zeros(4, 4);
    int64_t version = ct_version(z);
    CHECK(ct_uniform_(z, 0, 1) == z && ct_version(z) == version + 1);
    CHECK(ct_numel(ct_rand(0, 3)) == 0 && ct_numel(ct_randperm(0)) == 0 && ct_numel(ct_multinomial(ct_zeros(0, 3), 1, false)) == 0);
    CHECK(ct_multinomial(ct_tensor_of(0, 1, 0, 2), 4, false) != NULL);
    CHECK(ct_dtype_of(ct_bernoulli_p(ct_zeros_dtype(CT_I64, 3), 0.5)) == CT_I64);
    CHECK(ct_dim(ct_normal_(ct_scalar(0), 0, 1)) == 0);
}

static void test_autograd(void)
{
    ct_tensor *leaf = ct_requires_grad_(ct_zeros(3), true);
    ERROR_OF(ct_uniform_(leaf, 0, 1), CT_ERR_AUTOGRAD);
    ERROR_OF(ct_normal_(ct_get(leaf, "1:"), 0, 1), CT_ERR_AUTOGRAD);
    ct_no_grad_begin();
    CHECK(ct_normal_(leaf, 0, 1) == leaf);
    ct_no_grad_end();
    CHECK(ct_init_xavier_normal_(ct_requires_grad_(ct_zeros(3, 3), true)) != NULL);
    CHECK(ct_init_orthogonal_(ct_requires_grad_(ct_zeros(3, 3), true)) != NULL);
    CHECK(ct_init_eye_(ct_requires_grad_(ct_zeros(3, 3), true)) != NULL);
    CHECK(ct_init_trunc_normal_(ct_requires_grad_(ct_zeros(3, 3), true), 0, 1, -2, 2) != NULL);
    CHECK(ct_is_grad_enabled());
    ct_tensor *y = ct_mul(leaf, 2);
    CHECK(ct_exponential_(y, 1) == y && ct_requires_grad(y)); /* as in PyTorch: the gradient is zero */
    CHECK(ct_backward(ct_sum(y)) && ct_item(ct_sum(ct_abs(ct_grad_of(leaf)))) == 0);
    ct_tensor *w = ct_mul(leaf, 3), *part = ct_get(w, "0:1"); /* a view: w keeps the history of the rest */
    CHECK(ct_uniform_(part, 0, 1) == part);
    CHECK(ct_backward(ct_sum(w)));
    CHECK(ct_at(ct_grad_of(leaf), 0) == 0 && ct_at(ct_grad_of(leaf), 1) == 3);
    ct_tensor *s = ct_exp(leaf);
    ct_tensor *sum = ct_sum(s);
    ct_no_grad_begin();
    ct_uniform_(s, 0, 1);
    ct_no_grad_end();
    ERROR_OF(ct_backward(sum), CT_ERR_VERSION);
    CHECK(!ct_requires_grad(ct_bernoulli(ct_requires_grad_(ct_full(0.5, 3), true))));
}

static void test_errors(void)
{
    ct_tensor *x = ct_zeros(4), *i = ct_zeros_dtype(CT_I64, 4), *m = ct_ones(2, 2);
    ERROR_OF(ct_rand(-1), CT_ERR_OVERFLOW);
    ERROR_OF(ct_rand(INT64_MAX, 4), CT_ERR_OVERFLOW);
    ERROR_OF(ct_randn_dtype(CT_I64, 3), CT_ERR_DTYPE);
    ERROR_OF(ct_rand_dtype((ct_dtype)99, 3), CT_ERR_DTYPE);
    ERROR_OF(ct_rand_like(i), CT_ERR_DTYPE);
    ERROR_OF(ct_randint(3, 3, 2), CT_ERR_ARGUMENT);
    ERROR_OF(ct_randint_dtype(CT_U8, 0, 257, 2), CT_ERR_ARGUMENT);
    ERROR_OF(ct_randint_dtype(CT_U8, -1, 3, 2), CT_ERR_ARGUMENT);
    ERROR_OF(ct_random_(ct_zeros_dtype(CT_BOOL, 3), 0, 3), CT_ERR_ARGUMENT);
    ERROR_OF(ct_random_(ct_zeros_dtype(CT_F16, 3), 0, 70000), CT_ERR_ARGUMENT);
    ERROR_OF(ct_randperm(-1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_bernoulli(i), CT_ERR_DTYPE);
    ERROR_OF(ct_bernoulli(ct_tensor_of(0.5, 1.5)), CT_ERR_ARGUMENT);
    ERROR_OF(ct_bernoulli(ct_tensor_of(0.5, (double)NAN)), CT_ERR_ARGUMENT);
    ERROR_OF(ct_bernoulli_p(x, -0.1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_bernoulli_(x, 1.1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_bernoulli_(x, ct_rand(3)), CT_ERR_SHAPE);
    ERROR_OF(ct_bernoulli_(x, ct_rand(2, 4)), CT_ERR_SHAPE);
    ERROR_OF(ct_bernoulli_(x, i), CT_ERR_DTYPE);
    ERROR_OF(ct_multinomial(ct_scalar(1), 1, false), CT_ERR_SHAPE);
    ERROR_OF(ct_multinomial(ct_ones(2, 2, 2), 1, false), CT_ERR_SHAPE);
    ERROR_OF(ct_multinomial(i, 1, false), CT_ERR_DTYPE);
    ERROR_OF(ct_multinomial(x, 1, false), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(x, 5, true), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(m, 0, true), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(m, 3, false), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(ct_zeros(2, 0), 1, true), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(ct_tensor_of(1, -1), 1, false), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(ct_tensor_of(1, (double)NAN), 1, false), CT_ERR_ARGUMENT);
    ERROR_OF(ct_multinomial(ct_tensor_of(1, (double)INFINITY), 9, true), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal(0.0, 1.0), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal(x, -1.0), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal(x, ct_tensor_of(1, 1, (double)NAN, 1)), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal(x, ct_ones(3)), CT_ERR_SHAPE);
    ERROR_OF(ct_normal(i, 1.0), CT_ERR_DTYPE);
    ERROR_OF(ct_normal_of(0, -1, 3), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal_(x, 0, -1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_normal_(i, 0, 1), CT_ERR_DTYPE);
    ERROR_OF(ct_uniform_(x, 1, 0), CT_ERR_ARGUMENT);
    ERROR_OF(ct_uniform_(x, (double)NAN, 0), CT_ERR_ARGUMENT);
    ERROR_OF(ct_uniform_(x, -3e38, 3e38), CT_ERR_ARGUMENT);
    ERROR_OF(ct_uniform_(ct_expand(ct_zeros(1), 3), 0, 1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_exponential_(x, -1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_set_rng_state(x), CT_ERR_DTYPE);
    ERROR_OF(ct_set_rng_state(ct_zeros_dtype(CT_U8, 5)), CT_ERR_SHAPE);
    ERROR_OF(ct_set_rng_state(ct_zeros_dtype(CT_U8, 5056)), CT_ERR_FORMAT);
    ERROR_OF(ct_init_xavier_uniform_(x), CT_ERR_SHAPE);
    ERROR_OF(ct_init_kaiming_normal_(x), CT_ERR_SHAPE);
    ERROR_OF(ct_init_orthogonal_(x), CT_ERR_SHAPE);
    ERROR_OF(ct_init_orthogonal_(ct_zeros_dtype(CT_I64, 2, 2)), CT_ERR_DTYPE);
    ERROR_OF(ct_init_eye_(x), CT_ERR_SHAPE);
    ERROR_OF(ct_init_trunc_normal_(x, 0, 0, -1, 1), CT_ERR_ARGUMENT);
    ERROR_OF(ct_init_trunc_normal_(x, 0, 1, 1, 1), CT_ERR_ARGUMENT);
    reports = 0; /* NULL is quiet */
    ct_tensor *none = NULL;
    CHECK(!ct_rand_like(none) && !ct_randint_like(none, 0, 2) && !ct_bernoulli(none) && !ct_bernoulli_p(none, 2) && !ct_multinomial(none, 0, false) &&
          !ct_normal(none, 1.0) && !ct_normal(x, none) && !ct_uniform_(none, 1, 0) && !ct_normal_(none, 0, -1) && !ct_exponential_(none, -1) &&
          !ct_bernoulli_(none, 2) && !ct_bernoulli_(x, none) && !ct_random_(none, 1, 0) && !ct_random_(none) && !ct_set_rng_state(none));
    CHECK(!ct_init_uniform_(none, 1, 0) && !ct_init_constant_(none, 1) && !ct_init_eye_(none) && !ct_init_xavier_normal_(none) && !ct_init_kaiming_uniform_(none) &&
          !ct_init_orthogonal_(none) && !ct_init_trunc_normal_(none, 0, 0, 0, 0));
    CHECK(reports == 0 && ct_item(ct_sum(x)) == 0);
    ct_clear_error();
}

int main(void)
{
    ct_set_error_handler(count_error, NULL);
    test_values();
    void (*const test[])(void) = {test_generators, test_streams, test_autograd, test_errors};
    for (size_t k = 0; k < sizeof test / sizeof *test; k++) {
        ct_scope_begin();
        test[k]();
        ct_scope_end();
    }
    int64_t tensors = ct_memory_stats().tensors;
    CHECK(tensors == 0);
    printf("test_random: %d passed, %d failed\n", passed, failed);
    ct_shutdown();
    return failed != 0;
}
