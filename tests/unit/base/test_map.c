/* The map: against a plain list of what must be in it, with keys that collide, and with memory that
 * runs out. */
#include "torture.h"

#include "base/map.h"

#define KEYS 2000

static struct wa_sv key_of(char out[16], unsigned i)
{
    (void)snprintf(out, 16, "key-%u", i);
    return wa_sv(out);
}

/* The hash is SipHash-1-3; under the zero key these are its values (as CPython gives them for bytes
 * with PYTHONHASHSEED=0). */
static void test_hash(void **state)
{
    WA_UNUSED(state);
    static const struct {
        struct wa_sv key;
        uint64_t hash;
    } rows[] = {
        {WA_SV_INIT("a"), 0x407448d2b89b1813u},
        {WA_SV_INIT("0123456"), 0x810aaf7acf670379u},
        {WA_SV_INIT("01234567"), 0xda3dcedf84ea6cc6u},
        {WA_SV_INIT("012345678"), 0xb79d8581f8552753u},
    };
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_MAP struct wa_map m;
    WA_AUTO_MAP struct wa_map other;
    wa_map_init(&m, 0);
    wa_map_init(&other, 1);
    for (size_t i = 0; i < WA_COUNT(rows); i++) {
        WA_ASSERT_OK(wa_map_put(&m, rows[i].key, &m, NULL, &err));
        WA_ASSERT_OK(wa_map_put(&other, rows[i].key, &m, NULL, &err));
        assert_true(m.items[i].hash == rows[i].hash);
        assert_true(other.items[i].hash != rows[i].hash);
    }
}

static void test_keys(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_MAP struct wa_map m;
    int values[6];
    static const struct wa_sv keys[] = {WA_SV_INIT(""),    WA_SV_INIT("\0"), WA_SV_INIT("a"),
                                        WA_SV_INIT("a\0"), WA_SV_INIT("A"),  WA_SV_INIT("a\0b")};
    wa_map_init(&m, 1);
    assert_null(wa_map_get(&m, WA_SV("a")));
    assert_null(wa_map_take(&m, WA_SV("a")));
    for (size_t i = 0; i < WA_COUNT(keys); i++) {
        void *old = &m;
        WA_ASSERT_OK(wa_map_put(&m, keys[i], &values[i], &old, &err));
        assert_null(old);
    }
    for (size_t i = 0; i < WA_COUNT(keys); i++)
        assert_ptr_equal(wa_map_get(&m, keys[i]), &values[i]);
    assert_ptr_equal(wa_map_get(&m, wa_sv(NULL)), &values[0]);
    void *old = NULL;
    WA_ASSERT_OK(wa_map_put(&m, WA_SV("a"), &values[5], &old, &err));
    assert_ptr_equal(old, &values[2]);
    assert_ptr_equal(wa_map_get(&m, WA_SV("a")), &values[5]);
    assert_int_equal(m.n, WA_COUNT(keys));
}

static void test_order(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_MAP struct wa_map m;
    char key[16];
    wa_map_init(&m, 42);
    for (unsigned i = 0; i < KEYS; i++)
        WA_ASSERT_OK(wa_map_put(&m, key_of(key, i), &m, NULL, &err));
    for (unsigned i = 0; i < KEYS; i++)
        assert_string_equal(m.items[i].key, (key_of(key, i), key));
    /* The last item takes the place of the removed one. */
    assert_non_null(wa_map_take(&m, WA_SV("key-7")));
    assert_string_equal(m.items[7].key, "key-1999");
    assert_int_equal(m.n, KEYS - 1);
}

