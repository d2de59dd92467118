/* macpkg.c - see macpkg.h. */
#include "pkg/macpkg.h"

#include "codec/xar.h"
#include "codec/xml.h"
#include "pkg/installer.h"

static enum wa_code tell(struct wa_sv text, struct wa_buf *out, struct wa_err *err)
{
    static const struct {
        const char *key, *attr;
    } told[] = {{"Identity", "identifier"}, {"Version", "version"}};
    struct wa_xml x;
    enum wa_xml_event event = WA_XML_CLOSE;
    wa_xml_init(&x, text);
    while (event != WA_XML_END) {
        if (wa_xml_next(&x, &event, err) != WA_OK)
            return err->code;
        if (event != WA_XML_OPEN || !wa_xml_is(&x, "pkg-info"))
            continue;
        for (size_t i = 0; i < WA_COUNT(told); i++) {
            WA_AUTO_BUF struct wa_buf value;
            wa_buf_init(&value, WA_XML_BYTES_MAX);
            (void)!wa_xml_attr(&x, told[i].attr, &value);
            if (wa_buf_check(&value, err) != WA_OK)
                return err->code;
            wa_installer_say(out, told[i].key, wa_buf_sv(&value));
        }
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
