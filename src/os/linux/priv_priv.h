/* priv_priv.h - between the files of priv. */
#ifndef WA_OS_LINUX_PRIV_PRIV_H
#define WA_OS_LINUX_PRIV_PRIV_H

#include "os/priv.h"

/* *ret_abi 0: the kernel has no landlock. A path that does not exist is skipped. */
WA_CHECK enum wa_code wa_landlock_apply(const struct wa_priv *p, int *ret_abi, unsigned *ret_reads,
                                        unsigned *ret_writes, struct wa_err *err);
WA_CHECK enum wa_code wa_seccomp_apply(const struct wa_priv *p, struct wa_err *err);

#endif
