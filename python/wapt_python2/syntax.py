"""First half of a translation: what Python 2 writes otherwise than Python 3, found by tokens.

The result is meant to be read by Python 3's parser, whose tree the second half (meaning.py) works on.
"""

from .edits import Edits
from .refusal import Refusal
from .strings import translate_number, translate_string
from .tokens import COMMENT, END, NAME, NEWLINE, NUMBER, OP, STRING, tokenize

FUTURES = ('division', 'print_function', 'unicode_literals', 'absolute_import')
COMPOUND = ('if', 'for', 'while', 'try', 'with', 'def', 'class', '@')
CAUGHT = 'py2_caught'
PACKED = 'py2_packed_%d'
STEPS_PER_TOKEN = 20
REFUSALS_MAX = 100


def futures(tokens):
    """Return which changes a source asks for by from __future__ import."""
    found, inside = set(), False
    for token in tokens:
        if token.text == '__future__':
            inside = True
        elif token.kind == NEWLINE or token.text == ';':
            inside = False
        elif inside and token.text in FUTURES:
            found.add(token.text)
    return found


class Syntax:
    """The changes of one source's tokens."""

    def __init__(self, text):
        self.edits = Edits(text)
        self.all = tokenize(text)
        self.tokens = [token for token in self.all if token.kind != COMMENT]
        self.futures = futures(self.tokens)
        self.refusals = []
        self.helpers = set()
        self.packed = 0
        self.steps = STEPS_PER_TOKEN * len(self.tokens)

    def run(self):
        """Return the changed text."""
        self._indentation()
        self._backticks()
        for index, token in enumerate(self.tokens):
            try:
                self._one(index, token)
            except Refusal as refusal:
                self.refusals.append(refusal)
                if self.steps < 0 or len(self.refusals) >= REFUSALS_MAX:
                    raise
        return self.edits.apply()

    def _one(self, index, token):
        if token.kind == STRING:
            self._put(token, translate_string(token, 'unicode_literals' in self.futures))
        elif token.kind == NUMBER:
            self._put(token, translate_number(token.text))
        elif token.text == '<>':
            self._put(token, '!=')
        elif token.kind == NAME and token.begins and token.text in ('print', 'exec', 'raise', 'except'):
            if token.text != 'print' or 'print_function' not in self.futures:
                getattr(self, '_' + token.text)(index, token)
        elif token.text == 'def' and token.begins:
            self._parameters(self._find(index, '('), False)
        elif token.text == 'lambda':
            self._lambda(index)

    def _put(self, token, text):
        if text != token.text:
            self.edits.replace(token.start, token.end, text)

    # --- finding ---

    def _step(self, token):
        # Each search may go far; all of them together may not, lest a hostile source keep this busy for hours.
        self.steps -= 1
        if self.steps < 0:
            raise Refusal(token.line, 'it is too intricate')

    def _find(self, index, text):
        """Return the index of the next sign at this depth, in this statement."""
        depth = self.tokens[index].depth
        for at in range(index + 1, len(self.tokens)):
            token = self.tokens[at]
            self._step(token)
            if token.depth == depth and token.text == text:
                return at
            if token.kind in (NEWLINE, END) or token.depth < depth:
                break
        raise Refusal(self.tokens[index].line, "'%s' without '%s'" % (self.tokens[index].text, text))

    def _statement(self, index):
        """Return the tokens of the statement behind its keyword."""
        at = index + 1
        self._step(self.tokens[index])
        while not (self.tokens[at].kind in (NEWLINE, END) or self.tokens[at].text == ';' and not self.tokens[at].depth):
            at += 1
        return self.tokens[index + 1:at]

    @staticmethod
    def _split(tokens, sign, depth=0):
        """Return the tokens between signs of a depth."""
        parts = [[]]
        for token in tokens:
            if token.text == sign and token.depth == depth:
                parts.append([])
            else:
                parts[-1].append(token)
        return parts

    # --- statements ---

    def _print(self, index, token):
        rest = self._statement(index)
        if not rest:
            self.edits.close(token.end, '()')
            return
        target = rest[0].text == '>>'
        parts = self._split(rest[1:] if target else rest, ',')
        more = len(parts) > 1 and not parts[-1]
        if not all(parts[:-1]) or target and not parts[0]:
            raise Refusal(token.line, 'this print can not be understood')
        if more:
            parts.pop()
        values = parts[1:] if target else parts
        tail = []
        if target:
            to = self.edits.text[parts[0][0].start:parts[0][-1].end]
            if '\n' in to or any(t.kind == STRING for t in parts[0]):
                raise Refusal(token.line, 'print >> to something on several lines: name it first')
            after = values[0][0].start if values else parts[0][-1].end
            self.edits.replace(rest[0].start, after, '')
            tail.append('%sfile=%s' % (', ' if values else '', to))
        if more and values:
            tail.append(self._end(token, values[-1][-1]))
        if len(values) == 1 and not tail and self._is_enclosed(values[0]) and self._is_call(values[0]):
            return  # print("text") means the same
        gap = self.edits.text[token.end:rest[0].start]
        if gap and '\n' not in gap and not target:
            self.edits.replace(token.end, rest[0].start, '(')
        else:
            self.edits.close(token.end, '(')
        end = parts[-1][-1].end
        if more and values:
            comma = rest[-1]
            self.edits.replace(comma.start, comma.end, '')
        self.edits.close(end, ''.join(tail) + ')')

    def _is_enclosed(self, tokens):
        return tokens[0].text == '(' and tokens[-1].text == ')' and all(token.depth for token in tokens[1:-1])

    def _end(self, token, last):
        """A comma at the end leaves a blank for the next print, but none behind the end of a line."""
        if last.kind == STRING and not last.text[:-1].endswith('n'):
            return ", end=' '"
        self.edits.replace(token.start, token.end, 'py2_print')
        self.helpers.add('py2_print')
        return ''

    @staticmethod
    def _is_call(tokens):
        # ("a", "b") is a tuple to print; (x, file=f) and (*x) can only be meant for the function.
        signs = [t.text for t in tokens if t.depth == 1]
        return len(tokens) > 2 and ',' not in signs or '=' in signs or '**' in signs or signs[:1] == ['*']

    def _exec(self, index, token):
        rest = self._statement(index)
        parts = self._split(rest, 'in')
        if not all(parts) or len(parts) > 2:
            raise Refusal(token.line, 'this exec can not be understood')
        if len(parts) == 1 and self._is_enclosed(rest):
            return
        self.edits.close(token.end, '(')
        if len(parts) == 2:
            where = next(t for t in rest if t.text == 'in' and not t.depth)
            self.edits.replace(where.start, where.end, ',')
        self.edits.close(rest[-1].end, ')')

    def _raise(self, index, token):
        parts = self._split(self._statement(index), ',')
        if len(parts) == 1:
            if parts[0] and parts[0][0].kind == STRING:
                raise Refusal(token.line, 'a text is raised, which is an error in Python 2 too')
            return
        if not all(parts) or len(parts) > 3:
            raise Refusal(token.line, 'this raise can not be understood')
        if len(parts) == 2 and parts[1][0].kind == STRING and parts[0][-1].text != ')':
            comma = self.tokens[self._find(index, ',')]
            gap = self.edits.text[comma.end:parts[1][0].start]
            self.edits.replace(comma.start, comma.end if '\n' in gap else parts[1][0].start, '(')
            self.edits.close(parts[1][-1].end, ')')
            return
        self.helpers.add('py2_raise')
        self.edits.open(parts[0][0].start, 'py2_raise(')
        self.edits.close(parts[-1][-1].end, ')')

    def _except(self, index, token):
        colon = self._find(index, ':')
        parts = self._split(self.tokens[index + 1:colon], ',')
        if len(parts) == 1:
            parts = self._split(parts[0], 'as')
            if len(parts) == 1 or len(parts) == 2 and len(parts[1]) == 1:
                return
        if len(parts) != 2 or not all(parts):
            raise Refusal(token.line, 'this except can not be understood')
        sign = next(t for t in self.tokens[index:colon] if not t.depth and t.text in (',', 'as'))
        if len(parts[1]) > 1:
            target = self.edits.text[parts[1][0].start:parts[1][-1].end]
            self.edits.replace(parts[1][0].start, parts[1][-1].end, CAUGHT)
            unpacked = parts[1][0].text in '(['
            self._at_start_of_body(colon, '%s = %s%s; ' % (target, CAUGHT, '.args' if unpacked else ''))
        if sign.text == ',':
            gap = self.edits.text[parts[0][-1].end:parts[1][0].start]
            if '\n' in gap:
                raise Refusal(token.line, 'an except on several lines')
            self.edits.replace(parts[0][-1].end, parts[1][0].start, ' as ')

    def _at_start_of_body(self, colon, statement):
        at = colon + 1
        while self.tokens[at].kind == NEWLINE:
            at += 1
        if self.tokens[at].text in COMPOUND or '\n' in statement:
            raise Refusal(self.tokens[colon].line, 'names in brackets are set here before a block: set them in a line of their own')
        self.edits.open(self.tokens[at].start, statement)

    # --- parameters in brackets ---

    def _parameters(self, bracket, is_lambda):
        """def f(a, (b, c)): the second gets a name, and is taken apart at the start of the body."""
        depth = self.tokens[bracket].depth + 1
        at, close = bracket + 1, self._find(bracket, ')')
        colon = self._find(close, ':')
        for part in self._split(self.tokens[at:close], ',', depth):
            if part and part[0].text == '(':
                name, target = self._pack(part)
                self._at_start_of_body(colon, '%s = %s; ' % (target, name))

    def _pack(self, part):
        if any(t.text == '=' for t in part) or '\n' in self.edits.text[part[0].start:part[-1].end]:
            raise Refusal(part[0].line, 'a parameter in brackets with a default, or on several lines: write it out')
        self.packed += 1
        name = PACKED % self.packed
        self.edits.replace(part[0].start, part[-1].end, name)
        return name, self.edits.text[part[0].start:part[-1].end]

    def _lambda(self, index):
        """lambda (k, v): body becomes lambda p: (lambda k, v: body)(*p)."""
        depth, colon = self.tokens[index].depth, self._find(index, ':')
        parts = self._split(self.tokens[index + 1:colon], ',', depth)
        packed = [part for part in parts if part and part[0].text == '(']
        if not packed:
            return
        if len(parts) > 1 or any(t.text == '(' for t in packed[0][1:]):
            raise Refusal(self.tokens[index].line, 'a lambda with a parameter in brackets beside others: write a function')
        name, target = self._pack(packed[0])
        end = colon + 1
        while not self._ends_expression(self.tokens[end], depth):
            self._step(self.tokens[end])
            end += 1
        self.edits.close(self.tokens[colon].end, ' (lambda %s:' % target.strip()[1:-1])
        self.edits.close(self.tokens[end - 1].end, ')(*%s)' % name)

    @staticmethod
    def _ends_expression(token, depth):
        return token.depth < depth or token.kind in (NEWLINE, END) or \
            token.depth == depth and token.text in (',', ';', 'for')

    # --- everywhere ---

    def _backticks(self):
        opened = []
        for token in self.tokens:
            if token.text != '`' or token.kind != OP:
                continue
            if opened and opened[-1] == token.depth:
                opened.pop()
                self.edits.replace(token.start, token.end, ')')
            else:
                opened.append(token.depth)
                self.edits.replace(token.start, token.end, 'repr(')
        if opened:
            raise Refusal(0, 'a backtick has no other')

    def _indentation(self):
        """Tabs count to the next multiple of eight, as in Python 2; Python 3 refuses to mix them with blanks."""
        at_start, text, indents = True, self.edits.text, []
        for token in self.all:
            if at_start and not token.depth and token.kind != NEWLINE:
                begin = text.rfind('\n', 0, token.start) + 1
                indents.append((begin, token.start, text[begin:token.start]))
            at_start = token.kind == NEWLINE and not token.depth
        if any(' ' in indent for _, _, indent in indents):
            for begin, end, indent in indents:
                if '\t' in indent and not indent.strip(' \t'):
                    self.edits.replace(begin, end, indent.expandtabs(8))
