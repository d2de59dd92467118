"""Runs a command with all it starts, sees each change of files below one directory before it is made, and stops the world there.

Linux on x86-64. A seccomp filter lets the kernel stop a process only where it is about to change a file, so that the rest runs at full
speed. What is seen, in order, is what a power cut could leave half done: see powercut.py.
"""
import ctypes
import os
import signal
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
TRACEME, CONT, GETREGS, SETOPTIONS = 0, 7, 12, 0x4200
# fork, vfork, clone, exec, seccomp; all end with the tracer
OPTIONS = 0x2 | 0x4 | 0x8 | 0x10 | 0x80 | 0x100000
EVENT_SECCOMP = 7
O_CREAT, O_TRUNC, O_APPEND = os.O_CREAT, os.O_TRUNC, os.O_APPEND
AT_FDCWD = -100

CALLS = {"write": 1, "pwrite64": 18, "writev": 20, "pwritev": 296, "sendfile": 40, "copy_file_range": 326, "fsync": 74, "fdatasync": 75, "sync": 162,
         "syncfs": 306, "truncate": 76, "ftruncate": 77, "fallocate": 285, "rename": 82, "renameat": 264, "renameat2": 316, "unlink": 87, "unlinkat": 263,
         "rmdir": 84, "mkdir": 83, "mkdirat": 258, "chmod": 90, "fchmod": 91, "fchmodat": 268, "openat2": 437, "creat": 85}
OPENS = {"open": (2, 1), "openat": (257, 2)}  # number, and which argument has the flags
NAMES = {number: name for name, number in CALLS.items()} | {v[0]: k for k, v in OPENS.items()}
LD, JEQ, JSET, RET = 0x20, 0x15, 0x45, 0x06
ALLOW, TRACE, ARCH = 0x7fff0000, 0x7ff00000, 0xc000003e


def program():
    """The filter: what changes files, and opens that make or empty one."""
    simple = sorted(CALLS.values())
    # the two returns stand at the end; jumps count from the next instruction
    total = 3 + len(simple) + 4 * len(OPENS) + 2
    allow, trace = total - 2, total - 1
    code = [(LD, 0, 0, 4), (JEQ, 0, allow - 2, ARCH), (LD, 0, 0, 0)]
    for number in simple:
        code.append((JEQ, trace - len(code) - 1, 0, number))
    for number, argument in OPENS.values():
        code.append((JEQ, 0, 2, number))
        code.append((LD, 0, 0, 16 + 8 * argument))
        code.append((JSET, trace - len(code) - 1, allow - len(code) - 1, O_CREAT | O_TRUNC))
        code.append((LD, 0, 0, 0))
    code += [(RET, 0, 0, ALLOW), (RET, 0, 0, TRACE)]
    assert len(code) == total
    return b"".join(struct.pack("HBBI", *c) for c in code), total


def child(argv, env, output):
    os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.setsid()
    libc.ptrace(TRACEME, 0, None, None)
    os.kill(os.getpid(), signal.SIGSTOP)
    code, count = program()
    text = ctypes.create_string_buffer(code)
    head = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", count, ctypes.addressof(text)))
    if libc.prctl(22, 2, head, 0, 0) != 0:  # PR_SET_SECCOMP
        os._exit(99)
    os.chdir("/")
    os.execve(argv[0], argv, env)


