/* http_range.c - a range that is honoured lies within its file.
 *
 * The first eight bytes are the file's size, the rest is the header's value.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "net/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t bytes, first = 0, count = 0;
    bool is_bad = false;
    if (size < sizeof bytes)
        return 0;
    memcpy(&bytes, data, sizeof bytes);
    struct wa_sv value = wa_sv_n(data + sizeof bytes, size - sizeof bytes);
    bool ok = wa_http_range(value, bytes, &first, &count, &is_bad);
    if (ok && (is_bad || count == 0 || first >= bytes || count > bytes - first))
        abort();
    return 0;
}
