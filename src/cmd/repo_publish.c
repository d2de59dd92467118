/* repo_publish.c - wapt-repo publish, verify, timestamp and timestamp-key: the state of a
 * repository, signed, looked at as a machine would, and stamped.
 *
 * Nothing is signed that a machine would not take: the packages are judged first, and shown.
 */
#include "base/date.h"
#include "base/mem.h"
#include "cmd/repo.h"
#include "cmd/repo_state.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "repo/follow.h"

static const struct wa_cli_option publish_options[] = {
    WA_GET_SIGNER_OPTIONS,
    WA_REPO_PUBLISH_OPTIONS,
    {"force", 'f', NULL},
};
static const struct wa_cli_option verify_options[] = {
    {"root", 0, "FILE"},
};
static const struct wa_cli_option stamp_options[] = {
    {"key", 0, "FILE"},
};

/* --- publish --- */

static enum wa_code open_job(struct wa_cli *cli, struct wa_publish_job *j, struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (wa_dir_open(cli->args[0], &j->dir, err) != WA_OK)
        return err->code;
    if (wa_publish_root(&j->dir, &j->root, err) != WA_OK)
        return wa_wrap(err, "the root of '%s' (wapt-repo root init makes one)", cli->args[0]);
    if (wa_root_check_dates(j->root, wa_clock_now(), err) != WA_OK ||
        wa_publish_last(&j->dir, &j->last, &j->last_mtime, err) != WA_OK ||
        wa_repo_job_options(cli, j, err) != WA_OK)
        return err->code;
    j->o.force = wa_cli_has(cli, "force");
    if (wa_publish_job_begin(j, &why, err) != WA_OK)
        return err->code;
    wa_repo_job_say_unknown(cli, &why);
    return WA_OK;
}

static enum wa_code show(struct wa_cli *cli, struct wa_publish_job *j, struct wa_err *err)
{
    struct wa_repo_told t = {.cli = cli};
    wa_jw_key(&cli->jw, "files");
    wa_jw_arr(&cli->jw);
    enum wa_code code = wa_publish_job_prepare(j, wa_repo_tell, &t, err);
    wa_jw_end(&cli->jw);
    if (j->next != NULL)
        wa_repo_job_say_counts(&t, j);
    return code;
}

static enum wa_code sign(struct wa_cli *cli, struct wa_publish_job *j, struct wa_buf *json,
                         struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    return wa_get_signer_load(cli, &signer, err) == WA_OK
               ? wa_publish_job_sign(j, signer.chain.items[0], signer.key, json, err)
               : err->code;
}

