/* appx.c - see appx.h.
 *
 * A bundle's own manifest tells who and which version; the rest is told by the first app in it,
 * which lies there stored, and is read where it lies.
 */
#include "pkg/appx.h"

#include <string.h>

#include "base/limits.h"
#include "base/mem.h"
#include "codec/png.h"
#include "codec/xml.h"
#include "codec/zip_read.h"
#include "pkg/installer.h"

#define MANIFEST "AppxManifest.xml"
#define BUNDLE_MANIFEST "AppxMetadata/AppxBundleManifest.xml"
#define VALUE_BYTES_MAX 4096u /* of one thing that a manifest says */

enum field {
    IDENTITY,
    PUBLISHER,
    VERSION,
    ARCH,
    NAME,
    VENDOR,
    DESCRIPTION,
    TILE,
    LOGO,
    APP,
    PART_TYPE, /* of the part of a bundle that is being read */
    PART_ARCH,
    PART_FILE,
    FIELDS
};

struct told {
    struct wa_buf field[FIELDS];
    bool has_archs; /* more than one */
};

static const struct {
    const char *path;
    enum field field;
} places[] = {
    {"/Package/Identity/@Name", IDENTITY},
    {"/Package/Identity/@Publisher", PUBLISHER},
    {"/Package/Identity/@Version", VERSION},
    {"/Package/Identity/@ProcessorArchitecture", ARCH},
    {"/Package/Properties/DisplayName", NAME},
    {"/Package/Properties/PublisherDisplayName", VENDOR},
    {"/Package/Properties/Description", DESCRIPTION},
    {"/Package/Properties/Logo", LOGO},
    {"/Package/Applications/Application/VisualElements/@Square150x150Logo", TILE},
    {"/Bundle/Identity/@Name", IDENTITY},
    {"/Bundle/Identity/@Publisher", PUBLISHER},
    {"/Bundle/Identity/@Version", VERSION},
    {"/Bundle/Packages/Package/@Type", PART_TYPE},
    {"/Bundle/Packages/Package/@Architecture", PART_ARCH},
    {"/Bundle/Packages/Package/@FileName", PART_FILE},
};

static void told_init(struct told *t)
{
    *t = (struct told){.has_archs = false};
    for (size_t i = 0; i < FIELDS; i++)
        wa_buf_init(&t->field[i], VALUE_BYTES_MAX);
}

static void told_fini(struct told *t)
{
    for (size_t i = 0; i < FIELDS; i++)
        wa_buf_fini(&t->field[i]);
}

static const char *get(const struct told *t, enum field f)
{
    return wa_buf_str(&t->field[f]);
}

/* --- the manifests --- */

/* The end of one part of a bundle: an app, or pictures and languages. */
static void end_part(struct told *t)
{
    struct wa_buf *type = &t->field[PART_TYPE], *arch = &t->field[PART_ARCH],
                  *file = &t->field[PART_FILE];
    if (wa_sv_eqs(wa_buf_sv(type), "application")) {
        if (t->field[APP].n > 0)
            t->has_archs |= !wa_sv_eq(wa_buf_sv(arch), wa_buf_sv(&t->field[ARCH]));
        else {
            wa_buf_addsv(&t->field[APP], wa_buf_sv(file));
            wa_buf_consume(&t->field[ARCH], t->field[ARCH].n);
            wa_buf_addsv(&t->field[ARCH], wa_buf_sv(arch));
        }
    }
    wa_buf_consume(type, type->n);
    wa_buf_consume(arch, arch->n);
    wa_buf_consume(file, file->n);
}

/* Of what comes twice, in an app that is in a bundle too, the first counts. */
static void read_value(void *user, const char *path, struct wa_sv value)
{
    struct told *t = user;
    for (size_t i = 0; i < WA_COUNT(places); i++)
        if (t->field[places[i].field].n == 0 && strcmp(path, places[i].path) == 0)
            wa_buf_addsv(&t->field[places[i].field], value);
    if (strcmp(path, "/Bundle/Packages/Package") == 0)
        end_part(t);
}

