/* ini.c - INI files read as Python 2's RawConfigParser reads them, and written back as they were.
 *
 * The file is a list of lines, each with what it means; looking something up walks the list. Files
 * are small and read once, so no index is kept that an edit could leave wrong. Invariant: a line's
 * text is the truth, its name and value are what the parser makes of it (and of the lines that
 * continue it).
 */
#include "codec/ini.h"

#include "base/mem.h"
#include "codec/ini_priv.h"
#include "codec/sort_priv.h"

static void line_fini(struct wa_ini_line *line)
{
    wa_free_secret(line->text); /* a password may be in it */
    wa_free(line->name);
    wa_free_secret(line->value);
}

void wa_ini_free(struct wa_ini *ini)
{
    if (!ini)
        return;
    for (size_t i = 0; i < ini->lines.n; i++)
        line_fini(&ini->lines.items[i]);
    WA_VEC_FREE(&ini->lines);
    wa_free(ini);
}

enum wa_code wa_ini_new(struct wa_ini **ret, struct wa_err *err)
{
    struct wa_ini *ini = wa_calloc(1, sizeof(*ini));

    if (!ini)
        return wa_nomem(err);
    ini->ends_with_newline = true;
    *ret = ini;
    return WA_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct wa_sv wa_ini_trim(struct wa_sv s)
{
    while (s.n > 0 && is_blank(s.p[0]))
        s = wa_sv_sub(s, 1, s.n);
    while (s.n > 0 && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

/* ';', '#', or the word REM at the very start, as batch files have it. */
static bool is_comment(struct wa_sv s)
{
    if (wa_ini_trim(s).n == 0 || s.p[0] == ';' || s.p[0] == '#')
        return true;
    return s.n >= 3 && wa_sv_ieqs(wa_sv_sub(s, 0, 3), "rem") && (s.n == 3 || is_blank(s.p[3]));
}

struct wa_sv wa_ini_cut_remark(struct wa_sv s)
{
    size_t at = 0;

    s = wa_ini_trim(s);
    if (wa_sv_chr(s, ';', &at) && at > 0 && is_blank(s.p[at - 1]))
        s.n = at;
    return wa_ini_trim(s);
}

/* A lone "" means empty. */
static struct wa_sv value_of(struct wa_sv s)
{
    s = wa_ini_cut_remark(s);
    if (wa_sv_eqs(s, "\"\""))
        s.n = 0;
    return s;
}

/* "name = value" of s; false when it is none. *ret_value is what follows the separator. */
static bool split_option(struct wa_sv s, struct wa_sv *ret_name, struct wa_sv *ret_value)
{
    size_t at = 0;

    while (at < s.n && s.p[at] != '=' && s.p[at] != ':')
        at++;
    if (at == 0 || at == s.n || is_blank(s.p[0]))
        return false;
    *ret_name = wa_ini_trim(wa_sv_sub(s, 0, at));
    *ret_value = wa_sv_sub(s, at + 1, s.n);
    return true;
}

static bool dup_lower(struct wa_sv s, char **ret)
{
    char *copy = wa_strndup(s.p, s.n);

    if (!copy)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (copy[i] >= 'A' && copy[i] <= 'Z')
            copy[i] = (char)(copy[i] + 32);
    }
    *ret = copy;
    return true;
}

static enum wa_code continue_value(struct wa_ini_line *key, struct wa_sv more, struct wa_err *err)
{
    size_t n = strlen(key->value);
    char *longer;

    /* Cap of a value, so that many short lines can't make this quadratic. */
    if (n + more.n + 1 > WA_INI_LINE_MAX)
        return wa_fail(err, WA_E_LIMIT, "a value longer than %u bytes", WA_INI_LINE_MAX);
    longer = wa_realloc(key->value, n + more.n + 2, 1);
    if (!longer)
        return wa_nomem(err);
    longer[n] = '\n';
    memcpy(longer + n + 1, more.p, more.n);
    longer[n + 1 + more.n] = '\0';
    key->value = longer;
    return WA_OK;
}

/* Sets kind, name and value of line from s, its text. open_key: where a continuation would go, NULL
 * for none. */
static enum wa_code classify(struct wa_sv s, bool in_section, struct wa_ini_line *open_key,
                             struct wa_ini_line *line, struct wa_err *err)
{
    struct wa_sv name, value;
    size_t end = 0;

    if (is_comment(s))
        return WA_OK;
    if (is_blank(s.p[0]) && open_key) {
        line->kind = WA_INI_MORE;
        return continue_value(open_key, wa_ini_trim(s), err);
    }
    if (s.p[0] == '[' && wa_sv_chr(s, ']', &end) && end > 1) {
        line->kind = WA_INI_SECTION;
        line->name = wa_strndup(s.p + 1, end - 1);
        return line->name ? WA_OK : wa_nomem(err);
    }
    if (!in_section)
        return wa_fail(err, WA_E_INVALID, "expected a [section] first");
    if (!split_option(s, &name, &value))
        return wa_fail(err, WA_E_INVALID, "expected [section], 'key = value' or a comment");
    value = value_of(value);
    line->kind = WA_INI_KEY;
    line->value = wa_strndup(value.n > 0 ? value.p : "", value.n);
    return line->value && dup_lower(name, &line->name) ? WA_OK : wa_nomem(err);
}

/* A heading or a key, by what makes two of them one. */
struct named {
    const char *section, *key; /* key "" for the heading, which no key can be */
    struct wa_ini_line *line;
};

static int compare_named(const void *items, uint32_t a, uint32_t b)
{
    const struct named *x = (const struct named *)items + a, *y = (const struct named *)items + b;
    int order = strcmp(x->section, y->section);

    if (order == 0)
        order = strcmp(x->key, y->key);
    return order != 0 ? order : (x->line > y->line) - (x->line < y->line);
}

static size_t list_named(struct wa_ini *ini, struct named *list)
{
    const char *section = "";
    size_t n = 0;

    for (size_t i = 0; i < ini->lines.n; i++) {
        struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION)
            section = line->name;
        if (line->name)
            list[n++] =
                (struct named){section, line->kind == WA_INI_SECTION ? "" : line->name, line};
    }
    return n;
}

/* Of two headings the first counts, of two keys the last. Sorted, not hashed: the file may be
 * anybody's, and sorting has no worst case to be hit. */
static enum wa_code hide_repetitions(struct wa_ini *ini, struct wa_err *err)
{
    struct named *list = wa_calloc(ini->lines.n, sizeof(*list));
    uint32_t *order = wa_calloc(ini->lines.n, sizeof(*order));

