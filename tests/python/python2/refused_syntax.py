def install():
    x = ur'\u0041'
    raise 'a text'
    lambda a, (b, c): a
