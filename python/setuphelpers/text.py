"""Lists, text and dates as WAPT's scripts write them: csv lists and local ISO dates without a zone."""

import datetime
import os

from .errors import EWaptSetupException


def ensure_list(csv_or_list, ignore_empty_args=True, allow_none=False):
    """Return a list made from a csv text, a list, a tuple, a scalar or None."""
    if csv_or_list is None:
        return None if allow_none else []
    if isinstance(csv_or_list, bytes):
        csv_or_list = ensure_unicode(csv_or_list)
    if isinstance(csv_or_list, str):
        items = [item.strip() for item in csv_or_list.split(',')]
        return [item for item in items if item or not ignore_empty_args]
    if isinstance(csv_or_list, (list, tuple, set, frozenset)) or hasattr(csv_or_list, '__next__'):
        return list(csv_or_list)
    return [csv_or_list]


def ensure_unicode(data):
    """Return data as text: bytes are read as UTF-8, else as Windows-1252; None stays None."""
    if data is None or type(data) is str:
        return data
    if isinstance(data, (bytes, bytearray)):
        raw = bytes(data)
        try:
            return raw.decode('utf-8')
        except UnicodeDecodeError:
            return raw.decode('cp1252', 'replace')
    return str(data)


def error(reason):
    """Stop the script: raise EWaptSetupException with 'Fatal error : ' and the reason."""
    raise EWaptSetupException('Fatal error : %s' % reason)


def currentdate():
    """Return today's local date as YYYYMMDD."""
    return datetime.datetime.now().strftime('%Y%m%d')


def currentdatetime():
    """Return the local date and time as YYYYMMDD-HHMMSS."""
    return datetime.datetime.now().strftime('%Y%m%d-%H%M%S')


def dateof(adatetime):
    """Return midnight of the day of a datetime."""
    return adatetime.replace(hour=0, minute=0, second=0, microsecond=0)


def datetime2isodate(adatetime=None):
    """Return a datetime, by default the local time now, as ISO text."""
    return (adatetime or datetime.datetime.now()).isoformat()


def isodate2datetime(isodatestr):
    """Return the datetime of an ISO text; fractions of a second are dropped."""
    return datetime.datetime.strptime(isodatestr.split('.', 1)[0], '%Y-%m-%dT%H:%M:%S')


def httpdatetime2isodate(httpdate):
    """Return the ISO text of an HTTP date such as that of a Last-Modified header."""
    import email.utils
    parsed = email.utils.parsedate(httpdate)
    if parsed is None:
        raise ValueError('not an HTTP date: %r' % httpdate)
    return datetime2isodate(datetime.datetime(*parsed[:6]))


def fileisodate(filename):
    """Return the local time of a file's last change as ISO text."""
    return datetime2isodate(datetime.datetime.fromtimestamp(os.stat(filename).st_mtime))


def time2display(adatetime):
    """Return a datetime as 'YYYY-MM-DD HH:MM'."""
    return adatetime.strftime('%Y-%m-%d %H:%M')


def hours_minutes(hours):
    """Return a decimal number of hours as HH:MM, None for None."""
    if hours is None:
        return None
    minutes = int(round(float(hours) * 60))
    return '%02d:%02d' % divmod(minutes, 60)
