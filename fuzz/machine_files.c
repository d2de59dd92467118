/* machine_files.c - accounts, sessions, mounts, memory and rpm's list out of any bytes: they end,
 * fit, and may be shown. */
#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "os/linux/accounts_priv.h"
#include "os/linux/software_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct wa_sv s)
{
    if (!wa_utf8_valid(s))
        abort();
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
            abort();
}

static enum wa_code look(void *user, struct wa_sv name, struct wa_sv members, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    if (name.n == 0)
        abort();
    check_text(name);
    check_text(members);
    return WA_OK;
}

static enum wa_code look_software(void *user, const struct wa_software *s, struct wa_err *err)
{
    WA_UNUSED(user);
    WA_UNUSED(err);
    if (s->name[0] == '\0' || s->version[0] == '\0')
        abort();
    check_text(wa_sv(s->key));
    check_text(wa_sv(s->version));
    check_text(wa_sv(s->publisher));
    return WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_sv text = wa_sv_n(data, size), rest = text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_memory memory = {0};
    struct wa_mount at;
    char last[WA_LOGIN_NAME];
    WA_AUTO_BUF struct wa_buf users;
    wa_buf_init(&users, 1u << 20);
    if (wa_passwd_each(text, look, NULL, &err) != WA_OK ||
        wa_group_each(text, look, NULL, &err) != WA_OK ||
        wa_environment_each(text, look, NULL, &err) != WA_OK ||
        wa_rpm_each(text, look_software, NULL, &err) != WA_OK)
        abort();
    wa_utmp_users(text, &users);
    wa_utmp_last(text, last);
    check_text(wa_sv(last));
    wa_logind_user(text, last);
    check_text(wa_buf_sv(&users));
    check_text(wa_sv(last));
    while (wa_mounts_next(&rest, &at)) {
        if (at.point[0] != '/' || at.type[0] == '\0')
            abort();
        check_text(wa_sv(at.device));
    }
    wa_meminfo(text, &memory);
    wa_boot_time(text, &memory);
    return 0;
}
