/* host_priv.h - between host.c and host_text.c, and for their tests: the facts that texts tell. */
#ifndef WA_OS_LINUX_HOST_PRIV_H
#define WA_OS_LINUX_HOST_PRIV_H

#include "base/buf.h"
#include "os/host.h"

/* As wa_host_facts_read() with the files of another root ("" is the real one): tests have a small
 * one. */
WA_CHECK enum wa_code wa_host_facts_at(const char *root, struct wa_host_facts *ret,
                                       struct wa_err *err);

/* Each fills what its text tells and leaves the rest alone. */
void wa_host_os_release(struct wa_sv text, struct wa_host_facts *f);
void wa_host_debian_version(struct wa_sv text, struct wa_host_facts *f); /* after os_release */
void wa_host_machine_info(struct wa_sv text, struct wa_host_facts *f);
/* The text of machine-info with that description in place of the one before; appended. */
void wa_host_described(struct wa_sv before, struct wa_sv description, struct wa_buf *out);
void wa_host_locale(struct wa_sv text, struct wa_host_facts *f);
void wa_host_resolv(struct wa_sv text, struct wa_host_facts *f, char *ret_domain, size_t size);
void wa_host_cpuinfo(struct wa_sv text, struct wa_host_facts *f);
void wa_host_route(struct wa_sv text, struct wa_host_facts *f);
void wa_host_kdcinfo(struct wa_sv text, struct wa_host_facts *f);
void wa_host_smb_conf(struct wa_sv text, struct wa_host_facts *f);
/* f->fqdn from the line of /etc/hosts that names f->name. */
void wa_host_hosts(struct wa_sv text, struct wa_host_facts *f);
/* Upper case; "" for what vendors write when they don't care. */
void wa_host_system_uuid(struct wa_sv text, struct wa_host_facts *f);

#endif
