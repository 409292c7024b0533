#include "routes/scan/damage.h"

struct column_form {
    enum slot slot;
    unsigned digits; /* 0: codes, but of several lengths */
};

static const struct column_form forms[] = {
    {SLOT_CUSTOMS_OFFICE, 4},    {SLOT_EXIT_OFFICE, 4},    {SLOT_TRANSIT_OFFICE, 4},
    {SLOT_TRADE_MODE, 4},        {SLOT_GOODS_CODE, 0},     {SLOT_PORT, 0},
    {SLOT_INSPECTION_OFFICE, 6}, {SLOT_TRANSPORT_MODE, 0}, {SLOT_TRADER, 0},
};

static const struct column_form *form_of(enum slot slot)
{
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++)
        if (forms[i].slot == slot)
            return &forms[i];
    return NULL;
}

unsigned damage_column_digits(enum slot slot)
{
    const struct column_form *form = form_of(slot);
    return form == NULL ? 0 : form->digits;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t digits_at(struct bytes text, size_t from)
{
    size_t end = from;
    while (end < text.size && is_digit(text.data[end]))
        end++;
    return end - from;
}

bool damage_is_digits(struct bytes text)
{
    return text.size > 0 && digits_at(text, 0) == text.size;
}

/* HS codes have 2, 4, 6, 8 or 10 digits (a CIQ code 13): an odd number below 10 has lost a zero. */
static bool lost_leading_zero(enum slot slot, struct bytes text)
{
    if (!damage_is_digits(text))
        return false;
    if (slot == SLOT_GOODS_CODE)
        return text.size < 10 && text.size % 2 == 1;
    return text.size < damage_column_digits(slot);
}

/* 8.5E+09, 1E-05: spreadsheets always write the sign and at least two digits. */
static bool is_scientific(struct bytes text)
{
    size_t at = digits_at(text, 0);
    if (at == 0)
        return false;
    if (at < text.size && text.data[at] == '.') {
        size_t decimals = digits_at(text, at + 1);
        if (decimals == 0)
            return false;
        at += 1 + decimals;
    }
    if (text.size - at < 4 || (text.data[at] != 'E' && text.data[at] != 'e'))
        return false;
    if (text.data[at + 1] != '+' && text.data[at + 1] != '-')
        return false;
    return at + 2 + digits_at(text, at + 2) == text.size;
}

static size_t month_at(struct bytes text, size_t from)
{
    static const char names[12][4] = {"jan", "feb", "mar", "apr", "may", "jun",
                                      "jul", "aug", "sep", "oct", "nov", "dec"};
    for (size_t i = 0; i < 12; i++)
        if (bytes_equal_fold(bytes_slice(text, from, 3), bytes_from_text(names[i])))
            return 3;
    return 0;
}

/* Nov-23, 23-Nov, 23-Nov-26 */
static bool is_date_by_name(struct bytes text)
{
    size_t day = digits_at(text, 0);
    size_t at = day;
    if (day > 2)
        return false;
    if (day > 0) {
        if (at == text.size || (text.data[at] != '-' && text.data[at] != ' '))
            return false;
        at++;
    }
    if (month_at(text, at) == 0)
        return false;
    at += 3;
    if (at == text.size)
        return day > 0;
    if (text.data[at] != '-' && text.data[at] != ' ')
        return false;
    size_t year = digits_at(text, at + 1);
    return year >= 1 && year <= 4 && at + 1 + year == text.size;
}

/* 2026/11/23, 23-11-2026, 2026/11, with or without a time of day */
static bool is_date_by_number(struct bytes text)
{
    size_t first = digits_at(text, 0);
    if (first == 0 || first > 4 || first == text.size)
        return false;
    uint8_t separator = text.data[first];
    if (separator != '/' && separator != '-')
        return false;
    size_t second = digits_at(text, first + 1);
    size_t at = first + 1 + second;
    if (second == 0 || second > 2 + (first <= 2 && at == text.size ? 2U : 0U))
        return false;
    if (at == text.size)
        return separator == '/';
    if (text.data[at] != separator)
        return false;
    size_t third = digits_at(text, at + 1);
    at += 1 + third;
    return third >= 1 && third <= 4 && (at == text.size || text.data[at] == ' ');
}

/* 11月23日, 2026年11月 */
static bool is_date_in_chinese(struct bytes text)
{
    struct bytes month = BYTES_LITERAL("月"), year = BYTES_LITERAL("年");
    size_t at = digits_at(text, 0);
    struct bytes rest = bytes_slice(text, at, text.size);
    return at > 0 && (bytes_start_with(rest, month) || bytes_start_with(rest, year));
}

static bool is_error_value(struct bytes text)
{
    static const char *const values[] = {"#N/A",   "#REF!",   "#VALUE!", "#NAME?", "#DIV/0!",
                                         "#NULL!", "#SPILL!", "#CALC!",  "#NUM!"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (bytes_equal_text(text, values[i]))
            return true;
    return false;
}

static bool has_any(struct bytes text, const char *const *signs, size_t count)
{
    for (size_t at = 0; at < text.size; at++)
        for (size_t i = 0; i < count; i++)
            if (bytes_start_with(bytes_slice(text, at, text.size), bytes_from_text(signs[i])))
                return true;
    return false;
}

/* 0201-0210, 0201~0210, 0201至0210 */
static bool is_hyphen_range(struct bytes text)
{
    static const char *const hyphens[] = {"-", "~", "－", "～", "—", "–", "至"};
    size_t first = digits_at(text, 0);
    struct bytes rest = bytes_slice(text, first, text.size);
    for (size_t i = 0; first > 0 && i < sizeof hyphens / sizeof *hyphens; i++) {
        struct bytes hyphen = bytes_from_text(hyphens[i]);
        if (bytes_start_with(rest, hyphen) &&
            damage_is_digits(bytes_slice(rest, hyphen.size, rest.size)))
            return true;
    }
    return false;
}

static bool has_control_byte(struct bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < 0x20)
            return true;
    return false;
}

enum damage damage_find(enum slot slot, struct bytes text)
{
    static const char *const separators[] = {",", ";", "/", " ", "、", "，", "；", "　"};
    if (has_control_byte(text))
        return DAMAGE_LINE_BREAK;
    if (is_error_value(text))
        return DAMAGE_ERROR_VALUE;
    if (is_scientific(text))
        return DAMAGE_SCIENTIFIC;
    if (form_of(slot) == NULL)
        return DAMAGE_NONE;
    if (is_date_by_name(text) || is_date_by_number(text) || is_date_in_chinese(text))
        return DAMAGE_DATE;
    if (lost_leading_zero(slot, text))
        return DAMAGE_LEADING_ZERO;
    if (is_hyphen_range(text))
        return DAMAGE_HYPHEN;
    if (has_any(text, separators, sizeof separators / sizeof *separators))
        return DAMAGE_SEPARATOR;
    return DAMAGE_NONE;
}

const struct wide_sign *damage_wide_sign(struct bytes text)
{
    static const struct wide_sign signs[] = {
        {"｜", "|"}, {"＊", "*"}, {"！", "!"}, {"＠", "@"}, {"．．", ".."}, {"。。", ".."},
    };
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (bytes_start_with(text, bytes_from_text(signs[i].wide)))
            return &signs[i];
    return NULL;
}
