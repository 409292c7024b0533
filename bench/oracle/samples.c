#include "bench/oracle/samples.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "routes/scan/plan_index.h"

enum { TEXT_BYTES = 16 * 1024 * 1024 };

static void add_file(struct samples *samples, const char *path);

enum status samples_open(struct samples *samples)
{
    static struct profile_list list;
    struct diagnostics diagnostics;
    *samples = (struct samples){0};
    list.count = 0;
    arena_init(&samples->arena);
    diagnostics_init(&diagnostics);
    profile_parse_shipped(&samples->arena, &list, &diagnostics);
    profile_set_build(&samples->arena, &list, &samples->profiles, &diagnostics);
    diagnostics_deinit(&diagnostics);
    for (unsigned format = 0; format < FORMAT_COUNT; format++) {
        samples->bare_plans[format] =
            (struct plan){.format = (enum format)format, .root_name_tap = TAP_NONE};
        plan_index_build(&samples->arena, &samples->bare_plans[format]);
    }
    return reader_open(&samples->reader, READING_OCCURRENCES_MAX, TEXT_BYTES);
}

void samples_close(struct samples *samples)
{
    reader_close(&samples->reader);
    arena_deinit(&samples->arena);
    free(samples->items);
    *samples = (struct samples){0};
}

static int compare_names(const FTSENT **a, const FTSENT **b)
{
    return strcmp((*a)->fts_name, (*b)->fts_name);
}

bool samples_add(struct samples *samples, const char *path)
{
    char *const paths[] = {(char *)(uintptr_t)path, NULL};
    bool good = true;
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, compare_names);
    if (walk == NULL)
        abort();
    for (FTSENT *entry; (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_F)
            add_file(samples, entry->fts_path);
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR) {
            fprintf(stderr, "kouan-bench: %s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            good = false;
        }
    }
    fts_close(walk);
    return good;
}

/* The parts of a body of several messages, kept in the arena; NULL of any other. */
static const struct edifact_part *split(struct samples *samples, struct bytes body,
                                        uint32_t *out_count)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct scan_fault fault;
    *out_count = 1;
    if (scan_edifact_split(body, parts, EDIFACT_PARTS_MAX, out_count, &fault) != STATUS_OK ||
        *out_count < 2) {
        *out_count = 1;
        return NULL;
    }
    struct edifact_part *kept = arena_allocate_array(&samples->arena, *out_count, sizeof *kept);
    memcpy(kept, parts, *out_count * sizeof *kept);
    return kept;
}

static void recognise(const struct samples *samples, struct sample *sample)
{
    const struct profile_set *profiles = &samples->profiles;
    struct scan_fault fault;
    enum status status =
        sample->parts != NULL
            ? read_recognise_part(profiles, NULL, 0, sample->body, &sample->parts[sample->message],
                                  &sample->profile, &fault)
            : read_recognise(profiles, NULL, sample->body, &sample->profile, &fault);
    if (status != STATUS_OK)
        sample->profile = NULL;
    sample->plan =
        sample->profile != NULL ? &sample->profile->plan : &samples->bare_plans[sample->format];
}

static void add_sample(struct samples *samples, struct sample sample)
{
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 512 : 2 * samples->capacity;
        samples->items = realloc(samples->items, samples->capacity * sizeof *samples->items);
        if (samples->items == NULL)
            abort();
    }
    samples->items[samples->count++] = sample;
}

static void add_file(struct samples *samples, const char *path)
{
    struct sample sample = {.path = arena_copy_text(&samples->arena, bytes_from_text(path))};
    struct scan_fault fault;
    uint32_t count = 1;
    if (file_read(&samples->arena, path, SAMPLE_BYTES_MAX, &sample.body, NULL) != STATUS_OK ||
        scan_sniff(sample.body, &sample.format, &fault) != STATUS_OK) {
        samples->formless_count++;
        return;
    }
    if (sample.format == FORMAT_EDIFACT)
        sample.parts = split(samples, sample.body, &count);
    for (sample.message = 0; sample.message < count; sample.message++) {
        recognise(samples, &sample);
        add_sample(samples, sample);
    }
}

static bool splits(const struct sample *sample)
{
    static struct edifact_part parts[EDIFACT_PARTS_MAX];
    struct scan_fault fault;
    uint32_t count;
    return sample->parts == NULL || sample->message > 0 ||
           scan_edifact_split(sample->body, parts, EDIFACT_PARTS_MAX, &count, &fault) == STATUS_OK;
}

static enum status scan_by(struct samples *samples, const struct sample *sample,
                           const struct plan *plan, struct scan_fault *out_fault)
{
    struct bytes body = sample->body;
    struct scan *scan = &samples->reader.scan;
    reader_reset(&samples->reader);
    if (!splits(sample))
        abort(); /* it did when it was added */
    if (sample->parts != NULL)
        return scan_edifact_part(plan, body, &sample->parts[sample->message], scan, out_fault);
    switch (sample->format) {
    case FORMAT_XML: return scan_xml(plan, body, scan, out_fault);
    case FORMAT_JSON: return scan_json(plan, body, scan, out_fault);
    default: return scan_edifact(plan, body, scan, out_fault);
    }
}

enum status sample_scan(struct samples *samples, const struct sample *sample,
                        struct scan_fault *out_fault)
{
    return scan_by(samples, sample, sample->plan, out_fault);
}

enum status sample_check(struct samples *samples, const struct sample *sample,
                         struct scan_fault *out_fault)
{
    return scan_by(samples, sample, &samples->bare_plans[sample->format], out_fault);
}

enum status sample_read(struct samples *samples, const struct sample *sample,
                        struct scan_fault *out_fault)
{
    struct reading reading;
    reader_reset(&samples->reader);
    if (!splits(sample))
        abort();
    if (sample->parts != NULL)
        return read_part(&samples->profiles, NULL, &samples->reader, sample->body,
                         &sample->parts[sample->message], &reading, out_fault);
    return read_message(&samples->profiles, NULL, &samples->reader, sample->body, &reading,
                        out_fault);
}
