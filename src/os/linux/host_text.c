/* host_text.c - facts out of the text files of a Linux system. Pure: no file is opened here.
 *
 * All of it is shown to people and sent to the server, so everything is cleaned on its way in.
 */
#include "os/linux/host_priv.h"

#include "os/linux/text_priv.h"

#include <arpa/inet.h>

void wa_host_os_release(struct wa_sv text, struct wa_host_facts *f)
{
    if (!wa_text_assigned(text, "PRETTY_NAME", f->os_name, sizeof f->os_name))
        (void)wa_text_assigned(text, "NAME", f->os_name, sizeof f->os_name);
    (void)wa_text_assigned(text, "VERSION_ID", f->os_version, sizeof f->os_version);
    (void)wa_text_assigned(text, "ID", f->distrib, sizeof f->distrib);
}

/* os-release says "12", this file "12.4"; on testing it says "trixie/sid", which is no version. */
void wa_host_debian_version(struct wa_sv text, struct wa_host_facts *f)
{
    size_t n = strlen(f->os_version);
    text = wa_sv_trim(text);
    if (n == 0 || text.n <= n + 1 || text.n >= sizeof f->os_version ||
        !wa_sv_starts(text, f->os_version) || text.p[n] != '.')
        return;
    for (size_t i = n + 1; i < text.n; i++)
        if ((text.p[i] < '0' || text.p[i] > '9') && text.p[i] != '.')
            return;
    wa_text_clean(text, f->os_version, sizeof f->os_version);
}

void wa_host_machine_info(struct wa_sv text, struct wa_host_facts *f)
{
    (void)wa_text_assigned(text, "PRETTY_HOSTNAME", f->description, sizeof f->description);
}

void wa_host_locale(struct wa_sv text, struct wa_host_facts *f)
{
    char lang[64];
    if (!wa_text_assigned(text, "LANG", lang, sizeof lang))
        return;
    size_t n = strspn(lang, "abcdefghijklmnopqrstuvwxyz");
    if (n == 2 && strchr("_.@", lang[2]) != NULL) /* also at the end of the text */
        (void)snprintf(f->language, sizeof f->language, "%.2s", lang);
}

void wa_host_resolv(struct wa_sv text, struct wa_host_facts *f, char *ret_domain, size_t size)
{
    struct wa_sv line, key, value;
    f->dns_count = 0;
    while (wa_sv_split(&text, '\n', &line)) {
        if (!wa_text_word(&line, &key) || !wa_text_word(&line, &value))
            continue;
        if (wa_sv_eqs(key, "nameserver") && f->dns_count < WA_COUNT(f->dns))
            wa_text_clean(value, f->dns[f->dns_count++], sizeof f->dns[0]);
        else if ((wa_sv_eqs(key, "domain") || wa_sv_eqs(key, "search")) && value.p[0] != '.')
            wa_text_clean(value, ret_domain, size);
    }
}

void wa_host_cpuinfo(struct wa_sv text, struct wa_host_facts *f)
{
    struct wa_sv line;
    uint32_t count = 0;
    while (wa_sv_split(&text, '\n', &line)) {
        size_t at;
        if (!wa_sv_chr(line, ':', &at))
            continue;
        struct wa_sv key = wa_sv_trim(wa_sv_sub(line, 0, at));
        count += wa_sv_eqs(key, "processor") ? 1u : 0u;
        if (f->cpu[0] == '\0' && wa_sv_eqs(key, "model name"))
            wa_text_clean(wa_sv_sub(line, at + 1, line.n), f->cpu, sizeof f->cpu);
    }
    if (count > 0)
        f->cpu_count = count;
}

static bool hex32(struct wa_sv s, uint32_t *ret)
{
    uint32_t v = 0;
    if (s.n == 0 || s.n > 8)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                           : -1;
        if (digit < 0)
            return false;
        v = v << 4 | (uint32_t)digit;
    }
    *ret = v;
    return true;
}

/* Columns of /proc/net/route: Iface Destination Gateway Flags RefCnt Use Metric Mask... Addresses
 * are the 32 bits as they lie in memory. */
