/* A server that is away for long: nothing grows, and its agents come back one by one. */
#include "testlib.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "agent/backoff.h"
#include "agent/db.h"

#define FAILURES 100000u

static void test_backoff(void **state)
{
    uint64_t sum = 0;
    WA_UNUSED(state);
    for (unsigned i = 0; i < 64; i++) {
        uint64_t bound = i < 9 ? 1000u << i : 300000;
        for (int k = 0; k < 100; k++) {
            uint64_t ms = wa_backoff(1000, 300000, i);
            assert_in_range(ms, 1, bound);
        }
    }
    for (uint64_t i = 0; i < FAILURES; i++)
        sum += wa_backoff(1000, 300000, i);
    /* Spread over the whole, not bunched at its end: half of it on average. */
    assert_in_range(sum / FAILURES, 145000, 155000);
    assert_in_range(wa_backoff(1, UINT64_MAX, UINT64_MAX), 1, UINT64_MAX);
    assert_int_equal(wa_backoff(1, 1, UINT64_MAX), 1);
}

/* Of the database, with all that was committed in it. */
static int64_t settled_size(struct wa_db *db, const char *dir)
{
    char path[WA_PATH_MAX + 64];
    struct stat st;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_db_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", &err));
    (void)snprintf(path, sizeof path, "%s/db/waptagent.sqlite", dir);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

/* Every attempt to send fails, for years. */
static void test_outbox(void **state)
{
    char dir[WA_PATH_MAX], path[WA_PATH_MAX + 8];
    struct wa_err err = WA_ERR_INIT;
    struct wa_db *db = NULL;
    int64_t now = 1000, before = 0;
    WA_UNUSED(state);
    wa_test_tmpdir(dir);
    (void)snprintf(path, sizeof path, "%s/db", dir);
    assert_int_equal(mkdir(path, 0700), 0);
    WA_ASSERT_OK(wa_agent_db_open(dir, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, "PRAGMA synchronous = OFF", &err));
    for (int i = 0; i < 256; i++) {
        char id[33];
        bool has_room = false;
        (void)snprintf(id, sizeof id, "%032x", i);
        WA_ASSERT_OK(wa_outbox_has_room(db, id, 256, &has_room, &err));
        assert_true(has_room);
        WA_ASSERT_OK(wa_outbox_add(db, id, "refused", "refused", WA_SV("no"), WA_SV(""), &err));
    }
    for (unsigned i = 0; i < FAILURES; i++) {
        struct wa_outbox_item item;
        bool found = false;
        if (i % 100 == 0 && i > 0)
            WA_ASSERT_OK(wa_db_commit(db, &err));
        if (i == FAILURES / 10)
            before = settled_size(db, dir);
        if (i % 100 == 0)
            WA_ASSERT_OK(wa_db_begin(db, &err));
        WA_ASSERT_OK(wa_outbox_next(db, now, &item, &found, &err));
        if (found) {
            WA_ASSERT_OK(wa_outbox_later(db, item.id, now + (int64_t)wa_backoff(5, 3600, i), &err));
            wa_outbox_item_fini(&item);
        }
        now += 60;
    }
    WA_ASSERT_OK(wa_db_commit(db, &err));
    bool has_room = true;
    WA_ASSERT_OK(wa_outbox_has_room(db, "another", 256, &has_room, &err));
    assert_false(has_room);
    assert_true(before > 0);
    assert_in_range(settled_size(db, dir), before, before + 65536);
    /* It is back: all goes at once, in order, and nothing is left. */
    WA_ASSERT_OK(wa_outbox_hurry(db, &err));
    for (int i = 0; i <= 256; i++) {
        struct wa_outbox_item item;
        bool found = false;
        char id[33];
        WA_ASSERT_OK(wa_outbox_next(db, 1, &item, &found, &err));
        assert_int_equal(found, i < 256);
        if (!found)
            break;
        (void)snprintf(id, sizeof id, "%032x", i);
        assert_string_equal(item.action_id, id);
        WA_ASSERT_OK(wa_outbox_done(db, item.id, &err));
        wa_outbox_item_fini(&item);
    }
    wa_db_close(db);
    wa_test_tmpdir_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_outbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
