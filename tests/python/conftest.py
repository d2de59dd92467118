"""What the tests of the Python part share: the shipped modules on the path, and a way to run one hook as the launcher does."""

import fcntl
import json
import os
import subprocess
import sys
import threading

import pytest

LIBDIR = os.path.abspath(os.path.join(os.path.dirname(__file__), '..', '..', 'python'))
RUNNER = os.path.join(LIBDIR, 'wapt_runner.py')
sys.path.insert(0, LIBDIR)
sys.dont_write_bytecode = True


class Outcome:
    """How a run ended: exit status, output, the bytes on the result's descriptor, and the result if it is one line of JSON."""

    def __init__(self, status, output, raw):
        self.status, self.output, self.raw = status, output, raw
        self.result = json.loads(raw) if raw.count(b'\n') == 1 and raw.endswith(b'\n') else None

    def __repr__(self):
        return 'Outcome(%r, %r, %r)' % (self.status, self.raw, self.output[-2000:])


def _high_pipe():
    ends = os.pipe()
    high = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 20) for fd in ends]
    for fd in ends:
        os.close(fd)
    return high


def _drain(fd, chunks):
    with open(fd, 'rb') as source:
        chunks.append(source.read())


def run_runner(request, cwd, env=None, user=None):
    """Start the runner with exactly descriptors 0 to 4, give it the bytes of a request, return the Outcome."""
    request_read, request_write = _high_pipe()
    result_read, result_write = _high_pipe()
    redirections = '3<&%d 4>&%d %d<&- %d>&-' % (request_read, result_write, request_read, result_write)
    process = subprocess.Popen(
        ['/bin/bash', '-c', 'exec /usr/bin/python3 -I -B "$0" ' + redirections, RUNNER], cwd=cwd,
        env={'PATH': '/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C.UTF-8'} if env is None else env,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        pass_fds=(request_read, result_write), start_new_session=True)
    os.close(request_read)
    os.close(result_write)
    chunks = []
    reader = threading.Thread(target=_drain, args=(result_read, chunks))
    reader.start()
    try:
        with open(request_write, 'wb') as target:
            target.write(request)
    except BrokenPipeError:
        pass
    output = process.communicate()[0]
    reader.join()
    return Outcome(process.returncode, output.decode('utf-8', 'replace'), chunks[0])


@pytest.fixture
def hook(tmp_path):
    """A function that runs one hook of the text of a setup.py, in a package directory of its own."""
    package = tmp_path / 'package'

    def call(name, script, env=None, files=(), **request):
        package.mkdir(exist_ok=True)
        if script is not None:
            data = script if isinstance(script, bytes) else script.encode('utf-8')
            (package / 'setup.py').write_bytes(data)
        for path, text in dict(files).items():
            (package / path).parent.mkdir(parents=True, exist_ok=True)
            (package / path).write_text(text)
        asked = {'hook': name, 'basedir': str(package), 'control': {'package': 'test-a', 'version': '1.0-1'},
                 'params': {}, 'force': False, 'language': 'en', 'user': 'nobody', 'usergroups': ['staff'],
                 'persistent_dir': str(tmp_path / 'private' / 'persistent' / 'uuid'), 'persistent_source_dir': None,
                 'wapt': {'wapt_base_dir': '/opt/wapt', 'host_uuid': 'H-1', 'config_filename': '/nowhere.ini',
                          'installed': [], 'params_store': {}, 'takes_wishes': True}}
        asked.update(request)
        return run_runner(json.dumps(asked).encode(), str(package), env)

    call.package = package
    return call
