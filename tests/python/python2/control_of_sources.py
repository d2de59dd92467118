# -*- coding: utf-8 -*-
from setuphelpers import *

uninstallkey = []

def install():
    pass

def update_package():
    print(u"Téléchargement")
    from waptpackage import PackageEntry
    import waptutils
    from waptutils import ensure_list, md5_for_file
    pe = PackageEntry()
    pe.load_control_from_wapt(os.getcwd())
    current_version = pe['version'].split('-', 1)[0]
    version = '1.10'
    filename = 'app-%s.exe' % version
    open(filename, 'wb').write('x')
    if Version(current_version) < Version(version, 4):
        print "new version %s, old one %s" % (version, current_version)
    for actual_bin in glob.glob('app-*.exe'):
        if actual_bin <> filename:
            remove_file(actual_bin)
            print u"removed %s" % actual_bin
    pe.version = '%s-%s' % (version, int(pe.version.split('-')[-1]) + 1)
    pe.save_control_to_wapt(os.getcwd())
    print PackageEntry().load_control_from_wapt().version, md5_for_file(filename)[:8], waptutils.ensure_list('a,b')
    return True
