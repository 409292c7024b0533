#include "routes/generation.h"

const struct channel *generation_channel(const struct generation *generation, struct bytes name)
{
    for (uint16_t i = 0; i < generation->channel_count; i++)
        if (!generation->channels[i]->is_removed &&
            bytes_equal_text(name, generation->channels[i]->name))
            return generation->channels[i];
    return NULL;
}

const struct destination *generation_destination(const struct generation *generation,
                                                 struct bytes name)
{
    for (uint16_t i = 0; i < generation->destination_count; i++)
        if (!generation->destinations[i]->is_removed &&
            bytes_equal_text(name, generation->destinations[i]->name))
            return generation->destinations[i];
    return NULL;
}

bool delivered_field_find(struct bytes name, struct delivered_field *out_field)
{
    static const char *const facts[FACT_COUNT] = {
#define X(constant, text, help) [FACT_##constant] = text,
        RECORD_FACT_LIST(X)
#undef X
    };
    for (unsigned i = 0; i < FACT_COUNT; i++)
        if (bytes_equal_text(name, facts[i])) {
            *out_field = (struct delivered_field){.name = bytes_from_text(facts[i]),
                                                  .kind = DELIVER_FACT,
                                                  .fact = (enum record_fact)i};
            return true;
        }
    enum slot slot;
    if (!slot_find_field(name, &slot) && !slot_find_key(name, &slot))
        return false;
    *out_field = (struct delivered_field){
        .name = bytes_from_text(slot_name(slot)), .kind = DELIVER_SLOT, .slot = slot};
    return true;
}
