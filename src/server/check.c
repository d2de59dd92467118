/* check.c - what can be wrong with a server. Files are looked at first, as whoever asks; then root
 * gives up its rights, and the database and the repository are read with none: both are written by
 * processes that face the network.
 */
#include "server/check.h"

#include <stdarg.h>

#include "base/mem.h"
#include "base/text.h"
#include "codec/zip_read.h"
#include "os/clock.h"
#include "os/drives.h"
#include "os/fs.h"
#include "pkg/index.h"
#include "server/journal.h"
#include "server/role_common.h"
#include "server/store_db.h"
#include "sql/dump.h"

#define DAY_S 86400
#define SOON_S (30 * DAY_S)
#define LITTLE_BYTES (1ull << 30)
#define NONE_BYTES (64ull << 20)

const char *wa_finding_name(enum wa_finding s)
{
    static const char *const names[] = {"good", "unknown", "warning", "error"};
    return names[s];
}

void wa_finding_say(const struct wa_check_report *r, const char *what, enum wa_finding s,
                    const char *remedy, const char *fmt, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof text, wa_text(fmt), ap);
    va_end(ap);
    r->fn(r->user, what, s, text, remedy[0] != '\0' ? wa_text(remedy) : "");
}

/* --- files --- */

static void check_certificate(const struct wa_server_config *c, const struct wa_check_report *r)
{
    WA_AUTO_CERTS struct wa_certs chain = {NULL, 0, 0};
    WA_AUTO(wa_key) struct wa_key *key = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_server_tls(c, &chain, &key, &err) != WA_OK) {
        wa_finding_say(r, "certificate", WA_FINDING_ERROR,
                       WA_TEXT("put a good one there, with its key"), "%s", err.text);
        return;
    }
    int64_t left = wa_cert_not_after(chain.items[0]) - wa_clock_now();
    wa_finding_say(r, "certificate", left < SOON_S ? WA_FINDING_WARNING : WA_FINDING_GOOD,
                   left < SOON_S ? WA_TEXT("have a new one before then") : "",
                   "good for %lld more days", (long long)(left / DAY_S));
}

void wa_server_space(const struct wa_server_config *c, uint64_t *ret_bytes, unsigned *ret_percent)
{
    static const char *const names[] = {"", "db", "repo"};
    *ret_bytes = UINT64_MAX;
    *ret_percent = 100;
    for (size_t i = 0; i < WA_COUNT(names); i++) {
        char path[WA_PATH_MAX];
        uint64_t bytes = 0, total = 0;
        struct wa_err err = WA_ERR_INIT;
        if (wa_server_path(c, names[i], path, &err) != WA_OK ||
            wa_drive_space(path, &bytes, &total, &err) != WA_OK || total == 0)
            continue;
        unsigned percent = (unsigned)(bytes / (total / 100 + 1));
        *ret_bytes = bytes < *ret_bytes ? bytes : *ret_bytes;
        *ret_percent = percent < *ret_percent ? percent : *ret_percent;
    }
}

static void check_disk(const struct wa_server_config *c, const struct wa_check_report *r)
{
    uint64_t least = 0;
    unsigned percent = 0;
    wa_server_space(c, &least, &percent);
    bool is_little = least < LITTLE_BYTES || percent < WA_SPACE_SOON_PERCENT;
    enum wa_finding s = least < NONE_BYTES ? WA_FINDING_ERROR
                        : is_little        ? WA_FINDING_WARNING
                                           : WA_FINDING_GOOD;
    wa_finding_say(
        r, "disk", s, s == WA_FINDING_GOOD ? "" : WA_TEXT("make room, or move the repository"),
        "%llu MiB free, %u percent of the disk", (unsigned long long)(least >> 20), percent);
}

/* --- the repository --- */

struct repository {
    struct wa_dir dir;
    size_t entries, missing, other;
    char example[WA_NAME_MAX + 1];
};

static enum wa_code look_at_package(void *user, struct wa_control *c, struct wa_err *err)
{
    struct repository *p = user;
    struct wa_relpath name;
    struct wa_stat st;
    struct wa_err why = WA_ERR_INIT;
    uint64_t size = 0;
    WA_UNUSED(err);
    p->entries++;
    const char *file = wa_control_get(c, WA_A_FILENAME);
    bool is_there = wa_relpath_parse(wa_sv(file), &name, &why) == WA_OK &&
                    wa_file_stat(&p->dir, &name, &st, &why) == WA_OK;
    if (is_there && wa_sv_u64(wa_sv(wa_control_get(c, WA_A_SIZE)), &size) && st.size == size)
        return WA_OK;
    if (p->missing + p->other == 0)
        (void)snprintf(p->example, sizeof p->example, "%s", file);
    p->missing += !is_there;
    p->other += is_there;
    return WA_OK;
}

