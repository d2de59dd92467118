/* sections.c - the sections of the machine's inventory (formats.md 5.7) as canonical JSON: what the
 * inventory process found out, and what the manager knows by itself.
 *
 * Everything is written anew from what was read, keys in order, so that the same machine has the
 * same digests.
 */
#include "agent/inventory.h"
#include "agent/inventory_answer.h"
#include "agent/place.h"
#include "agent/report.h"
#include "os/dmi.h"
#include "os/drives.h"

#define MEMORY_STEP (4u << 20) /* bytes: what moves less is no news */

#define ANSWER_MEMORY_MAX (128u << 20) /* bytes: an answer as a tree of nodes */

void wa_sections_fini(struct wa_sections *s)
{
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        wa_buf_fini(&s->text[i]);
}

/* --- the inventory process --- */

static enum wa_code ask_machine(struct wa_manager *m, struct wa_arena *arena,
                                struct wa_machine_answer *f, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf table;
    WA_AUTO_BUF struct wa_buf answer;
    wa_buf_init(&table, WA_DMI_TABLE_MAX);
    wa_buf_init(&answer, WA_INVENTORY_BYTES_MAX);
    if (wa_dmi_read(&table, err) != WA_OK)
        return err->code;
    const struct wa_inventory_ask what = {.table = wa_buf_sv(&table),
                                          .with_environment = m->config.inventory_environment,
                                          .with_vendor_text = m->config.inventory_keys};
    if (wa_helper_inventory(m->launcher, &what, m->cancel, &answer, err) != WA_OK)
        return err->code;
    return wa_machine_answer_read(wa_buf_sv(&answer), arena, f, err);
}

/* --- sections made of both --- */

static void write_members(struct wa_jw *w, const struct wa_json *object)
{
    for (size_t i = 0; i < wa_json_count(object); i++) {
        wa_jw_keysv(w, wa_json_key_at(object, i));
        wa_jw_json(w, wa_json_at(object, i));
    }
}

static enum wa_code write_place(struct wa_manager *m, struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_place place;
    struct wa_sv groups, group;
    wa_arena_init(&arena, 4 * WA_PLACE_BYTES_MAX);
    if (wa_place_load(m, m->tdb, &arena, &place, err) != WA_OK)
        return err->code;
    wa_jw_kv(w, "computer_ad_dn", place.dn);
    wa_jw_kv(w, "computer_ad_site", place.site);
    if (!m->config.use_ad_groups)
        return WA_OK;
    wa_jw_key(w, "computer_ad_groups");
    wa_jw_arr(w);
    groups = wa_sv(place.groups);
    while (wa_sv_split(&groups, ',', &group))
        if (group.n > 0)
            wa_jw_sv(w, group);
    wa_jw_end(w);
    return WA_OK;
}

static enum wa_code write_host_info(struct wa_manager *m, const struct wa_machine_answer *f,
                                    struct wa_jw *w, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf urls;
    struct wa_host_facts now; /* names may have changed since the start */
    wa_buf_init(&urls, WA_ROLE_NOTE_MAX);
    if (wa_host_facts_read(&now, err) != WA_OK)
        return err->code;
    write_members(w, f->host_info);
    wa_inventory_names(&now, w);
    for (size_t i = 0; i < m->config.repo_count; i++)
        wa_buf_addf(&urls, "%s%s", i > 0 ? ";" : "", m->config.repos[i].url);
    wa_jw_kvsv(w, "repositories", wa_buf_sv(&urls));
    if (wa_buf_check(&urls, err) != WA_OK)
        return err->code;
    return write_place(m, w, err);
}

static void write_metrics(const struct wa_machine_answer *f, struct wa_jw *w)
{
    uint64_t resident, addresses;
    wa_memory_own(&resident, &addresses);
    write_members(w, f->host_metrics);
    wa_jw_key(w, "wapt-memory-usage");
    wa_jw_obj(w);
    wa_jw_kvi(w, "rss", (int64_t)(resident / MEMORY_STEP * MEMORY_STEP));
    wa_jw_kvi(w, "vms", (int64_t)(addresses / MEMORY_STEP * MEMORY_STEP));
    wa_jw_end(w);
}

