"""Prints the crates that a program was built of, one `name version` a line, without those that only
built it:

    crates.py FILE

From the section that scripts/auditable.sh adds: zlib's packed JSON in ELF, PE and Mach-O (64 bits, little
endian). https://github.com/rust-secure-code/cargo-auditable/blob/master/PARSING.md
"""

import json
import struct
import sys
import zlib

SECTION = b".dep-v0"


def elf(data):
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count, names = struct.unpack_from("<HHH", data, 0x3A)
    headers = [struct.unpack_from("<IIQQQQ", data, start + size * it) for it in range(count)]
    for name, _, _, _, offset, length in headers:
        at = headers[names][4] + name
        if data[at:data.index(b"\0", at)] == SECTION:
            yield data[offset:offset + length]


def pe(data):
    header, = struct.unpack_from("<I", data, 0x3C)
    count, = struct.unpack_from("<H", data, header + 6)
    optional, = struct.unpack_from("<H", data, header + 20)
    for it in range(count):
        name, length, _, _, offset = struct.unpack_from("<8sIIII", data, header + 24 + optional + 40 * it)
        if name.rstrip(b"\0") == SECTION:
            yield data[offset:offset + length]


def mach_o(data):
    at = 32
    for _ in range(*struct.unpack_from("<I", data, 16)):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x19:  # LC_SEGMENT_64
            for it in range(*struct.unpack_from("<I", data, at + 64)):
                name, _, _, length, offset = struct.unpack_from("<16s16sQQI", data, at + 72 + 80 * it)
                if name.rstrip(b"\0") == SECTION:
                    yield data[offset:offset + length]
        at += size


FORMATS = {b"\x7fELF": elf, b"MZ\x90\0": pe, b"\xcf\xfa\xed\xfe": mach_o}

with open(sys.argv[1], "rb") as file:
    data = file.read()
found = list(FORMATS[data[:4]](data))
if not found:
    sys.exit(f"{sys.argv[1]} does not say which crates are in it: build it with scripts/auditable.sh")
# A section of PE is filled up with zeros.
packages = json.loads(zlib.decompressobj().decompress(found[0]))["packages"]
print("\n".join(sorted(f"{it['name']} {it['version']}" for it in packages if it.get("kind") != "build")))
