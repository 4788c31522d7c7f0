"""Starts a command on a system that refuses one system call with an error that says nothing of why, as
containers do: seccomp.py NUMBER ERRNO COMMAND..."""

import ctypes
import os
import struct
import sys

number, errno = int(sys.argv[1]), int(sys.argv[2])


def op(code, if_true, if_false, value):
    return struct.pack("HBBI", code, if_true, if_false, value)


# <linux/filter.h>, <linux/seccomp.h>: load the number; this one fails, others are allowed.
program = ctypes.create_string_buffer(
    op(0x20, 0, 0, 0) + op(0x15, 0, 1, number) + op(0x06, 0, 0, 0x50000 | errno) + op(0x06, 0, 0, 0x7FFF0000)
)
libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 38, 22
libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
pointer = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 4, ctypes.addressof(program)))
if libc.prctl(PR_SET_SECCOMP, 2, pointer, 0, 0) != 0:
    sys.exit("no seccomp here")
os.execvp(sys.argv[3], sys.argv[3:])
