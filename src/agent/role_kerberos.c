/* role_kerberos.c - the process of one ticket, body of program wapt-kerberos, the only agent
 * program with Kerberos' libraries.
 *
 * The manager gives it the machine's keytab, which it can't read itself; it talks to the
 * directory's KDC, hands one token back, and ends. It is unprivileged, holds no file of ours, and
 * decides nothing.
 */
#include "agent/auth_kerberos.h"
#include "agent/helpers.h"
#include "agent/role_priv.h"
#include "base/mem.h"
#include "codec/base64.h"

#define MEMORY_MAX (1ull << 30) /* bytes: of address space */

static enum wa_code read_question(struct wa_sv text, struct wa_arena *arena, struct wa_buf *keytab,
                                  const char **ret_host, struct wa_sv *ret_binding,
                                  struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_sv encoded = {0}, host = {0};
    const struct wa_json_field fields[] = {
        {"keytab", WA_WANT_SV, true, 2 * WA_KEYTAB_BYTES_MAX, &encoded},
        {"host", WA_WANT_SV, true, 255, &host},
        {"binding", WA_WANT_SV, true, 64, ret_binding},
    };
    if (wa_json_parse(text, 0, arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK ||
        wa_base64_decode(encoded, keytab, err) != WA_OK)
        return err->code;
    *ret_host = wa_arena_strdup(arena, host);
    return *ret_host != NULL ? wa_buf_check(keytab, err) : wa_nomem(err);
}

static enum wa_code find_answer(struct wa_sv question, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF_SECRET struct wa_buf keytab;
    WA_AUTO_BUF struct wa_buf token, text;
    const char *host = "";
    struct wa_sv binding = {0};
    struct wa_jw w;
    wa_arena_init(&arena, 16 * WA_ROLE_JSON_MAX);
    wa_buf_init(&keytab, WA_KEYTAB_BYTES_MAX);
    wa_buf_init(&token, WA_TICKET_TEXT_MAX);
    wa_buf_init(&text, WA_TICKET_TEXT_MAX);
    if (read_question(question, &arena, &keytab, &host, &binding, err) != WA_OK ||
        wa_ticket_make(wa_buf_sv(&keytab), host, binding, &token, err) != WA_OK)
        return err->code;
    wa_base64_encode(token.p, token.n, &text);
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "ticket", wa_buf_sv(&text));
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

int wa_role_kerberos(void)
{
    const char *reads[64] = {"/etc/krb5.conf", "/etc/krb5.conf.d", "/etc/gss",
                             "/var/lib/sss/pubconf"};
    size_t n = 4;
    for (const char *const *p = wa_priv_net_paths(); *p != NULL && n + 1 < WA_COUNT(reads); p++)
        reads[n++] = *p;
    struct wa_priv priv = {
        .allow = WA_PRIV_NET | WA_PRIV_FDS,
        .read_paths = reads,
        .limit_memory_bytes = wa_role_memory_limit(MEMORY_MAX),
        .limit_files = 64,
    };
    return wa_role_answer_one(WA_ROLE_KERBEROS, &priv, find_answer, WA_M_TICKET_ANSWER,
                              WA_ROLE_JSON_MAX);
}
