/* inventory_policy.c - what a machine goes by as rows and in lists: its windows, what it holds,
 * whose orders it takes; and how many of its packages failed or are behind.
 *
 * All of it is what the machine says. The whole section is kept beside it, for its own page.
 */
#include "base/mem.h"
#include "server/inventory.h"

#define NAMES_BYTES_MAX                                                                            \
    16384u /* of what is held, and of who may order: WA_FLEET_SAID_MAX names                       \
            */

struct policy {
    struct wa_inventory_text windows, waits;
    struct wa_buf held, orderers; /* csv */
    struct wa_fleet_schedule schedule;
};

static void policy_init(struct policy *p)
{
    *p = (struct policy){.schedule = {0}};
    wa_buf_init(&p->held, NAMES_BYTES_MAX);
    wa_buf_init(&p->orderers, NAMES_BYTES_MAX);
}

static void policy_fini(struct policy *p)
{
    wa_buf_fini(&p->held);
    wa_buf_fini(&p->orderers);
}

/* A name that could be none of a package or a certificate is left out. */
static void add_name(struct wa_buf *list, struct wa_sv name)
{
    if (name.n == 0 || name.n > WA_NAME_MAX)
        return;
    for (size_t i = 0; i < name.n; i++)
        if (name.p[i] == ',' || (unsigned char)name.p[i] <= ' ' || name.p[i] == 0x7f)
            return;
    wa_buf_addf(list, "%s%.*s", list->n > 0 ? "," : "", WA_SV_ARG(name));
}

/* "tis-a(>=2)" holds versions of "tis-a". */
static struct wa_sv name_of(struct wa_sv what)
{
    size_t at;
    return wa_sv_trim(wa_sv_chr(what, '(', &at) ? wa_sv_sub(what, 0, at) : what);
}

static int64_t number_of(const struct wa_json *j, const char *key, int64_t min)
{
    int64_t n = 0;
    (void)wa_json_i64(wa_json_get(j, key), &n);
    return n < min ? 0 : n;
}

static enum wa_code read_policy(const struct wa_json *j, struct policy *p, struct wa_err *err)
{
    const struct wa_json *windows = wa_json_get(j, "windows"), *holds = wa_json_get(j, "holds"),
                         *orderers = wa_json_get(j, "orderers");
    char text[2 * WA_INVENTORY_TEXT + 4] = "";
    size_t n = 0;
    for (size_t i = 0; i < wa_json_count(windows) && n <= WA_INVENTORY_TEXT; i++) {
        struct wa_sv one = wa_json_sv(wa_json_get(wa_json_at(windows, i), "text"));
        one.n = one.n > WA_INVENTORY_TEXT ? WA_INVENTORY_TEXT : one.n;
        if (one.n == 0)
            continue;
        int more = snprintf(text + n, sizeof text - n, "%s%.*s", n > 0 ? "," : "", WA_SV_ARG(one));
        n += more > 0 ? (size_t)more : 0;
    }
    wa_inventory_clean(wa_sv(text), &p->windows);
    wa_inventory_clean(wa_sv_sub(wa_json_sv(wa_json_get(j, "waits_for")), 0, 32), &p->waits);
    /* What is too many is not looked at: millions of names fit into a report. */
    for (size_t i = 0; i < wa_json_count(holds) && i < WA_FLEET_SAID_MAX; i++)
        add_name(&p->held, name_of(wa_json_sv(wa_json_get(wa_json_at(holds, i), "what"))));
    for (size_t i = 0; i < wa_json_count(orderers) && i < WA_FLEET_SAID_MAX; i++)
        add_name(&p->orderers, wa_json_sv(wa_json_at(orderers, i)));
    p->schedule =
        (struct wa_fleet_schedule){.window_begin = number_of(j, "window_begin", 0),
                                   .window_end = number_of(j, "window_end", 0),
                                   .frozen_until = number_of(j, "frozen_until", 0),
                                   .utc_offset = number_of(j, "utc_offset", -WA_UTC_OFFSET_MAX_S),
                                   .root_version = number_of(j, "root_version", 0)};
    if (p->schedule.utc_offset > WA_UTC_OFFSET_MAX_S)
        p->schedule.utc_offset = 0;
    return wa_buf_check(&p->held, err) == WA_OK ? wa_buf_check(&p->orderers, err) : err->code;
}

/* --- rows --- */

