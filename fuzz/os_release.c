/* os_release.c - the facts of a machine out of any text: they end, fit, and may be shown. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "os/linux/host_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t size)
{
    if (memchr(s, '\0', size) == NULL || !wa_utf8_valid(wa_sv(s)))
        abort();
    for (; *s != '\0'; s++)
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            abort();
}

#define CHECK(field) check_text(f->field, sizeof(f->field))

static void check_facts(const struct wa_host_facts *f)
{
    CHECK(os_name);
    CHECK(os_version);
    CHECK(distrib);
    CHECK(language);
    CHECK(system_uuid);
    CHECK(gateway);
    CHECK(gateway_iface);
    CHECK(workgroup);
    CHECK(description);
    CHECK(controller);
    CHECK(fqdn);
    CHECK(cpu);
    if (f->dns_count > WA_COUNT(f->dns))
        abort();
    for (size_t i = 0; i < f->dns_count; i++)
        CHECK(dns[i]);
}

/* What is written is what is read again, whatever else the file says, and however often. */
static void check_described(struct wa_sv text, const char *description)
{
    WA_AUTO_BUF struct wa_buf once;
    WA_AUTO_BUF struct wa_buf twice;
    struct wa_host_facts f = {.name = ""};
    wa_buf_init(&once, 1u << 24);
    wa_buf_init(&twice, 1u << 24);
    wa_host_described(text, wa_sv(description), &once);
    wa_host_machine_info(wa_buf_sv(&once), &f);
    wa_host_described(wa_buf_sv(&once), wa_sv(description), &twice);
    if (once.failed == WA_OK &&
        (strcmp(f.description, description) != 0 || !wa_sv_eq(wa_buf_sv(&once), wa_buf_sv(&twice))))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_host_facts start = {.name = "pc1"};
    struct wa_host_facts f = start;
    struct wa_sv text = wa_sv_n(data, size);
    char domain[256] = "";

    if (size == 0)
        return 0;
    wa_host_os_release(text, &f);
    check_facts(&f);
    wa_host_debian_version(text, &f);
    wa_host_locale(text, &f);
    wa_host_resolv(text, &f, domain, sizeof(domain));
    wa_host_cpuinfo(text, &f);
    wa_host_route(text, &f);
    wa_host_smb_conf(text, &f);
    wa_host_kdcinfo(text, &f);
    wa_host_machine_info(text, &f);
    check_described(text, f.description);
    wa_host_hosts(text, &f);
    wa_host_system_uuid(text, &f);
    check_facts(&f);
    check_text(domain, sizeof(domain));
    return 0;
}
