"""Running commands and finding, waiting for and killing processes.

A command given as a list runs without a shell; a text is given to the shell, as
in WAPT. Each command leads a process group of its own so that nothing of it
stays behind when its time is over. Standard input is empty: nothing may ask.
"""

import errno
import fnmatch
import glob
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time

from .errors import CalledProcessErrorOutput, EWaptSetupException, TimeoutExpired
from .text import ensure_list, ensure_unicode

COMM_MAX = 15  # the kernel cuts a process name to this many characters


class RunOutput(str):
    """The output of a command, a text with the attribute returncode."""

    def __new__(cls, output, returncode=None):
        self = super().__new__(cls, output)
        self.returncode = returncode
        return self

    def decode(self, _encoding='utf-8', _errors='strict'):
        """Return the text: it is decoded already, unlike that of Python 2."""
        return str(self)


def run(cmd, shell=True, timeout=600, accept_returncodes=[0, 3010], on_write=None, pidlist=None,
        return_stderr=True, **kwargs):
    """Run a command, wait for its end and return its output.

    The output has the attribute returncode. Standard error is part of it, in the order of writing,
    or goes line by line to return_stderr if that is a list, or is left out if that is false.
    on_write is called with each line. pidlist holds the command's process id while it runs.
    A return code that is not accepted (None accepts all) raises CalledProcessErrorOutput; when
    timeout seconds (None: no limit) are over, all its processes are killed and TimeoutExpired is raised.
    """
    if not isinstance(cmd, str):
        cmd, shell = [os.fspath(item) for item in cmd], False
    elif not shell:
        cmd = shlex.split(cmd)
    kwargs.setdefault('stdin', subprocess.DEVNULL)
    kwargs.setdefault('start_new_session', True)
    kwargs.update(stdout=subprocess.PIPE)
    merged = return_stderr is True
    kwargs.update(stderr=subprocess.STDOUT if merged else subprocess.PIPE)
    process = subprocess.Popen(cmd, shell=shell, **kwargs)
    output, errors = [], return_stderr if isinstance(return_stderr, list) else []
    readers = [_Reader(process.stdout, output, on_write)]
    if not merged:
        readers.append(_Reader(process.stderr, errors, on_write))
    if pidlist is not None:
        pidlist.append(process.pid)
    try:
        returncode = _wait(process, readers, timeout)
    except BaseException:
        _kill_all(process)
        raise
    finally:
        if pidlist is not None and process.pid in pidlist:
            pidlist.remove(process.pid)
    if returncode is None:
        _kill_all(process)
        for reader in readers:
            reader.join(5)
        raise TimeoutExpired(cmd, ''.join(output), timeout)
    text = ''.join(output)
    for reader in readers:
        if reader.failure is not None:
            raise reader.failure
    if accept_returncodes is not None and returncode not in _codes(accept_returncodes):
        raise CalledProcessErrorOutput(returncode, cmd, text if merged else text + ''.join(errors))
    return RunOutput(text, returncode)


def shell_launch(cmd):
    """Open a file or address with the program that the desktop has for it; does not wait."""
    if shutil.which('xdg-open') is None:
        raise EWaptSetupException('cannot open %s: there is no xdg-open here' % cmd)
    subprocess.Popen(['xdg-open', os.fspath(cmd)], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                     start_new_session=True)


def run_notfatal(*cmd, **args):
    """Run a command like run() and return its output whatever its return code; a failure to run it gives ''."""
    args['accept_returncodes'] = None
    try:
        return run(*cmd, **args)
    except (OSError, subprocess.SubprocessError) as failure:
        print('Warning : %s' % failure)
        return RunOutput('')


class _Reader(threading.Thread):
    """Collects the lines of a pipe, so that no pipe is ever full while another is read."""

    def __init__(self, pipe, lines, on_write):
        super().__init__(daemon=True)
        self.pipe, self.lines, self.on_write, self.failure = pipe, lines, on_write, None
        self.start()

    def run(self):
        with self.pipe:
            for raw in self.pipe:
                line = ensure_unicode(raw)
                self.lines.append(line)
                if self.on_write is not None and self.failure is None:
                    try:
                        self.on_write(line)
                    except Exception as failure:  # told to the caller, in its own thread
                        self.failure = failure


