/* helper_kerberos.c - the manager asks for a ticket of this machine.
 *
 * The machine's keytab is root's: the manager reads it and hands it on, whole, to a process that
 * lives for this one question. What comes back is only passed on to the server, which judges it.
 */
#include "agent/helper_priv.h"
#include "codec/base64.h"
#include "os/fs.h"

#define KEYTAB "/etc/krb5.keytab"

static enum wa_code write_question(const char *host, const char *binding, struct wa_buf *out,
                                   struct wa_err *err)
{
    struct wa_jw w;
    struct wa_buf WA_AUTO_BUF_SECRET keytab;
    struct wa_buf WA_AUTO_BUF_SECRET text;
    wa_buf_init(&keytab, WA_KEYTAB_BYTES_MAX);
    wa_buf_init(&text, 2 * WA_KEYTAB_BYTES_MAX);
    if (wa_path_read(KEYTAB, WA_KEYTAB_BYTES_MAX, &keytab, err) != WA_OK)
        return wa_wrap(err, "use_kerberos needs the keytab that joining a domain makes");
    wa_base64_encode(keytab.p, keytab.n, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "keytab", wa_buf_sv(&text));
    wa_jw_kv(&w, "host", host);
    wa_jw_kv(&w, "binding", binding);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static enum wa_code read_answer(struct wa_sv payload, struct wa_buf *ticket, struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    const struct wa_json *j = NULL;
    struct wa_sv text = {0};
    const struct wa_json_field fields[] = {{"ticket", WA_WANT_SV, true, WA_TICKET_TEXT_MAX, &text}};
    wa_arena_init(&arena, 4 * WA_ROLE_JSON_MAX);
    if (wa_json_parse(payload, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (wa_json_get(j, "code") != NULL)
        return wa_role_error_read(payload, err);
    if (wa_json_read(j, fields, WA_COUNT(fields), "a ticket", err) != WA_OK)
        return err->code;
    wa_buf_addsv(ticket, text);
    return wa_buf_check(ticket, err);
}

enum wa_code wa_helper_ticket(struct wa_launcher *l, const char *host, const char *binding,
                              struct wa_buf *ticket, struct wa_err *err)
{
    struct wa_talk t = {.silence_ms = WA_TICKET_TIMEOUT_MS};
    struct wa_buf WA_AUTO_BUF_SECRET question;
    struct wa_chan_msg answer;
    wa_buf_init(&question, WA_ROLE_JSON_MAX);
    enum wa_code code = write_question(host, binding, &question, err);
    if (code == WA_OK)
        code = wa_talk_begin(&t, l, WA_ROLE_KERBEROS, WA_TICKET_TIMEOUT_MS / 1000 + 5, err);
    if (code != WA_OK)
        return code;
    code = wa_talk_send(&t, WA_M_TICKET_ASK, 1, wa_buf_sv(&question), -1, err);
    if (code == WA_OK)
        code = wa_talk_recv(&t, 1, &answer, err);
    if (code == WA_OK)
        code = read_answer(answer.payload, ticket, err);
    wa_talk_end(&t);
    return code == WA_OK ? WA_OK : wa_wrap(err, "a Kerberos ticket of this machine");
}
