/* EDIFACT samples: the directories say where everything stands, so each place that Kouan knows is
 * tried on the samples with a profile of its own, and those that find something are proposed. */
#include <stdlib.h>

#include "io/cli/draft.h"
#include "io/cli/profile.h"

/* slot, path, all values of several rows of one slot or the first row's that has one */
#define CANDIDATE_LIST(X)                                                                          \
    X(MESSAGE_ID, "UNB/2/1", "{ join: [UNB/2/1, UNB/5, UNH/1] }")                                  \
    X(MESSAGE_TYPE, "UNH/2/1", "UNH/2/1")                                                          \
    X(FUNCTION, "BGM/3",                                                                           \
      "{ path: BGM/3, map: { \"1\": cancel, \"4..5\": change, \"9\": original, \"*\": \"*\" } }")  \
    X(SENDER, "UNB/2/1", "UNB/2/1")                                                                \
    X(RECEIVER, "UNB/3/1", "UNB/3/1")                                                              \
    X(REFERENCE, "\"RFF[ACW]/1/2\"", "\"RFF[ACW]/1/2\"")                                           \
    X(PORT, "\"LOC[9]/2/1\"", "\"LOC[9]/2/1\"")                                                    \
    X(PORT, "\"LOC[11]/2/1\"", "\"LOC[11]/2/1\"")                                                  \
    X(PORT, "\"LOC[60]/2/1\"", "\"LOC[60]/2/1\"")                                                  \
    X(CUSTOMS_OFFICE, "\"LOC[22]/2/1\"", "\"LOC[22]/2/1\"")                                        \
    X(TRANSPORT_MODE, "TDT/3/1", "TDT/3/1")                                                        \
    X(GOODS_CODE, "CST/2/1", "CST/2/1")                                                            \
    X(KEY_ORDER, "\"RFF[ON]/1/2\"", "\"RFF[ON]/1/2\"")                                             \
    X(KEY_BILL, "\"RFF[BM]/1/2\"", "\"RFF[BM]/1/2\"")                                              \
    X(KEY_BILL, "\"RFF[MB]/1/2\"", "\"RFF[MB]/1/2\"")                                              \
    X(KEY_BILL, "\"RFF[BN]/1/2\"", "\"RFF[BN]/1/2\"")                                              \
    X(KEY_BILL, "CNI/2/1", "CNI/2/1")                                                              \
    X(KEY_WAYBILL, "\"RFF[HWB]/1/2\"", "\"RFF[HWB]/1/2\"")                                         \
    X(KEY_ENTRY, "\"RFF[ABT]/1/2\"", "\"RFF[ABT]/1/2\"")                                           \
    X(KEY_CLIENT_SEQ, "BGM/2/1", "BGM/2/1")                                                        \
    X(KEY_CONTAINER, "\"EQD[CN]/2/1\"", "\"EQD[CN]/2/1\"")                                         \
    X(KEY_VOYAGE, "TDT/2", "TDT/2")

struct candidate {
    enum slot slot;
    const char *path;  /* that must find something */
    const char *value; /* as the profile says it */
};

static const struct candidate candidates[] = {
#define X(slot, path, value) {SLOT_##slot, path, value},
    CANDIDATE_LIST(X)
#undef X
};

static const char *const entry_tags[] = {"CNI", "EQD", "GID", "CST"};

/* Reads the samples with a profile that says `path` beside the message's type. How often it found
 * something; the first value in `out_example`. */
static uint32_t try_path(struct draft *draft, const char *path, const char **out_example)
{
    static struct profile_stand stand;
    uint32_t found = 0;
    const char *text = arena_format(&draft->arena,
                                    "profile: try\nfamily: try\nformat: edifact\n"
                                    "recognise: { type: \"*\" }\nfields:\n"
                                    "  message_type: UNH/2/1\nkeys:\n  order: %s\n",
                                    path);
    if (!cli_profile_stand_open_text(&stand, "try", bytes_from_text(text)))
        abort(); /* the candidates above are paths */
    for (uint32_t i = 0; i < draft->sample_count; i++) {
        struct bytes body = draft->samples[i].text;
        uint32_t parts = cli_profile_parts(body);
        for (uint32_t part = parts > 0; part <= parts; part++) {
            struct reading reading;
            struct scan_fault fault = {0};
            if (cli_profile_read(&stand, body, part, &reading, &fault) != STATUS_OK)
                continue;
            struct bytes value = reading_value(&reading, SLOT_KEY_ORDER);
            if (value.size == 0)
                continue;
            if (found == 0)
                *out_example = arena_copy_text(&draft->arena, value);
            uint32_t captures = stand.reader.scan.capture_count; /* with one of the type */
            found += captures > 1 ? captures - 1 : 1;
        }
    }
    cli_profile_stand_close(&stand);
    return found;
}

static void take_type(struct draft *draft, struct bytes type)
{
    draft_add_name(draft, type.size > 0 ? arena_copy_text(&draft->arena, type) : "*");
}

static bool take_types(struct draft *draft, const struct draft_sample *sample)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct edifact_peek peek;
    struct scan_fault fault = {0};
    uint32_t count = read_split(sample->text, parts, &fault);
    if (count == 0 && fault.reason == SCAN_NONE) {
        fprintf(stderr, "%s: its lines are wrapped: draft from a copy without the line ends\n",
                sample->path);
        return false;
    }
    if (count == 0 || scan_edifact_peek(sample->text, &peek, &fault) != STATUS_OK) {
        fprintf(stderr, "%s: %s at byte %u\n", sample->path, scan_reason_text(fault.reason),
                fault.offset);
        return false;
    }
    take_type(draft, peek.type);
    for (uint32_t i = 1; i < count; i++)
        if (scan_edifact_part_peek(sample->text, &parts[i], &peek, &fault) == STATUS_OK)
            take_type(draft, peek.type);
    return true;
}

static void propose(struct draft *draft, const struct candidate *candidate, const char *example)
{
    struct draft_line *line = NULL;
    for (uint32_t i = 0; i < draft->line_count; i++)
        if (draft->lines[i].slot == candidate->slot)
            line = &draft->lines[i];
    if (line == NULL) {
        line = &draft->lines[draft->line_count++];
        *line = (struct draft_line){
            .slot = candidate->slot, .takes_all = true, .is_yaml = true, .example = example};
    }
    line->paths[line->path_count++] = candidate->value;
}

bool draft_read_edifact(struct draft *draft)
{
    for (uint32_t i = 0; i < draft->sample_count; i++)
        if (!take_types(draft, &draft->samples[i]))
            return false;
    for (size_t i = 0; i < sizeof candidates / sizeof *candidates; i++) {
        const char *example = NULL;
        if (try_path(draft, candidates[i].path, &example) > 0)
            propose(draft, &candidates[i], example);
    }
    for (size_t i = 0; i < sizeof entry_tags / sizeof *entry_tags; i++) {
        const char *example = NULL;
        const char *path = arena_format(&draft->arena, "%s/1/1", entry_tags[i]);
        if (draft->entries == NULL && try_path(draft, path, &example) > 1)
            draft->entries = entry_tags[i];
    }
    return true;
}
