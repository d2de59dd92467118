/* Files under a directory handle: nothing gets out through a link, a replacement is whole or not
 * there. */
#include "support.h"

#include <seccomp.h>
#include <sys/resource.h>

/* --- escapes --- */

/* The room holds `secret` and `root/`, a directory handle on root/ is what the attacker has. */
static void build_trap(const struct room *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath root = rel("root/sub");
    assert_ok(wa_dir_make_sub(&r->dir, &root, 0755, &err));
    put_file(r, "secret", "secret");
    put_file(r, "root/plain", "plain");
    assert_int_equal(symlinkat("../secret", r->dir.fd, "root/end"), 0);
    assert_int_equal(symlinkat("..", r->dir.fd, "root/up"), 0);
    assert_int_equal(symlinkat(r->path, r->dir.fd, "root/abs"), 0);
    assert_int_equal(symlinkat("sub", r->dir.fd, "root/same"), 0); /* stays inside: refused too */
    assert_int_equal(symlinkat("../..", r->dir.fd, "root/sub/up"), 0);
    put_file(r, "root/sub/file", "file");
}

/* Each goes through a link. */
static const char *const through[] = {
    "up/secret", "abs/secret", "sub/up/secret", "same/file", "up/root/plain", "end/x",
};

static enum wa_code ignore_entry(void *user, const char *name, const struct wa_stat *st,
                                 struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(name);
    WA_UNUSED(st);
    WA_UNUSED(err);
    return WA_OK;
}

static void refuse_all(const struct wa_dir *root, const char *text)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel(text), plain = rel("plain");
    struct wa_dir sub = WA_DIR_INIT;
    struct wa_buf b;
    struct wa_stat st;
    int fd = -1;
    wa_buf_init(&b, 100);
    assert_int_not_equal(wa_file_open(root, &p, &fd, &err), WA_OK);
    assert_int_not_equal(wa_file_read(root, &p, 100, &b, &err), WA_OK);
    assert_int_not_equal(wa_file_create(root, &p, 0644, &fd, &err), WA_OK);
    assert_int_not_equal(wa_file_replace(root, &p, WA_SV("evil"), 0644, &err), WA_OK);
    assert_int_not_equal(wa_file_stat(root, &p, &st, &err), WA_OK);
    assert_int_not_equal(wa_file_remove(root, &p, &err), WA_OK);
    assert_int_not_equal(wa_file_rename(root, &plain, root, &p, &err), WA_OK);
    assert_int_not_equal(wa_file_rename(root, &p, root, &plain, &err), WA_OK);
    assert_int_not_equal(wa_dir_lock(root, &p, &fd, &err), WA_OK);
    assert_int_not_equal(wa_dir_open_sub(root, &p, &sub, &err), WA_OK);
    assert_int_not_equal(wa_dir_make_sub(root, &p, 0755, &err), WA_OK);
    assert_int_not_equal(wa_tree_remove(root, &p, &err), WA_OK);
    assert_int_equal(fd, -1);
    assert_int_equal(sub.fd, -1);
    assert_int_equal(b.n, 0);
    wa_buf_fini(&b);
}

static void refuse_links(const struct room *r)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_dir root = WA_DIR_INIT;
    struct wa_relpath name = rel("root"), link = rel("end");
    int fd = -1;
    assert_ok(wa_dir_open_sub(&r->dir, &name, &root, &err));
    for (size_t i = 0; i < WA_COUNT(through); i++)
        refuse_all(&root, through[i]);
    assert_int_not_equal(wa_file_open(&root, &link, &fd, &err), WA_OK);
    assert_int_not_equal(wa_file_create(&root, &link, 0644, &fd, &err), WA_OK);
    assert_int_not_equal(wa_dir_lock(&root, &link, &fd, &err), WA_OK);
    link = rel("up");
    assert_int_not_equal(wa_dir_open_sub(&root, &link, &root, &err), WA_OK);
    wa_dir_close(&root);
    assert_file(r, "secret", "secret");
    assert_file(r, "root/plain", "plain");
    assert_file(r, "root/sub/file", "file");
}

static void test_links_lead_nowhere(void **state)
{
    build_trap(*state);
    refuse_links(*state);
}

/* Where openat2 is missing the walk by parts must refuse the same. */
static int refuse_links_by_walking(void *arg)
{
    scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
    if (ctx == NULL || seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0) != 0 ||
        seccomp_load(ctx) != 0)
        return 1;
    seccomp_release(ctx);
    refuse_links(arg); /* a failed assertion ends the child otherwise than with 42 */
    return 42;
}

static void test_links_lead_nowhere_without_openat2(void **state)
{
    build_trap(*state);
    int status = in_child(refuse_links_by_walking, *state);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 42);
}

