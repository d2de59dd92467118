/* pinentry.c - see pinentry.h. */
#include "console/pinentry.h"

#include "base/mem.h"
#include "base/text.h"
#include "base/utf8.h"
#include "os/fs.h"

#include <assuan.h>

#define TEXT_MAX 900u   /* bytes of a line of the protocol's, escaped */
#define COLUMNS 66u     /* in which a window is drawn at the least, ... */
#define ROWS_MAX 14u    /* ... and how many such rows find room in it beside its buttons */
#define WINDOWS_MAX 20u /* one after the other, for what is longer */

struct wa_pinentry {
    assuan_context_t ctx;
};

static enum wa_code judge(gpg_error_t rc, struct wa_err *err)
{
    switch (gpg_err_code(rc)) {
    case GPG_ERR_NO_ERROR:
        return WA_OK;
    case GPG_ERR_ENOMEM:
        return wa_nomem(err);
    case GPG_ERR_CANCELED:
    case GPG_ERR_FULLY_CANCELED:
    case GPG_ERR_NOT_CONFIRMED:
        return wa_fail(err, WA_E_CANCELLED, "the person said no");
    case GPG_ERR_TIMEOUT:
        return wa_fail(err, WA_E_CANCELLED, "nobody answered");
    default:
        return wa_fail(err, WA_E_UNREACHABLE, "asking with pinentry: %s", gpg_strerror(rc));
    }
}

static gpg_error_t take(void *user, const void *p, size_t n)
{
    struct wa_buf *out = user;
    wa_buf_add(out, p, n);
    return out->failed == WA_OK ? 0 : gpg_error(GPG_ERR_ENOMEM);
}

/* out NULL: nothing is answered. */
static gpg_error_t say(struct wa_pinentry *p, const char *line, struct wa_buf *out)
{
    return assuan_transact(p->ctx, line, out != NULL ? take : NULL, out, NULL, NULL, NULL, NULL);
}

/* An older one may not know it. */
static void wish(struct wa_pinentry *p, const char *name, const char *value)
{
    char line[256];
    if (value != NULL && snprintf(line, sizeof line, "%s%s", name, value) < (int)sizeof line)
        (void)say(p, line, NULL);
}

/* As a line of the protocol, as much as fits: what would end it, and what no window should draw, is
 * not in it. text: the rest. */
static void escape(struct wa_sv *text, struct wa_buf *out)
{
    size_t at = 0, column = 0, rows = 1;
    while (at < text->n && out->n <= TEXT_MAX && rows <= ROWS_MAX) {
        size_t begin = at;
        uint32_t cp = 0;
        (void)wa_utf8_step(*text, &at, &cp);
        bool ends_row = cp == '\n' || ++column == COLUMNS;
        rows += ends_row;
        column = ends_row ? 0 : column;
        if (cp == '\n')
            wa_buf_adds(out, "%0A");
        else if (cp == '%')
            wa_buf_adds(out, "%25");
        else if (wa_utf8_is_shown(cp))
            wa_buf_add(out, text->p + begin, at - begin);
        else
            wa_buf_addc(out, '?');
    }
    *text = wa_sv_sub(*text, at, text->n);
    if (text->n > 0)
        wa_buf_adds(out, "%0A...");
}

static enum wa_code tell(struct wa_pinentry *p, const char *command, struct wa_sv *text,
                         struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf line;
    wa_buf_init(&line, 4096);
    wa_buf_adds(&line, command);
    escape(text, &line);
    return wa_buf_check(&line, err) == WA_OK ? judge(say(p, wa_buf_str(&line), NULL), err)
                                             : err->code;
}

enum wa_code wa_pinentry_open(int fd, const char *terminal, const char *kind,
                              struct wa_pinentry **ret, struct wa_err *err)
{
    struct wa_pinentry *p = wa_calloc(1, sizeof *p);
    gpg_error_t rc = p != NULL ? assuan_new(&p->ctx) : gpg_error(GPG_ERR_ENOMEM);
    if (rc != 0) {
        wa_fd_close(&fd);
        wa_pinentry_close(p);
        return judge(rc, err);
    }
    assuan_begin_confidential(p->ctx);
    rc = assuan_socket_connect_fd(p->ctx, fd, 0);
    if (rc != 0) {
        wa_pinentry_close(p);
        return judge(rc, err);
    }
    wish(p, "OPTION ttyname=", terminal);
    wish(p, "OPTION ttytype=", terminal != NULL ? kind : NULL);
    wish(p, "OPTION lc-ctype=", "C.UTF-8");
    wish(p, "OPTION default-ok=", wa_text("_OK"));
    wish(p, "OPTION default-cancel=", wa_text("_Cancel"));
    wish(p, "SETTITLE ", "waptconsole");
    char patience[32];
    (void)snprintf(patience, sizeof patience, "%d", WA_PINENTRY_PATIENCE_S);
    wish(p, "SETTIMEOUT ", patience);
    *ret = p;
    return WA_OK;
}

void wa_pinentry_close(struct wa_pinentry *p)
{
    if (p == NULL)
        return;
    assuan_release(p->ctx);
    wa_free(p);
}

/* All of it: in windows that only go on to the next, but for the last, whose question it is. */
static enum wa_code show(struct wa_pinentry *p, struct wa_sv text, struct wa_err *err)
{
    for (unsigned i = 1;; i++) {
        if (tell(p, "SETDESC ", &text, err) != WA_OK || text.n == 0)
            return err->code;
        if (i == WINDOWS_MAX)
            return wa_fail(err, WA_E_LIMIT,
                           "it is too much to be shown in windows: start waptconsole in a "
                           "terminal, or do less at once");
        if (judge(say(p, "CONFIRM", NULL), err) != WA_OK)
            return err->code;
    }
}

enum wa_code wa_pinentry_ask(struct wa_pinentry *p, const struct wa_pinentry_question *q,
                             struct wa_buf *out, struct wa_err *err)
{
    struct wa_sv prompt = wa_sv(q->prompt), error = wa_sv(q->error != NULL ? q->error : "");
    if (show(p, q->text, err) != WA_OK || tell(p, "SETPROMPT ", &prompt, err) != WA_OK ||
        (error.n > 0 && tell(p, "SETERROR ", &error, err) != WA_OK))
        return err->code;
    return judge(say(p, "GETPIN", out), err);
}
