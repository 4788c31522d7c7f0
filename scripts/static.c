/* See static.sh. */

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

/* glibc reads one thing with sscanf: the ends of the first thread's stack, from a line of /proc/self/maps,
   such as 7ffc0-7ffd0. With it come floating point numbers and wide characters: 90 kB. */
int __wrap___isoc99_sscanf(const char *line, const char *format, ...) {
  if (strcmp(format, "%" SCNxPTR "-%" SCNxPTR)) return 0;
  char *end;
  uintptr_t from = strtoul(line, &end, 16);
  if (*end != '-') return 0;
  va_list ends;
  va_start(ends, format);
  *va_arg(ends, uintptr_t *) = from;
  *va_arg(ends, uintptr_t *) = strtoul(end + 1, 0, 16);
  va_end(ends);
  return 2;
}
