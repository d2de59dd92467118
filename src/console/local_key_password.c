/* local_key_password.c - a key gets another password, for the pages. Both passwords are used once
 * and wiped; by a pinentry neither comes near the page. The key is the same one: where it is
 * unlocked it stays so.
 */
#include "base/mem.h"
#include "console/local_priv.h"
#include "console/pinentry.h"
#include "pkg/keyfile.h"
#include "pkg/keypair.h"

#define TRIES 3 /* of a password that is asked for */

struct changing {
    struct wa_local_key *entry;
    struct wa_arena arena; /* secret */
    struct wa_sv old, password;
    struct wa_buf typed;          /* secret: the new one, by a pinentry */
    struct wa_pinentry *pinentry; /* asked instead of the page; in the pool */
    const char *error;            /* why it is asked again */
    bool asks;                    /* a pinentry, not the page */
};

static enum wa_code ask_for(const struct changing *c, const char *prompt, struct wa_buf *out,
                            struct wa_err *err)
{
    char text[512];
    (void)snprintf(text, sizeof text, wa_text("The key of %.200s gets another password."),
                   wa_cert_cn(c->entry->chain.items[0]));
    const struct wa_pinentry_question q = {
        .text = wa_sv(text), .prompt = prompt, .error = c->error};
    return wa_pinentry_ask(c->pinentry, &q, out, err);
}

static enum wa_code give_old(void *user, const char *what, struct wa_buf *out, struct wa_err *err)
{
    const struct changing *c = user;
    WA_UNUSED(what);
    if (c->pinentry != NULL)
        return ask_for(c, wa_text("Old passphrase:"), out, err);
    wa_buf_addsv(out, c->old);
    return wa_buf_check(out, err);
}

/* Twice the same, and long enough. */
static enum wa_code ask_new(struct changing *c, struct wa_err *err)
{
    for (int i = 0; i < TRIES; i++) {
        WA_AUTO_BUF_SECRET struct wa_buf again;
        wa_buf_init(&again, WA_PASSPHRASE_MAX);
        wa_buf_clear(&c->typed);
        wa_err_clear(err);
        if (ask_for(c, wa_text("New passphrase:"), &c->typed, err) != WA_OK)
            return err->code;
        c->error = NULL;
        if (wa_keypair_check_password(wa_buf_sv(&c->typed), err) != WA_OK) {
            c->error = wa_text("It is too short: eight characters at least.");
            continue;
        }
        if (ask_for(c, wa_text("Once more:"), &again, err) != WA_OK)
            return err->code;
        if (wa_sv_eq(wa_buf_sv(&again), wa_buf_sv(&c->typed)))
            return WA_OK;
        (void)wa_fail(err, WA_E_INVALID, "the two passwords differ");
        c->error = wa_text("The two passwords differ.");
    }
    return err->code;
}

/* As often as a person may mistype. */
static enum wa_code open_file(struct changing *c, struct wa_keyfile *k, struct wa_err *err)
{
    int tries = c->pinentry != NULL ? TRIES : 1;
    for (int i = 0; wa_keyfile_open(c->entry->place, give_old, c, k, err) == WA_E_AUTH; i++) {
        wa_err_clear(err);
        if (i + 1 == tries) /* not the page's proof: the key's */
            return wa_fail(err, WA_E_DENIED, "the password of the key is wrong");
        c->error = wa_text("That was not the password of the key.");
    }
    c->error = NULL;
    return err->code;
}

static enum wa_code change_file(const struct wa_local_job *job, struct changing *c,
                                struct wa_err *err)
{
    WA_AUTO_KEYFILE struct wa_keyfile k = {.key = NULL};
    if (open_file(c, &k, err) != WA_OK || (c->pinentry != NULL && ask_new(c, err) != WA_OK))
        return err->code;
    if (wa_keyfile_set_password(&k, c->pinentry != NULL ? wa_buf_sv(&c->typed) : c->password,
                                err) == WA_E_DENIED)
        return wa_wrap(err, "only 'waptconsole key-password' writes outside of '%s'",
                       job->local->o->keys_dir != NULL ? job->local->o->keys_dir : "");
    return err->code;
}

static enum wa_code change_asking(struct wa_local_job *job, struct wa_pinentry *p,
                                  struct wa_err *err)
{
    struct changing *c = job->own;
    c->pinentry = p;
    return change_file(job, c, err);
}

static enum wa_code change(struct wa_local_job *job, struct wa_err *err)
{
    struct changing *c = job->own;
    if ((c->asks ? wa_local_prompt_use(job, change_asking, err) : change_file(job, c, err)) !=
        WA_OK)
        return err->code;
    wa_buf_adds(&job->out, "{}");
    return wa_buf_check(&job->out, err);
}

static void changed(struct wa_local_job *job, struct wa_err *err)
{
    const struct changing *c = job->own;
    wa_local_prompt_end(job, err);
    c->entry->is_opening = false;
    if (err->code == WA_OK)
        wa_log(job->local->o->log, WA_LOG_WARNING, "console.key.password",
               WA_LF_S("id", c->entry->id));
}

static void changing_fini(struct wa_local_job *job)
{
    struct changing *c = job->own;
    wa_buf_fini_secret(&c->typed);
    wa_arena_fini_secret(&c->arena);
    wa_free(c);
}

static enum wa_code read_changing(struct wa_local *l, struct wa_sv body, struct changing *c,
                                  struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_sv id = WA_SV("");
    const struct wa_json_field fields[] = {
        {"id", WA_WANT_SV, true, 16, &id},
        {"old", WA_WANT_SV, !c->asks, WA_PASSPHRASE_MAX, &c->old},
        {"password", WA_WANT_SV, !c->asks, WA_PASSPHRASE_MAX, &c->password}};
    if (wa_json_parse(body, 0, &c->arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the request", err) != WA_OK)
        return err->code;
    if (c->asks && (c->old.n > 0 || c->password.n > 0))
        return wa_fail(err, WA_E_INVALID, "the password is asked for outside of the page");
    if (!c->asks && wa_keypair_check_password(c->password, err) != WA_OK)
        return err->code;
    c->entry = id.n > 0 ? wa_local_key_find(l, id) : NULL;
    if (c->entry == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no such key");
    if (c->entry->is_token)
        return wa_fail(err, WA_E_INVALID, "a token's PIN is changed by a tool of the token's");
    if (c->entry->is_opening)
        return wa_fail(err, WA_E_BUSY, "this key is in use");
    return WA_OK;
}

void wa_local_keys_password(struct wa_local *l, struct wa_http_conn *conn, struct wa_sv body)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_local_job *job = wa_local_job_new(l, conn);
    struct changing *c = job == NULL ? NULL : wa_calloc(1, sizeof *c);
    if (job == NULL)
        return;
    if (c == NULL) {
        (void)wa_nomem(&err);
        wa_local_job_refuse(job, &err);
        return;
    }
    wa_arena_init(&c->arena, 64u << 10);
    wa_buf_init(&c->typed, WA_PASSPHRASE_MAX);
    job->own = c;
    job->fini = changing_fini;
    job->work = change;
    job->done = changed;
    c->asks = wa_local_prompt_is_there(l);
    if (read_changing(l, body, c, &err) != WA_OK ||
        (c->asks && wa_local_prompt_begin(job, &err) != WA_OK)) {
        wa_local_job_refuse(job, &err);
        return;
    }
    c->entry->is_opening = true;
    wa_local_job_start(job);
}
