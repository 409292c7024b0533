#include "bench/wire/request.h"

#include <assert.h>

static size_t write_number_line(uint8_t *out, char type, uint64_t number)
{
    uint8_t digits[20];
    size_t count = 0;
    do {
        digits[count++] = (uint8_t)('0' + number % 10);
        number /= 10;
    } while (number > 0);
    out[0] = (uint8_t)type;
    for (size_t i = 0; i < count; i++)
        out[1 + i] = digits[count - 1 - i];
    memcpy(out + 1 + count, "\r\n", 2);
    return count + 3;
}

size_t request_write_head(uint8_t *out, uint64_t argument_count)
{
    return write_number_line(out, '*', argument_count);
}

size_t request_write_argument(uint8_t *out, struct bytes argument)
{
    size_t size = write_number_line(out, '$', argument.size);
    memcpy(out + size, argument.data, argument.size);
    size += argument.size;
    memcpy(out + size, "\r\n", 2);
    return size + 2;
}

size_t request_write_words(uint8_t *out, size_t capacity, const char *words)
{
    uint64_t count = 1;
    for (const char *at = words; *at != '\0'; at++)
        count += *at == ' ';
    assert(strlen(words) + count * REQUEST_ARGUMENT_BYTES_ADDED + REQUEST_HEAD_BYTES_MAX <=
           capacity);
    size_t size = request_write_head(out, count);
    for (const char *at = words;;) {
        const char *end = strchrnul(at, ' ');
        size += request_write_argument(out + size, bytes_make(at, (size_t)(end - at)));
        if (*end == '\0')
            return size;
        at = end + 1;
    }
}
