/* A copy of a repository: memory runs out at each allocation in turn, and whoever looks finds the
 * old state or the new one, whole; the next run ends. The rest is tests/proc/test_mirror.py.
 */
#include "../pkg/packages.h"
#include "metadata.h"

#include "repo/mirror.h"
#include "repo/publish.h"
#include "repo/root_edit.h"
#include "repo/scan.h"
#include "torture.h"

static struct people people;
static struct scratch states[2]; /* of a repository, one after the other */
static struct scratch *source;   /* the one that is there now */
static struct wa_buf root;       /* of the source; empty: it has none */

static void put(const struct wa_dir *dir, const char *name, struct wa_sv bytes)
{
    struct wa_err err = WA_ERR_INIT;
    check_ok(wa_publish_write(dir, name, bytes, &err), &err, name);
}

static void put_vector(const char *vector, const char *name)
{
    WA_AUTO_BUF struct wa_buf bytes;
    read_vector(vector, &bytes);
    put(&source->dir, name, wa_buf_sv(&bytes));
}

/* A root for the signers of the vectors, beside a publisher of ours. */
static void make_root(void)
{
    WA_AUTO(wa_root) struct wa_root *r = NULL;
    WA_AUTO(wa_root) struct wa_root *shown = NULL;
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO_BUF struct wa_buf draft;
    WA_AUTO_CERTS struct wa_certs signers = {NULL, 0, 0};
    static const enum who by[] = {ALICE, BOB};
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&draft, WA_ROOT_BYTES_MAX);
    root_make(&people, (struct root_what){.version = 1}, &json);
    check_ok(wa_root_read(wa_buf_sv(&json), &r, &err), &err, "root");
    check_ok(wa_certs_read_dir(WA_VECTORS "/trust/main", &signers, &err), &err, "signers");
    for (size_t i = 0; i < signers.n; i++) {
        struct wa_root_signer s = {.cert = signers.items[i]};
        check_ok(wa_root_keep_names(r, WA_SV("*"), &s.sections, &err), &err, "sections");
        check_ok(wa_root_keep_names(r, WA_SV(""), &s.actions, &err), &err, "actions");
        s.prefixes = s.sections;
        s.groups = s.units = s.actions;
        struct wa_err no_code = WA_ERR_INIT;
        s.may_sign_code = true;
        if (wa_root_put_signer(r, &s, &no_code) == WA_OK)
            continue;
        s.may_sign_code = false;
        check_ok(wa_root_put_signer(r, &s, &err), &err, "signer");
    }
    check_ok(wa_root_unsigned(r, &draft, &shown, &err), &err, "root");
    wa_buf_fini(&json);
    sign_by(&people, shown->document.text, WA_ROOT_PURPOSE, by, 2, &json);
    check_ok(wa_publish_put_root(&source->dir, wa_buf_sv(&json), &err), &err, "root");
}

static void publish(int64_t version)
{
    WA_AUTO(wa_root) struct wa_root *known = NULL;
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_scan_result r;
    struct wa_err err = WA_ERR_INIT;
    const struct wa_publish_options o = {.version = version, .now = NOW, .days = 7, .force = true};
    static const enum who by[] = {PUBLISHER};
    wa_buf_init(&text, WA_PUBLISHED_BYTES_MAX);
    wa_buf_init(&json, 1);
    check_ok(wa_repo_scan(source->path, true, NULL, NULL, &r, &err), &err, "scan");
    assert_int_equal(r.bad, 0);
    if (!wa_publish_has_root(&source->dir))
        return;
    check_ok(wa_publish_root(&source->dir, &known, &err), &err, "root");
    check_ok(wa_publish_propose(&source->dir, known, NULL, 0, &o, &text, &err), &err, "list");
    sign_by(&people, wa_buf_sv(&text), WA_PUBLISHED_PURPOSE, by, 1, &json);
    check_ok(wa_publish_put(&source->dir, wa_buf_sv(&json), &err), &err, "list");
    check_ok(wa_publish_stamp(&source->dir, people.online, NOW, &err), &err, "timestamp");
}

static enum wa_code fetch(void *user, const char *name, uint64_t from, uint64_t max,
                          struct wa_sink *sink, bool *ret_found, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    struct wa_relpath path;
    struct wa_err none = WA_ERR_INIT;
    struct wa_fd_source file;
    static uint8_t piece[1u << 20];
    size_t *fetched = user;
    *fetched += 1;
    check_ok(wa_relpath_parse(wa_sv(name), &path, err), err, name);
    *ret_found = wa_file_open(&source->dir, &path, &fd, &none) == WA_OK;
    if (!*ret_found)
        return none.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    check_ok(wa_fd_source_init(&file, fd, err), err, name);
    size_t n = (size_t)(file.base.size - from);
    if (n > max || n > sizeof piece)
        fail_msg("'%s' has %zu bytes behind %llu, of which %llu are wanted", name, n,
                 (unsigned long long)from, (unsigned long long)max);
    check_ok(file.base.read_at(&file.base, from, piece, n, err), err, name);
    return sink->write(sink, piece, n, err);
}

static void tell(void *user, enum wa_mirror_event event, struct wa_sv file,
                 const struct wa_err *why)
{
    WA_UNUSED(user);
    WA_UNUSED(file);
    if (event == WA_MIRROR_REFUSED && why->code != WA_E_NOMEM)
        fail_msg("'%.*s' is refused: %s", WA_SV_ARG(file), why->text);
}

