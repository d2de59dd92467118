/* repo_draft.c - the root document that is being changed and signed, in a file of its own beside
 * the one in force.
 *
 * Whoever changes it takes the signatures away: they were of another text.
 */
#include "cmd/repo.h"

#include "base/date.h"
#include "base/mem.h"

void wa_repo_draft_fini(struct wa_repo_draft *d)
{
    wa_root_free(d->root);
    wa_root_free(d->in_force);
    wa_dir_close(&d->dir);
}

static enum wa_code read_one(const struct wa_dir *dir, const char *name, struct wa_root **ret,
                             struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf json;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    enum wa_code code = wa_publish_read(dir, name, WA_ROOT_BYTES_MAX, &json, &why);
    if (code == WA_E_NOT_FOUND)
        return WA_OK;
    if (code == WA_OK)
        code = wa_root_read(wa_buf_sv(&json), ret, &why);
    return code == WA_OK ? WA_OK : wa_fail(err, code, "'%s': %s", name, why.text);
}

enum wa_code wa_repo_draft_open(const char *path, bool may_make, struct wa_repo_draft *ret,
                                struct wa_err *err)
{
    *ret = (struct wa_repo_draft){.dir = WA_DIR_INIT};
    if (wa_dir_open(path, &ret->dir, err) != WA_OK ||
        read_one(&ret->dir, "root.json", &ret->in_force, err) != WA_OK ||
        read_one(&ret->dir, WA_REPO_DRAFT, &ret->root, err) != WA_OK)
        return err->code;
    if (ret->in_force != NULL && wa_root_check(ret->in_force, err) != WA_OK)
        return wa_wrap(err, "'root.json'");
    if (ret->root != NULL)
        return WA_OK;
    if (!may_make)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' has no draft of a root to sign", path);
    if (ret->in_force == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' has no root yet: wapt-repo root init", path);
    ret->is_new = true;
    if (read_one(&ret->dir, "root.json", &ret->root, err) == WA_OK)
        ret->root->version++;
    return err->code;
}

enum wa_code wa_repo_draft_save(struct wa_cli *cli, struct wa_repo_draft *d, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_BUF struct wa_buf json;
    WA_AUTO(wa_root) struct wa_root *again = NULL;
    wa_buf_init(&text, WA_ROOT_BYTES_MAX);
    wa_buf_init(&json, WA_ROOT_BYTES_MAX);
    if (wa_root_write(d->root, &text, err) != WA_OK ||
        wa_signed_none(wa_buf_sv(&text), &json, err) != WA_OK ||
        wa_root_read(wa_buf_sv(&json), &again, err) != WA_OK ||
        wa_publish_write(&d->dir, WA_REPO_DRAFT, wa_buf_sv(&json), err) != WA_OK)
        return err->code;
    if (d->root->document.n > 0 && !d->is_new)
        wa_cli_say(cli, "the draft has changed: the signatures it had are gone");
    wa_cli_out(cli,
               "draft of root version %lld: its administrators sign it (wapt-repo root sign)\n",
               (long long)d->root->version);
    wa_repo_show_root(cli, again, d->in_force);
    return WA_OK;
}

enum wa_code wa_repo_cert(const char *path, struct wa_cert **ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (wa_path_read(path, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &certs, err) != WA_OK)
        return wa_wrap(err, "the certificate '%s'", path);
    *ret = wa_cert_ref(certs.items[0]);
    return WA_OK;
}

/* --- showing --- */

static void show_date(struct wa_cli *cli, const char *key, int64_t at)
{
    char date[WA_DATE_MAX];
    wa_date_rfc3339(at, date);
    wa_cli_pair(cli, wa_text(key), date);
}

static void join(const struct wa_json *list, struct wa_buf *out)
{
    wa_buf_clear(out);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        wa_buf_adds(out, i == 0 ? "" : ",");
        wa_buf_addsv(out, wa_json_sv(wa_json_at(list, i)));
    }
    if (out->n == 0)
        wa_buf_adds(out, wa_text("none"));
}

static bool is_same_list(const struct wa_json *a, const struct wa_json *b)
{
    bool is_same = wa_json_count(a) == wa_json_count(b);
    for (size_t i = 0; is_same && i < wa_json_count(a); i++)
        is_same = wa_sv_eq(wa_json_sv(wa_json_at(a, i)), wa_json_sv(wa_json_at(b, i)));
    return is_same;
}

static const char *signer_mark(const struct wa_root_signer *s, const struct wa_root *old)
{
    const struct wa_root_signer *o =
        old == NULL ? NULL : wa_root_signer(old, wa_cert_fingerprint(s->cert));
    if (old == NULL)
        return "";
    if (o == NULL)
        return wa_text("  [new]");
    return o->may_publish == s->may_publish && o->may_sign_code == s->may_sign_code &&
                   is_same_list(o->sections, s->sections) &&
                   is_same_list(o->prefixes, s->prefixes) && is_same_list(o->actions, s->actions) &&
                   is_same_list(o->groups, s->groups) && is_same_list(o->units, s->units)
               ? ""
               : "  [changed]";
}

