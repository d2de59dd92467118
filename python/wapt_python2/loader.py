"""Modules that a package brings beside its setup.py: translated where they need it, when they are imported."""

import importlib.machinery
import os
import sys


class Loader(importlib.machinery.SourceFileLoader):
    """Loads a source, never what was compiled from it; root: the package's folder."""

    root = ''

    def get_code(self, fullname):
        """Return the code of a module, which gets the helpers that it needs when it is executed."""
        from . import load
        path = self.get_filename(fullname)
        package = fullname if self.is_package(fullname) else fullname.rpartition('.')[0]
        code, self.helpers = load(self.get_data(path), path, modules_in(os.path.dirname(path)) if package else frozenset(),
                                  modules_in(self.root))
        return code

    def exec_module(self, module):
        """Execute a module."""
        code = self.get_code(module.__name__)
        vars(module).update(self.helpers)
        exec(code, vars(module))


def modules_in(folder):
    """Return the names that Python 2 would have found in a package's own folder before anywhere else."""
    return frozenset(entry.name[:-3] if entry.is_file() else entry.name for entry in os.scandir(folder)
                     if entry.name.endswith('.py') and entry.is_file() or os.path.isfile(os.path.join(entry.path, '__init__.py')))


def watch(folder):
    """Let all that is imported from below a folder go through here."""
    loader = type('Loader', (Loader,), {'root': folder})
    kinds = [(importlib.machinery.ExtensionFileLoader, importlib.machinery.EXTENSION_SUFFIXES), (loader, ['.py'])]

    def find(path):
        if path != folder and not path.startswith(folder + os.sep):
            raise ImportError('not below %s' % folder)
        return importlib.machinery.FileFinder(path, *kinds)
    sys.path_hooks.insert(0, find)
    sys.path_importer_cache.pop(folder, None)
