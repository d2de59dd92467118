/* Typed arrays: items come zeroed, stay through growth, and survive memory that runs out. */
#include "torture.h"

#include "base/vec.h"

struct point {
    int64_t x, y;
};

struct points {
    WA_VEC(struct point);
};

static void test_push(void **state)
{
    WA_UNUSED(state);
    struct points v = {0};
    for (int64_t i = 0; i < 1000; i++) {
        struct point *p = WA_VEC_PUSH(&v);
        assert_non_null(p);
        assert_int_equal(p->x, 0);
        assert_int_equal(p->y, 0);
        *p = (struct point){i, -i};
    }
    assert_int_equal(v.n, 1000);
    assert_true(v.cap < 2000);
    for (int64_t i = 0; i < 1000; i++)
        assert_true(v.items[i].x == i && v.items[i].y == -i);
    v.n = 10; /* what is pushed over old items is zeroed as well */
    struct point *p = WA_VEC_PUSH(&v);
    assert_true(p == &v.items[10] && p->x == 0 && p->y == 0);
    WA_VEC_FREE(&v);
    assert_null(v.items);
    assert_int_equal(v.n + v.cap, 0);
    WA_VEC_FREE(&v);
}

static void test_overflow(void **state)
{
    WA_UNUSED(state);
    void *items = NULL;
    size_t cap = SIZE_MAX / 2;
    assert_false(wa_vec_grow_(&items, cap, &cap, 16));
    assert_int_equal(cap, SIZE_MAX / 2);
    cap = SIZE_MAX;
    assert_false(wa_vec_grow_(&items, cap, &cap, 1));
    assert_null(items);
}

static enum wa_code push(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    struct points v = {0};
    enum wa_code code = WA_OK;
    for (int64_t i = 0; i < 100 && code == WA_OK; i++) {
        struct point *p = WA_VEC_PUSH(&v);
        if (p == NULL) {
            assert_int_equal(v.n, i);
            code = wa_nomem(err);
        } else {
            p->x = i;
        }
        for (size_t k = 0; k < v.n; k++)
            assert_true(v.items[k].x == (int64_t)k);
    }
    WA_VEC_FREE(&v);
    return code;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(push, NULL) > 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_push),
        cmocka_unit_test(test_overflow),
        cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
