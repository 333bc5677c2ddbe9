/* IDX and safetensors: round trips, the format's own examples, hostile bytes, failing allocations. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed, reports, report_line;
static ct_error_code report_code;
static char report_text[600];
#define CHECK(x) ((x) ? (void)passed++ : (void)(failed++, printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #x)))

static void on_error(const ct_error *e, void *user)
{
    (void)user;
    reports++, report_line = e->line, report_code = e->code;
    snprintf(report_text, sizeof report_text, "%s: %s", e->function, e->message);
}
static bool one(ct_error_code code) /* one report, of this code */
{
    bool ok = reports == 1 && report_code == code && !ct_ok();
    if (!ok) printf("  %d reports, last %s: %s\n", reports, ct_error_name(report_code), report_text);
    reports = 0;
    ct_clear_error();
    return ok;
}

static long countdown = LONG_MAX, blocks;
static void *my_alloc(size_t bytes, void *user)
{
    (void)user;
    if (--countdown < 0) return NULL; /* from here on all fail */
    blocks++;
    return malloc(bytes);
}
static void my_free(void *p, size_t bytes, void *user)
{
    (void)user, (void)bytes;
    blocks--;
    free(p);
}
static uint64_t seed = 88172645463325252u;
static uint32_t rnd(uint32_t below) /* xorshift64 */
{
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    return (uint32_t)(seed >> 32) % below;
}
static bool file_exists(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (f) fclose(f);
    return f != NULL;
}
static size_t slurp(const char *path, unsigned char *bytes, size_t capacity)
{
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(bytes, 1, capacity, f) : 0;
    if (f) fclose(f);
    return n;
}
static bool same(ct_tensor *a, ct_tensor *b)
{
    if (!a || !b || ct_dtype_of(a) != ct_dtype_of(b) || ct_dim(a) != ct_dim(b)) return false;
    for (int d = 0; d < ct_dim(a); d++)
        if (ct_size(a, d) != ct_size(b, d)) return false;
    return !ct_numel(a) || !memcmp(ct_data(a), ct_data(b), (size_t)ct_numel(a) * ct_element_size(a));
}
static ct_tensor *pattern(ct_dtype dtype, ct_shape shape) /* every byte different */
{
    unsigned char bytes[1024];
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = dtype == CT_BOOL ? i % 3 == 0 : (unsigned char)(i * 37 + 11);
    return (ct_tensor_from)(bytes, dtype, shape);
}

