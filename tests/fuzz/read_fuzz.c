/* Any body through the whole way, recognise -> scan -> extract, with the shipped profiles and some
 * that open messages inside of messages. What lies behind the body's end must make no difference,
 * and a reading must keep its promises. */
#include "tests/fuzz/read_stand.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t junk[2] = {'>', '"'};
    struct stand *stand = borrow_stand();
    struct bytes bodies[2];
    enum status statuses[2];
    struct reading readings[2];
    struct scan_fault faults[2] = {{0}, {0}};
    for (int i = 0; i < 2; i++) {
        bodies[i] = copy_body(data, size, junk[i]);
        reader_reset(&stand->readers[i]);
        statuses[i] = read_message(&stand->set, NULL, &stand->readers[i], bodies[i], &readings[i],
                                   &faults[i]);
    }
    check_same(statuses, readings, faults);
    assert(statuses[0] == STATUS_OK || statuses[0] == STATUS_INVALID);
    if (statuses[0] == STATUS_OK) {
        check_reading(&readings[0]);
        check_payload(&readings[0], size);
    } else {
        assert(faults[0].reason > SCAN_NONE && faults[0].reason < SCAN_REASON_COUNT);
        assert(faults[0].offset <= size);
        assert(stand->readers[0].space.occurrence_used == 0);
    }
    free((void *)(uintptr_t)bodies[0].data);
    free((void *)(uintptr_t)bodies[1].data);
    return 0;
}
