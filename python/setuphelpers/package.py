"""Version and PackageEntry: what a script sees of versions and of a package's control file.

Only the unsigned view: a script gets the attributes from the agent, which has
verified them. Saving rewrites WAPT/control in the sources of a package and drops
the signature, which no longer holds.
"""

import functools
import os
import re

from .errors import EWaptException
from .files import write_whole

# In the order in which they are written to WAPT/control.
ATTRIBUTES = (
    'package', 'version', 'architecture', 'section', 'priority', 'name', 'categories', 'maintainer',
    'description', 'depends', 'conflicts', 'maturity', 'locale', 'target_os', 'min_os_version',
    'max_os_version', 'min_wapt_version', 'sources', 'installed_size', 'impacted_process',
    'description_fr', 'description_pl', 'description_de', 'description_es', 'description_pt',
    'description_it', 'description_nl', 'description_ru', 'audit_schedule', 'editor', 'keywords',
    'licence', 'homepage', 'package_uuid', 'valid_from', 'valid_until', 'forced_install_on', 'changelog')
SIGNATURE_ATTRIBUTES = ('signer', 'signer_fingerprint', 'signature', 'signature_date', 'signed_attributes')
DEFAULTS = {'version': '0', 'architecture': 'all', 'section': 'base', 'priority': 'optional'}
DIGITS = re.compile('([0-9]+)')
REQUIREMENT = re.compile(r'([^()]+?)\s*(?:\(\s*(<=|>=|==|=|<|>)\s*([^()\s]+)\s*\)\s*)?$')


def _natural(text):
    # Text and numbers take turns, text first, so two keys never compare a number with text.
    return [int(part) if index % 2 else part for index, part in enumerate(DIGITS.split(text.lower()))]


@functools.total_ordering
class Version:
    """A software version, compared part by part in natural order.

    Version('0.10.2') > '0.2.5'. A missing part is below any other: Version('1') < '1.0'
    unless members_count fills up with zeros.
    """

    def __init__(self, version, members_count=None):
        if isinstance(version, Version):
            members = list(version.members)
        elif isinstance(version, (list, tuple)):
            members = [str(part).strip() for part in version]
        else:
            members = [part.strip() for part in str(version).split('.')]
        if members_count is not None:
            members = (members + ['0'] * members_count)[:members_count]
        self.members = members
        self.members_count = members_count

    def _keys(self, other):
        if not isinstance(other, Version):
            other = Version('' if other is None else other, self.members_count)
        count = max(len(self.members), len(other.members))
        return [[_natural(part) for part in members + [''] * (count - len(members))]
                for members in (self.members, other.members)]

    def __eq__(self, other):
        mine, theirs = self._keys(other)
        return mine == theirs

    def __lt__(self, other):
        mine, theirs = self._keys(other)
        return mine < theirs

    def __hash__(self):
        keys = [tuple(_natural(part)) for part in self.members]
        while keys and keys[-1] == ('',):
            keys.pop()
        return hash(tuple(keys))

    def __str__(self):
        return '.'.join(self.members)

    def __repr__(self):
        return 'Version(%r)' % str(self)


def version_matches(version, operator, wanted):
    """Tell whether a package version meets a requirement such as '>=', '1.2-3'."""
    software, dash, packaging = version.partition('-')
    wanted_software, wanted_dash, wanted_packaging = wanted.partition('-')
    mine = [Version(software, 4)]
    theirs = [Version(wanted_software, 4)]
    if wanted_dash:
        mine.append(int(packaging) if dash else -1)
        theirs.append(int(wanted_packaging))
    return {'=': mine == theirs, '==': mine == theirs, '<': mine < theirs, '>': mine > theirs,
            '<=': mine <= theirs, '>=': mine >= theirs}[operator]


def parse_requirement(text):
    """Return (package, operator, version) of a text such as 'name(>=1.2)'; operator None for any version."""
    found = REQUIREMENT.match(text.strip())
    if not found:
        raise EWaptException('not a package requirement: %r' % text)
    return found.groups()


