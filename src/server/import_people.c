/* import_people.c - people of WAPT 1.8, names of software, reports.
 *
 * A right is taken over only where it means the same here: for all machines, and not expired. What
 * the old server checked by other means than a password of its own - a directory, a certificate -
 * is left to whoever sets that up here; such people are made without a password that opens.
 */
#include "base/mem.h"
#include "base/text.h"
#include "crypto/pwhash.h"
#include "os/clock.h"
#include "server/import.h"
#include "server/people.h"
#include "server/report.h"
#include "server/store_db.h"
#include "server/store_people.h"

#define NO_PASSWORD "!imported" /* is the hash of nothing */
#define REGISTRAR                                                                                  \
    WA_TEXT("could register machines, and nothing else: that takes a token here ('waptserver "     \
            "enrol-token')")

static bool has(struct wa_sv acls, const char *acl)
{
    struct wa_sv one;
    while (wa_sv_split(&acls, ',', &one))
        if (wa_sv_eqs(one, acl))
            return true;
    return false;
}

/* The highest role all of whose power the old rights gave. "": none of it exists here. */
static const char *role_of(struct wa_sv acls)
{
    static const struct {
        const char *acl, *role;
    } rows[] = {{"admin", "superadmin"},
                {"edit_base_package", "developer"},
                {"edit_host_package", "deployer"},
                {"edit_group_package", "deployer"},
                {"edit_unit_package", "deployer"},
                {"edit_profile_package", "deployer"},
                {"edit_self_service_package", "deployer"},
                {"trigger_host_action", "deployer"},
                {"trigger_host_upgrade", "helpdesk"},
                {"view", "readonly"},
                {"edit_report", "readonly"},
                {"run_report", "readonly"}};
    for (size_t i = 0; i < WA_COUNT(rows); i++)
        if (has(acls, rows[i].acl))
            return rows[i].role;
    return "";
}

/* Rights that here come with the order to machines: nobody is given that for them. */
static void tell_lost(struct wa_importing *g, const char *name, struct wa_sv acls, const char *role)
{
    if (strcmp(role, "readonly") != 0 && strcmp(role, "helpdesk") != 0)
        return;
    if (has(acls, "edit_report"))
        wa_import_tell(g, WA_IM_PEOPLE, name,
                       "changed reports: here a deployer does, who also orders what machines do. "
                       "'waptserver user' gives the role, if that is meant");
    if (has(acls, "register_host"))
        wa_import_tell(g, WA_IM_PEOPLE, name,
                       "registered machines: that takes a token here ('waptserver enrol-token')");
}

/* Who comes without a password is told: one that nobody has set, or whose hash is not kept here. */
static void hash_of(struct wa_importing *g, const char *name, char ret[WA_PWHASH_MAX])
{
    struct wa_err why = WA_ERR_INIT;
    char hash[WA_PWHASH_MAX];
    (void)snprintf(ret, WA_PWHASH_MAX, NO_PASSWORD);
    if (!wa_import_old_hash(g, name, hash)) {
        wa_import_tell(g, WA_IM_PEOPLE, name,
                       "comes without a password: set one with 'waptserver user', or let a "
                       "directory or a certificate know this person");
        return;
    }
    if (wa_pwhash_judge(hash, &why) == WA_OK) {
        (void)snprintf(ret, WA_PWHASH_MAX, "%s", hash);
        return;
    }
    (void)wa_wrap(&why, "comes without a password ('waptserver user' sets one)");
    wa_import_tell(g, WA_IM_PEOPLE, name, why.text);
}

