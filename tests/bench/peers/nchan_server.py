# SPDX-License-Identifier: MIT
"""The nchan peer of the benchmark: Debian's nginx with one worker, a channel a session.

Watchers come by WebSocket on a free loopback port, what is to be published by HTTP on the Unix
socket given. Both sockets are opened here and handed over, as nginx does it between two of its own
binaries, so the port is known before nginx runs. With --deflate a published message is deflated
once for all who negotiated permessage-deflate.
"""

import os
import socket
import sys

NGINX = "/usr/sbin/nginx"
MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so"

# Debian's settings otherwise, but for a limit on connections that lets everybody in.
CONFIG = """
load_module {module};
daemon off;
user root;
worker_processes 1;
pid {folder}/pid;
error_log {folder}/error.log error;
events {{
    worker_connections 19500;
}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    server {{
        listen 127.0.0.1:{port};
        location = /ws {{
            nchan_subscriber websocket;
            nchan_channel_id $arg_sessionId;
        }}
    }}
    server {{
        listen unix:{trainer};
        location ~ ^/publish/(.+)$ {{
            nchan_publisher http;
            nchan_channel_id $1;
            nchan_deflate_message_for_websocket {deflate};
        }}
    }}
}}
"""


def listen(family: socket.AddressFamily, address: object) -> socket.socket:
    """A listening socket that survives exec."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind(address)
    listener.listen(1024)
    listener.setblocking(False)
    listener.set_inheritable(True)
    return listener


def main() -> int:
    """Write the configuration, become nginx."""
    if len(sys.argv) not in (2, 3):
        print("usage: nchan_server.py PUBLISHER-SOCKET [--deflate]", file=sys.stderr)
        return 2
    trainer = sys.argv[1]
    folder = os.path.dirname(trainer)
    publishers = listen(socket.AF_UNIX, trainer)
    watchers = listen(socket.AF_INET, ("127.0.0.1", 0))
    port = watchers.getsockname()[1]
    path = os.path.join(folder, "nginx.conf")
    with open(path, "w", encoding="utf-8") as config:
        deflate = "on" if sys.argv[2:] == ["--deflate"] else "off"
        config.write(
            CONFIG.format(
                module=MODULE, folder=folder, port=port, trainer=trainer, deflate=deflate
            )
        )
    print("listening on http://127.0.0.1:%d" % port, flush=True)
    os.environ["NGINX"] = "%d;%d;" % (watchers.fileno(), publishers.fileno())
    os.execv(NGINX, [NGINX, "-c", path])
    return 1


if __name__ == "__main__":
    sys.exit(main())
