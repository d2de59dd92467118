/* local_certificates.c - the person's certificates and those that count here, for the pages; a new
 * key, encrypted with a password that comes in one body and goes.
 *
 * A new key counts for nobody until somebody trusts its certificate, or an authority issues one,
 * for which a person must make a gesture (kind_certificate.c): so this takes none.
 */
#include "base/mem.h"
#include "console/keys_list.h"
#include "console/local_priv.h"
#include "crypto/csr.h"
#include "os/clock.h"
#include "os/fs.h"
#include "pkg/keypair.h"

#define DAYS_MAX 36500

/* --- the list --- */

static bool is_trusted(const struct wa_certs *list, const struct wa_cert *c)
{
    for (size_t i = 0; i < list->n; i++)
        if (wa_cert_equal(list->items[i], c))
            return true;
    return false;
}

static enum wa_code write_keys(const struct wa_local *l, const struct wa_certs *trusted,
                               struct wa_jw *w, struct wa_err *err)
{
    wa_jw_key(w, "keys");
    wa_jw_arr(w);
    for (size_t i = 0; i < l->key_count; i++) {
        const struct wa_local_key *k = &l->keys[i];
        wa_jw_obj(w);
        wa_jw_kv(w, "id", k->id);
        wa_jw_kv(w, "source", k->is_token ? "pkcs11" : "pem");
        wa_jw_kv(w, "place", k->place);
        wa_jw_kvb(w, "trusted", is_trusted(trusted, k->chain.items[0]));
        if (wa_keys_write(k->chain.items[0], wa_clock_now(), w, err) != WA_OK)
            return err->code;
        wa_jw_end(w);
    }
    wa_jw_end(w);
    return WA_OK;
}

static bool is_own(const struct wa_local *l, const struct wa_cert *c)
{
    for (size_t i = 0; i < l->key_count; i++)
        if (wa_cert_equal(l->keys[i].chain.items[0], c))
            return true;
    return false;
}

static enum wa_code write_others(const struct wa_local *l, const struct wa_certs *trusted,
                                 struct wa_jw *w, struct wa_err *err)
{
    wa_jw_key(w, "others");
    wa_jw_arr(w);
    for (size_t i = 0; i < trusted->n; i++) {
        if (is_own(l, trusted->items[i]))
            continue;
        wa_jw_obj(w);
        if (wa_keys_write(trusted->items[i], wa_clock_now(), w, err) != WA_OK)
            return err->code;
        wa_jw_end(w);
    }
    wa_jw_end(w);
    return WA_OK;
}

/* NAME.csr beside NAME.pem waits for a certificate. */
static enum wa_code write_pending(void *user, const char *name, const struct wa_stat *st,
                                  struct wa_err *err)
{
    struct wa_jw *w = user;
    struct wa_sv all = wa_sv(name);
    WA_UNUSED(err);
    if (st->is_file && wa_sv_ends(all, ".csr"))
        wa_jw_sv(w, wa_sv_sub(all, 0, all.n - 4));
    return WA_OK;
}

void wa_local_certificates(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_BUF struct wa_buf out;
    WA_AUTO_CERTS struct wa_certs trusted = {NULL, 0, 0};
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT, why = WA_ERR_INIT, none = WA_ERR_INIT;
    struct wa_jw w;
    WA_UNUSED(body);
    wa_buf_init(&out, WA_CONSOLE_ANSWER_MAX);
    if (l->o->trusted != NULL)
        (void)!wa_certs_read_dir(l->o->trusted, &trusted, &why);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "folder", l->o->keys_dir);
    wa_jw_kv(&w, "trusted_folder", l->o->trusted);
    wa_jw_kv(&w, "problem", why.code == WA_OK ? NULL : why.text);
    if (wa_local_keys_find(l, &err) != WA_OK || write_keys(l, &trusted, &w, &err) != WA_OK ||
        write_others(l, &trusted, &w, &err) != WA_OK) {
        wa_local_answer_err(c, &err);
        return;
    }
    wa_jw_key(&w, "pending");
    wa_jw_arr(&w);
    if (l->o->keys_dir != NULL && wa_dir_open(l->o->keys_dir, &dir, &none) == WA_OK)
        (void)!wa_dir_list(&dir, write_pending, &w, &none);
    wa_jw_end(&w);
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
}

/* --- a new key --- */

struct making {
    struct wa_arena arena; /* secret: has the body */
    const char *folder, *name, *kind;
    struct wa_sv password;
    struct wa_cert_request what;
    int64_t bits, days;
    bool is_request;
};

static enum wa_code text(struct making *m, struct wa_sv from, const char **ret, struct wa_err *err)
{
    if (from.n == 0)
        return WA_OK;
    *ret = wa_arena_strdup(&m->arena, from);
    return *ret != NULL ? WA_OK : wa_nomem(err);
}