class Tracer:
    """One run. `at`: before which change, counted from 1, everything is killed; 0: never. record(operation): called for each."""

    def __init__(self, argv, env, top, at=0, record=None, output=None):
        self.argv, self.env, self.top = [str(a) for a in argv], env, os.path.realpath(top)
        self.at, self.record, self.count, self.killed = at, record, 0, False
        self.output = output if output is not None else os.open("/dev/null", os.O_WRONLY)
        self.alive, self.status = set(), None

    def run(self):
        """Returns the exit status of the command, or None when everything was killed."""
        first = os.fork()
        if first == 0:
            try:
                child(self.argv, self.env, self.output)
            finally:
                os._exit(98)
        os.waitpid(first, 0)
        self.alive.add(first)
        libc.ptrace(SETOPTIONS, first, None, OPTIONS)
        libc.ptrace(CONT, first, None, None)
        while self.alive:
            try:
                pid, status = os.waitpid(-1, 0x40000000)  # __WALL
            except ChildProcessError:
                break
            if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                self.alive.discard(pid)
                if pid == first:
                    self.status = os.waitstatus_to_exitcode(status)
                continue
            self.alive.add(pid)
            self.stopped(pid, status)
        return None if self.killed else self.status

    def stopped(self, pid, status):
        event, sig = status >> 16, os.WSTOPSIG(status)
        if self.killed:
            os.kill(pid, signal.SIGKILL)
            return
        if event == EVENT_SECCOMP:
            self.before(pid)
            if self.killed:
                return
        pass_on = 0 if event or sig in (signal.SIGSTOP, signal.SIGTRAP) else sig
        libc.ptrace(CONT, pid, None, pass_on)

    def before(self, pid):
        try:
            operation = Call(pid, self.top).operation()
        except OSError:
            return  # it is gone
        if operation is None:
            return
        self.count += 1
        if self.record is not None:
            self.record(operation)
        if self.count == self.at:
            self.killed = True
            for each in self.alive:
                try:
                    os.kill(each, signal.SIGKILL)
                except ProcessLookupError:
                    pass


