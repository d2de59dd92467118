from setuphelpers import *
import string, hashlib

class Reader:
    def next(self):
        return 'mine'

def install():
    for string in ('a,b', 'c'):
        print string.split(','),
    print
    print Reader().next(), iter([1]).next()
    h = hashlib.sha1()
    h.update('\xe9')
    seen = {}
    seen.update({'a': 1})
    map(seen.pop, ['a'])
    print h.hexdigest()[:8], seen
    file, cmp = 'f', lambda a, b: 'own'
    print file, cmp(1, 2)