static enum wa_code take_person(struct wa_importing *g, struct wa_sv name, struct wa_sv acls,
                                struct wa_err *err)
{
    struct wa_import_count *count = &g->im->counts[WA_IM_PEOPLE];
    struct wa_person p;
    bool is_there = false;
    char text[WA_NAME_MAX + 1];
    const char *role = role_of(acls);
    count->found++;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(wa_sv_sub(name, 0, WA_NAME_MAX)));
    if (!wa_person_name_is_valid(name)) {
        wa_import_leave(g, WA_IM_PEOPLE, text, "this can't be a user's name here");
        return WA_OK;
    }
    if (role[0] == '\0') {
        wa_import_leave(g, WA_IM_PEOPLE, text,
                        has(acls, "register_host")
                            ? REGISTRAR
                            : WA_TEXT("no right for all machines that has not expired, and "
                                      "exists here"));
        return WA_OK;
    }
    if (wa_store_person(g->to, name, &p, &is_there, err) != WA_OK)
        return err->code;
    count->there += is_there;
    count->taken += !is_there;
    if (is_there)
        return WA_OK;
    char hash[WA_PWHASH_MAX];
    hash_of(g, text, hash);
    tell_lost(g, text, acls, role);
    return g->im->is_dry ? WA_OK : wa_store_set_user(g->to, text, hash, role, err);
}

