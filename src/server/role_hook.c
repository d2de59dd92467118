/* role_hook.c - sends webhooks, to where an administrator has said: each POST in a thread of its
 * own, so that whoever is slow holds up nobody else.
 *
 * It is the only process of the server that others can send somewhere, so it has nothing but the
 * network: no database, no files but the system's authorities, no secret - the store has signed.
 * It connects to public addresses only, and to private ones that the configuration names: the
 * address that was looked at is the one connected to. With http_proxy names are the proxy's to
 * judge.
 */
#include "codec/conf.h"
#include "codec/json.h"
#include "net/address.h"
#include "net/http_post.h"
#include "os/thread.h"
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
                                   .proxy = where->proxy,
                                   .bypass = where->bypass,
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

/* --- several at once --- */

struct pool;
struct job {
    struct pool *pool;
    struct wa_thread *thread; /* NULL: free */
    uint32_t id;
    struct wa_buf request;
    bool is_done; /* its thread ends: to be joined */
};
struct pool {
    struct wa_chan *chan; /* received from by the first thread alone; sent to under the lock */
    struct wa_lock *lock;
    const struct wa_hook_where *where;
    struct job jobs[WA_HOOKS_AT_ONCE];
    bool has_failed;
};

static void work(void *user)
{
    struct job *k = user;
    struct pool *p = k->pool;
    struct wa_hook_where own = *p->where;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&answer, WA_IPC_MESSAGE_MAX);
    enum wa_code code = wa_hook_answer(&own, wa_buf_sv(&k->request), &answer, &err);
    wa_lock_take(p->lock);
    if (code != WA_OK ||
        wa_chan_send(p->chan, WA_S_HOOKED, k->id, wa_buf_sv(&answer), -1, &err) != WA_OK)
        p->has_failed = true;
    k->is_done = true;
    wa_lock_signal(p->lock);
    wa_lock_give(p->lock);
}

static void join(struct job *k)
{
    wa_thread_join(k->thread);
    k->thread = NULL;
    k->is_done = false;
    wa_buf_fini_secret(&k->request);
}

/* Waits until one has ended, if all work. NULL: an answer could not be given. */
static struct job *find_free(struct pool *p)
{
    struct job *found = NULL;
    wa_lock_take(p->lock);
    while (found == NULL && !p->has_failed) {
        for (size_t i = 0; i < WA_HOOKS_AT_ONCE && found == NULL; i++)
            if (p->jobs[i].thread == NULL || p->jobs[i].is_done)
                found = &p->jobs[i];
        if (found == NULL)
            (void)wa_lock_wait(p->lock, -1);
    }
    wa_lock_give(p->lock);
    if (found != NULL && found->thread != NULL)
        join(found);
    return found;
}

static enum wa_code take(struct pool *p, const struct wa_chan_msg *msg, struct wa_err *err)
{
    struct job *k = find_free(p);
    if (k == NULL)
        return wa_fail(err, WA_E_INTERNAL, "an answer to the store could not be given");
    k->pool = p;
    k->id = msg->id;
    wa_buf_init(&k->request, WA_IPC_MESSAGE_MAX);
    wa_buf_addsv(&k->request, msg->payload);
    if (wa_buf_check(&k->request, err) != WA_OK ||
        wa_thread_start(work, k, &k->thread, err) != WA_OK)
        wa_buf_fini_secret(&k->request);
    return err->code;
}

static enum wa_code receive(struct pool *p, struct wa_err *err)
{
    for (;;) {
        struct wa_chan_msg msg;
        enum wa_code code = wa_chan_recv(p->chan, -1, &msg, err);
        if (code == WA_E_NOT_FOUND) {
            wa_err_clear(err);
            return WA_OK; /* the store has ended: so do we */
        }
        if (code != WA_OK || take(p, &msg, err) != WA_OK)
            return err->code;
    }
}

static enum wa_code serve(const struct wa_hook_where *where, struct wa_err *err)
{
    struct pool p = {.where = where};
    enum wa_code code = wa_lock_new(&p.lock, err);
    if (code == WA_OK)
        code = wa_chan_new(3, wa_server_rules(WA_SR_STORE, WA_SR_HOOK), &p.chan, err);
    if (code == WA_OK) {
        wa_server_child_ready();
        code = receive(&p, err);
    }
    for (size_t i = 0; i < WA_HOOKS_AT_ONCE; i++)
        if (p.jobs[i].thread != NULL)
            join(&p.jobs[i]);
    wa_chan_free(p.chan);
    wa_lock_free(p.lock);
    return code;
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
        code = wa_server_child_confine(&c, WA_SR_HOOK, WA_PRIV_NET | WA_PRIV_FDS | WA_PRIV_THREADS,
                                       wa_priv_net_paths(), NULL, &err);
    if (code == WA_OK) {
        struct wa_hook_where where = {.networks = c.config.webhook_networks,
                                      .may_plain = c.config.webhook_http,
                                      .proxy = c.config.http_proxy,
                                      .bypass = c.config.no_proxy,
                                      .trust = &trust};
        code = serve(&where, &err);
    }
    return wa_server_child_end(&c, code, &err);
}
