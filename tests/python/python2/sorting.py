from setuphelpers import *

def by_length(a, b):
    return cmp(len(a), len(b))

def install():
    names = ['ccc', 'a', 'bb']
    print sorted(names, by_length), sorted(names, cmp=by_length, reverse=True)
    names.sort(by_length)
    print names
    names.sort(cmp=lambda a, b: cmp(b, a))
    print names
    versions = ['1.10', '1.9', '1.2.3']
    versions.sort(lambda a, b: cmp(Version(a), Version(b)))
    print versions
    sizes = {'x': 3, 'y': 1}
    print sorted(sizes.items(), key=lambda (name, size): size)
    print sorted(sizes.iteritems(), key=lambda (n, s): (-s, n))[0][0]
    print cmp(1, 2), cmp('b', 'a'), cmp(None, 1), cmp((1, 2), (1, 2))
    names.sort(key=len)
    print names
