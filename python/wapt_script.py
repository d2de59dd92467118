"""One setup script and one of its hooks: load, hand over, call, judge.

Knows nothing of descriptors and processes (wapt_runner does). The working
directory is the package's. A hook counts as OK only if it came to its end and
returned what stands for that.
"""

import json
import linecache
import os
import sys
import traceback
import types

import wapt_python2

STATUS_MAX = 255       # characters of a status that a script made up
RETURNED_MAX = 65536   # bytes of JSON of what a hook returned
DEPTH_MAX = 16         # levels of what a hook returned
ERROR_MAX = 4096       # characters of an error; the log has it all
HOOKS = ('install', 'uninstall', 'audit', 'session_setup', 'update_package')
# As in WAPT, these are looked for in the text.
DETECTED_BY_TEXT = {'audit': 'def audit():', 'session_setup': 'def session_setup():'}

# Errors of scripts that Python 3 can read, and that mean something else in Python 2.
OLD_AGE = ('bytes-like object', "has no attribute 'decode'", 'str to bytes', 'bytes to str', "not 'bytes'", 'not bytes', 'object is not subscriptable')


class Unfit(ValueError):
    """A value has no JSON of its own."""


def new_result(request, status='ERROR', error=None):
    """Return a result with nothing in it but a status and what was given."""
    return {'status': status, 'returned': None, 'error': error, 'uninstallkey': [],
            'params': dict(request.get('params') or {}), 'params_store_changes': {}, 'wishes': [],
            'agent_upgrade': ''}


def clean(value, depth=0):
    """Return a copy of value that has a JSON every strict reader takes; raise Unfit if there is none."""
    if isinstance(value, str):
        return str(value).encode('utf-8', 'replace').decode('utf-8').replace('\0', '\ufffd')
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and -2 ** 63 <= value < 2 ** 63:
        return int(value)
    if isinstance(value, float) and value - value == 0:
        return float(value)
    if depth < DEPTH_MAX and isinstance(value, (list, tuple)):
        return [clean(item, depth + 1) for item in value]
    if depth < DEPTH_MAX and isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {clean(key): clean(item, depth + 1) for key, item in value.items()}
    raise Unfit('%s is neither text, number, list nor dict of these' % type(value).__name__)


class Script:
    """A setup.py of the working directory, to run one hook of."""

    def __init__(self, request):
        self.request = request
        self.hook = request['hook']
        self.path = os.path.join(request.get('basedir') or os.getcwd(), 'setup.py')
        self.module = None
        self.helpers = {}
        self.engine = None
        self.given = dict(request.get('params') or {})
        self.before = {}

    def run(self):
        """Run the hook and return its result; nothing that the script raises gets out."""
        result = new_result(self.request)
        try:
            result['status'], result['error'], returned = self._call()
            result['returned'] = describe(returned)
        except BaseException as failure:  # sys.exit() too: no way out of a script is a success
            result['error'] = report(failure, self.path, self.helpers)
        try:
            self._collect(result)
        except BaseException as failure:
            result.update(status='ERROR', error=report(failure, self.path, self.helpers))
        return result

    def _call(self):
        code = self._compile()
        if code is None:
            return 'OK', None, None
        self._load(code)
        hook = vars(self.module).get(self.hook)
        if hook is None:
            if self.hook == 'install':
                print('setup.py has no install(): nothing was done', file=sys.stderr)
            return 'OK', None, None
        self._give()
        returned = hook()
        return (*judge(self.hook, returned), returned)

    def _compile(self):
        try:
            with open('setup.py', 'rb') as source:
                text = source.read()
        except FileNotFoundError:
            return None
        wanted = DETECTED_BY_TEXT.get(self.hook)
        if wanted is not None and wanted.encode() not in text:
            return None
        # The lines of a traceback: later there may be no file, or no right to read it by its path.
        lines = text.decode('utf-8', 'replace').splitlines(True)
        linecache.cache[self.path] = (len(text), None, lines, self.path)
        own = frozenset(name[:-3] for name in os.listdir('.') if name.endswith('.py'))
        code, self.helpers = wapt_python2.load(text, self.path, own=own)
        return code

    def _load(self, code):
        if self.hook == 'install':
            prepare_persistent(self.request.get('persistent_dir'), self.request.get('persistent_source_dir'))
            from wapt_python2.loader import watch
            watch(os.path.dirname(self.path))
            sys.path.append(os.path.dirname(self.path))
        name = '__waptsetup_%s__' % os.urandom(5).hex()
        self.module = sys.modules[name] = types.ModuleType(name)
        self.module.__file__ = self.path
        vars(self.module).update(self.helpers)
        exec(code, vars(self.module))

    def _give(self):
        """Set the module's globals that WAPT promises, over those of the same name."""
        from setuphelpers import PackageEntry, run, run_notfatal
        from setuphelpers.engine import Engine
        request, namespace = self.request, vars(self.module)
        user, groups = request.get('user') or '', list(request.get('usergroups') or ())
        language = request.get('language') or 'en'
        self.engine = Engine(request.get('wapt') or {}, clean, language, user, groups)
        namespace.setdefault('uninstallkey', [])
        force = request.get('force')
        namespace.update(
            WAPT=self.engine, control=PackageEntry(**(request.get('control') or {})), basedir=request.get('basedir'),
            force=bool(force) if self.hook == 'install' else force or None, language=language, user=user,
            usergroups=groups, persistent_dir=request.get('persistent_dir'),
            persistent_source_dir=request.get('persistent_source_dir'), run=run, run_notfatal=run_notfatal,
            params=self._merge_params(namespace))

    def _merge_params(self, namespace):
        from setuphelpers import EWaptException, ensure_list
        params = namespace.get('params')
        params = params if isinstance(params, dict) else {}
        required = namespace.get('required_params')
        if self.hook != 'uninstall' and isinstance(required, dict):
            params.update((name, value) for name, value in required.items() if value is not None or name not in params)
        elif self.hook not in ('uninstall', 'install'):
            for name in ensure_list(required):
                params.setdefault(name, None)
        params.update(self.given)
        if self.hook == 'install':
            for name in ensure_list(list(required) if isinstance(required, dict) else required):
                if params.get(name) is None:
                    raise EWaptException('Required parameters %s is not supplied' % name)
        self.before = {name: describe(value) for name, value in params.items()}
        return params

    def _collect(self, result):
        """Add what the script has set: its uninstall keys, its parameters, the values it keeps."""
        if self.module is None:
            return
        from setuphelpers import ensure_list
        result['uninstallkey'] = [clean(str(key)) for key in ensure_list(vars(self.module).get('uninstallkey'))]
        if self.engine is not None:
            result['params_store_changes'] = self.engine.params_store_changes
            result['wishes'] = self.engine.wishes
            result['agent_upgrade'] = self.engine.agent_upgrade
            result['params'] = self._params_to_keep()

    def _params_to_keep(self):
        """Return the given parameters and those that the hook has set or changed.

        Values that come from the script's own defaults are not kept: a newer package may have better ones.
        """
        params, result = vars(self.module).get('params'), {}
        if not isinstance(params, dict):
            return dict(self.given)
        for name, value in params.items():
            if self.before.get(name, Unfit) == describe(value):
                if name in self.given:
                    result[name] = self.given[name]
                continue
            try:
                result[clean(str(name))] = clean(value)
            except Unfit as failure:
                print('the parameter %s is not kept: %s' % (name, failure), file=sys.stderr)
        return result


