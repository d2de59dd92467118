/* facts_machine.c - the sections host_info and host_metrics of a machine's inventory, under the
 * names of formats.md 5.7.2. What the manager knows better - the machine's names, its place, its
 * repositories - is the manager's to add.
 */
#include "agent/facts.h"
#include "base/date.h"
#include "base/map.h"
#include "codec/csv.h"
#include "os/accounts.h"
#include "os/drives.h"
#include "os/host.h"
#include "os/rand.h"

/* --- network --- */

static int by_iface(const void *a, const void *b)
{
    const struct wa_host_addr *x = a, *y = b;
    int order = strcmp(x->iface, y->iface);
    return order != 0 ? order : strcmp(x->addr, y->addr);
}

static bool is_first_of(const struct wa_host_facts *f, size_t i)
{
    return i == 0 || strcmp(f->addrs[i - 1].iface, f->addrs[i].iface) != 0;
}

static void write_networking(struct wa_jw *w, const struct wa_host_facts *f)
{
    wa_jw_key(w, "networking");
    wa_jw_arr(w);
    for (size_t i = 0; i < f->addr_count; i++) {
        if (!is_first_of(f, i))
            continue;
        wa_jw_obj(w);
        wa_jw_kv(w, "iface", f->addrs[i].iface);
        wa_jw_kv(w, "mac", f->addrs[i].mac);
        wa_jw_key(w, "addr");
        wa_jw_arr(w);
        for (size_t k = i; k < f->addr_count && (k == i || !is_first_of(f, k)); k++) {
            wa_jw_obj(w);
            wa_jw_kv(w, "addr", f->addrs[k].addr);
            wa_jw_kv(w, "netmask", f->addrs[k].netmask);
            if (f->addrs[k].broadcast[0] != '\0')
                wa_jw_kv(w, "broadcast", f->addrs[k].broadcast);
            wa_jw_kvb(w, "connected", f->addrs[k].is_connected);
            wa_jw_end(w);
        }
        wa_jw_end(w);
        wa_jw_end(w);
    }
    wa_jw_end(w);
}

/* Which texts of an address make a list. */
static void write_list(struct wa_jw *w, const char *key, const struct wa_host_facts *f, bool macs)
{
    wa_jw_key(w, key);
    wa_jw_arr(w);
    for (size_t i = 0; i < f->addr_count; i++) {
        const struct wa_host_addr *a = &f->addrs[i];
        if (macs && is_first_of(f, i) && a->mac[0] != '\0')
            wa_jw_s(w, a->mac);
        else if (!macs && a->is_connected)
            wa_jw_s(w, a->addr);
    }
    wa_jw_end(w);
}

/* The addresses by which the world is reached: IPv4, IPv6. */
static void write_main_ip(struct wa_jw *w, const struct wa_host_facts *f)
{
    const char *main_ip[2] = {NULL, NULL};
    for (size_t i = 0; i < f->addr_count; i++) {
        size_t kind = strchr(f->addrs[i].addr, ':') != NULL ? 1 : 0;
        bool is_way_out =
            f->gateway_iface[0] == '\0' || strcmp(f->addrs[i].iface, f->gateway_iface) == 0;
        if (is_way_out && main_ip[kind] == NULL)
            main_ip[kind] = f->addrs[i].addr;
    }
    wa_jw_key(w, "main_ip");
    wa_jw_arr(w);
    wa_jw_s(w, main_ip[0]);
    wa_jw_s(w, main_ip[1]);
    wa_jw_end(w);
}

