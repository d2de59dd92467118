def f((a, b)):
    if a:
        print b

def install():
    try:
        pass
    except IOError, (n, m):
        for x in m:
            print x
