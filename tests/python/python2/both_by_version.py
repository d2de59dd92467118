from setuphelpers import *
import sys
if sys.version_info[0] < 3:
    text = unicode
else:
    text = str

def install():
    print(text(1 / 2))
