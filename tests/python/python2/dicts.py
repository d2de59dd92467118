from setuphelpers import *

def install():
    d = {'b': 2, 'a': 1, 'c': 3}
    if d.has_key('a') and not d.has_key('z'):
        print 'has'
    for k, v in sorted(d.iteritems()):
        print k, v
    keys = d.keys()
    keys.sort()
    print keys, sorted(d.values())[0], len(d.items())
    print d.keys()[0] in d, sum(d.itervalues())
    for k in d.keys():
        if d[k] > 1:
            del d[k]
    print d
    print sorted(dict(d, x=9).items() + [('y', 1)])
    print max(d.iterkeys()), [k for k in d.viewkeys()]
    it = d.iteritems()
    print it.next()
