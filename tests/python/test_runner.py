"""The runner seen from the agent: what each way of ending means, and that no accident counts as OK."""

import json
import os

import pytest

from conftest import run_runner

# hook, body of setup.py, expected status, expected part of the error (None: there is none)
ENDINGS = [
    ('install', 'def install():\n    pass', 'OK', None),
    ('install', 'def install():\n    return 0', 'OK', None),
    ('install', 'def install():\n    return False', 'OK', None),
    ('install', 'def install():\n    return "WARNING"', 'WARNING', None),
    ('install', 'def install():\n    return 3010', '3010', None),
    ('install', 'def install():\n    return True', 'True', None),
    ('install', 'def install():\n    return "two\\nlines"', 'two lines', None),
    ('install', 'def install():\n    return ""', 'ERROR', 'empty text'),
    ('install', 'def install():\n    raise ValueError("no such thing")', 'ERROR', 'ValueError: no such thing'),
    ('install', 'from setuphelpers import *\ndef install():\n    error("broken")', 'ERROR',
     'EWaptSetupException: Fatal error : broken'),
    ('install', 'from setuphelpers import *\ndef install():\n    raise EWaptInstallError("later", retry_count=2)',
     'ERROR', 'EWaptInstallError: later'),
    ('install', 'raise RuntimeError("module body")', 'ERROR', 'RuntimeError: module body'),
    ('install', 'import sys\ndef install():\n    sys.exit(0)', 'ERROR', 'SystemExit: the script called exit(0)'),
    ('install', 'import sys\nsys.exit(0)', 'ERROR', 'SystemExit'),
    ('install', 'def install():\n    raise KeyboardInterrupt', 'ERROR', 'KeyboardInterrupt'),
    ('install', 'def install():\n    raise BaseException("base")', 'ERROR', 'BaseException: base'),
    ('install', 'def install():\n    install()', 'ERROR', 'RecursionError'),
    ('install', 'import os\ndef install():\n    os._exit(0)', 'ERROR', 'status 0 before install()'),
    ('install', 'import os\ndef install():\n    os._exit(7)', 'ERROR', 'status 7 before install()'),
    ('install', 'import os\ndef install():\n    os.kill(os.getpid(), 9)', 'ERROR', 'killed by signal SIGKILL'),
    ('install', 'import ctypes\ndef install():\n    ctypes.string_at(0)', 'ERROR', 'killed by signal SIGSEGV'),
    ('install', 'import os\ndef install():\n    os.execv("/bin/true", ["true"])', 'ERROR', 'status 0 before install()'),
    ('install', 'import atexit, os\ndef install():\n    atexit.register(os._exit, 0)', 'ERROR', 'before install()'),
    ('install', 'import atexit\ndef install():\n    atexit._clear()', 'ERROR', 'before install()'),
    ('install', 'def other():\n    pass', 'OK', None),
    ('install', None, 'OK', None),
    ('uninstall', 'def uninstall():\n    return "whatever"', 'OK', None),
    ('uninstall', 'def uninstall():\n    raise OSError("busy")', 'ERROR', 'OSError: busy'),
    ('uninstall', 'def install():\n    pass', 'OK', None),
    ('uninstall', 'import os\ndef uninstall():\n    os._exit(0)', 'ERROR', 'before uninstall()'),
    ('audit', 'def audit():\n    return "OK"', 'OK', None),
    ('audit', 'def audit():\n    return "WARNING"', 'WARNING', None),
    ('audit', 'def audit():\n    return "ERROR"', 'ERROR', None),
    ('audit', 'def audit():\n    pass', 'UNKNOWN', None),
    ('audit', 'def audit():\n    return "ok"', 'UNKNOWN', None),
    ('audit', 'def audit():\n    return ["OK"]', 'UNKNOWN', None),
    ('audit', 'def audit():\n    1/0', 'ERROR', 'ZeroDivisionError'),
    ('audit', 'def audit( ):\n    1/0', 'OK', None),
    ('audit', 'import sys\ndef audit():\n    sys.exit("OK")', 'ERROR', 'SystemExit'),
    ('audit', None, 'OK', None),
    ('session_setup', 'def session_setup():\n    pass', 'OK', None),
    ('session_setup', 'def session_setup():\n    return True', 'RETRY', None),
    ('session_setup', 'def session_setup():\n    raise OSError("x")', 'ERROR', 'OSError: x'),
    ('session_setup', 'def session_setup(a=1):\n    raise OSError("x")', 'OK', None),
    ('update_package', 'def update_package():\n    return True', 'OK', None),
    ('update_package', 'def update_package():\n    raise OSError("x")', 'ERROR', 'OSError: x'),
]


