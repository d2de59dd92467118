/* conf.c - options from any INI file: a value is in its range, or there is an error that says
 * where. */
#include <stdint.h>
#include <stdlib.h>

#include "codec/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct options {
    char *text, *list;
    bool on;
    int64_t port, period;
};

static const struct wa_conf_option table[] = {
    {"global", "text", WA_CONF_STR, offsetof(struct options, text), "x", 0, 0, 0, "Text."},
    {"global", "list", WA_CONF_CSV, offsetof(struct options, list), NULL, 0, 0, 0, "List."},
    {"global", "on", WA_CONF_BOOL, offsetof(struct options, on), "1", 0, 0, 0, "On."},
    {"global", "port", WA_CONF_INT, offsetof(struct options, port), "80", 0, 65535, 0, "Port."},
    {"global", "period", WA_CONF_PERIOD, offsetof(struct options, period), "2h", 60, 864000, 'm',
     "Period."},
};

static void ignore(void *user, const char *text)
{
    WA_UNUSED(user);
    if (strlen(text) > 511)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    WA_AUTO(wa_ini) struct wa_ini *ini = NULL;
    struct options o = {0};
    struct wa_err err = WA_ERR_INIT;
    enum wa_code code;

    if (wa_ini_parse(wa_sv_n(data, size), "x", &ini, &err) != WA_OK)
        return 0;
    code = wa_conf_load(ini, "x", table, WA_COUNT(table), NULL, &o, ignore, NULL, &err);
    if (code == WA_OK &&
        (!o.text || o.port < 0 || o.port > 65535 || o.period < 60 || o.period > 864000))
        abort();
    if (code != WA_OK && (code != WA_E_CONFIG || err.text[0] == '\0'))
        abort();
    wa_conf_free(table, WA_COUNT(table), &o);
    return 0;
}
