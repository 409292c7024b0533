/* docs/journal.md says how the journal lies on disk: it and the structs are held to each other. */
#include <criterion/criterion.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/fact.h"
#include "core/journal_format.h"
#include "core/sidecar.h"

enum { PAGE_BYTES_MAX = 256 * 1024 };

/* The page, found beside this file's folder. */
static char *read_page(void)
{
    char path[1024];
    char *page = calloc(1, PAGE_BYTES_MAX);
    const char *slash = strrchr(__FILE__, '/');
    snprintf(path, sizeof path, "%.*s/../../docs/journal.md", (int)(slash - __FILE__), __FILE__);
    FILE *file = fopen(path, "r");
    cr_assert(page != NULL && file != NULL, "%s", path);
    size_t size = fread(page, 1, PAGE_BYTES_MAX - 1, file);
    cr_assert(size > 0 && size < PAGE_BYTES_MAX - 1);
    fclose(file);
    return page;
}

struct row {
    const char *section;
    size_t offset, bytes;
};

#define ROW(section, type, member)                                                                 \
    {                                                                                              \
        section, offsetof(struct type, member), sizeof(((struct type *)0)->member)                 \
    }

static const struct row rows[] = {
    ROW("### The header of a segment", segment_header, checksum),
    ROW("### The header of a segment", segment_header, magic),
    ROW("### The header of a segment", segment_header, version),
    ROW("### The header of a segment", segment_header, segment_bytes),
    ROW("### The header of a segment", segment_header, number),
    ROW("### The header of a segment", segment_header, incarnation),
    ROW("### The header of a segment", segment_header, log_time_ms),
    ROW("### The header of a segment", segment_header, wall_ms),
    ROW("### The header of a segment", segment_header, previous),
    ROW("### The header of a segment", segment_header, log_number),
    ROW("### The header of a segment", segment_header, log_count),
    ROW("### The header of a segment", segment_header, reserved),
    ROW("### The header of a segment", segment_header, secret),
    ROW("### The header of a block", block_header, checksum),
    ROW("### The header of a block", block_header, magic),
    ROW("### The header of a block", block_header, log_number),
    ROW("### The header of a block", block_header, flags),
    ROW("### The header of a block", block_header, position),
    ROW("### The header of a block", block_header, size_bytes),
    ROW("### The header of a block", block_header, used_bytes),
    ROW("### The header of a block", block_header, record_count),
    ROW("### The header of a block", block_header, destinations),
    ROW("### The header of a block", block_header, incarnation),
    ROW("### The header of a block", block_header, log_time_ms),
    ROW("### The header of a block", block_header, watermark),
    ROW("### The header of a block", block_header, last_id),
    ROW("### The header of a block", block_header, previous),
    ROW("### The header of a sidecar", sidecar_header, checksum),
    ROW("### The header of a sidecar", sidecar_header, magic),
    ROW("### The header of a sidecar", sidecar_header, version),
    ROW("### The header of a sidecar", sidecar_header, log_number),
    ROW("### The header of a sidecar", sidecar_header, reserved),
    ROW("### The header of a sidecar", sidecar_header, segment_number),
    ROW("### The header of a sidecar", sidecar_header, segment_bytes),
    ROW("### The header of a sidecar", sidecar_header, last_block),
    ROW("### The header of a sidecar", sidecar_header, generation),
    ROW("### The header of a sidecar", sidecar_header, count),
    ROW("### The header of a sidecar", sidecar_header, items_checksum),
    ROW("### An item of a sidecar", sidecar_item, identity),
    ROW("### An item of a sidecar", sidecar_item, body_digest),
    ROW("### An item of a sidecar", sidecar_item, offset),
    ROW("### An item of a sidecar", sidecar_item, log_time_s),
    ROW("### An item of a sidecar", sidecar_item, generation),
    ROW("### An item of a sidecar", sidecar_item, participant),
    ROW("### An item of a sidecar", sidecar_item, reserved),
    ROW("## Records", record_head, size_bytes),
    ROW("## Records", record_head, kind),
    ROW("## Records", record_head, flags),
    ROW("## Records", record_head, period),
    ROW("### Message", record, id),
    ROW("### Message", record, origin),
    ROW("### Message", record, identity),
    ROW("### Message", record, generation),
    ROW("### Message", record, envelope_bytes),
    ROW("### Message", record, body_bytes),
    ROW("### Message", record, text_bytes),
    ROW("### Message", record, value_count),
    ROW("### Message", record, entry_count),
    ROW("### Message", record, participant),
    ROW("### Message", record, channel),
    ROW("### Message", record, profile),
    ROW("### Message", record, destination_count),
    ROW("### Message", record, rule_count),
    ROW("### Message", record, verdict),
    ROW("### Message", record, cause),
    ROW("### Message", record, part_number),
    ROW("### Message", record, part_count),
    ROW("### Group", fact_group, number),
    ROW("### Group", fact_group, destination),
    ROW("### Group", fact_group, event),
    ROW("### Group", fact_group, name_bytes),
    ROW("### Group", fact_group, after),
    ROW("### Group", fact_group, account),
    ROW("### Settled", fact_settled, group_number),
    ROW("### Settled", fact_settled, range_count),
    ROW("### Settled", fact_settled, destination),
    ROW("### Settled", fact_settled, how),
    ROW("### Settled", fact_settled, standing),
    ROW("### Settled", fact_settled, reserved),
    ROW("### Outlet", fact_outlet, counted_position),
    ROW("### Outlet", fact_outlet, destination),
    ROW("### Outlet", fact_outlet, reserved),
    ROW("### Outlet", fact_outlet, first_ever_id),
    ROW("### Outlet", fact_outlet, last_id),
    ROW("### Outlet", fact_outlet, pushed),
    ROW("### Outlet", fact_outlet, kept_from),
    ROW("### Outlet", fact_outlet, account),
};

