/* repository - an index of 10,000 signed packages: loading, judging, planning.
 *
 *     repository make DIR      writes DIR/trusted, DIR/repo/Packages and the 10,000 files it names
 *     repository measure DIR   prints the rows
 *
 * The files are empty but for their length: what is measured never opens them. Everything is
 * measured in this process, after one run that is not counted.
 */
#include <fcntl.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/zip_read.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "measure.h"
#include "os/clock.h"
#include "os/fs.h"
#include "pkg/build.h"
#include "pkg/index.h"
#include "pkg/plan.h"

#define COUNT 10000u
#define RUNS 9

/* --- making --- */

static void set(struct wa_control *c, enum wa_attr a, const char *value)
{
    struct wa_err err = WA_ERR_INIT;
    must(wa_control_set(c, a, wa_sv(value), &err), &err, wa_attr_name(a));
}

/* Each third package needs the one before it, so that the planner has something to follow. */
static void describe(struct wa_control *c, unsigned i)
{
    char text[256];
    (void)snprintf(text, sizeof text, "bench-soft%05u", i);
    set(c, WA_A_PACKAGE, text);
    (void)snprintf(text, sizeof text, "%u.%u.%u-%u", i % 90 + 2, i % 7, i % 31, i % 4);
    set(c, WA_A_VERSION, text);
    set(c, WA_A_ARCHITECTURE, i % 2 == 0 ? "all" : "x64");
    set(c, WA_A_SECTION, "base");
    set(c, WA_A_PRIORITY, "optional");
    set(c, WA_A_CATEGORIES, "Utilities");
    set(c, WA_A_MAINTAINER, "Bench Maintainer <bench@example.org>");
    (void)snprintf(text, sizeof text, "The program number %u, which does what its users expect", i);
    set(c, WA_A_DESCRIPTION, text);
    set(c, WA_A_MATURITY, "PROD");
    set(c, WA_A_TARGET_OS, "all");
    set(c, WA_A_INSTALLED_SIZE, "12345678");
    set(c, WA_A_KEYWORDS, "bench, program, useful");
    set(c, WA_A_LICENCE, "GPL-3.0-or-later");
    set(c, WA_A_HOMEPAGE, "https://www.example.org/program");
    if (i % 3 == 2) {
        (void)snprintf(text, sizeof text, "bench-soft%05u", i - 1);
        set(c, WA_A_DEPENDS, text);
    }
}

static void add_package(struct wa_index *ix, const struct wa_signer *signer, const char *repo,
                        unsigned i)
{
    char file[2 * WA_NAME_MAX + 1], path[2 * WA_PATH_MAX], size[24];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    describe(&c, i);
    must(wa_sign_control(&c, signer, NULL, &err), &err, "signing");
    must(wa_control_filename(&c, NULL, file, &err), &err, "naming");
    set(&c, WA_A_FILENAME, file);
    (void)snprintf(size, sizeof size, "%u", 4096 + i);
    set(&c, WA_A_SIZE, size);
    set(&c, WA_A_MD5SUM, "0123456789abcdef0123456789abcdef");
    must(wa_index_take(ix, &c, signer->chain, &err), &err, "adding");
    (void)snprintf(path, sizeof path, "%s/%s", repo, file);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    struct timespec old[2] = {{.tv_sec = 1700000000}, {.tv_sec = 1700000000}};
    must_be(fd >= 0 && ftruncate(fd, 4096 + (off_t)i) == 0 && futimens(fd, old) == 0, path);
    (void)close(fd);
}

static void replace(const char *folder, const char *name, struct wa_sv bytes)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_relpath path;
    struct wa_err err = WA_ERR_INIT;
    must(wa_dir_open(folder, &dir, &err), &err, folder);
    must(wa_relpath_parse(wa_sv(name), &path, &err), &err, name);
    must(wa_file_replace(&dir, &path, bytes, 0644, &err), &err, name);
}

