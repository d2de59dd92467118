/* api_wake.c - the server itself wakes machines: by the cards that they have reported, within the
 * caller's perimeter, so many in a minute and each time with an entry in the journal.
 *
 * Nobody's report is a destination: where packets go says the process that sends them (wake.h).
 * What a machine reports is read up to a limit, and what is more is left out.
 */
#include "base/mem.h"
#include "codec/csv.h"
#include "crypto/digest.h"
#include "net/address.h"
#include "os/clock.h"
#include "proto/hostid.h"
#include "server/api.h"
#include "server/api_search.h"
#include "server/store_hosts.h"
#include "server/wake.h"

#define HOSTS_SHOWN 4096u /* bytes of them in the journal */

struct waking {
    struct wa_store_request *request;
    struct wa_buf uuids; /* a line each */
    bool is_question;    /* only where to */
};

static void waking_free(struct waking *k)
{
    if (k != NULL)
        wa_buf_fini(&k->uuids);
    wa_free(k);
}

static struct waking *waking_new(const struct wa_api_call *c, bool is_question)
{
    struct waking *k = wa_calloc(1, sizeof *k);
    if (k == NULL)
        return NULL;
    k->request = c->request;
    k->is_question = is_question;
    wa_buf_init(&k->uuids, WA_WAKE_HOSTS_MAX * (WA_UUID_MAX + 1u));
    return k;
}

/* --- what machines have reported --- */

struct card_list {
    char macs[WA_WAKE_CARDS_MAX][3 * WA_MAC_SIZE];
    size_t mac_count;
    char addresses[WA_WAKE_ADDRESSES_MAX][16];
    size_t address_count;
};

static void add_mac(struct card_list *l, struct wa_sv mac)
{
    for (size_t i = 0; i < l->mac_count; i++)
        if (wa_sv_eqs(mac, l->macs[i]))
            return;
    if (l->mac_count < WA_WAKE_CARDS_MAX)
        (void)snprintf(l->macs[l->mac_count++], sizeof l->macs[0], "%.*s", WA_SV_ARG(mac));
}

static void add_address(struct card_list *l, struct wa_sv text)
{
    uint8_t a[4];
    unsigned bits = 0;
    if (wa_network_v4_parse(text, a, &bits) && bits == 32 && text.n < sizeof l->addresses[0] &&
        l->address_count < WA_WAKE_ADDRESSES_MAX)
        (void)snprintf(l->addresses[l->address_count++], sizeof l->addresses[0], "%.*s",
                       WA_SV_ARG(text));
}

/* Cards that have no number of their own (tunnels) wake nobody, and where they are says nothing. */
static void read_cards(const struct wa_json *info, struct card_list *l)
{
    const struct wa_json *cards = wa_json_get(info, "networking");
    uint8_t ignored[WA_MAC_SIZE];
    for (size_t i = 0; i < wa_json_count(cards); i++) {
        const struct wa_json *card = wa_json_at(cards, i), *addrs = wa_json_get(card, "addr");
        struct wa_sv mac = wa_json_sv(wa_json_get(card, "mac"));
        if (!wa_mac_parse(mac, ignored))
            continue;
        add_mac(l, mac);
        for (size_t k = 0; k < wa_json_count(addrs); k++)
            add_address(l, wa_json_sv(wa_json_get(wa_json_at(addrs, k), "addr")));
    }
}

static enum wa_code find_cards(struct wa_db *db, const char *uuid, struct card_list *l,
                               struct wa_err *err)
{
    struct wa_stmt *q;
    bool row = false;
    *l = (struct card_list){.mac_count = 0};
    if (wa_db_prepare(db,
                      "SELECT content FROM sections WHERE uuid = ? AND section = 'host_info' AND "
                      "LENGTH(content) <= ?",
                      &q, err) != WA_OK)
        return err->code;
    wa_bind_s(q, 0, uuid);
    wa_bind_i64(q, 1, WA_WAKE_FACTS_MAX);
    if (wa_step(q, &row, err) != WA_OK || !row)
        return err->code;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *info = NULL;
    wa_arena_init(&arena, 128u << 20);
    if (wa_json_parse(wa_col_sv(q, 0), 0, &arena, &info, err) == WA_OK)
        read_cards(info, l);
    wa_reset(q);
    return err->code;
}

