"""waptconsole on a terminal of its own, with a person before it who says yes."""
import os
import pty
import re
import signal

from conftest import BIN, LIB, until
from local_program import talk


class Seat:
    """A running program with its terminal; every gesture is answered when a test says so."""

    def __init__(self, org, name, *argv, config="", who="Developer", lib=LIB):
        self.org, home = org, org.base / name
        self.temp, self.link_file, ini = home / "tmp", home / "link", home / "waptconsole.ini"
        self.temp.mkdir(parents=True, exist_ok=True)
        self.link_file.unlink(missing_ok=True)
        ini.write_text(f"[global]\nwapt_server = {org.url}\nserver_fingerprint = {org.server_fp}\npersonal_certificate_path = {org.cert(who)}\n"
                       f"public_certs_dir = {org.agent / 'ssl'}\n{config}")
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execve(BIN / "waptconsole", ["waptconsole", "open", "--config", str(ini), "--no-browser", "--link-file", str(self.link_file), *map(str, argv)],
                      {"LANG": "C.UTF-8", "HOME": str(home), "TMPDIR": str(self.temp), "WAPT_LIBDIR": str(lib)})
        until(self.link_file.exists, "the link is there")
        self.link, self.is_over = self.link_file.read_text(), False

    def hear(self, *wanted):
        """What the terminal shows, up to one of these texts."""
        return talk(self.fd, *wanted)

    def yes(self):
        """Types what is asked for, in the page's language; what was shown."""
        text = self.hear(b"says no: ", b"dit non : ")
        os.write(self.fd, re.search(r"(?:type|taper) (\d{4}) ?;", text)[1].encode())
        return text

    def no(self):
        """Types something else than what is asked for."""
        self.hear(b"says no: ", b"dit non : ")
        os.write(self.fd, b"x")

    def end(self, how=signal.SIGTERM):
        if self.is_over:
            return
        self.is_over = True
        os.kill(self.pid, how)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