static enum wa_code read_making(struct wa_sv body, struct making *m, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_sv name = WA_SV(""), kind = WA_SV(""), organization = WA_SV(""), unit = WA_SV(""),
                 email = WA_SV("");
    const struct wa_json_field fields[] = {
        {"name", WA_WANT_SV, true, 64, &name},
        {"password", WA_WANT_SV, true, 1024, &m->password},
        {"kind", WA_WANT_SV, true, 16, &kind},
        {"bits", WA_WANT_I64, false, 0, &m->bits},
        {"days", WA_WANT_I64, false, 0, &m->days},
        {"organization", WA_WANT_SV, false, 64, &organization},
        {"org_unit", WA_WANT_SV, false, 64, &unit},
        {"email", WA_WANT_SV, false, 64, &email},
        {"ca", WA_WANT_BOOL, false, 0, &m->what.is_ca},
        {"code_signing", WA_WANT_BOOL, false, 0, &m->what.code_signing},
        {"client_auth", WA_WANT_BOOL, false, 0, &m->what.client_auth},
        {"request", WA_WANT_BOOL, false, 0, &m->is_request}};
    if (wa_json_parse(body, 0, &m->arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", err) != WA_OK ||
        text(m, name, &m->name, err) != WA_OK || text(m, kind, &m->kind, err) != WA_OK ||
        text(m, organization, &m->what.organization, err) != WA_OK ||
        text(m, unit, &m->what.org_unit, err) != WA_OK ||
        text(m, email, &m->what.email, err) != WA_OK)
        return err->code;
    if (m->name == NULL || m->kind == NULL)
        return wa_fail(err, WA_E_INVALID, "whose key, and of which kind?");
    if (wa_keypair_check_password(m->password, err) != WA_OK)
        return err->code;
    if (m->days < 1 || m->days > DAYS_MAX)
        return wa_fail(err, WA_E_INVALID, "a certificate is good for 1 to %d days", DAYS_MAX);
    return WA_OK;
}

static enum wa_code make_second(const struct making *m, const struct wa_key *key,
                                struct wa_buf *out, char fingerprint[65], struct wa_err *err)
{
    WA_AUTO(wa_cert) struct wa_cert *made = NULL;
    struct wa_cert_request what = m->what;
    if (m->is_request)
        return wa_csr_make(m->name, key, out, err);
    what.cn = m->name;
    what.path_length = -1;
    what.days = (unsigned)m->days;
    if (wa_cert_issue(&what, key, NULL, NULL, &made, err) != WA_OK ||
        wa_cert_write_pem(made, out, err) != WA_OK)
        return err->code;
    memcpy(fingerprint, wa_cert_fingerprint(made), 65);
    return WA_OK;
}

static void write_made(struct wa_local_job *job, const struct wa_keypair *pair, struct wa_sv second,
                       const char *fingerprint)
{
    const struct making *m = job->own;
    struct wa_jw w;
    char path[2 * WA_PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/%s", pair->folder, pair->key.p);
    wa_jw_init(&w, &job->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "file", path);
    wa_jw_kv(&w, "fingerprint", m->is_request ? NULL : fingerprint);
    wa_jw_key(&w, "request");
    if (m->is_request)
        wa_jw_sv(&w, second);
    else
        wa_jw_null(&w);
    wa_jw_end(&w);
}

static enum wa_code make(struct wa_local_job *job, struct wa_err *err)
{
    const struct making *m = job->own;
    WA_AUTO_KEYPAIR struct wa_keypair pair = {.dir = WA_DIR_INIT};
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    WA_AUTO_BUF struct wa_buf second;
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    char fingerprint[65] = "";
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    wa_buf_init(&second, WA_CERTFILE_BYTES_MAX);
    if (wa_keypair_open(m->folder, m->name, &pair, err) != WA_OK ||
        wa_keypair_new_key(m->kind, m->bits, &key, err) != WA_OK ||
        make_second(m, key, &second, fingerprint, err) != WA_OK ||
        wa_key_write_pem(key, m->password, &pem, err) != WA_OK)
        return err->code;
    const struct wa_keypair_file files[] = {
        {&pair.key, wa_buf_sv(&pem), 0600},
        {m->is_request ? &pair.request : &pair.cert, wa_buf_sv(&second), 0644}};
    if (wa_keypair_write(&pair, files, WA_COUNT(files), false, err) != WA_OK)
        return err->code;
    write_made(job, &pair, wa_buf_sv(&second), fingerprint);
    return WA_OK;
}

static void was_made(struct wa_local_job *job, struct wa_err *err)
{
    if (err->code == WA_OK)
        (void)!wa_local_keys_find(job->local, err);
}

static void making_fini(struct wa_local_job *job)
{
    struct making *m = job->own;
    wa_arena_fini_secret(&m->arena);
    wa_free(m);
}

void wa_local_keys_new(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct making *m = wa_calloc(1, sizeof *m);
    if (job == NULL || m == NULL) {
        (void)wa_nomem(&err);
        wa_free(m);
        if (job != NULL)
            wa_local_job_refuse(job, &err);
        return;
    }
    *m = (struct making){.folder = l->o->keys_dir, .bits = 3072, .days = 3650};
    wa_arena_init(&m->arena, 64u << 10);
    job->own = m;
    job->fini = making_fini;
    job->work = make;
    job->done = was_made;
    if (l->key_count == WA_LOCAL_KEYS)
        (void)wa_fail(&err, WA_E_LIMIT, "there are %u keys already, and more are not shown",
                      WA_LOCAL_KEYS);
    else if (m->folder == NULL)
        (void)wa_fail(&err, WA_E_CONFIG, "there is no folder for keys: set keys_dir in %s",
                      "waptconsole.ini");
    if (err.code != WA_OK || read_making(body, m, &err) != WA_OK)
        wa_local_job_refuse(job, &err);
    else
        wa_local_job_start(job);
}
