/* role_wake.c - sends magic packets to the networks that the server is in, and to those that its
 * configuration lists: to each card's machine in each of its networks, and to 255.255.255.255, on
 * each port.
 *
 * It can send datagrams and nothing else: no database, no files, no connection. The store says
 * which cards and which addresses; where packets go is decided here, by the configuration and the
 * kernel (wake.h). What is too much is refused before the first packet.
 */
#include "codec/json.h"
#include "net/address.h"
#include "os/fs.h"
#include "os/socket.h"
#include "proto/hostid.h"
#include "server/answers.h"
#include "server/role_common.h"
#include "server/wake.h"

#define NETWORKS_MAX (WA_LANS_MAX + WA_WAKE_NETWORKS_MAX)
#define V4 12u /* where an IPv4 address begins in one of 16 bytes */

static const uint8_t everybody[4] = {255, 255, 255, 255};

/* Where packets can go, for one question. */
struct ways {
    const struct wa_wake_where *where;
    struct wa_wake_network networks[NETWORKS_MAX]; /* the server's own first */
    size_t own, count;
    int by[WA_LANS_MAX]; /* sockets: of 255.255.255.255 in each of its own */
    int any;
};

struct machine {
    uint8_t macs[WA_WAKE_CARDS_MAX][WA_MAC_SIZE];
    size_t cards;
    bool is_in[NETWORKS_MAX]; /* it has an address in that network */
};

/* --- where to --- */

static bool is_in(const uint8_t address[4], const struct wa_wake_network *n)
{
    uint8_t a[4], b[4];
    wa_lan_everybody(address, n->bits, a);
    wa_lan_everybody(n->address, n->bits, b);
    return memcmp(a, b, sizeof a) == 0;
}

/* Two cards in one network are two ways to it, of which the first is taken. */
static void add_network(struct ways *w, const uint8_t address[4], unsigned bits)
{
    struct wa_wake_network *n = &w->networks[w->count];
    for (size_t i = 0; i < w->count; i++)
        if (w->networks[i].bits == bits && is_in(address, &w->networks[i]))
            return;
    memcpy(n->address, address, sizeof n->address);
    n->bits = bits;
    w->count++;
}

static void ways_fini(struct ways *w)
{
    for (size_t i = 0; i < w->own; i++)
        wa_fd_close(&w->by[i]);
    wa_fd_close(&w->any);
}

static enum wa_code ways_find(struct ways *w, const struct wa_wake_where *where, struct wa_err *err)
{
    struct wa_lan lans[WA_LANS_MAX];
    size_t n = 0;
    *w = (struct ways){.where = where, .any = -1};
    if (where->port_count == 0)
        return WA_OK;
    if (wa_lans_find(lans, &n, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < n; i++)
        add_network(w, lans[i].address, lans[i].bits);
    w->own = w->count;
    for (size_t i = 0; i < w->own; i++)
        w->by[i] = -1;
    for (size_t i = 0; i < where->count; i++)
        add_network(w, where->networks[i].address, where->networks[i].bits);
    return WA_OK;
}

static enum wa_code ways_open(struct ways *w, struct wa_err *err)
{
    for (size_t i = 0; i < w->own; i++)
        if (wa_datagram_open(w->networks[i].address, &w->by[i], err) != WA_OK)
            return err->code;
    return wa_datagram_open(NULL, &w->any, err);
}

/* --- the question --- */

static enum wa_code read_machine(const struct wa_json *j, const struct ways *w, struct machine *m,
                                 struct wa_err *err)
{
    const struct wa_json *macs = NULL, *addresses = NULL;
    const struct wa_json_field fields[] = {
        {"macs", WA_WANT_ARRAY, true, WA_WAKE_CARDS_MAX, &macs},
        {"addresses", WA_WANT_ARRAY, true, WA_WAKE_ADDRESSES_MAX, &addresses}};
    *m = (struct machine){.cards = 0};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a machine", err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(macs); i++)
        if (!wa_mac_parse(wa_json_sv(wa_json_at(macs, i)), m->macs[m->cards++]))
            return wa_fail(err, WA_E_INVALID, "a machine's card is none");
    for (size_t i = 0; i < wa_json_count(addresses); i++) {
        uint8_t address[4];
        unsigned bits = 0;
        if (!wa_network_v4_parse(wa_json_sv(wa_json_at(addresses, i)), address, &bits) ||
            bits != 32)
            return wa_fail(err, WA_E_INVALID, "a machine's address is none");
        for (size_t k = 0; k < w->count; k++)
            m->is_in[k] = m->is_in[k] || is_in(address, &w->networks[k]);
    }
    return WA_OK;
}

static size_t packets_of(const struct machine *m, const struct ways *w)
{
    size_t n = w->own;
    for (size_t i = 0; i < w->count; i++)
        n += m->is_in[i];
    return n * m->cards * w->where->port_count;
}

/* --- the packets --- */

static size_t send_packet(const struct ways *w, const struct machine *m, uint16_t port,
                          struct wa_sv packet)
{
    size_t n = 0;
    for (size_t i = 0; i < w->own; i++)
        n += wa_datagram_send(w->by[i], everybody, port, packet);
    for (size_t i = 0; i < w->count; i++) {
        uint8_t to[4];
        wa_lan_everybody(w->networks[i].address, w->networks[i].bits, to);
        n += m->is_in[i] && wa_datagram_send(w->any, to, port, packet);
    }
    return n;
}

static size_t wake(const struct ways *w, const struct machine *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->cards; i++) {
        char packet[WA_MAGIC_SIZE];
        wa_mac_magic(m->macs[i], packet);
        for (size_t k = 0; k < w->where->port_count; k++)
            n += send_packet(w, m, w->where->ports[k], wa_sv_n(packet, sizeof packet));
    }
    return n;
}

