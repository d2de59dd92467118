from setuphelpers import *
import sys

def install():
    f = open('log.txt', 'w')
    print >>f, 'one', 2
    print >> f
    print >>f, 'no end',
    print >>f, '!'
    f.close()
    print >>sys.stdout, open('log.txt').read(),
    print >>sys.stdout
