#include <criterion/criterion.h>
#include <stdio.h>

#include "routes/scan/scan.h"

static void expect_peek(const char *text, const char *root, const char *uri)
{
    char padded[512] = {0};
    struct xml_peek peek = {{0}, {0}};
    struct scan_fault fault;
    strcpy(padded, text);
    cr_assert_eq(scan_xml_peek(bytes_make(padded, strlen(text)), &peek, &fault), STATUS_OK);
    cr_expect(bytes_equal_text(peek.root, root), "%s: %.*s", text, (int)peek.root.size,
              peek.root.data);
    if (uri == NULL)
        cr_expect_null(peek.root_namespace.data, "%s", text);
    else
        cr_expect(bytes_equal_text(peek.root_namespace, uri), "%s", text);
}

Test(xml_peek, finds_the_root)
{
    expect_peek("<R/>", "R", NULL);
    expect_peek("<R><broken", "R", NULL);
    expect_peek("\xEF\xBB\xBF<?xml version='1.0'?><!-- <x> --> <R a='1' xmlns='u'>", "R", "u");
    expect_peek("<c:CEB311Message xmlns:c=\"http://c\" xmlns='d'>", "CEB311Message", "http://c");
    expect_peek("<R xmlns=''>", "R", "");
    expect_peek("<R xmlns:c='u'>", "R", NULL);
}

Test(xml_peek, refuses_what_scans_refuse)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"", "EMPTY 0"},       {"<!DOCTYPE R>", "DOCTYPE 0"}, {"<p:R>", "NAMESPACE 1"},
        {"<R", "TRUNCATED 2"}, {"x", "MALFORMED 0"},          {"<R a>", "MALFORMED 4"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char padded[128] = {0}, outcome[64];
        struct xml_peek peek;
        struct scan_fault fault;
        strcpy(padded, cases[i].text);
        enum status status = scan_xml_peek(bytes_make(padded, strlen(padded)), &peek, &fault);
        cr_assert_eq(status, STATUS_INVALID);
        sprintf(outcome, "%s %u", scan_reason_word(fault.reason), fault.offset);
        cr_expect_str_eq(outcome, cases[i].expected);
    }
}