enum wa_code wa_inventory_policy(struct wa_db *db, int64_t host, const struct wa_json *content,
                                 struct wa_err *err)
{
    struct policy p;
    struct wa_stmt *s;
    policy_init(&p);
    if (read_policy(content, &p, err) == WA_OK &&
        wa_db_prepare(
            db,
            "INSERT INTO host_facts (host, windows, waits, held, orderers, window_begin, "
            "window_end, frozen_until, utc_offset, root_version) VALUES (?1, ?2, ?3, ?4, ?5, ?6, "
            "?7, ?8, ?9, ?10) ON CONFLICT (host) DO UPDATE SET windows = excluded.windows, waits = "
            "excluded.waits, held = excluded.held, orderers = excluded.orderers, window_begin = "
            "excluded.window_begin, window_end = excluded.window_end, frozen_until = "
            "excluded.frozen_until, utc_offset = excluded.utc_offset, root_version = "
            "excluded.root_version",
            &s, err) == WA_OK) {
        wa_bind_i64(s, 0, host);
        wa_bind_s(s, 1, p.windows.p);
        wa_bind_s(s, 2, p.waits.p);
        wa_bind_sv(s, 3, wa_buf_sv(&p.held));
        wa_bind_sv(s, 4, wa_buf_sv(&p.orderers));
        wa_bind_i64(s, 5, p.schedule.window_begin);
        wa_bind_i64(s, 6, p.schedule.window_end);
        wa_bind_i64(s, 7, p.schedule.frozen_until);
        wa_bind_i64(s, 8, p.schedule.utc_offset);
        wa_bind_i64(s, 9, p.schedule.root_version);
        (void)!wa_run(s, err);
    }
    policy_fini(&p);
    return err->code;
}

static int64_t count_errors(const struct wa_json *packages)
{
    int64_t n = 0;
    for (size_t i = 0; i < wa_json_count(packages) && i < WA_PACKAGE_ROWS_MAX; i++)
        n += wa_sv_eqs(wa_json_sv(wa_json_get(wa_json_at(packages, i), "install_status")), "ERROR");
    return n;
}

static int64_t count_upgrades(const struct wa_json *last_update)
{
    return (int64_t)wa_json_count(wa_json_get(last_update, "upgrades"));
}

enum wa_code wa_inventory_counts(struct wa_db *db, int64_t host, enum wa_section section,
                                 const struct wa_json *content, struct wa_err *err)
{
    struct wa_stmt *s;
    bool is_packages = section == WA_SEC_INSTALLED_PACKAGES;
    if (wa_db_prepare(db,
                      is_packages
                          ? "INSERT INTO host_facts (host, errors) VALUES (?1, ?2) ON CONFLICT "
                            "(host) DO UPDATE SET errors = excluded.errors WHERE "
                            "host_facts.errors <> excluded.errors"
                          : "INSERT INTO host_facts (host, upgrades) VALUES (?1, ?2) ON CONFLICT "
                            "(host) DO UPDATE SET upgrades = excluded.upgrades WHERE "
                            "host_facts.upgrades <> excluded.upgrades",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, host);
    wa_bind_i64(s, 1, is_packages ? count_errors(content) : count_upgrades(content));
    return wa_run(s, err);
}

/* --- lists --- */

static enum wa_code copy(struct wa_arena *arena, struct wa_sv text, struct wa_sv *ret,
                         struct wa_err *err)
{
    const char *p = wa_arena_strdup(arena, text);
    if (p == NULL)
        return wa_nomem(err);
    *ret = wa_sv(p);
    return WA_OK;
}

static enum wa_code show_policy(const struct wa_json *content, struct wa_arena *arena,
                                struct wa_fleet_change *c, struct wa_err *err)
{
    struct policy p;
    struct wa_fleet_schedule *schedule = wa_arena_alloc(arena, 1, sizeof *schedule);
    if (schedule == NULL)
        return wa_nomem(err);
    policy_init(&p);
    if (read_policy(content, &p, err) == WA_OK &&
        copy(arena, wa_sv(p.windows.p), &c->windows, err) == WA_OK &&
        copy(arena, wa_sv(p.waits.p), &c->waits, err) == WA_OK &&
        copy(arena, wa_buf_sv(&p.held), &c->held, err) == WA_OK &&
        copy(arena, wa_buf_sv(&p.orderers), &c->orderers, err) == WA_OK) {
        *schedule = p.schedule;
        c->schedule = schedule;
    }
    policy_fini(&p);
    return err->code;
}

enum wa_code wa_inventory_policy_show(enum wa_section section, const struct wa_json *content,
                                      struct wa_arena *arena, struct wa_fleet_change *c,
                                      struct wa_err *err)
{
    if (section == WA_SEC_INSTALLED_PACKAGES)
        c->errors = count_errors(content);
    if (section == WA_SEC_LAST_UPDATE_STATUS)
        c->upgrades = count_upgrades(content);
    return section == WA_SEC_POLICY ? show_policy(content, arena, c, err) : WA_OK;
}

void wa_inventory_policy_shown(struct wa_stmt *row, int column, struct wa_fleet_schedule *schedule,
                               struct wa_fleet_change *c)
{
    c->windows = wa_col_sv(row, column);
    c->waits = wa_col_sv(row, column + 1);
    c->held = wa_col_sv(row, column + 2);
    c->orderers = wa_col_sv(row, column + 3);
    *schedule = (struct wa_fleet_schedule){.window_begin = wa_col_i64(row, column + 4),
                                           .window_end = wa_col_i64(row, column + 5),
                                           .frozen_until = wa_col_i64(row, column + 6),
                                           .utc_offset = wa_col_i64(row, column + 7),
                                           .root_version = wa_col_i64(row, column + 8)};
    c->schedule = schedule;
    c->errors = wa_col_i64(row, column + 9);
    c->upgrades = wa_col_i64(row, column + 10);
}
