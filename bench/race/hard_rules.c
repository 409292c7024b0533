#include "bench/race/hard_rules.h"

#include <inttypes.h>

#include "bench/random.h"

const char *const hard_rules_names[HARD_RULES_KINDS] = {
    "", "overlapping", "ranges", "ranges apart", "negations", "one field"};

enum { CODES = 10000 /* of four digits */, OFFICE_FIRST = 5100, OFFICE_LAST = 5799, MODE = 615 };

static void write_ranges(FILE *out, uint32_t office_low, uint32_t office_high, uint32_t mode_low,
                         uint32_t mode_high)
{
    fprintf(out, ",,%04" PRIu32 "..%04" PRIu32 ",%04" PRIu32 "..%04" PRIu32, office_low,
            office_high, mode_low, mode_high);
}

void hard_rules_write(FILE *out, enum hard_rules kind, uint32_t number, const char *to)
{
    struct random random;
    random_seed(&random, number);
    uint32_t a = random_below(&random, CODES), b = random_below(&random, CODES);
    uint32_t low = a < b ? a : b, high = a < b ? b : a;
    fprintf(out, "r%" PRIu32, number);
    switch (kind) {
    case HARD_RULES_NONE: break;
    case HARD_RULES_OVERLAPPING: fprintf(out, ",D*,5*|51*,%04" PRIu32, a); break;
    case HARD_RULES_RANGES: write_ranges(out, low, high, low / 16, high / 16); break;
    case HARD_RULES_RANGES_APART: /* the other one ends before */
        if (number % 2 == 0)
            write_ranges(out, a % OFFICE_FIRST, OFFICE_LAST + b % (CODES - OFFICE_LAST), b % MODE,
                         MODE - 1);
        else
            write_ranges(out, a % OFFICE_FIRST, OFFICE_FIRST - 1, b % MODE,
                         MODE + a % (CODES - MODE));
        break;
    case HARD_RULES_NEGATIONS: fprintf(out, ",,!5141|%04" PRIu32 ",!0615|%04" PRIu32, a, b); break;
    case HARD_RULES_ONE_FIELD: fprintf(out, ",,%04" PRIu32 ",", a); break;
    case HARD_RULES_KINDS: break;
    }
    fprintf(out, ",,%s\n", to);
}
