/* cli_ask.c - passwords, from the terminal or from a file; never from the command line, which other
 * users can see, nor from standard input, which scripts feed.
 */
#include "cmd/cli.h"

#include "base/mem.h"
#include "os/fs.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 1024u

/* Up to the end of the line; false when the person gave up. */
static bool read_line(int tty, char out[SECRET_MAX], size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        char c = 0;
        ssize_t got = read(tty, &c, 1);
        if (got <= 0)
            return false;
        if (c == '\n' || c == '\r')
            break;
        if (n + 1 < SECRET_MAX)
            out[n++] = c;
    }
    *ret_n = n;
    return true;
}

static enum wa_code ask_once(int tty, const char *prompt, struct wa_buf *out, struct wa_err *err)
{
    struct termios before, silent;
    char line[SECRET_MAX];
    size_t n = 0;
    sigset_t stops, old;
    if (tcgetattr(tty, &before) != 0)
        return wa_fail(err, WA_E_AUTH, "no terminal to ask for a password on");
    /* Held back until echo is on again, so that ^C does not leave a mute terminal behind. */
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &stops, &old);
    silent = before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    (void)tcsetattr(tty, TCSAFLUSH, &silent);
    (void)!write(tty, prompt, strlen(prompt));
    bool ok = read_line(tty, line, &n) && memchr(line, 3, n) == NULL;
    (void)!write(tty, "\n", 1);
    (void)tcsetattr(tty, TCSAFLUSH, &before);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    if (ok)
        wa_buf_add(out, line, n);
    wa_wipe(line, sizeof line);
    return ok ? wa_buf_check(out, err) : wa_fail(err, WA_E_AUTH, "no password was given");
}

enum wa_code wa_cli_ask_secret(const char *prompt, bool twice, struct wa_buf *out,
                               struct wa_err *err)
{
    WA_AUTO_FD int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    WA_AUTO_BUF_SECRET struct wa_buf first;
    WA_AUTO_BUF_SECRET struct wa_buf again;
    wa_buf_init(&first, SECRET_MAX);
    wa_buf_init(&again, SECRET_MAX);
    if (tty < 0)
        return wa_fail(err, WA_E_AUTH,
                       "no terminal to ask for a password on: give it in a file instead");
    if (ask_once(tty, prompt, &first, err) != WA_OK)
        return err->code;
    if (twice && ask_once(tty, "Once more: ", &again, err) != WA_OK)
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