static enum wa_code read_index(struct repository *p, const char *path, struct wa_err *err)
{
    WA_AUTO_FD int fd = -1;
    WA_AUTO(wa_archive_members) struct wa_archive_members *members = NULL;
    struct wa_fd_source source;
    struct wa_relpath name;
    size_t bad = 0;
    if (wa_dir_open(path, &p->dir, err) != WA_OK ||
        wa_relpath_parse(WA_SV("Packages"), &name, err) != WA_OK ||
        wa_file_open(&p->dir, &name, &fd, err) != WA_OK ||
        wa_fd_source_init(&source, fd, err) != WA_OK ||
        wa_archive_members_open(&source.base, &members, err) != WA_OK)
        return err->code;
    return wa_index_each(wa_archive_members_get(members), look_at_package, p, &bad, err);
}

static void check_repository(const char *path, const struct wa_check_report *r)
{
    struct repository p = {.dir = WA_DIR_INIT};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code = read_index(&p, path, &err);
    if (code == WA_E_NOT_FOUND)
        wa_finding_say(r, "repository", WA_FINDING_GOOD, "", "no package yet");
    else if (code != WA_OK)
        wa_finding_say(r, "repository", WA_FINDING_ERROR,
                       WA_TEXT("make the index anew: wapt-scanpackages"), "%s", err.text);
    else if (p.missing + p.other > 0)
        wa_finding_say(r, "repository", WA_FINDING_ERROR,
                       WA_TEXT("put the files back, or make the index anew: wapt-scanpackages"),
                       "of %zu packages of the index %zu are missing and %zu of another size, like "
                       "'%s'",
                       p.entries, p.missing, p.other, p.example);
    else
        wa_finding_say(r, "repository", WA_FINDING_GOOD, "", "%zu packages, as the index says",
                       p.entries);
    wa_dir_close(&p.dir);
}

/* --- the database --- */

static void check_integrity(struct wa_db *db, const struct wa_check_report *r)
{
    struct wa_err err = WA_ERR_INIT;
    char found[512] = "";
    if (wa_db_check(db, found, sizeof found, &err) != WA_OK)
        wa_finding_say(r, "database", WA_FINDING_ERROR, WA_TEXT("restore a backup"), "%s",
                       err.text);
    else if (found[0] != '\0')
        wa_finding_say(r, "database", WA_FINDING_ERROR, WA_TEXT("restore a backup"), "%s", found);
    else
        wa_finding_say(r, "database", WA_FINDING_GOOD, "", "%s", wa_db_driver(db));
}

/* Whether the tables are those of this program. */
static bool check_version(struct wa_db *db, const struct wa_check_report *r)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t have = 0, want = wa_store_version();
    if (wa_db_version(db, &have, &err) != WA_OK)
        wa_finding_say(r, "schema", WA_FINDING_ERROR, "", "%s", err.text);
    else if (have > want)
        wa_finding_say(r, "schema", WA_FINDING_ERROR, WA_TEXT("install the newer program"),
                       "version %lld; this program knows %lld", (long long)have, (long long)want);
    else if (have < want)
        wa_finding_say(r, "schema", WA_FINDING_WARNING,
                       WA_TEXT("the next start brings it up: back up before"),
                       "version %lld; this program has %lld", (long long)have, (long long)want);
    else
        wa_finding_say(r, "schema", WA_FINDING_GOOD, "", "version %lld", (long long)have);
    return err.code == WA_OK && have == want;
}

static void check_journal(struct wa_db *db, const struct wa_server_config *c,
                          const struct wa_check_report *r)
{
    struct wa_err err = WA_ERR_INIT;
    uint64_t count = 0;
    if (wa_server_journal_verify(db, c->node, NULL, &count, &err) == WA_OK)
        wa_finding_say(r, "journal", WA_FINDING_GOOD, "", "%llu entries, each in its place",
                       (unsigned long long)count);
    else
        wa_finding_say(
            r, "journal", WA_FINDING_ERROR,
            WA_TEXT("find out who may write the database; 'waptserver journal export' keeps what "
                    "there is"),
            "%s", err.text);
}

/* All chains. It keeps what was done for ever, so somebody has to take the old part elsewhere. */
static void check_journal_size(struct wa_db *db, const struct wa_check_report *r)
{
    struct wa_stmt *s;
    struct wa_err err = WA_ERR_INIT;
    int64_t count = 0;
    bool row = false;
    if (wa_db_prepare(db, "SELECT COUNT(*) FROM journal", &s, &err) != WA_OK ||
        wa_step(s, &row, &err) != WA_OK) {
        wa_finding_say(r, "journal size", WA_FINDING_UNKNOWN, "", "%s", err.text);
        return;
    }
    if (row) {
        count = wa_col_i64(s, 0);
        wa_reset(s);
    }
    bool is_long = count > WA_JOURNAL_LONG;
    wa_finding_say(r, "journal size", is_long ? WA_FINDING_WARNING : WA_FINDING_GOOD,
                   is_long
                       ? WA_TEXT("'waptserver journal export FILE --trim' takes its old entries "
                                 "to a file, which 'journal verify --archive' can check")
                       : "",
                   "%lld entries", (long long)count);
}

