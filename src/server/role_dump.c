/* role_dump.c - the database to a pipe, and from one, in a process that has given up all else: what
 * a server's database holds, and its file, come from a process that faces the network.
 *
 *   dump  {"format":"wapt-database","schema":7,"driver":"sqlite"}, then lines of sql/dump.h
 *   load  {"force":false}, then what dump wrote: into the empty database of the configuration, or,
 *         with force, in place of what is there
 */
#include "base/mem.h"
#include "codec/json.h"
#include "os/clock.h"
#include "os/pipe.h"
#include "os/proc.h"
#include "server/journal.h"
#include "server/role_common.h"
#include "server/store_db.h"
#include "sql/dump.h"

#define IN_FD 0
#define OUT_FD 1
#define FORMAT "wapt-database"

/* --- dump --- */

static enum wa_code dump(const struct wa_server_config *c, struct wa_err *err)
{
    WA_AUTO(wa_db) struct wa_db *db = NULL;
    WA_AUTO_BUF struct wa_buf head;
    struct wa_fd_sink out;
    struct wa_jw w;
    int64_t version = 0;
    wa_buf_init(&head, 1024);
    if (wa_server_drop_to_db(c, 0, NULL, "waptserver/dump", err) != WA_OK ||
        wa_store_open_as_it_is(c->dir, c->database, &db, err) != WA_OK ||
        wa_db_version(db, &version, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &head);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "format", FORMAT);
    wa_jw_kvi(&w, "schema", version);
    wa_jw_kv(&w, "driver", wa_db_driver(db));
    wa_jw_kvi(&w, "at", wa_clock_now());
    wa_jw_end(&w);
    wa_buf_addc(&head, '\n');
    wa_fd_sink_init(&out, OUT_FD);
    if (wa_buf_check(&head, err) != WA_OK ||
        out.base.write(&out.base, head.p, head.n, err) != WA_OK)
        return err->code;
    return wa_db_dump(db, &out.base, err);
}

/* --- load --- */

struct load {
    const struct wa_server_config *config;
    struct wa_db *db;
    struct wa_db_load *rows;
    bool has_order, is_forced;
    int64_t at; /* when the dump was made */
};

/* Nobody's data is replaced unasked, and nobody's who works with it. */
static enum wa_code check_target(struct load *l, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = false;
    int64_t version = 0;
    char name[64] = "";
    if (l->is_forced || wa_db_version(l->db, &version, err) != WA_OK || version == 0)
        return err->code;
    if (version >= 7) { /* there are nodes */
        if (wa_db_prepare(l->db, "SELECT name FROM nodes LIMIT 1", &s, err) != WA_OK ||
            wa_step(s, &row, err) != WA_OK)
            return err->code;
        if (row)
            wa_col_text(s, 0, name, sizeof name);
        wa_reset(s);
    }
    if (row)
        return wa_fail(err, WA_E_BUSY,
                       "server '%s' uses the database, or died: stop it; if it is dead, --force",
                       name);
    return wa_fail(err, WA_E_EXISTS, "there is a server's database already: --force replaces it");
}

static enum wa_code begin(struct load *l, struct wa_sv line, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    int64_t version = 0;
    wa_arena_init(&arena, 64u << 10);
    if (wa_json_parse(line, 0, &arena, &j, err) != WA_OK)
        return err->code;
    if (!l->has_order) {
        l->has_order = true;
        l->is_forced = wa_json_bool(wa_json_get(j, "force"));
        return WA_OK;
    }
    if (!wa_sv_eqs(wa_json_sv(wa_json_get(j, "format")), FORMAT) ||
        !wa_json_i64(wa_json_get(j, "schema"), &version) ||
        !wa_json_i64(wa_json_get(j, "at"), &l->at))
        return wa_fail(err, WA_E_INVALID, "this is no dump of a server's database");
    if (check_target(l, err) != WA_OK || wa_db_replace_begin(l->db, err) != WA_OK ||
        wa_store_migrate(l->db, version, err) != WA_OK || wa_db_begin(l->db, err) != WA_OK)
        return err->code;
    return wa_db_load_new(l->db, &l->rows, err);
}

static enum wa_code take_line(struct load *l, struct wa_sv line, struct wa_err *err)
{
    return l->rows == NULL ? begin(l, line, err) : wa_db_load_line(l->rows, line, err);
}

