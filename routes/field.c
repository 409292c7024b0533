#include "routes/field.h"

enum take { TAKE_FIRST, TAKE_ALL };

struct slot_row {
    const char *name, *json_name, *help;
    enum take take;
};

static const struct slot_row rows[SLOT_COUNT] = {
#define X(name, text, json, take, help) [SLOT_##name] = {text, json, help, TAKE_##take},
    FIELD_LIST(X)
#undef X
#define X(name, text, help) [SLOT_##name] = {text, NULL, help, TAKE_ALL},
        SESSION_FIELD_LIST(X)
#undef X
#define X(name, text) [SLOT_KEY_##name] = {text, NULL, "", TAKE_ALL},
            KEY_KIND_LIST(X)
#undef X
};

const char *slot_name(enum slot slot)
{
    return slot < SLOT_COUNT ? rows[slot].name : "none";
}

const char *slot_json_name(enum slot slot)
{
    return slot < SLOT_COUNT ? rows[slot].json_name : NULL;
}

const char *slot_help(enum slot slot)
{
    return slot < SLOT_COUNT ? rows[slot].help : "";
}

bool slot_takes_all(enum slot slot)
{
    return slot < SLOT_COUNT && rows[slot].take == TAKE_ALL;
}

static bool find(struct bytes name, unsigned from, unsigned to, enum slot *out_slot)
{
    for (unsigned slot = from; slot < to; slot++)
        if (bytes_equal_text(name, rows[slot].name)) {
            *out_slot = (enum slot)slot;
            return true;
        }
    return false;
}

bool slot_find_field(struct bytes name, enum slot *out_slot)
{
    return find(name, 0, SLOT_FIELD_COUNT, out_slot);
}

bool slot_find_key(struct bytes name, enum slot *out_slot)
{
    return find(name, SLOT_FIELD_COUNT, SLOT_COUNT, out_slot);
}
