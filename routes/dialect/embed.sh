#!/bin/sh
# Writes assembly that embeds files into the program as `shipped_profiles`, a table of
# {name, start, end} that ends with a NULL name (struct shipped_profile in routes/dialect/shipped.h).
# `call` by the Makefile, from the top folder; works with any assembler that knows .incbin.
set -eu
echo '    .section .rodata'
index=0
for file in "$@"; do
    echo "shipped_name_$index: .asciz \"$(basename "$file")\""
    echo '    .balign 16'
    echo "shipped_start_$index: .incbin \"$file\""
    echo "shipped_end_$index: .zero 64"
    index=$((index + 1))
done
echo '    .section .data.rel.ro,"aw"'
echo '    .balign 8'
echo '    .globl shipped_profiles'
echo 'shipped_profiles:'
last=$index
index=0
while [ "$index" -lt "$last" ]; do
    echo "    .quad shipped_name_$index, shipped_start_$index, shipped_end_$index"
    index=$((index + 1))
done
echo '    .quad 0, 0, 0'
echo '    .section .note.GNU-stack,"",%progbits'
