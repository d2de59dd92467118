# converted from Python 2 long ago
from setuphelpers import *

def install():
    print(7 / 2, 7 // 2)
    d = {'a': 1}
    print(list(d.keys()), sorted(d.items()))
