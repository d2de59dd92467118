"""The object that scripts know as WAPT: what the agent tells them about itself.

WAPT gave scripts its whole engine. A script runs apart from the agent here, so this
holds what can be answered without it; anything else is refused by name, so that
no script believes to have done what was not done.
"""

from .errors import EWaptException
from .package import PackageEntry, parse_requirement, version_matches
from .process import run, run_notfatal

REFUSED = {
    'install': 'name the other package in `depends`',
    'remove': 'name the other package in `conflicts`, or remove it from the group or host that orders it',
    'forget_packages': 'use wapt-get forget',
    'update': 'the agent does it by its own schedule',
    'upgrade': 'the agent does it by its own schedule',
    'waptdb': 'the agent\'s database is its own; use is_installed(), installed(), read_param() and write_param()',
}
COUNTED_AS_INSTALLED = ('OK', 'UNKNOWN')


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
        self._installed = [PackageEntry(**entry) for entry in context.get('installed') or ()]
        self._params = dict(context.get('params_store') or {})
        self._check_value = check_value
        self.params_store_changes = {}

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

    def write_param(self, name, value):
        """Keep a text, number, list or dict under a name, for any script on this machine."""
        if not isinstance(name, str) or not name:
            raise EWaptException('the name of a parameter must be a text')
        self._params[name] = self.params_store_changes[name] = self._check_value(value)

    def delete_param(self, name):
        """Forget a value that write_param() kept."""
        self._params.pop(name, None)
        self.params_store_changes[name] = None

    @property
    def config(self):
        """The agent's configuration file as a configparser.RawConfigParser, to read only."""
        import configparser
        parser = configparser.RawConfigParser(strict=False)
        with open(self.config_filename, encoding='utf-8-sig') as source:
            parser.read_file(source)
        return parser
