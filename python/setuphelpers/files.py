"""Files, directories, archives and JSON: the everyday work of a setup script."""

import fnmatch
import os
import shutil

from .errors import EWaptSetupException
from .log import logger
from .text import ensure_list

isfile = os.path.isfile
isdir = os.path.isdir
BLOCK_SIZE_BYTES = 1 << 20


def makepath(*p):
    """Join the parts of a path; a part that is a function is called for its value."""
    return os.path.join(*[part() if callable(part) else part for part in p])


def mkdirs(path):
    """Make a directory and its parents unless they exist; return the path."""
    os.makedirs(path, exist_ok=True)
    return path


def ensure_dir(filename):
    """Make the directory in which a file is going to be."""
    folder = os.path.dirname(filename)
    if folder:
        os.makedirs(folder, exist_ok=True)


def dir_is_empty(path):
    """Tell whether path is a directory without entries."""
    if not os.path.isdir(path):
        return False
    with os.scandir(path) as entries:
        return next(entries, None) is None


def remove_file(path):
    """Delete a file; a failure is only logged."""
    try:
        os.unlink(path)
    except OSError as failure:
        logger.warning('cannot remove %s: %s', path, failure)


def remove_tree(*args, **kwargs):
    """Delete a directory with all it contains, like shutil.rmtree(); errors are raised."""
    shutil.rmtree(*args, **kwargs)


def filecopyto(filename, target):
    """Copy a file with its permissions to a file or into a directory."""
    shutil.copy(filename, target)


def default_oncopy(msg, src, dst):
    """Agree to each step of copytree2() and log it."""
    logger.debug('%s : "%s" to "%s"', msg, src, dst)
    return True


def default_skip(src, dst):
    """Keep the file that exists (for copytree2)."""
    return False


def default_overwrite(src, dst):
    """Replace the file that exists (for copytree2)."""
    return True


def default_overwrite_older(src, dst):
    """Replace the file that exists if the source was changed later (for copytree2)."""
    return os.stat(src).st_mtime > os.stat(dst).st_mtime


def copytree2(src, dst, ignore=None, onreplace=default_skip, oncopy=default_oncopy,
              enable_replace_at_reboot=True):
    """Copy a directory into another, which may exist.

    A file that exists is kept unless onreplace(src, dst) is true; each step is taken only if
    oncopy(message, src, dst) is true; ignore(directory, names) tells the names to leave out. A
    running program is replaced at once, so enable_replace_at_reboot changes nothing here. Errors
    are collected while the rest is copied, then raised together as shutil.Error.
    """
    src = os.path.abspath(src)
    dst = os.path.abspath(dst)
    names = sorted(os.listdir(src))
    ignored = set(ignore(src, names)) if ignore else set()
    if not os.path.isdir(dst):
        if not oncopy('create directory', src, dst):
            return
        os.makedirs(dst)
    errors = []
    for name in names:
        if name in ignored:
            continue
        source, target = os.path.join(src, name), os.path.join(dst, name)
        try:
            if os.path.isdir(source):
                copytree2(source, target, ignore, onreplace, oncopy, enable_replace_at_reboot)
            elif not os.path.lexists(target):
                if oncopy('copy', source, target):
                    shutil.copy2(source, target)
            elif onreplace(source, target) and oncopy('overwrites', source, target):
                _replace(source, target)
        except shutil.Error as failure:
            errors.extend(failure.args[0])
        except OSError as failure:
            errors.append((source, target, str(failure)))
    try:
        shutil.copystat(src, dst)
    except OSError as failure:
        errors.append((src, dst, str(failure)))
    if errors:
        raise shutil.Error(errors)


def _replace(source, target):
    # Beside the target, then renamed: a running program can't be written to, and a kill leaves the old file.
    temporary = '%s.%s.tmp' % (target, os.urandom(4).hex())
    try:
        shutil.copy2(source, temporary)
        os.replace(temporary, target)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise


def all_files(rootdir, pattern=None):
    """Return the absolute paths of all files below a directory whose names match a glob."""
    return [os.path.join(folder, name) for folder, _, names in _walk(os.path.abspath(rootdir))
            for name in names if pattern is None or fnmatch.fnmatch(name, pattern)]


