"""Names that live longer in Python 2: the caught exception, and the variable of a list comprehension.

Python 3 forgets an exception's name at the end of its handler, and keeps a comprehension's to itself.
"""

import ast

from .refusal import Refusal

SCOPES = (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.Module)
LATER = 'py2_caught'


def nodes_of_scope(scope):
    """Generate the nodes of a scope, none of the scopes inside."""
    todo = list(ast.iter_child_nodes(scope))
    while todo:
        node = todo.pop()
        yield node
        if not isinstance(node, SCOPES):
            todo.extend(ast.iter_child_nodes(node))


def handlers_that_leak(root):
    """Return the handlers whose exception is used in their scope outside of any handler of that name."""
    found = []
    for scope in ast.walk(root):
        if not isinstance(scope, SCOPES):
            continue
        handlers = [node for node in nodes_of_scope(scope) if isinstance(node, ast.ExceptHandler) and node.name]
        if not handlers:
            continue
        loads = [node for node in nodes_of_scope(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)]
        stores = {node.id for node in nodes_of_scope(scope) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
        inside = {id(node) for handler in handlers for node in ast.walk(handler)
                  if isinstance(node, ast.Name) and node.id == handler.name}
        outside = {node.id for node in loads if id(node) not in inside and node.id not in stores}
        found += [handler for handler in handlers if handler.name in outside]
    return found


def keep_exception(tree, handler):
    """except X as e: becomes except X as py2_caught: e = py2_caught; ..."""
    body = handler.body[0]
    if not isinstance(body, (ast.Expr, ast.Assign, ast.AugAssign, ast.Pass, ast.Return, ast.Raise, ast.Delete, ast.Import, ast.Break,
                             ast.Continue, ast.Assert, ast.ImportFrom)):
        raise Refusal(handler.lineno, '%s is used after its except, which begins with a block: give it another name first' % handler.name)
    colon = tree.first(body) - 1
    while tree.tokens[colon].text != ':':
        colon -= 1
    name = tree.tokens[colon - 1]
    tree.edits.replace(name.start, name.end, LATER)
    tree.edits.open(tree.start(body), '%s = %s; ' % (handler.name, LATER))


def comprehension_leaks(root):
    """Generate (line, name) of what only a list comprehension binds in a scope, and the scope uses outside of it."""
    for scope in ast.walk(root):
        if not isinstance(scope, (ast.FunctionDef, ast.Module)):
            continue
        nodes = list(nodes_of_scope(scope))
        lists = [node for node in nodes if isinstance(node, ast.ListComp)]
        own = {id(name) for node in nodes if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))
               for name in ast.walk(node)}
        theirs = {name.id for node in lists for part in node.generators for name in ast.walk(part.target) if isinstance(name, ast.Name)}
        used = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in own]
        bound = {node.id for node in used if isinstance(node.ctx, ast.Store)}
        if isinstance(scope, ast.FunctionDef):
            bound |= {node.arg for node in ast.walk(scope.args) if isinstance(node, ast.arg)}
        bound |= {(node.asname or node.name).split('.')[0] for node in nodes if isinstance(node, ast.alias)}
        bound |= {node.name for node in nodes if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        bound |= {node.name for node in nodes if isinstance(node, ast.ExceptHandler) and node.name}
        yield from ((node.lineno, node.id) for node in used
                    if isinstance(node.ctx, ast.Load) and node.id in theirs and node.id not in bound)


def refuse_comprehension_leaks(root):
    """Return the refusals of comprehensions whose variable is used later."""
    return [Refusal(line, 'in Python 2, %s is what the list comprehension had last: set it yourself' % name)
            for line, name in comprehension_leaks(root)]
