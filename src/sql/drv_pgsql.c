/* drv_pgsql.c - PostgreSQL over libpq.
 *
 * Values travel beside the statement, never in it. A statement's rows are fetched whole before the
 * first is seen, so statements may be nested as with SQLite. A transaction takes one lock for all
 * writers, which gives it SQLite's meaning: what it read stays true until it commits. A connection
 * that is lost stays lost: the caller opens another.
 */
#include "base/mem.h"
#include "base/vec.h"
#include "sql/drv.h"
#include "sql/pg_text.h"

#include <libpq-fe.h>
#include <stdlib.h>

extern char **environ; /* POSIX: the program declares it */

#define CONNECT_TIMEOUT "10" /* s */
#define SILENCE_MS "20000"   /* ms without a sign of a machine that has gone without a word */
#define SQL_BYTES_MAX (1u << 20)
#define BYTEA_OID 17

struct conn {
    PGconn *pg;
    unsigned long made; /* statements, for their names */
    int64_t changes;
};

struct value {
    struct wa_buf bytes;
    bool is_bound; /* else NULL */
    bool is_binary;
};

struct wa_drv_stmt {
    struct conn *conn;
    char name[24];
    struct value *values;
    int value_count;
    PGresult *rows; /* NULL: not run since the last reset */
    int row;        /* the present one */
    int *lengths;   /* of its columns, once its blobs are decoded */
};

/* --- errors --- */

static const struct {
    const char *state; /* or its first two characters, a class */
    enum wa_code code;
} states[] = {
    {"23505", WA_E_EXISTS},   {"23", WA_E_CONFLICT},     {"53100", WA_E_NO_SPACE},
    {"53200", WA_E_NO_SPACE}, {"53300", WA_E_BUSY},      {"40", WA_E_BUSY},
    {"55P03", WA_E_BUSY},     {"57014", WA_E_CANCELLED}, {"57P", WA_E_UNREACHABLE},
    {"08", WA_E_UNREACHABLE}, {"42501", WA_E_DENIED},    {"28", WA_E_DENIED},
    {"3D", WA_E_CONFIG},      {"54", WA_E_LIMIT},        {"22", WA_E_INVALID},
    {"42", WA_E_INTERNAL},    {"25", WA_E_INTERNAL},     {"26", WA_E_INTERNAL},
    {"34", WA_E_INTERNAL},
};

/* No state: the library itself speaks, of a connection that is gone. */
static enum wa_code code_of(const PGconn *pg, const char *state)
{
    if (state == NULL)
        return WA_E_UNREACHABLE;
    for (size_t i = 0; i < WA_COUNT(states); i++)
        if (strncmp(state, states[i].state, strlen(states[i].state)) == 0)
            return states[i].code;
    return PQstatus(pg) == CONNECTION_BAD ? WA_E_UNREACHABLE : WA_E_IO;
}

/* The first line only: what follows may repeat values. */
static enum wa_code fail_text(struct wa_err *err, enum wa_code code, const char *what,
                              const char *text)
{
    return wa_fail(err, code, "database: cannot %s: %.*s", what, (int)strcspn(text, "\n"), text);
}

static enum wa_code fail_result(PGconn *pg, const PGresult *r, const char *what, struct wa_err *err)
{
    if (r == NULL)
        return PQstatus(pg) == CONNECTION_BAD
                   ? fail_text(err, WA_E_UNREACHABLE, what, PQerrorMessage(pg))
                   : wa_nomem(err);
    const char *primary = PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY);
    return fail_text(err, code_of(pg, PQresultErrorField(r, PG_DIAG_SQLSTATE)), what,
                     primary != NULL ? primary : PQresultErrorMessage(r));
}

static bool is_done(const PGresult *r)
{
    return r != NULL &&
           (PQresultStatus(r) == PGRES_COMMAND_OK || PQresultStatus(r) == PGRES_TUPLES_OK);
}

