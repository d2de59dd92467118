/* log_file.h - the server's log as a file of its own, bounded: what its processes write to
 * descriptor 2 comes by a pipe, and is kept in log, log.1, log.2... of at most so many bytes each.
 * A disk that is full loses lines, never the server; how much was lost is said when there is room
 * again. */
#ifndef WA_SERVER_LOG_FILE_H
#define WA_SERVER_LOG_FILE_H

#include "base/log.h"
#include "os/fs.h"
#include "server/log_syslog.h"

#define WA_LOG_FILES_MAX 99

struct wa_log_file {
    struct wa_dir dir;
    struct wa_relpath name;
    int fd;         /* of the file; -1: it could not be made */
    int pipe[2];    /* [1] is for the processes */
    uint64_t bytes; /* in the file */
    uint64_t max_bytes, keep, lost_bytes;
    struct wa_log *own; /* the supervisor's, which writes to the same file */
    struct wa_syslog syslog;
};
#define WA_LOG_FILE_INIT                                                                           \
    {                                                                                              \
        .dir = WA_DIR_INIT, .fd = -1, .pipe = {-1, -1}, .syslog = WA_SYSLOG_INIT                   \
    }
/* path: absolute; "": the lines go on to descriptor 2, and to syslog, if that is open. keep: older
 * files, at most WA_LOG_FILES_MAX. own: gets the file's descriptor now, and at each change of
 * files. */
WA_CHECK enum wa_code wa_log_file_open(struct wa_log_file *f, const char *path, uint64_t max_bytes,
                                       uint64_t keep, struct wa_log *own, struct wa_err *err);
/* Writes what has come by the pipe, without waiting for more. */
void wa_log_file_take(struct wa_log_file *f);
void wa_log_file_close(struct wa_log_file *f);

#endif
