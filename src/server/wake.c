/* wake.c - where the server may send magic packets, as its configuration says, and how many
 * machines one person may wake. */
#include "server/wake.h"

#include "codec/csv.h"
#include "net/address.h"

#define BITS_MIN 8u
#define BITS_MAX 30u /* smaller networks have nobody to tell */
#define MINUTE_S 60

static enum wa_code read_port(struct wa_sv text, struct wa_wake_where *w, struct wa_err *err)
{
    uint64_t port = 0;
    if (!wa_sv_u64(text, &port) || port == 0 || port > 65535)
        return wa_fail(err, WA_E_CONFIG, "wol_port: '%.*s' is no port from 1 to 65535",
                       WA_SV_ARG(text));
    if (w->port_count == WA_WAKE_PORTS_MAX)
        return wa_fail(err, WA_E_CONFIG, "wol_port takes at most %u ports", WA_WAKE_PORTS_MAX);
    w->ports[w->port_count++] = (uint16_t)port;
    return WA_OK;
}

static enum wa_code read_network(struct wa_sv text, struct wa_wake_where *w, struct wa_err *err)
{
    struct wa_wake_network n;
    if (!wa_network_v4_parse(text, n.address, &n.bits) || n.bits < BITS_MIN || n.bits > BITS_MAX)
        return wa_fail(err, WA_E_CONFIG,
                       "wol_networks: '%.*s' is no IPv4 network of %u to %u bits, like 10.1.2.0/24",
                       WA_SV_ARG(text), BITS_MIN, BITS_MAX);
    if (w->count == WA_WAKE_NETWORKS_MAX)
        return wa_fail(err, WA_E_CONFIG, "wol_networks takes at most %u networks",
                       WA_WAKE_NETWORKS_MAX);
    w->networks[w->count++] = n;
    return WA_OK;
}

enum wa_code wa_wake_where_read(const char *ports, const char *networks, struct wa_wake_where *ret,
                                struct wa_err *err)
{
    struct wa_sv rest = wa_sv(ports), one;
    *ret = (struct wa_wake_where){.port_count = 0};
    while (wa_csv_next(&rest, &one))
        if (read_port(one, ret, err) != WA_OK)
            return err->code;
    rest = wa_sv(networks);
    while (wa_csv_next(&rest, &one))
        if (read_network(one, ret, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_wake_take(struct wa_wake_rate *r, const char *user, size_t machines, int64_t now,
                          struct wa_err *err)
{
    char name[WA_WAKE_NAME];
    size_t at = 0;
    (void)snprintf(name, sizeof name, "%.64s", user);
    for (size_t i = 0; i < WA_COUNT(r->people); i++) {
        if (strcmp(r->people[i].user, name) == 0) {
            at = i;
            break;
        }
        if (r->people[i].since < r->people[at].since)
            at = i; /* who has rested longest makes room */
    }
    if (strcmp(r->people[at].user, name) != 0 || now >= r->people[at].since + MINUTE_S ||
        now < r->people[at].since) {
        memcpy(r->people[at].user, name, sizeof name);
        r->people[at].since = now;
        r->people[at].machines = 0;
    }
    if (r->people[at].machines + machines > WA_WAKE_MINUTE_MAX)
        return wa_fail(err, WA_E_BUSY,
                       "at most %u machines are woken within a minute: wait before the next",
                       WA_WAKE_MINUTE_MAX);
    r->people[at].machines += machines;
    return WA_OK;
}
