"""Files become text, or one sentence and a fix."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import time
import zlib

import psutil
import pytest

from parley import files
from parley.errors import ParleyError
from parley.ui.questions.asked import guarded
from parley.ui.questions.composer import ComposerQuestions


def pdf(*pages: str, stream: bytes | None = None) -> bytes:
    """A PDF of one font and a line of text on each page; an empty line leaves the page empty."""
    bodies = [
        stream or (f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET" if text else "").encode()
        for text in pages
    ]
    kids = " ".join(f"{4 + 2 * i} 0 R" for i in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for i, body in enumerate(bodies):
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * i} 0 R "
            "/Resources << /Font << /F1 3 0 R >> >> >>".encode()
        )
        packed = zlib.compress(body, 9)
        objects.append(
            f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
            + packed
            + b"\nendstream"
        )
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, os.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode())
    out.writelines(f"{place:010d} 00000 n \n".encode() for place in places)
    out.write(
        f"trailer << /Size {len(objects) + 1} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF".encode()
    )
    return out.getvalue()


def locked(data: bytes, password: str) -> bytes:
    from pypdf import PdfReader, PdfWriter

    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(data)))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def refusal(name: str, data: bytes) -> ParleyError:
    with pytest.raises(ParleyError) as caught:
        files.read(name, data)
    error = caught.value
    # A person reads these: a whole sentence each, and the file's name in the first.
    assert error.sentence.endswith(".")
    assert error.fix.endswith(".")
    assert name.rpartition("/")[2] in error.sentence
    return error


# -- text --


@pytest.mark.parametrize(
    ("data", "text", "note"),
    [
        ("Grüße, 世界".encode(), "Grüße, 世界", ""),
        ("Grüße, 世界".encode("utf-8-sig"), "Grüße, 世界", ""),
        ("Grüße, 世界".encode("utf-16"), "Grüße, 世界", ""),
        (b"\xfe\xff" + "Grüße".encode("utf-16-be"), "Grüße", ""),
        ("Grüße".encode("utf-32"), "Grüße", ""),
        ("Grüße – “so”".encode("cp1252"), "Grüße – “so”", "Read as Windows-1252"),
        (b"one\r\ntwo\rthree\n\n", "one\ntwo\nthree", ""),
        (b"\n\n    indented stays\n", "    indented stays", ""),
    ],
)
def test_text_is_read_by_its_encoding(data, text, note):
    assert files.read("notes.txt", data) == files.Document("notes.txt", text, note)


def test_a_damaged_byte_does_not_turn_the_rest_into_nonsense():
    data = "Viele Grüße an die Größten. ".encode() * 10 + b"\xff" + " Schöne Tage".encode()
    found = files.read("brief.txt", data)
    assert found.text.count("Grüße") == 10
    assert found.text.endswith("Schöne Tage")
    assert found.note == "1 damaged characters were left out"


def test_a_foreign_encoding_is_refused_rather_than_guessed():
    assert refusal("memo.txt", "すばやい茶色の狐".encode("shift_jis")).code == "file_encoding"
    assert refusal("memo.txt", b"\xff\xfea\x00\x00\xd8b\x00").code == "file_encoding"


@pytest.mark.parametrize("name", ["a.py", "b.CSV", "c.html", "d.tar.json", "Makefile", "LICENSE"])
def test_kinds_that_are_read(name):
    assert files.read(name, b"some text").text == "some text"


@pytest.mark.parametrize(
    ("name", "fix"),
    [
        ("letter.docx", "PDF"),
        ("photo.JPG", "pictures"),
        ("all.zip", "Unpack"),
        ("sums.xlsx", "CSV"),
        ("talk.mp3", "transcript"),
        ("thing.xyz", ".txt"),
        ("nothing", ".txt"),
        (".hidden", ".txt"),
    ],
)
def test_other_kinds_are_refused_with_what_helps(name, fix):
    error = refusal(name, b"some text")
    assert error.code == "file_unknown"
    assert fix in error.fix


def test_what_is_not_text_whatever_its_name():
    assert refusal("notes.txt", b"\x7fELF\x02\x01\x01\x00\x00").code == "file_binary"
    assert refusal("notes.txt", bytes(range(1, 32)) * 9).code == "file_binary"
    # An old log with colours and a bell is text.
    assert files.read("run.log", b"\x1b[31mred\x1b[0m " * 99 + b"\x07").text


def test_empty_and_too_much():
    assert refusal("empty.txt", b" \n ").code == "file_empty"
    assert refusal("big.txt", b"x" * (files.MOST_BYTES + 1)).code == "file_too_large"
    long = refusal("long.txt", b"x" * (files.MOST_CHARACTERS + 1))
    assert long.code == "file_too_long"
    assert "1,000,001" in long.sentence


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("/etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\me\\a.txt", "a.txt"),
        ('say "hi".txt', "say 'hi'.txt"),
        ("two\nlines\x00.txt", "twolines.txt"),
        ("", "file"),
    ],
)
def test_names_fit_a_card_and_a_tag(given, name):
    assert files.clean(given) == name


def test_a_long_name_keeps_its_ending():
    assert files.clean("a" * 400 + ".csv").endswith("a.csv")
    assert len(files.clean("a" * 400 + ".csv")) == 120


def test_text_that_no_database_takes_is_mended():
    assert files._tidy("a\ud83d\ude00b\ud83dc\0d") == "a😀b\ufffdcd"


# -- PDF --


def test_a_pdf_is_read_page_by_page():
    found = files.read("report.pdf", pdf("The first page.", "The second page."))
    assert found.text == "The first page.\n\nThe second page."
    assert found.note == "2 pages"


def test_pages_without_text_are_said():
    found = files.read("report.pdf", pdf("The first page.", "", ""))
    assert found.text == "The first page."
    assert found.note == "3 pages, 2 without text"


def test_a_pdf_that_is_only_locked_against_changes_is_read():
    assert files.read("report.pdf", locked(pdf("Come in."), "")).text == "Come in."


def test_pdfs_that_cannot_be_read_say_why():
    assert refusal("secret.pdf", locked(pdf("No."), "knock")).code == "pdf_locked"
    assert "OCR" in refusal("scan.pdf", pdf("", "")).fix
    assert refusal("torn.pdf", b"%PDF-1.4\nnonsense").code == "pdf_broken"
    assert refusal("text.pdf", b"just text").code == "pdf_broken"
    many = refusal("thick.pdf", pdf(*["A page."] * (files.MOST_PAGES + 1)))
    assert many.code == "pdf_pages"
    assert f"{files.MOST_PAGES + 1:,} pages" in many.sentence


def test_a_pdf_bomb_ends_within_its_memory():
    # Some 300 kB that unpack to 300 MB.
    error = refusal("bomb.pdf", pdf("", stream=b" " * 300_000_000))
    assert error.code in {"pdf_memory", "pdf_scanned", "pdf_slow"}
    assert not children()


def test_a_pdf_that_never_ends_is_ended():
    data = pdf("", stream=b"BT /F1 9 Tf (a) Tj ET " * 400_000)
    began = time.monotonic()
    with pytest.raises(ParleyError) as caught:
        files.pdf_text("endless.pdf", data, seconds=1.0)
    assert caught.value.code == "pdf_slow"
    assert time.monotonic() - began < 30  # a hang
    assert not children()


def test_memory_has_a_limit_too():
    with pytest.raises(ParleyError) as caught:
        files.pdf_text("wide.pdf", pdf("Hello"), memory=20_000_000)
    assert caught.value.code == "pdf_memory"


def test_more_text_than_is_taken_is_not_collected(monkeypatch):
    monkeypatch.setattr(files, "MOST_CHARACTERS", 20)
    assert refusal("long.pdf", pdf(*["A line of text."] * 3)).code == "file_too_long"


def children() -> list[int]:
    return [
        child.pid for child in psutil.Process().children() if "pdf_text" in str(child.cmdline())
    ]


# -- the question --


def ask(name: str, data: bytes | str, owner: str = "0" * 32) -> dict:
    content = data if isinstance(data, str) else base64.b64encode(data).decode()
    question = guarded(ComposerQuestions(None).read_file)
    return asyncio.run(question({"owner": owner, "name": name, "content": content}))


def test_the_question_answers_with_text_or_with_a_sentence():
    assert ask("a/b/notes.md", b"# Title") == {"name": "notes.md", "text": "# Title", "note": ""}
    assert "not a kind of file" in ask("photo.png", b"x")["error"]["sentence"]
    assert "did not arrive" in ask("notes.md", "not base64 ü")["error"]["sentence"]
    assert "larger than 5.0 MB" in ask("notes.md", "A" * 7_000_000)["error"]["sentence"]
    assert "identity" in ask("notes.md", b"text", owner="")["error"]["sentence"]


def test_reading_pdfs_leaves_the_server_free():
    """More of them than are read at a time, and another question gets its answer meanwhile."""
    room = ComposerQuestions(None)
    endless = base64.b64encode(pdf("", stream=b"BT /F1 9 Tf (a) Tj ET " * 20_000)).decode()
    payload = {"owner": "0" * 32, "name": "a.pdf", "content": endless}

    async def scene() -> tuple[bool, list]:
        readers = [asyncio.create_task(room.read_file(payload)) for _ in range(3)]
        await asyncio.sleep(0.1)
        text = await room.read_file(payload | {"name": "a.txt", "content": "aGVsbG8="})
        early = not any(task.done() for task in readers)
        return early and text["text"] == "hello", await asyncio.gather(*readers)

    free, found = asyncio.run(scene())
    assert free
    assert all(one["text"] for one in found)


def test_the_page_hears_which_kinds_there_are():
    kinds = asyncio.run(ComposerQuestions(None).file_kinds({}))
    assert {".txt", ".pdf", ".py", ".csv"} <= set(kinds["extensions"])
    assert kinds["most_bytes"] == files.MOST_BYTES
