/* root_edit.h - a root document that people change before they sign it, and what it says in words.
 *
 * Nothing here signs, and nothing here is in force before the administrators have signed.
 */
#ifndef WA_REPO_ROOT_EDIT_H
#define WA_REPO_ROOT_EDIT_H

#include "repo/root.h"

/* --- changing (root_edit.c) --- */
/* The first version of a new repository: nobody is in it yet, its limits are the usual ones.
 * *ret: free it. */
WA_CHECK enum wa_code wa_root_begin(struct wa_root **ret, struct wa_err *err);
/* The version after r, with all that r says. *ret: free it. */
WA_CHECK enum wa_code wa_root_next(const struct wa_root *r, struct wa_root **ret,
                                   struct wa_err *err);
/* A list of a signer's rights, kept in r: from a comma list, from an array of JSON. */
WA_CHECK enum wa_code wa_root_keep_names(struct wa_root *r, struct wa_sv names,
                                         const struct wa_json **ret, struct wa_err *err);
WA_CHECK enum wa_code wa_root_keep_list(struct wa_root *r, const struct wa_json *list,
                                        const struct wa_json **ret, struct wa_err *err);
/* Adds a signer with the rights of s, whose lists are kept in r; one that is listed is described
 * anew. s->cert is referenced. WA_E_USAGE: the certificate can't do what s says. */
WA_CHECK enum wa_code wa_root_put_signer(struct wa_root *r, const struct wa_root_signer *s,
                                         struct wa_err *err);
/* The signer and the administrator of this fingerprint go. False: there is neither. */
bool wa_root_remove(struct wa_root *r, const char *fingerprint);
void wa_root_clear_signers(struct wa_root *r);
void wa_root_clear_timestamp_keys(struct wa_root *r);
WA_CHECK enum wa_code wa_root_add_timestamp_key(struct wa_root *r, struct wa_sv pem,
                                                struct wa_err *err);
/* The document of r without any signature, and the root that is read back from it (free it). */
WA_CHECK enum wa_code wa_root_unsigned(const struct wa_root *r, struct wa_buf *json,
                                       struct wa_root **ret, struct wa_err *err);

/* --- showing (root_show.c); old, the root in force, may be NULL --- */
/* Whose signatures are missing before r counts: WA_OK when none is. */
WA_CHECK enum wa_code wa_root_check_after(const struct wa_root *old, const struct wa_root *r,
                                          struct wa_err *err);
/* By fingerprint; r may be NULL. */
bool wa_root_has_administrator(const struct wa_root *r, const char *fingerprint);
/* One object: all that r says, and what has changed. Names of administrators have "signed". */
void wa_root_write_shown(const struct wa_root *r, const struct wa_root *old, struct wa_jw *w);
/* The same in words, a line each. label and value live until it returns. */
typedef void (*wa_root_say_fn)(void *user, const char *label, struct wa_sv value);
WA_CHECK enum wa_code wa_root_say(const struct wa_root *r, const struct wa_root *old,
                                  wa_root_say_fn say, void *user, struct wa_err *err);

#endif