static void show_signer(struct wa_cli *cli, const struct wa_root_signer *s,
                        const struct wa_root *old)
{
    const struct {
        const char *key;
        const struct wa_json *list;
    } lists[] = {{"sections", s->sections},
                 {"prefixes", s->prefixes},
                 {"actions", s->actions},
                 {"groups", s->groups},
                 {"units", s->units}};
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw *w = &cli->jw;
    wa_buf_init(&text, 64u << 10);
    wa_jw_obj(w);
    wa_jw_kv(w, "name", wa_cert_cn(s->cert));
    wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(s->cert));
    wa_jw_kvb(w, "code", s->may_sign_code);
    wa_jw_kvb(w, "publish", s->may_publish);
    wa_cli_out(cli, "  signer %s (%s)%s\n", wa_cert_cn(s->cert), wa_cert_fingerprint(s->cert),
               signer_mark(s, old));
    wa_cli_out(cli, "    may publish: %s; may sign code: %s\n",
               s->may_publish ? wa_text("yes") : wa_text("no"),
               s->may_sign_code ? wa_text("yes") : wa_text("no"));
    for (size_t i = 0; i < WA_COUNT(lists); i++) {
        join(lists[i].list, &text);
        wa_cli_out(cli, "    %s: %s\n", lists[i].key, wa_buf_str(&text));
        wa_jw_key(w, lists[i].key);
        wa_jw_json(w, lists[i].list);
    }
    wa_jw_end(w);
}

static bool has_signed(const struct wa_root *r, const struct wa_cert *c)
{
    for (size_t i = 0; i < r->document.n; i++)
        if (strcmp(r->document.items[i].signer, wa_cert_fingerprint(c)) == 0)
            return true;
    return false;
}

static bool has_cert(const struct wa_certs *list, const struct wa_cert *c)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_cert_equal(list->items[i], c))
            return true;
    return false;
}

static void show_administrators(struct wa_cli *cli, const struct wa_root *r,
                                const struct wa_root *old)
{
    struct wa_jw *w = &cli->jw;
    wa_jw_key(w, "administrators");
    wa_jw_arr(w);
    for (size_t i = 0; i < r->administrators.n; i++) {
        const struct wa_cert *c = r->administrators.items[i];
        bool is_new = old != NULL && !has_cert(&old->administrators, c);
        wa_jw_obj(w);
        wa_jw_kv(w, "name", wa_cert_cn(c));
        wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(c));
        wa_jw_kvb(w, "signed", has_signed(r, c));
        wa_jw_end(w);
        wa_cli_out(cli, "  administrator %s (%s): %s%s\n", wa_cert_cn(c), wa_cert_fingerprint(c),
                   has_signed(r, c) ? wa_text("has signed") : wa_text("has not signed"),
                   is_new ? wa_text("  [new]") : "");
    }
    wa_jw_end(w);
    for (size_t i = 0; old != NULL && i < old->administrators.n; i++)
        if (!has_cert(&r->administrators, old->administrators.items[i]))
            wa_cli_out(cli, "  administrator %s (%s): %s  [removed]\n",
                       wa_cert_cn(old->administrators.items[i]),
                       wa_cert_fingerprint(old->administrators.items[i]),
                       has_signed(r, old->administrators.items[i]) ? wa_text("has signed")
                                                                   : wa_text("has not signed"));
}

static void show_signers(struct wa_cli *cli, const struct wa_root *r, const struct wa_root *old)
{
    wa_jw_key(&cli->jw, "signers");
    wa_jw_arr(&cli->jw);
    for (size_t i = 0; i < r->signer_count; i++)
        show_signer(cli, &r->signers[i], old);
    wa_jw_end(&cli->jw);
    for (size_t i = 0; old != NULL && i < old->signer_count; i++)
        if (wa_root_signer(r, wa_cert_fingerprint(old->signers[i].cert)) == NULL)
            wa_cli_out(cli, "  signer %s (%s)  [removed]\n", wa_cert_cn(old->signers[i].cert),
                       wa_cert_fingerprint(old->signers[i].cert));
}

void wa_repo_show_root(struct wa_cli *cli, const struct wa_root *r, const struct wa_root *old)
{
    struct wa_jw *w = &cli->jw;
    char number[32];
    wa_jw_obj(w);
    wa_jw_kv(w, "repository", r->repository);
    wa_jw_kvi(w, "version", r->version);
    wa_jw_kvi(w, "issued", r->issued);
    wa_jw_kvi(w, "expires", r->expires);
    wa_jw_kvi(w, "threshold", r->threshold);
    wa_jw_kvi(w, "published_days", r->published_days);
    wa_jw_kvi(w, "timestamp_hours", r->timestamp_hours);
    wa_jw_kvi(w, "timestamp_keys", (int64_t)r->timestamp_key_count);
    (void)snprintf(number, sizeof number, "%lld", (long long)r->version);
    wa_cli_pair(cli, wa_text("version"), number);
    wa_cli_pair(cli, wa_text("repository"), r->repository);
    show_date(cli, WA_TEXT("expires"), r->expires);
    wa_cli_out(cli, "  %lld of %zu administrators must sign; %zu timestamp keys\n",
               (long long)r->threshold, r->administrators.n, r->timestamp_key_count);
    show_administrators(cli, r, old);
    show_signers(cli, r, old);
    wa_jw_end(w);
}
