/* local_keys.c - the person's certificates and keys: found at the start, opened for a time, locked
 * again.
 *
 * A page names a key by its certificate's digest, and never sees more of it. Passwords and PINs are
 * used once and wiped; an opened key lives in this process's memory alone.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "console/pinentry.h"
#include "crypto/token.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/path.h"

#define TRIES 3 /* of a password that is asked for */

/* --- which there are --- */

static void key_fini(struct wa_local_key *k)
{
    wa_key_free(k->key);
    wa_certs_fini(&k->chain);
    wa_free(k->place);
    *k = (struct wa_local_key){.id = ""};
}

static enum wa_code add(struct wa_local *l, const char *cert, const char *place, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_local_key *k = &l->keys[l->key_count];
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    if (l->key_count == WA_LOCAL_KEYS)
        return WA_OK;
    *k = (struct wa_local_key){.id = ""};
    if (wa_path_read(cert, WA_CERTFILE_BYTES_MAX, &pem, err) != WA_OK ||
        wa_certs_read_pem(wa_buf_sv(&pem), WA_CHAIN_MAX, &k->chain, err) != WA_OK ||
        wa_sv_dup(wa_sv(place), &k->place, err) != WA_OK) {
        key_fini(k);
        return wa_wrap(err, "reading certificate '%s'", cert);
    }
    const struct wa_cert *c = k->chain.items[0];
    k->is_token = wa_token_is_uri(place);
    k->can_sign_code = wa_cert_may_sign_code(c);
    (void)snprintf(k->id, sizeof k->id, "%.16s", wa_cert_fingerprint(c));
    for (size_t i = 0; i < l->key_count; i++)
        if (strcmp(l->keys[i].id, k->id) == 0) { /* the configured one lies in the folder too */
            key_fini(k);
            return WA_OK;
        }
    l->key_count++;
    return WA_OK;
}

/* "NAME.pem" beside "NAME.crt". */
static enum wa_code beside(const char *cert, char out[WA_PATH_MAX], struct wa_err *err)
{
    size_t n = strlen(cert);
    if (n > 4 && strcmp(cert + n - 4, ".crt") == 0)
        n -= 4;
    int made = snprintf(out, WA_PATH_MAX, "%.*s.pem", (int)n, cert);
    return made > 0 && made < (int)WA_PATH_MAX
               ? WA_OK
               : wa_fail(err, WA_E_LIMIT, "the path of '%s' is too long", cert);
}

static enum wa_code try_file(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct wa_local *l = user;
    char cert[WA_PATH_MAX], key[WA_PATH_MAX];
    struct wa_err ignored = WA_ERR_INIT;
    struct wa_stat there;
    WA_UNUSED(err);
    if (!st->is_file || !wa_sv_ends(wa_sv(name), ".crt") ||
        snprintf(cert, sizeof cert, "%s/%s", l->o->keys_dir, name) >= (int)sizeof cert ||
        beside(cert, key, &ignored) != WA_OK || wa_path_stat(key, &there, &ignored) != WA_OK)
        return WA_OK; /* a certificate alone is somebody else's */
    if (add(l, cert, key, &ignored) != WA_OK)
        wa_log_err(l->o->log, WA_LOG_WARNING, "console.key.unreadable", &ignored);
    return WA_OK;
}

enum wa_code wa_local_keys_find(struct wa_local *l, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    const struct wa_local_options *o = l->o;
    char key[WA_PATH_MAX];
    struct wa_err ignored = WA_ERR_INIT;
    if (o->certificate != NULL &&
        ((o->key == NULL && beside(o->certificate, key, err) != WA_OK) ||
         add(l, o->certificate, o->key != NULL ? o->key : key, err) != WA_OK))
        return err->code;
    if (o->keys_dir == NULL || wa_dir_open(o->keys_dir, &dir, &ignored) != WA_OK)
        return WA_OK;
    return wa_dir_list(&dir, try_file, l, err);
}

void wa_local_keys_fini(struct wa_local *l)
{
    for (size_t i = 0; i < l->key_count; i++)
        key_fini(&l->keys[i]);
    l->key_count = 0;
}

bool wa_local_key_is_open(const struct wa_local_key *k)
{
    return k->key != NULL && !k->locks_after && k->until > wa_clock_now() &&
           k->until_ms > wa_clock_mono_ms();
}

struct wa_local_key *wa_local_key_find(struct wa_local *l, struct wa_sv id)
{
    for (size_t i = 0; i < l->key_count && id.n > 0; i++)
        if (wa_sv_eqs(id, l->keys[i].id))
            return &l->keys[i];
    for (size_t i = 0; i < l->key_count && id.n == 0; i++)
        if (wa_local_key_is_open(&l->keys[i]))
            return &l->keys[i];
    return id.n == 0 && l->key_count > 0 ? &l->keys[0] : NULL;
}

