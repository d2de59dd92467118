/* conf.h - typed options over an INI section: one table says type, unit, range, default and
 * meaning.
 *
 * The table is also the source of the manual's list of options. An unknown key is a warning with
 * file, line and the nearest known one, a wrong value an error with file, line, what was found and
 * what is allowed.
 */
#ifndef WA_CODEC_CONF_H
#define WA_CODEC_CONF_H

#include "codec/ini.h"

enum wa_conf_type {
    WA_CONF_STR,    /* char *, owned by the struct; NULL only when the default is NULL */
    WA_CONF_BOOL,   /* bool: 1 0 yes no true false on off, any case */
    WA_CONF_INT,    /* int64_t in [min, max]; empty reads as 0, as it does for a period */
    WA_CONF_PERIOD, /* int64_t seconds, formats.md 0.3, unit_char when the text has none */
    WA_CONF_CSV,    /* char *, items trimmed, joined by ','; ranges unchecked */
    WA_CONF_GONE    /* WAPT's, and without effect here; doc says why, or what to use instead */
};

struct wa_conf_option {
    const char *section, *key;
    enum wa_conf_type type;
    size_t offset;        /* of the member in the caller's struct */
    const char *fallback; /* default, in the text form; NULL: NULL or 0 */
    int64_t min, max;
    char unit_char;
    const char *doc; /* one sentence */
};

typedef void (*wa_conf_warn_fn)(void *user, const char *text);

/* Fills *into (zeroed by the caller) from ini, which may be NULL: defaults only. file: for
 * messages. ignored_sections: NULL-terminated, sections whose keys are somebody else's; may be
 * NULL. */
WA_CHECK enum wa_code wa_conf_load(const struct wa_ini *ini, const char *file,
                                   const struct wa_conf_option *options, size_t count,
                                   const char *const *ignored_sections, void *into,
                                   wa_conf_warn_fn warn, void *user, struct wa_err *err);
void wa_conf_free(const struct wa_conf_option *options, size_t count,
                  void *into); /* strings only */

/* A WA_CONF_BOOL that stands alone; false: it is none. */
bool wa_conf_read_bool(struct wa_sv text, bool *ret);

#endif
