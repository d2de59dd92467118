/* macpkg.c - see macpkg.h. */
#include "pkg/macpkg.h"

#include <string.h>

#include "base/limits.h"
#include "codec/xar.h"
#include "codec/xml.h"
#include "pkg/installer.h"

static void tell(void *user, const char *path, struct wa_sv value)
{
    if (strcmp(path, "/pkg-info/@identifier") == 0)
        wa_installer_say(user, "Identity", value);
    if (strcmp(path, "/pkg-info/@version") == 0)
        wa_installer_say(user, "Version", value);
}

enum wa_code wa_macpkg_tell(struct wa_source *file, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf info;
    wa_buf_init(&info, WA_XML_BYTES_MAX + 1);
    if (wa_xar_read(file, "PackageInfo", &info, err) != WA_OK ||
        wa_xml_read(wa_buf_sv(&info), tell, out, err) != WA_OK)
        return err->code;
    return wa_buf_check(out, err);
}
