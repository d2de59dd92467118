/* store_authority.c - which certificate a machine has, and which are revoked.
 *
 * The signer composes, this file decides: whose key, how long, how many. What a front knows of
 * revocations is always the whole list, so that a lost message can't leave a hole in it.
 */
#include "server/store_authority.h"
#include "server/node.h"

#include "base/mem.h"
#include "crypto/csr.h"
#include "crypto/digest.h"
#include "os/clock.h"

#define DAY_S 86400
#define LOOK_S 10 /* s: how soon a list that could not be renewed is tried again */

/* --- requests --- */

void wa_store_csr_fini(struct wa_store_csr *r)
{
    wa_buf_fini(&r->key);
}

enum wa_code wa_store_csr_read(struct wa_sv pem, struct wa_sv uuid,
                               const struct wa_key *machine_key, struct wa_store_csr *ret,
                               struct wa_err *err)
{
    char cn[WA_CN_SIZE];
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    wa_buf_init(&ret->key, WA_KEY_BYTES_MAX);
    if (wa_csr_read(pem, &key, cn, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(uuid, cn))
        return wa_fail(err, WA_E_REFUSED,
                       "the machine '%.*s' asks for a certificate of another: '%s'",
                       WA_SV_ARG(uuid), cn);
    if (wa_key_equal_public(key, machine_key))
        return wa_fail(err, WA_E_REFUSED,
                       "a machine's own key can't be its TLS key: another is needed");
    (void)snprintf(ret->uuid, sizeof ret->uuid, "%.*s", WA_SV_ARG(uuid));
    if (wa_key_write_public_pem(key, &ret->key, err) != WA_OK)
        return err->code;
    return wa_sha256_hex(ret->key.p, ret->key.n, ret->key_sha256, err);
}

/* --- certificates --- */

struct asking {
    struct wa_store_csr csr;
    char owner[WA_SHA256_HEX]; /* read_owner() when it was asked for */
    wa_store_certified_fn fn;
    void *user;
};

static void asking_free(struct asking *a)
{
    wa_store_csr_fini(&a->csr);
    wa_free(a);
}

/* Which key is the machine's now: the digest of its certificate; "" when there is no such machine.
 */
static enum wa_code read_owner(struct wa_store *s, const char *uuid, char ret[WA_SHA256_HEX],
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_host_row row;
    wa_buf_init(&pem, 64u << 10);
    ret[0] = '\0';
    if (wa_store_host(s->db, wa_sv(uuid), &pem, &row, err) != WA_OK || !row.is_there)
        return err->code;
    return wa_sha256_hex(pem.p, pem.n, ret, err);
}

/* What the machine has for this key already; pem stays empty when a new one is due. */
static enum wa_code find_present(struct wa_store *s, const struct wa_store_csr *r, int64_t now,
                                 struct wa_buf *pem, struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db,
                      "SELECT certificate, issued, not_after, revoked FROM certificates WHERE uuid "
                      "= ? AND key = ? ORDER BY issued DESC LIMIT 1",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, r->uuid);
    wa_bind_s(q, 1, r->key_sha256);
    if (wa_step(q, &row, err) != WA_OK || !row)
        return err->code;
    int64_t issued = wa_col_i64(q, 1), end = wa_col_i64(q, 2);
    bool is_revoked = wa_col_i64(q, 3) != 0;
    if (!is_revoked && end - now > (end - issued) / 2)
        wa_buf_addsv(pem, wa_col_sv(q, 0));
    wa_reset(q);
    return is_revoked ? wa_fail(err, WA_E_REFUSED,
                                "this TLS key was revoked: the machine needs another one")
                      : wa_buf_check(pem, err);
}

/* A machine that was taken over must not fill the table. */
static enum wa_code check_quota(struct wa_store *s, const char *uuid, int64_t now,
                                struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT COUNT(*) FROM certificates WHERE uuid = ? AND issued > ?", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_i64(q, 1, now - DAY_S);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    int64_t n = row ? wa_col_i64(q, 0) : 0;
    wa_reset(q);
    return n < WA_CLIENT_CERTS_A_DAY
               ? WA_OK
               : wa_fail(err, WA_E_BUSY, "this machine was given %lld certificates today already",
                         (long long)n);
}

/* Who takes one key after the other leaves a revoked certificate each time, which everybody is told
 * of until it expires: each that is still told of makes the next one shorter. A renewal keeps its
 * key and leaves none, so it is for all the days. */
