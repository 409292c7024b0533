/* Messages decided by two configurations, and what is said of the differences. */
#include "io/reload/rehearsal_tally.h"

#include <criterion/criterion.h>
#include <stdlib.h>

#include "tests/io/config_files.h"

static const char config_text[] = "sync: memory\n"
                                  "channels: [{name: in}]\n"
                                  "destinations:\n"
                                  "  - name: customs\n"
                                  "  - name: port\n"
                                  "  - name: rest\n"
                                  "tables: [rules.csv]\n";

enum { BODY_BYTES = 512 };

static const struct digest_secret secret = {0};

/* A configuration, and what decides by it. */
struct side {
    struct config *config;
    struct router *router;
    struct routing *routings;
    struct arrival arrival;
};

static struct side open_side(const char *more, const char *rules)
{
    struct config_files files = {{{"rules.csv", rules}}};
    char text[BODY_BYTES * 2];
    struct side side = {.routings = calloc(ROUTER_BATCH_MAX, sizeof *side.routings)};
    snprintf(text, sizeof text, "%s%s", config_text, more);
    config_files_put(&files, "kouan.yaml", text);
    side.config = config_files_load(&files);
    cr_assert_eq(router_open(&secret, 256, &side.router), STATUS_OK);
    return side;
}

static void close_side(struct side *side)
{
    router_close(side->router);
    free(side->routings);
    config_free(side->config);
}

static const struct routing *decide(struct side *side, const char *body)
{
    const struct generation *generation = side->config->generation;
    uint32_t count;
    side->arrival = (struct arrival){.body = bytes_make((const uint8_t *)body, strlen(body)),
                                     .channel = generation->channels[0],
                                     .participant = generation->directory.participants[0]};
    router_decide(side->router, generation, &side->arrival, 1, 0, side->routings, &count);
    return &side->routings[0];
}

/* Order `number` of an office. */
static void add(struct rehearsal_tally *tally, struct side *present, struct side *candidate,
                const char *office, uint64_t number)
{
    char body[BODY_BYTES] = "";
    snprintf(body, sizeof body,
             "{\"messageType\":\"ORDER\",\"messageId\":\"%u\",\"customsOffice\":\"%s\"}",
             (unsigned)number, office);
    const struct rehearsed rehearsed = {.id = {number, 0},
                                        .present = present->config->generation,
                                        .candidate = candidate->config->generation,
                                        .present_routing = decide(present, body),
                                        .candidate_routing = decide(candidate, body)};
    rehearsal_tally_add(tally, &rehearsed);
}

static void expect(const struct rehearsal_tally *tally, const char *expected)
{
    char *printed = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&printed, &size);
    rehearsal_tally_print(tally, out);
    fclose(out);
    cr_expect_str_eq(printed, expected);
    free(printed);
}

/* The same offices by both, and what is printed. */
static void compare(const char *more, const char *present_rules, const char *candidate_rules,
                    const char *const *offices, const char *expected)
{
    struct rehearsal_tally *tally = calloc(1, sizeof *tally);
    struct side present = open_side("", present_rules),
                candidate = open_side(more, candidate_rules);
    for (uint64_t i = 0; offices[i] != NULL; i++)
        add(tally, &present, &candidate, offices[i], i + 1);
    expect(tally, expected);
    close_side(&present);
    close_side(&candidate);
    free(tally);
}

#define RULES "id,customs_office,to,action\na,1*,customs,\nb,2*,port,hold\nc,3*,port,\n"

static const char *const offices[] = {"1001", "1002", "1003", "1004", "2001", "3001", NULL};

Test(rehearsal_tally, nothing_differs)
{
    compare("", RULES, RULES, offices,
            "0 of them would go elsewhere; newly unroutable: 0; newly refused: 0\n"
            "0 would be read otherwise\n");
}

Test(rehearsal_tally, the_most_frequent_stands_first_with_its_last_messages)
{
    compare("", RULES, "id,customs_office,to,action\na,1*,customs|port,\nd,2*,port,\ne,3*,port,\n",
            offices,
            "5 of them would go elsewhere; newly unroutable: 0; newly refused: 0\n"
            "       4  customs -> customs, port  by rule rules/a\n"
            "         as 2-0 3-0 4-0\n"
            "       1  port (held) -> port  by rule rules/b -> rules/d\n"
            "         as 5-0\n"
            "0 would be read otherwise\n");
}

Test(rehearsal_tally, without_a_rule_it_is_unroutable)
{
    static const char less[] = "id,customs_office,to,action\nb,2*,port,hold\nc,3*,,reject\n";
    compare("", RULES, less, offices,
            "5 of them would go elsewhere; newly unroutable: 4; newly refused: 5\n"
            "       4  customs -> refused: UNROUTABLE  by rule rules/a -> none\n"
            "         as 2-0 3-0 4-0\n"
            "       1  port -> refused: REJECTED  by rule rules/c\n"
            "         as 6-0\n"
            "0 would be read otherwise\n");
    compare("unroutable: rest\n", RULES, less, offices,
            "5 of them would go elsewhere; newly unroutable: 4; newly refused: 1\n"
            "       4  customs -> rest (unroutable)  by rule rules/a -> none\n"
            "         as 2-0 3-0 4-0\n"
            "       1  port -> refused: REJECTED  by rule rules/c\n"
            "         as 6-0\n"
            "0 would be read otherwise\n");
    /* What is refused by both, or first found a place by the candidate. */
    compare("", less, RULES, offices,
            "5 of them would go elsewhere; newly unroutable: 0; newly refused: 0\n"
            "       4  refused: UNROUTABLE -> customs  by rule none -> rules/a\n"
            "         as 2-0 3-0 4-0\n"
            "       1  refused: REJECTED -> port  by rule rules/c\n"
            "         as 6-0\n"
            "0 would be read otherwise\n");
}

Test(rehearsal_tally, the_same_way_by_another_rule_is_no_difference)
{
    compare(
        "", RULES,
        "id,customs_office,to,action\nx,1002,customs,\na,1*,customs,\nb,2*,port,hold\nc,3*,port,\n",
        offices,
        "0 of them would go elsewhere; newly unroutable: 0; newly refused: 0\n"
        "0 would be read otherwise\n");
}

/* Each office has a rule, and thus a line of its own. */
Test(rehearsal_tally, it_is_bounded)
{
    enum { OFFICES = REHEARSAL_LINES_MAX + 5 };
    static char before[OFFICES * 64], after[OFFICES * 64];
    struct rehearsal_tally *tally = calloc(1, sizeof *tally);
    size_t before_size = 0, after_size = 0;
    before_size += (size_t)sprintf(before, "id,customs_office,to\n");
    after_size += (size_t)sprintf(after, "id,customs_office,to\n");
    for (int i = 0; i < OFFICES; i++) {
        before_size += (size_t)sprintf(before + before_size, "r%d,%04d,customs\n", i, i);
        after_size += (size_t)sprintf(after + after_size, "r%d,%04d,port\n", i, i);
    }
    struct side present = open_side("", before), candidate = open_side("", after);
    for (uint64_t i = 0; i < OFFICES; i++) {
        char office[16];
        snprintf(office, sizeof office, "%04u", (unsigned)i);
        add(tally, &present, &candidate, office, i + 1);
    }
    cr_expect_eq(tally->elsewhere, OFFICES);
    cr_expect_eq(tally->ways.used, REHEARSAL_LINES_MAX);
    cr_expect_eq(tally->ways.others, 5);
    close_side(&present);
    close_side(&candidate);
    free(tally);
}
