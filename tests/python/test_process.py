"""Commands and processes: what run() returns and raises, and that nothing stays behind."""

import os
import signal
import subprocess
import sys
import time

import pytest

from conftest import LIBDIR
from setuphelpers import *

PY = [sys.executable, '-I', '-c']


def test_output_and_return_code():
    got = run('echo out; echo err >&2')
    assert got == 'out\nerr\n' and got.returncode == 0 and isinstance(got, str)
    assert run(['printf', '%s|', 'a b', '$HOME', ';']) == 'a b|$HOME|;|'
    assert run('printf %s "a b"', shell=False) == 'a b'


@pytest.mark.parametrize('code,accepted,fails', [
    (0, None, False), (5, None, False), (3010 % 256, [194], False), (1, [0, 3010], True), (0, [1], True),
    (5, 5, False), (5, (0, 5), False)])
def test_return_codes(code, accepted, fails):
    if fails:
        with pytest.raises(CalledProcessError) as raised:
            run('echo told; exit %d' % code, accept_returncodes=accepted)
        assert raised.value.returncode == code and raised.value.output == 'told\n' and 'told' in str(raised.value)
        assert isinstance(raised.value, CalledProcessErrorOutput)
    else:
        assert run('exit %d' % code, accept_returncodes=accepted).returncode == code


def test_death_by_signal_is_an_error():
    with pytest.raises(CalledProcessError) as raised:
        run('kill -9 $$')
    assert raised.value.returncode == -signal.SIGKILL


def test_standard_error_apart():
    lines = []
    assert run('echo out; echo e1 >&2; echo e2 >&2', return_stderr=lines) == 'out\n' and lines == ['e1\n', 'e2\n']
    assert run('echo out; echo err >&2', return_stderr=False) == 'out\n'
    with pytest.raises(CalledProcessError, match='why it failed'):
        run('echo why it failed >&2; exit 1', return_stderr=False)


def test_on_write_and_pidlist():
    seen, pids = [], []
    run('echo a; echo b', on_write=lambda line: seen.append((line, list(pids))), pidlist=pids)
    assert [line for line, _ in seen] == ['a\n', 'b\n'] and pids == []
    assert run('true', on_write=seen.append) == ''

    def broken(line):
        raise ValueError('in the callback')
    with pytest.raises(ValueError, match='in the callback'):
        run('echo a; echo b', on_write=broken)


def test_options_of_popen(tmp_path):
    assert run('pwd; echo $X', cwd=str(tmp_path), env={'X': 'y'}) == '%s\ny\n' % tmp_path
    assert run('cat') == ''


def test_bytes_that_are_not_utf8():
    assert run("printf '\\351\\n\\303\\251'") == 'é\né'


def test_much_on_both_pipes():
    lines = []
    script = 'import sys\nfor _ in range(20000):\n    print("o" * 50)\n    print("e" * 50, file=sys.stderr)'
    assert len(run(PY + [script], return_stderr=lines)) == 20000 * 51 and len(lines) == 20000


def test_a_command_that_does_not_exist():
    with pytest.raises(FileNotFoundError):
        run(['/nonexistent/tool'])
    with pytest.raises(CalledProcessError):
        run('/nonexistent/tool')


def alive(pid):
    return any(process.pid == pid for process in find_processes('sleep'))


def test_timeout_kills_all_and_tells_the_output(tmp_path):
    pidfile = tmp_path / 'pids'
    # One child in the group, one that has left it; both hold the pipe.
    script = 'echo begun; sleep 1000 & echo $! >> %s; setsid sleep 1000 & echo $! >> %s; wait' % (pidfile, pidfile)
    with pytest.raises(TimeoutExpired) as raised:
        run(script, timeout=6)
    assert raised.value.output == 'begun\n' and raised.value.timeout == 6 and 'begun' in str(raised.value)
    assert isinstance(raised.value, subprocess.TimeoutExpired)
    pids = [int(line) for line in pidfile.read_text().split()]
    assert len(pids) == 2
    late = time.monotonic() + 60
    while any(alive(pid) for pid in pids):  # killed, each ends when it has its turn
        assert time.monotonic() < late
        time.sleep(0.01)


def test_timeout_when_only_a_background_process_is_left():
    with pytest.raises(TimeoutExpired):
        run('sleep 1000 & exit 0', timeout=0.5)


def test_run_notfatal(capsys):
    assert run_notfatal('echo x; exit 7') == 'x\n'
    assert run_notfatal(['/nonexistent/tool']) == ''
    assert 'Warning' in capsys.readouterr().out
    assert run_notfatal('sleep 100', timeout=0.2) == ''


@pytest.fixture
def sleeper(tmp_path):
    """Starts copies of sleep under a name that no other process has, optionally with a child."""
    started = []

    def start(name, child=False):
        path = tmp_path / name
        if not path.exists():
            path.write_bytes(open('/bin/sleep', 'rb').read())
            path.chmod(0o755)
        process = subprocess.Popen([str(path), '1000'])
        started.append(process)
        while not isrunning(name):
            pass
        return process
    yield start
    for process in started:
        process.kill()
        process.wait()


def test_isrunning_and_killalltasks(sleeper):
    name = 'wapt-test-%d-longname' % os.getpid()
    assert not isrunning(name)
    process = sleeper(name)
    assert isrunning(name.upper()) and [found.pid for found in find_processes(name)] == [process.pid]
    found = find_processes(name)[0]
    assert found.name() == name and found.cmdline()[1] == '1000' and found.exe().endswith(name)
    assert found.ppid() == os.getpid() and found.is_running()
    assert [item.pid for item in processes_for_file(found.exe())] == [process.pid]
    assert killalltasks(name + '.exe') == [(process.pid, name)]
    process.wait()
    assert not isrunning(name) and killalltasks([name, 'nothing-of-that-name']) == []


def test_processes_for_file_while_another_descriptor_is_closed(tmp_path, monkeypatch):
    def readlink(path, real=os.readlink):
        if path.endswith('/fd/0'):
            raise FileNotFoundError(path)
        return real(path)
    monkeypatch.setattr(os, 'readlink', readlink)
    with open(tmp_path / 'held', 'w'):
        assert [item.pid for item in processes_for_file(str(tmp_path / 'held'), dll=False)] == [os.getpid()]


def test_killalltasks_spares_the_script_itself():
    mine = find_processes(os.path.basename(sys.executable)) or find_processes('python3')
    assert os.getpid() in [process.pid for process in mine]
    code = ('import os, sys; sys.path.insert(0, %r); import setuphelpers; name = "wapt-%%d" %% os.getpid(); '
            'open("/proc/self/comm", "w").write(name); '
            'print(setuphelpers.isrunning(name), setuphelpers.killalltasks(name))' % LIBDIR)
    assert run(PY + [code]) == 'True []\n'


def test_killtree():
    process = subprocess.Popen(['/bin/sh', '-c', 'sleep 1000 & sleep 1000 & wait'])
    children = []
    while len(children) < 2:
        children = [p for p in find_processes('sleep') if p.ppid() == process.pid]
    killtree(process.pid, including_parent=False)
    process.wait()
    assert not any(child.is_running() for child in children)
    killtree(process.pid)
