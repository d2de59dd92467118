/* macpkg.c - see macpkg.h. */
#include "pkg/macpkg.h"

#include "codec/xar.h"
#include "codec/xml.h"

static enum wa_code tell(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    struct wa_xml x;
    enum wa_xml_event event = WA_XML_CLOSE;
    wa_xml_init(&x, text);
    while (event != WA_XML_END) {
        if (wa_xml_next(&x, &event, err) != WA_OK)
            return err->code;
        if (event != WA_XML_OPEN || !wa_xml_is(&x, "pkg-info"))
            continue;
        wa_buf_adds(out, "Identity\t");
        (void)!wa_xml_attr(&x, "identifier", out);
        wa_buf_adds(out, "\nVersion\t");
        (void)!wa_xml_attr(&x, "version", out);
        wa_buf_addc(out, '\n');
    }
    return wa_buf_check(out, err);
}

enum wa_code wa_macpkg_tell(struct wa_source *file, struct wa_buf *out, struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf info;
    wa_buf_init(&info, WA_XML_BYTES_MAX + 1);
    return wa_xar_read(file, "PackageInfo", &info, err) == WA_OK ? tell(wa_buf_sv(&info), out, err)
                                                                 : err->code;
}
