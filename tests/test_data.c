/* Datasets and loaders: orders against PyTorch's, workers, errors, leaks, failing allocations. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int passed, failed, reports, report_line, memory_reports;
static ct_error_code report_code;
static char report_text[600];
#define CHECK(x) ((x) ? (void)passed++ : (void)(failed++, printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #x)))

static void on_error(const ct_error *e, void *user)
{
    (void)user;
    reports++, report_line = e->line, report_code = e->code;
    memory_reports += e->code == CT_ERR_MEMORY;
    snprintf(report_text, sizeof report_text, "%s: %s", e->function, e->message);
}
/* one report, of this code */
static bool one(ct_error_code code)
{
    bool ok = reports == 1 && report_code == code && !ct_ok();
    if (!ok) printf("  %d reports, last %s: %s\n", reports, ct_error_name(report_code), report_text);
    reports = 0;
    ct_clear_error();
    return ok;
}

/* a failing allocator; workers call it, too */
#if defined __GNUC__ && !defined __TINYC__
#define ADD(x, n) __atomic_add_fetch(&(x), n, __ATOMIC_SEQ_CST)
#else
#define ADD(x, n) ((x) += (n))
#endif
static long countdown = LONG_MAX, blocks;
static void *my_alloc(size_t bytes, void *user)
{
    (void)user;
    if (ADD(countdown, -1) < 0) return NULL; /* from here on all fail */
    ADD(blocks, 1);
    return malloc(bytes);
}
static void my_free(void *p, size_t bytes, void *user)
{
    (void)user, (void)bytes;
    ADD(blocks, -1);
    free(p);
}

static ct_tensor *iota(int64_t n)
{
    int64_t *v = (int64_t *)malloc((size_t)n * sizeof *v);
    for (int64_t i = 0; i < n; i++) v[i] = i;
    ct_tensor *t = ct_tensor_from(v, CT_I64, n);
    free(v);
    return t;
}
/* the epoch as digits: batches separated by spaces */
static const char *epoch(ct_loader *l)
{
    static char text[4][4096];
    static int turn;
    char *s = text[turn = (turn + 1) % 4];
    size_t at = 0;
    ct_tensor *b[CT_MAX_FIELDS];
    while (ct_loader_next(l, b)) {
        const int64_t *v = (const int64_t *)ct_data(b[0]);
        if (at) s[at++] = ' ';
        for (int64_t i = 0; i < ct_numel(b[0]); i++) at += (size_t)snprintf(s + at, 4096 - at, "%d", (int)v[i]);
    }
    s[at] = 0;
    return s;
}
static int64_t draw(void)
{
    ct_scope_begin();
    ct_tensor *t = ct_random_(ct_tensor_i64(0));
    int64_t v = t ? *(int64_t *)ct_data(t) : -1;
    ct_scope_end();
    return v;
}

