/* inventory.c - sections of a report as rows: the key facts here, packages and software in files of
 * their own.
 *
 * Whatever the machine says is hostile text: it is cut, cleaned and bound. A value of another type
 * than its section has is left empty; it never makes a report fail.
 */
#include "server/inventory.h"

#include "base/utf8.h"
#include "server/store_hosts.h"

/* --- values --- */

void wa_inventory_clean(struct wa_sv text, struct wa_inventory_text *ret)
{
    size_t n = text.n <= WA_INVENTORY_TEXT ? text.n : wa_utf8_cut(text.p, WA_INVENTORY_TEXT);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text.p[i];
        ret->p[i] = c < 0x20 || c == 0x7f ? ' ' : text.p[i];
    }
    ret->p[n] = '\0';
}

void wa_inventory_version_key(struct wa_sv version, char ret[WA_VERSION_KEY])
{
    enum { PARTS = 6, DIGITS = 10 };
    size_t at = 0;
    memset(ret, '0', PARTS * DIGITS);
    ret[PARTS * DIGITS] = '\0';
    for (size_t part = 0; part < PARTS; part++) {
        while (at < version.n && (version.p[at] < '0' || version.p[at] > '9'))
            at++;
        while (at < version.n && version.p[at] == '0')
            at++;
        size_t from = at;
        while (at < version.n && version.p[at] >= '0' && version.p[at] <= '9')
            at++;
        size_t n = at - from;
        if (n > DIGITS)
            memset(ret + part * DIGITS, '9', DIGITS); /* larger than all that can be written */
        else if (n > 0)
            memcpy(ret + (part + 1) * DIGITS - n, version.p + from, n);
    }
}

/* A text, a number, or the texts of a list with blanks between. */
static void read_value(const struct wa_json *j, struct wa_inventory_text *ret)
{
    char joined[WA_INVENTORY_TEXT + 2];
    size_t n = 0;
    if (!wa_json_is(j, WA_JSON_ARRAY)) {
        wa_inventory_clean(wa_json_sv(j), ret);
        return;
    }
    for (size_t i = 0; i < wa_json_count(j) && n < sizeof joined; i++) {
        struct wa_sv one = wa_json_sv(wa_json_at(j, i));
        if (one.n == 0 || n + one.n + 1 > sizeof joined)
            continue;
        if (n > 0)
            joined[n++] = ' ';
        memcpy(joined + n, one.p, one.n);
        n += one.n;
    }
    wa_inventory_clean(wa_sv_n(joined, n), ret);
}

/* --- facts --- */

struct facts {
    enum wa_section section;
    const char *sql;      /* ?1 is the machine */
    const char *keys[14]; /* ?2, ?3...; "a/b": b of a */
};

static const struct facts all_facts[] = {
    {WA_SEC_HOST_INFO,
     "INSERT INTO host_facts (host, platform, os_version, kernel, description, manufacturer, "
     "model, cpu, ips, macs, domain, site, dn, repositories) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, "
     "?8, ?9, ?10, ?11, ?12, ?13, ?14) ON CONFLICT (host) DO UPDATE SET platform = "
     "excluded.platform, os_version = excluded.os_version, kernel = excluded.kernel, description = "
     "excluded.description, manufacturer = excluded.manufacturer, model = excluded.model, cpu = "
     "excluded.cpu, ips = excluded.ips, macs = excluded.macs, domain = excluded.domain, site = "
     "excluded.site, dn = excluded.dn, repositories = excluded.repositories",
     {"platform", "os_version", "kernel_version", "description", "system_manufacturer",
      "system_productname", "cpu_name", "connected_ips", "mac", "dnsdomain", "computer_ad_site",
      "computer_ad_dn", "repositories"}},
    {WA_SEC_DMI,
     "INSERT INTO host_facts (host, serial, chassis) VALUES (?1, ?2, ?3) ON CONFLICT (host) DO "
     "UPDATE SET serial = excluded.serial, chassis = excluded.chassis",
     {"System_Information/Serial_Number", "Chassis_Information/Type"}},
    {WA_SEC_HOST_METRICS,
     "INSERT INTO host_facts (host, memory, users, last_user) VALUES (?1, ?2, ?3, ?4) ON CONFLICT "
     "(host) DO UPDATE SET memory = excluded.memory, users = excluded.users, last_user = "
     "excluded.last_user",
     {"physical_memory", "logged_in_users", "last_logged_on_user"}},
    {WA_SEC_HOST_CAPABILITIES,
     "INSERT INTO host_facts (host, architecture, agent_version) VALUES (?1, ?2, ?3) ON CONFLICT "
     "(host) DO UPDATE SET architecture = excluded.architecture, agent_version = "
     "excluded.agent_version",
     {"architecture", "wapt_version"}},
};

static const struct wa_json *find(const struct wa_json *content, const char *key)
{
    char part[64];
    const char *slash = strchr(key, '/');
    if (slash == NULL)
        return wa_json_get(content, key);
    (void)snprintf(part, sizeof part, "%.*s", (int)(slash - key), key);
    return wa_json_get(wa_json_get(content, part), slash + 1);
}

