from setuphelpers import *
print 'x'
def install():
    foo(
    bar()
