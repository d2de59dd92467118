#!/usr/bin/python
# -*- coding: utf-8 -*-
from setuphelpers import *
import platform

uninstallkey = []

def install():
    print u"Distribution : %s" % get_distrib_linux()
    if platform.linux_distribution()[0] <> get_distrib_linux():
        raise Exception, 'other names'
    if type_debian() or type_redhat():
        pass
    print get_os_version() == platform.linux_distribution()[1]
    os.errno.ENOENT
