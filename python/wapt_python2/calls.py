"""Calls whose result or arguments Python 3 has otherwise: lists that became views, comparisons, bytes and text."""

import ast

from . import names
from .imports import qualified
from .refusal import Refusal

AS_TEXT = "encoding='utf-8', errors='surrogateescape'"


class Calls:
    """The changes of calls, for a Meaning."""

    def __init__(self, meaning):
        self.meaning, self.tree = meaning, meaning.tree

    def change(self, node):
        """Make all changes that one call needs."""
        name = node.func.id if isinstance(node.func, ast.Name) and node.func.id not in self.meaning.bound else ''
        dotted = qualified(node.func, self.meaning.imported)
        if name:
            self._function(node, name)
        if isinstance(node.func, ast.Call) and qualified(node.func.func, self.meaning.imported) in ('codecs.getwriter', 'codecs.getreader'):
            self._stream(node)
        elif dotted:
            self._of_module(node, dotted)
        elif isinstance(node.func, ast.Attribute):
            self._method(node, node.func.attr)

    # --- where a call stands ---

    def _parent(self, node):
        return self.tree.parents.get(node)

    def _is_consumed(self, node, loops=True):
        """Does what surrounds the call go through its elements once?"""
        parent, role = self._parent(node), self.tree.roles.get(node)
        if isinstance(parent, (ast.For, ast.comprehension)):
            return role == 'iter' and (loops or isinstance(parent, ast.comprehension))
        if isinstance(parent, ast.Compare):
            return role == 'comparators' and len(parent.ops) == 1 and isinstance(parent.ops[0], (ast.In, ast.NotIn))
        if not isinstance(parent, ast.Call) or role != 'args':
            return False
        return isinstance(parent.func, ast.Name) and parent.func.id in names.CONSUMERS or \
            isinstance(parent.func, ast.Attribute) and parent.func.attr in ('join', 'extend')

    def _as_list(self, node, loops):
        if not self._is_consumed(node, loops):
            self.tree.wrap(node, 'list(')

    def _native(self, node):
        if not isinstance(self._parent(node), ast.Expr):
            self.tree.wrap(node, self.meaning.helper('native') + '(')

    def _bytes(self, node):
        if not isinstance(node, ast.Constant) or isinstance(node.value, str):
            self.tree.wrap(node, self.meaning.helper('bytes') + '(')

    # --- functions by their names ---

    def _function(self, node, name):
        if name in names.LISTS:
            if name == 'map' and node.args and isinstance(node.args[0], ast.Constant):
                raise Refusal(node.lineno, 'map(None, ...) fills up with None: use itertools.zip_longest()')
            self._as_list(node, True)
        if name == 'sorted':
            self._compare(node, 1)
        elif name in ('exec', 'execfile'):
            self._exec(node, name)
        elif name == 'eval':
            self.tree.replace(node.func, self.meaning.helper('eval'))
            if len(node.args) == 1 and not node.keywords:
                self.tree.add_argument(node, 'globals(), locals()')
        elif name in names.FUNCTIONS_OF_BYTES:
            self._native(node)

    def _exec(self, node, name):
        if len(node.args) == 1 and not node.keywords:
            scope = node
            while scope is not None and not isinstance(scope, (ast.FunctionDef, ast.Lambda)):
                scope = self._parent(scope)
            if scope is not None:
                raise Refusal(node.lineno, "%s without a dict sets local variables, which Python 3 does not: write '%s'" % (
                    name, 'exec code in a_dict' if name == 'exec' else 'execfile(path, a_dict)'))
            if name == 'execfile':
                self.tree.add_argument(node, 'globals()')
        if name == 'exec' and node.args and not isinstance(node.args[0], ast.Starred):
            self.tree.wrap(node.args[0], self.meaning.helper('code') + '(')

    # --- functions of modules ---

    def _of_module(self, node, dotted):
        module, _, name = dotted.rpartition('.')
        if name in names.BYTES_IN.get(module, ()):
            if module == 'struct' and any(isinstance(a, ast.Subscript) and isinstance(a.slice, ast.Slice) for a in node.args):
                raise Refusal(node.lineno, 'bytes are counted in what a translation makes text: write this script for Python 3')
            if module != 'hashlib':
                self._native(node)
            for argument in node.args:
                if not isinstance(argument, ast.Starred):
                    self._bytes(argument)
        elif module == 'string' and name in names.STRING_FUNCTIONS and isinstance(node.func, ast.Attribute):
            bracket = self.tree.tokens[self.tree.last(node.func) + 1]
            self.tree.edits.replace(self.tree.start(node.func), bracket.end, "%s('%s', " % (self.meaning.helper('string'), name))
        elif module == 'subprocess' and name in names.PROCESSES:
            if not {keyword.arg for keyword in node.keywords} & {'encoding', 'errors', 'text'}:
                self.tree.add_argument(node, AS_TEXT)
        elif name in names.READERS or name in names.FUNCTIONS_OF_BYTES:
            self._native(node)

    def _stream(self, node):
        """codecs.getwriter('utf8')(sys.stdout): the stream, which takes text and writes UTF-8 anyway."""
        if len(node.args) == 1 and qualified(node.args[0], self.meaning.imported).startswith('sys.std'):
            self.tree.replace(node, self.tree.written(node.args[0]))
            self.meaning.done.update(ast.walk(node))

    # --- methods ---

    def _method(self, node, name):
        if name in names.METHOD_LISTS and not node.args and not node.keywords:
            self._as_list(node, False)
        elif name in names.METHOD_VIEWS and not node.args and not node.keywords:
            self.tree.replace_attribute(node.func, names.METHOD_VIEWS[name])
            if name.startswith('iter') and not self._is_consumed(node):
                self.tree.wrap(node, 'iter(')
        elif name == 'has_key' and len(node.args) == 1:
            self.tree.replace_attribute(node.func, '__contains__')
        elif name == 'next' and not node.args and not node.keywords:
            self.tree.method_to_function(node, self.meaning.helper('next'))
        elif name in ('encode', 'decode') and not self._is_codec(node.func.value):
            self.tree.method_to_function(node, self.meaning.helper(name))
        elif name == 'sort':
            self._compare(node, 0)
        elif name in names.READERS:
            self._native(node)
        elif name in names.SENDERS and 'socket' in self.meaning.imported.values() and node.args:
            self._bytes(node.args[0])
        elif name == 'update' and len(node.args) == 1 and {'hashlib', 'hmac'} & {n.partition('.')[0] for n in self.meaning.imported.values()}:
            self._bytes(node.args[0])

    @staticmethod
    def _is_codec(node):
        return isinstance(node, ast.Name) and node.id in ('json', 'codecs', 'base64')

    def _compare(self, node, position):
        """sorted(x, f), sorted(x, cmp=f), x.sort(f): key=py2_key(f)"""
        given = {keyword.arg: keyword for keyword in node.keywords}
        if len(node.args) > position + 1 or ('cmp' in given or len(node.args) > position) and 'key' in given:
            raise Refusal(node.lineno, 'a comparison beside a key: write one of them')
        if len(node.args) > position:
            value = node.args[position]
            if isinstance(value, ast.Starred):
                return
            self.tree.edits.open(self.tree.start(value), 'key=')
        elif 'cmp' in given:
            value = given['cmp'].value
            word = self.tree.tokens[self.tree.first(given['cmp'])]
            self.tree.edits.replace(word.start, word.end, 'key')
        else:
            return
        if isinstance(value, ast.Constant) and value.value is None:
            return
        self.tree.wrap(value, self.meaning.helper('key') + '(')
