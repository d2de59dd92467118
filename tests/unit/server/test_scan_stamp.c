/* When a repository's timestamp is to be made anew: with half of its life over, for another list,
 * and when the clock that made it was ahead. */
#include "testlib.h"

#include "../repo/metadata.h"

#include "os/fs.h"
#include "repo/publish.h"
#include "server/scan_metadata.h"

struct place {
    struct people people;
    struct wa_dir dir;
    struct wa_buf list;
};

static void put(struct place *p, int64_t version)
{
    struct wa_err err = WA_ERR_INIT;
    char name[64];
    wa_buf_fini(&p->list);
    list_make(&p->people, (struct list_what){.version = version}, &p->list);
    (void)snprintf(name, sizeof name, "%lld.published.json", (long long)version);
    WA_ASSERT_OK(wa_publish_write(&p->dir, name, wa_buf_sv(&p->list), &err));
}

static void stamp(struct place *p, int64_t version)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf json;
    stamp_make(&p->people, wa_buf_sv(&p->list), version, NULL, 24, &json);
    WA_ASSERT_OK(wa_scan_take_timestamp(&p->dir, wa_buf_sv(&json), NOW, &err));
}

static bool is_to_stamp(struct place *p, int64_t now)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 4096);
    WA_ASSERT_OK(wa_scan_to_stamp(&p->dir, now, &out, &err));
    return out.n > 0;
}

static void test_when(void **state)
{
    struct place p = {.dir = WA_DIR_INIT};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf root;
    WA_ASSERT_OK(wa_dir_open(*state, &p.dir, &err));
    people_make(&p.people);
    root_make(&p.people, (struct root_what){.version = 1}, &root);
    assert_false(is_to_stamp(&p, NOW)); /* without a root there is no timestamp */
    WA_ASSERT_OK(wa_publish_put_root(&p.dir, wa_buf_sv(&root), &err));
    assert_false(is_to_stamp(&p, NOW));
    put(&p, 1);
    assert_true(is_to_stamp(&p, NOW));
    stamp(&p, 1);
    assert_false(is_to_stamp(&p, NOW));
    assert_false(is_to_stamp(&p, NOW + 11 * 3600));
    assert_true(is_to_stamp(&p, NOW + 13 * 3600));
    assert_true(is_to_stamp(&p, NOW + 25 * 3600));
    put(&p, 2);
    assert_true(is_to_stamp(&p, NOW));
    stamp(&p, 2);
    assert_false(is_to_stamp(&p, NOW - 60));
    /* Made by a clock that was days ahead: machines refuse it as one that has not come yet. */
    assert_true(is_to_stamp(&p, NOW - 3 * DAY));
    people_free(&p.people);
    wa_buf_fini(&p.list);
    wa_dir_close(&p.dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_when, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
