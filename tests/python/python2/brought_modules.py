from setuphelpers import *
import common
from tools import version

def install():
    print common.half(7), version.number(), common.__name__
