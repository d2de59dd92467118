from setuphelpers import *

def install():
    print 7 / 2, -7 / 2, 7.0 / 2, 7 / 2.0, 1 / 3 * 3
    size = 7 * 1024 * 1024
    print size / 1024 / 1024, 'MB'
    print (1 + 2) / (1 + 1)
    a = 9
    a /= 2
    print a
    d = {'n': 5}
    d['n'] /= 2
    print d['n'], float(5) / 2, 5 / float(2)
    print 5 // 2, 5.0 // 2
    half = lambda x: x / 2
    print half(3), half(3.0), [x / 2 for x in range(4)]
    print 10L / 4, True / 2
