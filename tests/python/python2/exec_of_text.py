from setuphelpers import *

def install():
    scope = {'n': 7}
    exec "print n / 2\nxs = map(str, range(2))" in scope
    print scope['xs']
    exec compile('y = 7 / 2', 'x', 'exec') in scope
    print scope['y']
