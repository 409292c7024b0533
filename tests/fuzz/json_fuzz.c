/* scan_json over anything; jansson finds the same, and the members of a good object are listed
 * without a fault. */
#include "routes/json/json_members.h"
#include "routes/scan/charset.h"
#include "tests/fuzz/oracle_check.h"
#include "tests/fuzz/scan_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_members(struct bytes body, bool is_good)
{
    struct json_members members;
    const uint8_t *at = body.data, *end = body.data + body.size;
    json_members_init(&members, body);
    while (json_members_next(&members)) {
        require(members.name.data > at, "a member lies after the one before");
        require(members.value.data > members.name.data + members.name.size, "its value after it");
        at = members.value.data + members.value.size;
        require(at <= end, "and in the body");
    }
    require(members.fault.offset <= body.size, "a fault's offset");
    require(!is_good || members.fault.reason == SCAN_NONE, "a good object lists its members");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct charsets *charsets;
    if (charsets == NULL)
        charsets = charsets_open();
    uint8_t *body;
    const struct scan_check *check = check_scan(scan_json, charsets, data, size, &body);
    scan_check_plan.format = FORMAT_JSON;
    check_against_oracle(&scan_check_plan, bytes_make(body, size), 0, check->status, &check->fault,
                         &check->scan);
    check_members(bytes_make(body, size), check->status == STATUS_OK);
    free(body);
    return 0;
}
