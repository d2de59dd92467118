/* What brings packages into the repository and to machines, by the local program's calls: a file
 * that is dropped, an import, a promotion, an upload, what a machine is assigned, a plan, an
 * enrolment kit; with memory running out anywhere a page gets one answer, and nothing leaks or
 * stays half done.
 */
#include "local_bench.h"
#include "torture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/fs.h"
#include "repo/scan.h"

#define UUIDS "\"hosts\":[\"" BENCH_UUID "\"]"

static char top[] = "/tmp/wapt-packages-XXXXXX";
static char folder[64], trusted[64], temp[64], package_path[WA_PATH_MAX];

static void must(const struct wa_err *err)
{
    if (err->code != WA_OK)
        print_error("%s\n", err->text);
    assert_int_equal(err->code, WA_OK);
}

/* --- a repository with one package, and whose packages count --- */

static void write_trusted(const struct wa_cert *cert)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err err = WA_ERR_INIT;
    char path[80];
    wa_buf_init(&pem, 16384);
    (void)!wa_cert_write_pem(cert, &pem, &err);
    must(&err);
    (void)snprintf(path, sizeof path, "%s/person.crt", trusted);
    (void)!wa_path_replace(path, wa_buf_sv(&pem), 0644, &err);
    must(&err);
}

static void build(struct bench *b)
{
    WA_AUTO_CONTROL struct wa_control c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_scan_result result;
    static const struct {
        enum wa_attr attr;
        const char *value;
    } values[] = {{WA_A_PACKAGE, "tis-x"},      {WA_A_VERSION, "1-1"},  {WA_A_ARCHITECTURE, "all"},
                  {WA_A_SECTION, "base"},       {WA_A_MATURITY, "DEV"}, {WA_A_PRIORITY, "optional"},
                  {WA_A_DESCRIPTION, "a tool"}, {WA_A_MAINTAINER, "me"}};
    wa_control_init(&c);
    for (size_t i = 0; i < WA_COUNT(values); i++)
        (void)!wa_control_set(&c, values[i].attr, wa_sv(values[i].value), &err);
    must(&err);
    bench_unlock(b);
    const struct wa_signer signer = {b->local.keys[0].key, &b->local.keys[0].chain};
    (void)!wa_build_meta(&c, folder, &signer, NULL, package_path, &err);
    must(&err);
    (void)!wa_repo_scan(folder, false, NULL, NULL, &result, &err);
    must(&err);
    assert_int_equal(result.added, 1);
    write_trusted(b->local.keys[0].chain.items[0]);
}

static int make_world(void **state)
{
    struct bench b;
    WA_UNUSED(state);
    assert_non_null(mkdtemp(top));
    (void)snprintf(folder, sizeof folder, "%s/wapt", top);
    (void)snprintf(trusted, sizeof trusted, "%s/trusted", top);
    (void)snprintf(temp, sizeof temp, "%s/temp", top);
    assert_true(mkdir(folder, 0700) == 0 && mkdir(trusted, 0700) == 0 && mkdir(temp, 0700) == 0);
    assert_int_equal(setenv("HOME", top, 1), 0);
    assert_int_equal(unsetenv("XDG_CONFIG_HOME"), 0);
    assert_int_equal(setenv("TMPDIR", temp, 1), 0);
    bench_be_packager();
    bench_start(&b);
    build(&b);
    bench_end(&b);
    return 0;
}

static int drop_world(void **state)
{
    WA_UNUSED(state);
    wa_temp_remove(top);
    return 0;
}

/* The bench's server has the repository, and the person trusts himself. */
static void furnish(struct bench *b)
{
    static struct wa_local_repository store = {.name = "store", .url = "https://store.example"};
    store.trusted = trusted;
    b->folder = folder;
    b->options.trusted = trusted;
    b->options.repositories = &store;
}

/* --- each with memory running out --- */

/* What is done one by one tells of each how it went. */
static enum wa_code sign(struct bench *b, const char *wish, struct wa_buf *out, struct wa_err *err)
{
    furnish(b);
    if (bench_sign(b, wish, out, err) != WA_OK)
        return err->code;
    if (bench_says(out, "\"nomem\""))
        return wa_nomem(err);
    return WA_OK;
}

static enum wa_code import_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (sign(
            b,
            "{\"what\":\"import\",\"from\":\"store\",\"packages\":[\"tis-x\"],\"prefix\":\"acme\"}",
            out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"becomes\":\"acme-x\"") && bench_says(out, "\"failed\":0"));
    return WA_OK;
}

