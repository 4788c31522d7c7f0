/* See static.sh. /etc/nsswitch.conf of the image may name modules (myhostname, resolve, mdns…), which
   glibc loads even into a static program. They were made for the image's glibc, not for ours: on Debian 13
   with libnss-myhostname the program ended with SIGFPE. A module that is not there is skipped; `files`
   and `dns` are built in (glibc 2.34). https://sourceware.org/glibc/wiki/FAQ */
void *__wrap___libc_dlopen_mode(const char *name, int mode) {
  (void)name;
  (void)mode;
  return 0;
}
