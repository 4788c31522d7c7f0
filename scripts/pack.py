"""Packs files as one folder, which is called as the archive is:

    pack.py dist/NAME.tgz|dist/NAME.zip FILE=NAME FILE-OR-FOLDER…

The first is the program. Of a folder, what is in it is packed. The same files give the same archive: they have the time SOURCE_DATE_EPOCH, and nobody's name.
"""

import gzip
import io
import os
import pathlib
import sys
import tarfile
import time
import zipfile

path, program, *others = sys.argv[1:]
folder = os.path.splitext(os.path.basename(path))[0]
when = int(os.environ["SOURCE_DATE_EPOCH"])


def entries():
    source, name = program.split("=")
    yield source, name, 0o755
    for it in map(pathlib.Path, others):
        top, inside = (it, sorted(it.rglob("*"))) if it.is_dir() else (it.parent, [it])
        yield from ((each, each.relative_to(top).as_posix(), 0o644) for each in inside if each.is_file())


def contents():
    for source, name, mode in entries():
        with open(source, "rb") as file:
            yield f"{folder}/{name}", file.read(), mode


if path.endswith(".zip"):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data, mode in contents():
            entry = zipfile.ZipInfo(name, max(time.gmtime(when)[:6], (1980, 1, 1, 0, 0, 0)))
            entry.create_system = 3  # Unix, whose mode is in the upper half
            entry.external_attr = (0o100000 | mode) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data, compresslevel=9)
else:
    with open(path, "wb") as file, gzip.GzipFile("", "wb", 9, file, when) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            for name, data, mode in contents():
                entry = tarfile.TarInfo(name)
                entry.size, entry.mode, entry.mtime = len(data), mode, when
                archive.addfile(entry, io.BytesIO(data))
print(path)
