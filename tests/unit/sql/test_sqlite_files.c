/* SQLite: the file's rights and links. */
#include "support.h"

#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"

static void make_path(char out[WA_PATH_MAX + 64], const char *dir, const char *name)
{
    (void)snprintf(out, WA_PATH_MAX + 64, "%s/%s", dir, name);
}

static struct wa_db *open_in(const char *dir, const char *name)
{
    char url[WA_PATH_MAX + 64];
    (void)snprintf(url, sizeof url, "sqlite:%s/%s", dir, name);
    return open_url(url);
}

static enum wa_code try_open(const char *dir, const char *name, struct wa_err *err)
{
    char url[WA_PATH_MAX + 64];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s/%s", dir, name);
    return wa_db_open(url, &db, err);
}

static unsigned mode_of(const char *dir, const char *name)
{
    char path[WA_PATH_MAX + 64];
    struct wa_stat st;
    struct wa_err err = WA_ERR_INIT;
    make_path(path, dir, name);
    WA_ASSERT_OK(wa_path_stat(path, &st, &err));
    return st.mode & 07777;
}

static void files_are_their_owner_s(void **state)
{
    mode_t old = umask(0);
    WA_AUTO(wa_db) struct wa_db *db = open_in(*state, "x.db");
    must_exec(db, "CREATE TABLE t (x)");
    (void)umask(old);
    assert_int_equal(mode_of(*state, "x.db"), 0600);
    assert_int_equal(mode_of(*state, "x.db-wal"), 0600);
    assert_int_equal(mode_of(*state, "x.db-shm"), 0600);
}

static void links_and_directories(void **state)
{
    const char *dir = *state;
    char real[WA_PATH_MAX + 64], link[WA_PATH_MAX + 64], target[WA_PATH_MAX + 64];
    struct wa_err err = WA_ERR_INIT;

    make_path(real, dir, "real");
    make_path(link, dir, "link");
    assert_int_equal(mkdir(real, 0700), 0);
    assert_int_equal(symlink(real, link), 0);
    WA_ASSERT_OK(
        try_open(dir, "link/x.db", &err)); /* a directory may be a link of the administrator's */
    assert_int_equal(mode_of(dir, "real/x.db"), 0600);
    make_path(target, dir, "real/x.db");
    make_path(link, dir, "y.db");
    assert_int_equal(symlink(target, link), 0);
    WA_ASSERT_CODE(try_open(dir, "y.db", &err), WA_E_IO); /* the file itself may not */
    WA_ASSERT_CODE(try_open(dir, "nowhere/x.db", &err), WA_E_NOT_FOUND);
    WA_ASSERT_CODE(try_open(dir, "real", &err), WA_E_IO);
    WA_ASSERT_CODE(try_open(dir, "", &err), WA_E_INVALID);
    WA_ASSERT_CODE(wa_db_open("sqlite:", &(struct wa_db *){NULL}, &err), WA_E_INVALID);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {TEST(files_are_their_owner_s), TEST(links_and_directories)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
