/* api_certificates.c - the certificates by which one logs in oneself.
 *
 * One is registered by showing it: the handshake proves that its key is held, so that nobody takes
 * another's for his own. It lasts longer than a session, and takes the password for that, and a
 * code where there is a second factor. Whoever is known by another logs in there.
 */
#include "base/mem.h"
#include "crypto/totp.h"
#include "os/clock.h"
#include "server/api.h"
#include "server/api_change.h"
#include "server/api_page.h"
#include "server/login.h"

struct adding {
    struct wa_store_request *request;
    char user[WA_NAME_MAX + 1], code[WA_TOTP_DIGITS + 1], certificate[65];
};

/* --- seeing --- */

static void list_one(void *user, struct wa_sv sha256)
{
    struct wa_jw *w = user;
    wa_jw_obj(w);
    wa_jw_kvsv(w, "sha256", sha256);
    wa_jw_end(w);
}

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "certificates");
    wa_jw_arr(&w);
    if (wa_store_certificates(c->store->db, c->who.user, list_one, &w, err) != WA_OK)
        return err->code;
    wa_jw_end(&w);
    wa_jw_end(&w);
    return WA_OK;
}

/* --- adding --- */

static void end(struct adding *a, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_jw w;
    wa_buf_init(&out, 256);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "sha256", a->certificate);
    wa_jw_end(&w);
    if (err->code == WA_OK)
        wa_store_answer(a->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(a->request, err);
    wa_free(a);
}

/* All that it takes was there. */
static void add(struct adding *a)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_store *s = a->request->store;
    const struct wa_person_by by = {s->child.config.node, a->user, a->request->peer, true};
    const struct wa_person_change change = {
        .what = WA_PERSON_TRUST, .name = a->user, .certificate = a->certificate};
    if (wa_people_change(s->db, &by, &change, "", &err) == WA_OK)
        wa_log(&s->child.log, WA_LOG_INFO, "user.changed", WA_LF_S("user", a->user),
               WA_LF_S("by", a->user), WA_LF_S("peer", a->request->peer));
    end(a, &err);
}

static void on_code(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct adding *a = user;
    struct wa_err err = WA_ERR_INIT;
    int64_t step = 0;
    bool is_taken = false;
    if (wa_store_ended_before(payload))
        wa_throttle_back(&s->codes, a->user, NULL);
    if (wa_store_checked(payload, &err) == WA_OK && wa_sv_i64(payload, &step) && step > 0 &&
        wa_store_take_step(s->db, a->user, step, &is_taken, &err) == WA_OK && is_taken) {
        wa_throttle_good(&s->codes, a->user, NULL);
        add(a);
        return;
    }
    if (err.code == WA_OK)
        (void)wa_fail(&err, WA_E_DENIED, "the code is wrong, or was used before");
    end(a, &err);
}

static void ask_code(struct adding *a)
{
    struct wa_store *s = a->request->store;
    struct wa_err err = WA_ERR_INIT;
    if (wa_login_begin_code(s, a->user, &err) == WA_OK) {
        if (wa_store_ask_code(s, a->user, false, wa_sv(a->code), on_code, a, &err) == WA_OK)
            return;
        wa_throttle_back(&s->codes, a->user, NULL); /* nobody has looked at it */
    }
    end(a, &err);
}

static void on_password(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct adding *a = user;
    struct wa_err err = WA_ERR_INIT;
    struct wa_person p = {.has_factor = false};
    bool found = false;
    if (wa_store_ended_before(payload))
        wa_throttle_back(&s->throttle, a->request->peer, a->user);
    if (wa_store_checked(payload, &err) == WA_OK && !wa_sv_eqs(payload, "ok"))
        (void)wa_fail(&err, WA_E_DENIED, "the password is another");
    if (err.code == WA_OK)
        wa_throttle_good(&s->throttle, a->request->peer, a->user);
    if (err.code != WA_OK || wa_store_person(s->db, wa_sv(a->user), &p, &found, &err) != WA_OK) {
        end(a, &err);
    } else if (!p.has_factor) {
        add(a);
    } else if (a->code[0] != '\0') {
        ask_code(a);
    } else {
        a->request->act.route = NULL; /* nothing was done */
        wa_store_answer(a->request, 200, WA_SV("{\"needs\":\"code\"}"));
        wa_free(a);
    }
}

