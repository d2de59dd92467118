/* api_seeds: each call of the API has a seed for its fuzz target (fuzz/server_api.c), under a name
 * that follows from method and path. */
#include "testlib.h"

#include "os/fs.h"
#include "server/api.h"

/* "get_hosts_uuid" for GET /api/v1/hosts/{uuid} */
static void name_of(const struct wa_api_route *r, char *out, size_t size)
{
    size_t n = 0;
    bool is_api = strncmp(r->path, "/api/v1/", 8) == 0;
    for (const char *c = r->method; *c != '\0' && n + 2 < size; c++)
        out[n++] = (char)(*c + 32);
    out[n++] = '_';
    for (const char *c = r->path + (is_api ? 8 : 1); *c != '\0' && n + 1 < size; c++)
        if (*c != '{' && *c != '}')
            out[n++] = *c == '/' ? '_' : *c;
    out[n] = '\0';
}

/* Up to its first place: the path that the seed asks for. */
static void check_seed(const struct wa_api_route *r, struct wa_sv seed, const char *name)
{
    char want[WA_PATH_MAX];
    size_t fixed = strcspn(r->path, "{");
    (void)snprintf(want, sizeof want, "%s %.*s", r->method, (int)fixed, r->path);
    if (seed.n < 4 || !wa_sv_starts(wa_sv_sub(seed, 3, seed.n), want))
        fail_msg("fuzz/corpus/server_api/%s is not of %s %s", name, r->method, r->path);
}

static void each_call_has_one(void **state)
{
    const struct wa_api_route *r;
    WA_UNUSED(state);
    for (size_t i = 0; (r = wa_api_route_at(i)) != NULL; i++) {
        char name[256], path[WA_PATH_MAX];
        struct wa_err err = WA_ERR_INIT;
        WA_AUTO_BUF struct wa_buf seed;
        wa_buf_init(&seed, 1u << 20);
        name_of(r, name, sizeof name);
        (void)snprintf(path, sizeof path, "%s/%s", WA_TEST_SEEDS, name);
        if (wa_path_read(path, 1u << 20, &seed, &err) != WA_OK)
            fail_msg("%s %s has no seed: write fuzz/corpus/server_api/%s (see fuzz/server_api.c)",
                     r->method, r->path, name);
        check_seed(r, wa_buf_sv(&seed), name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_call_has_one)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
