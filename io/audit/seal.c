#include "io/audit/seal.h"

#include <assert.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

#include "io/audit/merkle.h"

static const char first_line[] = "kouan-seal 1\n";

static struct sha256 mac_of(struct bytes key, struct bytes content)
{
    struct sha256 mac;
    unsigned size = 0;
    if (HMAC(EVP_sha256(), key.data, (int)key.size, content.data, content.size, mac.bytes, &size) ==
            NULL ||
        size != SHA256_BYTES)
        abort();
    return mac;
}

/* Of the key, without telling anything of it. */
static void fingerprint(struct bytes key, char out[SEAL_FINGERPRINT_DIGITS + 1])
{
    struct sha256 mac = mac_of(key, BYTES_LITERAL("kouan-seal key"));
    memcpy(out, sha256_format(mac.bytes).text, SEAL_FINGERPRINT_DIGITS);
    out[SEAL_FINGERPRINT_DIGITS] = '\0';
}

struct seal_text seal_write(struct seal *seal, struct bytes key)
{
    struct seal_text text;
    fingerprint(key, seal->key);
    int size = snprintf(text.text, sizeof text.text,
                        "%slog %" PRIu64 "\nsegment %" PRIu64 "\nstart %" PRIu64 "\nend %" PRIu64
                        "\nrecords %" PRIu64 "\nroot %s\nbegun-ms %" PRIu64 "\nsealed-ms %" PRIu64
                        "\nprevious %s\nkey %s\n",
                        first_line, seal->log, seal->segment, seal->start, seal->end, seal->records,
                        sha256_format(seal->root.bytes).text, seal->begun_ms, seal->sealed_ms,
                        sha256_format(seal->previous.bytes).text, seal->key);
    assert(size > 0 && (size_t)size < sizeof text.text);
    seal->mac = mac_of(key, bytes_make(text.text, (size_t)size));
    int more = snprintf(text.text + size, sizeof text.text - (size_t)size, "mac %s\n",
                        sha256_format(seal->mac.bytes).text);
    assert((size_t)(size + more) < sizeof text.text);
    text.size = (size_t)(size + more);
    return text;
}

/* ---- reading ---- */

/* The value of the next line, which begins with `name` and a space; false if it does not. */
static bool take_line(struct bytes *text, const char *name, struct bytes *out_value)
{
    size_t name_size = strlen(name);
    const uint8_t *end = memchr(text->data, '\n', text->size);
    if (end == NULL || !bytes_start_with(*text, bytes_from_text(name)) ||
        (size_t)(end - text->data) <= name_size || text->data[name_size] != ' ')
        return false;
    size_t size = (size_t)(end - text->data);
    *out_value = bytes_slice(*text, name_size + 1, size - name_size - 1);
    *text = bytes_slice(*text, size + 1, text->size);
    return true;
}

static bool take_number(struct bytes *text, const char *name, uint64_t *out_number)
{
    struct bytes value;
    return take_line(text, name, &value) && bytes_parse_u64(value, out_number);
}

static bool take_digest(struct bytes *text, const char *name, struct sha256 *out_digest)
{
    struct bytes value;
    return take_line(text, name, &value) && sha256_parse(value, out_digest);
}

enum status seal_parse(struct bytes text, struct seal *out_seal)
{
    struct seal seal;
    struct bytes key;
    if (!bytes_start_with(text, bytes_from_text(first_line)))
        return STATUS_INVALID;
    text = bytes_slice(text, sizeof first_line - 1, text.size);
    if (!take_number(&text, "log", &seal.log) || !take_number(&text, "segment", &seal.segment) ||
        !take_number(&text, "start", &seal.start) || !take_number(&text, "end", &seal.end) ||
        !take_number(&text, "records", &seal.records) || !take_digest(&text, "root", &seal.root) ||
        !take_number(&text, "begun-ms", &seal.begun_ms) ||
        !take_number(&text, "sealed-ms", &seal.sealed_ms) ||
        !take_digest(&text, "previous", &seal.previous) || !take_line(&text, "key", &key) ||
        key.size != SEAL_FINGERPRINT_DIGITS || !take_digest(&text, "mac", &seal.mac) ||
        text.size != 0)
        return STATUS_INVALID;
    memcpy(seal.key, key.data, key.size);
    seal.key[key.size] = '\0';
    *out_seal = seal;
    return STATUS_OK;
}

bool seal_is_of(struct bytes text, struct bytes key)
{
    enum { MAC_LINE_BYTES = 4 + SHA256_TEXT_BYTES + 1 };
    struct seal seal;
    if (seal_parse(text, &seal) != STATUS_OK)
        return false;
    struct sha256 mac = mac_of(key, bytes_slice(text, 0, text.size - MAC_LINE_BYTES));
    return CRYPTO_memcmp(mac.bytes, seal.mac.bytes, SHA256_BYTES) == 0;
}

bool seal_names_key(const struct seal *seal, struct bytes key)
{
    char text[SEAL_FINGERPRINT_DIGITS + 1];
    fingerprint(key, text);
    return strcmp(text, seal->key) == 0;
}

struct sha256 seal_leaf(uint64_t position, struct bytes record)
{
    const struct bytes parts[] = {bytes_make(&position, sizeof position), record};
    return merkle_leaf(parts, 2);
}
