/* search.c - the inventory's rows, searched: which machines have what, and how many.
 *
 * Runs in a process of its own, so that a look through millions of rows holds up nobody else. It
 * only reads. What it looks at for one question is bounded, and a question that needs more is told
 * to say more.
 */
#include "server/search.h"

#include "base/vec.h"
#include "codec/json.h"

#define TITLES_MAX 20000u     /* titles that one question may mean */
#define MEMORY_MAX (8u << 20) /* bytes: a question, read */

static const char *const fields[] = {
    "platform", "os_version", "kernel",    "description",  "manufacturer", "model",  "cpu",
    "ips",      "macs",       "domain",    "site",         "dn",           "serial", "chassis",
    "memory",   "users",      "last_user", "architecture", "agent_version"};

bool wa_search_is_field(const char *name)
{
    for (size_t i = 0; i < WA_COUNT(fields); i++)
        if (strcmp(fields[i], name) == 0)
            return true;
    return false;
}

const char *wa_search_fields(void)
{
    return "platform, os_version, kernel, description, manufacturer, model, cpu, ips, macs, "
           "domain, site, dn, serial, chassis, memory, users, last_user, architecture, "
           "agent_version";
}

unsigned wa_search_part(struct wa_sv name)
{
    return wa_sv_eqs(name, "software")   ? WA_SEARCH_SOFTWARE
           : wa_sv_eqs(name, "package")  ? WA_SEARCH_PACKAGE
           : wa_sv_eqs(name, "hardware") ? WA_SEARCH_HARDWARE
                                         : 0;
}

unsigned wa_search_parts(const struct wa_search_hosts *q)
{
    return (q->software[0] != '\0' ? WA_SEARCH_SOFTWARE : 0u) |
           (q->package[0] != '\0' ? WA_SEARCH_PACKAGE : 0u) |
           (q->hardware[0] != '\0' ? WA_SEARCH_HARDWARE : 0u);
}

bool wa_search_is_asked(const struct wa_search_hosts *q)
{
    return wa_search_parts(q) != 0;
}

/* --- questions as messages --- */

void wa_search_write_hosts(const struct wa_search_hosts *q, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "ask", "hosts");
    wa_jw_kv(&w, "software", q->software);
    wa_jw_kv(&w, "software_from", q->software_from);
    wa_jw_kv(&w, "software_below", q->software_below);
    wa_jw_kv(&w, "package", q->package);
    wa_jw_kv(&w, "package_from", q->package_from);
    wa_jw_kv(&w, "package_below", q->package_below);
    wa_jw_kv(&w, "package_status", q->package_status);
    wa_jw_kv(&w, "package_audit", q->package_audit);
    wa_jw_kv(&w, "field", q->field);
    wa_jw_kv(&w, "hardware", q->hardware);
    wa_jw_kvi(&w, "lacks", q->lacks);
    wa_jw_end(&w);
}

void wa_search_write_counts(const struct wa_search_counts *q, struct wa_buf *out)
{
    struct wa_jw w;
    WA_AUTO_BUF struct wa_buf among;
    wa_buf_init(&among, out->max);
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "ask", q->what);
    wa_jw_kv(&w, "name", q->name);
    wa_jw_kv(&w, "status", q->status != NULL ? q->status : "");
    wa_jw_kvi(&w, "offset", q->offset);
    wa_jw_kvi(&w, "limit", q->limit);
    if (q->after_value != NULL) {
        wa_jw_kv(&w, "after_value", q->after_value);
        wa_jw_kv(&w, "after_id", q->after_id);
    }
    if (q->among != NULL) {
        wa_hostset_write(q->among, &among);
        wa_jw_kvsv(&w, "among", wa_buf_sv(&among));
    }
    wa_jw_end(&w);
    if (among.failed != WA_OK)
        out->failed = among.failed;
}

/* --- rows --- */

struct titles {
    WA_VEC(int64_t);
};

/* Adds the machines of the statement's rows, bounded; resets it. */
static enum wa_code add_rows(struct wa_stmt *s, struct wa_hostset *set, size_t *left,
                             struct wa_err *err)
{
    bool row = true;
    while (wa_step(s, &row, err) == WA_OK && row) {
        if (*left == 0)
            (void)wa_fail(err, WA_E_LIMIT,
                          "too much has that name: say more of it, or of its version");
        else if (wa_hostset_add(set, wa_col_i64(s, 0), err) == WA_OK) {
            --*left;
            continue;
        }
        wa_reset(s);
        break;
    }
    return err->code;
}

static enum wa_code find_titles(struct wa_db *db, const struct wa_search_hosts *q,
                                struct titles *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db,
                      "SELECT id FROM software_titles WHERE lower(name) LIKE lower(?1) ESCAPE '\\' "
                      "AND version_key >= ?2 AND (?3 = '' OR version_key < ?3)",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, q->software);
    wa_bind_s(s, 1, q->software_from);
    wa_bind_s(s, 2, q->software_below);
    while (wa_step(s, &row, err) == WA_OK && row) {
        int64_t *slot = ret->n < TITLES_MAX ? WA_VEC_PUSH(ret) : NULL;
        if (slot == NULL) {
            wa_reset(s);
            return ret->n < TITLES_MAX
                       ? wa_nomem(err)
                       : wa_fail(err, WA_E_LIMIT, "more than %u titles have such a name: say more",
                                 TITLES_MAX);
        }
        *slot = wa_col_i64(s, 0);
    }
    return err->code;
}

