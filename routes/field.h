/* The canonical fields that rules match on, the kinds of keys that name a business case, and the
 * slot numbers that hold both in one small space. The rule columns, the profile language, the JSON
 * event, `explain` and the delivery options are all made from these lists. */
#ifndef KOUAN_ROUTES_FIELD_H
#define KOUAN_ROUTES_FIELD_H

#include <stdbool.h>

#include "core/bytes.h"

/* name, name in the JSON event, take (one value or all), help */
#define FIELD_LIST(X)                                                                              \
    X(MESSAGE_ID, "message_id", "messageId", FIRST, "the sender's id of this message")             \
    X(MESSAGE_TYPE, "message_type", "messageType", FIRST, "CEB311, KJ881111, CUSDEC ...")          \
    X(FUNCTION, "function", "function", FIRST, "original, change, cancel, response ...")           \
    X(SENDER, "sender", "sender", FIRST, "the sender's address as the message says it")            \
    X(RECEIVER, "receiver", "receiver", ALL, "the receivers' addresses")                           \
    X(REFERENCE, "reference", "reference", ALL, "the original's id that a receipt answers")        \
    X(CUSTOMS_OFFICE, "customs_office", "customsOffice", ALL, "declaring office, 4 digits")        \
    X(EXIT_OFFICE, "exit_office", "exitOffice", ALL, "office of entry or exit, 4 digits")          \
    X(TRANSIT_OFFICE, "transit_office", "transitOffice", ALL, "office of a transit leg")           \
    X(PORT, "port", "port", ALL, "UN/LOCODE, or the port code of the dialect")                     \
    X(INSPECTION_OFFICE, "inspection_office", "inspectionOffice", ALL, "CIQ office, 6 digits")     \
    X(TRADE_MODE, "trade_mode", "tradeMode", ALL, "0110, 9610 ..., 4 digits")                      \
    X(TRANSPORT_MODE, "transport_mode", "transportMode", ALL, "mode of transport")                 \
    X(GOODS_CODE, "goods_code", "goodsCode", ALL, "HS codes of the goods")                         \
    X(TRADER, "trader", "trader", ALL, "the traders' customs registration codes")                  \
    X(STATUS, "status", "status", ALL, "the status that a receipt reports")                        \
    X(TRANSIT, "transit", "transit", FIRST, "1 for a transit declaration")                         \
    X(SENT_AT, "sent_at", "sentAt", FIRST, "the sender's own time of sending")

/* Fields that come from the connection and the recogniser, never from the body. */
#define SESSION_FIELD_LIST(X)                                                                      \
    X(PARTICIPANT, "participant", "the participant that the connection speaks for")                \
    X(ROLE, "role", "the roles of that participant")                                               \
    X(PROFILE, "profile", "the profile that recognised the message")                               \
    X(PAYLOAD_PROFILE, "payload_profile", "the profile that read what its profile opens")

#define KEY_KIND_LIST(X)                                                                           \
    X(ORDER, "order")                                                                              \
    X(PAYMENT, "payment")                                                                          \
    X(WAYBILL, "waybill")                                                                          \
    X(BILL, "bill")                                                                                \
    X(LIST, "list")                                                                                \
    X(CLIENT_SEQ, "client_seq")                                                                    \
    X(UNIFIED, "unified")                                                                          \
    X(ENTRY, "entry")                                                                              \
    X(HANDBOOK, "handbook")                                                                        \
    X(CONTAINER, "container")                                                                      \
    X(VOYAGE, "voyage")

enum slot {
#define X(name, text, json, take, help) SLOT_##name,
    FIELD_LIST(X)
#undef X
#define X(name, text, help) SLOT_##name,
        SESSION_FIELD_LIST(X)
#undef X
#define X(name, text) SLOT_KEY_##name,
            KEY_KIND_LIST(X)
#undef X
                SLOT_COUNT,
    SLOT_FIELD_COUNT = SLOT_PAYLOAD_PROFILE + 1, /* slots below are fields; from here on, keys */
    SLOT_NONE = 255
};

static inline bool slot_is_key(enum slot slot)
{
    return slot >= SLOT_FIELD_COUNT && slot < SLOT_COUNT;
}

/* Of which each entry has its own value, equal or not: keys, and what a receipt says of each. */
static inline bool slot_is_of_entry(enum slot slot)
{
    return slot_is_key(slot) || slot == SLOT_STATUS;
}

/* `customs_office`, `participant`; for keys the kind alone: `order`. Never NULL. */
const char *slot_name(enum slot slot);

/* The member's name in the JSON event (`customsOffice`); NULL for session fields and keys. */
const char *slot_json_name(enum slot slot);
const char *slot_help(enum slot slot); /* "" for keys */

/* True if several different values count; false if the first found is the value. */
bool slot_takes_all(enum slot slot);

/* By `slot_name`. Keys and fields have no name in common but must not be confused: two look-ups. */
bool slot_find_field(struct bytes name, enum slot *out_slot);
bool slot_find_key(struct bytes name, enum slot *out_slot);

#endif