static enum wa_code days_for(struct wa_store *s, const char *uuid, int64_t now, int64_t *ret,
                             struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db,
                      "SELECT COUNT(*) FROM certificates WHERE uuid = ? AND revoked > 0 AND "
                      "not_after > ?",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_i64(q, 1, now);
    if (wa_step(q, &row, err) != WA_OK)
        return err->code;
    int64_t days = s->child.config.client_cert_days / (1 + (row ? wa_col_i64(q, 0) : 0));
    wa_reset(q);
    *ret = days > 0 ? days : 1;
    return WA_OK;
}

static enum wa_code write_question(struct wa_store *s, const struct wa_store_csr *r,
                                   struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    int64_t days = 0;
    if (days_for(s, r->uuid, wa_clock_now(), &days, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "certify");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "uuid", r->uuid);
    wa_jw_kvsv(&w, "key", wa_buf_sv(&r->key));
    wa_jw_kvi(&w, "days", days);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* The signer has taken its time: what was asked for may be nobody's by now. */
static enum wa_code check_still(struct wa_store *s, const struct asking *a, struct wa_err *err)
{
    char owner[WA_SHA256_HEX];
    WA_AUTO_BUF struct wa_buf present;
    wa_buf_init(&present, WA_CERTFILE_BYTES_MAX);
    if (read_owner(s, a->csr.uuid, owner, err) != WA_OK)
        return err->code;
    if (owner[0] == '\0' || strcmp(owner, a->owner) != 0)
        return wa_fail(err, WA_E_REFUSED,
                       "the machine has gone meanwhile, or another is in its place");
    return find_present(s, &a->csr, wa_clock_now(), &present, err); /* nor is its key revoked */
}

static enum wa_code keep(struct wa_store *s, const struct asking *a, struct wa_sv pem,
                         struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_stmt *q;
    int64_t now = wa_clock_now();
    if (check_still(s, a, err) != WA_OK || wa_certs_read_pem(pem, 1, &certs, err) != WA_OK ||
        wa_db_prepare(s->db,
                      "UPDATE certificates SET revoked = ?1, reason = 'superseded' WHERE uuid = ?2 "
                      "AND key <> ?3 AND revoked = 0",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, now);
    wa_bind_s(q, 1, a->csr.uuid);
    wa_bind_s(q, 2, a->csr.key_sha256);
    if (wa_run(q, err) != WA_OK ||
        (wa_db_changes(s->db) > 0 &&
         wa_node_tell(s, WA_NODE_REVOKED, wa_sv(a->csr.uuid), err) != WA_OK) ||
        wa_db_prepare(s->db,
                      "INSERT INTO certificates (serial, uuid, key, certificate, issued, "
                      "not_after) VALUES (?, ?, ?, ?, ?, ?)",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, wa_cert_serial(certs.items[0]));
    wa_bind_s(q, 1, a->csr.uuid);
    wa_bind_s(q, 2, a->csr.key_sha256);
    wa_bind_sv(q, 3, pem);
    wa_bind_i64(q, 4, now);
    wa_bind_i64(q, 5, wa_cert_not_after(certs.items[0]));
    return wa_run(q, err);
}

static void on_certified(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct asking *a = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&arena, 1u << 20);
    enum wa_code code = wa_json_parse(payload, 0, &arena, &j, &err);
    struct wa_sv pem = wa_json_sv(wa_json_get(j, "certificate"));
    if (code == WA_OK)
        code = wa_db_begin(s->db, &err);
    if (code == WA_OK) {
        code = keep(s, a, pem, &err);
        if (code == WA_OK)
            code = wa_db_commit(s->db, &err);
        if (code != WA_OK)
            wa_db_rollback(s->db);
    }
    if (code == WA_OK)
        wa_store_tell_revoked(s);
    a->fn(a->user, code == WA_OK ? pem : WA_SV(""), &err);
    asking_free(a);
}

static enum wa_code begin(struct wa_store *s, const struct wa_store_csr *r,
                          wa_store_certified_fn fn, void *user, struct wa_buf *present,
                          struct wa_err *err)
{
    int64_t now = wa_clock_now();
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, 64u << 10);
    if (find_present(s, r, now, present, err) != WA_OK || present->n > 0 ||
        check_quota(s, r->uuid, now, err) != WA_OK || write_question(s, r, &question, err) != WA_OK)
        return err->code;
    struct asking *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    *a = (struct asking){.csr = *r, .fn = fn, .user = user};
    wa_buf_init(&a->csr.key, WA_KEY_BYTES_MAX);
    if (read_owner(s, r->uuid, a->owner, err) != WA_OK ||
        wa_store_ask(s, WA_SR_SIGNER, wa_buf_sv(&question), on_certified, a, err) != WA_OK)
        asking_free(a);
    return err->code;
}

void wa_store_certify(struct wa_store *s, const struct wa_store_csr *r, wa_store_certified_fn fn,
                      void *user)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf present;
    wa_buf_init(&present, WA_CERTFILE_BYTES_MAX);
    if (begin(s, r, fn, user, &present, &err) != WA_OK || present.n > 0)
        fn(user, wa_buf_sv(&present), &err);
}

