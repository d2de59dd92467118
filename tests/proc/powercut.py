"""What a power cut leaves of a directory: the changes that tracer.py has seen, replayed up to a point, what was not made durable lost.

As journalling file systems do, names, sizes and rights become durable in their order, the bytes of a file only when it is synced; a file
that was written and not synced has what it had at its last sync, nothing when there was none. Two extremes are tried at each point:
`late`, all names up to the cut; `early`, only those up to the last moment that forced them out.
"""
import os
import shutil

IGNORED = ("-shm",)  # SQLite's shared memory: mapped, and made anew after a cut


class File:
    def __init__(self, data=b"", mode=0o600):
        self.now, self.durable, self.mode = bytearray(data), bytes(data), mode


class Dir(dict):
    def __init__(self, mode=0o755):
        super().__init__()
        self.mode = mode


def load(path):
    """The directory as it is, all of it durable."""
    d = Dir(os.stat(path).st_mode & 0o7777)
    for entry in os.scandir(path):
        if entry.name.endswith(IGNORED) or entry.is_symlink():
            continue
        if entry.is_dir():
            d[entry.name] = load(entry.path)
        elif entry.is_file():
            with open(entry.path, "rb") as f:
                d[entry.name] = File(f.read(), entry.stat().st_mode & 0o7777)
    return d


def store(d, path):
    """Writes what is durable."""
    os.mkdir(path, 0o700)
    for name, node in d.items():
        if isinstance(node, Dir):
            store(node, f"{path}/{name}")
        else:
            with open(f"{path}/{name}", "wb") as f:
                f.write(node.durable)
            os.chmod(f"{path}/{name}", node.mode)
    os.chmod(path, d.mode)


class Replay:
    """The directory while the operations are made."""

    def __init__(self, path):
        self.root = load(path)

    def find(self, path):
        node = self.root
        for part in path.split("/") if path else ():
            node = node.get(part) if isinstance(node, Dir) else None
        return node

    def parent(self, path):
        folder, _, name = path.rpartition("/")
        node = self.find(folder)
        return (node, name) if isinstance(node, Dir) else (None, name)

    def apply(self, operation):
        """Makes it, as far as it can be made: one that failed then fails here. True: it forced all names out."""
        what, path, *more = operation
        if path.endswith(IGNORED):
            return False
        return bool(getattr(self, what)(path, *more))

    def open(self, path, flags, mode):
        folder, name = self.parent(path)
        if folder is None:
            return
        node = folder.get(name)
        if node is None and flags & os.O_CREAT:
            folder[name] = File(mode=mode & ~0o022)
        elif isinstance(node, File) and flags & os.O_TRUNC and not flags & os.O_EXCL:
            node.now.clear()

    def write(self, path, offset, data):
        node = self.find(path)
        if isinstance(node, File):
            offset = len(node.now) if offset is None else offset
            node.now.extend(bytes(max(0, offset - len(node.now))))
            node.now[offset:offset + len(data)] = data

    def truncate(self, path, size):
        node = self.find(path)
        if isinstance(node, File):
            del node.now[size:]
            node.now.extend(bytes(max(0, size - len(node.now))))

    def allocate(self, path):
        pass

    def fsync(self, path):
        node = self.find(path)
        if isinstance(node, File):
            node.durable = bytes(node.now)
        return True

    def fdatasync(self, path):
        node = self.find(path)
        if not isinstance(node, File):
            return True
        grown = len(node.now) != len(node.durable)
        node.durable = bytes(node.now)
        return grown

    def sync(self, _path, node=None):
        for each in (self.root if node is None else node).values():
            if isinstance(each, Dir):
                self.sync("", each)
            else:
                each.durable = bytes(each.now)
        return True

    def rename(self, path, new):
        (a, old_name), (b, new_name) = self.parent(path), self.parent(new) if new is not None else (None, None)
        if a is None or old_name not in a:
            return
        node = a[old_name]
        if b is not None and isinstance(b.get(new_name), Dir) and b[new_name]:
            return
        del a[old_name]
        if b is not None:
            b[new_name] = node

    def unlink(self, path):
        folder, name = self.parent(path)
        if folder is not None and isinstance(folder.get(name), File):
            del folder[name]

    def rmdir(self, path):
        folder, name = self.parent(path)
        if folder is not None and isinstance(folder.get(name), Dir) and not folder[name]:
            del folder[name]

    def mkdir(self, path, mode):
        folder, name = self.parent(path)
        if folder is not None and name not in folder:
            folder[name] = Dir(mode & ~0o022)

    def chmod(self, path, mode):
        node = self.find(path)
        if node is not None:
            node.mode = mode


def frozen(node):
    """A copy of what is durable, to store and to compare: (mode, names) or (mode, bytes)."""
    if isinstance(node, Dir):
        return (node.mode, tuple(sorted((name, frozen(each)) for name, each in node.items())))
    return (node.mode, node.durable)


def thaw(state):
    mode, content = state
    if isinstance(content, bytes):
        return File(content, mode)
    d = Dir(mode)
    for name, each in content:
        d[name] = thaw(each)
    return d


def states(path, operations):
    """Yields (which operation came next, "late" or "early", state), each different state once."""
    replay, early, seen = Replay(path), Replay(path), set()
    waiting = []  # names that are not forced out yet, and what became of the bytes since
    for number, operation in enumerate(operations):
        for name, state in (("late", frozen(replay.root)), ("early", frozen(early.root))):
            key = hash(state)
            if key not in seen:
                seen.add(key)
                yield number, name, state
        waiting.append(operation)
        if replay.apply(operation):
            for each in waiting:
                early.apply(each)
            waiting.clear()
        elif operation[0] == "fdatasync":  # its bytes are safe, whatever becomes of names
            now, then = replay.find(operation[1]), early.find(operation[1])
            if isinstance(now, File) and isinstance(then, File):
                then.now, then.durable = bytearray(now.now), now.durable
    for name, state in (("late", frozen(replay.root)), ("early", frozen(early.root))):
        if hash(state) not in seen:
            seen.add(hash(state))
            yield len(operations), name, state


def put(state, path):
    """Makes path what the cut has left."""
    shutil.rmtree(path, ignore_errors=True)
    store(thaw(state), path)
