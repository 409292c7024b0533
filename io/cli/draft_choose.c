#include <ctype.h>
#include <string.h>

#include "io/cli/draft.h"
#include "io/cli/draft_names.h"

enum { HAS_MAX = 3 }; /* JSON members by which a message is recognised */

static void add_path(struct draft *draft, enum slot slot, uint32_t place);
static void choose_entries(struct draft *draft);
static void choose_members(struct draft *draft);

/* ---- Names ----------------------------------------------------------------------------------- */

/* True if `name` is the word [word, end): without regard to case, `_`, `-`, `.`, and a leading `@`.
 */
static bool is_word(const char *name, const char *word, const char *end)
{
    for (; *name != '\0'; name++) {
        if (strchr("_-.@", *name) != NULL)
            continue;
        if (word == end || tolower((unsigned char)*name) != tolower((unsigned char)*word))
            return false;
        word++;
    }
    return word == end;
}

/* True if one of `words`, with a `/` if `with_outer`, is this name (behind that of `outer`). */
static bool is_listed(const char *words, const char *name, const char *outer, bool with_outer)
{
    for (const char *word = words; *word != '\0';) {
        const char *end = word + strcspn(word, " ");
        const char *slash = memchr(word, '/', (size_t)(end - word));
        if (with_outer
                ? slash != NULL && is_word(outer, word, slash) && is_word(name, slash + 1, end)
                : slash == NULL && is_word(name, word, end))
            return true;
        word = end + strspn(end, " ");
    }
    return false;
}

/* SLOT_NONE if nobody calls anything so. A name behind its outer name says more than alone. */
static enum slot slot_by_name(const char *name, const char *outer)
{
    static const struct {
        enum slot slot;
        const char *words;
    } rows[] = {
#define X(slot, words) {SLOT_##slot, words},
        DRAFT_NAME_LIST(X)
#undef X
    };
    for (int with_outer = 1; with_outer >= 0; with_outer--)
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (is_listed(rows[i].words, name, outer, with_outer != 0))
                return rows[i].slot;
    return SLOT_NONE;
}

/* ---- Fields and keys ------------------------------------------------------------------------- */

static bool can_be_in_a_path(const struct draft *draft, uint32_t place)
{
    for (; place != 0 && place != DRAFT_NO_PLACE; place = draft->places[place].parent)
        if (draft->places[place].name[0] == '\0' ||
            strpbrk(draft->places[place].name, "/[]=") != NULL)
            return false;
    return true;
}

/* True if one message may have it more than once. */
static bool repeats(const struct draft *draft, uint32_t place)
{
    for (; place != 0 && place != DRAFT_NO_PLACE; place = draft->places[place].parent)
        if (draft->places[place].repeats_max > 1)
            return true;
    return false;
}

/* What stands in each of many records is not the message's own. */
static bool must_be_single(enum slot slot)
{
    return slot == SLOT_MESSAGE_ID || slot == SLOT_MESSAGE_TYPE || slot == SLOT_SENDER ||
           slot == SLOT_SENT_AT;
}

void draft_choose(struct draft *draft)
{
    for (unsigned slot = 0; slot < SLOT_COUNT; slot++) /* in the order of fields, then keys */
        for (uint32_t i = 1; i < draft->place_count; i++) {
            const struct draft_place *place = &draft->places[i];
            const char *outer = draft->places[place->parent].name;
            if (place->valued_count > 0 && slot_by_name(place->name, outer) == slot &&
                can_be_in_a_path(draft, i) &&
                !(must_be_single((enum slot)slot) && repeats(draft, i)))
                add_path(draft, (enum slot)slot, i);
        }
    choose_entries(draft);
    if (draft->format == FORMAT_JSON)
        choose_members(draft);
}

static struct draft_line *line_of(struct draft *draft, enum slot slot)
{
    for (uint32_t i = 0; i < draft->line_count; i++)
        if (draft->lines[i].slot == slot)
            return &draft->lines[i];
    struct draft_line *line = &draft->lines[draft->line_count++];
    *line = (struct draft_line){.slot = slot, .takes_all = slot_takes_all(slot)};
    return line;
}

static void add_path(struct draft *draft, enum slot slot, uint32_t place)
{
    struct draft_line *line = line_of(draft, slot);
    if (line->path_count == DRAFT_PATHS_MAX)
        return;
    line->paths[line->path_count++] = draft_path(draft, place);
    if (line->example == NULL)
        line->example = draft->places[place].example;
}

bool draft_is_chosen(const struct draft *draft, uint32_t place)
{
    const struct draft_place *leaf = &draft->places[place];
    const char *outer = draft->places[leaf->parent].name;
    return slot_by_name(leaf->name, outer) != SLOT_NONE;
}

/* ---- Entries --------------------------------------------------------------------------------- */

static bool has_key_below(const struct draft *draft, uint32_t place)
{
    for (uint32_t i = place + 1; i < draft->place_count; i++) {
        uint32_t at = draft->places[i].parent;
        while (at != DRAFT_NO_PLACE && at != place)
            at = draft->places[at].parent;
        const struct draft_place *leaf = &draft->places[i];
        if (at == place && leaf->valued_count > 0 &&
            slot_is_key(slot_by_name(leaf->name, draft->places[leaf->parent].name)))
            return true;
    }
    return false;
}

static uint32_t depth_of(const struct draft *draft, uint32_t place)
{
    uint32_t depth = 0;
    for (; place != 0; place = draft->places[place].parent)
        depth++;
    return depth;
}

/* The outermost place that repeats and has keys in it. */
static void choose_entries(struct draft *draft)
{
    uint32_t best = DRAFT_NO_PLACE;
    for (uint32_t i = 1; i < draft->place_count; i++) {
        const struct draft_place *place = &draft->places[i];
        if (place->repeats_max < 2 || place->first_child == DRAFT_NO_PLACE ||
            !can_be_in_a_path(draft, i) || !has_key_below(draft, i))
            continue;
        if (best == DRAFT_NO_PLACE || depth_of(draft, i) < depth_of(draft, best))
            best = i;
    }
    if (best != DRAFT_NO_PLACE)
        draft->entries = draft_path(draft, best);
}

/* ---- JSON's recogniser ----------------------------------------------------------------------- */

/* The members that every root has (of an array, every item) and that have the longest names: short
 * names are everybody's. */
static void choose_members(struct draft *draft)
{
    for (uint32_t taken = 0; taken < HAS_MAX; taken++) {
        const char *longest = NULL;
        for (uint32_t i = draft->places[0].first_child; i != DRAFT_NO_PLACE;
             i = draft->places[i].next_sibling) {
            const char *name = draft->places[i].name;
            bool known = false;
            for (uint32_t k = 0; k < draft->name_count; k++)
                known |= strcmp(draft->names[k], name) == 0;
            if (!known && draft->places[i].count == draft->places[0].count &&
                strpbrk(name, "*?") == NULL && (longest == NULL || strlen(name) > strlen(longest)))
                longest = name;
        }
        if (longest != NULL)
            draft_add_name(draft, longest);
    }
}
