/* appx.c - see appx.h.
 *
 * A bundle's own manifest tells who and which version; the rest is told by the first app in it,
 * which lies there stored, and is read where it lies.
 */
#include "pkg/appx.h"

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
    FIELDS
};

struct told {
    struct wa_buf field[FIELDS];
    bool has_archs; /* more than one */
};

static const struct {
    const char *path, *attr; /* attr NULL: the text */
    enum field field;
} places[] = {
    {"Package/Identity", "Name", IDENTITY},
    {"Package/Identity", "Publisher", PUBLISHER},
    {"Package/Identity", "Version", VERSION},
    {"Package/Identity", "ProcessorArchitecture", ARCH},
    {"Package/Properties/DisplayName", NULL, NAME},
    {"Package/Properties/PublisherDisplayName", NULL, VENDOR},
    {"Package/Properties/Description", NULL, DESCRIPTION},
    {"Package/Properties/Logo", NULL, LOGO},
    {"Package/Applications/Application/VisualElements", "Square150x150Logo", TILE},
    {"Bundle/Identity", "Name", IDENTITY},
    {"Bundle/Identity", "Publisher", PUBLISHER},
    {"Bundle/Identity", "Version", VERSION},
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

/* An app of a bundle; what else is in it are pictures and languages. */
static enum wa_code read_app(struct told *t, const struct wa_xml *x, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf type;
    WA_AUTO_BUF struct wa_buf arch;
    wa_buf_init(&type, VALUE_BYTES_MAX);
    wa_buf_init(&arch, VALUE_BYTES_MAX);
    (void)!wa_xml_attr(x, "Type", &type);
    (void)!wa_xml_attr(x, "Architecture", &arch);
    if (wa_buf_check(&type, err) != WA_OK || wa_buf_check(&arch, err) != WA_OK)
        return err->code;
    if (!wa_sv_eqs(wa_buf_sv(&type), "application"))
        return WA_OK;
    if (t->field[APP].n > 0) {
        t->has_archs = t->has_archs || !wa_sv_eq(wa_buf_sv(&arch), wa_buf_sv(&t->field[ARCH]));
        return WA_OK;
    }
    (void)!wa_xml_attr(x, "FileName", &t->field[APP]);
    wa_buf_clear(&t->field[ARCH]);
    wa_buf_addsv(&t->field[ARCH], wa_buf_sv(&arch));
    return WA_OK;
}

/* Of what comes twice, in an app that is in a bundle too, the first counts. */
static enum wa_code read_place(struct told *t, const struct wa_xml *x, enum wa_xml_event event,
                               unsigned known, struct wa_err *err)
{
    for (size_t i = 0; i < WA_COUNT(places); i++) {
        bool is_text = places[i].attr == NULL;
        if ((known >> places[i].field & 1) != 0 || event != (is_text ? WA_XML_TEXT : WA_XML_OPEN) ||
            !wa_xml_is(x, places[i].path))
            continue;
        if (is_text)
            wa_xml_text(x, &t->field[places[i].field]);
        else if (t->field[places[i].field].n == 0)
            (void)!wa_xml_attr(x, places[i].attr, &t->field[places[i].field]);
    }
    return event == WA_XML_OPEN && wa_xml_is(x, "Bundle/Packages/Package") ? read_app(t, x, err)
                                                                           : WA_OK;
}

static enum wa_code read_xml(struct told *t, struct wa_sv text, struct wa_err *err)
{
    struct wa_xml x;
    enum wa_xml_event event;
    unsigned known = 0;
    for (size_t i = 0; i < FIELDS; i++)
        known |= (t->field[i].n > 0 ? 1u : 0u) << i;
    wa_xml_init(&x, text);
    do {
        if (wa_xml_next(&x, &event, err) != WA_OK || read_place(t, &x, event, known, err) != WA_OK)
            return err->code;
    } while (event != WA_XML_END);
    for (size_t i = 0; i < FIELDS; i++)
        if (wa_buf_check(&t->field[i], err) != WA_OK)
            return err->code;
    return WA_OK;
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
