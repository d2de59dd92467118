/* get_plan_state.c - the state of a machine that plans are made from, read from files: a
 * repository's index, the list of what is installed, the machine's properties as options.
 */
#include "base/date.h"
#include "cmd/get.h"
#include "cmd/get_plan.h"
#include "codec/csv.h"
#include "os/clock.h"
#include "os/fs.h"
#include "pkg/index.h"
#include "pkg/plan_json.h"

#define TEXTS_BYTES_MAX                                                                            \
    (256u << 20) /* bytes of one file of installed packages, and of its texts                      \
                  */

void wa_get_state_init(struct wa_get_state *s)
{
    *s = (struct wa_get_state){.holds = NULL};
    wa_arena_init(&s->arena, TEXTS_BYTES_MAX);
}

void wa_get_state_fini(struct wa_get_state *s)
{
    for (size_t i = 0; i < s->available.n; i++)
        wa_control_fini(&s->available.items[i]);
    for (size_t i = 0; i < s->installed.n; i++)
        wa_control_fini(&s->installed.items[i].control);
    WA_VEC_FREE(&s->available);
    WA_VEC_FREE(&s->left_out);
    WA_VEC_FREE(&s->installed);
    wa_arena_fini(&s->arena);
}

enum wa_code wa_get_state_text(struct wa_get_state *s, struct wa_sv text, const char **ret,
                               struct wa_err *err)
{
    const char *copy = wa_arena_strdup(&s->arena, text);
    if (copy == NULL)
        return wa_nomem(err);
    *ret = copy;
    return WA_OK;
}

/* --- lists as JSON --- */

static enum wa_code the_list(const struct wa_json *given, const struct wa_json **ret,
                             struct wa_err *err)
{
    const struct wa_json *result = wa_json_get(given, "result");
    *ret = result != NULL ? result : given;
    if (!wa_json_is(*ret, WA_JSON_ARRAY) || wa_json_count(*ret) > WA_INDEX_ENTRIES_MAX)
        return wa_fail(err, WA_E_INVALID, "there is no list of packages in it, or too long a one");
    return WA_OK;
}

/* c moves into the state. why: NULL when nothing speaks against it. */
static enum wa_code take(struct wa_get_state *s, struct wa_control *c, const char *why,
                         struct wa_err *err)
{
    const char **reason = WA_VEC_PUSH(&s->left_out);
    if (reason == NULL)
        return wa_nomem(err);
    *reason = why;
    struct wa_control *slot = WA_VEC_PUSH(&s->available);
    if (slot == NULL)
        return wa_nomem(err);
    *slot = *c;
    wa_control_init(c);
    return WA_OK;
}

enum wa_code wa_get_state_one(struct wa_get_state *s, const struct wa_json *package,
                              struct wa_err *err)
{
    WA_AUTO_CONTROL struct wa_control c;
    wa_control_init(&c);
    return wa_control_read_json(package, &c, err) == WA_OK ? take(s, &c, NULL, err) : err->code;
}

enum wa_code wa_get_state_available(struct wa_get_state *s, const struct wa_json *list,
                                    struct wa_err *err)
{
    if (the_list(list, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list); i++)
        if (wa_get_state_one(s, wa_json_at(list, i), err) != WA_OK)
            return err->code;
    return WA_OK;
}

