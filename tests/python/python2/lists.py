from setuphelpers import *

def install():
    print map(str, [1, 2]) + ['x'], filter(None, [0, 1, 2]), zip('ab', 'cd')
    print range(3) + [9], len(map(len, ['a'])), map(int, '12')[-1]
    print filter(lambda c: c != 'b', 'abc'), filter(lambda x: x > 1, (1, 2))
    total = 0
    for i in xrange(4):
        total += i
    print total, reduce(lambda a, b: a * b, range(1, 5)), apply(max, (1, 5))
    print ''.join(map(chr, [104, 105])), unichr(233), ord('a')
    print 3 in range(4), [i for i in range(3) if i], list(reversed(range(3)))
    for a, b in zip([1, 2], [3, 4]): print a + b,
    print
