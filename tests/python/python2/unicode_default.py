# -*- coding: utf-8 -*-
import sys
reload(sys)
sys.setdefaultencoding('utf8')
import codecs
sys.stdout = codecs.getwriter('utf8')(sys.stdout)
from setuphelpers import *

def install():
    print u'é', str(u'é')