static void write_network(struct wa_jw *w, const struct wa_host_facts *f)
{
    write_networking(w, f);
    wa_jw_key(w, "gateways");
    wa_jw_arr(w);
    if (f->gateway[0] != '\0')
        wa_jw_s(w, f->gateway);
    wa_jw_end(w);
    wa_jw_key(w, "dns_servers");
    wa_jw_arr(w);
    for (size_t i = 0; i < f->dns_count; i++)
        wa_jw_s(w, f->dns[i]);
    wa_jw_end(w);
    write_list(w, "connected_ips", f, false);
    write_list(w, "mac", f, true);
    write_main_ip(w, f);
    wa_jw_kv(w, "workgroup_name", f->workgroup);
    if (f->controller[0] != '\0')
        wa_jw_kv(w, "domain_controller_address", f->controller);
}

/* --- accounts, environment --- */

struct once {
    struct wa_jw *w;
    struct wa_map seen; /* a name may stand twice in a file, but not in an object */
};

static enum wa_code first_time(struct once *o, struct wa_sv name, bool *ret, struct wa_err *err)
{
    *ret = wa_map_get(&o->seen, name) == NULL;
    return *ret ? wa_map_put(&o->seen, name, o, NULL, err) : WA_OK;
}

static enum wa_code write_group(void *user, struct wa_sv name, struct wa_sv members,
                                struct wa_err *err)
{
    struct once *o = user;
    struct wa_sv member;
    bool is_first;
    if (first_time(o, name, &is_first, err) != WA_OK || !is_first)
        return err->code;
    wa_jw_keysv(o->w, name);
    wa_jw_arr(o->w);
    while (wa_csv_next(&members, &member))
        wa_jw_sv(o->w, member);
    wa_jw_end(o->w);
    return WA_OK;
}

static enum wa_code write_account(void *user, struct wa_sv name, struct wa_sv members,
                                  struct wa_err *err)
{
    struct once *o = user;
    bool is_first;
    WA_UNUSED(members);
    if (first_time(o, name, &is_first, err) == WA_OK && is_first)
        wa_jw_sv(o->w, name);
    return err->code;
}

static enum wa_code write_variable(void *user, struct wa_sv name, struct wa_sv value,
                                   struct wa_err *err)
{
    struct once *o = user;
    bool is_first;
    if (first_time(o, name, &is_first, err) != WA_OK || !is_first)
        return err->code;
    wa_jw_keysv(o->w, name);
    wa_jw_sv(o->w, value);
    return WA_OK;
}

/* An object (or array) of what a list of the operating system's tells, each name once. */
static enum wa_code write_once(struct wa_jw *w, const char *key, bool is_object,
                               enum wa_code (*list)(wa_account_fn, void *, struct wa_err *),
                               wa_account_fn fn, struct wa_err *err)
{
    struct once o = {.w = w};
    if (wa_rand_map(&o.seen, err) != WA_OK)
        return err->code;
    wa_jw_key(w, key);
    if (is_object)
        wa_jw_obj(w);
    else
        wa_jw_arr(w);
    enum wa_code code = list(fn, &o, err);
    wa_jw_end(w);
    wa_map_fini(&o.seen);
    return code;
}

static enum wa_code write_host_info(struct wa_jw *w, const struct wa_facts_want *want,
                                    struct wa_err *err)
{
    struct wa_host_facts f;
    if (wa_host_facts_read(&f, err) != WA_OK)
        return err->code;
    qsort(f.addrs, f.addr_count, sizeof f.addrs[0], by_iface);
    wa_jw_kv(w, "description", f.description);
    wa_jw_kv(w, "platform", f.os);
    wa_jw_kv(w, "os_name", f.os_name);
    wa_jw_kv(w, "os_version", f.os_version);
    wa_jw_kv(w, "distrib", f.distrib);
    wa_jw_kv(w, "distrib_version", f.os_version);
    wa_jw_kv(w, "kernel_version", f.kernel);
    wa_jw_kvb(w, "linux64", wa_sv_ends(wa_sv(f.machine), "64"));
    wa_jw_kv(w, "architecture", f.architecture);
    wa_jw_kv(w, "machine", f.machine);
    wa_jw_kv(w, "language", f.language);
    wa_jw_kv(w, "system_manufacturer", f.manufacturer);
    wa_jw_kv(w, "system_productname", f.product);
    wa_jw_kv(w, "cpu_name", f.cpu);
    wa_jw_kvi(w, "cpu_count", f.cpu_count);
    write_network(w, &f);
    if (write_once(w, "local_users", false, wa_accounts_list, write_account, err) != WA_OK ||
        write_once(w, "local_groups", true, wa_groups_list, write_group, err) != WA_OK)
        return err->code;
    return want->with_environment
               ? write_once(w, "environ", true, wa_environment_list, write_variable, err)
               : WA_OK;
}

