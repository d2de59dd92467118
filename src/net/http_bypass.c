/* http_bypass.c - what does not go through a proxy (http_line.h). Pure. */
#include "net/http_line.h"

#include "net/address.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"

/* "example.org", ".example.org" and "*.example.org" are one. */
static struct wa_sv bare_name(struct wa_sv s)
{
    s = wa_sv_trim(s);
    if (wa_sv_starts(s, "*"))
        s = wa_sv_sub(s, 1, s.n);
    return wa_sv_starts(s, ".") ? wa_sv_sub(s, 1, s.n) : s;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static bool is_same(struct wa_sv a, struct wa_sv b)
{
    size_t i = 0;
    while (i < a.n && i < b.n && lower(a.p[i]) == lower(b.p[i]))
        i++;
    return i == a.n && i == b.n;
}

static bool is_below(struct wa_sv host, struct wa_sv name)
{
    size_t n = host.n - name.n;
    return name.n > 0 && host.n >= name.n && is_same(wa_sv_sub(host, n, host.n), name) &&
           (n == 0 || host.p[n - 1] == '.');
}

/* Names of the network that we are in, and numbers that are read as addresses somewhere. */
static bool is_nearby(struct wa_sv host)
{
    size_t dot = host.n;
    while (dot > 0 && host.p[dot - 1] != '.')
        dot--;
    struct wa_sv last = wa_sv_sub(host, dot, host.n);
    return dot == 0 || last.n == 0 || (last.p[0] >= '0' && last.p[0] <= '9') ||
           wa_sv_ieqs(last, "localhost") || memchr(host.p, ':', host.n) != NULL;
}

bool wa_proxy_leads_to(const struct wa_url *to, struct wa_sv bypass)
{
    uint8_t address[16];
    struct wa_sv host = wa_sv(to->host), one;
    if (!to->is_https)
        return false;
    if (wa_address_parse(host, address))
        return !wa_address_is_in(address, bypass);
    if (wa_sv_ends(host, "."))
        host.n--;
    while (bypass.n > 0 && wa_sv_split(&bypass, ',', &one))
        if (is_below(host, bare_name(one)))
            return false;
    return !is_nearby(host);
}

enum wa_code wa_proxy_bypass_check(struct wa_sv bypass, struct wa_err *err)
{
    struct wa_sv one;
    while (bypass.n > 0 && wa_sv_split(&bypass, ',', &one)) {
        struct wa_err ignored = WA_ERR_INIT;
        struct wa_sv name = bare_name(one);
        bool is_name = name.n > 0;
        for (size_t i = 0; i < name.n; i++)
            is_name = is_name && memchr(LETTERS, name.p[i], sizeof LETTERS - 1) != NULL;
        if (!is_name && (name.n == 0 || wa_networks_check(one, &ignored) != WA_OK))
            return wa_fail(err, WA_E_CONFIG,
                           "'%.*s' is no name, address or network like 10.0.0.0/8",
                           WA_SV_ARG(wa_sv_sub(one, 0, 80)));
    }
    return WA_OK;
}
