/* local_door.h - one local program for a person and a purpose: a further start asks the one that
 * runs for a link, and shows that.
 */
#ifndef WA_NET_LOCAL_DOOR_H
#define WA_NET_LOCAL_DOOR_H

#include "os/loop.h"

struct wa_local_door;
struct wa_local_door_options {
    struct wa_loop *loop;
    const char *run_dir; /* where a second start finds the first; made with 0700 */
    const char *name;    /* what it is found by there: of a file */
    /* A link for who has started it again; out has room for WA_LOCAL_LINK_SIZE. */
    enum wa_code (*give)(void *user, char *out, struct wa_err *err);
    void *user;
};
/* Listens for further starts; ret_link (WA_LOCAL_LINK_SIZE): the link that the program that runs
 * already gave instead, "" when there is none. WA_E_DENIED: others can enter run_dir, or another
 * user answers there. */
WA_CHECK enum wa_code wa_local_door_open(const struct wa_local_door_options *o,
                                         struct wa_local_door **ret, char *ret_link,
                                         struct wa_err *err);
void wa_local_door_close(struct wa_local_door *d); /* before the loop; NULL is allowed */

#endif