struct copying {
    struct scratch to;
    bool has_root, has_state; /* the state before is there */
    size_t fetched;
};

static enum wa_code copy(struct copying *c, struct wa_mirror_result *r, struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    if (!c->has_root && (wa_trust_new(&anchors, err) != WA_OK ||
                         wa_trust_add_dir(anchors, WA_VECTORS "/trust/main", err) != WA_OK))
        return err->code;
    const struct wa_mirror_options o = {.dir = c->to.path,
                                        .fetch = fetch,
                                        .fetch_user = &c->fetched,
                                        .root = wa_buf_sv(&root),
                                        .anchors = anchors,
                                        .now = c->has_root ? NOW : vectors_date(),
                                        .tell = tell};
    return wa_mirror(&o, r, err);
}

/* What an index that is there names is there too, and what a timestamp names. */
static enum wa_code has_file(void *user, struct wa_control *c, struct wa_err *err)
{
    const struct scratch *s = user;
    struct wa_relpath name;
    struct wa_stat st;
    check_ok(wa_relpath_parse(wa_sv(wa_control_get(c, WA_A_FILENAME)), &name, err), err, "name");
    check_ok(wa_file_stat(&s->dir, &name, &st, err), err, name.p);
    char size[24];
    (void)snprintf(size, sizeof size, "%llu", (unsigned long long)st.size);
    assert_string_equal(size, wa_control_get(c, WA_A_SIZE));
    return WA_OK;
}

static void check_whole(struct scratch *s)
{
    WA_AUTO_BUF struct wa_buf bytes;
    WA_AUTO_BUF struct wa_buf stamp;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    WA_AUTO(wa_root) struct wa_root *theirs = NULL;
    struct wa_mem_source packed;
    struct wa_timestamp t;
    struct wa_err err = WA_ERR_INIT, none = WA_ERR_INIT;
    char name[48];
    size_t bad = 0;
    wa_buf_init(&bytes, 64u << 20);
    wa_buf_init(&stamp, WA_TIMESTAMP_BYTES_MAX);
    if (wa_publish_read(&s->dir, "Packages", 64u << 20, &bytes, &none) == WA_OK) {
        wa_mem_source_init(&packed, bytes.p, bytes.n);
        check_ok(wa_archive_members_open(&packed.base, &members, &err), &err, "index");
        check_ok(wa_index_each(wa_archive_members_get(members), has_file, s, &bad, &err), &err,
                 "index");
    }
    wa_err_clear(&none);
    if (wa_publish_read(&s->dir, "timestamp.json", WA_TIMESTAMP_BYTES_MAX, &stamp, &none) != WA_OK)
        return;
    check_ok(wa_publish_root(&s->dir, &theirs, &err), &err, "root");
    check_ok(wa_timestamp_open(wa_buf_sv(&stamp), theirs, NOW, &t, &err), &err, "timestamp");
    for (int i = 0; i < 2; i++) {
        wa_buf_clear(&bytes);
        (void)snprintf(name, sizeof name, "%lld.%s", (long long)t.version,
                       i == 0 ? "published.json" : "Packages");
        check_ok(wa_publish_read(&s->dir, name, 64u << 20, &bytes, &err), &err, name);
    }
}

static enum wa_code mirror(void *arg, struct wa_err *err)
{
    struct copying c = *(struct copying *)arg;
    struct wa_mirror_result r, again;
    struct wa_err why = WA_ERR_INIT;
    wa_torture_pause();
    scratch_make(&c.to);
    source = &states[0];
    if (c.has_state)
        check_ok(copy(&c, &again, &why), &why, "the state before");
    source = &states[1];
    wa_torture_resume();
    enum wa_code code = copy(&c, &r, err);
    wa_torture_pause();
    check_whole(&c.to);
    check_ok(copy(&c, &again, &why), &why, "the run after");
    assert_int_equal(again.kept + again.fetched, 2);
    assert_true(code != WA_OK || (r.fetched == 2 && again.fetched == 0 && again.kept == 2));
    assert_int_equal(again.version, c.has_root ? 2 : 0);
    check_whole(&c.to);
    scratch_drop(&c.to);
    wa_torture_resume();
    return code;
}

static void make_state(size_t i)
{
    source = &states[i];
    scratch_make(source);
    put_vector(i == 0 ? "valid/base-simple.wapt" : "valid/restricted.wapt", "a.wapt");
    if (i == 1)
        put_vector("valid/group-codesigning.wapt", "b.wapt");
    publish(0);
}

static void survives(void **state)
{
    struct copying by_root = {.has_root = true, .has_state = true}, by_signers = {.fetched = 0};
    struct wa_err err = WA_ERR_INIT;
    (void)state;
    assert_int_equal(setenv("TMPDIR", "/dev/shm", 1), 0); /* hundreds of runs, each durable */
    make_state(0);
    make_state(1);
    assert_true(wa_torture(mirror, &by_signers) > 100);
    source = &states[0];
    make_root();
    read_file(&source->dir, "root.json", &root);
    publish(1);
    source = &states[1];
    check_ok(wa_publish_put_root(&source->dir, wa_buf_sv(&root), &err), &err, "root");
    publish(2);
    assert_true(wa_torture(mirror, &by_root) > 100);
    wa_buf_fini(&root);
    for (size_t i = 0; i < WA_COUNT(states); i++)
        scratch_drop(&states[i]);
}

static int setup(void **state)
{
    (void)state;
    people_make(&people);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    people_free(&people);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(survives)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
