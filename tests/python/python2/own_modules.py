from setuphelpers import *
import fpformat
from statvfs import name

def install():
    print(fpformat.run_all(), name, 7 / 2)
