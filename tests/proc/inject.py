"""Makes a running process do a system call as if it had been taken over: what the kernel still lets it do is what its confinement is worth.

Linux on x86-64. The process must be waiting in a system call, as servers are; it goes on with that one afterwards.
"""
import contextlib
import ctypes
import os
import struct

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.restype = ctypes.c_long
libc.ptrace.argtypes = (ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p)
SINGLESTEP, GETREGS, SETREGS, ATTACH, DETACH = 9, 12, 13, 16, 17
RAX, ORIG_RAX, RIP, RSP = 10, 15, 16, 19  # in struct user_regs_struct
ARGUMENTS = (14, 13, 12, 7, 9, 8)  # rdi, rsi, rdx, r10, r8, r9
OPENAT, UNLINKAT, RENAMEAT = 257, 263, 264
AT_FDCWD = -100


class Taken:
    def __init__(self, pid):
        self.pid = pid

    def ptrace(self, request, data=None):
        if libc.ptrace(request, self.pid, None, data) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    def registers(self):
        raw = ctypes.create_string_buffer(27 * 8)
        self.ptrace(GETREGS, raw)
        return list(struct.unpack("27Q", raw.raw))

    def set_registers(self, values):
        self.ptrace(SETREGS, ctypes.create_string_buffer(struct.pack("27Q", *values), 27 * 8))

    def call(self, number, *arguments):
        """The kernel's answer: what it returns, or minus the error. Texts and bytes are put on the stack."""
        before = self.registers()
        now = list(before)
        free = before[RSP] - 16384
        with open(f"/proc/{self.pid}/mem", "r+b", buffering=0) as memory:
            memory.seek(before[RIP] - 2)
            assert memory.read(2) == b"\x0f\x05", "it does not wait in a system call"
            for register, value in zip(ARGUMENTS, arguments):
                if isinstance(value, (str, os.PathLike)):
                    memory.seek(free)
                    memory.write(os.fsencode(value) + b"\0")
                    value, free = free, free + 4096
                now[register] = value % 2**64
        now[RAX], now[ORIG_RAX], now[RIP] = number, 2**64 - 1, before[RIP] - 2
        self.set_registers(now)
        self.ptrace(SINGLESTEP)
        os.waitpid(self.pid, 0)
        answer = self.registers()[RAX]
        self.set_registers(before)
        return answer - 2**64 if answer >= 2**63 else answer


@contextlib.contextmanager
def taken_over(pid):
    t = Taken(pid)
    t.ptrace(ATTACH)
    os.waitpid(pid, 0)
    try:
        yield t
    finally:
        t.ptrace(DETACH)
