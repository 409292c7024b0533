#include "routes/rights.h"

#include <assert.h>
#include <stdlib.h>

struct directory_entry {
    struct bytes text;
    const struct participant *participant; /* NULL: a free place of the hash table */
};

/* FNV-1a: configuration-sized, not attacker-sized, since only operators write addresses. */
static uint32_t hash_text(struct bytes text)
{
    uint32_t hash = 2166136261U;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ text.data[i]) * 16777619U;
    return hash;
}

static struct directory_entry *find_place(const struct directory_entry *entries, uint32_t mask,
                                          struct bytes text)
{
    uint32_t place = hash_text(text) & mask;
    while (entries[place].participant != NULL && !bytes_equal(entries[place].text, text))
        place = (place + 1) & mask; /* ends: at most half of the places are taken */
    return (struct directory_entry *)(uintptr_t)&entries[place];
}

static void report_shared(struct diagnostics *diagnostics, const char *file, struct bytes text,
                          bool is_prefix, const struct participant *first,
                          const struct participant *second)
{
    diagnostics_add(diagnostics, SEVERITY_ERROR, "C140",
                    (struct place){file, second->ids_line, second->ids_column},
                    "an address belongs to one participant; take it from the other's `ids`",
                    "the address `%.*s%s` is claimed by both `%s` and `%s`", (int)text.size,
                    (const char *)text.data, is_prefix ? "*" : "", first->name, second->name);
}

/* Of equal ones, that of the earlier participant first. */
static int longest_first(const void *left, const void *right)
{
    const struct directory_entry *a = left, *b = right;
    if (a->text.size != b->text.size)
        return a->text.size > b->text.size ? -1 : 1;
    int order = bytes_compare(a->text, b->text);
    return order != 0 ? order : a->participant->index - b->participant->index;
}

static uint32_t count_ids(const struct participant *const *participants, uint16_t count)
{
    uint32_t total = 0;
    for (uint16_t i = 0; i < count; i++)
        total += participants[i]->id_count;
    return total;
}

void participant_directory_build(struct arena *arena, const struct participant *const *participants,
                                 uint16_t count, struct participant_directory *out_directory,
                                 struct diagnostics *diagnostics, const char *file)
{
    uint32_t total = count_ids(participants, count);
    uint32_t places = 16;
    while (places < total * 2)
        places *= 2;
    struct directory_entry *exact = arena_allocate_array(arena, places, sizeof *exact);
    struct directory_entry *prefixes = arena_allocate_array(arena, total + 1, sizeof *prefixes);
    uint32_t prefix_count = 0;

    for (uint16_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < participants[i]->id_count; k++) {
            const struct address_pattern *id = &participants[i]->ids[k];
            struct directory_entry entry = {id->text, participants[i]};
            if (id->is_prefix) {
                prefixes[prefix_count++] = entry;
                continue;
            }
            struct directory_entry *place = find_place(exact, places - 1, id->text);
            if (place->participant != NULL && place->participant != participants[i])
                report_shared(diagnostics, file, id->text, false, place->participant,
                              participants[i]);
            *place = entry;
        }
    qsort(prefixes, prefix_count, sizeof *prefixes, longest_first);
    for (uint32_t i = 1; i < prefix_count; i++)
        if (bytes_equal(prefixes[i - 1].text, prefixes[i].text) &&
            prefixes[i - 1].participant != prefixes[i].participant)
            report_shared(diagnostics, file, prefixes[i].text, true, prefixes[i - 1].participant,
                          prefixes[i].participant);
    *out_directory = (struct participant_directory){
        .participants = participants,
        .count = count,
        .exact = exact,
        .exact_mask = places - 1,
        .prefixes = prefixes,
        .prefix_count = prefix_count,
    };
}

const struct participant *participant_find(const struct participant_directory *directory,
                                           struct bytes name)
{
    for (uint16_t i = 0; i < directory->count; i++)
        if (!directory->participants[i]->is_removed &&
            bytes_equal_text(name, directory->participants[i]->name))
            return directory->participants[i];
    return NULL;
}

const struct participant *participant_by_address(const struct participant_directory *directory,
                                                 struct bytes address)
{
    const struct directory_entry *place =
        find_place(directory->exact, directory->exact_mask, address);
    if (place->participant != NULL)
        return place->participant;
    for (uint32_t i = 0; i < directory->prefix_count; i++)
        if (bytes_start_with(address, directory->prefixes[i].text))
            return directory->prefixes[i].participant;
    return NULL;
}

bool participant_may_claim(const struct participant *participant, struct bytes address)
{
    for (uint32_t i = 0; i < participant->id_count; i++) {
        const struct address_pattern *id = &participant->ids[i];
        if (id->is_prefix ? bytes_start_with(address, id->text) : bytes_equal(address, id->text))
            return true;
    }
    return false;
}

bool participant_may_publish(const struct participant *participant, uint16_t channel)
{
    assert(channel < CHANNELS_MAX);
    return (participant->publish[channel / 64] >> (channel % 64) & 1) != 0;
}