enum wa_code wa_get_state_installed(struct wa_get_state *s, const struct wa_json *list,
                                    struct wa_err *err)
{
    if (the_list(list, &list, err) != WA_OK)
        return err->code;
    for (size_t i = 0; i < wa_json_count(list); i++) {
        struct wa_installed *slot = WA_VEC_PUSH(&s->installed);
        if (slot == NULL)
            return wa_nomem(err);
        if (wa_installed_read_json(wa_json_at(list, i), slot, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

/* --- files --- */

struct discard {
    struct wa_get_state *s;
    struct wa_err *err;
};

/* What no trusted signer stands for is left out, with the reason, so that it can be told. */
static void discarded(void *user, const struct wa_control *c, const struct wa_err *why)
{
    struct discard *d = user;
    WA_AUTO_CONTROL struct wa_control copy;
    const char *text = NULL;
    wa_control_init(&copy);
    if (d->err->code == WA_OK &&
        wa_get_state_text(d->s, wa_sv(why->text), &text, d->err) == WA_OK &&
        wa_control_copy(c, &copy, d->err) == WA_OK)
        (void)take(d->s, &copy, text, d->err);
}

static enum wa_code judge(struct wa_cli *cli, struct wa_index *ix, struct wa_get_state *s,
                          struct wa_err *err)
{
    WA_AUTO(wa_trust) struct wa_trust *anchors = NULL;
    struct wa_err lost = WA_ERR_INIT;
    struct discard d = {s, &lost};
    size_t gone = 0;
    if (!wa_cli_has(cli, "trusted")) {
        wa_cli_say(cli, "the signatures of '%s' are not checked: --trusted DIR does that",
                   wa_cli_get(cli, "repository", ""));
        return WA_OK;
    }
    if (wa_get_anchors(cli, &anchors, err) != WA_OK ||
        wa_index_keep_trusted(ix, anchors, wa_clock_now(), NULL, discarded, &d, &gone, err) !=
            WA_OK)
        return err->code;
    if (lost.code != WA_OK)
        *err = lost;
    return err->code;
}

static enum wa_code load_repository(struct wa_cli *cli, const char *path, struct wa_get_state *s,
                                    struct wa_err *err)
{
    char file[WA_PATH_MAX];
    struct wa_stat st;
    WA_AUTO(wa_get_package) struct wa_get_package *p = NULL;
    WA_AUTO_INDEX struct wa_index ix;
    size_t bad = 0;
    wa_index_init(&ix);
    if (wa_path_stat(path, &st, err) != WA_OK)
        return err->code;
    (void)snprintf(file, sizeof file, st.is_dir ? "%s/Packages" : "%s", path);
    if (wa_get_package_open(file, &p, err) != WA_OK ||
        wa_index_read(wa_get_package_members(p), &ix, &bad, err) != WA_OK ||
        judge(cli, &ix, s, err) != WA_OK)
        return wa_wrap(err, "repository '%s'", path);
    if (bad > 0)
        wa_cli_say(cli,
                   wa_text_n("%zu entry of '%s' cannot be read and is left out",
                             "%zu entries of '%s' cannot be read and are left out", bad),
                   bad, file);
    for (size_t i = 0; i < ix.n; i++)
        if (take(s, &ix.items[i], NULL, err) != WA_OK)
            return err->code;
    return WA_OK;
}

static enum wa_code load_installed(const char *path, struct wa_get_state *s, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL;
    wa_buf_init(&text, TEXTS_BYTES_MAX);
    wa_arena_init(&arena, 4u * (size_t)TEXTS_BYTES_MAX);
    if (wa_path_read(path, TEXTS_BYTES_MAX, &text, err) != WA_OK ||
        wa_json_parse(wa_buf_sv(&text), 0, &arena, &j, err) != WA_OK ||
        wa_get_state_installed(s, j, err) != WA_OK)
        return wa_wrap(err, "installed packages '%s', as 'wapt-get list --json' writes them", path);
    return WA_OK;
}

/* The machine's properties: what is not given restricts nothing. */
static void load_caps(const struct wa_cli *cli, struct wa_get_state *s)
{
    s->caps = (struct wa_host_caps){
        .os = wa_cli_get(cli, "os", NULL),
        .os_version = wa_cli_get(cli, "os-version", NULL),
        .architecture = wa_cli_get(cli, "architecture", NULL),
        .wapt_version = wa_cli_get(cli, "wapt-version", NULL),
        .locales = wa_cli_get(cli, "locales", NULL),
        .maturities = wa_cli_get(cli, "maturities", NULL),
    };
    wa_date_isolocal(wa_clock_now(), 0, s->caps.now);
}

enum wa_code wa_get_state_files(struct wa_cli *cli, struct wa_get_state *s, struct wa_err *err)
{
    const char *path;
    const char *installed = wa_cli_get(cli, "installed", NULL);
    struct wa_sv names = wa_sv(wa_cli_get(cli, "host-packages", NULL)), name;
    load_caps(cli, s);
    s->holds = wa_cli_get(cli, "held", NULL);
    for (size_t i = 0; (path = wa_cli_at(cli, "repository", i)) != NULL; i++)
        if (load_repository(cli, path, s, err) != WA_OK)
            return err->code;
    while (wa_csv_next(&names, &name)) {
        if (s->host_package_count == WA_ASSIGNED_MAX)
            return wa_fail(err, WA_E_USAGE, "at most %u host packages", WA_ASSIGNED_MAX);
        if (wa_get_state_text(s, name, &s->host_packages[s->host_package_count++], err) != WA_OK)
            return err->code;
    }
    return installed != NULL ? load_installed(installed, s, err) : WA_OK;
}
