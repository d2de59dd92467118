/* term.c - see os/term.h. Questions go to /dev/tty: a pipe can neither answer nor swallow them. */
#include "os/term.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/mem.h"
#include "os/fs.h"

bool wa_term_is_out(void)
{
    return isatty(STDOUT_FILENO) == 1;
}

bool wa_term_is_err(void)
{
    return isatty(STDERR_FILENO) == 1;
}

size_t wa_term_width(void)
{
    struct winsize size = {0};
    return wa_term_is_out() && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

/* Up to the end of the line; false when the person gave up. *ret_n beyond the room: too long. */
static bool read_line(int tty, char out[WA_TERM_LINE_MAX], size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        char c = 0;
        ssize_t got = read(tty, &c, 1);
        if (got <= 0)
            return false;
        if (c == '\n' || c == '\r')
            break;
        if (c == 3)
            return false;
        if (n < WA_TERM_LINE_MAX)
            out[n] = c;
        n += n <= WA_TERM_LINE_MAX ? 1 : 0;
    }
    *ret_n = n;
    return true;
}

static bool ask(int tty, const char *prompt, char line[WA_TERM_LINE_MAX], size_t *ret_n)
{
    (void)!write(tty, prompt, strlen(prompt));
    return read_line(tty, line, ret_n);
}

/* SIGINT is held back until echo is on again, so that ^C does not leave a mute terminal behind. */
static bool ask_mutely(int tty, const struct termios *before, const char *prompt,
                       char line[WA_TERM_LINE_MAX], size_t *ret_n)
{
    struct termios silent = *before;
    sigset_t stops, old;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGINT);
    (void)sigaddset(&stops, SIGTSTP);
    (void)sigprocmask(SIG_BLOCK, &stops, &old);
    silent.c_lflag &= ~(tcflag_t)(ECHO | ISIG);
    (void)tcsetattr(tty, TCSAFLUSH, &silent);
    bool ok = ask(tty, prompt, line, ret_n);
    (void)!write(tty, "\n", 1);
    (void)tcsetattr(tty, TCSAFLUSH, before);
    (void)sigprocmask(SIG_SETMASK, &old, NULL);
    return ok;
}

enum wa_code wa_term_ask(const char *prompt, bool echo, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_FD int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    char line[WA_TERM_LINE_MAX];
    struct termios before;
    size_t n = 0;
    if (tty < 0 || tcgetattr(tty, &before) != 0)
        return wa_fail(err, WA_E_AUTH, "there is no terminal to ask on");
    bool ok = echo ? ask(tty, prompt, line, &n) : ask_mutely(tty, &before, prompt, line, &n);
    if (ok && n <= WA_TERM_LINE_MAX)
        wa_buf_add(out, line, n);
    wa_wipe(line, sizeof line);
    if (!ok)
        return wa_fail(err, WA_E_AUTH, "no answer was given");
    return n <= WA_TERM_LINE_MAX
               ? wa_buf_check(out, err)
               : wa_fail(err, WA_E_LIMIT, "the answer is longer than %u bytes", WA_TERM_LINE_MAX);
}
