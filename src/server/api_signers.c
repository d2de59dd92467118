/* api_signers.c - whose packages the server takes: its trusted certificates (formats.md 5.9). Where
 * the repository has a root that says so instead; what machines trust, they say themselves.
 */
#include "codec/hex.h"
#include "server/api_page.h"
#include "server/store_scan.h"

static void on_changed(struct wa_store *s, struct wa_scanning *k, const struct wa_json *answer,
                       const struct wa_err *err)
{
    struct wa_err why = *err;
    struct wa_sv fingerprint = wa_json_sv(wa_json_get(answer, "file"));
    bool is_new = strcmp(k->op, "signer-add") == 0;
    const struct wa_journal_act act = {.act = is_new ? "signer.added" : "signer.removed",
                                       .user = wa_sv(k->user),
                                       .peer = k->request->peer,
                                       .what = {{"sha256", fingerprint}}};
    if (why.code == WA_OK && wa_db_begin(s->db, &why) == WA_OK &&
        (wa_store_note(s, &act, &why) != WA_OK || wa_db_commit(s->db, &why) != WA_OK))
        wa_db_rollback(s->db);
    wa_log(&s->child.log, why.code == WA_OK ? WA_LOG_INFO : WA_LOG_WARNING, act.act,
           WA_LF_S("user", k->user), WA_LF_S("peer", k->request->peer),
           WA_LF_SV("sha256", fingerprint), WA_LF_S("why", why.text));
    if (why.code == WA_OK)
        wa_store_answer(k->request, 200, WA_SV("{}"));
    else
        wa_store_answer_err(k->request, &why);
}

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    const struct wa_scan_wish wish = {.size = 0};
    return wa_api_scan(c, WA_SR_TRUST, "signers", &wish, NULL, wa_store_answer_list, err);
}

static enum wa_code call_add(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_scan_wish wish = {.size = 0};
    const struct wa_json_field fields[] = {{"certificate", WA_WANT_SV, true, 32768, &wish.text}};
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a signer", err) != WA_OK)
        return err->code;
    return wa_api_scan(c, WA_SR_TRUST, "signer-add", &wish, NULL, on_changed, err);
}

static enum wa_code call_remove(struct wa_api_call *c, struct wa_err *err)
{
    const struct wa_scan_wish wish = {.text = wa_sv(c->args[0])};
    if (!wa_hex_is(wish.text, 64))
        return wa_fail(err, WA_E_USAGE, "a certificate is named by its SHA-256, 64 digits");
    return wa_api_scan(c, WA_SR_TRUST, "signer-remove", &wish, NULL, on_changed, err);
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/signers", WA_MAY_VIEW, false, call_list,
     "Certificates whose packages and orders are taken", wa_api_whole_params, NULL, "Signers"},
    {"POST", "/api/v1/signers", WA_MAY_PEOPLE, false, call_add, "Trust a certificate", NULL,
     "Signer", "Nothing"},
    {"DELETE", "/api/v1/signers/{sha256}", WA_MAY_PEOPLE, false, call_remove,
     "Trust a certificate no more", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_signers_calls = {routes, WA_COUNT(routes)};