static void test_idx(void)
{
    static const ct_dtype types[6] = {CT_U8, CT_I8, CT_I16, CT_I32, CT_F32, CT_F64};
    const char *path = "test_io.idx";
    for (int i = 0; i < 6; i++) {
        ct_tensor *t = pattern(types[i], CT_SHAPE(3, 5, 2)), *e = pattern(types[i], CT_SHAPE(2, 0, 3));
        CHECK(ct_save_idx(t, path) && same(ct_load_idx(path), t));
        CHECK(ct_save_idx(e, path) && same(ct_load_idx(path), e));
    }
    const unsigned char good[] = {0, 0, 0x0B, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0x12, 0x34, 0xFF, 0xFE};
    ct_tensor *t = ct_idx_from_memory(good, sizeof good);
    CHECK(t && ct_dim(t) == 2 && ct_size(t, 0) == 2 && ((int16_t *)ct_data(t))[0] == 0x1234 && ((int16_t *)ct_data(t))[1] == -2);
    unsigned char written[64];
    CHECK(ct_save_idx(t, path) && slurp(path, written, sizeof written) == sizeof good && !memcmp(written, good, sizeof good));
    CHECK(((int16_t *)ct_data(t))[0] == 0x1234);
    const int64_t turned[2] = {1, 2};
    const uint8_t six[] = {1, 2, 3, 4};
    ct_shape s22 = CT_SHAPE(2, 2);
    ct_tensor *strided = ct_from_blob_strided((void *)(uintptr_t)six, CT_U8, s22, turned, NULL, NULL);
    CHECK(ct_save_idx(strided, path) && (t = ct_load_idx(path)) != NULL && ((uint8_t *)ct_data(t))[1] == 3);

    for (size_t n = 0; n < sizeof good; n++) CHECK(!ct_idx_from_memory(good, n) && one(CT_ERR_FORMAT));
    unsigned char longer[sizeof good + 1] = {0};
    memcpy(longer, good, sizeof good);
    CHECK(!ct_idx_from_memory(longer, sizeof longer) && one(CT_ERR_FORMAT));
    unsigned char bad[36];
    static const unsigned char heads[][4] = {{1, 0, 8, 1}, {0, 1, 8, 1}, {0, 0, 7, 1}, {0, 0, 10, 1}, {0, 0, 8, 0}, {0, 0, 8, 9}, {0, 0, 8, 255}, {0x1f, 0x8b, 8, 8}};
    for (size_t i = 0; i < sizeof heads / 4; i++) {
        memset(bad, 0, sizeof bad);
        memcpy(bad, heads[i], 4);
        CHECK(!ct_idx_from_memory(bad, sizeof bad) && one(CT_ERR_FORMAT));
    }
    memset(bad, 0xFF, sizeof bad); /* (2^32-1)^8 doubles, and with a zero size among them */
    memcpy(bad, "\0\0\x0E\x08", 4);
    CHECK(!ct_idx_from_memory(bad, sizeof bad) && one(CT_ERR_FORMAT));
    memset(bad + 16, 0, 4);
    CHECK(!ct_idx_from_memory(bad, sizeof bad) && one(CT_ERR_FORMAT));
    memcpy(bad, "\0\0\x08\x04\0\1\0\0\0\1\0\0\0\1\0\0\0\1\0\0", 20); /* 2^64 bytes are not 0 bytes */
    CHECK(!ct_idx_from_memory(bad, 20) && one(CT_ERR_FORMAT));

    CHECK(!ct_load_idx("no/such/file.idx") && one(CT_ERR_FILE) && report_line == __LINE__);
    CHECK(!ct_load_idx(".") && one(CT_ERR_FILE));
    CHECK(!ct_load_idx(NULL) && !ct_idx_from_memory(NULL, 4) && !ct_save_idx(NULL, path) && reports == 0);
    CHECK(!ct_save_idx(pattern(CT_I64, CT_SHAPE(2)), path) && one(CT_ERR_DTYPE));
    CHECK(!ct_save_idx(pattern(CT_F32, (ct_shape){{0}, 0}), path) && one(CT_ERR_SHAPE));
    CHECK(!ct_save_idx(strided, "no/such/file.idx") && one(CT_ERR_FILE));
    CHECK(!ct_save_idx(strided, NULL) && reports == 0);
    CHECK((t = ct_load_idx(path)) != NULL); /* the failures left it alone */
    remove(path);
    for (int i = 0; i < 20000; i++) { /* mutations: a tensor that fits, or one error */
        unsigned char m[sizeof good + 4];
        size_t n = sizeof good;
        memcpy(m, good, n);
        for (uint32_t k = rnd(3) + 1; k--;) m[rnd((uint32_t)n)] = rnd(3) ? (unsigned char)rnd(16) : (unsigned char)rnd(256);
        if (!rnd(4)) n = rnd((uint32_t)n + 1);
        ct_scope_begin();
        t = ct_idx_from_memory(m, n);
        if (t ? reports || (size_t)ct_numel(t) * ct_element_size(t) + 4 + 4 * (size_t)ct_dim(t) != n : !one(CT_ERR_FORMAT)) failed++, printf("mutation %d\n", i);
        ct_scope_end();
    }
}

