/* store_ticket.h - machines' accounts in a directory, in the store: whose ticket came, and which
 * machine is bound to which account. */
#ifndef WA_SERVER_STORE_TICKET_H
#define WA_SERVER_STORE_TICKET_H

#include "server/store_priv.h"
#include "server/ticket.h"

/* Asks the kerberos process; fn gets WA_S_TICKET_IS. binding: to a machine's statement; NULL: it is
 * a person's, bound to this server. WA_E_BUSY when too many are asked already. */
WA_CHECK enum wa_code wa_store_ask_ticket(struct wa_store *s, struct wa_sv ticket,
                                          const char *binding, wa_store_reply_fn fn, void *data,
                                          struct wa_err *err);
/* Its answer: the account, or its refusal as an error. */
WA_CHECK enum wa_code wa_store_ticket_read(struct wa_sv payload, struct wa_ticket_account *ret,
                                           struct wa_err *err);
/* The account that the machine is bound to, "" when to none; in the caller's transaction, as the
 * others. */
WA_CHECK enum wa_code wa_store_account_of(struct wa_store *s, struct wa_sv uuid, struct wa_buf *ret,
                                          struct wa_err *err);
/* The other machine that is bound to it; "" when there is none. */
WA_CHECK enum wa_code wa_store_account_holder(struct wa_store *s, const char *account,
                                              struct wa_sv but, char ret[WA_UUID_MAX + 1],
                                              struct wa_err *err);
/* Binds the machine to the account; "": to none. */
WA_CHECK enum wa_code wa_store_bind_account(struct wa_store *s, struct wa_sv uuid,
                                            const char *account, struct wa_err *err);

/* --- store_unit.c: where the account stands, if kerberos_unit asks for it --- */
/* WA_E_DENIED for an account that is no directory's; WA_E_BUSY. */
WA_CHECK enum wa_code wa_store_ask_unit(struct wa_store *s, const struct wa_ticket_account *m,
                                        wa_store_reply_fn fn, void *data, struct wa_err *err);
/* WA_E_DENIED when it stands elsewhere; what the directory could not answer is an error. */
WA_CHECK enum wa_code wa_store_unit_read(const struct wa_store *s,
                                         const struct wa_ticket_account *m, struct wa_sv payload,
                                         struct wa_err *err);

#endif