/* --- revocation --- */

enum wa_code wa_store_revoke(struct wa_store *s, struct wa_sv uuid, const char *why,
                             int64_t *ret_count, struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db,
                      "UPDATE certificates SET revoked = ?1, reason = ?2 WHERE uuid = ?3 AND "
                      "revoked = 0",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now());
    wa_bind_s(q, 1, why);
    wa_bind_sv(q, 2, uuid);
    if (wa_run(q, err) != WA_OK)
        return err->code;
    *ret_count = wa_db_changes(s->db);
    return *ret_count == 0 ? WA_OK : wa_node_tell(s, WA_NODE_REVOKED, uuid, err);
}

static void on_list(struct wa_store *s, void *user, struct wa_sv payload)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_err err = WA_ERR_INIT;
    char path[WA_PATH_MAX];
    WA_UNUSED(user);
    wa_arena_init(&arena, 2 * WA_IPC_MESSAGE_MAX);
    if (wa_json_parse(payload, 0, &arena, &j, &err) != WA_OK ||
        wa_server_path(&s->child.config, WA_CRL_FILE, path, &err) != WA_OK ||
        wa_path_replace(path, wa_json_sv(wa_json_get(j, "crl")), 0644, &err) != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "revocations.not_written", &err);
}

/* serials: a line each, for fronts; question: the same for the signer. Were there ever too many for
 * a message, those that machines gave up themselves are left out, the ones that end first: nobody
 * can have so many that what somebody revoked is not told. */
static enum wa_code collect(struct wa_store *s, struct wa_buf *serials, struct wa_buf *question,
                            struct wa_err *err)
{
    struct wa_stmt *q;
    struct wa_jw w;
    bool row = true;
    size_t n = 0;
    if (wa_db_prepare(s->db,
                      "SELECT serial, revoked FROM certificates WHERE revoked > 0 AND not_after > "
                      "?1 ORDER BY CASE reason WHEN 'superseded' THEN 1 ELSE 0 END, not_after "
                      "DESC, serial LIMIT ?2",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_i64(q, 0, wa_clock_now());
    wa_bind_i64(q, 1, (int64_t)WA_REVOKED_MAX);
    wa_jw_init(&w, question);
    wa_jw_obj(&w);
    wa_jw_key(&w, "revoked");
    wa_jw_arr(&w);
    while (row) {
        if (wa_step(q, &row, err) != WA_OK)
            return err->code;
        if (!row)
            break;
        n++;
        wa_buf_addsv(serials, wa_col_sv(q, 0));
        wa_buf_addc(serials, '\n');
        wa_jw_obj(&w);
        wa_jw_kvsv(&w, "serial", wa_col_sv(q, 0));
        wa_jw_kvi(&w, "at", wa_col_i64(q, 1));
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    if (n == WA_REVOKED_MAX)
        wa_log(&s->child.log, WA_LOG_ERROR, "revocations.too_many", WA_LF_I("told", (int64_t)n));
    return wa_buf_check(serials, err) == WA_OK ? wa_buf_check(question, err) : err->code;
}

void wa_store_tell_revoked(struct wa_store *s)
{
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf serials;
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&serials, WA_IPC_MESSAGE_MAX);
    wa_buf_init(&question, WA_IPC_MESSAGE_MAX);
    enum wa_code code = collect(s, &serials, &question, &err);
    for (size_t i = 0; code == WA_OK && i < s->front_count; i++)
        code = wa_chan_post(s->fronts[i], WA_S_REVOKED, 0, wa_buf_sv(&serials), -1, &err);
    if (code == WA_OK)
        code = wa_store_ask(s, WA_SR_SIGNER, wa_buf_sv(&question), on_list, NULL, &err);
    s->crl_at = code == WA_OK ? wa_clock_now() : 0; /* 0: tried again soon */
    if (code != WA_OK)
        wa_log_err(&s->child.log, WA_LOG_ERROR, "revocations.not_told", &err);
}

void wa_store_look_at_revoked(struct wa_store *s)
{
    int64_t now = wa_clock_now();
    if (now >= s->revoked_looked_at && now - s->revoked_looked_at < LOOK_S)
        return;
    s->revoked_looked_at = now;
    if (s->crl_at == 0 || now < s->crl_at || now - s->crl_at > DAY_S)
        wa_store_tell_revoked(s);
}
