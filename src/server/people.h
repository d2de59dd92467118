/* people.h - the server's users, as its root keeps them. Called by root, these give up all but the
 * database first. */
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
    WA_PERSON_REMOVE
};
struct wa_person_change {
    enum wa_person_what what;
    const char *name, *role;
    struct wa_sv password;
    struct wa_sv perimeter; /* JSON (perimeter.h); "": all machines */
};
/* WA_E_USAGE for a name, role, perimeter or password that can't be; WA_E_EXISTS, WA_E_NOT_FOUND;
 * WA_E_CONFLICT when nobody could do everything any more. */
WA_CHECK enum wa_code wa_server_change_person(const struct wa_server_config *config,
                                              const struct wa_person_change *c, struct wa_err *err);
WA_CHECK enum wa_code wa_server_list_people(const struct wa_server_config *c, wa_person_fn fn,
                                            void *user, struct wa_err *err);
/* Letters, digits and . _ @ + -, the first a letter or digit. */
bool wa_person_name_is_valid(struct wa_sv name);

#endif