void wa_local_keys_write(struct wa_local *l, struct wa_jw *w)
{
    wa_jw_arr(w);
    for (size_t i = 0; i < l->key_count; i++) {
        const struct wa_local_key *k = &l->keys[i];
        const struct wa_cert *c = k->chain.items[0];
        wa_jw_obj(w);
        wa_jw_kv(w, "id", k->id);
        wa_jw_kv(w, "name", wa_cert_cn(c));
        wa_jw_kv(w, "subject", wa_cert_subject(c));
        wa_jw_kv(w, "fingerprint", wa_cert_fingerprint(c));
        wa_jw_key(w, "issuers"); /* machines may trust one of them for this key's orders */
        wa_jw_arr(w);
        for (size_t n = 1; n < k->chain.n; n++)
            wa_jw_s(w, wa_cert_fingerprint(k->chain.items[n]));
        wa_jw_end(w);
        wa_jw_kv(w, "source", k->is_token ? "pkcs11" : "pem");
        wa_jw_kvi(w, "unlocked_until", wa_local_key_is_open(k) ? k->until : 0);
        wa_jw_kvb(w, "can_sign_code", k->can_sign_code);
        wa_jw_kvb(w, "can_log_in", wa_cert_may_be_client(c));
        wa_jw_kvi(w, "not_after", wa_cert_not_after(c));
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

/* --- locking --- */

static void lock(struct wa_local_key *k)
{
    k->until = 0;
    k->locks_after = k->users > 0;
    if (k->users > 0)
        return;
    wa_key_free(k->key);
    k->key = NULL;
}

void wa_local_key_release(struct wa_local_key *k)
{
    bool is_lost = k->key != NULL && wa_key_is_lost(k->key); /* its token asks for the PIN anew */
    if (--k->users == 0 && (k->locks_after || is_lost))
        lock(k);
}

void wa_local_keys_sweep(struct wa_local *l, bool all)
{
    for (size_t i = 0; i < l->key_count; i++)
        if (l->keys[i].key != NULL && (all || !wa_local_key_is_open(&l->keys[i])))
            lock(&l->keys[i]);
}

static enum wa_code read_body(struct wa_sv body, const struct wa_json_field *fields, size_t count,
                              struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *j = NULL;
    if (body.n == 0)
        body = WA_SV("{}");
    return wa_json_parse(body, 0, arena, &j, err) == WA_OK
               ? wa_json_read(j, fields, count, "the request", err)
               : err->code;
}

void wa_local_keys_lock(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv id = WA_SV("");
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, false, 16, &id}};
    wa_arena_init(&arena, 64u << 10);
    if (read_body(body, fields, WA_COUNT(fields), &arena, &err) != WA_OK) {
        wa_http_answer_err(c, &err);
        return;
    }
    for (size_t i = 0; i < l->key_count; i++)
        if (id.n == 0 || wa_sv_eqs(id, l->keys[i].id))
            lock(&l->keys[i]);
    wa_local_state_answer(l, c);
}

/* --- opening --- */

struct opening {
    struct wa_local_key *entry;
    struct wa_arena arena; /* secret */
    struct wa_sv password;
    struct wa_pinentry *pinentry; /* asked instead of the page; in the pool */
    const char *error;            /* why it is asked again */
    int64_t seconds;
    bool asks; /* a pinentry, not the page */
    struct wa_key *key;
};

static enum wa_code give(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    const struct opening *o = user;
    char text[512];
    if (o->pinentry == NULL) {
        wa_buf_addsv(out, o->password);
        return wa_buf_check(out, err);
    }
    (void)snprintf(text, sizeof text,
                   wa_text("The key of %.200s is unlocked for the console.\n%.200s"),
                   wa_cert_cn(o->entry->chain.items[0]), what);
    const struct wa_pinentry_question q = {.text = wa_sv(text),
                                           .prompt = o->entry->is_token ? wa_text("PIN:")
                                                                        : wa_text("Passphrase:"),
                                           .error = o->error};
    return wa_pinentry_ask(o->pinentry, &q, out, err);
}

/* One that needs no password and that others can read is anybody's. */
static enum wa_code check_rights(const char *path, struct wa_sv pem, struct wa_err *err)
{
    struct wa_stat st;
    char whole[WA_PATH_MAX];
    if (wa_sv_has(pem, WA_SV("ENCRYPTED")))
        return WA_OK;
    if (wa_path_real(path, whole, err) != WA_OK || wa_path_stat(whole, &st, err) != WA_OK)
        return err->code;
    if ((st.mode & 077u) == 0)
        return WA_OK;
    return wa_fail(err, WA_E_DENIED,
                   "others can read the private key '%s', which has no password: chmod 600 it, "
                   "and make a new one if somebody may have read it",
                   path);
}

static enum wa_code open_file(struct opening *o, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    const char *path = o->entry->place;
    wa_buf_init(&pem, WA_KEY_BYTES_MAX);
    if (wa_path_read(path, WA_KEY_BYTES_MAX, &pem, err) != WA_OK ||
        check_rights(path, wa_buf_sv(&pem), err) != WA_OK)
        return err->code;
    return wa_key_read_pem(wa_buf_sv(&pem), path, give, o, &o->key, err);
}

static enum wa_code open_token(struct opening *o, const char *module, struct wa_err *err)
{
    struct wa_token_uri uri;
    if (wa_token_uri_parse(o->entry->place, &uri, err) != WA_OK)
        return err->code;
    return wa_token_key_open(&uri, module, give, o, &o->key, err);
}

