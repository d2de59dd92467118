/* exit_show.c - what waptexit shows. All text is tamed here: names of packages and output of
 * scripts come from elsewhere. On a terminal the last line is written over; without one, and for
 * the journal at shutdown, there are only whole lines. */
#include "cmd/exit.h"

#include <stdarg.h>

#include "base/text.h"
#include "base/utf8.h"

#define LINE_BYTES 2048
#define FIRST_SHOWN 8u /* packages that are named unless all are wanted */
#define CLEAR "\r\033[K"

static void put(struct wa_leave *l, const char *text)
{
    wa_term_put(l->term, wa_sv(text));
}

static WA_FORMAT(2, 0) void format(char out[LINE_BYTES], const char *fmt, va_list args)
{
    (void)vsnprintf(out, LINE_BYTES, wa_text(fmt), args);
    wa_cli_tame(out);
}

void wa_leave_tell(struct wa_leave *l, const char *fmt, ...)
{
    char text[LINE_BYTES];
    va_list args;
    va_start(args, fmt);
    format(text, fmt, args);
    va_end(args);
    if (l->term != NULL) {
        put(l, CLEAR);
        put(l, text);
        put(l, "\n");
    }
    if (l->term == NULL || l->is_shutdown) {
        wa_cli_out(l->cli, "%s\n", text);
        (void)fflush(stdout);
    }
}

void wa_leave_line(struct wa_leave *l, const char *fmt, ...)
{
    char text[LINE_BYTES];
    va_list args;
    if (l->term == NULL)
        return;
    va_start(args, fmt);
    format(text, fmt, args);
    va_end(args);
    size_t room = wa_term_columns(l->term) - 1;
    while (wa_cli_width(wa_sv(text)) > room && text[0] != '\0')
        text[wa_utf8_cut(text, strlen(text) - 1)] = '\0'; /* one character less */
    put(l, CLEAR);
    put(l, text);
}

void wa_leave_output(struct wa_leave *l, struct wa_sv text, bool wants_all)
{
    struct wa_sv line;
    while (text.n > 0 && wa_sv_split(&text, '\n', &line)) {
        if (line.n == 0)
            continue;
        if (wants_all || l->term == NULL) {
            wa_leave_tell(l, "%.*s", WA_SV_ARG(line));
        } else {
            wa_leave_line(l, "%.*s", WA_SV_ARG(line));
            if (l->is_shutdown) /* in the journal it is all the same */
                wa_cli_out(l->cli, "%.*s\n", WA_SV_ARG(line));
        }
    }
}

void wa_leave_list(struct wa_leave *l, const struct wa_json *names, bool all)
{
    size_t n = wa_json_count(names), shown = all || n <= FIRST_SHOWN ? n : FIRST_SHOWN;
    for (size_t i = 0; i < shown; i++) {
        struct wa_sv name = wa_json_sv(wa_json_at(names, i));
        wa_leave_tell(l, "    %.*s", WA_SV_ARG(name));
    }
    if (shown < n)
        wa_leave_tell(l, "    and %zu more", n - shown);
}
