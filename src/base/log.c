/* log.c - one event, one line, one write().
 *
 * A value can't end a line, begin a field or colour a terminal: whatever is not plain printable
 * text is escaped. A value is cut at VALUE_MAX, and fields that no longer fit a line of
 * WA_LOG_LINE_MAX are left out, so that a cut line still reads. Nothing here fails: a log that
 * can't be written must not stop the work it tells of.
 */
#include "base/log.h"

#include "base/date.h"
#include "base/utf8.h"

#include <errno.h>
#include <unistd.h>

#define VALUE_MAX 1024u /* bytes of one value; what is longer is cut */

static const char *const level_names[] = {"debug", "info", "warning", "error"};

void wa_log_init(struct wa_log *log, int fd, enum wa_log_level level, const char *program)
{
    *log = (struct wa_log){.fd = fd, .level = level};
    (void)snprintf(log->program, sizeof log->program, "%s", program);
}

struct line {
    char p[WA_LOG_LINE_MAX];
    size_t n;
};

static void put(struct line *l, const char *s, size_t n)
{
    size_t room = sizeof l->p - 2 - l->n; /* for a closing brace and the newline */
    if (n > room)
        n = room;
    memcpy(l->p + l->n, s, n);
    l->n += n;
}

static void puts_(struct line *l, const char *s)
{
    put(l, s, strlen(s));
}

static void put_unit(struct line *l, uint32_t unit)
{
    char esc[8];
    (void)snprintf(esc, sizeof esc, "\\u%04x", (unsigned)unit & 0xffffu);
    puts_(l, esc);
}

/* JSON string escapes, also in text lines: \" \\ \uXXXX; invalid UTF-8 becomes \u00XX of its bytes.
 */
static void put_escaped(struct line *l, struct wa_sv s)
{
    uint32_t cp;
    for (size_t from = 0, at = 0; l->n < sizeof l->p - 16 && wa_utf8_step(s, &at, &cp); from = at) {
        if (cp >= WA_UTF8_BAD) {
            put_unit(l, cp - WA_UTF8_BAD);
        } else if (!wa_utf8_is_shown(cp)) {
            if (cp > 0xffff) /* as JSON has it: two surrogates */
                put_unit(l, 0xd800 + ((cp - 0x10000) >> 10));
            put_unit(l, cp > 0xffff ? 0xdc00 + (cp & 0x3ff) : cp);
        } else {
            if (cp == '"' || cp == '\\')
                put(l, "\\", 1);
            put(l, s.p + from, at - from);
        }
    }
}

static bool is_plain(struct wa_sv s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 0x7f || s.p[i] == '"' || s.p[i] == '\\' || s.p[i] == '=')
            return false;
    return s.n > 0;
}

static void put_value(struct line *l, const struct wa_log_field *f, bool json)
{
    if (f->kind == WA_LOG_INT) {
        char number[24];
        (void)snprintf(number, sizeof number, "%lld", (long long)f->i);
        puts_(l, number);
    } else if (!json && is_plain(f->s)) {
        put(l, f->s.p, f->s.n < VALUE_MAX ? f->s.n : VALUE_MAX);
    } else {
        put(l, "\"", 1);
        size_t n = f->s.n <= VALUE_MAX ? f->s.n : wa_utf8_cut(f->s.p, VALUE_MAX);
        put_escaped(l, wa_sv_sub(f->s, 0, n));
        put(l, "\"", 1);
    }
}

static void put_head(struct line *l, const struct wa_log *log, enum wa_log_level level,
                     const char *event)
{
    char date[WA_DATE_MAX];
    wa_date_rfc3339((int64_t)time(NULL), date);
    const struct {
        const char *key, *value;
    } head[] = {
        {"time", date}, {"level", level_names[level]}, {"program", log->program}, {"event", event}};
    for (size_t i = 0; i < WA_COUNT(head); i++) {
        if (log->json) {
            puts_(l, i == 0 ? "{\"" : ",\"");
            puts_(l, head[i].key);
            puts_(l, "\":\"");
            put_escaped(l, wa_sv(head[i].value));
            puts_(l, "\"");
        } else {
            puts_(l, i == 0 ? "" : " ");
            puts_(l, head[i].value);
        }
    }
}

void wa_log_event(const struct wa_log *log, enum wa_log_level level, const char *event,
                  const struct wa_log_field *fields, size_t field_count)
{
    if (log->fd < 0 || level < log->level)
        return;
    struct line l = {.n = 0};
    put_head(&l, log, level, event);
    for (size_t i = 0; i < field_count && l.n < sizeof l.p - 1200; i++) {
        puts_(&l, log->json ? ",\"" : " ");
        puts_(&l, fields[i].key);
        puts_(&l, log->json ? "\":" : "=");
        put_value(&l, &fields[i], log->json);
    }
    if (log->json)
        l.p[l.n++] = '}';
    l.p[l.n++] = '\n';
    ssize_t written;
    do
        written = write(log->fd, l.p, (unsigned)l.n);
    while (written < 0 && errno == EINTR);
}

void wa_log_err(const struct wa_log *log, enum wa_log_level level, const char *event,
                const struct wa_err *err)
{
    wa_log(log, level, event, WA_LF_S("code", wa_code_name(err->code)),
           WA_LF_S("error", err->text));
}

bool wa_log_level_parse(const char *name, enum wa_log_level *ret)
{
    for (size_t i = 0; i < WA_COUNT(level_names); i++) {
        if (strcmp(name, level_names[i]) != 0)
            continue;
        *ret = (enum wa_log_level)i;
        return true;
    }
    return false;
}