static enum wa_code read_xml(struct told *t, struct wa_sv text, struct wa_err *err)
{
    enum wa_code code = wa_xml_read(text, read_value, t, err);
    for (size_t i = 0; code == WA_OK && i < FIELDS; i++)
        code = wa_buf_check(&t->field[i], err);
    return code;
}

static enum wa_code read_manifest(struct wa_zip *zip, const char *name, struct told *t,
                                  struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf text;
    struct wa_buf_sink sink;
    const struct wa_zip_member *m = wa_zip_find(zip, name);
    wa_buf_init(&text, WA_XML_BYTES_MAX);
    wa_buf_sink_init(&sink, &text);
    if (m == NULL)
        return wa_fail(err, WA_E_NOT_FOUND, "there is no %s in it", name);
    return wa_zip_read(zip, m, &sink.base, err) == WA_OK ? read_xml(t, wa_buf_sv(&text), err)
                                                         : err->code;
}

/* --- an app in a bundle --- */

struct window {
    struct wa_source base;
    struct wa_source *whole;
    uint64_t offset;
};

static enum wa_code window_read(struct wa_source *s, uint64_t offset, void *p, size_t n,
                                struct wa_err *err)
{
    struct window *w = (struct window *)s;
    if (offset > s->size || n > s->size - offset)
        return wa_fail(err, WA_E_INVALID, "reading past its end");
    return w->whole->read_at(w->whole, w->offset + offset, p, n, err);
}

struct app {
    struct wa_zip *bundle, *zip; /* bundle NULL: it is in none */
    struct window window;
};

static void app_close(struct app *a)
{
    wa_zip_free(a->zip);
    wa_zip_free(a->bundle);
}

static enum wa_code open_inner(struct app *a, struct wa_source *file, struct told *t,
                               struct wa_err *err)
{
    a->bundle = WA_TAKE(a->zip);
    if (read_manifest(a->bundle, BUNDLE_MANIFEST, t, err) != WA_OK)
        return err->code;
    const struct wa_zip_member *m = wa_zip_find(a->bundle, get(t, APP));
    if (m == NULL || m->method != 0)
        return wa_fail(err, WA_E_INVALID, "the app that it names is not in it");
    a->window = (struct window){
        .base = {.size = m->size, .read_at = window_read}, .whole = file, .offset = m->data_offset};
    return wa_zip_open_foreign(&a->window.base, &a->zip, err);
}

/* Fills t; a's archive is the one with the app's own files. a: to be closed in any case. */
static enum wa_code open_app(struct app *a, struct wa_source *file, struct told *t,
                             struct wa_err *err)
{
    if (wa_zip_open_foreign(file, &a->zip, err) != WA_OK ||
        (wa_zip_find(a->zip, BUNDLE_MANIFEST) != NULL && open_inner(a, file, t, err) != WA_OK))
        return err->code;
    return read_manifest(a->zip, MANIFEST, t, err);
}

/* --- what is told --- */

/* The name of a thing in another file, which is not read. */
static bool is_elsewhere(const char *text)
{
    return wa_sv_starts(wa_sv(text), "ms-resource:");
}

/* "CN=Acme, O=Acme, C=FR" is Acme. */
static struct wa_sv common_name(const char *publisher)
{
    struct wa_sv rest = wa_sv(publisher), part;
    while (wa_sv_split(&rest, ',', &part))
        if (wa_sv_starts(wa_sv_trim(part), "CN=")) {
            part = wa_sv_trim(part);
            return wa_sv_sub(part, 3, part.n);
        }
    return wa_sv(publisher);
}

