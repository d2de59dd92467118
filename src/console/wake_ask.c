/* wake_ask.c - asks the server for the networks of a machine that is to be woken. */
#include "console/wake.h"

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
