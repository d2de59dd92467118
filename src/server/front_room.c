/* front_room.c - how many connections a front takes where nothing is said: what the limit of open
 * files lets, and half of the memory holds, of which each front has its part.
 */
#include "os/drives.h"
#include "server/front_priv.h"

#define FILES_KEPT 512u              /* open files for all else than connections */
#define CONNECTION_BYTES (32u << 10) /* with the kernel's part, and the store's */
#define CONNECTIONS_MOST 200000u     /* of one front */

size_t wa_front_room(const struct wa_server_config *c)
{
    struct wa_memory m = {.physical_bytes = 0};
    struct wa_err ignored = WA_ERR_INIT;
    uint64_t most = CONNECTIONS_MOST, files = wa_files_most(), room;
    if (c->max_connections > 0)
        return (size_t)c->max_connections;
    if (files != 0)
        most = files > 2 * FILES_KEPT ? files - FILES_KEPT : files / 2;
    if (wa_memory_read(&m, &ignored) == WA_OK && m.physical_bytes != 0) {
        room = m.physical_bytes / 2 / CONNECTION_BYTES / (uint64_t)c->fronts;
        most = room < most ? room : most;
    }
    return most < CONNECTIONS_MOST ? (size_t)most : CONNECTIONS_MOST;
}