/* What takes the name itself, not what it leads to, acts on the link. */
static void test_a_link_at_the_end_is_the_link(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_stat st;
    struct wa_relpath link = rel("root/end"), dir_link = rel("root/up");
    build_trap(r);
    assert_ok(wa_file_stat(&r->dir, &link, &st, &err));
    assert_true(st.is_link);
    assert_ok(wa_file_replace(&r->dir, &link, WA_SV("new"), 0600, &err));
    assert_ok(wa_file_stat(&r->dir, &link, &st, &err));
    assert_true(st.is_file);
    assert_file(r, "root/end", "new");
    assert_file(r, "secret", "secret");
    assert_ok(wa_tree_remove(&r->dir, &dir_link, &err));
    assert_code(wa_file_stat(&r->dir, &dir_link, &st, &err), WA_E_NOT_FOUND);
    assert_file(r, "secret", "secret");
}

/* --- whole files --- */

static enum wa_code count_entry(void *user, const char *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    char *names = user;
    WA_UNUSED(st);
    WA_UNUSED(err);
    (void)snprintf(names + strlen(names), 256 - strlen(names), "%s ", name);
    return WA_OK;
}

static void assert_entries(const struct wa_dir *d, const char *expected)
{
    struct wa_err err = WA_ERR_INIT;
    char names[256] = "";
    assert_ok(wa_dir_list(d, count_entry, names, &err));
    assert_string_equal(names, expected);
}

static void test_replace_leaves_the_new_file_alone(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("file");
    struct wa_stat st;
    put_file(r, "file", "old");
    assert_ok(wa_file_replace(&r->dir, &p, WA_SV("new"), 0640, &err));
    assert_file(r, "file", "new");
    assert_ok(wa_file_stat(&r->dir, &p, &st, &err));
    assert_int_equal(st.mode, 0640);
    assert_entries(&r->dir, "file ");
}

static void test_a_failed_replace_leaves_the_old_file_alone(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("file"), d = rel("dir"), below = rel("file/below");
    struct rlimit old, small = {4096, 4096};
    WA_AUTO_STR char *large = wa_calloc(1, 8192);
    assert_non_null(large);
    put_file(r, "file", "old");
    assert_ok(wa_dir_make_sub(&r->dir, &d, 0755, &err));
    assert_int_not_equal(wa_file_replace(&r->dir, &d, WA_SV("x"), 0644, &err), WA_OK);
    assert_int_not_equal(wa_file_replace(&r->dir, &below, WA_SV("x"), 0644, &err), WA_OK);
    (void)signal(SIGXFSZ, SIG_IGN); /* stands for a disk that becomes full in the middle */
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    small.rlim_max = old.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum wa_code code = wa_file_replace(&r->dir, &p, wa_sv_n(large, 8192), 0644, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_not_equal(code, WA_OK);
    assert_file(r, "file", "old");
    assert_entries(&r->dir, "dir file ");
}

static void test_replace_by_path_takes_no_link(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX + 16];
    put_file(r, "file", "old");
    assert_int_equal(symlinkat("file", r->dir.fd, "link"), 0);
    (void)snprintf(path, sizeof path, "%s/link", r->path);
    assert_code(wa_path_replace(path, WA_SV("new"), 0644, &err), WA_E_CONFLICT);
    (void)snprintf(path, sizeof path, "%s/file", r->path);
    assert_ok(wa_path_replace(path, WA_SV("new"), 0600, &err));
    assert_file(r, "file", "new");
    (void)snprintf(path, sizeof path, "%s/", r->path);
    assert_code(wa_path_replace(path, WA_SV("new"), 0644, &err), WA_E_USAGE);
    (void)snprintf(path, sizeof path, "%s/no/file", r->path);
    assert_code(wa_path_replace(path, WA_SV("new"), 0644, &err), WA_E_NOT_FOUND);
    assert_entries(&r->dir, "file link ");
}

static void test_reading_ends_at_the_cap(void **state)
{
    static const struct {
        size_t max, buffer_max;
        enum wa_code code;
    } cases[] = {
        {10, 10, WA_OK}, /* exactly */
        {10, 1000, WA_OK},     {1000, 10, WA_OK},     {1000, 1000, WA_OK},
        {9, 1000, WA_E_LIMIT}, {1000, 9, WA_E_LIMIT}, {0, 1000, WA_E_LIMIT},
    };
    const struct room *r = *state;
    struct wa_relpath p = rel("file");
    put_file(r, "file", "0123456789");
    for (size_t i = 0; i < WA_COUNT(cases); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_buf b;
        wa_buf_init(&b, cases[i].buffer_max);
        assert_int_equal(wa_file_read(&r->dir, &p, cases[i].max, &b, &err), cases[i].code);
        if (cases[i].code == WA_OK)
            assert_string_equal(wa_buf_str(&b), "0123456789");
        wa_buf_fini(&b);
    }
}