enum wa_code wa_appx_tell(struct wa_source *file, struct wa_buf *out, struct wa_err *err)
{
    struct app a = {.bundle = NULL};
    struct told t;
    told_init(&t);
    enum wa_code code = open_app(&a, file, &t, err);
    app_close(&a);
    if (code == WA_OK) {
        wa_installer_say(out, "Name",
                         wa_sv(is_elsewhere(get(&t, NAME)) ? get(&t, IDENTITY) : get(&t, NAME)));
        wa_installer_say(out, "Identity", wa_sv(get(&t, IDENTITY)));
        wa_installer_say(out, "Version", wa_sv(get(&t, VERSION)));
        if (is_elsewhere(get(&t, VENDOR)) || t.field[VENDOR].n == 0)
            wa_installer_say(out, "Publisher", common_name(get(&t, PUBLISHER)));
        else
            wa_installer_say(out, "Publisher", wa_sv(get(&t, VENDOR)));
        if (!is_elsewhere(get(&t, DESCRIPTION)))
            wa_installer_say(out, "Description", wa_sv(get(&t, DESCRIPTION)));
        if (!t.has_archs)
            wa_installer_say(out, "Architecture", wa_sv(get(&t, ARCH)));
        code = wa_buf_check(out, err);
    }
    told_fini(&t);
    return code;
}

/* --- the picture --- */

/* "Assets\Logo.png" is there under that name, or as "Assets/Logo.scale-200.png"; not those for
 * screens of high contrast. */
static bool is_variant(const char *name, struct wa_sv stem)
{
    struct wa_sv s = wa_sv(name);
    if (!wa_sv_ieqs(wa_sv_sub(s, 0, stem.n), stem.p) || !wa_sv_ends(s, ".png"))
        return false;
    struct wa_sv tail = wa_sv_sub(s, stem.n, s.n);
    return wa_sv_starts(tail, ".") && !wa_sv_has(tail, WA_SV("/")) &&
           !wa_sv_has(tail, WA_SV("contrast-"));
}

/* The largest that an icon may be; NULL: there is none. */
static const struct wa_zip_member *find_picture(const struct wa_zip *zip, struct wa_buf *path)
{
    const struct wa_zip_member *best = NULL;
    for (size_t i = 0; i < path->n; i++)
        if (path->p[i] == '\\')
            path->p[i] = '/';
    if (!wa_sv_ends(wa_buf_sv(path), ".png"))
        return NULL;
    path->n -= strlen(".png");
    path->p[path->n] = '\0';
    for (size_t i = 0; i < wa_zip_count(zip); i++) {
        const struct wa_zip_member *m = wa_zip_at(zip, i);
        if (!m->is_dir && m->size <= WA_ICON_BYTES_MAX && is_variant(m->name.p, wa_buf_sv(path)) &&
            (best == NULL || m->size > best->size))
            best = m;
    }
    return best;
}

static enum wa_code take_picture(struct wa_zip *zip, struct wa_buf *path, struct wa_buf *out,
                                 struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf png;
    struct wa_buf_sink sink;
    const struct wa_zip_member *m = find_picture(zip, path);
    wa_buf_init(&png, WA_ICON_BYTES_MAX);
    wa_buf_sink_init(&sink, &png);
    if (m == NULL)
        return WA_OK;
    if (wa_zip_read(zip, m, &sink.base, err) != WA_OK)
        return err->code;
    if (wa_png_is_icon(wa_buf_sv(&png)))
        wa_buf_addsv(out, wa_buf_sv(&png));
    return wa_buf_check(out, err);
}

enum wa_code wa_appx_icon(struct wa_source *file, struct wa_buf *out, struct wa_err *err)
{
    static const enum field order[] = {TILE, LOGO};
    struct app a = {.bundle = NULL};
    struct told t;
    told_init(&t);
    enum wa_code code = open_app(&a, file, &t, err);
    for (size_t i = 0; code == WA_OK && out->n == 0 && i < WA_COUNT(order); i++)
        code = take_picture(a.zip, &t.field[order[i]], out, err);
    app_close(&a);
    told_fini(&t);
    return code;
}
