print 'x
