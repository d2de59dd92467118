"""What Python 2 called otherwise: the tables of names. A text is the new name; HELPER: the helper py2_<name>."""

import re

HELPER = object()
NETWORK = 'setuphelpers.python2_urllib'

MODULES = {
    '_winreg': 'winreg', 'ConfigParser': 'configparser', 'Queue': 'queue', 'HTMLParser': 'html.parser',
    'htmlentitydefs': 'html.entities', 'httplib': 'http.client', 'cookielib': 'http.cookiejar', 'Cookie': 'http.cookies',
    'BaseHTTPServer': 'http.server', 'SimpleHTTPServer': 'http.server', 'CGIHTTPServer': 'http.server',
    'SocketServer': 'socketserver', 'xmlrpclib': 'xmlrpc.client', 'SimpleXMLRPCServer': 'xmlrpc.server',
    'cPickle': 'pickle', 'copy_reg': 'copyreg', 'anydbm': 'dbm', 'dbhash': 'dbm', 'gdbm': 'dbm.gnu', 'repr': 'reprlib',
    'thread': '_thread', 'dummy_thread': '_thread', 'commands': 'subprocess', '__builtin__': 'builtins',
    'exceptions': 'builtins', 'UserDict': 'collections', 'UserList': 'collections', 'UserString': 'collections',
    'Tkinter': 'tkinter', 'tkMessageBox': 'tkinter.messagebox', 'tkFileDialog': 'tkinter.filedialog', 'ttk': 'tkinter.ttk',
    'tkSimpleDialog': 'tkinter.simpledialog', 'urllib': NETWORK, 'urllib2': NETWORK, 'urlparse': NETWORK, 'robotparser': 'urllib.robotparser',
    'StringIO': 'setuphelpers.python2_io', 'cStringIO': 'setuphelpers.python2_io',
    'xml.etree.cElementTree': 'xml.etree.ElementTree', 'email.MIMEText': 'email.mime.text', 'email.MIMEMultipart': 'email.mime.multipart',
    'email.MIMEBase': 'email.mime.base', 'email.MIMEImage': 'email.mime.image', 'email.MIMEAudio': 'email.mime.audio',
    'email.Utils': 'email.utils', 'email.Encoders': 'email.encoders', 'email.Header': 'email.header',
}
MODULES_GONE = {
    'md5': 'use hashlib.md5()', 'sha': 'use hashlib.sha1()', 'popen2': 'use subprocess', 'sets': 'use set()', 'new': 'use types',
    'mimetools': 'use email', 'rfc822': 'use email', 'MimeWriter': 'use email', 'compiler': 'use ast', 'hotshot': 'use cProfile',
    'bsddb': 'there is none any more', 'imputil': 'use importlib', 'ihooks': 'use importlib', 'statvfs': 'use os.statvfs()',
    'user': 'read the file itself', 'multifile': 'use email', 'dircache': 'use os.listdir()', 'fpformat': 'use format()',
    'htmllib': 'use html.parser', 'sgmllib': 'use html.parser', 'mhlib': 'use mailbox', 'mutex': 'use threading',
}
# Names that were built in; those that the script binds itself are left alone.
BUILTINS = {
    'unicode': 'str', 'basestring': 'str', 'xrange': 'range', 'raw_input': 'input', 'long': 'int', 'StandardError': 'Exception',
    'unichr': 'chr', 'bytes': 'str', 'unicode()': HELPER, 'cmp': HELPER, 'reduce': HELPER, 'apply': HELPER, 'reload': HELPER,
    'intern': HELPER, 'file': HELPER, 'open': HELPER, 'round': HELPER, 'input': HELPER, 'execfile': HELPER, 'chr': HELPER,
    'WindowsError': 'OSError', 'filter()': HELPER,
}
BUILTINS_GONE = {'buffer': 'use memoryview', 'coerce': 'write the conversion out'}
# Only Python 2 has these: a script that uses one without having made it is of that time.
ONLY_PYTHON2 = ('unicode', 'basestring', 'xrange', 'raw_input', 'unichr', 'long', 'StandardError', 'cmp', 'reduce', 'apply', 'reload', 'intern',
                'file', 'execfile', 'buffer', 'coerce')
LISTS = ('map', 'zip', 'range')
METHOD_LISTS = ('keys', 'values', 'items')
METHOD_VIEWS = {'iterkeys': 'keys', 'itervalues': 'values', 'iteritems': 'items', 'viewkeys': 'keys', 'viewvalues': 'values', 'viewitems': 'items'}
ONLY_PYTHON2_METHODS = ('has_key', 'iterkeys', 'itervalues', 'iteritems', 'viewkeys', 'viewvalues', 'viewitems')
# What goes through its elements and keeps none: a list is not needed for these.
CONSUMERS = ('list', 'tuple', 'set', 'frozenset', 'sorted', 'sum', 'any', 'all', 'enumerate', 'dict', 'iter', 'min', 'max')

