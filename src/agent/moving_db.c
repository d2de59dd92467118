/* moving_db.c - the rows of WAPT's waptdb.sqlite, structures 20180303 (1.5) to 20200415 (1.8.2).
 *
 * It works on a copy: columns that an older version did not have are added there, so that one
 * statement reads them all. What a row says is judged by itself; one that can't be used is told and
 * left out, and a value that can't be read is told and left empty.
 */
#include "agent/moving.h"

#include "base/date.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "codec/json.h"
#include "pkg/request.h"
#include "pkg/version.h"
#include "proto/hostid.h"

/* --- opening --- */

#define STATUS "wapt_localstatus"
#define PACKAGE "wapt_package"
#define PARAMS "wapt_params"
#define COLUMN(table, name)                                                                        \
    {                                                                                              \
        table, name, "ALTER TABLE " table " ADD COLUMN " name                                      \
    }

static const struct {
    const char *table, *name, *add;
} columns[] = {
    COLUMN(STATUS, "package"),
    COLUMN(STATUS, "version"),
    COLUMN(STATUS, "architecture"),
    COLUMN(STATUS, "section"),
    COLUMN(STATUS, "priority"),
    COLUMN(STATUS, "maturity"),
    COLUMN(STATUS, "locale"),
    COLUMN(STATUS, "depends"),
    COLUMN(STATUS, "conflicts"),
    COLUMN(STATUS, "impacted_process"),
    COLUMN(STATUS, "audit_schedule"),
    COLUMN(STATUS, "package_uuid"),
    COLUMN(STATUS, "install_status"),
    COLUMN(STATUS, "explicit_by"),
    COLUMN(STATUS, "install_date"),
    COLUMN(STATUS, "install_output"),
    COLUMN(STATUS, "install_params"),
    COLUMN(STATUS, "uninstall_key"),
    COLUMN(STATUS, "setuppy"),
    COLUMN(STATUS, "last_audit_on"),
    COLUMN(STATUS, "last_audit_status"),
    COLUMN(STATUS, "last_audit_output"),
    COLUMN(STATUS, "next_audit_on"),
    COLUMN(PACKAGE, "package"),
    COLUMN(PACKAGE, "version"),
    COLUMN(PACKAGE, "architecture"),
    COLUMN(PACKAGE, "description"),
    COLUMN(PACKAGE, "name"),
    COLUMN(PACKAGE, "maintainer"),
    COLUMN(PACKAGE, "signer"),
    COLUMN(PACKAGE, "signer_fingerprint"),
    COLUMN(PACKAGE, "repo"),
    COLUMN(PARAMS, "name"),
    COLUMN(PARAMS, "value"),
    COLUMN(PARAMS, "ptype"),
};

/* Whether a statement without or with two texts has a row. */
static enum wa_code has_row(struct wa_db *db, const char *sql, const char *a, const char *b,
                            bool *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, sql, &s, err) != WA_OK)
        return err->code;
    if (a != NULL)
        wa_bind_s(s, 0, a);
    if (b != NULL)
        wa_bind_s(s, 1, b);
    if (wa_step(s, ret, err) != WA_OK)
        return err->code;
    wa_reset(s);
    return WA_OK;
}

/* Plain tables only: a view or a virtual table of these names was made by nobody who is known. */
static enum wa_code check_tables(struct wa_db *db, struct wa_err *err)
{
    bool is_utf8 = false, is_there = false, is_odd = false;
    if (has_row(db, "SELECT 1 FROM pragma_encoding WHERE encoding = 'UTF-8'", NULL, NULL, &is_utf8,
                err) != WA_OK ||
        has_row(db, "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?", STATUS, NULL,
                &is_there, err) != WA_OK ||
        has_row(
            db,
            "SELECT 1 FROM sqlite_master WHERE name IN ('wapt_localstatus', 'wapt_package', "
            "'wapt_params') AND (type <> 'table' OR rootpage = 0 OR sql LIKE '%WITHOUT%ROWID%')",
            NULL, NULL, &is_odd, err) != WA_OK)
        return err->code;
    return is_utf8 && is_there && !is_odd
               ? WA_OK
               : wa_fail(err, WA_E_INVALID, "it is no database of WAPT's agent");
}