static enum wa_code exec(void *user, const char *sql, struct wa_err *err)
{
    struct conn *c = user;
    PGresult *r = PQexec(c->pg, sql);
    enum wa_code code = is_done(r) || (r != NULL && PQresultStatus(r) == PGRES_EMPTY_QUERY)
                            ? WA_OK
                            : fail_result(c->pg, r, "run a statement", err);

    PQclear(r);
    return code;
}

/* --- opening --- */

static void say_nothing(void *user, const char *message)
{
    WA_UNUSED(user);
    WA_UNUSED(message); /* a library does not print */
}

static const char *option(const PQconninfoOption *list, const char *keyword)
{
    for (; list->keyword != NULL; list++)
        if (strcmp(list->keyword, keyword) == 0)
            return list->val;
    return NULL;
}

/* A socket's folder, an abstract socket, libpq's own default, or this machine by name. */
static bool is_here(struct wa_sv where)
{
    return where.n == 0 || where.p[0] == '/' || where.p[0] == '@' ||
           wa_sv_eqs(where, "localhost") || wa_sv_eqs(where, "127.0.0.1") ||
           wa_sv_eqs(where, "::1");
}

/* Each of a list, which are tried one after the other. */
static bool is_local(const PQconninfoOption *list)
{
    const char *host = option(list, "host"), *addr = option(list, "hostaddr");
    const char *where = addr != NULL && addr[0] != '\0' ? addr : host;
    struct wa_sv rest = wa_sv(where != NULL ? where : ""), one;
    while (wa_sv_split(&rest, ',', &one))
        if (!is_here(one))
            return false;
    return true;
}

/* libpq fills in from PGHOST, PGSSLMODE, PGSERVICE, PGOPTIONS and others what an address does not
 * say. Which database this is, and how it is asked, is the configuration's alone to say - the
 * server's processes are started without an environment anyway. The first call does it, while there
 * is one thread. */
static void leave_environment(void)
{
    for (char **v = environ; *v != NULL;) {
        char name[64];
        size_t n = strcspn(*v, "=");
        bool is_its = strncmp(*v, "PG", 2) == 0 && n < sizeof name;
        if (is_its)
            (void)snprintf(name, sizeof name, "%.*s", (int)n, *v);
        if (!is_its || unsetenv(name) != 0)
            v++;
    }
}

/* libpq's own default talks to whoever answers, in clear if need be: elsewhere than on this machine
 * a checked certificate is needed unless the address says otherwise. */
static enum wa_code choose_sslmode(const char *url, const char **ret, struct wa_err *err)
{
    char *message = NULL;
    PQconninfoOption *list = PQconninfoParse(url, &message);
    if (list == NULL) {
        enum wa_code code =
            message != NULL /* which may quote a password */
                ? wa_fail(err, WA_E_CONFIG, "database: its address is not well formed")
                : wa_nomem(err);
        PQfreemem(message);
        return code;
    }
    const char *given = option(list, "sslmode"), *service = option(list, "service");
    if (service != NULL && service[0] != '\0')
        (void)wa_fail(err, WA_E_CONFIG,
                      "database: its address names a service, whose file may name any database: "
                      "give host, port and the rest in the address itself");
    *ret = (given == NULL || given[0] == '\0') && !is_local(list) ? "verify-full" : NULL;
    PQconninfoFree(list);
    return err->code;
}

/* One that can't be read may be one that was mistyped. */
static bool is_secret(const char *url)
{
    char *message = NULL;
    PQconninfoOption *list = PQconninfoParse(url, &message);
    const char *password = list == NULL ? "?" : option(list, "password");
    bool has_one = password != NULL && password[0] != '\0';

    PQfreemem(message);
    PQconninfoFree(list);
    return has_one;
}

/* Homes are not looked into: the server's account has none. */
static void find_files(const char *url, struct wa_db_files *ret)
{
    static const char *const keywords[] = {"passfile", "sslrootcert", "sslcert",
                                           "sslkey",   "sslcrl",      "sslcrldir"};
    PQconninfoOption *list = PQconninfoParse(url, NULL);
    _Static_assert(WA_COUNT(keywords) <= WA_DB_FILES, "room for each");
    for (size_t i = 0; list != NULL && i < WA_COUNT(keywords); i++) {
        const char *path = option(list, keywords[i]);
        if (path != NULL && path[0] == '/' && strlen(path) < sizeof ret->paths[0])
            (void)snprintf(ret->paths[ret->n++], sizeof ret->paths[0], "%s", path);
    }
    PQconninfoFree(list);
}

