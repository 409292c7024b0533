#!/usr/bin/env python3
"""Draws the stacks that `perf script` prints as one SVG: widths are shares of the samples, callers stand
above what they call, siblings in the order of their names. Static: a browser shows a frame's figures where
the pointer rests.   usage: perf script | perf/flame_graph.py TITLE > flame.svg"""
import html
import re
import sys

WIDTH, ROW, LETTER, LEAST = 1200, 17, 6.6, 0.3  # pixels; narrower frames are left out
FRAME = re.compile(r"\s+[0-9a-f]+ (.+?)(?:\+0x[0-9a-f]+)? \((.*)\)$")


class Node:
    def __init__(self):
        self.samples = 0
        self.children = {}

    def child(self, name):
        return self.children.setdefault(name, Node())


def read_stacks(lines):
    """Each stack as names, the caller first: a sample's lines go from the inside out, to a blank one."""
    stack = []
    for line in lines:
        frame = FRAME.match(line)
        if frame:
            name = frame.group(1)
            in_kernel = "kernel" in frame.group(2) or frame.group(2).startswith("[")
            stack.append((name if name != "[unknown]" else "?", in_kernel))
        elif stack:
            yield stack[::-1]
            stack = []
    if stack:
        yield stack[::-1]


def build(stacks):
    root = Node()
    for stack in stacks:
        root.samples += 1
        node = root
        for frame in stack:
            node = node.child(frame)
            node.samples += 1
    return root


def hue(name, in_kernel):
    """Warm for our own code, by name; grey-blue for the kernel's."""
    if in_kernel:
        return "hsl(210 22% 72%)"
    seed = sum((i + 1) * ord(letter) for i, letter in enumerate(name))
    return f"hsl({14 + seed % 38} {70 + seed % 20}% {66 + seed % 9}%)"


def draw(root, title, out):
    scale = WIDTH / max(root.samples, 1)
    frames, deepest = [], 0
    todo = [(root, 0.0, 0)]
    while todo:
        node, left, depth = todo.pop()
        for frame in sorted(node.children):
            child = node.children[frame]
            width = child.samples * scale
            if width >= LEAST:
                frames.append((left, depth, width, frame, child.samples))
                deepest = max(deepest, depth)
                todo.append((child, left, depth + 1))
            left += width
    height = (deepest + 1) * ROW + 40
    out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
              f'height="{height}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">\n'
              "<style>.t{fill:#222;font-size:13px}.b{fill:#fff}"
              "@media(prefers-color-scheme:dark){.t{fill:#ddd}.b{fill:#16181c}}</style>\n"
              f'<rect class="b" width="{WIDTH}" height="{height}"/>\n'
              f'<text class="t" x="6" y="20">{html.escape(title)}, {root.samples} samples</text>\n')
    for left, depth, width, (name, in_kernel), samples in frames:
        top = 30 + depth * ROW
        share = 100 * samples / root.samples
        shown = name if len(name) * LETTER < width - 4 else name[:max(0, int((width - 10) / LETTER))]
        out.write(f'<g><title>{html.escape(name)}: {share:.2f} %, {samples} samples</title>'
                  f'<rect x="{left:.1f}" y="{top}" width="{max(width - 0.4, 0.2):.1f}" height="{ROW - 1}" '
                  f'rx="1.5" fill="{hue(name, in_kernel)}"/>')
        if len(shown) > 2:
            out.write(f'<text x="{left + 3:.1f}" y="{top + 12}" fill="#1a1a1a">{html.escape(shown)}</text>')
        out.write("</g>\n")
    out.write("</svg>\n")


def main():
    root = build(read_stacks(sys.stdin))
    if root.samples == 0:
        sys.exit("flame_graph: there are no samples")
    draw(root, sys.argv[1] if len(sys.argv) > 1 else "samples", sys.stdout)


if __name__ == "__main__":
    main()
