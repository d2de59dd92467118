/* second_factor.c - a second factor from its offer to its end: the auth process makes the secret
 * and seals it; it counts once a code of it was seen.
 *
 * Whoever only holds a session takes over nothing: to begin takes the password, to end a code.
 */
#include "server/second_factor.h"

#include "base/mem.h"
#include "codec/base64.h"
#include "codec/url.h"
#include "crypto/seal.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/login.h"

#define RECOVERY_CODES 10u
#define RECOVERY_BYTES 10u /* 16 letters and digits each */

struct factor {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1], session[WA_SHA256_HEX];
};

static struct factor *factor_new(const struct wa_api_call *c)
{
    struct factor *f = wa_calloc(1, sizeof *f);
    if (f == NULL)
        return NULL;
    f->request = c->request;
    memcpy(f->user, c->who.user, sizeof f->user);
    memcpy(f->session, c->who.session, sizeof f->session);
    return f;
}

static void answer(struct factor *f, const struct wa_buf *out, struct wa_err *err)
{
    if (err->code == WA_OK && wa_buf_check(out, err) == WA_OK)
        wa_store_answer(f->request, 200, wa_buf_sv(out));
    else
        wa_store_answer_err(f->request, err);
    wa_free(f);
}

static enum wa_code read_text(const struct wa_api_call *c, const char *key, size_t max, char *out,
                              struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv text = {NULL, 0};
    const struct wa_json_field fields[] = {{key, WA_WANT_SV, true, max, &text}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a second factor", err) != WA_OK)
        return err->code;
    (void)snprintf(out, max + 1, "%.*s", WA_SV_ARG(text));
    return WA_OK;
}

static enum wa_code find(const struct wa_api_call *c, struct wa_person *p, struct wa_err *err)
{
    bool found = false;
    if (wa_store_person(c->store->db, wa_sv(c->who.user), p, &found, err) != WA_OK)
        return err->code;
    return found ? WA_OK : wa_fail(err, WA_E_AUTH, "log in first");
}

static enum wa_code note(struct wa_store *s, const struct factor *f, const char *act_name,
                         struct wa_err *err)
{
    const struct wa_journal_act act = {.act = act_name,
                                       .user = wa_sv(f->user),
                                       .peer = f->request->peer,
                                       .what = {{"name", wa_sv(f->user)}}};
    return wa_store_note(s, &act, err);
}

/* --- the offer --- */

/* sealed, newline, base32 */
static void on_made(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct factor *f = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv sealed = {NULL, 0}, secret = payload;
    char kept[WA_SEALED_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf out;
    WA_AUTO_BUF_SECRET struct wa_buf uri;
    struct wa_jw w;
    wa_buf_init(&out, 4096);
    wa_buf_init(&uri, 2048);
    if (wa_store_checked(payload, &err) != WA_OK || !wa_sv_split(&secret, '\n', &sealed) ||
        sealed.n >= sizeof kept) {
        if (err.code == WA_OK)
            (void)wa_fail(&err, WA_E_INTERNAL, "the auth process made no second factor");
        answer(f, &out, &err);
        return;
    }
    (void)snprintf(kept, sizeof kept, "%.*s", WA_SV_ARG(sealed));
    wa_buf_adds(&uri, "otpauth://totp/waptserver:");
    wa_url_encode(wa_sv(f->user), &uri);
    wa_buf_addf(&uri, "?secret=%.*s&issuer=waptserver", WA_SV_ARG(secret));
    if (wa_buf_check(&uri, &err) == WA_OK &&
        wa_store_offer_factor(s->db, f->user, kept, &err) == WA_OK) {
        wa_jw_init(&w, &out);
        wa_jw_obj(&w);
        wa_jw_kvsv(&w, "secret", secret);
        wa_jw_kv(&w, "uri", wa_buf_str(&uri));
        wa_jw_end(&w);
    }
    answer(f, &out, &err);
}

static void make(struct factor *f)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_ask_factor(f->request->store, f->user, on_made, f, &err) == WA_OK)
        return;
    wa_store_answer_err(f->request, &err);
    wa_free(f);
}

static void on_password(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct factor *f = user;
    struct wa_err err = WA_ERR_INIT;
    if (wa_sv_eqs(payload, "ok")) {
        wa_throttle_good(&s->throttle, f->request->peer, f->user);
        make(f);
        return;
    }
    if (wa_store_checked(payload, &err) == WA_OK)
        (void)wa_fail(&err, WA_E_DENIED, "the password is another");
    else if (wa_store_ended_before(payload))
        wa_throttle_back(&s->throttle, f->request->peer, f->user);
    wa_store_answer_err(f->request, &err);
    wa_free(f);
}

static enum wa_code ask_password(struct factor *f, struct wa_sv password, struct wa_err *err)
{
    struct wa_store *s = f->request->store;
    const char *peer = f->request->peer;
    if (wa_throttle_begin(&s->throttle, peer, f->user, wa_clock_now(), err) != WA_OK)
        return err->code;
    if (wa_store_ask_password(s, wa_sv(f->user), password, on_password, f, err) != WA_OK)
        wa_throttle_back(&s->throttle, peer, f->user); /* nobody has looked at it */
    return err->code;
}

