# Python 3 from the start: division is its own
from setuphelpers import *

def install():
    print(7 / 2, 7 // 2)
    d = {'a': 1}
    print(list(d.keys()), sorted(d.items()))