static void test_only_regular_files_are_read(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath fifo = rel("fifo"), dir = rel("dir"), none = rel("none");
    int fd = -1;
    assert_int_equal(mkfifoat(r->dir.fd, "fifo", 0600), 0);
    assert_ok(wa_dir_make_sub(&r->dir, &dir, 0755, &err));
    assert_code(wa_file_open(&r->dir, &fifo, &fd, &err), WA_E_INVALID); /* and does not hang */
    assert_code(wa_file_open(&r->dir, &dir, &fd, &err), WA_E_INVALID);
    assert_code(wa_file_open(&r->dir, &none, &fd, &err), WA_E_NOT_FOUND);
    assert_int_equal(fd, -1);
}

static void test_create_makes_parents_and_is_exclusive(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("a/b/file");
    struct wa_stat st;
    int fd = -1;
    assert_ok(wa_file_create(&r->dir, &p, 0600, &fd, &err));
    assert_ok(wa_fd_write_all(fd, "text", 4, &err));
    assert_ok(wa_fd_sync(fd, &err));
    assert_ok(wa_fd_stat(fd, &st, &err));
    assert_int_equal(st.size, 4);
    assert_int_equal(st.mode, 0600);
    wa_fd_close(&fd);
    assert_code(wa_file_create(&r->dir, &p, 0600, &fd, &err), WA_E_EXISTS);
    assert_int_equal(fd, -1);
    assert_file(r, "a/b/file", "text");
}

static void test_a_lock_is_held_until_it_is_closed(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("lock");
    int first = -1, second = -1;
    assert_ok(wa_dir_lock(&r->dir, &p, &first, &err));
    assert_code(wa_dir_lock(&r->dir, &p, &second, &err), WA_E_BUSY);
    assert_int_equal(second, -1);
    wa_fd_close(&first);
    assert_ok(wa_dir_lock(&r->dir, &p, &second, &err));
    wa_fd_close(&second);
}

/* --- trees --- */

static enum wa_code collect(void *user, const struct wa_relpath *name, const struct wa_stat *st,
                            struct wa_err *err)
{
    char *names = user;
    WA_UNUSED(err);
    assert_true(st->is_file);
    (void)snprintf(names + strlen(names), 256 - strlen(names), "%s ", name->p);
    return WA_OK;
}

static void test_walks_are_sorted_and_meet_only_files(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    char names[256] = "";
    put_file(r, "b/2", "");
    put_file(r, "b/10", "");
    put_file(r, "a", "");
    put_file(r, "c", "");
    assert_ok(wa_dir_walk_files(&r->dir, collect, names, &err));
    assert_string_equal(names, "a b/10 b/2 c ");
    assert_int_equal(symlinkat("a", r->dir.fd, "b/link"), 0);
    assert_code(wa_dir_walk_files(&r->dir, collect, names, &err), WA_E_INVALID);
    assert_int_equal(unlinkat(r->dir.fd, "b/link", 0), 0);
    assert_int_equal(mkfifoat(r->dir.fd, "fifo", 0600), 0);
    assert_code(wa_dir_walk_files(&r->dir, collect, names, &err), WA_E_INVALID);
}

static enum wa_code stop_at_b(void *user, const char *name, const struct wa_stat *st,
                              struct wa_err *err)
{
    int *seen = user;
    WA_UNUSED(st);
    ++*seen;
    return strcmp(name, "b") == 0 ? wa_fail(err, WA_E_CANCELLED, "enough") : WA_OK;
}

static void test_a_list_stops_at_the_first_failure(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    int seen = 0;
    put_file(r, "a", "");
    put_file(r, "b", "");
    put_file(r, "c", "");
    assert_code(wa_dir_list(&r->dir, stop_at_b, &seen, &err), WA_E_CANCELLED);
    assert_int_equal(seen, 2);
    assert_ok(wa_dir_list(&r->dir, ignore_entry, NULL, &err));
}

static void test_removing_a_tree_spares_what_links_lead_to(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath tree = rel("tree");
    put_file(r, "keep/file", "kept");
    put_file(r, "tree/a/b/c/file", "x");
    assert_int_equal(symlinkat("../../keep", r->dir.fd, "tree/a/link"), 0);
    assert_int_equal(mkdirat(r->dir.fd, "tree/odd\nname\\:", 0755), 0); /* not a relpath */
    assert_ok(wa_tree_remove(&r->dir, &tree, &err));
    assert_ok(wa_tree_remove(&r->dir, &tree, &err)); /* missing is fine */
    assert_entries(&r->dir, "keep ");
    assert_file(r, "keep/file", "kept");
}

