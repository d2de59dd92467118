/* store_schema.c - the schema of the server's database, as steps that bring any older one up. A
 * step that was ever released is never changed: what it missed comes in the next. */
#include "server/store_db.h"

/* For SQLite and PostgreSQL alike: whole numbers are BIGINT, "user" is quoted. */
static const struct wa_migration migrations[] = {
    {1,
     "CREATE TABLE hosts (uuid TEXT PRIMARY KEY, certificate TEXT NOT NULL, registered_at BIGINT "
     "NOT NULL, registered_by TEXT NOT NULL, last_seen BIGINT NOT NULL, last_seq BIGINT NOT NULL, "
     "reachable BIGINT NOT NULL DEFAULT 0, name TEXT NOT NULL DEFAULT '', fqdn TEXT NOT NULL "
     "DEFAULT '', os TEXT NOT NULL DEFAULT '', status TEXT NOT NULL DEFAULT '');"
     "CREATE TABLE sections (uuid TEXT NOT NULL REFERENCES hosts (uuid) ON DELETE CASCADE, section "
     "TEXT NOT NULL, content TEXT NOT NULL, PRIMARY KEY (uuid, section));"
     "CREATE TABLE tokens (sha256 TEXT PRIMARY KEY, expires BIGINT NOT NULL, uses BIGINT NOT NULL);"
     "CREATE TABLE users (name TEXT PRIMARY KEY, hash TEXT NOT NULL);"
     "CREATE TABLE sessions (sha256 TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, expires BIGINT NOT "
     "NULL);"
     "CREATE TABLE actions (id TEXT PRIMARY KEY, batch TEXT NOT NULL, uuid TEXT NOT NULL, kind "
     "TEXT "
     "NOT NULL, orders TEXT NOT NULL, not_before BIGINT NOT NULL, not_after BIGINT NOT NULL, "
     "signer "
     "TEXT NOT NULL, state TEXT NOT NULL, code TEXT NOT NULL DEFAULT '', message TEXT NOT NULL "
     "DEFAULT '', packages TEXT NOT NULL DEFAULT '', created BIGINT NOT NULL, updated BIGINT NOT "
     "NULL);"
     "CREATE INDEX actions_batch ON actions (batch);"
     "CREATE INDEX actions_waiting ON actions (uuid, state)"},
    {2, "ALTER TABLE sections ADD COLUMN digest TEXT NOT NULL DEFAULT ''"},
    /* What changes with each report stands apart from what is large; who is connected is not
     * written at all. */
    {3, "CREATE TABLE presence (uuid TEXT PRIMARY KEY REFERENCES hosts (uuid) ON DELETE CASCADE, "
        "last_seen BIGINT NOT NULL, last_seq BIGINT NOT NULL);"
        "INSERT INTO presence SELECT uuid, last_seen, last_seq FROM hosts;"
        "ALTER TABLE hosts DROP COLUMN last_seen;"
        "ALTER TABLE hosts DROP COLUMN last_seq;"
        "ALTER TABLE hosts DROP COLUMN reachable;"
        "ALTER TABLE users ADD COLUMN role TEXT NOT NULL DEFAULT 'superadmin';"
        "ALTER TABLE users ADD COLUMN is_disabled BIGINT NOT NULL DEFAULT 0;"
        "CREATE INDEX actions_due ON actions (state, not_before)"},
    {4, "CREATE TABLE journal (node TEXT NOT NULL, seq BIGINT NOT NULL, at BIGINT NOT NULL, digest "
        "TEXT NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (node, seq))"},
    /* Machines have numbers, for tables of many rows; what they say is there to be searched. */
    {5,
     "ALTER TABLE hosts ADD COLUMN number BIGINT;"
     "UPDATE hosts SET number = x.n FROM (SELECT uuid AS u, ROW_NUMBER() OVER (ORDER BY uuid) AS n "
     "FROM hosts) AS x WHERE x.u = hosts.uuid;"
     "CREATE UNIQUE INDEX hosts_number ON hosts (number);"
     "CREATE TABLE host_facts (host BIGINT PRIMARY KEY REFERENCES hosts (number) ON DELETE "
     "CASCADE, platform TEXT NOT NULL DEFAULT '', os_version TEXT NOT NULL DEFAULT '', kernel TEXT "
     "NOT NULL DEFAULT '', description TEXT NOT NULL DEFAULT '', manufacturer TEXT NOT NULL "
     "DEFAULT '', model TEXT NOT NULL DEFAULT '', cpu TEXT NOT NULL DEFAULT '', ips TEXT NOT NULL "
     "DEFAULT '', macs TEXT NOT NULL DEFAULT '', domain TEXT NOT NULL DEFAULT '', site TEXT NOT "
     "NULL DEFAULT '', dn TEXT NOT NULL DEFAULT '', serial TEXT NOT NULL DEFAULT '', chassis TEXT "
     "NOT NULL DEFAULT '', memory TEXT NOT NULL DEFAULT '', users TEXT NOT NULL DEFAULT '', "
     "last_user TEXT NOT NULL DEFAULT '', architecture TEXT NOT NULL DEFAULT '', agent_version "
     "TEXT NOT NULL DEFAULT '');"
     "CREATE TABLE software_titles (id BIGINT PRIMARY KEY, name TEXT NOT NULL, version TEXT NOT "
     "NULL, publisher TEXT NOT NULL, is_system BIGINT NOT NULL, version_key TEXT NOT NULL);"
     "CREATE UNIQUE INDEX software_titles_text ON software_titles (name, version, publisher, "
     "is_system);"
     "CREATE TABLE host_software (host BIGINT NOT NULL REFERENCES hosts (number) ON DELETE "
     "CASCADE, title BIGINT NOT NULL, PRIMARY KEY (host, title));"
     "CREATE INDEX host_software_title ON host_software (title, host);"
     "CREATE TABLE package_states (host BIGINT NOT NULL REFERENCES hosts (number) ON DELETE "
     "CASCADE, package TEXT NOT NULL, version TEXT NOT NULL, version_key TEXT NOT NULL, status "
     "TEXT NOT NULL, audit TEXT NOT NULL, audit_says TEXT NOT NULL, installed_at BIGINT NOT NULL, "
     "audited_at BIGINT NOT NULL, is_explicit BIGINT NOT NULL, PRIMARY KEY (host, package));"
     "CREATE INDEX package_states_package ON package_states (package, version_key);"
     "CREATE TABLE package_history (host BIGINT NOT NULL REFERENCES hosts (number) ON DELETE "
     "CASCADE, seq BIGINT NOT NULL, at BIGINT NOT NULL, event TEXT NOT NULL, package TEXT NOT "
     "NULL, version TEXT NOT NULL, was TEXT NOT NULL, status TEXT NOT NULL, PRIMARY KEY (host, "
     "seq));"
     "CREATE INDEX package_history_at ON package_history (at);"
     /* What came before these tables is asked for anew: a section without a digest is sent. */
     "UPDATE sections SET digest = ''"},
    /* perimeter "": all machines. What a machine is in outlives its registration, as its host
     * package does. */
    {6, "ALTER TABLE users ADD COLUMN perimeter TEXT NOT NULL DEFAULT '';"
        "CREATE TABLE memberships (uuid TEXT PRIMARY KEY, names TEXT NOT NULL)"},
    /* Several servers over one database: who they are, what each changed, which of them has a
     * machine's connection or has sent it an order. */
    {7,
     "CREATE TABLE nodes (name TEXT PRIMARY KEY, boot TEXT NOT NULL, beat BIGINT NOT NULL, leads "
     "BIGINT NOT NULL, started BIGINT NOT NULL, version TEXT NOT NULL);"
     "CREATE TABLE changes (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, node TEXT NOT NULL, kind "
     "TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL);"
     "ALTER TABLE presence ADD COLUMN node TEXT NOT NULL DEFAULT '';"
     "CREATE INDEX presence_node ON presence (node);"
     "ALTER TABLE actions ADD COLUMN node TEXT NOT NULL DEFAULT '';"
     "UPDATE actions SET state = 'queued' WHERE state = 'sent'"},
    {8,
     "CREATE TABLE certificates (serial TEXT PRIMARY KEY, uuid TEXT NOT NULL, key TEXT NOT NULL, "
     "certificate TEXT NOT NULL, issued BIGINT NOT NULL, not_after BIGINT NOT NULL, revoked "
     "BIGINT NOT NULL DEFAULT 0, reason TEXT NOT NULL DEFAULT '');"
     "CREATE INDEX certificates_uuid ON certificates (uuid, issued);"
     "CREATE INDEX certificates_revoked ON certificates (revoked)"},
    {9, "CREATE TABLE uploads (id TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, name TEXT NOT NULL, "
        "host TEXT NOT NULL, sha256 TEXT NOT NULL, size BIGINT NOT NULL, state TEXT NOT NULL, code "
        "TEXT NOT NULL, message TEXT NOT NULL, created BIGINT NOT NULL, touched BIGINT NOT NULL);"
        "CREATE INDEX uploads_of ON uploads (\"user\", state)"},
    /* Reports; whose machines a run shows, on PostgreSQL; what software is called in reports. */
    {10,
     "CREATE TABLE reports (name TEXT PRIMARY KEY, about TEXT NOT NULL, query TEXT NOT NULL, "
     "author TEXT NOT NULL, changed_at BIGINT NOT NULL);"
     "CREATE TABLE report_scopes (name TEXT PRIMARY KEY, hosts TEXT NOT NULL, at BIGINT NOT NULL);"
     "CREATE TABLE software_rules (seq BIGINT PRIMARY KEY, pattern TEXT NOT NULL, name TEXT NOT "
     "NULL);"
     "ALTER TABLE software_titles ADD COLUMN normal_name TEXT NOT NULL DEFAULT '';"
     "UPDATE software_titles SET normal_name = name"},
    /* What is secret is sealed (totp) or a digest. */
    {11, "ALTER TABLE users ADD COLUMN origin TEXT NOT NULL DEFAULT 'local';"
         "ALTER TABLE users ADD COLUMN totp TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE users ADD COLUMN totp_new TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE users ADD COLUMN totp_step BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE users ADD COLUMN needs_totp BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE users ADD COLUMN last_login BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE sessions ADD COLUMN method TEXT NOT NULL DEFAULT 'password';"
         "ALTER TABLE sessions ADD COLUMN peer TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE sessions ADD COLUMN created BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE sessions ADD COLUMN used BIGINT NOT NULL DEFAULT 0;"
         "UPDATE sessions SET created = expires - 3600, used = expires - 3600;"
         "CREATE INDEX sessions_user ON sessions (\"user\");"
         "CREATE TABLE api_tokens (sha256 TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, name TEXT NOT "
         "NULL, rights TEXT NOT NULL, perimeter TEXT NOT NULL, created BIGINT NOT NULL, expires "
         "BIGINT NOT NULL, used BIGINT NOT NULL);"
         "CREATE INDEX api_tokens_user ON api_tokens (\"user\");"
         "CREATE TABLE recovery_codes (\"user\" TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY "
         "(\"user\", sha256));"
         "CREATE TABLE user_certificates (sha256 TEXT PRIMARY KEY, \"user\" TEXT NOT NULL)"},
    /* From where a chain of the journal goes on that was trimmed. */
    {12, "CREATE TABLE journal_bases (node TEXT PRIMARY KEY, seq BIGINT NOT NULL, digest TEXT NOT "
         "NULL)"},
    /* Roll-outs; their machines are actions, by the ring that they are in. */
    {13,
     "CREATE TABLE rollouts (id TEXT PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, owner "
     "TEXT NOT NULL, signer TEXT NOT NULL, orders TEXT NOT NULL, plan TEXT NOT NULL, state TEXT "
     "NOT NULL, reason TEXT NOT NULL DEFAULT '', ring BIGINT NOT NULL DEFAULT 0, ring_since BIGINT "
     "NOT NULL, forgiven BIGINT NOT NULL DEFAULT 0, is_open BIGINT NOT NULL DEFAULT 0, not_before "
     "BIGINT NOT NULL, not_after BIGINT NOT NULL, created BIGINT NOT NULL, updated BIGINT NOT "
     "NULL);"
     "CREATE INDEX rollouts_state ON rollouts (state);"
     "ALTER TABLE actions ADD COLUMN ring BIGINT NOT NULL DEFAULT 0"},
    {14,
     "CREATE TABLE webhooks (id TEXT PRIMARY KEY, url TEXT NOT NULL, kinds TEXT NOT NULL, secret "
     "TEXT NOT NULL, created BIGINT NOT NULL, created_by TEXT NOT NULL, is_disabled BIGINT NOT "
     "NULL DEFAULT 0, tries BIGINT NOT NULL DEFAULT 0, failed_since BIGINT NOT NULL DEFAULT 0, due "
     "BIGINT NOT NULL DEFAULT 0, missed BIGINT NOT NULL DEFAULT 0, last_at BIGINT NOT NULL DEFAULT "
     "0, last_result TEXT NOT NULL DEFAULT '', last_count BIGINT NOT NULL DEFAULT 0);"
     "CREATE TABLE webhook_queue (hook TEXT NOT NULL, number BIGINT NOT NULL, event TEXT NOT NULL, "
     "PRIMARY KEY (hook, number))"},
    /* One machine an account of a directory: see store_ticket.c. */
    {15,
     "CREATE TABLE host_accounts (uuid TEXT PRIMARY KEY REFERENCES hosts (uuid) ON DELETE CASCADE, "
     "account TEXT NOT NULL UNIQUE)"},
    /* Searches and counts of packages read nothing but the index. */
    {16, "DROP INDEX package_states_package;"
         "CREATE INDEX package_states_search ON package_states (package, version_key, version, "
         "status, audit, host)"},
    /* Who somebody is at another who vouches for him, whatever his name; what proves it once; the
     * certificate that a session is bound to. */
    {17, "ALTER TABLE users ADD COLUMN subject TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE sessions ADD COLUMN certificate TEXT NOT NULL DEFAULT '';"
         "CREATE TABLE used_proofs (id TEXT PRIMARY KEY, until BIGINT NOT NULL)"},
    /* What somebody's console keeps: lists as they were cut and sorted. Certificates by their end.
     */
    {18, "CREATE TABLE views (\"user\" TEXT NOT NULL, name TEXT NOT NULL, content TEXT NOT NULL, "
         "changed_at BIGINT NOT NULL, PRIMARY KEY (\"user\", name));"
         "CREATE INDEX certificates_not_after ON certificates (not_after)"},
    /* What machines go by, and what is wrong with their packages; what came before is asked for
     * anew. */
    {19, "ALTER TABLE host_facts ADD COLUMN windows TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE host_facts ADD COLUMN waits TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE host_facts ADD COLUMN held TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE host_facts ADD COLUMN orderers TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE host_facts ADD COLUMN window_begin BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN window_end BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN frozen_until BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN utc_offset BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN root_version BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN errors BIGINT NOT NULL DEFAULT 0;"
         "ALTER TABLE host_facts ADD COLUMN upgrades BIGINT NOT NULL DEFAULT 0;"
         "UPDATE sections SET digest = '' WHERE section IN ('installed_packages', "
         "'last_update_status')"},
    /* What was ordered together; of what came before, what its orders say. */
    {20,
     "CREATE TABLE batches (id TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, kind TEXT NOT NULL, what "
     "TEXT NOT NULL, signer TEXT NOT NULL, orders BIGINT NOT NULL, created BIGINT NOT NULL);"
     "CREATE INDEX batches_created ON batches (created, id);"
     "INSERT INTO batches SELECT batch, '', MIN(kind), '', MIN(signer), COUNT(*), MIN(created) "
     "FROM actions WHERE batch NOT IN (SELECT id FROM rollouts) GROUP BY batch"},
    /* When something was done last; each server's clock at its last beat. */
    {21, "CREATE TABLE marks (name TEXT PRIMARY KEY, at BIGINT NOT NULL);"
         "ALTER TABLE nodes ADD COLUMN clock BIGINT NOT NULL DEFAULT 0"},
    /* Counts of a batch and of a roll-out's rings read nothing but the index, and the machines of a
     * batch come in their order. */
    {22, "DROP INDEX actions_batch;"
         "CREATE INDEX actions_of_batch ON actions (batch, uuid, ring, state, not_after)"},
    /* Orders that are long over go; of those that are over, their text. */
    {23, "CREATE INDEX actions_not_after ON actions (not_after);"
         "UPDATE actions SET orders = '' WHERE state IN ('done', 'failed', 'refused', 'cancelled') "
         "AND orders <> ''"},
    /* By what a provider is asked again for a session, sealed, and when; and of sessions that have
     * ended, until the provider was told. */
    {24, "ALTER TABLE sessions ADD COLUMN sealed TEXT NOT NULL DEFAULT '';"
         "ALTER TABLE sessions ADD COLUMN due BIGINT NOT NULL DEFAULT 0;"
         "CREATE INDEX sessions_due ON sessions (due);"
         "CREATE TABLE ended_grants (session TEXT PRIMARY KEY, \"user\" TEXT NOT NULL, sealed TEXT "
         "NOT NULL)"},
    /* What an upgrade of a machine would change; what came before is asked for anew. */
    {25, "CREATE TABLE package_due (host BIGINT NOT NULL REFERENCES hosts (number) ON DELETE "
         "CASCADE, package TEXT NOT NULL, version TEXT NOT NULL, version_key TEXT NOT NULL, "
         "PRIMARY KEY (host, package));"
         "CREATE INDEX package_due_search ON package_due (package, version_key, version, host);"
         "UPDATE sections SET digest = '' WHERE section = 'last_update_status'"},
    /* What is new in lists is reported again. */
    {26, "ALTER TABLE host_facts ADD COLUMN repositories TEXT NOT NULL DEFAULT '';"
         "UPDATE sections SET digest = '' WHERE section = 'host_info'"},
    /* The digest before what is long: SQLite goes through all of a row's pages to what stands
     * behind it, and each report reads the digests of all sections. */
    {27, "CREATE TABLE sections_by_digest (uuid TEXT NOT NULL REFERENCES hosts (uuid) ON DELETE "
         "CASCADE, section TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '', content TEXT NOT NULL, "
         "PRIMARY KEY (uuid, section));"
         "INSERT INTO sections_by_digest SELECT uuid, section, digest, content FROM sections;"
         "DROP TABLE sections;"
         "ALTER TABLE sections_by_digest RENAME TO sections"},
    /* What machines do, as each told it last while somebody looked. */
    {28, "CREATE TABLE queues (uuid TEXT PRIMARY KEY REFERENCES hosts (uuid) ON DELETE CASCADE, at "
         "BIGINT NOT NULL, content TEXT NOT NULL)"},
};

