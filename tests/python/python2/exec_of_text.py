from setuphelpers import *

def install():
    scope = {'n': 7}
    exec "print n / 2\nxs = map(str, range(2))" in scope
    print scope['xs']
    exec compile('y = 7 / 2', 'x', 'exec') in scope
    print scope['y']
    k = 9
    print eval('k / 2'), eval(' scope["n"] / 2 '), eval('`1L`'), eval(compile('1 / 2', 'x', 'eval')), eval('n / 2', scope)