/* Puts and takes by a fixed sequence of numbers, against a list. */
static void churn(struct wa_map *m, unsigned key_count)
{
    struct wa_err err = WA_ERR_INIT;
    static unsigned present[KEYS];
    static unsigned values[KEYS];
    uint32_t random = 12345;
    char key[16];
    memset(present, 0, sizeof present);
    for (unsigned step = 0; step < 40000; step++) {
        random = random * 1664525u + 1013904223u;
        unsigned i = (random >> 8) % key_count;
        struct wa_sv k = key_of(key, i);
        void *expected = present[i] != 0 ? &values[i] : NULL;
        assert_ptr_equal(wa_map_get(m, k), expected);
        if ((random >> 30) % 2 == 0) {
            void *old = m;
            WA_ASSERT_OK(wa_map_put(m, k, &values[i], &old, &err));
            assert_ptr_equal(old, expected);
            present[i] = 1;
        } else {
            assert_ptr_equal(wa_map_take(m, k), expected);
            present[i] = 0;
        }
    }
    size_t n = 0;
    for (unsigned i = 0; i < key_count; i++) {
        n += present[i];
        assert_ptr_equal(wa_map_get(m, key_of(key, i)), present[i] != 0 ? &values[i] : NULL);
    }
    assert_int_equal(m->n, n);
}

static void test_churn(void **state)
{
    WA_UNUSED(state);
    for (uint64_t seed = 0; seed < 4; seed++) {
        WA_AUTO_MAP struct wa_map m;
        wa_map_init(&m, seed * 0x0123456789abcdefu);
        churn(&m, seed % 2 == 0 ? 10 : KEYS);
    }
}

/* Keys that all begin their search at the last slot of 64: the probes run on from there around the
 * end, and removals must leave every other key findable. */
static void test_collisions(void **state)
{
    WA_UNUSED(state);
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_MAP struct wa_map probe;
    WA_AUTO_MAP struct wa_map m;
    char key[16];
    char found[40][16];
    size_t n = 0;
    wa_map_init(&probe, 99);
    for (unsigned i = 0; n < WA_COUNT(found); i++) {
        WA_ASSERT_OK(wa_map_put(&probe, key_of(key, i), &m, NULL, &err));
        if (probe.items[i].hash % 64 == 63)
            memcpy(found[n++], key, sizeof key);
    }
    for (size_t first = 0; first < n; first++) {
        wa_map_init(&m, 99);
        for (size_t i = 0; i < n; i++)
            WA_ASSERT_OK(wa_map_put(&m, wa_sv(found[i]), found[i], NULL, &err));
        assert_int_equal(m.slot_count, 64);
        for (size_t gone = 0; gone < n; gone++) {
            size_t at = (first + gone * 7) % n;
            assert_ptr_equal(wa_map_take(&m, wa_sv(found[at])), found[at]);
            for (size_t later = 0; later < n; later++) {
                size_t k = (first + later * 7) % n;
                assert_ptr_equal(wa_map_get(&m, wa_sv(found[k])), later <= gone ? NULL : found[k]);
            }
        }
        assert_int_equal(m.n, 0);
        wa_map_fini(&m);
    }
}

static enum wa_code put(void *arg, struct wa_err *err)
{
    WA_UNUSED(arg);
    WA_AUTO_MAP struct wa_map m;
    char key[16];
    static int value, other;
    wa_map_init(&m, 5);
    for (unsigned i = 0; i < 60; i++) {
        void *old = &other;
        enum wa_code code = wa_map_put(&m, key_of(key, i), &value, &old, err);
        assert_int_equal(m.n, code == WA_OK ? i + 1 : i);
        for (unsigned k = 0; k < 62; k++)
            assert_ptr_equal(wa_map_get(&m, key_of(key, k)), k < m.n ? &value : NULL);
        if (code != WA_OK) {
            assert_ptr_equal(old, &other);
            return code;
        }
    }
    return WA_OK;
}

static void test_torture(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(put, NULL) > 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash),       cmocka_unit_test(test_keys),
        cmocka_unit_test(test_order),      cmocka_unit_test(test_churn),
        cmocka_unit_test(test_collisions), cmocka_unit_test(test_torture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