/* --- the question --- */

static void write_list(struct wa_jw *w, const char *key, const char *first, size_t size, size_t n)
{
    wa_jw_key(w, key);
    wa_jw_arr(w);
    for (size_t i = 0; i < n; i++)
        wa_jw_s(w, first + i * size);
    wa_jw_end(w);
}

/* Of hosts, which may be NULL. */
static enum wa_code write_question(struct wa_db *db, const struct wa_json *hosts,
                                   struct wa_buf *out, struct wa_err *err)
{
    struct wa_jw w;
    struct card_list l;
    char uuid[WA_UUID_MAX + 1];
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_key(&w, "hosts");
    wa_jw_arr(&w);
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        if (wa_hostid_copy(wa_json_sv(wa_json_at(hosts, i)), uuid, err) != WA_OK ||
            find_cards(db, uuid, &l, err) != WA_OK)
            return err->code;
        wa_jw_obj(&w);
        write_list(&w, "macs", l.macs[0], sizeof l.macs[0], l.mac_count);
        write_list(&w, "addresses", l.addresses[0], sizeof l.addresses[0], l.address_count);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* --- the answer --- */

/* The process's answer, with the names of the machines in the order in which it was asked. */
static enum wa_code write_answer(const struct waking *k, struct wa_sv payload, struct wa_buf *out,
                                 struct wa_err *err)
{
    static const char *const keys[] = {"ports", "networks"};
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *hosts;
    struct wa_sv rest = wa_buf_sv(&k->uuids), uuid;
    struct wa_jw w;
    wa_arena_init(&arena, 16u << 20);
    if (wa_json_answer(payload, &arena, &j, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    for (size_t i = 0; i < WA_COUNT(keys); i++) {
        wa_jw_key(&w, keys[i]);
        wa_jw_json(&w, wa_json_get(j, keys[i]));
    }
    if (!k->is_question) {
        hosts = wa_json_get(j, "hosts");
        wa_jw_key(&w, "hosts");
        wa_jw_arr(&w);
        for (size_t i = 0; i < wa_json_count(hosts) && wa_sv_split(&rest, '\n', &uuid); i++) {
            int64_t cards = 0;
            (void)wa_json_i64(wa_json_get(wa_json_at(hosts, i), "cards"), &cards);
            wa_jw_obj(&w);
            wa_jw_kvsv(&w, "uuid", uuid);
            wa_jw_kvi(&w, "cards", cards);
            wa_jw_key(&w, "networks");
            wa_jw_json(&w, wa_json_get(wa_json_at(hosts, i), "networks"));
            wa_jw_end(&w);
        }
        wa_jw_end(&w);
        wa_jw_key(&w, "packets");
        wa_jw_json(&w, wa_json_get(j, "packets"));
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

static void on_woken(struct wa_store *s, void *user, struct wa_sv payload)
{
    struct waking *k = user;
    struct wa_err err = WA_ERR_INIT;
    WA_AUTO_BUF struct wa_buf out;
    WA_UNUSED(s);
    wa_buf_init(&out, WA_IPC_MESSAGE_MAX - 4096);
    if (write_answer(k, payload, &out, &err) == WA_OK)
        wa_store_answer(k->request, 200, wa_buf_sv(&out));
    else
        wa_store_answer_err(k->request, &err);
    waking_free(k);
}

/* Takes k over. */
static enum wa_code ask(struct wa_api_call *c, struct waking *k, const struct wa_buf *question,
                        struct wa_err *err)
{
    if (wa_store_ask(c->store, WA_SR_WAKE, wa_buf_sv(question), on_woken, k, err) == WA_OK)
        c->is_later = true;
    else
        waking_free(k);
    return err->code;
}

/* --- the calls --- */

static enum wa_code call_where(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, 64);
    if (write_question(c->store->db, NULL, &question, err) != WA_OK)
        return err->code;
    struct waking *k = waking_new(c, true);
    return k != NULL ? ask(c, k, &question, err) : wa_nomem(err);
}

/* All of them are the caller's to wake, or none is woken. */
static enum wa_code check_hosts(const struct wa_api_call *c, const struct wa_json *hosts,
                                struct wa_buf *uuids, struct wa_err *err)
{
    for (size_t i = 0; i < wa_json_count(hosts); i++) {
        char uuid[WA_UUID_MAX + 1];
        bool known = false;
        if (wa_hostid_copy(wa_json_sv(wa_json_at(hosts, i)), uuid, err) != WA_OK ||
            wa_api_need_host(c, uuid, err) != WA_OK ||
            wa_store_has_host(c->store->db, wa_sv(uuid), &known, err) != WA_OK)
            return err->code;
        if (!known)
            return wa_fail(err, WA_E_NOT_FOUND, "there is no host '%s'", uuid);
        wa_buf_addf(uuids, "%s\n", uuid);
    }
    return wa_buf_check(uuids, err);
}

/* Before the first packet: that it was ordered is on record, whatever becomes of it. */
static enum wa_code note(const struct wa_api_call *c, size_t count, const struct wa_buf *uuids,
                         struct wa_err *err)
{
    struct wa_store *s = c->store;
    char number[24], digest[WA_SHA256_HEX];
    if (wa_sha256_hex(uuids->p, uuids->n, digest, err) != WA_OK || wa_db_begin(s->db, err) != WA_OK)
        return err->code;
    (void)snprintf(number, sizeof number, "%zu", count);
    const struct wa_journal_act act = {
        .act = "hosts.woken",
        .user = wa_sv(c->who.user),
        .peer = c->request->peer,
        .what = {{"count", wa_sv(number)},
                 {"sha256", wa_sv(digest)},
                 {"hosts", uuids->n <= HOSTS_SHOWN ? wa_buf_sv(uuids) : WA_SV("")}}};
    if (wa_store_note(s, &act, err) != WA_OK || wa_db_commit(s->db, err) != WA_OK)
        wa_db_rollback(s->db);
    return err->code;
}

static bool wakes_nobody(const struct wa_store *s)
{
    struct wa_sv rest = wa_sv(s->child.config.wol_ports), one;
    return !wa_csv_next(&rest, &one);
}

static enum wa_code prepare(struct wa_api_call *c, struct waking *k, struct wa_buf *question,
                            struct wa_err *err)
{
    struct wa_store *s = c->store;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *hosts = NULL;
    const struct wa_json_field fields[] = {
        {"hosts", WA_WANT_ARRAY, true, WA_WAKE_HOSTS_MAX, &hosts}};
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(wa_buf_sv(&c->request->body), 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "whom to wake", err) != WA_OK)
        return err->code;
    size_t count = wa_json_count(hosts);
    if (count == 0)
        return wa_fail(err, WA_E_USAGE, "which hosts?");
    if (wakes_nobody(s))
        return wa_fail(err, WA_E_DENIED, "this server itself wakes nobody: its wol_port is empty");
    if (check_hosts(c, hosts, &k->uuids, err) != WA_OK ||
        wa_wake_take(&s->woken, c->who.user, count, wa_clock_now(), err) != WA_OK ||
        write_question(s->db, hosts, question, err) != WA_OK ||
        note(c, count, &k->uuids, err) != WA_OK)
        return err->code;
    wa_log(&s->child.log, WA_LOG_INFO, "hosts.woken", WA_LF_S("user", c->who.user),
           WA_LF_S("peer", c->request->peer), WA_LF_I("count", (int64_t)count));
    return WA_OK;
}

static enum wa_code call_wake(struct wa_api_call *c, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf question;
    wa_buf_init(&question, WA_WAKE_BYTES_MAX);
    struct waking *k = waking_new(c, false);
    if (k == NULL)
        return wa_nomem(err);
    if (prepare(c, k, &question, err) == WA_OK)
        return ask(c, k, &question, err);
    waking_free(k);
    return err->code;
}

static const struct wa_api_route routes[] = {
    {"GET", "/api/v1/wake", WA_MAY_ORDER_CARE, false, call_where,
     "Which networks the server itself reaches to wake machines", NULL, NULL, "WakeWhere"},
    {"POST", "/api/v1/wake", WA_MAY_ORDER_CARE, false, call_wake,
     "Wake machines by packets that the server itself sends", NULL, "WakeHosts", "Woken"},
};
const struct wa_api_resource wa_api_wake_calls = {routes, WA_COUNT(routes)};
