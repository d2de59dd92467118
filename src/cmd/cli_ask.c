/* cli_ask.c - passwords, from the terminal or from a file; never from the command line, which other
 * users can see, nor from standard input, which scripts feed.
 */
#include "cmd/cli.h"

#include "base/mem.h"
#include "os/fs.h"
#include "os/term.h"

#define SECRET_MAX 1024u

enum wa_code wa_cli_ask_secret(const char *prompt, bool twice, struct wa_buf *out,
                               struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf first;
    WA_AUTO_BUF_SECRET struct wa_buf again;
    wa_buf_init(&first, SECRET_MAX);
    wa_buf_init(&again, SECRET_MAX);
    if (wa_term_ask_secret(prompt, &first, err) != WA_OK)
        return err->code;
    if (twice && wa_term_ask_secret("Once more: ", &again, err) != WA_OK)
        return err->code;
    if (twice && !wa_sv_eq(wa_buf_sv(&first), wa_buf_sv(&again)))
        return wa_fail(err, WA_E_AUTH, "the two passwords differ");
    wa_buf_addsv(out, wa_buf_sv(&first));
    return wa_buf_check(out, err);
}

enum wa_code wa_cli_read_secret(const char *path, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF_SECRET struct wa_buf text;
    wa_buf_init(&text, 64u << 10);
    if (wa_path_read(path, 64u << 10, &text, err) != WA_OK)
        return wa_wrap(err, "reading the password");
    struct wa_sv rest = wa_buf_sv(&text), line = {NULL, 0};
    (void)wa_sv_split(&rest, '\n', &line);
    if (line.n > 0 && line.p[line.n - 1] == '\r')
        line.n--;
    if (line.n == 0 || line.n > SECRET_MAX)
        return wa_fail(err, WA_E_CONFIG, "the first line of '%s' is no password", path);
    wa_buf_addsv(out, line);
    return wa_buf_check(out, err);
}