/* a safetensors file in memory: header text, then zeros */
static ct_tensors *parse(const char *header, size_t data)
{
    static unsigned char bytes[65536];
    size_t n = strlen(header);
    memset(bytes, 0, 8 + n + data);
    for (int i = 0; i < 8; i++) bytes[i] = (unsigned char)((uint64_t)n >> 8 * i);
    memcpy(bytes + 8, header, n);
    return ct_safetensors_from_memory(bytes, 8 + n + data);
}
static bool accepts(const char *header, size_t data, int count)
{
    ct_tensors *t = parse(header, data);
    bool ok = t && t->count == count && reports == 0;
    if (!ok) printf("  refused: %s: %s\n", header, report_text);
    ct_tensors_free(t);
    return ok;
}
static bool refuses(const char *header, size_t data, ct_error_code code)
{
    ct_tensors *t = parse(header, data);
    if (t) printf("  accepted: %s\n", header);
    ct_tensors_free(t);
    return !t && one(code);
}
static void test_header(void)
{
#define T "\"test\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,16]}"
    CHECK(accepts("{" T "}", 16, 1));
    CHECK(accepts(" \n{ \"test\" : { \"shape\" : [ 2 , 2 ] , \"data_offsets\" : [ 0 , 16 ] , \"dtype\" : \"I32\" } } \r\n\t ", 16, 1));
    CHECK(accepts("{}", 0, 0) && accepts("{}\r \t\n", 0, 0));
    CHECK(accepts("{\"__metadata__\":{}}", 0, 0) && accepts("{\"__metadata__\":null," T "}", 16, 1));
    CHECK(accepts("{\"a\":{\"dtype\":\"F32\",\"shape\":[2,0],\"data_offsets\":[0,0]}," T "}", 16, 2));
    CHECK(accepts("{\"a\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]}}", 8, 1));
    CHECK(accepts("{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},\"a\":{\"dtype\":\"F64\",\"shape\":[1],\"data_offsets\":[0,8]}}", 11, 2));
    CHECK(accepts("{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1],\"more\":[1,-2.5e+3,{\"x\":[true,false,null,\"\\u00e9\"]},0]}}", 1, 1));
    CHECK(refuses("{" T "}", 15, CT_ERR_FORMAT) && refuses("{" T "}", 17, CT_ERR_FORMAT) && refuses("{" T "}", 0, CT_ERR_FORMAT));
    CHECK(refuses("", 0, CT_ERR_FORMAT) && refuses("{", 0, CT_ERR_FORMAT) && refuses("[]", 0, CT_ERR_FORMAT) && refuses("{}}", 0, CT_ERR_FORMAT) && refuses("{} x", 0, CT_ERR_FORMAT));
    CHECK(refuses("{" T ",}", 16, CT_ERR_FORMAT) && refuses("{" T "," T "}", 16, CT_ERR_FORMAT) && refuses("{,}", 0, CT_ERR_FORMAT) && refuses("{" T " " T "}", 16, CT_ERR_FORMAT));
    CHECK(refuses("\377", 0, CT_ERR_FORMAT) && refuses("{\"\300\200\":1}", 0, CT_ERR_FORMAT) && refuses("{\"\355\240\200\":1}", 0, CT_ERR_FORMAT));
    static const char *const bad[] = {
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[2,2],\"data_offsets\":[0,4]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[2,18446744073709551614],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[2,9223372036854775807],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4294967296,4294967296],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4,99999999999999999999],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[16,0]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[3],\"data_offsets\":[4,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]},\"b\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[2],\"data_offsets\":[0,8]},\"b\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[12,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4.0],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4e0],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[04],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[-4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4,],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":4,\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16,32]}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4]}}",
        "{\"a\":{\"dtype\":\"I32\",\"data_offsets\":[0,16]}}",
        "{\"a\":{\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"I32\",\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":\"i32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":{\"dtype\":7,\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\":[]}",
        "{\"a\":null}",
        "{\"\\u0000\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"\\ud800\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"\\ude00\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"\\ud83dx\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"\\x41\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"a\tb\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16]}}",
        "{\"__metadata__\":{\"a\":1}," T "}",
        "{\"__metadata__\":{\"a\":\"1\",\"a\":\"2\"}," T "}",
        "{\"__metadata__\":{},\"__metadata__\":{}," T "}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":01}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":tru}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":-}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":1.}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[4],\"data_offsets\":[0,16],\"x\":1e}}",
        "{\"a\":{\"dtype\":\"I32\",\"shape\":[1,1,1,1,1,1,1,1,4],\"data_offsets\":[0,16]}}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(refuses(bad[i], 16, CT_ERR_FORMAT));
    CHECK(refuses("{\"a\":{\"dtype\":\"U32\",\"shape\":[4],\"data_offsets\":[0,16]}}", 16, CT_ERR_DTYPE));
    char deep[2100] = "{\"a\":{\"x\":"; /* nesting does not eat the stack */
    memset(deep + strlen(deep), '[', 2000);
    CHECK(refuses(deep, 0, CT_ERR_FORMAT));
    ct_tensors *t = parse("{\"\\ud83d\\ude00\\n\\\"\\/\\u00e9\303\251\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},\"__metadata__\":{\"k\\t\":\"v\",\"a\":\"\"}}", 1);
    CHECK(t && !strcmp(t->name[0], "\360\237\230\200\n\"/\303\251\303\251") && t->metadata_count == 2 && !strcmp(t->metadata[0], "a") && !strcmp(t->metadata[2], "k\t"));
    CHECK(t && ct_tensors_find(t, t->name[0]) == t->tensor[0] && !ct_tensors_find(t, "x") && !ct_tensors_find(NULL, "x") && !ct_tensors_find(t, NULL));
    ct_tensors_free(t);
    for (size_t n = 0; n < 8; n++) CHECK(!ct_safetensors_from_memory("\2\0\0\0\0\0\0\0{}", n) && one(CT_ERR_FORMAT));
    CHECK(!ct_safetensors_from_memory("\2\0\0\0\0\0\0\0{}", 9) && one(CT_ERR_FORMAT));
    CHECK(!ct_safetensors_from_memory("\2\0\0\0\377\377\377\377{}", 10) && one(CT_ERR_FORMAT));
    CHECK(!ct_safetensors_from_memory("\377\377\377\377\377\377\377\177{}", 10) && one(CT_ERR_FORMAT));
    CHECK(!ct_safetensors_from_memory(NULL, 3) && reports == 0);
    ct_tensors_free(NULL);
}

