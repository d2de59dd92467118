/* server_api - any call of the API, with any query and body, by somebody of any role: one answer,
 * and never one that the role has no right to.
 *
 * Input: a digit for the role (9: nobody), a digit for what other processes reply, a blank, method
 * and path, a newline, the body. fuzz/corpus/server_api has a seed for each call of the table,
 * which tests/unit/server/test_api_seeds.c looks after.
 */
#include "store_bench.h"

#include "base/utf8.h"
#include "server/api.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const replies[] = {
    "no",
    "ok",
    "[]",
    "{\"code\":\"ok\",\"message\":\"\",\"file\":\"\",\"bytes\":0,\"text\":\"\"}",
    "{\"code\":\"refused\",\"message\":\"m\",\"file\":\"f\"}",
    "{\"hosts\":[\"host-1\"]}",
    "{\"columns\":[\"uuid\"],\"rows\":[[\"host-1\"]],\"is_cut\":false}",
    "{\"url\":\"https://id.example.org/a\"}",
    "{\"name\":\"eve\",\"subject\":\"1\",\"nonce\":\"n\",\"groups\":[\"g\"]}",
    "{\"ports\":[9],\"networks\":[\"10.0.0.0/24\"],\"hosts\":[{\"cards\":1}],\"packets\":1}"};

/* What each input finds: one machine. */
static void prepare(void)
{
    struct wa_err err = WA_ERR_INIT;
    const struct wa_fleet_change c = {.name = WA_SV("pc-1"), .registered_at = 1, .last_seen = 1};
    wa_db_group_begin(bench.store.db);
    check(wa_store_put_host(bench.store.db, WA_SV("host-1"), WA_SV("none"), "fuzz", 1, 1, &err));
    check(wa_store_set_columns(bench.store.db, WA_SV("host-1"), &c, &err));
    check(wa_fleet_put(bench.store.fleet, WA_SV("host-1"), &c, &err));
}

/* Nothing of it stays. */
static void undo(void)
{
    struct wa_err err = WA_ERR_INIT;
    check(wa_db_exec(bench.store.db, "ROLLBACK", &err));
    if (wa_db_group_end(bench.store.db, &err) == WA_OK)
        abort(); /* it is lost, as meant */
    memset(&bench.store.throttle, 0, sizeof bench.store.throttle);
    memset(&bench.store.codes, 0, sizeof bench.store.codes);
    memset(&bench.store.woken, 0, sizeof bench.store.woken);
}

static bool is_of(const struct wa_api_route *r, struct wa_sv method, struct wa_sv path)
{
    struct wa_sv rest = wa_sv(r->path), want, have;
    if (!wa_sv_eqs(method, r->method))
        return false;
    while (wa_sv_split(&rest, '/', &want))
        if (!wa_sv_split(&path, '/', &have) ||
            (want.n > 0 && want.p[0] != '{' && !wa_sv_eq(want, have)))
            return false;
    return path.p == NULL;
}

/* Some call of the table allows it; what has several patterns may be the later one's. */
static bool may_have(struct wa_sv method, struct wa_sv path, const char *role)
{
    const struct wa_api_route *r;
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++)
        if (is_of(r, method, path) &&
            (r->is_open || (role != NULL && (wa_role_rights(wa_sv(role)) & r->right) == r->right)))
            return true;
    return false;
}

static void write_request(struct wa_buf *out, struct wa_sv method, struct wa_sv path,
                          struct wa_sv query, const char *role, struct wa_sv body)
{
    char token[64] = "";
    struct wa_jw w;
    if (role != NULL)
        (void)snprintf(token, sizeof token, TOKEN "-%s", role);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kvsv(&w, "method", method);
    wa_jw_kvsv(&w, "path", path);
    wa_jw_kvsv(&w, "query", query);
    wa_jw_kv(&w, "bearer", token);
    wa_jw_kv(&w, "peer", "10.0.0.1");
    wa_jw_end(&w);
    wa_buf_addc(out, '\n');
    wa_buf_addsv(out, body);
}

/* Its body is the front's, not its client's: where it has written the file. */
static bool is_file(struct wa_sv path)
{
    return wa_sv_starts(path, "/api/v1/uploads/") || wa_sv_starts(path, "/api/v1/repository/");
}

/* What a front's parser lets through (fuzz/http_request.c). */
static bool is_of_front(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            return false;
    return wa_utf8_valid(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint32_t id;
    WA_AUTO_BUF struct wa_buf request;
    struct wa_sv body = wa_sv_n(data + 3, size < 3 ? 0 : size - 3), target, method, path;
    const char *const *roles = wa_role_names();
    size_t count = 0, role = size < 3 ? 0 : (size_t)(uint8_t)(data[0] - '0');
    wa_buf_init(&request, 2u << 20);
    if (size < 3 || size > (1u << 20) || !wa_sv_split(&body, '\n', &target) ||
        !wa_sv_split(&target, ' ', &method) || target.p == NULL || method.n > 7)
        return 0;
    (void)wa_sv_split(&target, '?', &path);
    if (path.n > 1023 || target.n > 8192 || !wa_sv_starts(path, "/") ||
        wa_sv_starts(path, "/agent/") || !is_of_front(method) || !is_of_front(path) ||
        !is_of_front(target))
        return 0;
    if (bench.store.loop == NULL)
        start();
    while (roles[count] != NULL)
        count++;
    const char *who = role < count ? roles[role] : NULL;
    write_request(&request, method, path, target.p == NULL ? WA_SV("") : target, who, body);
    const struct wa_chan_msg msg = {WA_S_REQUEST, ++id, wa_buf_sv(&request), -1, NULL};
    int status = 0;
    prepare();
    wa_store_front(&bench.store, 0, &msg);
    size_t asked = reply(wa_sv(replies[(uint8_t)(data[1] - '0') % WA_COUNT(replies)]));
    if (answers(&status) != 1 || (status == 200 && !may_have(method, path, who)) ||
        (status == 500 && asked == 0 && !is_file(path)))
        abort();
    undo();
    return 0;
}