static void make(const char *top)
{
    const struct wa_cert_request request = {
        .cn = "Bench", .path_length = -1, .code_signing = true, .days = 30};
    char repo[WA_PATH_MAX], trusted[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    WA_AUTO_CERTS struct wa_certs chain = {0};
    WA_AUTO_INDEX struct wa_index ix;
    WA_AUTO_BUF struct wa_buf out;
    struct wa_buf_sink sink;
    wa_index_init(&ix);
    wa_buf_init(&out, 128u << 20);
    wa_buf_sink_init(&sink, &out);
    (void)snprintf(repo, sizeof repo, "%s/repo", top);
    (void)snprintf(trusted, sizeof trusted, "%s/trusted", top);
    must_be(mkdir(repo, 0755) == 0 && mkdir(trusted, 0755) == 0, "making the folders");
    must(wa_key_new_rsa(2048, &key, &err), &err, "key");
    must(wa_cert_issue(&request, key, NULL, NULL, &cert, &err), &err, "certificate");
    must(wa_certs_add(&chain, cert, &err), &err, "certificate");
    const struct wa_signer signer = {key, &chain};
    for (unsigned i = 0; i < COUNT; i++)
        add_package(&ix, &signer, repo, i);
    must(wa_index_write(&ix, wa_clock_now(), &sink.base, &err), &err, "writing");
    replace(repo, "Packages", wa_buf_sv(&out));
    wa_buf_clear(&out);
    must(wa_cert_write_pem(cert, &out, &err), &err, "writing");
    replace(trusted, "bench.crt", wa_buf_sv(&out));
}

/* --- measuring --- */

struct bench {
    struct wa_buf bytes;  /* of Packages */
    struct wa_buf memory; /* of what was checked */
    struct wa_buf saved;  /* what was read */
    struct wa_trust *anchors;
    struct wa_index ix;
    struct wa_cert *cert;
    /* for the bare checks */
    struct wa_buf *messages, *signatures;
    /* for the plan */
    struct wa_installed *installed;
};

static void read_index(const struct bench *b, struct wa_index *ret)
{
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_mem_source source;
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    wa_mem_source_init(&source, b->bytes.p, b->bytes.n);
    must(wa_archive_members_open(&source.base, &members, &err), &err, "opening");
    must(wa_index_read_digests(wa_archive_members_get(members), ret, &bad, &err), &err, "reading");
    must_be(bad == 0, "not all packages are good");
}

/* What is saved counts for this index file only. */
static void load_saved(struct bench *b, struct wa_index *ret)
{
    char of[WA_SHA256_HEX];
    struct wa_err err = WA_ERR_INIT;
    size_t bad = 0;
    must(wa_sha256_hex(b->bytes.p, b->bytes.n, of, &err), &err, "digest");
    if (b->saved.n > 0) {
        must(wa_index_load(wa_buf_sv(&b->saved), of, ret, &bad, &err), &err, "loading");
        return;
    }
    read_index(b, ret);
    must(wa_index_save(ret, bad, of, &b->saved, &err), &err, "saving");
}

/* memory NULL: none; else what the last judgement wrote, and what this one writes. */
static void judge(const struct bench *b, struct wa_buf *memory, struct wa_index *ix)
{
    WA_AUTO_SEEN struct wa_seen seen;
    struct wa_err err = WA_ERR_INIT;
    size_t gone = 0;
    wa_seen_init(&seen);
    must(memory == NULL ? WA_OK : wa_seen_read(&seen, wa_buf_sv(memory), &err), &err, "memory");
    must(wa_index_keep_trusted(ix, b->anchors, wa_clock_now(), &seen, NULL, NULL, &gone, &err),
         &err, "judging");
    must_be(gone == 0 && ix->n == COUNT, "not all packages are good");
    if (memory == NULL)
        return;
    wa_buf_clear(memory);
    must(wa_seen_write(&seen, memory, &err), &err, "memory");
}

static void load_and_check(void *user)
{
    WA_AUTO_INDEX struct wa_index ix;
    wa_index_init(&ix);
    read_index(user, &ix);
    judge(user, NULL, &ix);
}

static void load_and_remember(void *user)
{
    WA_AUTO_INDEX struct wa_index ix;
    struct bench *b = user;
    wa_index_init(&ix);
    load_saved(b, &ix);
    judge(b, &b->memory, &ix);
}

/* What any reader of the file must do: inflate it at once, and digest what comes out. */
static void inflate_and_digest(void *user)
{
    const struct bench *b = user;
    WA_AUTO(wa_zip) struct wa_zip *zip = NULL;
    WA_AUTO(wa_digest) struct wa_digest *d = NULL;
    struct wa_mem_source source;
    struct wa_digest_sink sink;
    struct wa_err err = WA_ERR_INIT;
    char hex[WA_DIGEST_HEX_MAX];
    wa_mem_source_init(&source, b->bytes.p, b->bytes.n);
    must(wa_zip_open(&source.base, &zip, &err), &err, "opening");
    must(wa_digest_new(WA_SHA256, &d, &err), &err, "digest");
    wa_digest_sink_init(&sink, d, NULL);
    must(wa_zip_read(zip, wa_zip_find(zip, "Packages"), &sink.base, &err), &err, "inflating");
    must(wa_digest_hex(d, hex, &err), &err, "digest");
}

/* RSA-2048 over SHA-256 of each entry's signed bytes, by OpenSSL alone. */
static void bare_checks(void *user)
{
    const struct bench *b = user;
    EVP_PKEY *key = wa_key_native(wa_cert_key(b->cert));
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    for (size_t i = 0; i < COUNT; i++) {
        const struct wa_buf *s = &b->signatures[i], *m = &b->messages[i];
        must_be(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
                    EVP_DigestVerify(ctx, (const uint8_t *)s->p, s->n, (const uint8_t *)m->p,
                                     m->n) == 1,
                "a signature does not hold");
        (void)EVP_MD_CTX_reset(ctx);
    }
    EVP_MD_CTX_free(ctx);
}

static void prepare(struct bench *b, const char *top)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&b->bytes, 128u << 20);
    (void)snprintf(path, sizeof path, "%s/repo/Packages", top);
    must(wa_path_read(path, 128u << 20, &b->bytes, &err), &err, path);
    (void)snprintf(path, sizeof path, "%s/trusted", top);
    must(wa_trust_new(&b->anchors, &err), &err, path);
    must(wa_trust_add_dir(b->anchors, path, &err), &err, path);
    wa_index_init(&b->ix);
    wa_buf_init(&b->memory, 1u << 20);
    wa_buf_init(&b->saved, WA_INDEX_BYTES_MAX);
    read_index(b, &b->ix);
    judge(b, NULL, &b->ix);
    b->cert = b->ix.certs.items[0];
    b->messages = wa_calloc(COUNT, sizeof *b->messages);
    b->signatures = wa_calloc(COUNT, sizeof *b->signatures);
    b->installed = wa_calloc(COUNT, sizeof *b->installed);
    must_be(b->messages != NULL && b->signatures != NULL && b->installed != NULL, "no memory");
    for (size_t i = 0; i < COUNT; i++) {
        const struct wa_control *c = &b->ix.items[i];
        wa_buf_init(&b->messages[i], 1u << 16);
        wa_buf_init(&b->signatures[i], 1024);
        must(wa_control_signed_bytes(c, false, &b->messages[i], &err), &err, "signed bytes");
        must(wa_base64_decode(wa_sv(wa_control_get(c, WA_A_SIGNATURE)), &b->signatures[i], &err),
             &err, "signature");
        must(wa_control_copy(c, &b->installed[i].control, &err), &err, "copying");
        set(&b->installed[i].control, WA_A_VERSION,
            i % 100 == 0 ? "1.0-0" : wa_control_get(c, WA_A_VERSION));
        if (i == 50)
            set(&b->installed[i].control, WA_A_CONFLICTS, "bench-soft00100(>1.0-0)");
        (void)snprintf(b->installed[i].status, sizeof b->installed[i].status, "OK");
    }
}

