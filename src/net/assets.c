/* assets.c - see assets.h. Nothing here is secret: the pages are the same for everybody. */
#include "net/assets.h"

static const struct wa_asset *find(const struct wa_assets *all, struct wa_sv path)
{
    for (size_t i = 0; i < all->count; i++)
        if (wa_sv_eqs(path, all->items[i].path))
            return &all->items[i];
    return NULL;
}

static bool has_dot(struct wa_sv path)
{
    for (size_t i = path.n; i > 0 && path.p[i - 1] != '/'; i--)
        if (path.p[i - 1] == '.')
            return true;
    return false;
}

const struct wa_asset *wa_asset_find(const struct wa_assets *all, struct wa_sv path)
{
    const struct wa_asset *a = find(all, path);
    return a != NULL || has_dot(path) ? a : find(all, WA_SV("/index.html"));
}

static bool lists(struct wa_sv list, const char *word)
{
    struct wa_sv part;
    while (wa_sv_split(&list, ',', &part))
        if (wa_sv_eqs(wa_sv_trim(part), word))
            return true;
    return false;
}

void wa_asset_answer(const struct wa_asset *a, struct wa_http_conn *c)
{
    const struct wa_http_head *head = wa_http_conn_head(c);
    char tag[80], extra[160];
    bool is_small = a->gzip.n > 0 && lists(wa_http_get(head, "accept-encoding"), "gzip");
    (void)snprintf(tag, sizeof tag, "\"%.64s%s\"", a->digest, is_small ? "-gzip" : "");
    (void)snprintf(extra, sizeof extra, "ETag: %s\r\nVary: Accept-Encoding\r\n%s", tag,
                   is_small ? "Content-Encoding: gzip\r\n" : "");
    if (lists(wa_http_get(head, "if-none-match"), tag))
        wa_http_answer(c, 304, NULL, WA_SV(""), extra);
    else
        wa_http_answer(c, 200, a->type, is_small ? a->gzip : a->plain, extra);
}
