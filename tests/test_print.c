/* Printing against PyTorch 1.13: each row's text is repr(row) there, options by torch.set_printoptions. */
#ifndef CTORCH_NO_IMPLEMENTATION
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#endif
#include "ctorch.h"
#include <math.h>
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

static void text_is(ct_tensor *t, int line, const char *what, const char *expected)
{
    char *text = ct_to_text(t);
    bool ok = text && strcmp(text, expected) == 0;
    if (!ok) printf("expected\n%s\nbut got\n%s\n", expected, text ? text : "NULL");
    check(ok, line, what);
    ct_free_text(text);
}
#define TEXT(t, torch, expected) (ct_scope_begin(), text_is(t, __LINE__, torch, expected), ct_scope_end())
static void usual(void)
{
    ct_set_printoptions(.precision = 0);
}

/* an allocator that refuses after a while */
static long until_refusal = -1;
static void *take(size_t bytes, void *user)
{
    (void)user;
    if (until_refusal == 0) return NULL;
    if (until_refusal > 0) until_refusal--;
    return malloc(bytes);
}
static void give(void *memory, size_t bytes, void *user)
{
    (void)bytes, (void)user;
    free(memory);
}

static void test_rows(void)
{
    TEXT(ct_tensor_of(1, 2.5, 0.00001),
         "torch.tensor([1, 2.5, 0.00001])",
         "tensor([1.0000e+00, 2.5000e+00, 1.0000e-05])");
    TEXT(ct_arange(3),
         "torch.arange(3)",
         "tensor([0, 1, 2])");
    TEXT(ct_scalar(3),
         "torch.tensor(3.)",
         "tensor(3.)");
    TEXT(ct_scalar(0.1),
         "torch.tensor(0.1)",
         "tensor(0.1000)");
    TEXT(ct_scalar_i64(-7),
         "torch.tensor(-7)",
         "tensor(-7)");
    TEXT(ct_ones_dtype(CT_F64, 1),
         "torch.ones(1, dtype=torch.float64)",
         "tensor([1.], dtype=torch.float64)");
    TEXT(ct_reshape(ct_arange(6.0), 2, 3),
         "torch.arange(6.).reshape(2, 3)",
         "tensor([[0., 1., 2.],\n"
         "        [3., 4., 5.]])");
    TEXT(ct_zeros(0, 2),
         "torch.zeros(0, 2)",
         "tensor([], size=(0, 2))");
    TEXT(ct_zeros(0),
         "torch.zeros(0)",
         "tensor([])");
    TEXT(ct_zeros_dtype(CT_I64, 0),
         "torch.zeros(0, dtype=torch.int64)",
         "tensor([], dtype=torch.int64)");
    TEXT(ct_zeros_dtype(CT_BOOL, 2, 0, 3),
         "torch.zeros(2, 0, 3, dtype=torch.bool)",
         "tensor([], size=(2, 0, 3), dtype=torch.bool)");
    TEXT(ct_tensor_of((double)NAN, 1, -2.5, (double)INFINITY, (double)-INFINITY),
         "torch.tensor([nan, 1, -2.5, inf, -inf])",
         "tensor([    nan,  1.0000, -2.5000,     inf,    -inf])");
    TEXT(ct_tensor_of((double)NAN, 1, -2),
         "torch.tensor([nan, 1, -2])",
         "tensor([nan,  1., -2.])");
    TEXT(ct_tensor_of((double)NAN, (double)-INFINITY),
         "torch.tensor([nan, -inf])",
         "tensor([nan, -inf])");
    TEXT(ct_tensor_of(0, -0.0),
         "torch.tensor([0, -0.])",
         "tensor([0., -0.])");
    TEXT(ct_tensor_of(1, 1000),
         "torch.tensor([1, 1000.])",
         "tensor([   1., 1000.])");
    TEXT(ct_tensor_of(1, 1001),
         "torch.tensor([1, 1001.])",
         "tensor([1.0000e+00, 1.0010e+03])");
    TEXT(ct_tensor_of(100000001),
         "torch.tensor([100000001.])",
         "tensor([100000000.])");
    TEXT(ct_tensor_of(1e8),
         "torch.tensor([1e8])",
         "tensor([100000000.])");
    TEXT(ct_tensor_of(0.0001, 0),
         "torch.tensor([0.0001, 0])",
         "tensor([1.0000e-04, 0.0000e+00])");
    TEXT(ct_mul(ct_ones_dtype(CT_F64, 2), 9.9999e-5),
         "torch.ones(2, dtype=torch.float64) * 9.9999e-5",
         "tensor([9.9999e-05, 9.9999e-05], dtype=torch.float64)");
    TEXT(ct_tensor_of(0.5, 501),
         "torch.tensor([0.5, 501])",
         "tensor([5.0000e-01, 5.0100e+02])");
    TEXT(ct_tensor_of(1e-30, 1),
         "torch.tensor([1e-30, 1])",
         "tensor([1.0000e-30, 1.0000e+00])");
    TEXT(ct_mul(ct_ones_dtype(CT_F64, 1), 1e300),
         "torch.ones(1, dtype=torch.float64) * 1e300",
         "tensor([1.0000e+300], dtype=torch.float64)");
    TEXT(ct_to(ct_tensor_of(1, 0, 1), CT_BOOL),
         "torch.tensor([1, 0, 1]).bool()",
         "tensor([ True, False,  True])");
    TEXT(ct_ones_dtype(CT_BOOL, 2, 2),
         "torch.ones(2, 2, dtype=torch.bool)",
         "tensor([[True, True],\n"
         "        [True, True]])");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_U8),
         "(torch.arange(5.) * 12.5).to(torch.uint8)",
         "tensor([ 0, 12, 25, 37, 50], dtype=torch.uint8)");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_I8),
         "(torch.arange(5.) * 12.5).to(torch.int8)",
         "tensor([ 0, 12, 25, 37, 50], dtype=torch.int8)");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_I16),
         "(torch.arange(5.) * 12.5).to(torch.int16)",
         "tensor([ 0, 12, 25, 37, 50], dtype=torch.int16)");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_I32),
         "(torch.arange(5.) * 12.5).to(torch.int32)",
         "tensor([ 0, 12, 25, 37, 50], dtype=torch.int32)");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_F16),
         "(torch.arange(5.) * 12.5).to(torch.float16)",
         "tensor([ 0.0000, 12.5000, 25.0000, 37.5000, 50.0000], dtype=torch.float16)");
    TEXT(ct_to(ct_mul(ct_arange(5.0), 12.5), CT_BF16),
         "(torch.arange(5.) * 12.5).to(torch.bfloat16)",
         "tensor([ 0.0000, 12.5000, 25.0000, 37.5000, 50.0000], dtype=torch.bfloat16)");
    TEXT(ct_add(ct_zeros_dtype(CT_I64, 2), ct_number_i64(INT64_MAX)),
         "torch.full((2,), 9223372036854775807)",
         "tensor([9223372036854775807, 9223372036854775807])");
    TEXT(ct_tensor_i64(INT64_MIN, 1),
         "torch.tensor([-9223372036854775808, 1])",
         "tensor([-9223372036854775808,                    1])");
    TEXT(ct_sub(ct_reshape(ct_arange(24), 2, 3, 4), 12),
         "torch.arange(24).reshape(2, 3, 4) - 12",
         "tensor([[[-12, -11, -10,  -9],\n"
         "         [ -8,  -7,  -6,  -5],\n"
         "         [ -4,  -3,  -2,  -1]],\n"
         "\n"
         "        [[  0,   1,   2,   3],\n"
         "         [  4,   5,   6,   7],\n"
         "         [  8,   9,  10,  11]]])");
    TEXT(ct_reshape(ct_arange(16.0), 2, 2, 2, 2),
         "torch.arange(16.).reshape(2, 2, 2, 2)",
         "tensor([[[[ 0.,  1.],\n"
         "          [ 2.,  3.]],\n"
         "\n"
         "         [[ 4.,  5.],\n"
         "          [ 6.,  7.]]],\n"
         "\n"
         "\n"
         "        [[[ 8.,  9.],\n"
         "          [10., 11.]],\n"
         "\n"
         "         [[12., 13.],\n"
         "          [14., 15.]]]])");
    TEXT(ct_t(ct_reshape(ct_arange(6.0), 2, 3)),
         "torch.arange(6.).reshape(2, 3).t()",
         "tensor([[0., 3.],\n"
         "        [1., 4.],\n"
         "        [2., 5.]])");
    TEXT(ct_expand(ct_arange(3.0), 2, 3),
         "torch.arange(3.).expand(2, 3)",
         "tensor([[0., 1., 2.],\n"
         "        [0., 1., 2.]])");
    TEXT(ct_div(ct_arange(40.0), 7),
         "torch.arange(40.) / 7",
         "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,\n"
         "        1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,\n"
         "        2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,\n"
         "        3.8571, 4.0000, 4.1429, 4.2857, 4.4286, 4.5714, 4.7143, 4.8571, 5.0000,\n"
         "        5.1429, 5.2857, 5.4286, 5.5714])");
    TEXT(ct_arange(200),
         "torch.arange(200)",
         "tensor([  0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,\n"
         "         14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  26,  27,\n"
         "         28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,  41,\n"
         "         42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  52,  53,  54,  55,\n"
         "         56,  57,  58,  59,  60,  61,  62,  63,  64,  65,  66,  67,  68,  69,\n"
         "         70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,\n"
         "         84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,  96,  97,\n"
         "         98,  99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,\n"
         "        112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,\n"
         "        126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139,\n"
         "        140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153,\n"
         "        154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167,\n"
         "        168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181,\n"
         "        182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195,\n"
         "        196, 197, 198, 199])");
    TEXT(ct_arange(500),
         "torch.arange(500)",
         "tensor([  0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,\n"
         "         14,  15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25,  26,  27,\n"
         "         28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,  41,\n"
         "         42,  43,  44,  45,  46,  47,  48,  49,  50,  51,  52,  53,  54,  55,\n"
         "         56,  57,  58,  59,  60,  61,  62,  63,  64,  65,  66,  67,  68,  69,\n"
         "         70,  71,  72,  73,  74,  75,  76,  77,  78,  79,  80,  81,  82,  83,\n"
         "         84,  85,  86,  87,  88,  89,  90,  91,  92,  93,  94,  95,  96,  97,\n"
         "         98,  99, 100, 101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111,\n"
         "        112, 113, 114, 115, 116, 117, 118, 119, 120, 121, 122, 123, 124, 125,\n"
         "        126, 127, 128, 129, 130, 131, 132, 133, 134, 135, 136, 137, 138, 139,\n"
         "        140, 141, 142, 143, 144, 145, 146, 147, 148, 149, 150, 151, 152, 153,\n"
         "        154, 155, 156, 157, 158, 159, 160, 161, 162, 163, 164, 165, 166, 167,\n"
         "        168, 169, 170, 171, 172, 173, 174, 175, 176, 177, 178, 179, 180, 181,\n"
         "        182, 183, 184, 185, 186, 187, 188, 189, 190, 191, 192, 193, 194, 195,\n"
         "        196, 197, 198, 199, 200, 201, 202, 203, 204, 205, 206, 207, 208, 209,\n"
         "        210, 211, 212, 213, 214, 215, 216, 217, 218, 219, 220, 221, 222, 223,\n"
         "        224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 234, 235, 236, 237,\n"
         "        238, 239, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249, 250, 251,\n"
         "        252, 253, 254, 255, 256, 257, 258, 259, 260, 261, 262, 263, 264, 265,\n"
         "        266, 267, 268, 269, 270, 271, 272, 273, 274, 275, 276, 277, 278, 279,\n"
         "        280, 281, 282, 283, 284, 285, 286, 287, 288, 289, 290, 291, 292, 293,\n"
         "        294, 295, 296, 297, 298, 299, 300, 301, 302, 303, 304, 305, 306, 307,\n"
         "        308, 309, 310, 311, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321,\n"
         "        322, 323, 324, 325, 326, 327, 328, 329, 330, 331, 332, 333, 334, 335,\n"
         "        336, 337, 338, 339, 340, 341, 342, 343, 344, 345, 346, 347, 348, 349,\n"
         "        350, 351, 352, 353, 354, 355, 356, 357, 358, 359, 360, 361, 362, 363,\n"
         "        364, 365, 366, 367, 368, 369, 370, 371, 372, 373, 374, 375, 376, 377,\n"
         "        378, 379, 380, 381, 382, 383, 384, 385, 386, 387, 388, 389, 390, 391,\n"
         "        392, 393, 394, 395, 396, 397, 398, 399, 400, 401, 402, 403, 404, 405,\n"
         "        406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 418, 419,\n"
         "        420, 421, 422, 423, 424, 425, 426, 427, 428, 429, 430, 431, 432, 433,\n"
         "        434, 435, 436, 437, 438, 439, 440, 441, 442, 443, 444, 445, 446, 447,\n"
         "        448, 449, 450, 451, 452, 453, 454, 455, 456, 457, 458, 459, 460, 461,\n"
         "        462, 463, 464, 465, 466, 467, 468, 469, 470, 471, 472, 473, 474, 475,\n"
         "        476, 477, 478, 479, 480, 481, 482, 483, 484, 485, 486, 487, 488, 489,\n"
         "        490, 491, 492, 493, 494, 495, 496, 497, 498, 499])");
    TEXT(ct_arange(1001),
         "torch.arange(1001)",
         "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
    TEXT(ct_div(ct_reshape(ct_arange(5000.0), 50, 100), 3),
         "torch.arange(5000.).reshape(50, 100) / 3",
         "tensor([[0.0000e+00, 3.3333e-01, 6.6667e-01,  ..., 3.2333e+01, 3.2667e+01,\n"
         "         3.3000e+01],\n"
         "        [3.3333e+01, 3.3667e+01, 3.4000e+01,  ..., 6.5667e+01, 6.6000e+01,\n"
         "         6.6333e+01],\n"
         "        [6.6667e+01, 6.7000e+01, 6.7333e+01,  ..., 9.9000e+01, 9.9333e+01,\n"
         "         9.9667e+01],\n"
         "        ...,\n"
         "        [1.5667e+03, 1.5670e+03, 1.5673e+03,  ..., 1.5990e+03, 1.5993e+03,\n"
         "         1.5997e+03],\n"
         "        [1.6000e+03, 1.6003e+03, 1.6007e+03,  ..., 1.6323e+03, 1.6327e+03,\n"
         "         1.6330e+03],\n"
         "        [1.6333e+03, 1.6337e+03, 1.6340e+03,  ..., 1.6657e+03, 1.6660e+03,\n"
         "         1.6663e+03]])");
    TEXT(ct_reshape(ct_arange(4096), 16, 16, 16),
         "torch.arange(4096).reshape(16, 16, 16)",
         "tensor([[[   0,    1,    2,  ...,   13,   14,   15],\n"
         "         [  16,   17,   18,  ...,   29,   30,   31],\n"
         "         [  32,   33,   34,  ...,   45,   46,   47],\n"
         "         ...,\n"
         "         [ 208,  209,  210,  ...,  221,  222,  223],\n"
         "         [ 224,  225,  226,  ...,  237,  238,  239],\n"
         "         [ 240,  241,  242,  ...,  253,  254,  255]],\n"
         "\n"
         "        [[ 256,  257,  258,  ...,  269,  270,  271],\n"
         "         [ 272,  273,  274,  ...,  285,  286,  287],\n"
         "         [ 288,  289,  290,  ...,  301,  302,  303],\n"
         "         ...,\n"
         "         [ 464,  465,  466,  ...,  477,  478,  479],\n"
         "         [ 480,  481,  482,  ...,  493,  494,  495],\n"
         "         [ 496,  497,  498,  ...,  509,  510,  511]],\n"
         "\n"
         "        [[ 512,  513,  514,  ...,  525,  526,  527],\n"
         "         [ 528,  529,  530,  ...,  541,  542,  543],\n"
         "         [ 544,  545,  546,  ...,  557,  558,  559],\n"
         "         ...,\n"
         "         [ 720,  721,  722,  ...,  733,  734,  735],\n"
         "         [ 736,  737,  738,  ...,  749,  750,  751],\n"
         "         [ 752,  753,  754,  ...,  765,  766,  767]],\n"
         "\n"
         "        ...,\n"
         "\n"
         "        [[3328, 3329, 3330,  ..., 3341, 3342, 3343],\n"
         "         [3344, 3345, 3346,  ..., 3357, 3358, 3359],\n"
         "         [3360, 3361, 3362,  ..., 3373, 3374, 3375],\n"
         "         ...,\n"
         "         [3536, 3537, 3538,  ..., 3549, 3550, 3551],\n"
         "         [3552, 3553, 3554,  ..., 3565, 3566, 3567],\n"
         "         [3568, 3569, 3570,  ..., 3581, 3582, 3583]],\n"
         "\n"
         "        [[3584, 3585, 3586,  ..., 3597, 3598, 3599],\n"
         "         [3600, 3601, 3602,  ..., 3613, 3614, 3615],\n"
         "         [3616, 3617, 3618,  ..., 3629, 3630, 3631],\n"
         "         ...,\n"
         "         [3792, 3793, 3794,  ..., 3805, 3806, 3807],\n"
         "         [3808, 3809, 3810,  ..., 3821, 3822, 3823],\n"
         "         [3824, 3825, 3826,  ..., 3837, 3838, 3839]],\n"
         "\n"
         "        [[3840, 3841, 3842,  ..., 3853, 3854, 3855],\n"
         "         [3856, 3857, 3858,  ..., 3869, 3870, 3871],\n"
         "         [3872, 3873, 3874,  ..., 3885, 3886, 3887],\n"
         "         ...,\n"
         "         [4048, 4049, 4050,  ..., 4061, 4062, 4063],\n"
         "         [4064, 4065, 4066,  ..., 4077, 4078, 4079],\n"
         "         [4080, 4081, 4082,  ..., 4093, 4094, 4095]]])");
    TEXT(ct_reshape(ct_arange(1200), 2, 600),
         "torch.arange(1200).reshape(2, 600)",
         "tensor([[   0,    1,    2,  ...,  597,  598,  599],\n"
         "        [ 600,  601,  602,  ..., 1197, 1198, 1199]])");
    TEXT(ct_reshape(ct_arange(1200), 600, 2),
         "torch.arange(1200).reshape(600, 2)",
         "tensor([[   0,    1],\n"
         "        [   2,    3],\n"
         "        [   4,    5],\n"
         "        ...,\n"
         "        [1194, 1195],\n"
         "        [1196, 1197],\n"
         "        [1198, 1199]])");
    TEXT(ct_get(ct_reshape(ct_arange(100000), 100, 1000), "::7, ::3"),
         "torch.arange(100000).reshape(100, 1000)[::7, ::3]",
         "tensor([[    0,     3,     6,  ...,   993,   996,   999],\n"
         "        [ 7000,  7003,  7006,  ...,  7993,  7996,  7999],\n"
         "        [14000, 14003, 14006,  ..., 14993, 14996, 14999],\n"
         "        ...,\n"
         "        [84000, 84003, 84006,  ..., 84993, 84996, 84999],\n"
         "        [91000, 91003, 91006,  ..., 91993, 91996, 91999],\n"
         "        [98000, 98003, 98006,  ..., 98993, 98996, 98999]])");
    TEXT(ct_requires_grad_(ct_ones(2), true),
         "torch.ones(2, requires_grad=True)",
         "tensor([1., 1.], requires_grad=True)");
    TEXT(ct_mul(ct_requires_grad_(ct_ones(2), true), 2),
         "torch.ones(2, requires_grad=True) * 2",
         "tensor([2., 2.], grad_fn=<MulBackward0>)");
    TEXT(ct_sum(ct_exp(ct_requires_grad_(ct_zeros_dtype(CT_F64, 3), true))),
         "torch.zeros(3, dtype=torch.float64, requires_grad=True).exp().sum()",
         "tensor(3., dtype=torch.float64, grad_fn=<SumBackward0>)");
    TEXT(ct_requires_grad_(ct_div(ct_arange_dtype(CT_F64, 0, 9, 1), 7), true),
         "(torch.arange(9, dtype=torch.float64) / 7).requires_grad_()",
         "tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429],\n"
         "       dtype=torch.float64, requires_grad=True)");
    TEXT(ct_exp(ct_requires_grad_(ct_zeros_dtype(CT_F64, 0, 3), true)),
         "torch.zeros(0, 3, dtype=torch.float64, requires_grad=True).exp()",
         "tensor([], size=(0, 3), dtype=torch.float64, grad_fn=<ExpBackward0>)");
    ct_set_printoptions(.precision = 2);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with precision=2",
         "tensor([[0.00, 0.33, 0.67, 1.00, 1.33],\n"
         "        [1.67, 2.00, 2.33, 2.67, 3.00],\n"
         "        [3.33, 3.67, 4.00, 4.33, 4.67],\n"
         "        [5.00, 5.33, 5.67, 6.00, 6.33]])");
    usual();
    ct_set_printoptions(.precision = 2);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with precision=2",
         "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.precision = -1);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with precision=0",
         "tensor([[0, 0, 1, 1, 1],\n"
         "        [2, 2, 2, 3, 3],\n"
         "        [3, 4, 4, 4, 5],\n"
         "        [5, 5, 6, 6, 6]])");
    usual();
    ct_set_printoptions(.precision = -1);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with precision=0",
         "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.precision = 10, .linewidth = 40);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with precision=10, linewidth=40",
         "tensor([[0.0000000000, 0.3333333433,\n"
         "         0.6666666865, 1.0000000000,\n"
         "         1.3333333731],\n"
         "        [1.6666666269, 2.0000000000,\n"
         "         2.3333332539, 2.6666667461,\n"
         "         3.0000000000],\n"
         "        [3.3333332539, 3.6666667461,\n"
         "         4.0000000000, 4.3333334923,\n"
         "         4.6666665077],\n"
         "        [5.0000000000, 5.3333334923,\n"
         "         5.6666665077, 6.0000000000,\n"
         "         6.3333334923]])");
    usual();
    ct_set_printoptions(.precision = 10, .linewidth = 40);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with precision=10, linewidth=40",
         "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,\n"
         "         6.,  7.,  8.,  9., 10., 11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.threshold = 5);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with threshold=5",
         "tensor([[0.0000, 0.3333, 0.6667, 1.0000, 1.3333],\n"
         "        [1.6667, 2.0000, 2.3333, 2.6667, 3.0000],\n"
         "        [3.3333, 3.6667, 4.0000, 4.3333, 4.6667],\n"
         "        [5.0000, 5.3333, 5.6667, 6.0000, 6.3333]])");
    usual();
    ct_set_printoptions(.threshold = 5);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with threshold=5",
         "tensor([ 0.,  1.,  2.,  ...,  9., 10., 11.], dtype=torch.float64)");
    usual();
    ct_set_printoptions(.threshold = 5, .edgeitems = 1);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with threshold=5, edgeitems=1",
         "tensor([[0.0000,  ..., 1.3333],\n"
         "        ...,\n"
         "        [5.0000,  ..., 6.3333]])");
    usual();
    ct_set_printoptions(.threshold = 5, .edgeitems = 1);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with threshold=5, edgeitems=1",
         "tensor([ 0.,  ..., 11.], dtype=torch.float64)");
    usual();
    ct_set_printoptions(.sci_mode = 1);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with sci_mode=True",
         "tensor([[0.0000e+00, 3.3333e-01, 6.6667e-01, 1.0000e+00, 1.3333e+00],\n"
         "        [1.6667e+00, 2.0000e+00, 2.3333e+00, 2.6667e+00, 3.0000e+00],\n"
         "        [3.3333e+00, 3.6667e+00, 4.0000e+00, 4.3333e+00, 4.6667e+00],\n"
         "        [5.0000e+00, 5.3333e+00, 5.6667e+00, 6.0000e+00, 6.3333e+00]])");
    usual();
    ct_set_printoptions(.sci_mode = 1);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with sci_mode=True",
         "tensor([0.0000e+00, 1.0000e+00, 2.0000e+00, 3.0000e+00, 4.0000e+00, 5.0000e+00, 6.0000e+00, 7.0000e+00, 8.0000e+00, 9.0000e+00, 1.0000e+01, 1.1000e+01],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.sci_mode = -1);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with sci_mode=False",
         "tensor([[0.0000, 0.3333, 0.6667, 1.0000, 1.3333],\n"
         "        [1.6667, 2.0000, 2.3333, 2.6667, 3.0000],\n"
         "        [3.3333, 3.6667, 4.0000, 4.3333, 4.6667],\n"
         "        [5.0000, 5.3333, 5.6667, 6.0000, 6.3333]])");
    usual();
    ct_set_printoptions(.sci_mode = -1);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with sci_mode=False",
         "tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.linewidth = 30);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with linewidth=30",
         "tensor([[0.0000, 0.3333,\n"
         "         0.6667, 1.0000,\n"
         "         1.3333],\n"
         "        [1.6667, 2.0000,\n"
         "         2.3333, 2.6667,\n"
         "         3.0000],\n"
         "        [3.3333, 3.6667,\n"
         "         4.0000, 4.3333,\n"
         "         4.6667],\n"
         "        [5.0000, 5.3333,\n"
         "         5.6667, 6.0000,\n"
         "         6.3333]])");
    usual();
    ct_set_printoptions(.linewidth = 30);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with linewidth=30",
         "tensor([ 0.,  1.,  2.,  3.,\n"
         "         4.,  5.,  6.,  7.,\n"
         "         8.,  9., 10., 11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.linewidth = 1);
    TEXT(ct_div(ct_reshape(ct_arange(20.0), 4, 5), 3),
         "torch.arange(20.).reshape(4, 5) / 3 with linewidth=1",
         "tensor([[0.0000,\n"
         "         0.3333,\n"
         "         0.6667,\n"
         "         1.0000,\n"
         "         1.3333],\n"
         "        [1.6667,\n"
         "         2.0000,\n"
         "         2.3333,\n"
         "         2.6667,\n"
         "         3.0000],\n"
         "        [3.3333,\n"
         "         3.6667,\n"
         "         4.0000,\n"
         "         4.3333,\n"
         "         4.6667],\n"
         "        [5.0000,\n"
         "         5.3333,\n"
         "         5.6667,\n"
         "         6.0000,\n"
         "         6.3333]])");
    usual();
    ct_set_printoptions(.linewidth = 1);
    TEXT(ct_arange_dtype(CT_F64, 0, 12, 1),
         "torch.arange(12, dtype=torch.float64) with linewidth=1",
         "tensor([ 0.,\n"
         "         1.,\n"
         "         2.,\n"
         "         3.,\n"
         "         4.,\n"
         "         5.,\n"
         "         6.,\n"
         "         7.,\n"
         "         8.,\n"
         "         9.,\n"
         "        10.,\n"
         "        11.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.sci_mode = -1);
    TEXT(ct_mul(ct_ones_dtype(CT_F64, 1), 1e300),
         "torch.ones(1, dtype=torch.float64) * 1e300 with sci_mode=False",
         "tensor([1000000000000000052504760255204420248704468581108159154915854115511802457988908195786371375080447864043704443832883878176942523235360430575644792184786706982848387200926575803737830233794788090059368953234970799945081119038967640880074652742780142494579258788820056842838115669472196386865459400540160.],\n"
         "       dtype=torch.float64)");
    usual();
    ct_set_printoptions(.sci_mode = 1);
    TEXT(ct_zeros(2),
         "torch.zeros(2) with sci_mode=True",
         "tensor([0., 0.])");
    usual();
}

