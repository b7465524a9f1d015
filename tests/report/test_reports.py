import subprocess
import sys

import pytest

from cilsim.errors import RunFolderError
from cilsim.report.reports import write_reports


def test_both_reports_are_written_into_the_folder(tmp_path, make_result):
    paths = write_reports(tmp_path, [make_result()], "rings")
    assert paths == (tmp_path / "report.md", tmp_path / "report.html")
    assert paths[0].read_text().startswith("# rings\n")
    assert paths[1].read_text().rstrip().endswith("</html>")


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path, make_result):
    place = tmp_path / "file"
    place.touch()
    with pytest.raises(RunFolderError) as caught:
        write_reports(place, [make_result()], "rings")
    assert str(caught.value) == f"{place}/report.md: cannot be written: File exists"


def test_reports_and_terminal_do_without_torch():
    code = (
        "import sys; import cilsim.report.reports, cilsim.report.terminal;"
        "import cilsim.report.final_table, cilsim.report.tensorboard, cilsim.report.aggregate;"
        "print(sorted({'torch', 'matplotlib', 'jinja2', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
