/* The bench runs, and finds again what it wrote. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/command.h"

Test(command_window, finds_again_what_it_wrote)
{
    const char *where = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";
    char name[] = "window", entries[] = "--entries", value[] = "300k", folder[] = "--folder";
    char path[256], text[1024] = "";
    snprintf(path, sizeof path, "%s", where);
    char *arguments[] = {name, entries, value, folder, path, NULL};
    cr_redirect_stdout();
    cr_assert_eq(command_window(5, arguments), EXIT_OK);
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    cr_assert(strstr(text, "300000 identities") != NULL, "%s", text);
    cr_assert(strstr(text, "all asked for are known") != NULL, "%s", text);
}
