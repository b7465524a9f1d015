import subprocess
import sys


def test_reports_and_terminal_do_without_torch():
    code = (
        "import sys; import cilsim.report.html, cilsim.report.terminal;"
        "import cilsim.report.final_table, cilsim.report.tensorboard, cilsim.report.aggregate;"
        "print(sorted({'torch', 'matplotlib', 'jinja2', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
