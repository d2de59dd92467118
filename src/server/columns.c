/* columns.c - paths into what machines report: read strictly, since people give them, and followed
 * whatever a machine says.
 */
#include "server/columns.h"

#include "base/utf8.h"
#include "codec/csv.h"
#include "codec/url.h"

/* Not the lists of packages and software, nor of their audits: those are long, and have rows. */
static const char *const sections[] = {
    "host_info", "host_metrics", "host_status", "host_capabilities",
    "dmi",       "wapt_status",  "policy"};

static bool is_section(const char *name)
{
    for (size_t i = 0; i < WA_COUNT(sections); i++)
        if (strcmp(name, sections[i]) == 0)
            return true;
    return false;
}

static bool is_name(struct wa_sv name)
{
    for (size_t i = 0; i < name.n; i++)
        if ((unsigned char)name.p[i] < 0x20 || name.p[i] == 0x7f)
            return false;
    return name.n > 0 && wa_utf8_valid(name);
}

static enum wa_code read_path(struct wa_sv text, struct wa_column *ret, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf name;
    struct wa_sv rest = text, one;
    struct wa_err why = WA_ERR_INIT;
    size_t at = 0;
    wa_buf_init(&name, WA_COLUMN_PATH_MAX);
    *ret = (struct wa_column){.count = 0};
    bool is_good = text.n > 0 && text.n <= WA_COLUMN_PATH_MAX;
    while (is_good && wa_sv_split(&rest, '.', &one)) {
        wa_buf_clear(&name);
        is_good = wa_url_decode(one, false, &name, &why) == WA_OK && is_name(wa_buf_sv(&name));
        if (!is_good)
            break;
        memcpy(ret->names + at, name.p, name.n); /* never longer than the text */
        at += name.n + 1;
        ret->count++;
    }
    if (why.code == WA_E_NOMEM)
        return wa_nomem(err);
    if (!is_good || text.p[text.n - 1] == '.' || ret->count < 2 || !is_section(ret->names))
        return wa_fail(err, WA_E_USAGE,
                       "'%.*s' is no path of the inventory like host_info.cpu_name: a section "
                       "(host_info, host_metrics, host_status, host_capabilities, dmi, "
                       "wapt_status, policy), then names with '.' between",
                       WA_SV_ARG(text));
    memcpy(ret->text, text.p, text.n);
    return WA_OK;
}

enum wa_code wa_columns_read(struct wa_sv text, struct wa_columns *ret, struct wa_err *err)
{
    struct wa_sv one;
    ret->n = 0;
    while (wa_csv_next(&text, &one)) {
        if (ret->n == WA_COUNT(ret->items))
            return wa_fail(err, WA_E_USAGE, "at most %u columns of the inventory at once",
                           WA_COLUMNS_MAX);
        if (read_path(one, &ret->items[ret->n], err) != WA_OK)
            return err->code;
        ret->n++;
    }
    return WA_OK;
}

/* --- what is there --- */

static void say(struct wa_sv text, size_t start, struct wa_buf *out)
{
    size_t at = out->n > start ? out->n + 2 : start;
    if (text.n == 0 || at - start >= WA_COLUMN_VALUE_MAX)
        return;
    wa_buf_adds(out, at > out->n ? ", " : "");
    size_t room = WA_COLUMN_VALUE_MAX - (at - start);
    wa_buf_addsv(out, wa_sv_sub(text, 0, text.n > room ? wa_utf8_cut(text.p, room) : text.n));
    for (; at < out->n; at++) /* it is one line, whatever a machine says */
        if ((unsigned char)out->p[at] < 0x20 || out->p[at] == 0x7f)
            out->p[at] = ' ';
}

/* As deep as JSON may be, at most. */
static void follow(const struct wa_json *j, const char *name, size_t left, size_t start,
                   struct wa_buf *out)
{
    int64_t place = 0;
    size_t count = wa_json_count(j);
    switch (wa_json_type(j)) {
    case WA_JSON_ARRAY:
        if (left > 0 && wa_sv_i64(wa_sv(name), &place)) {
            if (place >= 0 && (uint64_t)place < count)
                follow(wa_json_at(j, (size_t)place), name + strlen(name) + 1, left - 1, start, out);
            return;
        }
        for (size_t i = 0; i < count && out->n - start < WA_COLUMN_VALUE_MAX; i++)
            follow(wa_json_at(j, i), name, left, start, out);
        return;
    case WA_JSON_OBJECT:
        if (left > 0)
            follow(wa_json_get(j, name), name + strlen(name) + 1, left - 1, start, out);
        return;
    case WA_JSON_STRING:
    case WA_JSON_NUMBER:
        if (left == 0)
            say(wa_json_sv(j), start, out);
        return;
    case WA_JSON_BOOL:
        if (left == 0)
            say(wa_json_bool(j) ? WA_SV("true") : WA_SV("false"), start, out);
        return;
    case WA_JSON_NULL:
        return;
    }
}

void wa_column_value(const struct wa_column *c, const struct wa_json *section, struct wa_buf *out)
{
    follow(section, c->names + strlen(c->names) + 1, c->count - 1, out->n, out);
}