class Call:
    """A system call that is about to be made."""

    def __init__(self, pid, top):
        regs = ctypes.create_string_buffer(27 * 8)
        if libc.ptrace(GETREGS, pid, None, regs) != 0:
            raise OSError("gone")
        r = struct.unpack("27Q", regs.raw)
        self.pid, self.top, self.name = pid, top, NAMES[r[15]]
        self.args = (r[14], r[13], r[12], r[7], r[9], r[8])

    def memory(self, address, count):
        with open(f"/proc/{self.pid}/mem", "rb", buffering=0) as f:
            f.seek(address)
            data = b""
            while len(data) < count:
                more = f.read(count - len(data))
                if not more:
                    break
                data += more
            return data

    def text(self, address):
        data = b""
        while b"\0" not in data and len(data) < 8192:
            data += self.memory(address + len(data), 4096 - (address + len(data)) % 4096)
        return data.split(b"\0")[0].decode("utf-8", "surrogateescape")

    def below(self, path):
        """Relative to what is watched; None for what is elsewhere."""
        path = os.path.normpath(path)
        return path[len(self.top) + 1:] if path.startswith(self.top + "/") and not path.endswith(" (deleted)") else None

    def of_fd(self, fd):
        return self.below(os.readlink(f"/proc/{self.pid}/fd/{fd & 0xffffffff}"))

    def at(self, fd, address):
        path = self.text(address)
        if not path.startswith("/"):
            fd = struct.unpack("i", struct.pack("I", fd & 0xffffffff))[0]
            folder = os.readlink(f"/proc/{self.pid}/cwd" if fd == AT_FDCWD else f"/proc/{self.pid}/fd/{fd}")
            path = f"{folder}/{path}"
        return self.below(path)

    def position(self, fd):
        info = dict(line.split(":", 1) for line in open(f"/proc/{self.pid}/fdinfo/{fd & 0xffffffff}", encoding="ascii") if ":" in line)
        return None if int(info["flags"].strip(), 8) & O_APPEND else int(info["pos"])

    def operation(self):
        """(what, path, ...) as powercut.py takes it; None for what is not watched."""
        made = getattr(self, f"on_{self.name}")(*self.args)
        return made if made is not None and made[1] is not None else None

    def written(self, fd, position, data):
        path = self.of_fd(fd)
        return None if path is None else ("write", path, position() if callable(position) else position, data())

    def on_write(self, fd, buffer, count, *_):
        return self.written(fd, lambda: self.position(fd), lambda: self.memory(buffer, count))

    def on_pwrite64(self, fd, buffer, count, offset, *_):
        return self.written(fd, offset, lambda: self.memory(buffer, count))

    def vector(self, address, count):
        parts = struct.unpack(f"{2 * count}Q", self.memory(address, 16 * count))
        return b"".join(self.memory(parts[i], parts[i + 1]) for i in range(0, 2 * count, 2))

    def on_writev(self, fd, vector, count, *_):
        return self.written(fd, lambda: self.position(fd), lambda: self.vector(vector, count))

    def on_pwritev(self, fd, vector, count, offset, *_):
        return self.written(fd, offset, lambda: self.vector(vector, count))

    def copied(self, to, fro, offset, count):
        def data():
            at = struct.unpack("Q", self.memory(offset, 8))[0] if offset else self.position(fro)
            with open(f"/proc/{self.pid}/fd/{fro & 0xffffffff}", "rb") as f:
                f.seek(at)
                return f.read(min(count, 1 << 26))
        return self.written(to, lambda: self.position(to), data)

    def on_sendfile(self, to, fro, offset, count, *_):
        return self.copied(to, fro, offset, count)

    def on_copy_file_range(self, fro, offset, to, _, count, *_unused):
        return self.copied(to, fro, offset, count)

    def on_fsync(self, fd, *_):
        return ("fsync", self.of_fd(fd))

    def on_fdatasync(self, fd, *_):
        return ("fdatasync", self.of_fd(fd))

    def on_sync(self, *_):
        return ("sync", "")

    on_syncfs = on_sync

    def on_ftruncate(self, fd, size, *_):
        return ("truncate", self.of_fd(fd), size)

    def on_truncate(self, path, size, *_):
        return ("truncate", self.at(AT_FDCWD, path), size)

    def on_fallocate(self, fd, *_):
        return ("allocate", self.of_fd(fd))

    def on_renameat(self, a, old, b, new, *_):
        return ("rename", self.at(a, old), self.at(b, new))

    on_renameat2 = on_renameat

    def on_rename(self, old, new, *_):
        return self.on_renameat(AT_FDCWD, old, AT_FDCWD, new)

    def on_unlinkat(self, fd, path, flags, *_):
        return ("rmdir" if flags & 0x200 else "unlink", self.at(fd, path))

    def on_unlink(self, path, *_):
        return ("unlink", self.at(AT_FDCWD, path))

    def on_rmdir(self, path, *_):
        return ("rmdir", self.at(AT_FDCWD, path))

    def on_mkdirat(self, fd, path, mode, *_):
        return ("mkdir", self.at(fd, path), mode & 0o7777)

    def on_mkdir(self, path, mode, *_):
        return self.on_mkdirat(AT_FDCWD, path, mode)

    def on_fchmod(self, fd, mode, *_):
        return ("chmod", self.of_fd(fd), mode & 0o7777)

    def on_fchmodat(self, fd, path, mode, *_):
        return ("chmod", self.at(fd, path), mode & 0o7777)

    def on_chmod(self, path, mode, *_):
        return self.on_fchmodat(AT_FDCWD, path, mode)

    def opened(self, path, flags, mode):
        if path is None or not flags & (O_CREAT | O_TRUNC):
            return None
        return ("open", path, flags, mode & 0o7777)

    def on_openat(self, fd, path, flags, mode, *_):
        return self.opened(self.at(fd, path), flags, mode)

    def on_open(self, path, flags, mode, *_):
        return self.opened(self.at(AT_FDCWD, path), flags, mode)

    def on_creat(self, path, mode, *_):
        return self.opened(self.at(AT_FDCWD, path), O_CREAT | O_TRUNC, mode)

    def on_openat2(self, fd, path, how, *_):
        flags, mode = struct.unpack("QQ", self.memory(how, 16))
        return self.opened(self.at(fd, path), flags, mode) if flags & (O_CREAT | O_TRUNC) else None
