/* cli_out.c - what a program prints. Text that came from a package, a certificate or a server is
 * tamed first: it can neither move the cursor nor forge a line of ours.
 */
#include "cmd/cli.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "os/term.h"

#include <stdarg.h>

#define LINE_MAX_BYTES (4u << 20) /* above the kept output of a script */

void wa_cli_tame(char *text)
{
    struct wa_sv s = wa_sv(text);
    uint32_t cp;
    for (size_t from = 0, at = 0; wa_utf8_step(s, &at, &cp); from = at) {
        bool control = (cp < 0x20 && cp != '\n' && cp != '\t') || (cp >= 0x7f && cp < 0xa0) ||
                       (cp >= 0x200e && cp <= 0x200f) || (cp >= 0x202a && cp <= 0x202e) ||
                       (cp >= 0x2066 && cp <= 0x2069) || cp >= WA_UTF8_BAD;
        if (control)
            memset(text + from, '?', at - from);
    }
}

/* The formatted text, tamed, owned; NULL without memory. */
static WA_FORMAT(1, 0) char *format(const char *fmt, va_list args)
{
    va_list again;
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, wa_text(fmt), again);
    va_end(again);
    if (n < 0 || (size_t)n > LINE_MAX_BYTES)
        return NULL;
    char *text = wa_calloc((size_t)n + 1, 1);
    if (text == NULL)
        return NULL;
    (void)vsnprintf(text, (size_t)n + 1, wa_text(fmt), args);
    wa_cli_tame(text);
    return text;
}

void wa_cli_out(const struct wa_cli *cli, const char *fmt, ...)
{
    va_list args;
    if (cli->json)
        return;
    va_start(args, fmt);
    WA_AUTO_STR char *text = format(fmt, args);
    va_end(args);
    (void)fputs(text == NULL ? wa_text("memory ran out") : text, stdout);
}

void wa_cli_csv(const struct wa_cli *cli, struct wa_sv text)
{
    struct wa_sv line;
    while (text.n > 0 && wa_sv_split(&text, '\n', &line)) {
        while (wa_sv_ends(line, "\r"))
            line.n--;
        wa_cli_out(cli, "%.*s\n", (int)line.n, line.p);
    }
}

void wa_cli_pair(const struct wa_cli *cli, const char *key, const char *value)
{
    struct wa_sv rest = wa_sv(value), line;
    bool first = true;
    while (wa_sv_split(&rest, '\n', &line)) {
        if (line.n > 4096)
            line.n = wa_utf8_cut(line.p, 4096);
        wa_cli_out(cli, "%-18s%s %.*s\n", first ? key : "", first ? ":" : " ", WA_SV_ARG(line));
        first = false;
    }
    if (first)
        wa_cli_out(cli, "%-18s:\n", key);
}

void wa_cli_say(const struct wa_cli *cli, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    WA_AUTO_STR char *text = format(fmt, args);
    va_end(args);
    (void)fflush(stdout); /* in the order in which things happened */
    (void)fprintf(stderr, "%s: %s\n", cli->program->name,
                  text == NULL ? wa_text("memory ran out") : text);
}

void wa_cli_progress(const struct wa_cli *cli, const char *what, uint64_t done, uint64_t total)
{
    if (cli->json || !wa_term_is_err())
        return;
    if (total == 0) {
        (void)fputs("\r\033[K", stderr);
        return;
    }
    bool is_large = total > UINT64_MAX / 100;
    unsigned percent = done >= total ? 100
                       : is_large    ? (unsigned)(done / (total / 100))
                                     : (unsigned)(done * 100 / total);
    char name[64];
    (void)snprintf(name, sizeof name, "%.60s", wa_text(what));
    wa_cli_tame(name);
    (void)fprintf(stderr, "\r\033[K%s %u%%", name, percent);
    (void)fflush(stderr);
}
