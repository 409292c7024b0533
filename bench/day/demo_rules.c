#include "bench/day/demo_rules.h"

#include <string.h>

/* The customs districts of the province: 51 52 53 57 60 67 68. */
static bool is_provincial(const char *office)
{
    static const char districts[][3] = {"51", "52", "53", "57", "60", "67", "68"};
    for (size_t i = 0; i < sizeof districts / sizeof *districts; i++)
        if (memcmp(office, districts[i], 2) == 0)
            return true;
    return false;
}

static bool is_mode(const struct day_case *facts, const char *mode)
{
    return strcmp(facts->mode, mode) == 0;
}

static bool wants_customs(enum day_kind kind, const struct day_case *facts)
{
    switch (kind) {
    case KIND_CEB311: /* these name no office */
    case KIND_CEB411:
    case KIND_CEB511:
    case KIND_CUSCAR:
    case KIND_CUSDEC: return true;
    case KIND_CEB621:
    case KIND_KJ881111:
    case KIND_KJ881112:
    case KIND_KJ881113:
    case KIND_DECLARATION:
    case KIND_DECLSTATUS: return is_provincial(facts->office);
    default: return false;
    }
}

/* E-commerce by direct purchase or through a bonded zone; meat, fish and dairy always. */
static bool wants_inspection(enum day_kind kind, const struct day_case *facts)
{
    switch (kind) {
    case KIND_CEB621: return is_mode(facts, "9610") || is_mode(facts, "1210");
    case KIND_KJ881111:
    case KIND_KJ881112:
    case KIND_KJ881113:
        return is_provincial(facts->office) && facts->inspection[0] == '4' &&
               strchr("478", facts->inspection[1]) != NULL;
    case KIND_DECLARATION: {
        int chapter = (facts->goods[0] - '0') * 10 + (facts->goods[1] - '0');
        if (!is_provincial(facts->office))
            return false;
        return (chapter >= 2 && chapter <= 4) || is_mode(facts, "1210") || is_mode(facts, "1239");
    }
    default: return false;
    }
}

static bool wants_port(enum day_kind kind, uint8_t variant, const struct day_case *facts)
{
    switch (kind) {
    case KIND_CUSCAR: return true;
    case KIND_CEB622: return variant == STATUS_RELEASED;
    case KIND_DECLSTATUS: return variant == STATUS_RELEASED && is_provincial(facts->office);
    default: return false;
    }
}

static bool wants_trader(enum day_kind kind, uint8_t variant, const struct day_case *facts)
{
    switch (kind) {
    case KIND_CEB312:
    case KIND_CEB412:
    case KIND_CEB512:
    case KIND_CEB622:
    case KIND_KJDOCREC:
    case KIND_CUSRES: return true;
    case KIND_DECLSTATUS: return variant != STATUS_STORED && is_provincial(facts->office);
    default: return false;
    }
}

uint8_t demo_rules_outlets(enum day_kind kind, uint8_t variant, const struct day_case *facts)
{
    uint8_t outlets = 0;
    if (wants_customs(kind, facts))
        outlets |= 1U << OUTLET_CUSTOMS;
    if (wants_inspection(kind, facts))
        outlets |= 1U << OUTLET_INSPECTION;
    if (wants_port(kind, variant, facts))
        outlets |= 1U << OUTLET_PORT;
    if (wants_trader(kind, variant, facts))
        outlets |= 1U << OUTLET_TRADER;
    return outlets;
}