    if (!list || !order) {
        wa_free(list);
        wa_free(order);
        return wa_nomem(err);
    }
    size_t n = list_named(ini, list);
    wa_index_sort(order, n, compare_named, list);
    for (size_t i = 1; i < n; i++) {
        const struct named *one = &list[order[i - 1]], *next = &list[order[i]];
        if (strcmp(one->section, next->section) != 0 || strcmp(one->key, next->key) != 0)
            continue;
        if (one->key[0] == '\0')
            next->line->is_hidden = true;
        else
            one->line->is_hidden = true;
    }
    wa_free(list);
    wa_free(order);
    return WA_OK;
}

struct reader {
    struct wa_ini *ini;
    bool in_section;
    size_t open_key; /* index of the line + 1; 0: none */
};

static enum wa_code add_line(struct reader *r, struct wa_sv text, struct wa_err *err)
{
    struct wa_ini_line *line, *open_key;
    struct wa_sv s = text;
    enum wa_code code;
    char *copy;

    if (text.n > WA_INI_LINE_MAX)
        return wa_fail(err, WA_E_LIMIT, "a line longer than %u bytes", WA_INI_LINE_MAX);
    copy = wa_strndup(text.n > 0 ? text.p : "", text.n);
    if (!copy)
        return wa_nomem(err);
    line = WA_VEC_PUSH(&r->ini->lines);
    if (!line) {
        wa_free(copy);
        return wa_nomem(err);
    }
    line->text = copy;
    if (r->ini->lines.n == 1 && wa_sv_starts(s, "\xef\xbb\xbf"))
        s = wa_sv_sub(s, 3, s.n); /* Windows editors put a byte order mark there */
    open_key = r->open_key > 0 ? &r->ini->lines.items[r->open_key - 1] : NULL;
    code = classify(s, r->in_section, open_key, line, err);
    if (line->kind == WA_INI_SECTION) {
        r->in_section = true;
        r->open_key = 0;
    }
    if (line->kind == WA_INI_KEY)
        r->open_key = r->ini->lines.n;
    return code;
}

enum wa_code wa_ini_parse(struct wa_sv text, const char *what, struct wa_ini **ret,
                          struct wa_err *err)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    struct reader r = {0};
    enum wa_code code;
    size_t end = 0;