/* --- the answer --- */

/* m: of those that it is in; NULL: all. */
static void write_networks(struct wa_jw *j, const struct ways *w, const struct machine *m)
{
    wa_jw_key(j, "networks");
    wa_jw_arr(j);
    for (size_t i = 0; i < w->count; i++) {
        const struct wa_wake_network *n = &w->networks[i];
        uint32_t low = n->bits < 32 ? 0xffffffffu >> n->bits : 0;
        char text[24];
        if (m != NULL && !m->is_in[i])
            continue;
        (void)snprintf(text, sizeof text, "%u.%u.%u.%u/%u", n->address[0] & ~(low >> 24) & 0xffu,
                       n->address[1] & ~(low >> 16) & 0xffu, n->address[2] & ~(low >> 8) & 0xffu,
                       n->address[3] & ~low & 0xffu, n->bits);
        wa_jw_s(j, text);
    }
    wa_jw_end(j);
}

static enum wa_code carry_out(struct ways *w, const struct wa_json *hosts, struct wa_jw *j,
                              struct wa_err *err)
{
    struct machine m;
    size_t planned = 0, sent = 0;
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        if (read_machine(wa_json_at(hosts, i), w, &m, err) != WA_OK)
            return err->code;
        planned += packets_of(&m, w);
    }
    if (planned > WA_WAKE_PACKETS_MAX)
        return wa_fail(err, WA_E_LIMIT, "more than %u packets: wake fewer machines at a time",
                       WA_WAKE_PACKETS_MAX);
    if (planned > 0 && ways_open(w, err) != WA_OK)
        return err->code;
    wa_jw_key(j, "hosts");
    wa_jw_arr(j);
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        if (read_machine(wa_json_at(hosts, i), w, &m, err) != WA_OK)
            return err->code;
        sent += planned > 0 ? wake(w, &m) : 0;
        wa_jw_obj(j);
        wa_jw_kvi(j, "cards", (int64_t)m.cards);
        write_networks(j, w, &m);
        wa_jw_end(j);
    }
    wa_jw_end(j);
    wa_jw_kvi(j, "packets", (int64_t)sent);
    return WA_OK;
}

static enum wa_code answer_all(const struct wa_wake_where *where, struct wa_sv request,
                               struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *q = NULL, *hosts = NULL;
    struct ways ways;
    struct wa_jw j;
    const struct wa_json_field fields[] = {
        {"hosts", WA_WANT_ARRAY, true, WA_WAKE_HOSTS_MAX, &hosts}};
    wa_arena_init(&arena, 4u << 20);
    if (wa_json_parse(request, 0, &arena, &q, err) != WA_OK ||
        wa_json_read(q, fields, WA_COUNT(fields), "a question", err) != WA_OK)
        return err->code;
    enum wa_code code = ways_find(&ways, where, err);
    wa_jw_init(&j, out);
    wa_jw_obj(&j);
    wa_jw_key(&j, "ports");
    wa_jw_arr(&j);
    for (size_t i = 0; i < where->port_count; i++)
        wa_jw_i64(&j, where->ports[i]);
    wa_jw_end(&j);
    write_networks(&j, &ways, NULL);
    if (code == WA_OK)
        code = carry_out(&ways, hosts, &j, err);
    wa_jw_end(&j);
    ways_fini(&ways);
    return code == WA_OK ? wa_buf_check(out, err) : code;
}

enum wa_code wa_wake_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err why = WA_ERR_INIT;
    struct wa_jw w;
    wa_buf_init(&text, WA_WAKE_ANSWER_MAX);
    if (answer_all(user, request, &text, &why) == WA_OK) {
        wa_buf_addsv(answer, wa_buf_sv(&text));
        return wa_buf_check(answer, err);
    }
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_err(&w, &why);
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}

int wa_server_wake(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    struct wa_wake_where where = {.port_count = 0};
    enum wa_code code = wa_server_child_init(&c, WA_SR_WAKE, config_file, &err);
    if (code == WA_OK)
        code = wa_wake_where_read(c.config.wol_ports, c.config.wol_networks, &where, &err);
    if (code == WA_OK)
        code = wa_server_child_confine(&c, WA_SR_WAKE,
                                       WA_PRIV_FDS | (where.port_count > 0 ? WA_PRIV_DATAGRAM : 0u),
                                       NULL, NULL, &err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_WAKE, WA_S_WOKEN, wa_wake_answer, &where, &err);
    return wa_server_child_end(&c, code, &err);
}
