"""Second half of a translation: what Python 3 can read and understands otherwise, found in its syntax tree."""

import ast

from . import names
from .calls import Calls
from .imports import bound_names, change_import, change_import_from, imported_names, qualified
from .leaks import handlers_that_leak, keep_exception, refuse_comprehension_leaks
from .refusal import Refusal
from .tree import Tree

REFUSALS_MAX = 100


class Meaning:
    """The changes of one source's meaning."""

    def __init__(self, text, futures, siblings=(), own=()):
        self.tree = Tree(text)
        self.futures, self.siblings, self.own = futures, siblings, own
        self.imported = imported_names(self.tree.root)
        self.bound = bound_names(self.tree.root)
        self.refusals, self.helpers, self.handlers = [], set(), []
        self.done = set()  # nodes that were replaced with all that is in them
        self.calls = Calls(self)

    def run(self):
        """Return the changed text."""
        self.refusals += refuse_comprehension_leaks(self.tree.root)
        for handler in handlers_that_leak(self.tree.root):
            self._try(keep_exception, self.tree, handler)
        self._visit(self.tree.root)
        return self.tree.edits.apply()

    def _try(self, function, *arguments):
        try:
            function(*arguments)
        except Refusal as refusal:
            self.refusals.append(refusal)
            if len(self.refusals) >= REFUSALS_MAX:
                raise
        except KeyError:  # a node whose ends are no tokens: a tree that is not understood
            self.refusals.append(Refusal(getattr(arguments[-1], 'lineno', 0), 'this can not be understood'))

    def _visit(self, root):
        """Parents before children, what stands first before what follows; without recursion."""
        todo = [(root, False)]
        while todo:
            node, is_left = todo.pop()
            if is_left:
                if isinstance(node, ast.ExceptHandler):
                    self.handlers.pop()
                continue
            if isinstance(node, ast.ExceptHandler):
                self.handlers.append(node.name)
                todo.append((node, True))
            if node in self.done:
                continue
            change = getattr(self, '_' + type(node).__name__, None)
            if change is not None:
                self._try(change, node)
            todo.extend((child, False) for child in reversed(list(ast.iter_child_nodes(node))))

    def helper(self, name):
        """Return the name of a helper, which the translation needs from now on."""
        self.helpers.add('py2_' + name)
        return 'py2_' + name

    # --- division ---

    def _BinOp(self, node):
        if not isinstance(node.op, ast.Div) or 'division' in self.futures or self._is_float(node.left) or self._is_float(node.right):
            return
        sign = self.tree.sign_after(node.left, '/')
        if self._is_int(node.left) and self._is_int(node.right):
            self.tree.edits.replace(sign.start, sign.end, '//')
            return
        # What stands around the sign is part of the arguments then: "a / b" becomes "py2_div(a , b)".
        gap = self.tree.text[sign.start - 1:sign.start] == ' '
        self.tree.wrap(node, self.helper('div') + '(')
        self.tree.edits.replace(sign.start - gap, sign.end, ',')

    def _AugAssign(self, node):
        if not isinstance(node.op, ast.Div) or 'division' in self.futures or self._is_float(node.value):
            return
        target = self.tree.written(node.target)
        if any(isinstance(part, ast.Call) for part in ast.walk(node.target)) or '\n' in target:
            raise Refusal(node.lineno, '/= on what is computed: write the division out')
        sign = self.tree.sign_after(node.target, '/=')
        self.tree.edits.replace(sign.start, sign.end, '= %s(%s,' % (self.helper('div'), target))
        self.tree.edits.close(self.tree.end(node), ')')

    def _is_float(self, node):
        return isinstance(node, ast.Constant) and isinstance(node.value, float) or \
            isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == 'float' and 'float' not in self.bound

    @staticmethod
    def _is_int(node):
        return isinstance(node, ast.Constant) and type(node.value) is int

    # --- names ---

    def _Import(self, node):
        change_import(self.tree, node, self.siblings, self.own)

    def _ImportFrom(self, node):
        change_import_from(self.tree, node, self.siblings, self.own)

    def _Name(self, node):
        if node.id in self.bound or not isinstance(node.ctx, ast.Load):
            return
        if node.id in names.BUILTINS_GONE:
            raise Refusal(node.lineno, '%s() is no more: %s' % (node.id, names.BUILTINS_GONE[node.id]))
        parent = self.tree.parents.get(node)
        is_called = isinstance(parent, ast.Call) and parent.func is node
        new = names.BUILTINS.get(node.id + '()') if is_called else None
        new = new or names.BUILTINS.get(node.id)
        if new is names.HELPER:
            self.tree.replace(node, self.helper(node.id))
        elif new is not None:
            self.tree.replace(node, new)

    def _Attribute(self, node):
        name = qualified(node, self.imported)
        if name in names.ATTRIBUTES_GONE:
            raise Refusal(node.lineno, '%s is no more: %s' % (name, names.ATTRIBUTES_GONE[name]))
        new = names.ATTRIBUTES.get(name)
        if new is names.HELPER:
            self.tree.replace(node, self.helper(name.replace('.', '_')))
        elif new is not None and new.rpartition('.')[0] == name.rpartition('.')[0]:
            self.tree.replace_attribute(node, new.rpartition('.')[2])
        elif new is not None:
            self.tree.replace(node, new)
        elif name in names.RENAMED_FUNCTIONS:
            self.tree.replace_attribute(node, names.RENAMED_FUNCTIONS[name])
        elif node.attr in names.FUNCTION_ATTRIBUTES:
            self.tree.replace_attribute(node, names.FUNCTION_ATTRIBUTES[node.attr])
        elif node.attr == 'message' and isinstance(node.value, ast.Name) and node.value.id in self.handlers:
            dot = self.tree.tokens[self.tree.last(node) - 1]
            self.tree.edits.open(self.tree.start(node), self.helper('message') + '(')
            self.tree.edits.replace(dot.start, self.tree.end(node), ')')

    def _Subscript(self, node):
        if isinstance(node.value, ast.Name) and node.value.id in self.handlers and isinstance(node.ctx, ast.Load):
            self.tree.edits.close(self.tree.end(node.value), '.args')

    # --- definitions ---

    def _ClassDef(self, node):
        own = {child.name: child for child in node.body if isinstance(child, ast.FunctionDef)}
        assigned = {target.id: child for child in node.body if isinstance(child, ast.Assign) for target in child.targets
                    if isinstance(target, ast.Name)}
        for name, child in {**own, **assigned}.items():
            if name in names.CLASS_GONE:
                self.refusals.append(Refusal(child.lineno, '%s has no meaning any more: %s' % (name, names.CLASS_GONE[name])))
            new = names.CLASS_METHODS.get(name)
            if new is not None and name in own and new not in own and (name != 'next' or '__iter__' in own):
                index = self.tree.first(child)
                while self.tree.tokens[index].text != 'def':
                    index += 1
                word = self.tree.tokens[index + 1]
                self.tree.edits.replace(word.start, word.end, new)

    def _Call(self, node):
        self.calls.change(node)
