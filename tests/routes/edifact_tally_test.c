/* What trailers say amiss: reported wherever it stands, and a fault where the plan is strict. */
#include "tests/routes/edifact_stand.h"

enum { WARNINGS_MAX = 16 };

struct warning_row {
    const char *body;
    const char *warnings; /* `offset what: found, not expected` */
};

static const struct warning_row rows[] = {
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'BGM'UNT+3+M1'UNE+1+G1'UNZ+1+R1'", ""},
    {"UNH+M1'BGM'FTX+?'UNT+1'UNT+4+M1'", ""},
    {"UNH+M1'UNT+ 002 + M1 '", ""},
    {"UNH+M?1'UNT+2+?M1'", ""},
    {"UNH+M?\?'UNT+2+M?\?'", ""},
    {"UNH'UNT+2'", ""},
    {"UNH+M1'UNT+3+M1'", "11 UNT 0074 is not the number of segments: 3, not 2\n"},
    {"UNH+M1'UNT+2+M2'", "13 UNT 0062 is not the reference of UNH: M2, not M1\n"},
    {"UNH+M1'UNT+2+M'", "13 UNT 0062 is not the reference of UNH: M, not M1\n"},
    {"UNH+M1'UNT+2+M?\?'", "13 UNT 0062 is not the reference of UNH: M??, not M1\n"},
    {"UNH+M1'UNT+x+M1'", "11 UNT 0074 is not the number of segments: x, not 2\n"},
    {"UNH+M1'UNT+99999999999999999999+M1'",
     "11 UNT 0074 is not the number of segments: 99999999999999999999, not 2\n"},
    {"UNH+M1'UNT++M1'", "11 UNT 0074 is not the number of segments: , not 2\n"},
    {"UNH+M1'UNT'", "10 UNT 0074 is not the number of segments: , not 2\n"
                    "10 UNT 0062 is not the reference of UNH: , not M1\n"},
    {"UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'UNZ+1+R2'",
     "41 UNZ 0020 is not the reference of UNB: R2, not R1\n"},
    {"UNB+UNOA:1+A+B'UNH+M1'UNT+2+M1'UNZ+1+R2'",
     "37 UNZ 0020 is not the reference of UNB: R2, not \n"},
    /* groups, and what is in none */
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'UNT+2+M1'UNH+M2'UNT+2+M2'UNE+1+G2'UNZ+2+R1'",
     "67 UNE 0060 is not the number of messages in the group: 1, not 2\n"
     "69 UNE 0048 is not the reference of UNG: G2, not G1\n"
     "76 UNZ 0036 is not the number of messages or groups: 2, not 1\n"},
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'UNT+2+M1'UNE+1+G1'UNG+X++++G2'UNE+0+G2'"
     "UNH+M3'UNT+2+M3'UNZ+3+R1'",
     ""},
    /* no UNZ: as if the trailers that are there were all */
    {"UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'", "35 the interchange has no UNZ: , not \n"},
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'UNT+2+M1' \r\n",
     "50 the interchange has no UNZ: , not \n"},
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'UNT+2+M1'UNE+2+G1'",
     "51 UNE 0060 is not the number of messages in the group: 2, not 1\n"
     "56 the interchange has no UNZ: , not \n"},
    {"UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'UNH+M2'UNT+2+M2'",
     "51 the interchange has no UNZ: , not \n"},
    /* every message and interchange of several; packages */
    {"UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'UNZ+1+R1'UNB+UNOA:1+A+B++R2'UNH+M1'UNT+3+M1'UNZ+1+R2'",
     "74 UNT 0074 is not the number of segments: 3, not 2\n"},
    {"UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'UNO+P1+X+Y+4'UNT'UNP+4+P1'UNZ+2+R1'", ""},
    {"UNB+UNOA:1+A+B++R1'UNG+X++++G1'UNH+M1'UNT+2+M1'UNO+P1+X+Y+4'UNT'UNP+5+P2'UNE+2+G1'UNZ+1+R1'",
     "68 UNP 0810 is not the length in UNO: 5, not 4\n"
     "70 UNP 0800 is not the reference of UNO: P2, not P1\n"},
};

static const char *list_warnings(const struct edifact_warning *warnings, uint32_t count)
{
    static char listing[4096];
    size_t used = 0;
    listing[0] = '\0';
    for (uint32_t i = 0; i < count; i++) {
        const struct edifact_warning *warning = &warnings[i];
        used += (size_t)snprintf(listing + used, sizeof listing - used, "%u %s: %.*s, not ",
                                 warning->offset, warning->what, (int)warning->found.size,
                                 (const char *)warning->found.data);
        if (warning->counts)
            used += (size_t)snprintf(listing + used, sizeof listing - used, "%u\n",
                                     warning->expected_count);
        else
            used +=
                (size_t)snprintf(listing + used, sizeof listing - used, "%.*s\n",
                                 (int)warning->expected.size, (const char *)warning->expected.data);
        cr_assert(used < sizeof listing);
    }
    return listing;
}

