/* dump_sql.c - what each driver is asked about its own tables, and how a whole database gives way
 * to another. */
#include "sql/dump.h"
#include "sql/dump_priv.h"

static const struct wa_dump_catalogue sqlite = {
    .tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
              "ESCAPE '\\' ORDER BY name",
    .columns = "SELECT name, type FROM pragma_table_info(?) ORDER BY cid",
    .references = "SELECT \"table\" FROM pragma_foreign_key_list(?)",
    .snapshot = "BEGIN",
    .check = "PRAGMA quick_check(1)",
    .has_schema = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_version'",
};

static const struct wa_dump_catalogue postgresql = {
    .tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1",
    .columns = "SELECT column_name, data_type FROM information_schema.columns WHERE table_schema = "
               "current_schema() AND table_name = ? ORDER BY ordinal_position",
    .references =
        "SELECT t.relname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_class "
        "t ON t.oid = k.confrelid JOIN pg_namespace n ON n.oid = c.relnamespace WHERE k.contype = "
        "'f' AND n.nspname = current_schema() AND c.relname = ?",
    .snapshot = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    .check = "SELECT 'ok'",
    .has_schema = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = "
                  "'schema_version'",
    .has_cursors = true,
    .replace_begin = "SELECT set_config('wapt.home', current_schema(), false);"
                     "DROP SCHEMA IF EXISTS wapt_restore CASCADE;"
                     "CREATE SCHEMA wapt_restore;"
                     "SET search_path TO wapt_restore",
    /* What is replaced are the relations that come, no others that may be there too. */
    .replace_finish =
        "BEGIN; SELECT pg_advisory_xact_lock(2002874484);"
        "DO $$ DECLARE r record; home text := current_setting('wapt.home'); BEGIN "
        "FOR r IN SELECT c.relname AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname = 'wapt_restore' AND c.relkind IN ('r', 'v') "
        "LOOP "
        "IF r.kind = 'v' THEN EXECUTE format('DROP VIEW IF EXISTS %I.%I CASCADE', home, r.name); "
        "ELSE EXECUTE format('DROP TABLE IF EXISTS %I.%I CASCADE', home, r.name); END IF; "
        "END LOOP; "
        "FOR r IN SELECT c.relname AS name, c.relkind AS kind FROM pg_class c JOIN pg_namespace n "
        "ON n.oid = c.relnamespace WHERE n.nspname = 'wapt_restore' AND c.relkind IN ('r', 'v') "
        "LOOP "
        "IF r.kind = 'v' THEN EXECUTE format('ALTER VIEW wapt_restore.%I SET SCHEMA %I', r.name, "
        "home); "
        "ELSE EXECUTE format('ALTER TABLE wapt_restore.%I SET SCHEMA %I', r.name, home); END IF; "
        "END LOOP; "
        "END $$;"
        "DROP SCHEMA wapt_restore; COMMIT",
};

const struct wa_dump_catalogue *wa_dump_catalogue(const struct wa_db *db)
{
    return strcmp(wa_db_driver(db), "sqlite") == 0 ? &sqlite : &postgresql;
}

enum wa_code wa_db_version(struct wa_db *db, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, wa_dump_catalogue(db)->has_schema, &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    if (!row) {
        *ret = 0;
        return WA_OK;
    }
    wa_reset(s);
    if (wa_db_prepare(db, "SELECT MAX(version) FROM schema_version", &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_db_check(struct wa_db *db, char *found, size_t size, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, wa_dump_catalogue(db)->check, &s, err) != WA_OK ||
        wa_step(s, &row, err) != WA_OK)
        return err->code;
    bool is_good = row && wa_sv_eqs(wa_col_sv(s, 0), "ok");
    (void)snprintf(found, size, "%.*s", is_good || !row ? 0 : (int)wa_col_sv(s, 0).n,
                   row ? wa_col_sv(s, 0).p : "");
    wa_reset(s);
    return WA_OK;
}

enum wa_code wa_db_replace_begin(struct wa_db *db, struct wa_err *err)
{
    const char *sql = wa_dump_catalogue(db)->replace_begin;
    return sql == NULL ? WA_OK : wa_db_exec(db, sql, err);
}

enum wa_code wa_db_replace_finish(struct wa_db *db, struct wa_err *err)
{
    const char *sql = wa_dump_catalogue(db)->replace_finish;
    if (sql != NULL && wa_db_exec(db, sql, err) != WA_OK)
        wa_db_rollback(db);
    return err->code;
}
