"""A DNS server on 127.0.0.1 that knows one name:

    dns.py NAME ADDRESS

Says "ready" once it can be asked. Any other name does not exist, and the name has no IPv6 address.
"""

import socket
import struct
import sys

name, address = sys.argv[1:]
wanted = b"".join(bytes([len(it)]) + it.encode() for it in name.split(".")) + b"\0"

server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))
print("ready", flush=True)
while True:
    query, client = server.recvfrom(512)
    end = query.index(b"\0", 12) + 1
    question, kind = query[12:end + 4], struct.unpack_from(">H", query, end)[0]
    known = query[12:end].lower() == wanted
    answer = b""
    if known and kind == 1:  # A: a pointer to the question's name, IN, a minute
        answer = struct.pack(">HHHIH", 0xC00C, 1, 1, 60, 4) + socket.inet_aton(address)
    # An answer, from one that is asked to ask others; 3: there is no such name. No EDNS.
    header = query[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, bool(answer), 0, 0)
    server.sendto(header + question + answer, client)
