#include "io/shard/shard.h"

void shard_share_rooms(struct shard *shard)
{
    uint16_t log = mesh_self(shard->mesh);
    for (uint16_t i = 0; i < shard->generation->destination_count; i++)
        outlet_share_room(&shard->outlets[i], rooms_at(shard->rooms, log, i));
    hold_share_room(&shard->holds, rooms_of_holds(shard->rooms, log));
}

void shard_tell_rooms(struct shard *shard)
{
    for (uint16_t i = 0; i < shard->generation->destination_count; i++)
        outlet_tell_room(&shard->outlets[i]);
    hold_tell_room(&shard->holds);
}
