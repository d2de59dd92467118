/* ini_edit.c - changing one key of an INI file and writing the file back.
 *
 * Only the lines of the key that was asked for change. What would not read back as it was set is
 * refused, and a failure leaves the file in memory as it was.
 */
#include "codec/ini.h"

#include "base/mem.h"
#include "codec/ini_priv.h"

static bool is_crlf(const struct wa_ini *ini)
{
    return ini->lines.n > 0 && wa_sv_ends(wa_sv(ini->lines.items[0].text), "\r");
}

static void drop_lines(struct wa_ini *ini, size_t at, size_t count)
{
    for (size_t i = at; i < at + count; i++) {
        wa_free(ini->lines.items[i].text);
        wa_free(ini->lines.items[i].name);
        wa_free(ini->lines.items[i].value);
    }
    memmove(ini->lines.items + at, ini->lines.items + at + count,
            (ini->lines.n - at - count) * sizeof(ini->lines.items[0]));
    ini->lines.n -= count;
}

/* Lines that continue the key at `at`: comments between them go with it only when more follows. */
static size_t more_lines(const struct wa_ini *ini, size_t at)
{
    size_t count = 0;

    for (size_t i = at + 1; i < ini->lines.n; i++) {
        enum wa_ini_kind kind = ini->lines.items[i].kind;
        if (kind == WA_INI_MORE)
            count = i - at;
        else if (kind != WA_INI_OTHER)
            break;
    }
    return count;
}

static void remove_key(struct wa_ini *ini, const char *section, const char *key)
{
    bool is_here = false;

    for (size_t i = 0; i < ini->lines.n; i++) {
        const struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION)
            is_here = strcmp(line->name, section) == 0;
        if (line->kind == WA_INI_KEY && is_here && wa_sv_ieqs(wa_sv(key), line->name)) {
            drop_lines(ini, i, 1 + more_lines(ini, i));
            i--;
        }
    }
}

/* Whether "[section]\nkey = value" reads back as just that. */
static enum wa_code check_reads_back(const char *section, const char *key, const char *value,
                                     struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    struct wa_err inner = WA_ERR_INIT;
    const char *back, *name = NULL;
    enum wa_code code;

    wa_buf_init(&text, 2 * WA_INI_LINE_MAX);
    if (strpbrk(section, "\r\n") || strpbrk(key, "\r\n") || strpbrk(value, "\r\n"))
        return wa_fail(err, WA_E_INVALID, "cannot set '%s' in [%s]: a newline does not fit there",
                       key, section);
    wa_buf_addf(&text, "[%s]\n%s = %s", section, key, value);
    code = wa_buf_check(&text, err);
    if (code != WA_OK)
        return code;
    code = wa_ini_parse(wa_buf_sv(&text), "", &ini, &inner);
    if (code == WA_E_NOMEM)
        return wa_nomem(err);
    back = code == WA_OK ? wa_ini_get(ini, section, key) : NULL;
    if (back && strcmp(back, value) == 0 && ini->lines.items[1].kind == WA_INI_KEY)
        name = ini->lines.items[1].name;
    if (!name || !wa_sv_ieqs(wa_sv(key), name))
        return wa_fail(err, WA_E_INVALID,
                       "cannot set '%s' in [%s] to '%s': it would not read back the same", key,
                       section, value);
    return WA_OK;
}

static enum wa_code make_line(const struct wa_ini *ini, enum wa_ini_kind kind, const char *name,
                              const char *value, struct wa_ini_line *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_ini_line line = {.kind = kind};
    size_t ignored;
    enum wa_code code;

    wa_buf_init(&text, 2 * WA_INI_LINE_MAX);
    if (kind == WA_INI_SECTION)
        wa_buf_addf(&text, "[%s]", name);
    else if (kind == WA_INI_KEY)
        wa_buf_addf(&text, "%s = %s", name, value);
    wa_buf_adds(&text, is_crlf(ini) ? "\r" : "");
    code = wa_buf_steal(&text, &line.text, &ignored, err);
    if (code != WA_OK)
        return code;
    line.name = kind == WA_INI_OTHER ? NULL : wa_strdup(name);
    line.value = kind == WA_INI_KEY ? wa_strdup(value) : NULL;
    if ((kind != WA_INI_OTHER && !line.name) || (kind == WA_INI_KEY && !line.value)) {
        wa_free(line.text);
        wa_free(line.name);
        wa_free(line.value);
        return wa_nomem(err);
    }
    /* Names of keys are in lower case, as the parser has them. */
    for (char *c = line.name; kind == WA_INI_KEY && *c; c++) {
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c + 32);
    }
    *ret = line;
    return WA_OK;
}

