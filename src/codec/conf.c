/* conf.c - a struct filled from an INI section by a table of options.
 *
 * Files win over defaults; both go through the same reader, so a default can't be out of its own
 * range without a test noticing. On failure the strings read so far stay in the struct for
 * wa_conf_free().
 */
#include "codec/conf.h"

#include "base/date.h"
#include "base/mem.h"
#include "codec/csv.h"

struct context {
    const struct wa_ini *ini;
    const char *file;
    void *into;
    struct wa_err *err;
};

static enum wa_code refuse(const struct context *c, const struct wa_conf_option *o,
                           const char *text, const char *allowed)
{
    size_t line = c->ini ? wa_ini_line(c->ini, o->section, o->key) : 0;

    if (line == 0)
        return wa_fail(c->err, WA_E_INTERNAL, "default of '%s' in [%s] is '%.80s', not %s", o->key,
                       o->section, text, allowed);
    return wa_fail(c->err, WA_E_CONFIG,
                   "cannot use '%s', line %zu: '%s' in [%s] is '%.80s', it must be %s", c->file,
                   line, o->key, o->section, text, allowed);
}

bool wa_conf_read_bool(struct wa_sv text, bool *ret)
{
    static const char *const yes[] = {"1", "yes", "true", "on"};
    static const char *const no[] = {"0", "no", "false", "off"};

    for (size_t i = 0; i < WA_COUNT(yes); i++) {
        if (wa_sv_ieqs(text, yes[i]) || wa_sv_ieqs(text, no[i])) {
            *ret = wa_sv_ieqs(text, yes[i]);
            return true;
        }
    }
    return false;
}

/* Digits with at most one '-' before; wa_sv_u64() does the rest. */
static bool parse_int(const char *text, int64_t *ret)
{
    bool is_negative = text[0] == '-';
    uint64_t magnitude = 0;

    if (!wa_sv_u64(wa_sv(text + (is_negative ? 1 : 0)), &magnitude) || magnitude > INT64_MAX)
        return false;
    *ret = is_negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

static enum wa_code set_number(const struct context *c, const struct wa_conf_option *o,
                               const char *text)
{
    bool is_period = o->type == WA_CONF_PERIOD;
    int64_t value = 0;
    char allowed[160];

    /* "key =" switches off what 0 switches off (waptservice_port, waptupdate_task_period). */
    if (text[0] == '\0')
        text = "0";
    if (is_period ? wa_date_parse_period(wa_sv(text), o->unit_char, &value)
                  : parse_int(text, &value)) {
        if (value >= o->min && value <= o->max) {
            memcpy((char *)c->into + o->offset, &value, sizeof(value));
            return WA_OK;
        }
    }
    if (is_period)
        (void)snprintf(allowed, sizeof(allowed),
                       "a number with s, m, h, d or w (alone: %c), from %lld to %lld seconds",
                       o->unit_char, (long long)o->min, (long long)o->max);
    else
        (void)snprintf(allowed, sizeof(allowed), "an integer from %lld to %lld", (long long)o->min,
                       (long long)o->max);
    return refuse(c, o, text, allowed);
}

static enum wa_code set_bool(const struct context *c, const struct wa_conf_option *o,
                             const char *text)
{
    bool value = false;

    if (!wa_conf_read_bool(wa_sv(text), &value))
        return refuse(c, o, text, "1, 0, yes, no, true, false, on or off");
    memcpy((char *)c->into + o->offset, &value, sizeof(value));
    return WA_OK;
}

static enum wa_code set_string(const struct context *c, const struct wa_conf_option *o, char *owned)
{
    if (!owned)
        return wa_nomem(c->err);
    memcpy((char *)c->into + o->offset, &owned, sizeof(owned));
    return WA_OK;
}

static enum wa_code set_csv(const struct context *c, const struct wa_conf_option *o,
                            const char *text)
{
    struct wa_sv rest = wa_sv(text), item;
    char *joined = wa_calloc(rest.n + 1, 1);
    size_t n = 0;

    /* Trimmed items and one comma between two never need more room than the text. */
    while (joined && wa_csv_next(&rest, &item)) {
        if (n > 0)
            joined[n++] = ',';
        memcpy(joined + n, item.p, item.n);
        n += item.n;
    }
    return set_string(c, o, joined);
}

static enum wa_code set_option(const struct context *c, const struct wa_conf_option *o)
{
    const char *text = c->ini ? wa_ini_get(c->ini, o->section, o->key) : NULL;

    if (!text)
        text = o->fallback;
    if (!text)
        return WA_OK;
    switch (o->type) {
    case WA_CONF_STR:
        return set_string(c, o, wa_strdup(text));
    case WA_CONF_BOOL:
        return set_bool(c, o, text);
    case WA_CONF_INT:
    case WA_CONF_PERIOD:
        return set_number(c, o, text);
    case WA_CONF_CSV:
        return set_csv(c, o, text);
    case WA_CONF_GONE:
        break;
    }
    return WA_OK;
}

static bool is_ignored(const char *section, const char *const *ignored_sections)
{
    for (; ignored_sections && *ignored_sections; ignored_sections++) {
        if (strcmp(section, *ignored_sections) == 0)
            return true;
    }
    return false;
}

/* --- what nobody reads --- */

#define KEY_MAX 64u /* bytes: longer keys are compared with none */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t two = a < b ? a : b;
    return two < c ? two : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Characters to change, add or leave out to make one of the other; KEY_MAX for what is too long. */
static size_t distance(const char *a, const char *b)
{
    size_t row[KEY_MAX + 1], n = strlen(a), m = strlen(b);

    if (n > KEY_MAX || m > KEY_MAX)
        return KEY_MAX;
    for (size_t k = 0; k <= m; k++)
        row[k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t before = row[0];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            size_t above = row[k], same = lower(a[i - 1]) == lower(b[k - 1]) ? 0 : 1;
            row[k] = least(above + 1, row[k - 1] + 1, before + same);
            before = above;
        }
    }
    return row[m];
}

