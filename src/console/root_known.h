/* root_known.h - what this person knows of a server's repository: the root that he was given and
 * those that followed it, and the last published list, in a folder of his own. The server is
 * believed in nothing.
 */
#ifndef WA_CONSOLE_ROOT_KNOWN_H
#define WA_CONSOLE_ROOT_KNOWN_H

#include "console/client.h"
#include "os/fs.h"
#include "repo/publish.h"

/* The folder of that server below ~/.config/wapt/repositories, made if missing. */
WA_CHECK enum wa_code wa_known_open(const char *server, struct wa_dir *ret, struct wa_err *err);
/* The same for another folder. WA_E_DENIED: others can write it, or what is in it. */
WA_CHECK enum wa_code wa_known_open_path(const char *path, struct wa_dir *ret, struct wa_err *err);
/* The newest root that follows the one that is known; each on the way is remembered. given: a root
 * to begin with, in place of the one known; "": none. Expiry is not judged. WA_E_CONFIG: no root is
 * known here. *ret: free it. */
WA_CHECK enum wa_code wa_known_root(const struct wa_dir *known, struct wa_client *c,
                                    struct wa_sv given, struct wa_root **ret, struct wa_err *err);
/* The same, as the file that a new machine is given, too; json: initialised. *ret NULL: no root is
 * known here. WA_E_REFUSED also when it has expired. *ret: free it. */
WA_CHECK enum wa_code wa_known_root_to_give(const struct wa_dir *known, struct wa_client *c,
                                            int64_t now, struct wa_buf *json, struct wa_root **ret,
                                            struct wa_err *err);
/* The same; *ret NULL: there is none yet, neither here nor at the server. WA_E_CONFIG: only the
 * server has one, which it is not believed in. */
WA_CHECK enum wa_code wa_known_root_or_none(const struct wa_dir *known, struct wa_client *c,
                                            struct wa_root **ret, struct wa_err *err);
/* The last list that was seen or published here; *ret NULL: none. Form only. */
WA_CHECK enum wa_code wa_known_last(const struct wa_dir *known, struct wa_published **ret,
                                    struct wa_err *err);
WA_CHECK enum wa_code wa_known_keep_last(const struct wa_dir *known, struct wa_sv json,
                                         struct wa_err *err);

/* A file of the repository, and a signed document into it ("root", "published"). */
WA_CHECK enum wa_code wa_known_fetch(struct wa_client *c, const char *name, size_t max,
                                     struct wa_buf *out, bool *ret_found, struct wa_err *err);
WA_CHECK enum wa_code wa_known_send(struct wa_client *c, const char *what, struct wa_sv json,
                                    struct wa_err *err);
/* Publishes a root that follows the known one and has all its signatures; then it is known. */
WA_CHECK enum wa_code wa_known_send_root(const struct wa_dir *known, struct wa_client *c,
                                         struct wa_sv json, struct wa_root **ret,
                                         struct wa_err *err);
/* A first root, which its person has looked at: sent where the server has none, and known from then
 * on. WA_E_EXISTS: one is known already. */
WA_CHECK enum wa_code wa_known_begin(const struct wa_dir *known, struct wa_client *c,
                                     struct wa_sv json, struct wa_root **ret, struct wa_err *err);

#endif
