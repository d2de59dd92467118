/* get_tool.h - what reads an installer, other people's programs and our own, each time in a process
 * of its own. */
#ifndef WA_CMD_GET_TOOL_H
#define WA_CMD_GET_TOOL_H

#include "base/buf.h"
#include "os/proc.h"
#include "pkg/installer.h"

/* First thing in main(): whether this start is to become such a program, and the status when it
 * could not. It gets one descriptor, the file, which is its standard input, and may open that file
 * again, the system's own, and a folder for temporary files; no network; limits of memory and
 * files, WA_TOOL_TIMEOUT_MS, and nobody's identity where we are root. Nothing of its tree outlives
 * the calls below. */
bool wa_get_is_tool(int argc, char **argv);
int wa_get_tool_main(char **argv);
/* Reads a program's pipe to its end, at most out's cap (get_update_sources.c). */
WA_CHECK enum wa_code wa_get_receive(int fd, struct wa_buf *out, struct wa_err *err);
/* What the tools for this kind print of the open file, one after the other, unread. As
 * wa_get_tool_read(). */
WA_CHECK enum wa_code wa_get_tool_output(enum wa_installer_kind kind, int fd, const char *libdir,
                                         struct wa_buf *out, struct wa_err *err);
/* The picture of an open file, as a PNG that can be an icon: a PNG's own, or an app's of Windows;
 * nothing when that has none. Read as above; out must take WA_ICON_BYTES_MAX. WA_E_INVALID: it is
 * neither. */
WA_CHECK enum wa_code wa_get_tool_icon(int fd, const char *libdir, struct wa_buf *out,
                                       struct wa_err *err);
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
