/* local_state.c - GET /local/state: all that the pages need to know of this program, and no secret.
 */
#include "console/local_priv.h"
#include "console/root_known.h"

/* Whether this person may have something to do with the list of what is published. */
static bool publishes(const struct wa_local *l)
{
    WA_AUTO_DIR struct wa_dir known = WA_DIR_INIT;
    struct wa_err ignored = WA_ERR_INIT;
    return wa_known_open(l->o->server, &known, &ignored) == WA_OK && wa_publish_has_root(&known);
}

void wa_local_state_answer(struct wa_local *l, struct wa_http_conn *c)
{
    WA_AUTO_BUF struct wa_buf out;
    struct wa_jw w;
    wa_local_keys_sweep(l, false);
    wa_buf_init(&out, 1u << 20);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "version", WA_VERSION);
    wa_jw_kv(&w, "language", l->o->language);
    wa_jw_key(&w, "server");
    wa_local_server_write(l, &w);
    wa_jw_key(&w, "keys");
    wa_local_keys_write(l, &w);
    wa_jw_key(&w, "confirm");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "method", wa_local_confirm_method(l));
    wa_jw_kvi(&w, "above_hosts", (int64_t)l->o->confirm_above);
    wa_jw_end(&w);
    wa_jw_key(&w, "repositories");
    wa_jw_arr(&w);
    for (size_t i = 0; i < l->o->repository_count; i++)
        wa_jw_s(&w, l->o->repositories[i].name);
    wa_jw_end(&w);
    wa_jw_kvb(&w, "publishes", publishes(l));
    wa_jw_kvi(&w, "idle_s", l->o->idle_s);
    wa_jw_end(&w);
    wa_local_answer_json(c, &out);
}
