#include "routes/dialect/pattern.h"

#include <criterion/criterion.h>

static bool matches(const char *pattern, const char *text)
{
    return pattern_matches(bytes_from_text(pattern), bytes_from_text(text));
}

Test(pattern, texts)
{
    static const struct {
        const char *pattern, *text;
        bool expected;
    } cases[] = {
        {"", "", true},
        {"", "a", false},
        {"CEB311Message", "CEB311Message", true},
        {"CEB311Message", "CEB311Messages", false},
        {"CEB311Message", "CEB311Messag", false},
        {"CEB*Message", "CEB311Message", true},
        {"CEB*Message", "CEBMessage", true},
        {"CEB*Message", "CEB311Messages", false},
        {"CEB*Message", "CEB1MessageMessage", true},
        {"CC???C", "CC015C", true},
        {"CC???C", "CC15C", false},
        {"CC???C", "CC0155C", false},
        {"*CC???C", "n1:CC015C", true},
        {"*CC???C", "CC015C", true},
        {"*", "", true},
        {"**", "x", true},
        {"?", "", false},
        {"a*b*c", "a-b-b-c", true},
        {"a*b*c", "a-b-b-", false},
        {"*aab", "aaaab", true},
        {"urn:*", "urn:", true},
        {"urn:*", "ur", false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        cr_expect_eq(matches(cases[i].pattern, cases[i].text), cases[i].expected, "%s, %s",
                     cases[i].pattern, cases[i].text);
}

/* Against the definition, over all short patterns and texts of three letters. */
static bool matches_slowly(const char *pattern, const char *text)
{
    if (*pattern == '\0')
        return *text == '\0';
    if (*pattern == '*')
        return matches_slowly(pattern + 1, text) || (*text && matches_slowly(pattern, text + 1));
    return *text != '\0' && (*pattern == '?' || *pattern == *text) &&
           matches_slowly(pattern + 1, text + 1);
}

static void spell(unsigned number, const char *letters, unsigned base, char out[8])
{
    unsigned size = 0;
    for (; number > 0; number = (number - 1) / base)
        out[size++] = letters[(number - 1) % base];
    out[size] = '\0';
}

Test(pattern, all_short_ones)
{
    char pattern[8], text[8];
    for (unsigned i = 0; i < 1365; i++) /* up to five of `ab*?` */
        for (unsigned k = 0; k < 127; k++) {
            spell(i, "ab*?", 4, pattern);
            spell(k, "ab", 2, text);
            cr_assert_eq(matches(pattern, text), matches_slowly(pattern, text), "%s, %s", pattern,
                         text);
        }
}

static bool covers(const char *outer, const char *inner)
{
    return pattern_covers(bytes_from_text(outer), bytes_from_text(inner));
}

Test(pattern, covering)
{
    cr_expect(covers("CEB*", "CEB311"));
    cr_expect(covers("CEB*", "CEB3*"));
    cr_expect(covers("CEB*", "CEB*"));
    cr_expect(covers("CC???C", "CC???C"));
    cr_expect(covers("*", "a?c"));
    cr_expect_not(covers("CEB3*", "CEB*"));
    cr_expect_not(covers("CEB311", "CEB*"));
    cr_expect_not(covers("CEB?", "CEB*"));
    cr_expect(bytes_equal_text(pattern_prefix(BYTES_LITERAL("CC???C")), "CC"));
    cr_expect(pattern_is_plain(BYTES_LITERAL("CC015C")));
    cr_expect_not(pattern_is_plain(BYTES_LITERAL("CC015C*")));
}
