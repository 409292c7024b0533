"""One message in many spellings: prefixes or none, CDATA, line ends, character sets. The shipped profiles
read the same from all of them. The samples are those of tests/data."""

import json
import pathlib
import re
import tempfile

from kouan_harness import run_kouan, run_tests

DATA = pathlib.Path(__file__).resolve().parents[1] / "data"
FAMILIES = ["ceb", "kj", "dec", "dxp", "manifest", "trade"]


def samples():
    """The XML bodies that stand whole in the examples, but those that are refused."""
    found = []
    for family in FAMILIES:
        documents = (DATA / f"profiles/{family}.expect.yaml").read_text().split("\n---\n")
        for document in documents:
            block = re.search(r"^body: \|\n((?:  .*\n|\n)+)", document, re.M)
            if block is not None and "\nprofile: " in document:
                found.append(re.sub(r"^  ", "", block[1], flags=re.M))
    assert len(found) > 30, len(found)
    return found


def readings(spell, encoding="utf-8"):
    """What is read from each sample once it is spelt so."""
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for number, text in enumerate(samples()):
            paths.append(pathlib.Path(folder) / f"{number}.xml")
            paths[-1].write_bytes(spell(text).encode(encoding))
        result = run_kouan("explain", "--json", *[str(path) for path in paths])
        assert result.returncode == 0, result
        return [(item["profile"], item["fields"], item["entries"])
                for item in json.loads(result.stdout)]


def expect_equal(spell, encoding="utf-8"):
    plain, spelt = readings(lambda text: text), readings(spell, encoding)
    for number, (one, other) in enumerate(zip(plain, spelt, strict=True)):
        assert one == other, (samples()[number], one, other)


def declare(text, encoding):
    return f'<?xml version="1.0" encoding="{encoding}"?>' + re.sub(r"^\s*<\?xml.*?\?>", "", text)


def drop_prefixes(text):
    text = re.sub(r'xmlns:(ceb|ns2|dxp|d)=', "xmlns=", text)
    return re.sub(r"(</?)(?:ceb|ns2|dxp|d):", r"\1", text)


def test_no_prefixes():
    expect_equal(drop_prefixes)


def test_no_namespaces():
    expect_equal(lambda text: re.sub(r'\sxmlns="[^"]*"', "", drop_prefixes(text)))


def test_prefixes_for_all():
    def spell(text):
        text = drop_prefixes(text)
        root = re.search(r"<\w[^>]*>", text)[0]
        if text.count(" xmlns=") != 1 or " xmlns=" not in root:
            return text
        return re.sub(r"(</?)([A-Za-z_]\w*)", r"\1q:\2", text).replace(" xmlns=", " xmlns:q=")
    expect_equal(spell)


def test_cdata():
    expect_equal(lambda text: re.sub(r">([^<>&\s][^<>&]*)</", r"><![CDATA[\1]]></", text))


def test_references():
    expect_equal(lambda text: re.sub(r">(\w)([^<>&]*)</", lambda m: f">&#{ord(m[1])};{m[2]}</", text))


def test_line_ends_and_blanks():
    expect_equal(lambda text: text.replace("\n", "\r\n").replace("</", "\t</"))
    expect_equal(lambda text: re.sub(r">\s+<", "><", text))


def test_character_sets():
    expect_equal(lambda text: text, "utf-8-sig")
    expect_equal(lambda text: declare(text, "GB2312"), "gb18030")
    expect_equal(lambda text: declare(text, "UTF-16"), "utf-16")


if __name__ == "__main__":
    run_tests()
