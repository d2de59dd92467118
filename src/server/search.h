/* search.h - questions about the inventory of the whole fleet, as the store asks the search
 * process. */
#ifndef WA_SERVER_SEARCH_H
#define WA_SERVER_SEARCH_H

#include "codec/json.h"
#include "server/hostset.h"
#include "sql/db.h"

/* Which machines: each text that is not empty must hold. Patterns are SQL's LIKE, '\' before what
 * is meant itself; versions are keys (inventory.h), from the first and below the second. */
struct wa_search_hosts {
    const char *software, *software_from, *software_below;
    const char *package, *package_from, *package_below, *package_status, *package_audit;
    const char *field, *hardware; /* field "": any of them */
    unsigned lacks;               /* of which of the three machines are meant that have not got it:
                                     bits of enum wa_search_part */
};
#define WA_SEARCH_HOSTS                                                                            \
    {                                                                                              \
        "", "", "", "", "", "", "", "", "", "", 0                                                  \
    }
enum wa_search_part { WA_SEARCH_SOFTWARE = 1, WA_SEARCH_PACKAGE = 2, WA_SEARCH_HARDWARE = 4 };
/* "software", "package" or "hardware"; 0: none of them. */
unsigned wa_search_part(struct wa_sv name);
/* Which of them are asked for. */
unsigned wa_search_parts(const struct wa_search_hosts *q);
bool wa_search_is_asked(const struct wa_search_hosts *q);
/* The fields of the hardware, for messages: "cpu, model...". NULL: it is none of them. */
bool wa_search_is_field(const char *name);
const char *wa_search_fields(void);
void wa_search_write_hosts(const struct wa_search_hosts *q, struct wa_buf *out);

/* Packages that an upgrade would change, as rows like those of package_states: MISSING, TO-UPGRADE
 * where another version is there, TO-CHANGE where the same one is, to be installed again or taken
 * away. */
#define WA_SEARCH_DUE                                                                              \
    "SELECT d.package, d.version, CASE WHEN p.version IS NULL THEN 'MISSING' WHEN p.version = "    \
    "d.version THEN 'TO-CHANGE' ELSE 'TO-UPGRADE' END AS status, d.host, d.version_key FROM "      \
    "package_due d LEFT JOIN package_states p ON p.host = d.host AND p.package = d.package"

/* How many have what: "software" by title, "packages" by version and status, "estate" the same with
 * what an upgrade would change. */
struct wa_search_counts {
    const char *what;
    const char *name;   /* a pattern; "": any */
    const char *status; /* of the estate: only these packages; NULL or "": any */
    int64_t offset, limit;
    const char *after_value, *after_id; /* the place that the page is behind, as the process said it
                                           last; after_value NULL: from the first */
    const struct wa_hostset *among;     /* NULL: all machines */
};
void wa_search_write_counts(const struct wa_search_counts *q, struct wa_buf *out);

/* What the machines report at these paths (columns.h), as they were asked for: of each machine, in
 * this order, a list of texts. */
void wa_search_write_columns(const char *columns, const char *const *uuids, size_t count,
                             struct wa_buf *out);

/* The process's side; user: struct wa_db *. Appends {"hosts":"1,2"}, {"software":[...]},
 * {"packages":[...]}, {"estate":[...]} or {"rows":[["text",...],...]}; what could not be answered
 * is {"code","message"}. */
WA_CHECK enum wa_code wa_search_answer(void *user, struct wa_sv request, struct wa_buf *answer,
                                       struct wa_err *err);

/* --- search_columns.c --- */
WA_CHECK enum wa_code wa_search_columns(struct wa_db *db, const struct wa_json *question,
                                        struct wa_buf *answer, struct wa_err *err);

/* --- search_counts.c --- */
/* A limit of work, which all share, and so the same within a perimeter: the rows that somebody does
 * not see take as long. That a question is refused for it tells of a large fleet, of no machine. */
#define WA_SEARCH_ROWS_MAX 5000000u /* rows that are looked at for one question: two seconds */
WA_CHECK enum wa_code wa_search_count(struct wa_db *db, const struct wa_json *question,
                                      struct wa_sv ask, struct wa_buf *answer, struct wa_err *err);

#endif
