/* store_ticket.c - asks whose ticket it is, and keeps which machine an account is: one machine an
 * account, so that one ticket makes no crowd of machines, and no machine is another's.
 */
#include "server/store_ticket.h"

#include "base/mem.h"

#define TICKETS_MAX 256u /* being looked at, each for about a millisecond */

struct asking {
    wa_store_reply_fn fn;
    void *user;
};

static void on_answer(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct asking *a = user;
    s->tickets--;
    a->fn(s, a->user, payload);
    wa_free(a);
}

enum wa_code wa_store_ask_ticket(struct wa_store *s, struct wa_sv ticket, const char *binding,
                                 wa_store_reply_fn fn, void *data, struct wa_err *err)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_TICKET_TEXT_MAX + 1024);
    if (s->tickets >= TICKETS_MAX)
        return wa_fail(err, WA_E_BUSY,
                       "too many tickets are being looked at: try again in a minute");
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "ticket", ticket);
    if (binding != NULL)
        wa_jw_kv(&w, "binding", binding);
    wa_jw_end(&w);
    if (wa_buf_check(&question, err) != WA_OK)
        return err->code;
    struct asking *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    *a = (struct asking){fn, data};
    if (wa_store_ask(s, WA_SR_KERBEROS, wa_buf_sv(&question), on_answer, a, err) != WA_OK) {
        wa_free(a);
        return err->code;
    }
    s->tickets++;
    return WA_OK;
}

enum wa_code wa_store_ticket_read(struct wa_sv payload, struct wa_ticket_account *ret,
                                  struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv name = {NULL, 0}, realm = {NULL, 0}, account = {NULL, 0};
    const struct wa_json_field fields[] = {
        {"name", WA_WANT_SV, true, sizeof ret->name - 1, &name},
        {"realm", WA_WANT_SV, true, sizeof ret->realm - 1, &realm},
        {"account", WA_WANT_SV, true, sizeof ret->account - 1, &account}};
    wa_arena_init(&arena, 256u << 10);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "an account", err) != WA_OK)
        return err->code;
    (void)snprintf(ret->name, sizeof ret->name, "%.*s", WA_SV_ARG(name));
    (void)snprintf(ret->realm, sizeof ret->realm, "%.*s", WA_SV_ARG(realm));
    (void)snprintf(ret->account, sizeof ret->account, "%.*s", WA_SV_ARG(account));
    return WA_OK;
}

/* --- accounts --- */

enum wa_code wa_store_account_of(struct wa_store *s, struct wa_sv uuid, struct wa_buf *ret,
                                 struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    if (wa_db_prepare(s->db, "SELECT account FROM host_accounts WHERE uuid = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_sv(q, 0, uuid);
    if (wa_step(q, &row, err) != WA_OK || !row)
        return err->code;
    wa_buf_addsv(ret, wa_col_sv(q, 0));
    wa_reset(q);
    return wa_buf_check(ret, err);
}

enum wa_code wa_store_account_holder(struct wa_store *s, const char *account, struct wa_sv but,
                                     char ret[WA_UUID_MAX + 1], struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    ret[0] = '\0';
    if (wa_db_prepare(s->db, "SELECT uuid FROM host_accounts WHERE account = ? AND uuid <> ?", &q,
                      err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, account);
    wa_bind_sv(q, 1, but);
    if (wa_step(q, &row, err) != WA_OK || !row)
        return err->code;
    wa_col_text(q, 0, ret, WA_UUID_MAX + 1);
    wa_reset(q);
    return WA_OK;
}

enum wa_code wa_store_bind_account(struct wa_store *s, struct wa_sv uuid, const char *account,
                                   struct wa_err *err)
{
    struct wa_stmt *q;
    if (wa_db_prepare(s->db, "DELETE FROM host_accounts WHERE uuid = ?", &q, err) != WA_OK)
        return err->code;
    wa_bind_sv(q, 0, uuid);
    if (wa_run(q, err) != WA_OK || account[0] == '\0')
        return err->code;
    if (wa_db_prepare(s->db, "INSERT INTO host_accounts (uuid, account) VALUES (?, ?)", &q, err) !=
        WA_OK)
        return err->code;
    wa_bind_sv(q, 0, uuid);
    wa_bind_s(q, 1, account);
    return wa_run(q, err);
}
