/* ini.h - INI files as WAPT's Python RawConfigParser reads them (formats.md 9), kept line by line
 * so that writing back changes only what was asked: comments, order and blank lines stay.
 *
 * Keys and sections: keys compare case-insensitively, sections exactly; '=' or ':' separate; lines
 * starting with ';' or '#' are comments; a line starting with white space continues the value
 * before it; no interpolation.
 */
#ifndef WA_CODEC_INI_H
#define WA_CODEC_INI_H

#include "base/buf.h"

struct wa_ini;

WA_CHECK enum wa_code wa_ini_new(struct wa_ini **ret, struct wa_err *err);
/* WA_E_INVALID names file (what) and line. */
WA_CHECK enum wa_code wa_ini_parse(struct wa_sv text, const char *what, struct wa_ini **ret,
                                   struct wa_err *err);
void wa_ini_free(struct wa_ini *ini);
WA_AUTO_DEFINE(wa_ini, wa_ini_free)
/* NULL when absent. Valid until the file is changed. */
const char *wa_ini_get(const struct wa_ini *ini, const char *section, const char *key);
bool wa_ini_has_section(const struct wa_ini *ini, const char *section);
/* Line number of the key, 0 when absent. */
size_t wa_ini_line(const struct wa_ini *ini, const char *section, const char *key);
/* In order. False at the end. */
bool wa_ini_section_at(const struct wa_ini *ini, size_t i, const char **ret_section);
bool wa_ini_key_at(const struct wa_ini *ini, const char *section, size_t i, const char **ret_key,
                   const char **ret_value);
/* value NULL removes the key. Refuses a newline or leading blank in the value. */
WA_CHECK enum wa_code wa_ini_set(struct wa_ini *ini, const char *section, const char *key,
                                 const char *value, struct wa_err *err);
void wa_ini_write(const struct wa_ini *ini, struct wa_buf *out);

#endif
