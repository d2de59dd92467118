/* server_store - whatever a front passes on to the store, from clients or of its own mind: requests
 * with any head and body, greetings, acknowledgements; and what a taken-over helper replies. Each
 * request gets one answer that is JSON; and without the session's token nothing is granted.
 *
 * The first byte names the message, the rest is its payload.
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "crypto/digest.h"
#include "os/proc.h"
#include "server/store_priv.h"

#define TOKEN "fuzz-session"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct wa_store store;
    struct wa_chan *front, *helpers[3]; /* the other ends */
    char dir[64];
} bench;

static void check(enum wa_code code)
{
    if (code != WA_OK)
        abort();
}

static void nothing(void *user, const struct wa_chan_msg *msg)
{
    (void)user;
    (void)msg;
}

static void ended(void *user, enum wa_code code, const struct wa_err *err)
{
    (void)user;
    (void)code;
    (void)err;
}

static void join(enum wa_server_role role, struct wa_chan **ours, struct wa_chan **theirs)
{
    struct wa_err err = WA_ERR_INIT;
    int pair[2];
    check(wa_socketpair(pair, &err));
    check(wa_chan_new(pair[0], wa_server_rules(role, WA_SR_STORE), ours, &err));
    check(wa_chan_attach(*ours, bench.store.loop, nothing, ended, NULL, &err));
    check(wa_chan_new(pair[1], wa_server_rules(WA_SR_STORE, role), theirs, &err));
}

static void clean(void)
{
    static const char *const names[] = {"db/waptserver.sqlite",
                                        "db/waptserver.sqlite-wal",
                                        "db/waptserver.sqlite-shm",
                                        "db",
                                        "trusted",
                                        ""};
    wa_db_close(bench.store.db);
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        char path[128];
        (void)snprintf(path, sizeof path, "%s/%s", bench.dir, names[i]);
        (void)remove(path);
    }
}

static void start(void)
{
    struct wa_err err = WA_ERR_INIT;
    char path[128], digest[WA_SHA256_HEX];
    struct wa_store *s = &bench.store;
    (void)snprintf(bench.dir, sizeof bench.dir, "/tmp/wapt-fuzz-store-XXXXXX");
    if (mkdtemp(bench.dir) == NULL)
        abort();
    (void)snprintf(path, sizeof path, "%s/db", bench.dir);
    check(mkdir(path, 0700) == 0 ? WA_OK : WA_E_IO);
    (void)snprintf(s->trusted, sizeof s->trusted, "%s/trusted", bench.dir);
    check(mkdir(s->trusted, 0700) == 0 ? WA_OK : WA_E_IO);
    s->child.log.fd = -1;
    wa_map_init(&s->conns_by_uuid, 1);
    wa_map_init(&s->conns_by_id, 0);
    check(wa_loop_new(&s->loop, &err));
    check(wa_store_open(bench.dir, "", &s->db, &err));
    check(wa_fleet_new(&s->fleet, &err));
    check(wa_store_set_user(s->db, "admin", "H", "superadmin", &err));
    check(wa_sha256_hex(TOKEN, strlen(TOKEN), digest, &err));
    check(wa_store_add_session(s->db, digest, WA_SV("admin"), INT64_MAX, &err));
    check(wa_sv_dup(WA_SV("uuid"), &s->child.config.server_uuid, &err));
    check(wa_sv_dup(WA_SV("key"), &s->relay_public, &err));
    join(WA_SR_FRONT, &s->fronts[0], &bench.front);
    join(WA_SR_SIGNER, &s->signer, &bench.helpers[0]);
    join(WA_SR_AUTH, &s->auth, &bench.helpers[1]);
    join(WA_SR_SCAN, &s->scan, &bench.helpers[2]);
    s->front_count = 1;
    s->child.config.upload_max = s->child.config.upload_person = s->child.config.upload_all = 64;
    s->child.config.upload_days = 7;
    if (atexit(clean) != 0)
        abort();
}

/* The helpers reply to what they are asked: text. */
static void reply(struct wa_sv text)
{
    static const uint16_t types[] = {WA_S_SIGNED, WA_S_CHECKED, WA_S_SCANNED};
    for (size_t i = 0; i < WA_COUNT(bench.helpers); i++) {
        struct wa_err err = WA_ERR_INIT;
        struct wa_chan_msg msg;
        while (wa_chan_recv(bench.helpers[i], 0, &msg, &err) == WA_OK) {
            const struct wa_chan_msg back = {types[i], msg.id, text, -1};
            wa_store_reply(&bench.store, &back);
        }
    }
}

/* Answers that came; *ret_status is the last one's. */
static size_t answers(int *ret_status)
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
            (rest.n > 0 && wa_json_parse(rest, 0, &arena, &j, &err) != WA_OK))
            abort();
        *ret_status = (int)status;
        n++;
    }
    return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct {
        char name;
        uint16_t type;
        const char *reply;
    } kinds[] = {{'R', WA_S_REQUEST, "no"},
                 {'N', WA_S_REQUEST, "[]"},
                 {'C', WA_S_REQUEST, "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\"}"},
                 {'H', WA_S_HELLO, "no"},
                 {'A', WA_S_ACK, "no"},
                 {'G', WA_S_GONE, "no"}};
    static uint32_t id;
    if (size == 0 || size > (1u << 20))
        return 0;
    if (bench.store.loop == NULL)
        start();
    for (size_t i = 0; i < WA_COUNT(kinds); i++) {
        if ((char)data[0] != kinds[i].name)
            continue;
        const struct wa_chan_msg msg = {kinds[i].type, ++id, wa_sv_n(data + 1, size - 1), -1};
        int status = 0;
        wa_store_front(&bench.store, 0, &msg);
        reply(wa_sv(kinds[i].reply));
        size_t n = answers(&status);
        bool asks = msg.type == WA_S_REQUEST || msg.type == WA_S_HELLO;
        if (n != (asks ? 1u : 0u))
            abort();
        if (status == 200 && memmem(data, size, TOKEN, strlen(TOKEN)) == NULL)
            abort();
    }
    memset(&bench.store.throttle, 0, sizeof bench.store.throttle); /* each input for itself */
    return 0;
}