/* The triggers of WAPT's count changes, and are of no use on a copy. */
static enum wa_code complete(struct wa_db *db, struct wa_err *err)
{
    if (check_tables(db, err) != WA_OK ||
        wa_db_exec(db,
                   "CREATE TABLE IF NOT EXISTS " PACKAGE " (package);"
                   "CREATE TABLE IF NOT EXISTS " PARAMS " (name);",
                   err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < WA_COUNT(columns); i++) {
        bool is_there = false;
        if (has_row(db, "SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2 COLLATE NOCASE",
                    columns[i].table, columns[i].name, &is_there, err) != WA_OK ||
            (!is_there && wa_db_exec(db, columns[i].add, err) != WA_OK))
            return err->code;
    }
    return wa_db_exec(db,
                      "CREATE INDEX wapt_moving_status ON " STATUS " (package);"
                      "CREATE INDEX wapt_moving_package ON " PACKAGE " (package);",
                      err);
}

enum wa_code wa_old_db_open(const char *path, struct wa_db **ret, struct wa_err *err)
{
    char url[WA_PATH_MAX + 16];
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    (void)snprintf(url, sizeof url, "sqlite:%s", path);
    if (wa_db_open_sqlite(url, &db, err) != WA_OK ||
        wa_db_exec(db, "PRAGMA synchronous = OFF", err) != WA_OK || wa_db_begin(db, err) != WA_OK)
        return err->code;
    if (complete(db, err) != WA_OK || wa_db_commit(db, err) != WA_OK) {
        wa_db_rollback(db);
        if (err->code == WA_E_INTERNAL) /* a statement of ours that this schema does not suit */
            err->code = WA_E_INVALID;
        return err->code;
    }
    *ret = WA_TAKE(db);
    return WA_OK;
}

/* --- one row --- */

static const struct {
    int column;
    enum wa_attr attr;
} attributes[] = {{0, WA_A_PACKAGE},
                  {1, WA_A_VERSION},
                  {2, WA_A_ARCHITECTURE},
                  {3, WA_A_SECTION},
                  {4, WA_A_PRIORITY},
                  {5, WA_A_MATURITY},
                  {6, WA_A_LOCALE},
                  {7, WA_A_DEPENDS},
                  {8, WA_A_CONFLICTS},
                  {9, WA_A_IMPACTED_PROCESS},
                  {10, WA_A_AUDIT_SCHEDULE},
                  {11, WA_A_PACKAGE_UUID},
                  {12, WA_A_DESCRIPTION},
                  {13, WA_A_NAME},
                  {14, WA_A_MAINTAINER},
                  {15, WA_A_SIGNER},
                  {16, WA_A_SIGNER_FINGERPRINT}};
enum {
    C_REPO = WA_COUNT(attributes),
    C_STATUS,
    C_EXPLICIT,
    C_DATE,
    C_OUTPUT,
    C_PARAMS,
    C_KEYS,
    C_SETUP,
    C_AUDIT_ON,
    C_AUDIT_STATUS,
    C_AUDIT_OUTPUT,
    C_NEXT_AUDIT
};

/* The last row of each package; what was only begun counts when there is no other. Of what is
 * available, only what the values of its columns mean (formats.md 8.1: others stand in the wrong
 * ones). */
static const char rows_sql[] =
    "SELECT l.package, l.version, l.architecture, l.section, l.priority, l.maturity, l.locale, "
    "l.depends, l.conflicts, l.impacted_process, l.audit_schedule, l.package_uuid, p.description, "
    "p.name, p.maintainer, p.signer, p.signer_fingerprint, p.repo, l.install_status, "
    "l.explicit_by, l.install_date, l.install_output, l.install_params, l.uninstall_key, "
    "l.setuppy, l.last_audit_on, l.last_audit_status, l.last_audit_output, l.next_audit_on "
    "FROM " STATUS " AS l LEFT JOIN " PACKAGE " AS p ON p.rowid = (SELECT q.rowid FROM " PACKAGE
    " AS q WHERE q.package = l.package AND q.version = l.version AND q.architecture = "
    "l.architecture ORDER BY q.rowid DESC LIMIT 1) "
    "WHERE l.rowid = (SELECT x.rowid FROM " STATUS " AS x WHERE x.package = l.package ORDER BY "
    "x.install_status IN ('INIT', 'DOWNLOAD', 'RUNNING'), x.rowid DESC LIMIT 1) "
    "ORDER BY l.rowid";

static void row_init(struct wa_old_row *r)
{
    *r = (struct wa_old_row){.status = ""};
    wa_control_init(&r->control);
    wa_buf_init(&r->output, WA_SCRIPT_OUTPUT_MAX);
    wa_buf_init(&r->audit_output, WA_SCRIPT_OUTPUT_MAX);
    wa_buf_init(&r->params, WA_SCRIPT_OUTPUT_MAX);
    wa_buf_init(&r->keys, 8 * WA_OLD_KEYS_MAX);
    wa_buf_init(&r->setup_py, WA_SETUP_PY_BYTES_MAX);
}

static void row_fini(struct wa_old_row *r)
{
    wa_control_fini(&r->control);
    wa_buf_fini(&r->output);
    wa_buf_fini(&r->audit_output);
    wa_buf_fini_secret(&r->params);
    wa_buf_fini(&r->keys);
    wa_buf_fini(&r->setup_py);
}

/* One line of a column; size: with the NUL. */
static enum wa_code short_text(struct wa_stmt *s, int column, char *out, size_t size,
                               struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, size - 1);
    wa_old_line(wa_col_sv(s, column), size - 1, &text);
    (void)snprintf(out, size, "%s", wa_buf_str(&text));
    return wa_buf_check(&text, err);
}

