/* import_hosts.c - machines of WAPT 1.8: a row each, with the certificate by whose key the machine
 * will prove itself, and what it had said.
 *
 * The certificate is the one that the old server kept, and no better than the old server's word:
 * whoever could register there under a name keeps it here. Secrets that WAPT collected without need
 * - the environment, product keys - are left where they are.
 */
#include "base/date.h"
#include "base/text.h"
#include "crypto/cert.h"
#include "os/clock.h"
#include "proto/hostid.h"
#include "server/import.h"
#include "server/inventory.h"
#include "server/journal.h"
#include "server/perimeter.h"
#include "server/store_hosts.h"

#define BATCH 50                /* machines of one transaction */
#define MEMORY_MAX (128u << 20) /* bytes: the sections of one, read */

/* Texts are cut where they leave the old database: what is larger than a report may be is none. */
#define JSON_COLUMN(name) "CASE WHEN length(" #name "::text) < 8000000 THEN " #name "::text END"

static const char
    hosts_sql[] =
        "SELECT uuid, substr(host_certificate, 1, 65536), computer_fqdn, computer_name, os_name, "
        "host_status, registration_auth_user, EXTRACT(EPOCH FROM created_on)::bigint, "
        "last_seen_on, " JSON_COLUMN(host_info) ", " JSON_COLUMN(host_metrics) ", " JSON_COLUMN(dmi) ", " JSON_COLUMN(
            host_capabilities) ", " JSON_COLUMN(wapt_status) ", " JSON_COLUMN(last_update_status) " FROM hosts WHERE uuid > ? ORDER BY uuid LIMIT 50";

struct host {
    struct wa_importing *g;
    struct wa_stmt *row;
    struct wa_arena arena;
    struct wa_sv uuid;
    int64_t now;
};

/* --- sections --- */

static bool is_secret(enum wa_section section, struct wa_sv key)
{
    return section == WA_SEC_HOST_INFO &&
           (wa_sv_eqs(key, "environ") || wa_sv_eqs(key, "windows_product_infos"));
}

static enum wa_code put_section(struct host *h, enum wa_section section, const struct wa_json *j,
                                struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_jw w;
    int64_t host = 0;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    wa_jw_init(&w, &text);
    if (wa_json_is(j, WA_JSON_OBJECT)) {
        wa_jw_obj(&w);
        for (size_t i = 0; i < wa_json_count(j); i++) {
            if (is_secret(section, wa_json_key_at(j, i)))
                continue;
            wa_jw_keysv(&w, wa_json_key_at(j, i));
            wa_jw_json(&w, wa_json_at(j, i));
        }
        wa_jw_end(&w);
    } else {
        wa_jw_json(&w, j);
    }
    if (wa_buf_check(&text, err) != WA_OK ||
        wa_store_set_section(h->g->to, h->uuid, wa_section_name(section), wa_buf_sv(&text), "",
                             err) != WA_OK ||
        wa_store_number(h->g->to, h->uuid, &host, err) != WA_OK)
        return err->code;
    return wa_inventory_take(h->g->to, host, section, j, h->now, err);
}

