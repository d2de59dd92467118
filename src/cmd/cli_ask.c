/* cli_ask.c - passwords and confirmations, from the terminal or from a file; never from the command
 * line, which other users can see, nor from standard input, which scripts feed.
 */
#include "cmd/cli.h"

#include "base/text.h"
#include "os/fs.h"
#include "os/proc.h"
#include "os/term.h"

static enum wa_code ask_once(const char *prompt, const char *option, struct wa_buf *out,
                             struct wa_err *err)
{
    struct wa_err why = WA_ERR_INIT;
    if (wa_term_ask(wa_text(prompt), false, out, &why) == WA_OK)
        return WA_OK;
    return why.code == WA_E_AUTH && option != NULL
               ? wa_fail(err, WA_E_AUTH, "no password: %s; %s FILE takes it from a file", why.text,
                         option)
               : wa_fail(err, why.code, "%s", why.text);
}

enum wa_code wa_cli_ask_secret(const char *prompt, bool twice, const char *option,
                               struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf first;
    WA_AUTO_BUF_SECRET struct wa_buf again;
    wa_proc_keep_private();
    wa_buf_init(&first, WA_TERM_LINE_MAX);
    wa_buf_init(&again, WA_TERM_LINE_MAX);
    if (ask_once(prompt, option, &first, err) != WA_OK)
        return err->code;
    if (twice && ask_once(WA_TEXT("Once more: "), option, &again, err) != WA_OK)
        return err->code;
    if (twice && !wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&again)))
        return wa_fail(err, WA_E_AUTH, "the two passwords differ");
    wa_buf_addsv(out, wa_buf_sv(&first));
    return wa_buf_check(out, err);
}

enum wa_code wa_cli_confirm(const char *question, const char *option, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf prompt;
    WA_AUTO_BUF struct wa_buf answer;
    struct wa_err why = WA_ERR_INIT;
    wa_buf_init(&prompt, 4096);
    wa_buf_init(&answer, WA_TERM_LINE_MAX);
    wa_buf_addf(&prompt, wa_text("%s Type yes: "), wa_text(question));
    if (wa_buf_check(&prompt, err) != WA_OK)
        return err->code;
    if (wa_term_ask(wa_buf_str(&prompt), true, &answer, &why) != WA_OK)
        return wa_fail(err, WA_E_USAGE, "%s %s: %s says yes beforehand", wa_text(question),
                       why.text, option);
    struct wa_sv word = wa_sv_trim(wa_buf_sv(&answer));
    return wa_sv_eqs(word, "yes") || wa_sv_eqs(word, wa_text("yes"))
               ? WA_OK
               : wa_fail(err, WA_E_CANCELLED, "nothing was done");
}

enum wa_code wa_cli_read_secret(const char *path, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_proc_keep_private();
    wa_buf_init(&text, 64u << 10);
    if (wa_path_read(path, 64u << 10, &text, err) != WA_OK)
        return wa_wrap(err, "reading the password");
    struct wa_sv rest = wa_buf_sv(&text), line = {NULL, 0};
    (void)wa_sv_split(&rest, '\n', &line);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 || line.n > WA_TERM_LINE_MAX)
        return wa_fail(err, WA_E_CONFIG, "the first line of '%s' is no password", path);
    wa_buf_addsv(out, line);
    return wa_buf_check(out, err);
}
