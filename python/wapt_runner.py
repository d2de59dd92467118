"""Runs one hook of the setup.py in the working directory and tells how it ended.

Started as `/usr/bin/python3 -I -B wapt_runner.py` with descriptors 0 (empty), 1 and 2
(the script's output), 3 (one JSON request, to its end) and 4 (one line of JSON, the
result). Exit status: 0 a result was written, 1 it could not be written, 2 there was no
proper request.

The script runs in a child, which does not have the descriptor of the result. It tells
the parent how it ended together with a secret made for this run; whatever else is found
there, and whatever other way the child ends, is an error. That keeps accidents and
shortcuts (os._exit(0), writing to each descriptor) from passing for success; it is no
wall against a script that reads its own memory - such a script could as well return 'OK'.
"""

import atexit
import ctypes  # once, for the script's process and for ours
import fcntl
import json
import os
import re
import resource
import signal
import sys

REQUEST_FD = 3
RESULT_FD = 4
REQUEST_MAX = 16 << 20  # bytes: WA_JSON_BYTES_MAX
RESULT_MAX = 1 << 20    # bytes
FDS_MAX = 4096          # numbers above cost the kernel a table as long
PR_SET_PDEATHSIG = 1
MEMBERS = {'hook': str, 'basedir': str, 'control': dict, 'params': dict, 'force': bool, 'language': str, 'user': str,
           'usergroups': list, 'persistent_dir': str, 'persistent_source_dir': str, 'wapt': dict, 'command': str, 'environment': dict}
DURABLE = ('install', 'uninstall')  # hooks whose end is recorded: what they did outlives a power cut from then on


def hide(fd):
    """Move a descriptor to a number that nobody guesses, closed in programs that the script starts."""
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    limit = FDS_MAX if limit == resource.RLIM_INFINITY else min(limit, FDS_MAX)
    lowest = limit // 2 + int.from_bytes(os.urandom(4), 'big') % max(1, limit // 2 - 16)
    hidden = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, lowest)
    os.close(fd)
    return hidden


def read_request(fd):
    """Return the request, closing fd; ValueError if it is not one."""
    with open(fd, 'rb') as source:
        data = source.read(REQUEST_MAX + 1)
    if len(data) > REQUEST_MAX:
        raise ValueError('it has more than %d bytes' % REQUEST_MAX)
    request = json.loads(data.decode('utf-8'), parse_constant=refuse)
    if not isinstance(request, dict):
        raise ValueError('it is not an object')
    for name, value in request.items():
        if value is not None and not isinstance(value, MEMBERS.get(name, object)):
            raise ValueError('its member %r is not of the right type' % name)
    if request.get('hook') not in wapt_script.HOOKS + wapt_snapshot.HOOKS:
        raise ValueError('it names no hook')
    basedir = request.get('basedir')
    if basedir and os.path.isdir(basedir) and not os.path.samefile(basedir, '.'):
        raise ValueError('the working directory is not %s' % basedir)
    return request


def refuse(constant):
    raise ValueError('%s is no number' % constant)


class Reporter:
    """The child's side: sends the result when all else of the interpreter has ended."""

    def __init__(self, fd, secret):
        self.fd, self.secret, self.pid, self.result = fd, secret, os.getpid(), None

    def send(self):
        for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
            try:
                stream.flush()
            except Exception:
                pass  # replaced or closed by the script, or nobody reads: its result counts all the same
        # A process that the script has forked and let run on comes by here too.
        if self.result is None or os.getpid() != self.pid:
            os._exit(1)
        write_all(self.fd, self.secret + encode(self.result))
        os._exit(0)


def encode(result):
    """Return the line of a result; one that is too long becomes an error."""
    line = json.dumps(result, ensure_ascii=False, allow_nan=False).encode('utf-8', 'replace') + b'\n'
    if len(line) > RESULT_MAX:
        error = 'the result is longer than %d bytes: what the script keeps is for small values' % RESULT_MAX
        return encode(dict(wapt_script.new_result({}), error=error))
    return line


