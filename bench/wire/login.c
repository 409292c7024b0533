#include "bench/wire/login.h"

#include <stdio.h>
#include <string.h>

enum status login_read(const char *secrets_directory, const char *name,
                       char out_login[LOGIN_BYTES_MAX])
{
    char path[4096], secret[256] = "";
    snprintf(path, sizeof path, "%s/%s", secrets_directory, name);
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return STATUS_NOT_FOUND;
    if (fgets(secret, sizeof secret, file) == NULL)
        secret[0] = '\0';
    fclose(file);
    secret[strcspn(secret, "\r\n")] = '\0';
    if (secret[0] == '\0' || strpbrk(secret, " \t") != NULL || strlen(secret) > 200)
        return STATUS_INVALID;
    snprintf(out_login, LOGIN_BYTES_MAX, "AUTH %.100s %s", name, secret);
    return STATUS_OK;
}
