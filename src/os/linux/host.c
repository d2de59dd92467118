/* host.c - facts about this machine, from /etc, /proc, /sys and the kernel. No child process, no
 * question to the network; what can't be known stays empty.
 *
 * The name is what the administrator set and never asked of a name server: a machine's identity may
 * hang on it.
 */
#include "os/host.h"

#include "os/fs.h"
#include "os/linux/host_priv.h"
#include "os/linux/text_priv.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <limits.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <strings.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Reads a file below root; an empty text when that can't be done, for any reason but memory. */
static enum wa_code slurp(const char *root, const char *name, struct wa_buf *text,
                          struct wa_err *err)
{
    char path[WA_PATH_MAX];
    int n = snprintf(path, sizeof path, "%s/%s", root, name);
    wa_buf_clear(text);
    if (n < 0 || (size_t)n >= sizeof path ||
        wa_path_read(path, WA_HOST_TEXT_MAX, text, err) == WA_OK)
        return WA_OK;
    if (err->code == WA_E_NOMEM)
        return err->code;
    wa_err_clear(err);
    wa_buf_clear(text);
    return WA_OK;
}

/* One line of a file. */
static enum wa_code slurp_line(const char *root, const char *name, struct wa_buf *text, char *out,
                               size_t size, struct wa_err *err)
{
    if (slurp(root, name, text, err) != WA_OK)
        return err->code;
    wa_text_clean(wa_buf_sv(text), out, size);
    return WA_OK;
}

static enum wa_code read_system(const char *root, struct wa_buf *text, struct wa_host_facts *f,
                                struct wa_err *err)
{
    static const char *const releases[] = {"etc/os-release", "usr/lib/os-release"};
    static const char *const locales[] = {"etc/default/locale", "etc/locale.conf"};
    for (size_t i = 0; i < WA_COUNT(releases) && f->distrib[0] == '\0'; i++) {
        if (slurp(root, releases[i], text, err) != WA_OK)
            return err->code;
        wa_host_os_release(wa_buf_sv(text), f);
    }
    if (slurp(root, "etc/debian_version", text, err) != WA_OK)
        return err->code;
    if (strcmp(f->distrib, "debian") == 0) /* its derivatives keep Debian's number there */
        wa_host_debian_version(wa_buf_sv(text), f);
    if (slurp(root, "etc/machine-info", text, err) != WA_OK)
        return err->code;
    wa_host_machine_info(wa_buf_sv(text), f);
    for (size_t i = 0; i < WA_COUNT(locales) && f->language[0] == '\0'; i++) {
        if (slurp(root, locales[i], text, err) != WA_OK)
            return err->code;
        wa_host_locale(wa_buf_sv(text), f);
    }
    return WA_OK;
}

static enum wa_code read_hardware(const char *root, struct wa_buf *text, struct wa_host_facts *f,
                                  struct wa_err *err)
{
    const struct {
        const char *name;
        char *out;
        size_t size;
    } lines[] = {
        {"sys/class/dmi/id/sys_vendor", f->manufacturer, sizeof f->manufacturer},
        {"sys/class/dmi/id/product_name", f->product, sizeof f->product},
        {"sys/class/dmi/id/product_serial", f->serial, sizeof f->serial},
        {"etc/machine-id", f->machine_id, sizeof f->machine_id},
    };
    for (size_t i = 0; i < WA_COUNT(lines); i++)
        if (slurp_line(root, lines[i].name, text, lines[i].out, lines[i].size, err) != WA_OK)
            return err->code;
    if (slurp(root, "sys/class/dmi/id/product_uuid", text, err) != WA_OK)
        return err->code;
    wa_host_system_uuid(wa_buf_sv(text), f);
    if (slurp(root, "proc/cpuinfo", text, err) != WA_OK)
        return err->code;
    wa_host_cpuinfo(wa_buf_sv(text), f);
    return WA_OK;
}

/* An adapter of the machine's own: no bridge or tunnel, nothing on USB, no address that software
 * has made up. */
static bool is_built_in(const char *root, const char *name, struct wa_buf *text, struct wa_err *err)
{
    char path[WA_PATH_MAX], bus[256];
    char kind[8] = "";
    (void)snprintf(path, sizeof path, "%s/sys/class/net/%s/device", root, name);
    if (access(path, F_OK) != 0)
        return false;
    (void)snprintf(path, sizeof path, "%s/sys/class/net/%s/device/subsystem", root, name);
    ssize_t n = readlink(path, bus, sizeof bus - 1);
    if (n > 0 && wa_sv_ends(wa_sv_n(bus, (size_t)n), "/usb"))
        return false;
    (void)snprintf(path, sizeof path, "sys/class/net/%s/addr_assign_type", name);
    return slurp_line(root, path, text, kind, sizeof kind, err) == WA_OK && strcmp(kind, "0") == 0;
}

