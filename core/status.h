/* What a fallible call returns. Operating errors are values of this enum; programmer errors assert.
 * A function that fails leaves its outputs as they were, unless its header says otherwise. */
#ifndef KOUAN_CORE_STATUS_H
#define KOUAN_CORE_STATUS_H

#define STATUS_LIST(X)                                                                             \
    X(OK, "ok")                                                                                    \
    X(INVALID, "invalid input")                                                                    \
    X(INCOMPLETE, "more bytes are needed")                                                         \
    X(TOO_BIG, "a size limit is exceeded")                                                         \
    X(FULL, "no room is left for now")                                                             \
    X(NOT_FOUND, "not found")                                                                      \
    X(EXISTS, "exists already")                                                                    \
    X(DENIED, "not allowed")                                                                       \
    X(UNSUPPORTED, "not supported here")                                                           \
    X(NO_MEMORY, "out of memory")                                                                  \
    X(CORRUPT, "not as it was written")                                                            \
    X(IO, "input or output failed")

enum status {
#define X(name, text) STATUS_##name,
    STATUS_LIST(X)
#undef X
};

#define MUST_CHECK __attribute__((warn_unused_result))

/* A short English text, never NULL; owned by the program. */
const char *status_text(enum status status);

#endif
