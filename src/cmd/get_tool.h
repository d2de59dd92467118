/* get_tool.h - other people's programs that read an installer, each in a process of its own. */
#ifndef WA_CMD_GET_TOOL_H
#define WA_CMD_GET_TOOL_H

#include "pkg/installer.h"

/* What the tool for inst->kind tells of the open file, into inst. The file may be hostile, and the
 * tool fall to it: it gets that one descriptor, a limit of memory, no right to write files, little
 * time, nobody's identity where we are root, and only WA_TOOL_OUTPUT_MAX bytes of its text are
 * taken. libdir: where our own tool lies. WA_E_NOT_FOUND names the Debian package that is missing;
 * WA_E_INVALID when the tool can't read the file; WA_E_TIMEOUT, WA_E_LIMIT. */
WA_CHECK enum wa_code wa_get_tool_read(int fd, const char *libdir, struct wa_installer *inst,
                                       struct wa_err *err);

#endif
