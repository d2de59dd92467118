/* store_hooks.c - events to webhooks: queued in the database, sent one request at a time by the
 * hook process, tried again when it was in vain.
 *
 * The signature is made here: the process that faces the network never has the secret. What other
 * servers of the database tell of is theirs to queue; the leading one sends.
 */
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/hex.h"
#include "codec/url.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "server/hooks.h"
#include "server/node.h"
#include "server/store_priv.h"

#define AT_ONCE 100 /* events of one request */
#define PAUSE_FIRST_S 10
#define PAUSE_MAX_S 3600

/* --- queueing --- */

struct hook_row {
    char id[WA_HOOK_ID];
    unsigned kinds;
    int64_t waiting;
};
struct hook_rows {
    struct hook_row rows[WA_HOOKS_MAX];
    size_t n;
};

static enum wa_code take_row(void *user, const struct wa_hook *h, struct wa_err *err)
{
    struct hook_rows *all = user;
    if (h->is_disabled || all->n == WA_HOOKS_MAX)
        return WA_OK;
    struct hook_row *r = &all->rows[all->n++];
    *r = (struct hook_row){.waiting = h->waiting};
    memcpy(r->id, h->id, sizeof r->id);
    if (wa_event_kinds_read(h->kinds, &r->kinds, err) == WA_OK)
        r->kinds &= ~(1u << WA_EVENT_QUEUE); /* for who looks at it, as long as they do */
    return err->code;
}

