#include "bench/day/fault.h"

#include <assert.h>
#include <string.h>

const char *fault_text(enum day_fault fault)
{
    static const char *const texts[FAULT_COUNT] = {
#define X(name, text, reason) text,
        DAY_FAULT_LIST(X)
#undef X
    };
    return texts[fault];
}

const char *fault_reason(enum day_fault fault)
{
    static const char *const reasons[FAULT_COUNT] = {
#define X(name, text, reason) reason,
        DAY_FAULT_LIST(X)
#undef X
    };
    return reasons[fault];
}

enum day_fault fault_choose(enum day_dialect dialect, uint32_t number)
{
    switch (dialect) {
    case DIALECT_EDIFACT: return FAULT_EDIFACT_CUT + number % 2;
    case DIALECT_JSON: return FAULT_JSON_CUT + number % 4;
    case DIALECT_CEB: return FAULT_XML_CUT + number % 4;
    default: return FAULT_XML_CUT + number % 3;
    }
}

/* Somewhat after the middle, but neither inside of a character of several bytes nor between two
 * segments or lines, where what is left might pass for whole. */
static size_t cut(const uint8_t *message, size_t size)
{
    size_t at = size * 3 / 5;
    while (at > 1 && ((message[at] & 0xC0) == 0x80 || memchr("'\r\n", message[at - 1], 3) != NULL))
        at--;
    return at;
}

static uint8_t *find(uint8_t *message, size_t size, const char *text)
{
    uint8_t *found = memmem(message, size, text, strlen(text));
    assert(found != NULL);
    return found;
}

/* The last letter of the last name. */
static void break_last_tag(uint8_t *message, size_t size)
{
    uint8_t *bracket = memrchr(message, '>', size);
    assert(bracket != NULL && bracket[-1] != 'x');
    bracket[-1] = 'x';
}

/* The last letter of CEB's namespace. */
static void misspell_namespace(uint8_t *message, size_t size)
{
    static const char namespace[] = "chinaport.gov.cn/ceb";
    find(message, size, namespace)[sizeof namespace - 2] = 'x';
}

static size_t insert_doctype(uint8_t *message, size_t size)
{
    static const char doctype[] = "<!DOCTYPE order>\n";
    static_assert(sizeof doctype <= FAULT_ADDED_BYTES_MAX, "room for it");
    uint8_t *at = find(message, size, "?>\n") + 3;
    size_t added = sizeof doctype - 1;
    memmove(at + added, at, size - (size_t)(at - message));
    memcpy(at, doctype, added);
    return size + added;
}

/* The type once more, in front. */
static size_t insert_member(uint8_t *message, size_t size)
{
    static const char member[] = "\"messageType\":\"TWICE\",";
    static_assert(sizeof member <= FAULT_ADDED_BYTES_MAX, "room for it");
    uint8_t *at = find(message, size, "{") + 1;
    size_t added = sizeof member - 1;
    memmove(at + added, at, size - (size_t)(at - message));
    memcpy(at, member, added);
    return size + added;
}

size_t fault_inflict(enum day_fault fault, uint8_t *message, size_t size)
{
    switch (fault) {
    case FAULT_XML_CUT:
    case FAULT_EDIFACT_CUT:
    case FAULT_JSON_CUT: return cut(message, size);
    case FAULT_XML_TAG: break_last_tag(message, size); return size;
    case FAULT_XML_NAMESPACE: misspell_namespace(message, size); return size;
    case FAULT_XML_DOCTYPE: return insert_doctype(message, size);
    case FAULT_EDIFACT_START: message[0] = 'X'; return size;
    case FAULT_JSON_COLON: memcpy(find(message, size, "\":") + 1, ";", 1); return size;
    case FAULT_JSON_TRAILING: message[size] = '}'; return size + 1;
    case FAULT_JSON_TWICE: return insert_member(message, size);
    case FAULT_NONE:
    case FAULT_COUNT: break;
    }
    return size;
}
