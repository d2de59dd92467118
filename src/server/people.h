/* people.h - changes of who uses the server and how, by its root on the server itself or by a
 * superadmin through the API: one set of rules, one kind of entry in the journal. */
#ifndef WA_SERVER_PEOPLE_H
#define WA_SERVER_PEOPLE_H

#include "server/config.h"
#include "server/store_db.h"

enum wa_person_what {
    WA_PERSON_ADD,       /* role, password, perimeter */
    WA_PERSON_ROLE,      /* role */
    WA_PERSON_PERIMETER, /* perimeter */
    WA_PERSON_PASSWORD,  /* password */
    WA_PERSON_DISABLE,
    WA_PERSON_ENABLE,
    WA_PERSON_LOGOUT,      /* ends the sessions */
    WA_PERSON_NEED_FACTOR, /* must have a second factor */
    WA_PERSON_NEED_NONE,   /* need not */
    WA_PERSON_DROP_FACTOR, /* has lost it */
    WA_PERSON_TRUST,       /* certificate */
    WA_PERSON_DISTRUST,    /* certificate */
    WA_PERSON_REMOVE
};
struct wa_person_change {
    enum wa_person_what what;
    const char *name, *role;
    struct wa_sv password;
    struct wa_sv perimeter;   /* JSON (perimeter.h); "": all machines */
    const char *certificate;  /* its SHA-256, hex */
    const char *keep_session; /* digest of one that goes on; NULL: none */
};
struct wa_person_by { /* for the journal */
    const char *node, *user, *peer;
    bool is_node; /* it is the node itself: else the node too is to learn of it */
};

/* WA_E_USAGE for a name, role or password that can't be. */
WA_CHECK enum wa_code wa_people_check(const struct wa_person_change *c, struct wa_err *err);
/* Whether the change takes a hash of its password. */
bool wa_people_takes_password(enum wa_person_what what);
/* The change and its entry in the journal, in a transaction of their own. hash: of the password,
 * where it takes one. WA_E_USAGE for a perimeter that is none; WA_E_EXISTS, WA_E_NOT_FOUND;
 * WA_E_CONFLICT when nobody could do everything any more, or another answers for the password. */
WA_CHECK enum wa_code wa_people_change(struct wa_db *db, const struct wa_person_by *by,
                                       const struct wa_person_change *c, const char *hash,
                                       struct wa_err *err);

/* --- on the server itself: called by root, these give up all but the database first --- */
/* All of the above. */
WA_CHECK enum wa_code wa_server_change_person(const struct wa_server_config *config,
                                              const struct wa_person_change *c, struct wa_err *err);
/* perimeter: as JSON (perimeter.h), "" for none; gone when it returns. */
typedef enum wa_code (*wa_person_listed_fn)(void *user, const struct wa_person *p,
                                            struct wa_sv perimeter, struct wa_err *err);
WA_CHECK enum wa_code wa_server_list_people(const struct wa_server_config *c,
                                            wa_person_listed_fn fn, void *user, struct wa_err *err);
/* Letters, digits and . _ @ + -, the first a letter or digit. */
bool wa_person_name_is_valid(struct wa_sv name);

#endif
