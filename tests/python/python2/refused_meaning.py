import md5
import sets, os
from itertools import izip, chain
print 'x'

class A:
    __metaclass__ = type
    def __cmp__(self, other): return 0

def install():
    [i for i in range(3)]
    print i
    os.path.walk('.', None, None)
    y = buffer('x')
    map(None, [1], [2])
    print sorted([1], cmp=f, key=g)