# module.name: what stands for it; a HELPER is py2_<module>_<name>.
ATTRIBUTES = {
    'sys.maxint': 'sys.maxsize', 'os.getcwdu': 'os.getcwd', 'sys.setdefaultencoding': HELPER, 'sys.exc_clear': HELPER,
    'itertools.izip': 'zip', 'itertools.imap': 'map', 'itertools.ifilter': 'filter', 'itertools.izip_longest': 'itertools.zip_longest',
    'itertools.ifilterfalse': 'itertools.filterfalse', 'string.letters': 'string.ascii_letters', 'string.lowercase': 'string.ascii_lowercase',
    'string.uppercase': 'string.ascii_uppercase', 'time.clock': 'time.perf_counter', 'platform.linux_distribution': HELPER,
    'platform.dist': HELPER, 'types.StringType': 'str', 'types.UnicodeType': 'str', 'types.StringTypes': '(str,)', 'types.IntType': 'int',
    'types.LongType': 'int', 'types.FloatType': 'float', 'types.BooleanType': 'bool', 'types.ListType': 'list', 'types.TupleType': 'tuple',
    'types.DictType': 'dict', 'types.NoneType': 'type(None)', 'os.errno': HELPER, 'string.join': HELPER, 'collections.Iterable': HELPER,
    'collections.Mapping': HELPER, 'collections.Callable': HELPER,
}
STRING_FUNCTIONS = ('split', 'rsplit', 'strip', 'lstrip', 'rstrip', 'replace', 'upper', 'lower', 'find', 'rfind', 'index', 'count', 'capitalize',
                    'zfill', 'ljust', 'rjust', 'center', 'swapcase', 'expandtabs', 'atoi', 'atof', 'joinfields', 'splitfields')
ATTRIBUTES_GONE = {
    'os.path.walk': 'use os.walk()', 'os.popen2': 'use subprocess', 'os.popen3': 'use subprocess', 'os.popen4': 'use subprocess',
    'sys.exc_type': 'use sys.exc_info()', 'sys.exc_value': 'use sys.exc_info()', 'sys.exc_traceback': 'use sys.exc_info()',
    'string.maketrans': "use str.maketrans(), or replace()", 'os.tmpnam': 'use tempfile', 'os.tempnam': 'use tempfile',
}
# Functions whose arguments are bytes, and whose results may be: by the module that a script has imported.
BYTES_IN = {
    'hashlib': ('md5', 'sha1', 'sha224', 'sha256', 'sha384', 'sha512'), 'zlib': ('compress', 'decompress', 'crc32', 'adler32'),
    'base64': ('b64encode', 'b64decode', 'encodestring', 'decodestring', 'b32encode', 'b32decode', 'b16encode', 'b16decode',
               'urlsafe_b64encode', 'urlsafe_b64decode', 'standard_b64encode', 'standard_b64decode'),
    'binascii': ('hexlify', 'unhexlify', 'b2a_hex', 'a2b_hex', 'b2a_base64', 'a2b_base64', 'crc32'),
    'bz2': ('compress', 'decompress'), 'struct': ('pack', 'unpack', 'unpack_from'), 'pickle': ('loads', 'dumps'),
    'cPickle': ('loads', 'dumps'), 'hmac': ('new',), 'marshal': ('loads', 'dumps'), 'quopri': ('encodestring', 'decodestring'),
}
RENAMED_FUNCTIONS = {'base64.encodestring': 'encodebytes', 'base64.decodestring': 'decodebytes'}
PROCESSES = ('Popen', 'check_output')
# Methods that may give bytes where Python 2 gave its texts.
READERS = ('read', 'readline', 'readlines', 'recv', 'communicate', 'digest', 'getvalue')
SENDERS = ('send', 'sendall', 'sendto')
FUNCTIONS_OF_BYTES = ('wgets',)
CLASS_METHODS = {'__nonzero__': '__bool__', '__unicode__': '__str__', '__div__': '__truediv__', '__rdiv__': '__rtruediv__', 'next': '__next__'}
CLASS_GONE = {'__cmp__': 'write __lt__ and __eq__', '__getslice__': 'write __getitem__', '__coerce__': 'write __add__ and the like',
              '__metaclass__': 'write class X(metaclass=M)', '__hex__': 'write __index__', '__oct__': 'write __index__'}
FUNCTION_ATTRIBUTES = {'func_name': '__name__', 'func_doc': '__doc__', 'func_code': '__code__', 'func_globals': '__globals__',
                       'func_defaults': '__defaults__', 'func_dict': '__dict__', 'im_func': '__func__', 'im_self': '__self__'}

# A glance before a tree is made: without one of these words there is nothing of Python 2 in what Python 3 can read.
WORDS = re.compile(r'\b(%s)\b' % '|'.join(
    list(ONLY_PYTHON2) + list(ONLY_PYTHON2_METHODS) + [m.replace('.', r'\.') for m in MODULES] + list(MODULES_GONE) +
    [a.rpartition('.')[2] for a in list(ATTRIBUTES) + list(ATTRIBUTES_GONE)] + list(METHOD_LISTS) + ['map', 'filter', 'zip']) + r'|\bprint\s*>>')
# Who asks serves both.
BOTH = re.compile(r'\b(sys\.version_info|sys\.hexversion|PY2|PY3|six|platform\.python_version\w*)\b')