@pytest.mark.parametrize('name,script,status,error', ENDINGS)
def test_ending(hook, name, script, status, error):
    got = hook(name, script)
    assert got.status == 0, got
    assert got.result['status'] == status, got
    if error is None:
        assert got.result['error'] is None
    else:
        assert error in got.result['error']


def test_result_has_exactly_the_promised_members(hook):
    got = hook('install', 'uninstallkey = "a, b"\ndef install():\n    return "WARNING"', params={'x': [1, None, 'é']})
    assert got.result == {'status': 'WARNING', 'returned': 'WARNING', 'error': None, 'uninstallkey': ['a', 'b'],
                          'params': {'x': [1, None, 'é']}, 'params_store_changes': {}, 'wishes': [], 'agent_upgrade': ''}
    assert got.raw.count(b'\n') == 1


# What a script might do, by accident or as a short cut, to the descriptors that it finds.
FORGED = b'{"status":"OK","returned":null,"error":null,"uninstallkey":[],"params":{},"params_store_changes":{},"wishes":[]}\n'
FORGERIES = {
    'number 4': 'os.write(4, FORGED)',
    'all numbers, then out': 'everywhere(); os._exit(0)',
    'all numbers, then back': 'everywhere()',
    'all numbers, from a child': 'pid = os.fork()\n    if pid == 0:\n        everywhere(); os._exit(0)\n    os.waitpid(pid, 0); os._exit(0)',
    'all that /proc lists': 'listed(); os._exit(0)',
    'close all': 'os.closerange(3, 5000)',
    'close all, then out': 'os.closerange(3, 5000); os._exit(0)',
}


@pytest.mark.parametrize('how', FORGERIES)
def test_no_forged_result_counts(hook, how):
    got = hook('install', '''
import os
FORGED = %r
def everywhere():
    for fd in range(3, 5000):
        try: os.write(fd, FORGED)
        except OSError: pass
def listed():
    for fd in os.listdir('/proc/self/fd'):
        try: os.write(int(fd), FORGED)
        except OSError: pass
def install():
    %s
''' % (FORGED, FORGERIES[how]))
    assert got.result is None or got.result['status'] == 'ERROR', got
    assert got.status == 0 and got.result is not None


def test_programs_of_the_script_get_no_descriptor_but_the_usual(hook):
    got = hook('install', 'import os\ndef install():\n    os.system("exec /bin/ls /proc/self/fd")')
    assert got.result['status'] == 'OK'
    assert got.output.split() == ['0', '1', '2', '3']  # 3: the directory that ls reads


def test_a_process_that_the_script_forks_and_lets_run_on_reports_nothing(hook):
    got = hook('install', '''
import os
def install():
    if os.fork() == 0:
        return 'WARNING'
    os.wait()
''')
    assert got.result['status'] == 'OK'


def test_the_script_does_not_outlive_the_runner(hook):
    got = hook('install', '''
import os, time
def install():
    runner = os.getppid()
    os.kill(runner, 9)
    while os.getppid() == runner:
        pass
    time.sleep(0.5)
    print('survived')
''')
    assert got.status == -9 and got.raw == b'' and got.output == ''


def test_threads_end_before_the_result(hook):
    got = hook('install', '''
import threading
def install():
    go = threading.Event()
    threading.Thread(target=lambda: (go.wait(), print('thread done'))).start()
    threading.Timer(0.05, go.set).start()
''')
    assert got.result['status'] == 'OK' and 'thread done' in got.output


def test_huge_output_passes(hook):
    got = hook('install', '''
import sys
def install():
    for _ in range(200):
        print('x' * 99999)
    sys.stderr.write('last words')
''')
    assert got.result['status'] == 'OK'
    assert len(got.output) == 200 * 100000 + len('last words')


def test_output_is_utf8_and_in_order_whatever_the_locale(hook):
    got = hook('install', '''
def install():
    print('début')
    run('echo between >&2', return_stderr=False)
    import os; os.system('echo système')
    print('odd \\udcff')
''', env={'PATH': '/usr/bin:/bin', 'LANG': 'C'})
    assert got.output == 'début\nsystème\nodd \\udcff\n'