static void test_orders(void) /* numbers of torch 1.13 */
{
    ct_dataset *d = ct_data_tensor_dataset(iota(10));
    ct_manual_seed(0);
    ct_loader *l = ct_data_loader(d, .batch_size = 3, .shuffle = true);
    CHECK(ct_loader_batches(l) == 4);
    CHECK(!strcmp(epoch(l), "671 420 983 5"));
    CHECK(!strcmp(epoch(l), "247 089 536 1"));
    CHECK(draw() == 7815051614634499795);
    ct_loader_free(l);
    ct_manual_seed(5);
    l = ct_data_loader(d, .batch_size = 4, .shuffle = true, .drop_last = true);
    CHECK(ct_loader_batches(l) == 2);
    CHECK(!strcmp(epoch(l), "8305 9162"));
    ct_loader_free(l);
    l = ct_data_loader(d, .batch_size = 4);
    CHECK(!strcmp(epoch(l), "0123 4567 89"));
    CHECK(draw() == 7722008223506294857);
    ct_loader_free(l);
    ct_generator *g = ct_generator_new(7);
    ct_manual_seed(1);
    l = ct_data_loader(d, .batch_size = 5, .shuffle = true, .generator = g);
    CHECK(!strcmp(epoch(l), "13579 46280"));
    CHECK(!strcmp(epoch(l), "51609 78432"));
    ct_use_generator(g);
    CHECK(draw() == 1854800229375720637);
    ct_use_generator(NULL);
    CHECK(draw() == 7692698082559361259);
    ct_loader_free(l);
    ct_generator_free(g);

    ct_manual_seed(3);
    ct_dataset *part[3];
    CHECK(ct_data_random_split(d, part, 5, 3, 2));
    static const char *const expected[3] = {"60378", "519", "24"};
    for (int k = 0; k < 3; k++) {
        l = ct_data_loader(part[k], .batch_size = 100);
        CHECK(ct_dataset_len(part[k]) == (int64_t)strlen(expected[k]) && !strcmp(epoch(l), expected[k]));
        ct_loader_free(l);
    }
    ct_dataset *again = ct_data_subset(part[0], (const int64_t[]){4, 0, 4}, 3);
    l = ct_data_loader(again, .batch_size = 2);
    CHECK(!strcmp(epoch(l), "86 8"));
    ct_loader_free(l);
    ct_dataset_free(again);
    for (int k = 0; k < 3; k++) ct_dataset_free(part[k]);
    ct_dataset_free(d);
    CHECK(reports == 0);
}

