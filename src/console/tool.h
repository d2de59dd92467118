/* tool.h - a command line of the administrator's own, for one machine: RDP, ssh, whatever they use.
 *
 * The line is from the person's configuration. What machines and the server say only fills places
 * in it, where it has the form of what it is: no option, no path and no shell's word comes of it.
 */
#ifndef WA_CONSOLE_TOOL_H
#define WA_CONSOLE_TOOL_H

#include "base/arena.h"
#include "base/sv.h"

#define WA_TOOL_ARGS_MAX 64u

struct wa_tool_host { /* as the server lists it */
    struct wa_sv uuid, fqdn, ips;
};
/* The line's words: blanks separate them, double quotes keep blanks in one; no other character
 * means anything. In each but the first, {ip} (the first address), {uuid} and {computer_fqdn} are
 * replaced. *ret ends with NULL; in arena. WA_E_CONFIG: the line; WA_E_REFUSED: what the machine
 * says is not of that form. */
WA_CHECK enum wa_code wa_tool_argv(const char *line, const struct wa_tool_host *host,
                                   struct wa_arena *arena, const char *const **ret,
                                   struct wa_err *err);

#endif
