#include "io/loop/loop_buffers.h"

#include <assert.h>
#include <errno.h>
#include <sys/mman.h>

static void give_to_kernel(struct chunk_pool *pool, struct chunk *chunk);

static size_t ring_bytes(uint32_t count)
{
    return count * sizeof(struct io_uring_buf);
}

enum status loop_buffers_open(struct loop_buffers *buffers, struct io_uring *ring, uint32_t count,
                              int *out_error)
{
    assert(count > 0 && count <= LOOP_BUFFERS_MAX && (count & (count - 1)) == 0);
    *buffers = (struct loop_buffers){0};
    *out_error = ENOMEM;
    if (chunk_pool_open(&buffers->pool, count, CHUNK_RECEIVE_BYTES, true) != STATUS_OK)
        return STATUS_NO_MEMORY;
    buffers->ring =
        mmap(NULL, ring_bytes(count), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int result = -ENOMEM;
    if (buffers->ring != MAP_FAILED) {
        io_uring_buf_ring_init(buffers->ring);
        struct io_uring_buf_reg registration = {.ring_addr = (uintptr_t)buffers->ring,
                                                .ring_entries = count,
                                                .bgid = LOOP_BUFFER_GROUP};
        result = io_uring_register_buf_ring(ring, &registration, 0);
    } else {
        buffers->ring = NULL;
    }
    if (result < 0) {
        *out_error = -result;
        loop_buffers_close(buffers);
        return result == -ENOMEM ? STATUS_NO_MEMORY : STATUS_UNSUPPORTED;
    }
    buffers->pool.reclaim = give_to_kernel;
    buffers->pool.context = buffers;
    buffers->out_count = count;
    for (struct chunk *chunk; (chunk = chunk_take(&buffers->pool)) != NULL;)
        chunk_return(chunk);
    return STATUS_OK;
}

void loop_buffers_close(struct loop_buffers *buffers)
{
    if (buffers->ring != NULL)
        munmap(buffers->ring, ring_bytes(buffers->pool.count));
    chunk_pool_close(&buffers->pool);
    *buffers = (struct loop_buffers){0};
}

struct chunk *loop_buffers_take(struct loop_buffers *buffers, uint32_t completion_flags)
{
    uint32_t index = completion_flags >> IORING_CQE_BUFFER_SHIFT;
    assert((completion_flags & IORING_CQE_F_BUFFER) != 0 && index < buffers->pool.count);
    /* The pool's free list holds none of these: which one comes next is the kernel's choice. */
    struct chunk *chunk = &buffers->pool.chunks[index];
    chunk_revive(chunk);
    buffers->out_count++;
    return chunk;
}

static void give_to_kernel(struct chunk_pool *pool, struct chunk *chunk)
{
    struct loop_buffers *buffers = pool->context;
    int mask = io_uring_buf_ring_mask(pool->count);
    io_uring_buf_ring_add(buffers->ring, chunk->data, chunk->capacity, (uint16_t)chunk->index, mask,
                          0);
    io_uring_buf_ring_advance(buffers->ring, 1);
    buffers->out_count--;
    buffers->returned = true;
}