static void close_db(void *user)
{
    struct conn *c = user;

    PQfinish(c->pg);
    wa_free(c);
}

static enum wa_code open_db(const char *url, void **ret_conn, struct wa_err *err)
{
    const char *sslmode = NULL;

    leave_environment();
    if (choose_sslmode(url, &sslmode, err) != WA_OK)
        return err->code;
    /* what stands before the address gives way to it, what stands after does not */
    const char *const keys[] = {"connect_timeout",
                                "fallback_application_name",
                                "sslmode",
                                "keepalives_idle",
                                "keepalives_interval",
                                "keepalives_count",
                                "tcp_user_timeout",
                                "dbname",
                                "client_encoding",
                                NULL};
    const char *const values[] = {CONNECT_TIMEOUT, "wapt", sslmode, "10", "5", "3",
                                  SILENCE_MS,      url,    "UTF8",  NULL};
    struct conn *c = wa_calloc(1, sizeof(*c));
    if (c == NULL)
        return wa_nomem(err);
    c->pg = PQconnectdbParams(keys, values, 1);
    enum wa_code code = WA_OK;
    if (c->pg == NULL)
        code = wa_nomem(err);
    else if (PQstatus(c->pg) != CONNECTION_OK)
        code = fail_text(err, WA_E_UNREACHABLE, "connect", PQerrorMessage(c->pg));
    if (code == WA_OK) {
        (void)PQsetNoticeProcessor(c->pg, say_nothing, NULL);
        code = exec(c,
                    "SET lock_timeout = '5s'; SET standard_conforming_strings = on; SET "
                    "bytea_output = 'hex'",
                    err);
    }
    if (code != WA_OK) {
        close_db(c);
        return code;
    }
    *ret_conn = c;
    return WA_OK;
}

/* --- statements --- */

static void finalize(struct wa_drv_stmt *s)
{
    PQclear(s->rows);
    for (int i = 0; i < s->value_count; i++)
        wa_buf_fini(&s->values[i].bytes);
    wa_free(s->values);
    wa_free(s->lengths);
    wa_free(s);
}

static enum wa_code make_values(struct wa_drv_stmt *s, int count, struct wa_err *err)
{
    s->values = wa_calloc((size_t)count, sizeof(s->values[0]));
    if (s->values == NULL)
        return wa_nomem(err);
    s->value_count = count;
    for (int i = 0; i < count; i++)
        wa_buf_init(&s->values[i].bytes, WA_IPC_MESSAGE_MAX);
    return WA_OK;
}

static enum wa_code prepare_on_server(struct wa_drv_stmt *s, const char *sql, struct wa_err *err)
{
    (void)snprintf(s->name, sizeof(s->name), "wa%lu", s->conn->made++);
    PGresult *r = PQprepare(s->conn->pg, s->name, sql, 0, NULL);
    enum wa_code code =
        is_done(r) ? WA_OK : fail_result(s->conn->pg, r, "prepare a statement", err);
    PQclear(r);
    return code;
}

static enum wa_code prepare(void *user, const char *sql, struct wa_drv_stmt **ret,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    int count = 0;

    wa_buf_init(&text, SQL_BYTES_MAX);
    if (wa_pg_placeholders(sql, &text, &count, err) != WA_OK)
        return err->code;
    struct wa_drv_stmt *s = wa_calloc(1, sizeof(*s));
    if (s == NULL)
        return wa_nomem(err);
    s->conn = user;
    if (make_values(s, count, err) != WA_OK ||
        prepare_on_server(s, wa_buf_str(&text), err) != WA_OK) {
        finalize(s);
        return err->code;
    }
    *ret = s;
    return WA_OK;
}