static enum wa_code with_software(struct wa_db *db, const struct wa_search_hosts *q,
                                  struct wa_hostset *set, struct wa_err *err)
{
    struct titles titles = {0};
    struct wa_stmt *s;
    size_t left = WA_SEARCH_ROWS_MAX;
    enum wa_code code = find_titles(db, q, &titles, err);
    for (size_t i = 0; code == WA_OK && i < titles.n; i++) {
        code = wa_db_prepare(db, "SELECT host FROM host_software WHERE title = ?", &s, err);
        if (code != WA_OK)
            break;
        wa_bind_i64(s, 0, titles.items[i]);
        code = add_rows(s, set, &left, err);
    }
    WA_VEC_FREE(&titles);
    return code;
}

static bool is_pattern(const char *like)
{
    for (; *like != '\0'; like++) {
        if (*like == '%' || *like == '_')
            return true;
        if (*like == '\\' && like[1] != '\0')
            like++;
    }
    return false;
}

/* Of a text that means itself, what it is without its '\'. */
static void plain(const char *like, char *out, size_t size)
{
    size_t n = 0;
    for (; *like != '\0' && n + 1 < size; like++) {
        if (*like == '\\' && like[1] != '\0')
            like++;
        out[n++] = *like;
    }
    out[n] = '\0';
}

#define AND_THE_REST                                                                               \
    "AND version_key >= ?2 AND (?3 = '' OR version_key < ?3) AND (?4 = '' OR status = ?4) AND "    \
    "(?5 = '' OR audit = ?5)"

/* What an upgrade would change is found by its state alone: nobody has it. */
static bool is_due(const char *status)
{
    return strcmp(status, "MISSING") == 0 || strcmp(status, "TO-UPGRADE") == 0 ||
           strcmp(status, "TO-CHANGE") == 0;
}

#define DUE_HOSTS "SELECT host FROM (SELECT *, '' AS audit FROM (" WA_SEARCH_DUE ") x) a WHERE "

static enum wa_code with_package(struct wa_db *db, const struct wa_search_hosts *q,
                                 struct wa_hostset *set, struct wa_err *err)
{
    struct wa_stmt *s;
    size_t left = WA_SEARCH_ROWS_MAX;
    static const char *const questions[2][2] = {
        {"SELECT host FROM package_states WHERE package = ?1 " AND_THE_REST,
         "SELECT host FROM package_states WHERE package LIKE ?1 ESCAPE '\\' " AND_THE_REST},
        {DUE_HOSTS "package = ?1 " AND_THE_REST,
         DUE_HOSTS "package LIKE ?1 ESCAPE '\\' " AND_THE_REST}};
    bool is_like = is_pattern(q->package);
    char name[512];
    if (wa_db_prepare(db, questions[is_due(q->package_status)][is_like], &s, err) != WA_OK)
        return err->code;
    plain(q->package, name, sizeof name);
    wa_bind_s(s, 0, is_like ? q->package : name);
    wa_bind_s(s, 1, q->package_from);
    wa_bind_s(s, 2, q->package_below);
    wa_bind_s(s, 3, q->package_status);
    wa_bind_s(s, 4, q->package_audit);
    return add_rows(s, set, &left, err);
}

static enum wa_code with_hardware(struct wa_db *db, const struct wa_search_hosts *q,
                                  struct wa_hostset *set, struct wa_err *err)
{
    struct wa_stmt *s;
    size_t left = WA_SEARCH_ROWS_MAX;
    if (wa_db_prepare(
            db,
            "SELECT host FROM host_facts WHERE lower(CASE ?1 WHEN 'platform' THEN platform WHEN "
            "'os_version' THEN os_version WHEN 'kernel' THEN kernel WHEN 'description' THEN "
            "description WHEN 'manufacturer' THEN manufacturer WHEN 'model' THEN model WHEN 'cpu' "
            "THEN cpu WHEN 'ips' THEN ips WHEN 'macs' THEN macs WHEN 'domain' THEN domain WHEN "
            "'site' THEN site WHEN 'dn' THEN dn WHEN 'serial' THEN serial WHEN 'chassis' THEN "
            "chassis WHEN 'memory' THEN memory WHEN 'users' THEN users WHEN 'last_user' THEN "
            "last_user WHEN 'architecture' THEN architecture WHEN 'agent_version' THEN "
            "agent_version ELSE platform || ' ' || os_version || ' ' || kernel || ' ' || "
            "description || ' ' || manufacturer || ' ' || model || ' ' || cpu || ' ' || ips || ' ' "
            "|| macs || ' ' || domain || ' ' || site || ' ' || dn || ' ' || serial || ' ' || users "
            "|| ' ' || last_user || ' ' || agent_version END) LIKE lower(?2) ESCAPE '\\'",
            &s, err) != WA_OK)
        return err->code;
    wa_bind_s(s, 0, q->field);
    wa_bind_s(s, 1, q->hardware);
    return add_rows(s, set, &left, err);
}

