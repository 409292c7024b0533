#include <criterion/criterion.h>

#include "io/reload/sha256.h"

/* The examples of FIPS 180-4 (NIST's "Examples with Intermediate Values"), and nothing. */
Test(sha256, known_answers)
{
    static const struct {
        const char *content, *digest;
    } cases[] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct sha256 digest = sha256_of(bytes_from_text(cases[i].content)), parsed;
        cr_expect_str_eq(sha256_format(digest.bytes).text, cases[i].digest);
        cr_assert(sha256_parse(bytes_from_text(cases[i].digest), &parsed));
        cr_expect_arr_eq(parsed.bytes, digest.bytes, sizeof digest.bytes);
    }
}

Test(sha256, only_64_lower_case_digits_are_one)
{
    struct sha256 digest;
    char text[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    cr_expect_not(sha256_parse(bytes_make(text, 63), &digest));
    text[5] = 'F';
    cr_expect_not(sha256_parse(bytes_from_text(text), &digest));
    text[5] = '\0';
    cr_expect_not(sha256_parse(bytes_make(text, 64), &digest));
}