class PackageEntry:
    """The attributes of a package, by name: control.version or control['version']."""

    def __init__(self, package='', version='0', **attributes):
        for name in ATTRIBUTES:
            setattr(self, name, DEFAULTS.get(name, ''))
        for name in SIGNATURE_ATTRIBUTES:
            setattr(self, name, None)
        self.package = package
        self.version = version
        self._update(attributes)

    def _update(self, attributes):
        for name, value in attributes.items():
            if not hasattr(PackageEntry, name):  # no attribute of a file takes the place of a method
                setattr(self, name, value)

    def __getitem__(self, name):
        try:
            return vars(self)[name.lower()]
        except KeyError:
            raise KeyError('a package has no attribute %r' % name) from None

    def __setitem__(self, name, value):
        setattr(self, name.lower(), value)

    def __contains__(self, name):
        return name.lower() in vars(self)

    def get(self, name, default=None):
        """Return an attribute, or the default when the package has none of that name."""
        return vars(self).get(name.lower(), default)

    def keys(self):
        """Return the names of all attributes."""
        return list(vars(self))

    def as_dict(self):
        """Return the attributes in a new dict."""
        return dict(vars(self))

    def asrequirement(self):
        """Return 'name (=version)'."""
        return '%s (=%s)' % (self.package, self.version)

    def get_software_version(self):
        """Return the version without the packaging: '1.2' of '1.2-3'."""
        return self.version.split('-', 1)[0]

    def set_software_version(self, version, inc_build=False):
        """Change the software's part of the version; the packaging's stays, or grows by one with inc_build."""
        packaging = self.version.partition('-')[2]
        if inc_build:
            packaging = str(int(packaging or 0) + 1)
        self.version = '%s-%s' % (version, packaging) if packaging else version

    def ascontrol(self):
        """Return the text of WAPT/control, without a signature."""
        return '\n'.join('%-18s: %s' % (name, _control_value(name, getattr(self, name))) for name in ATTRIBUTES)

    def load_control_from_wapt(self, fname=None):
        """Read the attributes from WAPT/control of a directory, by default the current one."""
        with open(_control_path(fname), encoding='utf-8', newline='') as source:
            self._update(parse_control(source.read()))
        return self

    def save_control_to_wapt(self, fname=None):
        """Write WAPT/control in a directory, by default the current one; an old signature is dropped."""
        path = _control_path(fname)
        write_whole(path, self.ascontrol().encode('utf-8'))
        for name in SIGNATURE_ATTRIBUTES:
            setattr(self, name, None)
        return path

    def __repr__(self):
        return 'PackageEntry(%r)' % self.asrequirement()


def _control_path(directory):
    path = os.path.join(os.path.abspath(directory or '.'), 'WAPT', 'control')
    if not os.path.isdir(os.path.dirname(path)):
        raise EWaptException('%s is not the directory of a package: it has no folder WAPT' % (directory or os.getcwd()))
    return path


def _control_value(name, value):
    if value is None:
        return ''
    if isinstance(value, (list, tuple)):
        value = ','.join(str(item) for item in value)
    lines = str(value).splitlines() or ['']
    # A blank line ends a control file: the rest of the value would be lost.
    if any(not line.strip() for line in lines[1:]):
        raise EWaptException('the attribute %s contains a blank line, which a control file can not hold' % name)
    return '\n'.join(lines[:1] + [line if line[0] == ' ' else ' ' + line for line in lines[1:]])


def parse_control(text):
    """Return the attributes of a control file's text."""
    result, last = {}, None
    for line in text.splitlines():
        if not line.strip():
            break
        if line[0] == ' ':
            if last is None:
                raise EWaptException('a control file can not start with a continued line')
            result[last] += '\n' + line.strip()
            continue
        name, colon, value = line.partition(':')
        if not colon:
            raise EWaptException('line %r of a control file has no colon' % line)
        last = name.strip().lower()
        result[last] = value.strip()
    return result
