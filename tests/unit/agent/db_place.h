/* db_place.h - an agent's database in a directory of its own. */
#ifndef TEST_AGENT_DB_PLACE_H
#define TEST_AGENT_DB_PLACE_H

#include "testlib.h"

#include <sys/stat.h>

#include "agent/db.h"

/* A new one; ended by wa_db_close() and wa_test_tmpdir_remove(). */
static inline struct wa_db *db_place_new(char ret_dir[WA_PATH_MAX])
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_db *db = NULL;
    char folder[WA_PATH_MAX + 8];
    wa_test_tmpdir(ret_dir);
    (void)snprintf(folder, sizeof folder, "%s/db", ret_dir);
    assert_int_equal(mkdir(folder, 0700), 0);
    WA_ASSERT_OK(wa_agent_db_open(ret_dir, &db, &err));
    WA_ASSERT_OK(wa_db_exec(db, "PRAGMA synchronous = OFF", &err));
    return db;
}

#endif
