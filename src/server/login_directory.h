/* login_directory.h - people whom the directory knows: which of its groups has which role here. */
#ifndef WA_SERVER_LOGIN_DIRECTORY_H
#define WA_SERVER_LOGIN_DIRECTORY_H

#include "server/perimeter.h"

struct wa_role_map { /* of "GROUP:ROLE" or "GROUP:ROLE:KIND=NAME+KIND=NAME...", in their order */
    struct wa_arena arena;
    const char *groups[WA_AUTH_GROUPS_MAX + 1]; /* ended by NULL */
    const char *roles[WA_AUTH_GROUPS_MAX];
    const char *perimeters[WA_AUTH_GROUPS_MAX]; /* JSON; "": all machines */
    size_t n;
};
void wa_role_map_init(struct wa_role_map *m);
void wa_role_map_fini(struct wa_role_map *m);
#define WA_AUTO_ROLE_MAP WA_CLEANUP(wa_role_map_fini)
/* m: initialised. csv: as the configuration has it under this key. WA_E_CONFIG for what is none. */
WA_CHECK enum wa_code wa_role_map_read(struct wa_role_map *m, const char *key, const char *csv,
                                       struct wa_err *err);
/* The first entry of whose group the person is; m->n: none. groups: an array. */
size_t wa_role_map_find(const struct wa_role_map *m, const struct wa_json *groups);

/* Who the directory says it is, and what that makes of him here. */
struct wa_directory_says {
    bool is_right;
    size_t entry; /* of the map: the first whose group the person is in; n: in none */
};
/* payload: WA_S_WHO_IS. What the directory could not answer is an error. */
WA_CHECK enum wa_code wa_directory_read(const struct wa_role_map *m, struct wa_sv payload,
                                        struct wa_directory_says *ret, struct wa_err *err);
/* "DOMAIN\Name", "name@domain" and "NAME" are one person to a directory: its name in the one form
 * in which it is counted and kept. out: WA_PAM_USER_MAX + 1. */
void wa_directory_name(struct wa_sv user, char *out);

#endif
