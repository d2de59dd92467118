/* windows.c - maintenance windows: whatever is taken answers every moment, and coherently. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "pkg/windows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t moments[] = {-100000, 0, 1795687200, 1795776000, 253402300799};
    struct wa_windows w;
    struct wa_err err = WA_ERR_INIT;
    if (wa_windows_parse(wa_sv_n((const char *)data, size), &w, &err) != WA_OK)
        return 0;
    for (size_t i = 0; i < WA_COUNT(moments); i++) {
        int64_t end = wa_windows_end(&w, moments[i]), next = wa_windows_next(&w, moments[i]);
        if (end != 0 && (end <= moments[i] || next != moments[i]))
            abort();
        if (end == 0 && next != 0 && (next <= moments[i] || wa_windows_end(&w, next) <= next))
            abort();
        int64_t begin = 0, until = 0;
        bool is_some = wa_windows_span(&w, moments[i], &begin, &until);
        if (is_some && (begin >= until || until <= moments[i] || (end == 0 && begin != next)))
            abort();
        if (!is_some && (end != 0 || next != 0))
            abort();
    }
    return 0;
}
