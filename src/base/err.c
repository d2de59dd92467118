/* err.c - errors as a code and a sentence, and the one table that maps codes to exit statuses and
 * HTTP statuses.
 *
 * Reporting an error never allocates: the text lives in the struct and is cut at a UTF-8 boundary
 * when too long. Control characters and broken UTF-8 are replaced, so that an error can go to a
 * terminal, a log or a message as it stands.
 */
#include "base/err.h"

#include "base/sv.h"
#include "base/text.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>

/* The command line's interface; man/wapt-get.1, EXIT STATUS, is made from this list.
 *
 *  0  everything that was asked was done
 *  1  the work itself failed: a script, an operation on the machine
 *  2  usage: the command line makes no sense; nothing was done
 *  3  part of what was asked was done; the messages say which part was not
 *  4  refused: a signature, the trust in its signer, or a policy says no
 *  5  denied: this user has no right to it
 *  6  authentication: who this is must be proven first, or the proof was wrong
 *  7  unreachable: the server or repository can't be reached
 *  8  time-out: the other side, or a script, took too long
 *  9  done, but a reboot is needed to complete it
 * 10  invalid: a file or message does not follow its format
 * 11  configuration: a setting is missing or wrong
 * 12  not found: the package, file or machine does not exist
 * 13  exists already
 * 14  conflict with the present state
 * 15  limit: larger, longer or deeper than allowed
 * 16  no space left on the disk, or the quota is used up
 * 17  input or output: the operating system refused
 * 18  memory ran out
 * 19  busy: another operation is under way, try again later
 * 20  cancelled by a person or by a signed order
 * 70  internal: a mistake of the program, worth a report
 *
 * 21 stands for WA_E_AGAIN, which no program shows. Statuses are never given a new meaning.
 * HTTP statuses: RFC 9110, and 429 of RFC 6585. WA_E_REBOOT is a success with a remark. */
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

enum wa_code wa_code_from_name(struct wa_sv name)
{
    for (size_t i = 0; i < WA_CODE_COUNT; i++)
        if (wa_sv_eqs(name, codes[i].name))
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

/* Makes the text fit for a terminal, a log and JSON alike: what is not shown (wa_utf8_is_shown) and
 * bytes that are not UTF-8 become '?', and a sequence cut in two at the end goes. */
static void tidy(struct wa_err *err)
{
    size_t n = strlen(err->text);
    if (n == sizeof err->text - 1) {
        n = wa_utf8_cut(err->text, n);
        err->text[n] = '\0';
    }
    size_t out = 0;
    uint32_t cp;
    for (size_t from = 0, at = 0; wa_utf8_step(wa_sv_n(err->text, n), &at, &cp); from = at) {
        if (wa_utf8_is_shown(cp)) {
            memmove(err->text + out, err->text + from, at - from);
            out += at - from;
        } else {
            err->text[out++] = '?';
        }
    }
    err->text[out] = '\0';
}

static WA_FORMAT(3, 0) enum wa_code
    fail_v(struct wa_err *err, enum wa_code code, const char *fmt, va_list args)
{
    err->code = code;
    if (vsnprintf(err->text, sizeof err->text, wa_text(fmt), args) < 0)
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
    return wa_fail(err, fresh.code, "%s: %s", fresh.text, wa_text(strerror(errnum)));
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
