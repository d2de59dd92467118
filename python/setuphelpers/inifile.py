"""INI files edited in place: what is not asked for - comments, order, spacing - stays as it is.

Keys are the same in upper and lower case, sections are not. Bytes that are not
UTF-8 survive. A file is replaced whole, never left half-written.
"""

import re

from .files import write_whole

SECTION = re.compile(r'\[([^]]+)\]')
OPTION = re.compile(r'([^:=\s][^:=]*?)\s*[:=]\s*(.*)$')


class _IniFile:
    def __init__(self, path):
        self.path = path
        try:
            with open(path, encoding='utf-8', errors='surrogateescape', newline='') as source:
                text = source.read()
        except FileNotFoundError:
            text = ''
        self.mark = '\ufeff' if text.startswith('\ufeff') else ''
        self.lines = text[len(self.mark):].split('\n')
        if self.lines[-1] == '':
            self.lines.pop()
        self.ending = '\r' if self.lines and self.lines[0].endswith('\r') else ''

    def save(self):
        text = self.mark + ''.join(line + '\n' for line in self.lines)
        write_whole(self.path, text.encode('utf-8', 'surrogateescape'))

    def section(self, name):
        """Return the indexes of the lines after the section's head, None if there is no such section."""
        start = None
        for index, line in enumerate(self.lines):
            found = SECTION.match(line)
            if found and start is not None:
                return range(start, index)
            if found and found.group(1) == name:
                start = index + 1
        return None if start is None else range(start, len(self.lines))

    def option(self, section, key):
        """Return the value and the indexes of the lines of a key, or None."""
        inside, result = self.section(section), None
        for index in inside or ():
            found = None if self.lines[index][:1] in '#;' else OPTION.match(self.lines[index].rstrip())
            if found and found.group(1).lower() == key.lower():
                last = index + 1
                while last in inside and self.lines[last][:1] in (' ', '\t') and self.lines[last].strip():
                    last += 1
                values = [found.group(2)] + self.lines[index + 1:last]
                result = '\n'.join(value.strip() for value in values), range(index, last)
        return result  # a key given twice has its last value

    def end_of_section(self, inside):
        last = inside.stop
        while last > inside.start and not self.lines[last - 1].strip():
            last -= 1
        return last


def inifile_hasoption(inifilename, section, key):
    """Tell whether a section of an INI file has a key."""
    return _IniFile(inifilename).option(section, key) is not None


def inifile_hassection(inifilename, section):
    """Tell whether an INI file has a section."""
    return _IniFile(inifilename).section(section) is not None


def inifile_readstring(inifilename, section, key, default=None):
    """Return the value of a key of an INI file, or the default."""
    found = _IniFile(inifilename).option(section, key)
    return default if found is None else found[0]


def inifile_writestring(inifilename, section, key, value):
    """Set a key of an INI file; the file and the section are made if they are missing."""
    value = '' if value is None else str(value)
    _check(section, key)
    lines = value.splitlines() or ['']
    if any(not line.strip() for line in lines[1:]):
        raise ValueError('the value of %r contains a blank line, which an INI file can not hold' % key)
    ini = _IniFile(inifilename)
    written = ['%s = %s' % (key, lines[0])] + ['\t' + line for line in lines[1:]]
    written = [line + ini.ending for line in written]
    inside, found = ini.section(section), ini.option(section, key)
    if found is not None:
        if found[0] == value:
            return
        ini.lines[found[1].start:found[1].stop] = written
    elif inside is not None:
        at = ini.end_of_section(inside)
        ini.lines[at:at] = written
    else:
        ini.lines += ([ini.ending] if ini.lines else []) + ['[%s]%s' % (section, ini.ending)] + written
    ini.save()


def inifile_deleteoption(inifilename, section, key):
    """Remove a key from an INI file; true if the section is there and the key is not."""
    ini = _IniFile(inifilename)
    found = ini.option(section, key)
    while found is not None:
        del ini.lines[found[1].start:found[1].stop]
        found = ini.option(section, key)
        if found is None:
            ini.save()
    return ini.section(section) is not None


def inifile_deletesection(inifilename, section):
    """Remove a section and its keys from an INI file; true if it is not there any more."""
    ini = _IniFile(inifilename)
    inside = ini.section(section)
    while inside is not None:
        del ini.lines[inside.start - 1:inside.stop]
        inside = ini.section(section)
        if inside is None:
            ini.save()
    return True


def _check(section, key):
    if not section or re.search(r'[\]\r\n]', section):
        raise ValueError('%r can not be the name of a section of an INI file' % section)
    found = OPTION.match(key + ' = ')
    if '\n' in key or key[:1] in '#;[' or found is None or found.group(1) != key:
        raise ValueError('%r can not be a key of an INI file' % key)
