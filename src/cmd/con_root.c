/* con_root.c - waptconsole root: the root document of the server's repository, shown as it is known
 * here, begun or changed in a file that goes from one administrator to the next until all have
 * signed it, and sent.
 *
 * The server is believed in nothing; the file neither: what is signed is shown first, read back
 * from it, against the root in force.
 */
#include "base/mem.h"
#include "cmd/con.h"
#include "cmd/root_words.h"
#include "codec/hex.h"
#include "console/root_wish.h"
#include "os/clock.h"

#define DAYS_USUAL 365

struct rooting {
    struct wa_cli *cli;
    const char *file; /* of the command line; NULL: none */
    struct wa_client *client;
    struct wa_dir known;
    struct wa_root *in_force, *root; /* in_force NULL: there is none yet; root: of the file */
};

static enum wa_code read_file(const char *path, struct wa_root **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    return wa_path_read(path, WA_ROOT_BYTES_MAX, &json, err) == WA_OK
               ? wa_root_read(wa_buf_sv(&json), ret, err)
               : err->code;
}

static enum wa_code reach(struct rooting *r, struct wa_err *err)
{
    return wa_con_open_known(r->cli, &r->known, err) == WA_OK
               ? wa_con_connect(r->cli, &r->client, err)
               : err->code;
}

static enum wa_code find(struct rooting *r, struct wa_err *err)
{
    return reach(r, err) == WA_OK ? wa_known_root_or_none(&r->known, r->client, &r->in_force, err)
                                  : err->code;
}

static enum wa_code no_root(struct wa_err *err)
{
    return wa_fail(err, WA_E_NOT_FOUND,
                   "this repository has no root yet: 'waptconsole root init FILE' begins one");
}

/* Shows r->root against the one in force, and what it lacks, as the command's answer. */
static enum wa_code answer(struct rooting *r, const struct wa_root *root, struct wa_err *err)
{
    struct wa_jw *w = &r->cli->jw;
    struct wa_err why = WA_ERR_INIT;
    const struct wa_root *old = root != r->in_force ? r->in_force : NULL;
    wa_jw_obj(w);
    wa_jw_key(w, "root");
    enum wa_code code = wa_repo_show_root(r->cli, root, old, err);
    bool is_missing = root != r->in_force && wa_root_check_after(old, root, &why) != WA_OK;
    wa_jw_kv(w, "missing", is_missing ? why.text : NULL);
    wa_jw_end(w);
    if (is_missing)
        wa_cli_out(r->cli, "%s\n", why.text);
    return code;
}

/* The same for a question that comes before: nothing of it is the answer. */
static enum wa_code show_first(struct rooting *r, const struct wa_root *old, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf unused;
    struct wa_jw keep = r->cli->jw;
    wa_buf_init(&unused, 4u * WA_ROOT_BYTES_MAX);
    if (wa_cli_has(r->cli, "yes"))
        return WA_OK;
    if (r->cli->json)
        return wa_fail(err, WA_E_USAGE, "--json shows nothing to confirm: give --yes with it");
    wa_jw_init(&r->cli->jw, &unused);
    enum wa_code code = wa_repo_show_root(r->cli, r->root, old, err);
    r->cli->jw = keep;
    return code;
}

/* --- show, know --- */

static enum wa_code show(struct rooting *r, struct wa_err *err)
{
    if (find(r, err) != WA_OK || (r->file != NULL && read_file(r->file, &r->root, err) != WA_OK))
        return err->code;
    if (r->root == NULL && r->in_force == NULL)
        return no_root(err);
    return answer(r, r->root != NULL ? r->root : r->in_force, err);
}

static enum wa_code know(struct rooting *r, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_path_read(r->file, WA_ROOT_BYTES_MAX, &json, err) != WA_OK ||
        wa_root_read(wa_buf_sv(&json), &r->root, err) != WA_OK ||
        wa_root_check(r->root, err) != WA_OK || show_first(r, NULL, err) != WA_OK ||
        (!wa_cli_has(r->cli, "yes") &&
         wa_cli_confirm("Are these the administrators of the repository?", "--yes", err) !=
             WA_OK) ||
        reach(r, err) != WA_OK ||
        wa_known_root(&r->known, r->client, wa_buf_sv(&json), &r->in_force, err) != WA_OK)
        return err->code;
    return answer(r, r->in_force, err);
}

/* --- init, propose --- */

