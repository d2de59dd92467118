from setuphelpers import *

def area(name, (width, height)):
    print name
    return width * height

def first((a, b)): return a

def install():
    print area('room', (2, 3)), first((8, 9))
    print map(lambda (k, v): k + '=' + v, [('a', 'b')])
    f = lambda x, y=2: x / y
    print f(5)
