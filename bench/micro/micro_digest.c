/* `micro digest`: the keyed digests of a message, of its body and of its identity. */
#include <stdio.h>

#include "bench/micro/micro.h"
#include "bench/micro/micro_bodies.h"
#include "bench/random.h"
#include "core/digest.h"

enum { IDENTITIES = 256, LARGE_BYTES = 4096 };

struct digesting {
    struct digest_secret secret;
    const struct micro_bodies *bodies;
    uint8_t large[LARGE_BYTES + IDENTITIES];
    char ids[IDENTITIES][40];
};

/* That digests differ shows that they were made. */
static uint64_t digest_bodies(void *context)
{
    const struct digesting *digesting = context;
    struct digest last = {0};
    for (uint32_t i = 0; i < digesting->bodies->count; i++) {
        struct digest digest = digest_bytes(&digesting->secret, digesting->bodies->items[i]);
        if (digest_equal(digest, last))
            return 0;
        last = digest;
    }
    return digesting->bodies->count;
}

static uint64_t digest_large(void *context)
{
    const struct digesting *digesting = context;
    struct digest last = {0};
    for (uint32_t i = 0; i < IDENTITIES; i++) {
        struct digest digest =
            digest_bytes(&digesting->secret, bytes_make(digesting->large + i, LARGE_BYTES));
        if (digest_equal(digest, last))
            return 0;
        last = digest;
    }
    return IDENTITIES;
}

/* The kind of identity, scope, family, message type, message id: as the router makes it. */
static uint64_t digest_identities(void *context)
{
    const struct digesting *digesting = context;
    struct digest last = {0};
    for (uint32_t i = 0; i < IDENTITIES; i++) {
        const struct bytes parts[] = {BYTES_LITERAL("id"), BYTES_LITERAL("participant nansha"),
                                      BYTES_LITERAL("event"), BYTES_LITERAL("DECLSTATUS"),
                                      bytes_make(digesting->ids[i], 36)};
        struct digest digest =
            digest_parts(&digesting->secret, parts, sizeof parts / sizeof *parts);
        if (digest_equal(digest, last))
            return 0;
        last = digest;
    }
    return IDENTITIES;
}

bool micro_digest(struct micro *micro)
{
    static struct micro_reading reading;
    static struct digesting digesting;
    if (!micro_reading_open(&reading)) {
        micro_reading_close(&reading);
        return false;
    }
    digesting.bodies = &reading.events;
    memcpy(digesting.secret.bytes, "not a secret", 12);
    for (size_t i = 0; i < sizeof digesting.large; i++)
        digesting.large[i] = (uint8_t)random_mix(i);
    for (uint64_t i = 0; i < IDENTITIES; i++)
        snprintf(digesting.ids[i], sizeof digesting.ids[i], "%08x-0000-4000-8000-%012x",
                 (unsigned)random_mix(i), (unsigned)i);
    const struct micro_case body = {"body, event", micro_bodies_mean(&reading.events),
                                    digest_bodies, &digesting};
    const struct micro_case large = {"body, 4 KiB", LARGE_BYTES, digest_large, &digesting};
    const struct micro_case identity = {"identity", 0, digest_identities, &digesting};
    bool good = micro_measure(micro, &body) && micro_measure(micro, &large) &&
                micro_measure(micro, &identity);
    micro_reading_close(&reading);
    return good;
}
