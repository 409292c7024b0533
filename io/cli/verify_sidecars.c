#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/cli/verify.h"

void verify_sidecars_open(struct verify_sidecars *sidecars, const struct log_reader *reader,
                          struct verify_report report)
{
    *sidecars = (struct verify_sidecars){.report = report, .reader = reader, .segment = UINT64_MAX};
}

void verify_sidecars_close(struct verify_sidecars *sidecars)
{
    free(sidecars->identities);
}

void verify_sidecars_lose(struct verify_sidecars *sidecars)
{
    sidecars->is_whole = false;
}

static void tell(const struct verify_sidecars *sidecars, const char *text)
{
    sidecars->report.problem(sidecars->report.context,
                             sidecars->segment * sidecars->reader->segment_bytes, text);
}

/* ---- one sidecar ---- */

/* Aligned to a page, to be freed; NULL: it is not there, or cannot be read. */
static struct sidecar_header *read_sidecar(const struct verify_sidecars *sidecars,
                                           uint64_t *out_bytes)
{
    struct stat about;
    int file = log_reader_open_beside(sidecars->reader, sidecars->segment, "identities");
    if (file < 0)
        return NULL;
    uint8_t *memory = NULL;
    if (fstat(file, &about) == 0) {
        uint64_t size = journal_round_up((uint64_t)about.st_size + 1, JOURNAL_PAGE_BYTES), got = 0;
        memory = aligned_alloc(JOURNAL_PAGE_BYTES, size);
        for (ssize_t part = 1; memory != NULL && part > 0; got += part > 0 ? (uint64_t)part : 0)
            part = pread(file, memory + got, size - got, (off_t)got);
        *out_bytes = got;
    }
    close(file);
    return (struct sidecar_header *)(void *)memory;
}

/* All that the segment says again, in its order. */
static bool is_same(const struct verify_sidecars *sidecars, const struct sidecar_header *header)
{
    if (header->count != sidecars->count)
        return false;
    for (uint64_t i = 0; i < sidecars->count; i++) {
        struct sidecar_identity said = sidecar_at(header, i);
        const struct sidecar_identity *read = &sidecars->identities[i];
        if (!digest_equal(said.identity, read->identity) ||
            !digest_equal(said.body_digest, read->body_digest) || said.position != read->position ||
            said.generation != read->generation || said.participant != read->participant)
            return false;
    }
    return true;
}

static void check(struct verify_sidecars *sidecars)
{
    uint64_t bytes = 0;
    struct sidecar_header *header = read_sidecar(sidecars, &bytes);
    const struct sidecar_expectation expectation = {
        .segment_number = sidecars->segment,
        .segment_bytes = sidecars->reader->segment_bytes,
        .last_block = sidecars->last_block,
    };
    if (header == NULL)
        return; /* whoever wants it reads the segment */
    enum status status = sidecar_check(header, bytes, &sidecars->reader->secret, &expectation);
    sidecars->sidecars++;
    if (status == STATUS_CORRUPT)
        tell(sidecars, "the segment's sidecar (.identities) is not as it was written; a server "
                       "makes it anew");
    else if (status == STATUS_UNSUPPORTED)
        tell(sidecars, "the segment's sidecar (.identities) is of another version");
    else if (status == STATUS_OK && !is_same(sidecars, header))
        tell(sidecars, "the segment's sidecar (.identities) does not say what the segment does");
    free(header);
}

/* ---- what the segments say ---- */

void verify_sidecars_block(struct verify_sidecars *sidecars, const struct block_header *block)
{
    uint64_t number = block->position / sidecars->reader->segment_bytes;
    if (number != sidecars->segment) {
        if (sidecars->segment != UINT64_MAX && sidecars->is_whole)
            check(sidecars);
        sidecars->segment = number;
        sidecars->is_whole = true;
        sidecars->count = 0;
    }
    sidecars->last_block = block->checksum;
}

void verify_sidecars_record(struct verify_sidecars *sidecars, const struct record_head *head,
                            uint64_t position)
{
    enum { FIRST = 1024 };
    if (!sidecar_wants(head))
        return;
    const struct record *record = (const struct record *)(const void *)head;
    if (sidecars->count == sidecars->capacity) {
        sidecars->capacity = sidecars->capacity == 0 ? FIRST : 2 * sidecars->capacity;
        sidecars->identities =
            realloc(sidecars->identities, sidecars->capacity * sizeof *sidecars->identities);
        if (sidecars->identities == NULL)
            abort();
    }
    sidecars->identities[sidecars->count++] = (struct sidecar_identity){
        .identity = record->identity,
        .body_digest = digest_bytes(&sidecars->reader->secret, record_whole(record)),
        .position = position,
        .generation = record->generation,
        .participant = record->participant,
    };
}
