#include "routes/scan/utf8.h"

#include <assert.h>

#include "routes/scan/find_bytes.h"

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

static const uint8_t *pass_ascii(const uint8_t *at, const uint8_t *end)
{
    uint64_t words[4];
    for (; (size_t)(end - at) >= sizeof words; at += sizeof words) {
        memcpy(words, at, sizeof words);
        if (((words[0] | words[1] | words[2] | words[3]) & 0x8080808080808080) != 0)
            break;
    }
    while (at < end && *at < 0x80)
        at++;
    return at;
}

const uint8_t *utf8_find_bad(struct bytes text)
{
    const uint8_t *at = text.data, *end = text.data + text.size;
    while (at < end) {
        at = utf8_pass_three_byte_characters(pass_ascii(at, end), end);
        if (at == end || *at < 0x80)
            continue;
        size_t size = sequence_size(*at);
        if (size > (size_t)(end - at) || !bytes_is_utf8(bytes_make(at, size)))
            return at;
        at += size;
    }
    return NULL;
}

/* How many of the five characters that 15 bytes may be stand at `at`, up to one that is none from
 * U+1000 to U+CFFF, where nothing depends on the second byte. 16 bytes are read. */
static inline size_t count_common(const uint8_t *at)
{
#if defined(__SSE2__)
    enum { FIRST_BYTES = 0x1249, FURTHER_BYTES = 0x6DB6 }; /* of the block, a bit each */
    __m128i block = load_block(at);
    __m128i first = in_range(block, (char)0xE1, 0xEC - 0xE1);
    __m128i further = equal_to(_mm_and_si128(block, _mm_set1_epi8((char)0xC0)), (char)0x80);
    unsigned good = ((unsigned)_mm_movemask_epi8(first) & FIRST_BYTES) |
                    ((unsigned)_mm_movemask_epi8(further) & FURTHER_BYTES);
    return (size_t)__builtin_ctz(~good) / 3;
#else
    (void)at;
    return 0;
#endif
}

static inline bool is_of_three_bytes(const uint8_t *at)
{
    uint32_t bytes = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    uint32_t high_bits = (bytes & 0x0F) << 6 | (bytes >> 8 & 0x3F); /* all but the last six */
    bool is_overlong = high_bits < 0x800 >> 6, is_surrogate = high_bits >> 5 == 0xD800 >> 11;
    return (bytes & 0xC0C0F0) == 0x8080E0 && !is_overlong && !is_surrogate;
}

const uint8_t *utf8_pass_three_byte_characters(const uint8_t *at, const uint8_t *end)
{
    for (; end - at >= 3; at += 3) {
        if (end - at >= 18)
            at += 3 * count_common(at);
        if (!is_of_three_bytes(at))
            break;
    }
    return at;
}