def _wait(process, readers, timeout):
    """Return the return code once the command has ended and its pipes are closed, None when the time is over."""
    deadline = None if timeout is None else time.monotonic() + timeout
    for reader in readers:
        reader.join(None if deadline is None else max(0, deadline - time.monotonic()))
        if reader.is_alive():
            return None
    try:
        return process.wait(None if deadline is None else max(0.01, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        return None


def _codes(accept_returncodes):
    return [accept_returncodes] if isinstance(accept_returncodes, int) else accept_returncodes


def _kill_all(process):
    # The command is not yet waited for, so its number can't have gone to another process.
    descendants = _descendants(process.pid)
    if os.getpgid(process.pid) == process.pid:
        os.killpg(process.pid, signal.SIGKILL)
    for pid in descendants + [process.pid]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    process.wait()


class Process:
    """A running process: pid, and what /proc says about it."""

    def __init__(self, pid):
        self.pid = int(pid)

    def _read(self, name):
        try:
            with open('/proc/%d/%s' % (self.pid, name), 'rb') as source:
                return source.read()
        except OSError:
            return b''

    def name(self):
        """Return the name; one that the kernel has cut is completed from the command line."""
        comm = ensure_unicode(self._read('comm')).rstrip('\n')
        if len(comm) >= COMM_MAX:
            for argument in self.cmdline()[:2]:
                full = os.path.basename(argument)
                if full.startswith(comm):
                    return full
        return comm

    def cmdline(self):
        """Return the command and its arguments."""
        return [ensure_unicode(part) for part in self._read('cmdline').split(b'\0')[:-1]]

    def exe(self):
        """Return the path of the program, '' if it can't be told."""
        try:
            return os.readlink('/proc/%d/exe' % self.pid)
        except OSError:
            return ''

    def ppid(self):
        """Return the process id of the parent, 0 if there is none."""
        fields = self._read('stat').rpartition(b')')[2].split()
        return int(fields[1]) if len(fields) > 1 else 0

    def is_running(self):
        """Tell whether the process exists and has not ended."""
        fields = self._read('stat').rpartition(b')')[2].split()
        return bool(fields) and fields[0] not in (b'Z', b'X')

    def children(self, recursive=False):
        """Return the processes that it started; recursive: and theirs."""
        if recursive:
            return [Process(pid) for pid in _descendants(self.pid)]
        return [process for process in _processes() if process.ppid() == self.pid]

    def terminate(self):
        """Ask the process to end."""
        os.kill(self.pid, signal.SIGTERM)

    def kill(self):
        """End the process at once."""
        os.kill(self.pid, signal.SIGKILL)

    def __repr__(self):
        return 'Process(pid=%d, name=%r)' % (self.pid, self.name())


def _processes():
    return [Process(entry) for entry in os.listdir('/proc') if entry.isdigit()]


def _descendants(pid):
    children = {}
    for process in _processes():
        children.setdefault(process.ppid(), []).append(process.pid)
    found, todo = [], [pid]
    while todo:
        below = children.get(todo.pop(), [])
        found.extend(below)
        todo.extend(below)
    return found


def find_processes(process_name):
    """Return the processes named process_name, with or without .exe, upper or lower case."""
    wanted = process_name.lower()
    return [process for process in _processes() if process.is_running() and
            process.name().lower() in (wanted, wanted + '.exe')]


def isrunning(processname):
    """Tell whether a process of that name, with or without .exe, is running."""
    return bool(find_processes(processname))


def killtree(pid, including_parent=True):
    """Kill the descendants of a process, then the process itself."""
    for victim in _descendants(pid) + ([pid] if including_parent else []):
        try:
            os.kill(victim, signal.SIGKILL)
        except ProcessLookupError:
            pass


def killalltasks(exenames, include_children=True):
    """Kill all processes of these names, with or without .exe; return a list of (pid, name).

    The script itself and the processes that it runs under are left alone.
    """
    spared, pid = set(), os.getpid()
    while pid > 0 and pid not in spared:
        spared.add(pid)
        pid = Process(pid).ppid()
    killed = []
    for exename in ensure_list(exenames):
        bare = exename[:-4] if exename.lower().endswith('.exe') else exename
        for process in find_processes(bare):
            if process.pid in spared:
                continue
            killed.append((process.pid, process.name()))
            victims = (_descendants(process.pid) if include_children else []) + [process.pid]
            for victim in victims:
                try:
                    if victim not in spared:
                        os.kill(victim, signal.SIGKILL)
                except ProcessLookupError:
                    pass
    return killed


def processes_for_file(filepath, open_files=True, dll=True):
    """Generate the processes that have a file, given as a path or glob, open or mapped."""
    for process in _processes():
        paths = set()
        if open_files:
            for link in glob.glob('/proc/%d/fd/*' % process.pid):  # of none that ended, or is not ours to look into
                try:
                    paths.add(os.readlink(link))
                except OSError:
                    pass  # closed meanwhile; it has others
        if dll:
            for line in ensure_unicode(process._read('maps')).splitlines():
                paths.add(line.split(None, 5)[5] if len(line.split(None, 5)) > 5 else '')
        if any(fnmatch.fnmatchcase(path, filepath) for path in paths):
            yield process


def file_is_locked(path, timeout=5):
    """Try for timeout seconds to open a file for writing; true if it stays in use (a running program is)."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
            return False
        except FileNotFoundError:
            return False
        except OSError as failure:
            if failure.errno not in (errno.ETXTBSY, errno.EACCES, errno.EBUSY):
                raise
        if time.monotonic() >= deadline:
            return True
        time.sleep(min(1, max(0.01, deadline - time.monotonic())))
