/* machine_info.c - what this machine is called for people: PRETTY_HOSTNAME in machine-info(5), as
 * hostnamectl(1) sets it. Whatever else the file says stays.
 */
#include "os/host.h"

#include "os/fs.h"
#include "os/linux/host_priv.h"

#define KEY "PRETTY_HOSTNAME"
#define LEFT ".machine-info."

/* As a shell would read it, which is how the file is read. */
static void quote(struct wa_sv text, struct wa_buf *out)
{
    wa_buf_adds(out, KEY "=\"");
    for (size_t i = 0; i < text.n; i++) {
        if (strchr("\"\\$`", text.p[i]) != NULL)
            wa_buf_addc(out, '\\');
        wa_buf_addc(out, text.p[i]);
    }
    wa_buf_adds(out, "\"\n");
}

void wa_host_described(struct wa_sv before, struct wa_sv description, struct wa_buf *out)
{
    struct wa_sv line;
    size_t at;
    while (before.n > 0 && wa_sv_split(&before, '\n', &line)) {
        struct wa_sv plain = wa_sv_trim(line);
        if (wa_sv_chr(plain, '=', &at) && wa_sv_eqs(wa_sv_sub(plain, 0, at), KEY))
            continue;
        wa_buf_addsv(out, line);
        wa_buf_addc(out, '\n');
    }
    description = wa_sv_trim(description);
    if (description.n > 0)
        quote(description, out);
}

/* What a process left that was killed while it replaced the file (see wa_file_replace). */
static enum wa_code remove_left(void *user, const char *name, const struct wa_stat *st,
                                struct wa_err *err)
{
    struct wa_relpath path;
    size_t n = strlen(LEFT);
    if (!st->is_file || strncmp(name, LEFT, n) != 0 || strlen(name + n) != 16 ||
        strspn(name + n, "0123456789abcdef") != 16)
        return WA_OK;
    if (wa_relpath_parse(wa_sv(name), &path, err) != WA_OK)
        return err->code;
    return wa_file_remove(user, &path, err);
}

enum wa_code wa_host_describe(struct wa_sv description, struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir etc = WA_DIR_INIT;
    WA_AUTO_BUF struct wa_buf before;
    WA_AUTO_BUF struct wa_buf after;
    struct wa_relpath name;
    wa_buf_init(&before, WA_HOST_TEXT_MAX);
    wa_buf_init(&after, 2 * WA_HOST_TEXT_MAX);
    if (wa_dir_open("/etc", &etc, err) != WA_OK ||
        wa_dir_list(&etc, remove_left, &etc, err) != WA_OK ||
        wa_relpath_parse(WA_SV("machine-info"), &name, err) != WA_OK)
        return err->code;
    if (wa_file_read(&etc, &name, WA_HOST_TEXT_MAX, &before, err) == WA_E_NOT_FOUND)
        wa_err_clear(err);
    wa_host_described(wa_buf_sv(&before), description, &after);
    if (err->code != WA_OK || wa_buf_check(&after, err) != WA_OK)
        return err->code;
    return wa_sv_eq(wa_buf_sv(&before), wa_buf_sv(&after))
               ? WA_OK
               : wa_file_replace(&etc, &name, wa_buf_sv(&after), 0644, err);
}
