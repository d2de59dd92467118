/* kit_script.c - see kit_script.h. */
#include "proto/kit_script.h"

#include "codec/base64.h"

bool wa_kit_is_deb(struct wa_sv head)
{
    return wa_sv_starts(head, "!<arch>\ndebian-binary");
}

static const char script[] =
    "#!/bin/sh\n"
    "# Installs the WAPT agent that is in this file, and registers this machine. As root: sh FILE\n"
    "set -eu\n"
    "agent=%s\n"
    "[ \"$(id -u)\" = 0 ] || { echo \"$0: only root can install the agent\" >&2; exit 1; }\n"
    "umask 077\n"
    "d=$(mktemp -d)\n"
    "trap 'rm -rf \"$d\"' EXIT\n"
    "part() { sed -n \"/^#$1\\$/,/^#end\\$/p\" \"$0\" | grep -v '^#' | base64 -d > \"$d/$2\"; }\n"
    "part kit wapt.kit\n"
    "part agent agent.deb || :\n"
    "echo \"$agent  $d/agent.deb\" | sha256sum -c --status - ||\n"
    "    { echo \"$0: the agent in it is damaged: nothing was installed\" >&2; exit 1; }\n"
    "umask 022\n" /* what packages and the agent make is theirs to say */
    "chmod 711 \"$d\"; chmod 644 \"$d/agent.deb\"\n" /* apt reads it as a user of its own */
    "export DEBIAN_FRONTEND=noninteractive\n"
    "if ! apt-get install -y \"$d/agent.deb\"; then\n" /* no list of packages, or an old one */
    "    apt-get update\n"
    "    apt-get install -y \"$d/agent.deb\"\n"
    "fi\n"
    "wapt-get enrol \"$d/wapt.kit\"\n"
    "exit\n"
    "#kit\n";

void wa_kit_script_begin(struct wa_sv kit, const char *sha256, struct wa_buf *out)
{
    wa_buf_addf(out, script, sha256);
    wa_base64_encode_mime(kit.p, kit.n, out);
    wa_buf_adds(out, "#end\n#agent\n");
}

const char wa_kit_script_end[] = "\n#end\n";
