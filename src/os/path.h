/* path.h - paths as persons type them and the system forms them, which the rest of the code takes
 * apart nowhere else: '/' here, on Windows '\' and drives too. Paths from archives and messages are
 * wa_relpath.
 */
#ifndef WA_OS_PATH_H
#define WA_OS_PATH_H

#include "base/sv.h"

bool wa_path_is_absolute(const char *path);
bool wa_path_is_separator(char c);
/* Bytes at the front that are no name and stay whole: those of a drive. */
size_t wa_path_drive(const char *path);

/* What follows the last separator; path itself when there is none. */
const char *wa_path_last(const char *path);
/* The last part of path, without the separators after it: "b" of "a/b/"; none of "/" and of "".
 * What is before it, with its separator, is the n bytes of path up to ret.p. */
struct wa_sv wa_path_name(const char *path);
/* The n bytes of path before a name, as a directory, without the separator at its end but for a
 * root; "." when there are none. WA_E_LIMIT. */
WA_CHECK enum wa_code wa_path_dir(const char *path, size_t n, char out[WA_PATH_MAX],
                                  struct wa_err *err);

/* Absolute and without links. It must exist. */
WA_CHECK enum wa_code wa_path_real(const char *path, char out[WA_PATH_MAX], struct wa_err *err);
/* A file in the person's own configuration directory: ~/.config/wapt/NAME, %APPDATA%\wapt\NAME. */
WA_CHECK enum wa_code wa_path_of_config(const char *name, char out[WA_PATH_MAX],
                                        struct wa_err *err);
/* A file or directory in the person's home. */
WA_CHECK enum wa_code wa_path_of_home(const char *name, char out[WA_PATH_MAX], struct wa_err *err);
/* A file or directory of the agent's base directory: /opt/wapt/NAME, on Windows below Program Files
 * (x86). */
WA_CHECK enum wa_code wa_path_of_agent(const char *name, char out[WA_PATH_MAX], struct wa_err *err);

#endif
