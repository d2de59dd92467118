/* role_signer.c - holds the relay key, the timestamp's and the authority's; signs nothing but
 * countersignatures, timestamps, machines' certificates and lists of revoked ones, which it
 * composes itself from typed requests, at its own clock's time. */
#include "base/mem.h"
#include "codec/hex.h"
#include "codec/json.h"
#include "os/clock.h"
#include "proto/action.h"
#include "proto/hostid.h"
#include "repo/timestamp.h"
#include "server/answers.h"
#include "server/role_common.h"

static enum wa_code read_request(const struct wa_json *j, struct wa_relay_request *r,
                                 struct wa_err *err)
{
    struct wa_sv uuid = {NULL, 0}, nonce = {NULL, 0}, sha = {NULL, 0};
    const struct wa_json_field fields[] = {{"uuid", WA_WANT_SV, true, WA_UUID_MAX, &uuid},
                                           {"nonce", WA_WANT_SV, true, 64, &nonce},
                                           {"sha256", WA_WANT_SV, true, 64, &sha}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a request to countersign", err) != WA_OK ||
        wa_hostid_copy(uuid, r->uuid, err) != WA_OK)
        return err->code;
    if (!wa_hex_is(nonce, 64) || !wa_hex_is(sha, 64))
        return wa_fail(err, WA_E_INVALID, "nonce and digest are 64 hex digits");
    (void)snprintf(r->nonce, sizeof r->nonce, "%.*s", WA_SV_ARG(nonce));
    (void)snprintf(r->action_sha256, sizeof r->action_sha256, "%.*s", WA_SV_ARG(sha));
    return WA_OK;
}

static enum wa_code stamp(const struct wa_json *j, const struct wa_key *key, struct wa_buf *answer,
                          struct wa_err *err)
{
    struct wa_sv repository = {NULL, 0}, sha256 = {NULL, 0};
    int64_t length = -1, hours = 0;
    struct wa_timestamp t = {.issued = wa_clock_now()};
    const struct wa_json_field fields[] = {{"repository", WA_WANT_SV, true, 32, &repository},
                                           {"version", WA_WANT_I64, true, 0, &t.version},
                                           {"length", WA_WANT_I64, true, 0, &length},
                                           {"sha256", WA_WANT_SV, true, 64, &sha256},
                                           {"hours", WA_WANT_I64, true, 0, &hours}};
    if (wa_json_read(j, fields, WA_COUNT(fields), "a request to stamp", err) != WA_OK)
        return err->code;
    if (!wa_hex_is(repository, 32) || !wa_hex_is(sha256, 64) || t.version < 1 || length < 1 ||
        length > (int64_t)WA_PUBLISHED_BYTES_MAX || hours < 1 || hours > WA_TIMESTAMP_HOURS_MAX)
        return wa_fail(err, WA_E_INVALID, "a request to stamp what can't be published");
    memcpy(t.repository, repository.p, 32);
    memcpy(t.sha256, sha256.p, 64);
    t.length = (uint64_t)length;
    t.expires = t.issued + hours * 3600;
    return wa_timestamp_sign(&t, key, answer, err);
}

static enum wa_code countersign(const struct wa_json *list, const struct wa_key *key,
                                struct wa_buf *answer, struct wa_err *err)
{
    size_t n = wa_json_count(list);
    if (n == 0 || n > WA_ACTION_HOSTS_MAX)
        return wa_fail(err, WA_E_INVALID, "a request to countersign %zu actions", n);
    struct wa_relay_request *requests = wa_calloc(n, sizeof *requests);
    enum wa_code code = requests == NULL ? wa_nomem(err) : WA_OK;
    for (size_t i = 0; code == WA_OK && i < n; i++)
        code = read_request(wa_json_at(list, i), &requests[i], err);
    if (code == WA_OK)
        code = wa_relay_sign(requests, n, wa_clock_now(), key, answer, err);
    wa_free(requests);
    return code;
}

enum wa_code wa_signer_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                              struct wa_err *err)
{
    const struct wa_signer_keys *keys = user;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 256u << 20);
    if (wa_json_parse(request, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (!wa_json_is(j, WA_JSON_OBJECT))
        return countersign(j, keys->relay, answer, err);
    bool is_one = wa_json_count(j) == 1;
    if (is_one && wa_json_bool(wa_json_get(j, "ready"))) { /* nothing is signed */
        wa_buf_adds(answer, "{\"ready\":true}");
        return wa_buf_check(answer, err);
    }
    if (is_one && wa_json_is(wa_json_get(j, "certify"), WA_JSON_OBJECT))
        return wa_authority_certify(&keys->authority, wa_json_at(j, 0), answer, err);
    if (is_one && wa_json_is(wa_json_get(j, "revoked"), WA_JSON_ARRAY))
        return wa_authority_revoke(&keys->authority, wa_json_at(j, 0), answer, err);
    return stamp(j, keys->timestamp, answer, err);
}

static enum wa_code read_key(const struct wa_server_child *c, const char *name, struct wa_key **ret,
                             struct wa_err *err)
{
    char path[WA_PATH_MAX];
    WA_AUTO_BUF_SECRET struct wa_buf pem;
    wa_buf_init(&pem, 64u << 10);
    if (wa_server_path(&c->config, name, path, err) != WA_OK ||
        wa_path_read(path, 64u << 10, &pem, err) != WA_OK)
        return err->code;
    return wa_key_read_pem(wa_buf_sv(&pem), path, NULL, NULL, ret, err);
}

static enum wa_code run(struct wa_server_child *c, const char *config_file, struct wa_err *err)
{
    struct wa_signer_keys keys = {NULL, NULL, {NULL, NULL}};
    enum wa_code code = wa_server_child_init(c, WA_SR_SIGNER, config_file, err);
    if (code == WA_OK)
        code = read_key(c, "private/relay.pem", &keys.relay, err);
    if (code == WA_OK)
        code = read_key(c, "private/timestamp.pem", &keys.timestamp, err);
    if (code == WA_OK)
        code = wa_authority_read(&c->config, true, &keys.authority, err);
    if (code == WA_OK)
        code = wa_server_child_confine(c, WA_SR_SIGNER, WA_PRIV_FDS, NULL, NULL, err);
    if (code == WA_OK)
        code = wa_server_child_serve(WA_SR_SIGNER, WA_S_SIGNED, wa_signer_answer, &keys, err);
    wa_key_free(keys.relay);
    wa_key_free(keys.timestamp);
    wa_authority_fini(&keys.authority);
    return code;
}

int wa_server_signer(const char *config_file)
{
    struct wa_server_child c;
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = run(&c, config_file, &err);
    return wa_server_child_end(&c, code, &err);
}