static enum wa_code promote_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (sign(b,
             "{\"what\":\"promote\",\"packages\":[\"tis-x\"],\"from_maturity\":\"DEV\","
             "\"maturity\":\"PREPROD\"}",
             out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "PREPROD") && bench_says(out, "\"failed\":0"));
    return WA_OK;
}

/* Dropped; body: how the page names it. */
static enum wa_code put_file(struct bench *b, const char *name, char file[160], struct wa_buf *out,
                             struct wa_err *err)
{
    struct wa_buf bytes;
    char id[65] = "";
    int status = 0;
    bench_pause();
    wa_buf_init(&bytes, 1u << 20);
    bench_must(wa_path_read(package_path, 1u << 20, &bytes, err));
    bench_resume();
    if (bench_ask(b, WA_HTTP_PUT, "/local/files", wa_buf_sv(&bytes), out, &status, err) == WA_OK)
        (void)!bench_member(out, "id", id, err);
    bench_pause();
    wa_buf_fini(&bytes);
    bench_resume();
    (void)snprintf(file, 160, "{\"id\":\"%s\",\"name\":\"%s\"}", id, name);
    return err->code;
}

static enum wa_code files_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char file[160], id[65] = "", path[128];
    if (put_file(b, "x.wapt", file, out, err) != WA_OK ||
        bench_member(out, "id", id, err) != WA_OK) {
        wa_local_files_sweep(&b->local);
        for (size_t i = 0; i < WA_LOCAL_FILES; i++) /* what broke off leaves nothing */
            assert_true(b->local.files[i] == NULL || id[0] == '\0');
        return err->code;
    }
    (void)snprintf(path, sizeof path, "/local/files/%s", id);
    return bench_do(b, WA_HTTP_DELETE, path, "", out, err);
}

static enum wa_code upload_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char file[160], wish[256];
    if (put_file(b, "x.wapt", file, out, err) != WA_OK)
        return err->code;
    (void)snprintf(wish, sizeof wish,
                   "{\"what\":\"upload\",\"files\":[%s],\"resign\":true,\"prefix\":\"acme\"}",
                   file);
    if (sign(b, wish, out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"becomes\":\"acme-x\"") && bench_says(out, "\"failed\":0"));
    return WA_OK;
}

static enum wa_code host_packages_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    if (sign(b, "{\"what\":\"host-packages\"," UUIDS ",\"add\":[\"tis-x\"],\"hold\":[\"tis-y\"]}",
             out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"changed\":1") && bench_says(out, "\"failed\":0"));
    return WA_OK;
}

static enum wa_code plan_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    char body[96];
    furnish(b);
    if (bench_log_in(b, out, err) != WA_OK ||
        bench_prepare(b, "{\"what\":\"plan\"," UUIDS ",\"add\":[\"tis-x\"]}", body, out, err) !=
            WA_OK)
        return err->code;
    assert_true(bench_says(out, "\"steps\":[{") && bench_says(out, "tis-x"));
    return WA_OK;
}

static enum wa_code kit_step(struct bench *b, struct wa_buf *out, struct wa_err *err)
{
    furnish(b);
    memset(b->local.server.trust.fingerprint, 'a', 64);
    if (sign(b, "{\"what\":\"kit\",\"uses\":2,\"seconds\":3600}", out, err) != WA_OK)
        return err->code;
    assert_true(bench_says(out, "server_fingerprint"));
    return WA_OK;
}

static const struct {
    const char *name;
    enum wa_code (*fn)(struct bench *b, struct wa_buf *out, struct wa_err *err);
} steps[] = {{"files", files_step},   {"upload", upload_step},
             {"import", import_step}, {"promote", promote_step},
             {"plan", plan_step},     {"host-packages", host_packages_step},
             {"kit", kit_step}};

static enum wa_code run_step(void *arg, struct wa_err *err)
{
    const size_t *i = arg;
    (void)!bench_run(steps[*i].fn, err);
    wa_torture_pause();
    bench_empty_temp();
    wa_torture_resume();
    return err->code;
}

static void test_memory_runs_out(void **state)
{
    WA_UNUSED(state);
    bench_spare(wa_torture_pause, wa_torture_resume);
    for (size_t i = 0; i < WA_COUNT(steps); i++)
        print_message("%s: %zu allocations\n", steps[i].name, wa_torture(run_step, &i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_memory_runs_out)};
    return cmocka_run_group_tests(tests, make_world, drop_world);
}
