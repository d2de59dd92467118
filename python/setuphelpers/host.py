"""The inventory as scripts see it: what this machine is, who is logged in, what its disks hold.

The agent sends its own inventory and does not ask these. Environment variables, which WAPT sent to its
server with all their secrets, are not part of it.
"""

import os
import subprocess
import time

from .errors import EWaptException
from .files import get_disk_free_space
from .linux import (
    default_gateway, get_distrib_linux, get_distrib_version, get_local_IPs, isLinux64, networking)
from .log import logger
from .process import run
from .system import (
    get_computername, get_dns_servers, get_domain_from_socket, get_fqdn, get_kernel_version, get_main_ip)

REAL_FILE_SYSTEMS = ('ext2', 'ext3', 'ext4', 'xfs', 'btrfs', 'zfs', 'f2fs', 'jfs', 'reiserfs', 'vfat', 'exfat', 'ntfs',
                     'ntfs3', 'fuseblk', 'bcachefs', 'overlay')
KEYTAB = '/etc/krb5.keytab'
MOUNTS = '/proc/self/mounts'


def _lines(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as source:
            return source.read().splitlines()
    except OSError:
        return []


def _first(path):
    return next((line.strip() for line in _lines(path) if line.strip()), '')


def _sessions():
    """Return the sessions of people as dicts of logind's properties, none where there is no logind."""
    try:
        listed = run(['loginctl', 'list-sessions', '--no-legend'], return_stderr=False, timeout=30)
        names = [line.split()[0] for line in listed.splitlines() if line.split()]
        shown = run(['loginctl', 'show-session', '--property=Id,User,Name,Seat,Class,TimestampMonotonic'] + names,
                    return_stderr=False, timeout=30) if names else ''
    except (OSError, subprocess.SubprocessError) as failure:
        logger.debug('no sessions known: %s', failure)
        return []
    sessions = [dict(line.split('=', 1) for line in block.splitlines() if '=' in line) for block in shown.split('\n\n')]
    return [session for session in sessions if session.get('Id') and session.get('Class', 'user') == 'user']


def get_loggedinusers():
    """Return who is logged in, as a dict user -> id of the session."""
    return {session.get('Name', ''): session['Id'] for session in _sessions()}


def get_last_logged_on_user():
    """Return the latest session as a tuple (id, uid, user, seat), None if nobody is logged in."""
    latest = max(_sessions(), key=lambda session: int(session.get('TimestampMonotonic') or 0), default=None)
    if latest is None:
        return None
    return latest['Id'], int(latest.get('User') or 0), latest.get('Name', ''), latest.get('Seat', '')


def local_drives():
    """Return the file systems on disks as a dict mount point -> {device, fstype, total, used, free, percent}, in bytes."""
    drives = {}
    for line in _lines(MOUNTS):
        fields = line.split()
        if len(fields) < 3 or fields[2] not in REAL_FILE_SYSTEMS:
            continue
        place = fields[1].replace('\\040', ' ').replace('\\011', '\t').replace('\\134', '\\')
        try:
            status = os.statvfs(place)
        except OSError:
            continue  # not ours to look at, or gone
        total = status.f_blocks * status.f_frsize
        used = total - status.f_bfree * status.f_frsize
        drives[place] = {'device': fields[0], 'fstype': fields[2], 'total': total, 'used': used,
                         'free': get_disk_free_space(place), 'percent': round(100 * used / total, 1) if total else 0.0}
    return drives


def _memory():
    values = {}
    for line in _lines('/proc/meminfo'):
        words = line.split()
        if len(words) > 1 and words[1].isdigit():
            values[words[0].rstrip(':')] = int(words[1]) * 1024
    return values


def host_metrics():
    """Return what changes: physical_memory, virtual_memory (bytes), local_drives, logged_in_users, last_logged_on_user,
    last_bootup_time (ISO), wapt-memory-usage (bytes of this process).
    """
    memory = _memory()
    boot = next((int(line.split()[1]) for line in _lines('/proc/stat') if line.startswith('btime ')), None)
    own = next((line.split() for line in _lines('/proc/self/statm')), ['0', '0'])
    return {'physical_memory': memory.get('MemTotal', 0), 'virtual_memory': memory.get('MemTotal', 0) + memory.get('SwapTotal', 0),
            'local_drives': local_drives(), 'logged_in_users': sorted(get_loggedinusers()),
            'last_logged_on_user': get_last_logged_on_user(),
            'last_bootup_time': '' if boot is None else time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(boot)),
            'wapt-memory-usage': int(own[1]) * os.sysconf('SC_PAGE_SIZE')}


def _local_groups():
    import grp
    return {group.gr_name: list(group.gr_mem) for group in grp.getgrall()}


def _local_users():
    import pwd
    return [account.pw_name for account in pwd.getpwall()]


def _cpu_name():
    for line in _lines('/proc/cpuinfo'):
        name, _, value = line.partition(':')
        if name.strip().lower() in ('model name', 'hardware', 'cpu model') and value.strip():
            return value.strip()
    return os.uname().machine


def host_info_common_unix():
    """Return the part of host_info() that machines with Linux and macOS have in common."""
    adapters = networking()
    info = {
        'computer_name': get_computername(), 'computer_fqdn': get_fqdn(), 'dnsdomain': get_domain_from_socket(),
        'workgroup_name': '', 'networking': adapters, 'gateways': [gateway for gateway in [default_gateway()] if gateway],
        'dns_servers': get_dns_servers(), 'connected_ips': get_local_IPs(), 'mac': [adapter['mac'] for adapter in adapters if adapter['mac']],
        'main_ip': list(get_main_ip()), 'platform': os.uname().sysname, 'kernel_version': get_kernel_version(),
        'system_manufacturer': _first('/sys/class/dmi/id/sys_vendor'), 'system_productname': _first('/sys/class/dmi/id/product_name'),
        'cpu_name': _cpu_name(), 'local_groups': _local_groups(), 'local_users': _local_users(),
        'computer_ad_dn': None, 'computer_ad_site': None, 'computer_ad_groups': []}
    if os.path.exists(KEYTAB):
        from .directory import get_domain_info
        try:
            domain = get_domain_info()
            info.update(computer_ad_dn=domain['ou'], computer_ad_site=domain['site'], computer_ad_groups=domain['groups'])
        except (OSError, EWaptException, subprocess.SubprocessError) as failure:
            logger.debug('the directory does not answer: %s', failure)
    return info


def host_info():
    """Return what the machine is: a dict of names, networks, users, hardware and system."""
    return dict(host_info_common_unix(), os_name=get_distrib_linux(), os_version=get_distrib_version(), linux64=isLinux64(),
                distrib=get_distrib_linux(), distrib_version=get_distrib_version())
