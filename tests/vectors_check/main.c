/* main.c - judges every case of a folder of vectors: make vectors DIR=...
 *
 * A line for each file with its counts, then each failure and each difference that is on purpose.
 * Ends well when nothing failed and at least one file was there; a file that nobody knows is a
 * failure, not passed over.
 */
#include <stdarg.h>
#include <stdio.h>

#include "base/date.h"
#include "base/mem.h"
#include "check.h"
#include "os/fs.h"

#define JSON_MAX (64u << 20)
#define A_WEEK (7 * 86400)

static const struct {
    const char *name;
    check_fn check;
} files[] = {
    {"expected.json", check_package},
    {"index/expected.json", check_index},
    {"vectors/actions.json", check_actions},
    {"vectors/canonical_json.json", check_canonical_json},
    {"vectors/control_parse.json", check_control_parse},
    {"vectors/control_write.json", check_control_write},
    {"vectors/csv_list.json", check_csv_list},
    {"vectors/depends.json", check_depends},
    {"vectors/filenames.json", check_filenames},
    {"vectors/host_capabilities.json", check_host_capabilities},
    {"vectors/match.json", check_match},
    {"vectors/request_filters.json", check_request_filters},
    {"vectors/sanitize.json", check_sanitize},
    {"vectors/sorting.json", check_sorting},
    {"vectors/vercmp.json", check_vercmp},
};

/* --- what the checks share --- */

static void explain(struct check *k, const char *rule, const char *format, va_list args)
    WA_FORMAT(3, 0);
static void explain(struct check *k, const char *rule, const char *format, va_list args)
{
    int n = snprintf(k->why, sizeof k->why, "%s%s", rule, rule[0] != '\0' ? ": " : "");
    (void)vsnprintf(k->why + n, sizeof k->why - (size_t)n, format, args);
}

enum outcome fails(struct check *k, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    explain(k, "", format, args);
    va_end(args);
    return FAILS;
}

enum outcome differs(struct check *k, const char *rule, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    explain(k, rule, format, args);
    va_end(args);
    return DIFFERS;
}

enum outcome must(struct check *k, enum wa_code code, const struct wa_err *err, const char *what)
{
    return code == WA_OK ? AGREES : fails(k, "%s: %s: %s", what, wa_code_name(code), err->text);
}

struct wa_sv text_at(const struct wa_json *object, const char *key)
{
    return wa_json_sv(wa_json_get(object, key));
}

const char *string_at(struct check *k, const struct wa_json *object, const char *key)
{
    const char *s = wa_arena_strdup(&k->arena, text_at(object, key));
    return s != NULL ? s : "";
}

const char *csv_of(struct check *k, const struct wa_json *j)
{
    WA_AUTO_BUF struct wa_buf out;
    wa_buf_init(&out, 1u << 20);
    if (j == NULL || wa_json_is(j, WA_JSON_NULL))
        return NULL;
    if (wa_json_is(j, WA_JSON_STRING))
        wa_buf_addsv(&out, wa_json_sv(j));
    for (size_t i = 0; i < wa_json_count(j); i++) {
        if (i > 0)
            wa_buf_addc(&out, ',');
        wa_buf_addsv(&out, wa_json_sv(wa_json_at(j, i)));
    }
    return wa_arena_strdup(&k->arena, wa_buf_sv(&out));
}

void set_attribute(struct wa_control *c, enum wa_attr a, struct wa_sv value)
{
    struct wa_err err = WA_ERR_INIT;
    if (wa_control_set(c, a, value, &err) != WA_OK)
        (void)fprintf(stderr, "%s: %s\n", wa_attr_name(a), err.text); /* and the case fails */
}

void set_attributes(struct wa_control *c, const struct wa_json *object)
{
    for (size_t i = 0; i < wa_json_count(object); i++) {
        enum wa_attr a;
        if (wa_attr_find(wa_json_key_at(object, i), &a))
            set_attribute(c, a, wa_json_sv(wa_json_at(object, i)));
    }
}

/* --- files --- */

static enum wa_code read_list(struct check *k, const char *name, const struct wa_json **ret,
                              struct wa_err *err)
{
    char path[2 * WA_PATH_MAX];
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, JSON_MAX);
    (void)snprintf(path, sizeof path, "%s/%s", k->dir, name);
    if (wa_path_read(path, JSON_MAX, &text, err) != WA_OK)
        return err->code;
    return wa_json_parse(wa_buf_sv(&text), WA_JSON_LONE_SURROGATES, &k->arena, ret, err);
}