static enum wa_code take_facts(struct wa_db *db, int64_t host, const struct facts *f,
                               const struct wa_json *content, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, f->sql, &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, host);
    for (int i = 0; f->keys[i] != NULL; i++) {
        struct wa_inventory_text value;
        read_value(find(content, f->keys[i]), &value);
        wa_bind_s(s, i + 1, value.p);
    }
    return wa_run(s, err);
}

/* --- lists --- */

/* "CN=pc,OU=paris,DC=example" is in "OU=paris,DC=example". */
static struct wa_sv unit_of(struct wa_sv dn)
{
    for (size_t i = 0; i < dn.n; i++) {
        if (dn.p[i] == '\\')
            i++;
        else if (dn.p[i] == ',')
            return wa_sv_sub(dn, i + 1, dn.n);
    }
    return WA_SV("");
}

static const struct {
    enum wa_section section;
    const char *key;
    enum wa_fleet_key to;
} shown[] = {
    {WA_SEC_HOST_INFO, "description", WA_FLEET_DESCRIPTION},
    {WA_SEC_HOST_INFO, "connected_ips", WA_FLEET_IPS},
    {WA_SEC_HOST_METRICS, "logged_in_users", WA_FLEET_USERS},
    {WA_SEC_HOST_INFO, "system_manufacturer", WA_FLEET_MANUFACTURER},
    {WA_SEC_HOST_INFO, "system_productname", WA_FLEET_MODEL},
    {WA_SEC_DMI, "System_Information/Serial_Number", WA_FLEET_SERIAL},
    {WA_SEC_HOST_CAPABILITIES, "wapt_version", WA_FLEET_AGENT},
    {WA_SEC_HOST_INFO, "dnsdomain", WA_FLEET_DOMAIN},
    {WA_SEC_HOST_INFO, "computer_ad_site", WA_FLEET_SITE},
    {WA_SEC_HOST_INFO, "computer_ad_dn", WA_FLEET_UNIT},
    {WA_SEC_HOST_INFO, "mac", WA_FLEET_MACS},
    {WA_SEC_HOST_METRICS, "last_logged_on_user", WA_FLEET_LAST_USER},
    {WA_SEC_HOST_INFO, "computer_ad_dn", WA_FLEET_DN},
    {WA_SEC_HOST_INFO, "repositories", WA_FLEET_REPOSITORIES},
};

enum wa_code wa_inventory_show(enum wa_section section, const struct wa_json *content,
                               struct wa_arena *arena, struct wa_fleet_change *c,
                               struct wa_err *err)
{
    struct wa_inventory_text value;
    if (section == WA_SEC_AUDIT_STATUS)
        c->audit = wa_sv_sub(wa_json_sv(content), 0, 32);
    for (size_t i = 0; i < WA_COUNT(shown); i++) {
        if (shown[i].section != section)
            continue;
        read_value(find(content, shown[i].key), &value);
        char *text = wa_arena_strdup(arena, wa_sv(value.p));
        if (text == NULL)
            return wa_nomem(err);
        c->texts[shown[i].to] = shown[i].to == WA_FLEET_UNIT ? unit_of(wa_sv(text)) : wa_sv(text);
    }
    return wa_inventory_policy_show(section, content, arena, c, err);
}

void wa_inventory_shown(struct wa_stmt *row, int column, struct wa_fleet_change *c)
{
    for (int i = 0; i < (int)WA_COUNT(shown); i++) {
        struct wa_sv text = wa_col_sv(row, column + i);
        c->texts[shown[i].to] = shown[i].to == WA_FLEET_UNIT ? unit_of(text) : text;
    }
}

/* --- the sections --- */

enum wa_code wa_inventory_take(struct wa_db *db, int64_t host, enum wa_section section,
                               const struct wa_json *content, int64_t now, struct wa_err *err)
{
    const struct facts *f = NULL;
    for (size_t i = 0; i < WA_COUNT(all_facts); i++)
        if (all_facts[i].section == section)
            f = &all_facts[i];
    bool is_packages = section == WA_SEC_INSTALLED_PACKAGES;
    if (f != NULL)
        return take_facts(db, host, f, content, err);
    if (section == WA_SEC_POLICY)
        return wa_inventory_policy(db, host, content, err);
    if (section == WA_SEC_INSTALLED_SOFTWARES)
        return wa_inventory_software(db, host, content, err);
    if (!is_packages && section != WA_SEC_LAST_UPDATE_STATUS)
        return WA_OK;
    if ((is_packages ? wa_inventory_packages(db, host, content, now, err)
                     : wa_inventory_due(db, host, content, err)) != WA_OK)
        return err->code;
    return wa_inventory_counts(db, host, section, content, err);
}

enum wa_code wa_inventory_forget(struct wa_db *db, int64_t now, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "DELETE FROM package_history WHERE at < ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, now - WA_HISTORY_AGE_S);
    if (wa_run(s, err) != WA_OK ||
        wa_db_prepare(db,
                      "DELETE FROM software_titles WHERE NOT EXISTS (SELECT 1 FROM host_software h "
                      "WHERE h.title = software_titles.id)",
                      &s, err) != WA_OK)
        return err->code;
    return wa_run(s, err);
}
