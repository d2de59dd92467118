/* store_bench.h - the store's surroundings for its fuzz targets: a database in a directory of its
 * own, a session of each role, other ends of the channels that answer what the target says. */
#ifndef WA_FUZZ_STORE_BENCH_H
#define WA_FUZZ_STORE_BENCH_H

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "os/clock.h"
#include "os/fs.h"
#include "os/proc.h"
#include "server/events.h"
#include "server/rights.h"
#include "server/store_priv.h"
#include "server/store_senders.h"

/* Of a superadmin; with "-" and a role behind it, of somebody with that role. */
#define TOKEN "fuzz-session"

static struct {
    struct wa_store store;
    struct wa_chan *front, *helpers[WA_SR_COUNT]; /* the other ends */
    char dir[64];
} bench;

static inline void check(enum wa_code code)
{
    if (code != WA_OK)
        abort();
}

static inline void nothing(void *user, const struct wa_chan_msg *msg)
{
    (void)user;
    (void)msg;
}

static inline void ended(void *user, enum wa_code code, const struct wa_err *err)
{
    (void)user;
    (void)code;
    (void)err;
}

static inline void join(enum wa_server_role role, struct wa_chan **ours, struct wa_chan **theirs)
{
    struct wa_err err = WA_ERR_INIT;
    int pair[2];
    check(wa_socketpair(pair, &err));
    check(wa_chan_new(pair[0], wa_server_rules(role, WA_SR_STORE), ours, &err));
    check(wa_chan_attach(*ours, bench.store.loop, nothing, ended, NULL, &err));
    check(wa_chan_new(pair[1], wa_server_rules(WA_SR_STORE, role), theirs, &err));
}

static inline void clean(void)
{
    static const char *const names[] = {"db/waptserver.sqlite",
                                        "db/waptserver.sqlite-wal",
                                        "db/waptserver.sqlite-shm",
                                        "db",
                                        "trusted/authority.crt",
                                        "trusted",
                                        ""};
    wa_db_close(bench.store.db);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", bench.dir, names[i]);
        (void)remove(path);
    }
}

/* Somebody whose orders are passed on. */
static inline void trust(const char *dir)
{
    static const struct wa_cert_request request = {
        .cn = "authority", .is_ca = true, .path_length = 0, .days = 1000};
    struct wa_err err = WA_ERR_INIT;
    char path[128];
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    WA_AUTO(wa_cert) struct wa_cert *cert = NULL;
    WA_AUTO_BUF struct wa_buf pem;
    wa_buf_init(&pem, 16384);
    check(wa_key_new_p256(&key, &err));
    check(wa_cert_issue(&request, key, NULL, NULL, &cert, &err));
    check(wa_cert_write_pem(cert, &pem, &err));
    (void)snprintf(path, sizeof path, "%.90s/authority.crt", dir);
    FILE *f = fopen(path, "wb");
    if (f == NULL || fwrite(pem.p, 1, pem.n, f) != pem.n || fclose(f) != 0)
        abort();
}

static inline void add_session(const char *digest, const char *user)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_person_session n = {
        .created = wa_clock_now(), .used = wa_clock_now(), .expires = INT64_MAX};
    (void)snprintf(n.sha256, sizeof n.sha256, "%s", digest);
    (void)snprintf(n.user, sizeof n.user, "%s", user);
    check(wa_store_add_session(bench.store.db, &n, "", &err));
}

/* Nothing is left behind, however many runs there are. */
static void leave(void)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath name;
    WA_AUTO_DIR struct wa_dir top = WA_DIR_INIT;
    check(wa_relpath_parse(wa_sv(bench.dir + sizeof "/tmp/" - 1), &name, &err));
    check(wa_dir_open("/tmp", &top, &err));
    check(wa_tree_remove(&top, &name, &err));
}

