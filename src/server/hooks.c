/* hooks.c - webhooks in the database: made, listed, removed, and tried on the command line.
 *
 * The secret is in the database as it is, since we sign with it; nobody is told it again, and no
 * log or journal holds it.
 */
#include "server/hooks.h"

#include "codec/json.h"
#include "codec/url.h"
#include "net/address.h"
#include "os/clock.h"
#include "os/rand.h"
#include "server/events.h"
#include "server/journal.h"
#include "server/role_common.h"

void wa_hook_json(const struct wa_hook *h, struct wa_jw *w)
{
    wa_jw_obj(w);
    wa_jw_kv(w, "id", h->id);
    wa_jw_kvsv(w, "url", h->url);
    wa_jw_kvsv(w, "kinds", h->kinds);
    wa_jw_kvi(w, "created", h->created);
    wa_jw_kvsv(w, "by", h->by);
    wa_jw_kvb(w, "disabled", h->is_disabled);
    wa_jw_kvi(w, "failed_since", h->failed_since);
    wa_jw_kvi(w, "last_at", h->last_at);
    wa_jw_kvsv(w, "last_result", h->last_result);
    wa_jw_kvi(w, "missed", h->missed);
    wa_jw_kvi(w, "waiting", h->waiting);
    wa_jw_end(w);
}

enum wa_code wa_hook_check_url(const struct wa_server_config *c, const char *url,
                               struct wa_err *err)
{
    struct wa_url u;
    struct wa_err why = WA_ERR_INIT;
    uint8_t a[16];
    if (strlen(url) > WA_HOOK_URL_MAX || wa_url_parse(wa_sv(url), &u, &why) != WA_OK)
        return wa_fail(err, WA_E_USAGE, "'%.200s' is no address of a webhook, like https://...",
                       url);
    bool is_own = wa_address_parse(wa_sv(u.host), a) ? wa_address_is_loopback(a)
                                                     : strcmp(u.host, "localhost") == 0;
    if (!u.is_https && !is_own && !c->webhook_http)
        return wa_fail(err, WA_E_USAGE,
                       "a webhook takes https: http only to this machine itself, or where "
                       "'webhook_http = 1' says so");
    return WA_OK;
}

void wa_hook_where(struct wa_sv url, char out[WA_HOOK_WHERE])
{
    size_t at = 0, n;
    while (at < url.n && (url.p[at] != ':' || !wa_sv_starts(wa_sv_sub(url, at, 3), "://")))
        at++;
    for (n = at + 3 < url.n ? at + 3 : url.n; n < url.n && url.p[n] != '/' && url.p[n] != '?';)
        n++;
    struct wa_sv rest = wa_sv_sub(url, n, url.n);
    (void)snprintf(out, WA_HOOK_WHERE, "%.*s%s", (int)n, url.p,
                   rest.n == 0            ? ""
                   : wa_sv_eqs(rest, "/") ? "/"
                                          : "/...");
}

static enum wa_code note(struct wa_db *db, const struct wa_server_config *c, const char *act,
                         const char *id, struct wa_sv url, struct wa_sv by, const char *peer,
                         struct wa_err *err)
{
    char where[WA_HOOK_WHERE];
    wa_hook_where(url, where);
    const struct wa_journal_act a = {
        .act = act,
        .user = by,
        .peer = peer,
        .what = {{"webhook", wa_sv(id)}, {url.n > 0 ? "url" : NULL, wa_sv(where)}}};
    return wa_server_journal_add(db, c->node, &a, err);
}

static enum wa_code check_room(struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(db, "SELECT COUNT(*) FROM webhooks", &q, err) != WA_OK ||
        wa_step(q, &row, err) != WA_OK)
        return err->code;
    bool is_full = row && wa_col_i64(q, 0) >= WA_HOOKS_MAX;
    wa_reset(q);
    return is_full ? wa_fail(err, WA_E_LIMIT, "there are %u webhooks already", WA_HOOKS_MAX)
                   : WA_OK;
}

