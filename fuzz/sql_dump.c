/* sql_dump - any lines as the rows of a database, as a backup brings them: taken whole or not at
 * all, and what was taken is given out again as what is taken again.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"
#include "sql/dump.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct wa_db *db;
    char dir[64], path[128];
} place;

static void check(enum wa_code code)
{
    if (code != WA_OK)
        abort();
}

static void clean(void)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    wa_db_close(place.db);
    for (size_t i = 0; i < WA_COUNT(ends); i++) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s%s", place.path, ends[i]);
        (void)unlink(path);
    }
    (void)rmdir(place.dir);
}

/* "child" comes before "parent", to which it refers. */
static void start(void)
{
    char url[160];
    struct wa_err err = WA_ERR_INIT;
    const char *tmp = getenv("TMPDIR");
    (void)snprintf(place.dir, sizeof place.dir, "%.40s/fuzz-dump.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(place.dir) == NULL)
        abort();
    (void)snprintf(place.path, sizeof place.path, "%s/dump.db", place.dir);
    (void)snprintf(url, sizeof url, "sqlite:%s", place.path);
    check(wa_db_open(url, &place.db, &err));
    (void)atexit(clean);
    check(
        wa_db_exec(place.db,
                   "PRAGMA synchronous = OFF;"
                   "CREATE TABLE parent (id BIGINT PRIMARY KEY, name TEXT);"
                   "CREATE TABLE child (id TEXT PRIMARY KEY, of BIGINT NOT NULL REFERENCES parent "
                   "(id), \"user\" TEXT NOT NULL, n BIGINT)",
                   &err));
}

static enum wa_code load_lines(struct wa_sv text, uint64_t *ret_rows, struct wa_err *err)
{
    WA_AUTO(wa_db_load) struct wa_db_load *l = NULL;
    struct wa_sv line;
    if (wa_db_load_new(place.db, &l, err) != WA_OK)
        return err->code;
    while (wa_sv_split(&text, '\n', &line) && (line.n > 0 || text.n > 0))
        if (wa_db_load_line(l, line, err) != WA_OK)
            return err->code;
    return wa_db_load_end(l, ret_rows, err);
}

/* Into the database, which is empty before. */
static bool load(struct wa_sv text, uint64_t *ret_rows)
{
    struct wa_err err = WA_ERR_INIT;
    check(wa_db_begin(place.db, &err));
    bool is_good = load_lines(text, ret_rows, &err) == WA_OK;
    wa_err_clear(&err);
    if (is_good)
        is_good = wa_db_commit(place.db, &err) == WA_OK;
    wa_err_clear(&err);
    if (!is_good)
        wa_db_rollback(place.db);
    return is_good;
}

static void dump(struct wa_buf *out)
{
    struct wa_buf_sink sink;
    struct wa_err err = WA_ERR_INIT;
    wa_buf_sink_init(&sink, out);
    check(wa_db_dump(place.db, &sink.base, &err));
    check(wa_db_exec(place.db, "DELETE FROM child; DELETE FROM parent", &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO_BUF struct wa_buf first;
    WA_AUTO_BUF struct wa_buf again;
    uint64_t rows = 0, rows_again = 0;
    wa_buf_init(&first, 64u << 20);
    wa_buf_init(&again, 64u << 20);
    if (size > (1u << 20))
        return 0;
    if (place.db == NULL)
        start();
    if (!load(wa_sv_n(data, size), &rows))
        return 0;
    dump(&first);
    if (!load(wa_buf_sv(&first), &rows_again) || rows != rows_again)
        abort();
    dump(&again);
    if (!wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&again)))
        abort();
    return 0;
}
