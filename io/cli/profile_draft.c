/* kouan profile draft: proposes a profile for samples of one dialect, and says what the proposal
 * reads from them. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "io/cli/arguments.h"
#include "io/cli/draft.h"
#include "io/cli/output.h"
#include "io/cli/profile.h"
#include "routes/scan/transcript.h"

static bool load_samples(struct draft *draft, int count, char **paths);
static bool read_places(struct draft *draft);
static const char *name_of(struct draft *draft);
static bool try_draft(struct draft *draft);

enum cli_exit cli_profile_draft(const char *name, int argc, char **argv)
{
    struct draft draft = {0};
    arena_init(&draft.arena);
    draft.places = arena_allocate_array(&draft.arena, DRAFT_PLACES_MAX, sizeof *draft.places);
    bool good = load_samples(&draft, argc, argv) && read_places(&draft);
    if (good) {
        draft.name = name != NULL ? name : name_of(&draft);
        draft_write(&draft, stdout);
        good = try_draft(&draft);
    }
    arena_deinit(&draft.arena);
    return good ? CLI_OK : CLI_INVALID;
}

/* In UTF-8, as expat and jansson read it. */
static bool read_text(struct draft *draft, struct draft_sample *sample)
{
    struct bytes mark = BYTES_LITERAL("\xEF\xBB\xBF");
    enum charset charset = transcript_charset(sample->body);
    sample->text = sample->body;
    if (charset == CHARSET_UTF8)
        return true;
    struct charsets *charsets = charsets_open();
    size_t capacity = sample->body.size * CHARSET_GROWTH_MAX, size;
    uint8_t *text = arena_allocate(&draft->arena, mark.size + capacity + BYTES_PADDING);
    struct bytes source = sample->body;
    if (bytes_start_with(source, BYTES_LITERAL("\xFE\xFF")) ||
        bytes_start_with(source, BYTES_LITERAL("\xFF\xFE")))
        source = bytes_slice(source, 2, source.size);
    memcpy(text, mark.data, mark.size);
    bool good = charsets != NULL && charset_decode(charsets, charset, source, text + mark.size,
                                                   capacity, &size) == STATUS_OK;
    if (good)
        sample->text = bytes_make(text, mark.size + size);
    else
        fprintf(stderr, "kouan profile: %s does not fit the character set that it names\n",
                sample->path);
    if (charsets != NULL)
        charsets_close(charsets);
    return good;
}

static bool load_samples(struct draft *draft, int count, char **paths)
{
    struct draft_sample *samples =
        arena_allocate_array(&draft->arena, (size_t)count, sizeof *samples);
    for (int i = 0; i < count; i++) {
        enum format format;
        struct scan_fault fault;
        samples[i].path = paths[i];
        if (!cli_profile_read_file(&draft->arena, paths[i], &samples[i].body) ||
            !read_text(draft, &samples[i]))
            return false;
        if (scan_sniff(samples[i].text, &format, &fault) != STATUS_OK) {
            fprintf(stderr, "kouan profile: %s is neither XML, JSON nor EDIFACT\n", paths[i]);
            return false;
        }
        if (i > 0 && format != draft->format) {
            fprintf(stderr,
                    "kouan profile: %s is of another format than %s: draft a profile for "
                    "each\n",
                    paths[i], paths[0]);
            return false;
        }
        draft->format = format;
    }
    draft->samples = samples;
    draft->sample_count = (uint32_t)count;
    return true;
}

static bool read_places(struct draft *draft)
{
    if (draft->format == FORMAT_EDIFACT)
        return draft_read_edifact(draft);
    if (draft->format == FORMAT_XML ? !draft_read_xml(draft) : !draft_read_json(draft))
        return false;
    draft_choose(draft);
    return true;
}

/* `ArrivalReport` -> `arrivalreport`. */
static const char *name_of(struct draft *draft)
{
    char name[64];
    size_t size = 0;
    const char *from = draft->name_count > 0 ? draft->names[0] : "";
    for (; *from != '\0' && size + 1 < sizeof name; from++)
        if (isalnum((unsigned char)*from) || strchr("-_.", *from) != NULL)
            name[size++] = (char)tolower((unsigned char)*from);
    name[size] = '\0';
    return size > 0 ? arena_copy_text(&draft->arena, bytes_make(name, size)) : "draft";
}

/* ---- what it reads ---- */

static void print_reading(const char *path, const struct reading *reading)
{
    uint32_t keys = 0;
    for (uint16_t i = 0; i < reading->count; i++)
        keys += slot_is_key((enum slot)reading->occurrences[i].slot);
    fprintf(stderr, "%s: type ", path);
    output_escaped(stderr, reading_value(reading, SLOT_MESSAGE_TYPE));
    fputs(", id ", stderr);
    struct bytes id = reading_value(reading, SLOT_MESSAGE_ID);
    output_escaped(stderr, id.size > 0 ? id : BYTES_LITERAL("(none)"));
    if (reading_has_entries(reading))
        fprintf(stderr, ", %u entr%s", reading->entry_count,
                reading->entry_count == 1 ? "y" : "ies");
    fprintf(stderr, ", %u key%s\n", keys, keys == 1 ? "" : "s");
}

static bool read_sample(struct profile_stand *stand, const struct draft_sample *sample,
                        uint32_t part)
{
    struct reading reading;
    struct scan_fault fault;
    if (cli_profile_read(stand, sample->body, part, &reading, &fault) == STATUS_OK) {
        print_reading(sample->path, &reading);
        return true;
    }
    fprintf(stderr, "%s: the draft does not read it: %s at byte %u%s%s\n", sample->path,
            scan_reason_word(fault.reason), fault.offset, fault.what != NULL ? ": " : "",
            fault.what != NULL ? fault.what : "");
    return false;
}

static bool read_samples(const struct draft *draft, struct profile_stand *stand)
{
    bool good = true;
    for (uint32_t i = 0; i < draft->sample_count; i++) {
        uint32_t parts = cli_profile_parts(draft->samples[i].body);
        for (uint32_t part = parts > 0; part <= parts; part++)
            good = read_sample(stand, &draft->samples[i], part) && good;
    }
    return good;
}

/* Reads the samples with the draft as it stands in YAML: what was written must hold. */
static bool try_draft(struct draft *draft)
{
    static struct profile_stand stand;
    char *text = NULL;
    size_t size = 0;
    FILE *memory = open_memstream(&text, &size);
    if (memory == NULL)
        abort();
    draft_write(draft, memory);
    fclose(memory);
    bool good = cli_profile_stand_open_text(&stand, "draft", bytes_make(text, size)) &&
                read_samples(draft, &stand);
    cli_profile_stand_close(&stand);
    free(text);
    return good;
}
