/* The scan process is killed before each thing it does to the disk while it publishes, replaces or
 * deletes a package: readers find the old or the new one at any moment, and after the next start
 * the index tells of what is there; what was asked for can be asked again.
 */
#include "torture.h"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/digest.h"
#include "os/proc.h"
#include "pkg/index.h"
#include "server/rights.h"
#include "server/scan_role.h"

#define PART "incoming/up_0123456789abcdef0123456789abcdef.part"

struct place {
    struct wa_scan_role role;
    struct wa_chan *store; /* the other end */
    char dir[WA_PATH_MAX];
    struct wa_buf old, fresh;
    char name[2 * WA_NAME_MAX + 1]; /* of fresh's file */
    char sha256[WA_SHA256_HEX];
};

static struct wa_relpath rel(const char *text)
{
    struct wa_relpath p;
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_relpath_parse(wa_sv(text), &p, &err));
    return p;
}

static void make_dir(const struct place *p, const char *name)
{
    char path[WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%.3000s/%s", p->dir, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void read_vector(const char *name, struct wa_buf *out)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(out, 1u << 22);
    (void)snprintf(path, sizeof path, "%s/%s", WA_VECTORS, name);
    WA_ASSERT_OK(wa_path_read(path, 1u << 22, out, &err));
}

static void name_fresh(struct place *p)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *a = NULL;
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_mem_source source;
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    size_t at = 0;
    wa_control_init(&c);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    wa_mem_source_init(&source, p->fresh.p, p->fresh.n);
    WA_ASSERT_OK(wa_archive_members_open(&source.base, &a, &err));
    struct wa_members *m = wa_archive_members_get(a);
    assert_true(wa_members_find(m, "WAPT/control", &at));
    WA_ASSERT_OK(m->read(m, at, &sink.base, &err));
    WA_ASSERT_OK(wa_control_parse(wa_buf_sv(&text), &c, &err));
    WA_ASSERT_OK(wa_control_filename(&c, NULL, p->name, &err));
}

static void put(const struct place *p, const char *path, const struct wa_buf *bytes)
{
    struct wa_relpath r = rel(path);
    struct wa_err err = WA_ERR_INIT;
    WA_ASSERT_OK(wa_file_replace(&p->role.repo, &r, wa_buf_sv(bytes), 0644, &err));
}

static char *wapt_of(const struct place *p, char out[WA_PATH_MAX])
{
    (void)snprintf(out, WA_PATH_MAX, "wapt/%.500s", p->name);
    return out;
}

static void make(struct place *p, bool has_old)
{
    static const char *const dirs[] = {"repo", "repo/incoming", "repo/wapt", "repo/wapt-host"};
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    int pair[2];
    *p = (struct place){.role = {.repo = WA_DIR_INIT, .child = {.log = {.fd = -1}}}};
    wa_test_tmpdir(p->dir);
    for (size_t i = 0; i < WA_COUNT(dirs); i++)
        make_dir(p, dirs[i]);
    (void)snprintf(p->role.path, sizeof p->role.path, "%.3000s/repo", p->dir);
    (void)snprintf(p->role.wapt, sizeof p->role.wapt, "%.3000s/repo/wapt", p->dir);
    (void)snprintf(p->role.trusted, sizeof p->role.trusted, "%s/trust/main", WA_VECTORS);
    WA_ASSERT_OK(wa_dir_open(p->role.path, &p->role.repo, &err));
    WA_ASSERT_OK(wa_socketpair(pair, &err));
    WA_ASSERT_OK(
        wa_chan_new(pair[0], wa_server_rules(WA_SR_STORE, WA_SR_SCAN), &p->role.chan, &err));
    WA_ASSERT_OK(wa_chan_new(pair[1], wa_server_rules(WA_SR_SCAN, WA_SR_STORE), &p->store, &err));
    read_vector("valid/base-ca-leaf-only.wapt", &p->old);
    read_vector("valid/base-ca-chain.wapt", &p->fresh);
    name_fresh(p);
    WA_ASSERT_OK(wa_sha256_hex(p->fresh.p, p->fresh.n, p->sha256, &err));
    if (has_old)
        put(p, wapt_of(p, path), &p->old);
    WA_ASSERT_OK(wa_scan_index(&p->role, NULL, &err));
    put(p, PART, &p->fresh);
}

