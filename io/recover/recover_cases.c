/* Cases, as a snapshot has them, and told again by the messages behind it as they were told when
 * these came: each as the generation that decided it sees it, with its life cycle and the roles
 * that participants had then. */
#include <stdlib.h>

#include "io/recover/recover_inside.h"
#include "io/state/case_snapshot.h"

static const struct cases_view *find_view(struct recover *recover, uint64_t generation);

/* Of a log that ends before it, it is another's. */
static bool is_ahead(const struct recover *recover, uint64_t position)
{
    return position > (recover->files[recover->file_count - 1].number + 1) *
                          (uint64_t)recover->settings.segment_bytes;
}

static void say_useless(const struct recover *recover, const char *reason)
{
    fprintf(stderr,
            "kouan: %s/%s: %s; the cases are told anew by what the log has, from %016" PRIx64
            ".segment on\n",
            recover_current_path(recover), CASE_SNAPSHOT_NAME, reason, recover->files[0].number);
}

static enum status take_snapshot(struct recover *recover, struct case_snapshot_read *read)
{
    const struct recover_settings *settings = &recover->settings;
    enum status status =
        case_snapshot_read(settings->disk, &settings->secret, settings->log_number, read);
    if (status == STATUS_NOT_FOUND)
        read->reason = "it is missing";
    if (status != STATUS_OK)
        return status;
    if (is_ahead(recover, read->position)) {
        read->reason = "it is ahead of the log";
        return STATUS_CORRUPT;
    }
    recover->cases_from = read->position;
    return cases_restore(recover->shard->cases, read->image);
}

enum status recover_cases_begin(struct recover *recover)
{
    struct case_snapshot_read read;
    if (recover->shard->cases == NULL)
        return STATUS_OK;
    if (recover->file_count == 0)
        return recover_remove(recover, CASE_SNAPSHOT_NAME);
    enum status status = take_snapshot(recover, &read);
    case_snapshot_free(&read);
    if (status == STATUS_OK)
        return STATUS_OK;
    if (recover->cases_from > 0)
        return recover_say(recover, status,
                           "%s/%s is not what it says, though its checksums are right: remove it, "
                           "and the cases are told anew by the log",
                           recover_current_path(recover), CASE_SNAPSHOT_NAME);
    if (status != STATUS_NOT_FOUND || recover->files[0].number > 0)
        say_useless(recover, read.reason != NULL ? read.reason : status_text(status));
    return STATUS_OK;
}

uint32_t recover_cases_first(const struct recover *recover)
{
    uint64_t segment = recover->cases_from / recover->settings.segment_bytes;
    uint64_t first = recover->files[0].number;
    if (recover->shard->cases == NULL || segment >= first + recover->file_count)
        return recover->file_count - 1;
    return segment > first ? (uint32_t)(segment - first) : 0;
}

void recover_case(struct recover *recover, const struct record *record, uint64_t position)
{
    struct cases *cases = recover->shard->cases;
    if (cases == NULL || position < recover->cases_from)
        return;
    cases_observe(cases, find_view(recover, record->generation), record, position);
}

void recover_cases_close(struct recover *recover)
{
    for (uint16_t i = 0; i < recover->past_count; i++) {
        cases_view_close(recover->pasts[i].view);
        generation_store_unload(recover->pasts[i].stored);
    }
    free(recover->pasts);
    recover->pasts = NULL;
    recover->past_count = 0;
}

/* The current one, if it was made of the same. */
static bool is_current(const struct recover *recover, const struct sha256 *manifest)
{
    struct sha256 current;
    recover_manifest(recover->shard->config, &current);
    return memcmp(&current, manifest, sizeof current) == 0;
}

/* False: it is seen as the current one would be, and that is said. */
static bool open_past(struct recover *recover, struct recover_past *past)
{
    struct sha256 manifest;
    struct diagnostics diagnostics;
    char problem[256] = "its files are not to be had";
    enum status status = generation_store_find(&recover->store, past->number, &manifest);
    if (status == STATUS_OK && is_current(recover, &manifest))
        return true;
    diagnostics_init(&diagnostics);
    if (status == STATUS_OK)
        status = generation_store_load(&recover->store, &manifest, past->number, NULL,
                                       &past->stored, &diagnostics, problem, sizeof problem);
    diagnostics_deinit(&diagnostics);
    if (status == STATUS_OK)
        status =
            cases_view_open(recover->shard->cases, past->stored->config->generation, &past->view);
    if (status != STATUS_OK)
        fprintf(stderr,
                "kouan: cases that generation %" PRIu64
                " saw are seen as the current one sees them: %s\n",
                past->number, problem);
    return status == STATUS_OK;
}

static const struct cases_view *view_of(const struct recover *recover,
                                        const struct recover_past *past)
{
    return past->view != NULL ? past->view : cases_current_view(recover->shard->cases);
}

static const struct cases_view *find_view(struct recover *recover, uint64_t generation)
{
    for (uint16_t i = recover->past_count; i > 0; i--)
        if (recover->pasts[i - 1].number == generation)
            return view_of(recover, &recover->pasts[i - 1]);
    struct recover_past *pasts =
        realloc(recover->pasts, (recover->past_count + 1U) * sizeof *recover->pasts);
    if (pasts == NULL || recover->past_count == UINT16_MAX)
        abort();
    recover->pasts = pasts;
    struct recover_past *past = &pasts[recover->past_count++];
    *past = (struct recover_past){.number = generation};
    (void)open_past(recover, past);
    return view_of(recover, past);
}
