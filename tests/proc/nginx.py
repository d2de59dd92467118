"""A real nginx with the configuration of examples/nginx."""
import re
import signal
import socket
import ssl
import subprocess

from conftest import PATIENCE, ROOT, free_port, until


class Nginx:
    """Of the example, with the places of this test; way: which of its two; people: they show certificates too (docs/people.md)."""

    def __init__(self, srv, base, way, talk, people=False):
        self.base, self.talk = base / f"nginx-{way}", talk
        self.base.mkdir()
        self.port = free_port()
        text = (ROOT / "examples/nginx/wapt.conf").read_text()
        if way == "auth":  # its comments are configuration, and take the place of the first way
            first = re.search(r"    # First way.*?(?=    # Second way)", text, re.DOTALL)
            text = text.replace(first.group(0), "")
            head, tail = text.split("    # Second way, instead of the first: nginx asks before it serves.\n")
            text = head + re.sub(r"(?m)^    # ", "    ", tail)
        if people:
            text = text.replace("ssl_verify_client optional;", "ssl_verify_client optional_no_ca;").replace(
                "    location /wapt/ {", "    location /api/ {\n        proxy_pass https://waptserver;\n    }\n    location /wapt/ {", 1)
        for old, new in (("127.0.0.1:8443", f"127.0.0.1:{srv.port}"), ("listen 443", f"listen 127.0.0.1:{self.port}"), ("/var/lib/waptserver", str(srv.dir)),
                         ("/etc/nginx/wapt/tls.crt", f"{srv.dir}/private/tls.crt"), ("/etc/nginx/wapt/tls.key", f"{srv.dir}/private/tls.pem")):
            assert old in text
            text = text.replace(old, new)
        conf = self.base / "nginx.conf"
        temps = "\n".join(f"    {k}_temp_path {self.base}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        conf.write_text(f"daemon off;\nworker_processes 1;\npid {self.base}/pid;\nerror_log {self.base}/error.log info;\nevents {{ worker_connections 64; }}\n"
                        f"http {{\n{temps}\n    access_log off;\n    default_type application/octet-stream;\n{text}}}\n")
        with open(self.base / "out.log", "ab") as out:
            self.process = subprocess.Popen(["nginx", "-p", self.base, "-c", conf], stdout=out, stderr=out, stdin=subprocess.DEVNULL)
        until(self.answers, "nginx answers")

    def answers(self):
        assert self.process.poll() is None, (self.base / "out.log").read_text()
        try:
            socket.create_connection(("127.0.0.1", self.port), 5).close()
        except OSError:
            return False
        return True

    def ask(self, path, certificate=None, method="GET", headers=()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if certificate:
            context.load_cert_chain(*certificate)
        return self.talk(context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), PATIENCE)), path, method, headers)

    def stop(self):
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(PATIENCE)