static void drop(struct place *p)
{
    wa_chan_free(p->role.chan);
    wa_chan_free(p->store);
    wa_dir_close(&p->role.repo);
    wa_buf_fini(&p->old);
    wa_buf_fini(&p->fresh);
    wa_test_tmpdir_remove(p->dir);
}

/* --- what is done, and what it leaves --- */

static enum wa_code accept_it(struct place *p, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf names;
    const struct wa_scan_question q = {.op = WA_SV("accept"),
                                       .file = WA_SV(PART),
                                       .name = wa_sv(p->name),
                                       .sha256 = wa_sv(p->sha256),
                                       .size = (int64_t)p->fresh.n,
                                       .rights = WA_MAY_UPLOAD_PLAIN | WA_MAY_UPLOAD_CODE};
    wa_buf_init(&names, 4096);
    return wa_scan_accept(&p->role, &q, &names, err);
}

static enum wa_code delete_it(struct place *p, struct wa_err *err)
{
    char path[WA_PATH_MAX];
    struct wa_relpath r = rel(wapt_of(p, path));
    return wa_scan_delete(&p->role, &r, err);
}

/* 'o', 'n' or '-': which one there is. Anything else is a failure. */
static char which(const struct place *p)
{
    char path[WA_PATH_MAX];
    struct wa_relpath r = rel(wapt_of(p, path));
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&bytes, 1u << 22);
    if (wa_file_read(&p->role.repo, &r, 1u << 22, &bytes, &err) == WA_E_NOT_FOUND)
        return '-';
    if (wa_sv_eq(wa_buf_sv(&bytes), wa_buf_sv(&p->old)))
        return 'o';
    assert_true(wa_sv_eq(wa_buf_sv(&bytes), wa_buf_sv(&p->fresh)));
    return 'n';
}

/* The index has one entry with that MD5, or none. */
static void check_index(const struct place *p, char there)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *a = NULL;
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf bytes;
    struct wa_mem_source source, file;
    struct wa_relpath r = rel("wapt/Packages");
    struct wa_err err = WA_ERR_INIT;
    char md5[WA_DIGEST_HEX_MAX];
    size_t bad = 0;
    const struct wa_buf *expected = there == 'o' ? &p->old : &p->fresh;
    wa_index_init(&ix);
    wa_buf_init(&bytes, 1u << 22);
    WA_ASSERT_OK(wa_file_read(&p->role.repo, &r, 1u << 22, &bytes, &err));
    wa_mem_source_init(&source, bytes.p, bytes.n);
    WA_ASSERT_OK(wa_archive_members_open(&source.base, &a, &err));
    WA_ASSERT_OK(wa_index_read(wa_archive_members_get(a), &ix, &bad, &err));
    assert_int_equal(ix.n, there == '-' ? 0 : 1);
    if (there == '-')
        return;
    wa_mem_source_init(&file, expected->p, expected->n);
    WA_ASSERT_OK(wa_digest_source(WA_MD5, &file.base, md5, &err));
    assert_string_equal(wa_control_get(&ix.items[0], WA_A_MD5SUM), md5);
}

/* --- killing --- */

static bool changes_disk(uint64_t nr)
{
    static const uint64_t calls[] = {SYS_write,    SYS_fsync,  SYS_renameat, SYS_linkat,
                                     SYS_unlinkat, SYS_fchmod, SYS_mkdirat,  SYS_ftruncate};
    for (size_t i = 0; i < WA_COUNT(calls); i++)
        if (nr == calls[i])
            return true;
    return false;
}

/* True when it was killed before its step number at; false: it has ended before. */
static bool run_until(struct place *p, enum wa_code (*fn)(struct place *p, struct wa_err *err),
                      unsigned at)
{
    pid_t pid = fork();
    int status = 0;
    assert_true(pid >= 0);
    if (pid == 0) {
        struct wa_err err = WA_ERR_INIT;
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 || raise(SIGSTOP) != 0)
            _exit(99);
        _exit(fn(p, &err) == WA_OK ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(
        ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL), 0);
    for (unsigned step = 0;;) {
        struct __ptrace_syscall_info info = {.op = PTRACE_SYSCALL_INFO_NONE};
        assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        if (WIFEXITED(status)) {
            assert_int_equal(WEXITSTATUS(status), 0);
            return false;
        }
        if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof info, &info) <= 0 ||
            info.op != PTRACE_SYSCALL_INFO_ENTRY || !changes_disk(info.entry.nr) || step++ < at)
            continue;
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        return true;
    }
}