def test_traceback_goes_to_the_output_without_the_runners_own_lines(hook):
    got = hook('audit', 'def helper():\n    1/0\ndef audit():\n    helper()')
    assert 'line 4, in audit' in got.output and 'helper()' in got.output
    assert 'wapt_script' not in got.output and 'wapt_runner' not in got.output


GLOBALS = '''
from setuphelpers import *
def %s():
    print([control.package, control['version'], control.asrequirement(), basedir, force, language, user, usergroups,
           persistent_dir, persistent_source_dir, WAPT.wapt_base_dir, WAPT.host_uuid, run('echo hi').returncode])
'''


@pytest.mark.parametrize('name,force', [('install', False), ('uninstall', None), ('audit', None)])
def test_injected_globals(hook, name, force):
    got = hook(name, GLOBALS % name, persistent_source_dir='/src')
    private = str(hook.package.parent / 'private' / 'persistent' / 'uuid')
    assert eval(got.output.splitlines()[-1]) == [
        'test-a', '1.0-1', 'test-a (=1.0-1)', str(hook.package), force, 'en', 'nobody', ['staff'],
        private, '/src', '/opt/wapt', 'H-1', 0]


def test_module_name_and_file(hook):
    got = hook('install', 'import sys\ndef install():\n    print(__name__, __file__, __name__ in sys.modules)')
    name, path, known = got.output.split()
    assert name.startswith('__waptsetup_') and path == str(hook.package / 'setup.py') and known == 'True'


def test_modules_of_the_package_are_found_at_install_only(hook):
    script = 'def %s():\n    import beside\n    print(beside.X)\n    return "OK"'
    files = {'beside.py': 'X = 5\n', 'json.py': 'raise RuntimeError("shadowed")\n'}
    assert hook('install', script % 'install', files=files).output == '5\n'
    assert 'ModuleNotFoundError' in hook('audit', script % 'audit').result['error']


# hook, module level, given, what the hook sees, what is kept
PARAMS = [
    ('install', '', {'a': 1}, {'a': 1}, {'a': 1}),
    ('install', 'params = {"a": 0, "b": 2}', {'a': 1}, {'a': 1, 'b': 2}, {'a': 1}),
    ('install', 'required_params = ["a"]', {'a': 1}, {'a': 1}, {'a': 1}),
    ('install', 'required_params = "a"', {'a': 1}, {'a': 1}, {'a': 1}),
    ('install', 'required_params = {"a": 9}', {}, {'a': 9}, {}),
    ('audit', 'required_params = ["a"]', {}, {'a': None}, {}),
    ('audit', 'required_params = {"a": 9, "b": 8}', {'b': 1}, {'a': 9, 'b': 1}, {'b': 1}),
    ('audit', 'params = {"a": 5}\nrequired_params = ["a"]', {}, {'a': 5}, {}),
    ('uninstall', 'required_params = ["a"]', {'b': 1}, {'b': 1}, {'b': 1}),
    ('install', 'params = 5', {'a': 1}, {'a': 1}, {'a': 1}),
    ('install', 'from setuphelpers import *', {'a': 1}, {'a': 1}, {'a': 1}),
]


@pytest.mark.parametrize('name,head,given,seen,kept', PARAMS)
def test_params(hook, name, head, given, seen, kept):
    got = hook(name, '%s\ndef %s():\n    print(repr(params))\n    return "OK"' % (head, name), params=given)
    assert eval(got.output.splitlines()[-1]) == seen
    assert got.result['params'] == kept


@pytest.mark.parametrize('required', ['["key"]', '"key"', '{"key": None}', '["other", "key"]'])
def test_required_parameter_missing(hook, required):
    got = hook('install', 'required_params = %s\ndef install():\n    print("ran")' % required, params={'other': 1})
    assert got.result['status'] == 'ERROR' and 'ran' not in got.output
    assert got.result['error'] == 'EWaptException: Required parameters key is not supplied'


def test_parameters_that_the_hook_sets_are_kept(hook):
    got = hook('install', '''
def install():
    params['made'] = {'x': 1.5}
    params['given'].append(2)
    params['odd'] = object()
    del params['gone']
''', params={'given': [1], 'gone': 1, 'same': 's'})
    assert got.result['status'] == 'OK'
    assert got.result['params'] == {'made': {'x': 1.5}, 'given': [1, 2], 'same': 's'}
    assert 'the parameter odd is not kept' in got.output