static void drop_rows(struct wa_drv_stmt *s)
{
    PQclear(s->rows);
    s->rows = NULL;
    wa_free(s->lengths);
    s->lengths = NULL;
}

static void reset(struct wa_drv_stmt *s)
{
    drop_rows(s);
    for (int i = 0; i < s->value_count; i++) {
        wa_buf_clear(&s->values[i].bytes);
        s->values[i].is_bound = false;
    }
}

/* The place of value i, emptied; NULL when there is none. */
static struct value *value_at(struct wa_drv_stmt *s, int i, struct wa_err *err)
{
    if (i < 0 || i >= s->value_count) {
        (void)wa_fail(err, WA_E_INTERNAL, "database: a statement has %d values, and no number %d",
                      s->value_count, i);
        return NULL;
    }
    wa_buf_clear(&s->values[i].bytes);
    s->values[i].is_bound = false;
    return &s->values[i];
}

static enum wa_code bind_bytes(struct wa_drv_stmt *s, int i, struct wa_sv v, bool is_binary,
                               struct wa_err *err)
{
    struct value *value = value_at(s, i, err);

    if (value == NULL)
        return err->code;
    wa_buf_addsv(&value->bytes, v);
    value->is_bound = true;
    value->is_binary = is_binary;
    return wa_buf_check(&value->bytes, err);
}

static enum wa_code bind_text(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err)
{
    size_t at = 0;

    if (wa_sv_chr(v, '\0', &at)) /* PostgreSQL has no such text, and libpq would cut it there */
        return wa_fail(err, WA_E_INVALID, "database: text with a NUL can't be stored");
    return bind_bytes(s, i, v, false, err);
}

static enum wa_code bind_blob(struct wa_drv_stmt *s, int i, struct wa_sv v, struct wa_err *err)
{
    return bind_bytes(s, i, v, true, err);
}

static enum wa_code bind_i64(struct wa_drv_stmt *s, int i, int64_t v, struct wa_err *err)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%lld", (long long)v);
    return bind_bytes(s, i, wa_sv(text), false, err);
}

static enum wa_code bind_null(struct wa_drv_stmt *s, int i, struct wa_err *err)
{
    return value_at(s, i, err) == NULL ? err->code : WA_OK;
}

static enum wa_code run(struct wa_drv_stmt *s, struct wa_err *err)
{
    size_t n = (size_t)s->value_count;
    WA_AUTO_STR char *memory = wa_calloc(n, sizeof(char *) + 2 * sizeof(int));

    if (memory == NULL)
        return wa_nomem(err);
    const char **values = (const char **)(void *)memory;
    int *lengths = (int *)(void *)(memory + n * sizeof(char *)), *formats = lengths + n;
    for (size_t i = 0; i < n; i++) {
        values[i] = s->values[i].is_bound ? wa_buf_str(&s->values[i].bytes) : NULL;
        lengths[i] = (int)s->values[i].bytes.n;
        formats[i] = s->values[i].is_binary ? 1 : 0;
    }
    PGresult *r = PQexecPrepared(s->conn->pg, s->name, s->value_count, values, lengths, formats, 0);
    if (!is_done(r)) {
        enum wa_code code = fail_result(s->conn->pg, r, "run a statement", err);
        PQclear(r);
        return code;
    }
    int64_t changes = 0;
    (void)wa_sv_i64(wa_sv(PQcmdTuples(r)), &changes);
    s->conn->changes = changes;
    s->rows = r;
    s->row = -1;
    return WA_OK;
}

/* Lengths of the present row's columns, its blobs decoded where they lie. */
static enum wa_code take_row(struct wa_drv_stmt *s, struct wa_err *err)
{
    int n = PQnfields(s->rows);

    if (s->lengths == NULL)
        s->lengths = wa_calloc((size_t)n, sizeof(s->lengths[0]));
    if (s->lengths == NULL)
        return wa_nomem(err);
    for (int i = 0; i < n; i++) {
        s->lengths[i] = PQgetlength(s->rows, s->row, i);
        if (PQftype(s->rows, i) == BYTEA_OID && PQgetisnull(s->rows, s->row, i) == 0)
            s->lengths[i] = wa_pg_bytea(PQgetvalue(s->rows, s->row, i), s->lengths[i]);
        if (s->lengths[i] < 0)
            return wa_fail(err, WA_E_INVALID,
                           "database: column %d is not in the form that was asked for", i);
    }
    return WA_OK;
}

