/* socket_peer.c - whose process is at the other end of a connection within this machine, from
 * /proc/net/tcp.
 *
 * The kernel writes 0, root's number, for what no process holds any more: such a row proves nothing
 * and is passed over.
 */
#include "os/socket.h"

#include "base/buf.h"
#include "os/fs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#define TABLE_BYTES_MAX (32u << 20) /* some 200,000 connections */
#define ROUNDS 3                    /* the table is not read at one moment: a row can be missed */

/* "0100007F:1F90", as the table writes it: the bytes of the address as the machine has them. */
static bool end_of(int fd, bool of_peer, char out[16])
{
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)&addr;
    socklen_t n = sizeof addr;
    int rc = of_peer ? getpeername(fd, (struct sockaddr *)&addr, &n)
                     : getsockname(fd, (struct sockaddr *)&addr, &n);
    if (rc != 0 || addr.ss_family != AF_INET)
        return false;
    (void)snprintf(out, 16, "%08X:%04X", (unsigned)v4->sin_addr.s_addr,
                   (unsigned)ntohs(v4->sin_port));
    return true;
}

/* sl local rem st tx:rx tr:when retrnsmt uid timeout inode ... */
static bool read_row(struct wa_sv row, const char *theirs, const char *ours, uint32_t *ret)
{
    struct wa_sv words[10], word;
    size_t n = 0;
    uint64_t uid = 0, inode = 0;
    while (n < WA_COUNT(words) && wa_sv_split(&row, ' ', &word))
        if (word.n > 0)
            words[n++] = word;
    if (n < WA_COUNT(words) || !wa_sv_eqs(words[1], theirs) || !wa_sv_eqs(words[2], ours) ||
        !wa_sv_eqs(words[3], "01") || !wa_sv_u64(words[7], &uid) || uid > UINT32_MAX ||
        !wa_sv_u64(words[9], &inode) || inode == 0)
        return false;
    *ret = (uint32_t)uid;
    return true;
}

enum wa_code wa_socket_peer_uid(int fd, uint32_t *ret, struct wa_err *err)
{
    char theirs[16], ours[16];
    if (!end_of(fd, true, theirs) || !end_of(fd, false, ours))
        return wa_fail(err, WA_E_DENIED, "cannot tell who is calling");
    for (int round = 0; round < ROUNDS; round++) {
        WA_AUTO_BUF struct wa_buf table;
        struct wa_sv rest, row;
        wa_buf_init(&table, TABLE_BYTES_MAX);
        if (wa_path_read("/proc/net/tcp", TABLE_BYTES_MAX, &table, err) != WA_OK)
            return wa_wrap(err, "cannot tell who is calling");
        rest = wa_buf_sv(&table);
        while (wa_sv_split(&rest, '\n', &row))
            if (read_row(row, theirs, ours, ret))
                return WA_OK;
    }
    return wa_fail(err, WA_E_DENIED, "cannot tell who is calling");
}
