/* Windows' files, held to os/fs.h: what is below a directory, replacing, links, rights, long and
 * foreign names. */
#include "testlib.h"

#include <windows.h>

#include "os/fs.h"
#include "os/path.h"

static struct wa_relpath rel(const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p;
    WA_ASSERT_OK(wa_relpath_parse(wa_sv(text), &p, &err));
    return p;
}

static void write_file(const struct wa_dir *dir, const char *name, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel(name);
    WA_ASSERT_OK(wa_file_replace(dir, &p, wa_sv(text), 0644, &err));
}

static void holds(const struct wa_dir *dir, const char *name, const char *text)
{
    WA_AUTO_BUF struct wa_buf b;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel(name);
    wa_buf_init(&b, 1000);
    WA_ASSERT_OK(wa_file_read(dir, &p, 1000, &b, &err));
    assert_string_equal(wa_buf_str(&b), text);
}

static void open_top(void **state, struct wa_dir *ret)
{
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_dir_open(*state, ret, &err));
}

static void files(void **state)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("a/b/Gr\xc3\xbc\xc3\x9f"
                              "e \xe4\xb8\xad.txt"),
                      sub = rel("a/b");
    struct wa_stat st;
    char bytes[3];
    open_top(state, &dir);
    WA_ASSERT_OK(wa_file_create(&dir, &p, 0644, &fd, &err));
    WA_ASSERT_OK(wa_fd_write_all(fd, "abc", 3, &err));
    WA_ASSERT_OK(wa_fd_read_at(fd, 1, bytes, 2, &err));
    assert_memory_equal(bytes, "bc", 2);
    WA_ASSERT_OK(wa_fd_write_all(fd, "def", 3, &err)); /* where it was, not where was read */
    WA_ASSERT_OK(wa_fd_sync(fd, &err));
    WA_ASSERT_CODE(wa_fd_read_at(fd, 5, bytes, 2, &err), WA_E_INVALID);
    wa_fd_close(&fd);
    holds(&dir, p.p, "abcdef");
    WA_ASSERT_OK(wa_file_stat(&dir, &p, &st, &err));
    assert_int_equal(st.size, 6);
    assert_true(st.is_file && !st.is_dir && !st.is_link && st.mtime > 1600000000);
    assert_int_equal(wa_file_create(&dir, &p, 0644, &fd, &err), WA_E_EXISTS);
    wa_err_clear(&err);
    WA_ASSERT_CODE(wa_file_open(&dir, &sub, &fd, &err), WA_E_INVALID);
    WA_ASSERT_OK(wa_file_continue(&dir, &p, &fd, &err));
    WA_ASSERT_OK(wa_fd_write_all(fd, "g", 1, &err));
    wa_fd_close(&fd);
    holds(&dir, p.p, "abcdefg");
    WA_ASSERT_OK(wa_file_remove(&dir, &p, &err));
    WA_ASSERT_CODE(wa_file_open(&dir, &p, &fd, &err), WA_E_NOT_FOUND);
}

static void replaced_while_open(void **state)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("f"), other = rel("sub/g");
    open_top(state, &dir);
    write_file(&dir, "f", "old");
    WA_ASSERT_OK(wa_file_open(&dir, &p, &fd, &err));
    wa_fd_close(&fd);
    write_file(&dir, "f", "new");
    holds(&dir, "F", "new"); /* names have no case here */
    WA_ASSERT_OK(wa_file_rename(&dir, &p, &dir, &other, &err));
    holds(&dir, "sub/g", "new");
    WA_ASSERT_CODE(wa_file_rename(&dir, &p, &dir, &other, &err), WA_E_NOT_FOUND);
}

static enum wa_code count(void *user, const char *name, const struct wa_stat *st,
                          struct wa_err *err)
{
    WA_UNUSED(st);
    WA_UNUSED(err);
    wa_buf_adds(user, name);
    wa_buf_addc(user, ' ');
    return WA_OK;
}

static enum wa_code count_files(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    return count(user, name->p, st, err);
}

static void trees(void **state)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf names;
    WA_AUTO_BUF struct wa_buf walked;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath t = rel("t");
    wa_buf_init(&names, 1000);
    wa_buf_init(&walked, 1000);
    open_top(state, &dir);
    write_file(&dir, "t/b/two", "");
    write_file(&dir, "t/a", "");
    write_file(&dir, "t/b/one", "");
    WA_AUTO_DIR struct wa_dir sub = WA_DIR_INIT;
    WA_ASSERT_OK(wa_dir_open_sub(&dir, &t, &sub, &err));
    WA_ASSERT_OK(wa_dir_list(&sub, count, &names, &err));
    assert_string_equal(wa_buf_str(&names), "a b ");
    WA_ASSERT_OK(wa_dir_walk_files(&sub, count_files, &walked, &err));
    assert_string_equal(wa_buf_str(&walked), "a b/one b/two ");
    wa_dir_close(&sub);
    WA_ASSERT_OK(wa_tree_remove(&dir, &t, &err));
    WA_ASSERT_CODE(wa_dir_open_sub(&dir, &t, &sub, &err), WA_E_NOT_FOUND);
    WA_ASSERT_OK(wa_tree_remove(&dir, &t, &err)); /* missing is fine */
}

