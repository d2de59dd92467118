"""The logger that scripts know as `logger`; warnings and worse end up in the script's output."""

import logging

logger = logging.getLogger('waptcore')
