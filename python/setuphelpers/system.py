"""Facts about this machine and its user that Linux and macOS share with Windows.

Nothing here changes the machine. What needs a service that may be absent (a
directory, systemd) is not here.
"""

import os
import re
import socket

from .errors import EWaptSetupException
from .process import run


def get_hostname():
    """Return the fully qualified name of this machine in lower case."""
    return socket.getfqdn().lower()


def get_fqdn():
    """Return the fully qualified name of this machine."""
    return socket.getfqdn()


def get_computername():
    """Return the name of this machine."""
    return socket.gethostname()


def get_domain_from_socket():
    """Return the DNS domain of this machine, '' if it has none."""
    return socket.getfqdn().partition('.')[2]


def get_domain():
    """Return the DNS domain of this machine, '' if it has none."""
    return get_domain_from_socket()


def get_current_user():
    """Return the login of the user as whom the script runs."""
    import pwd
    return pwd.getpwuid(os.geteuid()).pw_name


def get_groups(user):
    """Return the names of a user's groups in lower case."""
    import grp
    import pwd
    account = pwd.getpwnam(user)
    names = []
    for gid in os.getgrouplist(user, account.pw_gid):
        try:
            names.append(grp.getgrgid(gid).gr_name.lower())
        except KeyError:
            pass  # a group without a name
    return names


def get_language():
    """Return the two letters of the language of the locale, None if there is none."""
    for name in ('LC_ALL', 'LC_MESSAGES', 'LANG'):
        value = os.environ.get(name, '')
        if value:
            found = re.match('([A-Za-z]{2})(?:[_.@-]|$)', value)
            return found.group(1).lower() if found else None
    return None


def get_kernel_version():
    """Return the release of the running kernel."""
    return os.uname().release


def user_home_directory():
    """Return the home directory of the user as whom the script runs."""
    return os.path.expanduser('~')


def application_data():
    """Return the directory of the user's settings."""
    return os.path.join(user_home_directory(), '.config')


def user_local_appdata():
    """Return the directory of the user's settings, with a slash at the end."""
    return os.path.join(user_home_directory(), '.config', '')


def get_file_properties(fname, ignore_warning=True):
    """Return {}: files carry no version resource on this system."""
    return {}


def is_valid_ipv4_address(address):
    """Tell whether a text is an IPv4 address in four parts."""
    try:
        socket.inet_pton(socket.AF_INET, address)
        return True
    except (OSError, TypeError, ValueError):
        return False


def _main_address(family, peer, default):
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((peer, 9))  # sends nothing: the kernel only chooses the route
            return probe.getsockname()[0]
    except OSError:
        return default


def get_main_ip(host=None, hostv6=None):
    """Return the IPv4 and the IPv6 address from which this machine reaches a host."""
    return (_main_address(socket.AF_INET, host or '10.0.0.0', '127.0.0.1'),
            _main_address(socket.AF_INET6, hostv6 or host or 'ff05::1', '::1'))


def get_dns_servers():
    """Return the IPv4 addresses of the name servers."""
    servers = []
    try:
        with open('/etc/resolv.conf', encoding='utf-8', errors='replace') as source:
            for line in source:
                words = line.split()
                if len(words) > 1 and words[0] == 'nameserver' and is_valid_ipv4_address(words[1]):
                    servers.append(words[1])
    except FileNotFoundError:
        pass
    return servers


def parse_dmidecode(text):
    """Return the dict of dict (or of list of dict, for repeated sections) of what dmidecode -q prints."""
    result, section, last = {}, None, None
    for line in text.splitlines():
        if not line.strip():
            section = None
        elif not line[0].isspace():
            section, name = {}, line.strip().replace(' ', '_')
            if name not in result:
                result[name] = section
            elif isinstance(result[name], list):
                result[name].append(section)
            else:
                result[name] = [result[name], section]
        elif section is not None and ':' in line and not line.startswith('\t\t'):
            last, _, value = line.strip().partition(':')
            last = last.strip().replace(' ', '_')
            section[last] = value.strip()
        elif section is not None and last in section:
            if not isinstance(section[last], list):
                section[last] = [section[last]] if section[last] else []
            section[last].append(line.strip())
    return result


def dmi_info():
    """Return what the firmware tells about the machine, as a dict section -> dict (or list of dict)."""
    import shutil
    if not shutil.which('dmidecode'):
        raise EWaptSetupException('dmidecode is needed and not installed')
    return parse_dmidecode(run(['dmidecode', '-q'], return_stderr=False))
