/* Memory runs out at each allocation of a walk in turn: what was known is not forgotten, and
 * nothing is accepted by half.
 */
#include "metadata.h"

#include "torture.h"

static struct people people;
static struct wa_buf first, second, stamp, list, before;

static struct wa_sv bytes_of(enum wa_follow_kind kind, bool *second_came)
{
    switch (kind) {
    case WA_FOLLOW_ROOT:
        if (*second_came)
            return WA_SV("");
        *second_came = true;
        return wa_buf_sv(&second);
    case WA_FOLLOW_TIMESTAMP:
        return wa_buf_sv(&stamp);
    case WA_FOLLOW_PUBLISHED:
        return wa_buf_sv(&list);
    case WA_FOLLOW_DONE:
        break;
    }
    return WA_SV("");
}

static enum wa_code walk(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_follow) struct wa_follow *f = NULL;
    struct wa_follow_want want;
    bool second_came = false;
    WA_UNUSED(arg);
    if (wa_follow_new(wa_buf_sv(&first), wa_buf_sv(&before), NOW, &f, err) != WA_OK)
        return err->code;
    assert_int_equal(wa_follow_published(f)->version, 4);
    while (wa_follow_want(f, &want)) {
        struct wa_sv bytes = bytes_of(want.kind, &second_came);
        if (wa_follow_take(f, bytes.n > 0 ? &bytes : NULL, err) != WA_OK) {
            assert_true(wa_follow_published(f)->version == 4);
            return err->code;
        }
    }
    assert_int_equal(wa_follow_root(f)->version, 2);
    assert_int_equal(wa_follow_published(f)->version, 5);
    return WA_OK;
}

static enum wa_code trust(void *arg, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO(wa_published) struct wa_published *p = NULL;
    WA_AUTO(wa_trust) struct wa_trust *t = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_UNUSED(arg);
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    if (wa_root_read(wa_buf_sv(&second), &r, err) != WA_OK ||
        wa_published_read(wa_buf_sv(&list), &p, err) != WA_OK || wa_trust_new(&t, err) != WA_OK ||
        wa_root_trust(r, t, err) != WA_OK || wa_published_revoke(p, t, err) != WA_OK ||
        wa_root_write(r, &text, err) != WA_OK)
        return err->code;
    return WA_OK;
}

static void tortured(void **state)
{
    (void)state;
    people_make(&people);
    root_make(&people, (struct root_what){.version = 1}, &first);
    root_make(&people, (struct root_what){.version = 2}, &second);
    list_make(&people, (struct list_what){.version = 4}, &before);
    list_make(&people,
              (struct list_what){.version = 5, .revoked = wa_cert_fingerprint(people.certs[DAVE])},
              &list);
    stamp_make(&people, wa_buf_sv(&list), 5, NULL, 24, &stamp);
    assert_true(wa_torture(walk, NULL) > 20);
    assert_true(wa_torture(trust, NULL) > 20);
    struct wa_buf *const all[] = {&first, &second, &before, &list, &stamp};
    for (size_t i = 0; i < WA_COUNT(all); i++)
        wa_buf_fini(all[i]);
    people_free(&people);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tortured)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
