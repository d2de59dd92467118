/* store_unit.c - asks whether a machine's account stands in the unit of the directory that
 * registrations need (kerberos_unit).
 *
 * What the directory does not say lets nobody in: the machine tries again by itself.
 */
#include "base/mem.h"
#include "server/store_ticket.h"

#define ASKED_MAX 256u /* of the directory, people's logins among them */

struct asking {
    wa_store_reply_fn fn;
    void *user;
};

static void on_answer(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct asking *a = user;
    s->asked--;
    a->fn(s, a->user, payload);
    wa_free(a);
}

static enum wa_code ask(struct wa_store *s, struct wa_sv question, wa_store_reply_fn fn, void *data,
                        struct wa_err *err)
{
    struct asking *a = wa_calloc(1, sizeof *a);
    if (a == NULL)
        return wa_nomem(err);
    *a = (struct asking){fn, data};
    if (wa_store_ask(s, WA_SR_DIRECTORY, question, on_answer, a, err) != WA_OK) {
        wa_free(a);
        return err->code;
    }
    s->asked++;
    return WA_OK;
}

enum wa_code wa_store_ask_unit(struct wa_store *s, const struct wa_ticket_account *m,
                               wa_store_reply_fn fn, void *data, struct wa_err *err)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, 8192);
    if (strncmp(m->account, "S-1-", 4) != 0)
        return wa_fail(err, WA_E_DENIED,
                       "the ticket of '%s' names no account of a directory, and kerberos_unit asks "
                       "for one",
                       m->account);
    if (s->asked >= ASKED_MAX)
        return wa_fail(err, WA_E_BUSY, "too many machines register: try again in a minute");
    wa_jw_init(&w, &question);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "sid", m->account);
    wa_jw_kv(&w, "unit", s->child.config.kerberos_unit);
    wa_jw_end(&w);
    return wa_buf_check(&question, err) == WA_OK ? ask(s, wa_buf_sv(&question), fn, data, err)
                                                 : err->code;
}

enum wa_code wa_store_unit_read(const struct wa_store *s, const struct wa_ticket_account *m,
                                struct wa_sv payload, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    bool is_below = false;
    const struct wa_json_field fields[] = {{"below", WA_WANT_BOOL, true, 0, &is_below}};
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK)
        return wa_wrap(err, "the directory did not say where the machine '%s' stands", m->name);
    if (wa_json_read(j, fields, WA_COUNT(fields), "the directory's answer", err) != WA_OK)
        return err->code;
    return is_below
               ? WA_OK
               : wa_fail(err, WA_E_DENIED, "the machine '%s' does not stand in %s (kerberos_unit)",
                         m->name, s->child.config.kerberos_unit);
}