static enum wa_code try_key(const struct wa_local_job *job, struct opening *o, struct wa_err *err)
{
    return o->entry->is_token ? open_token(o, job->local->o->module, err) : open_file(o, err);
}

/* As often as a person may mistype; a token counts, and locks itself. */
static enum wa_code open_asking(struct wa_local_job *job, struct wa_pinentry *p, struct wa_err *err)
{
    struct opening *o = job->own;
    o->pinentry = p;
    for (int i = 0; try_key(job, o, err) == WA_E_AUTH && i + 1 < TRIES && !o->entry->is_token;
         i++) {
        wa_err_clear(err);
        o->error = wa_text("That was not the password of the key.");
    }
    o->pinentry = NULL;
    return err->code;
}

/* A token says of itself what was wrong, and that it counts. */
static enum wa_code denied(const struct wa_local_key *k, struct wa_err *err)
{
    const struct wa_err why = *err;
    wa_err_clear(err);
    return k->is_token ? wa_fail(err, WA_E_DENIED, "%s", why.text)
                       : wa_fail(err, WA_E_DENIED, "the password of the key is wrong");
}

static enum wa_code open_key(struct wa_local_job *job, struct wa_err *err)
{
    struct opening *o = job->own;
    if ((o->asks ? wa_local_prompt_use(job, open_asking, err) : try_key(job, o, err)) != WA_OK) {
        if (err->code == WA_E_AUTH) /* not the page's proof: the key's */
            return denied(o->entry, err);
        return err->code;
    }
    if (!wa_cert_matches_key(o->entry->chain.items[0], o->key))
        return wa_fail(err, WA_E_CONFIG, "the private key '%s' does not belong to certificate '%s'",
                       o->entry->place, wa_cert_cn(o->entry->chain.items[0]));
    return WA_OK;
}

static void opened(struct wa_local_job *job, struct wa_err *err)
{
    struct opening *o = job->own;
    struct wa_local_key *k = o->entry;
    struct wa_http_conn *c = job->exchange.conn;
    wa_local_prompt_end(job, err);
    k->is_opening = false;
    if (err->code != WA_OK || k->users > 0)
        return;
    wa_key_free(k->key);
    k->key = o->key;
    o->key = NULL;
    k->locks_after = false;
    k->until = wa_clock_now() + o->seconds;
    k->until_ms = wa_clock_mono_ms() + (uint64_t)o->seconds * 1000;
    wa_log(job->local->o->log, WA_LOG_INFO, "console.key.unlocked", WA_LF_S("id", k->id),
           WA_LF_I("seconds", o->seconds));
    job->exchange.conn = NULL;
    if (c == NULL)
        return;
    wa_http_set_user(c, NULL);
    wa_local_state_answer(job->local, c);
}

static void opening_fini(struct wa_local_job *job)
{
    struct opening *o = job->own;
    wa_key_free(o->key);
    wa_arena_fini_secret(&o->arena);
    wa_free(o);
}

static enum wa_code read_opening(struct wa_local *l, struct wa_sv body, struct opening *o,
                                 struct wa_err *err)
{
    struct wa_sv id = WA_SV("");
    const struct wa_json_field fields[] = {{"id", WA_WANT_SV, true, 16, &id},
                                           {"password", WA_WANT_SV, !o->asks, 1024, &o->password},
                                           {"seconds", WA_WANT_I64, true, 0, &o->seconds}};
    if (read_body(body, fields, WA_COUNT(fields), &o->arena, err) != WA_OK)
        return err->code;
    if (o->asks && o->password.n > 0)
        return wa_fail(err, WA_E_INVALID, "the password is asked for outside of the page");
    if (o->seconds < 1 || o->seconds > WA_LOCAL_UNLOCK_S_MAX)
        return wa_fail(err, WA_E_INVALID, "a key is unlocked for 1 to %d seconds",
                       WA_LOCAL_UNLOCK_S_MAX);
    o->entry = id.n > 0 ? wa_local_key_find(l, id) : NULL;
    if (o->entry == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no such key");
    if (o->entry->is_opening || o->entry->users > 0)
        return wa_fail(err, WA_E_BUSY, "this key is in use");
    return WA_OK;
}

void wa_local_keys_unlock(struct wa_local *l, struct wa_http_conn *c, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, c);
    struct opening *o = wa_calloc(1, sizeof *o);
    if (job == NULL || o == NULL) {
        (void)wa_nomem(&err);
        wa_free(o);
        if (job != NULL)
            wa_local_job_refuse(job, &err);
        return;
    }
    wa_arena_init(&o->arena, 64u << 10);
    job->own = o;
    job->fini = opening_fini;
    job->work = open_key;
    job->done = opened;
    o->asks = wa_local_prompt_is_there(l);
    if (read_opening(l, body, o, &err) != WA_OK ||
        (o->asks && wa_local_prompt_begin(job, &err) != WA_OK)) {
        wa_local_job_refuse(job, &err);
        return;
    }
    o->entry->is_opening = true;
    wa_local_job_start(job);
}
