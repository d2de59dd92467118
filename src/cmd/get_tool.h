/* get_tool.h - other people's programs that read an installer, each in a process of its own. */
#ifndef WA_CMD_GET_TOOL_H
#define WA_CMD_GET_TOOL_H

#include "base/buf.h"
#include "os/proc.h"
#include "pkg/installer.h"

/* Runs a program by its path over an open file that may be hostile, which is its standard input:
 * what it prints, at most out's cap, and how it ended. It gets that one descriptor, a folder of its
 * own for temporary files, limits of memory and files, WA_TOOL_TIMEOUT_MS, and nobody's identity
 * where we are root; nothing of its tree outlives the call. WA_E_TIMEOUT, WA_E_LIMIT; what its
 * status means is the caller's matter. */
WA_CHECK enum wa_code wa_get_tool_run(const char *const *argv, int fd, struct wa_buf *out,
                                      struct wa_exit *ret, struct wa_err *err);
/* Reads a program's pipe to its end, at most out's cap (get_update_sources.c). */
WA_CHECK enum wa_code wa_get_receive(int fd, struct wa_buf *out, struct wa_err *err);
/* What the tools for this kind print of the open file, one after the other, unread. As
 * wa_get_tool_read(). */
WA_CHECK enum wa_code wa_get_tool_output(enum wa_installer_kind kind, int fd, const char *libdir,
                                         struct wa_buf *out, struct wa_err *err);
/* What wapt_lint.py, below libdir, prints of an open setup.py, and its exit status. option: NULL
 * for none. WA_E_NOT_FOUND when there is no Python. */
WA_CHECK enum wa_code wa_get_tool_lint(int fd, const char *libdir, const char *option,
                                       struct wa_buf *out, int *ret_status, struct wa_err *err);
/* What the tool for inst->kind tells of the open file, into inst. The file may be hostile, and the
 * tool fall to it: it is run as above. libdir: where our own tool lies. WA_E_NOT_FOUND names the
 * Debian package that is missing; WA_E_INVALID when the tool can't read the file; WA_E_TIMEOUT,
 * WA_E_LIMIT. */
WA_CHECK enum wa_code wa_get_tool_read(int fd, const char *libdir, struct wa_installer *inst,
                                       struct wa_err *err);

#endif