/* A section that can't be read is left out: the machine will send it. */
static enum wa_code take_section(struct host *h, enum wa_section section, struct wa_sv text,
                                 struct wa_err *err)
{
    const struct wa_json *j = NULL;
    struct wa_err why = WA_ERR_INIT;
    if (text.n == 0)
        return WA_OK;
    if (wa_json_parse(text, 0, &h->arena, &j, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    bool is_object = wa_json_is(j, WA_JSON_OBJECT), is_list = wa_json_is(j, WA_JSON_ARRAY);
    bool wants_list = section == WA_SEC_INSTALLED_PACKAGES || section == WA_SEC_INSTALLED_SOFTWARES;
    return (wants_list ? is_list : is_object) ? put_section(h, section, j, err) : WA_OK;
}

/* --- lists that were tables --- */

struct column {
    const char *key;
    enum { TEXT, DATE, FLAG } kind;
};

static void write_cell(struct wa_jw *w, const struct column *c, struct wa_sv value)
{
    int64_t at = 0;
    switch (c->kind) {
    case TEXT:
        wa_jw_kvsv(w, c->key, value);
        break;
    case DATE: /* the old server kept what machines said: their local time */
        (void)wa_date_parse_isolocal(value, &at);
        wa_jw_kvi(w, c->key, at);
        break;
    case FLAG:
        wa_jw_kvi(w, c->key, value.n > 0 && !wa_sv_eqs(value, "0") ? 1 : 0);
        break;
    }
}

static enum wa_code take_list(struct host *h, enum wa_section section, enum wa_import_kind kind,
                              const char *sql, const struct column *columns, int count,
                              struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf text;
    bool row = true;
    int64_t n = 0;
    wa_buf_init(&text, WA_JSON_BYTES_MAX);
    if (wa_db_prepare(h->g->from, sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, h->uuid);
    wa_jw_init(&w, &text);
    wa_jw_arr(&w);
    while (wa_step(s, &row, err) == WA_OK && row) {
        wa_jw_obj(&w);
        for (int i = 0; i < count; i++)
            write_cell(&w, &columns[i], wa_col_sv(s, i));
        wa_jw_end(&w);
        n++;
    }
    wa_jw_end(&w);
    if (err->code != WA_OK)
        return err->code;
    h->g->im->counts[kind].found += n;
    h->g->im->counts[kind].taken += n;
    return h->g->im->is_dry || text.failed != WA_OK
               ? WA_OK
               : take_section(h, section, wa_buf_sv(&text), err);
}

static enum wa_code take_lists(struct host *h, struct wa_err *err)
{
    static const struct column packages[] = {
        {"package", TEXT},       {"version", TEXT},          {"architecture", TEXT},
        {"locale", TEXT},        {"maturity", TEXT},         {"section", TEXT},
        {"description", TEXT},   {"package_uuid", TEXT},     {"install_status", TEXT},
        {"install_date", DATE},  {"explicit_by", TEXT},      {"last_audit_status", TEXT},
        {"last_audit_on", DATE}, {"last_audit_output", TEXT}};
    static const struct column software[] = {{"key", TEXT},
                                             {"name", TEXT},
                                             {"version", TEXT},
                                             {"publisher", TEXT},
                                             {"install_date", TEXT},
                                             {"install_location", TEXT},
                                             {"uninstall_string", TEXT},
                                             {"system_component", FLAG}};
    static const char package_rows[] =
        "SELECT package, version, architecture, locale, maturity, section, substr(description, 1, "
        "1000), package_uuid, install_status, install_date, explicit_by, last_audit_status, "
        "last_audit_on, substr(last_audit_output, 1, 4000) FROM hostpackagesstatus WHERE host_id "
        "= ? AND package IS NOT NULL ORDER BY id DESC LIMIT 2000";
    static const char software_rows[] =
        "SELECT key, substr(name, 1, 1000), version, publisher, install_date, install_location, "
        "uninstall_string, system_component FROM hostsoftwares WHERE host_id = ? AND name IS NOT "
        "NULL ORDER BY id LIMIT 10000";
    return take_list(h, WA_SEC_INSTALLED_PACKAGES, WA_IM_PACKAGES, package_rows, packages,
                     WA_COUNT(packages), err) == WA_OK
               ? take_list(h, WA_SEC_INSTALLED_SOFTWARES, WA_IM_SOFTWARE, software_rows, software,
                           WA_COUNT(software), err)
               : err->code;
}

/* What it was in, by the old server's word: until its own package, which is signed, is published
 * here and says so. */
static enum wa_code take_groups(struct host *h, struct wa_err *err)
{
    struct wa_import_count *count = &h->g->im->counts[WA_IM_GROUPS];
    WA_AUTO_BUF struct wa_buf names;
    struct wa_stmt *s;
    bool row = true;
    wa_buf_init(&names, WA_MEMBERSHIPS_BYTES_MAX);
    if (wa_db_prepare(h->g->from,
                      "SELECT DISTINCT group_name FROM hostgroups WHERE host_id = ? ORDER BY "
                      "group_name LIMIT 1000",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, h->uuid);
    while (wa_step(s, &row, err) == WA_OK && row) {
        char name[256];
        size_t before = names.n;
        (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(wa_sv_sub(wa_col_sv(s, 0), 0, 255)));
        wa_perimeter_of_depends(name, &names);
        count->found++;
        if (names.n > before)
            count->taken++;
        else
            wa_import_leave(h->g, WA_IM_GROUPS, name, "it is no name of a package");
    }
    if (err->code != WA_OK || wa_buf_check(&names, err) != WA_OK)
        return err->code;
    return h->g->im->is_dry || names.n == 0
               ? WA_OK
               : wa_store_set_names(h->g->to, h->uuid, wa_buf_sv(&names), err);
}

/* --- one machine --- */

/* Why it can't be taken; NULL: it can. */
static const char *judge(const struct host *h, struct wa_sv pem, struct wa_sv fqdn,
                         struct wa_err *why)
{
    WA_AUTO_CERTS struct wa_certs certs = {NULL, 0, 0};
    char name[WA_NAME_MAX + 1];
    if (!wa_hostid_is_valid(h->uuid))
        return WA_TEXT("its uuid is none");
    if (pem.n == 0)
        return WA_TEXT("it has no certificate, so nothing could prove that it is it");
    if (wa_certs_read_pem(pem, 4, &certs, why) != WA_OK)
        return why->text;
    const char *cn = wa_cert_cn(certs.items[0]);
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(fqdn));
    if (!wa_sv_ieqs(h->uuid, cn) && (name[0] == '\0' || !wa_sv_ieqs(wa_sv(cn), name)))
        return WA_TEXT("its certificate is another machine's");
    return NULL;
}

static enum wa_code put_host(struct host *h, struct wa_err *err)
{
    static const enum wa_section sections[] = {WA_SEC_HOST_INFO,   WA_SEC_HOST_METRICS,
                                               WA_SEC_DMI,         WA_SEC_HOST_CAPABILITIES,
                                               WA_SEC_WAPT_STATUS, WA_SEC_LAST_UPDATE_STATUS};
    char by[300];
    const struct wa_fleet_change c = {.name = wa_col_sv(h->row, 3),
                                      .fqdn = wa_col_sv(h->row, 2),
                                      .os = wa_col_sv(h->row, 4),
                                      .status = wa_col_sv(h->row, 5)};
    struct wa_stmt *s;
    int64_t seen = 0;
    (void)snprintf(by, sizeof by, "WAPT 1.8 (%.*s)",
                   (int)(wa_col_sv(h->row, 6).n > 200 ? 200 : wa_col_sv(h->row, 6).n),
                   wa_col_sv(h->row, 6).n > 0 ? wa_col_sv(h->row, 6).p : "");
    if (wa_store_put_host(h->g->to, h->uuid, wa_col_sv(h->row, 1), by, 0, wa_col_i64(h->row, 7),
                          err) != WA_OK ||
        wa_store_set_columns(h->g->to, h->uuid, &c, err) != WA_OK ||
        wa_db_prepare(h->g->to, "UPDATE presence SET last_seen = ? WHERE uuid = ?", &s, err) !=
            WA_OK)
        return err->code;
    (void)wa_date_parse_iso(wa_col_sv(h->row, 8), &seen);
    wa_bind_i64(s, 0, seen);
    wa_bind_sv(s, 1, h->uuid);
    if (wa_run(s, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(sections); i++)
        if (take_section(h, sections[i], wa_col_sv(h->row, 9 + (int)i), err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code take_host(struct host *h, struct wa_err *err)
{
    struct wa_import_count *count = &h->g->im->counts[WA_IM_HOSTS];
    WA_AUTO_BUF struct wa_buf pem;
    struct wa_err reason = WA_ERR_INIT;
    char name[2 * WA_NAME_MAX];
    struct wa_host_row row;
    wa_buf_init(&pem, 64u << 10);
    count->found++;
    const char *why = judge(h, wa_col_sv(h->row, 1), wa_col_sv(h->row, 2), &reason);
    if (why != NULL) {
        (void)snprintf(name, sizeof name, "%.*s (%.*s)", WA_SV_ARG(wa_sv_sub(h->uuid, 0, 200)),
                       WA_SV_ARG(wa_sv_sub(wa_col_sv(h->row, 2), 0, 200)));
        wa_import_leave(h->g, WA_IM_HOSTS, name, why);
        return WA_OK;
    }
    if (wa_store_host(h->g->to, h->uuid, &pem, &row, err) != WA_OK)
        return err->code;
    if (row.is_there) {
        count->there++;
        return WA_OK;
    }
    if (!h->g->im->is_dry && put_host(h, err) != WA_OK)
        return err->code;
    count->taken++;
    return take_groups(h, err) == WA_OK ? take_lists(h, err) : err->code;
}

/* --- all of them --- */

static enum wa_code take_page(struct wa_importing *g, char last[256], bool *ret_more,
                              struct wa_err *err)
{
    struct host h = {.g = g, .now = wa_clock_now()};
    bool row = true;
    size_t n = 0;
    if (wa_db_prepare(g->from, hosts_sql, &h.row, err) != WA_OK)
        return err->code;
    wa_bind_s(h.row, 0, last);
    while (wa_step(h.row, &row, err) == WA_OK && row) {
        wa_arena_init(&h.arena, MEMORY_MAX);
        h.uuid = wa_col_sv(h.row, 0);
        enum wa_code code = take_host(&h, err);
        (void)snprintf(last, 256, "%.*s", WA_SV_ARG(wa_sv_sub(h.uuid, 0, 255)));
        wa_arena_fini(&h.arena);
        n++;
        if (code != WA_OK) {
            wa_reset(h.row);
            return wa_wrap(err, "machine '%s'", last);
        }
    }
    *ret_more = n == BATCH;
    return err->code;
}

static enum wa_code count_hosts(struct wa_importing *g, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(g->from, "SELECT COUNT(*) FROM hosts", &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

static enum wa_code note(struct wa_importing *g, int64_t taken, struct wa_err *err)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%lld", (long long)taken);
    const struct wa_journal_act act = {.act = "hosts.imported",
                                       .user = WA_SV("root"),
                                       .peer = "",
                                       .what = {{"count", wa_sv(text)}}};
    return taken == 0 ? WA_OK : wa_server_journal_add(g->to, g->im->config->node, &act, err);
}

enum wa_code wa_import_hosts(struct wa_importing *g, struct wa_err *err)
{
    char last[256] = "";
    int64_t total = 0;
    if (count_hosts(g, &total, err) != WA_OK)
        return err->code;
    for (bool more = true; more;) {
        int64_t before = g->im->counts[WA_IM_HOSTS].taken;
        if (!g->im->is_dry && wa_db_begin(g->to, err) != WA_OK)
            return err->code;
        if (take_page(g, last, &more, err) != WA_OK ||
            (!g->im->is_dry && (note(g, g->im->counts[WA_IM_HOSTS].taken - before, err) != WA_OK ||
                                wa_db_commit(g->to, err) != WA_OK))) {
            wa_db_rollback(g->to);
            return err->code;
        }
        g->im->progress(g->im->user, g->im->counts[WA_IM_HOSTS].found, total);
    }
    return WA_OK;
}
