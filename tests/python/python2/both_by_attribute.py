from setuphelpers import *
import types
try:
    texts = (types.StringType, types.UnicodeType)
except AttributeError:
    texts = (str,)
try:
    number = long
except NameError:
    number = int

def install():
    print(texts, number, 1 / 2)