static enum wa_code all_hosts(struct wa_db *db, struct wa_hostset *set, struct wa_err *err)
{
    struct wa_stmt *s;
    size_t left = WA_SEARCH_ROWS_MAX;
    if (wa_db_prepare(db, "SELECT number FROM hosts", &s, err) != WA_OK)
        return err->code;
    return add_rows(s, set, &left, err);
}

typedef enum wa_code (*find_fn)(struct wa_db *, const struct wa_search_hosts *, struct wa_hostset *,
                                struct wa_err *);

/* First what machines have, so that those that lack the rest are taken out of few. */
static enum wa_code find_hosts(struct wa_db *db, const struct wa_search_hosts *q,
                               struct wa_hostset *ret, struct wa_err *err)
{
    static const struct {
        enum wa_search_part part;
        find_fn find;
    } parts[] = {{WA_SEARCH_SOFTWARE, with_software},
                 {WA_SEARCH_PACKAGE, with_package},
                 {WA_SEARCH_HARDWARE, with_hardware}};
    unsigned asked = wa_search_parts(q), had = asked & ~q->lacks;
    bool is_first = had != 0;
    if (had == 0 && all_hosts(db, ret, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < 2 * WA_COUNT(parts); i++) {
        WA_AUTO_HOSTSET struct wa_hostset one = {NULL, 0, 0};
        bool is_lacking = i >= WA_COUNT(parts);
        size_t k = i % WA_COUNT(parts);
        if (((is_lacking ? asked & q->lacks : had) & parts[k].part) == 0)
            continue;
        if (parts[k].find(db, q, &one, err) != WA_OK)
            return err->code;
        if (is_lacking) {
            wa_hostset_take_out(ret, &one);
        } else if (is_first) {
            *ret = one;
            one = (struct wa_hostset){NULL, 0, 0};
            is_first = false;
        } else {
            wa_hostset_cut(ret, &one);
        }
    }
    return WA_OK;
}

/* --- the process's side --- */

static enum wa_code copy(struct wa_arena *arena, struct wa_sv text, const char **ret,
                         struct wa_err *err)
{
    *ret = wa_arena_strdup(arena, text);
    return *ret == NULL ? wa_nomem(err) : WA_OK;
}

static enum wa_code answer_hosts(struct wa_db *db, const struct wa_json *j, struct wa_arena *arena,
                                 struct wa_buf *answer, struct wa_err *err)
{
    struct wa_search_hosts q = WA_SEARCH_HOSTS;
    WA_AUTO_HOSTSET struct wa_hostset found = {NULL, 0, 0};
    const struct {
        const char *key, **to;
    } texts[] = {{"software", &q.software},
                 {"software_from", &q.software_from},
                 {"software_below", &q.software_below},
                 {"package", &q.package},
                 {"package_from", &q.package_from},
                 {"package_below", &q.package_below},
                 {"package_status", &q.package_status},
                 {"package_audit", &q.package_audit},
                 {"field", &q.field},
                 {"hardware", &q.hardware}};
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (copy(arena, wa_json_sv(wa_json_get(j, texts[i].key)), texts[i].to, err) != WA_OK)
            return err->code;
    int64_t lacks = 0;
    (void)wa_json_i64(wa_json_get(j, "lacks"), &lacks);
    q.lacks = (unsigned)lacks;
    if (find_hosts(db, &q, &found, err) != WA_OK)
        return err->code;
    wa_buf_adds(answer, "{\"hosts\":\"");
    wa_hostset_write(&found, answer);
    wa_buf_adds(answer, "\"}");
    return wa_buf_check(answer, err);
}

static enum wa_code answer_any(struct wa_db *db, struct wa_sv request, struct wa_buf *answer,
                               struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_arena_init(&arena, MEMORY_MAX);
    if (wa_db_is_lost(db) && wa_db_reconnect(db, err) != WA_OK)
        return err->code;
    if (wa_json_parse(request, 0, &arena, &j, err) != WA_OK)
        return err->code;
    struct wa_sv ask = wa_json_sv(wa_json_get(j, "ask"));
    if (wa_sv_eqs(ask, "columns"))
        return wa_search_columns(db, j, answer, err);
    return wa_sv_eqs(ask, "hosts") ? answer_hosts(db, j, &arena, answer, err)
                                   : wa_search_count(db, j, ask, answer, err);
}

enum wa_code wa_search_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                              struct wa_err *err)
{
    struct wa_err failed = WA_ERR_INIT;
    struct wa_jw w;
    if (answer_any(user, request, answer, &failed) == WA_OK)
        return WA_OK;
    wa_buf_clear(answer);
    wa_jw_init(&w, answer);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "code", wa_code_name(failed.code));
    wa_jw_kv(&w, "message", failed.text);
    wa_jw_end(&w);
    return wa_buf_check(answer, err);
}
