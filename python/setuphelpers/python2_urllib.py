"""urllib, urllib2 and urlparse of Python 2, for translated scripts: what is in urllib's modules now, in one."""

import urllib.parse
import urllib.request
from urllib.error import ContentTooShortError, HTTPError, URLError
from urllib.parse import *
from urllib.request import *

from .python2 import py2_bytes

__all__ = urllib.parse.__all__ + urllib.request.__all__ + ['ContentTooShortError', 'HTTPError', 'URLError']


class Request(urllib.request.Request):
    """A request whose data may be text."""

    def __init__(self, url, data=None, headers={}, origin_req_host=None, unverifiable=False):
        super().__init__(url, py2_bytes(data), headers, origin_req_host, unverifiable)

    def add_data(self, data):
        """Set what is sent."""
        self.data = py2_bytes(data)


def urlopen(url, data=None, *args, **kwargs):
    """Open a URL; data may be text."""
    return urllib.request.urlopen(url, py2_bytes(data), *args, **kwargs)
