"""Imports of a script: where the modules of Python 2 are now, and what the names of a script stand for."""

import ast

from . import names
from .refusal import Refusal


PARTS_MAX = 6  # of a name with dots: the tables have no longer ones


def imported_names(root):
    """Return what each imported name stands for: {'md5': 'hashlib.md5', 'h': 'hashlib'}; none that is a variable too."""
    found = {}
    for node in ast.walk(root):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split('.')[0]] = alias.name if alias.asname else alias.name.split('.')[0]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            if node.module == 'setuphelpers' and node.names[0].name == '*':
                found.update((name, name) for name in ('glob', 'os', 'shutil'))
            for alias in node.names:
                found[alias.asname or alias.name] = '%s.%s' % (node.module, alias.name)
    variables = bound_names(root, False)
    return {name: dotted for name, dotted in found.items() if name not in variables}


def bound_names(root, with_imports=True):
    """Return every name that a script binds somewhere by itself."""
    found = set()
    for node in ast.walk(root):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            found.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
        elif isinstance(node, ast.alias) and with_imports:
            found.add((node.asname or node.name).split('.')[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def qualified(node, imported):
    """Return what an expression of names and dots stands for, such as 'os.path.walk', or ''."""
    parts = []
    while isinstance(node, ast.Attribute) and len(parts) < PARTS_MAX:
        parts.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name) or node.id not in imported:
        return ''
    return '.'.join([imported[node.id]] + parts[::-1])


def change_import(tree, node, siblings, own):
    """import urllib2, os"""
    for alias in node.names:
        name = alias.name
        if name in own:
            continue
        if name in names.MODULES_GONE:
            raise Refusal(node.lineno, 'the module %s is no more: %s' % (name, names.MODULES_GONE[name]))
        if name in siblings:
            if len(node.names) > 1:
                raise Refusal(node.lineno, '%s, which is beside this file, is imported with others: give it a line' % name)
            tree.edits.replace(tree.start(node), tree.start(alias), 'from . import ')
        elif name in names.MODULES:
            if '.' in name and not alias.asname:
                raise Refusal(node.lineno, "import %s: write 'from ... import'" % name)
            tree.replace(alias, '%s as %s' % (names.MODULES[name], alias.asname or name))


def change_import_from(tree, node, siblings, own):
    """from urllib import urlencode"""
    if node.level or node.module == '__future__' or node.module in own:
        return
    if node.module in names.MODULES_GONE:
        raise Refusal(node.lineno, 'the module %s is no more: %s' % (node.module, names.MODULES_GONE[node.module]))
    first = tree.tokens[tree.first(node) + 1]
    if node.module.split('.')[0] in siblings:
        tree.edits.open(first.start, '.')
    elif node.module in names.MODULES:
        tree.edits.replace(first.start, first.start + len(node.module), names.MODULES[node.module])
    for alias in node.names:
        dotted = '%s.%s' % (node.module, alias.name)
        new = names.ATTRIBUTES.get(dotted)
        if dotted in names.MODULES:  # from email import Utils
            raise Refusal(node.lineno, 'from %s import %s: it is %s now' % (node.module, alias.name, names.MODULES[dotted]))
        if dotted in names.ATTRIBUTES_GONE:
            raise Refusal(node.lineno, '%s is no more: %s' % (dotted, names.ATTRIBUTES_GONE[dotted]))
        if isinstance(new, str) and new.rpartition('.')[0] == node.module:
            tree.replace(alias, '%s as %s' % (new.rpartition('.')[2], alias.asname or alias.name))
        elif new is not None or node.module == 'string' and alias.name in names.STRING_FUNCTIONS:
            raise Refusal(node.lineno, "from %s import %s: write 'import %s' and '%s'" % (node.module, alias.name, node.module, dotted))
