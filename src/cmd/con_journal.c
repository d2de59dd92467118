/* con_journal.c - warns at each login when the server's journal is not what was seen before, and
 * goes on: what a machine runs does not hang on the server's word.
 */
#include "cmd/con.h"
#include "console/journal_seen.h"
#include "os/path.h"

void wa_con_check_journal(const struct wa_cli *cli, struct wa_client *c, const char *server)
{
    char path[WA_PATH_MAX];
    struct wa_err err = WA_ERR_INIT;
    struct wa_journal_seen changed = {.seq = 0};
    if (wa_journal_seen_file(server, path, &err) != WA_OK ||
        wa_journal_seen_check(c, path, &changed, &err) != WA_OK)
        wa_cli_say(cli, "warning: the server's journal is not checked: %s", err.text);
    else if (changed.seq > 0)
        wa_cli_say(cli,
                   "WARNING: the journal of '%s' was rewritten or cut: entry %lld was seen here "
                   "before with another digest. On the server, 'waptserver journal verify "
                   "--head %lld:%s' says more; '%s' keeps what was seen.",
                   server, (long long)changed.seq, (long long)changed.seq, changed.digest, path);
}