/* A strict scan of the parts stops at the first warning of each. */
static void check_strict(const struct warning_row *row, struct bytes body,
                         const struct edifact_warning *warnings, uint32_t warning_count)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct stand stand;
    struct plan plan = stand_plan();
    struct scan_fault fault = {0};
    uint32_t count = 0, refused = 0;
    stand_open(&stand);
    cr_assert_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault), STATUS_OK);
    for (uint32_t i = 0; i < count; i++) {
        plan.strict = false;
        cr_expect_eq(stand_scan_part(&stand, &plan, body, &parts[i], &fault), STATUS_OK);
        plan.strict = true;
        if (stand_scan_part(&stand, &plan, body, &parts[i], &fault) == STATUS_OK)
            continue;
        bool known = false;
        for (uint32_t k = 0; k < warning_count; k++)
            known |= warnings[k].offset == fault.offset && warnings[k].what == fault.what;
        cr_expect(known, "%s: %s at %u", row->body, fault.what, fault.offset);
        cr_expect_eq(fault.reason, SCAN_ENVELOPE, "%s", row->body);
        refused++;
    }
    cr_expect_eq(refused > 0, warning_count > 0, "%s", row->body);
    if (count == 1) {
        enum status status = stand_scan(&stand, &plan, body, &fault);
        cr_expect_eq(status, warning_count > 0 ? STATUS_INVALID : STATUS_OK, "%s", row->body);
        if (warning_count > 0)
            cr_expect_eq(fault.offset, warnings[0].offset, "%s", row->body);
    }
    stand_close(&stand);
}

Test(edifact_tally, warnings)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct bytes body = body_copy(rows[i].body, strlen(rows[i].body));
        struct edifact_warning warnings[WARNINGS_MAX];
        struct scan_fault fault = {0};
        uint32_t count = 0;
        cr_expect_eq(scan_edifact_warnings(body, warnings, WARNINGS_MAX, &count, &fault), STATUS_OK,
                     "%s: %s at %u", rows[i].body, fault.what, fault.offset);
        cr_expect_str_eq(list_warnings(warnings, count), rows[i].warnings, "%s:\n%s", rows[i].body,
                         list_warnings(warnings, count));
        check_strict(&rows[i], body, warnings, count);
        body_free(body);
    }
}

/* The part of an interchange whose own trailer is right is refused for the interchange's. */
Test(edifact_tally, part_answers_for_its_envelope)
{
    static const char text[] = "UNB+UNOA:1+A+B++R1'UNH+M1'UNT+2+M1'UNH+M2'UNT+2+M2'UNZ+3+R1'";
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct bytes body = body_copy(text, sizeof text - 1);
    struct stand stand;
    struct plan plan = stand_plan();
    struct scan_fault fault = {0};
    uint32_t count = 0;
    stand_open(&stand);
    plan.strict = true;
    cr_assert_eq(scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, &count, &fault), STATUS_OK);
    cr_assert_eq(count, 2);
    for (uint32_t i = 0; i < count; i++) {
        cr_expect_eq(stand_scan_part(&stand, &plan, body, &parts[i], &fault), STATUS_INVALID);
        cr_expect_eq(fault.offset, strstr(text, "3+R1") - text);
    }
    stand_close(&stand);
    body_free(body);
}

/* More than there is room for are counted, and a body that cannot be walked is a fault. */
Test(edifact_tally, bounds)
{
    static const char many[] = "UNH+1'UNT+9+9'UNH+1'UNT+9+9'UNH+1'UNT+9+9'";
    struct bytes body = body_copy(many, sizeof many - 1);
    struct edifact_warning warnings[4] = {0};
    struct scan_fault fault = {0};
    uint32_t count = 0;
    cr_assert_eq(scan_edifact_warnings(body, warnings, 3, &count, &fault), STATUS_OK);
    cr_expect_eq(count, 6);
    cr_expect_eq(warnings[2].offset, 24);
    cr_expect_null(warnings[3].what);
    body_free(body);
    body = body_copy("UNH+1'", 6);
    cr_expect_eq(scan_edifact_warnings(body, warnings, 3, &count, &fault), STATUS_INVALID);
    cr_expect_eq(fault.reason, SCAN_TRUNCATED);
    cr_expect_eq(count, 6, "untouched on failure");
    body_free(body);
}