static int64_t date_of(struct wa_stmt *s, int column)
{
    int64_t at = 0;
    return wa_date_parse_isolocal(wa_col_sv(s, column), &at) && at > 0 ? at : 0;
}

static enum wa_code read_control(struct wa_stmt *s, struct wa_control *c, struct wa_err *err)
{
    for (size_t i = 0; i < WA_COUNT(attributes); i++) {
        WA_AUTO_BUF struct wa_buf text;
        wa_buf_init(&text, WA_OLD_TEXT_MAX);
        wa_old_line(wa_col_sv(s, attributes[i].column), WA_OLD_TEXT_MAX, &text);
        if (wa_buf_check(&text, err) != WA_OK ||
            (text.n > 0 && wa_control_set(c, attributes[i].attr, wa_buf_sv(&text), err) != WA_OK))
            return err->code;
    }
    return WA_OK;
}

/* NULL: the package can be planned with, and its control comes back as it is written. Memory that
 * ran out is in err, and says nothing of the package. */
static const char *problem_of(const struct wa_control *c, struct wa_err *err)
{
    struct wa_request r;
    struct wa_err why = WA_ERR_INIT;
    WA_AUTO_CONTROL struct wa_control back;
    WA_AUTO_BUF struct wa_buf text;
    wa_control_init(&back);
    wa_buf_init(&text, WA_CONTROL_BYTES_MAX);
    const char *name = wa_control_get(c, WA_A_PACKAGE);
    if (strlen(name) > WA_NAME_MAX || wa_request_parse(wa_sv(name), &r, &why) != WA_OK ||
        r.op[0] != '\0' || strcmp(r.package, name) != 0)
        return "its name is none";
    if (strlen(wa_control_get(c, WA_A_VERSION)) > WA_NAME_MAX ||
        !wa_pkgversion_is_valid(wa_sv(wa_control_get(c, WA_A_VERSION))))
        return "its version is none";
    if (wa_control_write(c, true, &text, &why) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), &back, &why) != WA_OK) {
        if (why.code == WA_E_NOMEM)
            *err = why;
        return "its attributes can't be kept";
    }
    return NULL;
}

static bool is_interrupted(const char *status)
{
    static const char *const under_way[] = {"", "INIT", "DOWNLOAD", "RUNNING", "UPGRADING"};
    for (size_t i = 0; i < WA_COUNT(under_way); i++)
        if (strcmp(status, under_way[i]) == 0)
            return true;
    return false;
}