    if (text.n > WA_INI_BYTES_MAX)
        return wa_fail(err, WA_E_LIMIT, "cannot read '%s': longer than %u bytes", what,
                       WA_INI_BYTES_MAX);
    if (wa_sv_chr(text, '\0', &end))
        return wa_fail(err, WA_E_INVALID, "cannot read '%s': it has a NUL byte", what);
    code = wa_ini_new(&ini, err);
    if (code != WA_OK)
        return code;
    r.ini = ini;
    ini->ends_with_newline = text.n == 0 || text.p[text.n - 1] == '\n';
    while (text.n > 0) {
        bool has_end = wa_sv_chr(text, '\n', &end);
        if (!has_end)
            end = text.n;
        code = add_line(&r, wa_sv_sub(text, 0, end), err);
        text = wa_sv_sub(text, end + 1, text.n);
        if (code != WA_OK)
            break;
    }
    if (code != WA_OK)
        return wa_wrap(err, "cannot read '%s', line %zu", what, ini->lines.n);
    if (hide_repetitions(ini, err) != WA_OK)
        return err->code;
    *ret = WA_TAKE(ini);
    return WA_OK;
}

/* Line of the last occurrence of key in the section, NULL when absent. *ret_number from 1. */
static const struct wa_ini_line *find(const struct wa_ini *ini, const char *section,
                                      const char *key, size_t *ret_number)
{
    const struct wa_ini_line *found = NULL;
    bool is_here = false;

    for (size_t i = 0; i < ini->lines.n; i++) {
        const struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION)
            is_here = strcmp(line->name, section) == 0;
        else if (line->kind == WA_INI_KEY && is_here && wa_sv_ieqs(wa_sv(key), line->name)) {
            found = line;
            *ret_number = i + 1;
        }
    }
    return found;
}

/* Keys of [DEFAULT] count in each section that is there. */
static const struct wa_ini_line *look_up(const struct wa_ini *ini, const char *section,
                                         const char *key, size_t *ret_number)
{
    const struct wa_ini_line *line = find(ini, section, key, ret_number);

    if (!line && wa_ini_has_section(ini, section))
        line = find(ini, WA_INI_DEFAULT, key, ret_number);
    return line;
}

const char *wa_ini_get(const struct wa_ini *ini, const char *section, const char *key)
{
    size_t ignored = 0;
    const struct wa_ini_line *line = look_up(ini, section, key, &ignored);

    return line ? line->value : NULL;
}

size_t wa_ini_line(const struct wa_ini *ini, const char *section, const char *key)
{
    size_t number = 0;

    return look_up(ini, section, key, &number) ? number : 0;
}

bool wa_ini_has_section(const struct wa_ini *ini, const char *section)
{
    for (size_t i = 0; i < ini->lines.n; i++) {
        const struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION && strcmp(line->name, section) == 0)
            return true;
    }
    return false;
}

bool wa_ini_section_at(const struct wa_ini *ini, size_t i, const char **ret_section)
{
    for (size_t at = 0; at < ini->lines.n; at++) {
        const struct wa_ini_line *line = &ini->lines.items[at];
        if (line->kind != WA_INI_SECTION || line->is_hidden ||
            strcmp(line->name, WA_INI_DEFAULT) == 0)
            continue;
        if (i-- == 0) {
            *ret_section = line->name;
            return true;
        }
    }
    return false;
}

bool wa_ini_key_at(const struct wa_ini *ini, const char *section, size_t i, const char **ret_key,
                   const char **ret_value)
{
    bool is_here = false;

    for (size_t at = 0; at < ini->lines.n; at++) {
        const struct wa_ini_line *line = &ini->lines.items[at];
        if (line->kind == WA_INI_SECTION)
            is_here = strcmp(line->name, section) == 0;
        /* A key that is there twice comes once, where its value is. */
        if (line->kind != WA_INI_KEY || !is_here || line->is_hidden)
            continue;
        if (i-- == 0) {
            *ret_key = line->name;
            *ret_value = line->value;
            return true;
        }
    }
    return false;
}
