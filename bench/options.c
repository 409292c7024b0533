#include <inttypes.h>
#include <stdio.h>

#include "bench/command.h"
#include "core/bytes.h"

/* 1000000, or 1000k, or 1m. */
static bool parse_count(struct bytes text, uint64_t *out_number)
{
    uint64_t number, factor = 1;
    uint8_t last = text.size > 1 ? text.data[text.size - 1] : '0';
    if (last == 'k' || last == 'm') {
        factor = last == 'k' ? 1000 : 1000000;
        text.size--;
    }
    if (!bytes_parse_u64(text, &number) || __builtin_mul_overflow(number, factor, &number))
        return false;
    *out_number = number;
    return true;
}

bool option_number(const char *option, const char *text, uint64_t least, uint64_t most,
                   uint64_t *out_number)
{
    uint64_t number;
    if (parse_count(bytes_from_text(text), &number) && number >= least && number <= most) {
        *out_number = number;
        return true;
    }
    fprintf(stderr, "kouan-bench: --%s: `%s` is not a number from %" PRIu64 " to %" PRIu64 "\n",
            option, text, least, most);
    return false;
}

bool option_choice(const char *option, const char *text, const char *const *names,
                   uint32_t *out_index)
{
    for (uint32_t i = 0; names[i] != NULL; i++)
        if (bytes_equal_text(bytes_from_text(text), names[i])) {
            *out_index = i;
            return true;
        }
    fprintf(stderr, "kouan-bench: --%s: `%s` is not one of:", option, text);
    for (uint32_t i = 0; names[i] != NULL; i++)
        fprintf(stderr, " %s", names[i]);
    fputc('\n', stderr);
    return false;
}
