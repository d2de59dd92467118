"""A source's syntax tree beside its tokens: from a node to the characters it was written with."""

import ast
import warnings

from .edits import Edits
from .refusal import Broken, Refusal
from .tokens import COMMENT, tokenize


def parse(text):
    """Return the syntax tree of Python 3; SyntaxError, or Refusal if it is too deep."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            return ast.parse(text)
    except (RecursionError, MemoryError):
        raise Broken(0, 'it is nested too deeply') from None
    except ValueError as failure:
        raise Broken(0, str(failure)) from None


class Tree:
    """A text that Python 3 can parse, with the changes to be made to it."""

    def __init__(self, text):
        self.text, self.edits = text, Edits(text)
        self.root = parse(text)
        self.tokens = [token for token in tokenize(text) if token.kind != COMMENT]
        self._by_start = {token.start: index for index, token in enumerate(self.tokens)}
        self._by_end = {token.end: index for index, token in enumerate(self.tokens)}
        self._lines, self._offsets, at = text.split('\n'), [], 0
        for line in self._lines:
            self._offsets.append(at)
            at += len(line) + 1
        self._columns = {}
        self.parents, self.roles = {}, {}  # of each node, and the field of the parent that it is in
        for node in ast.walk(self.root):
            for field, value in ast.iter_fields(node):
                for child in value if isinstance(value, list) else [value]:
                    if isinstance(child, ast.AST):
                        self.parents[child], self.roles[child] = node, field

    def _offset(self, line, column):
        """Python counts columns in bytes of UTF-8."""
        text = self._lines[line - 1]
        if not text.isascii():
            if line not in self._columns:  # kept: a line may be as long as the file, and have as many nodes
                self._columns[line] = {}
                count = 0
                for index, character in enumerate(text + ' '):
                    self._columns[line][count] = index
                    count += len(character.encode('utf-8', 'surrogatepass'))
            column = self._columns[line][column]
        return self._offsets[line - 1] + column

    def start(self, node):
        """Return the offset of the first character of a node; brackets around it are not part of it."""
        return self._offset(node.lineno, node.col_offset)

    def end(self, node):
        """Return the offset behind the last character of a node."""
        return self._offset(node.end_lineno, node.end_col_offset)

    def written(self, node):
        """Return the text of a node."""
        return self.text[self.start(node):self.end(node)]

    def first(self, node):
        """Return the index of the first token of a node."""
        return self._by_start[self.start(node)]

    def last(self, node):
        """Return the index of the last token of a node."""
        return self._by_end[self.end(node)]

    def sign_after(self, node, sign):
        """Return the token of a sign that stands behind a node, with nothing but brackets between."""
        index = self.last(node) + 1
        while self.tokens[index].text in '()' and self.tokens[index].text != sign:
            index += 1
        if self.tokens[index].text != sign:
            raise Refusal(node.lineno, "'%s' is not where it should be" % sign)
        return self.tokens[index]

    def wrap(self, node, before, after=')'):
        """Write something before and behind a node."""
        self.edits.open(self.start(node), before)
        self.edits.close(self.end(node), after)

    def replace(self, node, text):
        """Write something instead of a node."""
        self.edits.replace(self.start(node), self.end(node), text)

    def replace_attribute(self, node, name):
        """Write another name behind the dot."""
        self.edits.replace(self.end(node) - len(node.attr), self.end(node), name)

    def method_to_function(self, call, function):
        """Turn x.method(a) into function(x, a)."""
        dot = self.tokens[self.last(call.func) - 1]
        bracket = self.tokens[self.last(call.func) + 1]
        if dot.text != '.' or bracket.text != '(':
            raise Refusal(call.lineno, '%s() can not be understood here' % call.func.attr)
        self.edits.open(self.start(call), function + '(')
        self.edits.replace(dot.start, bracket.end, ', ' if call.args or call.keywords else '')

    def add_argument(self, call, text):
        """Write one more argument at the end of a call."""
        index = self.last(call)
        before = self.tokens[index - 1].text
        self.edits.close(self.tokens[index].start, text if before in '(,' else ', ' + text)
