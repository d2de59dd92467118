/* sections_own.c - the sections of the inventory that the manager knows by itself: packages, the
 * agent's own state, what it trusts and takes.
 *
 * Passwords of proxies and repositories stay here.
 */
#include "agent/inventory.h"
#include "agent/place.h"
#include "agent/report.h"
#include "agent/upgrade.h"

#include "codec/csv.h"
#include "os/clock.h"

/* ERROR, TO-UPGRADE or OK (formats.md 5.8). */
static enum wa_code write_overall(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    WA_AUTO_BUF struct wa_buf last;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    bool failed = false;
    wa_buf_init(&last, 1u << 20);
    wa_arena_init(&arena, 8u << 20);
    if (wa_installed_load(m->tdb, NULL, &list, err) != WA_OK ||
        wa_param_get(m->tdb, "last_update_status", &last, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < list.n; i++)
        failed = failed || strcmp(list.items[i].base.status, "ERROR") == 0;
    if (last.n > 0 && wa_json_parse(wa_buf_sv(&last), 0, &arena, &j, err) != WA_OK)
        return err->code;
    bool behind = wa_json_count(wa_json_get(j, "upgrades")) > 0;
    wa_buf_adds(out, failed ? "\"ERROR\"" : behind ? "\"TO-UPGRADE\"" : "\"OK\"");
    return wa_buf_check(out, err);
}

/* The worst of all audits. */
static enum wa_code write_audit(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_INSTALLED struct wa_installed_list list = {NULL, 0, 0};
    bool failed = false, warned = false;
    if (wa_installed_load(m->tdb, NULL, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < list.n; i++) {
        failed = failed || strcmp(list.items[i].audit_status, "ERROR") == 0;
        warned = warned || strcmp(list.items[i].audit_status, "WARNING") == 0;
    }
    wa_buf_adds(out, failed ? "\"ERROR\"" : warned ? "\"WARNING\"" : "\"OK\"");
    return wa_buf_check(out, err);
}

static void write_csv(struct wa_jw *w, const char *key, const char *csv)
{
    struct wa_sv rest = wa_sv(csv), item;
    wa_jw_key(w, key);
    wa_jw_arr(w);
    while (wa_csv_next(&rest, &item))
        wa_jw_sv(w, item);
    wa_jw_end(w);
}

/* --- certificates --- */

static int by_fingerprint(const void *a, const void *b)
{
    const struct wa_cert *const *x = a, *const *y = b;
    return strcmp(wa_cert_fingerprint(*x), wa_cert_fingerprint(*y));
}

/* Those of a directory, in one order whatever the directory's is. */
static enum wa_code read_certs(const char *dir, struct wa_certs *ret, struct wa_err *err)
{
    if (wa_certs_read_dir(dir, ret, err) != WA_OK)
        return err->code;
    if (ret->n > 0)
        qsort(ret->items, ret->n, sizeof ret->items[0], by_fingerprint);
    return WA_OK;
}

static enum wa_code write_certificates(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_jw w;
    if (read_certs(m->config.public_certs_dir, &certs, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_arr(&w);
    for (size_t i = 0; i < certs.n; i++) {
        WA_AUTO_BUF struct wa_buf pem;
        wa_buf_init(&pem, WA_CERTFILE_BYTES_MAX);
        if (wa_cert_write_pem(certs.items[i], &pem, err) != WA_OK)
            return err->code;
        wa_jw_sv(&w, wa_buf_sv(&pem));
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum show { FINGERPRINTS, NAMES, INVALID };

static void write_certs(struct wa_jw *w, const char *key, const struct wa_certs *certs,
                        enum show show)
{
    int64_t now = wa_clock_now();
    wa_jw_key(w, key);
    wa_jw_arr(w);
    for (size_t i = 0; i < certs->n; i++) {
        const struct wa_cert *c = certs->items[i];
        bool is_valid = wa_cert_not_before(c) <= now && now <= wa_cert_not_after(c);
        if (is_valid == (show != INVALID))
            wa_jw_s(w, show == NAMES ? wa_cert_cn(c) : wa_cert_fingerprint(c));
    }
    wa_jw_end(w);
}

/* --- wapt_status --- */

/* "http://user:password@host" without the login. */
static void write_address(struct wa_jw *w, const char *key, const char *url)
{
    WA_AUTO_BUF struct wa_buf text;
    const char *host = strstr(url, "://"), *at = strrchr(url, '@');
    wa_buf_init(&text, WA_ROLE_NOTE_MAX);
    if (host != NULL && at != NULL && at > host) {
        wa_buf_addsv(&text, wa_sv_n(url, (size_t)(host + 3 - url)));
        wa_buf_adds(&text, at + 1);
        wa_jw_kvsv(w, key, wa_buf_sv(&text));
    } else {
        wa_jw_kv(w, key, url);
    }
}

static enum wa_code write_repository(struct wa_jw *w, const struct wa_agent_repo *r,
                                     struct wa_err *err)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    const char *proxy = wa_agent_repo_proxy(r);
    if (read_certs(r->public_certs_dir, &certs, err) != WA_OK)
        return err->code;
    wa_jw_obj(w);
    wa_jw_kv(w, "name", r->name);
    write_address(w, "repo_url", r->url);
    write_address(w, "http_proxy", proxy != NULL ? proxy : "");
    wa_jw_kvi(w, "timeout", r->timeout_s);
    wa_jw_kv(w, "verify_cert", r->verify_cert);
    wa_jw_kvb(w, "check_certificates_validity", true);
    write_certs(w, "authorized_certificates", &certs, FINGERPRINTS);
    write_csv(w, "maturities", r->maturities);
    write_csv(w, "packages_whitelist", r->whitelist);
    write_csv(w, "packages_blacklist", r->blacklist);
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code write_agent(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_agent_config *c = &m->config;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_upgrade_result last;
    struct wa_err absent = WA_ERR_INIT;
    const char *proxy = wa_agent_server_proxy(c);
    struct wa_jw w;
    if (read_certs(c->public_certs_dir, &certs, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "wapt-version-full", WA_VERSION);
    wa_jw_kv(&w, "waptutils-version", WA_VERSION);
    write_certs(&w, "authorized_certificates_sha256", &certs, FINGERPRINTS);
    write_certs(&w, "authorized_certificates_cn", &certs, NAMES);
    write_certs(&w, "invalid_certificates_sha256", &certs, INVALID);
    write_csv(&w, "maturities", c->maturities);
    write_csv(&w, "locales", c->locales[0] != '\0' ? c->locales : m->facts.language);
    write_csv(&w, "packages_whitelist", c->whitelist);
    write_csv(&w, "packages_blacklist", c->blacklist);
    wa_jw_kvb(&w, "is_remote_repo", false);
    wa_jw_key(&w, "repositories");
    wa_jw_arr(&w);
    for (size_t i = 0; i < c->repo_count; i++)
        if (write_repository(&w, &c->repos[i], err) != WA_OK)
            return err->code;
    wa_jw_end(&w);
    wa_jw_key(&w, "waptserver");
    wa_jw_obj(&w);
    wa_jw_kv(&w, "server_url", c->wapt_server);
    write_address(&w, "proxies", proxy != NULL ? proxy : "");
    wa_jw_end(&w);
    if (wa_upgrade_result_load(&m->base, &last, &absent) == WA_OK) {
        wa_jw_key(&w, "agent_upgrade");
        wa_jw_obj(&w);
        wa_upgrade_result_write(&last, &w);
        wa_jw_end(&w);
    }
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* --- host_capabilities --- */

static enum wa_code write_capabilities(struct wa_manager *m, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    struct wa_host_caps caps;
    struct wa_place place;
    struct wa_assigned own;
    struct wa_jw w;
    wa_arena_init(&arena, WA_SCENE_BYTES_MAX);
    wa_manager_caps(m, &caps);
    if (wa_place_load(m, m->tdb, &arena, &place, err) != WA_OK ||
        wa_assigned_load(m, m->tdb, &arena, &own, err) != WA_OK ||
        read_certs(m->config.public_certs_dir, &certs, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "uuid", m->uuid);
    wa_jw_kv(&w, "language", m->facts.language);
    wa_jw_kv(&w, "os", caps.os);
    wa_jw_kv(&w, "os_version", caps.os_version);
    wa_jw_kv(&w, "architecture", caps.architecture);
    wa_jw_kv(&w, "dn", place.dn);
    wa_jw_kv(&w, "fqdn", m->facts.fqdn);
    wa_jw_kv(&w, "site", place.site);
    wa_jw_kv(&w, "wapt_version", caps.wapt_version);
    write_certs(&w, "packages_trusted_ca_fingerprints", &certs, FINGERPRINTS);
    write_csv(&w, "packages_blacklist", caps.blacklist);
    write_csv(&w, "packages_whitelist", caps.whitelist);
    write_csv(&w, "packages_locales", caps.locales);
    write_csv(&w, "packages_maturities", caps.maturities);
    wa_jw_kvb(&w, "use_host_packages", m->config.host_repo.url[0] != '\0');
    write_csv(&w, "host_profiles", m->config.host_profiles);
    wa_jw_key(&w, "host_packages_names");
    wa_jw_arr(&w);
    for (size_t i = 0; i < own.n; i++)
        wa_jw_s(&w, own.names[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

enum wa_code wa_section_own(struct wa_manager *m, enum wa_section which, struct wa_buf *out,
                            struct wa_err *err)
{
    switch (which) {
    case WA_SEC_HOST_STATUS:
        return write_overall(m, out, err);
    case WA_SEC_AUDIT_STATUS:
        return write_audit(m, out, err);
    case WA_SEC_INSTALLED_PACKAGES:
        return wa_inventory_packages(m->tdb, m->config.inventory_keys, out, err);
    case WA_SEC_LAST_UPDATE_STATUS:
        return wa_param_get(m->tdb, "last_update_status", out, err);
    case WA_SEC_WAPT_STATUS:
        return write_agent(m, out, err);
    case WA_SEC_HOST_CAPABILITIES:
        return write_capabilities(m, out, err);
    case WA_SEC_AUTHORIZED_CERTIFICATES:
        return write_certificates(m, out, err);
    case WA_SEC_POLICY:
        return wa_policy_write(m, out, err);
    case WA_SEC_HOST_INFO:
    case WA_SEC_HOST_METRICS:
    case WA_SEC_DMI:
    case WA_SEC_INSTALLED_SOFTWARES:
    case WA_SEC_COUNT:
        break;
    }
    return wa_fail(err, WA_E_INTERNAL, "the manager does not know this section by itself");
}
