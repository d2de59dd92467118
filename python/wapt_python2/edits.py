"""Changes to a text by offsets, none of which adds or removes a line, so that a traceback names the right ones."""


class Edits:
    """Collects insertions and replacements of one text, then applies them together.

    At one offset what closes stands before what opens, and things opened first are the outer ones.
    """

    def __init__(self, text):
        self.text, self._changes = text, []

    def __bool__(self):
        return bool(self._changes)

    def open(self, at, text):
        """Insert text that belongs to what follows; of two at one place the first given is the outer one."""
        self._changes.append((at, 1, len(self._changes), at, text))

    def close(self, at, text):
        """Insert text that belongs to what precedes; of two at one place the first given is the inner one."""
        self._changes.append((at, 0, len(self._changes), at, text))

    def replace(self, start, end, text):
        """Replace a range that holds no other change; its line ends must be kept by the caller."""
        self._changes.append((start, 2, len(self._changes), end, text))

    def apply(self):
        """Return the changed text; ValueError if two replacements meet."""
        parts, at = [], 0
        for start, _, _, end, text in sorted(self._changes):
            if start < at:
                raise ValueError('changes that meet at %d' % start)
            parts += [self.text[at:start], text]
            at = end
        result = ''.join(parts) + self.text[at:]
        if result.count('\n') != self.text.count('\n'):
            raise ValueError('a change adds or removes a line')
        return result
