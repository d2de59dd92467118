/* store_auth.c - what the store asks the auth process: is this the password, what is its hash, is
 * this the code of that second factor. The store itself sees no secret at rest in clear.
 *
 * When auth ends before it has answered, that is the answer, and no wrong password; but the attempt
 * that it was looking at stays counted, for it may be what ended it.
 */
#include "base/mem.h"
#include "crypto/pwhash.h"
#include "crypto/seal.h"
#include "server/store_priv.h"

#define CHECKS_MAX 32u /* each takes the auth process a good part of a second */

struct check {
    wa_store_reply_fn fn;
    void *user;
};

static void on_checked(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct check *c = user;
    s->checks--;
    c->fn(s, c->user, payload);
    wa_free(c);
}

enum wa_code wa_store_checked(struct wa_sv payload, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 10);
    if (!wa_sv_starts(payload, "{"))
        return WA_OK;
    if (wa_json_parse(payload, 0, &arena, &j, err) != WA_OK)
        return err->code;
    return wa_fail(err, WA_E_BUSY, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "message"))));
}

static enum wa_code ask(struct wa_store *s, const struct wa_buf *question, wa_store_reply_fn fn,
                        void *data, struct wa_err *err)
{
    if (wa_buf_check(question, err) != WA_OK)
        return err->code;
    if (s->checks >= CHECKS_MAX)
        return wa_fail(err, WA_E_BUSY, "too many are logging in: try again in a minute");
    struct check *c = wa_calloc(1, sizeof *c);
    if (c == NULL)
        return wa_nomem(err);
    *c = (struct check){fn, data};
    if (wa_store_ask(s, WA_SR_AUTH, wa_buf_sv(question), on_checked, c, err) != WA_OK) {
        wa_free(c);
        return err->code;
    }
    s->checks++;
    return WA_OK;
}

/* --- a password --- */

struct password {
    wa_store_reply_fn fn;
    void *user;
    char name[WA_NAME_MAX + 1], hash[WA_PWHASH_MAX];
};

/* The password was right, and its hash another program's. One that can't be replaced now is when
 * its owner comes again. */
static void replace_hash(struct wa_store *s, const struct password *p, struct wa_sv fresh)
{
    char hash[WA_PWHASH_MAX];
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(hash, sizeof hash, "%.*s", WA_SV_ARG(fresh));
    if (wa_store_replace_hash(s->db, p->name, p->hash, hash, &err) == WA_OK)
        wa_log(&s->child.log, WA_LOG_INFO, "person.hash_replaced", WA_LF_S("user", p->name));
    else
        wa_log(&s->child.log, WA_LOG_WARNING, "person.hash_kept", WA_LF_S("user", p->name),
               WA_LF_S("why", err.text));
}

/* Whether the hash that was asked about is still that of somebody who may log in. */
static bool is_still_its(struct wa_store *s, const struct password *p)
{
    WA_AUTO_BUF_SECRET struct wa_buf hash;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_init(&hash, WA_PWHASH_MAX);
    if (wa_store_user_hash(s->db, wa_sv(p->name), &hash, &err) == WA_OK)
        return wa_sv_eqs(wa_buf_sv(&hash), p->hash);
    wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
    return false;
}

static void on_password(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct password *p = user;
    struct wa_sv fresh = payload, said = {NULL, 0};
    (void)wa_sv_split(&fresh, '\n', &said);
    if (wa_sv_eqs(said, "ok") && !is_still_its(s, p))
        said = WA_SV("{\"message\":\"the password has just been changed: try again\"}");
    else if (fresh.n > 0)
        replace_hash(s, p, fresh);
    p->fn(s, p->user, said);
    wa_free(p);
}

enum wa_code wa_store_ask_password(struct wa_store *s, struct wa_sv user, struct wa_sv password,
                                   wa_store_reply_fn fn, void *data, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf question;
    wa_buf_init(&question, 4096);
    if (wa_store_user_hash(s->db, user, &question, err) != WA_OK)
        return err->code;
    if (question.n == 0)
        wa_buf_adds(&question, WA_S_NO_HASH);
    struct password *p = wa_calloc(1, sizeof *p);
    if (p == NULL)
        return wa_nomem(err);
    p->fn = fn;
    p->user = data;
    (void)snprintf(p->name, sizeof p->name, "%.*s", WA_SV_ARG(user));
    (void)snprintf(p->hash, sizeof p->hash, "%s", wa_buf_str(&question));
    wa_buf_addc(&question, '\n');
    wa_buf_addsv(&question, password);
    if (ask(s, &question, on_password, p, err) != WA_OK)
        wa_free(p);
    return err->code;
}

/* --- the others --- */

enum wa_code wa_store_ask_hash(struct wa_store *s, struct wa_sv password, wa_store_reply_fn fn,
                               void *data, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf question;
    wa_buf_init(&question, 4096);
    wa_buf_adds(&question, WA_S_MAKE "\n");
    wa_buf_addsv(&question, password);
    return ask(s, &question, fn, data, err);
}

enum wa_code wa_store_ask_factor(struct wa_store *s, const char *user, wa_store_reply_fn fn,
                                 void *data, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, 4096);
    wa_buf_addf(&question, WA_S_FACTOR "\n%s", user);
    return ask(s, &question, fn, data, err);
}

enum wa_code wa_store_ask_code(struct wa_store *s, const char *user, bool is_waiting,
                               struct wa_sv code, wa_store_reply_fn fn, void *data,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf sealed;
    WA_AUTO_BUF struct wa_buf question;
    int64_t step = 0;
    wa_buf_init(&sealed, WA_SEALED_MAX);
    wa_buf_init(&question, 4096);
    if (wa_store_factor(s->db, user, is_waiting, &sealed, &step, err) != WA_OK)
        return err->code;
    wa_buf_addf(&question, WA_S_CODE "\n%s\n%s\n%lld\n%.*s", user,
                sealed.n > 0 ? wa_buf_str(&sealed) : "-", is_waiting ? 0ll : (long long)step,
                WA_SV_ARG(code));
    return ask(s, &question, fn, data, err);
}
