/* kouan profile expect: what a profile reads from samples, written as examples for its author to
 * check by eye and keep. */
#include <stdio.h>
#include <string.h>

#include "io/cli/profile.h"

static bool print_examples(struct profile_stand *stand, const char *profile_path, const char *path);
static void print_reading(const struct reading *reading);
static void print_slots(const struct reading *reading, enum slot from, enum slot to, uint16_t entry,
                        const char *separator);

enum cli_exit cli_profile_expect(int argc, char **argv)
{
    static struct profile_stand stand;
    const char *profile_path = argv[0];
    bool good = cli_profile_stand_open(&stand, &profile_path, 1, true);
    for (int i = 1; i < argc && good; i++) {
        if (i > 1)
            puts("---");
        good = print_examples(&stand, profile_path, argv[i]);
    }
    cli_profile_stand_close(&stand);
    return good ? CLI_OK : CLI_INVALID;
}

/* A text in double quotes, as YAML has them. */
static void print_quoted(struct bytes text)
{
    putchar('"');
    for (size_t i = 0; i < text.size; i++) {
        uint8_t byte = text.data[i];
        if (byte == '"' || byte == '\\')
            printf("\\%c", byte);
        else if (byte < ' ' || byte == 0x7F)
            printf("\\x%02X", byte);
        else
            putchar(byte);
    }
    putchar('"');
}

/* `path` as seen from beside the profile, where the examples will stand. */
static struct bytes beside(const char *profile_path, const char *path)
{
    const char *slash = strrchr(profile_path, '/');
    size_t folder = slash == NULL ? 0 : (size_t)(slash - profile_path) + 1;
    if (folder > 0 && strncmp(path, profile_path, folder) == 0)
        path += folder;
    return bytes_from_text(path);
}

static void print_example(struct profile_stand *stand, struct bytes name, struct bytes body,
                          uint32_t part)
{
    struct reading reading;
    struct scan_fault fault = {0};
    fputs("message: ", stdout);
    print_quoted(name);
    if (part > 0)
        printf("\npart: %u", part);
    if (cli_profile_read(stand, body, part, &reading, &fault) == STATUS_OK)
        print_reading(&reading);
    else
        printf("\nrefused: %s%s%s\nat: %u\n", scan_reason_word(fault.reason),
               fault.what != NULL ? " " : "", fault.what != NULL ? fault.what : "", fault.offset);
}

/* One of each message in the file. */
static bool print_examples(struct profile_stand *stand, const char *profile_path, const char *path)
{
    struct bytes body, name = beside(profile_path, path);
    if (!cli_profile_read_file(&stand->arena, path, &body))
        return false;
    uint32_t parts = cli_profile_parts(body);
    if (parts == 0)
        print_example(stand, name, body, 0);
    for (uint32_t part = 1; part <= parts; part++) {
        fputs(part > 1 ? "---\n" : "", stdout);
        print_example(stand, name, body, part);
    }
    return true;
}

static void print_reading(const struct reading *reading)
{
    printf("\nprofile: %s\nfields:\n  ", reading->profile->name);
    print_slots(reading, 0, SLOT_PARTICIPANT, 0, "\n  ");
    putchar('\n');
    if (reading_has_keys(reading, 0)) {
        fputs("keys:\n  ", stdout);
        print_slots(reading, SLOT_FIELD_COUNT, SLOT_COUNT, 0, "\n  ");
        putchar('\n');
    }
    if (!reading_has_entries(reading))
        return;
    puts("entries:");
    for (uint16_t entry = 1; entry <= reading->entry_count; entry++) {
        bool any = reading_has_keys(reading, entry);
        fputs(any ? "  - { " : "  - {", stdout);
        print_slots(reading, SLOT_FIELD_COUNT, SLOT_COUNT, entry, ", ");
        puts(any ? " }" : "}");
    }
}

/* `name: "value"` or `name: ["a", "b"]` for each slot that has values. A field's are those of any
 * entry; a key's those of this one. */
static void print_slots(const struct reading *reading, enum slot from, enum slot to, uint16_t entry,
                        const char *separator)
{
    bool any = false;
    for (enum slot slot = from; slot < to; slot++) {
        uint32_t count = 0, printed = 0;
        for (int pass = 0; pass < 2; pass++)
            for (uint16_t i = reading_first(reading, slot); i != READING_NO_OCCURRENCE;
                 i = reading->occurrences[i].next) {
                if (slot_is_key(slot) && reading->occurrences[i].entry != entry)
                    continue;
                if (pass == 0) {
                    count++;
                    continue;
                }
                if (printed == 0)
                    printf("%s%s: %s", any ? separator : "", slot_name(slot), count > 1 ? "[" : "");
                fputs(printed++ > 0 ? ", " : "", stdout);
                print_quoted(reading->occurrences[i].value);
            }
        fputs(count > 1 ? "]" : "", stdout);
        any |= count > 0;
    }
}
