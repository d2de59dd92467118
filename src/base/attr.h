/* attr.h - the only place that names compiler extensions.
 *
 * Everything a C17 compiler may refuse is spelled here once, so that the rest
 * of the code stays portable between gcc, clang and mingw-w64.
 */
#ifndef WA_BASE_ATTR_H
#define WA_BASE_ATTR_H

#include "base/banned.h"

#if defined(__MINGW32__)
#define WA_FORMAT(fmt, first) __attribute__((format(gnu_printf, fmt, first)))
#else
#define WA_FORMAT(fmt, first) __attribute__((format(printf, fmt, first)))
#endif

/* What comes back is a format for the same arguments as this one. */
#define WA_FORMAT_ARG(fmt) __attribute__((format_arg(fmt)))

/* The result must be looked at: every function that can fail carries this. */
#define WA_CHECK __attribute__((warn_unused_result))
#define WA_NORETURN __attribute__((noreturn))
#define WA_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))

/* Run fn(&variable) when the variable leaves its scope. */
#define WA_CLEANUP(fn) __attribute__((cleanup(fn)))

/* WA_AUTO(wa_json) struct wa_json *j = NULL;  frees with wa_json_freep(&j).
 * A type that wants this declares WA_AUTO_DEFINE(wa_json, wa_json_free) in its header. */
#define WA_AUTO(type) WA_CLEANUP(type##_freep)
#define WA_AUTO_DEFINE(type, free_fn)                                                              \
    static inline void type##_freep(struct type **p)                                               \
    {                                                                                              \
        free_fn(*p);                                                                               \
        *p = NULL;                                                                                 \
    }

#define WA_UNUSED(x) ((void)(x))
#define WA_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A hint: the memory at p is read soon. */
#define WA_PREFETCH(p) __builtin_prefetch(p)

#endif