static enum wa_code read_state(struct wa_stmt *s, struct wa_old_row *r, struct wa_err *err)
{
    if (short_text(s, C_STATUS, r->status, sizeof r->status, err) != WA_OK ||
        short_text(s, C_AUDIT_STATUS, r->audit_status, sizeof r->audit_status, err) != WA_OK ||
        short_text(s, C_REPO, r->repo, sizeof r->repo, err) != WA_OK)
        return err->code;
    wa_old_text(wa_col_sv(s, C_OUTPUT), WA_SCRIPT_OUTPUT_MAX - 256, &r->output);
    wa_old_text(wa_col_sv(s, C_AUDIT_OUTPUT), WA_SCRIPT_OUTPUT_MAX, &r->audit_output);
    r->is_explicit = wa_col_sv(s, C_EXPLICIT).n > 0;
    r->install_date = date_of(s, C_DATE);
    r->audit_on = date_of(s, C_AUDIT_ON);
    r->next_audit = date_of(s, C_NEXT_AUDIT);
    if (!is_interrupted(r->status))
        return WA_OK;
    wa_buf_addf(&r->output, "%sits installation by WAPT was interrupted (%s)\n",
                r->output.n > 0 ? "\n" : "", r->status[0] != '\0' ? r->status : "no status");
    (void)snprintf(r->status, sizeof r->status, "ERROR");
    return WA_OK;
}

/* Never unpickled, never evaluated: one JSON object, or nothing. */
static enum wa_code read_params(struct wa_sv text, struct wa_old_row *r, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err why = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, 64u << 20);
    if (text.n <= WA_SCRIPT_OUTPUT_MAX / 2 && wa_json_parse(text, 0, &arena, &j, &why) == WA_OK &&
        wa_json_is(j, WA_JSON_OBJECT))
        wa_json_write(j, &r->params);
    if (why.code == WA_E_NOMEM)
        *err = why;
    if (why.code == WA_E_NOMEM || r->params.failed == WA_E_NOMEM ||
        (r->params.failed == WA_OK && r->params.n > 0))
        return err->code;
    wa_buf_clear(&r->params);
    wa_buf_adds(&r->params, "{}");
    if (text.n > 0 && !wa_sv_eqs(text, "null"))
        (void)snprintf(r->note, sizeof r->note, "its parameters are no JSON object");
    return WA_OK;
}

static void read_script(struct wa_sv text, struct wa_old_row *r)
{
    if (text.n <= WA_SETUP_PY_BYTES_MAX)
        wa_buf_addsv(&r->setup_py, text);
    else
        (void)snprintf(r->note, sizeof r->note, "its setup.py is too large");
}

