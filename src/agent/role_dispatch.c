/* role_dispatch.c - the hidden argument by which our programs become a child process. */
#include "agent/helpers.h"
#include "agent/role_priv.h"

bool wa_role_dispatch(int argc, char **argv, int *ret_status)
{
    static const struct {
        const char *arg;
        int (*run)(void);
    } roles[] = {
        {WA_ROLE_ARG "network", wa_role_network},     {WA_ROLE_ARG "unpack", wa_role_unpack},
        {WA_ROLE_ARG "auth", wa_role_auth},           {WA_ROLE_ARG "inventory", wa_role_inventory},
        {WA_ROLE_ARG "directory", wa_role_directory}, {WA_ROLE_ARG "wake", wa_role_wake},
        {WA_ROLE_ARG "describe", wa_role_describe},
    };
    for (size_t i = 0; argc == 2 && i < WA_COUNT(roles); i++) {
        if (strcmp(argv[1], roles[i].arg) == 0) {
            *ret_status = roles[i].run();
            return true;
        }
    }
    return false;
}
