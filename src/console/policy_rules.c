/* policy_rules.c - the rules of a self-service package with some added and some taken away. Pure.
 *
 * Read and written by the reader that machines have (pkg/selfservice.c): what it would refuse is
 * never made.
 */
#include "console/policy.h"
#include "pkg/selfservice.h"

void wa_policy_rules_init(struct wa_policy_rules *r)
{
    *r = (struct wa_policy_rules){.items = NULL};
    wa_buf_init(&r->text, WA_SELF_BYTES_MAX);
}

void wa_policy_rules_fini(struct wa_policy_rules *r)
{
    for (size_t i = 0; i < r->n; i++) {
        wa_free(r->items[i].group);
        wa_free(r->items[i].package);
    }
    WA_VEC_FREE(r);
    wa_buf_fini(&r->text);
}

/* Text, judged, as a tree whose groups are objects with packages for keys. */
static enum wa_code normal(struct wa_sv text, struct wa_arena *arena, const struct wa_json **ret,
                           struct wa_err *err)
{
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    WA_AUTO_BUF struct wa_buf json;
    struct wa_jw w;
    wa_buf_init(&json, WA_SELF_BYTES_MAX);
    wa_jw_init(&w, &json);
    if (wa_self_rules_init(&rules, err) != WA_OK ||
        (text.n > 0 && wa_self_rules_add(&rules, text, err) != WA_OK))
        return err->code;
    wa_self_rules_write(&rules, &w);
    return wa_buf_check(&json, err) == WA_OK ? wa_json_parse(wa_buf_sv(&json), 0, arena, ret, err)
                                             : err->code;
}

/* What is listed for the group, whatever its case; NULL: it is not there. */
static const struct wa_json *find_group(const struct wa_json *rules, struct wa_sv group)
{
    char name[WA_NAME_MAX + 1];
    (void)snprintf(name, sizeof name, "%.*s", WA_SV_ARG(group));
    for (size_t i = 0; i < wa_json_count(rules); i++)
        if (wa_sv_ieqs(wa_json_key_at(rules, i), name))
            return wa_json_at(rules, i);
    return NULL;
}

static bool has(const struct wa_json *list, struct wa_sv package)
{
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_sv_eq(wa_json_key_at(list, i), package))
            return true;
    return false;
}

/* The rules without those that go; a group without any is none. */
static void write_kept(const struct wa_json *now, const struct wa_json *remove, struct wa_jw *w)
{
    wa_jw_obj(w);
    for (size_t g = 0; g < wa_json_count(now); g++) {
        const struct wa_json *list = wa_json_at(now, g);
        const struct wa_json *gone = find_group(remove, wa_json_key_at(now, g));
        size_t kept = 0;
        if (gone != NULL && wa_json_count(gone) == 0)
            continue;
        for (size_t i = 0; i < wa_json_count(list); i++) {
            if (has(gone, wa_json_key_at(list, i)))
                continue;
            if (kept++ == 0) {
                wa_jw_keysv(w, wa_json_key_at(now, g));
                wa_jw_arr(w);
            }
            wa_jw_sv(w, wa_json_key_at(list, i));
        }
        if (kept > 0)
            wa_jw_end(w);
    }
    wa_jw_end(w);
}

static enum wa_code note(struct wa_policy_rules *r, const struct wa_json *a,
                         const struct wa_json *b, bool comes, struct wa_err *err)
{
    for (size_t g = 0; g < wa_json_count(a); g++) {
        const struct wa_json *list = wa_json_at(a, g);
        const struct wa_json *other = find_group(b, wa_json_key_at(a, g));
        for (size_t i = 0; i < wa_json_count(list); i++) {
            if (has(other, wa_json_key_at(list, i)))
                continue;
            struct wa_policy_rule *row = WA_VEC_PUSH(r);
            if (row == NULL)
                return wa_nomem(err);
            row->comes = comes;
            if (wa_sv_dup(wa_json_key_at(a, g), &row->group, err) != WA_OK ||
                wa_sv_dup(wa_json_key_at(list, i), &row->package, err) != WA_OK)
                return err->code;
        }
    }
    return WA_OK;
}

/* kept and what comes, joined. */
static enum wa_code join(struct wa_sv kept, struct wa_sv add, struct wa_buf *out,
                         struct wa_err *err)
{
    WA_AUTO_SELF_RULES struct wa_self_rules rules;
    struct wa_jw w;
    if (wa_self_rules_init(&rules, err) != WA_OK || wa_self_rules_add(&rules, kept, err) != WA_OK ||
        (add.n > 0 && wa_self_rules_add(&rules, add, err) != WA_OK))
        return err->code;
    wa_buf_clear(out);
    wa_jw_init(&w, out);
    wa_self_rules_write(&rules, &w);
    return wa_buf_check(out, err);
}

enum wa_code wa_policy_rules_apply(struct wa_sv current, struct wa_sv add, struct wa_sv remove,
                                   struct wa_policy_rules *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    WA_AUTO_BUF struct wa_buf kept;
    const struct wa_json *now = NULL, *gone = NULL, *next = NULL;
    struct wa_jw w;
    wa_arena_init(&arena, 4u * WA_SELF_MEMORY_MAX);
    wa_buf_init(&kept, WA_SELF_BYTES_MAX);
    if (normal(current, &arena, &now, err) != WA_OK || normal(remove, &arena, &gone, err) != WA_OK)
        return err->code;
    wa_jw_init(&w, &kept);
    write_kept(now, gone, &w);
    if (wa_buf_check(&kept, err) != WA_OK ||
        join(wa_buf_sv(&kept), add, &ret->text, err) != WA_OK ||
        normal(wa_buf_sv(&ret->text), &arena, &next, err) != WA_OK ||
        note(ret, now, next, false, err) != WA_OK)
        return err->code;
    return note(ret, next, now, true, err);
}
