/* smbios.c - the structures of an SMBIOS table (DMTF DSP0134), as keys and texts. Pure.
 *
 * A structure is its formatted part - type, length, handle, fields - then its strings, each ended
 * by a NUL, and one NUL more. Every offset is checked against the formatted part's own length, so a
 * field that an older firmware does not have is left out. A table that breaks off gives what came
 * before.
 */
#include "os/dmi.h"

#include "os/linux/smbios_priv.h"
#include "os/linux/text_priv.h"

#include <stdarg.h>

#define HEAD 4u /* bytes: type, length, handle */
#define END_OF_TABLE 127u

/* The structure at the front of *rest, which moves on; false at the end, or where it breaks. */
static bool next_structure(struct wa_sv *rest, struct wa_smbios *ret)
{
    if (rest->n < HEAD)
        return false;
    const uint8_t *p = (const uint8_t *)rest->p;
    size_t length = p[1];
    if (length < HEAD || length > rest->n || p[0] == END_OF_TABLE)
        return false;
    size_t at = length;
    while (at + 1 < rest->n && (p[at] != 0 || p[at + 1] != 0))
        at++;
    if (at + 1 >= rest->n)
        return false;
    *ret = (struct wa_smbios){
        .p = p, .n = length, .strings = wa_sv_sub(*rest, length, at - length + 1)};
    *rest = wa_sv_sub(*rest, at + 2, rest->n);
    return true;
}

bool wa_smbios_string(const struct wa_smbios *s, size_t at, char *out, size_t size)
{
    struct wa_sv rest = s->strings, part;
    if (at >= s->n || s->p[at] == 0)
        return false;
    for (unsigned i = s->p[at]; i > 0; i--)
        if (!wa_sv_split(&rest, '\0', &part) || part.n == 0)
            return false;
    wa_text_clean(part, out, size);
    return out[0] != '\0';
}

uint64_t wa_smbios_number(const struct wa_smbios *s, size_t at, size_t bytes)
{
    uint64_t v = 0;
    if (at + bytes > s->n)
        return 0;
    for (size_t i = bytes; i > 0; i--)
        v = v << 8 | s->p[at + i - 1];
    return v;
}

void wa_smbios_put(struct wa_dmi_entry *e, const char *key, const char *fmt, ...)
{
    va_list args;
    if (e->n == WA_COUNT(e->values))
        return;
    struct wa_dmi_value *v = &e->values[e->n++];
    (void)snprintf(v->key, sizeof v->key, "%s", key);
    va_start(args, fmt);
    (void)vsnprintf(v->text, sizeof v->text, fmt, args);
    va_end(args);
}

/* The field by its table's row; nothing when this structure is too short for it. */
static void put_field(const struct wa_smbios *s, const struct wa_smbios_field *f,
                      struct wa_dmi_entry *e)
{
    char text[sizeof e->values[0].text];
    if (f->at >= s->n)
        return;
    switch (f->kind) {
    case WA_SMBIOS_STRING:
        if (wa_smbios_string(s, f->at, text, sizeof text))
            wa_smbios_put(e, f->key, "%s", text);
        break;
    case WA_SMBIOS_NAME: {
        unsigned i = s->p[f->at] & f->mask;
        if (i < f->name_count && f->names[i] != NULL)
            wa_smbios_put(e, f->key, "%s", f->names[i]);
        break;
    }
    case WA_SMBIOS_U8:
        if (s->p[f->at] != 0)
            wa_smbios_put(e, f->key, "%u", (unsigned)s->p[f->at]);
        break;
    case WA_SMBIOS_U16:
        if (wa_smbios_number(s, f->at, 2) != 0)
            wa_smbios_put(e, f->key, "%u%s", (unsigned)wa_smbios_number(s, f->at, 2), f->unit);
        break;
    }
}

static void decode(const struct wa_smbios *s, const struct wa_smbios_kind *k,
                   struct wa_dmi_entry *e)
{
    e->n = 0;
    for (size_t i = 0; i < k->field_count; i++)
        put_field(s, &k->fields[i], e);
    if (k->more != NULL)
        k->more(s, e);
}

const char *wa_dmi_kind(size_t i, bool *ret_has_vendor_text)
{
    const struct wa_smbios_kind *k = wa_smbios_kind(i);
    if (k == NULL)
        return NULL;
    *ret_has_vendor_text = k->has_vendor_text;
    return k->title;
}

enum wa_code wa_dmi_each(struct wa_sv table, size_t kind, wa_dmi_fn fn, void *user,
                         struct wa_err *err)
{
    const struct wa_smbios_kind *k = wa_smbios_kind(kind);
    struct wa_smbios s;
    struct wa_dmi_entry e;
    for (size_t i = 0; k != NULL && i < WA_DMI_STRUCTURES_MAX && next_structure(&table, &s); i++) {
        if (s.p[0] != k->type)
            continue;
        decode(&s, k, &e);
        if (e.n > 0 && fn(user, &e, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}

static enum wa_code count_one(void *user, const struct wa_dmi_entry *e, struct wa_err *err)
{
    size_t *n = user;
    WA_UNUSED(e);
    WA_UNUSED(err);
    (*n)++;
    return WA_OK;
}

size_t wa_dmi_count(struct wa_sv table, size_t kind)
{
    struct wa_err err = WA_ERR_INIT;
    size_t n = 0;
    return wa_dmi_each(table, kind, count_one, &n, &err) == WA_OK ? n : 0;
}