static void test_safetensors(void)
{
    const char *path = "test_io.safetensors";
    static const ct_dtype types[10] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I16, CT_I8, CT_U8, CT_BOOL, CT_F16, CT_BF16};
    ct_tensor *t[13];
    static const char *const names[13] = {"f32", "f64", "i64", "i32", "i16", "i8", "u8", "bool", "f16", "bf16", "empty", "0d", "na\"me\n\303\251"};
    for (int i = 0; i < 10; i++) t[i] = pattern(types[i], CT_SHAPE(3, 1, 5));
    t[10] = pattern(CT_F32, CT_SHAPE(2, 0)), t[11] = pattern(CT_F64, (ct_shape){{0}, 0}), t[12] = pattern(CT_U8, CT_SHAPE(7));
    static const char *const meta[4] = {"format", "pt", "k\303\251y", "v\"\\"};
    CHECK(ct_save_tensors_metadata(path, names, t, 13, meta, 2));
    ct_tensors *r = ct_load_safetensors_file(path);
    CHECK(r && r->count == 13 && r->metadata_count == 2);
    for (int i = 0; r && i < 13; i++) CHECK(same(ct_tensors_find(r, names[i]), t[i]));
    ct_tensors_free(r);
    static unsigned char bytes[4096];
    size_t n = slurp(path, bytes, sizeof bytes);
    CHECK(n > 8 && (bytes[0] + 256 * bytes[1]) % 8 == 0 && bytes[8] == '{');
    for (size_t k = 0; k < n; k++) { /* every truncation */
        if (ct_safetensors_from_memory(bytes, k) || !one(CT_ERR_FORMAT)) failed++, printf("truncated to %d\n", (int)k);
    }
    static unsigned char m[4096];
    size_t head = 8 + bytes[0] + 256u * bytes[1];
    int good = 0;
    for (int i = 0; i < 20000; i++) { /* mutations of the header: all right, or one error */
        static const char likely[] = "{}[],:\"0123456789\\u-eE. ";
        size_t size = n;
        memcpy(m, bytes, n);
        for (uint32_t k = rnd(3) + 1; k--;) m[rnd(20) ? 8 + rnd((uint32_t)head - 8) : rnd(8)] = rnd(5) ? (unsigned char)likely[rnd(sizeof likely - 1)] : (unsigned char)rnd(256);
        if (!rnd(20)) size = rnd((uint32_t)n);
        r = ct_safetensors_from_memory(m, size);
        good += r != NULL;
        if (r ? reports : !(one(report_code) && (report_code == CT_ERR_FORMAT || report_code == CT_ERR_DTYPE))) failed++, printf("mutation %d\n", i);
        ct_tensors_free(r);
    }
    CHECK(good > 100 && good < 10000);

    const int64_t turned[2] = {1, 2};
    float four[4] = {1, 2, 3, 4};
    ct_shape s22 = CT_SHAPE(2, 2);
    ct_tensor *strided[2] = {ct_from_blob_strided(four, CT_F32, s22, turned, NULL, NULL), NULL};
    CHECK(ct_save_tensors(path, names, strided, 1) && (r = ct_load_safetensors_file(path)) != NULL && ((float *)ct_data(r->tensor[0]))[1] == 3);
    ct_tensors_free(r);
    CHECK(!ct_save_tensors(path, ((const char *const[]){"a", "a"}), t, 2) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_save_tensors(path, ((const char *const[]){"__metadata__"}), t, 1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_save_tensors(path, ((const char *const[]){"\377"}), t, 1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_save_tensors(path, names, t, -1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_save_tensors(path, names, strided, 2) && !ct_save_tensors(NULL, names, t, 1) && !ct_save_tensors(path, NULL, t, 1) && reports == 0);
    CHECK(!ct_save_tensors("no/such/dir/x", names, t, 1) && one(CT_ERR_FILE) && report_line == __LINE__);
    CHECK(!ct_save_tensors(".", names, t, 1) && one(CT_ERR_FILE)); /* written, but cannot replace a directory */
    CHECK(!ct_load_safetensors_file("no/such/file") && one(CT_ERR_FILE));
    CHECK(!ct_load_safetensors_file(NULL) && reports == 0);
    r = ct_load_safetensors_file(path);
    CHECK(r && r->count == 1); /* the failures left it alone */
    ct_tensors_free(r);
    CHECK(ct_save_tensors(path, NULL, NULL, 0) && (r = ct_load_safetensors_file(path)) != NULL && r->count == 0);
    ct_tensors_free(r);
    remove(path);
    CHECK(!file_exists(path));
}

#ifndef TEST_NO_NN
static ct_module *net(int64_t hidden) { return ct_nn_sequential(ct_nn_linear(4, hidden), ct_nn_batch_norm1d(hidden), ct_nn_relu(), ct_nn_linear(hidden, 2)); }
static void test_module(void)
{
    const char *path = "test_io_module.safetensors";
    ct_manual_seed(0);
    ct_module *a = net(8), *b = net(8), *other = net(9), *more = ct_nn_sequential(net(8), ct_nn_linear(2, 2)), *wide = ct_module_to(net(8), CT_F64);
    ct_tensor *x = ct_randn(5, 4);
    ct_forward(a, x); /* moves the running statistics */
    ct_eval(a), ct_eval(b);
    CHECK(ct_save_safetensors(a, path) && ct_load_safetensors(b, path) && ct_equal(ct_forward(a, x), ct_forward(b, x)) && ct_ok());
    ct_tensors *r = ct_load_safetensors_file(path);
    CHECK(r && r->count == 9 && ct_tensors_find(r, "0.weight") && ct_dtype_of(ct_tensors_find(r, "1.num_batches_tracked")) == CT_I64);
    CHECK(r && r->metadata_count == 1 && !strcmp(r->metadata[1], "pt"));
    ct_tensors_free(r);
    ct_tensor *before = ct_retain((ct_tensor *)ct_parameters(other)->tensor[5]);
    const float first = *(float *)ct_data(before);
    CHECK(!ct_load_safetensors(other, path) && one(CT_ERR_SHAPE) && *(float *)ct_data(before) == first);
    ct_release(before);
    CHECK(!ct_load_safetensors(more, path) && one(CT_ERR_ARGUMENT) && strstr(report_text, "missing: 0.0.weight") && strstr(report_text, "unexpected: "));
    CHECK(!ct_load_safetensors(wide, path) && one(CT_ERR_DTYPE));
    CHECK(!ct_load_safetensors(a, "no/such/file") && one(CT_ERR_FILE) && report_line == __LINE__);
    CHECK(!ct_load_safetensors(NULL, path) && !ct_load_safetensors(a, NULL) && !ct_save_safetensors(NULL, path) && !ct_save_safetensors(a, NULL) && reports == 0);
    ct_module_free(a), ct_module_free(b), ct_module_free(other), ct_module_free(more), ct_module_free(wide);
    remove(path);
}
#endif

/* with any allocation failing: the first call that fails reports once; no leak, nothing half-written */
static bool whole(const char *path, ct_tensor *const *t)
{
    static const char *const names[2] = {"x", "y"}, *const meta[2] = {"k", "v"};
    ct_tensors *r = NULL;
    ct_scope_begin();
    bool ok = ct_scope_depth() && ct_save_tensors_metadata(path, names, t, 2, meta, 1) && (r = ct_load_safetensors_file(path)) != NULL;
    ok = ok && same(r->tensor[0], t[0]) && ct_save_idx(t[1], path) && same(ct_load_idx(path), t[1]);
    ct_tensors_free(r);
    ct_scope_unwind(0);
    return ok;
}
static void test_memory(void)
{
    int n = 0;
    const char *path = "test_io_memory";
    ct_tensor *t[2] = {ct_retain(pattern(CT_F32, CT_SHAPE(2, 3))), ct_retain(pattern(CT_U8, CT_SHAPE(3)))};
    ct_shutdown();
    int64_t tensors = ct_memory_stats().tensors, live = ct_memory_stats().live_bytes;
    for (bool ok = false; !ok && n < 1000; n++) {
        remove(path);
        ct_shutdown();
        countdown = n;
        ok = whole(path, t);
        countdown = LONG_MAX;
        CHECK(ok ? reports == 0 : one(CT_ERR_MEMORY));
        ct_shutdown();
        CHECK(ct_memory_stats().tensors == tensors && ct_memory_stats().live_bytes == live);
    }
    CHECK(n > 5 && n < 1000);
    remove(path);
    ct_release(t[0]), ct_release(t[1]);
}

int main(void)
{
    const ct_allocator mine = {my_alloc, my_free, NULL};
    ct_set_error_handler(on_error, NULL);
    CHECK(ct_set_allocator(&mine));
    ct_scope_begin();
    test_idx();
    test_header();
    test_safetensors();
#ifndef TEST_NO_NN
    test_module();
#endif
    ct_scope_end();
    test_memory();
    ct_shutdown();
    CHECK(blocks == 0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