def judge(hook, returned):
    """Return (status, error) of what a hook returned."""
    if hook == 'audit':
        return (str(returned) if returned in ('OK', 'WARNING', 'ERROR') else 'UNKNOWN'), None
    if hook == 'session_setup':
        return ('RETRY' if returned else 'OK'), None
    if hook != 'install' or returned is None or isinstance(returned, (int, float)) and returned == 0:
        return 'OK', None
    text = ''.join(c if c.isprintable() else ' ' for c in clean(str(returned)))[:STATUS_MAX].strip()
    return (text, None) if text else ('ERROR', 'install() returned an empty text')


def describe(value):
    """Return value in a form that has a JSON of bounded size: itself, or what repr() makes of it."""
    try:
        cleaned = clean(value)
        if len(json.dumps(cleaned)) <= RETURNED_MAX:
            return cleaned
    except (Unfit, RecursionError):
        pass
    return clean(repr(value))[:RETURNED_MAX // 8]


def prepare_persistent(folder, source):
    """Make the directory in which a package keeps files, anew with what the package brings for it."""
    import shutil
    if not folder:
        return
    here = os.path.realpath(os.getcwd())
    real = os.path.realpath(folder)
    if not os.path.isabs(folder) or os.path.dirname(real) == '/' or (here + '/').startswith(real + '/'):
        raise ValueError('%r can not be the directory of persistent files' % folder)
    if os.path.lexists(folder):
        shutil.rmtree(folder)
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    if source and os.path.isdir(source):
        shutil.copytree(source, folder, symlinks=True)
    else:
        os.mkdir(folder)


def report(failure, path, helpers):
    """Write the traceback for the log; return 'ExceptionName: message' for the result."""
    name = type(failure).__name__
    hint = None
    try:
        text = clean(str(failure))
        hint = explain(failure, text, path, helpers)
    except Exception:
        text = 'its text can not be told'
    if isinstance(failure, SystemExit):
        hint = 'the script called exit(%s)' % text
    frames = failure.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
        frames = frames.tb_next  # ours tell a packager nothing
    try:
        traceback.print_exception(type(failure), failure, frames, file=sys.__stderr__)
        if hint is not None:
            print(hint, file=sys.__stderr__)
        sys.__stderr__.flush()
    except Exception:
        pass  # the log's pipe is gone; the result still tells
    return '%s: %s' % (name, (hint or text)[:ERROR_MAX])


def explain(failure, text, path, helpers):
    """Return more than the exception says of itself where its cause is likely the age of the script, else None."""
    if isinstance(failure, SyntaxError) and failure.filename == path:
        line = (failure.text or '').strip()
        return 'setup.py is no Python: line %s%s (%s)' % (failure.lineno, ', "%s"' % clean(line) if line else '', failure.msg)
    if not helpers and isinstance(failure, (TypeError, AttributeError)) and any(words in text for words in OLD_AGE):
        return "%s (if setup.py is written for Python 2, say so: a comment '# Python 2' in its first line has it translated)" % text
    return None
