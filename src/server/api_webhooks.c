/* api_webhooks.c - webhooks, for those who look after people: they carry what happens on all
 * machines elsewhere. */
#include "server/api.h"
#include "server/api_page.h"
#include "server/hooks.h"

static enum wa_code write_one(void *user, const struct wa_hook *h, struct wa_err *err)
{
    struct wa_jw *w = user;
    wa_hook_json(h, w);
    return wa_buf_check(w->out, err);
}

static enum wa_code call_list(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_jw w;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "webhooks");
    wa_jw_arr(&w);
    enum wa_code code = wa_hooks_list(c->store->db, write_one, &w, err);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return code;
}

static enum wa_code end_of(struct wa_api_call *c, enum wa_code code, struct wa_err *err)
{
    if (code == WA_OK && wa_db_commit(c->store->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(c->store->db);
    return err->code;
}

static enum wa_code call_add(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv url = {NULL, 0}, kinds = WA_SV("");
    char id[WA_HOOK_ID], secret[WA_HOOK_SECRET];
    struct wa_jw w;
    const struct wa_json_field fields[] = {{"url", WA_WANT_SV, true, WA_HOOK_URL_MAX, &url},
                                           {"kinds", WA_WANT_SV, false, 128, &kinds}};
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a webhook", err) != WA_OK ||
        wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    if (end_of(c,
               wa_hook_add(s->db, &s->child.config, url, kinds, wa_sv(c->who.user),
                           c->request->peer, id, secret, err),
               err) != WA_OK)
        return err->code;
    wa_jw_init(&w, c->out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "id", id);
    wa_jw_kv(&w, "secret", secret);
    wa_jw_end(&w);
    wa_wipe(secret, sizeof secret);
    return WA_OK;
}

static enum wa_code call_remove(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    if (wa_db_begin(s->db, err) != WA_OK ||
        end_of(c,
               wa_hook_remove(s->db, &s->child.config, c->args[0], wa_sv(c->who.user),
                              c->request->peer, err),
               err) != WA_OK)
        return err->code;
    wa_buf_adds(c->out, "{}");
    return WA_OK;
}

static enum wa_code call_test(struct wa_api_call *c, struct wa_err *err)
{
    struct wa_store *s = c->store;
    if (wa_db_begin(s->db, err) != WA_OK ||
        end_of(c,
               wa_hook_test(s->db, &s->child.config, c->args[0], wa_sv(c->who.user),
                            c->request->peer, err),
               err) != WA_OK)
        return err->code;
    wa_store_hooks(s);
    wa_buf_adds(c->out, "{}");
    return WA_OK;
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/webhooks", WA_MAY_PEOPLE, false, call_list,
     "Webhooks, and how they do: all but their secrets", wa_api_whole_params, NULL, "Webhooks"},
    {"POST", "/api/v1/webhooks", WA_MAY_PEOPLE, false, call_add,
     "Send events somewhere else too; the answer has the secret that signs them, once", NULL,
     "WebhookAdd", "WebhookAdded"},
    {"DELETE", "/api/v1/webhooks/{id}", WA_MAY_PEOPLE, false, call_remove, "Send there no more",
     NULL, NULL, "Nothing"},
    {"POST", "/api/v1/webhooks/{id}/test", WA_MAY_PEOPLE, false, call_test,
     "Send an event 'test'; one that was switched off is on again", NULL, NULL, "Nothing"},
};
const struct wa_api_resource wa_api_webhooks_calls = {routes, WA_COUNT(routes)};
