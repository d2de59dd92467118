/* search_counts.c - how many machines have which software, and which packages, or would have them
 * by an upgrade: of all of them, or of those that somebody sees or asks for.
 */
#include "server/search.h"

#include "server/api_page.h"
#include "server/inventory.h"

struct counting {
    struct wa_db *db;
    const struct wa_hostset *among; /* NULL: all */
    struct wa_sv status;            /* of packages; "": any */
    int64_t offset, limit;
    char value[WA_PAGE_TEXT], id[WA_PAGE_TEXT]; /* the place: behind what, then the last row's */
    bool has_after, has_more;
    struct wa_jw w;
    size_t left;
};

/* Whether the row is in the page. */
static bool take(struct counting *c)
{
    if (c->offset > 0) {
        c->offset--;
        return false;
    }
    c->has_more = c->limit == 0;
    if (c->has_more)
        return false;
    c->limit--;
    return true;
}

static enum wa_code count_title(struct counting *c, int64_t title, int64_t *ret, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(c->db,
                      c->among == NULL ? "SELECT COUNT(*) FROM host_software WHERE title = ?"
                                       : "SELECT host FROM host_software WHERE title = ?",
                      &s, err) != WA_OK)
        return err->code;
    wa_bind_i64(s, 0, title);
    *ret = 0;
    while (wa_step(s, &row, err) == WA_OK && row) {
        *ret += c->among == NULL ? wa_col_i64(s, 0)
                                 : (int64_t)wa_hostset_has(c->among, wa_col_i64(s, 0));
        if (c->left-- == 0) {
            wa_reset(s);
            return wa_fail(err, WA_E_LIMIT, "too much has such a name: say more of it");
        }
    }
    return err->code;
}

static enum wa_code write_title(struct counting *c, struct wa_stmt *s, struct wa_err *err)
{
    int64_t count = 0;
    if (count_title(c, wa_col_i64(s, 0), &count, err) != WA_OK || count == 0 || !take(c))
        return err->code;
    (void)snprintf(c->id, sizeof c->id, "%lld", (long long)wa_col_i64(s, 0));
    (void)snprintf(c->value, sizeof c->value, "%.*s\n%.*s", WA_SV_ARG(wa_col_sv(s, 4)),
                   WA_SV_ARG(wa_col_sv(s, 1)));
    wa_jw_obj(&c->w);
    wa_jw_kvsv(&c->w, "name", wa_col_sv(s, 1));
    wa_jw_kvsv(&c->w, "version", wa_col_sv(s, 2));
    wa_jw_kvsv(&c->w, "publisher", wa_col_sv(s, 3));
    wa_jw_kvi(&c->w, "machines", count);
    wa_jw_end(&c->w);
    return WA_OK;
}

/* The place's value, in parts. */
static void split_place(const struct counting *c, struct wa_sv *parts, size_t n)
{
    struct wa_sv rest = wa_sv(c->has_after ? c->value : "");
    for (size_t i = 0; i < n; i++)
        parts[i] = WA_SV("");
    for (size_t i = 0; i + 1 < n; i++)
        if (!wa_sv_split(&rest, '\n', &parts[i]))
            return;
    if (rest.p != NULL)
        parts[n - 1] = rest;
}

static enum wa_code count_software(struct counting *c, const char *name, struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_sv place[2]; /* key of the version, and name */
    int64_t id = 0;
    bool row = true;
    if (wa_db_prepare(
            c->db,
            "SELECT id, name, version, publisher, version_key FROM software_titles WHERE "
            "(?1 = '' OR lower(name) LIKE lower(?1) ESCAPE '\\') AND (?2 = 0 OR name > ?3 "
            "OR (name = ?3 AND (version_key > ?4 OR (version_key = ?4 AND id > ?5)))) "
            "ORDER BY name, version_key, id",
            &s, err) != WA_OK)
        return err->code;
    split_place(c, place, WA_COUNT(place));
    (void)wa_sv_i64(wa_sv(c->id), &id);
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, c->has_after ? 1 : 0);
    wa_bind_sv(s, 2, place[1]);
    wa_bind_sv(s, 3, place[0]);
    wa_bind_i64(s, 4, id);
    while (wa_step(s, &row, err) == WA_OK && row) {
        if (!c->has_more && write_title(c, s, err) == WA_OK)
            continue;
        wa_reset(s);
        break;
    }
    return err->code;
}

/* One package, version and status: the rows are in their order. */
struct group {
    struct wa_buf text; /* the three, with newlines between */
    char key[WA_VERSION_KEY];
    int64_t count;
};

static void write_group(struct counting *c, struct group *g)
{
    static const char *const keys[] = {"package", "version", "status"};
    struct wa_sv rest = wa_buf_sv(&g->text), part;
    if (g->count == 0 || c->has_more || !take(c))
        return;
    (void)snprintf(c->id, sizeof c->id, "%s", g->key);
    (void)snprintf(c->value, sizeof c->value, "%.*s", (int)g->text.n - 1, wa_buf_str(&g->text));
    wa_jw_obj(&c->w);
    for (size_t i = 0; i < WA_COUNT(keys) && wa_sv_split(&rest, '\n', &part); i++)
        wa_jw_kvsv(&c->w, keys[i], part);
    wa_jw_kvi(&c->w, "machines", g->count);
    wa_jw_end(&c->w);
}

