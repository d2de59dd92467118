"""The object that scripts know as WAPT: what the agent tells them about itself.

WAPT gave scripts its whole engine. A script runs apart from the agent here, so this
holds what can be answered without it. Work on other packages is asked for: the agent
does it when the script has ended well. Anything else is refused by name, so that no
script believes to have done what was not done.
"""

import glob
import time

from .errors import EWaptException
from .package import PackageEntry, parse_requirement, version_matches
from .process import run, run_notfatal
from .text import ensure_list

REFUSED = {
    'query': 'the agent\'s database is its own; use installed()',
    'db': 'the agent\'s database is its own; use installed()',
}
COUNTED_AS_INSTALLED = ('OK', 'UNKNOWN')


def _entry(attributes):
    """Return an installed package; the agent counts seconds, scripts read dates."""
    entry = PackageEntry(**attributes)
    if isinstance(entry.get('install_date'), int):
        entry.install_date = time.strftime('%Y-%m-%dT%H:%M:%S', time.localtime(entry.install_date))
    return entry


class Engine:
    """What a script may ask the agent, from the request that started it."""

    run = staticmethod(run)
    run_notfatal = staticmethod(run_notfatal)

    def __init__(self, context, check_value, language='en', user='', usergroups=()):
        self.wapt_base_dir = context.get('wapt_base_dir', '')
        self.host_uuid = context.get('host_uuid', '')
        self.config_filename = context.get('config_filename', '')
        self.language = language
        self.user = user
        self.usergroups = list(usergroups)
        self._installed = [_entry(attributes) for attributes in context.get('installed') or ()]
        self._params = dict(context.get('params_store') or {})
        self._check_value = check_value
        self._is_heard = bool(context.get('takes_wishes'))
        self.params_store_changes = {}
        self.wishes = []
        self.agent_upgrade = ''

    def __getattr__(self, name):
        hint = REFUSED.get(name, 'see wapt-setuphelpers(7) for what there is')
        raise AttributeError('WAPT.%s is not available to setup scripts: %s' % (name, hint))

    def installed(self, include_errors=False):
        """Return the installed packages; with include_errors also those whose install failed."""
        return [entry for entry in self._installed
                if include_errors or entry.get('install_status') in (None,) + COUNTED_AS_INSTALLED]

    def is_installed(self, packagename, include_errors=False):
        """Return the installed package that meets 'name' or 'name(>=version)', None if there is none."""
        package, operator, version = parse_requirement(packagename)
        for entry in self.installed(include_errors):
            if entry.package == package and (operator is None or version_matches(entry.version, operator, version)):
                return entry
        return None

    def read_param(self, name, default=None, ptype=None):
        """Return a value that write_param() kept, converted with ptype if that is given."""
        value = self._params.get(name, default)
        return ptype(value) if ptype is not None and value is not None else value

    def _need_agent(self, name):
        if not self._is_heard:
            raise EWaptException('WAPT.%s() works in hooks that the agent runs as root, and in no others' % name)

    def write_param(self, name, value):
        """Keep a text, number, list or dict under a name, for any script on this machine."""
        self._need_agent('write_param')
        if not isinstance(name, str) or not name:
            raise EWaptException('the name of a parameter must be a text')
        self._params[name] = self.params_store_changes[name] = self._check_value(value)

    def delete_param(self, name):
        """Forget a value that write_param() kept."""
        self._need_agent('delete_param')
        self._params.pop(name, None)
        self.params_store_changes[name] = None

    def _wish(self, name, packages, force=False):
        self._need_agent(name)
        op = {'forget_packages': 'forget'}.get(name, name)
        packages = [str(item.package) if isinstance(item, PackageEntry) else str(item) for item in ensure_list(packages)]
        self.wishes.append({'op': op, 'packages': packages, 'force': bool(force)})
        print('%s %s: the agent does it when this script has ended well' % (op, ' '.join(packages)))
        return packages

    def install(self, apackages, force=False, params_dict=None, **options):
        """Have packages installed, with what they need, when this script has ended well.

        Returns a dict of lists as WAPT did: all that is asked for stands in 'install', nothing in 'upgrade', 'additional',
        'skipped', 'unavailable' and 'errors'. params_dict, and options but for those that say what is done anyway, are refused.
        """
        asked = {name for name, value in options.items() if value and name not in ('usecache', 'process_dependents', 'printhook', 'installed_by')}
        if params_dict or asked:
            raise EWaptException('WAPT.install() takes packages and force here, not %s' % ', '.join(sorted(asked or {'params_dict'})))
        packages = self._wish('install', apackages, force)
        return dict({key: [] for key in ('upgrade', 'additional', 'skipped', 'unavailable', 'errors')}, install=[[name, None] for name in packages])

    def remove(self, packages_list, force=False):
        """Have packages removed when this script has ended well; those that are not installed are left out.

        Returns {'removed': [name, ...], 'errors': []}.
        """
        installed = [name for name in ensure_list(packages_list) if self.is_installed(getattr(name, 'package', name), include_errors=True)]
        return {'removed': self._wish('remove', installed, force) if installed else [], 'errors': []}

    def forget_packages(self, packages_list):
        """Have packages forgotten, without running their scripts, when this script has ended well; return their names."""
        return self._wish('forget_packages', packages_list)

    def update(self, force=False):
        """Have the lists of packages fetched when this script has ended well; return {}."""
        self._wish('update', [], force)
        return {}

    def upgrade(self):
        """Have all packages upgraded when this script has ended well; return {}."""
        self._wish('upgrade', [])
        return {}

    def upgrade_agent(self, pattern='wapt-agent_*.deb'):
        """Have the agent itself replaced by a newer Debian package of it that lies in this package, when install() has ended well.

        Of several that match the pattern the one for this machine's architecture is taken. The agent replaces itself after this
        script, and takes its old version back when the new one does not work in time. Returns the name of the file.
        """
        self._need_agent('upgrade_agent')
        own = run(['dpkg', '--print-architecture'], shell=False).strip()
        found = [name for name in sorted(glob.glob(pattern))
                 if run(['dpkg-deb', '--field', name, 'Package', 'Architecture'], shell=False).split() ==
                 ['Package:', 'wapt-agent', 'Architecture:', own]]
        if len(found) != 1:
            raise EWaptException('%d files %s are a wapt-agent for %s: one has to be' % (len(found), pattern, own))
        there = run(['dpkg-query', '--show', '--showformat', '${Version}', 'wapt-agent'], shell=False).strip()
        version = run(['dpkg-deb', '--field', found[0], 'Version'], shell=False).strip()
        if run(['dpkg', '--compare-versions', version, 'gt', there], shell=False, accept_returncodes=[0, 1]).returncode:
            raise EWaptException('version %s of the agent is no newer one than %s, which is installed' % (version, there))
        self.agent_upgrade = found[0]
        print('the agent is replaced by %s when this script has ended' % found[0])
        return found[0]

    def uninstall_cmd(self, guid):
        """For Windows only."""
        from .elsewhere import refuse
        refuse('WAPT.uninstall_cmd()', 'windows')

    def registry_uninstall_snapshot(self):
        """For Windows only."""
        from .elsewhere import refuse
        refuse('WAPT.registry_uninstall_snapshot()', 'windows')

    @property
    def waptdb(self):
        """What scripts ask WAPT's database for: installed packages and kept values."""
        return Database(self)

    @property
    def config(self):
        """The agent's configuration file as a configparser.RawConfigParser, to read only."""
        import configparser
        parser = configparser.RawConfigParser(strict=False)
        with open(self.config_filename, encoding='utf-8-sig') as source:
            parser.read_file(source)
        return parser


class Database:
    """What there is of WAPT.waptdb: reading, and the values that scripts keep."""

    def __init__(self, engine):
        self.get_param, self.set_param, self.delete_param = engine.read_param, engine.write_param, engine.delete_param
        self.installed, self._engine = engine.installed, engine

    def installed_package_names(self, include_errors=False):
        """Return the names of the installed packages."""
        return [entry.package for entry in self._engine.installed(include_errors)]

    def installed_matching(self, package_cond, include_errors=False):
        """Return the installed package that meets 'name' or 'name(>=version)', None if there is none."""
        return self._engine.is_installed(package_cond, include_errors)

    def __getattr__(self, name):
        raise AttributeError('WAPT.waptdb.%s is not available to setup scripts: the agent\'s database is its own' % name)