void wa_host_route(struct wa_sv text, struct wa_host_facts *f)
{
    struct wa_sv line;
    uint64_t best = UINT64_MAX;
    while (wa_sv_split(&text, '\n', &line)) {
        struct wa_sv column[8];
        uint32_t to, by, flags, mask;
        uint64_t metric;
        size_t n = 0;
        while (n < WA_COUNT(column) && wa_text_word(&line, &column[n]))
            n++;
        if (n < WA_COUNT(column) || !hex32(column[1], &to) || !hex32(column[2], &by) ||
            !hex32(column[3], &flags) || !wa_sv_u64(column[6], &metric) || !hex32(column[7], &mask))
            continue;
        const uint32_t up_and_gateway = 3;
        if (to != 0 || mask != 0 || (flags & up_and_gateway) != up_and_gateway || metric >= best)
            continue;
        struct in_addr addr = {by};
        if (inet_ntop(AF_INET, &addr, f->gateway, sizeof f->gateway) == NULL)
            continue;
        wa_text_clean(column[0], f->gateway_iface, sizeof f->gateway_iface);
        best = metric;
    }
}

/* What SSSD tells the Kerberos library: the first line is the server that it uses, "10.0.0.1",
 * "10.0.0.1:88" or "[2001:db8::1]:88". */
void wa_host_kdcinfo(struct wa_sv text, struct wa_host_facts *f)
{
    struct wa_sv line;
    char addr[64];
    uint8_t ignored[16];
    while (wa_sv_split(&text, '\n', &line)) {
        size_t at, end;
        line = wa_sv_trim(line);
        if (line.n == 0 || line.p[0] == '#')
            continue;
        bool is_bracketed = line.p[0] == '[' && wa_sv_chr(line, ']', &end);
        if (is_bracketed)
            line = wa_sv_sub(line, 1, end - 1);
        else if (wa_sv_chr(line, ':', &at) &&
                 !wa_sv_has(wa_sv_sub(line, at + 1, line.n), WA_SV(":")))
            line = wa_sv_sub(line, 0, at);
        wa_text_clean(line, addr, sizeof addr);
        if (inet_pton(AF_INET, addr, ignored) == 1 || inet_pton(AF_INET6, addr, ignored) == 1)
            memcpy(f->controller, addr, sizeof addr);
        return;
    }
}

void wa_host_smb_conf(struct wa_sv text, struct wa_host_facts *f)
{
    struct wa_sv line;
    bool is_global = false;
    while (wa_sv_split(&text, '\n', &line)) {
        size_t at;
        line = wa_sv_trim(line);
        if (wa_sv_starts(line, "["))
            is_global = wa_sv_ieqs(line, "[global]");
        else if (is_global && wa_sv_chr(line, '=', &at) &&
                 wa_sv_ieqs(wa_sv_trim(wa_sv_sub(line, 0, at)), "workgroup"))
            wa_text_clean(wa_sv_sub(line, at + 1, line.n), f->workgroup, sizeof f->workgroup);
    }
}

void wa_host_hosts(struct wa_sv text, struct wa_host_facts *f)
{
    struct wa_sv line, word;
    size_t n = strlen(f->name);
    while (f->fqdn[0] == '\0' && wa_sv_split(&text, '\n', &line)) {
        size_t at;
        struct wa_sv full = {NULL, 0};
        bool is_named = false;
        if (wa_sv_chr(line, '#', &at))
            line.n = at;
        if (!wa_text_word(&line, &word)) /* the address */
            continue;
        while (wa_text_word(&line, &word)) {
            is_named = is_named || wa_sv_ieqs(word, f->name);
            /* "name.domain" */
            if (full.n == 0 && word.n > n + 1 && word.p[n] == '.' &&
                wa_sv_ieqs(wa_sv_sub(word, 0, n), f->name))
                full = word;
        }
        if (is_named && full.n > 0 && full.n < sizeof f->fqdn)
            wa_text_clean(full, f->fqdn, sizeof f->fqdn);
    }
}

void wa_host_system_uuid(struct wa_sv text, struct wa_host_facts *f)
{
    static const char *const nobodys[] = {
        "00000000-0000-0000-0000-000000000000", "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF",
        "03000200-0400-0500-0006-000700080009", "12345678-1234-5678-90AB-CDDEEFAABBCC",
        "00020003-0004-0005-0006-000700080009", "FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE",
        "00112233-4455-6677-8899-AABBCCDDEEFF", "11111111-2222-3333-4444-555555555555"};
    char uuid[37];
    text = wa_sv_trim(text);
    if (text.n != sizeof uuid - 1)
        return;
    for (size_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
        uint32_t ignored;
        if (is_dash ? c != '-' : !hex32(wa_sv_n(&c, 1), &ignored))
            return;
        uuid[i] = c >= 'a' && c <= 'f' ? (char)(c - 'a' + 'A') : c;
    }
    uuid[text.n] = '\0';
    for (size_t i = 0; i < WA_COUNT(nobodys); i++)
        if (strcmp(uuid, nobodys[i]) == 0)
            return; /* many machines have it: it identifies none */
    memcpy(f->system_uuid, uuid, sizeof uuid);
}
