/* Patterns of names, as redis-server's stringmatch has them. */
#include <criterion/criterion.h>

#include "io/front/glob.h"

static bool fits(const char *pattern, const char *name)
{
    return glob_fits(bytes_from_text(pattern), bytes_from_text(name), false);
}

Test(glob, patterns)
{
    cr_expect(fits("*", "") && fits("*", "abc") && fits("", "") && fits("abc", "abc"));
    cr_expect_not(fits("", "a") || fits("abc", "ab") || fits("ab", "abc") || fits("ABC", "abc"));
    cr_expect(fits("a*c", "abbc") && fits("*a*b*", "xxaxxbxx") && fits("a**b", "ab"));
    cr_expect_not(fits("a*c", "abcd") || fits("*ab", "aba"));
    cr_expect(fits("a?c", "abc") && fits("???", "abc"));
    cr_expect_not(fits("a?c", "ac") || fits("??", "abc"));
    cr_expect(fits("[a-c]x", "bx") && fits("[c-a]x", "bx") && fits("[^a-c]x", "dx"));
    cr_expect(fits("[abx]", "x") && fits("[a\\]]", "]") && fits("[a", "a"));
    cr_expect_not(fits("[a-c]x", "dx") || fits("[^a-c]x", "bx") || fits("[]", "a"));
    cr_expect(fits("a\\*b", "a*b") && fits("a\\", "a\\"));
    cr_expect_not(fits("a\\*b", "axb"));
    cr_expect(glob_fits(BYTES_LITERAL("Ab[C-D]"), BYTES_LITERAL("aBc"), true));
    cr_expect(fits("*[ab]*z", "aaaaabz") && !fits("*[ab]*z", "ccccz"));
}

Test(glob, many_stars_do_not_hang)
{
    char name[4096];
    memset(name, 'a', sizeof name);
    cr_expect_not(
        glob_fits(BYTES_LITERAL("a*a*a*a*a*a*a*a*a*a*b"), bytes_make(name, sizeof name), false));
}
