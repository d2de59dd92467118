from setuphelpers import *
from itertools import izip, imap
from types import StringType
from string import join
from xml.etree import cElementTree as ET
from email.MIMEText import MIMEText
from email import Utils
from os import getcwdu as here
from sys import maxint
from StringIO import StringIO
import email.MIMEMultipart as multi, urllib as u

def install():
    print list(izip('ab', imap(ord, 'ab'))), isinstance('x', StringType), join(['a', 'b'])
    print ET.fromstring('<a><b>x</b></a>').find('b').text, MIMEText('x').get_payload(), Utils.parseaddr('A <a@b>')[1]
    print here() == basedir, maxint > 1, StringIO('x').read(), multi.MIMEMultipart().is_multipart(), u.unquote('%C3%A9')