def test_kept_values_of_the_agent(hook):
    wapt = {'params_store': {'old': '5', 'gone': 1}, 'takes_wishes': True,
            'installed': [{'package': 'demo', 'version': '2.0-3', 'install_status': 'OK'},
                          {'package': 'bad', 'version': '1', 'install_status': 'ERROR'}]}
    got = hook('audit', '''
def audit():
    assert WAPT.read_param('old', ptype=int) == 5 and WAPT.read_param('none', 'd') == 'd'
    WAPT.write_param('new', {'a': [1, 'é']})
    WAPT.delete_param('gone')
    assert WAPT.read_param('new') == {'a': [1, 'é']} and WAPT.read_param('gone') is None
    assert WAPT.is_installed('demo').version == '2.0-3' and WAPT.is_installed('demo(>=2.0)')
    assert not WAPT.is_installed('demo(>2.0)') and not WAPT.is_installed('bad') and not WAPT.is_installed('nothing')
    assert WAPT.is_installed('bad', include_errors=True)
    return 'OK'
''', wapt=wapt)
    assert got.result['error'] is None
    assert got.result['params_store_changes'] == {'new': {'a': [1, 'é']}, 'gone': None}


def test_work_on_other_packages_is_asked_for(hook):
    wapt = {'takes_wishes': True, 'installed': [{'package': 'old', 'version': '1'}, {'package': 'bad', 'version': '2', 'install_status': 'ERROR'}]}
    got = hook('install', '''
def install():
    assert WAPT.install('a, b(>=2)', force=True)['install'] == [['a', None], ['b(>=2)', None]]
    assert WAPT.remove(['old', 'none', 'bad']) == {'removed': ['old', 'bad'], 'errors': []} and WAPT.remove('none')['removed'] == []
    WAPT.forget_packages(control); WAPT.update(); WAPT.upgrade()
    assert WAPT.waptdb.installed_package_names() == ['old'] and WAPT.waptdb.installed_matching('old(=1)').package == 'old'
    WAPT.waptdb.set_param('k', 1); assert WAPT.waptdb.get_param('k') == 1
''', wapt=wapt)
    assert got.result['wishes'] == [{'op': op, 'packages': packages, 'force': force} for op, packages, force in (
        ('install', ['a', 'b(>=2)'], True), ('remove', ['old', 'bad'], False), ('forget', ['test-a'], False), ('update', [], False),
        ('upgrade', [], False))], got
    assert got.result['params_store_changes'] == {'k': 1} and 'install a b(>=2): the agent does it' in got.output


@pytest.mark.parametrize('files,says', [
    (['wapt-agent_2_amd64.deb', 'wapt-agent_2_arm64.deb'], ''), (['wapt-agent_2_arm64.deb'], '0 files'), (['wapt-agent_1.0-1_amd64.deb'], 'no newer one'),
    (['wapt-agent_0.9_amd64.deb'], 'no newer one'), (['wapt-agent_2_amd64.deb', 'wapt-agent_3_amd64.deb'], '2 files')])
def test_the_agent_is_replaced_by_a_newer_one_for_this_machine(hook, files, says):
    script = '''
import os
def answer(name, text):
    with open('bin/' + name, 'w') as f:
        f.write('#!/bin/sh\\n' + text)
    os.chmod('bin/' + name, 0o755)
def install():
    os.mkdir('bin'); os.environ['PATH'] = os.getcwd() + '/bin:' + os.environ['PATH']
    answer('dpkg', 'case $1 in --print-architecture) echo amd64;; *) exec /usr/bin/dpkg "$@";; esac')
    answer('dpkg-query', 'printf 1.0-1')
    answer('dpkg-deb', 'v=${2#*_}; if [ "$3" = Package ]; then echo Package: wapt-agent; echo Architecture: ${v#*_} | sed "s/.deb//"; else echo ${v%%_*}; fi')
    for name in %r:
        open(name, 'w').close()
    print(WAPT.upgrade_agent())
'''
    got = hook('install', script % files)
    assert (got.result['agent_upgrade'], got.result['status']) == (('', 'ERROR') if says else (files[0], 'OK')), got
    assert says in (got.result['error'] or ''), got


