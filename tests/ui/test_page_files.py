"""The page's files fit together: every label exists, every label is used, scripts parse."""

import re
import shutil
import subprocess

import pytest

from parley import labels
from parley.ui import page_files


def test_every_placeholder_is_a_label():
    assert "[[" not in page_files.markup()


def test_every_label_is_on_the_page_or_in_its_scripts():
    everything = page_files._read("page.html") + page_files.head()
    unused = [
        name
        for name in vars(labels)
        if name.isupper() and f"[[{name}]]" not in everything and f"LABELS.{name}" not in everything
    ]
    assert unused == []


def test_gradios_template_languages_find_only_labels_to_replace():
    left = re.sub(r"\$\{LABELS\.[A-Z_0-9]+\}", "", page_files.markup())
    assert not re.search(r"\$\{|\{\{|`", left)


def test_words_in_the_markup_need_no_escaping():
    for name in re.findall(r"\[\[(\w+)\]\]", page_files._read("page.html")):
        for words in page_files.words().values():
            assert not re.search(r"""[<>&"]""", words[name]), name


@pytest.mark.skipif(not shutil.which("node"), reason="needs node to parse the scripts")
@pytest.mark.parametrize("name", page_files.SCRIPTS)
def test_scripts_parse(name, tmp_path):
    file = tmp_path / f"{name}.js"
    file.write_text(page_files._read(f"{name}.js"))
    done = subprocess.run(["node", "--check", file], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
