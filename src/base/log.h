/* log.h - events with fields, written once, by programs.
 *
 * Libraries (layers 1-4) return errors and don't log. A program opens one log at its
 * start. An event is one line, either text ("2026-11-24T10:00:00Z info
 * waptservice/manager install.done package=tis-x status=OK") or a JSON object. Values from outside
 * are escaped: a newline or an escape sequence in a host name can't forge a line.
 */
#ifndef WA_BASE_LOG_H
#define WA_BASE_LOG_H

#include "base/sv.h"

enum wa_log_level { WA_LOG_DEBUG, WA_LOG_INFO, WA_LOG_WARNING, WA_LOG_ERROR };

struct wa_log {
    int fd; /* where lines go; -1: nowhere */
    enum wa_log_level level;
    bool json;
    char program[32]; /* "waptservice/manager" */
};

struct wa_log_field {
    const char *key;
    enum { WA_LOG_SV, WA_LOG_INT } kind;
    struct wa_sv s;
    int64_t i;
};

#define WA_LF_S(key, cstr) ((struct wa_log_field){(key), WA_LOG_SV, wa_sv(cstr), 0})
#define WA_LF_SV(key, sv) ((struct wa_log_field){(key), WA_LOG_SV, (sv), 0})
#define WA_LF_I(key, i) ((struct wa_log_field){(key), WA_LOG_INT, {0, 0}, (int64_t)(i)})

void wa_log_init(struct wa_log *log, int fd, enum wa_log_level level, const char *program);
/* event: a stable dotted name, "action.refused". Never fails; a line that can't be written is lost.
 */
void wa_log_event(const struct wa_log *log, enum wa_log_level level, const char *event,
                  const struct wa_log_field *fields, size_t field_count);
/* wa_log(log, WA_LOG_INFO, "install.done", WA_LF_S("package", name), WA_LF_I("status", 0)); at
 * least one field */
#define wa_log(log, level, event, ...)                                                             \
    wa_log_event((log), (level), (event), (const struct wa_log_field[]){__VA_ARGS__},              \
                 sizeof((const struct wa_log_field[]){__VA_ARGS__}) / sizeof(struct wa_log_field))
/* An error with its code as field "code" and its text as "error". */
void wa_log_err(const struct wa_log *log, enum wa_log_level level, const char *event,
                const struct wa_err *err);
bool wa_log_level_parse(const char *name, enum wa_log_level *ret);

#endif