@pytest.mark.parametrize('line', ['WAPT.upgrade_agent()', 'WAPT.install("x")', 'WAPT.remove(["old"])', 'WAPT.write_param("a", 1)', 'WAPT.delete_param("a")', 'WAPT.upgrade()'])
def test_nobody_listens_to_a_users_script(hook, line):
    got = hook('session_setup', 'def session_setup():\n    %s\n' % line, wapt={'installed': [{'package': 'old', 'version': '1'}]})
    assert got.result['status'] == 'ERROR' and 'runs as root' in got.result['error'] and not got.result['wishes']


@pytest.mark.parametrize('line,hint', [('WAPT.install("x", params_dict={"a": 1})', 'params_dict'), ('WAPT.install("x", download_only=True)', 'download_only'),
                                       ('WAPT.waptdb.query("x")', 'database'), ('WAPT.uninstall_cmd("{A}")', 'for Windows'),
                                       ('WAPT.registry_uninstall_snapshot()', 'for Windows'), ('WAPT.db', 'database'),
                                       ('WAPT.nonsense()', 'WAPT.nonsense'), ('WAPT.write_param("a", object())', 'object')])
def test_what_the_engine_can_not_do_is_an_error(hook, line, hint):
    got = hook('install', 'def install():\n    %s' % line)
    assert got.result['status'] == 'ERROR' and hint in got.result['error']


RETURNED = [('1', 1), ('[1, {"a": None}]', [1, {'a': None}]), ('(1, 2)', [1, 2]), ('{1: 2}', '{1: 2}'),
            ('float("inf")', 'inf'), ('10**30', str(10 ** 30)), ('b"x"', "b'x'"), ('"a\\0b"', 'a\ufffdb'),
            ('"\\udc80"', '?')]


@pytest.mark.parametrize('value,described', RETURNED)
def test_returned_values_are_told_in_strict_json(hook, value, described):
    got = hook('update_package', 'def update_package():\n    return %s' % value)
    assert got.result['returned'] == described


def test_big_and_deep_values_are_bounded(hook):
    got = hook('install', 'def install():\n    x = []\n    for _ in range(5000):\n        x = [x]\n    return x')
    assert got.result['status'] != 'OK' and len(got.raw) < 100000
    got = hook('install', 'def install():\n    return "y" * 10**7')
    assert got.result['status'] == 'y' * 255 and len(got.raw) < 100000
    got = hook('install', 'def install():\n    params["x"] = "y" * 10**7')
    assert got.result['status'] == 'ERROR' and 'longer than' in got.result['error']


@pytest.mark.parametrize('script', ['def install(:\n    pass\n', 'print "old"\ndef install(:\n    pass\n'])
def test_what_is_of_no_python_is_told_with_its_line(hook, script):
    got = hook('install', script)
    assert got.result['status'] == 'ERROR' and 'line %d' % (script.count('\n', 0, script.index('(:')) + 1) in got.result['error']


@pytest.mark.parametrize('data', [b'def install():\n    x = "\xe9"\n', b'x = 1\0\n'])
def test_bytes_that_are_no_source(hook, data):
    got = hook('install', data)
    assert got.result['status'] == 'ERROR' and got.result['error'].startswith('SyntaxError') and 'line' in got.result['error']


def test_byte_order_mark_and_coding_cookie(hook):
    assert hook('install', b'\xef\xbb\xbf# coding: utf-8\ndef install():\n    print("\xc3\xa9")\n').output == 'é\n'
    assert hook('install', b'# coding: latin-1\ndef install():\n    print("\xe9")\n').output == 'é\n'


def test_persistent_files_are_brought_anew_at_install(hook, tmp_path):
    source = hook.package / 'WAPT' / 'persistent'
    kept = tmp_path / 'private' / 'persistent' / 'uuid'
    script = '''
import os
def install():
    print(sorted(os.listdir(persistent_dir)))
    open(os.path.join(persistent_dir, 'made'), 'w').close()
def audit():
    print(sorted(os.listdir(persistent_dir)))
    return 'OK'
'''
    files = {'WAPT/persistent/a.txt': 'a', 'WAPT/persistent/sub/b.txt': 'b'}
    assert hook('install', script, files=files, persistent_source_dir=str(source)).output == "['a.txt', 'sub']\n"
    assert hook('audit', script, persistent_source_dir=str(source)).output == "['a.txt', 'made', 'sub']\n"
    assert hook('install', script, persistent_source_dir=str(source)).output == "['a.txt', 'sub']\n"
    assert hook('install', script, persistent_source_dir=str(tmp_path / 'none')).output == '[]\n'
    assert kept.is_dir()