static enum wa_code add_missed(struct wa_db *db, const char *id, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(db, "UPDATE webhooks SET missed = missed + 1 WHERE id = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    return wa_run(q, err);
}

static enum wa_code queue_one(struct wa_store *s, struct hook_row *r, const struct wa_event *v,
                              struct wa_err *err)
{
    struct wa_stmt *q;
    WA_AUTO_BUF struct wa_buf json;
    wa_buf_init(&json, 8192);
    if (r->waiting >= WA_HOOK_QUEUE_MAX)
        return add_missed(s->db, r->id, err);
    wa_event_json(v, &json);
    if (wa_buf_check(&json, err) != WA_OK ||
        wa_db_prepare(
            s->db,
            "INSERT INTO webhook_queue (hook, number, event) VALUES (?, ?, ?) ON CONFLICT "
            "DO NOTHING",
            &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, r->id);
    wa_bind_i64(q, 1, (int64_t)v->id);
    wa_bind_sv(q, 2, wa_buf_sv(&json));
    r->waiting++;
    return wa_run(q, err);
}

static enum wa_code queue_new(struct wa_store *s, struct hook_rows *all, uint64_t *seen,
                              struct wa_err *err)
{
    const struct wa_event *v;
    for (; (v = wa_events_next(s->events, *seen)) != NULL; *seen = v->id)
        for (size_t i = 0; !v->is_foreign && i < all->n; i++)
            if ((all->rows[i].kinds & 1u << v->kind) != 0 &&
                queue_one(s, &all->rows[i], v, err) != WA_OK)
                return err->code;
    return WA_OK;
}

static enum wa_code queue(struct wa_store *s, struct wa_err *err)
{
    struct hook_rows all = {.n = 0};
    uint64_t seen = s->hooked;
    if (seen == wa_events_last(s->events))
        return WA_OK;
    if (wa_hooks_list(s->db, take_row, &all, err) != WA_OK)
        return err->code;
    if (all.n == 0) {
        s->hooked = wa_events_last(s->events);
        return WA_OK;
    }
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (queue_new(s, &all, &seen, err) != WA_OK || wa_db_commit(s->db, err) != WA_OK) {
        wa_db_rollback(s->db);
        return err->code;
    }
    s->hooked = seen;
    return WA_OK;
}

/* --- sending --- */

struct wa_hook_sending {
    char id[WA_HOOK_ID], secret[WA_HOOK_SECRET], url[WA_HOOK_URL_MAX + 1];
    char host[256]; /* of the address */
    int64_t first, last, missed, tries, failed_since;
};

static void sending_free(struct wa_hook_sending *k)
{
    wa_wipe(k->secret, sizeof k->secret);
    wa_free(k);
}

#define HOST_AT_ONCE 2u /* of one host: who has many webhooks there holds up nobody else's */

static void host_of(const char *text, char out[256])
{
    struct wa_url url;
    struct wa_err ignored = WA_ERR_INIT;
    (void)snprintf(out, 256, "%.255s",
                   wa_url_parse(wa_sv(text), &url, &ignored) == WA_OK ? url.host : text);
}

/* One webhook's requests go one after the other, in order. */
static bool is_busy(const struct wa_store *s, const char *id, const char *host)
{
    size_t theirs = 0;
    for (size_t i = 0; i < WA_HOOKS_AT_ONCE; i++) {
        const struct wa_hook_sending *k = s->hooking[i];
        if (k != NULL && strcmp(k->id, id) == 0)
            return true;
        theirs += k != NULL && strcmp(k->host, host) == 0;
    }
    return theirs >= HOST_AT_ONCE;
}

/* Whose turn it is: one for which something waits, and which may be tried again. */
static enum wa_code find_due(struct wa_store *s, struct wa_hook_sending *k, bool *ret_found,
                             struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = true;
    *ret_found = false;
    if (wa_db_prepare(s->db,
                      "SELECT id, url, secret, missed, tries, failed_since FROM webhooks WHERE "
                      "is_disabled = 0 AND (due <= ?1 OR due > ?2) AND EXISTS (SELECT 1 FROM "
                      "webhook_queue WHERE "
                      "hook = webhooks.id) ORDER BY last_at, id",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now());
    wa_bind_i64(q, 1, wa_clock_now() + PAUSE_MAX_S); /* of a clock that was ahead */
    while (!*ret_found && wa_step(q, &row, err) == WA_OK && row) {
        wa_col_text(q, 0, k->id, sizeof k->id);
        wa_col_text(q, 1, k->url, sizeof k->url);
        wa_col_text(q, 2, k->secret, sizeof k->secret);
        k->missed = wa_col_i64(q, 3);
        k->tries = wa_col_i64(q, 4);
        k->failed_since = wa_col_i64(q, 5);
        host_of(k->url, k->host);
        *ret_found = !is_busy(s, k->id, k->host);
    }
    if (*ret_found)
        wa_reset(q);
    return err->code;
}

static enum wa_code write_body(struct wa_store *s, struct wa_hook_sending *k, struct wa_buf *out,
                               struct wa_err *err)
{
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = false;
    if (wa_db_prepare(
            s->db, "SELECT number, event FROM webhook_queue WHERE hook = ? ORDER BY number LIMIT ?",
            &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, k->id);
    wa_bind_i64(q, 1, AT_ONCE);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "webhook", k->id);
    wa_jw_kv(&w, "server", s->child.config.server_uuid);
    wa_jw_kvi(&w, "sent", wa_clock_now());
    wa_jw_kvi(&w, "missed", k->missed);
    wa_jw_key(&w, "events");
    wa_jw_arr(&w);
    while (wa_step(q, &row, err) == WA_OK && row) {
        k->last = wa_col_i64(q, 0);
        k->first = k->first == 0 ? k->last : k->first;
        wa_jw_raw(&w, wa_col_sv(q, 1));
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return err->code == WA_OK ? wa_buf_check(out, err) : err->code;
}

static enum wa_code write_question(const struct wa_hook_sending *k, struct wa_sv body,
                                   struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf signed_text;
    uint8_t mac[WA_SHA256_SIZE];
    char hex[2 * WA_SHA256_SIZE + 1], id[64], time[24];
    struct wa_jw w;
    wa_buf_init(&signed_text, WA_HOOK_BODY_MAX + 256);
    (void)snprintf(id, sizeof id, "%s-%lld", k->id, (long long)k->first);
    (void)snprintf(time, sizeof time, "%lld", (long long)wa_clock_now());
    wa_buf_addf(&signed_text, "%s.%s.", id, time);
    wa_buf_addsv(&signed_text, body);
    if (wa_buf_check(&signed_text, err) != WA_OK ||
        wa_hmac_sha256(wa_sv(k->secret), wa_buf_sv(&signed_text), mac, err) != WA_OK)
        return err->code;
    wa_hex_encode(mac, sizeof mac, hex);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "url", k->url);
    wa_jw_kv(&w, "id", id);
    wa_jw_kv(&w, "time", time);
    wa_jw_kv(&w, "signature", hex);
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
    wa_buf_addsv(out, body);
    return wa_buf_check(out, err);
}

/* --- what came of it --- */

static enum wa_code set_outcome(struct wa_store *s, const struct wa_hook_sending *k, bool is_good,
                                const char *result, int64_t now, struct wa_err *err)
{
    struct wa_stmt *q;
    int64_t pause = PAUSE_FIRST_S;
    for (int64_t i = 0; i < k->tries && pause < PAUSE_MAX_S; i++)
        pause *= 2;
    if (wa_db_prepare(
            s->db,
            "UPDATE webhooks SET tries = ?2, failed_since = ?3, due = ?4, missed = missed "
            "- ?5, last_at = ?6, last_result = ?7, last_count = last_count + 1 WHERE id = "
            "?1",
            &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, k->id);
    wa_bind_i64(q, 1, is_good ? 0 : k->tries + 1);
    wa_bind_i64(q, 2, is_good ? 0 : k->failed_since != 0 ? k->failed_since : now);
    wa_bind_i64(q, 3, is_good ? 0 : now + (pause < PAUSE_MAX_S ? pause : PAUSE_MAX_S));
    wa_bind_i64(q, 4, is_good ? k->missed : 0);
    wa_bind_i64(q, 5, now);
    wa_bind_s(q, 6, result);
    return wa_run(q, err);
}

static enum wa_code forget_sent(struct wa_store *s, const struct wa_hook_sending *k,
                                struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db, "DELETE FROM webhook_queue WHERE hook = ? AND number <= ?", &q, err) !=
        WA_OK)
        return err->code;
    wa_bind_s(q, 0, k->id);
    wa_bind_i64(q, 1, k->last);
    return wa_run(q, err);
}

/* It has failed for so long that nobody waits for it. */
static enum wa_code give_up(struct wa_store *s, const struct wa_hook_sending *k, const char *result,
                            struct wa_err *err)
{
    struct wa_stmt *q;
    char where[WA_HOOK_WHERE];
    wa_hook_where(wa_sv(k->url), where);
    const struct wa_journal_act act = {
        .act = "webhook.disabled",
        .user = WA_SV(""),
        .peer = "",
        .what = {{"webhook", wa_sv(k->id)}, {"url", wa_sv(where)}, {"why", wa_sv(result)}}};
    if (wa_db_prepare(s->db, "UPDATE webhooks SET is_disabled = 1 WHERE id = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, k->id);
    if (wa_run(q, err) != WA_OK ||
        wa_db_prepare(s->db, "DELETE FROM webhook_queue WHERE hook = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, k->id);
    wa_log(&s->child.log, WA_LOG_WARNING, "webhook.disabled", WA_LF_S("webhook", k->id),
           WA_LF_S("why", result));
    return wa_run(q, err) == WA_OK ? wa_store_note(s, &act, err) : err->code;
}

static enum wa_code keep_outcome(struct wa_store *s, const struct wa_hook_sending *k, bool is_good,
                                 const char *result, struct wa_err *err)
{
    int64_t now = wa_clock_now();
    if (wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    enum wa_code code = set_outcome(s, k, is_good, result, now, err);
    if (code == WA_OK && is_good)
        code = forget_sent(s, k, err);
    if (code == WA_OK && !is_good && k->failed_since != 0 &&
        now - k->failed_since > WA_HOOK_GIVE_UP_S)
        code = give_up(s, k, result, err);
    if (code == WA_OK && wa_db_commit(s->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(s->db);
    return err->code;
}

/* {"status"}, or {"message"} when there was no answer. */
static void on_hooked(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct wa_hook_sending *k = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t status = 0;
    char result[256] = "no answer";
    wa_arena_init(&arena, 65536);
    if (wa_json_parse(payload, 0, &arena, &j, &err) == WA_OK) {
        struct wa_sv message = wa_json_sv(wa_json_get(j, "message"));
        (void)wa_json_i64(wa_json_get(j, "status"), &status);
        if (status != 0)
            (void)snprintf(result, sizeof result, "status %d", (int)status);
        else
            (void)snprintf(result, sizeof result, "%.*s",
                           (int)wa_utf8_cut(message.p, message.n < 255 ? message.n : 255),
                           message.p);
    }
    wa_err_clear(&err);
    bool is_good = status >= 200 && status < 300;
    wa_log(&s->child.log, is_good ? WA_LOG_INFO : WA_LOG_WARNING,
           is_good ? "webhook.sent" : "webhook.failed", WA_LF_S("webhook", k->id),
           WA_LF_S("result", result));
    if (keep_outcome(s, k, is_good, result, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "database.failed", &err);
    for (size_t i = 0; i < WA_HOOKS_AT_ONCE; i++)
        if (s->hooking[i] == k)
            s->hooking[i] = NULL;
    sending_free(k);
    if (err.code == WA_OK)
        wa_store_hooks(s);
}

/* into: where it is kept meanwhile; left NULL when nothing is due. */
static enum wa_code send_next(struct wa_store *s, struct wa_hook_sending **into, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf body;
    WA_AUTO_BUF struct wa_buf question;
    bool found = false;
    wa_buf_init(&body, WA_HOOK_BODY_MAX);
    wa_buf_init(&question, WA_HOOK_BODY_MAX + 65536);
    struct wa_hook_sending *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return wa_nomem(err);
    if (find_due(s, k, &found, err) == WA_OK && found && write_body(s, k, &body, err) == WA_OK &&
        write_question(k, wa_buf_sv(&body), &question, err) == WA_OK &&
        wa_store_ask(s, WA_SR_HOOK, wa_buf_sv(&question), on_hooked, k, err) == WA_OK) {
        *into = k;
        return WA_OK;
    }
    sending_free(k);
    return err->code;
}

void wa_store_hooks(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    if (s->events == NULL || s->helpers[WA_SR_HOOK] == NULL)
        return;
    enum wa_code code = queue(s, &err);
    for (size_t i = 0; code == WA_OK && i < WA_HOOKS_AT_ONCE && wa_node_leads(s); i++) {
        if (s->hooking[i] != NULL)
            continue;
        code = send_next(s, &s->hooking[i], &err);
        if (s->hooking[i] == NULL)
            break;
    }
    if (code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "webhooks.failed", &err);
}
