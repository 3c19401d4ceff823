"""A program's stand-in: sends what makes it up to the process beside it, and ends as the program does."""

import json
import os
import socket
import sys

with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
    server.connect(os.path.join(os.path.dirname(sys.argv[0]), "socket"))
    program = [os.path.basename(sys.argv[0]), sys.argv[1:], os.getcwd(), dict(os.environ)]
    socket.send_fds(server, [json.dumps(program).encode()], [0, 1, 2])
    answer = server.recv(16)  # nothing, where the program was killed
sys.exit(int(answer) if answer else 70)