static void test_tensor_dataset(void)
{
    float v[24];
    for (int i = 0; i < 24; i++) v[i] = (float)i;
    const int64_t transposed[3] = {1, 4, 2}, rows[3] = {8, 2, 1};
    ct_shape s3 = CT_SHAPE(4, 2, 2), r3 = CT_SHAPE(3, 2, 2);
    ct_tensor *a = ct_from_blob(v, CT_F32, 4, 6), *t = ct_from_blob_strided(v, CT_F32, s3, transposed, NULL, NULL);
    ct_tensor *r = ct_from_blob_strided(v, CT_F32, r3, rows, NULL, NULL), *out[3];
    ct_dataset *d = ct_data_tensor_dataset(a, t, iota(4)), *e = ct_data_tensor_dataset(r);
    CHECK(d && d->fields == 3 && ct_dataset_len(d) == 4);
    CHECK(ct_dataset_get(d, 2, out) && ct_dim(out[0]) == 1 && ct_size(out[0], 0) == 6 && ct_dim(out[2]) == 0);
    CHECK(((float *)ct_data(out[0]))[0] == 12 && *(int64_t *)ct_data(out[2]) == 2 && ct_is_same_storage(out[0], a));
    CHECK(!ct_dataset_get(d, 4, out) && one(CT_ERR_INDEX));
    CHECK(!ct_dataset_get(d, -1, out) && one(CT_ERR_INDEX));
    const int64_t pick[3] = {3, 0, 1};
    ct_dataset *s = ct_data_subset(d, pick, 3);
    ct_loader *l = ct_data_loader(s, .batch_size = 2);
    CHECK(ct_loader_next(l, out) && ct_dim(out[0]) == 2 && ct_size(out[0], 0) == 2 && ct_size(out[1], 2) == 2);
    const float *x = (const float *)ct_data(out[0]), *y = (const float *)ct_data(out[1]);
    CHECK(x[0] == 18 && x[5] == 23 && x[6] == 0 && x[11] == 5);
    /* sample 3 of t: v[3 + 4i + 2j] */
    CHECK(ct_is_contiguous(out[1]) && y[0] == 3 && y[1] == 5 && y[2] == 7 && y[3] == 9 && y[4] == 0 && y[7] == 6);
    CHECK(ct_loader_next(l, out) && ct_size(out[0], 0) == 1 && *(int64_t *)ct_data(out[2]) == 1);
    CHECK(!ct_loader_next(l, out) && !out[0] && !out[1] && !out[2] && ct_ok());
    ct_loader_free(l);
    l = ct_data_loader(e, .batch_size = 3);
    CHECK(ct_loader_next(l, out) && ((float *)ct_data(out[0]))[4] == 8 && ((float *)ct_data(out[0]))[7] == 11);
    ct_loader_free(l);
    CHECK(!ct_data_tensor_dataset(a, iota(5)) && one(CT_ERR_SHAPE));
    CHECK(!ct_data_tensor_dataset(ct_tensor_from(v, CT_F32, 4), (ct_get_default_dtype(), (ct_tensor_from)(v, CT_F32, (ct_shape){{0}, 0}))) && one(CT_ERR_SHAPE));
    CHECK(!ct_data_tensor_dataset(a, (ct_tensor *)NULL) && reports == 0);
    CHECK(!ct_data_subset(d, (const int64_t[]){0, 4}, 2) && one(CT_ERR_INDEX));
    CHECK(!ct_data_subset(d, (const int64_t[]){0, -1}, 2) && one(CT_ERR_INDEX));
    CHECK(!ct_data_subset(d, pick, -1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_data_subset(NULL, pick, 1) && reports == 0);
    ct_dataset *none[2];
    CHECK(!ct_data_random_split(d, none, 3, 2) && one(CT_ERR_SHAPE) && !none[0] && !none[1]);
    CHECK(!ct_data_random_split(d, none, 5, -1) && one(CT_ERR_SHAPE));
    CHECK(!ct_data_random_split(d, none, INT64_MAX, INT64_MAX) && one(CT_ERR_SHAPE));
    CHECK(!ct_data_loader(NULL) && reports == 0);
    CHECK(!ct_data_loader(d, .batch_size = -1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_data_loader(d, .num_workers = -1) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_data_loader(d, .num_workers = 1000) && one(CT_ERR_ARGUMENT));
    CHECK(!ct_loader_next(NULL, out) && !ct_loader_begin(NULL) && ct_loader_batches(NULL) == 0 && reports == 0);
    ct_loader_free(NULL), ct_dataset_free(NULL);
    ct_dataset_free(s), ct_dataset_free(d), ct_dataset_free(e);

    d = ct_data_tensor_dataset(ct_tensor_from(v, CT_F32, 0, 3)); /* no samples */
    for (int workers = 0; workers < 3; workers++) {
        l = ct_data_loader(d, .batch_size = 4, .shuffle = true, .num_workers = workers);
        CHECK(ct_loader_batches(l) == 0 && !ct_loader_next(l, out) && reports == 0);
        ct_loader_free(l);
    }
    ct_dataset_free(d);
    d = ct_data_tensor_dataset(iota(7));
    l = ct_data_loader(d, .batch_size = INT64_MAX, .num_workers = 3);
    CHECK(ct_loader_batches(l) == 1 && !strcmp(epoch(l), "0123456"));
    ct_loader_free(l);
    ct_dataset_free(d);
}

/* a dataset of one's own: sample i is (i, noise) */
typedef struct { ct_dataset base; int64_t n, bad; int kind; } Mine;
static int64_t mine_len(ct_dataset *self) { return ((Mine *)self)->n; }
static bool mine_get(ct_dataset *self, int64_t i, ct_tensor **out)
{
    Mine *m = (Mine *)self;
    volatile double slow = 0;
    for (int k = 0; k < (int)(i * 7919 % 13) * 3000; k++) slow = slow + k; /* some take longer */
    if (i == m->bad && m->kind == 1) return false;
    if (i == m->bad && m->kind == 2) return ct_dataset_get(self, m->n + 5, out); /* reports */
    if (i == m->bad && m->kind == 5) ct_dataset_get(self, m->n + 5, out), ct_clear_error(); /* reports, and goes on */
    int64_t v[2] = {i, i};
    float f[2] = {1, 2};
    out[0] = i == m->bad && m->kind == 3 ? ct_tensor_from(v, CT_I64, 2) : i == m->bad && m->kind == 4 ? ct_tensor_from(f, CT_F32, 1) : ct_tensor_from(v, CT_I64, 1);
    out[1] = ct_random_(ct_tensor_i64(0));
    return true;
}
static Mine mine(int64_t n)
{
    Mine m;
    memset(&m, 0, sizeof m);
    m.base.len = mine_len, m.base.get = mine_get, m.base.fields = 2;
    m.n = n, m.bad = -1;
    return m;
}
static uint64_t noise(ct_loader *l, int64_t *samples)
{
    uint64_t h = 0;
    ct_tensor *b[2];
    *samples = 0;
    while (ct_loader_next(l, b)) {
        *samples += ct_size(b[0], 0);
        for (int64_t i = 0; i < ct_numel(b[1]); i++) h = h * 1000003u + ((uint64_t *)ct_data(b[1]))[i] + ((uint64_t *)ct_data(b[0]))[i];
    }
    return h;
}
static void test_workers(void)
{
    Mine m = mine(200);
    ct_dataset *d = ct_data_tensor_dataset(iota(200));
    static char first[8][4096];
    uint64_t hash[8];
    int64_t n = 0;
    for (int w = 0; w < 6; w++) {
        ct_manual_seed(11);
        ct_loader *l = ct_data_loader(w % 2 ? d : &m.base, .batch_size = 7, .shuffle = true, .num_workers = w, .prefetch_factor = 1 + w / 2);
        snprintf(first[w], sizeof first[w], "%s", epoch(l));
        CHECK(!strcmp(first[w], first[0]));
        ct_tensor *b[2];
        for (int k = 0; k < 5; k++) CHECK(ct_loader_next(l, b)); /* stopped in the middle ... */
        CHECK(ct_loader_begin(l) && strlen(epoch(l)) == strlen(first[0]) && ct_ok());
        ct_manual_seed(12);
        hash[w] = w % 2 ? 0 : noise(l, &n);
        CHECK(w % 2 || n == 200);
        CHECK(ct_loader_next(l, b));                             /* ... and freed in the middle */
        ct_loader_free(l);
    }
    CHECK(hash[2] == hash[4] && hash[0] != hash[2]);
    ct_dataset_free(d);
    CHECK(reports == 0);
}
static void test_errors(void)
{
    static const ct_error_code code[6] = {CT_ERR_OK, CT_ERR_STATE, CT_ERR_INDEX, CT_ERR_SHAPE, CT_ERR_DTYPE, CT_ERR_OK};
    for (int kind = 1; kind < 6; kind++)
        for (int w = 0; w < 4; w++) {
            Mine m = mine(40);
            m.bad = 17, m.kind = kind;
            ct_loader *l = ct_data_loader(&m.base, .batch_size = 4, .num_workers = w);
            ct_tensor *b[2] = {NULL, NULL};
            int batches = 0, line = 0;
            while (line = __LINE__, ct_loader_next(l, b)) batches++;
            if (kind < 5) {
                CHECK(batches == 4 && !b[0] && !b[1]);
                CHECK(report_line == line || kind == 2); /* made in this thread, get's own call site is named */
                CHECK(kind < 2 || strstr(report_text, kind == 2 ? "dataset of 40" : "sample 17") != NULL);
                CHECK(one(code[kind]));
            } else CHECK(batches == 10 && ct_ok()), reports = 0;
            m.bad = -1;
            for (batches = 0; ct_loader_next(l, b);) batches++; /* the next epoch is as if nothing had been */
            CHECK(batches == 10 && reports == 0 && ct_ok());
            ct_loader_free(l);
        }
    /* an older error of this thread stays */
    ct_dataset *d = ct_data_tensor_dataset(iota(4));
    ct_tensor *b[1];
    ct_dataset_get(d, 9, b);
    ct_loader *l = ct_data_loader(d);
    CHECK(ct_loader_next(l, b) && b[0] && !ct_ok() && one(CT_ERR_INDEX));
    ct_loader_free(l);
    ct_dataset_free(d);
    Mine m = mine(3);
    m.base.fields = 17;
    CHECK(!ct_data_loader(&m.base) && one(CT_ERR_ARGUMENT));
    m.base.fields = 0;
    CHECK(!ct_data_loader(&m.base) && one(CT_ERR_ARGUMENT));
}

/* everything, with any allocation failing: an error, no leak, no crash */
static bool whole(int workers, bool own)
{
    ct_scope_begin();
    Mine m = mine(30);
    int64_t samples = 0;
    ct_dataset *d = own ? &m.base : ct_data_tensor_dataset(iota(30), iota(30)), *part[2] = {NULL, NULL};
    bool ok = d && ct_data_random_split(d, part, 20, 10);
    ct_loader *l = ok ? ct_data_loader(part[0], .batch_size = 3, .shuffle = true, .num_workers = workers) : NULL;
    if (l) noise(l, &samples);
    ct_loader_free(l);
    ct_dataset_free(part[0]), ct_dataset_free(part[1]);
    if (!own) ct_dataset_free(d);
    ct_scope_end();
    return l && samples == 20;
}
static void test_memory(void)
{
    ct_memory_info before = ct_memory_stats();
    for (int i = 0; i < 6; i++) {
        ct_scope_begin();
        CHECK(whole(i % 3, i > 2));
        ct_scope_end();
    }
    ct_memory_info after = ct_memory_stats();
    CHECK(after.tensors == before.tensors && after.live_bytes == before.live_bytes);

    ct_scope_begin(); /* warm epochs take nothing from the host */
    ct_dataset *d = ct_data_tensor_dataset(iota(1000));
    for (int w = 0; w < 3; w += 2) {
        ct_loader *l = ct_data_loader(d, .batch_size = 100, .shuffle = true, .num_workers = w);
        int64_t allocs = 0;
        for (int e = 0; e < 12; e++) {
            ct_tensor *b[1];
            while (ct_loader_next(l, b)) {}
            if (e == 3) allocs = ct_memory_stats().host_allocs;
        }
        CHECK(w || ct_memory_stats().host_allocs == allocs);
        ct_loader_free(l);
    }
    ct_dataset_free(d);
    ct_scope_end();

    reports = memory_reports = 0;
    for (int kind = 0; kind < 4; kind++) {
        int n = 0;
        for (bool ok = false; !ok && n < 3000; n++) {
            ct_shutdown();
            ct_clear_error();
            reports = 0;
            countdown = n;
            ok = whole(kind % 2 * 2, kind > 1);
            countdown = LONG_MAX;
            CHECK(ok ? true : reports >= 1 && report_code == CT_ERR_MEMORY && !ct_ok());
        }
        CHECK(n > 3 && n < 3000);
    }
    ct_clear_error();
    reports = 0;
    ct_shutdown();
    CHECK(ct_memory_stats().tensors == before.tensors);
}
static void test_progress(void)
{
    ct_progress p = ct_progress_begin("a label that is far too long for its place", 3);
    for (int i = 1; i <= 3; i++) ct_progress_update(&p, i, 1.0 / i);
    ct_progress_end(&p);
    CHECK(p.done == 3 && strlen(p.label) == sizeof p.label - 1 && p.width > 60);
    p = ct_progress_begin(NULL, 0);
    ct_progress_update(&p, 5, NAN);
    ct_progress_end(&p);
    ct_progress_update(NULL, 1, 0), ct_progress_end(NULL);
}

int main(void)
{
    const ct_allocator mine_too = {my_alloc, my_free, NULL};
    ct_set_error_handler(on_error, NULL);
    CHECK(ct_set_allocator(&mine_too));
    ct_scope_begin();
    test_orders();
    test_tensor_dataset();
    test_workers();
    test_errors();
    test_progress();
    ct_scope_end();
    test_memory();
    ct_shutdown();
    CHECK(blocks == 0);
    printf("%d passed, %d failed\n", passed, failed);
    return failed != 0;
}
