/* The bench runs through all its combinations. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"

Test(command_disk, measures_every_combination)
{
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    char name[] = "disk", each[] = "--milliseconds", value[] = "2", folder[] = "--folder";
    char busy[] = "--busy", path[256], text[8192] = "";
    snprintf(path, sizeof path, "%s", where);
    char *arguments[] = {name, each, value, folder, path, busy, NULL};
    cr_redirect_stdout();
    cr_assert_eq(command_disk(6, arguments), EXIT_OK);
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    uint32_t lines = 0;
    for (const char *line = text; (line = strstr(line, "plain ")) != NULL; line++)
        lines++;
    cr_assert_eq(lines, 12, "%s", text);
    cr_assert_not_null(strstr(text, "256 KiB  4 in flight"), "%s", text);
    cr_assert_not_null(strstr(text, "journal 4 in flight"), "%s", text);
}