static enum wa_code read_macs(const char *root, struct wa_buf *text, struct wa_host_facts *f,
                              struct wa_err *err)
{
    char path[WA_PATH_MAX];
    const struct dirent *e;
    (void)snprintf(path, sizeof path, "%s/sys/class/net", root);
    DIR *d = opendir(path);
    if (d == NULL)
        return errno == ENOMEM ? wa_nomem(err) : WA_OK;
    while (err->code == WA_OK && f->mac_count < WA_COUNT(f->macs) && (e = readdir(d)) != NULL) {
        char *mac = f->macs[f->mac_count];
        if (e->d_name[0] == '.' || !is_built_in(root, e->d_name, text, err))
            continue;
        (void)snprintf(path, sizeof path, "sys/class/net/%s/address", e->d_name);
        if (slurp_line(root, path, text, mac, sizeof f->macs[0], err) == WA_OK &&
            strlen(mac) == 17 && strcmp(mac, "00:00:00:00:00:00") != 0)
            f->mac_count++;
    }
    (void)closedir(d);
    return err->code;
}

/* Of several realms that of the machine's own domain, else the first. */
static enum wa_code read_controller(const char *root, struct wa_buf *text, struct wa_host_facts *f,
                                    struct wa_err *err)
{
    static const char *const folder = "var/lib/sss/pubconf";
    char path[WA_PATH_MAX], best[NAME_MAX + 1] = "";
    const struct dirent *e;
    const char *domain = strchr(f->fqdn, '.');
    (void)snprintf(path, sizeof path, "%s/%s", root, folder);
    DIR *d = opendir(path);
    if (d == NULL)
        return errno == ENOMEM ? wa_nomem(err) : WA_OK;
    while ((e = readdir(d)) != NULL) {
        if (!wa_sv_starts(wa_sv(e->d_name), "kdcinfo."))
            continue;
        bool is_own = domain != NULL && strcasecmp(strchr(e->d_name, '.'), domain) == 0;
        if (is_own || best[0] == '\0' || strcmp(e->d_name, best) < 0)
            (void)snprintf(best, sizeof best, "%s", e->d_name);
        if (is_own)
            break;
    }
    (void)closedir(d);
    (void)snprintf(path, sizeof path, "%s/%s", folder, best);
    if (best[0] == '\0' || slurp(root, path, text, err) != WA_OK)
        return err->code;
    wa_host_kdcinfo(wa_buf_sv(text), f);
    return WA_OK;
}

static enum wa_code read_network(const char *root, struct wa_buf *text, struct wa_host_facts *f,
                                 struct wa_err *err)
{
    char domain[sizeof f->fqdn] = "";
    if (slurp(root, "proc/net/route", text, err) != WA_OK)
        return err->code;
    wa_host_route(wa_buf_sv(text), f);
    if (slurp(root, "etc/samba/smb.conf", text, err) != WA_OK)
        return err->code;
    wa_host_smb_conf(wa_buf_sv(text), f);
    if (slurp(root, "etc/resolv.conf", text, err) != WA_OK)
        return err->code;
    wa_host_resolv(wa_buf_sv(text), f, domain, sizeof domain);
    if (f->dns_count == 1 && strcmp(f->dns[0], "127.0.0.53") == 0) {
        /* systemd's own resolver: whom does it ask? */
        struct wa_host_facts behind = *f;
        if (slurp(root, "run/systemd/resolve/resolv.conf", text, err) != WA_OK)
            return err->code;
        wa_host_resolv(wa_buf_sv(text), &behind, domain, sizeof domain);
        if (behind.dns_count > 0)
            *f = behind;
    }
    if (slurp(root, "etc/hosts", text, err) != WA_OK)
        return err->code;
    if (f->fqdn[0] == '\0')
        wa_host_hosts(wa_buf_sv(text), f);
    size_t n = strlen(f->name), m = strlen(domain);
    if (f->fqdn[0] == '\0' && m > 0 && n + m + 2 <= sizeof f->fqdn) {
        memcpy(f->fqdn, f->name, n);
        f->fqdn[n] = '.';
        memcpy(f->fqdn + n + 1, domain, m + 1);
    }
    if (f->fqdn[0] == '\0')
        memcpy(f->fqdn, f->name, sizeof f->fqdn);
    return read_controller(root, text, f, err);
}

void wa_host_name(char *out, size_t size)
{
    struct utsname u;
    out[0] = '\0';
    if (uname(&u) == 0)
        wa_text_clean(wa_sv(u.nodename), out, size);
    out[strcspn(out, ".")] = '\0';
}