static const struct wa_conf_option *find(const char *section, const char *key,
                                         const struct wa_conf_option *options, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if ((section == NULL || strcmp(options[i].section, section) == 0) &&
            wa_sv_ieqs(wa_sv(key), options[i].key))
            return &options[i];
    }
    return NULL;
}

/* The option that was probably meant: of the same name elsewhere, or of nearly the same name. */
static const struct wa_conf_option *nearest(const char *section, const char *key,
                                            const struct wa_conf_option *options, size_t count)
{
    const struct wa_conf_option *best = find(NULL, key, options, count);
    size_t least_so_far = strlen(key) / 4 + 2; /* one letter in a short key, more in a long one */

    if (best != NULL)
        return best->type == WA_CONF_GONE ? NULL : best;
    for (size_t i = 0; i < count; i++) {
        size_t d = distance(key, options[i].key);
        if (options[i].type == WA_CONF_GONE || strcmp(options[i].section, section) != 0 ||
            d >= least_so_far)
            continue;
        best = &options[i];
        least_so_far = d;
    }
    return best;
}

static void warn_one(const struct context *c, const char *section, const char *key,
                     const struct wa_conf_option *options, size_t count, wa_conf_warn_fn warn,
                     void *user)
{
    char text[512];
    const struct wa_conf_option *o = find(section, key, options, count);
    size_t line = wa_ini_line(c->ini, section, key);

    if (o != NULL && o->type != WA_CONF_GONE)
        return;
    if (o != NULL) {
        (void)snprintf(text, sizeof(text),
                       "%s, line %zu: option '%.80s' in [%.80s] has no effect: %s", c->file, line,
                       key, section, o->doc);
        warn(user, text);
        return;
    }
    o = nearest(section, key, options, count);
    (void)snprintf(text, sizeof(text), "%s, line %zu: unknown option '%.80s' in [%.80s]%s%s%s%s%s",
                   c->file, line, key, section, o != NULL ? "; is '" : "", o != NULL ? o->key : "",
                   o != NULL ? "' in [" : "", o != NULL ? o->section : "",
                   o != NULL ? "] meant?" : "");
    warn(user, text);
}

static void warn_unknown(const struct context *c, const struct wa_conf_option *options,
                         size_t count, const char *const *ignored_sections, wa_conf_warn_fn warn,
                         void *user)
{
    const char *section, *key, *value;

    for (size_t s = 0; wa_ini_section_at(c->ini, s, &section); s++) {
        if (is_ignored(section, ignored_sections))
            continue;
        for (size_t k = 0; wa_ini_key_at(c->ini, section, k, &key, &value); k++)
            warn_one(c, section, key, options, count, warn, user);
    }
}

enum wa_code wa_conf_load(const struct wa_ini *ini, const char *file,
                          const struct wa_conf_option *options, size_t count,
                          const char *const *ignored_sections, void *into, wa_conf_warn_fn warn,
                          void *user, struct wa_err *err)
{
    struct context c = {ini, file, into, err};

    for (size_t i = 0; i < count; i++) {
        enum wa_code code = set_option(&c, &options[i]);
        if (code != WA_OK)
            return code;
    }
    if (ini && warn)
        warn_unknown(&c, options, count, ignored_sections, warn, user);
    return WA_OK;
}

void wa_conf_free(const struct wa_conf_option *options, size_t count, void *into)
{
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        if (options[i].type != WA_CONF_STR && options[i].type != WA_CONF_CSV)
            continue;
        memcpy(&text, (char *)into + options[i].offset, sizeof(text));
        wa_free(text);
        text = NULL;
        memcpy((char *)into + options[i].offset, &text, sizeof(text));
    }
}
