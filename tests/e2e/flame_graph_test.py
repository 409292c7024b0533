"""perf/flame_graph.py: the stacks of `perf script` as one SVG, with the share of each frame."""

import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

from kouan_harness import TOP, run_tests

SAMPLE = """kouan 1 10.1:    1001001 cpu-clock:
\t           564e7 read_message+0xb7 (/opt/kouan)
\t           339f0 loop_run+0x20 (/opt/kouan)

kouan 1 10.2:    1001001 cpu-clock:
\tffffffff81000000 tcp_sendmsg<T>+0x10 ([kernel.kallsyms])
\t           564e8 send_queued+0x8 (/opt/kouan)
\t           339f0 loop_run+0x20 (/opt/kouan)

kouan 1 10.3:    1001001 cpu-clock:
\t           564e9 read_message (/opt/kouan)
\t           339f0 loop_run+0x20 (/opt/kouan)

kouan 1 10.4:    1001001 cpu-clock:
\t           339f1 loop_run+0x21 (/opt/kouan)
"""


def draw(text):
    return subprocess.run([sys.executable, str(TOP / "perf/flame_graph.py"), "a & b"], input=text,
                          capture_output=True, text=True)


def test_frames():
    done = draw(SAMPLE)
    assert done.returncode == 0, done.stderr
    root = ElementTree.fromstring(done.stdout)
    titles = [element.text for element in root.iter() if element.tag.endswith("title")]
    assert sorted(titles) == ["loop_run: 100.00 %, 4 samples", "read_message: 50.00 %, 2 samples",
                              "send_queued: 25.00 %, 1 samples", "tcp_sendmsg<T>: 25.00 %, 1 samples"]
    assert "a &amp; b, 4 samples" in done.stdout


def test_a_frame_lies_under_its_caller():
    places = {}
    for name, left, top, width in re.findall(
            r'<title>(\w+)[^<]*</title><rect x="([\d.]+)" y="(\d+)" width="([\d.]+)"', draw(SAMPLE).stdout):
        places[name] = (float(left), int(top), float(width))
    outer, inner = places["loop_run"], places["read_message"]
    assert inner[1] > outer[1] and abs(inner[2] - outer[2] / 2) < 1
    assert places["send_queued"][0] >= inner[0] + inner[2] - 0.1, "siblings lie over each other"


def test_no_samples():
    done = draw("nothing\n")
    assert done.returncode == 1 and "no samples" in done.stderr


if __name__ == "__main__":
    run_tests()