static enum wa_code add_to_group(struct counting *c, struct group *g, struct wa_stmt *s,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 4096);
    if (c->among != NULL && !wa_hostset_has(c->among, wa_col_i64(s, 3)))
        return WA_OK;
    for (int i = 0; i < 3; i++) {
        wa_buf_addsv(&text, wa_col_sv(s, i));
        wa_buf_addc(&text, '\n');
    }
    if (wa_buf_check(&text, err) != WA_OK)
        return err->code;
    if (!wa_sv_eq(wa_buf_sv(&text), wa_buf_sv(&g->text))) {
        write_group(c, g);
        wa_buf_clear(&g->text);
        wa_buf_addsv(&g->text, wa_buf_sv(&text));
        wa_col_text(s, 4, g->key, sizeof g->key);
        g->count = 0;
    }
    g->count += c->among == NULL ? wa_col_i64(s, 3) : 1;
    return wa_buf_check(&g->text, err);
}

#define BEHIND                                                                                     \
    "WHERE (?1 = '' OR package LIKE ?1 ESCAPE '\\') AND (?2 = 0 OR (package, version_key, "        \
    "version, "                                                                                    \
    "status) > (?3, ?4, ?5, ?6)) AND (?7 = '' OR status = ?7)"
#define EACH "SELECT package, version, status, host, version_key FROM "
#define GROUPED "SELECT package, version, status, COUNT(*) AS n, version_key FROM "
#define BY " GROUP BY package, version_key, version, status"
#define SORTED " ORDER BY package, version_key, version, status"

/* By whether it is the estate, and whether it is of all machines. The halves of a union are merged
 * as they come, the larger by its index. Equal rows of the two come one after the other, and are
 * added up. */
static const char *const package_questions[2][2] = {
    {EACH "package_states " BEHIND SORTED, GROUPED "package_states " BEHIND BY SORTED},
    {EACH "package_states " BEHIND " UNION ALL " EACH "(" WA_SEARCH_DUE ") b " BEHIND SORTED,
     GROUPED "package_states " BEHIND BY " UNION ALL " GROUPED "(" WA_SEARCH_DUE
             ") b " BEHIND BY SORTED}};

static enum wa_code count_packages(struct counting *c, const char *name, bool is_estate,
                                   struct wa_err *err)
{
    struct wa_stmt *s;
    struct wa_sv place[3]; /* package, version and status */
    struct group g = {.count = 0};
    bool row = true;
    if (wa_db_prepare(c->db, package_questions[is_estate][c->among == NULL], &s, err) != WA_OK)
        return err->code;
    split_place(c, place, WA_COUNT(place));
    wa_bind_s(s, 0, name);
    wa_bind_i64(s, 1, c->has_after ? 1 : 0);
    wa_bind_sv(s, 2, place[0]);
    wa_bind_s(s, 3, c->id);
    wa_bind_sv(s, 4, place[1]);
    wa_bind_sv(s, 5, place[2]);
    wa_bind_sv(s, 6, c->status);
    wa_buf_init(&g.text, 4096);
    while (wa_step(s, &row, err) == WA_OK && row)
        if (c->has_more || add_to_group(c, &g, s, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    write_group(c, &g);
    wa_buf_fini(&g.text);
    return err->code;
}

enum wa_code wa_search_count(struct wa_db *db, const struct wa_json *j, struct wa_sv ask,
                             struct wa_buf *answer, struct wa_err *err)
{
    struct counting c = {.db = db, .left = WA_SEARCH_ROWS_MAX};
    WA_AUTO_HOSTSET struct wa_hostset among = {NULL, 0, 0};
    char name[1024];
    const struct wa_json *limited = wa_json_get(j, "among");
    bool is_software = wa_sv_eqs(ask, "software"), is_estate = wa_sv_eqs(ask, "estate");
    if (!is_software && !is_estate && !wa_sv_eqs(ask, "packages"))
        return wa_fail(err, WA_E_INVALID, "a question that there is not");
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "name"))));
    if (wa_hostset_read(wa_json_sv(limited), &among, err) != WA_OK)
        return err->code;
    c.has_after = wa_json_get(j, "after_value") != NULL;
    (void)snprintf(c.value, sizeof c.value, "%.*s",
                   WA_SV_ARG(wa_json_sv(wa_json_get(j, "after_value"))));
    (void)snprintf(c.id, sizeof c.id, "%.*s", WA_SV_ARG(wa_json_sv(wa_json_get(j, "after_id"))));
    c.status = wa_json_sv(wa_json_get(j, "status"));
    (void)wa_json_i64(wa_json_get(j, "offset"), &c.offset);
    (void)wa_json_i64(wa_json_get(j, "limit"), &c.limit);
    c.among = limited == NULL ? NULL : &among;
    wa_jw_init(&c.w, answer);
    wa_jw_obj(&c.w);
    wa_jw_keysv(&c.w, ask);
    wa_jw_arr(&c.w);
    if ((is_software ? count_software(&c, name, err) : count_packages(&c, name, is_estate, err)) !=
        WA_OK)
        return err->code;
    wa_jw_end(&c.w);
    if (c.has_more && c.id[0] != '\0')
        wa_api_page_next(&c.w, &(struct wa_api_page){.limit = 0}, c.value, c.id);
    wa_jw_end(&c.w);
    return wa_buf_check(answer, err);
}