def find_all_files(rootdir, include_patterns=None, exclude_patterns=None, include_dirs=None,
                   exclude_dirs=None, excludes_full=None):
    """Generate the absolute paths of the files below a directory.

    Patterns are globs on the names of files and of directories; excludes_full are paths of files
    relative to rootdir. What is excluded is left out even if it is included too.
    """
    rootdir = os.path.abspath(rootdir)
    includes, excludes = ensure_list(include_patterns), ensure_list(exclude_patterns)
    includes_dirs, excludes_dirs = ensure_list(include_dirs), ensure_list(exclude_dirs)
    full = {os.path.normpath(path) for path in ensure_list(excludes_full)}
    for folder, folders, names in _walk(rootdir):
        folders[:] = [name for name in folders if _selected(name, includes_dirs, excludes_dirs)]
        for name in names:
            path = os.path.join(folder, name)
            if _selected(name, includes, excludes) and os.path.relpath(path, rootdir) not in full:
                yield path


def _walk(rootdir):
    for folder, folders, names in os.walk(rootdir):
        folders.sort()
        yield folder, folders, sorted(names)


def _selected(name, includes, excludes):
    matches = lambda patterns: any(fnmatch.fnmatch(name, pattern) for pattern in patterns)
    return (not includes or matches(includes)) and not matches(excludes)


def unzip(zipfn, target=None, filenames=None):
    """Extract a zip archive, or its members that match the globs in filenames; return the paths.

    The default target is the archive's path without its extension. Permissions kept in the archive
    are set. An archive with a member that would leave the target, or a link, is refused whole.
    """
    import zipfile
    zipfn = os.path.abspath(zipfn)
    target = os.path.splitext(zipfn)[0] if target is None else os.path.abspath(target)
    patterns = None if filenames is None else [name.replace('\\', '/') for name in ensure_list(filenames)]
    paths = []
    with zipfile.ZipFile(zipfn) as archive:
        for member in archive.infolist():
            _check_member(zipfn, member)
        os.makedirs(target, exist_ok=True)
        for member in archive.infolist():
            if patterns is None or any(fnmatch.fnmatch(member.filename, pattern) for pattern in patterns):
                path = archive.extract(member, target)
                mode = member.external_attr >> 16 & 0o777
                if mode and not member.is_dir():
                    os.chmod(path, mode)
                paths.append(path)
    return paths


def _check_member(zipfn, member):
    parts = member.filename.replace('\\', '/').split('/')
    kind = member.external_attr >> 28 & 0xf
    if '..' in parts or member.filename[:1] in ('/', '\\') or kind not in (0, 0o4, 0o10):
        raise EWaptSetupException('the archive %s is refused: its member %r is unsafe' % (zipfn, member.filename))


def get_sha256(afile='', BLOCK_SIZE=BLOCK_SIZE_BYTES):
    """Return the SHA-256 of a file in hex."""
    return file_digest(afile, 'sha256', BLOCK_SIZE)


def file_digest(path, algorithm, block_size=BLOCK_SIZE_BYTES):
    import hashlib
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, 'rb') as source:
        while True:
            block = source.read(block_size)
            if not block:
                return digest.hexdigest()
            digest.update(block)


def get_disk_free_space(filepath):
    """Return the free bytes of the file system that holds a path."""
    status = os.statvfs(filepath)
    return status.f_bavail * status.f_frsize


def json_load_file(json_file, encoding='utf-8'):
    """Return the value in a JSON file."""
    import json
    with open(json_file, encoding=encoding) as source:
        return json.load(source)


def json_write_file(json_file, data, indent=4, sort_keys=False, encoding='utf-8', newline='\n'):
    """Write a value to a JSON file, whole or not at all."""
    import json
    text = json.dumps(data, indent=indent, sort_keys=sort_keys, ensure_ascii=False) + '\n'
    write_whole(json_file, text.replace('\n', newline).encode(encoding))


def write_whole(path, data):
    # A kill leaves the old file or the new one. The file keeps its permissions and owner, and its place behind a link.
    path = os.path.realpath(path)
    temporary = '%s.%s.tmp' % (path, os.urandom(4).hex())
    try:
        old = os.stat(path)
    except FileNotFoundError:
        old = None
    try:
        with open(temporary, 'xb') as target:
            if old is not None:
                os.fchmod(target.fileno(), old.st_mode & 0o7777)
                if os.geteuid() == 0:
                    os.fchown(target.fileno(), old.st_uid, old.st_gid)
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        os.replace(temporary, path)
    except BaseException:
        if os.path.lexists(temporary):
            os.unlink(temporary)
        raise