/* Whether somebody logged in so may have one. */
static enum wa_code check_person(const struct wa_api_call *c, struct wa_err *err)
{
    struct wa_person p;
    bool found = false;
    if (c->who.lacks_factor)
        return wa_fail(err, WA_E_DENIED, "set up your second factor first, then log in again");
    if (wa_store_person(c->store->db, wa_sv(c->who.user), &p, &found, err) != WA_OK)
        return err->code;
    if (!found)
        return wa_fail(err, WA_E_AUTH, "log in first");
    return strcmp(p.origin, "local") == 0
               ? WA_OK
               : wa_fail(err, WA_E_CONFLICT, "'%s' is known by another (%s), and logs in there",
                         p.name, p.origin);
}

static enum wa_code ask_password(struct wa_api_call *c, struct wa_sv password, struct wa_sv code,
                                 struct wa_err *err)
{
    struct wa_store *s = c->store;
    struct wa_store_request *r = c->request;
    if (wa_throttle_begin(&s->throttle, r->peer, c->who.user, wa_clock_now(), err) != WA_OK)
        return err->code;
    struct adding *a = wa_calloc(1, sizeof *a);
    if (a != NULL) {
        a->request = r;
        memcpy(a->user, c->who.user, sizeof a->user);
        (void)snprintf(a->code, sizeof a->code, "%.*s", WA_SV_ARG(code));
        (void)snprintf(a->certificate, sizeof a->certificate, "%s", r->person);
    }
    if (a == NULL)
        (void)wa_nomem(err);
    else
        (void)!wa_store_ask_password(s, wa_sv(a->user), password, on_password, a, err);
    c->is_later = err->code == WA_OK;
    if (c->is_later)
        return WA_OK;
    wa_throttle_back(&s->throttle, r->peer, c->who.user); /* nobody has looked at it */
    wa_free(a);
    return err->code;
}

static enum wa_code call_add(struct wa_api_call *c, struct wa_err *err)
{
    WA_CLEANUP(wa_arena_fini_secret) struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv password = {NULL, 0}, code = WA_SV("");
    const struct wa_json_field fields[] = {{"password", WA_WANT_SV, true, 1024, &password},
                                           {"code", WA_WANT_SV, false, WA_TOTP_DIGITS, &code}};
    wa_arena_init(&arena, 64u << 10);
    return wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) == WA_OK &&
                   wa_json_read(j, fields, WA_COUNT(fields), "a certificate", err) == WA_OK &&
                   check_person(c, err) == WA_OK &&
                   wa_login_certificate_check(c->request, err) == WA_OK
               ? ask_password(c, password, code, err)
               : err->code;
}

/* --- removing --- */

/* Sessions by it end; this one goes on, unless it may be by it. */
static enum wa_code call_remove(struct wa_api_call *c, struct wa_err *err)
{
    bool is_shown = strcmp(c->args[0], c->request->person) == 0;
    const struct wa_person_change change = {.what = WA_PERSON_DISTRUST,
                                            .name = c->who.user,
                                            .certificate = c->args[0],
                                            .keep_session = is_shown ? NULL : c->who.session};
    return wa_api_change_person(c, &change, err);
}

static const struct wa_api_route routes[] = {
    {"GET", WA_CERTIFICATE_OWN, WA_MAY_OWN, false, call_list,
     "The certificates by which one logs in oneself", wa_api_whole_params, NULL, "Certificates"},
    {"POST", WA_CERTIFICATE_OWN, WA_MAY_OWN, false, call_add,
     "Log in by the TLS certificate that this connection shows, from now on", NULL,
     "NewCertificate", "Certificate"},
    {"DELETE", WA_CERTIFICATE_OWN "/{sha256}", WA_MAY_OWN, false, call_remove,
     "Log in by a certificate no longer, and end one's other sessions", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_certificate_calls = {routes, WA_COUNT(routes)};
