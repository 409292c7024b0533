/* The bench runs, and every kind of generated message can be read by it. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>

#include "bench/command.h"
#include "bench/day/form.h"

Test(command_read, shows_every_kind)
{
    char name[] = "read", option[] = "--times", value[] = "1";
    char *arguments[] = {name, option, value, NULL};
    static char text[4096];
    cr_redirect_stdout();
    cr_assert_eq(command_read(3, arguments), EXIT_OK);
    fflush(stdout);
    FILE *out = cr_get_redirected_stdout();
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
    for (unsigned kind = 0; kind < KIND_COUNT; kind++)
        cr_expect(strstr(text, form_message_type((enum day_kind)kind)) != NULL, "%s",
                  form_message_type((enum day_kind)kind));
}
