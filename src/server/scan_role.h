/* scan_role.h - between the files of the scan process: what it has open, what it is asked, and what
 * it does beside a long piece of work.
 */
#ifndef WA_SERVER_SCAN_ROLE_H
#define WA_SERVER_SCAN_ROLE_H

#include "base/vec.h"
#include "crypto/digest.h"
#include "pkg/verify.h"
#include "server/role_common.h"
#include "server/scan_catalogue.h"

struct wa_scan_waiting { /* a question */
    uint32_t id;
    const struct wa_language *language;
    struct wa_buf text;
};

struct wa_scan_role {
    struct wa_server_child child;
    struct wa_dir repo;     /* repo/: incoming/, wapt/, wapt-host/ */
    char path[WA_PATH_MAX]; /* of repo/ */
    char wapt[WA_PATH_MAX], trusted[WA_PATH_MAX];
    struct wa_chan *chan;
    struct {
        WA_VEC(struct wa_scan_waiting); /* until the present one is answered */
    } waiting;
    struct wa_catalogue catalogue;
    bool is_over, is_starved; /* the channel is of no use any more; because memory ran out */
};

struct wa_scan_question {
    struct wa_sv op, file, name, sha256, text, perimeter;
    struct wa_sv replaces; /* SHA-256 of what it takes the place of, "none"; "": whatever that is */
    int64_t size, reserved; /* bytes; for a sweep: seconds */
    int64_t rights;         /* of who asks */
};

struct wa_scan_found { /* of an answer */
    char file[2 * WA_NAME_MAX + 1];
    int64_t bytes;
    struct wa_buf text;
    struct wa_buf list; /* JSON, or nothing */
};

/* --- role_scan.c --- */
/* Answers what takes no time, in the middle of something that does. False: the store has gone. */
bool wa_scan_breathe(void *user, uint64_t done, uint64_t total);
WA_CHECK enum wa_code wa_scan_path(const char *folder, const char *name, struct wa_relpath *ret,
                                   struct wa_err *err);

/* --- scan_parts.c: what lies in incoming/ --- */
#define WA_SCAN_OLD "incoming/old_" /* before a name: what is replaced, until the index is new */
/* The bytes of an upload's file; makes it, if it is not there and the disk has room. */
WA_CHECK enum wa_code wa_scan_part(const struct wa_scan_role *s, const struct wa_scan_question *q,
                                   int64_t *ret_bytes, struct wa_err *err);
/* Removes those nobody has written to for so many seconds. */
WA_CHECK enum wa_code wa_scan_sweep(const struct wa_scan_role *s, int64_t seconds,
                                    struct wa_err *err);
/* At the start: what an interruption has left, but uploads that can be gone on with. */
WA_CHECK enum wa_code wa_scan_tidy(struct wa_scan_role *s, struct wa_err *err);

/* --- scan_publish.c --- */
/* Judges an upload, and puts it in its place; nothing changes when it fails. Its file is gone when
 * the verdict is final. names: gets what a machine's own package says that it is in. */
WA_CHECK enum wa_code wa_scan_accept(struct wa_scan_role *s, const struct wa_scan_question *q,
                                     struct wa_buf *names, struct wa_err *err);
WA_CHECK enum wa_code wa_scan_delete(struct wa_scan_role *s, const struct wa_relpath *path,
                                     struct wa_err *err);
/* A package of wapt/ whose bytes were read whole just now. */
struct wa_scan_fresh {
    char file[WA_NAME_MAX + 8], md5[WA_DIGEST_HEX_MAX];
};
/* The index anew, and what would be published of it. fresh: NULL, or one that need not be read once
 * more. */
WA_CHECK enum wa_code wa_scan_index(const struct wa_scan_role *s, struct wa_scan_fresh *fresh,
                                    struct wa_err *err);

#endif
