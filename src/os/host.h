/* host.h - facts about this machine, for its inventory and identity. */
#ifndef WA_OS_HOST_H
#define WA_OS_HOST_H

#include "base/sv.h"

struct wa_host_addr {
    char iface[64];
    char mac[24];  /* "" when none */
    char addr[64]; /* one IPv4 or IPv6 address */
    char netmask[64];
    char broadcast[64]; /* "" when none */
    bool is_connected;  /* the interface has a link */
};

#define WA_HOST_MACS 16

struct wa_host_facts {
    char name[256]; /* short host name */
    char fqdn[256];
    char system_uuid[64]; /* SMBIOS System UUID, upper case; "" when unreadable (containers) */
    char os[32];          /* "linux", "windows" */
    char os_name[128];    /* PRETTY_NAME */
    char os_version[64];  /* distribution version "12.4"; "12" when that is all */
    char distrib[64];     /* ID of os-release: "debian" */
    char kernel[128];
    char architecture[16]; /* "x64" when the machine name ends in 64, else "x86" (formats.md 2.5) */
    char machine[64];      /* uname machine */
    char language[16];     /* two letters */
    char machine_id[64];   /* machine-id(5); "" when none */
    char macs[WA_HOST_MACS][24]; /* of adapters that are built in, as their makers numbered them */
    size_t mac_count;
    char manufacturer[128], product[128], serial[128];
    char cpu[128];
    uint32_t cpu_count;
    uint64_t memory_bytes;
    uint64_t uptime_s;
    char description[256];  /* for people: PRETTY_HOSTNAME of machine-info(5); "" when none */
    char gateway[64];       /* IPv4 default gateway; "" when none */
    char gateway_iface[64]; /* by which it is reached */
    char controller[64];    /* address of the domain controller that SSSD uses; "" when none */
    char workgroup[64];     /* of Samba; "" when none */
    struct wa_host_addr addrs[64];
    size_t addr_count;
    char dns[8][64];
    size_t dns_count;
};

#define WA_BOOT_ID 40 /* with NUL */
/* Which start of the machine this is: another text after each. */
WA_CHECK enum wa_code wa_host_boot_id(char ret[WA_BOOT_ID], struct wa_err *err);
/* The short host name alone; "" when there is none. */
void wa_host_name(char *out, size_t size);
/* Writes what the machine is called for people: one line of UTF-8; empty: nothing. */
WA_CHECK enum wa_code wa_host_describe(struct wa_sv description, struct wa_err *err);
/* Never blocks on the network. What can't be known is left empty. */
WA_CHECK enum wa_code wa_host_facts_read(struct wa_host_facts *ret, struct wa_err *err);

#endif
