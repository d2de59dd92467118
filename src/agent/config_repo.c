/* config_repo.c - the repositories of wapt-get.ini: the main one, those that `repositories` names,
 * and the one of host packages (formats.md 3.3, 9.1).
 *
 * An option that a repository's section does not set is [global]'s. One that can't be used is told
 * and left out: a typing error in one section must not keep a machine from its other software.
 */
#include <stddef.h>

#include "agent/config_priv.h"
#include "base/mem.h"
#include "base/text.h"
#include "codec/csv.h"
#include "codec/url.h"

#define OPT(member) offsetof(struct wa_agent_repo, member)
#define SECTIONS_MAX 128u /* sections of a file beyond which unknown options are told twice */

/* section and fallback are filled in for each repository. */
static const struct wa_conf_option options[] = {
    {"", "repo_url", WA_CONF_STR, OPT(url), NULL, 0, 0, 0, "Address"},
    {"", "mirrors", WA_CONF_CSV, OPT(mirrors), "", 0, 0, 0, "Other addresses"},
    {"", "verify_cert", WA_CONF_STR, OPT(verify_cert), "1", 0, 0, 0, "Trust in its TLS"},
    {"", "public_certs_dir", WA_CONF_STR, OPT(public_certs_dir), "ssl", 0, 0, 0, "Its signers"},
    {"", "maturities", WA_CONF_CSV, OPT(maturities), "PROD", 0, 0, 0, "Maturities"},
    {"", "packages_blacklist", WA_CONF_CSV, OPT(blacklist), "", 0, 0, 0, "Never taken"},
    {"", "packages_whitelist", WA_CONF_CSV, OPT(whitelist), "", 0, 0, 0, "The only ones taken"},
    {"", "http_proxy", WA_CONF_STR, OPT(http_proxy), "", 0, 0, 0, "Proxy"},
    {"", "use_http_proxy_for_repo", WA_CONF_BOOL, OPT(use_proxy), "0", 0, 0, 0, "Use it"},
    {"", "limit_bandwidth", WA_CONF_STR, OPT(bandwidth), "", 0, 0, 0, "Megabytes a second"},
    {"", "timeout", WA_CONF_PERIOD, OPT(timeout_s), "60", 1, 600, 's', "Longest silence"},
    {"", "check_certificates_validity", WA_CONF_GONE, 0, NULL, 0, 0, 0,
     "certificates are always checked"},
    {"", "client_certificate", WA_CONF_GONE, 0, NULL, 0, 0, 0, "repositories ask for none"},
    {"", "client_private_key", WA_CONF_GONE, 0, NULL, 0, 0, 0, "repositories ask for none"},
};

struct loader {
    const struct wa_ini *ini;
    struct wa_agent_config *c;
    wa_conf_warn_fn warn;
    void *user;
};

/* A file name of ours is made of it. */
static bool is_name(struct wa_sv name)
{
    static const char *const reserved[] = {"wapt",      "wapt-host", "global",
                                           "repo-sync", "waptwua",   "actions"};
    for (size_t i = 0; i < WA_COUNT(reserved); i++)
        if (wa_sv_eqs(name, reserved[i]))
            return false;
    for (size_t i = 0; i < name.n; i++)
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.",
                   name.p[i]) == NULL ||
            name.p[i] == '\0')
            return false;
    return name.n > 0 && name.n < sizeof((struct wa_agent_repo *)NULL)->name && name.p[0] != '.';
}

/* "0.5": megabytes (of 1024 * 1024 bytes, as WAPT counts) a second. False: no such number. */
static bool parse_rate(const char *text, uint64_t *ret_bytes_s)
{
    uint64_t whole = 0, part = 0, scale = 1;
    struct wa_sv rest = wa_sv(text), left;
    if (!wa_sv_split(&rest, '.', &left) || !wa_sv_u64(left, &whole) || whole > 100000 ||
        rest.n > 6 || (rest.n > 0 && !wa_sv_u64(rest, &part)))
        return false;
    for (size_t i = 0; i < rest.n; i++)
        scale *= 10;
    *ret_bytes_s = (whole << 20) + (part << 20) / scale;
    return true;
}

