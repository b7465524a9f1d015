from __future__ import annotations

import subprocess
import sys


def test_checking_a_scenario_imports_neither_torch_nor_numpy():
    code = (
        "import sys\n"
        "import cilsim.scenario.load, cilsim.scenario.resolved, cilsim.scenario.json_schema\n"
        "import cilsim.scenario.feasibility\n"
        "print(sorted({'torch', 'torchvision', 'avalanche', 'numpy', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
