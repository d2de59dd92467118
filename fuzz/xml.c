/* xml.c - what is told of a document is text, lies within the caps, and is no more than there are
 * tags and attributes in it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "codec/xml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *user, const char *path, struct wa_sv value)
{
    size_t depth = 0, at, *count = user;
    for (const char *p = path; *p != '\0'; p++)
        depth += *p == '/';
    /* The one beyond the cap is told before it is refused, and its attributes are. */
    if (path[0] != '/' || depth > WA_XML_DEPTH_MAX + 2 || strlen(path) > WA_XML_PATH_MAX ||
        value.n > WA_XML_BYTES_MAX || !wa_utf8_valid(wa_sv(path)) || !wa_utf8_valid(value) ||
        wa_sv_chr(value, '\0', &at))
        abort();
    (*count)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wa_err err = WA_ERR_INIT;
    size_t count = 0;
    if (wa_xml_read(wa_sv_n(data, size), check, &count, &err) != err.code || count > size ||
        (err.code == WA_OK && count == 0))
        abort();
    return 0;
}
