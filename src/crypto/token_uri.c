/* token_uri.c - PKCS#11 URIs (RFC 7512) taken apart, strictly: what can't be honoured is refused,
 * so that nobody signs with another key than the one he meant.
 */
#include "base/buf.h"
#include "codec/url.h"
#include "crypto/token.h"

#define SCHEME "pkcs11:"

bool wa_token_is_uri(const char *text)
{
    return wa_sv_ieqs(wa_sv_sub(wa_sv(text), 0, strlen(SCHEME)), SCHEME);
}

static enum wa_code decode(struct wa_sv name, struct wa_sv text, struct wa_buf *out,
                           struct wa_err *err)
{
    if (text.n > 3 * WA_TOKEN_TEXT_MAX || wa_url_decode(text, false, out, err) != WA_OK ||
        wa_buf_check(out, err) != WA_OK || out->n == 0) {
        if (err->code == WA_E_NOMEM)
            return err->code;
        wa_err_clear(err);
        return wa_fail(err, WA_E_USAGE,
                       "'%.*s' of the PKCS#11 URI is empty, too long or not "
                       "encoded as %%XX",
                       WA_SV_ARG(name));
    }
    return WA_OK;
}

static enum wa_code take_text(struct wa_sv name, struct wa_sv text, char out[WA_TOKEN_TEXT_MAX + 1],
                              struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf value;
    wa_buf_init(&value, WA_TOKEN_TEXT_MAX);
    if (out[0] != '\0')
        return wa_fail(err, WA_E_USAGE, "the PKCS#11 URI gives '%.*s' twice", WA_SV_ARG(name));
    if (decode(name, text, &value, err) != WA_OK)
        return err->code;
    memcpy(out, value.p, value.n);
    out[value.n] = '\0';
    return WA_OK;
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Bytes, zero among them: not for wa_url_decode(), which reads texts. */
static enum wa_code take_id(struct wa_sv text, struct wa_token_uri *u, struct wa_err *err)
{
    if (u->id_n != 0)
        return wa_fail(err, WA_E_USAGE, "the PKCS#11 URI gives 'id' twice");
    for (size_t i = 0; i < text.n; i++) {
        int c = (uint8_t)text.p[i];
        if (c == '%') {
            int high = i + 2 < text.n ? digit_of(text.p[i + 1]) : -1;
            int low = i + 2 < text.n ? digit_of(text.p[i + 2]) : -1;
            c = high < 0 || low < 0 ? -1 : high * 16 + low;
            i += 2;
        }
        if (c < 0 || u->id_n == sizeof u->id)
            return wa_fail(err, WA_E_USAGE,
                           "'id' of the PKCS#11 URI is too long or not encoded as %%XX");
        u->id[u->id_n++] = (uint8_t)c;
    }
    return u->id_n > 0 ? WA_OK : wa_fail(err, WA_E_USAGE, "'id' of the PKCS#11 URI is empty");
}

static enum wa_code take_path(struct wa_sv name, struct wa_sv value, struct wa_token_uri *u,
                              struct wa_err *err)
{
    const struct {
        const char *name;
        char *out;
    } texts[] = {{"token", u->token},
                 {"manufacturer", u->manufacturer},
                 {"serial", u->serial},
                 {"model", u->model},
                 {"object", u->object}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (wa_sv_eqs(name, texts[i].name))
            return take_text(name, value, texts[i].out, err);
    if (wa_sv_eqs(name, "id"))
        return take_id(value, u, err);
    if (wa_sv_eqs(name, "type"))
        return wa_sv_eqs(value, "private")
                   ? WA_OK
                   : wa_fail(err, WA_E_USAGE,
                             "the PKCS#11 URI is of no private key: its type is '%.*s'",
                             WA_SV_ARG(value));
    return wa_fail(err, WA_E_USAGE,
                   "the PKCS#11 URI has '%.*s', which is not supported: name the token by token, "
                   "serial, manufacturer or model, and the key by object or id",
                   WA_SV_ARG(name));
}

static enum wa_code take_query(struct wa_sv name, struct wa_sv value, struct wa_token_uri *u,
                               struct wa_err *err)
{
    if (wa_sv_eqs(name, "pin-value"))
        return wa_fail(err, WA_E_USAGE,
                       "the PIN in the PKCS#11 URI could be seen by others, and has been: change "
                       "it, and give pin-source, or type it when asked");
    if (wa_sv_eqs(name, "module-path"))
        return take_text(name, value, u->module_path, err);
    if (!wa_sv_eqs(name, "pin-source"))
        return wa_fail(err, WA_E_USAGE,
                       "the PKCS#11 URI has '%.*s', which is not supported: module-path and "
                       "pin-source are",
                       WA_SV_ARG(name));
    if (take_text(name, value, u->pin_source, err) != WA_OK)
        return err->code;
    const char *path = u->pin_source;
    if (wa_sv_starts(wa_sv(path), "file://"))
        path += 7;
    else if (wa_sv_starts(wa_sv(path), "file:"))
        path += 5;
    if (path[0] != '/')
        return wa_fail(err, WA_E_USAGE,
                       "pin-source of the PKCS#11 URI is not a file with its whole path");
    memmove(u->pin_source, path, strlen(path) + 1);
    return WA_OK;
}

static enum wa_code take_all(struct wa_sv list, char separator,
                             enum wa_code (*take)(struct wa_sv, struct wa_sv, struct wa_token_uri *,
                                                  struct wa_err *),
                             struct wa_token_uri *u, struct wa_err *err)
{
    struct wa_sv item;
    while (list.n > 0 && wa_sv_split(&list, separator, &item)) {
        size_t equals = 0;
        if (!wa_sv_chr(item, '=', &equals))
            return wa_fail(err, WA_E_USAGE, "'%.*s' in the PKCS#11 URI has no '='",
                           WA_SV_ARG(item));
        if (take(wa_sv_n(item.p, equals), wa_sv_sub(item, equals + 1, item.n), u, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_token_uri_parse(const char *text, struct wa_token_uri *ret, struct wa_err *err)
{
    struct wa_token_uri u = {.id_n = 0};
    struct wa_sv all = wa_sv(text);
    size_t mark = all.n;
    if (!wa_token_is_uri(text))
        return wa_fail(err, WA_E_USAGE, "'%s' is no PKCS#11 URI", text);
    bool has_query = wa_sv_chr(all, '?', &mark);
    if (take_all(wa_sv_sub(all, strlen(SCHEME), mark - strlen(SCHEME)), ';', take_path, &u, err) !=
            WA_OK ||
        (has_query && take_all(wa_sv_sub(all, mark + 1, all.n), '&', take_query, &u, err) != WA_OK))
        return err->code;
    if (u.module_path[0] != '\0' && u.module_path[0] != '/')
        return wa_fail(err, WA_E_USAGE,
                       "module-path of the PKCS#11 URI is no whole path: a library is never "
                       "looked for in the current directory");
    *ret = u;
    return WA_OK;
}
