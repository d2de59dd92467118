/* err.h - the one error type.
 *
 * An error is a code that programs act on and a sentence that a person can
 * act on. The sentence is a chain, outermost context first, each link
 * separated by ": ", for instance
 *     reading index 'https://repo/wapt/Packages': connecting: connection refused
 * It lives in the struct itself: reporting an error never allocates.
 *
 * Use: a function that can fail returns enum wa_code and takes struct wa_err *
 * as its last argument (never NULL, clean on entry, i.e. WA_ERR_INIT). The
 * place where it happens calls wa_fail(); callers add context with wa_wrap().
 */
#ifndef WA_BASE_ERR_H
#define WA_BASE_ERR_H

#include "base/attr.h"
#include "base/limits.h"

struct wa_sv;

enum wa_code {
    WA_OK = 0,
    WA_E_FAILED,      /* the work itself failed: a script, a helper, an operation */
    WA_E_USAGE,       /* the command line makes no sense */
    WA_E_PARTIAL,     /* part of what was asked was done */
    WA_E_REFUSED,     /* signature, trust or policy says no */
    WA_E_DENIED,      /* this caller has no right to it */
    WA_E_AUTH,        /* this caller must first prove who it is */
    WA_E_UNREACHABLE, /* the other side can't be reached */
    WA_E_TIMEOUT,     /* the other side, or a child, took too long */
    WA_E_REBOOT,      /* done, but a reboot is needed */
    WA_E_INVALID,     /* bytes that don't follow their format */
    WA_E_CONFIG,      /* configuration that is missing or wrong */
    WA_E_NOT_FOUND,   /* it does not exist */
    WA_E_EXISTS,      /* it exists already */
    WA_E_CONFLICT,    /* it clashes with the present state */
    WA_E_LIMIT,       /* beyond a cap of base/limits.h */
    WA_E_NO_SPACE,    /* disk or quota full */
    WA_E_IO,          /* the operating system refused */
    WA_E_NOMEM,       /* memory ran out */
    WA_E_BUSY,        /* try again later */
    WA_E_CANCELLED,   /* a person or a signed order stopped it */
    WA_E_AGAIN,       /* not an error: would block; never shown */
    WA_E_INTERNAL,    /* a mistake of ours */
    WA_CODE_COUNT
};

struct wa_err {
    enum wa_code code;
    char text[WA_ERR_TEXT_MAX]; /* always NUL-terminated; may be cut, at a UTF-8 boundary */
};

#define WA_ERR_INIT                                                                                \
    {                                                                                              \
        WA_OK, ""                                                                                  \
    }

/* Sets code and text, in the language of the process (text.h). Control characters, invisible marks
 * and broken UTF-8 in the result are replaced by '?'. Returns code. */
enum wa_code wa_fail(struct wa_err *err, enum wa_code code, const char *fmt, ...) WA_FORMAT(3, 4);

/* As wa_fail() with ": <text of errnum>" appended; the code follows errnum
 * (ENOENT NOT_FOUND, EACCES and EPERM DENIED, ENOSPC and EDQUOT NO_SPACE, ENOMEM NOMEM,
 * EEXIST EXISTS, ETIMEDOUT TIMEOUT, ECONNREFUSED and its like UNREACHABLE, else IO). */
enum wa_code wa_fail_errno(struct wa_err *err, int errnum, const char *fmt, ...) WA_FORMAT(3, 4);

/* Memory ran out. Returns WA_E_NOMEM. */
enum wa_code wa_nomem(struct wa_err *err);

/* Puts "<context>: " before the text; keeps the code and returns it. */
enum wa_code wa_wrap(struct wa_err *err, const char *fmt, ...) WA_FORMAT(2, 3);

/* Forgets an error that has been handled. */
void wa_err_clear(struct wa_err *err);

/* Short stable name, "not_found" for WA_E_NOT_FOUND: used in JSON and logs. */
const char *wa_code_name(enum wa_code code);
/* The code of that name; WA_E_INTERNAL for an unknown one. */
enum wa_code wa_code_from_name(struct wa_sv name);
/* Process exit status, documented in man/wapt-get.1 (EXIT STATUS); the list is in err.c. */
int wa_code_exit(enum wa_code code);
/* HTTP status that carries this error to a client. */
int wa_code_http(enum wa_code code);

#endif
