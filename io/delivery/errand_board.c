#include "io/delivery/errand_board.h"

#include <stdlib.h>

enum status errand_board_open(uint16_t shards, struct errand_board **out_board)
{
    size_t size = sizeof(struct errand_board) + shards * sizeof(struct errand_notes);
    struct errand_board *board = aligned_alloc(alignof(struct errand_board), size);
    if (board == NULL)
        return STATUS_NO_MEMORY;
    memset(board, 0, size);
    board->shards = shards;
    for (uint16_t i = 0; i < shards; i++) {
        board->notes[i].wanted = calloc((size_t)shards * DESTINATIONS_MAX, 1);
        if (board->notes[i].wanted == NULL) {
            errand_board_close(board);
            return STATUS_NO_MEMORY;
        }
    }
    *out_board = board;
    return STATUS_OK;
}

void errand_board_close(struct errand_board *board)
{
    for (uint16_t i = 0; board != NULL && i < board->shards; i++)
        free(board->notes[i].wanted);
    free(board);
}

/* The two halves are not one: so the milliseconds go first, and are read last. Who sees the second
 * half of an id sees the first of it or of a later one, and never takes less than what was
 * published. */
void errand_board_publish(struct errand_board *board, uint16_t shard, struct record_id id)
{
    struct errand_notes *notes = &board->notes[shard];
    atomic_store_explicit(&notes->published_ms, id.ms, memory_order_relaxed);
    /* Pairs with the acquire in errand_board_newest. */
    atomic_store_explicit(&notes->published_seq, id.seq, memory_order_release);
}

struct record_id errand_board_newest(const struct errand_board *board)
{
    struct record_id newest = {0};
    for (uint16_t i = 0; i < board->shards; i++) {
        const struct errand_notes *notes = &board->notes[i];
        struct record_id id;
        /* Pairs with the release in errand_board_publish. */
        id.seq = atomic_load_explicit(&notes->published_seq, memory_order_acquire);
        id.ms = atomic_load_explicit(&notes->published_ms, memory_order_relaxed);
        if (record_id_compare(id, newest) > 0)
            newest = id;
    }
    return newest;
}
