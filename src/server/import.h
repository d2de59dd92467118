/* import.h - a WAPT 1.8 server's database, taken over: machines with their certificates and
 * inventory, people, reports, names of software, trusted certificates (docs/moving-over.md).
 *
 * The old database is only read. What is there already is left as it is, so that an import that was
 * interrupted is simply done again. Everything in the old database is hostile text.
 */
#ifndef WA_SERVER_IMPORT_H
#define WA_SERVER_IMPORT_H

#include "codec/ini.h"
#include "crypto/pwhash.h"
#include "server/config.h"
#include "sql/db.h"

enum wa_import_kind {
    WA_IM_CERTIFICATES,
    WA_IM_PEOPLE,
    WA_IM_NAMES, /* of software */
    WA_IM_HOSTS,
    WA_IM_PACKAGES, /* states of packages on machines that were taken */
    WA_IM_SOFTWARE,
    WA_IM_GROUPS,
    WA_IM_REPORTS,
    WA_IM_SETTINGS, /* options of the old waptserver.ini */
    WA_IM_KINDS
};
const char *wa_import_name(enum wa_import_kind k); /* "hosts", marked as a text */

struct wa_import {
    const struct wa_server_config *config;
    const char *from; /* address of the old database */
    const char *ini;  /* the old waptserver.ini: passwords, trusted certificates, settings; NULL */
    bool is_dry;      /* nothing is written */
    /* Told of each that is not taken, but for those that are there already. why: a text for
     * persons, in the language of the process. */
    void (*left_out)(void *user, enum wa_import_kind kind, const char *name, const char *why);
    void (*progress)(void *user, int64_t done, int64_t total);
    void *user;
    /* what came of it */
    struct wa_import_count {
        int64_t found, taken, there, left_out;
    } counts[WA_IM_KINDS];
};
/* WA_E_CONFIG when the old database is none of WAPT 1.8's. Root gives up its rights after it has
 * connected and read the old configuration. */
WA_CHECK enum wa_code wa_server_import(struct wa_import *im, struct wa_err *err);

/* --- between its files --- */
struct wa_importing {
    struct wa_import *im;
    struct wa_db *from, *to;
    char admin[WA_NAME_MAX +
               1]; /* who could do all in the old server, and the hash of the password */
    char hash[WA_PWHASH_MAX];
    struct wa_buf htpasswd; /* the old file of other people's passwords */
};
/* Tells of one that is not taken, or not whole. why: English, or in the language of the process. */
void wa_import_tell(struct wa_importing *g, enum wa_import_kind kind, const char *name,
                    const char *why);
/* The same, and counts it as left out. */
void wa_import_leave(struct wa_importing *g, enum wa_import_kind kind, const char *name,
                     const char *why);
WA_CHECK enum wa_code wa_import_old_files(struct wa_importing *g, struct wa_err *err);
/* Tells what there is here in place of each setting. */
void wa_import_settings(struct wa_importing *g, const struct wa_ini *ini);
/* The next line of a file of passwords; false after the last. */
bool wa_import_next_hash(struct wa_sv *rest, struct wa_sv *ret_name, struct wa_sv *ret_hash);
/* false: name had no password of its own. */
bool wa_import_old_hash(const struct wa_importing *g, const char *name, char ret[WA_PWHASH_MAX]);
WA_CHECK enum wa_code wa_import_people(struct wa_importing *g, struct wa_err *err);
WA_CHECK enum wa_code wa_import_names(struct wa_importing *g, struct wa_err *err);
WA_CHECK enum wa_code wa_import_reports(struct wa_importing *g, struct wa_err *err);
WA_CHECK enum wa_code wa_import_hosts(struct wa_importing *g, struct wa_err *err);

#endif