def die_with(parent):
    """Let this process be killed when its parent ends, whatever ends it."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), 'cannot tie the script to its runner')
    if os.getppid() != parent:
        os._exit(1)


def prepare_process():
    """Give the script what the service's start does not: readable text, the user's home, usual permissions."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding='utf-8', errors='backslashreplace', line_buffering=True)
    os.umask(0o022)
    try:
        import pwd
        account = pwd.getpwuid(os.geteuid())
        for name, value in (('HOME', account.pw_dir), ('USER', account.pw_name), ('LOGNAME', account.pw_name)):
            os.environ.setdefault(name, value)
    except KeyError:
        pass  # an id without an account


def run_child(request, reporter, parent):
    """Run the script's hook; the reporter tells the result at the interpreter's end."""
    # Registered first, so called last: threads and exit handlers of the script have ended by then.
    atexit.register(reporter.send)
    die_with(parent)
    prepare_process()
    reporter.result = wapt_script.Script(request).run()


def explain(request, status, answer, secret):
    """Return the line for the agent: the child's own if it is one, else an error that says what happened."""
    proper = os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
    if proper and answer.startswith(secret) and answer.count(secret) == 1 and answer.count(b'\n') == 1 \
            and answer.endswith(b'\n'):
        return answer[len(secret):]
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        names = {item.value: item.name for item in signal.Signals}
        error = 'the script was killed by signal %s' % names.get(number, number)
    elif proper and answer:
        error = 'the script wrote where only its runner may'
    else:
        error = 'the script ended its interpreter with status %d before %s() had come to its end' % (
            os.WEXITSTATUS(status), request['hook'])
    print(error, file=sys.stderr, flush=True)
    return encode(dict(wapt_script.new_result(request), error='EWaptSetupException: ' + error))


def write_all(fd, data):
    while data:
        data = data[os.write(fd, data):]


def main():
    try:
        result_fd, request_fd = hide(RESULT_FD), hide(REQUEST_FD)
        request = read_request(request_fd)
    except (OSError, ValueError, RecursionError) as failure:
        print('wapt_runner: cannot run a script: the request is not proper: %s' % failure, file=sys.stderr)
        return 2
    if request['hook'] in wapt_snapshot.HOOKS:
        return tell(result_fd, encode(wapt_snapshot.run(request)))
    secret = os.urandom(32).hex().encode()
    answer_fd = hide(os.memfd_create('answer'))
    parent = os.getpid()
    child = os.fork()
    if child == 0:
        os.close(result_fd)
        run_child(request, Reporter(answer_fd, secret), parent)
        return 1  # not reached but by way of the reporter, which ends the process
    status = os.waitpid(child, 0)[1]
    answer = os.pread(answer_fd, len(secret) + RESULT_MAX + 1, 0)
    if request['hook'] in DURABLE:
        make_durable()
    return tell(result_fd, explain(request, status, answer, secret))


def make_durable():
    """Have what the script wrote outlive a power cut: on this machine's own disks, since one that is far away may not answer."""
    syncfs = getattr(ctypes.CDLL(None), 'syncfs', None)
    if syncfs is None:
        return os.sync()
    with open('/proc/filesystems') as source:
        own = {line.strip() for line in source if not line.startswith('nodev')} | {'overlay', 'zfs'}
    done = set()
    with open('/proc/self/mounts', encoding='utf-8', errors='surrogateescape') as source:
        mounts = [line.split()[1:3] for line in source]
    for place, kind in mounts:
        if kind not in own:
            continue
        try:
            fd = os.open(re.sub(r'\\([0-7]{3})', lambda octal: chr(int(octal[1], 8)), place), os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            continue  # hidden by another, or a file
        if os.fstat(fd).st_dev not in done:
            done.add(os.fstat(fd).st_dev)
            syncfs(fd)
        os.close(fd)


def tell(result_fd, line):
    """Hand the result to the agent; return the exit status."""
    try:
        write_all(result_fd, line)
    except OSError as failure:
        print('wapt_runner: cannot tell the result: %s' % failure, file=sys.stderr)
        return 1
    return 0


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import wapt_script
    import wapt_snapshot
    sys.exit(main())
