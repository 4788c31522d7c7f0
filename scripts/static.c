/* See static.sh. */

#include <errno.h>

/* /etc/nsswitch.conf of the image may name modules (myhostname, resolve, mdns…), which
   glibc loads even into a static program. They were made for the image's glibc, not for ours: on Debian 13
   with libnss-myhostname the program ended with SIGFPE. A module that is not there is skipped; `files`
   and `dns` are built in (glibc 2.34). https://sourceware.org/glibc/wiki/FAQ */
void *__wrap___libc_dlopen_mode(const char *name, int mode) {
  (void)name;
  (void)mode;
  return 0;
}

/* Docker before 20.10.10 answers clone3 with EPERM, as it does with each system call that is newer than
   its list. glibc takes that for the answer: no thread and no process would start. With ENOSYS it calls
   clone, which is allowed. https://github.com/moby/moby/issues/42680 */
int __wrap___clone3(void *arguments, unsigned long size, int (*function)(void *), void *argument) {
  (void)arguments;
  (void)size;
  (void)function;
  (void)argument;
  errno = ENOSYS;
  return -1;
}