static void long_paths(void **state)
{
    WA_AUTO_DIR struct wa_dir made = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf back;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX], part[101];
    memset(part, 'x', 100);
    part[100] = '\0';
    (void)snprintf(path, sizeof path, "%s\\%s\\%s/%s", (const char *)*state, part, part, part);
    WA_ASSERT_OK(wa_dir_make(path, 0755, &made, &err));
    (void)snprintf(path + strlen(path), 10, "\\f");
    WA_ASSERT_OK(wa_path_replace(path, WA_SV("far away"), 0644, &err));
    wa_buf_init(&back, 100);
    WA_ASSERT_OK(wa_path_read(path, 100, &back, &err));
    assert_string_equal(wa_buf_str(&back), "far away");
    wa_dir_close(&made);
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath top = rel(part);
    open_top(state, &dir);
    WA_ASSERT_OK(wa_tree_remove(&dir, &top, &err));
}

/* A link in the place of a directory, or of a file, is not followed below a directory handle. */
static void links(void **state)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int fd = -1;
    struct wa_err err = WA_ERR_INIT;
    char target[WA_PATH_MAX], link[WA_PATH_MAX];
    struct wa_relpath through = rel("link/f"), itself = rel("link");
    struct wa_stat st;
    open_top(state, &dir);
    write_file(&dir, "real/f", "secret");
    (void)snprintf(target, sizeof target, "%s\\real", (const char *)*state);
    (void)snprintf(link, sizeof link, "%s\\link", (const char *)*state);
    if (!CreateSymbolicLinkA(link, target, SYMBOLIC_LINK_FLAG_DIRECTORY))
        fail_msg("cannot make a link: error %lu", (unsigned long)GetLastError());
    if (GetFileAttributesA(link) == INVALID_FILE_ATTRIBUTES)
        skip(); /* wine makes none, and does not say so */
    assert_int_equal(wa_file_open(&dir, &through, &fd, &err), WA_E_IO);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_file_stat(&dir, &itself, &st, &err));
    assert_true(st.is_link && !st.is_dir);
    WA_ASSERT_OK(wa_tree_remove(&dir, &itself, &err));
    holds(&dir, "real/f", "secret");
}

/* What Windows reads as something else never becomes a name below a directory. */
static void names_that_are_none(void **state)
{
    WA_UNUSED(state);
    static const char *const bad[] = {
        "con",  "NUL",      "a/PRN.txt", "com1",     "LPT9.tar.gz", "conin$",      "a.",
        "a ",   "a./b",     "x:y",       "a/f:s",    "f::$DATA",    "C:",          "C:\\x",
        "C:x",  "\\\\s\\x", "//s/x",     "\\\\?\\x", "\\\\.\\C:",   "a\\b",        "..\\x",
        "../x", "/x",       "a/../b",    "a*",       "a?b",         "com\xc2\xb9", "aux .txt",
    };
    for (size_t i = 0; i < WA_COUNT(bad); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_relpath p;
        if (wa_relpath_parse(wa_sv(bad[i]), &p, &err) != WA_E_INVALID)
            fail_msg("'%s' is taken for a relative path", bad[i]);
    }
}

static void locks(void **state)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_FD int first = -1;
    WA_AUTO_FD int second = -1;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("lock");
    open_top(state, &dir);
    WA_ASSERT_OK(wa_dir_lock(&dir, &p, &first, &err));
    WA_ASSERT_CODE(wa_dir_lock(&dir, &p, &second, &err), WA_E_BUSY);
    wa_fd_close(&first);
    WA_ASSERT_OK(wa_dir_lock(&dir, &p, &second, &err));
}

static void temporary(void **state)
{
    WA_AUTO_DIR struct wa_dir parent = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX], where[WA_PATH_MAX];
    uint64_t n = 0;
    WA_UNUSED(state);
    WA_ASSERT_OK(wa_temp_dir("wapt-unit", path, &err));
    WA_ASSERT_OK(wa_path_free_bytes(path, &n, &err));
    assert_true(n > 0);
    struct wa_sv name = wa_path_name(path);
    WA_ASSERT_OK(wa_path_dir(path, (size_t)(name.p - path), where, &err));
    WA_ASSERT_OK(wa_dir_open(where, &parent, &err));
    struct wa_relpath last = rel(name.p);
    WA_ASSERT_OK(wa_tree_remove(&parent, &last, &err));
    WA_ASSERT_CODE(wa_dir_open(path, &parent, &err), WA_E_NOT_FOUND);
}

/* The key that create-keycert writes is nobody else's to read. */
static void private_files(void **state)
{
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    struct wa_stat st;
    (void)snprintf(path, sizeof path, "%s\\key.pem", (const char *)*state);
    WA_ASSERT_OK(wa_path_replace(path, WA_SV("secret"), 0600, &err));
    WA_ASSERT_OK(wa_path_stat(path, &st, &err));
    assert_int_equal(st.mode & 077u, 0);
    (void)snprintf(path, sizeof path, "%s\\open.crt", (const char *)*state);
    WA_ASSERT_OK(wa_path_replace(path, WA_SV("known"), 0644, &err));
    WA_ASSERT_CODE(wa_path_replace(*state, WA_SV("x"), 0644, &err), WA_E_CONFLICT);
    WA_ASSERT_CODE(wa_path_replace("C:\\x\\", WA_SV("x"), 0644, &err), WA_E_USAGE);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, wa_test_tmpdir_setup, wa_test_tmpdir_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files),         TEST(replaced_while_open),
        TEST(trees),         TEST(long_paths),
        TEST(links),         cmocka_unit_test(names_that_are_none),
        TEST(locks),         TEST(temporary),
        TEST(private_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