static void ask_kernel(struct wa_host_facts *f)
{
    struct utsname u;
    struct sysinfo s;
    if (uname(&u) == 0) {
        wa_text_clean(wa_sv(u.nodename), f->name, sizeof f->name);
        wa_text_clean(wa_sv(u.release), f->kernel, sizeof f->kernel);
        wa_text_clean(wa_sv(u.machine), f->machine, sizeof f->machine);
        char *dot = strchr(f->name, '.');
        if (dot != NULL) { /* some have their full name there */
            memcpy(f->fqdn, f->name, sizeof f->fqdn);
            *dot = '\0';
        }
    }
    bool is_64 = wa_sv_ends(wa_sv(f->machine), "64");
    (void)snprintf(f->architecture, sizeof f->architecture, "%s", is_64 ? "x64" : "x86");
    if (sysinfo(&s) == 0) {
        f->memory_bytes = (uint64_t)s.totalram * s.mem_unit;
        f->uptime_s = s.uptime < 0 ? 0 : (uint64_t)s.uptime;
    }
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    f->cpu_count = count > 0 ? (uint32_t)count : 0;
}

/* --- addresses --- */

static bool is_shown(const struct ifaddrs *i)
{
    if (i->ifa_addr == NULL || (i->ifa_flags & IFF_UP) == 0 || (i->ifa_flags & IFF_LOOPBACK) != 0)
        return false;
    if (i->ifa_addr->sa_family == AF_INET)
        return true;
    const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)(const void *)i->ifa_addr;
    return i->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr);
}

static void address_text(const struct sockaddr *a, int family, char *out, size_t size)
{
    const void *bytes = NULL;
    if (a != NULL && family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)a)->sin_addr;
    else if (a != NULL)
        bytes = &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
    if (bytes == NULL || inet_ntop(family, bytes, out, (socklen_t)size) == NULL)
        out[0] = '\0';
}

static void find_mac(const struct ifaddrs *all, struct wa_host_addr *addr)
{
    for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
        if (i->ifa_addr == NULL || i->ifa_addr->sa_family != AF_PACKET ||
            strcmp(i->ifa_name, addr->iface) != 0)
            continue;
        const struct sockaddr_ll *l = (const struct sockaddr_ll *)(const void *)i->ifa_addr;
        if (l->sll_halen == 6)
            (void)snprintf(addr->mac, sizeof addr->mac, "%02x:%02x:%02x:%02x:%02x:%02x",
                           l->sll_addr[0], l->sll_addr[1], l->sll_addr[2], l->sll_addr[3],
                           l->sll_addr[4], l->sll_addr[5]);
    }
}

static enum wa_code read_addresses(struct wa_host_facts *f, struct wa_err *err)
{
    struct ifaddrs *all;
    if (getifaddrs(&all) != 0)
        return errno == ENOMEM ? wa_nomem(err) : WA_OK;
    for (const struct ifaddrs *i = all; i != NULL && f->addr_count < WA_COUNT(f->addrs);
         i = i->ifa_next) {
        if (!is_shown(i))
            continue;
        struct wa_host_addr *addr = &f->addrs[f->addr_count++];
        int family = i->ifa_addr->sa_family;
        wa_text_clean(wa_sv(i->ifa_name), addr->iface, sizeof addr->iface);
        address_text(i->ifa_addr, family, addr->addr, sizeof addr->addr);
        address_text(i->ifa_netmask, family, addr->netmask, sizeof addr->netmask);
        if ((i->ifa_flags & IFF_BROADCAST) != 0 && family == AF_INET)
            address_text(i->ifa_broadaddr, family, addr->broadcast, sizeof addr->broadcast);
        addr->is_connected = (i->ifa_flags & IFF_RUNNING) != 0;
        find_mac(all, addr);
    }
    freeifaddrs(all);
    return WA_OK;
}

enum wa_code wa_host_facts_at(const char *root, struct wa_host_facts *ret, struct wa_err *err)
{
    struct wa_host_facts f = {.os = "linux"};
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, WA_HOST_TEXT_MAX);
    ask_kernel(&f);
    if (read_system(root, &text, &f, err) != WA_OK ||
        read_hardware(root, &text, &f, err) != WA_OK || read_macs(root, &text, &f, err) != WA_OK ||
        read_network(root, &text, &f, err) != WA_OK || read_addresses(&f, err) != WA_OK)
        return wa_wrap(err, "reading the facts of this machine");
    *ret = f;
    return WA_OK;
}

enum wa_code wa_host_facts_read(struct wa_host_facts *ret, struct wa_err *err)
{
    return wa_host_facts_at("", ret, err);
}

enum wa_code wa_host_boot_id(char ret[WA_BOOT_ID], struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    wa_buf_init(&text, 64);
    if (wa_path_read("/proc/sys/kernel/random/boot_id", 64, &text, err) != WA_OK)
        return err->code;
    struct wa_sv id = wa_sv_trim(wa_buf_sv(&text));
    if (id.n == 0 || id.n >= WA_BOOT_ID)
        return wa_fail(err, WA_E_INVALID, "the kernel does not say which start of it this is");
    (void)snprintf(ret, WA_BOOT_ID, "%.*s", WA_SV_ARG(id));
    return WA_OK;
}
