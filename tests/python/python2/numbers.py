from setuphelpers import *
import os, sys

def install():
    mkdirs('d')
    os.chmod('d', 0750)
    print oct(os.stat('d').st_mode & 0777)[-3:], 10L, 0xFFL, 0, 00, 0o17
    print round(2.5), round(-2.5), round(1.25, 1), round(7), long(3), isinstance(3, long)
    print sys.maxint > 2 ** 30, 1 <> 2, `1 + 1`, `'x'` + `[1]`
