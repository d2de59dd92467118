from setuphelpers import *

class Counter:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def next(self):
        if self.n <= 0: raise StopIteration
        self.n -= 1
        return self.n
    def __nonzero__(self): return self.n > 0
    def __unicode__(self): return u'counter'

class Half(object):
    def __init__(self, x): self.x = x
    def __div__(self, other): return self.x / other

def install():
    c = Counter(3)
    print bool(c), list(c), bool(c), Half(5) / 2, install.func_name, str(Counter(1))
    g = (x for x in [7])
    print g.next()
