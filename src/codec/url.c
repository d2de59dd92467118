/* url.c - http and https URLs and percent-encoding.
 *
 * Takes only what all readers of URLs agree on: no user info (it names another host to the eye), no
 * backslash, no character that would have to be escaped. Does not resolve "..": the path is sent as
 * written.
 */
#include "codec/url.h"
#include "base/text.h"

static bool is_alnum(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(char c, const char *set)
{
    return c != '\0' && strchr(set, c) != NULL;
}

static bool is_unreserved(char c)
{
    return is_alnum(c) || is_one_of(c, "-._~");
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if ((c | 32) >= 'a' && (c | 32) <= 'f')
        return (c | 32) - 'a' + 10;
    return -1;
}

/* The byte of "%XX" at `at`, or -1. */
static int escape_at(struct wa_sv s, size_t at)
{
    if (s.n - at < 3 || hex_value(s.p[at + 1]) < 0 || hex_value(s.p[at + 2]) < 0)
        return -1;
    return hex_value(s.p[at + 1]) << 4 | hex_value(s.p[at + 2]);
}

static bool is_path_text(struct wa_sv s, const char *also)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '%' && escape_at(s, i) > 0)
            i += 2;
        else if (!is_unreserved(c) && !is_one_of(c, "/!$&'()*+,;=:@") && !is_one_of(c, also))
            return false;
    }
    return true;
}

/* A name of letters, digits, '-' '.' '_', or an IPv6 address without its brackets. */
static bool is_host(struct wa_sv s, bool is_ipv6)
{
    size_t colons = 0;

    if (s.n == 0 || s.n > 255)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (is_ipv6 ? hex_value(c) < 0 && c != ':' && c != '.'
                    : !is_alnum(c) && !is_one_of(c, "-._"))
            return false;
        colons += c == ':' ? 1 : 0;
    }
    return is_ipv6 ? colons >= 2 : s.p[0] != '.' && s.p[0] != '-';
}

static bool parse_port(struct wa_sv s, uint16_t *ret)
{
    uint64_t port = 0;

    if (s.n == 0 || s.n > 5 || !wa_sv_u64(s, &port) || port == 0 || port > 65535)
        return false;
    *ret = (uint16_t)port;
    return true;
}

static const char *parse_authority(struct wa_sv s, struct wa_url *url)
{
    bool is_ipv6 = s.n > 0 && s.p[0] == '[';
    struct wa_sv host = s, rest = {NULL, 0};
    size_t at = 0;

    if (wa_sv_chr(s, '@', &at))
        return wa_text("it has a user name, which does not belong there");
    if (is_ipv6) {
        if (!wa_sv_chr(s, ']', &at))
            return wa_text("the IPv6 address has no ']'");
        host = wa_sv_sub(s, 1, at - 1);
        rest = wa_sv_sub(s, at + 1, s.n);
    } else if (wa_sv_chr(s, ':', &at)) {
        host = wa_sv_sub(s, 0, at);
        rest = wa_sv_sub(s, at, s.n);
    }
    if (!is_host(host, is_ipv6))
        return wa_text("no valid host name");
    if (rest.n > 0 && (rest.p[0] != ':' || !parse_port(wa_sv_sub(rest, 1, rest.n), &url->port)))
        return wa_text("no valid port");
    memcpy(url->host, host.p, host.n);
    url->host[host.n] = '\0';
    return NULL;
}

static const char *parse_path(struct wa_sv s, struct wa_url *url)
{
    struct wa_sv query = {NULL, 0};
    size_t at = 0;

    if (wa_sv_chr(s, '?', &at)) {
        query = wa_sv_sub(s, at + 1, s.n);
        s.n = at;
    }
    if (s.n == 0)
        s = WA_SV("/");
    if (!is_path_text(s, "") || !is_path_text(query, "?"))
        return wa_text("a character that must be written as %XX, or a bad %XX");
    if (s.n >= sizeof(url->path) || query.n >= sizeof(url->query))
        return wa_text("path or query too long");
    memcpy(url->path, s.p, s.n);
    if (query.n > 0)
        memcpy(url->query, query.p, query.n);
    return NULL;
}

