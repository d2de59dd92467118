/* role_trust.c - the only process that writes which signers are trusted, and that is all it can do.
 * It is none that reads packages: whoever takes that one over adds no signer of their own.
 */
#include "codec/json.h"
#include "server/answers.h"
#include "server/role_common.h"
#include "server/signers.h"

static enum wa_code carry_out(const char *folder, struct wa_sv request, char file[65],
                              struct wa_buf *list, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv op = {NULL, 0}, text = {NULL, 0};
    const struct wa_json_field fields[] = {{"op", WA_WANT_SV, true, 16, &op},
                                           {"text", WA_WANT_SV, false, 65536, &text}};
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(request, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    if (wa_sv_eqs(op, "signers"))
        return wa_signers_list(folder, list, err);
    if (wa_sv_eqs(op, "signer-add"))
        return wa_signers_add(folder, text, file, err);
    if (!wa_sv_eqs(op, "signer-remove"))
        return wa_fail(err, WA_E_INTERNAL, "the store asks for '%.*s'", WA_SV_ARG(op));
    (void)snprintf(file, 65, "%.*s", WA_SV_ARG(text));
    return wa_signers_remove(folder, text, err);
}

enum wa_code wa_trust_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                             struct wa_err *err)
{
    const struct wa_trust_role *t = user;
    char file[65] = "";
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf list;
    wa_buf_init(&list, WA_IPC_MESSAGE_MAX - 65536);
    if (carry_out(t->folder, request, file, &list, &why) != WA_OK)
        wa_log_err(t->log, WA_LOG_WARNING, "signers.refused", &why);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_err(&w, &why);
    wa_jw_kv(&w, "file", file);
    if (why.code == WA_OK && list.n > 0) {
        wa_jw_key(&w, "list");
        wa_jw_raw(&w, wa_buf_sv(&list));
    }
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

int wa_server_trust_signers(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_trust_role t = {.log = &c.log};
    const char *const reads[] = {NULL};
    const char *const writes[] = {t.folder, NULL};
    enum wa_code code = wa_server_child_init(&c, WA_SR_TRUST, config_file, &err);
    if (code == WA_OK)
        code = wa_server_path(&c.config, c.config.trusted_signers, t.folder, &err);
    if (code == WA_OK)
        code = wa_server_child_confine(
            &c, WA_SR_TRUST, WA_PRIV_FDS | WA_PRIV_FS_READ | WA_PRIV_FS_WRITE, reads, writes, &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_TRUST, WA_S_TRUSTED, wa_trust_answer, &t, &err);
    return wa_server_child_end(&c, code, &err);
}
