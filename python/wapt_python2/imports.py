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
        return
    places = [_place(node, alias) for alias in node.names]
    modules = {module for module, _ in places}
    if len(modules) > 1:
        raise Refusal(node.lineno, 'what is imported from %s has several places now: give each name a line of its own' % node.module)
    if modules != {node.module}:
        tree.edits.replace(first.start, first.start + len(node.module), modules.pop())
    for alias, (_, name) in zip(node.names, places):
        if name != alias.name:
            tree.replace(alias, '%s as %s' % (name, alias.asname or alias.name))


def _place(node, alias):
    """Return the module and the name of what is imported, as it is now."""
    dotted = '%s.%s' % (node.module, alias.name)
    if dotted in names.ATTRIBUTES_GONE:
        raise Refusal(node.lineno, '%s is no more: %s' % (dotted, names.ATTRIBUTES_GONE[dotted]))
    new = names.ATTRIBUTES.get(dotted) or names.MODULES.get(dotted)
    if new is names.HELPER:
        return 'setuphelpers.python2', 'py2_' + dotted.replace('.', '_')
    if new is None and not (node.module == 'string' and alias.name in names.STRING_FUNCTIONS):
        return names.MODULES.get(node.module, node.module), alias.name
    if new is None or not new.replace('.', '').isidentifier():
        raise Refusal(node.lineno, "from %s import %s: write 'import %s' and '%s'" % (node.module, alias.name, node.module, dotted))
    module, _, name = new.rpartition('.')
    return module or 'builtins', name
