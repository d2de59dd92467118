"""Tells mistakes of the setup.py on standard input: lines of its line, a level, a rule, a text and what stands in the place
of each %s of it, with tabs between. Who reads them translates the text (src/pkg/lint.c).

Started as `/usr/bin/python3 -I -B wapt_lint.py` in a process of its own, with limits. The script is parsed,
never executed. docs/lint.md has the rules. With --fix, prints a script of Python 2 as Python 3 instead, and
ends with 0; 4: there is nothing to translate; 5: that can't be done safely.
"""

import ast
import os
import re
import sys
import warnings

HOOKS = ('install', 'uninstall', 'audit', 'session_setup', 'update_package')
FOUND_BY_TEXT = ('audit', 'session_setup')  # WAPT's agents look for 'def audit():' to the letter
TIMEOUT_MAX = 6 * 3600  # s: longer than any installer, and than most machines are on
# Helpers that wait for another program: the name, and the seconds when none are given.
WAITING = {'run': 600, 'run_notfatal': 600, 'install_exe_if_needed': 300, 'install_msi_if_needed': 300}
ENDLESS = ('call', 'check_call', 'check_output', 'communicate', 'wait')  # of subprocess: no time-out by themselves
REGISTERING = ('register', 'register_computer', 'register_host', 'update_server_status', 'send_status')
ASKING = ('input', 'raw_input', 'getpass')
TOLD_MAX = 300  # lines of a translation that are told
NOTHING, IMPOSSIBLE = 4, 5
VERSION = re.compile(r'[0-9]+(\.[0-9A-Za-z]+)*(-[0-9A-Za-z.]+)?$')


def tell(line, level, rule, text, *words):
    print('\t'.join([str(line), level, rule, text] + [' '.join(str(w).split())[:400] for w in words]))


def name_of(call):
    """The last part of what is called: 'run' of run() and of WAPT.run()."""
    target = call.func
    return target.attr if isinstance(target, ast.Attribute) else target.id if isinstance(target, ast.Name) else ''


def argument(call, name, position=None):
    """The argument of that name, or at that position; None when it is not given."""
    for keyword in call.keywords:
        if keyword.arg == name:
            return keyword.value
    if position is not None and len(call.args) > position and not any(isinstance(a, ast.Starred) for a in call.args):
        return call.args[position]
    return None


def takes_more(call):
    """Are there arguments that can't be seen here: *list, **dict?"""
    return any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args)


def constant(node):
    """(True, value) of a number or text that is written out."""
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
        value = node.operand.value
        return (True, -value) if isinstance(value, (int, float)) else (False, None)
    return (True, node.value) if isinstance(node, ast.Constant) else (False, None)


def check_timeout(call, name):
    given = argument(call, 'timeout')
    if given is None:
        if takes_more(call):
            return
        if name in ('install_exe_if_needed', 'install_msi_if_needed'):
            tell(call.lineno, 'note', 'timeout-missing', '%s() is ended after %s seconds: a large installer on a slow machine needs '
                 'timeout=...', name, WAITING[name])
        elif name in ENDLESS and isinstance(call.func, ast.Attribute):
            tell(call.lineno, 'warning', 'timeout-missing', '%s() may wait for ever, and so would the agent: give timeout=..., '
                 'or use run(), which has one', name)
        return
    known, seconds = constant(given)
    if known and seconds is None and name in WAITING:
        tell(call.lineno, 'warning', 'timeout-absurd', 'timeout=None lets %s() wait for ever: give seconds', name)
    elif known and isinstance(seconds, (int, float)) and not 1 <= seconds <= TIMEOUT_MAX:
        if seconds < 1:
            tell(call.lineno, 'warning', 'timeout-absurd', 'timeout=%s is no time to do anything: it is in seconds', seconds)
        else:
            tell(call.lineno, 'warning', 'timeout-absurd', 'timeout=%s is more than six hours: it is in seconds', seconds)


def check_key(node):
    known, key = constant(node)
    if not known or key is None:
        return
    if not isinstance(key, str) or not key or key != key.strip():
        tell(node.lineno, 'warning', 'uninstallkey', 'the uninstall key %s is empty, no text, or has blanks around it: it will never be '
             'found, and the installation count as failed', repr(key))
    elif re.match(r'(?i)(hkey_|hklm|software)', key) or ('\\' in key):
        tell(node.lineno, 'warning', 'uninstallkey', 'the uninstall key %s is a path: give the name of the key below Uninstall alone, as '
             "'wapt-get inventory' shows it", repr(key))
    elif re.match(r'[0-9A-Fa-f]{8}-([0-9A-Fa-f]{4}-){3}[0-9A-Fa-f]{12}$', key):
        tell(node.lineno, 'warning', 'uninstallkey', "the uninstall key %s is a product code without its braces: write '{%s}'", repr(key), key)


def check_version(node, what):
    known, version = constant(node)
    if not known or version is None or version == '':
        return
    if not isinstance(version, str):
        tell(node.lineno, 'warning', 'min-version', '%s=%s is no text: write it in quotes', what, repr(version))
    elif not VERSION.match(version):
        tell(node.lineno, 'warning', 'min-version', '%s=%s is no version like 1.2.3: it would be compared as text, and the software be '
             'taken for old or new by chance', what, repr(version))


def check_installer(call, name):
    if name == 'install_exe_if_needed':
        key = argument(call, 'key', 2)
        if key is None and not takes_more(call):
            tell(call.lineno, 'warning', 'uninstallkey', 'install_exe_if_needed() without key=... runs the installer each time, and does '
                 'not know how to remove the software')
    else:
        key = argument(call, 'key')
    if key is not None:
        check_key(key)
    version = argument(call, 'min_version', 3 if name == 'install_exe_if_needed' else 1)
    if version is not None:
        check_version(version, 'min_version')