/* What was true of the servers that ran then is not any more, and the journal says what happened.
 */
static enum wa_code settle(struct load *l, uint64_t rows, struct wa_err *err)
{
    char at[24], count[24];
    (void)snprintf(at, sizeof at, "%lld", (long long)l->at);
    (void)snprintf(count, sizeof count, "%llu", (unsigned long long)rows);
    const struct wa_journal_act act = {.act = "server.restored",
                                       .user = WA_SV("root"),
                                       .peer = "",
                                       .what = {{"of", wa_sv(at)}, {"rows", wa_sv(count)}}};
    if (wa_db_begin(l->db, err) != WA_OK)
        return err->code;
    if (wa_db_exec(l->db,
                   "DELETE FROM nodes; DELETE FROM changes; UPDATE presence SET node = '' WHERE "
                   "node <> ''; UPDATE actions SET state = 'queued', node = '' WHERE state = "
                   "'sent'",
                   err) == WA_OK &&
        wa_server_journal_add(l->db, l->config->node, &act, err) == WA_OK &&
        wa_db_commit(l->db, err) == WA_OK)
        return WA_OK;
    wa_db_rollback(l->db);
    return err->code;
}

static enum wa_code finish(struct load *l, struct wa_err *err)
{
    uint64_t rows = 0;
    if (l->rows == NULL)
        return wa_fail(err, WA_E_INVALID, "the dump has no beginning");
    if (wa_db_load_end(l->rows, &rows, err) != WA_OK || wa_db_commit(l->db, err) != WA_OK ||
        wa_store_migrate(l->db, wa_store_version(), err) != WA_OK || settle(l, rows, err) != WA_OK)
        return err->code;
    return wa_db_replace_finish(l->db, err);
}

/* Lines of descriptor 0, to its end. */
static enum wa_code read_lines(struct load *l, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b;
    static char piece[64u << 10];
    wa_buf_init(&b, WA_DUMP_LINE_MAX);
    for (;;) {
        ptrdiff_t n = wa_pipe_read(IN_FD, piece, sizeof piece);
        if (n < 0)
            return wa_fail(err, WA_E_IO, "cannot read the dump");
        if (n == 0)
            return b.n == 0 ? finish(l, err)
                            : wa_fail(err, WA_E_INVALID, "the dump ends within a line");
        struct wa_sv rest = wa_sv_n(piece, (size_t)n);
        size_t at = 0;
        while (wa_sv_chr(rest, '\n', &at)) {
            wa_buf_add(&b, rest.p, at);
            if (wa_buf_check(&b, err) != WA_OK || take_line(l, wa_buf_sv(&b), err) != WA_OK)
                return err->code;
            wa_buf_clear(&b);
            rest = wa_sv_sub(rest, at + 1, rest.n);
        }
        wa_buf_add(&b, rest.p, rest.n);
        if (wa_buf_check(&b, err) != WA_OK)
            return err->code;
    }
}

static enum wa_code load(const struct wa_server_config *c, struct wa_err *err)
{
    struct load l = {.config = c};
    if (wa_server_drop_to_db(c, 0, NULL, "waptserver/load", err) != WA_OK ||
        wa_store_open_as_it_is(c->dir, c->database, &l.db, err) != WA_OK)
        return err->code;
    (void)read_lines(&l, err);
    wa_db_load_free(l.rows);
    wa_db_rollback(l.db);
    wa_db_close(l.db);
    return err->code;
}

static int run(const char *config_file, const char *name,
               enum wa_code (*fn)(const struct wa_server_config *c, struct wa_err *err))
{
    struct wa_server_config c;
    struct wa_log log;
    struct wa_err err = WA_ERR_INIT;
    wa_log_init(&log, 2, WA_LOG_INFO, name);
    wa_proc_ignore_broken_pipes();
    enum wa_code code = wa_server_config_load(config_file, &c, &err);
    if (code == WA_OK) {
        code = fn(&c, &err);
        wa_server_config_free(&c);
    }
    if (code != WA_OK)
        wa_log_err(&log, WA_LOG_ERROR, "process.failed", &err);
    return wa_code_exit(code);
}

int wa_server_dump(const char *config_file)
{
    return run(config_file, "waptserver/dump", dump);
}

int wa_server_load(const char *config_file)
{
    return run(config_file, "waptserver/load", load);
}
