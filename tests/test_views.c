/* Every view against a naive index map: shapes, values, shared memory, writes through, first and second gradients, writes in place on
   views with history (against the same out of place), views of views, split and friends, documented errors. */
#ifdef TEST_ALONE
#define CTORCH_IMPLEMENTATION
#endif
#include "ctorch.h"
#include "test.h"

/* A case: an input shape, a call, the shape it must give, and where element o[] of the result lies in the input: i[]. */
typedef ct_tensor *view_fn(ct_tensor *x);
typedef void map_fn(const int64_t *o, int64_t *i);
typedef struct { const char *text; view_fn *view; map_fn *map; int nin; int64_t in[CT_MAX_DIMS]; int nout; int64_t out[CT_MAX_DIMS]; int flags; } view_case;
enum {
    DENSE = 1,   /* needs a contiguous input */
    EXPANDS = 2, /* strides of 0: cannot be written */
    TANGLED = 4, /* elements share places otherwise: writes say nothing (in torch, too) */
    OVERLAP = EXPANDS | TANGLED,
    COPIES = 8   /* copies a transposed input */
};
#define CASE(name, call, ...)                                                                                         \
    static ct_tensor *view_##name(ct_tensor *x) { return call; }                                                      \
    static void map_##name(const int64_t *o, int64_t *i) { (void)o, (void)i; __VA_ARGS__; }
static int64_t flat_of(const int64_t *index, const int64_t *size, int n)
{
    int64_t at = 0;
    for (int d = 0; d < n; d++) at = at * size[d] + index[d];
    return at;
}
static void unflatten_index(int64_t at, const int64_t *size, int n, int64_t *index)
{
    for (int d = n - 1; d >= 0; d--) index[d] = at % size[d], at /= size[d];
}
#define SAME_FLAT(nin, nout, ...) { const int64_t s[] = __VA_ARGS__; unflatten_index(flat_of(o, s + (nin), nout), s, nin, i); }

