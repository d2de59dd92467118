from setuphelpers import *

def install():
    print 'x'
    code = 'a = 1'
    exec code
    print a