/* Moves the lines into the file at `at`; all or none. */
static enum wa_code insert_lines(struct wa_ini *ini, size_t at, struct wa_ini_line *lines,
                                 size_t count, struct wa_err *err)
{
    size_t old = ini->lines.n;

    for (size_t i = 0; i < count; i++) {
        struct wa_ini_line *slot = WA_VEC_PUSH(&ini->lines);
        if (!slot) {
            ini->lines.n = old;
            return wa_nomem(err);
        }
    }
    memmove(ini->lines.items + at + count, ini->lines.items + at,
            (old - at) * sizeof(ini->lines.items[0]));
    memcpy(ini->lines.items + at, lines, count * sizeof(*lines));
    memset(lines, 0, count * sizeof(*lines));
    return WA_OK;
}

/* Where a new key of the section goes: after the last line of it that says something. 0: no such
 * section. */
static size_t place_in(const struct wa_ini *ini, const char *section)
{
    bool is_here = false;
    size_t place = 0;

    for (size_t i = 0; i < ini->lines.n; i++) {
        const struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION)
            is_here = strcmp(line->name, section) == 0;
        if (is_here && line->kind != WA_INI_OTHER)
            place = i + 1;
    }
    return place;
}

/* The new text of a key's line: its name, separator and remark stay as they were written. */
static enum wa_code rewrite(const struct wa_ini_line *line, const char *value, char **ret,
                            struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_sv old = wa_sv(line->text);
    size_t from = strcspn(line->text, "=:") + 1, to, ignored;
    struct wa_sv trimmed = wa_ini_cut_remark(wa_sv_sub(old, from, old.n));

    if (trimmed.n > 0) {
        from = (size_t)(trimmed.p - old.p);
        to = from + trimmed.n;
    } else {
        /* Nothing there yet: one blank, the value, and what follows (blanks, a CR). */
        to = from;
    }
    wa_buf_init(&text, 3 * WA_INI_LINE_MAX);
    wa_buf_add(&text, old.p, from);
    if (trimmed.n == 0 && *value)
        wa_buf_addc(&text, ' ');
    wa_buf_adds(&text, value);
    wa_buf_adds(&text, old.p + to);
    return wa_buf_steal(&text, ret, &ignored, err);
}

static enum wa_code replace(struct wa_ini *ini, size_t at, const char *value, struct wa_err *err)
{
    struct wa_ini_line *line = &ini->lines.items[at];
    WA_AUTO_STR char *text = NULL;
    char *copy;
    enum wa_code code = rewrite(line, value, &text, err);

    if (code != WA_OK)
        return code;
    copy = wa_strdup(value);
    if (!copy)
        return wa_nomem(err);
    wa_free(line->text);
    wa_free(line->value);
    line->text = WA_TAKE(text);
    line->value = copy;
    drop_lines(ini, at + 1, more_lines(ini, at));
    return WA_OK;
}

static enum wa_code add_key(struct wa_ini *ini, const char *section, const char *key,
                            const char *value, struct wa_err *err)
{
    struct wa_ini_line lines[3] = {0};
    size_t place = place_in(ini, section), count = 0;
    enum wa_code code = WA_OK;

    if (place == 0) {
        place = ini->lines.n;
        if (place > 0)
            code = make_line(ini, WA_INI_OTHER, NULL, NULL, &lines[count++], err);
        if (code == WA_OK)
            code = make_line(ini, WA_INI_SECTION, section, NULL, &lines[count++], err);
    }
    if (code == WA_OK)
        code = make_line(ini, WA_INI_KEY, key, value, &lines[count++], err);
    if (code == WA_OK)
        code = insert_lines(ini, place, lines, count, err);
    for (size_t i = 0; i < count; i++) {
        wa_free(lines[i].text);
        wa_free(lines[i].name);
        wa_free(lines[i].value);
    }
    return code;
}

enum wa_code wa_ini_set(struct wa_ini *ini, const char *section, const char *key, const char *value,
                        struct wa_err *err)
{
    enum wa_code code;
    size_t last = 0;
    bool is_here = false;

    if (!value) {
        remove_key(ini, section, key);
        return WA_OK;
    }
    code = check_reads_back(section, key, value, err);
    if (code != WA_OK)
        return code;
    for (size_t i = 0; i < ini->lines.n; i++) {
        const struct wa_ini_line *line = &ini->lines.items[i];
        if (line->kind == WA_INI_SECTION)
            is_here = strcmp(line->name, section) == 0;
        if (line->kind == WA_INI_KEY && is_here && wa_sv_ieqs(wa_sv(key), line->name))
            last = i + 1;
    }
    return last > 0 ? replace(ini, last - 1, value, err) : add_key(ini, section, key, value, err);
}

void wa_ini_write(const struct wa_ini *ini, struct wa_buf *out)
{
    for (size_t i = 0; i < ini->lines.n; i++) {
        if (i > 0)
            wa_buf_addc(out, '\n');
        wa_buf_adds(out, ini->lines.items[i].text);
    }
    if (ini->lines.n > 0 && ini->ends_with_newline)
        wa_buf_addc(out, '\n');
}