CASE(reshape, ct_reshape(x, 6, 4), SAME_FLAT(3, 2, {2, 3, 4, 6, 4}))
CASE(reshape_split, ct_reshape(x, 2, 3, 2, -1), SAME_FLAT(3, 4, {2, 3, 4, 2, 3, 2, 2}))
CASE(reshape_ones, ct_reshape(x, 1, 2, 1, 3, 4, 1), SAME_FLAT(3, 6, {2, 3, 4, 1, 2, 1, 3, 4, 1}))
CASE(view, ct_view(x, 4, -1), SAME_FLAT(3, 2, {2, 3, 4, 4, 6}))
CASE(view_as, ct_view_as(x, ct_zeros(3, 8)), SAME_FLAT(3, 2, {2, 3, 4, 3, 8}))
CASE(reshape_as, ct_reshape_as(x, ct_zeros(8, 3)), SAME_FLAT(3, 2, {2, 3, 4, 8, 3}))
CASE(flatten, ct_flatten(x, 1, 2), SAME_FLAT(3, 2, {2, 3, 4, 2, 12}))
CASE(flatten_all, ct_flatten(x, 0, -1), SAME_FLAT(3, 1, {2, 3, 4, 24}))
CASE(unflatten, ct_unflatten(x, -1, 2, 2), SAME_FLAT(3, 4, {2, 3, 4, 2, 3, 2, 2}))
CASE(unflatten_hole, ct_unflatten(x, 0, -1, 1), SAME_FLAT(3, 4, {2, 3, 4, 2, 1, 3, 4}))
CASE(ravel, ct_ravel(x), SAME_FLAT(3, 1, {2, 3, 4, 24}))
CASE(transpose, ct_transpose(x, 0, 2), (i[0] = o[2], i[1] = o[1], i[2] = o[0]))
CASE(transpose_negative, ct_transpose(x, -1, 1), (i[0] = o[0], i[1] = o[2], i[2] = o[1]))
CASE(transpose_same, ct_transpose(x, 1, 1), (i[0] = o[0], i[1] = o[1], i[2] = o[2]))
CASE(t, ct_t(x), (i[0] = o[1], i[1] = o[0]))
CASE(t_vector, ct_t(x), i[0] = o[0])
CASE(mT, ct_mT(x), (i[0] = o[0], i[1] = o[2], i[2] = o[1]))
CASE(permute, ct_permute(x, 2, 0, 1), (i[2] = o[0], i[0] = o[1], i[1] = o[2]))
CASE(permute_negative, ct_permute(x, -2, -1, 0), (i[1] = o[0], i[2] = o[1], i[0] = o[2]))
CASE(movedim, ct_movedim(x, 0, 2), (i[0] = o[2], i[1] = o[0], i[2] = o[1]))
CASE(movedim_back, ct_movedim(x, -1, 0), (i[2] = o[0], i[0] = o[1], i[1] = o[2]))
CASE(movedim_same, ct_movedim(x, 1, 1), (i[0] = o[0], i[1] = o[1], i[2] = o[2]))
CASE(movedim_middle, ct_movedim(x, 0, 1), (i[0] = o[1], i[1] = o[0], i[2] = o[2]))
CASE(squeeze, ct_squeeze(x), (i[0] = 0, i[1] = o[0], i[2] = 0, i[3] = o[1]))
CASE(squeeze_dim, ct_squeeze_dim(x, 2), (i[0] = 0, i[1] = o[1], i[2] = 0, i[3] = o[2]))
CASE(squeeze_other, ct_squeeze_dim(x, 1), (i[0] = 0, i[1] = o[1], i[2] = 0, i[3] = o[3]))
CASE(unsqueeze, ct_unsqueeze(x, 1), (i[0] = o[0], i[1] = o[2]))
CASE(unsqueeze_last, ct_unsqueeze(x, -1), (i[0] = o[0], i[1] = o[1]))
CASE(unsqueeze_first, ct_unsqueeze(x, -3), (i[0] = o[1], i[1] = o[2]))
CASE(expand, ct_expand(x, 2, 3, 4), (i[0] = o[1], i[1] = 0))
CASE(expand_keep, ct_expand(x, -1, 5), (i[0] = o[0], i[1] = 0))
CASE(expand_same, ct_expand(x, 1, 3, 1), (i[0] = o[1], i[1] = 0))
CASE(expand_as, ct_expand_as(x, ct_zeros(3, 2)), (i[0] = o[0], i[1] = 0))
CASE(broadcast_to, ct_broadcast_to(x, 2, 3, 2), (i[0] = o[1], i[1] = 0))
CASE(expand_0d, ct_expand(x, 2, 3), (void)0)
CASE(select, ct_select(x, 1, 2), (i[0] = o[0], i[1] = 2, i[2] = o[1]))
CASE(select_negative, ct_select(x, -1, -4), (i[0] = o[0], i[1] = o[1], i[2] = 0))
CASE(select_vector, ct_select(x, 0, 1), i[0] = 1)
CASE(slice, ct_slice(x, 1, 1, 3, 1), (i[0] = o[0], i[1] = 1 + o[1], i[2] = o[2]))
CASE(slice_step, ct_slice(x, 2, 1, CT_END, 2), (i[0] = o[0], i[1] = o[1], i[2] = 1 + 2 * o[2]))
CASE(slice_negative, ct_slice(x, -1, -3, -1, 1), (i[0] = o[0], i[1] = o[1], i[2] = 1 + o[2]))
CASE(slice_clamped, ct_slice(x, 0, -99, 99, 1), (i[0] = o[0], i[1] = o[1], i[2] = o[2]))
CASE(slice_empty, ct_slice(x, 0, 5, 9, 1), (void)0)
CASE(narrow, ct_narrow(x, 2, 1, 2), (i[0] = o[0], i[1] = o[1], i[2] = 1 + o[2]))
CASE(narrow_negative, ct_narrow(x, 2, -3, 2), (i[0] = o[0], i[1] = o[1], i[2] = 1 + o[2]))
CASE(diagonal, ct_diagonal(x, 0, 0, 1), (i[0] = o[0], i[1] = o[0]))
CASE(diagonal_up, ct_diagonal(x, 1, 0, 1), (i[0] = o[0], i[1] = o[0] + 1))
CASE(diagonal_down, ct_diagonal(x, -2, 0, 1), (i[0] = o[0] + 2, i[1] = o[0]))
CASE(diagonal_none, ct_diagonal(x, 7, 0, 1), (void)0)
CASE(diagonal_3d, ct_diagonal(x, 1, 2, 0), (i[0] = o[1] + 1, i[1] = o[0], i[2] = o[1]))
CASE(diagonal_dims, ct_diagonal(x, 0, -2, -1), (i[0] = o[0], i[1] = o[1], i[2] = o[1]))
CASE(unfold, ct_unfold(x, 0, 3, 2), i[0] = 2 * o[0] + o[1])
CASE(unfold_apart, ct_unfold(x, 1, 2, 2), (i[0] = o[0], i[1] = 2 * o[1] + o[2]))
CASE(unfold_gaps, ct_unfold(x, 0, 2, 3), i[0] = 3 * o[0] + o[1])
CASE(as_strided, ct_as_strided(x, CT_SHAPE(2, 3), CT_SHAPE(1, 4), 2), { int64_t at = 2 + o[0] + 4 * o[1]; i[0] = at / 6, i[1] = at % 6; })
CASE(as_strided_overlap, ct_as_strided(x, CT_SHAPE(3, 3), CT_SHAPE(1, 1), 1), { int64_t at = 1 + o[0] + o[1]; i[0] = at / 6, i[1] = at % 6; })
CASE(get, ct_get(x, "1:, ::2"), (i[0] = 1 + o[0], i[1] = 2 * o[1], i[2] = o[2]))
CASE(get_last, ct_get(x, "..., -1"), (i[0] = o[0], i[1] = o[1], i[2] = 3))
CASE(get_new, ct_get(x, "None, 1, ..., None, :2"), (i[0] = 1, i[1] = o[1], i[2] = o[3]))
CASE(index, ct_index(x, CT_PICK(-1), CT_NEWAXIS, CT_ELLIPSIS, CT_RANGE(1, CT_END, 2)), (i[0] = 1, i[1] = o[1], i[2] = 1 + 2 * o[2]))
CASE(atleast_3d, ct_atleast_3d(x), (i[0] = o[0], i[1] = o[1]))
CASE(atleast_2d, ct_atleast_2d(x), i[0] = o[1])
CASE(of_view, ct_select(ct_transpose(ct_slice(x, 2, 1, 4, 2), 0, 2), 1, 1), (i[2] = 1 + 2 * o[0], i[1] = 1, i[0] = o[1]))
CASE(of_reshape, ct_diagonal(ct_reshape(x, 4, 6), 1, 0, 1), { int64_t at = o[0] * 6 + o[0] + 1; i[0] = at / 12, i[1] = at / 4 % 3, i[2] = at % 4; })
CASE(deep, ct_permute(x, 7, 6, 5, 4, 3, 2, 1, 0), { for (int d = 0; d < 8; d++) i[d] = o[7 - d]; })
#define ROW(name, ...) {#name, view_##name, map_##name, __VA_ARGS__}
static const view_case cases[] = {
    ROW(reshape, 3, {2, 3, 4}, 2, {6, 4}, COPIES), ROW(reshape_split, 3, {2, 3, 4}, 4, {2, 3, 2, 2}, COPIES), ROW(reshape_ones, 3, {2, 3, 4}, 6, {1, 2, 1, 3, 4, 1}, 0),
    ROW(view, 3, {2, 3, 4}, 2, {4, 6}, DENSE), ROW(view_as, 3, {2, 3, 4}, 2, {3, 8}, DENSE), ROW(reshape_as, 3, {2, 3, 4}, 2, {8, 3}, COPIES),
    ROW(flatten, 3, {2, 3, 4}, 2, {2, 12}, COPIES), ROW(flatten_all, 3, {2, 3, 4}, 1, {24}, COPIES), ROW(unflatten, 3, {2, 3, 4}, 4, {2, 3, 2, 2}, 0),
    ROW(unflatten_hole, 3, {2, 3, 4}, 4, {2, 1, 3, 4}, 0), ROW(ravel, 3, {2, 3, 4}, 1, {24}, COPIES),
    ROW(transpose, 3, {2, 3, 4}, 3, {4, 3, 2}, 0), ROW(transpose_negative, 3, {2, 3, 4}, 3, {2, 4, 3}, 0), ROW(transpose_same, 3, {2, 3, 4}, 3, {2, 3, 4}, 0),
    ROW(t, 2, {2, 3}, 2, {3, 2}, 0), ROW(t_vector, 1, {3}, 1, {3}, 0), ROW(mT, 3, {2, 3, 4}, 3, {2, 4, 3}, 0),
    ROW(permute, 3, {2, 3, 4}, 3, {4, 2, 3}, 0), ROW(permute_negative, 3, {2, 3, 4}, 3, {3, 4, 2}, 0),
    ROW(movedim, 3, {2, 3, 4}, 3, {3, 4, 2}, 0), ROW(movedim_back, 3, {2, 3, 4}, 3, {4, 2, 3}, 0), ROW(movedim_same, 3, {2, 3, 4}, 3, {2, 3, 4}, 0), ROW(movedim_middle, 3, {2, 3, 4}, 3, {3, 2, 4}, 0),
    ROW(squeeze, 4, {1, 3, 1, 2}, 2, {3, 2}, 0), ROW(squeeze_dim, 4, {1, 3, 1, 2}, 3, {1, 3, 2}, 0), ROW(squeeze_other, 4, {1, 3, 1, 2}, 4, {1, 3, 1, 2}, 0),
    ROW(unsqueeze, 2, {2, 3}, 3, {2, 1, 3}, 0), ROW(unsqueeze_last, 2, {2, 3}, 3, {2, 3, 1}, 0), ROW(unsqueeze_first, 2, {2, 3}, 3, {1, 2, 3}, 0),
    ROW(expand, 2, {3, 1}, 3, {2, 3, 4}, EXPANDS), ROW(expand_keep, 2, {3, 1}, 2, {3, 5}, EXPANDS), ROW(expand_same, 2, {3, 1}, 3, {1, 3, 1}, 0), ROW(expand_as, 2, {3, 1}, 2, {3, 2}, EXPANDS),
    ROW(broadcast_to, 2, {3, 1}, 3, {2, 3, 2}, EXPANDS), ROW(expand_0d, 0, {0}, 2, {2, 3}, EXPANDS),
    ROW(select, 3, {2, 3, 4}, 2, {2, 4}, 0), ROW(select_negative, 3, {2, 3, 4}, 2, {2, 3}, 0), ROW(select_vector, 1, {3}, 0, {0}, 0),
    ROW(slice, 3, {2, 3, 4}, 3, {2, 2, 4}, 0), ROW(slice_step, 3, {2, 3, 5}, 3, {2, 3, 2}, 0), ROW(slice_negative, 3, {2, 3, 4}, 3, {2, 3, 2}, 0),
    ROW(slice_clamped, 3, {2, 3, 4}, 3, {2, 3, 4}, 0), ROW(slice_empty, 2, {3, 2}, 2, {0, 2}, 0), ROW(narrow, 3, {2, 3, 4}, 3, {2, 3, 2}, 0), ROW(narrow_negative, 3, {2, 3, 4}, 3, {2, 3, 2}, 0),
    ROW(diagonal, 2, {3, 4}, 1, {3}, 0), ROW(diagonal_up, 2, {3, 3}, 1, {2}, 0), ROW(diagonal_down, 2, {4, 3}, 1, {2}, 0), ROW(diagonal_none, 2, {3, 4}, 1, {0}, 0),
    ROW(diagonal_3d, 3, {4, 2, 3}, 2, {2, 3}, 0), ROW(diagonal_dims, 3, {2, 3, 3}, 2, {2, 3}, 0),
    ROW(unfold, 1, {7}, 2, {3, 3}, TANGLED), ROW(unfold_apart, 2, {2, 5}, 3, {2, 2, 2}, 0), ROW(unfold_gaps, 1, {8}, 2, {3, 2}, 0),
    ROW(as_strided, 2, {2, 6}, 2, {2, 3}, DENSE), ROW(as_strided_overlap, 2, {2, 6}, 2, {3, 3}, DENSE | TANGLED),
    ROW(get, 3, {2, 3, 4}, 3, {1, 2, 4}, 0), ROW(get_last, 3, {2, 3, 4}, 2, {2, 3}, 0), ROW(get_new, 3, {2, 3, 4}, 4, {1, 3, 1, 2}, 0), ROW(index, 3, {2, 3, 4}, 3, {1, 3, 2}, 0),
    ROW(atleast_3d, 2, {2, 3}, 3, {2, 3, 1}, 0), ROW(atleast_2d, 1, {3}, 2, {1, 3}, 0),
    ROW(of_view, 3, {2, 3, 4}, 2, {2, 2}, 0), ROW(of_reshape, 3, {2, 3, 4}, 1, {4}, DENSE),
    ROW(deep, 8, {1, 2, 1, 2, 3, 1, 2, 1}, 8, {1, 2, 1, 3, 2, 1, 2, 1}, 0),
};
enum { CASES = sizeof cases / sizeof *cases };

