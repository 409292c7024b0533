#include "bench/page/results.h"

#include <errno.h>
#include <fts.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/bytes.h"

const char *result_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

double result_number(const json_t *object, const char *path)
{
    for (const char *at = path; object != NULL;) {
        char name[64];
        const char *end = strchrnul(at, '.');
        snprintf(name, sizeof name, "%.*s", (int)(end - at), at);
        object = json_object_get(object, name);
        if (*end == '\0')
            break;
        at = end + 1;
    }
    return json_is_number(object) ? json_number_value(object) : NAN;
}

static enum result_kind kind_of(const json_t *root)
{
    if (json_object_get(root, "cases") != NULL)
        return RESULT_MICRO;
    if (json_object_get(root, "knee") != NULL)
        return RESULT_SWEEP;
    return json_object_get(root, "points") != NULL ? RESULT_POINTS : RESULT_RUN;
}

static enum status add(struct results *results, const char *path, const char *file_name)
{
    json_error_t error;
    size_t size = strlen(file_name);
    if (size < 6 || strcmp(file_name + size - 5, ".json") != 0)
        return STATUS_OK;
    if (results->count == RESULTS_MAX) {
        fprintf(stderr, "kouan-bench: %s: there are more than %d results\n", path, RESULTS_MAX);
        return STATUS_INVALID;
    }
    json_t *root = json_load_file(path, 0, &error);
    if (!json_is_object(root)) {
        fprintf(stderr, "kouan-bench: %s:%d:%d: %s\n", path, error.line, error.column,
                root == NULL ? error.text : "a result is a JSON object");
        json_decref(root);
        return STATUS_INVALID;
    }
    struct result *result = &results->items[results->count++];
    *result = (struct result){.root = root,
                              .kind = kind_of(root),
                              .scenario = result_text(root, "scenario"),
                              .machine = result_text(root, "machine"),
                              .kernel = result_text(root, "kernel"),
                              .commit = result_text(root, "commit")};
    snprintf(result->name, sizeof result->name, "%.*s", (int)(size - 5), file_name);
    return STATUS_OK;
}

static int by_name(const void *left, const void *right)
{
    const struct result *a = left, *b = right;
    return strcmp(a->name, b->name);
}

enum status results_open(const char *folder, struct results *out_results)
{
    char *const paths[] = {(char *)(uintptr_t)folder, NULL};
    struct results results = {.items = calloc(RESULTS_MAX, sizeof *results.items)};
    FTS *walk = fts_open(paths, FTS_LOGICAL | FTS_NOCHDIR, NULL);
    if (results.items == NULL || walk == NULL)
        abort();
    enum status status = STATUS_OK;
    for (FTSENT *entry; status == STATUS_OK && (entry = fts_read(walk)) != NULL;) {
        if (entry->fts_info == FTS_F)
            status = add(&results, entry->fts_path, entry->fts_name);
        if (entry->fts_info == FTS_NS || entry->fts_info == FTS_DNR) {
            fprintf(stderr, "kouan-bench: %s: %s\n", entry->fts_path, strerror(entry->fts_errno));
            status = STATUS_IO;
        }
    }
    fts_close(walk);
    if (status != STATUS_OK) {
        results_close(&results);
        return status;
    }
    qsort(results.items, results.count, sizeof *results.items, by_name);
    *out_results = results;
    return STATUS_OK;
}

void results_close(struct results *results)
{
    for (uint32_t i = 0; i < results->count; i++)
        json_decref(results->items[i].root);
    free(results->items);
    *results = (struct results){0};
}

const struct result *results_newest(const struct results *results, enum result_kind kind,
                                    const char *scenario)
{
    for (uint32_t i = results->count; i-- > 0;) {
        const struct result *result = &results->items[i];
        if (result->kind == kind && (scenario == NULL || strcmp(result->scenario, scenario) == 0))
            return result;
    }
    return NULL;
}
