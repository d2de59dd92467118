/* err.c - errors as a code and a sentence, and the one table that maps codes to exit statuses and
 * HTTP statuses.
 *
 * Reporting an error never allocates: the text lives in the struct and is cut at a UTF-8 boundary
 * when too long. Control characters are replaced, so that an error can go to a terminal or a log as
 * it stands.
 */
#include "base/err.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>

/* Exit statuses are part of the command line's interface: man/wapt-get.1, EXIT STATUS. */
static const struct {
    const char *name;
    int exit_status;
    int http;
} codes[WA_CODE_COUNT] = {
    [WA_OK] = {"ok", 0, 200},
    [WA_E_FAILED] = {"failed", 1, 500},
    [WA_E_USAGE] = {"usage", 2, 400},
    [WA_E_PARTIAL] = {"partial", 3, 500},
    [WA_E_REFUSED] = {"refused", 4, 403},
    [WA_E_DENIED] = {"denied", 5, 403},
    [WA_E_AUTH] = {"auth", 6, 401},
    [WA_E_UNREACHABLE] = {"unreachable", 7, 503},
    [WA_E_TIMEOUT] = {"timeout", 8, 504},
    [WA_E_REBOOT] = {"reboot", 9, 200},
    [WA_E_INVALID] = {"invalid", 10, 400},
    [WA_E_CONFIG] = {"config", 11, 500},
    [WA_E_NOT_FOUND] = {"not_found", 12, 404},
    [WA_E_EXISTS] = {"exists", 13, 409},
    [WA_E_CONFLICT] = {"conflict", 14, 409},
    [WA_E_LIMIT] = {"limit", 15, 413},
    [WA_E_NO_SPACE] = {"no_space", 16, 507},
    [WA_E_IO] = {"io", 17, 500},
    [WA_E_NOMEM] = {"nomem", 18, 503},
    [WA_E_BUSY] = {"busy", 19, 429},
    [WA_E_CANCELLED] = {"cancelled", 20, 409},
    [WA_E_AGAIN] = {"again", 21, 503},
    [WA_E_INTERNAL] = {"internal", 70, 500},
};

const char *wa_code_name(enum wa_code code)
{
    return (unsigned)code < WA_CODE_COUNT ? codes[code].name : codes[WA_E_INTERNAL].name;
}

enum wa_code wa_code_from_name(const char *name)
{
    for (size_t i = 0; i < WA_CODE_COUNT; i++)
        if (strcmp(codes[i].name, name) == 0)
            return (enum wa_code)i;
    return WA_E_INTERNAL;
}

int wa_code_exit(enum wa_code code)
{
    return (unsigned)code < WA_CODE_COUNT ? codes[code].exit_status
                                          : codes[WA_E_INTERNAL].exit_status;
}

int wa_code_http(enum wa_code code)
{
    return (unsigned)code < WA_CODE_COUNT ? codes[code].http : codes[WA_E_INTERNAL].http;
}

/* Control characters become '?', and a sequence cut in two at the end goes. */
static void tidy(struct wa_err *err)
{
    size_t n = strlen(err->text);
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)err->text[i];
        if (c < 0x20 || c == 0x7f)
            err->text[i] = '?';
    }
    if (n == sizeof err->text - 1)
        err->text[wa_utf8_cut(err->text, n)] = '\0';
}

static enum wa_code fail_v(struct wa_err *err, enum wa_code code, const char *fmt, va_list args)
{
    err->code = code;
    if (vsnprintf(err->text, sizeof err->text, fmt, args) < 0)
        err->text[0] = '\0';
    tidy(err);
    return code;
}

enum wa_code wa_fail(struct wa_err *err, enum wa_code code, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    /* The arguments may point into err->text itself: format aside first. */
    struct wa_err fresh;
    (void)fail_v(&fresh, code, fmt, args);
    va_end(args);
    *err = fresh;
    return code;
}

static enum wa_code code_of_errno(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
        return WA_E_NOT_FOUND;
    case EACCES:
    case EPERM:
    case EROFS:
        return WA_E_DENIED;
    case ENOSPC:
#ifdef EDQUOT
    case EDQUOT:
#endif
        return WA_E_NO_SPACE;
    case ENOMEM:
        return WA_E_NOMEM;
    case EEXIST:
        return WA_E_EXISTS;
    case ETIMEDOUT:
        return WA_E_TIMEOUT;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
        return WA_E_UNREACHABLE;
    default:
        return WA_E_IO;
    }
}

enum wa_code wa_fail_errno(struct wa_err *err, int errnum, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct wa_err fresh;
    (void)fail_v(&fresh, code_of_errno(errnum), fmt, args);
    va_end(args);
    return wa_fail(err, fresh.code, "%s: %s", fresh.text, strerror(errnum));
}

enum wa_code wa_nomem(struct wa_err *err)
{
    return wa_fail(err, WA_E_NOMEM, "memory ran out");
}

enum wa_code wa_wrap(struct wa_err *err, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    struct wa_err context;
    (void)fail_v(&context, err->code, fmt, args);
    va_end(args);
    return wa_fail(err, err->code, "%s: %s", context.text, err->text);
}

void wa_err_clear(struct wa_err *err)
{
    err->code = WA_OK;
    err->text[0] = '\0';
}
