/* scan_icons.c - the icons of a repository: icons/<package_uuid>.png (formats.md 3.1).
 *
 * They are shown by browsers and by users' programs, which decode them: only what begins as a PNG
 * of a sensible size is copied, under a name made of an identifier and nothing else.
 */
#include "base/map.h"
#include "codec/png.h"
#include "os/rand.h"
#include "repo/scan_priv.h"

static const struct wa_relpath folder = {"icons", 5};

enum wa_code wa_scan_icon(const struct wa_dir *dir, const struct wa_control *c,
                          struct wa_members *m, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf png;
    struct wa_buf_sink sink;
    struct wa_relpath name;
    struct wa_err why = WA_ERR_INIT;
    size_t i;
    struct wa_sv uuid = wa_sv(wa_control_get(c, WA_A_PACKAGE_UUID));
    wa_buf_init(&png, WA_ICON_BYTES_MAX);
    wa_buf_sink_init(&sink, &png);
    if (!wa_package_uuid_is(uuid) || !wa_members_find(m, "WAPT/icon.png", &i) ||
        m->items[i].size > WA_ICON_BYTES_MAX)
        return WA_OK;
    if (m->read(m, i, &sink.base, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK;
    if (!wa_png_is_icon(wa_buf_sv(&png)))
        return WA_OK;
    name.n = (size_t)snprintf(name.p, sizeof name.p, "icons/%.*s.png", WA_SV_ARG(uuid));
    if (wa_dir_make_sub(dir, &folder, 0755, err) != WA_OK)
        return err->code;
    return wa_file_replace(dir, &name, wa_buf_sv(&png), 0644, err);
}

static enum wa_code note_icon(void *user, const char *file, const struct wa_stat *st,
                              struct wa_err *err)
{
    struct wa_scan_icons *icons = user;
    struct wa_sv uuid = wa_sv(file);
    if (!st->is_file || !wa_sv_ends(uuid, ".png"))
        return WA_OK;
    uuid.n -= 4;
    return wa_package_uuid_is(uuid) ? wa_map_put(&icons->unlisted, uuid, icons, NULL, err) : WA_OK;
}

enum wa_code wa_scan_icons_open(const struct wa_dir *dir, struct wa_scan_icons *ret,
                                struct wa_err *err)
{
    WA_AUTO_DIR struct wa_dir sub = WA_DIR_INIT;
    struct wa_err why = WA_ERR_INIT;
    ret->dir = dir;
    if (wa_rand_map(&ret->unlisted, err) != WA_OK)
        return err->code;
    if (wa_dir_open_sub(dir, &folder, &sub, &why) != WA_OK)
        return why.code == WA_E_NOMEM ? wa_nomem(err) : WA_OK; /* there are none */
    return wa_dir_list(&sub, note_icon, ret, err);
}

void wa_scan_icons_fini(struct wa_scan_icons *icons)
{
    wa_map_fini(&icons->unlisted);
}

void wa_scan_icons_keep(struct wa_scan_icons *icons, const struct wa_control *c)
{
    (void)wa_map_take(&icons->unlisted, wa_sv(wa_control_get(c, WA_A_PACKAGE_UUID)));
}

enum wa_code wa_scan_icons_sweep(const struct wa_scan_icons *icons, struct wa_err *err)
{
    for (size_t i = 0; i < icons->unlisted.n; i++) {
        struct wa_relpath name;
        name.n =
            (size_t)snprintf(name.p, sizeof name.p, "icons/%s.png", icons->unlisted.items[i].key);
        if (wa_file_remove(icons->dir, &name, err) != WA_OK)
            return err->code;
    }
    return WA_OK;
}