static enum wa_code say(const struct loader *l, const char *name, const char *what, bool *ret_ok)
{
    char text[WA_PATH_MAX + WA_ERR_TEXT_MAX];
    (void)snprintf(text, sizeof text, wa_text("%s: repository '%.80s' is left out: %.800s"),
                   l->c->file, name, wa_text(what));
    if (l->warn != NULL)
        l->warn(l->user, text);
    *ret_ok = false;
    return WA_OK;
}

/* Nothing of *r can be used before. *ret_ok false: it was told why it can't be used at all. */
static enum wa_code settle(const struct loader *l, struct wa_agent_repo *r, bool *ret_ok,
                           struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    struct wa_url url;
    struct wa_sv address;
    wa_config_trim_slash(r->url);
    if (wa_config_anchor_path(l->c->base, &r->public_certs_dir, err) != WA_OK ||
        (wa_config_is_path(r->verify_cert) &&
         wa_config_anchor_path(l->c->base, &r->verify_cert, err) != WA_OK))
        return err->code;
    if (r->bandwidth[0] != '\0' && !parse_rate(r->bandwidth, &r->rate_max_bytes_s))
        return say(l, r->name, "limit_bandwidth must be megabytes a second, as 0.5", ret_ok);
    for (size_t i = 0; wa_agent_repo_address(r, i, &address); i++)
        if (i > WA_MIRRORS_MAX || wa_url_parse(address, &url, &why) != WA_OK)
            return say(l, r->name, i > WA_MIRRORS_MAX ? "too many mirrors" : why.text, ret_ok);
    return WA_OK;
}

/* Every section but this one: their options are known elsewhere. */
static void other_sections(const struct wa_ini *ini, const char *own,
                           const char *ret[SECTIONS_MAX + 1])
{
    const char *section;
    size_t n = 0;
    for (size_t i = 0; n < SECTIONS_MAX && wa_ini_section_at(ini, i, &section); i++)
        if (strcmp(section, own) != 0)
            ret[n++] = section;
    ret[n] = NULL;
}

/* url: what its address is when its section has none. */
static enum wa_code load_one(const struct loader *l, const char *name, const char *url,
                             struct wa_agent_repo *r, bool *ret_ok, struct wa_err *err)
{
    struct wa_conf_option own[WA_COUNT(options)];
    const char *others[SECTIONS_MAX + 1];
    (void)snprintf(r->name, sizeof r->name, "%s", name);
    for (size_t i = 0; i < WA_COUNT(options); i++) {
        const char *global = wa_ini_get(l->ini, "global", options[i].key);
        own[i] = options[i];
        own[i].section = r->name;
        if (strcmp(options[i].key, "mirrors") == 0)
            global = strcmp(name, "wapt") == 0 ? global : NULL; /* they hold the main one's files */
        if (global != NULL)
            own[i].fallback = global;
        if (strcmp(options[i].key, "repo_url") == 0)
            own[i].fallback = url;
    }
    other_sections(l->ini, name, others);
    *ret_ok = true;
    if (wa_conf_load(l->ini, l->c->file, own, WA_COUNT(own), others, r, l->warn, l->user, err) !=
        WA_OK)
        return err->code;
    return settle(l, r, ret_ok, err);
}

static void repo_free(struct wa_agent_repo *r)
{
    wa_conf_free(options, WA_COUNT(options), r);
}

static enum wa_code add(const struct loader *l, const char *name, const char *url,
                        struct wa_err *err)
{
    struct wa_agent_repo r = {.url = NULL};
    bool is_ok = false;
    struct wa_agent_config *c = l->c;
    enum wa_code code = load_one(l, name, url, &r, &is_ok, err);
    if (code != WA_OK || !is_ok || r.url[0] == '\0') {
        if (code == WA_OK && is_ok && strcmp(name, "wapt") != 0)
            code = say(l, name, "its section sets no repo_url", &is_ok);
        repo_free(&r);
        return code;
    }
    c->repos[c->repo_count++] = r;
    return WA_OK;
}

