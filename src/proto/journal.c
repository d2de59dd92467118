/* journal.c - see journal.h. */
#include "proto/journal.h"

#include "base/buf.h"
#include "crypto/digest.h"

enum wa_code wa_journal_digest_of(struct wa_sv node, int64_t seq, int64_t at, const char *previous,
                                  struct wa_sv text, char ret[WA_JOURNAL_DIGEST],
                                  struct wa_err *err)
{
    WA_AUTO_BUF struct wa_buf b;
    wa_buf_init(&b, 2 * WA_JOURNAL_ENTRY_MAX);
    wa_buf_addf(&b, "wapt-journal\n%.*s\n%lld\n%lld\n%s\n", WA_SV_ARG(node), (long long)seq,
                (long long)at, previous);
    wa_buf_addsv(&b, text);
    return wa_buf_check(&b, err) == WA_OK ? wa_sha256_hex(b.p, b.n, ret, err) : err->code;
}