static enum wa_code check_bufs(const struct wa_old_row *r, struct wa_err *err)
{
    const struct wa_buf *const all[] = {&r->output, &r->audit_output, &r->params, &r->keys,
                                        &r->setup_py};
    for (size_t i = 0; i < WA_COUNT(all); i++)
        if (wa_buf_check(all[i], err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code read_row(struct wa_stmt *s, struct wa_old_row *r, const char **ret_problem,
                             struct wa_err *err)
{
    if (read_control(s, &r->control, err) != WA_OK)
        return err->code;
    *ret_problem = problem_of(&r->control, err);
    if (*ret_problem != NULL)
        return err->code == WA_OK ? short_text(s, 0, r->note, sizeof r->note, err) : err->code;
    if (read_state(s, r, err) != WA_OK || read_params(wa_col_sv(s, C_PARAMS), r, err) != WA_OK ||
        wa_old_keys(wa_col_sv(s, C_KEYS), &r->keys, err) != WA_OK)
        return err->code;
    read_script(wa_col_sv(s, C_SETUP), r);
    return check_bufs(r, err);
}

enum wa_code wa_old_db_rows(struct wa_db *db, wa_old_row_fn fn, void *user, struct wa_err *err)
{
    struct wa_stmt *s;
    bool found = false;
    size_t count = 0;
    if (wa_db_prepare(db, rows_sql, &s, err) != WA_OK)
        return err->code;
    enum wa_code code = wa_step(s, &found, err);
    while (code == WA_OK && found) {
        struct wa_old_row r;
        const char *problem = NULL;
        if (++count > WA_OLD_ROWS_MAX) {
            code = wa_fail(err, WA_E_LIMIT, "it has more than %u packages", WA_OLD_ROWS_MAX);
            break;
        }
        row_init(&r);
        code = read_row(s, &r, &problem, err);
        if (code == WA_OK)
            code = fn(user, &r, problem, err);
        row_fini(&r);
        if (code == WA_OK)
            code = wa_step(s, &found, err);
    }
    wa_reset(s);
    return code;
}

/* --- parameters --- */

enum wa_code wa_old_db_uuid(struct wa_db *db, struct wa_buf *out, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT value FROM " PARAMS " WHERE name = 'uuid'", &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (row && wa_hostid_is_valid(wa_col_sv(s, 0)))
        wa_buf_addsv(out, wa_col_sv(s, 0));
    wa_reset(s);
    return wa_buf_check(out, err);
}

/* Adds a member; false: the value is none of its type, or memory ran out (in err). */
static bool add_value(struct wa_jw *w, struct wa_sv name, struct wa_sv value, struct wa_sv type,
                      struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    struct wa_err why = WA_ERR_INIT;
    const struct wa_json *j = NULL;
    bool is_json = wa_sv_eqs(type, "bool") || wa_sv_eqs(type, "json") || wa_sv_eqs(type, "int") ||
                   wa_sv_eqs(type, "float");
    wa_arena_init(&arena, 16 * WA_SCRIPT_STORE_MAX);
    if (is_json ? wa_json_parse(value, 0, &arena, &j, &why) != WA_OK
                : !wa_utf8_valid(value) || memchr(value.p, '\0', value.n) != NULL) {
        if (why.code == WA_E_NOMEM)
            *err = why;
        return false;
    }
    wa_jw_keysv(w, name);
    if (is_json)
        wa_jw_json(w, j);
    else
        wa_jw_sv(w, value);
    return true;
}

/* Those of WAPT itself, and what belongs to a repository, are left out. */
static const char values_sql[] =
    "SELECT name, value, ptype FROM " PARAMS
    " WHERE typeof(name) = 'text' AND name <> '' AND value IS NOT NULL AND name NOT IN "
    "('db_version', 'uuid', 'hostname', 'status_revision', 'runstatus', 'last_update_status', "
    "'last_update_server_hashes', 'last_update_server_status_timestamp', 'last_external_ip', "
    "'domain_info', 'last_domain_info_date', 'host_ad_groups_ttl', 'host_ad_groups', "
    "'host_certificate_fingerprint', 'host_certificate_authority_key_identifier', "
    "'host_capabilities_fingerprint', 'host_organizational_unit_dn', 'next_update_on') AND name "
    "NOT LIKE 'last-%' AND name NOT LIKE 'next-update-%' AND name NOT LIKE 'repo\\_rules%' ESCAPE "
    "'\\' AND name NOT LIKE 'waptwua.%' AND name NOT LIKE 'host-status%' GROUP BY name ORDER BY "
    "name";

enum wa_code wa_old_db_values(struct wa_db *db, struct wa_buf *out, size_t *ret_left_out,
                              struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_jw w;
    bool row = false;
    size_t left_out = 0, bytes = 0;
    if (wa_db_prepare(db, values_sql, &s, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    enum wa_code code;
    for (code = wa_step(s, &row, err); code == WA_OK && row;
         code = err->code == WA_OK ? wa_step(s, &row, err) : err->code) {
        struct wa_sv name = wa_col_sv(s, 0), value = wa_col_sv(s, 1);
        size_t room = 6 * (name.n + value.n) + 8; /* if each byte is escaped */
        if (name.n > WA_NAME_MAX || room > WA_SCRIPT_STORE_MAX ||
            bytes + room > WA_SCRIPT_STORE_MAX || !wa_utf8_valid(name) ||
            !add_value(&w, name, value, wa_col_sv(s, 2), err))
            left_out++;
        else
            bytes += room;
    }
    wa_jw_end(&w);
    if (code != WA_OK || wa_buf_check(out, err) != WA_OK) {
        wa_reset(s);
        return err->code;
    }
    *ret_left_out = left_out;
    return WA_OK;
}