struct total {
    size_t files, cases, differs, failed;
};

static void run_case(struct check *k, const char *name, size_t i, check_fn check,
                     const struct wa_json *one, struct total *t)
{
    const char *file = string_at(k, one, "file");
    k->why[0] = '\0';
    enum outcome o = check(k, one);
    if (o == NOT_A_CASE)
        return;
    t->cases++;
    t->differs += o == DIFFERS;
    t->failed += o == FAILS;
    if (o != AGREES)
        (void)printf("  %s %s[%zu]%s%s: %s\n", o == FAILS ? "FAILED" : "differs", name, i,
                     file[0] != '\0' ? " " : "", file, k->why);
}

static void run_file(struct check *k, const char *name, check_fn check, struct total *all)
{
    const struct wa_json *list = NULL;
    struct total t = {0};
    struct wa_err err = WA_ERR_INIT;
    wa_arena_init(&k->arena, 512u << 20);
    enum wa_code code = read_list(k, name, &list, &err);
    for (size_t i = 0; code == WA_OK && i < wa_json_count(list); i++)
        run_case(k, name, i, check, wa_json_at(list, i), &t);
    wa_arena_fini(&k->arena);
    if (code == WA_E_NOT_FOUND)
        return;
    if (code != WA_OK || t.cases == 0) {
        (void)printf("  FAILED %s: %s\n", name, code != WA_OK ? err.text : "no case in it");
        t.failed++;
    }
    (void)printf("%s: %zu cases, %zu agree, %zu differ on purpose, %zu failed\n", name, t.cases,
                 t.cases - t.differs - t.failed, t.differs, t.failed);
    all->files++;
    all->cases += t.cases;
    all->differs += t.differs;
    all->failed += t.failed;
}

static enum wa_code is_known(void *user, const char *name, const struct wa_stat *st,
                             struct wa_err *err)
{
    struct total *all = user;
    char path[WA_NAME_MAX + 16];
    WA_UNUSED(st);
    WA_UNUSED(err);
    (void)snprintf(path, sizeof path, "vectors/%s", name);
    for (size_t i = 0; i < WA_COUNT(files); i++)
        if (strcmp(files[i].name, path) == 0)
            return WA_OK;
    (void)printf("  FAILED %s: nobody knows how to check it\n", path);
    all->failed++;
    return WA_OK;
}

static void look_for_others(const struct check *k, struct total *all)
{
    char path[2 * WA_PATH_MAX];
    WA_AUTO_DIR struct wa_dir dir = WA_DIR_INIT;
    struct wa_err err = WA_ERR_INIT;
    (void)snprintf(path, sizeof path, "%s/vectors", k->dir);
    if (wa_dir_open(path, &dir, &err) == WA_OK && wa_dir_list(&dir, is_known, all, &err) == WA_OK)
        return;
    if (err.code != WA_E_NOT_FOUND) {
        (void)printf("  FAILED vectors: %s\n", err.text);
        all->failed++;
    }
}

/* A week after the newest signature: then the honest ones are good, for ever. */
static int64_t date_of(struct check *k)
{
    const struct wa_json *list = NULL;
    struct wa_err err = WA_ERR_INIT;
    int64_t newest = wa_date_from_civil(2026, 11, 24, 12, 0, 0);
    wa_arena_init(&k->arena, 512u << 20);
    if (read_list(k, "expected.json", &list, &err) == WA_OK)
        newest = 0;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        const char *text =
            string_at(k, wa_json_get(wa_json_at(list, i), "attributes"), "signature_date");
        int year, month, day;
        if (sscanf(text, "%d-%d-%d", &year, &month, &day) == 3) {
            int64_t at = wa_date_from_civil(year, month, day, 12, 0, 0);
            newest = at > newest ? at : newest;
        }
    }
    wa_arena_fini(&k->arena);
    return newest + A_WEEK;
}

int main(int argc, char **argv)
{
    struct check k = {.dir = argc == 2 ? argv[1] : NULL};
    struct total all = {0};
    if (argc != 2) {
        (void)fprintf(stderr, "usage: wapt-vectors DIR\n");
        return 2;
    }
    k.now = date_of(&k);
    for (size_t i = 0; i < WA_COUNT(files); i++)
        run_file(&k, files[i].name, files[i].check, &all);
    look_for_others(&k, &all);
    (void)printf("%zu files, %zu cases, %zu differ on purpose, %zu failed\n", all.files, all.cases,
                 all.differs, all.failed);
    return all.failed == 0 && all.files > 0 ? 0 : 1;
}
