"""What can't be translated: a line and a reason."""


class Refusal(ValueError):
    """A source can't be translated safely; line is 0 when it is the whole of it."""

    def __init__(self, line, reason):
        super().__init__('line %d: %s' % (line, reason) if line else reason)
        self.line, self.reason = line, reason


class Broken(Refusal):
    """A source is of no Python at all."""