static enum wa_code put_people(struct rooting *r, struct wa_root *d, struct wa_err *err)
{
    const char *text;
    for (size_t i = 0; (text = wa_cli_at(r->cli, "remove", i)) != NULL; i++) {
        char fingerprint[65];
        if (!wa_hex_fingerprint(wa_sv(text), fingerprint))
            return wa_fail(err, WA_E_USAGE, "'%s' is no SHA-256 of a certificate", text);
        if (!wa_root_remove(d, fingerprint))
            return wa_fail(err, WA_E_NOT_FOUND, "the root has no signer and no administrator %s",
                           fingerprint);
    }
    if (wa_repo_add_administrators(r->cli, d, err) != WA_OK)
        return err->code;
    for (size_t i = 0; (text = wa_cli_at(r->cli, "signer", i)) != NULL; i++) {
        WA_AUTO(wa_cert) struct wa_cert *c = NULL;
        if (wa_repo_cert(text, &c, err) != WA_OK || wa_repo_put_signer(r->cli, c, d, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code put_days(const struct rooting *r, struct wa_root *d, bool is_new,
                             struct wa_err *err)
{
    int64_t days = DAYS_USUAL;
    if (wa_cli_int(r->cli, "days", 1, 3650, &days, err) != WA_OK)
        return err->code;
    if (is_new || wa_cli_has(r->cli, "days")) {
        d->issued = wa_clock_now();
        d->expires = d->issued + days * 86400;
    }
    return WA_OK;
}

/* Who stamps the time: whom the options name, else the server itself, by the key that it says is
 * its own. It is shown, and can do nothing but stamp. */
static enum wa_code put_server_key(struct rooting *r, struct wa_root *d, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 1u << 20);
    if (wa_cli_has(r->cli, "timestamp-key"))
        return wa_repo_put_timestamp_keys(r->cli, d, err);
    if (wa_client_call(r->client, "GET", "/api/v1/repository/timestamp-key", WA_SV(""), &arena, &j,
                       err) != WA_OK ||
        wa_root_add_timestamp_key(d, wa_json_sv(wa_json_get(j, "key")), err) != WA_OK)
        return wa_wrap(err, "the server's timestamp key (or give --timestamp-key FILE)");
    return WA_OK;
}

static enum wa_code write_draft(struct rooting *r, const struct wa_root *draft, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_unsigned(draft, &json, &r->root, err) != WA_OK)
        return err->code;
    return wa_path_replace(r->file, wa_buf_sv(&json), 0644, err);
}

static enum wa_code init(struct rooting *r, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    struct wa_err missing = WA_ERR_INIT;
    struct wa_stat st;
    if (find(r, err) != WA_OK)
        return err->code;
    if (r->in_force != NULL)
        return wa_fail(err, WA_E_EXISTS,
                       "this repository has a root already, version %lld: change it with propose",
                       (long long)r->in_force->version);
    if (wa_path_stat(r->file, &st, &missing) == WA_OK)
        return wa_fail(err, WA_E_EXISTS, "'%s' is there already: change it with propose", r->file);
    if (wa_root_begin(&draft, err) != WA_OK || put_people(r, draft, err) != WA_OK ||
        put_days(r, draft, true, err) != WA_OK || wa_repo_put_limits(r->cli, draft, err) != WA_OK ||
        put_server_key(r, draft, err) != WA_OK)
        return err->code;
    if (draft->administrators.n == 0)
        return wa_fail(err, WA_E_USAGE, "a root needs --administrator FILE at least once");
    return write_draft(r, draft, err) == WA_OK ? answer(r, r->root, err) : err->code;
}

/* A file that is there is changed further: what people had signed was another text. */
static enum wa_code propose(struct rooting *r, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *draft = NULL;
    struct wa_err why = WA_ERR_INIT;
    if (find(r, err) != WA_OK)
        return err->code;
    enum wa_code code = read_file(r->file, &draft, &why);
    bool is_new = code == WA_E_NOT_FOUND;
    if (code != WA_OK && !is_new)
        return wa_fail(err, code, "%s", why.text);
    if (is_new && r->in_force == NULL)
        return no_root(err);
    if ((is_new && wa_root_next(r->in_force, &draft, err) != WA_OK) ||
        put_people(r, draft, err) != WA_OK || put_days(r, draft, is_new, err) != WA_OK ||
        wa_repo_put_limits(r->cli, draft, err) != WA_OK ||
        wa_repo_put_timestamp_keys(r->cli, draft, err) != WA_OK ||
        write_draft(r, draft, err) != WA_OK)
        return err->code;
    if (draft->document.n > 0 && !is_new)
        wa_cli_say(r->cli, "the draft has changed: the signatures it had are gone");
    return answer(r, r->root, err);
}

/* --- sign, publish --- */

static enum wa_code sign(struct rooting *r, struct wa_err *err)
{
    WA_AUTO_GET_SIGNER struct wa_get_signer signer = {.key = NULL};
    WA_AUTO(wa_root) struct wa_root *again = NULL;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (find(r, err) != WA_OK || read_file(r->file, &r->root, err) != WA_OK ||
        show_first(r, r->in_force, err) != WA_OK ||
        (!wa_cli_has(r->cli, "yes") && wa_cli_confirm("Sign this root?", "--yes", err) != WA_OK) ||
        wa_get_signer_load(r->cli, &signer, err) != WA_OK ||
        wa_root_sign(r->in_force, r->root, &signer.signer, &json, &why, err) != WA_OK ||
        wa_root_read(wa_buf_sv(&json), &again, err) != WA_OK ||
        wa_path_replace(r->file, wa_buf_sv(&json), 0644, err) != WA_OK)
        return err->code;
    wa_cli_say(r->cli,
               why.code == WA_OK
                   ? wa_text("'%s' has all signatures: waptconsole root publish sends it")
                   : wa_text("'%s' goes to the next administrator, who signs it too"),
               r->file);
    return answer(r, again, err);
}

/* The first one has none before it that vouches for it: it is looked at. */
static enum wa_code publish_first(struct rooting *r, struct wa_sv json, struct wa_err *err)
{
    if (wa_root_read(json, &r->root, err) != WA_OK || wa_root_check(r->root, err) != WA_OK ||
        show_first(r, NULL, err) != WA_OK ||
        (!wa_cli_has(r->cli, "yes") &&
         wa_cli_confirm("Are these the administrators of the repository?", "--yes", err) != WA_OK))
        return err->code;
    return wa_known_begin(&r->known, r->client, json, &r->in_force, err);
}

static enum wa_code publish(struct rooting *r, struct wa_err *err)
{
    WA_AUTO(wa_root) struct wa_root *known = NULL;
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_path_read(r->file, WA_ROOT_BYTES_MAX, &json, err) != WA_OK || reach(r, err) != WA_OK ||
        wa_known_root_or_none(&r->known, r->client, &known, err) != WA_OK)
        return err->code;
    if (known == NULL ? publish_first(r, wa_buf_sv(&json), err) != WA_OK
                      : wa_known_send_root(&r->known, r->client, wa_buf_sv(&json), &r->in_force,
                                           err) != WA_OK)
        return err->code;
    wa_cli_say(r->cli,
               "root version %lld is in force; the list is signed anew with waptconsole "
               "publish where that is needed",
               (long long)r->in_force->version);
    return answer(r, r->in_force, err);
}

/* --- the command --- */

static enum wa_code run(struct wa_cli *cli, struct wa_err *err)
{
    static const struct {
        const char *verb;
        size_t min, max; /* arguments, the verb among them */
        enum wa_code (*run)(struct rooting *r, struct wa_err *err);
    } verbs[] = {{"show", 1, 2, show},       {"know", 2, 2, know}, {"init", 2, 2, init},
                 {"propose", 2, 2, propose}, {"sign", 2, 2, sign}, {"publish", 2, 2, publish}};
    struct rooting r = {.cli = cli, .known = WA_DIR_INIT};
    const char *verb = cli->arg_count > 0 ? cli->args[0] : "show";
    size_t n = cli->arg_count > 0 ? cli->arg_count : 1;
    r.file = n > 1 ? cli->args[1] : NULL;
    (void)wa_fail(err, WA_E_USAGE,
                  "after root comes 'show' and perhaps a file, or 'know', 'init', 'propose', "
                  "'sign' or 'publish' and a file");
    for (size_t i = 0; i < WA_COUNT(verbs); i++) {
        if (strcmp(verbs[i].verb, verb) != 0 || n < verbs[i].min || n > verbs[i].max)
            continue;
        wa_err_clear(err);
        (void)!verbs[i].run(&r, err);
    }
    wa_root_free(r.in_force);
    wa_root_free(r.root);
    wa_dir_close(&r.known);
    wa_client_close(r.client);
    return err->code;
}

static const struct wa_cli_option options[] = {
    WA_CON_SERVER_OPTIONS,
    WA_GET_SIGNER_OPTIONS,
    WA_REPO_SIGNER_OPTIONS,
    {"administrator", 0, "FILE"},
    {"signer", 0, "FILE"},
    {"remove", 0, "SHA256"},
    {"days", 0, "DAYS"},
    {"threshold", 0, "NUMBER"},
    {"published-days", 0, "DAYS"},
    {"timestamp-hours", 0, "HOURS"},
    {"timestamp-key", 0, "FILE"},
    {"known", 0, "DIR"},
    {"yes", 'y', NULL},
};
const struct wa_cli_command wa_con_root = {"root", options, WA_COUNT(options), 0, 2, run};
