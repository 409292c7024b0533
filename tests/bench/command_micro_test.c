/* Every family runs, does its work, and tells it; so does a chosen one, by turns, in JSON. */
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/command.h"
#include "bench/micro/micro.h"

static char text[64 * 1024];

static int run(const char *const *words)
{
    char copies[8][32], *arguments[9] = {0};
    int count = 0;
    for (; words[count] != NULL; count++) {
        snprintf(copies[count], sizeof copies[count], "%s", words[count]);
        arguments[count] = copies[count];
    }
    return command_micro(count, arguments);
}

static void read_back(FILE *out)
{
    text[fread(text, 1, sizeof text - 1, out)] = '\0';
}

Test(command_micro, runs_every_family)
{
    static const char *const words[] = {"micro", "--smoke", "--json", NULL};
    static const char *const families[] = {
#define X(family, help) #family,
        MICRO_LIST(X)
#undef X
    };
    cr_redirect_stdout();
    cr_assert_eq(run(words), EXIT_OK);
    fflush(stdout);
    read_back(cr_get_redirected_stdout());
    json_t *root = json_loads(text, 0, NULL);
    cr_assert_not_null(root, "%s", text);
    json_t *cases = json_object_get(root, "cases"), *item;
    for (unsigned i = 0; i < sizeof families / sizeof *families; i++) {
        size_t index, found = 0;
        json_array_foreach(cases, index, item)
        {
            found += strcmp(json_string_value(json_object_get(item, "family")), families[i]) == 0;
            cr_expect_gt(json_number_value(json_object_get(item, "cpu_ns")), 0.0);
        }
        cr_expect_gt(found, 0, "%s has no case", families[i]);
    }
    json_decref(root);
}

/* A turn is always the same work: so are the items of one, and twice as many of two. */
Test(command_micro, does_the_same_work_each_turn)
{
    static const char *const one[] = {"micro",    "digest", "--turns", "1",
                                      "--rounds", "1",      "--json",  NULL};
    static const char *const two[] = {"micro",    "digest", "--turns", "2",
                                      "--rounds", "1",      "--json",  NULL};
    double items[2];
    cr_redirect_stdout();
    cr_assert_eq(run(one), EXIT_OK);
    cr_assert_eq(run(two), EXIT_OK);
    fflush(stdout);
    read_back(cr_get_redirected_stdout());
    const char *lines[] = {text, strstr(text, "}\n{") + 2};
    for (unsigned i = 0; i < 2; i++) {
        json_t *root = json_loads(lines[i], JSON_DISABLE_EOF_CHECK, NULL);
        cr_assert_not_null(root, "%s", text);
        json_t *first = json_array_get(json_object_get(root, "cases"), 0);
        cr_assert_eq(json_array_size(json_object_get(root, "cases")), 3);
        items[i] = json_number_value(json_object_get(first, "items"));
        json_decref(root);
    }
    cr_assert_gt(items[0], 0);
    cr_assert_eq(items[1], 2 * items[0]);
}

Test(command_micro, knows_its_names)
{
    static const char *const words[] = {"micro", "digests", NULL};
    cr_redirect_stderr();
    cr_assert_eq(run(words), EXIT_USAGE);
    fflush(stderr);
    read_back(cr_get_redirected_stderr());
    cr_assert_not_null(strstr(text, "there is no micro-bench `digests`"), "%s", text);
}
