/* api_authority.c - machines' TLS certificates, as administrators end them. */
#include "server/api.h"
#include "server/store_authority.h"

/* The machine stays registered: with its own key it gets another one, for another TLS key. */
static enum wa_code call_revoke(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    const char *uuid = c->args[0];
    int64_t count = 0;
    const struct wa_journal_act act = {.act = "certificate.revoked",
                                       .user = wa_sv(c->who.user),
                                       .peer = c->request->peer,
                                       .what = {{"uuid", wa_sv(uuid)}}};
    if (wa_api_need_host(c, uuid, err) != WA_OK || wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (wa_store_revoke(s, wa_sv(uuid), "revoked by an administrator", &count, err) == WA_OK &&
        count == 0)
        (void)wa_fail(err, WA_E_NOT_FOUND, "'%s' has no certificate to revoke", uuid);
    if (err->code != WA_OK || wa_store_note(s, &act, err) != WA_OK ||
        wa_db_commit(s->db, err) != WA_OK) {
        wa_db_rollback(s->db);
        return err->code;
    }
    wa_store_tell_revoked(s);
    wa_store_disconnect(s, uuid);
    wa_log(&s->child.log, WA_LOG_INFO, "certificate.revoked", WA_LF_S("uuid", uuid),
           WA_LF_S("user", c->who.user), WA_LF_S("peer", c->request->peer));
    wa_buf_adds(c->out, "{}");
    return WA_OK;
}

/* --- the calls --- */

static const struct wa_api_route routes[] = {
    {"DELETE", "/api/v1/hosts/{uuid}/certificate", WA_MAY_ENROL, false, call_revoke,
     "Revoke a machine's TLS certificate: it gets another one by its own key", NULL, NULL,
     "Nothing"},
};
const struct wa_api_resource wa_api_authority_calls = {routes, WA_COUNT(routes)};
