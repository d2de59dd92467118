/* term.c - see os/term.h. Questions go to /dev/tty: a pipe can neither answer nor swallow them. */
#include "os/term.h"

#include <fcntl.h>
#include <poll.h>
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

void wa_term_name(char *out, size_t size)
{
    if ((!wa_term_is_err() || ttyname_r(STDERR_FILENO, out, size) != 0) &&
        (!wa_term_is_out() || ttyname_r(STDOUT_FILENO, out, size) != 0))
        out[0] = '\0';
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

/* --- key by key --- */

#define PUT_MS 200 /* what a terminal is waited for */

struct wa_term {
    int fd;
    bool stands_still; /* it took nothing in time: it is not waited for again */
    struct termios before;
};

enum wa_code wa_term_open(const char *path, struct wa_term **ret, struct wa_err *err)
{
    const char *name = path != NULL ? path : "/dev/tty";
    WA_AUTO_FD int fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    struct termios before;
    if (fd < 0 || tcgetattr(fd, &before) != 0)
        return wa_fail(err, WA_E_NOT_FOUND, "'%s' is no terminal", name);
    struct wa_term *t = wa_calloc(1, sizeof *t);
    if (t == NULL)
        return wa_nomem(err);
    struct termios keys = before;
    keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ISIG);
    keys.c_cc[VMIN] = 1;
    keys.c_cc[VTIME] = 0;
    (void)tcsetattr(fd, TCSAFLUSH, &keys);
    *t = (struct wa_term){.fd = fd, .before = before};
    fd = -1;
    *ret = t;
    return WA_OK;
}

void wa_term_close(struct wa_term *t)
{
    if (t == NULL)
        return;
    (void)tcsetattr(t->fd, TCSAFLUSH, &t->before);
    wa_fd_close(&t->fd);
    wa_free(t);
}

int wa_term_fd(const struct wa_term *t)
{
    return t->fd;
}

bool wa_term_key(struct wa_term *t, char *ret)
{
    return read(t->fd, ret, 1) == 1;
}

void wa_term_put(struct wa_term *t, struct wa_sv text)
{
    while (text.n > 0) {
        struct pollfd p = {t->fd, POLLOUT, 0};
        ssize_t put =
            poll(&p, 1, t->stands_still ? 0 : PUT_MS) == 1 ? write(t->fd, text.p, text.n) : -1;
        t->stands_still = put <= 0;
        if (put <= 0)
            return;
        text = wa_sv_sub(text, (size_t)put, text.n);
    }
}

size_t wa_term_columns(const struct wa_term *t)
{
    struct winsize size = {0};
    return ioctl(t->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}
