/* call.h - one request to the agent of this machine over its socket, line by line (proto/local.h).
 */
#ifndef WA_CMD_CALL_H
#define WA_CMD_CALL_H

#include "base/buf.h"
#include "cmd/agent_main.h"
#include "proto/local.h"

struct wa_call {
    int fd; /* for waiting; -1: not connected */
    struct wa_buf in;
    size_t used;
    struct wa_agent_once *once; /* NULL: the service */
    const char *log_level;      /* of what is started here; NULL: warning */
    bool has_sent_file;         /* a password from a file */
};
/* To be called before everything else; wa_call_fini() ends it whatever has become of it. */
void wa_call_init(struct wa_call *t);
void wa_call_fini(struct wa_call *t);
#define WA_AUTO_CALL WA_CLEANUP(wa_call_fini)
/* Connects to the service of this configuration file. may_start: where it does not run, root's
 * command starts what it needs for itself. WA_E_UNREACHABLE: nobody answers. */
WA_CHECK enum wa_code wa_call_open(struct wa_call *t, const char *config_file, bool may_start,
                                   struct wa_err *err);
WA_CHECK enum wa_code wa_call_send(struct wa_call *t, struct wa_sv line, struct wa_err *err);
WA_CHECK enum wa_code wa_call_ask(struct wa_call *t, const struct wa_local_request *r,
                                  struct wa_err *err);
/* The next line if it is there already, valid until the next call. */
bool wa_call_next(struct wa_call *t, struct wa_sv *ret);
/* Reads once; waits when there is nothing. WA_E_UNREACHABLE: the service has ended it. */
WA_CHECK enum wa_code wa_call_read(struct wa_call *t, struct wa_err *err);
/* The next line, waited for. */
WA_CHECK enum wa_code wa_call_line(struct wa_call *t, struct wa_sv *ret, struct wa_err *err);

#endif