static int64_t case_numel(int n, const int64_t *size)
{
    int64_t k = 1;
    for (int d = 0; d < n; d++) k *= size[d];
    return k;
}
/* the flat input index of flat output element k */
static int64_t source(const view_case *v, int64_t k)
{
    int64_t o[CT_MAX_DIMS] = {0}, i[CT_MAX_DIMS] = {0};
    unflatten_index(k, v->out, v->nout, o);
    v->map(o, i);
    return flat_of(i, v->in, v->nin);
}
static void values_of(const view_case *v, ct_dtype dtype, int layout)
{
    double x[256], want[256];
    int64_t n = case_numel(v->nin, v->in), m = case_numel(v->nout, v->out);
    ct_scope_begin();
    for (int64_t k = 0; k < n; k++) x[k] = (double)(k + 1);
    ct_tensor *base = test_tensor(dtype, test_shape(v->nin, v->in), x, layout), *y = v->view(base);
    ct_tensor *shape = (ct_zeros)(test_shape(v->nout, v->out));
    CHECKF(y && !strcmp(ct_shape_text(y), ct_shape_text(shape)), "%s of layout %d: shape %s, expected %s", v->text, layout, ct_shape_text(y), ct_shape_text(shape));
    for (int64_t k = 0; k < m; k++) want[k] = x[source(v, k)];
    CHECKF(test_values(y, want, m, 0, __FILE__, __LINE__, v->text), "%s of %s, layout %d", v->text, ct_dtype_name(dtype), layout);
    bool copies = (v->flags & COPIES) && layout;
    if (!copies) CHECKF(ct_is_same_storage(base, y), "%s, layout %d: shares memory", v->text, layout);
    /* write through it: seen in the base, at these places alone */
    if (y && !copies && !(v->flags & OVERLAP)) {
        int64_t version = ct_version(base);
        CHECKF(ct_mul_(y, -1) == y, "%s, layout %d: written in place", v->text, layout);
        for (int64_t k = 0; k < m; k++) x[source(v, k)] = -want[k];
        CHECKF(test_values(base, x, n, 0, __FILE__, __LINE__, v->text), "%s, layout %d: the base sees the write", v->text, layout);
        CHECKF(ct_version(base) == version + 1 && ct_version(y) == version + 1, "%s: one version for both", v->text);
        CHECKF(ct_neg_(base) == base, "%s", v->text);
        CHECKF(test_values(y, want, m, 0, __FILE__, __LINE__, v->text), "%s, layout %d: sees writes to the base", v->text, layout);
    } else if (y && (v->flags & EXPANDS)) {
        CHECK_ERROR(CT_ERR_ARGUMENT, ct_mul_(y, -1));
        CHECKF(test_values(base, x, n, 0, __FILE__, __LINE__, v->text), "%s: untouched", v->text);
    }
    ct_scope_end();
}
static ct_tensor *call_view(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ((const view_case *)user)->view(in[0]);
}
/* a product with itself makes the second derivative other than zero */
static ct_tensor *call_square(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    return ct_square(((const view_case *)user)->view(in[0]));
}
/* z = 2x; view(z) *= w; z*z */
static ct_tensor *call_written(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    ct_tensor *z = ct_mul(in[0], 2);
    if (!ct_mul_(((const view_case *)user)->view(z), in[1])) return NULL;
    return ct_mul(z, z);
}
/* the same, and the view is read afterwards, and the base is written while the view lives */
static ct_tensor *call_read_back(ct_tensor *const *in, int count, void *user)
{
    (void)count;
    ct_tensor *z = ct_mul(in[0], 2), *y = ((const view_case *)user)->view(z), *before = ct_square(ct_clone(y));
    if (!ct_add_(y, in[1]) || !ct_mul_(z, z) || !ct_mul_(y, 1.5)) return NULL;
    return ct_add(ct_mul(y, before), ct_sum(z));
}
/* the same without views or writes: places[] says where w goes */
static ct_tensor *factors(const view_case *v, ct_tensor *w, double elsewhere)
{
    int64_t at[256], n = case_numel(v->nin, v->in), m = case_numel(v->nout, v->out);
    for (int64_t k = 0; k < m; k++) at[k] = source(v, k);
    ct_tensor *index = (ct_tensor_from)(m ? at : (int64_t[]){0}, CT_I64, CT_SHAPE(m));
    ct_tensor *flat = ct_scatter((ct_full_dtype)(CT_F64, ct_number(elsewhere), CT_SHAPE(n)), 0, index, ct_reshape(w, -1));
    return (ct_reshape)(flat, test_shape(v->nin, v->in));
}
static void gradients_of(const view_case *v)
{
    double x[256], w[256], g[256];
    int64_t n = case_numel(v->nin, v->in), m = case_numel(v->nout, v->out);
    for (int layout = 0; layout < ((v->flags & DENSE) ? 1 : 2); layout++) {
        ct_scope_begin();
        for (int64_t k = 0; k < 256; k++) x[k] = test_uniform(0.5, 2), w[k] = test_uniform(-2, 2), g[k] = 0;
        ct_shape in = test_shape(v->nin, v->in), out = test_shape(v->nout, v->out);
        ct_tensor *a = ct_requires_grad_(ct_detach(test_tensor(CT_F64, in, x, layout)), true), *b = test_tensor(CT_F64, out, w, 0), *y = v->view(a);
        for (int64_t k = 0; k < m; k++) g[source(v, k)] += w[k];
        ct_tensor *got = ct_grad(y, a, .grad_output = b), *graph = ct_grad(v->view(a), a, .grad_output = b, .create_graph = true);
        CHECKF(test_values(got, g, n, 1e-14, __FILE__, __LINE__, v->text), "gradient of %s, layout %d", v->text, layout);
        CHECKF(test_values(graph, g, n, 1e-14, __FILE__, __LINE__, v->text), "gradient's graph of %s, layout %d", v->text, layout);
        void *user = (void *)(uintptr_t)v;
        CHECKF(ct_gradcheck(call_view, &a, 1, user), "gradcheck of %s, layout %d", v->text, layout);
        CHECKF(ct_gradgradcheck(call_view, &a, 1, user), "gradgradcheck of %s, layout %d", v->text, layout);
        CHECKF(ct_gradgradcheck(call_square, &a, 1, user), "gradgradcheck of the square of %s, layout %d", v->text, layout);
        if (!(v->flags & OVERLAP) && !((v->flags & COPIES) && layout) && m) {
            ct_tensor *both[2] = {a, ct_requires_grad_(b, true)}, *one[2], *two[2];
            ct_tensor *left = call_written(both, 2, user), *z = ct_mul(ct_mul(a, 2), factors(v, b, 1)), *right = ct_mul(z, z);
            ct_grad_opts o = {.ct_end_ = 0};
            ct_tensor *ones = ct_ones_like(ct_detach(right));
            CHECK_SAME(left ? ct_detach(left) : NULL, ct_detach(right), 1e-14);
            CHECKF(ct_grad_many(&left, &ones, 1, both, one, 2, o) && ct_grad_many(&right, &ones, 1, both, two, 2, o), "gradients after a write through %s", v->text);
            CHECK_SAME(one[0], two[0], 1e-13);
            CHECK_SAME(one[1], two[1], 1e-13);
            CHECKF(ct_gradcheck(call_written, both, 2, user), "gradcheck of a write through %s, layout %d", v->text, layout);
            CHECKF(ct_gradgradcheck(call_written, both, 2, user), "gradgradcheck of a write through %s, layout %d", v->text, layout);
            CHECKF(ct_gradcheck(call_read_back, both, 2, user), "gradcheck of writes to %s and its base, layout %d", v->text, layout);
            CHECKF(ct_gradgradcheck(call_read_back, both, 2, user), "gradgradcheck of writes to %s and its base, layout %d", v->text, layout);
        }
        ct_scope_end();
    }
}