@pytest.mark.parametrize('folder', ['/', '/tmp', 'relative/dir', '.', '{package}', '{package}/..'])
def test_persistent_directory_that_would_do_harm_is_refused(hook, folder):
    folder = folder.replace('{package}', str(hook.package))
    got = hook('install', 'def install():\n    pass', files={'keep': 'x'}, persistent_dir=folder)
    assert got.result['status'] == 'ERROR' and 'persistent' in got.result['error']
    assert (hook.package / 'keep').exists()


def test_files_of_the_script_have_usual_permissions_and_home_is_known(hook):
    got = hook('install', '''
import os
def install():
    open('made', 'w').close()
    print(oct(os.stat('made').st_mode & 0o777), os.environ['HOME'] == os.path.expanduser('~'))
''')
    assert got.output == '0o644 True\n'


def test_nothing_is_asked(hook):
    got = hook('install', 'def install():\n    input("licence? ")')
    assert got.result['error'].startswith('EOFError')


REQUESTS = {
    'empty': b'', 'no json': b'{', 'no object': b'[]', 'no hook': b'{}', 'unknown hook': b'{"hook":"pre_install"}',
    'dunder': b'{"hook":"__init__"}', 'wrong type': b'{"hook":"install","params":[]}', 'not utf-8': b'{"hook":"install\xff"}',
    'nan': b'{"hook":"install","params":{"a":NaN}}', 'other directory': b'{"hook":"install","basedir":"/usr"}',
    'deep': b'{"hook":"install","params":' + b'[' * 100000, 'not a text': b'{"hook":["install"]}',
}


@pytest.mark.parametrize('what', REQUESTS)
def test_improper_requests(tmp_path, what):
    (tmp_path / 'setup.py').write_text('def install():\n    print("ran")')
    got = run_runner(REQUESTS[what], str(tmp_path))
    assert got.status == 2 and got.raw == b'' and 'ran' not in got.output
    assert 'wapt_runner: cannot run a script' in got.output and 'Traceback' not in got.output


def test_smallest_request(tmp_path):
    (tmp_path / 'setup.py').write_text('def install():\n    print(user, language, control.version, WAPT.host_uuid)')
    got = run_runner(b'{"hook":"install"}', str(tmp_path))
    assert got.status == 0 and got.result['status'] == 'OK', got


def test_result_that_nobody_reads_is_not_success(tmp_path):
    import subprocess
    (tmp_path / 'setup.py').write_text('def install():\n    pass')
    (tmp_path / 'request').write_text(json.dumps({'hook': 'install'}))
    from conftest import RUNNER
    done = subprocess.run(['/bin/bash', '-c', 'exec /usr/bin/python3 -I -B "$0" 3<request 4>/dev/full', RUNNER],
                          cwd=tmp_path, capture_output=True)
    assert done.returncode == 1 and b'cannot tell the result' in done.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason='gives up rights, so needs them')
def test_session_setup_as_a_user_who_can_not_reach_the_package_by_its_path(tmp_path):
    import subprocess
    import fcntl
    from conftest import RUNNER
    stage = tmp_path / 'private' / 'stage'
    stage.mkdir(parents=True)
    (stage / 'setup.py').write_text('import os\ndef session_setup():\n    print(os.geteuid(), basedir)\n    1/0')
    (stage.parent).chmod(0o700)
    request = tmp_path / 'request'
    request.write_text(json.dumps({'hook': 'session_setup', 'basedir': str(stage)}))
    result = tmp_path / 'result'
    libdir = tmp_path / 'lib'
    shell = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups /usr/bin/python3 -I -B "$0" 3<"$1" 4>"$2"'
    if subprocess.run(['setpriv', '--reuid', '65534', '--clear-groups', 'test', '-r', RUNNER]).returncode != 0:
        import shutil
        open_to_all = '/tmp/%s' % os.urandom(6).hex()
        shutil.copytree(os.path.dirname(RUNNER), open_to_all)
        runner = os.path.join(open_to_all, 'wapt_runner.py')
    else:
        open_to_all, runner = None, RUNNER
    try:
        done = subprocess.run(['/bin/bash', '-c', shell, runner, str(request), str(result)], cwd=stage, capture_output=True)
    finally:
        if open_to_all:
            shutil.rmtree(open_to_all)
    told = json.loads(result.read_text())
    assert done.returncode == 0 and done.stdout == b'65534 %s\n' % str(stage).encode()
    assert told['status'] == 'ERROR' and b'1/0' in done.stderr