static void test_renaming_makes_parents(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath from = rel("a"), to = rel("x/y/b"), none = rel("none");
    put_file(r, "a", "text");
    assert_ok(wa_file_rename(&r->dir, &from, &r->dir, &to, &err));
    assert_file(r, "x/y/b", "text");
    assert_code(wa_file_rename(&r->dir, &none, &r->dir, &to, &err), WA_E_NOT_FOUND);
    assert_file(r, "x/y/b", "text");
    assert_ok(wa_file_remove(&r->dir, &to, &err));
    assert_code(wa_file_remove(&r->dir, &to, &err), WA_E_NOT_FOUND);
}

/* --- streams, paths, space --- */

static void test_a_source_reads_exactly_or_fails(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath p = rel("file");
    struct wa_fd_source s;
    struct wa_fd_sink sink;
    char b[10];
    int fd = -1;
    assert_ok(wa_file_create(&r->dir, &p, 0600, &fd, &err));
    wa_fd_sink_init(&sink, fd);
    assert_ok(sink.base.write(&sink.base, "0123", 4, &err));
    assert_ok(sink.base.write(&sink.base, "456789", 6, &err));
    assert_ok(sink.base.write_at(&sink.base, 4, "x", 1, &err));
    assert_ok(sink.base.write(&sink.base, "z", 1, &err));
    assert_ok(wa_fd_source_init(&s, fd, &err));
    assert_int_equal(s.base.size, 11);
    assert_ok(s.base.read_at(&s.base, 3, b, 4, &err));
    assert_memory_equal(b, "3x56", 4);
    assert_int_equal(ftruncate(fd, 10), 0);
    assert_ok(wa_fd_source_init(&s, fd, &err));
    assert_ok(s.base.read_at(&s.base, 10, b, 0, &err));
    assert_code(s.base.read_at(&s.base, 8, b, 3, &err), WA_E_INVALID);
    assert_code(s.base.read_at(&s.base, UINT64_MAX, b, 2, &err), WA_E_INVALID);
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_code(s.base.read_at(&s.base, 0, b, 10, &err), WA_E_INVALID);
    wa_fd_close(&fd);
    assert_code(wa_fd_source_init(&s, r->dir.fd, &err), WA_E_INVALID);
}

static void test_directories_by_path(void **state)
{
    const struct room *r = *state;
    struct wa_err err = WA_ERR_INIT;
    struct wa_dir d = WA_DIR_INIT;
    struct wa_stat st;
    uint64_t free_bytes = 0;
    char path[WA_PATH_MAX + 16];
    (void)snprintf(path, sizeof path, "%s/one//two/", r->path);
    assert_code(wa_dir_open(path, &d, &err), WA_E_NOT_FOUND);
    assert_ok(wa_dir_make(path, 0700, &d, &err));
    wa_dir_close(&d);
    assert_ok(wa_path_stat(path, &st, &err));
    assert_true(st.is_dir);
    assert_int_equal(st.mode, 0700);
    assert_ok(wa_path_free_bytes(path, &free_bytes, &err));
    assert_true(free_bytes > 0);
    put_file(r, "file", "");
    (void)snprintf(path, sizeof path, "%s/file/sub", r->path);
    assert_int_not_equal(wa_dir_make(path, 0700, &d, &err), WA_OK);
    assert_int_equal(d.fd, -1);
    wa_dir_close(&d); /* closed twice is fine */
}

#define T(f) cmocka_unit_test_setup_teardown(f, room_setup, room_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_links_lead_nowhere),
        T(test_links_lead_nowhere_without_openat2),
        T(test_a_link_at_the_end_is_the_link),
        T(test_replace_leaves_the_new_file_alone),
        T(test_a_failed_replace_leaves_the_old_file_alone),
        T(test_replace_by_path_takes_no_link),
        T(test_reading_ends_at_the_cap),
        T(test_only_regular_files_are_read),
        T(test_create_makes_parents_and_is_exclusive),
        T(test_a_lock_is_held_until_it_is_closed),
        T(test_walks_are_sorted_and_meet_only_files),
        T(test_a_list_stops_at_the_first_failure),
        T(test_removing_a_tree_spares_what_links_lead_to),
        T(test_renaming_makes_parents),
        T(test_a_source_reads_exactly_or_fails),
        T(test_directories_by_path),
    };
    return cmocka_run_group_tests_name("os/fs", tests, NULL, NULL);
}
