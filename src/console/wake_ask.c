/* wake_ask.c - asks the server for the networks of a machine that is to be woken, and to wake those
 * that it reaches itself. */
#include "console/wake.h"

/* Texts of an array, with commas between them. */
static enum wa_code join(const struct wa_json *list, struct wa_arena *arena, const char **ret,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    for (size_t i = 0; i < wa_json_count(list); i++) {
        wa_buf_adds(&text, i > 0 ? ", " : "");
        wa_buf_addsv(&text, wa_json_sv(wa_json_at(list, i)));
    }
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    *ret = wa_arena_strdup(arena, wa_buf_sv(&text));
    return *ret != NULL ? WA_OK : wa_nomem(err);
}

enum wa_code wa_wake_begin(struct wa_client *client, struct wa_wake_plan *p, struct wa_arena *arena,
                           struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena answer;
    const struct wa_json *j = NULL;
    wa_arena_init(&answer, 4u << 20);
    p->direct = wa_arena_alloc(arena, WA_WAKE_TARGETS_MAX, sizeof *p->direct);
    if (p->direct == NULL)
        return wa_nomem(err);
    return wa_client_call(client, "GET", "/api/v1/wake", WA_SV(""), &answer, &j, err) == WA_OK
               ? join(wa_json_get(j, "networks"), arena, &p->reached, err)
               : err->code;
}

/* from..: of one request. answer: the server's, machines in the order of the request. */
static enum wa_code take(struct wa_wake_direct *from, size_t n, const struct wa_json *answer,
                         struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *hosts = wa_json_get(answer, "hosts");
    int64_t packets = 0, cards = 0;
    (void)wa_json_i64(wa_json_get(answer, "packets"), &packets);
    for (size_t i = 0; i < n; i++) {
        const struct wa_json *h = wa_json_at(hosts, i);
        if (!wa_sv_eqs(wa_json_sv(wa_json_get(h, "uuid")), from[i].who.uuid) ||
            !wa_json_i64(wa_json_get(h, "cards"), &cards))
            return wa_fail(err, WA_E_INVALID, "the server does not say whom it has woken");
        from[i].is_sent = packets > 0 && cards > 0;
        from[i].cards = from[i].is_sent ? (size_t)cards : 0;
        if (join(wa_json_get(h, "networks"), arena, &from[i].networks, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_wake_send(struct wa_client *client, struct wa_wake_plan *p, struct wa_arena *arena,
                          struct wa_err *err)
{
    for (size_t from = 0, n = 0; from < p->direct_count; from += n) {
        WA_AUTO_ARENA struct wa_arena answer;
        WA_AUTO_BUF struct wa_buf body;
        const struct wa_json *j = NULL;
        struct wa_jw w;
        wa_arena_init(&answer, 16u << 20);
        wa_buf_init(&body, 64u << 10);
        n = p->direct_count - from < WA_WAKE_HOSTS_MAX ? p->direct_count - from : WA_WAKE_HOSTS_MAX;
        wa_jw_init(&w, &body);
        wa_jw_obj(&w);
        wa_jw_key(&w, "hosts");
        wa_jw_arr(&w);
        for (size_t i = 0; i < n; i++)
            wa_jw_s(&w, p->direct[from + i].who.uuid);
        wa_jw_end(&w);
        wa_jw_end(&w);
        if (wa_buf_check(&body, err) != WA_OK ||
            wa_client_call(client, "POST", "/api/v1/wake", wa_buf_sv(&body), &answer, &j, err) !=
                WA_OK ||
            take(p->direct + from, n, j, arena, err) != WA_OK)
            return from == 0 ? err->code
                             : wa_wrap(err, "the server has woken the first %zu machines", from);
    }
    return WA_OK;
}

enum wa_code wa_wake_ask(struct wa_client *client, struct wa_wake_plan *p,
                         const struct wa_host_list *hosts, const struct wa_target *who,
                         struct wa_arena *arena, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena answer;
    const struct wa_json *j = NULL;
    char path[64 + WA_UUID_MAX];
    wa_arena_init(&answer, 256u << 20);
    (void)snprintf(path, sizeof path, "/api/v1/hosts/%s", who->uuid);
    if (wa_client_call(client, "GET", path, WA_SV(""), &answer, &j, err) != WA_OK)
        return err->code;
    return wa_wake_add(p, hosts, who, wa_json_get(j, "host_info"), arena, err);
}
