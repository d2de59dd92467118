/* helper_network.c - the manager starts the network process, configures it, and reads what it
 * reports.
 *
 * The one child that lives long: the manager's loop talks to it over the channel. It ends by itself
 * when the channel closes. All it says comes, in the end, from a server: read strictly here,
 * believed nowhere.
 */
#include "agent/helper_priv.h"
#include "agent/trust_json.h"
#include "codec/hex.h"

#define TIME_MAX                                                                                   \
    253402300799 /* s: the end of the year 9999; what is taken from it stays a number */

enum wa_code wa_helper_network(struct wa_launcher *l, struct wa_chan **ret, struct wa_err *err)
{
    const struct wa_start what = {.role = WA_ROLE_NETWORK};
    struct wa_helper *h = NULL;
    enum wa_code code = wa_helper_forget(l, WA_ROLE_NETWORK, err);
    if (code == WA_OK) {
        code = wa_helper_start(l, &what, &h, err);
    }
    if (code == WA_OK) {
        code = wa_helper_channel(h, ret, err);
        if (code != WA_OK) {
            wa_helper_end(l, h);
        }
    }
    return code;
}

enum wa_code wa_net_configure(struct wa_chan *chan, const struct wa_net_config *config,
                              struct wa_err *err)
{
    struct wa_buf WA_AUTO_BUF out;
    struct wa_jw w;
    wa_buf_init(&out, WA_ROLE_JSON_MAX);
    wa_jw_init(&w, &out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "url", config->url);
    wa_jw_kv(&w, "proxy", config->proxy != NULL ? config->proxy : "");
    wa_jw_key(&w, "trust");
    wa_trust_write(&w, config->trust);
    wa_jw_kvi(&w, "backoff_first_ms", config->backoff_first_ms);
    wa_jw_kvi(&w, "backoff_max_ms", config->backoff_max_ms);
    wa_jw_end(&w);
    enum wa_code code = wa_buf_check(&out, err);
    return code != WA_OK ? code : wa_chan_post(chan, WA_M_NET_CONFIG, 0, wa_buf_sv(&out), -1, err);
}

enum wa_code wa_net_challenge_read(struct wa_sv text, struct wa_net_challenge *ret,
                                   struct wa_err *err)
{
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 8 * WA_ROLE_NOTE_MAX);
    const struct wa_json *j = NULL;
    struct wa_sv nonce = {0}, channel = {0};
    int64_t server_time = 0;
    const struct wa_json_field fields[] = {
        {"nonce", WA_WANT_SV, true, 64, &nonce},
        {"time", WA_WANT_I64, true, 0, &server_time},
        {"channel", WA_WANT_SV, true, 64, &channel},
    };
    enum wa_code code = wa_json_parse(text, 0, &arena, &j, err);
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "a challenge", err);
    }
    if (code != WA_OK) {
        return code;
    }
    if (server_time < 0 || server_time > TIME_MAX || !wa_hex_is(nonce, 64) ||
        !wa_hex_is(channel, 64) || !wa_role_copy(nonce, ret->nonce, sizeof ret->nonce) ||
        !wa_role_copy(channel, ret->channel, sizeof ret->channel)) {
        return wa_fail(err, WA_E_INVALID, "a challenge of a wrong form");
    }
    ret->time = server_time;
    return WA_OK;
}

enum wa_code wa_net_state_read(struct wa_sv text, struct wa_net_state *ret, struct wa_err *err)
{
    static const char *const names[] = {"connecting", "open", "welcome", "closed"};
    struct wa_arena WA_AUTO_ARENA arena;
    wa_arena_init(&arena, 8 * WA_ROLE_NOTE_MAX);
    const struct wa_json *j = NULL;
    struct wa_sv state = {0}, reason = {0};
    int64_t status = 0;
    const struct wa_json_field fields[] = {
        {"state", WA_WANT_SV, true, 32, &state},
        {"reason", WA_WANT_SV, true, sizeof ret->reason - 1, &reason},
        {"status", WA_WANT_I64, true, 0, &status},
    };
    enum wa_code code = wa_json_parse(text, 0, &arena, &j, err);
    if (code == WA_OK) {
        code = wa_json_read(j, fields, WA_COUNT(fields), "a state of the network", err);
    }
    if (code != WA_OK) {
        return code;
    }
    size_t i = 0;
    while (i < WA_COUNT(names) && !wa_sv_eqs(state, names[i])) {
        i++;
    }
    struct wa_net_state s = {.state = (enum wa_net_state_kind)i, .status = (int)status};
    if (i == WA_COUNT(names) || status < 0 || status > 4999 ||
        !wa_role_copy(reason, s.reason, sizeof s.reason)) {
        return wa_fail(err, WA_E_INVALID, "a state of the network of a wrong form");
    }
    *ret = s;
    return WA_OK;
}
