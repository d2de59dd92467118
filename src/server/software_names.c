/* software_names.c - rules that name software, matched here and not by the database: a thousand of
 * them for each of ten thousand new titles would keep the store from everybody else for seconds.
 */
#include "server/software_names.h"

#include "base/mem.h"
#include "server/fleet.h"
#include "server/inventory.h"

#define MEMORY_MAX (4u << 20) /* bytes: all rules */

void wa_software_names_init(struct wa_software_names *n)
{
    *n = (struct wa_software_names){.is_read = false};
    wa_arena_init(&n->arena, MEMORY_MAX);
}

void wa_software_names_fini(struct wa_software_names *n)
{
    WA_VEC_FREE(n);
    wa_arena_fini(&n->arena);
}

static enum wa_code take(struct wa_software_names *n, struct wa_stmt *s, struct wa_err *err)
{
    struct wa_software_rule *rule = WA_VEC_PUSH(n);
    char *pattern = wa_arena_strdup(&n->arena, wa_col_sv(s, 0));
    const char *name = wa_arena_strdup(&n->arena, wa_col_sv(s, 1));
    if (rule == NULL || pattern == NULL || name == NULL)
        return wa_nomem(err);
    wa_fleet_fold(pattern, strlen(pattern));
    *rule = (struct wa_software_rule){pattern, name};
    return WA_OK;
}

static enum wa_code read_rules(struct wa_software_names *n, struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (wa_db_prepare(db, "SELECT pattern, name FROM software_rules ORDER BY seq", &s, err) !=
        WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (take(n, s, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    n->is_read = err->code == WA_OK;
    return err->code;
}

/* Behind the character that begins at p. */
static const char *behind(const char *p)
{
    for (p++; ((unsigned char)*p & 0xc0) == 0x80; p++)
        continue;
    return p;
}

/* LIKE: '%' any text, '_' any character, '\' before what means itself. */
static bool is_like(const char *pattern, const char *text)
{
    const char *after = NULL, *from = NULL; /* the last '%', and where what follows it was tried */
    while (*text != '\0') {
        bool is_literal = *pattern == '\\' && pattern[1] != '\0';
        if (*pattern == '%') {
            after = ++pattern;
            from = text;
        } else if (*pattern == '_') {
            pattern++;
            text = behind(text);
        } else if (pattern[is_literal] == *text) {
            pattern += 1 + is_literal;
            text++;
        } else if (after != NULL) {
            pattern = after;
            text = from = behind(from);
        } else {
            return false;
        }
    }
    while (*pattern == '%')
        pattern++;
    return *pattern == '\0';
}

enum wa_code wa_software_name(struct wa_software_names *n, struct wa_db *db, const char *title,
                              const char **ret_name, struct wa_err *err)
{
    struct wa_inventory_text folded;
    if (!n->is_read && read_rules(n, db, err) != WA_OK)
        return err->code;
    *ret_name = title;
    if (n->n == 0)
        return WA_OK;
    wa_inventory_clean(wa_sv(title), &folded);
    wa_fleet_fold(folded.p, strlen(folded.p));
    for (size_t i = 0; i < n->n; i++) {
        if (!is_like(n->items[i].pattern, folded.p))
            continue;
        *ret_name = n->items[i].name;
        break;
    }
    return WA_OK;
}

/* --- those that are there --- */

struct renamed {
    int64_t id;
    const char *name; /* of the rules, or kept */
};
struct renaming {
    WA_VEC(struct renamed);
    struct wa_software_names names;
    struct wa_arena kept;
};

static enum wa_code look_at(struct renaming *r, struct wa_db *db, struct wa_stmt *s,
                            struct wa_err *err)
{
    struct wa_inventory_text title;
    const char *name = NULL;
    wa_inventory_clean(wa_col_sv(s, 1), &title);
    if (wa_software_name(&r->names, db, title.p, &name, err) != WA_OK)
        return err->code;
    if (wa_sv_eqs(wa_col_sv(s, 2), name))
        return WA_OK;
    if (name == title.p)
        name = wa_arena_strdup(&r->kept, wa_sv(name));
    struct renamed *one = WA_VEC_PUSH(r);
    if (one == NULL || name == NULL)
        return wa_nomem(err);
    *one = (struct renamed){wa_col_i64(s, 0), name};
    return WA_OK;
}

static enum wa_code find(struct renaming *r, struct wa_db *db, struct wa_err *err)
{
    struct wa_stmt *s;
    bool row = true;
    if (read_rules(&r->names, db, err) != WA_OK ||
        wa_db_prepare(db, "SELECT id, name, normal_name FROM software_titles", &s, err) != WA_OK)
        return err->code;
    while (wa_step(s, &row, err) == WA_OK && row)
        if (look_at(r, db, s, err) != WA_OK) {
            wa_reset(s);
            break;
        }
    return err->code;
}

static enum wa_code rename_one(struct wa_db *db, const struct renamed *one, struct wa_err *err)
{
    struct wa_stmt *s;
    if (wa_db_prepare(db, "UPDATE software_titles SET normal_name = ?2 WHERE id = ?1", &s, err) !=
        WA_OK)
        return err->code;
    wa_bind_i64(s, 0, one->id);
    wa_bind_s(s, 1, one->name);
    return wa_run(s, err);
}

enum wa_code wa_software_rename_all(struct wa_db *db, struct wa_err *err)
{
    struct renaming r = {.n = 0};
    wa_software_names_init(&r.names);
    wa_arena_init(&r.kept, 1u << 30);
    enum wa_code code = find(&r, db, err);
    for (size_t i = 0; code == WA_OK && i < r.n; i++)
        code = rename_one(db, &r.items[i], err);
    WA_VEC_FREE(&r);
    wa_arena_fini(&r.kept);
    wa_software_names_fini(&r.names);
    return code;
}
