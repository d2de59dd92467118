/* assets.h - the pages of a local program, as they were built into it (tools/embed.py). */
#ifndef WA_NET_ASSETS_H
#define WA_NET_ASSETS_H

#include "net/http_server.h"

struct wa_asset {
    const char *path; /* "/app.js" */
    const char *type;
    const char *digest;       /* SHA-256 of the bytes, hex */
    struct wa_sv plain, gzip; /* gzip: empty where it would be no smaller */
};
struct wa_assets {
    const struct wa_asset *items;
    size_t count;
};

/* The file of that path; the first page for what is a place within the pages: a path whose last
 * part has no dot. NULL: there is none. */
const struct wa_asset *wa_asset_find(const struct wa_assets *all, struct wa_sv path);
/* With its tag, compressed for who takes that. */
void wa_asset_answer(const struct wa_asset *a, struct wa_http_conn *c);

#endif