/* Each step in turn; the number of steps. */
static unsigned each_step(bool has_old, enum wa_code (*fn)(struct place *p, struct wa_err *err),
                          const char *allowed, char at_last)
{
    for (unsigned at = 0;; at++) {
        struct place p;
        struct wa_err err = WA_ERR_INIT;
        make(&p, has_old);
        bool was_killed = run_until(&p, fn, at);
        char at_once = which(&p);
        if (strchr(allowed, at_once) == NULL)
            fail_msg("killed at step %u: readers find '%c'", at, at_once);
        WA_ASSERT_OK(wa_scan_tidy(&p.role, &err));
        WA_ASSERT_OK(wa_scan_index(&p.role, NULL, &err));
        check_index(&p, which(&p));
        if (which(&p) != at_last) /* again, and it is done; also when the first time was enough */
            WA_ASSERT_OK(fn(&p, &err));
        else if (fn == accept_it)
            WA_ASSERT_OK(accept_it(&p, &err));
        assert_int_equal(which(&p), at_last);
        check_index(&p, at_last);
        drop(&p);
        if (!was_killed)
            return at;
    }
}

static void test_a_new_one(void **state)
{
    WA_UNUSED(state);
    assert_true(each_step(false, accept_it, "-n", 'n') > 8);
}

static void test_a_replacement(void **state)
{
    WA_UNUSED(state);
    assert_true(each_step(true, accept_it, "on", 'n') > 10);
}

static void test_a_deletion(void **state)
{
    WA_UNUSED(state);
    assert_true(each_step(true, delete_it, "o-", '-') > 5);
}

/* A front still has it open for writing: not judged. One that is not whole, or another than
 * announced: neither. */
static void test_what_is_not_judged(void **state)
{
    struct place p;
    WA_AUTO_FD int fd = -1;
    struct wa_relpath part = rel(PART);
    struct wa_err err = WA_ERR_INIT;
    WA_UNUSED(state);
    make(&p, false);
    WA_ASSERT_OK(wa_file_continue_alone(&p.role.repo, &part, &fd, &err));
    assert_int_equal(accept_it(&p, &err), WA_E_BUSY);
    wa_err_clear(&err);
    wa_fd_close(&fd);
    p.sha256[0] = p.sha256[0] == '0' ? '1' : '0';
    assert_int_equal(accept_it(&p, &err), WA_E_CONFLICT);
    wa_err_clear(&err);
    struct wa_stat st;
    assert_int_equal(wa_file_stat(&p.role.repo, &part, &st, &err), WA_E_NOT_FOUND);
    wa_err_clear(&err);
    assert_int_equal(accept_it(&p, &err), WA_E_CONFLICT); /* gone */
    wa_err_clear(&err);
    assert_int_equal(which(&p), '-');
    struct wa_buf half = p.fresh;
    half.n /= 2;
    put(&p, PART, &half);
    assert_int_equal(accept_it(&p, &err), WA_E_CONFLICT);
    wa_err_clear(&err);
    WA_ASSERT_OK(wa_file_stat(&p.role.repo, &part, &st, &err)); /* the rest may come yet */
    drop(&p);
}

/* Memory runs out at each allocation: published whole, or as before and the upload still there. */
static enum wa_code starves(void *arg, struct wa_err *err)
{
    struct place p;
    struct wa_relpath part = rel(PART);
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    WA_UNUSED(arg);
    wa_torture_pause();
    make(&p, true);
    wa_torture_resume();
    enum wa_code code = accept_it(&p, err);
    wa_torture_pause();
    assert_int_equal(which(&p), code == WA_OK ? 'n' : 'o');
    if (code != WA_OK)
        assert_int_equal(wa_file_stat(&p.role.repo, &part, &st, &why), WA_OK);
    check_index(&p, code == WA_OK ? 'n' : 'o');
    drop(&p);
    wa_torture_resume();
    return code;
}

static void test_memory_runs_out(void **state)
{
    WA_UNUSED(state);
    assert_true(wa_torture(starves, NULL) > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_new_one), cmocka_unit_test(test_a_replacement),
        cmocka_unit_test(test_a_deletion), cmocka_unit_test(test_what_is_not_judged),
        cmocka_unit_test(test_memory_runs_out)};
    /* Thousands of writes are made durable here, of which none matters. */
    assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
