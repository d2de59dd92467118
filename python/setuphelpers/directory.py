"""What Active Directory says of this machine, asked with the machine's own Kerberos key.

The tools that a joined machine has do the talking: kinit and ldapsearch; adcli for the site. WAPT's own
query did not verify the server's certificate; this one is encrypted and proves the server by Kerberos,
and verifies TLS where that is asked for.
"""

import os
import re
import shutil
import subprocess

from .errors import EWaptSetupException
from .process import run
from .system import get_computername, get_domain_from_socket

TIMEOUT_SECONDS = 30
IN_CHAIN = '1.2.840.113556.1.4.1941'  # groups of groups too
HOST_NAME = re.compile(r'[A-Za-z0-9_-]{1,63}$')
DOMAIN_NAME = re.compile(r'[A-Za-z0-9_.-]{1,255}$')


def _need(tool, package):
    path = shutil.which(tool)
    if path is None:
        raise EWaptSetupException('asking the directory needs %s: install %s' % (tool, package))
    return path


def parse_ldif(text):
    """Return the entries of an LDIF text as a list of dict name in lower case -> list of values."""
    import base64
    entries, entry = [], {}
    for line in text.replace('\r', '').replace('\n ', '').split('\n') + ['']:
        if not line:
            if entry:
                entries.append(entry)
            entry = {}
            continue
        name, colon, value = line.partition(':')
        if not colon or line.startswith('#'):
            continue
        if value.startswith(':'):
            value = base64.b64decode(value[1:]).decode('utf-8', 'replace')
        entry.setdefault(name.lower(), []).append(value.strip())
    return entries


def _search(server, base, query, attributes, use_tls, env):
    command = [_need('ldapsearch', 'ldap-utils'), '-LLL', '-o', 'ldif-wrap=no', '-o', 'nettimeout=10', '-Q', '-Y', 'GSSAPI', '-b', base,
               '-H', '%s://%s' % ('ldaps' if use_tls else 'ldap', server)]
    if not use_tls:
        command += ['-O', 'minssf=56']  # no answer that is not encrypted and proven by Kerberos
    return parse_ldif(run(command + [query] + attributes, env=env, timeout=TIMEOUT_SECONDS, accept_returncodes=[0], return_stderr=False))


def _site(domain):
    if shutil.which('adcli') is None:
        return None
    try:
        told = run(['adcli', 'info', domain], timeout=TIMEOUT_SECONDS, return_stderr=False)
    except subprocess.SubprocessError:
        return None
    found = re.search(r'(?m)^\s*computer-site\s*=\s*(.+?)\s*$', told)
    return found.group(1) if found else None


def get_domain_info(ldap_auth_server=None, use_ssl=True, force_tgt=True, hostname=None, domain=None, verify_cert_ldap=False):
    """Return what Active Directory knows of this machine: {groups, ou, site}.

    groups are the names of the computer's groups in lower case, ou its distinguished name. The machine's own key is used, so
    it must be joined and the script run as root. With use_ssl and verify_cert_ldap the connection is TLS, verified; else
    Kerberos encrypts and proves it. force_tgt is without effect: a ticket is fetched each time, into a cache that is removed.
    """
    import tempfile
    hostname = (hostname or get_computername()).partition('.')[0]
    domain = domain or get_domain_from_socket()
    if not HOST_NAME.match(hostname) or not DOMAIN_NAME.match(domain):
        raise EWaptSetupException('%r in %r is no machine of a domain' % (hostname, domain))
    server = ldap_auth_server or domain
    base = ','.join('DC=' + part for part in domain.split('.') if part)
    with tempfile.TemporaryDirectory(prefix='wapt-krb-') as folder:
        env = {**os.environ, 'KRB5CCNAME': 'FILE:' + os.path.join(folder, 'cache'), 'LC_ALL': 'C.UTF-8'}
        run([_need('kinit', 'krb5-user'), '-k', '%s$@%s' % (hostname.upper(), domain.upper())], env=env, timeout=TIMEOUT_SECONDS,
            accept_returncodes=[0])
        ask = lambda query, attributes: _search(server, base, query, attributes, use_ssl and verify_cert_ldap, env)
        found = ask('(sAMAccountName=%s$)' % hostname.upper(), ['distinguishedName'])
        if not found or 'distinguishedname' not in found[0]:
            raise EWaptSetupException('the directory of %s does not know %s' % (domain, hostname))
        ou = found[0]['distinguishedname'][0]
        groups = ask('(&(objectClass=group)(member:%s:=%s))' % (IN_CHAIN, escape_filter(ou)), ['cn'])
    return {'groups': sorted({name.lower() for entry in groups for name in entry.get('cn', ())}), 'ou': ou, 'site': _site(domain)}


def escape_filter(text):
    """Return a text as it is written in a search filter (RFC 4515)."""
    return ''.join('\\%02x' % ord(c) if c in '\\*()\0' else c for c in text)


def get_computer_groups():
    """Return the names of the computer's groups in Active Directory, in lower case."""
    return get_domain_info()['groups']
