# -*- coding: utf-8 -*-
from setuphelpers import *
import re, json

def update_package():
    page = open('page.html').read()
    found = re.findall(r'href="(app-([\d.]+)\.exe)"', page)
    found.sort(key=lambda (name, version): Version(version))
    print 'newest: %s' % found[-1][0]
    control.version = '%s-%s' % (found[-1][1], int(control.version.split('-')[-1]) + 1)
    print control.version
    return True
