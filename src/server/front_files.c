/* front_files.c - files of the repository: which may be kept by caches, which are one machine's
 * alone, and who sends them - we, or a proxy that has them on its disk.
 *
 * Whether a machine may have a package is decided by its name and the client's certificate, before
 * anybody looks whether there is such a file: to others all names look alike.
 */
#include "codec/url.h"
#include "server/front_priv.h"

#define FOREVER "public, max-age=31536000, immutable"

/* N.root.json, N.published.json and N.Packages are never written again; an icon is its package's,
 * which has an identifier of its own for each build. All else may be replaced at any time. */
static const char *cache_of(const struct wa_http_conn *c, struct wa_sv path)
{
    size_t digits = 5; /* behind "wapt/" */
    if (wa_sv_starts(wa_http_conn_head(c)->path, "/api/"))
        return "no-store"; /* by a session */
    if (wa_sv_starts(path, "wapt-host/"))
        return "private, no-cache";
    if (wa_sv_starts(path, "wapt/icons/"))
        return "public, max-age=86400";
    while (digits < path.n && path.p[digits] >= '0' && path.p[digits] <= '9')
        digits++;
    struct wa_sv rest = wa_sv_sub(path, digits, path.n);
    bool is_numbered =
        digits > 5 && (wa_sv_eqs(rest, ".root.json") || wa_sv_eqs(rest, ".published.json") ||
                       wa_sv_eqs(rest, ".Packages"));
    return is_numbered ? FOREVER : "no-cache";
}

static const char *type_of(struct wa_sv path)
{
    return wa_sv_ends(path, ".png")    ? "image/png"
           : wa_sv_ends(path, ".json") ? "application/json"
                                       : "application/octet-stream";
}

/* The proxy has the file itself: it is told which. */
static void hand_over(const struct wa_front *f, struct wa_http_conn *c, struct wa_sv path)
{
    WA_AUTO_BUF struct wa_buf line;
    struct wa_err err = WA_ERR_INIT;
    struct wa_sv rest = path, part;
    const char *before = "";
    wa_buf_init(&line, 4 * WA_RELPATH_MAX);
    wa_buf_addf(&line, "X-Accel-Redirect: %s", f->child.config.accel);
    while (wa_sv_split(&rest, '/', &part)) {
        wa_buf_adds(&line, before);
        wa_url_encode(part, &line);
        before = "/";
    }
    wa_buf_adds(&line, "\r\n");
    if (wa_buf_check(&line, &err) != WA_OK)
        wa_http_answer_err(c, &err);
    else
        wa_http_answer_cached(c, type_of(path), cache_of(c, path), wa_buf_str(&line));
}

void wa_front_file(struct wa_front *f, struct wa_http_conn *c, struct wa_sv path)
{
    struct wa_relpath name;
    struct wa_err err = WA_ERR_INIT;
    int fd = -1;
    if (wa_relpath_parse(path, &name, &err) != WA_OK ||
        wa_file_open(&f->repo, &name, &fd, &err) != WA_OK) {
        (void)wa_fail(&err, WA_E_NOT_FOUND, "there is no such file");
        wa_http_answer_err(c, &err);
    } else if (f->child.config.accel[0] != '\0' && wa_front_is_proxied(f, c)) {
        wa_fd_close(&fd);
        hand_over(f, c, wa_sv_n(name.p, name.n));
    } else {
        wa_http_answer_file(c, fd, type_of(path), NULL, cache_of(c, path));
    }
}

/* name: of a machine. */
static bool may_have(const struct wa_front *f, const struct wa_tls_peer *client, struct wa_sv name)
{
    return strcmp(f->child.config.host_packages, "open") == 0 ||
           (client->name[0] != '\0' && wa_sv_eqs(name, client->name));
}

static void deny(struct wa_http_conn *c)
{
    struct wa_err err = WA_ERR_INIT;
    (void)wa_fail(&err, WA_E_DENIED,
                  "a machine's own package is for the machine that shows its certificate");
    wa_http_answer_err(c, &err);
}

void wa_front_host_package(struct wa_front *f, struct wa_http_conn *c,
                           const struct wa_tls_peer *client, struct wa_sv path)
{
    struct wa_sv name = wa_sv_sub(path, sizeof "wapt-host/" - 1, path.n);
    if (wa_sv_ends(name, ".wapt"))
        name.n -= 5;
    if (may_have(f, client, name))
        wa_front_file(f, c, path);
    else
        deny(c);
}

void wa_front_may_have(struct wa_front *f, struct wa_http_conn *c, const struct wa_tls_peer *client)
{
    struct wa_sv name = wa_http_get(wa_http_conn_head(c), "x-wapt-host");
    if (wa_front_is_proxied(f, c) && name.n > 0 && may_have(f, client, name))
        wa_http_answer(c, 204, NULL, WA_SV(""), NULL);
    else
        deny(c);
}