/* ---- geometry as PyTorch has it ---- */
static void geometry(void)
{
    ct_scope_begin();
    ct_tensor *x = ct_zeros(2, 3, 4);
    CHECK(ct_stride(x, 0) == 12 && ct_stride(x, 1) == 4 && ct_stride(x, -1) == 1 && ct_storage_offset(x) == 0);
    ct_tensor *s = ct_slice(x, 2, 1, 4, 2);
    CHECK(ct_stride(s, 2) == 2 && ct_storage_offset(s) == 1 && !ct_is_contiguous(s));
    ct_tensor *p = ct_permute(x, 2, 0, 1);
    CHECK(ct_stride(p, 0) == 1 && ct_stride(p, 1) == 12 && ct_stride(p, 2) == 4 && !ct_is_contiguous(p));
    ct_tensor *e = ct_expand(ct_zeros(3, 1), 2, 3, 4);
    CHECK(ct_stride(e, 0) == 0 && ct_stride(e, 1) == 1 && ct_stride(e, 2) == 0);
    CHECK(ct_is_contiguous(ct_contiguous(p)) && !ct_is_same_storage(p, ct_contiguous(p)));
    CHECK(ct_contiguous(x) == x);
    CHECK(ct_is_same_storage(x, ct_reshape(x, 24)) && !ct_is_same_storage(p, ct_reshape(p, 24)));
    CHECK(ct_is_contiguous(ct_unsqueeze(x, 1)) && ct_is_contiguous(ct_transpose(ct_zeros(1, 3), 0, 1)));
    /* views that strides allow though nothing is contiguous: dims of a slice that lie together */
    ct_tensor *part = ct_narrow(ct_reshape(ct_arange(24.0), 2, 3, 4), 0, 1, 1);
    CHECK_VALUES(ct_view(part, 12), 0, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23);
    CHECK_SHAPE(ct_view(ct_slice(x, 0, 0, 2, 2), 3, 2, 2), "(3, 2, 2)");
    CHECK_SHAPE(ct_view(ct_permute(ct_zeros(4, 2, 3), 1, 2, 0), 6, 4), "(6, 4)");
    /* 0-d and empty */
    ct_tensor *zero = ct_scalar(5), *none = ct_zeros(0, 3);
    CHECK_SHAPE(ct_squeeze(zero), "()");
    CHECK_SHAPE(ct_unsqueeze(zero, -1), "(1)");
    CHECK_SHAPE(ct_unsqueeze(zero, 0), "(1)");
    CHECK_SHAPE(ct_flatten(zero, 0, -1), "(1)");
    CHECK_SHAPE(ct_ravel(zero), "(1)");
    CHECK_SHAPE(ct_t(zero), "()");
    CHECK_SHAPE(ct_transpose(zero, 0, -1), "()");
    CHECK_SHAPE(ct_reshape(zero, 1, 1), "(1, 1)");
    CHECK_SHAPE((ct_permute)(zero, test_shape(0, NULL)), "()");
    CHECK_SHAPE(ct_squeeze_dim(zero, 0), "()");
    CHECK_SHAPE(ct_unfold(zero, 0, 1, 1), "(1)");
    CHECK_SHAPE(ct_get(zero, "..."), "()");
    CHECK_SHAPE(ct_get(zero, "None"), "(1)");
    CHECK_SHAPE((ct_reshape)(ct_zeros(1, 1), test_shape(0, NULL)), "()");
    CHECK_SHAPE(ct_reshape(none, -1, 3), "(0, 3)");
    CHECK_SHAPE(ct_reshape(none, 0), "(0)");
    CHECK_SHAPE(ct_reshape(none, 3, 0, 7), "(3, 0, 7)");
    CHECK_SHAPE(ct_view(ct_t(none), 0), "(0)");
    CHECK_SHAPE(ct_t(none), "(3, 0)");
    CHECK_SHAPE(ct_expand(ct_zeros(1), 0), "(0)");
    CHECK_SHAPE(ct_expand(none, 2, 0, 3), "(2, 0, 3)");
    CHECK_SHAPE(ct_diagonal(none, 0, 0, 1), "(0)");
    CHECK_SHAPE(ct_slice(none, 0, 0, 5, 1), "(0, 3)");
    CHECK_SHAPE(ct_select(none, 1, 2), "(0)");
    CHECK_SHAPE(ct_narrow(none, 0, 0, 0), "(0, 3)");
    CHECK_SHAPE(ct_narrow(ct_zeros(3), 0, 3, 0), "(0)");
    CHECK_SHAPE(ct_squeeze_dim(ct_zeros(2, 1), 0), "(2, 1)");
    CHECK_SHAPE(ct_flatten(none, 0, 1), "(0)");
    /* dtypes that have no gradient make views, too */
    ct_tensor *b = ct_to(ct_tensor_of(1, 0, 1, 1), CT_BOOL);
    CHECK_VALUES(ct_slice(b, 0, 1, 4, 2), 0, 0, 1);
    CHECK_VALUES(ct_reshape(ct_tensor_i64(1, 2, 3, 4), 2, 2), 0, 1, 2, 3, 4);
    ct_scope_end();
}
static void parts(void)
{
    static const int64_t three[] = {1, 0, 6}, short_sum[] = {1, 2}, negative[] = {-1, 8};
    ct_tensor *out[8] = {NULL};
    ct_scope_begin();
    ct_tensor *x = ct_reshape(ct_arange(14.0), 7, 2);
    CHECK_INT(ct_split(x, 3, 0, out, 8), 3);
    CHECK_SHAPE(out[0], "(3, 2)");
    CHECK_SHAPE(out[2], "(1, 2)");
    CHECK_VALUES(out[1], 0, 6, 7, 8, 9, 10, 11);
    CHECK_VALUES(out[2], 0, 12, 13);
    CHECK(ct_is_same_storage(x, out[1]));
    CHECK_INT(ct_split(x, 7, 0, out, 1), 1);
    CHECK_INT(ct_split(x, 100, -2, out, 1), 1);
    CHECK_INT(ct_split_with_sizes(x, three, 3, 0, out, 8), 3);
    CHECK_SHAPE(out[1], "(0, 2)");
    CHECK_VALUES(ct_select(out[2], 1, 1), 0, 3, 5, 7, 9, 11, 13);
    CHECK_INT(ct_chunk(x, 3, 0, out, 8), 3);
    CHECK_SHAPE(out[2], "(1, 2)");
    CHECK_INT(ct_chunk(x, 4, 0, out, 8), 4);
    CHECK_INT(ct_chunk(x, 5, 0, out, 8), 4); /* 2, 2, 2, 1 as in torch */
    CHECK_INT(ct_chunk(ct_zeros(0, 2), 3, 0, out, 8), 3); /* torch: as many empty ones as asked for */
    CHECK_INT(ct_split(ct_zeros(0), 2, 0, out, 8), 1);
    CHECK_SHAPE(out[0], "(0)");
    CHECK_INT(ct_unbind(x, 1, out, 8), 2);
    CHECK_VALUES(out[1], 0, 1, 3, 5, 7, 9, 11, 13);
    CHECK_INT(ct_unbind(ct_zeros(0, 2), 0, out, 8), 0);
    CHECK(ct_ok());
    /* gradients of several parts together */
    ct_tensor *w = ct_requires_grad_(ct_to(ct_arange(6.0), CT_F64), true);
    CHECK_INT(ct_split(ct_mul(w, 2), 4, 0, out, 8), 2);
    CHECK(ct_backward(ct_add(ct_sum(ct_square(out[0])), ct_sum(ct_mul(out[1], 3)))));
    CHECK_VALUES(ct_grad_of(w), 1e-14, 0, 8, 16, 24, 6, 6);
    ct_set_grad(w, NULL);
    CHECK_INT(ct_unbind(ct_reshape(w, 2, 3), 0, out, 8), 2);
    CHECK(ct_backward(ct_sum(ct_mul(out[0], out[1]))));
    CHECK_VALUES(ct_grad_of(w), 1e-14, 3, 4, 5, 0, 1, 2);
    /* torch: one of several views made by one call is not written in place when a gradient is recorded */
    ct_tensor *z = ct_mul(w, 2);
    CHECK_INT(ct_chunk(z, 2, 0, out, 8), 2);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_add_(out[0], 1));
    CHECK_INT(ct_unbind(z, 0, out, 8), 6);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_zero_(out[0]));
    ct_tensor *plain = ct_zeros(4);
    CHECK_INT(ct_split(plain, 2, 0, out, 8), 2);
    CHECK(ct_add_(out[1], 1) == out[1]);
    CHECK_VALUES(plain, 0, 0, 0, 1, 1);
    /* errors */
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_split(x, 3, 0, out, 2));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_split(x, 0, 0, out, 8));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_split(x, -1, 0, out, 8));
    CHECK_ERROR(CT_ERR_DIM, ct_split(x, 3, 2, out, 8));
    CHECK_ERROR(CT_ERR_DIM, ct_split(ct_scalar(1), 1, 0, out, 8));
    CHECK_ERROR(CT_ERR_SHAPE, ct_split_with_sizes(x, short_sum, 2, 0, out, 8));
    CHECK_ERROR(CT_ERR_SHAPE, ct_split_with_sizes(x, negative, 2, 0, out, 8));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_chunk(x, 0, 0, out, 8));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_unbind(x, 0, out, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_unbind(ct_scalar(1), 0, out, 3));
    CHECK_QUIET(ct_split(NULL, 3, 0, out, 8));
    CHECK_QUIET(ct_unbind(NULL, 0, out, 8));
    CHECK_QUIET(ct_chunk(NULL, 2, 0, out, 8));
    ct_scope_end();
}
static void errors(void)
{
    ct_scope_begin();
    ct_tensor *x = ct_zeros(2, 3, 4), *m = ct_zeros(2, 3), *zero = ct_scalar(1), *deep = ct_zeros(1, 1, 1, 1, 1, 1, 1, 1);
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(x, 5, 5));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(x, -1, -1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(x, -1, 5));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(x, -2, 12));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(ct_zeros(0, 3), -1, 0));
    CHECK_ERROR(CT_ERR_SHAPE, ct_view(ct_zeros(0, 3), 0, -1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_view(ct_t(m), 6));
    CHECK_ERROR(CT_ERR_SHAPE, ct_view(m, 7));
    CHECK_ERROR(CT_ERR_SHAPE, ct_view_as(m, x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape_as(m, x));
    CHECK_ERROR(CT_ERR_SHAPE, ct_reshape(x, INT64_MAX, 2));
    CHECK_ERROR(CT_ERR_DIM, ct_flatten(x, 2, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_flatten(x, 0, 3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_unflatten(x, 2, 3, 2));
    CHECK_ERROR(CT_ERR_SHAPE, ct_unflatten(x, 2, -1, 3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_unflatten(x, 2, -1, -1));
    CHECK_ERROR(CT_ERR_DIM, ct_unflatten(x, 3, 2, 2));
    CHECK_ERROR(CT_ERR_DIM, ct_transpose(x, 0, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_transpose(x, -4, 0));
    CHECK_ERROR(CT_ERR_DIM, ct_t(x));
    CHECK_ERROR(CT_ERR_DIM, ct_mT(ct_zeros(3)));
    CHECK_ERROR(CT_ERR_DIM, ct_permute(x, 0, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_permute(x, 0, 1, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_permute(x, 0, 1, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_movedim(x, 3, 0));
    CHECK_ERROR(CT_ERR_DIM, ct_squeeze_dim(x, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_unsqueeze(x, 4));
    CHECK_ERROR(CT_ERR_DIM, ct_unsqueeze(x, -5));
    CHECK_ERROR(CT_ERR_DIM, ct_unsqueeze(deep, 0));
    CHECK_ERROR(CT_ERR_DIM, ct_unsqueeze(zero, 1));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expand(m, 2, 4));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expand(m, 3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expand(m, -1, 2, 3));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expand(ct_zeros(2, 1), 2, -5));
    CHECK_ERROR(CT_ERR_OVERFLOW, ct_expand(zero, INT64_MAX, INT64_MAX));
    CHECK_ERROR(CT_ERR_SHAPE, ct_expand_as(m, x));
    CHECK_ERROR(CT_ERR_INDEX, ct_select(x, 0, 2));
    CHECK_ERROR(CT_ERR_INDEX, ct_select(x, 0, -3));
    CHECK_ERROR(CT_ERR_INDEX, ct_select(zero, 0, 0));
    CHECK_ERROR(CT_ERR_DIM, ct_select(x, 3, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_slice(x, 0, 0, 2, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_slice(x, 0, 0, 2, -1));
    CHECK_ERROR(CT_ERR_DIM, ct_slice(x, 5, 0, 2, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_slice(zero, 0, 0, 1, 1));
    CHECK_ERROR(CT_ERR_INDEX, ct_narrow(x, 0, 1, 2));
    CHECK_ERROR(CT_ERR_INDEX, ct_narrow(x, 0, 3, 0));
    CHECK_ERROR(CT_ERR_INDEX, ct_narrow(x, 0, 0, -1));
    CHECK_ERROR(CT_ERR_INDEX, ct_narrow(x, 0, 1, INT64_MAX));
    CHECK_ERROR(CT_ERR_DIM, ct_diagonal(x, 0, 1, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_diagonal(x, 0, 0, 3));
    CHECK_ERROR(CT_ERR_DIM, ct_diagonal(ct_zeros(3), 0, 0, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_unfold(x, 0, 3, 1));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_unfold(x, 0, 1, 0));
    CHECK_ERROR(CT_ERR_ARGUMENT, ct_unfold(x, 0, -1, 1));
    CHECK_ERROR(CT_ERR_DIM, ct_unfold(x, 3, 1, 1));
    CHECK_ERROR(CT_ERR_INDEX, ct_as_strided(m, CT_SHAPE(2, 4), CT_SHAPE(3, 1), 0));
    CHECK_ERROR(CT_ERR_INDEX, ct_as_strided(m, CT_SHAPE(2), CT_SHAPE(1), 5));
    CHECK_ERROR(CT_ERR_INDEX, ct_as_strided(m, CT_SHAPE(2), CT_SHAPE(-1), 3));
    CHECK_ERROR(CT_ERR_INDEX, ct_as_strided(m, CT_SHAPE(2, 2), CT_SHAPE(1), 0));
    CHECK_ERROR(CT_ERR_INDEX, ct_as_strided(m, CT_SHAPE(INT64_MAX, INT64_MAX), CT_SHAPE(1, 1), 0));
    CHECK_QUIET(ct_reshape(NULL, 2));
    CHECK_QUIET(ct_view_as(m, NULL));
    CHECK_QUIET(ct_expand(NULL, 2));
    CHECK_QUIET(ct_select(NULL, 0, 0));
    CHECK_QUIET(ct_slice(NULL, 0, 0, 1, 1));
    CHECK_QUIET(ct_t(NULL));
    CHECK_QUIET(ct_squeeze(NULL));
    CHECK_QUIET(ct_squeeze_dim(NULL, 0));
    CHECK_QUIET(ct_as_strided(NULL, CT_SHAPE(1), CT_SHAPE(1), 0));
    CHECK_QUIET(ct_contiguous(NULL));
    ct_scope_end();
}
/* in place and history: what torch forbids and what it does */
static void history(void)
{
    ct_scope_begin();
    ct_tensor *leaf = ct_requires_grad_(ct_ones(3), true), *view = ct_slice(leaf, 0, 0, 2, 1);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_add_(leaf, 1));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_add_(view, 1));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_zero_(leaf));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_copy_(view, ct_zeros(2)));
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_fill_(leaf, 1));
    ct_no_grad_begin();
    CHECK(ct_add_(leaf, 1) == leaf && ct_mul_(ct_slice(leaf, 0, 0, 2, 1), 5) != NULL);
    ct_no_grad_end();
    CHECK_VALUES(leaf, 0, 10, 10, 2);
    CHECK(ct_is_leaf(leaf) && ct_requires_grad(leaf));
    /* pitfalls: x=[1,1,1]; y = x*1; v = y[0:2]; v.mul_(3): grad_fn is CopySlices, gradient 3,3,1 */
    ct_tensor *x = ct_requires_grad_(ct_ones(3), true), *y = ct_mul(x, 1), *v = ct_slice(y, 0, 0, 2, 1);
    CHECK(ct_mul_(v, 3) == v);
    CHECK(ct_version(y) == 1 && ct_version(v) == 1);
    CHECK_TEXT(ct_grad_fn_name(y), "CopySlices");
    CHECK_VALUES(ct_grad(ct_sum(y), x), 0, 3, 3, 1);
    /* detach shares memory and version */
    ct_tensor *d = ct_detach(y);
    CHECK(ct_is_same_storage(d, y) && !ct_requires_grad(d) && ct_is_leaf(d));
    ct_add_(d, 1);
    CHECK(ct_version(y) == 2 && ct_version(d) == 2);
    /* a plain tensor takes on history by a write of something that requires a gradient */
    ct_tensor *plain = ct_zeros(2, 2), *row = ct_select(plain, 0, 1);
    CHECK(ct_copy_(row, ct_slice(x, 0, 0, 2, 1)) == row);
    CHECK(ct_requires_grad(plain) && ct_requires_grad(row) && !ct_is_leaf(plain));
    CHECK_VALUES(ct_grad(ct_sum(ct_mul(plain, ct_reshape(ct_tensor_of(1, 2, 3, 4), 2, 2))), x), 0, 3, 4, 0);
    /* two views of one base, written in turn */
    ct_tensor *base = ct_mul(x, 2), *p = ct_slice(base, 0, 0, 2, 1), *q = ct_slice(base, 0, 1, 3, 1);
    ct_mul_(p, 3), ct_mul_(q, 5);
    CHECK_VALUES(ct_detach(base), 0, 6, 30, 10);
    CHECK_VALUES(ct_grad(ct_sum(p), x, .retain_graph = true), 0, 6, 30, 0);
    CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 6, 30, 10);
    /* a write under no_grad is not recorded, but counted */
    base = ct_mul(x, 2);
    ct_no_grad_begin();
    ct_fill_(ct_select(base, 0, 0), 9);
    ct_no_grad_end();
    CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 2, 2, 2);
    /* the view is gone, the write stays */
    base = ct_mul(x, 2);
    ct_scope_begin();
    ct_square_(ct_select(base, 0, 1));
    ct_scope_end();
    CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 2, 8, 2);
    /* the base is gone, its view stays */
    ct_scope_begin();
    v = ct_keep(ct_slice(ct_mul(x, 4), 0, 1, 3, 1));
    ct_scope_end();
    CHECK(ct_add_(v, 1) == v);
    CHECK_VALUES(ct_grad(ct_sum(ct_square(v)), x), 0, 0, 40, 40);
    /* ct_set through text and through items */
    base = ct_mul(x, 2);
    CHECK(ct_set(base, "1:", 7) == base);
    CHECK_VALUES(ct_detach(base), 0, 2, 7, 7);
    CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 2, 0, 0);
    /* a view made without gradients must not be written with them, as in torch: its base would never know */
    base = ct_mul(x, 1);
    ct_no_grad_begin();
    v = ct_slice(base, 0, 0, 1, 1);
    CHECK(ct_mul_(v, 2) == v);
    ct_no_grad_end();
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_mul_(v, 5));
    CHECK_VALUES(ct_detach(base), 0, 2, 1, 1);
    /* a base that becomes a leaf after its view was made */
    plain = ct_ones(2), v = ct_view(plain, 2, 1);
    CHECK(ct_requires_grad_(plain, true) == plain);
    CHECK_ERROR(CT_ERR_AUTOGRAD, ct_mul_(v, 3));
    /* what a write hides has gradient 0, whoever writes */
    ct_tensor *pair = ct_slice(x, 0, 0, 2, 1);
#define HIDES(...)                                                                                                    \
    do {                                                                                                              \
        base = ct_mul(pair, 1), v = ct_slice(base, 0, 0, 1, 1);                                                       \
        CHECK(__VA_ARGS__);                                                                                           \
        CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 0, 1, 0);                                                           \
    } while (0)
    HIDES(ct_zero_(v)); HIDES(ct_fill_(v, 3)); HIDES(ct_gt_(v, 0)); HIDES(ct_sign_(v)); HIDES(ct_floor_(v)); HIDES(ct_uniform_(v, 0, 1)); HIDES(ct_bernoulli_(v, 0.5)); HIDES(ct_normal_(v, 0, 1));
    HIDES(ct_masked_fill_(v, ct_full((bool)true, 1), 0)); HIDES(ct_scatter_(v, 0, ct_tensor_i64(0), 9)); HIDES(ct_index_fill_(v, 0, ct_tensor_i64(0), 9)); HIDES(ct_set(v, "0", 4)); HIDES(ct_copy_(v, ct_zeros(1)));
    HIDES(ct_triu_(ct_view(v, 1, 1), 1)); HIDES(ct_clamp_(v, 3, 4)); HIDES(ct_logical_not_(v)); HIDES(ct_random_(v)); HIDES(ct_exponential_(v, 1));
    /* a write through a detached handle is the caller's business: counted, not recorded */
    base = ct_mul(x, 1);
    CHECK(ct_mul_(ct_detach(base), 3) != NULL && ct_version(base) == 1);
    CHECK_VALUES(ct_grad(ct_sum(base), x), 0, 1, 1, 1);
    /* operands of another type, and of other requirements */
    ct_tensor *wide = ct_requires_grad_(ct_to(ct_tensor_of(1, 2, 3), CT_F64), true), *r[2];
    base = ct_mul(x, 1);
    ct_mul_(base, wide);
    ct_tensor *sum = ct_sum(base);
    CHECK(ct_grad_many(&sum, NULL, 1, (ct_tensor *[]){x, wide}, r, 2, (ct_grad_opts){.ct_end_ = 0}));
    CHECK(ct_dtype_of(r[0]) == CT_F32 && ct_dtype_of(r[1]) == CT_F64);
    CHECK_VALUES(r[0], 0, 1, 2, 3);
    plain = ct_ones(3);
    ct_add_(plain, x), ct_mul_(plain, x);
    CHECK_VALUES(ct_grad(ct_sum(plain), x), 0, 3, 3, 3);
    CHECK(ct_add_(ct_expand(ct_ones(3, 1), 3, 1), 1) != NULL && ct_add_(ct_expand(ct_zeros(0, 1), 0, 5), 1) != NULL); /* nothing overlaps here */
    ct_scope_end();
}
/* a long chain of views, and of writes through them */
static void chains(void)
{
    ct_scope_begin();
    ct_tensor *x = ct_requires_grad_(ct_to(ct_arange(24.0), CT_F64), true), *y = ct_reshape(x, 2, 3, 4);
    for (int k = 0; k < 300; k++) y = ct_permute(y, 1, 2, 0);
    CHECK_VALUES(ct_grad(ct_sum(ct_square(y)), x), 1e-14, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46);
    ct_tensor *z = ct_mul(ct_reshape(x, 4, 6), 1);
    for (int k = 0; k < 200; k++) ct_add_(ct_select(k % 2 ? ct_t(z) : z, 0, k % 4), 1);
    double g[24];
    for (int k = 0; k < 24; k++) g[k] = 1;
    CHECK_ARRAY(ct_grad(ct_sum(z), x), 1e-14, g, 24);
    ct_scope_end();
}

