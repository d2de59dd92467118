/* term.c - asking for a secret on /dev/tty with the echo off. */
#include "os/term.h"

#include "base/mem.h"
#include "os/fs.h"

#include <fcntl.h>
#include <signal.h>
#include <termios.h>
#include <unistd.h>

#define SECRET_MAX 1024u /* bytes */

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
        if (n == SECRET_MAX)
            return false; /* cut short it would be another secret than the one typed */
        out[n++] = c;
    }
    *ret_n = n;
    return true;
}

enum wa_code wa_term_ask_secret(const char *prompt, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_FD int tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios before, silent;
    char line[SECRET_MAX];
    size_t n = 0;
    sigset_t stops, old;
    if (tty < 0 || tcgetattr(tty, &before) != 0)
        return wa_fail(err, WA_E_AUTH,
                       "no terminal to ask for a password on: give it in a file instead");
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

bool wa_term_is_shown(void)
{
    return isatty(STDERR_FILENO) == 1;
}
