/* agent_main.h - the hidden arguments by which waptservice and wapt-get start themselves as one of
 * the agent's processes, and the launcher over them. */
#ifndef WA_CMD_AGENT_MAIN_H
#define WA_CMD_AGENT_MAIN_H

#include <stdbool.h>

#include "base/err.h"
#include "cmd/libdir.h"

/* First thing in main(): true when this start is one of the agent's processes; it has run then, and
 * main() returns *ret_status. */
bool wa_agent_dispatch(int argc, char **argv, int *ret_status);
/* Is the launcher of the service, until it ends. WA_E_BUSY when the service runs already. */
WA_CHECK enum wa_code wa_agent_serve(const char *config_file, const char *libdir,
                                     struct wa_err *err);
/* The same in two units: the manager, which connects to the launcher's socket, and the launcher,
 * which a socket unit starts for that connection. */
WA_CHECK enum wa_code wa_agent_manage(const char *config_file, const char *libdir,
                                      const char *launcher_socket, struct wa_err *err);
WA_CHECK enum wa_code wa_agent_launch(const char *config_file, const char *libdir,
                                      struct wa_err *err);

/* --- one command without the service --- */
struct wa_agent_once; /* a launcher of its own, started as this very program */
/* config_file: absolute. level: of its log, NULL: warning. Only root can. */
WA_CHECK enum wa_code wa_agent_once_start(const char *config_file, const char *level,
                                          struct wa_agent_once **ret, struct wa_err *err);
/* Connects to its manager, as soon as that answers. */
WA_CHECK enum wa_code wa_agent_once_connect(struct wa_agent_once *o, const char *socket_path,
                                            int *ret_fd, struct wa_err *err);
/* Waits until it has ended: it does when nobody is connected and nothing runs. NULL is fine. */
void wa_agent_once_end(struct wa_agent_once *o);

#endif
