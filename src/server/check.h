/* check.h - how a server is: one line and one remedy for each thing that can be wrong, for
 * 'waptserver check'; and what makes a start be refused. Nothing is changed by looking. */
#ifndef WA_SERVER_CHECK_H
#define WA_SERVER_CHECK_H

#include "server/config.h"

enum wa_finding { WA_FINDING_GOOD, WA_FINDING_UNKNOWN, WA_FINDING_WARNING, WA_FINDING_ERROR };
const char *wa_finding_name(enum wa_finding s); /* "good", "unknown", "warning", "error" */

struct wa_check_report {
    /* what: a stable word, "database". remedy: what to do; "" for what is good or not known. */
    void (*fn)(void *user, const char *what, enum wa_finding s, const char *text,
               const char *remedy);
    void *user;
};

/* remedy: not a format; "": none. Both are translated. */
void wa_finding_say(const struct wa_check_report *r, const char *what, enum wa_finding s,
                    const char *remedy, const char *fmt, ...) WA_FORMAT(5, 6);

/* Of the server's disks, the one that has least free: bytes, and percent of it. UINT64_MAX and 100
 * where none could be asked. */
void wa_server_space(const struct wa_server_config *c, uint64_t *ret_bytes, unsigned *ret_percent);
#define WA_SPACE_SOON_PERCENT 20u /* free: below, somebody should look */
#define WA_BACKUP_OLD_S (7 * 86400)
#define WA_JOURNAL_LONG 2000000 /* entries: some 700 MB; beyond, backups and checks take long */

/* B4: who can read or write the server's files (check_rights.c). */
void wa_server_check_rights(const struct wa_server_config *c, const struct wa_check_report *r);
/* The same for a start: WA_E_CONFIG with the first error and the command that mends it. */
WA_CHECK enum wa_code wa_server_need_rights(const struct wa_server_config *c, struct wa_err *err);
/* The authority of machines, and the keytab where tickets let machines in (check_keys.c). */
void wa_server_check_keys(const struct wa_server_config *c, const struct wa_check_report *r);
/* Everything. Root gives up its rights on the way: nothing else can be done after it. */
void wa_server_check(const struct wa_server_config *c, const struct wa_check_report *r);

#endif
