/* role_hook.c - sends webhooks: one POST after the other, to where an administrator has said.
 *
 * It is the only process of the server that others can send somewhere, so it has nothing but the
 * network: no database, no files but the system's authorities, no secret - the store has signed.
 * It connects to public addresses only, and to private ones that the configuration names: the
 * address that was looked at is the one connected to.
 */
#include "codec/conf.h"
#include "codec/json.h"
#include "net/address.h"
#include "net/http_post.h"
#include "server/answers.h"
#include "server/role_common.h"

static bool may_connect(void *user, const char *address)
{
    const struct wa_hook_where *where = user;
    uint8_t a[16];
    if (!wa_address_parse(wa_sv(address), a))
        return false;
    bool is_plain = where->is_plain && !where->may_plain && !wa_address_is_loopback(a);
    return !is_plain && (wa_address_is_public(a) || wa_address_is_in(a, wa_sv(where->networks)));
}

static enum wa_code post(struct wa_hook_where *where, struct wa_sv head, struct wa_sv body,
                         int *ret_status, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    struct wa_sv url = {NULL, 0}, id = {NULL, 0}, time = {NULL, 0}, signature = {NULL, 0};
    char text[WA_HOOK_URL_MAX + 1], headers[512];
    const struct wa_json_field fields[] = {{"url", WA_WANT_SV, true, WA_HOOK_URL_MAX, &url},
                                           {"id", WA_WANT_SV, true, 64, &id},
                                           {"time", WA_WANT_SV, true, 24, &time},
                                           {"signature", WA_WANT_SV, true, 64, &signature}};
    wa_arena_init(&arena, 65536);
    if (wa_json_parse(head, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "a webhook", err) != WA_OK)
        return err->code;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(url));
    (void)snprintf(headers, sizeof headers,
                   "Content-Type: application/json\r\nWapt-Webhook-Id: %.*s\r\nWapt-Webhook-Time: "
                   "%.*s\r\nWapt-Webhook-Signature: v1=%.*s\r\n",
                   WA_SV_ARG(id), WA_SV_ARG(time), WA_SV_ARG(signature));
    where->is_plain = wa_sv_starts(url, "http:");
    const struct wa_http_post p = {.url = text,
                                   .headers = headers,
                                   .body = body,
                                   .allow_http = true, /* may_connect() judges where to */
                                   .timeout_ms = WA_HOOK_TIMEOUT_MS,
                                   .may_connect = may_connect,
                                   .user = where};
    return wa_http_post(&p, where->trust, ret_status, err);
}

enum wa_code wa_hook_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    struct wa_sv body = request, head = {NULL, 0};
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    int status = 0;
    (void)wa_sv_split(&body, '\n', &head);
    enum wa_code code = post(user, head, body, &status, &failed);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    if (code == WA_OK)
        wa_jw_kvi(&w, "status", status);
    else
        wa_jw_kv(&w, "message", failed.text);
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

int wa_server_hook(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.host = ""};
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
    enum wa_code code = wa_server_child_init(&c, WA_SR_HOOK, config_file, &err);
    if (code == WA_OK)
        code = wa_server_trust(&c.config, c.config.webhook_verify, &pem, &trust, &err);
    if (code == WA_OK)
        code = wa_networks_check(wa_sv(c.config.webhook_networks), &err);
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_HOOK, WA_PRIV_NET | WA_PRIV_FDS,
                                       wa_priv_net_paths(), NULL, &err);
    if (code == WA_OK) {
        struct wa_hook_where where = {.networks = c.config.webhook_networks,
                                      .may_plain = c.config.webhook_http,
                                      .trust = &trust};
        code = wa_server_child_serve(WA_SR_HOOK, WA_S_HOOKED, wa_hook_answer, &where, &err);
    }
    return wa_server_child_end(&c, code, &err);
}