static inline void start(void)
{
    struct wa_err err = WA_ERR_INIT;
    char path[128], digest[WA_SHA256_HEX];
    struct wa_store *s = &bench.store;
    (void)snprintf(bench.dir, sizeof bench.dir, "/tmp/wapt-fuzz-store-XXXXXX");
    if (mkdtemp(bench.dir) == NULL || atexit(leave) != 0)
        abort();
    (void)snprintf(path, sizeof path, "%s/db", bench.dir);
    check(mkdir(path, 0700) == 0 ? WA_OK : WA_E_IO);
    (void)snprintf(s->trusted, sizeof s->trusted, "%s/trusted", bench.dir);
    check(mkdir(s->trusted, 0700) == 0 ? WA_OK : WA_E_IO);
    trust(s->trusted);
    s->child.log.fd = -1;
    wa_map_init(&s->conns_by_uuid, 1);
    wa_map_init(&s->conns_by_id, 0);
    check(wa_senders_new(&s->senders, &err));
    check(wa_loop_new(&s->loop, &err));
    check(wa_store_open(bench.dir, "", &s->db, &err));
    check(wa_sv_dup(WA_SV("node"), &s->child.config.node, &err));
    s->node.is_alone = true;
    check(wa_node_join(s, &err));
    check(wa_fleet_new(&s->fleet, &err));
    for (const char *const *role = wa_role_names(); *role != NULL; role++) {
        char token[64];
        (void)snprintf(token, sizeof token, TOKEN "-%s", *role);
        check(wa_store_set_user(s->db, *role, "H", *role, &err));
        check(wa_sha256_hex(token, strlen(token), digest, &err));
        add_session(digest, *role);
    }
    check(wa_sha256_hex(TOKEN, strlen(TOKEN), digest, &err));
    add_session(digest, "superadmin");
    check(wa_db_exec(s->db, "PRAGMA synchronous = OFF", &err));
    check(wa_sv_dup(WA_SV("uuid"), &s->child.config.server_uuid, &err));
    check(wa_sv_dup(WA_SV("key"), &s->relay_public, &err));
    join(WA_SR_FRONT, &s->fronts[0], &bench.front);
    for (int role = WA_SR_SIGNER; role < WA_SR_COUNT; role++)
        join((enum wa_server_role)role, &s->helpers[role], &bench.helpers[role]);
    (void)snprintf(s->child.config.dir, sizeof s->child.config.dir, "%s", bench.dir);
    s->child.config.client_cert_days = 90;
    s->child.config.session_max = s->child.config.session_idle = INT32_MAX;
    check(wa_sv_dup(WA_SV("optional"), &s->child.config.second_factor, &err));
    check(wa_sv_dup(WA_SV(""), &s->child.config.ldap_roles, &err));
    check(wa_sv_dup(WA_SV("https://id.example.org"), &s->child.config.oidc_issuer, &err));
    check(wa_sv_dup(WA_SV("g:superadmin"), &s->child.config.oidc_roles, &err));
    check(wa_sv_dup(WA_SV(""), &s->child.config.certificate_issuers, &err));
    check(wa_sv_dup(WA_SV("cn"), &s->child.config.certificate_name, &err));
    check(wa_sv_dup(WA_SV("9"), &s->child.config.wol_ports, &err));
    check(wa_sv_dup(WA_SV(""), &s->child.config.wol_networks, &err));
    s->child.config.certificate_login = true;
    s->counts = wa_calloc(1, sizeof *s->counts);
    check(s->counts != NULL ? WA_OK : WA_E_NOMEM);
    check(wa_events_new(wa_clock_now(), 0, &s->events, &err));
    s->front_count = 1;
    s->child.config.upload_max = s->child.config.upload_person = s->child.config.upload_all = 64;
    s->child.config.upload_days = 7;
    if (atexit(clean) != 0)
        abort();
}

/* The helpers reply to what they are asked: text. How many did. */
static inline size_t reply(struct wa_sv text)
{
    size_t n = 0;
    for (int role = WA_SR_SIGNER; role < WA_SR_COUNT; role++) {
        const enum wa_server_role who = (enum wa_server_role)role;
        struct wa_err err = WA_ERR_INIT;
        struct wa_chan_msg msg;
        while (wa_chan_recv(bench.helpers[role], 0, &msg, &err) == WA_OK) {
            const struct wa_chan_msg back = {wa_server_rules(who, WA_SR_STORE)->type, msg.id, text,
                                             -1, NULL};
            wa_store_reply(&bench.store, who, &back);
            n++;
        }
    }
    return n;
}

/* Answers that came; *ret_status is the last one's. */
static inline size_t answers(int *ret_status)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_chan_msg msg;
    size_t n = 0;
    while (wa_chan_recv(bench.front, 0, &msg, &err) == WA_OK) {
        WA_AUTO_ARENA struct wa_arena arena;
        const struct wa_json *j = NULL;
        struct wa_sv rest = msg.payload, head = {NULL, 0};
        int64_t status = 0;
        wa_arena_init(&arena, 64u << 20);
        if (msg.type != WA_S_ANSWER)
            continue;
        if (!wa_sv_split(&rest, '\n', &head) || wa_json_parse(head, 0, &arena, &j, &err) != WA_OK ||
            !wa_json_i64(wa_json_get(j, "status"), &status) || status < 200 || status > 599 ||
            (wa_json_get(j, "type") == NULL && rest.n > 0 &&
             wa_json_parse(rest, 0, &arena, &j, &err) != WA_OK))
            abort();
        *ret_status = (int)status;
        n++;
    }
    return n;
}

#endif
