/* wake.c - see the header. Pure: from what the server's lists say to orders that a person is shown.
 */
#include "console/wake.h"

#include "base/text.h"
#include "codec/csv.h"
#include "net/address.h"
#include "proto/hostid.h"

#define V4 12u /* where an IPv4 address begins in one of 16 bytes */

struct network {
    uint8_t address[16], mask[16];
};

static bool is_v4(const uint8_t a[16])
{
    static const uint8_t head[V4] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    return memcmp(a, head, V4) == 0;
}

/* False for what is no IPv4 network, and for all addresses at once. */
static bool network_of(const struct wa_json *addr, struct network *ret)
{
    return wa_address_parse(wa_json_sv(wa_json_get(addr, "addr")), ret->address) &&
           wa_address_parse(wa_json_sv(wa_json_get(addr, "netmask")), ret->mask) &&
           is_v4(ret->address) && is_v4(ret->mask) && ret->mask[V4] == 0xff &&
           !wa_address_is_loopback(ret->address);
}

static bool is_in(const struct network *n, struct wa_sv text)
{
    uint8_t a[16];
    if (!wa_address_parse(text, a) || !is_v4(a))
        return false;
    for (size_t i = V4; i < 16; i++)
        if (((a[i] ^ n->address[i]) & n->mask[i]) != 0)
            return false;
    return true;
}

static bool is_near(const struct wa_json *host, const struct network *n)
{
    struct wa_sv rest = wa_json_sv(wa_json_get(host, "ips")), ip;
    while (wa_csv_next(&rest, &ip))
        if (is_in(n, ip))
            return true;
    return false;
}

static bool is_relay(const struct wa_wake_plan *p, struct wa_sv uuid, size_t *ret)
{
    for (size_t i = 0; i < p->count; i++)
        if (wa_sv_eqs(uuid, p->relays[i].by.uuid)) {
            *ret = i;
            return p->relays[i].count < WA_ACTION_MACS_MAX;
        }
    return false;
}

static void name_target(const struct wa_json *host, struct wa_target *ret)
{
    struct wa_sv name = wa_json_sv(wa_json_get(host, "name"));
    *ret = (struct wa_target){.is_reachable = true};
    (void)snprintf(ret->uuid, sizeof ret->uuid, "%.*s",
                   WA_SV_ARG(wa_json_sv(wa_json_get(host, "uuid"))));
    (void)snprintf(ret->name, sizeof ret->name, "%.*s",
                   WA_SV_ARG(name.n > 0 ? name : wa_sv(ret->uuid)));
}

/* *ret: of the plan. */
static enum wa_code find_relay(struct wa_wake_plan *p, const struct wa_host_list *hosts,
                               const struct wa_target *who, const struct network *n, size_t *ret,
                               bool *ret_found, struct wa_err *err)
{
    const struct wa_json *fresh = NULL;
    *ret_found = false;
    for (size_t i = 0; i < hosts->n; i++) {
        const struct wa_json *h = hosts->items[i];
        struct wa_sv uuid = wa_json_sv(wa_json_get(h, "uuid"));
        if (!wa_json_bool(wa_json_get(h, "reachable")) || wa_sv_eqs(uuid, who->uuid) ||
            !wa_hostid_is_valid(uuid) || !is_near(h, n))
            continue;
        if (is_relay(p, uuid, ret)) {
            *ret_found = true;
            return WA_OK;
        }
        if (fresh == NULL && (p->count == 0 || !is_relay(p, uuid, ret)))
            fresh = h;
    }
    if (fresh == NULL)
        return WA_OK;
    if (p->count == WA_WAKE_RELAYS_MAX)
        return wa_fail(err, WA_E_LIMIT, "they are in more than %u networks: wake fewer at a time",
                       WA_WAKE_RELAYS_MAX);
    *ret = p->count++;
    p->relays[*ret] = (struct wa_wake_relay){.count = 0};
    name_target(fresh, &p->relays[*ret].by);
    *ret_found = true;
    return WA_OK;
}

static enum wa_code add_mac(struct wa_wake_relay *r, struct wa_sv mac, struct wa_arena *arena,
                            struct wa_err *err)
{
    for (size_t i = 0; i < r->count; i++)
        if (wa_sv_eqs(mac, r->macs[i]))
            return WA_OK;
    if (r->count == WA_ACTION_MACS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u cards in one network: wake fewer at a time",
                       WA_ACTION_MACS_MAX);
    r->macs[r->count] = wa_arena_strdup(arena, mac);
    return r->macs[r->count++] != NULL ? WA_OK : wa_nomem(err);
}

/* addr: of a card that could be woken. */
static bool is_reached(const struct wa_wake_plan *p, const struct wa_json *addr)
{
    uint8_t a[16];
    return p->reached != NULL && wa_address_parse(wa_json_sv(wa_json_get(addr, "addr")), a) &&
           wa_address_is_in(a, wa_sv(p->reached));
}

enum wa_code wa_wake_add(struct wa_wake_plan *p, const struct wa_host_list *hosts,
                         const struct wa_target *who, const struct wa_json *host_info,
                         struct wa_arena *arena, struct wa_err *err)
{
    const struct wa_json *cards = wa_json_get(host_info, "networking");
    uint8_t ignored[WA_MAC_SIZE];
    size_t known = 0, woken = 0;
    bool is_direct = false;
    for (size_t i = 0; i < wa_json_count(cards); i++) {
        const struct wa_json *card = wa_json_at(cards, i), *addrs = wa_json_get(card, "addr");
        struct wa_sv mac = wa_json_sv(wa_json_get(card, "mac"));
        struct network n;
        if (!wa_mac_parse(mac, ignored))
            continue;
        known++;
        for (size_t k = 0; k < wa_json_count(addrs); k++) {
            size_t at = 0;
            bool found = false;
            is_direct = is_direct || is_reached(p, wa_json_at(addrs, k));
            if (!network_of(wa_json_at(addrs, k), &n))
                continue;
            if (find_relay(p, hosts, who, &n, &at, &found, err) != WA_OK ||
                (found && add_mac(&p->relays[at], mac, arena, err) != WA_OK))
                return err->code;
            woken += found;
        }
    }
    if (is_direct && p->direct_count < WA_WAKE_TARGETS_MAX)
        p->direct[p->direct_count++] = (struct wa_wake_direct){.who = *who};
    if (woken > 0 || is_direct)
        return WA_OK;
    return wa_fail(err, WA_E_NOT_FOUND,
                   known == 0 ? "'%s' has told of no network card that could be woken"
                              : wa_text("'%s' can't be woken: no machine of its network is "
                                        "connected, and the server is in none of its networks"),
                   who->name);
}
