/* helper_fetch.c - the manager asks for one HTTP exchange and takes the answer's body as it comes.
 *
 * The fetch process talks to servers and may have been taken over by one: its bytes are counted
 * against what was asked, its closing word is read strictly. Whether the bytes are the right ones
 * is for signatures to say, elsewhere.
 */
#include "agent/helper_priv.h"
#include "agent/trust_json.h"
#include "os/clock.h"

#define LIFE_MAX_S 86400u /* s: a package of 64 GiB at 6 Mbit/s */
#define GRACE_MS 30000u   /* ms beyond the exchange's own limit: start, look-up, last words */

static void call_write(const struct wa_fetch *what, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", what->method);
    wa_jw_kv(&w, "url", what->url);
    wa_jw_key(&w, "headers");
    wa_jw_arr(&w);
    for (size_t i = 0; what->headers != NULL && what->headers[i] != NULL; i++) {
        wa_jw_s(&w, what->headers[i]);
    }
    wa_jw_end(&w);
    if (what->proxy != NULL) {
        wa_jw_kv(&w, "proxy", what->proxy);
    }
    if (what->user != NULL) {
        wa_jw_kv(&w, "user", what->user);
        wa_jw_kv(&w, "password", what->password != NULL ? what->password : "");
    }
    wa_jw_kvb(&w, "allow_http", what->allow_http);
    wa_jw_kvi(&w, "max_bytes", (int64_t)what->max_bytes);
    wa_jw_kvi(&w, "resume_from", (int64_t)what->resume_from);
    wa_jw_kvi(&w, "timeout_ms", what->timeout_ms);
    wa_jw_kvi(&w, "silence_s", what->silence_s);
    wa_jw_kvi(&w, "redirects_max", what->redirects_max);
    wa_jw_kvi(&w, "rate_max_bytes_s", (int64_t)what->rate_max_bytes_s);
    wa_jw_key(&w, "trust");
    wa_trust_write(&w, what->trust);
    wa_jw_end(&w);
}

static enum wa_code ask(struct wa_talk *t, uint32_t id, const struct wa_fetch *what,
                        struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF_SECRET call;
    wa_buf_init(&call, WA_ROLE_JSON_MAX);
    call_write(what, &call);
    enum wa_code code = wa_buf_check(&call, err);
    if (code == WA_OK) {
        code = wa_talk_send(t, WA_M_FETCH, id, wa_buf_sv(&call), -1, err);
    }
    for (size_t at = 0; code == WA_OK && at < what->body.n; at += WA_ROLE_DATA_MAX) {
        code = wa_talk_send(t, WA_M_FETCH_BODY, id, wa_sv_sub(what->body, at, WA_ROLE_DATA_MAX), -1,
                            err);
    }
    return code != WA_OK ? code : wa_talk_send(t, WA_M_FETCH_GO, id, (struct wa_sv){0}, -1, err);
}

static uint64_t u64_at(const char *p)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--) {
        v = v << 8 | (unsigned char)p[i];
    }
    return v;
}

enum wa_code wa_fetch_done_read(struct wa_sv text, struct wa_fetch_result *ret, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 8 * WA_ROLE_NOTE_MAX);
    const struct wa_json *j = NULL;
    struct wa_fetch_result r = {0};
    struct wa_sv etag = {0}, last_modified = {0};
    int64_t status = 0, bytes = 0;
    const struct wa_json_field fields[] = {
        {"status", WA_WANT_I64, true, 0, &status},
        {"resumed", WA_WANT_BOOL, true, 0, &r.resumed},
        {"etag", WA_WANT_SV, true, sizeof r.etag - 1, &etag},
        {"last_modified", WA_WANT_SV, true, sizeof r.last_modified - 1, &last_modified},
        {"bytes", WA_WANT_I64, true, 0, &bytes},
    };
    enum wa_code code = wa_json_parse(text, 0, &arena, &j, err);
    if (code == WA_OK && wa_json_get(j, "code") != NULL) {
        return wa_role_error_read(text, err);
    }
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "the end of an exchange", err);
    }
    if (code == WA_E_NOMEM) {
        return code;
    }
    if (code != WA_OK || status < 100 || status > 999 || bytes < 0 ||
        !wa_role_copy(etag, r.etag, sizeof r.etag) ||
        !wa_role_copy(last_modified, r.last_modified, sizeof r.last_modified)) {
        return wa_fail(err, WA_E_REFUSED, "the fetch process ended an exchange in a wrong form");
    }
    r.status = (int)status;
    r.bytes = (uint64_t)bytes;
    *ret = r;
    return WA_OK;
}

struct hearing {
    const struct wa_fetch *what;
    struct wa_sink *body;
    wa_helper_progress_fn progress;
    void *user;
    uint64_t bytes;
};

static enum wa_code hear(struct wa_talk *t, uint32_t id, struct hearing *h,
                         struct wa_fetch_result *ret, struct wa_err *err)
{
    for (;;) {
        struct wa_chan_msg msg;
        enum wa_code code = wa_talk_recv(t, id, &msg, err);
        if (code != WA_OK) {
            return code;
        }
        if (msg.type == WA_M_FETCH_DONE) {
            return wa_fetch_done_read(msg.payload, ret, err);
        }
        if (msg.type == WA_M_FETCH_PROGRESS) {
            if (msg.payload.n != 2 * sizeof(uint64_t)) {
                return wa_talk_broken(t, "progress of a wrong form", err);
            }
            if (h->progress != NULL) {
                h->progress(h->user, u64_at(msg.payload.p), u64_at(msg.payload.p + 8));
            }
            continue;
        }
        if (msg.payload.n > h->what->max_bytes - h->bytes) {
            return wa_talk_broken(t, "more bytes than were asked for", err);
        }
        h->bytes += msg.payload.n;
        code = h->body->write(h->body, msg.payload.p, msg.payload.n, err);
        if (code != WA_OK) {
            return code;
        }
    }
}

enum wa_code wa_helper_fetch(struct wa_launcher *l, const struct wa_fetch *what,
                             struct wa_sink *body, wa_helper_progress_fn progress, void *user,
                             struct wa_cancel *cancel, struct wa_fetch_result *ret,
                             struct wa_err *err)
{
    /* Connecting may take as long as waiting for bytes; then it still has to say so. */
    struct wa_talk t = {.cancel = cancel, .silence_ms = 2000 * what->silence_s + GRACE_MS};
    struct hearing h = {what, body, progress, user, 0};
    struct wa_fetch_result result;
    if (what->body.n > WA_ROLE_BODY_MAX) {
        return wa_fail(err, WA_E_LIMIT, "cannot send %zu bytes to '%s': more than %u", what->body.n,
                       what->url, WA_ROLE_BODY_MAX);
    }
    uint32_t life_s = LIFE_MAX_S; /* the launcher ends also one that does not read what we send */
    if (what->timeout_ms != 0) {
        uint64_t limit_ms = (uint64_t)what->timeout_ms + GRACE_MS;
        t.deadline_ms = wa_clock_mono_ms() + limit_ms;
        life_s = limit_ms / 1000 < LIFE_MAX_S ? (uint32_t)(limit_ms / 1000) : LIFE_MAX_S;
    }
    enum wa_code code = wa_talk_begin(&t, l, WA_ROLE_FETCH, life_s, err);
    if (code == WA_OK) {
        code = ask(&t, 1, what, err);
    }
    if (code == WA_OK) {
        code = hear(&t, 1, &h, &result, err);
    }
    wa_talk_end(&t);
    if (code == WA_OK) {
        result.bytes = h.bytes; /* what we saw counts, not what it says */
        *ret = result;
    }
    return code;
}