/* Copies, fills and sums of views with strides at random, in every element size, against a walk element by element: short and long rows,
   one element for all, backwards by flip, narrow planes, rows that are no whole groups of 16. */
static unsigned random_state = 1;
static int64_t dice(int64_t n) /* 0 to n-1 */
{
    random_state = random_state * 1664525u + 1013904223u;
    return (int64_t)(random_state >> 8) % n;
}
static double number_at(const ct_tensor *t, int64_t k) /* element k of the storage of a dense tensor */
{
    const void *data = ct_data((ct_tensor *)(uintptr_t)t);
    switch (ct_dtype_of(t)) {
    case CT_F32: return ((const float *)data)[k];
    case CT_F64: return ((const double *)data)[k];
    case CT_I16: return ((const int16_t *)data)[k];
    case CT_U8: return ((const uint8_t *)data)[k];
    default: return (double)((const int64_t *)data)[k];
    }
}
enum { ROOM = 6000 };
typedef struct { ct_shape size, stride; int64_t offset, count; } strided;
static strided some_view(bool writable)
{
    static const int64_t sizes[] = {1, 2, 3, 5, 7, 16, 17, 33, 49, 130, 200};
    strided v;
    memset(&v, 0, sizeof v);
    int64_t step[4] = {1, 1, 1, 1}, extent = 0, dense = 1;
    v.size.ndim = v.stride.ndim = 1 + (int)dice(3), v.count = 1, v.offset = dice(40);
    int order[3] = {0, 1, 2};
    for (int k = v.size.ndim - 1; k > 0; k--) { int to = (int)dice(k + 1), t = order[k]; order[k] = order[to], order[to] = t; }
    for (int k = 0; k < v.size.ndim; k++) {
        int d = order[k];
        int64_t n = sizes[dice(11)];
        while (v.count * n > 1500) n = sizes[dice(4)], n = v.count * n > 1500 ? 1 : n;
        step[d] = dense * (1 + dice(2));
        if (extent + (n - 1) * step[d] > ROOM - 50) n = 1;
        if (!writable && dice(4) == 0) step[d] = dice(2);
        v.size.size[d] = n, v.stride.size[d] = step[d], v.count *= n;
        extent += (n - 1) * step[d], dense = dense > extent + 1 ? dense : extent + 1;
    }
    return v;
}
static int64_t place_of(const strided *v, int64_t k)
{
    int64_t index[CT_MAX_DIMS], at = v->offset;
    unflatten_index(k, v->size.size, v->size.ndim, index);
    for (int d = 0; d < v->size.ndim; d++) at += index[d] * v->stride.size[d];
    return at;
}
static void strided_case(ct_dtype dtype)
{
    ct_scope_begin();
    ct_tensor *base = ct_to(ct_remainder(ct_arange_dtype(CT_I64, 0, ROOM, 1), 100), dtype), *target = ct_zeros_dtype(dtype, ROOM);
    strided v = some_view(false), w = some_view(true);
    ct_tensor *from = (ct_as_strided)(base, v.size, v.stride, v.offset), *into = (ct_as_strided)(target, w.size, w.stride, w.offset);
    ct_tensor *copy = ct_contiguous(from), *sum = ct_contiguous(ct_add(from, from)), *turned = ct_contiguous(ct_flip(from, -1)), *wide = ct_contiguous(ct_to(from, CT_F64));
    int64_t last = v.size.size[v.size.ndim - 1];
    bool ok = copy && sum && turned && wide && into;
    for (int64_t k = 0; ok && k < v.count; k++) {
        double want = number_at(base, place_of(&v, k)), back = number_at(base, place_of(&v, k / last * last + last - 1 - k % last));
        ok = number_at(copy, k) == want && number_at(sum, k) == 2 * want && number_at(turned, k) == back && number_at(wide, k) == want;
    }
    CHECKF(ok, "copies of a view of shape %s as %s", ct_shape_text(from), ct_dtype_name(dtype));
    bool *hit = (bool *)calloc(ROOM, 1);
    ct_fill_(into, 7);
    for (int64_t k = 0; k < w.count; k++) hit[place_of(&w, k)] = true;
    for (int64_t k = 0; ok && k < ROOM; k++) ok = number_at(target, k) == (hit[k] ? 7 : 0);
    free(hit);
    CHECKF(ok, "filling a view of shape %s as %s", ct_shape_text(into), ct_dtype_name(dtype));
    ct_scope_end();
}
static void strided_at_random(void)
{
    static const ct_dtype dtypes[] = {CT_F32, CT_F64, CT_I64, CT_I16, CT_U8};
    for (int k = 0; k < 400; k++)
        for (int d = 0; d < 5; d++) strided_case(dtypes[d]);
}
/* A small tensor's memory lies behind its handle: views, gradients and modules may outlive it, or change it for another. */
static void lifetimes(void)
{
    int64_t before = ct_memory_stats().live_bytes;
    for (int64_t n = 1; n < 3000; n = n * 2 + 1) {
        ct_scope_begin();
        ct_tensor *base = ct_retain(ct_arange_dtype(CT_F32, 0, (double)n, 1)), *view = ct_retain(ct_narrow(base, 0, n / 2, n - n / 2));
        ct_scope_end();
        ct_release(base);
        CHECK(number_at(view, 0) == (double)(n / 2) && number_at(view, n - n / 2 - 1) == (double)(n - 1));
        ct_release(view);
    }
    for (int round = 0; round < 2; round++) {
        ct_scope_begin();
        ct_module *m = ct_nn_linear(3, round ? 2000 : 2);
        ct_tensor *w = ct_parameters(m)->tensor[0], *old = ct_retain(ct_detach(w)), *x = ct_ones(1, 3);
        double first = number_at(old, 0);
        ct_module_to(m, CT_F64);
        CHECK(ct_dtype_of(w) == CT_F64 && number_at(w, 0) == first && number_at(old, 0) == first && !ct_is_same_storage(w, old));
        ct_backward(ct_sum(ct_forward(m, ct_to(x, CT_F64))));
        ct_module_to(m, CT_F32);
        CHECK(ct_dtype_of(w) == CT_F32 && number_at(w, 0) == first && ct_grad_of(w) && ct_dtype_of(ct_grad_of(w)) == CT_F32);
        ct_module_free(m);
        CHECK(number_at(old, 0) == first);
        ct_release(old);
        ct_scope_end();
    }
    CHECK_INT(ct_memory_stats().live_bytes, before);
}
int main(void)
{
    static const ct_dtype dtypes[] = {CT_F32, CT_F64, CT_I64, CT_I32, CT_I8};
    test_init();
    for (int k = 0; k < CASES; k++) {
        for (int layout = 0; layout < ((cases[k].flags & DENSE) ? 1 : TEST_LAYOUTS); layout++)
            for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) values_of(&cases[k], dtypes[d], layout);
        gradients_of(&cases[k]);
    }
    geometry();
    parts();
    errors();
    history();
    chains();
    strided_at_random();
    lifetimes();
    ct_shutdown();
    return test_done();
}