/* Whoever has but a password could register machines, and do nothing else. */
static enum wa_code name_registrar(struct wa_importing *g, struct wa_sv name, struct wa_err *err)
{
    char text[WA_NAME_MAX + 1];
    struct wa_stmt *s;
    bool is_person = false;
    if (wa_db_prepare(g->from, "SELECT 1 FROM waptusers WHERE name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_sv(s, 0, name);
    if (wa_step(s, &is_person, err) != WA_OK)
        return err->code;
    if (is_person) {
        wa_reset(s);
        return WA_OK;
    }
    g->im->counts[WA_IM_PEOPLE].found++;
    (void)snprintf(text, sizeof text, "%.*s", WA_SV_ARG(wa_sv_sub(name, 0, WA_NAME_MAX)));
    wa_import_leave(g, WA_IM_PEOPLE, text, REGISTRAR);
    return WA_OK;
}

static enum wa_code name_registrars(struct wa_importing *g, struct wa_err *err)
{
    struct wa_sv rest = wa_buf_sv(&g->htpasswd), name, hash;
    while (wa_import_next_hash(&rest, &name, &hash))
        if (!wa_sv_eqs(name, g->admin) && name_registrar(g, name, err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_import_people(struct wa_importing *g, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(g->from,
                      "SELECT u.name, COALESCE((SELECT string_agg(array_to_string(a.acls, ','), "
                      "',') FROM waptuseracls a WHERE a.user_fingerprint_sha1 = "
                      "u.user_fingerprint_sha1 AND a.perimeter_fingerprint = '*' AND "
                      "(a.expiration_date IS NULL OR a.expiration_date > now())), '') FROM "
                      "waptusers u WHERE u.name IS NOT NULL ORDER BY u.id LIMIT 10000",
                      &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (take_person(g, wa_col_sv(s, 0), wa_col_sv(s, 1), err) != WA_OK) {
            wa_reset(s);
            break;
        }
    return err->code == WA_OK ? name_registrars(g, err) : err->code;
}

/* --- names of software --- */

static enum wa_code take_name(struct wa_importing *g, struct wa_sv original, struct wa_sv name,
                              int64_t seq, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(g->to,
                      "INSERT INTO software_rules (seq, pattern, name) VALUES (?1, "
                      "replace(replace(replace(?2, '\\', '\\\\'), '%', '\\%'), '_', '\\_'), ?3)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, seq);
    wa_bind_sv(s, 1, original);
    wa_bind_sv(s, 2, name);
    return wa_run(s, err);
}

static enum wa_code has_rules(struct wa_importing *g, bool *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(g->to, "SELECT 1 FROM software_rules LIMIT 1", &s, err) != WA_OK ||
        wa_step(s, ret, err) != WA_OK)
        return err->code;
    if (*ret)
        wa_reset(s);
    return WA_OK;
}

enum wa_code wa_import_names(struct wa_importing *g, struct wa_err *err)
{
    struct wa_import_count *count = &g->im->counts[WA_IM_NAMES];
    struct wa_stmt *s;
    bool row = true, is_there = false;
    if (has_rules(g, &is_there, err) != WA_OK ||
        wa_db_prepare(g->from,
                      "SELECT DISTINCT substr(original_name, 1, 255), substr(normalized_name, 1, "
                      "255) FROM normalization WHERE COALESCE(normalized_name, '') <> '' AND "
                      "COALESCE(original_name, '') <> '' ORDER BY 1",
                      &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row) {
        count->found++;
        if (is_there)
            count->there++;
        else if (count->taken == WA_SOFTWARE_NAMES_MAX)
            count->left_out++;
        else if (g->im->is_dry ||
                 take_name(g, wa_col_sv(s, 0), wa_col_sv(s, 1), ++count->taken, err) == WA_OK)
            count->taken += g->im->is_dry;
        if (err->code != WA_OK) {
            wa_reset(s);
            break;
        }
    }
    if (err->code == WA_OK && count->left_out > 0)
        wa_import_tell(g, WA_IM_NAMES, "the rest", "there can be 1,000 names");
    return err->code;
}

/* --- reports --- */

static void count_report(void *user, const struct wa_report *r)
{
    WA_UNUSED(user);
    WA_UNUSED(r);
}

static void no_columns(void *user, const char *const *names, size_t count)
{
    WA_UNUSED(user);
    WA_UNUSED(names);
    WA_UNUSED(count);
}

static bool no_row(void *user, const struct wa_foreign_cell *cells, size_t count)
{
    WA_UNUSED(user);
    WA_UNUSED(cells);
    WA_UNUSED(count);
    return false;
}

/* Whether it can be run here: the old tables had other names and columns. On PostgreSQL only its
 * text is judged. */
static enum wa_code judge_report(struct wa_importing *g, const char *query, struct wa_err *err)
{
    char url[WA_STORE_URL];
    const struct wa_foreign_sink sink = {no_columns, no_row, NULL};
    struct wa_foreign f = {.url = url, .max_ms = 5000, .max_rows = 1, .max_bytes = 1u << 20};
    bool is_cut = false;
    f.views = wa_report_views(&f.view_count);
    wa_store_url(g->im->config->dir, "", url);
    return strcmp(wa_db_driver(g->to), "sqlite") == 0
               ? wa_foreign_run(&f, NULL, query, &sink, &is_cut, err)
               : wa_foreign_check(query, err);
}

static enum wa_code take_report(struct wa_importing *g, struct wa_sv name, struct wa_sv query,
                                struct wa_err *err)
{
    struct wa_import_count *count = &g->im->counts[WA_IM_REPORTS];
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_STR char *title = NULL;
    WA_AUTO_STR char *text = NULL;
    size_t there = 0;
    count->found++;
    if (wa_sv_dup(wa_sv_sub(name, 0, 100), &title, err) != WA_OK ||
        wa_sv_dup(query, &text, err) != WA_OK ||
        wa_store_reports(g->to, title, count_report, NULL, &there, err) != WA_OK)
        return err->code;
    if (there > 0) {
        count->there++;
        return WA_OK;
    }
    if (judge_report(g, text, &why) != WA_OK) {
        wa_import_leave(g, WA_IM_REPORTS, title, why.text);
        return WA_OK;
    }
    count->taken++;
    const struct wa_report r = {.name = wa_sv(title),
                                .about = WA_SV("from WAPT 1.8"),
                                .query = wa_sv(text),
                                .author = wa_sv(g->admin),
                                .changed_at = wa_clock_now()};
    return g->im->is_dry ? WA_OK : wa_store_put_report(g->to, &r, err);
}

enum wa_code wa_import_reports(struct wa_importing *g, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(g->from,
                      "SELECT replace(name, '/', '-'), COALESCE(query, '') FROM reportingqueries "
                      "WHERE COALESCE(name, '') <> '' ORDER BY id LIMIT 1000",
                      &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (take_report(g, wa_col_sv(s, 0), wa_col_sv(s, 1), err) != WA_OK) {
            wa_reset(s);
            break;
        }
    return err->code;
}
