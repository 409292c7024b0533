/* Where reading begins. The checkpoint at the head of the newest segment says which ids somebody
 * may still need; the segments that hold only older ones need not be read. */
#include <stdlib.h>

#include "io/recover/recover_inside.h"

struct checkpoint {
    bool is_whole;   /* a message follows: all facts of it were seen */
    bool needs_all;  /* something is held, it is not said where */
    bool needs_some; /* ids beyond `settled` */
    struct record_id settled;
    struct record_id
        last_ids[DESTINATIONS_MAX]; /* of destinations, as the checkpoint numbers them */
    bool has_group[DESTINATIONS_MAX];
};

static enum status read_checkpoint(struct recover *recover, const struct recover_file *file,
                                   struct checkpoint *out);
static bool begins_settled(const struct recover *recover, uint32_t index,
                           const struct checkpoint *checkpoint);

enum status recover_choose_first(struct recover *recover)
{
    enum { CANDIDATES = 3 }; /* the newest may be hardly begun */
    struct checkpoint checkpoint = {0};
    uint32_t index = recover->file_count, tries = 0;
    recover->first_scanned = 0;
    while (index > 1 && !checkpoint.is_whole && tries++ < CANDIDATES) {
        checkpoint = (struct checkpoint){0};
        index--;
        if (!recover->files[index].has_header)
            continue;
        enum status status = read_checkpoint(recover, &recover->files[index], &checkpoint);
        if (status != STATUS_OK)
            return status;
    }
    if (!checkpoint.is_whole || checkpoint.needs_all)
        return STATUS_OK;
    uint32_t low = 0, high = index; /* `low` begins settled, or is the first */
    while (low < high) {
        uint32_t middle = low + (high - low + 1) / 2;
        if (begins_settled(recover, middle, &checkpoint))
            low = middle;
        else
            high = middle - 1;
    }
    uint32_t first_of_cases = recover_cases_first(recover);
    recover->first_scanned = low < first_of_cases ? low : first_of_cases;
    return STATUS_OK;
}

/* ---- the newest checkpoint ---- */

static void need_beyond(struct checkpoint *checkpoint, struct record_id settled)
{
    if (!checkpoint->needs_some || record_id_compare(settled, checkpoint->settled) < 0)
        checkpoint->settled = settled;
    checkpoint->needs_some = true;
}

static void note_outlet(struct checkpoint *checkpoint, const struct fact_outlet *fact)
{
    if (fact->account.held > 0)
        checkpoint->needs_all = true;
    if (fact->destination < DESTINATIONS_MAX)
        checkpoint->last_ids[fact->destination] = fact->last_id;
    if (fact->kept_from.ms != 0 || fact->kept_from.seq != 0)
        need_beyond(checkpoint, record_id_before(fact->kept_from));
}

/* The outlet's fact stands before those of its groups; without it, `last_ids` is 0-0, and nothing
 * can be said. */
static void note_group(struct checkpoint *checkpoint, const struct fact_group *fact)
{
    struct record_id last = {0};
    if (fact->destination < DESTINATIONS_MAX)
        last = checkpoint->last_ids[fact->destination];
    if (record_id_compare(fact->after, last) < 0)
        need_beyond(checkpoint, fact->after);
}

static enum status note_record(void *context, const struct record_head *head, uint64_t position)
{
    struct checkpoint *checkpoint = context;
    (void)position;
    switch (head->kind) {
    case RECORD_KIND_MESSAGE: checkpoint->is_whole = true; return STATUS_EXISTS;
    case RECORD_KIND_OUTLET:
        note_outlet(checkpoint, (const struct fact_outlet *)(const void *)head);
        return STATUS_OK;
    case RECORD_KIND_GROUP:
        note_group(checkpoint, (const struct fact_group *)(const void *)head);
        return STATUS_OK;
    default: return STATUS_OK;
    }
}

static enum status read_checkpoint(struct recover *recover, const struct recover_file *file,
                                   struct checkpoint *out)
{
    struct journal_scan_result result = {0};
    const struct journal_scan_settings settings = {
        .secret = recover->settings.secret,
        .segment_bytes = recover->settings.segment_bytes,
        .log_number = recover->settings.log_number,
        .first_segment = file->number,
        .last_segment = file->number,
        .source = {.read = recover_read, .context = recover},
        .handler = {.record = note_record, .context = out},
    };
    enum status status = journal_scan(&settings, &result);
    return status == STATUS_EXISTS ? STATUS_OK : recover_say_scan(recover, status, &result);
}

/* ---- older segments ---- */

/* Are all ids before the segment settled? Its first block names the greatest id up to its own end.
 * What cannot be read is left to the scan. */
static bool begins_settled(const struct recover *recover, uint32_t index,
                           const struct checkpoint *checkpoint)
{
    const struct recover_file *file = &recover->files[index];
    struct block_header *block = aligned_alloc(JOURNAL_PAGE_BYTES, JOURNAL_PAGE_BYTES);
    bool settled = false;
    if (block != NULL &&
        recover_read_page(recover, file->number, JOURNAL_PAGE_BYTES, block) == STATUS_OK)
        settled = block->magic == JOURNAL_BLOCK_MAGIC &&
                  block->position ==
                      file->number * recover->settings.segment_bytes + JOURNAL_PAGE_BYTES &&
                  (!checkpoint->needs_some ||
                   record_id_compare(block->last_id, checkpoint->settled) <= 0);
    free(block);
    return settled;
}
