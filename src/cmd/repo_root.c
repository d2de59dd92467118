/* repo_root.c - wapt-repo root init, set, add-signer and revoke: what a draft of a root says.
 *
 * Nothing here signs, and nothing here is in force before the administrators have signed.
 */
#include "base/mem.h"
#include "cmd/repo.h"
#include "codec/csv.h"
#include "codec/hex.h"
#include "os/clock.h"
#include "os/rand.h"

#define SET_OPTIONS                                                                                \
    {"administrator", 0, "FILE"}, {"threshold", 0, "NUMBER"}, {"timestamp-key", 0, "FILE"},        \
        {"days", 0, "DAYS"}, {"published-days", 0, "DAYS"},                                        \
    {                                                                                              \
        "timestamp-hours", 0, "HOURS"                                                              \
    }

static const struct wa_cli_option set_options[] = {SET_OPTIONS};
static const struct wa_cli_option signer_options[] = {
    {"sections", 0, "LIST"}, {"prefixes", 0, "LIST"}, {"code", 0, NULL},    {"publish", 0, NULL},
    {"actions", 0, "LIST"},  {"groups", 0, "LIST"},   {"units", 0, "LIST"},
};

/* --- set --- */

static enum wa_code add_administrators(const struct wa_cli *cli, struct wa_root *r,
                                       struct wa_err *err)
{
    const char *path;
    for (size_t i = 0; (path = wa_cli_at(cli, "administrator", i)) != NULL; i++) {
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        if (wa_repo_cert(path, &c, err) != WA_OK ||
            wa_certs_add(&r->administrators, c, err) != WA_OK)
            return err->code;
    }
    if (r->administrators.n == 0)
        return wa_fail(err, WA_E_USAGE, "a root needs --administrator FILE at least once");
    return WA_OK;
}

/* Those given take the place of those that were there. */
static enum wa_code set_timestamp_keys(const struct wa_cli *cli, struct wa_root *r,
                                       struct wa_err *err)
{
    const char *path;
    for (size_t i = 0; (path = wa_cli_at(cli, "timestamp-key", i)) != NULL; i++) {
        WA_AUTO_BUF struct wa_buf pem;
        WA_AUTO(wa_key) struct wa_key *key = NULL;
        wa_buf_init(&pem, WA_KEY_BYTES_MAX);
        if (i == WA_ROOT_TIMESTAMP_KEYS_MAX)
            return wa_fail(err, WA_E_USAGE, "at most %u timestamp keys",
                           WA_ROOT_TIMESTAMP_KEYS_MAX);
        if (wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
            wa_key_read_public_pem(wa_buf_sv(&pem), &key, err) != WA_OK)
            return wa_wrap(err, "the public key '%s'", path);
        while (i == 0 && r->timestamp_key_count > 0)
            wa_key_free(r->timestamp_keys[--r->timestamp_key_count]);
        r->timestamp_keys[r->timestamp_key_count++] = WA_TAKE(key);
    }
    return WA_OK;
}

static enum wa_code set(struct wa_cli *cli, struct wa_root *r, struct wa_err *err)
{
    int64_t days = 365;
    if (wa_cli_int(cli, "threshold", 1, WA_ROOT_ADMINISTRATORS_MAX, &r->threshold, err) != WA_OK ||
        wa_cli_int(cli, "days", 1, 3650, &days, err) != WA_OK ||
        wa_cli_int(cli, "published-days", 1, WA_PUBLISHED_DAYS_MAX, &r->published_days, err) !=
            WA_OK ||
        wa_cli_int(cli, "timestamp-hours", 1, WA_TIMESTAMP_HOURS_MAX, &r->timestamp_hours, err) !=
            WA_OK ||
        add_administrators(cli, r, err) != WA_OK || set_timestamp_keys(cli, r, err) != WA_OK)
        return err->code;
    r->issued = wa_clock_now();
    r->expires = r->issued + days * 86400;
    return WA_OK;
}