/* Where the table can't be read, the kernel still tells who made the machine, and its number. */
static void write_dmi(const struct wa_manager *m, const struct wa_machine_answer *f,
                      struct wa_jw *w)
{
    const struct {
        const char *key, *text;
    } rows[] = {{"Manufacturer", m->facts.manufacturer},
                {"Product_Name", m->facts.product},
                {"Serial_Number", m->facts.serial},
                {"UUID", m->facts.system_uuid}};
    write_members(w, f->dmi);
    if (wa_json_get(f->dmi, "System_Information") != NULL || m->facts.system_uuid[0] == '\0')
        return;
    wa_jw_key(w, "System_Information");
    wa_jw_obj(w);
    for (size_t i = 0; i < WA_COUNT(rows); i++)
        if (rows[i].text[0] != '\0')
            wa_jw_kv(w, rows[i].key, rows[i].text);
    wa_jw_end(w);
}

static enum wa_code write_section(struct wa_manager *m, const struct wa_machine_answer *f,
                                  enum wa_section which, struct wa_buf *out, struct wa_err *err)
{
    const struct wa_json *parts[WA_SEC_COUNT] = {[WA_SEC_HOST_INFO] = f->host_info,
                                                 [WA_SEC_HOST_METRICS] = f->host_metrics,
                                                 [WA_SEC_DMI] = f->dmi,
                                                 [WA_SEC_INSTALLED_SOFTWARES] = f->softwares};
    bool is_found = which == WA_SEC_HOST_INFO || which == WA_SEC_HOST_METRICS ||
                    which == WA_SEC_DMI || which == WA_SEC_INSTALLED_SOFTWARES;
    struct wa_jw w;
    if (!is_found)
        return wa_section_own(m, which, out, err);
    if (parts[which] == NULL)
        return WA_OK;
    wa_jw_init(&w, out);
    if (which == WA_SEC_INSTALLED_SOFTWARES) {
        wa_jw_json(&w, f->softwares);
        return wa_buf_check(out, err);
    }
    wa_jw_obj(&w);
    if (which == WA_SEC_HOST_INFO && write_host_info(m, f, &w, err) != WA_OK)
        return err->code;
    if (which == WA_SEC_HOST_METRICS)
        write_metrics(f, &w);
    if (which == WA_SEC_DMI)
        write_dmi(m, f, &w);
    wa_jw_end(&w);
    return wa_buf_check(out, err);
}

/* --- all of them --- */

static enum wa_code make_canonical(struct wa_sv json, struct wa_buf *out, char hex[65],
                                   struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, ANSWER_MEMORY_MAX);
    if (wa_json_parse(json, 0, &arena, &j, err) != WA_OK)
        return err->code;
    return wa_section_canonical(j, out, hex, err);
}

static enum wa_code collect(struct wa_manager *m, const struct wa_machine_answer *f,
                            struct wa_sections *ret, struct wa_err *err)
{
    for (size_t i = 0; i < WA_SEC_COUNT; i++) {
        WA_AUTO_BUF struct wa_buf plain;
        wa_buf_init(&plain, WA_JSON_BYTES_MAX);
        if (write_section(m, f, (enum wa_section)i, &plain, err) != WA_OK ||
            (plain.n > 0 &&
             make_canonical(wa_buf_sv(&plain), &ret->text[i], ret->digests.hex[i], err) != WA_OK))
            return wa_wrap(err, "section '%s'", wa_section_name((enum wa_section)i));
    }
    return WA_OK;
}

enum wa_code wa_sections_collect(struct wa_manager *m, struct wa_sections *ret, struct wa_err *err)
{
    struct wa_machine_answer f = {.host_info = NULL};
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err why = WA_ERR_INIT;
    *ret = (struct wa_sections){.digests = {{""}}};
    for (size_t i = 0; i < WA_SEC_COUNT; i++)
        wa_buf_init(&ret->text[i], WA_JSON_BYTES_MAX);
    wa_arena_init(&arena, ANSWER_MEMORY_MAX);
    if (ask_machine(m, &arena, &f, &why) != WA_OK)
        wa_log_err(&m->log, WA_LOG_WARNING, "inventory.failed", &why);
    return collect(m, &f, ret, err);
}
