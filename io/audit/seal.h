/* The seal of a closed segment: what it holds, as one digest, under the key of whoever seals. A
 * small text beside the segment (`<number>.seal`), so that people can read it, and check it without
 * this program:
 *
 *   kouan-seal 1
 *   log 0
 *   segment 7
 *   start 29360128            the position of its first block
 *   end 33550336              behind its last
 *   records 1234
 *   root <sha-256>            of the Merkle tree over its records (io/audit/merkle.h)
 *   begun-ms 1772357400000    the wall clock when the segment was begun
 *   sealed-ms 1772360000000
 *   previous <sha-256>        the `mac` of the seal before; zeros: this is the first
 *   key <16 digits>           which key it was: a fingerprint
 *   mac <sha-256>             HMAC-SHA-256 of all lines before this one
 *
 * A leaf is the record's position (8 bytes, little-endian) and its bytes, as in the log. Pure text
 * work; nothing here touches a file. */
#ifndef KOUAN_IO_SEAL_H
#define KOUAN_IO_SEAL_H

#include "core/record.h"
#include "core/status.h"
#include "io/reload/sha256.h"

enum {
    SEAL_TEXT_BYTES = 1024,
    SEAL_KEY_BYTES_MIN = 16,
    SEAL_KEY_BYTES_MAX = 4096,
    SEAL_FINGERPRINT_DIGITS = 16
};

struct seal {
    uint64_t log, segment, start, end, records, begun_ms, sealed_ms;
    struct sha256 root, previous;
    char key[SEAL_FINGERPRINT_DIGITS + 1];
    struct sha256 mac;
};

struct seal_text {
    char text[SEAL_TEXT_BYTES];
    size_t size;
};

/* Fills in `key` and `mac`, and gives the text. */
struct seal_text seal_write(struct seal *seal, struct bytes key);

/* INVALID: it is no seal. Says nothing of the key. */
MUST_CHECK enum status seal_parse(struct bytes text, struct seal *out_seal);

/* The text's `mac` is this key's. */
bool seal_is_of(struct bytes text, struct bytes key);
/* Is it another key's, by the fingerprint? */
bool seal_names_key(const struct seal *seal, struct bytes key);

/* The leaf of a record. */
struct sha256 seal_leaf(uint64_t position, struct bytes record);

#endif