static void check_nodes(struct wa_db *db, const struct wa_check_report *r)
{
    WA_AUTO_BUF struct wa_buf names;
    struct wa_stmt *s;
    struct wa_err err = WA_ERR_INIT;
    bool row = true;
    wa_buf_init(&names, 4096);
    if (wa_db_prepare(db, "SELECT name, leads FROM nodes ORDER BY name", &s, &err) == WA_OK)
        while (wa_step(s, &row, &err) == WA_OK && row)
            wa_buf_addf(&names, "%s%.*s%s", names.n > 0 ? ", " : "", WA_SV_ARG(wa_col_sv(s, 0)),
                        wa_col_i64(s, 1) != 0 ? wa_text(" (leads)") : "");
    if (err.code != WA_OK || wa_buf_check(&names, &err) != WA_OK)
        wa_finding_say(r, "servers", WA_FINDING_ERROR, "", "%s", err.text);
    else
        wa_finding_say(r, "servers", WA_FINDING_GOOD, "", "%s",
                       names.n > 0 ? wa_buf_str(&names) : wa_text("none runs"));
}

static void check_backup(struct wa_db *db, const struct wa_check_report *r)
{
    struct wa_err err = WA_ERR_INIT;
    int64_t at = 0, now = wa_clock_now();
    if (wa_store_marked(db, "backup", &at, &err) != WA_OK)
        wa_finding_say(r, "backup", WA_FINDING_UNKNOWN, "", "%s", err.text);
    else if (at == 0)
        wa_finding_say(r, "backup", WA_FINDING_WARNING,
                       WA_TEXT("have 'waptserver backup' run each night, to another machine"),
                       "none was made since it was set up or restored");
    else
        wa_finding_say(r, "backup",
                       now - at > WA_BACKUP_OLD_S ? WA_FINDING_WARNING : WA_FINDING_GOOD,
                       now - at > WA_BACKUP_OLD_S
                           ? WA_TEXT("find out why 'waptserver backup' does not run any more")
                           : "",
                       "the last one is %lld days old", (long long)((now - at) / DAY_S));
}

/* The folder on the way to path, an absolute one, which this process may not enter; "": it may
 * enter all of them. */
static void find_closed(const char *path, char ret[WA_PATH_MAX])
{
    char before[WA_PATH_MAX] = "/";
    struct wa_stat st;
    ret[0] = '\0';
    for (const char *p = path; *p != '\0';) {
        struct wa_err err = WA_ERR_INIT;
        char so_far[WA_PATH_MAX];
        p += 1 + strcspn(p + 1, "/");
        (void)snprintf(so_far, sizeof so_far, "%.*s", (int)(p - path), path);
        if (wa_path_stat(so_far, &st, &err) == WA_E_DENIED) {
            memcpy(ret, before, sizeof before);
            return;
        }
        memcpy(before, so_far, sizeof before);
    }
}

/* It could not be looked at: why, where that is no more than a folder's mode. */
static void say_no_database(const struct wa_server_config *c, const struct wa_check_report *r,
                            enum wa_finding s, const char *remedy, const struct wa_err *why)
{
    char db[WA_PATH_MAX], closed[WA_PATH_MAX] = "";
    struct wa_err ignored = WA_ERR_INIT;
    if (c->database[0] == '\0' && wa_server_path(c, "db", db, &ignored) == WA_OK)
        find_closed(db, closed);
    if (closed[0] != '\0')
        wa_finding_say(r, "database", WA_FINDING_ERROR,
                       WA_TEXT("let it be entered (chmod o+x), or put the server elsewhere"),
                       "the folder '%s' is closed to the server's account", closed);
    else
        wa_finding_say(r, "database", s, remedy, "%s", why->text);
}

static void check_database(const struct wa_server_config *c, const struct wa_check_report *r)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    struct wa_err err = WA_ERR_INIT;
    if (wa_store_open_as_it_is(c->dir, c->database, &db, &err) != WA_OK) {
        say_no_database(c, r, WA_FINDING_ERROR, WA_TEXT("start it, or correct its address"), &err);
        return;
    }
    check_integrity(db, r);
    if (!check_version(db, r))
        return; /* what follows asks for tables that may not be there */
    check_journal(db, c, r);
    check_journal_size(db, r);
    check_backup(db, r);
    if (c->database[0] != '\0')
        check_nodes(db, r);
}

void wa_server_check(const struct wa_server_config *c, const struct wa_check_report *r)
{
    char repo[WA_PATH_MAX];
    const char *const reads[] = {repo, NULL};
    struct wa_err err = WA_ERR_INIT;
    wa_server_check_rights(c, r);
    check_certificate(c, r);
    wa_server_check_keys(c, r);
    check_disk(c, r);
    if (wa_server_path(c, "repo/wapt", repo, &err) != WA_OK ||
        wa_server_drop_to_db(c, 0, reads, "waptserver/check", &err) != WA_OK) {
        say_no_database(c, r, WA_FINDING_UNKNOWN, "", &err);
        return;
    }
    check_repository(repo, r);
    check_database(c, r);
}
