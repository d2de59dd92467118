from setuphelpers import *

def install():
    filecopyto('setup.py', persistent_dir)
    print isfile(makepath(persistent_dir, 'setup.py')), dir_is_empty(persistent_dir)
    for f in find_all_files(basedir, include_patterns='*.py', exclude_dirs=['tools']):
        print os.path.basename(f)
    print `ensure_list('a, b')`, isdir(basedir), WAPT.host_uuid
