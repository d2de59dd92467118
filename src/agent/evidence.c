/* evidence.c - comparing the hardware under an identity with the hardware it was made on. Pure.
 *
 * It decides for the machine that was there first: where nothing vouches for this one, it is
 * another. An identity that was lost for a new board is made anew by an administrator; a row that
 * two machines write can't be told apart by anybody.
 */
#include "agent/evidence.h"

#include "base/date.h"

/* What vendors write who don't number their machines. */
static bool is_everybodys(const char *serial)
{
    static const char *const texts[] = {"none",
                                        "not specified",
                                        "not applicable",
                                        "not available",
                                        "default string",
                                        "system serial number",
                                        "to be filled by o.e.m.",
                                        "0123456789",
                                        "123456789",
                                        "1234567890",
                                        "invalid",
                                        "unknown",
                                        "oem",
                                        "o.e.m."};
    size_t n = strlen(serial);
    for (size_t i = 0; i < WA_COUNT(texts); i++)
        if (wa_sv_ieqs(wa_sv(serial), texts[i]))
            return true;
    return n < 4 || strspn(serial, (const char[]){serial[0], '\0'}) == n;
}

void wa_evidence_of(const struct wa_host_facts *f, struct wa_evidence *ret)
{
    struct wa_evidence e = {.mac_count = f->mac_count};
    memcpy(e.system_uuid, f->system_uuid, sizeof e.system_uuid);
    memcpy(e.machine_id, f->machine_id, sizeof e.machine_id);
    memcpy(e.macs, f->macs, sizeof e.macs);
    if (!is_everybodys(f->serial))
        memcpy(e.serial, f->serial, sizeof e.serial);
    *ret = e;
}

enum compared { UNKNOWN, SAME, DIFFERENT };

static enum compared compare(const char *then, const char *now)
{
    if (then[0] == '\0' || now[0] == '\0')
        return UNKNOWN;
    return strcmp(then, now) == 0 ? SAME : DIFFERENT;
}

static bool has_mac(const struct wa_evidence *e, const char *mac)
{
    for (size_t i = 0; i < e->mac_count; i++)
        if (strcmp(e->macs[i], mac) == 0)
            return true;
    return false;
}

/* One adapter in common is enough. */
static enum compared compare_macs(const struct wa_evidence *then, const struct wa_evidence *now)
{
    if (then->mac_count == 0 || now->mac_count == 0)
        return UNKNOWN;
    for (size_t i = 0; i < now->mac_count; i++)
        if (has_mac(then, now->macs[i]))
            return SAME;
    return DIFFERENT;
}

bool wa_evidence_is_other(const struct wa_evidence *then, const struct wa_evidence *now)
{
    enum compared uuid = compare(then->system_uuid, now->system_uuid);
    enum compared serial = compare(then->serial, now->serial);
    enum compared id = compare(then->machine_id, now->machine_id);
    enum compared macs = compare_macs(then, now);
    if (uuid == DIFFERENT || serial == DIFFERENT)
        return true;
    if (id == DIFFERENT && macs != SAME)
        return true; /* a copy that was given an identity of its own; containers share the
                        firmware's */
    /* All adapters are others: a copy, unless the firmware vouches with two numbers. */
    return macs == DIFFERENT && (uuid != SAME || serial != SAME);
}

void wa_evidence_keep(const struct wa_evidence *then, struct wa_evidence *now)
{
    if (now->system_uuid[0] == '\0')
        memcpy(now->system_uuid, then->system_uuid, sizeof now->system_uuid);
    if (now->serial[0] == '\0')
        memcpy(now->serial, then->serial, sizeof now->serial);
    if (now->machine_id[0] == '\0')
        memcpy(now->machine_id, then->machine_id, sizeof now->machine_id);
    for (size_t i = 0; i < then->mac_count && now->mac_count < WA_COUNT(now->macs); i++)
        if (!has_mac(now, then->macs[i]))
            memcpy(now->macs[now->mac_count++], then->macs[i], sizeof now->macs[0]);
}

void wa_evidence_write(const struct wa_evidence *e, struct wa_buf *out)
{
    struct wa_jw w;
    wa_jw_init(&w, out);
    wa_jw_obj(&w);
    wa_jw_kv(&w, "system_uuid", e->system_uuid);
    wa_jw_kv(&w, "serial", e->serial);
    wa_jw_kv(&w, "machine_id", e->machine_id);
    wa_jw_key(&w, "macs");
    wa_jw_arr(&w);
    for (size_t i = 0; i < e->mac_count; i++)
        wa_jw_s(&w, e->macs[i]);
    wa_jw_end(&w);
    wa_jw_end(&w);
}

static void copy(struct wa_sv s, char *out, size_t size)
{
    (void)snprintf(out, size, "%.*s", WA_SV_ARG(s));
}

enum wa_code wa_evidence_read(struct wa_sv text, struct wa_evidence *ret, struct wa_err *err)
{
    WA_AUTO_ARENA struct wa_arena arena;
    const struct wa_json *j = NULL, *macs = NULL;
    struct wa_evidence e = {.mac_count = 0};
    struct wa_sv uuid = {0}, serial = {0}, id = {0};
    const struct wa_json_field fields[] = {
        {"system_uuid", WA_WANT_SV, true, sizeof e.system_uuid - 1, &uuid},
        {"serial", WA_WANT_SV, true, sizeof e.serial - 1, &serial},
        {"machine_id", WA_WANT_SV, true, sizeof e.machine_id - 1, &id},
        {"macs", WA_WANT_ARRAY, true, WA_HOST_MACS, &macs},
    };
    wa_arena_init(&arena, 1u << 20);
    if (wa_json_parse(text, 0, &arena, &j, err) != WA_OK ||
        wa_json_read(j, fields, WA_COUNT(fields), "the evidence of a machine", err) != WA_OK)
        return err->code;
    copy(uuid, e.system_uuid, sizeof e.system_uuid);
    copy(serial, e.serial, sizeof e.serial);
    copy(id, e.machine_id, sizeof e.machine_id);
    for (size_t i = 0; i < wa_json_count(macs); i++)
        copy(wa_json_sv(wa_json_at(macs, i)), e.macs[e.mac_count++], sizeof e.macs[0]);
    *ret = e;
    return WA_OK;
}