/* Every package is installed, each hundredth in an older version; one of these must stay, and why
 * is told. */
static void plan(void *user)
{
    const struct bench *b = user;
    const struct wa_host_caps host = {.architecture = "x64", .locales = "en", .maturities = "PROD"};
    const struct wa_plan_input in = {.available = b->ix.items,
                                     .available_count = b->ix.n,
                                     .installed = b->installed,
                                     .installed_count = COUNT,
                                     .host = &host};
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_PLAN struct wa_plan p;
    wa_plan_init(&p);
    must(wa_plan_upgrade(&in, NULL, 0, &p, &err), &err, "planning");
    must_be(p.n == COUNT / 100 - 1 && p.problem_n == 1 && p.problem_items[0].count > 1,
            "the plan is not what it should be");
}

/* Reads each name and version of both lists once. */
static void read_once(void *user)
{
    const struct bench *b = user;
    volatile unsigned sum = 0;
    for (size_t i = 0; i < COUNT; i++) {
        const struct wa_control *both[] = {&b->ix.items[i], &b->installed[i].control};
        for (size_t k = 0; k < 2; k++)
            sum += (unsigned)strcmp(wa_control_get(both[k], WA_A_PACKAGE), "bench-soft05000") +
                   (unsigned)strlen(wa_control_get(both[k], WA_A_VERSION));
    }
    must_be(sum > 0, "nothing was read");
}

static void measure(const char *top)
{
    static struct bench b;
    prepare(&b, top);
    double bare = median_of(RUNS, bare_checks, &b);
    print_row("index of 10,000 packages, RSA-2048: load and check each, CPU",
              median_of(RUNS, load_and_check, &b), "s", bare,
              "10,000 RSA-2048 verifications with SHA-256, OpenSSL alone", 2.0, true);
    print_row("index of 10,000 packages, RSA-2048: load and check each, unchanged since, CPU",
              median_of(RUNS, load_and_remember, &b), "s", median_of(RUNS, inflate_and_digest, &b),
              "inflating the index and its SHA-256", 0.050, false);
    print_row("plan an upgrade of 10,000 installed among 10,000 available, 100 newer, one of them "
              "explained, CPU",
              median_of(RUNS, plan, &b), "s", median_of(RUNS, read_once, &b),
              "reading each name and version once", 0.020, false);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "make") == 0)
        make(argv[2]);
    else if (argc == 3 && strcmp(argv[1], "measure") == 0)
        measure(argv[2]);
    else {
        (void)fprintf(stderr, "usage: repository make DIR | measure DIR\n");
        return 2;
    }
    return 0;
}