enum wa_code wa_url_parse(struct wa_sv text, struct wa_url *ret, struct wa_err *err)
{
    struct wa_url url = {0};
    struct wa_sv rest, authority;
    const char *wrong = NULL;
    size_t at = 0;

    url.is_https = wa_sv_ieqs(wa_sv_sub(text, 0, 8), "https://");
    if (!url.is_https && !wa_sv_ieqs(wa_sv_sub(text, 0, 7), "http://"))
        return wa_fail(err, WA_E_INVALID, "cannot use URL '%.*s': not http:// or https://",
                       WA_SV_ARG(wa_sv_sub(text, 0, 200)));
    url.port = url.is_https ? 443 : 80;
    rest = wa_sv_sub(text, url.is_https ? 8 : 7, text.n);
    while (at < rest.n && !is_one_of(rest.p[at], "/?#"))
        at++;
    authority = wa_sv_sub(rest, 0, at);
    rest = wa_sv_sub(rest, at, rest.n);
    if (wa_sv_chr(rest, '#', &at))
        wrong = wa_text("it has a fragment (#)");
    if (!wrong)
        wrong = parse_authority(authority, &url);
    if (!wrong)
        wrong = parse_path(rest, &url);
    if (wrong && wa_sv_chr(authority, '@', &at)) /* a password may be before it */
        return wa_fail(err, WA_E_INVALID, "cannot use URL (not shown): %s", wrong);
    if (wrong)
        return wa_fail(err, WA_E_INVALID, "cannot use URL '%.*s': %s",
                       WA_SV_ARG(wa_sv_sub(text, 0, 200)), wrong);
    *ret = url;
    return WA_OK;
}

void wa_url_encode(struct wa_sv s, struct wa_buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (is_unreserved(s.p[i]))
            wa_buf_addc(out, s.p[i]);
        else
            wa_buf_addf(out, "%%%02X", (unsigned)(uint8_t)s.p[i]);
    }
}

static void undo(struct wa_buf *out, size_t start)
{
    if (!out->p)
        return;
    out->n = start;
    out->p[start] = '\0';
}

enum wa_code wa_url_decode(struct wa_sv s, bool is_query, struct wa_buf *out, struct wa_err *err)
{
    size_t start = out->n;
    enum wa_code code;

    for (size_t i = 0; i < s.n; i++) {
        int c = (uint8_t)s.p[i];
        if (c == '+' && is_query)
            c = ' ';
        if (c == '%') {
            c = escape_at(s, i);
            i += 2;
        }
        /* A NUL would end the text early for whoever takes it as a C string. */
        if (c <= 0) {
            undo(out, start);
            return wa_fail(err, WA_E_INVALID, "cannot read percent-encoding: bad %%XX, or a NUL");
        }
        wa_buf_addc(out, (char)c);
    }
    code = wa_buf_check(out, err);
    if (code != WA_OK)
        undo(out, start);
    return code;
}

bool wa_url_query_get(struct wa_sv query, const char *key, struct wa_buf *out)
{
    struct wa_sv pair;

    while (wa_sv_split(&query, '&', &pair)) {
        struct wa_err ignored = WA_ERR_INIT;
        struct wa_sv name = pair, value = {NULL, 0};
        size_t at = 0;
        if (wa_sv_chr(pair, '=', &at)) {
            name = wa_sv_sub(pair, 0, at);
            value = wa_sv_sub(pair, at + 1, pair.n);
        }
        /* Our keys never need escapes: one that has them is another key. */
        if (wa_sv_eqs(name, key))
            return wa_url_decode(value, true, out, &ignored) == WA_OK;
    }
    return false;
}
