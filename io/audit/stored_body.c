#include "io/audit/stored_body.h"

#include <stdlib.h>
#include <string.h>

struct bytes stored_body_copy(struct stored_body *body, const struct record *record)
{
    struct bytes whole = record_whole(record);
    if (whole.size + BYTES_PADDING > body->capacity) {
        body->capacity = 2 * whole.size + BYTES_PADDING;
        body->memory = realloc(body->memory, body->capacity);
        if (body->memory == NULL)
            abort();
    }
    memcpy(body->memory, whole.data, whole.size);
    memset(body->memory + whole.size, 0, BYTES_PADDING);
    return bytes_make(body->memory, whole.size);
}

void stored_body_close(struct stored_body *body)
{
    free(body->memory);
    *body = (struct stored_body){0};
}
