/* journal_export - any bytes as the export of a server's journal. What is accepted is a chain: as
 * many entries as it says, and none the less is accepted when its end is missing.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "server/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool is_accepted(const uint8_t *data, size_t size, char node[WA_JOURNAL_NODE],
                        struct wa_journal_head *last, uint64_t *count)
{
    static int fd = -1;
    struct wa_err err = WA_ERR_INIT;
    if (fd < 0)
        fd = memfd_create("journal", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size ||
        lseek(fd, 0, SEEK_SET) != 0)
        abort();
    return wa_server_journal_check_archive(fd, node, last, count, &err) == WA_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char node[WA_JOURNAL_NODE];
    struct wa_journal_head last = {.seq = 0};
    uint64_t count = 0;
    if (size > (1u << 20) || !is_accepted(data, size, node, &last, &count))
        return 0;
    if (last.seq < 0 || count > (uint64_t)last.seq || strlen(node) >= sizeof node ||
        strlen(last.digest) != WA_JOURNAL_DIGEST - 1u)
        abort();
    for (size_t cut = 1; cut <= size && cut < 100; cut++)
        if (is_accepted(data, size - cut, node, &last, &count))
            abort();
    return 0;
}
