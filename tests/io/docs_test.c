/* The reference pages say what the program does: each option with its default and range, each
 * command, each field of an entry. */
#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/config/options.h"
#include "io/file.h"
#include "io/front/command.h"
#include "routes/generation.h"

static struct arena arena;

static void open_arena(void)
{
    arena_init(&arena);
}

static void close_arena(void)
{
    arena_deinit(&arena);
}

TestSuite(docs, .init = open_arena, .fini = close_arena);

/* A page of docs/, found beside this file's folder. */
static const char *read_page(const char *name)
{
    enum { PAGE_BYTES_MAX = 1024 * 1024 };
    struct bytes content;
    const char *slash = strrchr(__FILE__, '/');
    const char *path =
        arena_format(&arena, "%.*s/../../docs/%s", (int)(slash - __FILE__), __FILE__, name);
    cr_assert_eq(file_read(&arena, path, PAGE_BYTES_MAX, &content, NULL), STATUS_OK,
                 "%s, from the top of the repository", path);
    return (const char *)content.data;
}

static void expect(const char *page, const char *text)
{
    cr_expect_not_null(strstr(page, text), "%s", text);
}

struct unit_name {
    const char *name;
    uint64_t size;
};

/* In the largest unit that needs no fraction. */
static const char *value_text(uint64_t value, enum option_unit unit)
{
    static const struct unit_name bytes[] = {{"GiB", GIB}, {"MiB", MIB}, {"KiB", KIB}, {"B", 1}};
    static const struct unit_name times[] = {{"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
                                             {"s", 1000000},     {"ms", 1000},      {"us", 1}};
    if (unit == UNIT_COUNT || value == 0)
        return arena_format(&arena, "%" PRIu64, value);
    const struct unit_name *row = unit == UNIT_BYTES ? bytes : times;
    if (unit == UNIT_S || unit == UNIT_MS)
        value *= unit == UNIT_S ? 1000000 : 1000;
    while (value % row->size != 0)
        row++;
    return arena_format(&arena, "%" PRIu64 "%s", value / row->size, row->name);
}

static void expect_options(const char *page, const struct option_row *row)
{
    for (; row->name != NULL; row++)
        expect(page,
               arena_format(&arena, "\n| `%s` | %s | %s to %s | ", row->name,
                            value_text(row->initial, row->unit), value_text(row->min, row->unit),
                            value_text(row->max, row->unit)));
}

Test(docs, configuration_has_every_option)
{
    const char *page = read_page("configuration.md");
    expect_options(page, option_rows);
    expect_options(page, destination_option_rows);
}

Test(docs, configuration_has_every_field)
{
    const char *page = read_page("configuration.md");
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++)
        expect(page, arena_format(&arena, "`%s`", slot_name((enum slot)slot)));
#define X(constant, name, help) expect(page, "\n| `" name "` | ");
    RECORD_FACT_LIST(X)
#undef X
}

Test(docs, commands_has_every_command)
{
    const char *page = read_page("commands.md");
    for (uint32_t i = 0; i < command_count; i++)
        expect(page, arena_format(&arena, "\n| `%s` | ", command_rows[i].name));
}

Test(docs, commands_has_every_refusal)
{
    const char *page = read_page("commands.md");
#define X(constant, name, word, text) expect(page, "\n| `" word "` | ");
    REFUSAL_LIST(X)
#undef X
}