Test(journal_format, the_page_has_every_field_at_its_place)
{
    char *page = read_page();
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char line[64];
        const char *section = strstr(page, rows[i].section);
        cr_assert_not_null(section, "%s", rows[i].section);
        const char *end = strstr(section + 4, "\n##");
        snprintf(line, sizeof line, "\n| %zu | %zu |", rows[i].offset, rows[i].bytes);
        const char *found = strstr(section, line);
        cr_expect(found != NULL && (end == NULL || found < end), "%s lacks `%s`", rows[i].section,
                  line + 1);
    }
    free(page);
}

/* What the tables do not show by themselves. */
Test(journal_format, the_page_says_what_follows_and_what_it_means)
{
    char *page = read_page(), text[128];
    cr_expect_eq(sizeof(struct record), 96);
    cr_expect_not_null(strstr(page, "| 96 | 2 each | destinations; with 0x8000 added"));
    cr_expect_eq(RECORD_HELD, 0x8000);
    cr_expect_eq(sizeof(struct record_value), 12);
    cr_expect_eq(sizeof(struct settled_range), 40);
    cr_expect_eq(sizeof(struct fact_settled), 24);
    cr_expect_not_null(strstr(page, "| 24 | 40 each | ranges"));
    cr_expect_eq(sizeof(struct fact_group), 88);
    cr_expect_not_null(strstr(page, "| 88 | | name |"));
    cr_expect_eq(sizeof(struct fact_generation), 8 + 8 + 8 + 32);
    cr_expect_eq(sizeof(struct fact_hold_end), 8 + 16 + 2 + 1 + 5);
    cr_expect_eq(sizeof(struct fact_intake), 8 + 8 + 8 * (5 + 7 + 2));
    snprintf(text, sizeof text,
             "kind: %d message, %d generation, %d group, %d settled, %d hold end, %d intake, %d "
             "outlet |",
             RECORD_KIND_MESSAGE, RECORD_KIND_GENERATION, RECORD_KIND_GROUP, RECORD_KIND_SETTLED,
             RECORD_KIND_HOLD_END, RECORD_KIND_INTAKE, RECORD_KIND_OUTLET);
    cr_expect_not_null(strstr(page, text), "%s", text);
    cr_expect_eq(RECORD_KIND_END, RECORD_KIND_OUTLET + 1, "a kind that the page does not know");
    snprintf(text, sizeof text, "| verdict: %d fresh, %d conflict, %d amendment |", VERDICT_FRESH,
             VERDICT_CONFLICT, VERDICT_AMENDMENT);
    cr_expect_not_null(strstr(page, text), "%s", text);
    snprintf(text, sizeof text, "event: %d created, %d moved (`XGROUP SETID`), %d destroyed, %d ",
             GROUP_CREATED, GROUP_MOVED, GROUP_DESTROYED, GROUP_STANDS);
    cr_expect_not_null(strstr(page, text), "%s", text);
    snprintf(text, sizeof text, "version of the format: %d |", JOURNAL_VERSION);
    cr_expect_not_null(strstr(page, text), "%s", text);
    free(page);
}

Test(journal_format, magics_are_these_bytes)
{
    const struct segment_header segment = {.magic = JOURNAL_SEGMENT_MAGIC, .version = 0x04030201};
    const struct block_header block = {.magic = JOURNAL_BLOCK_MAGIC};
    cr_expect_arr_eq((const uint8_t *)&segment + 16, "\0KOUSEG1\1\2\3\4", 12);
    cr_expect_arr_eq((const uint8_t *)&block + 16, "KBLK", 4);
}

/* A checksum covers all bytes behind it, up to the end of what is used, and none of the padding. */
Test(journal_format, a_checksum_covers_what_is_used)
{
    static _Alignas(8) uint8_t memory[JOURNAL_PAGE_BYTES];
    struct digest_secret secret;
    for (size_t i = 0; i < sizeof secret; i++)
        secret.bytes[i] = (uint8_t)(i * 151 + 7);
    struct block_header *block = (struct block_header *)(void *)memory;
    *block = (struct block_header){.magic = JOURNAL_BLOCK_MAGIC,
                                   .position = 8192,
                                   .size_bytes = JOURNAL_PAGE_BYTES,
                                   .used_bytes = 1000};
    block_seal(&secret, block);
    cr_assert_eq(block_check(&secret, block, sizeof memory, 8192), STATUS_OK);
    cr_assert_eq(block_check(&secret, block, sizeof memory, 4096), STATUS_CORRUPT);
    cr_assert_eq(block_check(&secret, block, 999, 8192), STATUS_INCOMPLETE);
    for (size_t i = 0; i < sizeof memory; i++) {
        memory[i] ^= 1;
        cr_assert_eq(block_check(&secret, block, sizeof memory, 8192) == STATUS_OK, i >= 1000,
                     "byte %zu", i);
        memory[i] ^= 1;
    }
}
