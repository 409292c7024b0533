#include "routes/scan/base64.h"

#include <criterion/criterion.h>
#include <string.h>

Test(base64, decodes)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {" Z\r\nm\t9v Ym E = \n", "fooba"},
        {"Zg\n=\n=", "f"},
        {"+/+/", "\xFB\xFF\xBF"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t text[64];
        size_t size = 99, bad;
        memcpy(text, rows[i][0], strlen(rows[i][0]));
        cr_assert_null(base64_decode(text, strlen(rows[i][0]), &size, &bad), "row %zu", i);
        cr_expect_eq(size, strlen(rows[i][1]), "row %zu", i);
        cr_expect_eq(memcmp(text, rows[i][1], size), 0, "row %zu", i);
    }
}

Test(base64, refuses_at_a_place)
{
    static const struct {
        const char *text;
        size_t bad;
    } rows[] = {
        {"Zm9v*", 4},    {"Z*", 1},     {"Z", 1},    {"Zm", 2},    {"Zm8", 3},   {"Zm9vZ", 5},
        {"=", 0},        {"Z=", 1},     {"Zg=", 3},  {"Zg===", 4}, {"Zm8==", 4}, {"Zm9v=", 4},
        {"Zg==Zg==", 4}, {"Zm8= Z", 5}, {"Zh==", 4}, {"Zm9=", 4},  {"Zm-_", 2},  {"Zm9v\xE4", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t text[64];
        size_t size = 99, bad = 99;
        memcpy(text, rows[i].text, strlen(rows[i].text));
        cr_assert_not_null(base64_decode(text, strlen(rows[i].text), &size, &bad), "row %zu", i);
        cr_expect_eq(bad, rows[i].bad, "row %zu: %zu", i, bad);
        cr_expect_eq(size, 99, "row %zu", i);
    }
}

Test(base64, blanks)
{
    for (unsigned byte = 0; byte < 256; byte++)
        cr_expect_eq(base64_is_blank((uint8_t)byte),
                     byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n');
}