void wa_store_url(const char *dir, const char *database, char *url)
{
    if (database[0] != '\0')
        (void)snprintf(url, WA_STORE_URL, "%s", database);
    else
        (void)snprintf(url, WA_STORE_URL, "sqlite:%s/db/waptserver.sqlite", dir);
}

enum wa_code wa_store_open_as_it_is(const char *dir, const char *database, struct wa_db **ret,
                                    struct wa_err *err)
{
    char url[WA_STORE_URL];
    wa_store_url(dir, database, url);
    return wa_db_open(url, ret, err) == WA_OK ? WA_OK
                                              : wa_wrap(err, "opening the server's database");
}

enum wa_code wa_store_mark(struct wa_db *db, const char *name, int64_t at, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db,
                      "INSERT INTO marks (name, at) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET "
                      "at = excluded.at",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, at);
    return wa_run(s, err);
}

enum wa_code wa_store_marked(struct wa_db *db, const char *name, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    if (wa_db_prepare(db, "SELECT at FROM marks WHERE name = ?", &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, name);
    if (wa_step(s, &row, err) != WA_OK)
        return err->code;
    *ret = row ? wa_col_i64(s, 0) : 0;
    if (row)
        wa_reset(s);
    return WA_OK;
}

int64_t wa_store_version(void)
{
    return (int64_t)WA_COUNT(migrations);
}

enum wa_code wa_store_migrate(struct wa_db *db, int64_t version, struct wa_err *err)
{
    if (version < 1 || version > wa_store_version())
        return wa_fail(err, WA_E_CONFIG,
                       "version %lld of the database is not one that this program knows (1 to "
                       "%lld): install the newer program",
                       (long long)version, (long long)wa_store_version());
    return wa_db_migrate(db, migrations, (size_t)version, err);
}

enum wa_code wa_store_open(const char *dir, const char *database, struct wa_db **ret,
                           struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    if (wa_store_open_as_it_is(dir, database, &db, err) != WA_OK)
        return err->code;
    if (wa_store_migrate(db, wa_store_version(), err) != WA_OK)
        return wa_wrap(err, "opening the server's database");
    *ret = db;
    db = NULL;
    return WA_OK;
}
