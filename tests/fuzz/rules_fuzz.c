/* Tables and a list as text -> parse -> compile -> match, against the naive truth.
 *
 * The input is up to four sections with lines `==` between them: a table, a second table, the list
 * `@list`, and readings, each a few lines `field=value`, with lines `--` between them. */
#include "tests/fuzz/rules_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SECTIONS = 4 };

/* The text up to a line that is `mark`, taken off the rest. */
static struct bytes take_until(struct bytes *rest, const char *mark)
{
    for (size_t i = 0; i + 3 <= rest->size; i++)
        if ((i == 0 || rest->data[i - 1] == '\n') && rest->data[i + 2] == '\n' &&
            bytes_equal_text(bytes_slice(*rest, i, 2), mark)) {
            struct bytes part = bytes_slice(*rest, 0, i);
            *rest = bytes_slice(*rest, i + 3, rest->size);
            return part;
        }
    struct bytes part = *rest;
    *rest = bytes_slice(*rest, rest->size, 0);
    return part;
}

static void sample_parse(struct sample *sample, struct bytes text)
{
    sample_init(sample);
    while (text.size > 0) {
        enum slot slot;
        const uint8_t *end = memchr(text.data, '\n', text.size);
        struct bytes line =
            bytes_slice(text, 0, end == NULL ? text.size : (size_t)(end - text.data));
        text = bytes_slice(text, line.size + 1, text.size);
        const uint8_t *equals = line.size > 0 ? memchr(line.data, '=', line.size) : NULL;
        if (equals == NULL)
            continue;
        size_t name_size = (size_t)(equals - line.data);
        if (slot_find_field(bytes_slice(line, 0, name_size), &slot))
            sample_add(sample, slot, bytes_trim(bytes_slice(line, name_size + 1, line.size)));
    }
}

static void check_samples(const struct matchers *matchers, struct bytes readings)
{
    struct sample sample;
    sample_init(&sample);
    check(matchers, &sample.reading);
    while (readings.size > 0) {
        sample_parse(&sample, take_until(&readings, "--"));
        check(matchers, &sample.reading);
    }
    for (uint16_t i = 0; i < matchers->table_count; i++)
        for (uint32_t k = 0; k < matchers->tables[i]->rule_count && k < 64; k++) {
            sample_from_rule(&sample, &matchers->tables[i]->rules[k], false);
            check(matchers, &sample.reading);
            sample_from_rule(&sample, &matchers->tables[i]->rules[k], true);
            check(matchers, &sample.reading);
        }
}

/* Every diagnostic has a place in its file, and prints. */
static void check_diagnostics(const struct diagnostics *diagnostics)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    require(out != NULL, "open_memstream");
    diagnostics_print(diagnostics, out);
    diagnostics_print_json(diagnostics, out);
    fclose(out);
    require(bytes_is_utf8(bytes_make(text, size)), "reports are UTF-8");
    free(text);
    for (uint32_t i = 0; i < diagnostics->count; i++)
        require(diagnostics->items[i].place.file != NULL, "a file in each report");
}

static void run(struct bytes input, const struct kept *kept)
{
    static const char *const destinations[] = {"customs", "inspection", "port", "trader"};
    struct arena arena;
    struct diagnostics diagnostics;
    struct bytes sections[SECTIONS];
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    for (size_t i = 0; i < SECTIONS; i++)
        sections[i] = take_until(&input, "==");
    const struct value_list *list =
        value_list_parse(&arena, kept->charsets, "list", "list.txt", sections[2], &diagnostics);
    const struct value_list *lists[] = {list};
    const struct rule_names names = {destinations, 4, lists, 1};
    struct matchers matchers = {.scratch = kept->scratch, .portable = kept->portable};
    for (size_t i = 0; i < 2; i++) {
        uint32_t errors_before = diagnostics.error_count;
        const struct rule_table *table = rule_table_parse(
            &arena, kept->charsets, i == 0 ? "first" : "second",
            i == 0 ? "first.csv" : "second.csv", sections[i], &names, &diagnostics);
        require((table == NULL) == (diagnostics.error_count > errors_before), "NULL or error");
        if (table != NULL)
            matchers.tables[matchers.table_count++] = table;
    }
    check_diagnostics(&diagnostics);
    matchers_compile(&matchers, &arena, &diagnostics);
    check_samples(&matchers, sections[3]);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kept kept;
    if (kept.charsets == NULL)
        open_kept(&kept);
    uint8_t *copy = malloc(size + BYTES_PADDING);
    require(copy != NULL, "memory");
    memset(copy + size, '"', BYTES_PADDING); /* nothing may depend on it */
    if (size > 0)
        memcpy(copy, data, size);
    run(bytes_make(copy, size), &kept);
    free(copy);
    return 0;
}
