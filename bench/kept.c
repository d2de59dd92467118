/* kept - so many requests to one server, over the connections that the client keeps: what is
 * measured is this process.
 *
 *     kept URL SHA256 PATH COUNT    the server, its certificate, what is asked for
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/http_lines.h"

int main(int argc, char **argv)
{
    struct wa_err err = WA_ERR_INIT;
    struct wa_tls_trust trust = {.host = ""};
    struct wa_http_lines *lines = NULL;
    if (argc != 5)
        return 2;
    (void)snprintf(trust.fingerprint, sizeof trust.fingerprint, "%s", argv[2]);
    const struct wa_http_request q = {.method = "GET", .path = argv[3], .max_bytes = 65536};
    enum wa_code code = wa_http_lines_new(argv[1], &trust, NULL, &lines, &err);
    for (long n = strtol(argv[4], NULL, 10); code == WA_OK && n > 0; n--) {
        struct wa_http_result r;
        code = wa_http_lines_ask(lines, &q, NULL, &r, &err);
        if (code == WA_OK && r.status != 200)
            code = wa_fail(&err, WA_E_FAILED, "status %d", r.status);
    }
    if (code != WA_OK)
        (void)fprintf(stderr, "kept: %s\n", err.text);
    wa_http_lines_free(lines);
    return code == WA_OK ? 0 : 1;
}
