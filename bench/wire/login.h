/* The words of AUTH for a participant, its secret read from a file of its name. */
#ifndef KOUAN_BENCH_LOGIN_H
#define KOUAN_BENCH_LOGIN_H

#include "core/status.h"

enum { LOGIN_BYTES_MAX = 384 };

/* "AUTH <name> <secret>"; the secret is the file's first line. NOT_FOUND if there is no such file,
 * INVALID if the secret is empty, too long, or has blanks in it. */
MUST_CHECK enum status login_read(const char *secrets_directory, const char *name,
                                  char out_login[LOGIN_BYTES_MAX]);

#endif
