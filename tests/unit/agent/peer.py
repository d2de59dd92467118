"""A server for the tests of the fetch and network processes: HTTPS and a WebSocket on loopback.

Arguments: certificate, key, file. Writes the two ports into the file when both listen, and ends with its standard input.
"""
import asyncio
import hashlib
import http.server
import json
import os
import ssl
import sys
import threading
import time

import websockets

CERTIFICATE, KEY, PORTS = sys.argv[1:4]


def context():
    c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    c.load_cert_chain(CERTIFICATE, KEY)
    return c


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def log_message(self, *args):
        pass

    def answer(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace('_', '-'), value)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == '/hello':
            self.answer(200, b'hello', ETag='"e1"', Last_Modified='Sun, 06 Nov 1994 08:49:37 GMT')
        elif self.path == '/big':
            self.answer(200, b'0123456789abcdef' * 65536 * 3)
        elif self.path == '/header':
            self.answer(200, self.headers.get('X-Test', '').encode())
        elif self.path == '/login':
            self.answer(200, self.headers.get('Authorization', '').encode())
        elif self.path == '/drip':
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b'x' * 4096)
                    time.sleep(0.05)
            except OSError:
                self.close_connection = True
        elif self.path == '/away':
            self.answer(302, b'', Location='https://example.invalid/')
        else:
            self.answer(404, b'no')

    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        self.answer(200, hashlib.sha256(body).hexdigest().encode())


class Server(http.server.ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that has seen enough


connections = 0


async def push(ws, path):
    """First: a full conversation, closed with 4401. Second: two challenges. Third: closed at once. Fourth: welcome, then silence."""
    global connections
    connections += 1
    turn = connections
    nonce = '%064x' % turn
    if turn == 3:
        return
    await ws.send(json.dumps({'type': 'challenge', 'nonce': nonce, 'time': 1700000000}))
    if turn == 2:
        await ws.send(json.dumps({'type': 'challenge', 'nonce': nonce, 'time': 1700000000}))
        await ws.wait_closed()
        return
    hello = json.loads(await ws.recv())
    assert hello['nonce'] == nonce and len(hello['channel']) == 64, hello
    await ws.send(json.dumps({'type': 'welcome'}))
    if turn == 1:
        await ws.send(json.dumps({'type': 'order', 'order': 'x' * 300000}))
        ack = json.loads(await ws.recv())
        assert ack == {'type': 'ack', 'id': 'a1'}, ack
        await ws.close(4401, 'register again')
        return
    await ws.wait_closed()


async def main():
    server = Server(('127.0.0.1', 0), Handler)
    server.socket = context().wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with websockets.serve(push, '127.0.0.1', 0, ssl=context()) as ws:
        port = ws.sockets[0].getsockname()[1]
        with open(PORTS + '.new', 'w') as f:
            f.write('%d %d\n' % (server.server_port, port))
        os.rename(PORTS + '.new', PORTS)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


asyncio.run(main())
