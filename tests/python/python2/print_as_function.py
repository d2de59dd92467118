from setuphelpers import *
import sys

def install():
    print "old"
    print('new', file=sys.stdout)
    print(*[1, 2], **{'sep': '-'})
    print(*[3])
