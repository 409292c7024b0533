#include "bench/day/template.h"

#include <assert.h>

struct value_form {
    const char *name;
    uint8_t width;
    bool of_entry;
};

enum { LEVEL_MESSAGE, LEVEL_ENTRY };

static const struct value_form value_forms[DAY_VALUE_COUNT] = {
#define X(name, text, width, level) {text, width, LEVEL_##level == LEVEL_ENTRY},
    DAY_VALUE_LIST(X)
#undef X
};

static_assert(DAY_VALUE_COUNT <= 64, "a set of values is one word");

uint64_t day_values_of_entries(void)
{
    uint64_t set = 0;
    for (uint32_t i = 0; i < DAY_VALUE_COUNT; i++)
        if (value_forms[i].of_entry)
            set |= UINT64_C(1) << i;
    return set;
}

static const char *find_constant(struct bytes name, const struct template_constant *constants,
                                 size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_text(name, constants[i].name))
            return constants[i].text;
    return NULL;
}

static enum day_value find_value(struct bytes name)
{
    for (uint32_t i = 0; i < DAY_VALUE_COUNT; i++)
        if (bytes_equal_text(name, value_forms[i].name))
            return (enum day_value)i;
    assert(false && "a place in a message text names no value");
    return DAY_VALUE_COUNT;
}

static void append(struct template_section *section, const void *bytes, size_t size)
{
    if (section->text != NULL)
        memcpy(section->text + section->size, bytes, size);
    section->size += (uint32_t)size;
}

static void append_place(struct template_section *section, enum day_value value)
{
    static const char blank[DAY_VALUE_BYTES_MAX] = "";
    uint8_t width = value_forms[value].width;
    if (section->text != NULL) {
        assert(section->patch_count < TEMPLATE_PATCHES_MAX && section->size <= UINT16_MAX);
        section->patches[section->patch_count++] =
            (struct template_patch){(uint16_t)section->size, (uint8_t)value, width};
        section->needed |= day_value_bit(value);
    }
    append(section, blank, width);
}

/* Run twice: without memory it only measures. */
static void walk(struct template_section *section, const char *source,
                 const struct template_constant *constants, size_t constant_count)
{
    while (*source != '\0') {
        const char *place = strchrnul(source, '$');
        append(section, source, (size_t)(place - source));
        if (*place == '\0')
            return;
        const char *end = strchr(place + 1, '$');
        assert(end != NULL);
        struct bytes name = bytes_make(place + 1, (size_t)(end - place - 1));
        const char *constant = find_constant(name, constants, constant_count);
        if (constant != NULL)
            append(section, constant, strlen(constant));
        else
            append_place(section, find_value(name));
        source = end + 1;
    }
}

struct template_section template_compile(struct arena *arena, const char *source,
                                         const struct template_constant *constants,
                                         size_t constant_count)
{
    struct template_section measured = {0}, section = {0};
    walk(&measured, source, constants, constant_count);
    section.text = arena_allocate(arena, measured.size + 1);
    section.patches = arena_allocate_array(arena, TEMPLATE_PATCHES_MAX, sizeof *section.patches);
    walk(&section, source, constants, constant_count);
    assert(section.size == measured.size);
    return section;
}

void template_render(const struct template_section *section, const struct day_values *values,
                     uint8_t *out)
{
    memcpy(out, section->text, section->size);
    const struct template_patch *patch = section->patches, *end = patch + section->patch_count;
    for (; patch < end; patch++)
        memcpy(out + patch->offset, values->text[patch->value], patch->width);
}
