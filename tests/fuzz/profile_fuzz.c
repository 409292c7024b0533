/* Any YAML -> profiles -> a set -> readings of a few bodies by whatever came out. Nothing may
 * crash, leak or contradict itself; a text with an error yields no profile without saying so. */
#include <assert.h>
#include <stdlib.h>

#include "routes/read/read.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const bodies[] = {
    "<R xmlns='u' a='1'><A>1<B c='2'>x</B></A><A><B>y</B></A><C><A>z</A></C></R>",
    "{\"t\":\"1\",\"a\":[{\"b\":2},{\"b\":[3,\"x\"]}],\"c\":{\"a\":{\"b\":\"y\"}}}",
    "UNB+UNOA:1+S:Z+R:Z+1:0+9'UNH+1+X:D:96B:UN'BGM+1+2+9'CNI+1'RFF+ABO:r'CNI+2'UNT+7+1'UNZ+1+9'",
};

/* Opened once: it holds nothing of a profile. */
static struct reader *borrow_reader(void)
{
    static struct reader reader;
    if (reader.memory == NULL && reader_open(&reader, 1024, 64 * 1024) != STATUS_OK)
        abort();
    return &reader;
}

static void check_profile(const struct profile *profile, uint16_t index)
{
    assert(profile->index == index);
    assert(profile->plan.tap_count <= PLAN_TAPS_MAX);
    assert(profile->spec_count >= 1 && profile->spec_count <= PROFILE_SPECS_MAX);
    for (uint16_t i = 0; i < profile->spec_count; i++) {
        const struct value_spec *spec = &profile->specs[i];
        assert((spec->constant.data != NULL) == (spec->part_count == 0));
        for (uint8_t part = 0; part < spec->part_count; part++)
            for (uint8_t k = 0; k < spec->parts[part].alias_count; k++) {
                uint16_t bin = spec->parts[part].aliases[k].bin;
                assert(bin < profile->plan.tap_count ||
                       (bin >= PLAN_TAPS_MAX && bin < PLAN_TAPS_MAX + profile->filter_count));
            }
    }
}

/* The body by one profile alone, whatever it recognises. */
static void read_by(const struct profile *profile, struct reader *reader, const char *text)
{
    size_t size = strlen(text);
    uint8_t *body = malloc(size + BYTES_PADDING);
    assert(body != NULL);
    memcpy(body, text, size);
    memset(body + size, '>', BYTES_PADDING);
    struct scan_fault fault;
    enum status status = STATUS_INVALID;
    struct bytes bytes = bytes_make(body, size);
    if (profile->plan.format == FORMAT_XML)
        status = scan_xml(&profile->plan, bytes, &reader->scan, &fault);
    else if (profile->plan.format == FORMAT_JSON)
        status = scan_json(&profile->plan, bytes, &reader->scan, &fault);
    else
        status = scan_edifact(&profile->plan, bytes, &reader->scan, &fault);
    if (status == STATUS_OK) {
        struct reading reading;
        reading_init(&reading, &reader->space);
        status = extract(profile, reader, size, SLOT_NONE, &reading, &fault);
        bool conditional = profile->recognise.condition_count > 0;
        assert(status == STATUS_OK || status == STATUS_INVALID ||
               (status == STATUS_NOT_FOUND && conditional));
    }
    free(body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *text = malloc(size + 1);
    struct profile_list *list = calloc(1, sizeof *list);
    assert(text != NULL && list != NULL);
    if (size > 0)
        memcpy(text, data, size);
    struct arena arena;
    struct diagnostics diagnostics;
    arena_init(&arena);
    diagnostics_init(&diagnostics);
    profile_parse_yaml(&arena, "fuzz.yaml", bytes_make(text, size), list, &diagnostics);
    assert(list->count > 0 || diagnostics.error_count > 0);
    free(text); /* whatever profiles need lies in the arena */

    struct profile_set set;
    profile_set_build(&arena, list, &set, &diagnostics);
    struct reader *reader = borrow_reader();
    for (uint16_t i = 0; i < set.count; i++) {
        check_profile(set.profiles[i], i);
        assert(profile_set_find(&set, bytes_from_text(set.profiles[i]->name)) == set.profiles[i]);
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            reader_reset(reader);
            read_by(set.profiles[i], reader, bodies[k]);
        }
    }
    char *printed;
    size_t printed_size;
    FILE *out = open_memstream(&printed, &printed_size);
    assert(out != NULL);
    diagnostics_print(&diagnostics, out);
    fclose(out);
    assert((printed_size > 0) == (diagnostics.error_count + diagnostics.warning_count > 0));
    free(printed);
    diagnostics_deinit(&diagnostics);
    arena_deinit(&arena);
    free(list);
    return 0;
}
