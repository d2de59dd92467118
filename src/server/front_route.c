/* front_route.c - what a request asks for: its path, method, length and token, before a byte of its
 * body is wanted.
 *
 * It judges form only. Whether the token is good is the store's to say, whether a file exists the
 * file system's.
 */
#include "server/front_priv.h"

#define TOKEN_MAX 159u /* bytes: what the store reads */

static struct wa_sv bearer_of(const struct wa_http_head *h)
{
    struct wa_sv v = wa_http_get(h, "authorization");
    if (!wa_sv_starts(v, "Bearer "))
        return WA_SV("");
    v = wa_sv_trim(wa_sv_sub(v, 7, v.n));
    return v.n <= TOKEN_MAX ? v : WA_SV("");
}

static bool is_read(const struct wa_http_head *h)
{
    return h->method == WA_HTTP_GET || h->method == WA_HTTP_HEAD;
}

/* Hidden names are never served. */
static enum wa_code route_file(const struct wa_http_head *h, struct wa_front_route *r,
                               const char **ret_allow, struct wa_err *err)
{
    struct wa_sv path = wa_sv_sub(h->path, 1, h->path.n);
    if (!is_read(h)) {
        *ret_allow = "GET, HEAD";
        return wa_fail(err, WA_E_USAGE, "files are only read");
    }
    if (wa_sv_eqs(path, "wapt-host/Packages") || wa_sv_eqs(path, "wapt-host/"))
        return wa_fail(err, WA_E_DENIED, "host packages are not listed");
    for (size_t i = 0; i + 1 < path.n; i++)
        if (path.p[i] == '/' && path.p[i + 1] == '.')
            return wa_fail(err, WA_E_NOT_FOUND, "there is no such file");
    r->kind = wa_sv_starts(path, "wapt-host/") ? WA_FRONT_HOST : WA_FRONT_FILE;
    r->file = path;
    return WA_OK;
}

/* What a machine or a person says before anybody knows them. */
static bool route_open(const struct wa_http_head *h, struct wa_front_route *r, const char **allow)
{
    static const struct {
        const char *path;
        uint64_t max;
    } open[] = {{WA_CERTIFICATE_LOGIN, WA_FRONT_LOGIN_MAX},
                {WA_KERBEROS_LOGIN, WA_FRONT_PERSON_MAX},
                {"/api/v1/session/oidc", WA_FRONT_LOGIN_MAX},
                {"/api/v1/session/oidc/start", WA_FRONT_LOGIN_MAX},
                {"/agent/v1/register", WA_FRONT_REGISTER_MAX},
                {"/agent/v1/report", WA_FRONT_REPORT_MAX},
                {"/agent/v1/login", WA_FRONT_PERSON_MAX},
                {"/api/v1/session", WA_FRONT_LOGIN_MAX}};
    if (wa_sv_eqs(h->path, "/api/v1/session/ways") && h->method == WA_HTTP_GET) {
        r->kind = WA_FRONT_OPEN;
        return true;
    }
    for (size_t i = 0; i < WA_COUNT(open); i++) {
        bool is_session = i + 1 == WA_COUNT(open); /* whose other methods are of the API */
        if (!wa_sv_eqs(h->path, open[i].path) || (is_session && h->method != WA_HTTP_POST))
            continue;
        r->kind = WA_FRONT_OPEN;
        r->body_max = open[i].max;
        *allow = h->method == WA_HTTP_POST ? NULL : "POST";
        return true;
    }
    return false;
}

static enum wa_code route_api(const struct wa_http_head *h, struct wa_front_route *r,
                              struct wa_err *err)
{
    if (r->bearer.n == 0)
        return wa_fail(err, WA_E_AUTH, "log in first");
    bool is_file = h->method == WA_HTTP_PUT && (wa_sv_starts(h->path, "/api/v1/uploads/") ||
                                                wa_sv_starts(h->path, "/api/v1/repository/"));
    r->kind = is_file ? WA_FRONT_UPLOAD : WA_FRONT_API;
    r->body_max = r->kind == WA_FRONT_UPLOAD ? WA_PACKAGE_BYTES_MAX : WA_FRONT_API_MAX;
    if (r->kind == WA_FRONT_UPLOAD && !h->has_length)
        return wa_fail(err, WA_E_USAGE, "an upload needs its length");
    return WA_OK;
}

enum wa_code wa_front_route(const struct wa_http_head *h, struct wa_front_route *ret,
                            const char **ret_allow, struct wa_err *err)
{
    struct wa_front_route r = {.bearer = bearer_of(h)};
    *ret_allow = NULL;
    if (h->is_upgrade != wa_sv_eqs(h->path, "/agent/v1/push"))
        return wa_fail(err, WA_E_NOT_FOUND,
                       h->is_upgrade ? "no WebSocket there" : "there is only a WebSocket");
    if (h->is_upgrade) {
        r.kind = WA_FRONT_PUSH;
    } else if (wa_sv_eqs(h->path, "/readyz") || wa_sv_eqs(h->path, "/metrics")) {
        if (h->method != WA_HTTP_GET) {
            *ret_allow = "GET";
            return wa_fail(err, WA_E_USAGE, "this is only read");
        }
        r.kind = WA_FRONT_OPEN;
    } else if (wa_sv_eqs(h->path, "/ping") || wa_sv_eqs(h->path, "/healthz")) {
        if (!is_read(h)) {
            *ret_allow = "GET, HEAD";
            return wa_fail(err, WA_E_USAGE, "this is only read");
        }
        r.kind = WA_FRONT_PING;
    } else if (is_read(h) && wa_front_wants_page(h)) {
        r.kind = WA_FRONT_PAGE;
    } else if (wa_sv_starts(h->path, "/wapt/") || wa_sv_starts(h->path, "/wapt-host/")) {
        if (route_file(h, &r, ret_allow, err) != WA_OK)
            return err->code;
    } else if (wa_sv_eqs(h->path, "/auth/host-package") && is_read(h)) {
        r.kind = WA_FRONT_ASK_HOST;
    } else if (route_open(h, &r, ret_allow)) {
        if (*ret_allow != NULL)
            return wa_fail(err, WA_E_USAGE, "statements are only sent");
    } else if (!wa_sv_starts(h->path, "/api/v1/")) {
        return wa_fail(err, WA_E_NOT_FOUND, "there is nothing here");
    } else if (route_api(h, &r, err) != WA_OK) {
        return err->code;
    }
    *ret = r;
    return WA_OK;
}
