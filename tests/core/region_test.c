#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/region.h"

static size_t resident_bytes(void)
{
    unsigned long size, resident;
    FILE *file = fopen("/proc/self/statm", "r");
    cr_assert_not_null(file);
    cr_assert_eq(fscanf(file, "%lu %lu", &size, &resident), 2);
    fclose(file);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

Test(region, is_aligned_zeroed_touched_and_given_back)
{
    const size_t size = (48 << 20) + 12345;
    struct region region;
    size_t before = resident_bytes();
    cr_assert_eq(region_open(size, &region), STATUS_OK);
    cr_assert_eq((uintptr_t)region.memory % REGION_ALIGNMENT, 0);
    cr_assert_eq(region.size_bytes, size);
    cr_assert_geq(resident_bytes(), before + size * 9 / 10, "it is touched at once");
    uint8_t *memory = region.memory;
    for (size_t i = 0; i < size; i += 4093)
        cr_assert_eq(memory[i], 0);
    memset(memory, 0xFF, size);
    region_close(&region);
    cr_assert_leq(resident_bytes(), before + size / 10);
}

Test(region, without_memory_it_fails)
{
    struct region region = {.size_bytes = 7};
    cr_assert_eq(region_open(SIZE_MAX, &region), STATUS_NO_MEMORY);
    cr_assert_eq(region_open(SIZE_MAX / 2, &region), STATUS_NO_MEMORY);
    cr_assert_eq(region.size_bytes, 7, "a failure leaves the output");
}