class Calls(ast.NodeVisitor):
    """Looks at every call; hook: in whose body, '' for none."""

    def __init__(self):
        self.hook = ''
        self.depth = 0
        self.removes = False

    def visit_FunctionDef(self, node):
        before, self.depth = self.hook, self.depth + 1
        if self.depth == 1 and node.name in HOOKS:
            self.hook = node.name
        self.generic_visit(node)
        self.hook, self.depth = before, self.depth - 1

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Call(self, node):
        name = name_of(node)
        if name in WAITING or name in ENDLESS:
            check_timeout(node, name)
        if name in ('install_exe_if_needed', 'install_msi_if_needed'):
            self.removes = True
            check_installer(node, name)
        if self.hook == 'audit' and name in REGISTERING:
            tell(node.lineno, 'warning', 'audit-registers', '%s() in audit() makes every machine call the server at each audit: the agent '
                 'sends what has changed by itself; remove it', name)
        if name in ASKING and self.hook != 'update_package':
            tell(node.lineno, 'warning', 'asks', '%s() waits for an answer that nobody can give: take it from params', name)
        self.generic_visit(node)


def check_hook(node, text):
    required = len(node.args.args) - len(node.args.defaults) + len([d for d in node.args.kw_defaults if d is None])
    if required > 0:
        tell(node.lineno, 'error', 'hook-arguments', '%s() is called without arguments: it gets its context by names like control, params '
             'and WAPT', node.name)
    elif node.name in FOUND_BY_TEXT and 'def %s():' % node.name not in text:
        tell(node.lineno, 'warning', 'hook-spelling', "write 'def %s():' just so: otherwise it is not found and never runs", node.name)
    if isinstance(node, ast.AsyncFunctionDef):
        tell(node.lineno, 'error', 'hook-arguments', '%s() is async: nobody waits for it', node.name)


def check_module(tree, text, calls):
    hooks = {n.name: n for n in tree.body if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef)) and n.name in HOOKS}
    for node in hooks.values():
        check_hook(node, text)
    keys = [n for n in tree.body if isinstance(n, ast.Assign) and any(isinstance(t, ast.Name) and t.id == 'uninstallkey' for t in n.targets)]
    for node in keys:
        if isinstance(node.value, (ast.List, ast.Tuple)):
            for item in node.value.elts:
                check_key(item)
        else:
            check_key(node.value)
    for node in tree.body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            tell(node.lineno, 'warning', 'module-code', 'runs whenever the file is loaded, at each audit and log-in too: move it into a hook')
    if 'install' not in hooks:
        tell(0, 'warning', 'install-missing', 'has no install(): nothing will be installed; write at least an empty one')
    elif 'uninstall' not in hooks and not keys and not calls.removes:
        tell(0, 'note', 'uninstall-missing', 'has neither uninstall() nor uninstallkey: removing the package will leave what it installed')


def read_script(source):
    """Return (text as Python 3, the translation or None); None when there is neither, which is told."""
    try:
        text = wapt_python2.decode(source)
        need = wapt_python2.needs_translation(text)
        if need is None:
            return text, None
        translation = wapt_python2.translate(text)
    except wapt_python2.Untranslatable as failure:
        for refusal in failure.refusals:
            if isinstance(refusal, wapt_python2.Broken):
                tell(refusal.line, 'error', 'setup-syntax', 'is no Python: %s; agents could not even load it', refusal.reason)
            else:
                tell(refusal.line, 'error', 'old-python', 'is written for Python 2, and this can not be translated safely: %s', refusal.reason)
        return None
    except wapt_python2.Refusal as failure:
        tell(failure.line, 'error', 'setup-syntax', 'can not be read: %s', failure.reason)
        return None
    except SyntaxError as failure:
        tell(failure.lineno or 0, 'error', 'setup-syntax', 'is no Python: %s; agents could not even load it', failure.msg)
        return None
    tell_translation(translation, *need)
    return translation.text, translation


def tell_translation(translation, line, why):
    tell(line, 'note', 'old-python', 'is written for Python 2 (%s): agents run the translation that follows; lint --fix writes it', why)
    changes = list(translation.changes())
    for number, _, after in changes[:TOLD_MAX]:
        tell(number, 'note', 'old-python', 'becomes: %s', after)
    if len(changes) > TOLD_MAX:
        tell(0, 'note', 'old-python', '%s more lines become others', len(changes) - TOLD_MAX)


def check(source):
    script = read_script(source)
    if script is None:
        return
    calls = Calls()
    try:
        tree = ast.parse(script[0])
        calls.visit(tree)
    except (RecursionError, MemoryError):
        tell(0, 'error', 'setup-syntax', 'is nested too deeply to be understood')
        return
    check_module(tree, source.decode('utf-8', 'replace'), calls)


def fix(source):
    """Print the translation; return the exit status."""
    try:
        text = wapt_python2.decode(source)
        if wapt_python2.needs_translation(text) is None:
            return NOTHING
        sys.stdout.write(wapt_python2.translate(text).file())
    except (SyntaxError, wapt_python2.Refusal, wapt_python2.Untranslatable):
        return IMPOSSIBLE
    return 0


def main():
    source = sys.stdin.buffer.read()
    sys.stdout.reconfigure(encoding='utf-8', errors='replace', newline='\n')
    warnings.simplefilter('ignore')  # of Python about the script
    if sys.argv[1:] == ['--fix']:
        return fix(source)
    check(source)
    return 0


if __name__ == '__main__':
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import wapt_python2
    sys.exit(main())
