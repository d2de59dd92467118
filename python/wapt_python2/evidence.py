"""Is a script that Python 3 can read one of Python 2? Only what could not work in Python 3 counts.

A script that asks which Python it runs on, or that catches what is missing, serves both and is left as it is.
"""

import ast

from . import names
from .imports import bound_names, imported_names, qualified

MISSING = ('ImportError', 'ModuleNotFoundError', 'NameError', 'AttributeError')
ANYTHING = (None, 'Exception')
URLLIB3 = ('request', 'parse', 'error', 'robotparser', 'response')


def _catches(node):
    """Does a try catch what is missing? Whoever catches anything at all may mean that only where something is imported."""
    kinds = set()
    for handler in node.handlers:
        for kind in handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]:
            kinds.add(kind.id if isinstance(kind, ast.Name) else None if kind is None else '')
    imports = any(isinstance(part, (ast.Import, ast.ImportFrom)) for part in node.body)
    return not kinds.isdisjoint(MISSING) or imports and not kinds.isdisjoint(ANYTHING)


def _unguarded(root):
    """Generate the nodes that no try guards."""
    todo = [root]
    while todo:
        node = todo.pop()
        yield node
        if not (isinstance(node, ast.Try) and _catches(node)):
            todo.extend(ast.iter_child_nodes(node))


def find_evidence(root, siblings=(), own=()):
    """Return (line, what) of the first thing that only Python 2 has, None if there is none."""
    imported, bound = imported_names(root), bound_names(root)
    found = []
    for node in _unguarded(root):
        what = _import_evidence(node, siblings, own) or _name_evidence(node, imported, bound) or _list_evidence(node, bound)
        if what:
            found.append((node.lineno, what))
    return min(found, default=None)


def _import_evidence(node, siblings, own):
    if isinstance(node, ast.Import):
        for alias in node.names:
            if alias.name in own:
                continue
            if alias.name in names.MODULES and alias.name != 'urllib' or alias.name in names.MODULES_GONE or alias.name in siblings:
                return 'import ' + alias.name
    elif isinstance(node, ast.ImportFrom) and not node.level and node.module not in own:
        if node.module == 'urllib':
            return next(('from urllib import ' + a.name for a in node.names if a.name not in URLLIB3), None)
        if node.module in names.MODULES or node.module in names.MODULES_GONE or node.module.split('.')[0] in siblings:
            return 'import ' + node.module
    return None


def _name_evidence(node, imported, bound):
    if isinstance(node, ast.Name) and node.id in names.ONLY_PYTHON2 and node.id not in bound:
        return node.id
    if isinstance(node, ast.Attribute):
        dotted = qualified(node, imported)
        if dotted in names.ATTRIBUTES_GONE or names.ATTRIBUTES.get(dotted) is not None and not dotted.startswith('os.errno'):
            return dotted
        if dotted.startswith('urllib.') and imported.get('urllib') == 'urllib' and dotted.split('.')[1] not in URLLIB3:
            return dotted
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names.ONLY_PYTHON2_METHODS:
        return node.func.attr + '()'
    return None


def _list_evidence(node, bound):
    """d.keys()[0], map(f, x)[0], d.keys() + x: views that are used as lists."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and isinstance(node.left, ast.Name) and node.left.id == 'print':
        return 'print >>'
    if isinstance(node, ast.Subscript):
        sides = [node.value]
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = [node.left, node.right]
    else:
        return None
    for side in sides:
        if not isinstance(side, ast.Call):
            continue
        if isinstance(side.func, ast.Attribute) and side.func.attr in names.METHOD_LISTS and not side.args:
            return '.%s() as a list' % side.func.attr
        if isinstance(side.func, ast.Name) and side.func.id in ('map', 'filter', 'zip') and side.func.id not in bound:
            return '%s() as a list' % side.func.id
    return None
