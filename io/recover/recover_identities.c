#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/file.h"
#include "io/recover/recover_inside.h"
#include "io/recover/sidecar_reader.h"

static void add_identity(struct recover *recover, const struct sidecar_identity *identity);
static enum status scan_segment(struct recover *recover, uint32_t index);

/* ---- of segments that are not read ---- */

static enum status take_sidecar(struct recover *recover, const struct sidecar_header *sidecar)
{
    uint64_t known = 0;
    for (uint64_t i = 0; i < sidecar->count; i++) {
        const struct sidecar_identity identity = sidecar_at(sidecar, i);
        if (i == 0 || identity.generation != known) {
            enum status status = recover_know_generation(recover, identity.generation);
            if (status != STATUS_OK)
                return status;
            known = identity.generation;
        }
        add_identity(recover, &identity);
    }
    return STATUS_OK;
}

/* Those whose every identity has left the window, by what time it was when the next one began. */
static uint32_t first_within_span(const struct recover *recover)
{
    uint64_t now_ms = recover->files[recover->first_scanned].header.log_time_ms;
    uint64_t span_ms = recover->shard->config->options.window_span * 1000;
    uint32_t first = 0;
    while (first < recover->first_scanned &&
           recover->files[first + 1].header.log_time_ms + span_ms < now_ms)
        first++;
    return first;
}

enum status recover_skipped_identities(struct recover *recover)
{
    uint32_t first = first_within_span(recover);
    if (first == recover->first_scanned)
        return STATUS_OK;
    const struct sidecar_reader_settings settings = {
        .disk = recover->settings.disk,
        .secret = recover->settings.secret,
        .log_number = recover->settings.log_number,
        .segment_bytes = recover->settings.segment_bytes,
        .first_segment = recover->files[first].number,
        .end_segment = recover->files[recover->first_scanned].number,
    };
    struct sidecar_reader *reader;
    enum status status = sidecar_reader_open(&settings, &reader);
    if (status != STATUS_OK)
        return status;
    for (uint32_t i = first; status == STATUS_OK && i < recover->first_scanned; i++) {
        const struct sidecar_header *sidecar =
            sidecar_reader_next(reader, recover->files[i + 1].header.previous);
        status = sidecar != NULL ? take_sidecar(recover, sidecar) : scan_segment(recover, i);
        recover_progress(recover);
    }
    sidecar_reader_close(reader);
    return status;
}

/* ---- of one whose sidecar is missing or of no use ---- */

static enum status note_block(void *context, const struct block_header *block)
{
    struct recover *recover = context;
    recover->block = *block;
    return STATUS_OK;
}

static enum status note_record(void *context, const struct record_head *head, uint64_t position)
{
    struct recover *recover = context;
    const struct record *record = (const struct record *)(const void *)head;
    if (!sidecar_wants(head))
        return STATUS_OK;
    enum status status = recover_know_generation(recover, record->generation);
    if (status == STATUS_OK)
        recover_identity(recover, record, position);
    return status;
}

static enum status scan_segment(struct recover *recover, uint32_t index)
{
    const struct recover_file *file = &recover->files[index];
    struct journal_scan_result result = {0};
    const struct journal_scan_settings settings = {
        .secret = recover->settings.secret,
        .segment_bytes = recover->settings.segment_bytes,
        .log_number = recover->settings.log_number,
        .first_segment = file->number,
        .last_segment = file->number,
        .source = {.read = recover_read, .context = recover},
        .handler = {.block = note_block, .record = note_record, .context = recover},
    };
    recover->figures.skipped_segments--;
    char useless[DISK_NAME_BYTES];
    sidecar_name(file->number, useless);
    enum status status = recover_remove(recover, useless);
    if (status == STATUS_OK)
        status = recover_sidecar_begin(recover, file->number);
    if (status == STATUS_OK)
        status = journal_scan(&settings, &result);
    if (status != STATUS_OK)
        return recover_say_scan(recover, status, &result);
    if (!digest_equal(result.last_checksum, file[1].header.previous))
        return recover_say_damage(recover, result.end_position, result.reason);
    recover_sidecar_end(recover, result.last_checksum);
    return STATUS_OK;
}

/* ---- the sidecar of a segment that is read ---- */

enum status recover_sidecar_begin(struct recover *recover, uint64_t segment)
{
    if (recover->sidecar == NULL)
        recover->sidecar =
            aligned_alloc(JOURNAL_PAGE_BYTES, sidecar_bytes_max(recover->settings.segment_bytes));
    if (recover->sidecar == NULL)
        return STATUS_NO_MEMORY;
    sidecar_begin(recover->sidecar, recover->settings.log_number, segment,
                  recover->settings.segment_bytes);
    return STATUS_OK;
}

void recover_sidecar_end(struct recover *recover, struct digest last_block)
{
    const struct recover_settings *settings = &recover->settings;
    char name[DISK_NAME_BYTES];
    sidecar_name(recover->sidecar->segment_number, name);
    if (faccessat(settings->folder, name, F_OK, 0) == 0 ||
        (settings->spare_path != NULL && faccessat(settings->spare_folder, name, F_OK, 0) == 0))
        return;
    uint64_t size_bytes = sidecar_seal(recover->sidecar, &recover->settings.secret, last_block);
    /* Without it the next start reads the segment. */
    enum status status =
        file_write(recover_current_path(recover), name, bytes_make(recover->sidecar, size_bytes));
    (void)status;
}

/* ---- into the window ---- */

void recover_identity(struct recover *recover, const struct record *record, uint64_t position)
{
    const struct sidecar_identity identity = {
        .identity = record->identity,
        .body_digest = digest_bytes(&recover->settings.secret, record_whole(record)),
        .position = position,
        .generation = record->generation,
        .log_time_s = recover_window_time_s(recover->block.log_time_ms),
        .participant = record->participant,
    };
    sidecar_add(recover->sidecar, &recover->settings.secret, &identity);
    add_identity(recover, &identity);
}

/* Of a participant that is gone, the anonymous one's. */
static uint16_t scope_of(const struct recover *recover, uint64_t generation, uint16_t participant)
{
    const struct participant_directory *directory = &recover->shard->generation->directory;
    uint16_t now = generation_list_now(&recover->shard->generations, generation, NAME_PARTICIPANT,
                                       participant);
    return directory->participants[now != GENERATION_NO_INDEX ? now : 0]->scope;
}

static void add_identity(struct recover *recover, const struct sidecar_identity *identity)
{
    recover->identities[recover->identity_count++] = (struct window_restored){
        .identity = identity->identity,
        .body_digest = identity->body_digest,
        .position = claims_position(&recover->shard->intake.claims, identity->position),
        .time_s = identity->log_time_s,
        .scope = scope_of(recover, identity->generation, identity->participant),
    };
    if (recover->identity_count == IDENTITIES_AT_ONCE)
        recover_flush_identities(recover);
}

void recover_flush_identities(struct recover *recover)
{
    uint32_t count = recover->identity_count;
    if (count == 0)
        return;
    struct shard_family *family = recover->shard->family;
    if (family != NULL)
        family->restore(family, recover->identities, count);
    else
        window_restore(recover->shard->window, recover->identities, count,
                       recover->identities[count - 1].time_s);
    recover->figures.identities += count;
    recover->identity_count = 0;
}
