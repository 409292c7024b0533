#include "routes/utf8.h"

#include <assert.h>

size_t utf8_encode(uint32_t code_point, uint8_t out[4])
{
    assert(code_point <= 0x10FFFF);
    if (code_point < 0x80) {
        out[0] = (uint8_t)code_point;
        return 1;
    }
    size_t size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t lead_bits[] = {[2] = 0xC0, [3] = 0xE0, [4] = 0xF0};
    for (size_t i = size - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (uint8_t)(lead_bits[size] | code_point);
    return size;
}

static size_t sequence_size(uint8_t lead)
{
    return lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
}

const uint8_t *utf8_find_bad(struct bytes text)
{
    if (bytes_is_utf8(text))
        return NULL;
    for (size_t i = 0; i < text.size;) {
        size_t size = sequence_size(text.data[i]);
        if (size > text.size - i || !bytes_is_utf8(bytes_slice(text, i, size)))
            return text.data + i;
        i += size;
    }
    return NULL;
}
