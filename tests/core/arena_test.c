#include <criterion/criterion.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/arena.h"

Test(arena, memory_is_zeroed_aligned_and_stays)
{
    enum { COUNT = 3000 };
    struct arena arena;
    uint8_t *blocks[COUNT];
    arena_init(&arena);
    for (size_t i = 0; i < COUNT; i++) {
        size_t size = (i * 37) % 301;
        blocks[i] = arena_allocate(&arena, size);
        cr_assert_eq((uintptr_t)blocks[i] % 16, 0);
        for (size_t k = 0; k < size; k++)
            cr_assert_eq(blocks[i][k], 0);
        memset(blocks[i], (int)(i & 0xFF), size);
    }
    for (size_t i = 0; i < COUNT; i++)
        for (size_t k = 0; k < (i * 37) % 301; k++)
            cr_assert_eq(blocks[i][k], (uint8_t)(i & 0xFF), "block %zu", i);
    arena_deinit(&arena);
    cr_assert_eq(arena.used_bytes, 0);
}

Test(arena, one_allocation_may_be_larger_than_a_chunk)
{
    struct arena arena;
    arena_init(&arena);
    uint8_t *small = arena_allocate(&arena, 10);
    uint8_t *large = arena_allocate(&arena, 1 << 20);
    memset(large, 1, 1 << 20);
    cr_assert_eq(small[9], 0);
    cr_assert_geq(arena.used_bytes, (1U << 20) + 10);
    arena_deinit(&arena);
}

Test(arena, copies_have_a_nul_and_readable_padding)
{
    struct arena arena;
    char source[] = "kouan\0x";
    arena_init(&arena);
    struct bytes copy = arena_copy(&arena, bytes_make(source, 7));
    source[0] = '-';
    cr_assert(bytes_equal(copy, bytes_make("kouan\0x", 7)));
    for (size_t i = 0; i <= BYTES_PADDING; i++)
        cr_assert_eq(copy.data[copy.size + i], 0);
    cr_assert_str_eq(arena_copy_text(&arena, BYTES_LITERAL("text")), "text");
    cr_assert_str_eq(arena_copy_text(&arena, bytes_make(NULL, 0)), "");
    arena_deinit(&arena);
}

Test(arena, formats_of_any_length)
{
    struct arena arena;
    arena_init(&arena);
    cr_assert_str_eq(arena_format(&arena, "%s:%d", "file", 12), "file:12");
    cr_assert_str_eq(arena_format(&arena, "%s", ""), "");
    const char *wide = arena_format(&arena, "%0100000d", 7);
    cr_assert_eq(strlen(wide), 100000);
    cr_assert_eq(wide[99999], '7');
    arena_deinit(&arena);
}

static int exit_code_of_array(size_t count, size_t item_bytes)
{
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        struct arena arena;
        close(STDERR_FILENO);
        arena_init(&arena);
        arena_allocate_array(&arena, count, item_bytes);
        arena_deinit(&arena);
        _exit(0);
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

Test(arena, a_size_that_overflows_ends_the_program)
{
    cr_assert_eq(exit_code_of_array(100, 8), 0);
    cr_assert_eq(exit_code_of_array(SIZE_MAX / 2, 3), 1);
    cr_assert_eq(exit_code_of_array(SIZE_MAX, 1), 1); /* rounding up would wrap */
}
