/* installer.c - whatever a tool prints of an installer, the control that is made of it is read back
 * the same, and setup.py has not a line more than that of a harmless one. The first byte is the
 * kind, the first line the file's name, the rest what is printed: of an app of Windows and a
 * package of macOS the file itself, which our own readers tell of. */
#include <stdint.h>
#include <stdlib.h>

#include "base/relpath.h"
#include "codec/png.h"
#include "pkg/appx.h"
#include "pkg/macpkg.h"
#include "pkg/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count_lines(const struct wa_buf *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->n; i++)
        n += b->p[i] == '\n' || b->p[i] == '\r';
    return n;
}

static void check_setup(const struct wa_installer *inst)
{
    WA_AUTO_BUF struct wa_buf setup;
    WA_AUTO_BUF struct wa_buf plain;
    struct wa_err err = WA_ERR_INIT;
    struct wa_installer harmless = {.kind = inst->kind, .maker = inst->maker};
    wa_buf_init(&setup, 1u << 20);
    wa_buf_init(&plain, 1u << 20);
    if (wa_template_setup(inst, &setup, &err) != WA_OK ||
        wa_template_setup(&harmless, &plain, &err) != WA_OK)
        abort();
    if (count_lines(&setup) != count_lines(&plain))
        abort();
}

static void read_file(struct wa_installer *inst, struct wa_sv bytes)
{
    WA_AUTO_BUF struct wa_buf told;
    WA_AUTO_BUF struct wa_buf icon;
    struct wa_mem_source file;
    struct wa_err err = WA_ERR_INIT, none = WA_ERR_INIT;
    wa_buf_init(&told, WA_TOOL_OUTPUT_MAX);
    wa_buf_init(&icon, WA_ICON_BYTES_MAX);
    wa_mem_source_init(&file, bytes.p, bytes.n);
    enum wa_code code = inst->kind == WA_INSTALLER_PKG ? wa_macpkg_tell(&file.base, &told, &err)
                                                       : wa_appx_tell(&file.base, &told, &err);
    if (code != WA_OK)
        return;
    wa_installer_read(inst, wa_buf_sv(&told));
    if (inst->kind == WA_INSTALLER_MSIX && wa_appx_icon(&file.base, &icon, &none) == WA_OK &&
        icon.n > 0 && !wa_png_is_icon(wa_buf_sv(&icon)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct wa_template_options options = {"tis", NULL, "Me", NULL};
    WA_AUTO_CONTROL struct wa_control c;
    WA_AUTO_CONTROL struct wa_control back;
    WA_AUTO_BUF struct wa_buf text;
    struct wa_err err = WA_ERR_INIT;
    struct wa_relpath name;
    struct wa_sv rest = wa_sv_n(data + 1, size - 1), file;
    wa_control_init(&c);
    wa_control_init(&back);
    wa_buf_init(&text, 1u << 20);
    if (size < 2)
        return 0;
    struct wa_installer inst = {.kind = (enum wa_installer_kind)(data[0] % WA_INSTALLER_KINDS)};
    if (!wa_sv_split(&rest, '\n', &file) || wa_relpath_parse(file, &name, &err) != WA_OK ||
        name.n > WA_NAME_MAX)
        return 0;
    memcpy(inst.file, name.p, name.n + 1);
    if (inst.kind == WA_INSTALLER_MSIX || inst.kind == WA_INSTALLER_PKG)
        read_file(&inst, rest);
    else
        wa_installer_read(&inst, rest);
    wa_installer_guess(&inst);
    check_setup(&inst);
    if (wa_template_control(&inst, &options, &c, &err) != WA_OK)
        return 0;
    if (wa_control_write(&c, false, &text, &err) != WA_OK ||
        wa_control_parse(wa_buf_sv(&text), &back, &err) != WA_OK)
        abort();
    for (size_t i = 0; i < WA_A_SIGNER; i++)
        if (strcmp(wa_control_get(&c, (enum wa_attr)i), wa_control_get(&back, (enum wa_attr)i)) !=
            0)
            abort();
    return 0;
}