enum wa_code wa_hook_add(struct wa_db *db, const struct wa_server_config *c, struct wa_sv url,
                         struct wa_sv kinds, struct wa_sv by, const char *peer, char id[WA_HOOK_ID],
                         char secret[WA_HOOK_SECRET], struct wa_err *err)
{
    struct wa_stmt *q;
    char text[WA_HOOK_URL_MAX + 2];
    unsigned known = 0;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(url));
    if (wa_hook_check_url(c, text, err) != WA_OK ||
        wa_event_kinds_read(kinds, &known, err) != WA_OK)
        return err->code;
    if (kinds.n > 0 && (known & 1u << WA_EVENT_QUEUE) != 0)
        return wa_fail(err, WA_E_USAGE,
                       "events of 'queue' are for who looks at a machine, not for webhooks");
    if (check_room(db, err) != WA_OK || wa_rand_hex(id, 8, err) != WA_OK ||
        wa_rand_hex(secret, 32, err) != WA_OK ||
        wa_db_prepare(db,
                      "INSERT INTO webhooks (id, url, kinds, secret, created, created_by) VALUES "
                      "(?, ?, ?, ?, ?, ?)",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    wa_bind_sv(q, 1, url);
    wa_bind_sv(q, 2, kinds);
    wa_bind_s(q, 3, secret);
    wa_bind_i64(q, 4, wa_clock_now());
    wa_bind_sv(q, 5, by);
    return wa_run(q, err) == WA_OK ? note(db, c, "webhook.added", id, url, by, peer, err)
                                   : err->code;
}

static enum wa_code run_on(struct wa_db *db, const char *sql, const char *id, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(db, sql, &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    return wa_run(q, err);
}

static enum wa_code no_hook(const char *id, struct wa_err *err)
{
    return wa_fail(err, WA_E_NOT_FOUND, "there is no webhook '%s'", id);
}

enum wa_code wa_hook_remove(struct wa_db *db, const struct wa_server_config *c, const char *id,
                            struct wa_sv by, const char *peer, struct wa_err *err)
{
    const struct wa_sv none = {NULL, 0};
    if (run_on(db, "DELETE FROM webhook_queue WHERE hook = ?", id, err) != WA_OK ||
        run_on(db, "DELETE FROM webhooks WHERE id = ?", id, err) != WA_OK)
        return err->code;
    return wa_db_changes(db) == 1 ? note(db, c, "webhook.removed", id, none, by, peer, err)
                                  : no_hook(id, err);
}

enum wa_code wa_hook_test(struct wa_db *db, const struct wa_server_config *c, const char *id,
                          struct wa_sv by, const char *peer, struct wa_err *err)
{
    const struct wa_sv none = {NULL, 0};
    struct wa_stmt *q;
    char json[160];
    int64_t now = wa_clock_now();
    int64_t number = now * (int64_t)WA_EVENT_IDS_A_SECOND + WA_EVENT_IDS_A_SECOND - 1;
    if (run_on(db, "UPDATE webhooks SET is_disabled = 0 WHERE id = ? AND is_disabled = 1", id,
               err) != WA_OK ||
        (wa_db_changes(db) == 1 &&
         note(db, c, "webhook.enabled", id, none, by, peer, err) != WA_OK) ||
        run_on(db, "UPDATE webhooks SET due = 0, tries = 0, failed_since = 0 WHERE id = ?", id,
               err) != WA_OK)
        return err->code;
    if (wa_db_changes(db) != 1)
        return no_hook(id, err);
    (void)snprintf(json, sizeof json,
                   "{\"id\":%lld,\"at\":%lld,\"kind\":\"test\",\"what\":\"test\"}",
                   (long long)number, (long long)now);
    if (wa_db_prepare(
            db,
            "INSERT INTO webhook_queue (hook, number, event) VALUES (?, ?, ?) ON CONFLICT "
            "DO NOTHING",
            &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    wa_bind_i64(q, 1, number);
    wa_bind_s(q, 2, json);
    return wa_run(q, err);
}

enum wa_code wa_hooks_list(struct wa_db *db, wa_hook_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    enum wa_code code;
    if (wa_db_prepare(db,
                      "SELECT id, url, kinds, created_by, last_result, created, failed_since, "
                      "last_at, missed, (SELECT COUNT(*) FROM webhook_queue WHERE hook = "
                      "webhooks.id), is_disabled FROM webhooks ORDER BY created, id",
                      &q, err) != WA_OK)
        return err->code;
    for (code = wa_step(q, &row, err); code == WA_OK && row; code = wa_step(q, &row, err)) {
        struct wa_hook h = {.url = wa_col_sv(q, 1),
                            .kinds = wa_col_sv(q, 2),
                            .by = wa_col_sv(q, 3),
                            .last_result = wa_col_sv(q, 4),
                            .created = wa_col_i64(q, 5),
                            .failed_since = wa_col_i64(q, 6),
                            .last_at = wa_col_i64(q, 7),
                            .missed = wa_col_i64(q, 8),
                            .waiting = wa_col_i64(q, 9),
                            .is_disabled = wa_col_i64(q, 10) != 0};
        wa_col_text(q, 0, h.id, sizeof h.id);
        code = fn(user, &h, err);
        if (code != WA_OK) {
            wa_reset(q);
            break;
        }
    }
    return code;
}

/* --- beside the running server --- */

static enum wa_code end_of(struct wa_db *db, enum wa_code code, struct wa_err *err)
{
    if (code == WA_OK && wa_db_commit(db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(db);
    return err->code;
}

enum wa_code wa_server_hook_add(const struct wa_server_config *c, const char *url,
                                const char *kinds, char id[WA_HOOK_ID], char secret[WA_HOOK_SECRET],
                                struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (wa_server_open_db(c, "waptserver/webhook", &db, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    return end_of(
        db, wa_hook_add(db, c, wa_sv(url), wa_sv(kinds), WA_SV("root"), "", id, secret, err), err);
}

enum wa_code wa_server_hook_remove(const struct wa_server_config *c, const char *id,
                                   struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (wa_server_open_db(c, "waptserver/webhook", &db, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    return end_of(db, wa_hook_remove(db, c, id, WA_SV("root"), "", err), err);
}

enum wa_code wa_server_hooks_list(const struct wa_server_config *c, wa_hook_fn fn, void *user,
                                  struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    return wa_server_open_db(c, "waptserver/webhook", &db, err) == WA_OK
               ? wa_hooks_list(db, fn, user, err)
               : err->code;
}

#define TEST_WAIT_MS 60000u

/* Whether the test that was queued has been tried, and how that ended. */
static enum wa_code look(struct wa_db *db, const char *id, int64_t before, bool *ret_tried,
                         bool *ret_good, char result[256], struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(db, "SELECT last_count, failed_since, last_result FROM webhooks WHERE id = ?",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    if (!row)
        return no_hook(id, err);
    *ret_tried = wa_col_i64(q, 0) != before;
    *ret_good = wa_col_i64(q, 1) == 0;
    wa_col_text(q, 2, result, 256);
    wa_reset(q);
    return WA_OK;
}

static enum wa_code count_of(struct wa_db *db, const char *id, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(db, "SELECT last_count FROM webhooks WHERE id = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, id);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(q, 0) : 0;
    if (row)
        wa_reset(q);
    return WA_OK;
}

enum wa_code wa_server_hook_test(const struct wa_server_config *c, const char *id, char result[256],
                                 struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    bool is_tried = false, is_good = false;
    int64_t before = 0;
    if (wa_server_open_db(c, "waptserver/webhook", &db, err) != WA_OK ||
        wa_db_begin(db, err) != WA_OK)
        return err->code;
    enum wa_code code = count_of(db, id, &before, err);
    if (code == WA_OK)
        code = wa_hook_test(db, c, id, WA_SV("root"), "", err);
    if (end_of(db, code, err) != WA_OK)
        return err->code;
    for (uint64_t began = wa_clock_mono_ms(); wa_clock_mono_ms() - began < TEST_WAIT_MS;
         wa_clock_sleep_ms(200)) {
        if (look(db, id, before, &is_tried, &is_good, result, err) != WA_OK)
            return err->code;
        if (is_tried)
            return is_good ? WA_OK : wa_fail(err, WA_E_FAILED, "it was not taken: %s", result);
    }
    return wa_fail(err, WA_E_TIMEOUT, "the server has not tried it yet: does it run?");
}