static enum wa_code step(struct wa_drv_stmt *s, bool *ret_row, struct wa_err *err)
{
    if (s->rows == NULL && run(s, err) != WA_OK)
        return err->code;
    bool has_row = s->row + 1 < PQntuples(s->rows);
    if (has_row) {
        s->row++;
        if (take_row(s, err) != WA_OK)
            return err->code;
    }
    *ret_row = has_row;
    return WA_OK;
}

static bool col_is_null(struct wa_drv_stmt *s, int col)
{
    return s->rows == NULL || s->row < 0 || col < 0 || col >= PQnfields(s->rows) ||
           PQgetisnull(s->rows, s->row, col) != 0;
}

static struct wa_sv col_sv(struct wa_drv_stmt *s, int col)
{
    if (col_is_null(s, col))
        return (struct wa_sv){NULL, 0};
    return wa_sv_n(PQgetvalue(s->rows, s->row, col), (size_t)s->lengths[col]);
}

/* As SQLite: the whole number that the text begins with, and 1 for true. */
static int64_t col_i64(struct wa_drv_stmt *s, int col)
{
    struct wa_sv text = col_sv(s, col);
    size_t point = 0;
    int64_t v = 0;

    if (wa_sv_eqs(text, "t"))
        return 1;
    if (wa_sv_chr(text, '.', &point))
        text = wa_sv_sub(text, 0, point);
    (void)wa_sv_i64(text, &v);
    return v;
}

static int64_t changes(void *user)
{
    const struct conn *c = user;
    return c->changes;
}

static enum wa_drv_tx transaction(void *user)
{
    const struct conn *c = user;

    switch (PQtransactionStatus(c->pg)) {
    case PQTRANS_IDLE:
    case PQTRANS_UNKNOWN: /* the connection is lost */
        return WA_TX_NONE;
    case PQTRANS_ACTIVE:
    case PQTRANS_INTRANS:
        return WA_TX_OPEN;
    case PQTRANS_INERROR:
        break;
    }
    return WA_TX_FAILED;
}

static bool is_lost(void *user)
{
    const struct conn *c = user;
    return PQstatus(c->pg) != CONNECTION_OK;
}

static int wake_fd(void *user)
{
    const struct conn *c = user;
    return PQsocket(c->pg);
}

static bool was_woken(void *user)
{
    struct conn *c = user;
    bool by_others = false;

    if (PQconsumeInput(c->pg) != 1)
        return false; /* lost */
    for (PGnotify *n = PQnotifies(c->pg); n != NULL; n = PQnotifies(c->pg)) {
        by_others |= n->be_pid != PQbackendPID(c->pg);
        PQfreemem(n);
    }
    return by_others;
}

const struct wa_drv wa_drv_pgsql = {
    .name = "postgresql",
    .prefix = "postgresql://",
    .open = open_db,
    .close = close_db,
    .exec = exec,
    .prepare = prepare,
    .finalize = finalize,
    .bind_text = bind_text,
    .bind_blob = bind_blob,
    .bind_i64 = bind_i64,
    .bind_null = bind_null,
    .step = step,
    .reset = reset,
    .col_i64 = col_i64,
    .col_sv = col_sv,
    .col_is_null = col_is_null,
    .changes = changes,
    .transaction = transaction,
    .is_lost = is_lost,
    .is_secret = is_secret,
    .files = find_files,
    /* the number is "wapt" in ASCII; the lock is let go with the transaction */
    .listen = "LISTEN wapt",
    .announce = "NOTIFY wapt",
    .wake_fd = wake_fd,
    .was_woken = was_woken,
    .begin = "BEGIN; SELECT pg_advisory_xact_lock(2002874484)",
};
