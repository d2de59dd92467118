/* role_priv.h - what the agent's child processes have in common: the channel on descriptor 3, the
 * drop of power, one log, and the form in which errors travel. Between the files of this folder
 * only.
 */
#ifndef WA_AGENT_ROLE_PRIV_H
#define WA_AGENT_ROLE_PRIV_H

#include "agent/roles.h"
#include "base/buf.h"
#include "base/log.h"
#include "codec/json.h"
#include "os/priv.h"

#define WA_ROLE_CHANNEL_FD 3
/* Prefix of the hidden argument by which our programs are told to be a child: "role:unpack". */
#define WA_ROLE_ARG "role:"

#define WA_ROLE_LOG_ENV "WAPT_LOG" /* name of a log level, from the launcher */

/* Memory of a child that reads foreign bytes, bytes of address space; 0 under AddressSanitizer,
 * which reserves terabytes. */
uint64_t wa_role_memory_limit(uint64_t bytes);

struct wa_role_child {
    struct wa_log log;
    struct wa_chan *chan; /* to the manager */
};

/* Opens the channel, gives up power as p says, states in the log what is left. p->name and no_core
 * are filled in here; none but auth and describe may be root. WA_E_DENIED when any of it failed:
 * the caller ends. */
WA_CHECK enum wa_code wa_role_child_begin(struct wa_role_child *c, enum wa_role role,
                                          struct wa_priv *p, struct wa_err *err);
/* Logs the error, if any, closes the channel; returns the process's exit status. */
int wa_role_child_end(struct wa_role_child *c, enum wa_code code, const struct wa_err *err);
/* The whole of a process that does one thing: begins, waits for the one message of the manager's,
 * answers it by one of that type with what work has written, or with its error, and ends. Buffers
 * of max bytes. Returns the process's exit status. */
#define WA_ROLE_FIRST_WORD_MS 30000 /* ms: the manager speaks first */
typedef enum wa_code (*wa_role_work_fn)(struct wa_sv payload, struct wa_buf *out,
                                        struct wa_err *err);
int wa_role_answer_one(enum wa_role role, struct wa_priv *p, wa_role_work_fn work, uint16_t type,
                       size_t max);

/* {"code":"refused","message":"..."}; text is cut so that it fits WA_ROLE_NOTE_MAX. */
void wa_role_error_write(const struct wa_err *e, struct wa_buf *out);
/* The reverse, into err; returns its code, never WA_OK. A malformed one is WA_E_REFUSED. */
WA_CHECK enum wa_code wa_role_error_read(struct wa_sv json, struct wa_err *err);

/* Copies s into out (room for n, NUL included). False when it is too long or holds a NUL. */
bool wa_role_copy(struct wa_sv s, char *out, size_t n);

#endif