enum wa_code wa_factor_offer_call(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_person p;
    char password[1025];
    if (read_text(c, "password", sizeof password - 1, password, err) != WA_OK ||
        find(c, &p, err) != WA_OK)
        return err->code;
    if (p.has_factor)
        return wa_fail(err, WA_E_CONFLICT, "you have a second factor: end that one first");
    struct factor *f = factor_new(c);
    if (f == NULL)
        return wa_nomem(err);
    enum wa_code code = strcmp(p.origin, "local") == 0
                            ? ask_password(f, wa_sv(password), err)
                            : wa_store_ask_factor(s, f->user, on_made, f, err);
    wa_wipe(password, sizeof password);
    if (code != WA_OK) {
        wa_free(f);
        return code;
    }
    c->is_later = true;
    return WA_OK;
}

/* --- its confirmation --- */

static enum wa_code add_recovery(struct wa_store *s, const char *user, struct wa_jw *w,
                                 struct wa_err *err)
{
    uint8_t bytes[RECOVERY_BYTES];
    char digest[WA_SHA256_HEX], shown[24];
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 64);
    if (wa_rand_bytes(bytes, sizeof bytes, err) != WA_OK)
        return err->code;
    wa_base32_encode(bytes, sizeof bytes, &text);
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_login_recovery(user, wa_buf_sv(&text), digest, err) != WA_OK ||
        wa_store_add_recovery(s->db, user, digest, err) != WA_OK)
        return err->code;
    (void)snprintf(shown, sizeof shown, "%.4s-%.4s-%.4s-%.4s", text.p, text.p + 4, text.p + 8,
                   text.p + 12);
    wa_jw_s(w, shown);
    wa_wipe(shown, sizeof shown);
    return WA_OK;
}

static enum wa_code confirm(struct wa_store *s, const struct factor *f, int64_t step,
                            struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_store_confirm_factor(s->db, f->user, step, err);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "recovery_codes");
    wa_jw_arr(&w);
    for (size_t i = 0; code == WA_OK && i < RECOVERY_CODES; i++)
        code = add_recovery(s, f->user, &w, err);
    wa_jw_end(&w);
    wa_jw_end(&w);
    if (code == WA_OK && wa_store_end_sessions(s->db, f->user, f->session, err) == WA_OK &&
        note(s, f, "user.factor_set", err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

static void on_first_code(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct factor *f = user;
    struct wa_err err = WA_ERR_INIT;
    int64_t step = 0;
    WA_AUTO_BUF_SECRET struct wa_buf out;
    wa_buf_init(&out, 4096);
    if (wa_store_checked(payload, &err) != WA_OK) {
        if (wa_store_ended_before(payload))
            wa_throttle_back(&s->codes, f->user, NULL);
        answer(f, &out, &err);
        return;
    }
    if (!wa_sv_i64(payload, &step) || step <= 0)
        (void)wa_fail(&err, WA_E_DENIED, "the code is wrong: is the clock of the device right?");
    else if (confirm(s, f, step, &out, &err) == WA_OK)
        wa_throttle_good(&s->codes, f->user, NULL);
    answer(f, &out, &err);
}

/* fn: what becomes of the code. */
static enum wa_code ask_code(struct wa_api_call *c, bool is_waiting, wa_store_reply_fn fn,
                             struct wa_err *err)
{
    struct wa_store *s = c->store;
    char code[WA_TOTP_DIGITS + 1];
    if (read_text(c, "code", WA_TOTP_DIGITS, code, err) != WA_OK)
        return err->code;
    struct factor *f = factor_new(c);
    if (f == NULL)
        return wa_nomem(err);
    if (wa_login_begin_code(s, f->user, err) != WA_OK) {
        wa_free(f);
        return err->code;
    }
    if (wa_store_ask_code(s, f->user, is_waiting, wa_sv(code), fn, f, err) != WA_OK) {
        wa_throttle_back(&s->codes, f->user, NULL); /* nobody has looked at it */
        wa_free(f);
        return err->code;
    }
    c->is_later = true;
    return WA_OK;
}

enum wa_code wa_factor_confirm_call(struct wa_api_call *c, struct wa_err *err)
{
    return ask_code(c, true, on_first_code, err);
}

/* --- its end --- */

static enum wa_code end(struct wa_store *s, const struct factor *f, int64_t step,
                        struct wa_err *err)
{
    bool is_taken = false;
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_take_step(s->db, f->user, step, &is_taken, err) == WA_OK && !is_taken)
        (void)wa_fail(err, WA_E_DENIED, "the code was used before");
    if (err->code == WA_OK && wa_store_drop_factor(s->db, f->user, err) == WA_OK &&
        note(s, f, "user.factor_dropped", err) == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

static void on_last_code(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct factor *f = user;
    struct wa_err err = WA_ERR_INIT;
    int64_t step = 0;
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 64);
    wa_buf_adds(&out, "{}");
    if (wa_store_checked(payload, &err) != WA_OK) {
        if (wa_store_ended_before(payload))
            wa_throttle_back(&s->codes, f->user, NULL);
        answer(f, &out, &err);
        return;
    }
    if (!wa_sv_i64(payload, &step) || step <= 0)
        (void)wa_fail(&err, WA_E_DENIED, "the code is wrong");
    else if (end(s, f, step, &err) == WA_OK)
        wa_throttle_good(&s->codes, f->user, NULL);
    answer(f, &out, &err);
}

enum wa_code wa_factor_off_call(struct wa_api_call *c, struct wa_err *err)
{
    return ask_code(c, false, on_last_code, err);
}
