#include "io/front/transaction.h"

enum status transaction_add(struct transaction *transaction, struct chunk_pool *pool,
                            struct bytes frame)
{
    if (transaction->queue == NULL)
        transaction->queue = chunk_take(pool);
    struct chunk *queue = transaction->queue;
    if (queue == NULL)
        return STATUS_FULL;
    if (frame.size > queue->capacity - queue->used)
        return STATUS_TOO_BIG;
    chunk_append(queue, frame.data, frame.size);
    transaction->count++;
    return STATUS_OK;
}

struct bytes transaction_rest(const struct transaction *transaction)
{
    const struct chunk *queue = transaction->queue;
    if (queue == NULL)
        return (struct bytes){0};
    return bytes_make(queue->data + transaction->done_bytes, queue->used - transaction->done_bytes);
}

void transaction_end(struct transaction *transaction)
{
    if (transaction->queue != NULL)
        chunk_return(transaction->queue);
    *transaction = (struct transaction){0};
}