/* The last of the list first: in WAPT what comes later overwrites, and the main one comes last. */
static enum wa_code add_named(const struct loader *l, struct wa_err *err)
{
    struct wa_sv names[WA_REPOSITORIES_MAX], rest = wa_sv(l->c->repositories), item;
    size_t n = 0;
    bool ignored = false;
    while (wa_csv_next(&rest, &item)) {
        char name[sizeof l->c->repos->name];
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(item));
        if (wa_sv_eqs(item, "wapt"))
            continue; /* it always is one */
        if (n + 1 >= WA_REPOSITORIES_MAX || !is_name(item)) {
            (void)say(l, name, n + 1 < WA_REPOSITORIES_MAX ? "not a name for one" : "too many",
                      &ignored);
            continue;
        }
        names[n++] = item;
    }
    while (n > 0) {
        char name[sizeof l->c->repos->name];
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(names[n - 1]));
        n--;
        if (wa_agent_repo_find(l->c, name) == NULL && add(l, name, "", err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

enum wa_code wa_config_repos_load(const struct wa_ini *ini, wa_conf_warn_fn warn, void *user,
                                  struct wa_agent_config *c, struct wa_err *err)
{
    const struct loader l = {ini, c, warn, user};
    bool is_ok = false;
    char *host_url = wa_strdup("");
    if (host_url == NULL)
        return wa_nomem(err);
    c->repos = wa_calloc(WA_REPOSITORIES_MAX, sizeof c->repos[0]);
    if (c->repos == NULL)
        (void)wa_nomem(err);
    else if (wa_config_default_url(c->wapt_server, "/wapt-host", &host_url, err) == WA_OK &&
             load_one(&l, "wapt-host", host_url, &c->host_repo, &is_ok, err) == WA_OK &&
             add(&l, "wapt", c->repo_url, err) == WA_OK)
        (void)add_named(&l, err);
    if (err->code == WA_OK && !is_ok)
        c->host_repo.url[0] = '\0';
    wa_free(host_url);
    return err->code;
}

void wa_config_repos_free(struct wa_agent_config *c)
{
    for (size_t i = 0; i < c->repo_count; i++)
        repo_free(&c->repos[i]);
    wa_free(c->repos);
    repo_free(&c->host_repo);
    c->repos = NULL;
    c->repo_count = 0;
}

/* --- what a repository is --- */

const struct wa_agent_repo *wa_agent_repo_find(const struct wa_agent_config *c, const char *name)
{
    if (strcmp(name, "wapt-host") == 0)
        return &c->host_repo;
    for (size_t i = 0; i < c->repo_count; i++)
        if (strcmp(c->repos[i].name, name) == 0)
            return &c->repos[i];
    return NULL;
}

bool wa_agent_repo_address(const struct wa_agent_repo *r, size_t i, struct wa_sv *ret)
{
    struct wa_sv rest = wa_sv(r->mirrors), item = wa_sv(r->url);
    if (r->url[0] == '\0')
        return false;
    for (size_t k = 0; k < i; k++)
        if (!wa_csv_next(&rest, &item))
            return false;
    while (item.n > 0 && item.p[item.n - 1] == '/')
        item.n--;
    *ret = item;
    return true;
}

const char *wa_agent_repo_proxy(const struct wa_agent_repo *r)
{
    return r->use_proxy && r->http_proxy[0] != '\0' ? r->http_proxy : NULL;
}

const char *wa_agent_server_proxy(const struct wa_agent_config *c)
{
    return c->use_proxy_for_server && c->http_proxy[0] != '\0' ? c->http_proxy : NULL;
}