static enum wa_code run_publish(struct wa_cli *cli, struct wa_publish_job *j, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_PUBLISHED_BYTES_MAX);
    if (cli->json && !wa_cli_has(cli, "yes"))
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    if (open_job(cli, j, err) != WA_OK || show(cli, j, err) != WA_OK ||
        wa_repo_job_confirm(cli, err) != WA_OK || sign(cli, j, &json, err) != WA_OK ||
        wa_publish_put(&j->dir, wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    wa_cli_out(cli,
               "list %lld is published; machines take it when its timestamp is there (the server's "
               "own, or wapt-repo timestamp)\n",
               (long long)j->o.version);
    return WA_OK;
}

static enum wa_code publish(struct wa_cli *cli, struct wa_err *err)
{
    struct wa_publish_job j;
    wa_publish_job_init(&j);
    wa_jw_obj(&cli->jw);
    enum wa_code code = run_publish(cli, &j, err);
    wa_jw_kvi(&cli->jw, "version", code == WA_OK ? j.o.version : 0);
    wa_jw_end(&cli->jw);
    wa_publish_job_fini(&j);
    return code;
}

/* --- verify --- */

static enum wa_code walk(const struct wa_dir *dir, struct wa_follow *f, struct wa_err *err)
{
    struct wa_follow_want want;
    while (wa_follow_want(f, &want)) {
        WA_AUTO_BUF struct wa_buf bytes;
        struct wa_err why = WA_ERR_INIT;
        wa_buf_init(&bytes, want.max_bytes);
        enum wa_code code = wa_publish_read(dir, want.name, want.max_bytes, &bytes, &why);
        struct wa_sv found = wa_buf_sv(&bytes);
        if (code != WA_OK && code != WA_E_NOT_FOUND)
            return wa_fail(err, code, "'%s': %s", want.name, why.text);
        if (wa_follow_take(f, code == WA_OK ? &found : NULL, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code judge_state(struct wa_cli *cli, const struct wa_dir *dir,
                                const struct wa_follow *f, struct wa_err *err)
{
    struct wa_repo_told t = {.cli = cli, .is_verify = true};
    const struct wa_published *p = wa_follow_published(f);
    WA_AUTO_BUF struct wa_buf packed;
    char sha256[65], date[WA_DATE_MAX];
    size_t bad = 0;
    wa_buf_init(&packed, WA_INDEX_PACKED_BYTES_MAX);
    if (wa_publish_read(dir, "Packages", WA_INDEX_PACKED_BYTES_MAX, &packed, err) != WA_OK ||
        wa_sha256_hex(packed.p, packed.n, sha256, err) != WA_OK)
        return err->code;
    if (packed.n != p->index.length || strcmp(sha256, p->index.sha256) != 0)
        return wa_fail(
            err, WA_E_REFUSED,
            "'Packages' is not the one that list %lld describes: publish, or put it back",
            (long long)p->version);
    if (wa_publish_judge(dir, wa_follow_root(f), p, NULL, true, wa_clock_now(), wa_repo_tell, &t,
                         &bad, err) != WA_OK)
        return err->code;
    wa_date_rfc3339(p->expires, date);
    wa_cli_out(cli, "root version %lld, list %lld, good until %s: %zu packages, %zu refused\n",
               (long long)wa_follow_root(f)->version, (long long)p->version, date, p->file_count,
               bad);
    return bad == 0 ? WA_OK
                    : wa_fail(err, WA_E_REFUSED,
                              wa_text_n("machines refuse %zu package",
                                        "machines refuse %zu packages", bad),
                              bad);
}

static enum wa_code verify_dir(struct wa_cli *cli, const struct wa_dir *dir, struct wa_err *err)
{
    WA_AUTO(wa_follow) struct wa_follow *f = NULL;
    WA_AUTO_BUF struct wa_buf root;
    const char *path = wa_cli_get(cli, "root", NULL);
    wa_buf_init(&root, WA_ROOT_BYTES_MAX);
    if (path == NULL)
        wa_cli_say(cli, "judged by the repository's own root: name one you trust with --root");
    if ((path != NULL ? wa_path_read(path, WA_ROOT_BYTES_MAX, &root, err)
                      : wa_publish_read(dir, "root.json", WA_ROOT_BYTES_MAX, &root, err)) != WA_OK)
        return wa_wrap(err, "the root");
    if (wa_follow_new(wa_buf_sv(&root), WA_SV(""), wa_clock_now(), &f, err) != WA_OK ||
        walk(dir, f, err) != WA_OK)
        return err->code;
    return judge_state(cli, dir, f, err);
}

static enum wa_code verify(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    if (wa_dir_open(cli->args[0], &dir, err) != WA_OK)
        return err->code;
    wa_jw_obj(&cli->jw);
    wa_jw_key(&cli->jw, "files");
    wa_jw_arr(&cli->jw);
    enum wa_code code = verify_dir(cli, &dir, err);
    wa_jw_end(&cli->jw);
    wa_jw_end(&cli->jw);
    return code;
}

/* --- timestamp --- */

static enum wa_code timestamp(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    const char *path = wa_cli_get(cli, "key", NULL);
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (path == NULL)
        return wa_fail(err, WA_E_USAGE, "--key FILE is needed: wapt-repo timestamp-key makes one");
    if (wa_dir_open(cli->args[0], &dir, err) != WA_OK ||
        wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
        wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, &key, err) != WA_OK)
        return err->code;
    return wa_publish_stamp(&dir, key, wa_clock_now(), err);
}

/* Without a password: it stays on a server that uses it by itself, and can do nothing else. */
static enum wa_code timestamp_key(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf public_pem;
    char path[WA_PATH_MAX];
    struct wa_stat st;
    struct wa_err missing = WA_ERR_INIT;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    wa_buf_init(&public_pem, WA_KEY_BYTES_MAX);
    int n = snprintf(path, sizeof path, "%s.pub", cli->args[0]);
    if (n < 0 || n >= (int)sizeof path)
        return wa_fail(err, WA_E_LIMIT, "the path '%s' is too long", cli->args[0]);
    if (wa_path_stat(cli->args[0], &st, &missing) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "'%s' is there already", cli->args[0]);
    if (wa_key_new_p256(&key, err) != WA_OK ||
        wa_key_write_pem(key, WA_SV(""), &pem, err) != WA_OK ||
        wa_key_write_public_pem(key, &public_pem, err) != WA_OK ||
        wa_path_replace(cli->args[0], wa_buf_sv(&pem), 0600, err) != WA_OK ||
        wa_path_replace(path, wa_buf_sv(&public_pem), 0644, err) != WA_OK)
        return err->code;
    wa_cli_out(cli, "%s stays where the time is stamped; %s goes into the root\n", cli->args[0],
               path);
    return WA_OK;
}

const struct wa_cli_command wa_repo_publish = {
    "publish", publish_options, WA_COUNT(publish_options), 1, 1, publish};
const struct wa_cli_command wa_repo_verify = {"verify", verify_options, WA_COUNT(verify_options), 1,
                                              1,        verify};
const struct wa_cli_command wa_repo_timestamp = {
    "timestamp", stamp_options, WA_COUNT(stamp_options), 1, 1, timestamp};
const struct wa_cli_command wa_repo_timestamp_key = {"timestamp-key", NULL, 0, 1, 1, timestamp_key};
