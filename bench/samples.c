#include "bench/samples.h"

#include <fts.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/file.h"
#include "routes/plan_index.h"

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

static void add_file(struct samples *samples, const char *path)
{
    struct sample sample = {.path = arena_copy_text(&samples->arena, bytes_from_text(path))};
    struct scan_fault fault;
    if (file_read(&samples->arena, path, SAMPLE_BYTES_MAX, &sample.body, NULL) != STATUS_OK ||
        scan_sniff(sample.body, &sample.format, &fault) != STATUS_OK) {
        samples->formless_count++;
        return;
    }
    if (read_recognise(&samples->profiles, NULL, sample.body, &sample.profile, &fault) != STATUS_OK)
        sample.profile = NULL;
    sample.plan =
        sample.profile != NULL ? &sample.profile->plan : &samples->bare_plans[sample.format];
    if (samples->count == samples->capacity) {
        samples->capacity = samples->capacity == 0 ? 512 : 2 * samples->capacity;
        samples->items = realloc(samples->items, samples->capacity * sizeof *samples->items);
        if (samples->items == NULL)
            abort();
    }
    samples->items[samples->count++] = sample;
}

enum status sample_scan(struct samples *samples, const struct sample *sample,
                        struct scan_fault *out_fault)
{
    struct scan *scan = &samples->reader.scan;
    reader_reset(&samples->reader);
    switch (sample->format) {
    case FORMAT_XML: return scan_xml(sample->plan, sample->body, scan, out_fault);
    case FORMAT_JSON: return scan_json(sample->plan, sample->body, scan, out_fault);
    default: return scan_edifact(sample->plan, sample->body, scan, out_fault);
    }
}
