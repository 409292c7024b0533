/* Any text as a manifest: what is read is written again as the same bytes, and every name in it can
 * be asked for. */
#include <assert.h>

#include "routes/generation_names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask_for_all(const struct generation_names *names)
{
    for (unsigned kind = 0; kind < NAME_KIND_COUNT; kind++)
        for (uint32_t i = 0; i <= names->lists[kind].count; i++)
            assert(generation_name(names, (enum generation_name)kind, i)[0] != '\0');
    for (uint32_t t = 0; t <= names->table_count; t++)
        assert(generation_rule_name(names, t << 24)[0] != '\0' &&
               generation_table_name(names, t << 24)[0] != '\0');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct generation_names names;
    uint32_t line = 0;
    arena_init(&arena);
    struct bytes text = bytes_make(data, size);
    if (generation_names_parse(&arena, text, &names, &line) == STATUS_OK) {
        assert(bytes_equal(generation_names_encode(&arena, &names), text));
        const uint16_t *map = generation_names_map(&arena, &names, &names, NAME_PARTICIPANT);
        for (uint32_t i = 0; i < names.lists[NAME_PARTICIPANT].count; i++)
            assert(map[i] < names.lists[NAME_PARTICIPANT].count);
        ask_for_all(&names);
    } else {
        assert(line >= 1);
    }
    arena_deinit(&arena);
    return 0;
}
