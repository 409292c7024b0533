/* Why a body cannot be read, and where. */
#ifndef KOUAN_ROUTES_SCAN_FAULT_H
#define KOUAN_ROUTES_SCAN_FAULT_H

#include <stdint.h>

/* Why a body is refused: a stable word for replies, metrics and `kouan help`, and a sentence. */
#define SCAN_REASON_LIST(X)                                                                        \
    X(NONE, "OK", "nothing is wrong")                                                              \
    X(EMPTY, "EMPTY", "the body is empty or blank")                                                \
    X(UNKNOWN_FORMAT, "UNKNOWNFORMAT", "neither XML, JSON nor EDIFACT")                            \
    X(UNKNOWN_PROFILE, "UNKNOWNPROFILE", "well begun, but no profile recognises it")               \
    X(MALFORMED, "MALFORMED", "the syntax is broken at this place")                                \
    X(TRUNCATED, "TRUNCATED", "the body ends before its structure does")                           \
    X(TRAILING, "TRAILING", "something follows the end of the document")                           \
    X(TOO_DEEP, "TOODEEP", "nested deeper than 64 levels")                                         \
    X(TOO_MANY_ENTRIES, "TOOMANYENTRIES", "more than `entries_max` entries in one message")        \
    X(TOO_MANY_VALUES, "TOOMANYVALUES", "more values are tapped than one message may have")        \
    X(VALUE_TOO_LONG, "VALUETOOLONG", "a routed value is longer than 1024 bytes")                  \
    X(DOCTYPE, "DOCTYPE", "a document type declaration is not accepted")                           \
    X(ENTITY, "ENTITY", "an entity that XML itself does not define")                               \
    X(NAMESPACE, "NAMESPACE", "a prefix that is bound to no namespace")                            \
    X(DUPLICATE_KEY, "DUPLICATEKEY", "a member that routing reads appears twice in one object")    \
    X(ENCODING, "ENCODING", "the bytes do not fit the character set, or it is not known")          \
    X(MANY_MESSAGES, "MANYMESSAGES", "an interchange of several messages: send them one by one")   \
    X(TOO_MANY_MESSAGES, "TOOMANYMESSAGES", "more than 256 messages in one body")                  \
    X(ENVELOPE, "ENVELOPE", "a count or a reference of the envelope is wrong")                     \
    X(MISSING, "MISSING", "a field that the profile requires is absent")                           \
    X(PAYLOAD, "PAYLOAD", "the message inside, which the profile requires, cannot be read")        \
    X(CONSTRAINT, "CONSTRAINT", "a value breaks a constraint of the profile")

enum scan_reason {
#define X(name, word, text) SCAN_##name,
    SCAN_REASON_LIST(X)
#undef X
        SCAN_REASON_COUNT
};

const char *scan_reason_word(enum scan_reason reason);
const char *scan_reason_text(enum scan_reason reason);

struct scan_fault {
    enum scan_reason reason;
    uint32_t offset;  /* into the body, in bytes; the end of the body where something is missing */
    const char *what; /* a static detail ("expected `>`", a field's name) or NULL */
};

#endif