static void test_rest(void)
{
    ct_scope_begin();
    ct_set_default_dtype(CT_F64);
    TEXT(ct_tensor_of(1, 2.5), "torch.set_default_dtype(torch.float64); torch.tensor([1, 2.5])", "tensor([1.0000, 2.5000])");
    TEXT(ct_ones_dtype(CT_F32, 1), "torch.ones(1, dtype=torch.float32)", "tensor([1.], dtype=torch.float32)");
    ct_set_default_dtype(CT_F32);
    ct_tensor *none = NULL;
    reports = 0;
    CHECK(ct_to_text(none) == NULL && reports == 0);
    ct_print(none);
    ct_free_text(NULL);
    ct_print(ct_tensor_of(1, 2.5)); /* tensor([1.0000, 2.5000]) */
    char *text = ct_to_text(ct_zeros(300, 300)); /* the longest shown: nothing of it is cut */
    CHECK(text && strlen(text) > 200 && text[strlen(text) - 1] == ')');
    ct_free_text(text);
    ct_set_printoptions(.threshold = 1000000);
    text = ct_to_text(ct_zeros(300, 300));
    CHECK(text && strlen(text) > 300 * 300 * 4);
    ct_free_text(text);
    usual();
    ct_scope_end();
}

/* Whatever allocation is refused: NULL and one report, or the text. */
static void test_refusals(void)
{
    int refused = 0, done = 0;
    ct_scope_begin();
    ct_tensor *x = ct_div(ct_reshape(ct_arange(400.0), 20, 20), 7);
    for (int n = 0; n < 60 && !done; n++) {
        ct_empty_cache();
        ct_clear_error();
        reports = 0, until_refusal = n;
        char *text = ct_to_text(x);
        until_refusal = -1;
        CHECK(text ? reports == 0 : reports == 1 && ct_last_error()->code == CT_ERR_MEMORY);
        refused += !text, done = text != NULL;
        ct_free_text(text);
    }
    CHECK(refused > 0 && done);
    for (int n = 0; n < 60; n++) {
        ct_scope_begin();
        ct_empty_cache();
        ct_clear_error();
        until_refusal = n;
        ct_tensor *a = ct_randn(4000), *b = ct_multinomial(ct_rand(3, 50), 20, false), *c = ct_multinomial(ct_rand(3, 50), 20, true);
        ct_tensor *d = ct_init_orthogonal_(ct_zeros(60, 40)), *e = ct_normal(a, 2.0), *f = ct_bernoulli(ct_rand(3000));
        ct_generator *g = ct_generator_new(1);
        ct_tensor *s = ct_get_rng_state();
        until_refusal = -1;
        CHECK((a && b && c && d && e && f && g && s) == ct_ok());
        ct_generator_free(g);
        ct_scope_end();
    }
    ct_clear_error();
    ct_scope_end();
}

int main(void)
{
    const ct_allocator allocator = {take, give, NULL};
    CHECK(ct_set_allocator(&allocator));
    ct_set_error_handler(count_error, NULL);
    test_rows();
    test_rest();
    test_refusals();
    CHECK(ct_memory_stats().tensors == 0);
    printf("test_print: %d passed, %d failed\n", passed, failed);
    ct_shutdown();
    return failed != 0;
}
