/* drives_text.c - /proc/self/mounts, /proc/meminfo, /proc/stat. Pure. */
#include "os/linux/accounts_priv.h"

#include "os/linux/text_priv.h"

/* "\040" is a blank (fstab(5)). */
static size_t unescape(struct wa_sv in, char *out, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < in.n && n + 1 < size; i++) {
        char c = in.p[i];
        if (c == '\\' && i + 3 < in.n && in.p[i + 1] >= '0' && in.p[i + 1] <= '3' &&
            in.p[i + 2] >= '0' && in.p[i + 2] <= '7' && in.p[i + 3] >= '0' && in.p[i + 3] <= '7') {
            c = (char)((in.p[i + 1] - '0') * 64 + (in.p[i + 2] - '0') * 8 + (in.p[i + 3] - '0'));
            i += 3;
        }
        out[n++] = c;
    }
    out[n] = '\0';
    return n;
}

/* A device of this machine, or a pool of them that has no device of its own. */
static bool is_disk(struct wa_sv device, struct wa_sv type)
{
    static const char *const pools[] = {"zfs", "bcachefs"};
    for (size_t i = 0; i < WA_COUNT(pools); i++)
        if (wa_sv_eqs(type, pools[i]))
            return true;
    return wa_sv_starts(device, "/dev/") && !wa_sv_starts(device, "/dev/loop") &&
           !wa_sv_starts(type, "fuse") && !wa_sv_eqs(type, "devtmpfs");
}

bool wa_mounts_next(struct wa_sv *text, struct wa_mount *ret)
{
    struct wa_sv line, device, point, type;
    char plain[sizeof ret->point];
    while (wa_sv_split(text, '\n', &line)) {
        if (!wa_text_word(&line, &device) || !wa_text_word(&line, &point) ||
            !wa_text_word(&line, &type) || !is_disk(device, type) || point.n >= sizeof plain ||
            device.n >= sizeof ret->device || type.n >= sizeof ret->type || point.p[0] != '/')
            continue;
        (void)unescape(point, ret->point, sizeof ret->point);
        (void)unescape(device, plain, sizeof plain);
        wa_text_clean(wa_sv(plain), ret->device, sizeof ret->device);
        wa_text_clean(type, ret->type, sizeof ret->type);
        return true;
    }
    return false;
}

void wa_meminfo(struct wa_sv text, struct wa_memory *ret)
{
    const struct {
        const char *key;
        uint64_t *out;
    } lines[] = {{"MemTotal:", &ret->physical_bytes}, {"SwapTotal:", &ret->swap_bytes}};
    struct wa_sv line, key, value;
    while (wa_sv_split(&text, '\n', &line)) {
        uint64_t kib;
        if (!wa_text_word(&line, &key) || !wa_text_word(&line, &value))
            continue;
        for (size_t i = 0; i < WA_COUNT(lines); i++)
            if (wa_sv_eqs(key, lines[i].key) && wa_sv_u64(value, &kib) && kib < 1ull << 50)
                *lines[i].out = kib * 1024;
    }
}

void wa_boot_time(struct wa_sv text, struct wa_memory *ret)
{
    struct wa_sv line, key, value;
    while (wa_sv_split(&text, '\n', &line))
        if (wa_text_word(&line, &key) && wa_sv_eqs(key, "btime") && wa_text_word(&line, &value))
            (void)wa_sv_i64(value, &ret->boot_time);
}
