/* wapt_kerberos.c - main() of wapt-kerberos: one Kerberos ticket for the agent, started by its
 * launcher with descriptor 3.
 *
 * Apart from the other programs because it alone links Kerberos. Started by hand it has no channel,
 * says so and ends.
 */
#include "agent/helpers.h"
#include "base/text.h"

int main(void)
{
    wa_text_from_environment(); /* the launcher wrote it */
    return wa_role_kerberos();
}