static enum wa_code root_init(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT, .is_new = true};
    if (wa_dir_open(cli->args[0], &d.dir, err) != WA_OK)
        return err->code;
    if (wa_publish_has_root(&d.dir))
        return wa_fail(err, WA_E_EXISTS,
                       "'%s' has a root already: change it with root set, add-signer and revoke",
                       cli->args[0]);
    if (wa_root_new(&d.root, err) != WA_OK)
        return err->code;
    d.root->version = 1;
    d.root->threshold = 1;
    d.root->published_days = 30;
    d.root->timestamp_hours = 24;
    if (wa_rand_hex(d.root->repository, 16, err) != WA_OK || set(cli, d.root, err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

static enum wa_code root_set(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK || set(cli, d.root, err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

/* --- signers --- */

/* A list of the command line, as JSON in the root's arena. */
static enum wa_code list_of(const struct wa_cli *cli, const char *option, struct wa_root *r,
                            const struct wa_json **ret, struct wa_err *err)
{
    struct wa_sv rest = wa_sv(wa_cli_get(cli, option, "")), item;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    wa_buf_init(&text, 64u << 10);
    wa_jw_init(&w, &text);
    wa_jw_arr(&w);
    while (wa_csv_next(&rest, &item))
        wa_jw_sv(&w, item);
    wa_jw_end(&w);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    return wa_json_parse(wa_buf_sv(&text), 0, &r->arena, ret, err);
}

static enum wa_code fill_signer(const struct wa_cli *cli, struct wa_root *r,
                                struct wa_root_signer *s, struct wa_err *err)
{
    s->may_sign_code = wa_cli_has(cli, "code");
    s->may_publish = wa_cli_has(cli, "publish");
    if (list_of(cli, "sections", r, &s->sections, err) != WA_OK ||
        list_of(cli, "prefixes", r, &s->prefixes, err) != WA_OK ||
        list_of(cli, "actions", r, &s->actions, err) != WA_OK ||
        list_of(cli, "groups", r, &s->groups, err) != WA_OK ||
        list_of(cli, "units", r, &s->units, err) != WA_OK)
        return err->code;
    if (s->may_sign_code && !wa_cert_may_sign_code(s->cert) && !wa_cert_is_ca(s->cert))
        return wa_fail(err, WA_E_USAGE,
                       "'%s' can't sign code: its certificate lacks the usage codeSigning",
                       wa_cert_cn(s->cert));
    return WA_OK;
}

/* One that is listed already is described anew. */
static enum wa_code add_signer(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    size_t at = 0;
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK ||
        wa_repo_cert(cli->args[1], &c, err) != WA_OK)
        return err->code;
    struct wa_root *r = d.root;
    while (at < r->signer_count && !wa_cert_equal(r->signers[at].cert, c))
        at++;
    if (at == WA_ROOT_SIGNERS_MAX)
        return wa_fail(err, WA_E_LIMIT, "at most %u signers", WA_ROOT_SIGNERS_MAX);
    if (at == r->signer_count) {
        r->signers[at] = (struct wa_root_signer){.cert = WA_TAKE(c)};
        r->signer_count++;
    }
    if (fill_signer(cli, r, &r->signers[at], err) != WA_OK)
        return err->code;
    return wa_repo_draft_save(cli, &d, err);
}

/* --- revoke --- */

static size_t remove_signer(struct wa_root *r, const char *fingerprint)
{
    for (size_t i = 0; i < r->signer_count; i++) {
        if (strcmp(wa_cert_fingerprint(r->signers[i].cert), fingerprint) != 0)
            continue;
        wa_cert_free(r->signers[i].cert);
        r->signer_count--;
        memmove(&r->signers[i], &r->signers[i + 1], (r->signer_count - i) * sizeof r->signers[0]);
        r->signers[r->signer_count] = (struct wa_root_signer){.cert = NULL};
        return 1;
    }
    return 0;
}

static size_t remove_administrator(struct wa_root *r, const char *fingerprint)
{
    struct wa_certs *list = &r->administrators;
    for (size_t i = 0; i < list->n; i++) {
        if (strcmp(wa_cert_fingerprint(list->items[i]), fingerprint) != 0)
            continue;
        wa_cert_free(list->items[i]);
        list->n--;
        memmove(&list->items[i], &list->items[i + 1], (list->n - i) * sizeof list->items[0]);
        return 1;
    }
    return 0;
}

static enum wa_code revoke(struct wa_cli *cli, struct wa_err *err)
{
    WA_AUTO_REPO_DRAFT struct wa_repo_draft d = {.dir = WA_DIR_INIT};
    WA_AUTO(wa_cert) struct wa_cert *c = NULL;
    char fingerprint[65];
    if (wa_repo_draft_open(cli->args[0], true, &d, err) != WA_OK)
        return err->code;
    if (!wa_hex_fingerprint(wa_sv(cli->args[1]), fingerprint)) {
        if (wa_repo_cert(cli->args[1], &c, err) != WA_OK)
            return err->code;
        memcpy(fingerprint, wa_cert_fingerprint(c), sizeof fingerprint);
    }
    if (remove_signer(d.root, fingerprint) + remove_administrator(d.root, fingerprint) == 0)
        return wa_fail(err, WA_E_NOT_FOUND, "the root has no signer and no administrator %s",
                       fingerprint);
    return wa_repo_draft_save(cli, &d, err);
}

const struct wa_cli_command wa_repo_root_init = {"root-init", set_options, WA_COUNT(set_options),
                                                 1,           1,           root_init};
const struct wa_cli_command wa_repo_root_set = {"root-set", set_options, WA_COUNT(set_options),
                                                1,          1,           root_set};
const struct wa_cli_command wa_repo_root_add_signer = {
    "root-add-signer", signer_options, WA_COUNT(signer_options), 2, 2, add_signer};
const struct wa_cli_command wa_repo_root_revoke = {"root-revoke", NULL, 0, 2, 2, revoke};