/* --- metrics --- */

static enum wa_code write_drive(void *user, const struct wa_drive *d, struct wa_err *err)
{
    struct once *o = user;
    bool is_first;
    if (first_time(o, wa_sv(d->mount_point), &is_first, err) != WA_OK || !is_first)
        return err->code;
    wa_jw_key(o->w, d->mount_point);
    wa_jw_obj(o->w);
    wa_jw_kv(o->w, "Caption", d->mount_point);
    wa_jw_kvi(o->w, "DriveType", 3); /* as Windows numbers them: a local disk */
    wa_jw_kv(o->w, "Description", "Local disk");
    wa_jw_kv(o->w, "FileSystem", d->type);
    wa_jw_kv(o->w, "Name", d->device);
    /* To a 128th of the disk: a machine on which nothing happens has nothing new to report. */
    uint64_t step = d->size_bytes / 128 + 1;
    wa_jw_kvi(o->w, "FreeSpace", (int64_t)(d->free_bytes / step * step));
    wa_jw_kvi(o->w, "Size", (int64_t)d->size_bytes);
    wa_jw_kvi(o->w, "FreePercent",
              d->size_bytes == 0 ? 0 : (int64_t)(d->free_bytes / (d->size_bytes / 100 + 1)));
    wa_jw_end(o->w);
    return WA_OK;
}

static enum wa_code write_drives(struct wa_jw *w, struct wa_err *err)
{
    struct once o = {.w = w};
    if (wa_rand_map(&o.seen, err) != WA_OK)
        return err->code;
    wa_jw_key(w, "local_drives");
    wa_jw_obj(w);
    enum wa_code code = wa_drives_list(write_drive, &o, err);
    wa_jw_end(w);
    wa_map_fini(&o.seen);
    return code;
}

static enum wa_code write_metrics(struct wa_jw *w, const struct wa_facts_want *want,
                                  struct wa_err *err)
{
    struct wa_memory m;
    WA_AUTO_BUF struct wa_buf users;
    char last[WA_LOGIN_NAME], booted[WA_DATE_MAX];
    WA_UNUSED(want);
    wa_buf_init(&users, WA_ROLE_NOTE_MAX);
    if (wa_memory_read(&m, err) != WA_OK || wa_sessions_list(&users, err) != WA_OK ||
        wa_sessions_last(last, err) != WA_OK)
        return err->code;
    wa_jw_kvi(w, "physical_memory", (int64_t)m.physical_bytes);
    wa_jw_kvi(w, "virtual_memory", (int64_t)(m.physical_bytes + m.swap_bytes));
    wa_date_isolocal(m.boot_time, 0, booted);
    if (m.boot_time != 0)
        wa_jw_kv(w, "last_bootup_time", booted);
    wa_jw_kv(w, "last_logged_on_user", last);
    wa_jw_key(w, "logged_in_users");
    wa_jw_arr(w);
    struct wa_sv rest = wa_buf_sv(&users), name;
    while (wa_csv_next(&rest, &name))
        wa_jw_sv(w, name);
    wa_jw_end(w);
    return write_drives(w, err);
}

const struct wa_facts_part wa_facts_machine_parts[] = {
    {"host_info", true, write_host_info},
    {"host_metrics", true, write_metrics},
    {NULL, false, NULL},
};
