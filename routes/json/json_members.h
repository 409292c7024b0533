/* A look at the members of a JSON body before its scan: those of the root object, or of the first
 * object in a root array, one after the other. What stands in their values is checked, not kept.
 *   struct json_members members;
 *   json_members_init(&members, body); while (json_members_next(&members)) ... members.name ... */
#ifndef KOUAN_ROUTES_JSON_MEMBERS_H
#define KOUAN_ROUTES_JSON_MEMBERS_H

#include "routes/json/json_walk.h"

/* Stays where it is. */
struct json_members {
    struct json_text text;
    bool ended;
    unsigned depth;           /* open containers around a member's value */
    struct bytes name, value; /* a string's inside (escapes as they stand), or all of the value */
    bool value_is_text;
    struct scan_fault fault; /* reason NONE at the end of a well-formed walk */
};

void json_members_init(struct json_members *members, struct bytes body);
bool json_members_next(struct json_members *members);

#endif
